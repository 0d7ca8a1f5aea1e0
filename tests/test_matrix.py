"""The authorization matrix: every route and every caller, with the status expected (safety.md, rule 3).

A route that has no row here fails the first test. Rows of the management API say what its own key and an owner
get; what everybody else gets follows from the kind of route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from auth.keys import create_key, revoke_key
from auth.models import ApiKey, User
from auth.oauth.applications import register
from auth.providers.setup import set_up
from endpoints.groups import create_group
from endpoints.models import HistoryEntry
from lambdas import publishing as lambda_publishing
from lambdas.models import Lambda
from lambdas.publishing import create_lambda
from lambdas.running import start_lambda
from stackyard.alerts.rules import create_rule
from stackyard.core import vault
from stackyard.core.models import Workspace
from stackyard.core.principal import ANONYMOUS, SYSTEM, Principal
from stackyard.core.workspaces import create_variable
from stackyard.runs.models import Schedule
from stackyard.stacks.publishing import create_function, publish
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories
from tests.doors import Door
from tests.matrix import ALERT, DOCUMENT, EVERY_HOUR, LAMBDA, META, OPEN, WORKSPACE, Row

pytestmark = pytest.mark.django_db(databases=["default", "history"])

# Rows of their own in the tests below.
DOCS = {
    r"^apispec:(?P<canonical>[A-Za-z0-9_-]{1,63})/?$": "apispec",
    r"^apidoc:(?P<canonical>[A-Za-z0-9_-]{1,63})/?$": "apidoc",
}
LAMBDAS = {
    r"^hook:(?P<token>[A-Za-z0-9_-]{8,64})$": "hook",
    r"^run:(?P<run_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$": "run",
}
# Opened with a link by whoever has it: tests/test_vault.py.
FILES = r"^vault/(?P<key>[A-Za-z0-9_-]{24})/(?P<name>[^/]+)$"
ENDPOINTS = r"^api(?:/|:(?!meta(?:/|\Z)))"
TRAILING_SLASH = "api:meta/<path:rest>/"
CONSOLE = "admin/"
# Pages of the console that anybody may open: signing in and out.
CONSOLE_OPEN = {"admin/login/": 200, "admin/logout/": 302}


def routes(patterns: Any = None, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every route of the URL resolver with its view."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
        else:
            yield here, pattern.callback


def deeds() -> set[tuple[str, str]]:
    """Every (method, route) of the management API."""
    found = set()
    for route, view in routes():
        for method in getattr(view, "actions", None) or {}:
            if method != "head":
                found.add((method.upper(), route))
    return found


def test_every_route_has_its_row() -> None:
    known = {*(route for _, route in META), *OPEN, *DOCS, *LAMBDAS, ENDPOINTS, FILES, TRAILING_SLASH}
    missing = [route for route, _ in routes() if route not in known and not route.startswith(CONSOLE)]
    assert not missing, f"say in tests/test_matrix.py who may use {missing}"
    assert deeds() == set(META)


# --- what the routes are about ----------------------------------------------------------------------


@dataclass
class Stage:
    """Two workspaces with one thing of every kind in the first, and a door for every caller."""

    names: dict[str, str]
    doors: dict[str, Door]


@pytest.fixture
def stage() -> Stage:
    shop, other = factories.make_workspace("shop"), factories.make_workspace("other")
    return Stage(_furnish(shop), {**_key_doors(shop, other), **_session_doors()})


def _furnish(shop: Workspace) -> dict[str, str]:
    create_table(shop, "members", fields={"email": {"type": "email", "unique": True}, "password": "password"})
    set_up(shop, "google", "github", "c", "s", redirect_uris=["https://a.example/b"])
    table = create_table(shop, "customers", fields={"name": "text"}, indexes=[{"fields": ["name"]}])
    record = Store(load_schema(shop.pk)).add("customers", {"name": "Ann"})
    create_variable(shop, "TOKEN", "x", is_secret=True)
    publish(create_function(shop, {**DOCUMENT, "name": "count"}))
    group = create_group(shop, "shop", canonical="shop", mount="v1")
    factories.make_endpoint(group, "/open", name="open")
    factories.make_endpoint(group, "/closed", name="closed", auth=["api_key"])
    factories.make_endpoint(group, "/closed", "POST", name="write", auth=["api_key"])
    call = HistoryEntry.objects.create(
        workspace_id=shop.pk, group_id=group.pk, endpoint_id=1, request_id="r", method="GET", path="/",
        status=200, duration_us=1, created_at=1,
    )  # fmt: skip
    key, _ = create_key(shop, "spare")
    made = create_lambda(shop, {**LAMBDA, "name": "hourly", "triggers": [{"webhook": {}}, EVERY_HOUR]})
    lambda_publishing.publish(made)
    numbers = {
        "file": vault.create(shop.pk, b"x", access="private").pk,
        "schedule": Schedule.objects.get().pk,
        "run": start_lambda(made, {}).pk,
        "token": made.triggers.get().key,
        "record": record["id"],
        "index": table.indexes.get().pk,
        "key": key.pk,
        "alert": create_rule(shop, **{**ALERT, "name": "errors"})[0].pk,
        "application": register(shop, "Partner", ["shop"], grant="client_credentials")[0].pk,
        "call": call.pk,
        "number": 1,
    }
    names = {
        "workspace": "shop",
        "table": "customers",
        "field": "name",
        "variable": "TOKEN",
        "provider": "google",
        "consent": "0" * 8 + "-0000-0000-0000-" + "0" * 12,
        "file": "0" * 32,
        "function": "count",
        "lambda": "hourly",
    }
    return {
        **names,
        "group": "shop",
        "endpoint": "open",
        **{name: str(value) for name, value in numbers.items()},
    }


def _key_doors(shop: Workspace, other: Workspace) -> dict[str, Door]:
    door = Door(WSGIHandler())
    revoked, revoked_text = create_key(shop, "revoked", ["*", "meta"])
    revoke_key(revoked)
    _, expired_text = create_key(shop, "expired", ["*", "meta"], expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    return {
        "anonymous": door,
        "key": door.with_key(factories.make_key(shop, "meta")),
        "unscoped": door.with_key(factories.make_key(shop, "*")),
        "group": door.with_key(factories.make_key(shop, "shop")),
        "reader": door.with_key(factories.make_key(shop, "shop:read")),
        "single": door.with_key(factories.make_key(shop, "shop/closed")),
        "elsewhere": door.with_key(factories.make_key(shop, "another")),
        "stranger": door.with_key(factories.make_key(other, "*", "meta")),
        "revoked": door.with_key(revoked_text),
        "expired": door.with_key(expired_text),
        "invented": door.with_key("sy_invented"),
    }


def _session_doors() -> dict[str, Door]:
    owner = User.objects.create_superuser("owner@example.com")
    helper = User.objects.create_user("helper@example.com", is_staff=True)
    reader = User.objects.create_user("reader@example.com", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    visitor = User.objects.create_user("visitor@example.com")
    left = User.objects.create_superuser("left@example.com", is_active=False)
    doors = {}
    for name, account in (
        ("owner", owner),
        ("helper", helper),
        ("viewer", reader),
        ("visitor", visitor),
        ("left", left),
    ):
        client = Client()
        client.force_login(account)
        doors[name] = _session_door(client, csrf=True)
        if name == "owner":
            doors["forged"] = _session_door(client, csrf=False)
    return doors


def _session_door(client: Client, *, csrf: bool) -> Door:
    client.get("/apidoc:meta")
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    return Door(WSGIHandler(), {**headers, "X-CSRFToken": cookies["csrftoken"]} if csrf else headers)


# --- the management API -----------------------------------------------------------------------------

_READING_POSTS = ("/check", "/search")


def expected(caller: str, method: str, route: str, row: Row) -> int:
    """The status a caller must get."""
    reads = method == "GET" or route.endswith(_READING_POSTS)
    is_shared = "<str:workspace>" not in route
    about_nothing = is_shared and route != "api:meta/workspaces"
    match caller:
        case "anonymous" | "revoked" | "expired" | "invented" | "visitor" | "left":
            return 401
        case "unscoped" | "group" | "reader" | "single" | "elsewhere":
            return 403
        case "stranger":
            return 403 if row.builders_only else row.status if is_shared else 404
        case "key":
            return 403 if row.builders_only else row.status
        case "owner":
            return row.status
        case "forged":
            return row.status if method == "GET" else 403
        case "helper":
            return row.status if about_nothing else 403
        case "viewer":
            return row.status if reads or about_nothing else 403
    raise AssertionError(f"no rule for {caller}")


def address(route: str, names: dict[str, str]) -> str:
    """The route with the stage's things in its places."""
    return "/" + re.sub(r"<\w+:(\w+)>", lambda match: names[match[1]], route)


