"""npm packages in lambdas, from a registry of our own on the loopback address."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from lambdas import publishing
from lambdas.supervisor import Supervisor
from lambdas.supervisor import packages as bundling
from lambdas.supervisor.packages import CannotBundle, Onlooker, bundle_path, make_bundle, packages_in
from stackyard.runs import dispatch
from stackyard.runs.models import Run
from stackyard.runs.progress import Stopped
from stackyard.runs.working import work
from tests import factories
from tests.slots import make_launcher, run

CANARY = "canary-of-the-host"
# Name → version → its files.
PACKAGES: dict[str, dict[str, dict[str, str]]] = {
    "leaf": {
        "1.0.0": {"index.js": "exports.grow = (x) => x + 1;", "deep/twig.js": "module.exports = 'twig';"},
        "2.0.0": {
            "package.json": '{"type": "module", "exports": {".": {"import": "./m.js"}}}',
            "m.js": "export default (x) => x * 2; export const name = 'two';",
        },
    },
    "@scope/branch": {
        "1.2.3": {
            "package.json": '{"dependencies": {"leaf": "^1"}}',
            "index.js": "const { createHash } = require('node:crypto'); const { join } = require('path');"
            "exports.use = (x) => [require('leaf').grow(x), createHash('md5').update('a').digest('hex').length, join('a', 'b')];",
        }
    },
    "reads-absolute": {"1.0.0": {"index.js": "module.exports = require('$SECRET.json');"}},
    "reads-upward": {
        "1.0.0": {
            "index.js": "module.exports = require('../../../../../../../../../../../../..$SECRET.json');"
        }
    },
    "reads-at-run": {
        "1.0.0": {"index.js": "exports.read = () => require('fs').readFileSync('$SECRET.json', 'utf8');"}
    },
    "scripts": {
        "1.0.0": {
            "package.json": '{"scripts": {"postinstall": "touch $SECRET.ran", "preinstall": "touch $SECRET.ran"}}',
            "index.js": "module.exports = 1;",
        }
    },
    "waits": {
        "1.0.0": {
            "package.json": '{"type": "module"}',
            "index.js": "export const a = await Promise.resolve(1);",
        }
    },
    "native": {"1.0.0": {"index.js": "module.exports = require('./build/x.node');", "build/x.node": "ELF"}},
}


def tarball(name: str, version: str, files: Mapping[str, str]) -> bytes:
    """What `npm publish` would send."""
    described = {
        "name": name,
        "version": version,
        "main": "index.js",
        **json.loads(files.get("package.json", "{}")),
    }
    content = {**files, "package.json": json.dumps(described)}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for path, text in content.items():
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size = len(text.encode())
            packed.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()


class Registry(ThreadingHTTPServer):
    """A registry of these packages; `asked` is what it was asked for."""

    def __init__(self, secret: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.answers: dict[str, bytes] = {}
        for name, versions in PACKAGES.items():
            listed = {}
            for version, files in versions.items():
                filled = {path: text.replace("$SECRET", str(secret)) for path, text in files.items()}
                packed = tarball(name, version, filled)
                path = f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
                digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
                self.answers[path] = packed
                listed[version] = {
                    "name": name,
                    "version": version,
                    "dependencies": json.loads(filled.get("package.json", "{}")).get("dependencies", {}),
                    "dist": {"tarball": f"{self.url}{path}", "integrity": f"sha512-{digest}"},
                }
            said: dict[str, Any] = {"name": name, "versions": listed, "dist-tags": {"latest": max(listed)}}
            self.answers[f"/{name}"] = json.dumps(said).encode()


class Answer(BaseHTTPRequestHandler):
    """One request to the registry."""

    server: Registry

    def do_GET(self) -> None:
        """A package's description or its tarball."""
        path = self.path.replace("%2f", "/").replace("%2F", "/")
        self.server.asked.append(path)
        body = self.server.answers.get(path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write(body or b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path; beside it, with `.json` behind, lies what no package may have."""
    path = tmp_path_factory.mktemp("host") / "secret"
    path.with_suffix(".json").write_text(json.dumps({"key": CANARY}))
    return path


@pytest.fixture(scope="module")
def registry(secret: Path) -> Iterator[Registry]:
    """The registry, listening."""
    server = Registry(secret)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lambdas' folder with esbuild in it, which is fetched once for all test runs of this machine."""
    kept = Path(tempfile.gettempdir()) / "stackyard-test-packages"
    variables = {
        name: value for name, value in settings.PACKAGE_ENVIRONMENT.items() if name != "NPM_CONFIG_REGISTRY"
    }
    try:
        bundling._esbuild(kept, variables)
    except (CannotBundle, OSError) as error:
        pytest.skip(f"esbuild-wasm can't be fetched here: {error}")
    made = tmp_path_factory.mktemp("lambdas")
    name = f"esbuild-wasm-{bundling._ESBUILD}"
    shutil.copytree(kept / "packages" / name, made / "packages" / name)
    return made


def bring(home: Path, registry: Registry, *imports: str) -> Path:
    """Make a bundle."""
    made = make_bundle(home, imports, {"NPM_CONFIG_REGISTRY": f"{registry.url}/"})
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("specifier", "found"),
    [
        ("npm:leaf", ("leaf", "*", "")),
        ("npm:leaf@^1.2", ("leaf", "^1.2", "")),
        ("npm:@scope/leaf@1.2.3-beta.1/a/b.js", ("@scope/leaf", "1.2.3-beta.1", "/a/b.js")),
        ("npm:/leaf@latest", ("leaf", "latest", "")),
    ],
)  # fmt: skip
def test_specifiers_name_a_package_a_range_and_a_path(specifier: str, found: tuple[str, str, str]) -> None:
    [one] = packages_in([specifier, specifier, "node:fs"])
    assert (one.name, one.range, one.path) == found


@pytest.mark.parametrize(
    "specifier",
    ["npm:", "npm:leaf@https://x/y.tgz", "npm:leaf@file:/etc", "npm:leaf@git+ssh://x", "npm:../leaf", "npm:leaf/../x",
     "npm:leaf@npm:other", "npm:leaf@1 || 2", 'npm:leaf"', "npm:@x", "npm:leaf@", "npm:leaf@link:/etc"],
)  # fmt: skip
def test_anything_but_a_package_of_the_registry_is_refused(specifier: str) -> None:
    with pytest.raises(CannotBundle, match="is not a package of the npm registry"):
        packages_in([specifier])


def test_no_packages_no_bundle(tmp_path: Path) -> None:
    assert bundle_path(tmp_path, ["node:fs"]) is None
    assert make_bundle(tmp_path, ["node:fs"], {}) is None


def test_a_registry_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotBundle, match=r"127\.0\.0\.1"):
        make_bundle(tmp_path, ["npm:leaf"], {"NPM_CONFIG_REGISTRY": "http://127.0.0.1:9/"})
    assert not list((tmp_path / "packages").glob("work-*"))


