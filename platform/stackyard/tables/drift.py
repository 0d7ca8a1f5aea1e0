"""Whether the catalogue and the database still say the same, and what a killed process left half done.

The catalogue is what counts. What it lacks is never dropped here, for it may hold somebody's data: it is only told. What the
database lacks is made again, empty. Indexes hold nothing of their own, so those that nobody knows go. A change that was
killed in the middle is taken to its end or back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import connection
from django.utils import timezone

from stackyard.core.data_source import LIVE, TEST
from stackyard.core.version import bump
from stackyard.runs import states
from stackyard.runs.models import Run

from . import ddl
from .alterations import alter, is_live
from .conversions import switching
from .dropping import KIND as DROP
from .dropping import drop_later
from .field_type import FieldType
from .indexing import KIND as INDEX
from .indexing import build_later
from .mirrors import Mirror
from .models import Conversion, Field, Index, Table
from .schema import namespace

_INDEX = re.compile(r"x\d+(?:_t)?\Z")
_MIRROR = re.compile(r"(x\d+(?:_t)?|c\d+(?:_t)?_ref)_mirror\Z")
# What a process that was killed leaves; the rest came from outside.
UNFINISHED = ("unfinished field", "unfinished index", "unfinished conversion", "leftover of an index")


@dataclass(frozen=True)
class Drift:
    """One difference. `mend` puts it right without dropping data; None where only a person can say what is meant."""

    kind: str
    place: str
    what: str
    mend: Callable[[], object] | None = None

    @property
    def is_unfinished(self) -> bool:
        """Whether a killed process left it, so that a start sees to it by itself."""
        return self.kind in UNFINISHED


@dataclass
class Found:
    """What the database has of one table: columns with their types, indexes with whether they are valid."""

    columns: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, bool] = field(default_factory=dict)


def find_drift() -> list[Drift]:
    """Every difference between the catalogue and the database, over all workspaces. Changes nothing."""
    real = _real_on_sqlite() if connection.vendor == "sqlite" else _real_on_postgresql()
    tables = Table.objects.select_related("workspace").prefetch_related("fields", "indexes")
    found: list[Drift] = []
    for table in tables:
        for one in [table, table.of(TEST)] if table.workspace.has_test_data else [table]:
            there = real.pop(_key(one), None)
            if there is not None:
                found += [*_of_columns(one, there), *_of_indexes(one, there)]
            elif one.source == LIVE or one.hidden_at is None:
                found.append(_missing_table(one))
    found += [
        Drift(
            "extra table",
            name,
            f"The database has a table {name} that no workspace knows. It is left as it is.",
        )
        for _, name in real
        if re.fullmatch(r"d\d+(?:_t)?", name)
    ]
    return [*found, *_leftovers(), *_unfinished()]


def mend(found: list[Drift], *, only_unfinished: bool = False) -> list[Drift]:
    """Put right what can be put right without dropping data; what was."""
    mended = [one for one in found if one.mend is not None and (one.is_unfinished or not only_unfinished)]
    for one in mended:
        assert one.mend is not None
        one.mend()
    return mended


def _said(table: Table) -> str:
    return table.name if table.source == LIVE else f"the test data of {table.name}"


def _key(table: Table) -> tuple[str | None, str]:
    return namespace(table.workspace_id), table.physical


def _real_on_sqlite() -> dict[tuple[str | None, str], Found]:
    found: dict[tuple[str | None, str], Found] = {}
    columns = ddl.run(
        "SELECT m.name, p.name, p.type FROM sqlite_schema m JOIN pragma_table_info(m.name) p"
        " WHERE m.type = 'table' AND m.name GLOB 'd[0-9]*'"
    )
    for table, name, kind in columns:
        found.setdefault((None, table), Found()).columns[name] = kind
    for table, name in ddl.run("SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index'"):
        if (None, table) in found:
            found[None, table].indexes[name] = True
    return found


def _real_on_postgresql() -> dict[tuple[str | None, str], Found]:
    found: dict[tuple[str | None, str], Found] = {}
    columns = ddl.run(
        "SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname ~ '^ws[0-9]+$' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
    )
    for space, table, name, kind in columns:
        found.setdefault((space, table), Found()).columns[name] = kind
    indexes = ddl.run(
        "SELECT n.nspname, t.relname, c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
        " WHERE n.nspname ~ '^ws[0-9]+$'"
    )
    for space, table, name, is_valid in indexes:
        if (space, table) in found:
            found[space, table].indexes[name] = bool(is_valid)
    return found


def _missing_table(table: Table) -> Drift:
    def make() -> None:
        def work() -> None:
            ddl.create_one(table, list(table.fields.all()))
            Index.objects.filter(table=table).exclude(built_at=None).update(built_at=None, run_id=None)
            for index in table.indexes.filter(hidden_at=None):
                build_later(table, index)
            bump(table.workspace_id)

        alter(table.workspace_id, work)

    what = f"The database has no table for {_said(table)}. Its records are gone; it can be made again, empty."
    return Drift("missing table", table.physical, what, make)


def _of_columns(table: Table, there: Found) -> Iterator[Drift]:
    known = {"id", "created_at"}
    for one in table.fields.all():
        known.add(one.physical)
        place = f"{table.physical}.{one.physical}"
        if one.physical not in there.columns:
            what = f"The database has no column for {table.name}.{one.name}. Its values are gone; it can be added, empty."
            yield Drift("missing column", place, what, _adds(table, one))
            continue
        wanted, real = _column_type(one), there.columns[one.physical].lower()
        if wanted != real:
            what = f"{table.name}.{one.name} is {one.type}, so its column should be {wanted}; it is {real}."
            yield Drift("other type", place, f"{what} Change the field's type, or mend the column by hand.")
    for name in there.columns.keys() - known:
        what = f"The table of {table.name} has a column {name} that no field knows. It is left as it is."
        yield Drift("extra column", f"{table.physical}.{name}", what)


def _column_type(one: Field) -> str:
    kind = FieldType.get(one.type)(one.options).column(connection.vendor)
    return kind.removesuffix(' COLLATE "C"').lower()


def _adds(table: Table, one: Field) -> Callable[[], object]:
    return lambda: alter(table.workspace_id, lambda: ddl.add_column_in(table, one))


def _of_indexes(table: Table, there: Found) -> Iterator[Drift]:
    if table.hidden_at is not None:
        return
    known = {ddl.named(table, f"{table.of(LIVE).physical}_created"), f"{table.physical}_pkey"}
    for one in table.fields.all():
        name = ddl.named(table, f"{one.physical}_ref")
        known.add(name)
        is_wanted = one.type == "reference" and one.hidden_at is None
        if is_wanted and not there.indexes.get(name) and not _is_coming(one):
            what = f"The index of the reference {table.name}.{one.name} is not there."
            yield Drift("missing index", name, what, _builds(table, None, one))
    for index in table.indexes.all():
        name = ddl.named(table, index.physical)
        known.add(name)
        is_wanted = index.built_at is not None and index.hidden_at is None
        if is_wanted and not there.indexes.get(name):
            what = f"An index of {_said(table)} is not there, or not whole: {name}."
            yield Drift("missing index", name, what, _builds(table, index, None))
    for name in there.indexes.keys() - known:
        if _INDEX.match(name):
            what = f"The table of {table.name} has an index {name} that nobody knows; an index holds no data of its own."
            yield Drift("extra index", name, what, _drops(table, name))
        elif not _MIRROR.match(name):
            yield Drift(
                "extra index", name, f"The table of {table.name} has an index {name} of somebody else's."
            )


def _builds(table: Table, index: Index | None, one: Field | None) -> Callable[[], object]:
    def work() -> None:
        if index is not None:
            Index.objects.filter(pk=index.pk).update(built_at=None)
        build_later(table, index, one)
        bump(table.workspace_id)

    return lambda: alter(table.workspace_id, work)


def _drops(table: Table, name: str) -> Callable[[], object]:
    way = " CONCURRENTLY" if is_live() else ""
    return lambda: ddl.run(f"DROP INDEX{way} IF EXISTS {ddl.within(table.workspace_id, name)}")


def _is_coming(one: Field) -> bool:
    runs = Run.objects.filter(kind=INDEX, target_id=one.table_id, state__in=states.UNFINISHED)
    return any(run.input["field"] == one.pk for run in runs)


def _leftovers() -> Iterator[Drift]:
    """SQLite: mirrors whose index is built, or is no more, or whose run is over."""
    if connection.vendor != "sqlite":
        return
    for (name,) in ddl.run("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '*_mirror'"):
        made = _MIRROR.match(name)
        if made is None or _is_being_built(made[1]):
            continue
        plan = ddl.IndexPlan(Table(pk=0), made[1], ())
        what = f"{name} was made to build an index that nobody builds any more."
        yield Drift("leftover of an index", name, what, Mirror(plan).drop)


def _is_being_built(name: str) -> bool:
    number = int(re.sub(r"\D", "", name))
    at_work = Run.objects.filter(kind__in=(INDEX, switching.KIND), state__in=states.UNFINISHED)
    if not name.startswith("x"):
        return bool(at_work.exists())
    index = Index.objects.filter(pk=number).first()
    if index is None:
        return False
    # A conversion's index is hidden until the switch and has no run of its own.
    return bool(
        at_work.filter(pk=index.run_id).exists()
        if index.run_id
        else at_work.filter(kind=switching.KIND).exists()
    )


def _unfinished() -> Iterator[Drift]:
    yield from _unfinished_fields()
    for index in Index.objects.filter(built_at=None, hidden_at=None, table__hidden_at=None).select_related(
        "table"
    ):
        run = Run.objects.filter(pk=index.run_id or _NOBODY).first()
        what = f"An index of {index.table.name} was begun and never built."
        if index.run_id is None or run is None:
            yield Drift("unfinished index", index.physical, what, _builds(index.table, index, None))
        elif run.is_finished:
            yield Drift("unfinished index", index.physical, what, index.delete)
    for conversion in Conversion.objects.filter(state=Conversion.CONVERTING).select_related(
        "field__table", "shadow"
    ):
        run = Run.objects.filter(pk=conversion.run_id or _NOBODY).first()
        if run is None or run.is_finished:
            what = f"A change of type of {conversion.field.table.name}.{conversion.field.name} has no run any more."
            yield Drift("unfinished conversion", conversion.shadow.physical, what, _takes_back(conversion))


_NOBODY = "00000000-0000-0000-0000-000000000000"


def _takes_back(conversion: Conversion) -> Callable[[], object]:
    return lambda: alter(conversion.field.table.workspace_id, lambda: switching.undo(conversion))


def _unfinished_fields() -> Iterator[Drift]:
    """Fields that were never shown: adding them was cut short, so they go again."""
    hidden = Field.objects.filter(hidden_at__lt=timezone.now(), emptied_at=None, table__hidden_at=None)
    shadows = set(Conversion.objects.values_list("shadow_id", flat=True))
    dropping = {
        run.input.get("field")
        for run in Run.objects.filter(kind=DROP).only("input")
        if isinstance(run.input, dict)
    }
    for one in hidden.select_related("table__workspace"):
        if one.pk in shadows or one.pk in dropping:
            continue
        what = f"The field {one.name} of {one.table.name} was being added and never shown."
        yield Drift("unfinished field", f"{one.table.physical}.{one.physical}", what, _drops_later(one))


def _drops_later(one: Field) -> Callable[[], object]:
    # Whoever is adding it at this very moment shows it long before.
    return lambda: drop_later(one.table, one, switching.UNDONE_SECONDS)
