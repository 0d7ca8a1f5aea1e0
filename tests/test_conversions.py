"""A field's change of type: what is said beforehand, what becomes of the cells, and of requests meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs import dispatch
from stackyard.runs.models import Run
from stackyard.runs.working import claim, work
from stackyard.tables import ddl
from stackyard.tables.changes import add_field, hide_field, hide_table
from stackyard.tables.conversions import batches, job, planning, starting
from stackyard.tables.conversions.planning import plan_retype
from stackyard.tables.conversions.starting import retype
from stackyard.tables.dropping import dropped, restore
from stackyard.tables.models import Conversion, Field, Index, Table
from stackyard.tables.query import Query
from stackyard.tables.schema import fresh_schema
from stackyard.tables.specs import field_spec
from stackyard.tables.store import Store
from tests import factories
from tests.test_runs import expire

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is large: conversions become runs, of three records a batch."""
    monkeypatch.setattr(starting, "AT_ONCE", 0)
    monkeypatch.setattr(planning, "AT_ONCE", 0)
    monkeypatch.setattr(batches, "BATCH", 3)
    monkeypatch.setattr(job, "PAUSE_SECONDS", {"sqlite": 0, "postgresql": 0})


def store_of(workspace: Workspace) -> Store:
    return Store(fresh_schema(workspace.pk))


def filled(workspace: Workspace, spec: Any, values: list[Any]) -> Field:
    """A table `things` whose field `value` holds these."""
    store = factories.make_store(workspace, things={"name": "text", "value": spec})
    store.add_many("things", [{"name": str(number), "value": value} for number, value in enumerate(values)])
    return field_of(workspace)


def field_of(workspace: Workspace, name: str = "value") -> Field:
    return Field.objects.get(table__workspace=workspace, name=name, hidden_at=None)


def values(workspace: Workspace) -> list[Any]:
    found = store_of(workspace).query(Query("things", sort=["id"]))
    return [record["value"] for record in found]


def done(run: Run | None) -> Run:
    assert run is not None
    work(run.pk)
    run.refresh_from_db()
    return run


def assert_refused_by(deed: Any, *args: Any) -> list[str]:
    """That a conversion is refused with `CONFLICT`, at once or by its run; the details' messages."""
    try:
        run = deed(*args)
    except Problem as problem:
        refused = problem
    else:
        error = done(run).error or {}
        assert (run.state, run.attempt, error["code"]) == ("failed", 1, "CONFLICT")
        return [detail["message"] for detail in error["details"]]
    assert refused.code == "CONFLICT"
    return [detail.message for detail in refused.details or ()]


CASTS: list[tuple[Any, Any, list[Any], list[Any]]] = [
    ("int", "text", [1, None, -5], ["1", None, "-5"]),
    ("text", "int", ["1", " 7 ", None, ""], [1, 7, None, None]),
    ("float", "int", [2.0, None], [2, None]),
    ("bool", "int", [True, False, None], [1, 0, None]),
    ("int", "bool", [1, 0, None], [True, False, None]),
    ("text", "date", ["2026-01-02"], ["2026-01-02"]),
    ("text", {"type": "enum", "values": ["a", "b"]}, ["a", "b", None], ["a", "b", None]),
    ({"type": "decimal", "scale": 2}, {"type": "decimal", "scale": 3, "precision": 12}, ["1.25"], ["1.250"]),
    ({"type": "decimal", "scale": 2}, "int", ["3.00"], [3]),
    ("int", "json", [1, None], [1, None]),
    ("text", {"type": "list", "of": "int"}, ["[1, 2]", None], [[1, 2], None]),
    ({"type": "list", "of": "int"}, "text", [[1, 2]], ["[1,2]"]),
    ({"type": "list", "of": "int"}, {"type": "list", "of": "text"}, [[1, 2]], None),
]


@pytest.mark.parametrize("way", ["at once", "as a run"])
@pytest.mark.parametrize(("old", "new", "before", "after"), CASTS)
def test_cells_become_values_of_the_new_type(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    old: Any,
    new: Any,
    before: Any,
    after: Any,
) -> None:
    if way == "as a run":
        monkeypatch.setattr(starting, "AT_ONCE", 0)
    field = filled(workspace, old, before)
    spec = {"type": new} if isinstance(new, str) else new
    if after is None:
        # A number within a list is no text: that is told, and nothing changes.
        assert_refused_by(retype, field, spec)
        assert values(workspace) == before
        return
    run = retype(field, spec)
    if run is not None:
        assert done(run).state == "succeeded", run.error
    assert [str(v) if "decimal" in str(new) else v for v in values(workspace)] == after
    made = field_spec(field_of(workspace))
    assert (made if isinstance(made, str) else made["type"]) == (new if isinstance(new, str) else new["type"])
    assert field_of(workspace).pk == field.pk, "a field keeps its id"
    store_of(workspace).add("things", {"value": after[0]})
    assert str(values(workspace)[-1]) == str(after[0])


