"""What a change of type would do, told before it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from stackyard.core.errors import Faults, Problem
from stackyard.tables import ddl
from stackyard.tables.database import execute
from stackyard.tables.field_type import FieldType, Refused, shown
from stackyard.tables.models import Conversion, Field, Table
from stackyard.tables.specs import OWN_WORDS, FieldSpec, field_spec, is_fixed_change, read_field

from .casting import Cast

AT_ONCE = 2_000
"""Up to so many records are converted in the request itself."""
WHOLE = 20_000
SLICE = 1_000
SHOWN = 20
ON_BAD = ("refuse", "null", "default")


@dataclass(slots=True)
class Plan:
    """What would happen. `bad` are examples: `{"id", "value", "reason"}`; `is_whole`: every record was looked at."""

    spec: FieldSpec
    changes_type: bool
    records: int = 0
    checked: int = 0
    converts: int = 0
    empty: int = 0
    refused: int = 0
    bad: list[dict[str, Any]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left to chance."""
        return self.checked == self.records

    @property
    def at_once(self) -> bool:
        """Whether it is done in the request; otherwise it becomes a run."""
        return not self.changes_type or self.records <= AT_ONCE


def read_wanted(given: Field, changes: Mapping[str, Any], on_bad: str = "refuse") -> FieldSpec:
    """The field as it will be: the new type with its options, and of the rules what the change does not name.

    Problem `INVALID_INPUT` with every fault, `CONFLICT` while another conversion of the field is under way.
    """
    written = field_spec(given)
    old = {"type": written} if isinstance(written, str) else dict(written)
    own = {key: value for key, value in old.items() if key in OWN_WORDS and key != "type"}
    same = {} if changes.get("type", given.type) != given.type else old
    wanted = {**same, **own, "type": given.type, **changes}
    wanted = {key: value for key, value in wanted.items() if value is not None}
    faults = Faults()
    if on_bad not in ON_BAD:
        faults.error(("on_bad",), "value", f"expected one of {', '.join(ON_BAD)}, got {shown(on_bad)}")
    tables = dict(
        Table.objects.filter(workspace=given.table.workspace_id, hidden_at=None).values_list("name", "pk")
    )
    if "default" in wanted and "default" not in changes:
        wanted["default"] = _cast_default(given, wanted)
    made = read_field(given.name, wanted, tables, faults, ())
    if made is not None:
        _check_rules(given, made, on_bad, faults)
    faults.raise_errors()
    assert made is not None
    if Conversion.objects.filter(field=given, state=Conversion.CONVERTING).exists():
        raise Problem(
            "CONFLICT",
            f"{given.name} is being converted already.",
            suggestion="Wait for that run, or cancel it.",
        )
    return made


def _cast_default(given: Field, wanted: Mapping[str, Any]) -> Any:
    """The default as the new type has it, where that can be told; else as it is, and the reader says what is wrong."""
    options = {key: wanted[key] for key in wanted if key not in OWN_WORDS}
    kind = FieldType.all().get(wanted["type"])
    old = FieldType.get(given.type)(given.options)
    if (
        kind is None
        or given.default in old.default_words
        or any(o.kind == "table" for o in kind.option_spec.values())
    ):
        return given.default
    try:
        new = kind(options)
        return new.to_json(Cast(old, new).value(old.parse(given.default)))
    except (Refused, Problem):
        return given.default


def _check_rules(given: Field, made: FieldSpec, on_bad: str, faults: Faults) -> None:
    kind, was = FieldType.get(made.type), FieldType.get(given.type)
    if not (kind.can_be_converted and was.can_be_converted) and made.type != given.type:
        closed = made.type if not kind.can_be_converted else given.type
        faults.error(("type",), "value", f"What is kept as {closed} can't be converted; add a new field.")
    if made.required and not given.required:
        faults.error(("required",), "fixed", "Change the type first, then make the field required.")
    if on_bad == "null" and made.required:
        faults.error(("on_bad",), "value", "A required field can't be left empty: use refuse or default.")
    if on_bad == "default" and made.default is None:
        faults.error(("on_bad",), "required", "Give a default for what can't be converted.")
    if kind.is_json and _indexes(given):
        faults.error(("type",), "value", f"A {made.type} field can't be indexed: drop its indexes first.")


