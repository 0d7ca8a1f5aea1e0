"""Indexes of large tables: runs that build them beside everybody, on both databases."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import OperationalError, connection

from auth.keys import create_key
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs import dispatch
from stackyard.runs.models import Run
from stackyard.runs.progress import Stopped
from stackyard.runs.working import claim, work
from stackyard.tables import changes, ddl, indexing, online_indexes
from stackyard.tables.conversions import starting
from stackyard.tables.conversions.starting import retype
from stackyard.tables.mirrors import Mirror
from stackyard.tables.models import Index, Table
from stackyard.tables.query import Query
from stackyard.tables.schema import fresh_schema
from stackyard.tables.specs import field_spec
from stackyard.tables.store import Store
from tests.doors import Door
from tests.factories import make_store
from tests.test_runs import expire

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is large, and is worked on three records at a time."""
    monkeypatch.setattr(indexing, "AT_ONCE", 0)
    monkeypatch.setattr(online_indexes, "FIRST_BATCH", 3)
    monkeypatch.setattr(online_indexes, "LARGEST_BATCH", 3)
    monkeypatch.setattr(online_indexes, "PAUSE_SECONDS", 0)


def things(workspace: Workspace, count: int = 10, **fields: Any) -> Table:
    store = make_store(workspace, things={"name": "text", "n": "int", **fields})
    store.add_many("things", [{"name": f"n{number % 7}", "n": number} for number in range(count)])
    return Table.objects.get(workspace=workspace, name="things")


def store_of(workspace: Workspace) -> Store:
    return Store(fresh_schema(workspace.pk))


def run_of(index: Index) -> Run:
    return Run.objects.get(pk=index.run_id)


def done(index: Index) -> Run:
    work(index.run_id)
    return run_of(index)


def real_indexes(table: Table) -> dict[str, str]:
    """The indexes that the database has of a table, with how it made them."""
    if connection.vendor == "sqlite":
        sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = %s"
        return dict(ddl.run(sql, [table.physical]))
    sql = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
    return dict(ddl.run(sql, [table.physical]))


@pytest.fixture(autouse=True)
def _left_by_others(db: None) -> None:
    """SQL tables that tests before left behind are not this one's."""
    _BEFORE[:] = _mirrors()


_BEFORE: list[str] = []


def _mirrors() -> list[str]:
    if connection.vendor != "sqlite":
        return []
    names = ddl.run("SELECT name FROM sqlite_schema WHERE name LIKE 'x%%\\_%%' ESCAPE '\\'")
    return [row[0] for row in names]


def leftovers() -> list[str]:
    if connection.vendor == "sqlite":
        return [name for name in _mirrors() if name not in _BEFORE]
    return [row[0] for row in ddl.run("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")]


def is_sound() -> bool:
    return connection.vendor != "sqlite" or ddl.run("PRAGMA integrity_check") == [("ok",)]


