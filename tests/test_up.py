"""`make up` from an empty home to a line that answers when pasted, and again."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests import installation
from tests.conftest import absent
from tests.two_processes import lines_to_two, refused_after

pytestmark = pytest.mark.both_databases
ROOT = Path(__file__).resolve().parents[1]
_SETUP = """
import json
from auth.keys import create_key
from auth.models import User
from auth.oauth.applications import register
from django.test import Client
from stackyard.core.models import Workspace
from tests.factories import make_endpoint, make_group
from endpoints.blueprints import apply_blueprint
from stackyard.tables.changes import create_table

shop = Workspace.objects.get(name="shop")
create_table(shop, "members", fields={"email": {"type": "email", "unique": True}, "password": "password"})
group = make_group(shop, "door")
apply_blueprint(group, "authentication", "members")
make_endpoint(group, "/who", auth=["api_key", "jwt", "oauth2"], response={"$expr": "auth.kind"})
key, text = create_key(shop, "one", ["door"])
application, secret = register(shop, "Report", ["door"], grant="client_credentials")
owner = Client()
owner.force_login(User.objects.filter(is_superuser=True).first())
print(json.dumps({
    "key": text, "key_id": key.pk, "client_id": application.client_id, "client_secret": secret,
    "session": "; ".join(f"{name}={cookie.value}" for name, cookie in owner.cookies.items()),
}))
"""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A database for the installation of this module."""
    with installation.database() as url:
        yield url


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that does not exist yet."""
    return tmp_path_factory.mktemp("up") / "home"


@pytest.fixture(scope="module")
def first(home: Path, database: str) -> Iterator[installation.Installation]:
    """The first start: running while the tests of this module look at it."""
    with installation.running(home, database) as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def _curl() -> None:
    if shutil.which("curl") is None:
        absent("curl is not installed")


def paste(line: str) -> tuple[int, object]:
    """Run a curl line as it was printed; status and JSON."""
    command = [*shlex.split(line), "--silent", "--write-out", "\n%{http_code}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_the_first_start_names_its_stages_with_their_time(first: installation.Installation) -> None:
    for stage in ("database", "owner", "sample", "first key", "server"):
        line = next(line for line in first.output.splitlines() if f"\u2713 {stage}" in line)
        assert line.endswith(" s")


def test_the_printed_line_answers_200_when_pasted(first: installation.Installation) -> None:
    status, customer = paste(first.shown["Try"])
    assert status == 200
    assert customer["id"] == 1


def test_the_first_key_is_kept_for_its_owner_only(first: installation.Installation) -> None:
    path = first.home / "first-key"
    assert path.read_text().strip() == first.shown["API key"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_owner_can_sign_in_with_the_printed_password(first: installation.Installation) -> None:
    email, _, password = first.shown["Owner"].partition("  password ")
    account = f"username={email.strip()!r}, password={password.split()[0]!r}"
    code = f"from django.contrib.auth import authenticate\nprint(authenticate({account}).is_superuser)"
    assert first.python(code) == "True"


def test_a_second_start_reuses_everything_and_says_so(
    first: installation.Installation, home: Path, database: str
) -> None:
    with installation.running(home, database) as second:
        assert "up to date" in second.output
        assert "reused owner@example.com" in second.output
        assert "reused workspace shop" in second.output
        assert second.shown["API key"] == first.shown["API key"]
        assert "password as set" in second.shown["Owner"]
        assert paste(second.shown["Try"])[0] == 200


def test_what_is_taken_back_is_refused_in_every_process_within_a_second(
    first: installation.Installation,
) -> None:
    made = json.loads(first.python(_SETUP).splitlines()[-1])
    one, other = lines_to_two(first.port)
    client = urlencode({name: made[name] for name in ("client_id", "client_secret")})
    _, oauth = one.ask("POST", "/oauth/token", f"grant_type=client_credentials&scope=door&{client}", _FORM)
    ann = {"email": "ann@example.com", "password": "correct horse battery"}
    _, jwt = one.ask("POST", "/api:door/auth/signup", ann)
    csrf = "c" * 32
    console = {"Cookie": f"{made['session']}; csrftoken={csrf}", "X-CSRFToken": csrf}
    by_oauth = {"Authorization": f"Bearer {oauth['access_token']}"}
    by_jwt = {"Authorization": f"Bearer {jwt['authToken']}"}
    deeds: dict[str, tuple[dict[str, str], Callable[[], tuple[int, Any]]]] = {
        "OAuth token": (
            by_oauth,
            lambda: one.ask("POST", "/oauth/revoke", f"token={oauth['access_token']}&{client}", _FORM),
        ),
        "JWT": (by_jwt, lambda: one.ask("POST", "/api:door/auth/logout", {}, by_jwt)),
        "API key": (
            {"X-API-Key": made["key"]},
            lambda: one.ask("DELETE", f"/api:meta/workspaces/shop/keys/{made['key_id']}", None, console),
        ),
    }
    with closing(one), closing(other):
        for name, (proof, take_back) in deeds.items():
            for line in (one, other, one, other):
                assert line.ask("GET", "/api:door/who", None, proof)[0] == 200, name
            status, told = take_back()
            assert status in (200, 204), (name, told)
            seconds = refused_after((one, other), proof)
            assert seconds <= 1, f"{name}: {seconds:.2f} s"


def test_a_busy_port_is_refused_before_anything_is_made(
    first: installation.Installation, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=installation.variables(tmp_path / "other", first.port, ""),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"Port {first.port} on 127.0.0.1 cannot be used" in done.stderr
    assert not (tmp_path / "other" / "stackyard.sqlite3").exists()


def test_ctrl_c_stops_it_and_keeps_the_history_of_every_answer(tmp_path: Path, database: str) -> None:
    if database:
        pytest.skip("reads the history's SQLite file; the writer is the same on PostgreSQL")
    with installation.running(tmp_path / "home") as started:
        for _ in range(20):
            assert paste(started.shown["Try"])[0] == 200
        children = processes_of(started.process.pid)
        assert len(children) >= 3
        assert started.stop(signal.SIGINT) == 0
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    with sqlite3.connect(tmp_path / "home" / "history.sqlite3") as connection:
        (entries,) = connection.execute("SELECT count(*) FROM endpoints_historyentry").fetchone()
    assert entries == 20


def processes_of(pid: int) -> list[int]:
    """The ids of all processes below one."""
    found = [pid]
    for parent in found:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        found += [int(child) for child in children]
    return found[1:]
