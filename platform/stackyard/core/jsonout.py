"""JSON out: the bytes every answer is made of, and how large a value would become.

orjson does the work. What it refuses (integers past 64 bits, lone surrogates, keys that are not text)
goes through a slower pass, so that no value a stack can make ends in a 500.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from .errors import Problem
from .secrets import MASK, Secret

_OPTION = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS
_DEPTH = 250
"""orjson gives up past 254 levels; nobody reads an answer that deep."""


def encode(value: Any, *, epoch_ms: bool = False) -> bytes:
    """A run-time value as UTF-8 JSON.

    Timestamps become `2026-01-23T10:00:00.123Z`, or epoch milliseconds with `epoch_ms`; a Decimal becomes a
    number with all its digits; a Secret its mask; NaN and infinities null. Problem `RESPONSE_TOO_LARGE` when
    the value nests deeper than 250 levels.
    """
    default = _epoch_default if epoch_ms else _iso_default
    try:
        return orjson.dumps(value, default=default, option=_OPTION)
    except TypeError:
        return orjson.dumps(_acceptable(value, default, 0), default=default, option=_OPTION)


def iso(moment: datetime) -> str:
    """A timestamp as text: UTC, milliseconds, `Z`."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def milliseconds(moment: datetime) -> int:
    """A timestamp as whole milliseconds since 1970, rounded down."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _iso_default(value: Any) -> Any:
    if value.__class__ is not datetime:
        return iso(value) if isinstance(value, datetime) else _default(value)
    # orjson writes a UTC timestamp three times as fast as isoformat, with 6 digits of a second or none.
    text = orjson.dumps(value, None, orjson.OPT_UTC_Z)
    if len(text) == 29:
        return orjson.Fragment(text[:24] + b'Z"')
    if len(text) == 22:
        return orjson.Fragment(text[:20] + b'.000Z"')
    return iso(value)


def _epoch_default(value: Any) -> Any:
    return milliseconds(value) if isinstance(value, datetime) else _default(value)


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value)) if value.is_finite() else None
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    if isinstance(value, str):
        return str.__str__(value)
    return str(value)


def _acceptable(value: Any, default: Callable[[Any], Any], depth: int) -> Any:
    """The value with everything orjson refuses put into a form it takes."""
    if depth > _DEPTH:
        raise Problem("RESPONSE_TOO_LARGE", f"A value nests deeper than {_DEPTH} levels.")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        # Through Decimal, because Python limits how many digits str() of an int may have.
        return value if -(2**63) <= value < 2**64 else orjson.Fragment(str(Decimal(value)))
    if isinstance(value, Mapping):
        return {_text(str(k)): _acceptable(v, default, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_acceptable(item, default, depth + 1) for item in value]
    return default(value)


def _text(value: str) -> str:
    """Text without lone surrogates, which no UTF-8 can carry: each becomes U+FFFD."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def measure(value: Any) -> int:
    """About how many bytes `value` takes as JSON, never more than it really does.

    Every distinct list and object is walked once, however often it is referred to: a value of shared
    references can't explode here, and shows its full size. A value that contains itself, or nests
    hopelessly deep, measures 2**62.
    """
    try:
        return _measure(value, {})
    except RecursionError:
        return _ENDLESS


_ENDLESS = 2**62


def _measure(value: Any, known: dict[int, int]) -> int:
    kind = type(value)
    if kind is str:
        return len(value) + 2
    if kind is int:
        return value.bit_length() // 4 or 1
    if kind is not dict and kind is not list:
        return _LEAST.get(kind, 1)
    key = id(value)
    size = known.get(key)
    if size is not None:
        return size
    known[key] = _ENDLESS
    size = 2
    if kind is dict:
        for name, item in value.items():
            size += len(name) + 4 + _measure(item, known)
    else:
        for item in value:
            size += 1 + _measure(item, known)
    known[key] = size = min(max(size - 1, 2), _ENDLESS)
    return size


_LEAST: dict[type, int] = {float: 3, bool: 4, type(None): 4, datetime: 13, Decimal: 1}
