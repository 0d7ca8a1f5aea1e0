"""The catalogue against the real database, and what killed changes leave, on both databases."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from stackyard.core.models import Workspace
from stackyard.runs.models import Run
from stackyard.runs.working import work
from stackyard.start.installation import finish_changes
from stackyard.tables import changes, ddl, indexing, test_data
from stackyard.tables.conversions import starting
from stackyard.tables.drift import Drift, find_drift, mend
from stackyard.tables.field_type import FieldType
from stackyard.tables.models import Conversion, Field, Index, Table
from stackyard.tables.schema import fresh_schema
from stackyard.tables.store import Store
from tests.factories import make_store

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])
OPTIONS = {"enum": {"values": ["a"]}, "list": {"of": "text"}, "reference": {"table": "things"}}


def things(workspace: Workspace) -> Table:
    """A table with a field of every type and some indexes, one record in it."""
    fields = {f"f_{name}": {"type": name, **OPTIONS.get(name, {})} for name in FieldType.all()}
    store = make_store(workspace, things={"name": "text"})
    table = Table.objects.get(workspace=workspace, name="things")
    for name, spec in fields.items():
        changes.add_field(table, name, spec)
    changes.add_index(table, ["name", "-f_int"])
    changes.edit_field(table.fields.get(name="f_uuid"), unique=True)
    store.add("things", {"name": "kept"})
    return table


def found() -> list[Drift]:
    """What differs, but for the tables that earlier tests left in this database."""
    return [one for one in find_drift() if one.kind != "extra table" or one.place == "d999999"]


def kinds() -> list[str]:
    return sorted(one.kind for one in found())


@pytest.mark.parametrize("with_test_data", [False, True])
def test_nothing_differs_whatever_was_changed(workspace: Workspace, with_test_data: bool) -> None:
    table = things(workspace)
    if with_test_data:
        test_data.make(workspace)
    starting.retype(table.fields.get(name="f_text"), {"type": "int"})
    changes.hide_field(table.fields.get(name="f_bool"))
    changes.hide_index(table.indexes.filter(unique=False, hidden_at=None).get())
    changes.create_table(workspace, "other", fields={"a": "int"})
    changes.hide_table(workspace.tables.get(name="other"))
    assert found() == []


def test_what_differs_is_told_and_mended_without_dropping_data(workspace: Workspace, console: Client) -> None:
    table = things(workspace)
    index = table.indexes.filter(unique=False).get()
    name, column = ddl.table_name(table), ddl.quoted(table.fields.get(name="f_int").physical)
    other = changes.create_table(workspace, "other", fields={"a": "int"})
    ddl.drop(ddl.index_plan(index))
    ddl.drop(ddl.reference_index(table, table.fields.get(name="f_reference")))
    ddl.run(f"ALTER TABLE {name} DROP COLUMN {column}")
    ddl.run(f"ALTER TABLE {name} ADD COLUMN c999999 text")
    ddl.run(f"UPDATE {name} SET c999999 = 'somebody''s'")
    ddl.run(f"DROP TABLE {ddl.table_name(other)}")
    ddl.run(f"CREATE TABLE {ddl.within(workspace.pk, 'd999999')} (id integer)")
    ddl.run(f"CREATE INDEX x999999 ON {name} (created_at)")
    Field.objects.filter(table=table, name="f_date").update(type="int")
    extra = ["extra column", "extra index", "extra table"]
    missing = ["missing column", "missing index", "missing index", "missing table"]
    assert kinds() == [*extra, *missing, "other type"]
    page = console.get(reverse("admin:settings")).content.decode()
    assert "d999999" in page
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("drift", "--repair", stdout=out)
    assert out.getvalue().count("mended") >= 5
    assert kinds() == ["extra column", "extra table", "other type"]
    for run in Run.objects.filter(kind="index"):
        assert work(run.pk) == "succeeded"
    assert ddl.run(f"SELECT c999999 FROM {name}") == [("somebody's",)]
    Field.objects.filter(table=table, name="f_date").update(type="date")
    record = Store(fresh_schema(workspace.pk)).get("things", 1)
    assert record is not None
    assert (record["name"], record["f_int"]) == ("kept", None)
    ddl.run(f"DROP TABLE {ddl.within(workspace.pk, 'd999999')}")


def test_a_start_ends_what_killed_changes_left(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    table = things(workspace)

    class Killed(BaseException):
        """As kill -9."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    if connection.vendor == "postgresql":
        # On SQLite these are one transaction each, and nothing stays of them.
        monkeypatch.setattr(changes, "build_index", die)
        with pytest.raises(Killed):
            changes.add_index(table, ["name"])
    monkeypatch.setattr(changes, "_show_field", die)
    with pytest.raises(Killed):
        changes.add_field(table, "late", "int")
    monkeypatch.undo()
    monkeypatch.setattr(starting, "AT_ONCE", 0)
    run = starting.retype(table.fields.get(name="f_int"), {"type": "text"})
    assert run is not None
    Run.objects.filter(pk=run.pk).update(state="lost", finished_at=timezone.now())
    monkeypatch.setattr(indexing, "AT_ONCE", 0)
    forgotten = changes.add_index(table, ["f_int"])
    Run.objects.filter(pk=forgotten.run_id).update(state="lost", finished_at=timezone.now())
    assert sorted(set(kinds())) == ["unfinished conversion", "unfinished field", "unfinished index"]
    assert "unfinished changes ended" in finish_changes()
    assert found() == []
    assert Conversion.objects.get().state == Conversion.UNDONE
    assert not Index.objects.filter(pk=forgotten.pk).exists()
    changes.add_field(table, "late", "int")
    [late] = [run for run in Run.objects.filter(kind="drop") if run.target_name == "things.late"]
    Run.objects.filter(pk=late.pk).update(run_after=timezone.now() - timedelta(seconds=1))
    assert work(late.pk) == "succeeded"
    assert (mend(find_drift()), found()) == ([], [])
