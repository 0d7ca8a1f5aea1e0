"""The visual editor's JSON addresses: load, save, conflict, check, rename, YAML, publish, versions; and what is no request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from endpoints.models import Endpoint
from endpoints.publishing import create_endpoint
from stackyard.core.models import Workspace
from stackyard.stacks.publishing import create_function
from stackyard.tables.changes import create_table
from tests import factories
from tests.stack_editing import DOCUMENT, LINES, Editor

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def shop(db: None) -> Workspace:
    """A workspace with a table."""
    made = factories.make_workspace()
    create_table(made, "customers", fields={"name": {"type": "text", "required": True}, "age": "int"})
    return made


@pytest.fixture
def endpoint(shop: Workspace) -> Endpoint:
    """An endpoint that was never published."""
    return create_endpoint(factories.make_group(shop), DOCUMENT)


@pytest.fixture
def editor(console: Client, endpoint: Endpoint) -> Editor:
    """The endpoint's."""
    return Editor(console, f"/admin/endpoints/endpoint/{endpoint.pk}/editor/")


def names_at(found: Any, line: str) -> dict[str, tuple[str, Any]]:
    """Names in sight at a line: type's name and the line that set it."""
    here: dict[str, int] = {}
    for line_id, changed, gone in found["scopes"]:
        here = {name: at for name, at in here.items() if name not in gone}
        here |= {found["names"][index][0]: index for index in changed}
        if line_id == line:
            return {
                name: (found["types"][found["names"][at][1]]["name"], found["names"][at][2])
                for name, at in here.items()
            }
    raise AssertionError(f"no scope for {line}")


def test_a_stack_opens_with_all_that_belongs_to_it(editor: Editor) -> None:
    status, found = editor.get()
    assert status == 200
    assert found["document"]["lines"] == LINES
    assert found["problems"] == []
    assert found["live"] is None
    assert found["expressions"]["input.who | trim"]["segments"] == [
        ["name", "input.who"],
        ["filter", "trim", ""],
    ]
    inside = names_at(found, "s1")
    assert inside["one"] == ("object", "f1")
    assert inside["found"] == ("list", "q1")
    assert inside["index"] == ("int", "f1")
    assert "one" not in names_at(found, "")
    assert "last" in names_at(found, "")
    fields = {field["name"]: field for field in found["catalogue"]["tables"]["customers"]["fields"]}
    assert fields["name"]["required"] is True
    assert "$gt" in fields["age"]["operators"]
    assert "$like" not in fields["age"]["operators"]
    assert found["catalogue"]["limits"]["timeout_seconds"]["default"] == 30


def test_a_draft_is_saved_faults_and_all(editor: Editor, endpoint: Endpoint) -> None:
    _, opened = editor.get()
    wrong = {**DOCUMENT, "response": {"$expr": "fuond"}}
    status, saved = editor.save(wrong, opened["version"])
    assert status == 200
    assert saved["version"] != opened["version"]
    assert saved["saved_by"] == "owner@example.com"
    problem = saved["problems"][0]
    assert (problem["code"], problem["path"], problem["column"]) == ("unknown_name", ["response"], 1)
    assert problem["fixes"] == [
        {"do": "set", "path": ["response"], "value": {"$expr": "found"}, "name": "found"}
    ]
    endpoint.refresh_from_db()
    assert endpoint.draft["response"] == {"$expr": "fuond"}


def test_saving_over_somebody_elses_save_is_a_conflict_that_shows_theirs(
    editor: Editor, endpoint: Endpoint
) -> None:
    _, opened = editor.get()
    editor.save({**DOCUMENT, "description": "theirs"}, opened["version"])
    status, refused = editor.save({**DOCUMENT, "description": "mine"}, opened["version"])
    assert status == 409
    details = refused["error"]["details"]
    assert details["document"]["description"] == "theirs"
    assert details["saved_by"] == "owner@example.com"
    endpoint.refresh_from_db()
    assert endpoint.draft["description"] == "theirs"
    # Knowing what is there now, mine may go on top of it.
    status, _ = editor.save({**DOCUMENT, "description": "mine"}, details["version"])
    assert status == 200
    assert editor.save(DOCUMENT, "whatever", force=True)[0] == 200


