"""What a change of a table would do to its records and to those who read it, told before it is done.

Nothing is changed here, and nothing promised: the deed itself looks again. A change of type tells more (`conversions.planning`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as by_default
from typing import Any, Literal

from django.db import connection, transaction
from django.utils import timezone

from stackyard.core.errors import Faults, Problem

from . import changes, ddl
from .conversions.planning import cells_of
from .field_type import FieldType, Refused, shown
from .indexing import AT_ONCE, shown_cell
from .models import Field, Table
from .narrowing import ask
from .readers import Reader, readers_of
from .specs import FieldSpec, read_index, read_name, unique_index

SHOWN = 5
# Rough, and on the careful side for a small machine: so many records a second.
INDEXED_PER_SECOND = 300_000
FILLED_PER_SECOND = 50_000


@dataclass(frozen=True)
class Change:
    """A change as somebody means to make it.

    `add`: the field `name` of `spec`; `edit`: `field` gets what `spec` says (as `edit_field` takes it) and `name`; `hide`:
    `field` goes; `index`: over the fields `parts`.
    """

    deed: Literal["add", "edit", "hide", "index"]
    table: Table
    field: Field | None = None
    name: str = ""
    spec: Mapping[str, Any] = by_default(default_factory=dict)
    parts: Sequence[str] = ()
    unique: bool = False


@dataclass(slots=True)
class Outlook:
    """What would happen, in sentences. `stopped` says why it can't be done as things are; empty when it can.

    `bad` are up to five examples of `refused` values that don't fit: `{"ids", "value", "reason"}`.
    """

    records: int
    steps: list[str] = by_default(default_factory=list)
    refused: int = 0
    bad: list[dict[str, Any]] = by_default(default_factory=list)
    at_once: bool = True
    seconds: float = 0.0
    stopped: str = ""
    readers: list[Reader] = by_default(default_factory=list)

    @property
    def is_worth_a_look(self) -> bool:
        """Whether records or readers are touched: otherwise there is nothing to tell."""
        return bool(self.stopped or self.refused or (self.steps and (self.records or self.readers)))


def what_will_happen(change: Change) -> Outlook:
    """Look at the records and say what a change would do. Problem `INVALID_INPUT` with every fault of the change itself."""
    records = sum(
        int(ddl.run(f"SELECT count(*) FROM {ddl.table_name(one)}")[0][0])
        for one in change.table.each_source()
    )
    outlook = Outlook(records)
    {"add": _add, "edit": _edit, "hide": _hide, "index": _index}[change.deed](change, outlook)
    return outlook


def _add(change: Change, outlook: Outlook) -> None:
    faults = Faults()
    made = changes.read_new(change.table, change.name, change.spec, faults)
    faults.raise_errors()
    assert made is not None
    if not outlook.records:
        return
    if made.required and made.default is None:
        outlook.stopped = f"{outlook.records:,} records are there: a required field needs a default for them."
    elif made.required and made.unique and made.default not in FieldType.get(made.type).default_words:
        outlook.stopped = f"{outlook.records:,} records are there: they can't all hold the same unique value."
    elif made.required:
        outlook.steps.append(f"{outlook.records:,} records get {shown(made.default)}.")
    else:
        outlook.steps.append(f"{outlook.records:,} records hold nothing in it yet.")
    if made.unique or made.type == "reference":
        _indexed(outlook)
    outlook.steps.append("Endpoints that give out whole records give out the new field too, from now on.")
    outlook.readers = readers_of(change.table.workspace_id, change.table.name, change.name)


def _edit(change: Change, outlook: Outlook) -> None:
    given = change.field
    assert given is not None
    made = changes.read_edit(given, change.spec)
    if change.name and change.name != given.name:
        _rename(given, change.name, outlook)
    was_unique = unique_index(given) is not None
    if made.required and not given.required:
        _require(given, made, outlook)
    elif given.required and not made.required:
        outlook.steps.append("Records may hold nothing here from now on.")
    if made.unique and not was_unique:
        _look_for_doubles(change.table, [given], outlook)
        _indexed(outlook)
    elif was_unique and not made.unique:
        outlook.steps.append("Two records may hold the same value from now on; its index is dropped.")
    if made.options != given.options:
        _try_options(given, made, outlook)
    if made.default != given.default:
        word = "nothing" if made.default is None else shown(made.default)
        outlook.steps.append(f"New records that say nothing get {word}; what is there stays.")
    if made.access != given.access:
        outlook.steps.append(f"It is {made.access} from now on, and was {given.access}.")
    if outlook.steps or outlook.stopped:
        outlook.readers = readers_of(change.table.workspace_id, change.table.name, given.name)


def _rename(given: Field, name: str, outlook: Outlook) -> None:
    faults = Faults()
    others = given.table.fields.filter(hidden_at=None).exclude(pk=given.pk)
    read_name(name, list(others.values_list("name", flat=True)), faults, ("name",), "field")
    faults.raise_errors()
    outlook.steps.append(f"It is called {name} in every answer, input and import; no value is touched.")
    outlook.stopped = _asked(given, name=name)


def _hide(change: Change, outlook: Outlook) -> None:
    given = change.field
    assert given is not None
    filled = outlook.records - ddl.count_nulls(given.table, given)
    outlook.steps.append(
        f"{filled:,} of {outlook.records:,} records hold a value here. It is out of sight at once, and can be had back for a while."
    )
    over = [
        index
        for index in given.table.indexes.filter(hidden_at=None)
        if any(part["field"] == given.pk for part in index.fields)
    ]
    if over:
        outlook.steps.append(f"{len(over)} {'index' if len(over) == 1 else 'indexes'} over it are dropped.")
    outlook.stopped = _asked(given, hidden_at=timezone.now())
    outlook.readers = readers_of(given.table.workspace_id, given.table.name, given.name)


def _asked(given: Field, **new: Any) -> str:
    """Why those who use the field would not have it so; nothing of the question stays."""
    try:
        with transaction.atomic():
            Field.objects.filter(pk=given.pk).update(**new)
            try:
                ask(given.table.workspace_id, given.name)
            finally:
                transaction.set_rollback(True)
    except Problem as problem:
        return f"{problem.message} {problem.suggestion or ''}".rstrip()
    return ""


def _require(given: Field, made: FieldSpec, outlook: Outlook) -> None:
    empty = ddl.count_nulls(given.table, given)
    if not empty:
        outlook.steps.append(f"All {outlook.records:,} records hold a value already.")
        return
    if made.default is not None:
        outlook.steps.append(
            f"{empty:,} of {outlook.records:,} records hold nothing: they get {shown(made.default)}."
        )
        outlook.seconds += empty / FILLED_PER_SECOND
        return
    outlook.stopped = f"{empty:,} of {outlook.records:,} records hold nothing here: give a default for them."
    outlook.refused += empty
    rows = ddl.run(
        f"SELECT id FROM {ddl.table_name(given.table)} WHERE {ddl.quoted(given.physical)} IS NULL"
        f" ORDER BY id LIMIT {SHOWN}"
    )
    outlook.bad += [{"ids": [int(row[0])], "value": "", "reason": "holds nothing"} for row in rows]


def _look_for_doubles(table: Table, fields: Sequence[Field | str], outlook: Outlook) -> None:
    """Values that are there more than once, with the first and the last record that holds each."""
    columns = ", ".join(ddl.quoted(one.physical if isinstance(one, Field) else one) for one in fields)
    present = " AND ".join(f"{column} IS NOT NULL" for column in columns.split(", "))
    for source in table.each_source():
        groups = (
            f"SELECT {columns}, count(*) AS times, min(id) AS first, max(id) AS last FROM {ddl.table_name(source)}"
            f" WHERE {present} GROUP BY {columns} HAVING count(*) > 1"
        )
        found = int(ddl.run(f"SELECT count(*) FROM ({groups}) AS doubled")[0][0])
        if not found:
            continue
        outlook.refused += found
        outlook.stopped = f"{found:,} {'value is' if found == 1 else 'values are'} there more than once: make them different first."
        for *raw, times, first, last in ddl.run(f"{groups} ORDER BY times DESC, first LIMIT {SHOWN}"):
            value = ", ".join(shown_cell(one, cell) for one, cell in zip(fields, raw, strict=True))
            outlook.bad.append(
                {"ids": [int(first), int(last)], "value": value, "reason": f"is there {int(times):,} times"}
            )
        return
    outlook.steps.append(
        f"No value is there twice in {outlook.records:,} records, and none can be from now on."
    )


def _indexed(outlook: Outlook) -> None:
    """An index over all records has to be built."""
    outlook.at_once = outlook.records <= AT_ONCE
    outlook.seconds += outlook.records / INDEXED_PER_SECOND
    how = "at once" if outlook.at_once else "by a run, while requests go on"
    outlook.steps.append(f"An index over {outlook.records:,} records is built {how}.")


def _try_options(given: Field, made: FieldSpec, outlook: Outlook) -> None:
    """Which of the values that are there the new options would not take: they stay, for they are not checked again."""
    kind = FieldType.get(given.type)
    if not kind.can_be_converted:
        return
    old, new = kind(given.options), kind(made.options)
    checked, refused = 0, 0
    for number, raw in cells_of(given, outlook.records):
        if raw is None:
            continue
        checked += 1
        value = old.to_json(old.load(raw, connection.vendor))
        try:
            new.parse(value)
        except Refused as wrong:
            refused += 1
            if len(outlook.bad) < SHOWN:
                reason = "; ".join(fault.message for fault in wrong.faults)
                outlook.bad.append({"ids": [int(number)], "value": shown(value), "reason": reason})
    outlook.refused += refused
    told = f"{refused:,} of the {checked:,} values that were looked at don't fit the new options"
    outlook.steps.append(
        f"{told}: they stay as they are, until somebody writes the field." if refused else f"{told}."
    )


def _index(change: Change, outlook: Outlook) -> None:
    faults = Faults()
    fields = {one.name: one for one in change.table.fields.filter(hidden_at=None)}
    types = {name: one.type for name, one in fields.items()}
    made = read_index({"fields": list(change.parts), "unique": change.unique}, types, faults, ())
    if change.table.indexes.filter(hidden_at=None).count() >= changes.INDEXES:
        faults.error(("indexes",), "range", f"A table has at most {changes.INDEXES} indexes.")
    faults.raise_errors()
    assert made is not None
    if made.unique:
        _look_for_doubles(change.table, [fields.get(name, name) for name, _ in made.parts], outlook)
    _indexed(outlook)
    outlook.steps.append("No value is changed. Writing gets a little slower, finding by these fields fast.")
