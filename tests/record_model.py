"""What the store must answer, said again over plain dictionaries: the oracle of the table tests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

from stackyard.core.jsonout import iso
from stackyard.tables.conversions.casting import Cast
from stackyard.tables.field_type import FieldType, Refused

Record = Mapping[str, Any]


def meets(where: Any, record: Record) -> bool:
    """Whether a record meets a where."""
    return all(_entry(key, value, record) for key, value in (where or {}).items())


def _entry(key: str, value: Any, record: Record) -> bool:
    if key == "$and":
        return all(meets(part, record) for part in value)
    if key == "$or":
        return any(meets(part, record) for part in value)
    if key == "$nor":
        return not any(meets(part, record) for part in value)
    if key == "$not":
        return not meets(value, record)
    name, *path = key.split(".")
    held = record[name]
    for part in path:
        held = step(held, part)
    return _conditions(held, value, record, bool(path))


def step(held: Any, part: str) -> Any:
    """One step of a path into JSON."""
    if isinstance(held, dict):
        return None if part.isdigit() else held.get(part)
    if isinstance(held, list) and part.isdigit() and int(part) < len(held):
        return held[int(part)]
    return None


def _conditions(held: Any, value: Any, record: Record, in_json: bool) -> bool:
    if not isinstance(value, dict) or "$field" in value:
        return _compare("$eq", held, value, record, in_json)
    return all(
        not _conditions(held, operand, record, in_json)
        if op == "$not"
        else _compare(op, held, operand, record, in_json)
        for op, operand in value.items()
        if op != "$optional"
    )


def _compare(op: str, held: Any, operand: Any, record: Record, in_json: bool) -> bool:
    if isinstance(operand, dict):
        operand = record[operand["$field"]]
        if operand is None and op != "$ne":
            return False
    if op == "$exists":
        return (held is not None) == operand
    if op == "$between":
        return _compare("$gte", held, operand[0], record, in_json) and _compare(
            "$lte", held, operand[1], record, in_json
        )
    if op.startswith("$has"):
        return isinstance(held, list) and _has(op, held, operand)
    if op == "$eq":
        return _same(held, operand, in_json)
    if op == "$ne":
        return not _same(held, operand, in_json)
    if op == "$in":
        return any(_same(held, one, in_json) for one in operand)
    if op == "$nin":
        return not any(_same(held, one, in_json) for one in operand)
    if held is None or operand is None or (in_json and kind(held) != kind(operand)):
        return False
    return _ORDERED[op](_plain(held, in_json), _plain(operand, in_json))


def _has(op: str, held: Sequence[Any], operand: Any) -> bool:
    wanted = operand if op != "$has" else [operand]
    found = [any(_same(one, want, True) for one in held) for want in wanted]
    return any(found) if op == "$has_any" else all(found)


def _same(held: Any, operand: Any, in_json: bool) -> bool:
    if held is None or operand is None:
        return held is operand
    if in_json and kind(held) != kind(operand):
        return False
    return bool(_plain(held, in_json) == _plain(operand, in_json))


def kind(value: Any) -> str:
    """What a value is within JSON."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str | datetime):
        return "text"
    return "list" if isinstance(value, list) else "object" if isinstance(value, dict) else "number"


def _plain(value: Any, in_json: bool) -> Any:
    """Numbers by the digits they are written with, timestamps within JSON by their text."""
    if isinstance(value, float):
        return Decimal(repr(value))
    return iso(value) if in_json and isinstance(value, datetime) else value


def like(pattern: str) -> str:
    """A $like pattern as a Python regular expression."""
    parts, escape = [], False
    for character in pattern:
        if escape:
            parts.append(re.escape(character))
            escape = False
        elif character == "\\":
            escape = True
        else:
            parts.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
    return "".join(parts)


_ORDERED = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
    "$like": lambda a, b: re.fullmatch(like(b), a, re.DOTALL) is not None,
    "$ilike": lambda a, b: re.fullmatch(like(b.lower()), a.lower(), re.DOTALL) is not None,
    "$contains": lambda a, b: b.lower() in a.lower(),
    "$starts_with": lambda a, b: a.lower().startswith(b.lower()),
    "$ends_with": lambda a, b: a.lower().endswith(b.lower()),
    "$regex": lambda a, b: re.search(b, a) is not None,
}


def in_order(records: Sequence[Record], sort: Sequence[str]) -> list[Record]:
    """Records as ORDER BY puts them: null before every value, ties by id in the last direction."""
    parts = list(sort)
    if not any(part.removeprefix("-") == "id" for part in parts):
        parts.append("-id" if parts and parts[-1].startswith("-") else "id")

    def compare(left: Record, right: Record) -> int:
        for part in parts:
            name = part.removeprefix("-")
            a, b = left[name], right[name]
            if a == b and (a is None) == (b is None):
                continue
            smaller = a is None or (b is not None and a < b)
            return (-1 if smaller else 1) * (-1 if part.startswith("-") else 1)
        return 0

    return sorted(records, key=cmp_to_key(compare))


def aggregated(
    records: Sequence[Record], groups: Sequence[str], measures: Mapping[str, Any], scale: int = 2
) -> list[dict[str, Any]]:
    """Groups in their order with what is worked out of each; decimals have `scale` digits after the point."""
    found: dict[tuple[Any, ...], list[Record]] = {} if groups else {(): []}
    for record in records:
        found.setdefault(tuple(record[name] for name in groups), []).append(record)
    ordered = sorted(found, key=lambda key: [(value is not None, value) for value in key])
    return [
        {
            **dict(zip(groups, key, strict=True)),
            **{name: _measured(what, found[key], scale) for name, what in measures.items()},
        }
        for key in ordered
    ]


def _measured(what: Any, records: Sequence[Record], scale: int) -> Any:
    if what == "count":
        return len(records)
    ((function, field),) = what.items()
    held = [record[field] for record in records if record[field] is not None]
    match function:
        case "count":
            return len(held)
        case "count_distinct":
            return len(set(held))
        case "min" | "max":
            return (min if function == "min" else max)(held, default=None)
    exact = [Fraction(Decimal(repr(v)) if isinstance(v, float) else v) for v in held]
    total = sum(exact, Fraction(0))
    if function == "avg":
        if not held:
            return None
        total /= len(held)
    if isinstance(next(iter(held), None), Decimal):
        places = scale if function == "sum" else scale + 6
        return Decimal(round(total * 10**places)).scaleb(-places, context=Context(prec=60))
    return _double(total) if function == "avg" or any(isinstance(v, float) for v in held) else int(total)


def _double(value: Fraction) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def converted(
    records: dict[int, dict[str, Any]], name: str, old: str, new: str
) -> tuple[dict[int, Any], int]:
    """A field's values in another type by the record's id, and how many can't be (None then).

    What becomes of a cell is the caster's to say (tests/test_conversions.py); that each meets its own record is asked here.
    """
    cast = Cast(FieldType.get(old)({}), FieldType.get(new)({}))
    made: dict[int, Any] = {}
    refused = 0
    for number, record in records.items():
        try:
            made[number] = None if record[name] is None else cast.value(record[name])
        except Refused:
            made[number], refused = None, refused + 1
    return made, refused
