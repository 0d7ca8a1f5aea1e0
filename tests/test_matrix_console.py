"""The authorization matrix of the console: every page, every role, with the outcome expected."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

from stackyard.alerts.models import AlertRule
from stackyard.core.audit.models import AuditEntry
from tests.matrix import CONSOLE_OPEN, ROLES, least
from tests.matrix_stage import Stage, make_stage, routes

pytestmark = pytest.mark.django_db(databases=["default", "history"])
CONSOLE = "admin/"


@pytest.fixture
def stage() -> Stage:
    return make_stage()


CONSOLE_CALLERS = ("anonymous", "key", "unscoped", "revoked", "visitor", "left")


def test_the_console_is_for_who_is_signed_in(stage: Stage) -> None:
    wrong = []
    for route, _ in routes():
        if not route.startswith(CONSOLE):
            continue
        url = _console_address(route)
        wanted = CONSOLE_OPEN.get(route, 302)
        for caller in CONSOLE_CALLERS:
            answer = stage.doors[caller].get(url)
            if answer.status != wanted:
                wrong.append(f"GET {url} as {caller}: {answer.status}")
            if route in CONSOLE_OPEN:
                continue
            if "/admin/login/" not in answer.headers.get("location", ""):
                wrong.append(f"GET {url} as {caller} leads to {answer.headers.get('location')}")
            sent = stage.doors[caller].request("POST", url, body=b"a=1", headers=_FORM).status
            if sent not in (302, 403):
                wrong.append(f"POST {url} as {caller}: {sent}")
    assert not wrong, "\n".join(wrong)


def test_the_console_shows_an_account_without_rights_nothing(stage: Stage) -> None:
    leaks = []
    for route, _ in routes():
        if route.startswith(CONSOLE) and re.match(
            r"admin/(core|tables|stacks|endpoints|accounts|lambdas|runs)/", route
        ):
            status = stage.doors["helper"].get(_console_address(route)).status
            if status not in (302, 403, 404):
                leaks.append(f"{route}: {status}")
    assert not leaks, "\n".join(leaks)


def _about(wanted: str | None) -> list[tuple[int, str]]:
    """The least role that may, and the one below it: the others follow, since rights only grow."""
    ranked = list(enumerate(ROLES))
    if wanted is None:
        return ranked[-1:]
    at = 0 if wanted == "anyone" else ROLES.index(wanted)
    return ranked[max(0, at - 1) : at + 1]


def test_the_console_opens_to_each_role_what_the_matrix_says(stage: Stage) -> None:
    wrong = []
    for route, _ in routes():
        if not route.startswith(CONSOLE) or route in CONSOLE_OPEN or "(?P<url>" in route:
            continue
        url = _console_address(route, theirs=True)
        for method, sent in (("GET", {}), ("POST", {"body": b"a=1", "headers": _FORM})):
            wanted = least(route, method)
            for rank, role in _about(wanted):
                with transaction.atomic():
                    status = stage.doors[role].request(method, url, **sent).status
                    transaction.set_rollback(True)
                may = wanted == "anyone" or (wanted is not None and rank >= ROLES.index(wanted))
                # Some pages are for nobody: the admin's own forms over what has another door.
                if (status != 403) != may and (
                    not may or stage.doors["owner"].request(method, url, **sent).status != 403
                ):
                    wrong.append(f"{method} {url} as {role}: {status}, and may: {may}")
            if wanted == "anyone":
                continue
            # What is about a thing of another workspace is not there; the lists are the own workspace's.
            status = stage.doors["foreign"].request(method, url, **sent).status
            if status != 403 and status != 404 and re.match(r"/admin/\w+/\w+/(\d+|[0-9a-f-]{36})/", url):
                wrong.append(f"{method} {url} as foreign: {status}")
    assert not wrong, "\n".join(wrong)


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _console_address(route: str, *, theirs: bool = False) -> str:
    """The route with 1 in its places; with the id of a thing of the stage's first workspace where it is `theirs`."""
    found = re.match(r"admin/(?:(\w+)/(\w+)|(alerts|audit))/<", route)
    if theirs and found:
        plain = {"alerts": AlertRule, "audit": AuditEntry}
        model: Any = apps.get_model(found[1], found[2]) if found[1] else plain[found[3]]
        one = model._default_manager.order_by("pk").first()
        route = re.sub(r"<[^>]*(pk|object_id|id)>", str(one.pk) if one is not None else "1", route, count=1)
        route = re.sub(r"<uuid:\w+>", "0" * 8 + "-0000-4000-8000-" + "0" * 12, route)
    route = re.sub(r"\^\(\?P<app_label>[^)]*\)/\$", "core/", route)
    return "/" + re.sub(r"\(\?P<url>\.\*\)\$|<[^>]+>", "1", route)