FIXES = [
    # what is wrong, the fix offered first
    (
        {"step": "get_record", "params": {"table": "custmers", "value": 1}},
        {"do": "set", "value": "customers"},
    ),
    (
        {"step": "get_record", "params": {"table": "customers", "feild": "id", "value": 1}},
        {"do": "rename", "to": "field"},
    ),
    (
        {"step": "add_record", "params": {"table": "customers", "data": {"nmae": "x", "name": "y"}}},
        {"do": "rename", "to": "name"},
    ),
    ({"step": "set_varible", "params": {"name": "x"}}, {"do": "set", "value": "set_variable"}),
    (
        {"step": "set_variable", "params": {"name": "x", "value": {"$expr": "1 + input.woh | trim"}}},
        {"do": "set", "value": {"$expr": "1 + input.who | trim"}},
    ),
    (
        {"step": "set_variable", "params": {"name": "x", "value": {"$expr": "$input.who | trimm"}}},
        {"do": "set", "value": {"$expr": "$input.who | trim"}},
    ),
    ({"step": "break", "as": "x", "params": {}}, None),
    (
        {"step": "query_all_records", "params": {"table": "customers", "where": {"agee": 1}}},
        {"do": "rename", "to": "age"},
    ),
    (
        {"step": "query_all_records", "params": {"table": "customers", "sort": ["-agee"]}},
        {"do": "set", "value": "-age"},
    ),
    ({"step": "query_all_records", "params": {"table": "customers", "return": "sinle"}}, None),
]


@pytest.mark.parametrize(("line", "wanted"), FIXES, ids=lambda value: str(value)[:50])
def test_a_fault_comes_with_what_mends_it(
    editor: Editor, line: dict[str, Any], wanted: dict[str, Any] | None
) -> None:
    status, found = editor.send(
        "POST", "check/", {"document": {**DOCUMENT, "lines": [{"id": "x", **line}], "response": None}}
    )
    assert status == 200
    assert found["problems"]
    fixes = [fix for problem in found["problems"] for fix in problem["fixes"]]
    if wanted is not None:
        assert {key: fixes[0].get(key) for key in wanted} == wanted


def test_renaming_a_variable_renames_every_use_of_it(editor: Editor) -> None:
    status, made = editor.send("POST", "rename/", {"document": DOCUMENT, "from": "found", "to": "customers"})
    assert status == 200
    assert made["document"]["lines"][0]["as"] == "customers"
    assert made["document"]["lines"][1]["params"]["in"] == {"$expr": "customers"}
    assert made["document"]["response"] == {"$expr": "customers"}
    assert editor.send("POST", "check/", {"document": made["document"]})[1]["problems"] == []
    for taken in ("one", "last", "input", "no good", ""):
        status, refused = editor.send("POST", "rename/", {"document": DOCUMENT, "from": "found", "to": taken})
        assert (status, refused["error"]["code"]) == (400, "INVALID_INPUT"), taken


def test_renaming_an_input_renames_path_and_every_use_of_it(editor: Editor) -> None:
    line = {
        "step": "set_variable",
        "id": "a",
        "params": {"name": "a", "value": {"$expr": "input.age + $input['age']"}},
    }
    inner = {"of": {"$expr": "[1] | map(input => input.age)"}, "text": {"$expr": "'input.age' ~ a.age"}}
    document = {**DOCUMENT, "path": "/of/{age}/{aged}", "lines": [line], "response": inner}
    document["inputs"] = {"aged": "int", "age": {"type": "int"}, "z": "text"}
    asked = {"document": document, "from": "age", "to": "years", "of": "inputs"}
    status, made = editor.send("POST", "rename/", asked)
    assert status == 200
    now = made["document"]
    assert (list(now["inputs"]), now["path"]) == (["aged", "years", "z"], "/of/{years}/{aged}")
    assert now["lines"][0]["params"]["value"] == {"$expr": "input.years + $input['years']"}
    # What only looks like it stays.
    assert now["response"] == inner
    for taken in ("z", "no good", ""):
        status, refused = editor.send("POST", "rename/", {**asked, "to": taken})
        assert (status, refused["error"]["code"]) == (400, "INVALID_INPUT"), taken