def _indexes(given: Field) -> list[Any]:
    indexes = given.table.indexes.filter(hidden_at=None)
    return [index for index in indexes if any(part["field"] == given.pk for part in index.fields)]


def plan_retype(given: Field, changes: Mapping[str, Any], on_bad: str = "refuse") -> Plan:
    """Look at the cells (all of them up to 20,000, else as many from all over the table) and say what would happen."""
    made = read_wanted(given, changes, on_bad)
    plan = Plan(made, is_fixed_change(given, made))
    plan.records = int(ddl.run(f"SELECT count(*) FROM {ddl.table_name(given.table)}")[0][0])
    if not plan.changes_type:
        plan.checked = plan.records
        plan.steps = ["Only rules change: no cell is touched."]
        return plan
    cast = Cast(FieldType.get(given.type)(given.options), FieldType.get(made.type)(made.options))
    for number, raw in cells_of(given, plan.records):
        _try(cast, number, raw, plan, required=made.required)
    plan.steps = _steps(given, plan, on_bad)
    return plan


def _try(cast: Cast, number: int, raw: Any, plan: Plan, *, required: bool) -> None:
    plan.checked += 1
    if raw is None:
        plan.empty += 1
        return
    value = cast.old.load(raw, connection.vendor)
    reason = "is required"
    try:
        if cast.value(value) is not None or not required:
            plan.converts += 1
            return
    except Refused as refused:
        reason = "; ".join(fault.message for fault in refused.faults)
    plan.refused += 1
    if len(plan.bad) < SHOWN:
        plan.bad.append({"id": number, "value": shown(cast.old.to_json(value)), "reason": reason})


def cells_of(given: Field, records: int) -> Iterator[tuple[int, Any]]:
    """All ids and cells, or slices that begin at even distances."""
    name, column = ddl.table_name(given.table), ddl.quoted(given.physical)
    mark = "?" if connection.vendor == "sqlite" else "%s"
    if records <= WHOLE:
        yield from execute(f"SELECT id, {column} FROM {name} ORDER BY id", [])
        return
    last, slices, reached = ddl.last_id(given.table), WHOLE // SLICE, 0
    for number in range(slices):
        begin = max(reached, last * number // slices)
        rows = execute(
            f"SELECT id, {column} FROM {name} WHERE id > {mark} ORDER BY id LIMIT {SLICE}", [begin]
        )
        yield from rows
        reached = int(rows[-1][0]) if rows else begin


def _steps(given: Field, plan: Plan, on_bad: str) -> list[str]:
    """Sentences for people."""
    fate = {
        "refuse": "the change is taken back when there is one",
        "null": "they are left empty",
        "default": f"they become {shown(plan.spec.default)}",
    }[on_bad]
    about = "" if plan.is_whole else f" of the {plan.checked:,} that were looked at"
    indexes = len(_indexes(given)) + (plan.spec.type == "reference")
    steps = [
        f"A second column of type {plan.spec.type} is added; from then on every write goes into both.",
        f"{plan.records:,} records are converted"
        + (" at once." if plan.at_once else " in batches by a run, while requests go on."),
        f"{plan.converts:,}{about} convert, {plan.empty:,} are empty, {plan.refused:,} can't be converted"
        + (f": {fate}." if plan.refused or not plan.is_whole else "."),
    ]
    if indexes:
        steps.append(f"{indexes} {'index is' if indexes == 1 else 'indexes are'} built for the new column.")
    return [*steps, "Then the new column takes the place of the old one, which is dropped later."]
