"""Functions, drafts, revisions and trials through the management API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from auth.keys import create_key
from stackyard.core import workspaces
from stackyard.core.models import Workspace
from stackyard.tables.changes import create_table
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])

FUNCTIONS = "/api:meta/workspaces/shop/functions"
ADD = {
    "name": "add",
    "description": "Adds two numbers",
    "inputs": {"a": {"type": "int", "required": True}, "b": {"type": "int", "default": 1}},
    "stack": [{"set_variable": {"name": "sum", "value": {"$expr": "input.a + input.b"}}}],
    "response": {"$expr": "sum"},
}


@pytest.fixture
def shop() -> Workspace:
    return factories.make_workspace("shop")


@pytest.fixture
def meta(shop: Workspace) -> Door:
    return Door(WSGIHandler()).with_key(create_key(shop, "manager", ["meta"])[1])


@pytest.fixture
def made(meta: Door) -> Door:
    """The same door, behind which the function `add` is published."""
    assert meta.post(FUNCTIONS, ADD).status == 201
    assert meta.post(f"{FUNCTIONS}/add/publish", {"message": "First"}).status == 200
    return meta


def test_a_function_is_made_from_either_form(meta: Door) -> None:
    spelled = meta.post(FUNCTIONS, ADD)
    assert spelled.status == 201, spelled.body
    assert spelled.json()["published"] is None
    draft = meta.get(f"{FUNCTIONS}/add/draft").json()
    assert draft["faults"] == []
    canonical = {**draft["document"], "name": "again"}
    assert meta.post(FUNCTIONS, canonical).status == 201
    same = meta.get(f"{FUNCTIONS}/again/draft?form=spelled").json()["document"]
    assert same == {**meta.get(f"{FUNCTIONS}/add/draft?form=spelled").json()["document"], "name": "again"}
    assert same["stack"] == ADD["stack"]


def test_publishing_leaves_a_revision(made: Door) -> None:
    shown = made.get(f"{FUNCTIONS}/add").json()
    assert (shown["published"], shown["has_changes"]) == (1, False)
    [revision] = made.get(f"{FUNCTIONS}/add/revisions").json()["items"]
    assert (revision["number"], revision["message"], revision["author"]) == (1, "First", None)
    whole = made.get(f"{FUNCTIONS}/add/revisions/1").json()
    assert whole["document"]["response"] == {"$expr": "sum"}
    assert made.get(f"{FUNCTIONS}/add/revisions/2").status == 404


def test_a_faulty_draft_is_kept_and_not_published(made: Door) -> None:
    faulty = {**ADD, "response": {"$expr": "smu"}}
    kept = made.put(f"{FUNCTIONS}/add/draft", faulty)
    assert kept.status == 200
    [fault] = kept.json()["faults"]
    assert (fault["path"], fault["level"]) == (["response"], "error")
    assert "sum" in fault["message"]
    refused = made.post(f"{FUNCTIONS}/add/publish")
    assert (refused.status, refused.error["code"]) == (400, "INVALID_INPUT")
    assert [detail["field"] for detail in refused.error["details"]] == ["response"]
    shown = made.get(f"{FUNCTIONS}/add").json()
    assert (shown["published"], shown["has_changes"]) == (1, True)


def test_a_document_is_checked_without_being_kept(made: Door) -> None:
    checked = made.post(f"{FUNCTIONS}/add/check", {**ADD, "response": {"$expr": "nothing"}})
    assert len(checked.json()["faults"]) == 1
    assert made.get(f"{FUNCTIONS}/add").json()["has_changes"] is False


def test_revisions_are_compared_and_restored(made: Door) -> None:
    made.put(f"{FUNCTIONS}/add/draft", {**ADD, "response": {"$expr": "sum * 2"}})
    changed = made.get(f"{FUNCTIONS}/add/revisions/compare?old=1").json()["changes"]
    assert [(change["what"], change["path"]) for change in changed] == [("changed", ["response", "$expr"])]
    made.post(f"{FUNCTIONS}/add/publish")
    same = made.get(f"{FUNCTIONS}/add/revisions/compare?old=1&new=2").json()["changes"]
    assert same == changed
    assert made.post(f"{FUNCTIONS}/add/revisions/1/restore").status == 200
    assert made.get(f"{FUNCTIONS}/add/draft").json()["document"]["response"] == {"$expr": "sum"}
    assert made.get(f"{FUNCTIONS}/add").json()["published"] == 2


def test_a_trial_runs_the_draft_and_shows_its_lines(made: Door) -> None:
    tried = made.post(f"{FUNCTIONS}/add/run", {"inputs": {"a": 2, "b": 3}})
    assert tried.status == 200, tried.body
    run = tried.json()
    assert (run["status"], run["response"], run["kept"]) == (200, 5, False)
    [traced] = run["lines"]
    assert (traced["entered"], traced["failed"]) == (1, False)


def test_a_trial_that_fails_is_an_answer_all_the_same(made: Door) -> None:
    run = made.post(f"{FUNCTIONS}/add/run", {"inputs": {"a": "x", "c": 1}})
    assert run.status == 200
    assert run.json()["status"] == 400
    assert {detail["field"] for detail in run.json()["error"]["details"]} == {"a", "c"}
    failing = {**ADD, "stack": [{"throw": {"code": "OVER", "status": 409, "message": "It is over"}}]}
    del failing["response"]
    run = made.post(f"{FUNCTIONS}/add/run", {"inputs": {"a": 1}, "document": failing})
    assert (run.json()["status"], run.json()["error"]["code"]) == (409, "OVER")
    assert run.json()["place"]["line"]


def test_a_trial_of_a_faulty_document_tells_its_faults(made: Door) -> None:
    answer = made.post(f"{FUNCTIONS}/add/run", {"document": {**ADD, "response": {"$expr": "nothing"}}})
    assert answer.status == 400
    assert [detail["field"] for detail in answer.error["details"]] == ["response"]


def test_a_trial_takes_back_what_it_changed_unless_asked_not_to(made: Door, shop: Workspace) -> None:
    create_table(shop, "notes", fields={"text": "text"})
    adding = {
        "stack": [
            {"add_record": {"table": "notes", "data": {"text": "x"}}},
            {"query_all_records": {"table": "notes", "return": "count"}, "as": "count"},
        ],
        "response": {"$expr": "count"},
    }
    failing = {**adding, "stack": [*adding["stack"], {"throw": {"code": "OVER"}}]}

    def kept() -> int:
        return int(
            made.post("/api:meta/workspaces/shop/tables/notes/records/search", {"return": "count"}).json()
        )

    run = made.post(f"{FUNCTIONS}/add/run", {"document": adding}).json()
    assert (run["response"], run["kept"], kept()) == (1, False, 0)
    assert run["lines"][0]["queries"]
    assert made.post(f"{FUNCTIONS}/add/run", {"document": failing}).json()["error"]["code"] == "OVER"
    assert kept() == 0
    run = made.post(f"{FUNCTIONS}/add/run", {"document": adding, "keep_changes": True}).json()
    assert (run["response"], run["kept"], kept()) == (1, True, 1)


def test_a_trial_never_shows_a_secret(made: Door, shop: Workspace) -> None:
    workspaces.create_variable(shop, "TOKEN", "canary-93c1", is_secret=True)
    leaking = {
        "stack": [
            {"debug_log": {"value": {"$expr": "env.TOKEN"}}},
            {"set_header": {"name": "X-Leak", "value": {"$expr": "env.TOKEN"}}},
            {
                "condition": {
                    "if": {"$expr": "input.fail"},
                    "then": [{"throw": {"message": {"$expr": "env.TOKEN"}}}],
                }
            },
        ],
        "inputs": {"fail": {"type": "bool", "required": True}},
        "response": {"list": [{"$expr": '"it is " ~ env.TOKEN'}]},
    }
    for fail in (True, False):
        answer = made.post(f"{FUNCTIONS}/add/run", {"inputs": {"fail": fail}, "document": leaking})
        assert answer.status == 200, answer.body
        assert b"canary-93c1" not in answer.body


def test_a_function_is_deleted(made: Door) -> None:
    assert made.delete(f"{FUNCTIONS}/add").status == 204
    assert made.get(f"{FUNCTIONS}/add").status == 404
    assert made.get(FUNCTIONS).json()["items"] == []


@pytest.mark.parametrize(
    "sent",
    [
        [],
        "text",
        5,
        None,
        {},
        {"name": "1st"},
        {"name": None, "stack": []},
        {"name": "x", "stack": "no"},
        {"name": "x", "stack": [{"nothing": {}, "else": 5}]},
        {"name": "x", "stack": [5, None, []]},
    ],
)
def test_what_is_no_document_is_refused(meta: Door, sent: Any) -> None:
    answer = meta.post(FUNCTIONS, sent)
    assert answer.status in (400, 409), answer.body
    assert meta.get(FUNCTIONS).json()["items"] == []


@pytest.mark.parametrize(
    "sent",
    [
        {"lines": "no"},
        {"lines": [5, None, {"step": 5}]},
        {"lines": [{"step": "condition", "params": {"then": 5, "else_if": {"a": 1}}}]},
        {"lines": [{"step": "throw", "params": []}]},
        {"inputs": []},
        {"inputs": {"a": 5, "b b": "int", "c": {"type": "nothing"}}},
        {"response": {"$expr": 5}},
        {"format": 7},
        {"strange": True},
    ],
)
@pytest.mark.parametrize("deed", ["check", "draft"])
def test_a_strange_document_is_checked_without_breaking(made: Door, sent: Any, deed: str) -> None:
    call = made.post if deed == "check" else made.put
    answer = call(f"{FUNCTIONS}/add/{deed}", sent)
    assert answer.status == 200, answer.body
    assert [fault for fault in answer.json()["faults"] if fault["level"] == "error"]


def test_an_empty_body_does_not_empty_a_draft(made: Door) -> None:
    assert made.put(f"{FUNCTIONS}/add/draft", body=b"").status == 400
    assert made.get(f"{FUNCTIONS}/add").json()["has_changes"] is False


def test_another_workspaces_functions_are_not_there(made: Door) -> None:
    other = factories.make_workspace("other")
    door = Door(made.application).with_key(create_key(other, "manager", ["meta"])[1])
    for url in ("", "/draft", "/revisions", "/revisions/1"):
        assert door.get(f"{FUNCTIONS}/add{url}").status == 404
    assert door.post(f"{FUNCTIONS}/add/publish").status == 404


def test_step_kinds_are_listed_with_the_schema_of_their_parameters(meta: Door) -> None:
    page = meta.get("/api:meta/steps?per_page=100").json()
    found = {item["name"]: item for item in page["items"]}
    precondition = {p["name"]: p for p in found["precondition"]["parameters"]}
    assert precondition["if"]["required"] is True
    assert precondition["status"]["default"] == 400
