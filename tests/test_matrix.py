"""The authorization matrix: every route and every caller, with the status expected (safety.md, rule 3).

A route that has no row here fails the first test. Rows of the management API say what its own key and an owner
get; what everybody else gets follows from the kind of route.
"""

from __future__ import annotations

import re

import pytest
from django.db import transaction

from auth.models import ApiKey
from lambdas.models import Lambda
from lambdas.running import start_lambda
from stackyard.core.principal import ANONYMOUS, SYSTEM, Principal
from tests.doors import Door
from tests.matrix import MAY_CALL, META, OPEN, ROLES, WORKSPACE, Row, expected
from tests.matrix_stage import Stage, make_stage, routes

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


@pytest.fixture
def stage() -> Stage:
    return make_stage()


# --- the management API -----------------------------------------------------------------------------


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
        if caller == starter or caller in ("owner", "forged", "key", *ROLES):
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
