"""Run & Debug: the draft with given inputs, line by line, and everything put back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from auth.keys import create_key
from endpoints.models import ApiGroup, Endpoint, HistoryEntry
from endpoints.publishing import create_endpoint, save_draft
from stackyard.core.models import Workspace
from stackyard.core.workspaces import create_variable
from stackyard.stacks.publishing import create_function, publish
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])

CUSTOMERS = {"name": {"type": "text", "required": True}, "active": {"type": "bool", "default": True}}


@pytest.fixture
def shop(db: None) -> Workspace:
    """A workspace with three customers."""
    made = factories.make_workspace()
    create_table(made, "customers", fields=CUSTOMERS)
    store = Store(load_schema(made.pk))
    store.add_many("customers", [{"name": "Ann"}, {"name": "Bob", "active": False}, {"name": "Cyd"}])
    return made


@pytest.fixture
def group(shop: Workspace) -> ApiGroup:
    """Its API group, mounted at `v1`."""
    return factories.make_group(shop, mount="v1")


def expr(source: str) -> dict[str, str]:
    return {"$expr": source}


def line(line_id: str, step: str, as_: str | None = None, **params: Any) -> dict[str, Any]:
    made = {"id": line_id, "step": step, "params": params}
    return {**made, "as": as_} if as_ else made


def endpoint_of(group: ApiGroup, lines: list[Any], response: Any = None, **more: Any) -> Endpoint:
    document = {"name": "tried", "method": "POST", "path": "/tried", "auth": ["public"], **more}
    return create_endpoint(group, {**document, "lines": lines, "response": response})


def address(endpoint: Any, rest: str = "") -> str:
    kind = "endpoints/endpoint" if isinstance(endpoint, Endpoint) else "stacks/function"
    return f"/admin/{kind}/{endpoint.pk}/debug/{rest}"


def post(console: Client, endpoint: Any, rest: str = "run/", **body: Any) -> Any:
    return console.post(address(endpoint, rest), json.dumps(body), content_type="application/json")


def ran(console: Client, endpoint: Any, **body: Any) -> dict[str, Any]:
    answer = post(console, endpoint, **body)
    assert answer.status_code == 200, answer.content
    result: dict[str, Any] = answer.json()
    assert result["state"] in ("done", "refused"), result
    return result


def lines_of(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {traced["key"]: traced for traced in result["lines"]}


LOOP = [
    line("all", "query_all_records", "found", table="customers", sort=["id"]),
    line(
        "each",
        "for_each",
        **{"in": expr("found")},
        do=[
            line(
                "if",
                "condition",
                **{"if": expr("item.active")},
                then=[line("set", "set_variable", name="last", value=expr("item.name"))],
            ),
            line("log", "debug_log", value=expr("index")),
        ],
    ),
]


def test_every_line_tells_what_it_did(console: Client, group: ApiGroup) -> None:
    result = ran(console, endpoint_of(group, LOOP, expr("last")))
    assert (result["status"], json.loads(result["body"]), result["bytes"]) == (200, "Cyd", 5)
    lines = lines_of(result)
    assert [(key, lines[key]["number"], lines[key]["entered"]) for key in lines] == [
        ("all", "1", 1),
        ("each", "2", 1),
        ("if", "2.1", 3),
        ("set", "2.1.1", 2),
        ("log", "2.2", 3),
    ]
    assert lines["all"]["label"] == "Query all records"
    assert json.loads(lines["all"]["value"])[0]["name"] == "Ann"
    assert [(q["rows"], q["sql"].split()[0]) for q in lines["all"]["queries"]] == [(3, "SELECT")]
    assert lines["each"]["turns"] == 3
    assert lines["if"]["way"] == "then"
    assert lines["set"]["value"] == '"Cyd"'
    assert lines["log"]["debug"] == ["0", "1", "2"]
    assert result["queries"] == 1
    assert result["curl"].startswith("curl -X POST")


def test_a_loop_is_looked_through_round_by_round(console: Client, group: ApiGroup) -> None:
    endpoint = endpoint_of(group, LOOP)
    result = ran(console, endpoint)

    def round_of(number: int) -> dict[str, Any]:
        found = console.get(address(endpoint, f"runs/{result['id']}/rounds/?rounds={number}")).json()
        return {key: [(e["way"], e["value"]) for e in entries] for key, entries in found["lines"].items()}

    assert round_of(1) == {"if": [("then", "")], "set": [("", '"Ann"')], "log": [("", "")]}
    assert round_of(2) == {"if": [("", "")], "log": [("", "")]}
    assert console.get(address(endpoint, f"runs/{result['id']}/rounds/?rounds=x")).status_code == 400


def test_changes_are_put_back_unless_they_are_to_be_kept(console: Client, group: ApiGroup) -> None:
    endpoint = endpoint_of(
        group, [line("add", "add_record", "made", table="customers", data={"name": "Dee"})]
    )
    store = Store(load_schema(group.workspace_id))
    result = ran(console, endpoint)
    assert json.loads(lines_of(result)["add"]["value"])["name"] == "Dee"
    assert (result["kept"], store.get("customers", "Dee", "name")) == (False, None)
    assert ran(console, endpoint, keep_changes=True)["kept"] is True
    assert store.get("customers", "Dee", "name") is not None


def test_wrong_inputs_are_all_told_at_once_as_a_caller_would_be(console: Client, group: ApiGroup) -> None:
    inputs = {"n": {"type": "int", "required": True}, "mail": "email"}
    result = ran(console, endpoint_of(group, [], inputs=inputs), inputs={"mail": "no", "x": 1})
    assert result["status"] == 400
    assert {d["field"] for d in result["problem"]["details"]} == {"n", "mail", "x"}


def test_texts_in_the_path_and_the_query_are_read_as_a_call_reads_them(
    console: Client, group: ApiGroup
) -> None:
    specs = {"customer_id": {"type": "int"}, "page": {"type": "int"}}
    endpoint = endpoint_of(
        group, [], expr("input.customer_id + input.page"), path="/c/{customer_id}", method="GET", inputs=specs
    )
    assert json.loads(ran(console, endpoint, inputs={"customer_id": "7", "page": "2"})["body"]) == 9
    assert "/api/v1/c/7?page=2" in ran(console, endpoint, inputs={"customer_id": 7, "page": 2})["curl"]


def test_a_draft_with_faults_does_not_run_and_says_them_all(console: Client, group: ApiGroup) -> None:
    wrong = [line("a", "set_variable", name="x", value=expr("nothing")), line("b", "no_such_step")]
    endpoint = endpoint_of(group, [])
    document = {**endpoint.draft, "lines": wrong}
    result = ran(console, endpoint, document=document)
    assert result["state"] == "refused"
    assert len(result["error"]["details"]) >= 1
    # What stands on the screen ran, not what is saved.
    assert ran(console, endpoint)["status"] == 200
    assert post(console, endpoint, caller=1, stop={}, extra=2).json()["error"]["details"] == [
        {"field": "extra", "code": "unknown", "message": "is not known here"},
        {"field": "caller", "code": "type", "message": "expected a text"},
        {"field": "stop.line", "code": "type", "message": "expected the id of a line"},
    ]


def test_the_caller_can_be_chosen_and_is_let_in_as_live(
    console: Client, group: ApiGroup, shop: Workspace
) -> None:
    create_key(shop, "mobile", ["shop"])
    create_key(shop, "reports", ["other"])
    open_ = endpoint_of(group, [], expr("auth.kind"))
    closed = endpoint_of(group, [], expr("auth.kind"), auth=["api_key"], name="closed", path="/closed")

    def outcome(endpoint: Endpoint, caller: str) -> Any:
        result = ran(console, endpoint, caller=caller)
        return json.loads(result["body"]) if result["state"] == "done" else result["status"]

    assert [outcome(open_, c) for c in ("anonymous", "builder")] == ["anonymous", "builder"]
    assert [outcome(closed, c) for c in ("anonymous", "builder", "key:mobile", "key:reports", "key:no")] == [
        401,
        "builder",
        "api_key",
        403,
        404,
    ]
    labels = [choice["label"] for choice in console.get(address(closed)).json()["callers"]]
    assert labels == ["You (owner@example.com)", "Anonymous", "API key mobile", "API key reports"]


@pytest.mark.parametrize("after", [False, True])
def test_it_runs_to_a_line(console: Client, group: ApiGroup, after: bool) -> None:
    lines = [
        line("one", "set_variable", name="a", value=1),
        line("two", "set_variable", name="a", value=2),
        line("three", "set_variable", name="a", value=3),
    ]
    result = ran(console, endpoint_of(group, lines), stop={"line": "two", "after": after})
    assert (result["stopped"], result["stopped_at"]) == (True, "two")
    assert list(lines_of(result)) == (["one", "two"] if after else ["one"])


def test_lines_of_called_functions_stand_under_their_call(console: Client, group: ApiGroup) -> None:
    document = {
        "name": "twice",
        "inputs": {"n": "int"},
        "lines": [line("f", "set_variable", name="m", value=1)],
    }
    publish(create_function(group.workspace, {**document, "response": expr("m")}))
    lines = [
        line("first", "call_function", "x", function="twice", input={"n": 1}),
        line("again", "call_function", "y", function="twice", input={"n": 2}),
    ]
    found = lines_of(ran(console, endpoint_of(group, lines)))
    assert list(found) == ["first", "first/f", "again", "again/f"]
    assert (found["again/f"]["within"], found["again/f"]["function"]) == ("again", "twice")
    assert (found["again/f"]["number"], found["again/f"]["label"]) == ("1", "Set variable")


def test_the_failing_line_is_marked_and_those_before_keep_their_values(
    console: Client, group: ApiGroup
) -> None:
    lines = [
        line("a", "set_variable", name="n", value=0),
        line("try", "try_catch", **{"try": [line("bad", "set_variable", name="m", value=expr("1 / n"))]}),
        line("b", "precondition", **{"if": expr("n > 0")}, status=404, message="No such thing."),
    ]
    result = ran(console, endpoint_of(group, lines))
    found = lines_of(result)
    assert (result["status"], result["problem"]["place"]["line"]) == (404, "b")
    assert [key for key in found if found[key]["failed"]] == ["bad", "b"]
    assert found["a"]["value"] == "0"
    assert found["try"]["way"] == "catch"


def test_no_secret_is_shown_anywhere(console: Client, group: ApiGroup, shop: Workspace) -> None:
    create_variable(shop, "TOKEN", 'to"ken-1234', is_secret=True)
    inputs = {"pin": {"type": "text", "sensitive": True}}
    lines = [
        line("a", "set_variable", name="t", value=expr("env.TOKEN")),
        line("b", "set_variable", name="u", value=expr("{a: ['Bearer ' ~ env.TOKEN, input.pin]}")),
        line("c", "debug_log", value=expr("t ~ input.pin")),
        line("d", "query_all_records", "found", table="customers", where={"name": expr("t")}),
        line("e", "set_header", name="X-Token", value=expr("t")),
    ]
    endpoint = endpoint_of(group, lines, expr("{t: t, u: u, pin: input.pin}"), inputs=inputs)
    answer = post(console, endpoint, inputs={"pin": "pin-987654"})
    whole = answer.content.decode()
    trial = answer.json()["id"]
    whole += console.get(address(endpoint, f"runs/{trial}/body/")).content.decode()
    assert answer.json()["status"] == 200, whole
    assert "ken-1234" not in whole
    assert "987654" not in whole
    # Nor is it kept with the inputs of the last run.
    assert console.get(address(endpoint)).json()["values"] == {}


def test_a_large_answer_comes_in_parts(console: Client, group: ApiGroup) -> None:
    lines = [line("b", "set_variable", name="rows", value=expr("input.text | fill(50000)"))]
    endpoint = endpoint_of(group, lines, expr("rows"), inputs={"text": "text"})
    result = ran(console, endpoint, inputs={"text": 97 * "x"})
    assert result["bytes"] == 5_000_001
    assert (len(result["body"]), result["body_cut"]) == (100_000, True)
    assert (len(lines_of(result)["b"]["value"]), lines_of(result)["b"]["cut"]) == (32_769, True)
    for rest in ("body/", "value/?key=b"):
        part, text = {"next": 0}, ""
        while part["next"] is not None:
            mark = "&" if "?" in rest else "?"
            url = f"runs/{result['id']}/{rest}{mark}from={part['next']}"
            part = console.get(address(endpoint, url)).json()
            text += part["text"]
        assert len(text) == 5_000_001


def test_samples_are_kept_for_each_person_by_name(console: Client, group: ApiGroup, client: Any) -> None:
    inputs = {"name": "text", "pin": {"type": "text", "sensitive": True}}
    endpoint = endpoint_of(group, [], inputs=inputs)
    assert console.get(address(endpoint)).json()["values"] == {"name": "text", "pin": "text"}
    post(console, endpoint, inputs={"name": "Ann", "pin": "1"}, caller="anonymous")
    seen = console.get(address(endpoint)).json()
    assert (seen["values"], seen["caller"]) == ({"name": "Ann"}, "anonymous")
    kept = post(console, endpoint, "samples/", name="Bob", inputs={"name": "Bob", "pin": "1"}).json()
    assert kept["samples"] == [{"name": "Bob", "inputs": {"name": "Bob"}, "caller": "builder"}]
    somebody = Client()
    somebody.force_login(factories.make_owner("second@example.com"))
    assert somebody.get(address(endpoint, "samples/")).json()["samples"] == []
    assert post(console, endpoint, "samples/delete/", name="Bob").json()["samples"] == []
    assert post(console, endpoint, "samples/delete/", name="Bob").status_code == 404
    assert post(console, endpoint, "samples/", name=" ").status_code == 400


def test_a_record_fills_the_inputs(console: Client, group: ApiGroup) -> None:
    specs = {"customer_id": "int", "name": "text", "other": "text"}
    endpoint = endpoint_of(group, [], inputs=specs)
    url = address(endpoint, "inputs/?table=customers&record=2")
    assert console.get(url).json()["inputs"] == {"customer_id": 2, "name": "Bob"}
    assert console.get(address(endpoint, "inputs/?table=customers&record=99")).status_code == 404
    assert console.get(address(endpoint, "inputs/?table=nothing&record=1")).status_code in (400, 404)


def stored(endpoint: Endpoint, **more: Any) -> HistoryEntry:
    values = {
        "workspace_id": endpoint.group.workspace_id, "group_id": endpoint.group_id, "endpoint_id": endpoint.pk,
        "request_id": "r", "method": "POST", "path": "/api/v1/tried/7", "status": 200, "duration_us": 1500,
        "created_at": 1, "query": "", "request_headers": '{"content-type": "application/json"}',
        "request_body": '{"name": "Ann"}', "request_bytes": 15,
        "response_body": '{"hello":"Ann","n":7}', "response_bytes": 21,
    }  # fmt: skip
    return HistoryEntry.objects.create(**{**values, **more})


def test_a_stored_request_runs_against_the_draft_and_the_answers_are_compared(
    console: Client, group: ApiGroup
) -> None:
    specs = {"n": "int", "name": "text", "x_mark": {"type": "text", "in": "header"}}
    response = {"hello": expr("input.name"), "n": expr("input.n + 1")}
    endpoint = endpoint_of(group, [], response, path="/tried/{n}", inputs=specs)
    entry = stored(endpoint, request_headers='{"content-type": "application/json", "x-mark": "m"}')
    assert [request["id"] for request in console.get(address(endpoint)).json()["requests"]] == [entry.pk]
    taken = console.get(address(endpoint, f"inputs/?request={entry.pk}")).json()
    assert taken == {"inputs": {"n": "7", "name": "Ann", "x_mark": "m"}, "missing": [], "request": entry.pk}
    result = ran(console, endpoint, inputs=taken["inputs"], request=entry.pk)
    assert result["comparison"]["is_same"] is False
    assert result["comparison"]["differences"] == [{"what": "changed", "path": ["n"], "old": 7, "new": 8}]
    document = {**endpoint.draft, "response": {"hello": expr("input.name"), "n": expr("input.n")}}
    assert ran(console, endpoint, document=document, inputs=taken["inputs"], request=entry.pk)["comparison"][
        "is_same"
    ]


def test_what_a_stored_request_hides_is_asked_for_again(console: Client, group: ApiGroup) -> None:
    endpoint = endpoint_of(group, [], inputs={"name": "text", "pin": {"type": "text", "sensitive": True}})
    entry = stored(endpoint, request_body='{"name": "Ann", "pin": "••••••"}')
    taken = console.get(address(endpoint, f"inputs/?request={entry.pk}")).json()
    assert (taken["inputs"], taken["missing"]) == ({"name": "Ann"}, ["pin"])
    elsewhere = stored(endpoint_of(group, [], name="b", path="/b"))
    assert console.get(address(endpoint, f"inputs/?request={elsewhere.pk}")).status_code == 404


def test_inputs_become_the_examples_of_the_draft(console: Client, group: ApiGroup) -> None:
    endpoint = endpoint_of(group, [], inputs={"name": "text", "pin": {"type": "text", "sensitive": True}})
    answer = post(console, endpoint, "examples/", inputs={"name": "Ann", "pin": "1", "x": 2}).json()
    assert answer["changed"] == ["name"]
    endpoint.refresh_from_db()
    assert endpoint.draft["inputs"]["name"] == {"type": "text", "example": "Ann"}
    save_draft(endpoint, {**endpoint.draft, "description": "Changed"})
    assert post(console, endpoint, "examples/", inputs={"name": "B"}, seen="of before").status_code == 409


def test_a_function_runs_too(console: Client, shop: Workspace) -> None:
    function = create_function(
        shop, {"name": "twice", "inputs": {"n": "int"}, "response": expr("input.n * 2")}
    )
    result = ran(console, function, inputs={"n": 21}, caller="anonymous")
    assert (json.loads(result["body"]), result["curl"]) == (42, "")
    # No text: what calls a function gives values.
    assert ran(console, function, inputs={"n": "x"})["status"] == 400


def test_a_result_is_for_whoever_ran_it(console: Client, group: ApiGroup) -> None:
    endpoint, other = endpoint_of(group, []), endpoint_of(group, [], name="b", path="/b")
    trial = ran(console, endpoint)["id"]
    assert console.get(address(endpoint, f"runs/{trial}/")).json()["status"] == 200
    assert console.get(address(other, f"runs/{trial}/")).status_code == 404
    somebody = Client()
    somebody.force_login(factories.make_owner("second@example.com"))
    assert somebody.get(address(endpoint, f"runs/{trial}/")).status_code == 404
    unknown = "00000000-0000-4000-8000-000000000000"
    assert console.get(address(endpoint, f"runs/{unknown}/")).status_code == 404
    assert console.get(address(endpoint, "run/")).status_code == 405