def test_lambdas_import_what_the_registry_has_and_need_no_network_then(
    home: Path, registry: Registry, tmp_path: Path
) -> None:
    code = """import { grow } from "npm:leaf@1";
import twice, { name } from "npm:leaf@2";
import twig from "npm:leaf@1.0.0/deep/twig.js";
import { use } from "npm:@scope/branch@1";
import { sep } from "node:path";
return [grow(1), twice(4), name, twig, use(1), sep];"""
    supervisor = Supervisor(make_launcher("process", tmp_path), tmp_path / "slots", packages=home)
    try:
        imports = supervisor.compile(code).imports
        failed = run(supervisor, code).error
        assert failed is not None
        assert "is not in this lambda's bundle" in failed.message
        made = bring(home, registry, *imports)
        assert made == bundle_path(home, reversed(imports))  # type: ignore[arg-type]
        wanted = [2, 8, "two", "twig", [2, 32, "a/b"], "/"]
        assert run(supervisor, code).value == wanted
        asked = len(registry.asked)
        assert bring(home, registry, *imports) == made
        assert run(supervisor, code, once=True).value == wanted
        assert len(registry.asked) == asked
    finally:
        supervisor.close()


@pytest.mark.parametrize("name", ["reads-absolute", "reads-upward"])
def test_a_package_cannot_have_a_file_of_the_host_packed_in(
    home: Path, registry: Registry, name: str
) -> None:
    with pytest.raises(CannotBundle, match="Could not resolve") as refused:
        bring(home, registry, f"npm:{name}@1")
    assert CANARY not in str(refused.value)
    assert not any(CANARY in path.read_text() for path in (home / "bundles").glob("*"))


def test_a_package_has_no_more_rights_than_the_code(home: Path, registry: Registry, tmp_path: Path) -> None:
    code = "import { read } from 'npm:reads-at-run@1'; return read()"
    bring(home, registry, "npm:reads-at-run@1")
    supervisor = Supervisor(make_launcher("process", tmp_path), tmp_path / "slots", packages=home)
    try:
        failed = run(supervisor, code).error
        assert failed is not None
        assert failed.name == "NotCapable"
    finally:
        supervisor.close()


def test_install_scripts_do_not_run(home: Path, registry: Registry, secret: Path) -> None:
    bring(home, registry, "npm:scripts@1")
    assert not secret.with_suffix(".ran").exists()


