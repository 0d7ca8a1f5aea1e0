"""Conditions on records as people put them together: a field, a word such as "at least", a text."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy

from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.tables.field_type import Refused
from stackyard.tables.schema import FieldDef, TableDef

OPERATORS = (
    ("contains", gettext_lazy("contains"), "$contains"),
    ("equals", gettext_lazy("is"), "$eq"),
    ("differs", gettext_lazy("is not"), "$ne"),
    ("least", gettext_lazy("at least"), "$gte"),
    ("most", gettext_lazy("at most"), "$lte"),
    ("has", gettext_lazy("has the item"), "$has"),
    ("empty", gettext_lazy("is empty"), "$exists"),
    ("filled", gettext_lazy("is not empty"), "$exists"),
)
"""Word in the address, words on the page, operator of the where language."""
FILTERS = 20
_OPERATOR_OF = {word: operator for word, _, operator in OPERATORS}


def operators_of(field: FieldDef) -> list[str]:
    """The words that can be asked of a field."""
    return [word for word, _, operator in OPERATORS if operator in field.type.operators]


def condition(field: FieldDef, word: str, text: str) -> dict[str, Any]:
    """One condition; a text that the field does not take goes to the store as it is, which says what is wrong."""
    operator = _OPERATOR_OF[word]
    if operator == "$exists":
        return {field.name: {operator: word == "filled"}}
    return {field.name: {operator: _operand(field, operator, text)}}


def _operand(field: FieldDef, operator: str, text: str) -> Any:
    if operator == "$contains":
        return text
    kind = field.type.of if operator == "$has" and hasattr(field.type, "of") else field.type
    try:
        return kind.to_json(kind.parse(text, lenient=True))
    except Refused:
        return text


def where_of(table: TableDef, filters: Sequence[Sequence[str]]) -> dict[str, Any] | None:
    """All of `[[field, word, text], …]` together. Problem `INVALID_INPUT` that names each wrong one by its place."""
    details: list[Detail] = []
    parts = []
    for place, (name, word, text) in enumerate(filters):
        field = table.readable.get(name)
        if field is None or word not in _OPERATOR_OF:
            what = (
                f"There is no field {name[:80]}." if field is None else f"There is no comparison {word[:80]}."
            )
            details.append(Detail(str(place), "value", what))
        else:
            parts.append(condition(field, word, text))
    if details:
        raise invalid_input(details)
    return {"$and": parts} if parts else None


def read_filters(text: str) -> list[list[str]]:
    """Filters as an address has them, in JSON. Problem `INVALID_INPUT` when they are none."""
    given: Any = None
    with contextlib.suppress(ValueError, RecursionError):
        given = json.loads(text) if text else []
    if isinstance(given, list) and len(given) <= FILTERS and all(map(_is_filter, given)):
        return given
    raise Problem("INVALID_INPUT", f"filters: expected at most {FILTERS} of [field, comparison, text].")


def _is_filter(given: Any) -> bool:
    return isinstance(given, list) and len(given) == 3 and all(isinstance(part, str) for part in given)
