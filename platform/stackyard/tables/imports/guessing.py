"""What the columns of a file hold: the field of a table that each goes into, or the type of a new one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from stackyard.core.names import is_name
from stackyard.tables.definitions import TableDef
from stackyard.tables.field_type import FieldType, Refused
from stackyard.tables.specs import RESERVED

_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_LEADING_ZERO = re.compile(r"-?0\d")
# In the order they are tried: what takes every cell is the type.
_TYPES = ("bool", "int", "decimal", "float", "date", "timestamp", "uuid", "email")
_BOOLEANS = frozenset({"true", "false", "yes", "no", "on", "off"})


def field_name(header: str, taken: Sequence[str] = ()) -> str:
    """A field name made of a header: `Unit price (€)` becomes `unit_price`."""
    plain = unicodedata.normalize("NFKD", header).encode("ascii", "ignore").decode().lower()
    name = _NOT_PLAIN.sub("_", plain).strip("_")[:60] or "column"
    if not is_name(name):
        name = f"c_{name}"
    made, number = name, 2
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    return made


def matched(headers: Sequence[str], table: TableDef) -> list[str | None]:
    """The field that each header means, by its name or what is left of it without case, blanks and signs."""
    plain = {_NOT_PLAIN.sub("", name.lower()): name for name in table.fields}
    found: list[str | None] = []
    for header in headers:
        name = header if header in table.fields else plain.get(_NOT_PLAIN.sub("", header.lower()))
        found.append(None if name in found else name)
    return found


def guessed_fields(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Name and type of a new field for each column, in their order; `id` and `created_at` are there anyway."""
    fields: dict[str, Any] = {}
    for number, header in enumerate(headers):
        name = field_name(header, [*fields])
        cells = [row[number] for row in rows if number < len(row) and row[number] != ""]
        fields[name] = "int" if name in RESERVED else guessed_type(cells)
    return fields


def guessed_type(cells: Sequence[str]) -> str | Mapping[str, Any]:
    """The narrowest type that takes every cell; text when there is none, or no cell."""
    if not cells or any(_LEADING_ZERO.match(cell) and "." not in cell for cell in cells):
        return "text"
    for name in _TYPES:
        if name == "bool" and not all(cell.strip().lower() in _BOOLEANS for cell in cells):
            continue
        spec = _decimal(cells) if name == "decimal" else name
        if spec is not None and _takes_all(spec, cells):
            return spec
    return "text"


def _decimal(cells: Sequence[str]) -> Mapping[str, Any] | None:
    """Exact where the digits after the point are few, as those of money are."""
    places = max(len(cell.strip().partition(".")[2]) for cell in cells)
    return {"type": "decimal", "scale": max(places, 2)} if places <= 4 else None


def _takes_all(spec: str | Mapping[str, Any], cells: Sequence[str]) -> bool:
    name = spec if isinstance(spec, str) else spec["type"]
    options = {} if isinstance(spec, str) else {key: spec[key] for key in spec if key != "type"}
    kind = FieldType.get(name)(options)
    try:
        for cell in cells:
            kind.parse(cell, lenient=True)
    except Refused:
        return False
    return True