@pytest.mark.parametrize(
    ("specifier", "said"),
    [
        ("npm:not-there@1", "npm package 'not-there' does not exist"),
        ("npm:leaf@7", "Could not find npm package 'leaf' matching '7'"),
        ("npm:leaf@1/none.js", 'Could not resolve "leaf/none.js"'),
        ("npm:waits@1", "Top-level await"),
        ("npm:native@1", 'No loader is configured for ".node" files'),
    ],
)
def test_what_cannot_be_bundled_says_why(home: Path, registry: Registry, specifier: str, said: str) -> None:
    with pytest.raises(CannotBundle) as refused:
        bring(home, registry, specifier)
    assert said in str(refused.value)
    assert str(home) not in str(refused.value)
    assert not list((home / "packages").glob("work-*"))


def test_a_packer_that_is_not_what_it_was_is_refused(
    home: Path, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = registry
    packed = tarball("esbuild-wasm", bundling._ESBUILD, dict.fromkeys(bundling._ESBUILD_FILES, "evil"))
    digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
    path = f"/esbuild-wasm/-/esbuild-wasm-{bundling._ESBUILD}.tgz"
    listed = {
        "name": "esbuild-wasm",
        "version": bundling._ESBUILD,
        "dist": {"tarball": f"{server.url}{path}", "integrity": f"sha512-{digest}"},
    }
    said = {"name": "esbuild-wasm", "versions": {bundling._ESBUILD: listed}, "dist-tags": {}}
    monkeypatch.setitem(server.answers, path, packed)
    monkeypatch.setitem(server.answers, "/esbuild-wasm", json.dumps(said).encode())
    with pytest.raises(CannotBundle, match="is not what it was"):
        bring(tmp_path, server, "npm:leaf@1")


def test_whoever_ends_it_in_the_middle_leaves_nothing(home: Path, registry: Registry) -> None:
    reached: list[int] = []

    def check() -> None:
        if reached and reached[-1] == 1:
            raise Stopped

    packages = ["npm:leaf@1.0.0/deep/twig.js", "npm:leaf@2"]
    where = {"NPM_CONFIG_REGISTRY": f"{registry.url}/"}
    with pytest.raises(Stopped):
        make_bundle(home, packages, where, Onlooker(reached.append, check))
    assert reached == [0, 1]
    assert not list((home / "packages").glob("work-*"))
    assert not bundle_path(home, packages).exists()  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_publishing_with_packages_is_a_run_shown_on_the_page(
    home: Path, registry: Registry, tmp_path: Path, settings: Any, console: Client
) -> None:
    (tmp_path / "lambdas").symlink_to(home)
    settings.HOME = tmp_path
    settings.PACKAGE_ENVIRONMENT = {"NPM_CONFIG_REGISTRY": f"{registry.url}/"}
    target = publishing.create_lambda(factories.make_workspace(), {"name": "grows"})
    page = f"/admin/lambdas/lambda/{target.pk}/change/"

    def press_publish(code: str) -> str:
        form = {"name": "grows", "timeout": 30, "memory_mb": 128, "max_attempts": 1, "catch_up": "last"}
        seen = console.get(page).context["seen"]
        given = {**form, "text": code, "seen": seen, "do": "publish", "message": "grow"}
        assert console.post(page, given).status_code == 302, console.post(page, given).content.decode()
        target.refresh_from_db()
        return console.get(page).content.decode()

    code = 'import { grow } from "npm:leaf@1.0.0"; import two from "npm:leaf@2.0.0"; return grow(two(1));'
    assert "data-run-progress" in press_publish(code)
    assert target.published is None
    first = Run.objects.get()
    dispatch.cancel(first)
    assert "data-run-progress" not in console.get(page).content.decode()

    assert "data-run-progress" in press_publish(code)
    again = Run.objects.get(state="accepted")
    assert console.get(page).context["publication"] == again
    assert work(again.pk) == "succeeded"
    again.refresh_from_db()
    assert (again.done, again.total, again.phase) == (3, 4, "publishing")
    target.refresh_from_db()
    assert (target.published.message, target.published.author_id) == ("grow", again.principal["id"])
    assert "data-run-progress" not in console.get(page).content.decode()

    # The packages are there: nothing to wait for.
    assert "data-run-progress" not in press_publish(f"{code} // the same packages")
    assert target.published.number == 2

    # What can't be had is said on the page, until the draft is another one.
    press_publish('import "npm:not-there@1";')
    assert work(Run.objects.get(state="accepted").pk) == "failed"
    assert "&#x27;not-there&#x27; does not exist" in console.get(page).content.decode()
    assert "does not exist" not in press_publish("return 1")
