"""Live and test data under every change of tables: both SQL tables stay the same but for their records."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command

from auth.keys import create_key
from endpoints.models import ApiGroup
from stackyard.core.data_source import LIVE, TEST
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs.models import Run
from stackyard.runs.working import work
from stackyard.tables import changes, ddl, indexing, test_data
from stackyard.tables.conversions.starting import retype
from stackyard.tables.dropping import drop_later, dropped, restore
from stackyard.tables.models import Field, Table
from stackyard.tables.query import Query
from tests.calling import assert_refused
from tests.doors import Door
from tests.test_conversions import large
from tests.test_data_sources import fill, group, names, store_of

__all__ = ["group", "large"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


def field_of(workspace: Workspace, name: str) -> Field:
    return Field.objects.select_related("table").get(table__workspace=workspace, name=name, hidden_at=None)


def shape(table: Table) -> tuple[list[str], list[str]]:
    """The columns of an SQL table, and its indexes without what tells the two apart."""
    if ddl.connection.vendor == "sqlite":
        rows = ddl.run(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL",
            [table.physical],
        )
    else:
        rows = ddl.run("SELECT indexname FROM pg_indexes WHERE tablename = %s", [table.physical])
    return sorted(ddl.columns_of(table)), sorted(row[0].replace("_t", "", 1) for row in rows)


@pytest.fixture(autouse=True)
def twins_stay_equal(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did to the tables, both have the same columns and indexes."""
    yield
    for table in Table.objects.filter(workspace__has_test_data=True):
        assert shape(table) == shape(table.of(TEST))


def test_every_change_of_a_table_changes_both(group: ApiGroup) -> None:
    workspace = group.workspace
    group.endpoints.all().delete()
    fill(workspace, live=["1"], test=["2", "3"])
    table = Table.objects.get(workspace=workspace, name="things")
    changes.add_field(table, "grade", {"type": "int", "required": True, "default": 7})
    changes.add_field(table, "key", {"type": "uuid", "required": True, "default": "uuid"})
    changes.add_field(table, "other", {"type": "reference", "table": "things"})
    assert (names(workspace, LIVE, "grade"), names(workspace, TEST, "grade")) == ([7], [7, 7])
    assert len(set(names(workspace, TEST, "key"))) == 2
    changes.add_index(table, ["grade", "name"])
    changes.rename_field(field_of(workspace, "grade"), "level")
    with pytest.raises(Problem) as caught:
        changes.add_index(table, ["level"], unique=True)
    assert caught.value.code == "CONFLICT"
    assert retype(field_of(workspace, "code"), {"type": "int"}) is None
    assert (names(workspace, LIVE, "code"), names(workspace, TEST, "code")) == ([1], [2, 3])
    with pytest.raises(Problem) as caught:
        store_of(workspace, TEST).add("things", {"name": "again", "code": 2})
    assert caught.value.code == "CONFLICT"
    new = store_of(workspace, TEST).add("things", {"name": "new", "code": 1})["id"]
    field = field_of(workspace, "other")
    changes.hide_field(field)
    [waiting] = dropped(workspace)
    restore(waiting)
    assert names(workspace, TEST, "other") == [None, None, None]
    field.refresh_from_db()
    changes.hide_field(field)
    run = drop_later(table, field, -1)
    work(run.pk)
    run.refresh_from_db()
    assert run.state == "succeeded"
    assert field.physical not in ddl.columns_of(table.of(TEST))
    changes.create_table(workspace, "more", fields={"thing": {"type": "reference", "table": "things"}})
    store_of(workspace, TEST).add("more", {"thing": new})
    with pytest.raises(Problem):
        store_of(workspace, LIVE).add("more", {"thing": new})
    more = Table.objects.get(workspace=workspace, name="more")
    changes.hide_table(more)
    run = drop_later(more, seconds=-1)
    work(run.pk)
    run.refresh_from_db()
    assert run.state == "succeeded", run.error
    assert not Table.objects.filter(name="more").exists()
    assert ddl.columns_of(more.of(TEST)) == [] == ddl.columns_of(more)


