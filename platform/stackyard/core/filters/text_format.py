"""The filter that fills values into a format: the letters of C's printf, as PHP has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from ..expressions import operations as op
from ..filter import Budget, filter
from ..guards import Refusal, show
from .numbers import as_float, as_written, rounded, whole
from .values import written

_PLACE = re.compile(
    r"%(?:(?P<position>\d{1,3})\$)?(?P<flags>(?:[-+0 ]|'.)*)(?P<width>\d+)?(?:\.(?P<places>\d+))?(?P<letter>.|\Z)",
    re.DOTALL,
)
_WIDEST = 100_000


@filter("text")
def sprintf(budget: Budget, value: str, *values: object) -> str:
    """Values filled into the places of a format: `%s` text, `%d` whole number, `%.2f` number, `%05d` padded, `%%`.

    >>> "Hello %s, you have %d new messages" | sprintf("Bob", 5)
    "Hello Bob, you have 5 new messages"
    >>> "%2$s costs %1$.2f" | sprintf(3.5, "Tea")
    "Tea costs 3.50"
    """
    pieces = []
    end = taken = 0
    for place in _PLACE.finditer(value):
        pieces.append(value[end : place.start()])
        end = place.end()
        if place["letter"] == "%":
            pieces.append("%")
            continue
        budget.spend(1)
        number = int(place["position"]) if place["position"] else taken + 1
        taken += not place["position"]
        if not 1 <= number <= len(values):
            raise Refusal(f"{show(place[0])} asks for value {number}, there are {len(values)}")
        pieces.append(_filled(budget, place, values[number - 1]))
    pieces.append(value[end:])
    budget.room(sum(map(len, pieces)))
    return "".join(pieces)


def _filled(budget: Budget, place: re.Match[str], value: object) -> str:
    width, places = int(place["width"] or 0), place["places"]
    if width > _WIDEST or (places and int(places) > _WIDEST):
        raise Refusal(f"{show(place[0])} is wider than {_WIDEST:,} characters")
    budget.room(width)
    flags = place["flags"]
    letter = place["letter"]
    if letter in ("s", "S"):
        text = written(budget, value)
        text = text if places is None else text[: int(places)]
    elif letter in _NUMBERS:
        text = _NUMBERS[letter](_number(place, value), 6 if places is None else int(places))
        text = f"+{text}" if "+" in flags and not text.startswith("-") else text
    else:
        raise Refusal(f"{show(place[0])} is no place: there are %s %d %f %e %x %X %o %b %c and %%")
    return _padded(text, width, flags, letter)


def _number(place: re.Match[str], value: object) -> Decimal:
    if not op.is_number(value):
        raise Refusal(f"expected a number for {show(place[0])}, got {show(value)}")
    return as_written(value)  # type: ignore[arg-type]


def _padded(text: str, width: int, flags: str, letter: str) -> str:
    custom = re.search("'(.)", flags, re.DOTALL)
    plain = re.sub("'.", "", flags, flags=re.DOTALL)
    filler = custom[1] if custom else "0" if "0" in plain and "-" not in plain else " "
    if "-" in plain:
        return text.ljust(width, filler)
    if filler == "0" and letter not in "sS" and text[:1] in ("-", "+"):
        return text[0] + text[1:].rjust(width - 1, "0")
    return text.rjust(width, filler)


def _digits(form: str) -> Callable[[Decimal, int], str]:
    def write(value: Decimal, _places: int) -> str:
        number = int(whole(value.to_integral_value(rounding="ROUND_DOWN")))
        return format(number if form == "d" else number % 2**64, form)

    return write


def _fixed(value: Decimal, places: int) -> str:
    return (
        format(rounded(value, places), f".{places}f")
        if value.adjusted() < 400
        else _scientific(value, places)
    )


def _scientific(value: Decimal, places: int) -> str:
    return format(as_float(value), f".{min(places, 30)}e")


def _character(value: Decimal, _places: int) -> str:
    number = int(whole(value.to_integral_value(rounding="ROUND_DOWN")))
    if not 0 <= number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise Refusal(f"expected the number of a character, got {number}")
    return chr(number)


_NUMBERS: Mapping[str, Callable[[Decimal, int], str]] = {
    "d": _digits("d"),
    "f": _fixed,
    "F": _fixed,
    "e": _scientific,
    "x": _digits("x"),
    "X": _digits("X"),
    "o": _digits("o"),
    "b": _digits("b"),
    "c": _character,
}