def called(door: Door, method: str, url: str, row: Row) -> int:
    """The status of one call, whose changes are taken back."""
    body = {} if row.body is None else {"json": row.body}
    with transaction.atomic():
        status = door.request(method, url + row.query, **body).status
        transaction.set_rollback(True)
    return status


def test_the_management_api_lets_in_whom_the_matrix_says(stage: Stage) -> None:
    wrong = []
    for (method, route), row in META.items():
        url = address(route, stage.names)
        for caller, door in stage.doors.items():
            got, wanted = called(door, method, url, row), expected(caller, method, route, row)
            if got != wanted:
                wrong.append(f"{method} {url} as {caller}: {got}, not {wanted}")
    assert not wrong, "\n".join(wrong)


def test_a_trailing_slash_opens_no_other_door(stage: Stage) -> None:
    for caller, door in stage.doors.items():
        row = META["GET", WORKSPACE]
        assert called(door, "GET", "/api:meta/workspaces/shop/", row) == expected(
            caller, "GET", WORKSPACE, row
        ), caller


# --- everything else --------------------------------------------------------------------------------


def test_open_routes_answer_everybody_the_same(stage: Stage) -> None:
    for url, status in OPEN.values():
        answers = {caller: door.get(url).status for caller, door in stage.doors.items()}
        assert set(answers.values()) == {status}, (url, answers)