def test_a_conversion_by_a_run_converts_both(large: None, group: ApiGroup) -> None:
    workspace = group.workspace
    group.endpoints.all().delete()
    fill(workspace, live=[str(number) for number in range(7)], test=["10", "11", "x", "13", "14"])
    run = retype(field_of(workspace, "code"), {"type": "int"}, on_bad="null")
    assert run is not None
    with pytest.raises(Problem) as caught:
        test_data.remove(workspace)
    assert caught.value.code == "CONFLICT"
    # Who writes meanwhile writes both columns, who knows of neither is noted.
    fill(workspace, live=["7"], test=["15"])
    target = ddl.table_name(field_of(workspace, "code").table.of(TEST))
    ddl.run(f"UPDATE {target} SET {ddl.quoted(field_of(workspace, 'code').physical)} = '99' WHERE id = 1")
    work(run.pk)
    run.refresh_from_db()
    assert run.state == "succeeded", run.error
    assert run.result["bad"] == [["3 (test data)", '"x"', run.result["bad"][0][2]]]
    assert names(workspace, LIVE, "code") == list(range(8))
    assert names(workspace, TEST, "code") == [99, 11, None, 13, 14, 15]


def test_an_index_of_a_large_table_is_built_for_both(
    group: ApiGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = group.workspace
    monkeypatch.setattr(indexing, "AT_ONCE", 0)
    fill(workspace, live=["a", "b"], test=["a", "b", "c"])
    table = Table.objects.get(workspace=workspace, name="things")
    for deed in (
        lambda: changes.add_index(table, ["name"], unique=True),
        lambda: changes.add_field(table, "other", {"type": "reference", "table": "things"}),
    ):
        deed()
        with pytest.raises(Problem):
            test_data.remove(workspace)
        run = Run.objects.filter(kind="index").latest("pk")
        work(run.pk)
        run.refresh_from_db()
        assert run.state == "succeeded", run.error
        assert shape(table) == shape(table.of(TEST))
    for source in (LIVE, TEST):
        with pytest.raises(Problem):
            store_of(workspace, source).add("things", {"name": "a"})
    fill(workspace, test=["d"])
    store_of(workspace, TEST).patch("things", 1, {"code": None})
    changes.add_index(table, ["code", "name"])
    work(Run.objects.filter(kind="index").latest("pk").pk)
    # One that can't be: nothing of it stays in either.
    store_of(workspace, TEST).patch("things", 2, {"parent": 3})
    store_of(workspace, TEST).patch("things", 1, {"parent": 3})
    changes.add_index(table, ["parent"], unique=True)
    run = Run.objects.filter(kind="index").latest("pk")
    work(run.pk)
    run.refresh_from_db()
    assert (run.state, (run.error or {})["code"]) == ("failed", "CONFLICT")


@pytest.mark.parametrize("way", ["at once", "as a run"])
def test_test_data_is_filled_from_live_data_and_emptied(
    group: ApiGroup, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    workspace = group.workspace
    if way == "as a run":
        monkeypatch.setattr(test_data, "AT_ONCE", 0)
        monkeypatch.setattr(test_data, "BATCH", 2)
    fill(workspace, live=["a", "b", "c", "d", "e"], test=["old"])
    meta = Door(WSGIHandler()).with_key(create_key(workspace, "manager", ["meta"])[1])
    url = "/api:meta/workspaces/shop/test-data"
    assert meta.get(url).json() == {"has_test_data": True}
    begun = meta.post(f"{url}/copy", {"tables": ["things"]})
    assert begun.status == (202 if way == "as a run" else 200)
    if begun.status == 202:
        work(begun.json()["id"])
    assert names(workspace, TEST) == names(workspace, LIVE) == ["a", "b", "c", "d", "e"]
    fill(workspace, test=["f"])
    assert store_of(workspace, TEST).query(Query("things", sort=["-id"], return_="single"))["id"] == 6
    assert names(workspace, LIVE) == ["a", "b", "c", "d", "e"]
    assert_refused(meta.post(f"{url}/copy", {"tables": ["nothings"]}), 400, "INVALID_INPUT")
    out = io.StringIO()
    call_command("testdata", "empty", "shop", stdout=out, stderr=io.StringIO())
    assert out.getvalue() == "Emptied.\n"
    assert (names(workspace, TEST), len(names(workspace, LIVE))) == ([], 5)
    assert meta.delete(url).status == 204
    assert meta.get(url).json() == {"has_test_data": False}
    assert_refused(meta.post(f"{url}/empty"), 400, "INVALID_INPUT")
    call_command("testdata", "make", "shop", stdout=out)
    assert meta.post(url).status == 200
