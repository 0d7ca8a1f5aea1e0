"""Blueprints: what they make, called over HTTP as the contract (§4) says it answers."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.blueprints import Blueprint, apply_blueprint, one_of
from endpoints.models import ApiGroup, Endpoint
from endpoints.publishing import check
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_key

pytestmark = pytest.mark.django_db(databases=["default", "history"])

FIELDS: dict[str, Any] = {
    "name": {"type": "text", "required": True, "max_length": 40},
    "email": {"type": "email", "unique": True},
    "tier": {"type": "enum", "values": ["standard", "gold"], "default": "standard"},
    "credit": {"type": "decimal", "precision": 10, "scale": 2},
    "address": {"type": "object", "fields": {"city": {"type": "text", "required": True}, "zip": "text"}},
    "tags": {"type": "list", "of": "text", "max_items": 3},
    "boss": {"type": "reference", "table": "customers"},
    "born": "date",
    "score": {"type": "int", "access": "private"},
}


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    """A group with both blueprints over a table with fields of every kind."""
    create_table(workspace, "customers", fields=FIELDS)
    made = make_group(workspace)
    apply_blueprint(made, "crud", "customers")
    apply_blueprint(made, "batch", "customers")
    return made


@pytest.fixture
def caller(client: Door, group: ApiGroup) -> Door:
    """Someone with a key."""
    return client.with_key(make_key(group.workspace))


@pytest.fixture
def store(group: ApiGroup) -> Store:
    """The table with three customers."""
    store = Store(load_schema(group.workspace_id))
    for name, email, tier in (
        ("Ann", "ann@example.com", "gold"),
        ("Bob", "bob@example.org", "standard"),
        ("Annika", None, "gold"),
    ):
        store.add("customers", {"name": name, "email": email, "tier": tier, "score": 7})
    return store


def names(answer: Any) -> list[str]:
    assert answer.status == 200, answer.body
    return [record["name"] for record in answer.json()["items"]]


def test_crud_makes_the_endpoints_of_a_table(group: ApiGroup):
    made = group.endpoints.order_by("path", "method").values_list("method", "path", "name")
    assert list(made) == [
        ("POST", "/batch/customers", "batch_customers"),
        ("GET", "/customers", "list_customers"),
        ("POST", "/customers", "create_customer"),
        ("DELETE", "/customers/{customer_id}", "delete_customer"),
        ("GET", "/customers/{customer_id}", "get_customer"),
        ("PATCH", "/customers/{customer_id}", "update_customer"),
        ("PUT", "/customers/{customer_id}", "replace_customer"),
    ]


def test_what_a_blueprint_makes_passes_the_check_without_a_warning(group: ApiGroup):
    for endpoint in group.endpoints.all():
        assert check(endpoint, endpoint.draft).faults == []


def test_a_list_is_an_envelope_of_twenty(caller: Door, store: Store):
    answer = caller.get("/api:shop/customers").json()
    assert {key: answer[key] for key in answer if key != "items"} == {
        "itemsReceived": 3,
        "curPage": 1,
        "nextPage": None,
        "prevPage": None,
        "offset": 0,
        "perPage": 20,
    }
    assert set(answer["items"][0]) == {"id", "created_at", *FIELDS} - {"score"}


def test_a_list_is_paged_sorted_searched_and_filtered(caller: Door, store: Store):
    def listed(**query: Any) -> list[str]:
        return names(caller.get("/api:shop/customers", query=query))

    assert listed(sort="-name") == ["Bob", "Annika", "Ann"]
    assert listed(sort="tier,-name") == ["Annika", "Ann", "Bob"]
    assert listed(sort="name", page=2, per_page=2) == ["Bob"]
    assert listed(search="ANN", sort="name") == ["Ann", "Annika"]
    assert listed(search="example.org") == ["Bob"]
    assert listed(name="Ann") == ["Ann"]
    assert listed(tier="gold", search="ika") == ["Annika"]
    assert listed(id=2) == ["Bob"]
    assert listed(search="%") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"pages": 2}, "pages"),
        ({"per_page": 1001}, "per_page"),
        ({"page": 0}, "page"),
        ({"tier": "silver"}, "tier"),
        ({"boss": "x"}, "boss"),
        ({"score": 7}, "score"),
    ],
)
def test_a_list_refuses_what_it_does_not_know(caller: Door, store: Store, query: dict[str, Any], field: str):
    answer = caller.get("/api:shop/customers", query=query)
    assert answer.status == 400
    assert [detail["field"] for detail in answer.error["details"]] == [field]


@pytest.mark.parametrize("sort", ["nothing", "score", "-score", "tags"])
def test_a_list_is_sorted_by_readable_fields_only(caller: Door, store: Store, sort: str):
    answer = caller.get("/api:shop/customers", query={"sort": sort})
    assert (answer.status, answer.error["code"]) == (400, "INVALID_INPUT")


def test_a_record_is_created_read_replaced_updated_and_deleted(caller: Door, group: ApiGroup):
    sent = {
        "name": "Cleo",
        "email": "cleo@example.com",
        "credit": 12.5,
        "address": {"city": "Berlin", "zip": None},
        "tags": ["a"],
        "born": "1990-05-01",
    }
    answer = caller.post("/api:shop/customers", sent)
    made = answer.json()
    assert answer.status == 201
    assert made == {**made, **sent, "tier": "standard", "boss": None}
    url = f"/api:shop/customers/{made['id']}"
    assert caller.get(url).json() == made

    assert caller.patch(url, {"credit": None, "tags": []}).json() == {**made, "credit": None, "tags": []}
    assert caller.patch(url, {}).json()["email"] == "cleo@example.com"

    replaced = caller.put(url, {"name": "Cleopatra", "boss": made["id"]}).json()
    assert replaced == {
        **made,
        **dict.fromkeys(sent),
        "name": "Cleopatra",
        "tier": "standard",
        "boss": made["id"],
    }
    assert caller.put(url, replaced | {"id": 9}).status == 400, "the id is in the path"

    assert caller.patch(url, {"boss": None}).status == 200
    answer = caller.delete(url)
    assert (answer.status, answer.json()) == (200, None)
    for gone in (caller.get(url), caller.patch(url, {}), caller.put(url, {"name": "x"}), caller.delete(url)):
        assert (gone.status, gone.error["code"]) == (404, "NOT_FOUND")


def test_what_was_read_can_be_put_back(caller: Door, store: Store):
    read = caller.get("/api:shop/customers/1").json()
    sent = {key: value for key, value in read.items() if key not in ("id", "created_at")}
    assert caller.put("/api:shop/customers/1", sent).json() == read
    assert store.get("customers", 1, fields=["score"])["score"] == 7, (
        "what callers can't see they can't empty"
    )


def test_faults_of_a_record_are_told_at_once(caller: Door, store: Store):
    answer = caller.post(
        "/api:shop/customers",
        {"email": "x", "tier": "silver", "address": {"zip": 1}, "score": 5, "tags": ["a", "b", "c", "d"]},
    )
    assert answer.status == 400
    assert {detail["field"] for detail in answer.error["details"]} == {
        "name",
        "email",
        "tier",
        "address.city",
        "address.zip",
        "score",
        "tags",
    }
    assert caller.post("/api:shop/customers", {"name": "x", "email": "ann@example.com"}).status == 409


def test_a_batch_gives_each_operation_its_result(caller: Door, store: Store):
    answer = caller.post(
        "/api:shop/batch/customers",
        {
            "operations": [
                {"action": "create", "data": {"name": "Dora", "email": "dora@example.com"}},
                {"action": "update", "id": 1, "data": {"tier": "standard"}},
                {"action": "update", "id": 99, "data": {}},
                {"action": "create", "data": {"name": "Eve", "email": "dora@example.com"}},
                {"action": "create", "data": {"email": 5, "nam": "x"}},
                {"action": "update", "data": {}},
                {"action": "delete", "id": 2},
            ]
        },
    )
    assert answer.status == 200
    body = answer.json()
    assert (body["succeeded"], body["failed"]) == (3, 4)
    assert [(r["index"], r["status"]) for r in body["results"]] == [
        (0, 201),
        (1, 200),
        (2, 404),
        (3, 409),
        (4, 400),
        (5, 400),
        (6, 200),
    ]
    assert body["results"][0]["data"]["name"] == "Dora"
    assert body["results"][1]["data"] == {
        **store.get("customers", 1),
        "created_at": body["results"][1]["data"]["created_at"],
    }
    assert body["results"][2]["error"]["code"] == "NOT_FOUND"
    assert len(body["results"][4]["error"]["details"]) >= 2
    assert body["results"][6] == {"index": 6, "status": 200, "data": None}
    assert store.get("customers", 2) is None


def test_an_atomic_batch_takes_all_back_with_the_first_failure(caller: Door, store: Store):
    operations = [
        {"action": "create", "data": {"name": "Dora"}},
        {"action": "delete", "id": 2},
        {"action": "update", "id": 99, "data": {}},
    ]
    answer = caller.post("/api:shop/batch/customers", {"operations": operations, "atomic": True})
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
    assert answer.error["message"].startswith("Operation 2: ")
    assert names(caller.get("/api:shop/customers", query={"sort": "id"})) == ["Ann", "Bob", "Annika"]
    answer = caller.post("/api:shop/batch/customers", {"operations": operations[:2], "atomic": True})
    assert (answer.status, answer.json()["succeeded"], answer.json()["failed"]) == (200, 2, 0)
    assert store.get("customers", 2) is None


def test_a_batch_does_not_set_private_fields(caller: Door, store: Store):
    sent = [
        {"action": "create", "data": {"name": "x", "score": 9}},
        {"action": "update", "id": 1, "data": {"score": 9}},
    ]
    answer = caller.post("/api:shop/batch/customers", {"operations": sent}).json()
    assert [result["status"] for result in answer["results"]] == [400, 400]
    assert store.get("customers", 1, fields=["score"])["score"] == 7


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"operations": [{"action": "erase"}]},
        {"operations": [{"action": "delete", "id": "x"}]},
        {"operations": [{"id": 1}]},
        {"operations": [{"action": "delete", "id": 1, "force": True}]},
        {"operations": [{"action": "delete", "id": 1}] * 1001},
        {"operations": [], "atomic": "perhaps"},
    ],
)
def test_a_batch_that_is_no_batch_is_refused_whole(caller: Door, store: Store, body: Any):
    assert caller.post("/api:shop/batch/customers", body).status == 400
    assert store.get("customers", 1) is not None


def test_a_blueprint_leaves_what_the_group_answers(workspace: Workspace):
    create_table(workspace, "companies", fields={"company_id": "text"})
    group = make_group(workspace)
    make_endpoint(group, "/companies/{key}", name="get_company", inputs={"key": "int"})
    made = apply_blueprint(group, "crud", "companies")
    assert [(e.method, e.path) for e in made] == [
        ("GET", "/companies"),
        ("POST", "/companies"),
        ("PUT", "/companies/{key}"),
        ("PATCH", "/companies/{key}"),
        ("DELETE", "/companies/{key}"),
    ]
    assert apply_blueprint(group, "crud", "companies") == []
    make_endpoint(make_group(workspace, "other"), "/x", name="list_companies")
    again = apply_blueprint(ApiGroup.objects.get(name="other"), "crud", "companies")
    assert [e.name for e in again][:2] == ["list_companies_2", "get_company"]
    assert again[1].path == "/companies/{company_key}", "a field has the name company_id"


def test_a_blueprint_that_can_not_be_makes_nothing(workspace: Workspace):
    group = make_group(workspace)
    for blueprint, table in (("curd", "x"), ("crud", "x")):
        with pytest.raises(Problem):
            apply_blueprint(group, blueprint, table)
    assert not Endpoint.objects.exists()


def test_a_table_without_texts_or_fields_has_its_list_too(workspace: Workspace, client: Door):
    create_table(workspace, "stock")
    group = make_group(workspace)
    assert len(apply_blueprint(group, "crud", "stock")) == 6
    key = make_key(workspace)
    assert client.with_key(key).post("/api:shop/stock", {}).status == 201
    assert client.with_key(key).get("/api:shop/stock").json()["itemsReceived"] == 1


@pytest.mark.parametrize(
    ("table", "one"),
    [
        ("customers", "customer"),
        ("companies", "company"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("stock", "stock"),
        ("glass", "glass"),
        ("s", "s"),
    ],
)
def test_the_name_of_one_record(table: str, one: str):
    assert one_of(table) == one


def test_every_blueprint_describes_itself():
    for blueprint in Blueprint.all().values():
        assert blueprint.label
        assert blueprint.sentence
        assert blueprint.description()
