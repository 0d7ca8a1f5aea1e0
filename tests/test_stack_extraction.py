"""Steps made a function of their own, and people who have one stack open: the editor's addresses for both."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from endpoints.models import Endpoint
from endpoints.publishing import create_endpoint
from stackyard.stacks.models import Function
from stackyard.tables.changes import create_table
from tests import factories
from tests.stack_editing import DOCUMENT, Editor

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    """An endpoint that was never published, of a workspace with a table."""
    shop = factories.make_workspace()
    create_table(shop, "customers", fields={"name": {"type": "text", "required": True}, "age": "int"})
    return create_endpoint(factories.make_group(shop), DOCUMENT)


@pytest.fixture
def editor(console: Client, endpoint: Endpoint) -> Editor:
    """The endpoint's."""
    return Editor(console, f"/admin/endpoints/endpoint/{endpoint.pk}/editor/")


def test_lines_become_a_function_with_what_they_read_and_what_is_used_after_them(
    editor: Editor, endpoint: Endpoint
) -> None:
    def expr(source: str) -> dict[str, str]:
        return {"$expr": source}

    def sets(line_id: str, name: str, value: Any) -> dict[str, Any]:
        return {"id": line_id, "step": "set_variable", "params": {"name": name, "value": value}}

    update = {
        "id": "c",
        "step": "update_variable",
        "params": {"path": "sum", "value": expr("sum + n + input.by")},
    }
    document = {
        **DOCUMENT,
        "inputs": {"by": {"type": "int", "in": "query"}, "who": "text"},
        "lines": [
            sets("a", "n", 4),
            sets("b", "sum", 1),
            update,
            sets("d", "twice", expr("[n] | map(n => n * 2) | first")),
            sets("e", "unused", expr("n")),
            sets("f", "last", expr("twice + sum")),
        ],
        "response": expr("last"),
    }
    editor.save(document, editor.get()[1]["version"])

    def extract(*ids: str, name: str = "add_up") -> tuple[int, Any]:
        return editor.send("POST", "extract/", {"document": document, "ids": list(ids), "name": name})

    assert extract("a", "c")[0] == 400
    status, made = extract("c", "d", "e")
    assert status == 200, made
    function = Function.objects.get(name="add_up")
    assert function.published.document["inputs"] == {
        "by": {"type": "int"},
        "n": {"type": "int"},
        "sum": {"type": "int"},
    }
    assert [line["params"].get("value") for line in function.published.document["lines"]] == [
        expr("input.sum"),
        expr("sum + input.n + input.by"),
        expr("[input.n] | map(n => n * 2) | first"),
        expr("input.n"),
    ]
    assert function.published.document["response"] == {"twice": expr("twice"), "sum": expr("sum")}
    called = made["document"]["lines"][2]
    assert called["params"]["input"] == {"by": expr("input.by"), "n": expr("n"), "sum": expr("sum")}
    assert made["functions"]["add_up"]
    status, saved = editor.save(made["document"], editor.get()[1]["version"])
    assert (status, saved["problems"]) == (200, [])
    # A name that is taken, and steps that leave the stack, are refused before anything is made.
    assert extract("d")[0] == 409
    document["lines"][5] = {"id": "f", "step": "return", "params": {"value": 1}}
    status, refused = extract("e", "f", name="leaves")
    assert (status, "leaves the stack" in refused["error"]["message"]) == (400, True)
    assert not Function.objects.filter(name="leaves").exists()


def test_two_people_at_one_stack_are_told_of_each_other(editor: Editor, endpoint: Endpoint) -> None:
    assert editor.send("POST", "presence/", {}) == (200, {"others": []})
    other = Client()
    other.force_login(factories.make_owner("ann@example.com"))
    theirs = Editor(other, f"/admin/endpoints/endpoint/{endpoint.pk}/editor/")
    assert theirs.send("POST", "presence/", {})[1] == {"others": ["owner@example.com"]}
    assert editor.send("POST", "presence/", {})[1] == {"others": ["ann@example.com"]}
