"""The house keeps its shape: the two name traps, the layers, file length, no drawers, types, lint, migrations."""

from __future__ import annotations

import ast
import platform
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("platform/stackyard", "auth", "endpoints", "lambdas", "tests", "benchmarks")
LONGEST = 400
DRAWERS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "base",
    "shared",
    "lib",
    "tools",
    "handlers",
}
HTTP_CLIENTS = {
    *("requests", "httpx", "aiohttp", "urllib3", "http.client", "urllib.request", "urllib.robotparser"),
    *("requests_hardened", "pycurl", "ftplib", "xmlrpc.client", "websockets", "websocket", "tornado", "treq"),
}


def python_files(*folders: str) -> list[Path]:
    """Every Python file of the rooms, generated migrations left out."""
    files = [path for folder in folders or ROOMS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in files if "migrations" not in path.parts]


def run_tool(*command: str) -> None:
    """Fail with the tool's own words when it finds something."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}{done.stderr}", pytrace=False)


def test_the_folder_platform_never_hides_the_standard_module() -> None:
    assert not list((ROOT / "platform").glob("*.py"))
    assert platform.python_implementation()
    assert Path(platform.__file__).parent != ROOT / "platform"


def test_our_app_auth_has_a_label_of_its_own() -> None:
    assert apps.get_app_config("accounts").name == "auth"
    assert apps.get_app_config("auth").name == "django.contrib.auth"
    assert settings.AUTH_USER_MODEL == "accounts.User"
    from auth.models import User

    assert User._meta.db_table == "accounts_user"


def test_every_file_reads_in_one_sitting() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in python_files()}
    assert not {name: length for name, length in lengths.items() if length > LONGEST}


def test_no_module_is_a_drawer() -> None:
    drawers = [path for path in python_files() if path.stem in DRAWERS or path.parent.name in DRAWERS]
    assert not drawers


def test_public_functions_of_the_product_say_what_they_do() -> None:
    silent = []
    for path in python_files("platform/stackyard", "auth", "endpoints"):
        silent += [f"{path.relative_to(ROOT)}:{line} {name}" for line, name in undocumented(path)]
    assert not silent


def undocumented(path: Path) -> list[tuple[int, str]]:
    """Public classes and functions of a module without a docstring."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [
        (node.lineno, node.name)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, kinds) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]


def test_only_settings_read_the_environment() -> None:
    # The set-up runs before there are settings; entry points name the settings module, or tell a library
    # something before it is imported; the web server's workers drop what would look like a request's header.
    allowed = {"settings.py", "wsgi.py", "asgi.py", "celery.py", "environment.py", "web.py", "worker.py"}
    reading = [
        path
        for path in python_files("platform/stackyard", "auth", "endpoints")
        if re.search(r"os\.(environ|getenv)\b", path.read_text()) and path.name not in allowed
    ]
    assert not reading


def test_only_the_outbound_door_speaks_http_to_others() -> None:
    offenders = []
    for path in python_files("platform/stackyard", "auth", "endpoints", "lambdas"):
        clients = {
            name for name in imported(path) if any(f"{name}.".startswith(f"{c}.") for c in HTTP_CLIENTS)
        }
        if clients and path.parent.name != "outbound":
            offenders.append((path, clients))
    assert not offenders


def test_only_the_outbound_door_opens_connections() -> None:
    # The set-up asks whether a port of this machine is free.
    allowed = {"clock.py", "connections.py", "addresses.py", "environment.py", "up.py"}
    opening = [
        path
        for path in python_files("platform/stackyard", "auth", "endpoints", "lambdas")
        if imported(path) & {"socket", "ssl", "asyncio"} and path.name not in allowed
    ]
    assert not opening


def imported(path: Path) -> set[str]:
    """The modules that a file imports, by their full names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_every_requirement_is_explained() -> None:
    wanted = {
        re.split(r"[\[<>=~ ]", line)[0].lower()
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith(("#", "-"))
    }
    explained = set(re.findall(r"^\| `([^`]+)`", (ROOT / "docs/dependencies.md").read_text(), re.M))
    assert not wanted - explained


@pytest.mark.django_db
def test_migrations_say_what_the_models_say() -> None:
    output = StringIO()
    try:
        call_command("makemigrations", "--check", "--dry-run", stdout=output, stderr=output)
    except SystemExit:
        pytest.fail(output.getvalue(), pytrace=False)


def test_rooms_know_only_the_rooms_below() -> None:
    run_tool(str(Path(sys.executable).with_name("lint-imports")))


def test_ruff_finds_nothing() -> None:
    run_tool(sys.executable, "-m", "ruff", "check", ".")


def test_ruff_would_format_nothing() -> None:
    run_tool(sys.executable, "-m", "ruff", "format", "--check", "--output-format", "concise", ".")


def test_mypy_finds_nothing() -> None:
    run_tool(sys.executable, "-m", "mypy")