def test_yaml_and_document_are_two_spellings_of_one(editor: Editor) -> None:
    status, made = editor.send("POST", "yaml/", {"document": DOCUMENT})
    assert status == 200
    status, back = editor.send("POST", "yaml/", {"text": made["text"]})
    assert (status, back["marks"]) == (200, [])
    assert back["document"] == DOCUMENT
    _, wrong = editor.send("POST", "yaml/", {"text": made["text"].replace("one.name", "one.nmae")})
    assert [(mark["line"], mark["level"]) for mark in wrong["marks"]] == [(17, "error")]
    assert wrong["document"] is not None
    _, broken = editor.send("POST", "yaml/", {"text": "name: [1,"})
    assert broken["document"] is None
    assert broken["marks"]


@pytest.mark.parametrize(
    "text",
    [
        "- set_variable: {name: a, value: !expr '1 + 1'}\n",
        "stack:\n  - set_variable: {name: a, value: !expr '1 + 1'}\n",
        "set_variable: {name: a, value: !expr '1 + 1'}",
    ],
)
def test_lines_are_pasted_as_docs_spell_them(editor: Editor, text: str) -> None:
    status, made = editor.send("POST", "lines/", {"text": text})
    assert status == 200
    assert [(line["step"], line["params"]["value"]) for line in made["lines"]] == [
        ("set_variable", {"$expr": "1 + 1"})
    ]
    assert "1 + 1" in made["expressions"]
    assert editor.send("POST", "lines/", {"text": "just words"})[0] == 400


def test_publishing_shows_its_changes_first(editor: Editor, endpoint: Endpoint) -> None:
    _, opened = editor.get()
    status, done = editor.send("POST", "publish/", {"version": opened["version"], "message": "First"})
    assert (status, done["live"], done["has_changes"]) == (200, 1, False)
    moved = [
        {**LINES[1], "params": {**LINES[1]["params"], "do": []}},
        {**LINES[0], "params": {**LINES[0]["params"], "return": "single"}},
        {"id": "n1", "step": "set_status", "params": {"status": 201}},
    ]
    changed = {
        **DOCUMENT,
        "path": "/look/{who}",
        "inputs": {"who": {"type": "email"}},
        "lines": moved,
        "response": 1,
    }
    _, saved = editor.save(changed, opened["version"])
    _, found = editor.get("changes/")
    assert [(change["what"], change["text"], change["line_id"]) for change in found["changes"]] == [
        ("changed", "Path: /find/{who} → /look/{who}", None),
        ("changed", "Input who changed", None),
        ("removed", "Step 3, Set variable → last removed", "s1"),
        ("moved", "Step 1, For each moved", "f1"),
        ("changed", "Step 2, Query all records → found: Return changed", "q1"),
        ("added", "Step 3, Set status added", "n1"),
        ("changed", "Response changed", None),
    ]
    # The loop now reads what is set after it.
    status, refused = editor.send("POST", "publish/", {"version": saved["version"], "message": ""})
    assert (status, refused["error"]["code"]) == (400, "INVALID_INPUT")
    # Somebody looked at an older draft.
    assert editor.send("POST", "publish/", {"version": opened["version"], "message": ""})[0] == 409


def test_a_version_is_compared_restored_and_a_draft_discarded(editor: Editor) -> None:
    _, opened = editor.get()
    editor.send("POST", "publish/", {"version": opened["version"], "message": "First"})
    _, saved = editor.save({**DOCUMENT, "response": 5}, opened["version"])
    editor.send("POST", "publish/", {"version": saved["version"], "message": "Five"})
    _, listed = editor.get("versions/")
    assert [(one["number"], one["message"], one["is_live"]) for one in listed["versions"]] == [
        (2, "Five", True),
        (1, "First", False),
    ]
    _, one = editor.get("versions/1/")
    assert [change["text"] for change in one["changes"]] == ["Response changed"]
    assert "found" in one["text"]
    status, restored = editor.send("POST", "versions/1/restore/", {})
    assert (status, restored["document"]["response"], restored["live"]) == (200, {"$expr": "found"}, 2)
    status, back = editor.send("POST", "discard/", {})
    assert (back["document"]["response"], back["has_changes"]) == (5, False)
    assert editor.get("versions/9/")[0] == 404
    assert editor.send("POST", "versions/9/restore/", {})[0] == 404


