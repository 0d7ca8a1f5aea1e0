"""What the operators do. Compiled stacks and the oracle in the tests call these same functions, so they hold the semantics once.

Numbers are int, float and Decimal; bool is none. Int with Decimal gives Decimal, Decimal with float gives float;
whole numbers stay within 64 bits, so no loop can grow one without end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any, NoReturn

from ..errors import Problem

INT_MAX = 2**63 - 1
INT_MIN = -(2**63)
_NUMBERS = (int, float, Decimal)
_MILLISECOND = timedelta(milliseconds=1)


def failed(message: str, suggestion: str | None = None) -> NoReturn:
    """Raise the Problem of a computation that its values do not allow (422)."""
    raise Problem("EXPRESSION_FAILED", message, status=422, suggestion=suggestion)


def kind_of(value: Any) -> str:
    """A value's kind in words, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    for types, word in (
        (int, "a whole number"),
        (_NUMBERS, "a number"),
        (str, "a text"),
        (datetime, "a timestamp"),
    ):
        if isinstance(value, types):
            return word
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "a value of another kind"


def is_number(value: Any) -> bool:
    """Whether a value is int, float or Decimal."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def get(value: Any, key: Any) -> Any:
    """`value.key` and `value[key]`: null through null, for an absent key and past the end."""
    if value.__class__ is dict:
        return value.get(key if key.__class__ is str else _object_key(key))
    if value is None:
        return None
    if isinstance(value, list):
        if key.__class__ is int:
            return value[key] if -len(value) <= key < len(value) else None
        failed(
            f"A list has no key {text_of(key)!r}: it is read by whole numbers.",
            f"Take one item first (list[0]), or all of them: list | map(o => o.{text_of(key)}).",
        )
    failed(f"{kind_of(value).capitalize()} has nothing inside it to read.")


def _object_key(key: Any) -> str:
    if is_number(key):
        return text_of(key)
    failed(f"An object is read by a text, not by {kind_of(key)}.")


def number(value: int | float | Decimal) -> int | float | Decimal:
    """A result within its range: ints of 64 bits, floats and decimals finite."""
    if value.__class__ is int:
        if INT_MIN <= value <= INT_MAX:
            return value
        failed("The result is a whole number beyond 64 bits.")
    if value.__class__ is float:
        if value - value == 0.0:
            return value
        failed("The result is too large for a number.")
    if isinstance(value, Decimal) and not value.is_finite():
        failed("The result is not a number.")
    return value


def _pair(symbol: str, left: Any, right: Any) -> tuple[Any, Any]:
    """Two numbers brought to kinds that Python computes with; a Problem that names both kinds otherwise."""
    if not is_number(left) or not is_number(right):
        hint = 'Join texts with "~".' if symbol == "+" and isinstance(left, str) else None
        if left is None or right is None:
            hint = 'Give a value for null with "??": (x ?? 0).'
        failed(f'"{symbol}" works on numbers, not on {kind_of(left)} and {kind_of(right)}.', hint)
    if isinstance(left, Decimal) and isinstance(right, float):
        return float(left), right
    if isinstance(left, float) and isinstance(right, Decimal):
        return left, float(right)
    return left, right


def _compute(symbol: str, left: Any, right: Any) -> Any:
    left, right = _pair(symbol, left, right)
    try:
        with localcontext() as context:
            context.prec = 60
            match symbol:
                case "+":
                    result = left + right
                case "-":
                    result = left - right
                case "*":
                    result = left * right
                case "/":
                    result = _divide(left, right)
                case _:
                    result = _remainder(left, right)
    except (ZeroDivisionError, InvalidOperation):
        failed("Division by zero.")
    except OverflowError:
        failed("The result is too large for a number.")
    return number(result)


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        with localcontext() as context:
            context.prec = 28
            return Decimal(left) / Decimal(right)
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    """The sign of Python's %, for decimals too (whose own % takes the sign of the left side)."""
    result = left % right
    if isinstance(result, Decimal) and result != 0 and (result < 0) != (right < 0):
        result += right
    return result


def add(left: Any, right: Any) -> Any:
    """`+`: numbers, or a timestamp and milliseconds."""
    if (left.__class__ is int and right.__class__ is int) or (
        left.__class__ is float and right.__class__ is float
    ):
        return number(left + right)
    if isinstance(left, datetime) and is_number(right):
        return _moved(left, right)
    if isinstance(right, datetime) and is_number(left):
        return _moved(right, left)
    return _compute("+", left, right)


def subtract(left: Any, right: Any) -> Any:
    """`-`: numbers, two timestamps (milliseconds between them), or a timestamp and milliseconds."""
    if (left.__class__ is int and right.__class__ is int) or (
        left.__class__ is float and right.__class__ is float
    ):
        return number(left - right)
    if isinstance(left, datetime):
        if isinstance(right, datetime):
            return (left - right) // _MILLISECOND
        if is_number(right):
            return _moved(left, -right)
    return _compute("-", left, right)


def _moved(moment: datetime, milliseconds: int | float | Decimal) -> datetime:
    try:
        moved = moment + timedelta(milliseconds=int(milliseconds))
    except OverflowError:
        failed("A timestamp lies between the years 1 and 9999.")
    return moved


