"""The inputs of a record's form, derived from the field types, and reading them back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse

from stackyard.core.errors import Problem
from stackyard.tables.field_type import Refused
from stackyard.tables.schema import FieldDef, TableDef

from .field_forms import show_default
from .problems import capital, details_of, sentence

_NUMBERS = frozenset({"int", "float", "decimal", "reference"})


@dataclasses.dataclass(slots=True)
class RecordInput:
    """One field on the form: what it shows, and what is wrong with it.

    `kind` chooses the widget: `text`, `line` (one line), `number`, `bool`, `choice`, `code`. `before` is the
    text the person saw, so that only what they changed is saved.
    """

    field: FieldDef
    text: str = ""
    before: str = ""
    errors: list[str] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name in the form."""
        return f"field-{self.field.name}"

    @property
    def kind(self) -> str:
        """Which widget."""
        kind = self.field.type
        if kind.name == "bool":
            return "bool"
        if kind.name == "enum":
            return "choice"
        if kind.name in _NUMBERS:
            return "number"
        if kind.is_json:
            return "code"
        # A one-line input would take the line breaks out of a text.
        return "text" if kind.name == "text" else "line"

    @property
    def rows(self) -> int:
        """The height of a text."""
        return min(
            12, max(1 if self.kind == "text" else 3, self.text.count("\n") + 1, len(self.text) // 80 + 1)
        )

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Value, label, chosen."""
        values = ("true", "false") if self.kind == "bool" else self.field.type.value_type.values or ()
        known = [("", "", not self.text), *((v, v, v == self.text) for v in values)]
        # A record may hold a value that was taken out of the list since: it must survive being looked at.
        return known if not self.text or self.text in values else [*known, (self.text, self.text, True)]

    @property
    def is_required(self) -> bool:
        """Whether it cannot be left empty."""
        return is_needed(self.field)

    @property
    def link(self) -> str:
        """The page of the record it refers to."""
        if not self.field.is_reference or not self.before.isdecimal():
            return ""
        return reverse("admin:tables_table_record", args=[self.field.target, int(self.before)])

    @property
    def hint(self) -> str:
        """Its type in words, and its default."""
        kind = self.field.type
        notes = [str(kind.value_type) if kind.name == "list" else kind.name]
        notes += [f"{name} {value}" for name, value in kind.options.items() if _is_worth_saying(name, value)]
        if self.field.default is not None:
            notes.append(f"empty: {show_default(self.field.default)}")
        return " · ".join(notes)


def is_needed(field: FieldDef) -> bool:
    """Whether a new record must say something here."""
    return field.required and field.default is None


def _is_worth_saying(option: str, value: Any) -> bool:
    return value not in (None, False) and option not in {
        "table",
        "values",
        "of",
        "fields",
        "pattern",
        "on_delete",
    }


def inputs_of(table: TableDef, record: Mapping[str, Any] | None = None) -> list[RecordInput]:
    """An input a field; with a record they show what it holds."""
    made = []
    for definition in table.own_fields:
        value = None if record is None else record.get(definition.name)
        text = "" if value is None else definition.type.csv_text(value)
        made.append(RecordInput(definition, text, text))
    return made


def read_inputs(inputs: Iterable[RecordInput], sent: Mapping[str, str], is_new: bool) -> dict[str, Any]:
    """The values that were typed, by field name; every fault lands at its input.

    Of a new record the empty ones are left out, so that defaults apply; of an existing one only what differs
    from what the person saw is in it, and an emptied one is null.
    """
    values: dict[str, Any] = {}
    for entry in inputs:
        entry.text = sent.get(entry.name, "").replace("\r\n", "\n")
        entry.before = sent.get(f"{entry.name}-before", entry.before).replace("\r\n", "\n")
        if entry.text == ("" if is_new else entry.before):
            if is_new and entry.is_required:
                entry.errors.append("Needed.")
            continue
        try:
            values[entry.field.name] = entry.field.type.from_csv(entry.text)
        except Refused as refused:
            entry.errors += [_fault(fault.dotted, fault.message) for fault in refused.faults]
        except Problem as problem:
            entry.errors.append(sentence(problem))
    return values


def add_problem(inputs: Iterable[RecordInput], problem: Problem) -> list[str]:
    """Put a Problem's details at their inputs; what belongs to none is returned."""
    by_name = {entry.field.name: entry for entry in inputs}
    left = [] if details_of(problem) else [sentence(problem)]
    for detail in details_of(problem):
        name, _, rest = detail.field.partition(".")
        if name in by_name:
            by_name[name].errors.append(_fault(rest, detail.message))
        else:
            left.append(_fault(detail.field, detail.message))
    return left


def _fault(place: str, message: str) -> str:
    return f"{place}: {capital(message)}" if place else capital(message)
