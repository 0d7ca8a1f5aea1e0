"""Sets of characters for regular expressions, as ranges of code points."""

from __future__ import annotations

from .field_type import refuse

Ranges = tuple[tuple[int, int], ...]

_LAST = 0x10FFFF
_DIGIT: Ranges = ((48, 57),)
_UPPER: Ranges = ((65, 90),)
_LOWER: Ranges = ((97, 122),)

# RE2's own: ASCII only.
CLASSES: dict[str, Ranges] = {
    "d": _DIGIT,
    "w": (*_DIGIT, *_UPPER, (95, 95), *_LOWER),
    "s": ((9, 10), (12, 13), (32, 32)),
}
POSIX: dict[str, Ranges] = {
    "alnum": (*_DIGIT, *_UPPER, *_LOWER),
    "alpha": (*_UPPER, *_LOWER),
    "ascii": ((1, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((1, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": _LOWER,
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": _UPPER,
    "word": CLASSES["w"],
    "xdigit": (*_DIGIT, (65, 70), (97, 102)),
}
ESCAPES = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "a": 7}

# The letters that are alike to two others (Unicode's simple case folding): k and the Kelvin sign, s and the long s …
_ALIKE = {
    "k": "\u212a",
    "s": "\u017f",
    "\u00e5": "\u212b",
    "\u03c9": "\u2126",
    "\u03c3": "\u03c2",
    "\u00b5": "\u03bc",
}
_WIDEST = 2_000


def negate(ranges: Ranges) -> Ranges:
    """All characters but these (surrogates are none)."""
    found, start = [], 1
    for low, high in sorted((*ranges, (0xD800, 0xDFFF))):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return (*found, (start, _LAST)) if start <= _LAST else tuple(found)


def both_cases(ranges: Ranges) -> Ranges:
    """These characters in upper and lower case. A range to the very end (a negated class) stays as it is."""
    codes: set[int] = set()
    for low, high in ranges:
        if high - low <= _WIDEST:
            codes.update(code for point in range(low, high + 1) for code in _cases(chr(point)))
        elif high != _LAST and high != 0xD7FF:
            raise refuse("pattern", "has too wide a range for (?i)")
    return (*ranges, *((code, code) for code in sorted(codes)))


def _cases(character: str) -> set[int]:
    forms = {character, character.lower(), character.upper()}
    for small, other in _ALIKE.items():
        if forms & {small, small.upper(), other}:
            forms |= {small, small.upper(), other}
    return {ord(form) for form in forms if len(form) == 1}