@pytest.mark.parametrize("page", DOCS.values())
def test_documentation_is_open_as_its_group_says_and_no_key_opens_it(stage: Stage, page: str) -> None:
    from endpoints.groups import edit_group
    from endpoints.models import ApiGroup

    for docs, status in (("public", 200), ("token", 401), ("off", 404)):
        edit_group(ApiGroup.objects.get(), docs=docs)
        answers = {caller: door.get(f"/{page}:shop").status for caller, door in stage.doors.items()}
        assert set(answers.values()) == {status}, (docs, answers)


MAY_CALL = {
    # caller: (GET open, GET closed, POST closed)
    "unscoped": (200, 200, 200),
    "group": (200, 200, 200),
    "reader": (200, 200, 403),
    "single": (200, 200, 403),
    "elsewhere": (200, 403, 403),
    "key": (200, 403, 403),
}


@pytest.mark.parametrize("base", ["/api:shop", "/api/v1"])
def test_endpoints_let_in_whom_the_matrix_says(stage: Stage, base: str, client: Door) -> None:
    for caller, door in stage.doors.items():
        through = Door(client.application, door.headers)
        got = (
            through.get(f"{base}/open").status,
            through.get(f"{base}/closed").status,
            through.post(f"{base}/closed", {}).status,
        )
        # A session of the console is no way into an endpoint.
        assert got == MAY_CALL.get(caller, (200, 401, 401)), caller
        assert through.request("HEAD", f"{base}/closed").status == got[1], caller
        assert through.get(f"{base}/nothing").status == 404, caller


# Whose keys end in 401 everywhere; without any credentials it is another matter.
WRONG = {"revoked", "expired", "invented", "stranger"}
OTHERS = {"unscoped", "group", "reader", "single", "elsewhere"}


def test_a_webhook_is_for_everybody_who_knows_its_address(stage: Stage) -> None:
    url = f"/hook:{stage.names['token']}"
    for caller, door in stage.doors.items():
        with transaction.atomic():
            assert door.post(url, {}).status == 202, caller
            transaction.set_rollback(True)
        assert door.get(url).status == 405, caller
        assert door.post("/hook:nobody-was-told-this", {}).status == 404, caller


@pytest.mark.parametrize("starter", ["single", "anonymous", "system"])
def test_a_run_is_for_whoever_started_it_and_for_builders(stage: Stage, starter: str) -> None:
    run = start_lambda(Lambda.objects.get(), principal=_principal(starter))
    for caller, door in stage.doors.items():
        if caller == starter or caller in ("owner", "forged", "key"):
            wanted = 200
        elif caller in OTHERS:
            wanted = 404
        else:
            wanted = 200 if starter == "anonymous" and caller not in WRONG else 401
        assert door.get(f"/run:{run.pk}").status == wanted, caller
        assert door.post(f"/run:{run.pk}", {}).status in (405, 403), caller


def _principal(starter: str) -> Principal:
    if starter != "single":
        return ANONYMOUS if starter == "anonymous" else SYSTEM
    return Principal("api_key", next(k.pk for k in ApiKey.objects.all() if k.scopes == ["shop/closed"]))


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


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _console_address(route: str) -> str:
    route = re.sub(r"\^\(\?P<app_label>[^)]*\)/\$", "core/", route)
    return "/" + re.sub(r"\(\?P<url>\.\*\)\$|<[^>]+>", "1", route)
