"""The authorization matrix as tables in docs/security.md, made from the rows that the tests hold against every route.

`python -m tests.matrix_page` writes them; tests/test_matrix_page.py compares.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.matrix import CONSOLE_OPEN, MAY_CALL, META, OPEN, ROLES, expected, least

PAGE = Path(__file__).parents[1] / "docs" / "security.md"
_BEGIN, _END = "<!-- the matrix: python -m tests.matrix_page -->\n", "<!-- the end of the matrix -->"

# What the page calls them, and a caller of the stage.
_COLUMNS = {
    "nobody": "anonymous",
    "key without `meta`": "unscoped",
    "key with `meta`": "key",
    "viewer": "viewer",
    "builder": "builder",
    "owner": "manager",
    "another workspace's owner": "foreign",
    "owner of the installation": "owner",
}
_KEYS = {
    "unscoped": "`*`",
    "group": "`shop`",
    "reader": "`shop:read`",
    "single": "`shop/closed`",
    "elsewhere": "another group",
    "key": "`meta`",
}
_ROLES = {"manager": "owner", None: "owner of the installation", "anyone": "anyone signed in"}
_MODEL = re.compile(r"admin/((?:core|tables|endpoints|stacks|lambdas|runs|accounts)/\w+)/")


def page() -> str:
    """docs/security.md as it should be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{tables()}\n{_END}{after}"


def tables() -> str:
    """All tables, each under its heading."""
    parts = {
        "The management API": _management(),
        "Endpoints of an API group": _endpoints(),
        "The console": _console(),
        "For everybody": _open(),
    }
    return "\n".join(f"### {heading}\n\n{text}" for heading, text in parts.items())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _management() -> str:
    """A row for each route, its methods together where they end alike."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (method, route), row in META.items():
        outcomes = []
        for caller in _COLUMNS.values():
            # As if the deed succeeded: some rows end in 400 or 404 for want of what they are about.
            status = expected(caller, method, route, replace(row, status=200))
            outcomes.append("✓" if status == 200 else str(status))
        found.setdefault((_readable(route), tuple(outcomes)), []).append(method)
    rows = [[f"{' '.join(methods)} `{route}`", *outcomes] for (route, outcomes), methods in found.items()]
    return _table(["", *_COLUMNS], rows)


def _readable(route: str) -> str:
    route = re.sub(r"<\w+:(\w+)>", r"{\1}", route.removeprefix("api:meta"))
    return route.replace("/workspaces/{workspace}", "/w", 1) or "/"


def _endpoints() -> str:
    def mark(status: int) -> str:
        return "✓" if status == 200 else str(status)

    rows = [[_KEYS[caller], *map(mark, outcomes)] for caller, outcomes in MAY_CALL.items()]
    rows.append(["none, revoked, expired, another workspace's, a session of the console", "✓", "401", "401"])
    return _table(["key with the scope", "GET, `public`", "GET, `api_key`", "POST, `api_key`"], rows)


def _console() -> str:
    """A row for each part of the console: the least role that may look, and that may send anything."""
    from tests.matrix_stage import routes

    found: dict[str, tuple[set[str], set[str]]] = {}
    for route, _ in routes():
        if not route.startswith("admin/") or route in CONSOLE_OPEN or "(?P<" in route:
            continue
        model = _MODEL.match(route)
        part = model[1] if model else route.removeprefix("admin/").partition("/")[0] or "(the first page)"
        looks, sends = found.setdefault(part, (set(), set()))
        looks.add(_role(least(route, "GET")))
        sends.add(_role(least(route, "POST")))
    rows = [[f"`{part}`", _listed(looks), _listed(sends)] for part, (looks, sends) in sorted(found.items())]
    return _table(["pages under `/admin/`", "may look", "may send a form"], rows)


def _role(name: str | None) -> str:
    return _ROLES.get(name, str(name))


def _listed(names: set[str]) -> str:
    ranked = ["anyone signed in", *(_role(role) for role in ROLES), _ROLES[None]]
    return ", ".join(sorted(names, key=ranked.index))


def _open() -> str:
    said = "What is asked without saying who one is; `/metrics` from the machine itself only.\n\n"
    return said + _table(["", "status"], [[f"`{url}`", str(status)] for url, status in OPEN.values()])


def main() -> None:
    """Write the page."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    django.setup()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