def test_functions_have_the_same_editor(console: Client, shop: Workspace) -> None:
    made = create_function(shop, {"name": "twice", "lines": [], "response": 1})
    editor = Editor(console, f"/admin/stacks/function/{made.pk}/editor/")
    status, opened = editor.get()
    assert (status, opened["problems"]) == (200, [])
    assert "methods" not in opened["catalogue"]
    assert editor.save({**opened["document"], "response": 2}, opened["version"])[0] == 200


BAD = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"document": 1}',
    b'{"document": null, "version": 1}',
    b'{"document": {}, "nonsense": 1}',
    b'{"document": {"lines": "\xff"}}',
    b'{"a": 1, "a": 2}',
    b"[" * 10_000,
]
HOSTILE: list[Any] = [
    {},
    {"lines": 1},
    {
        "lines": [
            1,
            None,
            {"step": 1},
            {"step": "condition", "params": {"then": 5, "else_if": [3, {"then": {}}]}},
        ]
    },
    {"lines": [{"id": 5, "step": "for_each", "params": {"in": {"$expr": 5}, "item": None, "do": [[]]}}]},
    {"inputs": [], "response": {"$expr": "(" * 5_000}, "lines": {}},
    {"inputs": {"a": 1, "": {"type": []}}, "method": [], "path": {}, "auth": {"a": 1}, "name": None},
    {
        "lines": [
            {
                "id": "a",
                "step": "query_all_records",
                "params": {"table": [], "where": 5, "sort": {}, "addons": 1},
            }
        ]
    },
    {
        "lines": [
            {"id": "a", "step": "update_variable", "params": {"path": "a[", "value": {"$literal": 1, "x": 2}}}
        ]
    },
]


@pytest.mark.parametrize("body", BAD, ids=lambda body: str(body)[:30])
@pytest.mark.parametrize("where", ["", "check/", "rename/", "yaml/", "lines/", "publish/"])
def test_what_is_no_request_is_refused_in_words(editor: Editor, where: str, body: bytes) -> None:
    status, refused = editor.send("PUT" if where == "" else "POST", where, body)
    assert status in (400, 409), refused
    assert refused["error"]["message"]


@pytest.mark.parametrize("document", HOSTILE, ids=lambda document: str(document)[:40])
def test_a_document_of_any_shape_is_kept_checked_and_never_breaks(editor: Editor, document: Any) -> None:
    _, opened = editor.get()
    status, saved = editor.save(document, opened["version"])
    assert status == 200, saved
    assert any(problem["level"] == "error" for problem in saved["problems"])
    status, again = editor.get()
    assert (status, again["version"]) == (200, saved["version"])
    assert editor.get("changes/")[0] == 200
    assert editor.send("POST", "yaml/", {"document": document})[0] == 200
    assert editor.send("POST", "rename/", {"document": document, "from": "a", "to": "b"})[0] == 200
    status, refused = editor.send("POST", "publish/", {"version": saved["version"], "message": ""})
    assert (status, refused["error"]["code"]) == (400, "INVALID_INPUT")


def test_the_palette_is_kept_by_the_browser_until_it_changes(console: Client) -> None:
    for name in ("steps", "filters"):
        first = console.get(f"/admin/editor/{name}/")
        assert first.status_code == 200
        again = console.get(f"/admin/editor/{name}/", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    kinds = json.loads(console.get("/admin/editor/steps/").content)["kinds"]
    assert kinds["for_each"]["parameters"][0]["type"] == {"name": "list", "nullable": True}


def test_expressions_come_back_in_pieces(console: Client) -> None:
    def ask(body: Any) -> Any:
        answer = console.post("/admin/editor/expressions/", json.dumps(body), content_type="application/json")
        return answer.status_code, json.loads(answer.content)

    status, found = ask({"sources": ["a.b|upper", "a ==", "x == 1 and y > z|sum"]})
    assert status == 200
    made = found["expressions"]
    assert made["a.b|upper"]["text"] == "a.b | upper"
    assert made["a.b|upper"]["chain"]["filters"] == [{"name": "upper", "arguments": []}]
    assert made["a =="]["error"]["column"] == 5
    assert [part["op"] for part in made["x == 1 and y > z|sum"]["tests"]["parts"]] == ["==", ">"]
    assert ask({"sources": "a"})[0] == 400
    assert ask({"sources": [1]})[0] == 400
    assert ask({"sources": ["a"] * 1_001})[0] == 400
    assert console.get("/admin/editor/expressions/").status_code == 405
