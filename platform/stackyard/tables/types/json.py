"""Any JSON value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from stackyard.core.errors import Fault
from stackyard.core.jsonout import encode, iso
from stackyard.core.types import ANY, Type
from stackyard.tables.field_type import Convert, FieldType, Refused, refuse
from stackyard.tables.types.text import check_characters

DEPTH = 32
BYTES = 1_000_000
EXISTS = frozenset({"$exists"})


def plain_json(value: Any, depth: int = 0) -> Any:
    """The value in JSON's own kinds: timestamps as ISO text, decimals as numbers; refuses what JSON can't say."""
    if depth > DEPTH:
        raise refuse("depth", f"must not nest deeper than {DEPTH} levels")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        check_characters(value)
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise refuse("range", "holds an integer of more than 64 bits")
        return value
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, Mapping):
        return {_key(key): _within(key, item, depth) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_within(index, item, depth) for index, item in enumerate(value)]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    raise refuse("type", f"expected a JSON value, got {type(value).__name__}")


def _within(key: Any, item: Any, depth: int) -> Any:
    try:
        return plain_json(item, depth + 1)
    except Refused as refused:
        raise Refused(*(fault.under(key) for fault in refused.faults)) from None


def _number(value: float | Decimal) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise refuse("range", "holds a number that is not finite")
    return number or 0.0


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise refuse("type", "expected text for every key")
    check_characters(key)
    return key


def check_size(value: Any) -> None:
    """Refuse what takes more than 1 MB as JSON."""
    if len(encode(value)) > BYTES:
        raise Refused(Fault((), "size", f"must take at most {BYTES:,} bytes as JSON"))


def encode_text(value: Any) -> str:
    """JSON as text, for both databases."""
    return encode(value).decode()


class JsonType(FieldType):
    """Any JSON value, at most 1 MB and 32 levels deep. Conditions reach into it by paths such as `meta.a.b`."""

    name = "json"
    label = "JSON"
    group = "structures"
    icon = "braces"
    operators = EXISTS
    can_be_unique = False
    is_json = True
    examples = (({"a": [1, None]}, {"a": [1, None]}),)

    def parse(self, value: Any, lenient: bool = False) -> Any:
        """A JSON value; `lenient` also takes its text."""
        if lenient and isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                raise refuse("type", "expected JSON") from None
        value = plain_json(value)
        check_size(value)
        return value

    @property
    def value_type(self) -> Type:
        """any"""
        return ANY

    def column(self, dialect: str) -> str:
        """JSON text on SQLite."""
        return "TEXT" if dialect == "sqlite" else "jsonb"

    def binder(self, dialect: str) -> Convert | None:
        """To JSON text."""
        return encode_text

    def loader(self, dialect: str) -> Convert | None:
        """From JSON text."""
        return orjson.loads

    def csv_text(self, value: Any) -> str:
        """JSON text."""
        return "" if value is None else encode_text(value)
