"""The console's scripts: they build, they type-check, their pure parts work, they stay small, pages live without them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from stackyard.console import bundle as pages
from stackyard.start import frontend

ROOT = Path(__file__).resolve().parents[1]
# Gzipped bytes: what the page of an island loads at once, and what a chunk fetched on demand brings.
LARGEST_ENTRY = {"stack_editor": 60_000}
LARGEST_OTHER_ENTRY = 40_000
LARGEST_CHUNK = {"code/editor.ts": 130_000, "code/languages/typescript.ts": 45_000}
LARGEST_CODE_EDITOR = 170_000
LARGEST_OTHER_CHUNK = 30_000


@pytest.fixture
def manifest(bundle: None) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((frontend.BUNDLE / "manifest.json").read_text())
    return read


def test_typescript_finds_nothing(bundle: None) -> None:
    try:
        frontend.check_types()
    except frontend.NotBuilt:
        done = subprocess.run(
            [frontend.find_deno_bin(), "check", "--frozen", *map(str, frontend.scripts())],
            cwd=frontend.FOLDER,
            capture_output=True,
            text=True,
        )
        pytest.fail(done.stderr[-4000:], pytrace=False)


def test_the_pure_parts_pass_their_own_tests(bundle: None) -> None:
    deno = frontend.find_deno_bin()
    command = [deno, "test", "--frozen", "--cached-only", "--no-prompt", "--no-check", "--quiet"]
    done = subprocess.run(command, cwd=frontend.FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_sources_are_formatted() -> None:
    deno = frontend.find_deno_bin()
    done = subprocess.run(
        [deno, "fmt", "--check", "--quiet"], cwd=frontend.FOLDER, capture_output=True, text=True
    )
    assert done.returncode == 0, "run `deno fmt` in the frontend's folder\n" + done.stderr[-2000:]


def test_the_scripts_stay_small(manifest: dict[str, Any]) -> None:
    for name, entry in manifest["entries"].items():
        assert entry["gzipBytes"] <= LARGEST_ENTRY.get(name, LARGEST_OTHER_ENTRY), name
    for name, size in manifest["lazy"].items():
        assert size <= LARGEST_CHUNK.get(name, LARGEST_OTHER_CHUNK), name
    assert sum(manifest["lazy"][name] for name in LARGEST_CHUNK) <= LARGEST_CODE_EDITOR


def test_nothing_is_built_again_without_a_change(bundle: None) -> None:
    assert frontend.build(only_cached=True) == "scripts unchanged"


def test_a_build_that_fails_says_why_in_one_line_and_leaves_what_was_there(
    manifest: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deno.json").write_text("{}")
    (tmp_path / "build.ts").write_text("throw new Error('no such thing');")
    monkeypatch.setattr(frontend, "FOLDER", tmp_path)
    with pytest.raises(frontend.NotBuilt, match="no such thing") as caught:
        frontend.build(only_cached=True)
    assert "\n" not in str(caught.value)
    assert frontend.built_from() == manifest["fingerprint"]


def test_an_unreachable_registry_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deno.json").write_text(
        json.dumps({"nodeModulesDir": "auto", "imports": {"left-pad": "npm:left-pad@1.3.0"}})
    )
    (tmp_path / "build.ts").write_text("import 'left-pad';")
    monkeypatch.setattr(frontend, "FOLDER", tmp_path)
    monkeypatch.setattr(frontend, "_environment", lambda: {
        "DENO_DIR": str(tmp_path / "cache"), "NPM_CONFIG_REGISTRY": "http://127.0.0.1:9/", "NO_COLOR": "1",
    })  # fmt: skip
    with pytest.raises(frontend.NotBuilt, match="registry could not be reached"):
        frontend.build()


@pytest.mark.django_db(databases=["default", "history"])
def test_a_page_without_the_bundle_is_whole_and_says_which_command_builds_it(
    console: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "BUNDLE", tmp_path)
    assert console.get("/admin/").status_code == 200
    from stackyard.console.templatetags.islands import island

    assert "manage.py build_console" in island("charts", {})
    assert island("charts", {}, needed=False) == ""


def test_an_island_is_given_its_properties_as_data(manifest: dict[str, Any]) -> None:
    from stackyard.console.templatetags.islands import island

    place = island("charts", {"title": "</script><script>alert(1)</script>"})
    assert "<script>alert" not in place
    assert 'data-island="charts"' in place
    assert manifest["entries"]["charts"]["script"] in place


def test_the_words_of_the_scripts_are_kept_for_ever(client: Any) -> None:
    browser = Client()
    answer = browser.get("/words/en/0.js")
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    assert b"django.gettext" in answer.content
    assert browser.get("/words/xx/0.js").status_code == 404


def test_the_command_says_what_it_did(bundle: None) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "build_console"], cwd=ROOT, capture_output=True, text=True
    )
    assert "scripts unchanged" in done.stdout, done.stderr