def test_an_index_is_the_same_however_it_was_built(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = things(workspace, x="float", day="date")
    parts = (["name", "-n"], ["-x"], ["day", "id"], ["created_at", "-name"])
    indexes = [changes.add_index(table, names) for names in parts]
    assert [index.built_at for index in indexes] == [None] * 4
    assert not fresh_schema(workspace.pk).table("things").indexes
    assert [done(index).state for index in indexes] == ["succeeded"] * 4
    assert len(fresh_schema(workspace.pk).table("things").indexes) == 4
    monkeypatch.setattr(indexing, "AT_ONCE", 100)
    made = [changes.add_index(table, names) for names in parts]
    real = real_indexes(table)
    for online, at_once in zip(indexes, made, strict=True):
        assert real[online.physical].replace(online.physical, at_once.physical) == real[at_once.physical]
    assert (leftovers(), is_sound()) == ([], True)


def test_what_is_written_between_batches_is_in_the_index(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = things(workspace, 20)
    index = changes.add_index(table, ["n"], unique=True)
    calls = 0

    def write(seconds: float) -> None:
        nonlocal calls
        calls += 1
        store = store_of(workspace)
        store.patch("things", calls, {"n": 100 + calls})
        store.delete("things", 20 - calls)
        store.add("things", {"n": -calls})

    if connection.vendor == "sqlite":
        monkeypatch.setattr(online_indexes, "sleep", write)
    else:
        write(0)
    assert done(index).state == "succeeded"
    monkeypatch.undo()
    numbers = [record["n"] for record in store_of(workspace).query(Query("things", sort=["n"]))]
    name, n = ddl.table_name(table), ddl.quoted(table.fields.get(name="n").physical)
    by = f" INDEXED BY {index.physical}" if connection.vendor == "sqlite" else ""
    assert [row[0] for row in ddl.run(f"SELECT {n} FROM {name}{by} ORDER BY {n}")] == sorted(numbers)
    assert (len(numbers), calls > 0, is_sound()) == (20, True, True)
    with pytest.raises(Problem) as refused:
        store_of(workspace).add("things", {"n": 101})
    assert refused.value.details[0].field == "n"


def test_an_sqlite_that_forbids_edits_of_its_schema_builds_slowly(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(mirror: Mirror) -> None:
        raise OperationalError("table sqlite_master may not be modified")

    monkeypatch.setattr(Mirror, "hand_over", forbid)
    table = things(workspace)
    index = changes.add_index(table, ["n"])
    assert done(index).state == "succeeded"
    assert (index.physical in real_indexes(table), leftovers()) == (True, [])


def test_doubled_values_are_told_and_nothing_is_changed(workspace: Workspace) -> None:
    table = things(workspace)
    before = real_indexes(table)
    run = done(changes.add_index(table, ["name"], unique=True))
    assert (run.state, run.attempt, run.error["code"]) == ("failed", 1, "CONFLICT")
    assert run.error["details"][0]["message"] == '"n0" is there 2 times'
    assert (real_indexes(table), leftovers(), list(table.indexes.all())) == (before, [], [])


def test_doubles_that_come_meanwhile_are_found_at_the_end(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = things(workspace, 5)
    index = changes.add_index(table, ["n"], unique=True)
    real = ddl.duplicates

    def late(plan: Any, limit: int = 5) -> Any:
        found = real(plan, limit)
        if limit == 1 or connection.vendor == "postgresql":
            # After the question, before the lock: PostgreSQL asks only once.
            monkeypatch.setattr(ddl, "duplicates", real)
            store_of(workspace).add("things", {"n": 3})
        return found

    monkeypatch.setattr(ddl, "duplicates", late)
    run = done(index)
    assert (run.state, run.error["details"][0]["message"]) == ("failed", "3 is there 2 times")
    assert (leftovers(), is_sound()) == ([], True)


@pytest.mark.parametrize("step", ["begin", "batch", "built"])
def test_a_killed_build_goes_on(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    table = things(workspace)
    index = changes.add_index(table, ["n"], unique=True)

    class Killed(BaseException):
        """As kill -9: nothing more is done."""

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    if connection.vendor == "sqlite":
        target = {"begin": "alter", "batch": "sleep", "built": "tidy"}[step]
        where = f"stackyard.tables.online_indexes.{target}"
    else:
        where = {"begin": "ddl.build", "batch": "ddl.build", "built": "online_indexes.build_online"}[step]
        where = f"stackyard.tables.{where}" if step != "built" else "stackyard.runs.working.finish"
    with monkeypatch.context() as patched:
        patched.setattr(where, die)
        with pytest.raises(Killed):
            work(index.run_id)
    if connection.vendor == "postgresql" and step == "batch":
        # What a killed build leaves: an index that serves nobody.
        ddl.build(ddl.index_plan(index))
        ddl.run(
            f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{ddl.index_plan(index).sql_name}'::regclass"
        )
    store_of(workspace).patch("things", 1, {"n": 77})
    expire(run_of(index))
    dispatch.reap()
    run = done(index)
    assert (run.state, run.attempt) == ("succeeded", 2)
    assert (leftovers(), is_sound()) == ([], True)
    assert "unique" in field_spec(table.fields.get(name="n"))


def test_a_build_is_cancelled(workspace: Workspace) -> None:
    table = things(workspace)
    first, second = changes.add_index(table, ["n"]), changes.add_index(table, ["name"])
    changes.hide_index(first)
    claimed = claim(second.run_id)
    assert claimed is not None
    claimed.stop.set()
    from stackyard.tables.index_job import IndexJob

    with pytest.raises(Stopped):
        IndexJob(claimed).run()
    dispatch.cancel(run_of(second))
    assert run_of(first).state == "cancelled"
    expire(run_of(second))
    dispatch.reap()
    assert run_of(second).state == "cancelled"
    assert (list(table.indexes.all()), leftovers()) == ([], [])


def test_a_field_becomes_unique_and_a_reference_gets_its_index(workspace: Workspace) -> None:
    table = things(workspace)
    changes.add_field(table, "parent", {"type": "reference", "table": "things"})
    changes.edit_field(table.fields.get(name="n"), unique=True)
    runs = Run.objects.filter(kind="index").order_by("created_at")
    assert [(run.target_name, run.state) for run in runs] == [
        ("things(parent)", "accepted"),
        ("things(n)", "accepted"),
    ]
    assert "n" not in fresh_schema(workspace.pk).table("things").unique_fields
    assert [work(run.pk) for run in runs] == ["succeeded"] * 2
    assert "n" in fresh_schema(workspace.pk).table("things").unique_fields
    parent = table.fields.get(name="parent")
    assert f"{parent.physical}_ref" in real_indexes(table)
    assert leftovers() == []


def test_a_conversion_builds_its_indexes_the_same_way(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "AT_ONCE", 0)
    table = things(workspace)
    done(changes.add_index(table, ["n", "-name"], unique=True))
    run = retype(table.fields.get(name="n"), {"type": "text"})
    assert run is not None
    assert work(run.pk) == "succeeded"
    [index] = fresh_schema(workspace.pk).table("things").indexes
    assert (index.name in real_indexes(table), leftovers(), is_sound()) == (True, [], True)


def test_the_api_shows_an_index_being_built(workspace: Workspace) -> None:
    meta = Door(WSGIHandler()).with_key(create_key(workspace, "manager", ["meta"])[1])
    things(workspace)
    indexes = "/api:meta/workspaces/shop/tables/things/indexes"
    made = meta.post(indexes, {"fields": ["n"]})
    assert (made.status, made.json()["built_at"], made.json()["progress"]) == (202, None, None)
    run = meta.get(f"/api:meta/workspaces/shop/runs/{made.json()['run']}").json()
    assert (run["kind"], run["target"], run["state"]) == ("index", "things(n)", "accepted")
    work(run["id"])
    [shown] = meta.get(indexes).json()["items"]
    assert (shown["built_at"] is not None, shown["run"]) == (True, None)
    second = meta.post(indexes, {"fields": ["name"]}).json()
    assert meta.delete(f"{indexes}/{second['id']}").status == 204
    assert len(meta.get(indexes).json()["items"]) == 1


def test_the_command_builds_lists_and_drops_indexes(workspace: Workspace) -> None:
    table = things(workspace)

    def table_command(*arguments: str) -> str:
        out = io.StringIO()
        call_command("table", *arguments, stdout=out)
        return out.getvalue()

    assert "n, -name: built" in table_command("index", "shop/things", "--add=n,-name", "--unique")
    [index] = table.indexes.all()
    assert table_command("index", "shop/things") == f"{index.pk}  n, -name  unique  built\n"
    table_command("index", "shop/things", "--drop", str(index.pk))
    assert table_command("index", "shop/things") == ""