def test_what_would_happen_is_said_beforehand(workspace: Workspace) -> None:
    field = filled(workspace, "text", ["1", "x", None, "3"])
    plan = plan_retype(field, {"type": "int"})
    assert (plan.records, plan.converts, plan.empty, plan.refused, plan.is_whole) == (4, 2, 1, 1, True)
    assert plan.bad == [{"id": 2, "value": '"x"', "reason": 'expected an integer, got "x"'}]
    assert any("taken back" in step for step in plan.steps)
    assert values(workspace) == ["1", "x", None, "3"]
    assert not plan_retype(field, {"type": "text", "max_length": 9}).changes_type


@pytest.mark.parametrize("way", ["at once", "as a run"])
def test_cells_that_cannot_be_converted_are_refused_emptied_or_take_the_default(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "as a run":
        monkeypatch.setattr(starting, "AT_ONCE", 0)
    field = filled(workspace, "text", ["1", "x", "3"])
    told = assert_refused_by(retype, field, {"type": "int"})
    assert told == ['"x": expected an integer, got "x"']
    assert values(workspace) == ["1", "x", "3"]
    assert not Conversion.objects.filter(state="converting").exists()
    run_or_none = retype(field_of(workspace), {"type": "int", "default": 9}, on_bad="default")
    if run_or_none is not None:
        assert done(run_or_none).result["bad"] == [[2, '"x"', 'expected an integer, got "x"']]  # type: ignore[index]
    assert values(workspace) == [1, 9, 3]
    again = retype(field_of(workspace), {"type": "bool", "default": None}, on_bad="null")
    if again is not None:
        done(again)
    assert values(workspace) == [True, None, None]


def test_requests_with_any_schema_lose_nothing_while_a_field_is_converted(
    large: None, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = filled(workspace, "text", [str(number) for number in range(10)])
    stale = store_of(workspace)
    run = retype(field, {"type": "int"})
    assert run is not None
    aware = store_of(workspace)
    assert aware.schema.table("things").fields["value"].shadow is not None
    step, calls = batches.Batches.convert_after, 0

    def between(self: Any, *args: Any) -> int:
        nonlocal calls
        reached = step(self, *args)
        calls += 1
        if calls == 2:
            # Converted by now, and not yet: by one who knows of the conversion, and one who does not.
            for number, store in ((1, stale), (2, aware), (9, stale), (10, aware)):
                store.patch("things", number, {"value": str(number * 100)})
            stale.add("things", {"value": "77"})
            aware.add("things", {"value": "88"})
            stale.import_many("things", [{"value": "99"}])
            stale.delete("things", 3)
            stale.patch("things", 4, {"value": None})
        return reached

    monkeypatch.setattr(batches.Batches, "convert_after", between)
    assert done(run).state == "succeeded", run.error
    assert values(workspace) == [100, 200, None, 4, 5, 6, 7, 900, 1000, 77, 88, 99]
    assert stale.patch("things", 5, {"name": "late"})["name"] == "late"


def test_a_writer_from_before_the_conversion_writes_once_more_after_the_switch(
    large: None, workspace: Workspace
) -> None:
    field = filled(workspace, "text", ["a@x.com", "b@x.com"])
    changing, adding, clearing = (store_of(workspace) for _ in range(3))
    assert done(retype(field, {"type": "email"})).state == "succeeded"
    # What is written into the old column alone would be lost: the store loads the schema of now instead.
    assert changing.patch("things", 1, {"value": "C@x.com"})["value"] == "c@x.com"
    adding.add("things", {"value": "D@x.com"})
    clearing.patch("things", 2, {"value": None})
    assert values(workspace) == ["c@x.com", None, "d@x.com"]


def test_indexes_go_with_the_field(large: None, workspace: Workspace) -> None:
    field = filled(workspace, {"type": "text", "unique": True}, ["1", "2", "3"])
    assert done(retype(field, {"type": "int"})).state == "succeeded"
    store = store_of(workspace)
    assert store.schema.table("things").fields["value"].unique
    with pytest.raises(Problem) as caught:
        store.add("things", {"value": 2})
    assert (caught.value.status, caught.value.details[0].field) == (409, "value")
    assert store.upsert("things", 3, {"name": "three"}, field="value")["name"] == "three"
    field = field_of(workspace)
    store.add("things", {"value": 20})
    doubled = done(retype(field, {"type": "bool"}, on_bad="null"))
    assert doubled.state == "succeeded", "nulls are not doubles"


def test_values_that_become_doubles_take_the_change_back(large: None, workspace: Workspace) -> None:
    field = filled(workspace, {"type": "text", "unique": True}, ["1", "01"])
    run = done(retype(field, {"type": "int"}))
    assert run.state == "failed", run.result
    assert values(workspace) == ["1", "01"]
    assert store_of(workspace).schema.table("things").fields["value"].shadow is None


def test_a_killed_conversion_goes_on_and_a_cancelled_one_is_as_if_it_had_never_been(
    large: None, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = filled(workspace, "text", [str(number) for number in range(20)])
    run = retype(field, {"type": "int"})
    assert run is not None
    step, calls = batches.Batches.convert_after, 0

    def die(self: Any, *args: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return step(self, *args)

    monkeypatch.setattr(batches.Batches, "convert_after", die)
    with pytest.raises(KeyboardInterrupt):
        work(run.pk)
    run.refresh_from_db()
    assert run.position["id"] == 9
    expire(run)
    dispatch.reap()
    assert done(run).state == "succeeded"
    assert run.result is not None
    assert (run.result["converted"], run.attempt) == (20, 2)
    assert values(workspace) == list(range(20))

    back = retype(field_of(workspace), {"type": "text"})
    assert back is not None
    claimed = claim(back.pk)
    assert claimed is not None
    dispatch.cancel(back)
    expire(back)
    dispatch.reap()
    assert Conversion.objects.get(run_id=back.pk).state == "undone"
    assert store_of(workspace).schema.table("things").fields["value"].shadow is None
    assert values(workspace) == list(range(20))


def test_references_are_made_of_ids_that_are_there(large: None, workspace: Workspace) -> None:
    groups = factories.make_store(workspace, groups={"name": "text"})
    groups.add("groups", {"name": "one"})
    field = filled(workspace, "int", [1, 5, None])
    refused = done(retype(field, {"type": "reference", "table": "groups"}))
    assert refused.error is not None
    assert "no such record in groups" in refused.error["details"][0]["message"]
    made = done(retype(field, {"type": "reference", "table": "groups"}, on_bad="null"))
    assert made.state == "succeeded", made.error
    assert values(workspace) == [1, None, None]
    with pytest.raises(Problem):
        store_of(workspace).add("things", {"value": 5})


def test_what_cannot_be_asked_for_is_refused(large: None, workspace: Workspace) -> None:
    field = filled(workspace, {"type": "text", "required": True, "default": "x"}, ["1"])
    for changes, on_bad in (
        ({"type": "nope"}, "refuse"),
        ({"type": "int"}, "refuse"),  # its default is no number
        ({"type": "int", "default": 1}, "null"),  # required
        ({"type": "int", "default": None}, "default"),
        ({"type": "int", "default": 1}, "sometimes"),
        ({"type": "password"}, "refuse"),
        ({"description": "same"}, "refuse"),
    ):
        with pytest.raises(Problem) as caught:
            retype(field, changes, on_bad=on_bad)
        assert caught.value.status == 400, changes
    run = retype(field, {"type": "int", "default": 1})
    with pytest.raises(Problem) as caught:
        retype(field, {"type": "bool", "default": True})
    assert caught.value.code == "CONFLICT"
    assert run is not None
    hide_field(field)
    assert done(run).state == "failed"


def due(run: Run) -> Run:
    Run.objects.filter(pk=run.pk).update(run_after=Now())
    return run


@pytest.mark.parametrize("rewritten", [20_000, 0])
def test_what_is_dropped_can_be_had_back_until_it_goes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, rewritten: int
) -> None:
    monkeypatch.setattr("stackyard.tables.dropping.REWRITTEN_AT_MOST", rewritten)
    field = filled(workspace, "int", [1, 2, 3])
    hide_field(field)
    [run] = dropped(workspace)
    assert run.target_name == "things.value"
    restore(run)
    assert values(workspace) == [1, 2, 3]
    assert dropped(workspace) == []
    hide_field(field_of(workspace))
    add_field(field.table, "value", "text")
    [run] = dropped(workspace)
    with pytest.raises(Problem) as caught:
        restore(run)
    assert caught.value.code == "CONFLICT"
    column = field.physical
    assert done(due(run)).state == "succeeded", run.error
    left = ddl.columns_of(field.table)
    if column in left:
        assert ddl.run(f"SELECT count({ddl.quoted(column)}) FROM {ddl.table_name(field.table)}")[0][0] == 0
    hide_table(field.table)
    [run] = dropped(workspace)
    assert done(due(run)).state == "succeeded", run.error
    assert not Table.objects.exists()
    assert ddl.columns_of(field.table) == []


def test_the_column_of_a_conversion_goes_too(large: None, workspace: Workspace) -> None:
    field = filled(workspace, {"type": "text", "unique": True}, ["1"])
    done(retype(field, {"type": "int"}))
    assert dropped(workspace) == [], "it is not for people to have back"
    run = Run.objects.get(kind="drop")
    old = Conversion.objects.get().shadow.physical
    assert done(due(run)).state == "succeeded", run.error
    assert old not in ddl.columns_of(field.table)
    assert Index.objects.count() == 1
    store_of(workspace).add("things", {"value": 2})
    assert values(workspace) == [1, 2]