def multiply(left: Any, right: Any) -> Any:
    """`*` on numbers."""
    if (left.__class__ is int and right.__class__ is int) or (
        left.__class__ is float and right.__class__ is float
    ):
        return number(left * right)
    return _compute("*", left, right)


def divide(left: Any, right: Any) -> Any:
    """`/`: true division."""
    return _compute("/", left, right)


def remainder(left: Any, right: Any) -> Any:
    """`%` with the sign of the right side, as Python has it."""
    return _compute("%", left, right)


def negate(value: Any) -> Any:
    """`-x`."""
    if not is_number(value):
        failed(f'"-" works on numbers, not on {kind_of(value)}.')
    return number(-value)


def text_of(value: Any) -> str:
    """A value as `~` joins it: null is "", timestamps are ISO 8601, lists and objects are JSON."""
    if value.__class__ is str:
        return str(value)
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | dict):
        from ..jsonout import encode

        return encode(value).decode()
    return repr(value) if is_number(value) else str(value)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds: `2026-01-23T10:00:00.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def concat(left: Any, right: Any) -> str:
    """`~`. Problem past 10 MB."""
    joined = text_of(left) + text_of(right)
    if len(joined) > 10_000_000:
        failed("A text made by an expression has at most 10 MB.")
    return joined


_SAME_KIND_IS_ENOUGH = frozenset({int, str, float, bool, type(None)})


def equal(left: Any, right: Any) -> bool:
    """`==`: never fails; numbers by value, other kinds are never equal, lists and objects by what they hold."""
    kind = left.__class__
    if kind is right.__class__ and kind in _SAME_KIND_IS_ENOUGH:
        return bool(left == right)
    return _equal_deep(left, right, 0, set())


def _equal_deep(left: Any, right: Any, depth: int, known: set[tuple[int, int]]) -> bool:
    """`known` are pairs of objects found equal already: what is shared in a value is compared once."""
    if left is right:
        return True
    if depth > 200:
        failed("The values nest too deep to compare.")
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_number(left) and is_number(right):
        left, right = _as_written(left, right)
        return bool(left == right)
    if not isinstance(left, list | dict) or type(left) is not type(right):
        return type(left) is type(right) and bool(left == right)
    pair = (id(left), id(right))
    if pair in known:
        return True
    if len(left) != len(right):
        return False
    if isinstance(left, list):
        same = all(_equal_deep(a, b, depth + 1, known) for a, b in zip(left, right, strict=True))
    else:
        same = all(key in right and _equal_deep(left[key], right[key], depth + 1, known) for key in left)
    if same:
        known.add(pair)
    return same


def unequal(left: Any, right: Any) -> bool:
    """`!=`."""
    return not equal(left, right)


def _as_written(left: Any, right: Any) -> tuple[Any, Any]:
    """Two numbers to compare: a float beside a decimal is the decimal it is written as, so that a price of 19.99 is 19.99."""
    if isinstance(left, float) and isinstance(right, Decimal):
        return Decimal(repr(left)), right
    if isinstance(left, Decimal) and isinstance(right, float):
        return left, Decimal(repr(right))
    return left, right


def _comparable(symbol: str, left: Any, right: Any) -> tuple[Any, Any]:
    if is_number(left) and is_number(right):
        return _as_written(left, right)
    for kind in (str, datetime):
        if isinstance(left, kind) and isinstance(right, kind):
            return left, right
    failed(
        f'"{symbol}" compares two numbers, two texts or two timestamps, not {kind_of(left)} and {kind_of(right)}.',
        'Give a value for null with "??": (x ?? 0).' if left is None or right is None else None,
    )


def less(left: Any, right: Any) -> bool:
    """`<`."""
    kind = left.__class__
    if kind is not right.__class__ or (kind is not int and kind is not float):
        left, right = _comparable("<", left, right)
    return bool(left < right)


def less_or_equal(left: Any, right: Any) -> bool:
    """`<=`."""
    kind = left.__class__
    if kind is not right.__class__ or (kind is not int and kind is not float):
        left, right = _comparable("<=", left, right)
    return bool(left <= right)


def greater(left: Any, right: Any) -> bool:
    """`>`."""
    kind = left.__class__
    if kind is not right.__class__ or (kind is not int and kind is not float):
        left, right = _comparable(">", left, right)
    return bool(left > right)


def greater_or_equal(left: Any, right: Any) -> bool:
    """`>=`."""
    kind = left.__class__
    if kind is not right.__class__ or (kind is not int and kind is not float):
        left, right = _comparable(">=", left, right)
    return bool(left >= right)


def contained(left: Any, right: Any) -> bool:
    """`in`: an item of a list, a part of a text, a key of an object; nothing is in null."""
    if right is None:
        return False
    if isinstance(right, list):
        return any(equal(left, item) for item in right)
    if isinstance(right, str):
        if isinstance(left, str):
            return left in right
        failed(f"In a text there can only be a text, not {kind_of(left)}.")
    if isinstance(right, dict):
        return isinstance(left, str) and left in right
    failed(f'"in" looks into a list, a text or an object, not into {kind_of(right)}.')


def truth(value: Any) -> bool:
    """A condition's value: true or false, nothing else."""
    if value is True or value is False:
        return bool(value)
    failed(
        f"A condition must be true or false, not {kind_of(value)}.",
        "Compare it (x != null, x > 0), or use a filter such as is_empty.",
    )
