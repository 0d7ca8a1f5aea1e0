"""Live and test data: two sets of records for one schema, never mixed, whoever asks and whatever is changed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.test import Client

from auth.keys import create_key
from endpoints.blueprints import apply_blueprint
from endpoints.history import history
from endpoints.models import ApiGroup, HistoryEntry
from lambdas.publishing import create_lambda
from lambdas.publishing import publish as publish_lambda
from stackyard.core.data_source import LIVE, TEST
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs.models import Run
from stackyard.runs.working import work
from stackyard.tables import changes, test_data
from stackyard.tables.models import Table
from stackyard.tables.query import Query
from stackyard.tables.schema import fresh_schema
from stackyard.tables.store import Store
from tests.calling import assert_refused, expression, line
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_key
from tests.test_conversions import large

__all__ = ["large"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])

ON_TEST = {"X-Data-Source": "test"}
FIELDS: dict[str, Any] = {
    "name": {"type": "text", "required": True},
    "code": {"type": "text", "unique": True},
    "parent": {"type": "reference", "table": "things"},
}


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    """Endpoints over `things`, and test data."""
    changes.create_table(workspace, "things", fields=FIELDS, indexes=[{"fields": ["-name"]}])
    made = make_group(workspace)
    apply_blueprint(made, "crud", "things")
    assert test_data.make(workspace)
    return made


def store_of(workspace: Workspace, source: str) -> Store:
    return Store(fresh_schema(workspace.pk, source))


def names(workspace: Workspace, source: str, field: str = "name") -> list[Any]:
    return [one[field] for one in store_of(workspace, source).query(Query("things", sort=["id"]))]


def fill(workspace: Workspace, **given: list[str]) -> None:
    for source, texts in given.items():
        store_of(workspace, source).add_many("things", [{"name": text, "code": text} for text in texts])


def test_a_header_chooses_the_records(client: Door, group: ApiGroup) -> None:
    door = client.with_key(make_key(group.workspace))
    url = "/api:shop/things"
    # What other tests have called and nobody has written yet is not of interest here.
    history.flush()
    HistoryEntry.objects.all().delete()
    assert door.post(url, {"name": "live one"}).status == 201
    made = door.post(url, {"name": "test one"}, headers=ON_TEST)
    assert (made.status, made.headers["x-data-source"]) == (201, "test")
    shown, tried = door.get(url), door.get(url, headers=ON_TEST)
    assert [one["name"] for one in shown.json()["items"]] == ["live one"]
    assert [one["name"] for one in tried.json()["items"]] == ["test one"]
    assert "x-data-source" not in shown.headers
    assert [one["name"] for one in door.get(url, headers={"X-Data-Source": "live"}).json()["items"]] == [
        "live one"
    ]
    refused = assert_refused(door.get(url, headers={"X-Data-Source": "tset"}), 400, "INVALID_INPUT")
    assert '"tset"' in refused["message"]
    assert 'Did you mean "test"?' in refused["message"]
    assert door.get(f"{url}/99", headers=ON_TEST).headers["x-data-source"] == "test"
    history.flush()
    assert list(HistoryEntry.objects.order_by("pk").values_list("data_source", flat=True)[:2]) == [LIVE, TEST]


def test_without_test_data_it_is_refused(client: Door, group: ApiGroup) -> None:
    door = client.with_key(make_key(group.workspace))
    assert test_data.remove(group.workspace)
    assert (
        "no test data"
        in assert_refused(door.get("/api:shop/things", headers=ON_TEST), 400, "INVALID_INPUT")["message"]
    )
    assert door.get("/api:shop/things").status == 200
    assert test_data.make(group.workspace)
    assert not test_data.make(group.workspace)
    assert door.get("/api:shop/things", headers=ON_TEST).json()["items"] == []


def test_an_endpoint_says_which_data_it_works_on(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/open", auth=["public"])
    make_endpoint(group, "/both", auth=["public"], data_sources=["live", "test"])
    make_endpoint(group, "/live", auth=["api_key"], data_sources=["live"])
    make_endpoint(group, "/test", auth=["api_key"], data_sources=["test"])
    door = client.with_key(make_key(group.workspace))
    assert_refused(client.get("/api:shop/open", headers=ON_TEST), 403, "ACCESS_DENIED")
    assert client.get("/api:shop/both", headers=ON_TEST).status == 200
    assert_refused(door.get("/api:shop/live", headers=ON_TEST), 403, "ACCESS_DENIED")
    assert_refused(door.get("/api:shop/test"), 403, "ACCESS_DENIED")
    assert door.get("/api:shop/test", headers=ON_TEST).status == 200
    with pytest.raises(Problem):
        make_endpoint(group, "/faulty", data_sources=["prod"])


def test_a_key_for_sending_again_counts_on_each_by_itself(client: Door, group: ApiGroup) -> None:
    door = client.with_key(make_key(group.workspace))
    for headers in ({}, ON_TEST, {}, ON_TEST):
        made = door.post("/api:shop/things", {"name": "a"}, headers={**headers, "Idempotency-Key": "k"})
        assert made.status == 201
    assert (names(group.workspace, LIVE), names(group.workspace, TEST)) == (["a"], ["a"])


def test_functions_caches_and_runs_stay_on_the_data_they_began_with(client: Door, group: ApiGroup) -> None:
    from stackyard.stacks import publishing as stacks

    workspace = group.workspace
    count = {"step": "query_all_records", "as": "n", "params": {"table": "things", "return": "count"}}
    stacks.publish(
        stacks.create_function(workspace, {"name": "how_many", "lines": [count], "response": expression("n")})
    )
    target = create_lambda(
        workspace, {"name": "adder", "code": "return await db.add('things', {name: input.name});"}
    )
    publish_lambda(target)
    make_endpoint(
        group,
        "/do",
        "POST",
        auth=["api_key"],
        lines=[
            {**line("call_function", function="how_many", input={}), "as": "n"},
            line("cache_set", key="n", value=expression("n")),
            {**line("cache_get", key="n"), "as": "kept"},
            {**line("run_lambda", input={"name": "later"}, wait=False, **{"lambda": "adder"}), "as": "run"},
        ],
        response={"n": expression("n"), "kept": expression("kept")},
    )
    make_endpoint(
        group,
        "/kept",
        auth=["api_key"],
        lines=[{**line("cache_get", key="n"), "as": "kept"}],
        response=expression("kept"),
    )
    fill(workspace, live=["a", "b"], test=["c"])
    door = client.with_key(make_key(workspace))
    assert door.post("/api:shop/do", {}, headers=ON_TEST).json() == {"n": 1, "kept": 1}
    assert door.post("/api:shop/do", {}).json() == {"n": 2, "kept": 2}
    assert door.get("/api:shop/kept", headers=ON_TEST).json() == 1
    runs = list(Run.objects.order_by("pk"))
    assert [run.data_source for run in runs] == [TEST, LIVE]
    for run in runs:
        work(run.pk)
    assert names(workspace, TEST) == ["c", "later"]
    assert names(workspace, LIVE) == ["a", "b", "later"]


def test_a_changed_test_record_starts_runs_on_test_data(group: ApiGroup) -> None:
    workspace = group.workspace
    target = create_lambda(
        workspace,
        {"name": "follow", "code": "return 1", "triggers": [{"record": {"table": "things", "on": ["add"]}}]},
    )
    publish_lambda(target)
    fill(workspace, test=["a"], live=["b"])
    assert {run.data_source: run.input["new"]["name"] for run in Run.objects.all()} == {TEST: "a", LIVE: "b"}


def test_who_signs_in_on_test_data_is_nobody_on_live_data(client: Door, workspace: Workspace) -> None:
    changes.create_table(
        workspace,
        "members",
        fields={"email": {"type": "email", "unique": True}, "password": {"type": "password"}},
    )
    group = make_group(workspace)
    apply_blueprint(group, "authentication", "members", options={})
    test_data.make(workspace)
    ann = {"email": "ann@example.com", "password": "correct horse"}
    live = client.post("/api:shop/auth/signup", ann).json()
    made = client.post("/api:shop/auth/signup", ann, headers=ON_TEST)
    assert made.status in (200, 201), made.body
    test = made.json()
    bearer = {"Authorization": f"Bearer {test['authToken']}"}
    assert client.get("/api:shop/auth/me", headers={**bearer, **ON_TEST}).json()["id"] == 1
    assert (
        "test data"
        in assert_refused(client.get("/api:shop/auth/me", headers=bearer), 401, "UNAUTHORIZED")["message"]
    )
    live_bearer = {"Authorization": f"Bearer {live['authToken']}"}
    assert client.get("/api:shop/auth/me", headers=live_bearer).json()["id"] == 1
    assert_refused(client.get("/api:shop/auth/me", headers={**live_bearer, **ON_TEST}), 401, "UNAUTHORIZED")
    token = {"refreshToken": test["refreshToken"]}
    assert client.post("/api:shop/auth/refresh", token).status == 401
    assert client.post("/api:shop/auth/refresh", token, headers=ON_TEST).status == 200
    # Emptied, the record is gone and nobody is signed in as it; the live record of the same id still is.
    assert test_data.empty(workspace) is None
    assert client.get("/api:shop/auth/me", headers={**bearer, **ON_TEST}).status == 401
    assert client.get("/api:shop/auth/me", headers=live_bearer).status == 200


def test_records_csv_and_trials_work_on_either(group: ApiGroup, tmp_path: Any) -> None:
    workspace = group.workspace
    fill(workspace, live=["a"])
    meta = Door(WSGIHandler()).with_key(create_key(workspace, "manager", ["meta"])[1])
    url = "/api:meta/workspaces/shop/tables/things"
    assert meta.post(f"{url}/records?data_source=test", {"name": "t"}).json()["id"] == 1
    assert [one["name"] for one in meta.get(f"{url}/records?data_source=test").json()["items"]] == ["t"]
    assert meta.post(f"{url}/records/search", {}).json()["items"][0]["name"] == "a"
    assert meta.get(f"{url}/records?data_source=prod").status == 400
    file = tmp_path / "things.csv"
    file.write_text("name,code\nu,1\n")
    call_command("table", "import", "shop/things", str(file), "--data-source", "test", stdout=io.StringIO())
    exported = meta.get(f"{url}/export?data_source=test").body.decode()
    assert [row.split(",")[2] for row in exported.splitlines()] == ["name", "t", "u"]
    assert len(meta.get(f"{url}/export").body.splitlines()) == 2
    count = {**line("query_all_records", table="things", **{"return": "count"}), "as": "n", "id": "a"}
    document = {"format": 1, "inputs": {}, "lines": [count], "response": expression("n")}
    endpoint = group.endpoints.first()
    assert endpoint is not None
    tried = f"/api:meta/workspaces/shop/groups/shop/endpoints/{endpoint.name}/run"
    for source, expected in ((LIVE, 1), (TEST, 2)):
        ran = meta.post(tried, {"document": {**endpoint.draft, **document}, "data_source": source}).json()
        assert (ran.get("response"), ran["data_source"]) == (expected, source), ran


def test_the_console_works_on_what_was_switched_to(console: Client, group: ApiGroup) -> None:
    workspace = group.workspace
    fill(workspace, live=["live one"], test=["test one"])
    table = Table.objects.get(workspace=workspace, name="things")
    records = f"/admin/tables/table/{table.pk}/records/"
    assert "You are working on test data" not in console.get(records).content.decode()
    switched = console.post("/admin/data-source/", {"source": "test", "next": records}, follow=True)
    shown = switched.content.decode()
    assert "You are working on test data" in shown
    assert "test one" in shown
    assert "live one" not in shown
    console.post(f"{records}add/", {"field-name": "added", "field-code": "", "field-parent": ""})
    assert (names(workspace, TEST), names(workspace, LIVE)) == (["test one", "added"], ["live one"])
    endpoint = group.endpoints.get(name="list_things")
    ran = console.post(
        f"/admin/endpoints/endpoint/{endpoint.pk}/debug/run/",
        {"inputs": {"name": "test one"}},
        content_type="application/json",
    ).json()
    assert ran["data_source"] == "test"
    assert "test one" in ran["body"]
    assert ran["curl"].endswith('"X-Data-Source: test"')
    filled = console.post("/admin/test-data/", {"deed": "copy"}, follow=True).content.decode()
    assert "The live records are copied." in filled
    assert "deleted" in console.get("/admin/test-data/empty/").content.decode()
    console.post("/admin/test-data/empty/")
    assert names(workspace, TEST) == []
    console.post("/admin/test-data/remove/")
    page = console.get(records).content.decode()
    assert "live one" in page
    assert "You are working on test data" not in page
    assert "Make test data" in console.get("/admin/test-data/").content.decode()
    console.post("/admin/test-data/", {"deed": "make"})
    assert names(workspace, TEST) == []
