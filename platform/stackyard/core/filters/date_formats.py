"""Dates by PHP's letters (https://www.php.net/manual/en/datetime.format.php), written and read. Names are English."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from ..guards import Refusal, show
from .moments import from_milliseconds, utc, zone

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)

_LONGEST = 1_000


def _suffix(day: int) -> str:
    return "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _offset(moment: datetime, colon: str) -> str:
    minutes = _offset_seconds(moment) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"


def _offset_seconds(moment: datetime) -> int:
    return int((moment.utcoffset() or timedelta()).total_seconds())


def _swatch(moment: datetime) -> int:
    """Swatch internet time: thousandths of a day in UTC+1."""
    at = moment.astimezone(timezone(timedelta(hours=1))) if 1 < moment.year < 9999 else moment
    return int((at.hour * 3600 + at.minute * 60 + at.second) / 86.4)


_WRITE: Mapping[str, Callable[[datetime], object]] = {
    "d": lambda m: f"{m.day:02}",
    "D": lambda m: DAYS[m.weekday()][:3],
    "j": lambda m: m.day,
    "l": lambda m: DAYS[m.weekday()],
    "N": lambda m: m.isoweekday(),
    "S": lambda m: _suffix(m.day),
    "w": lambda m: m.isoweekday() % 7,
    "z": lambda m: m.timetuple().tm_yday - 1,
    "W": lambda m: f"{m.isocalendar().week:02}",
    "F": lambda m: MONTHS[m.month - 1],
    "m": lambda m: f"{m.month:02}",
    "M": lambda m: MONTHS[m.month - 1][:3],
    "n": lambda m: m.month,
    "t": lambda m: calendar.monthrange(m.year, m.month)[1],
    "L": lambda m: int(calendar.isleap(m.year)),
    "o": lambda m: m.isocalendar().year,
    "Y": lambda m: f"{m.year:04}",
    "y": lambda m: f"{m.year % 100:02}",
    "a": lambda m: "am" if m.hour < 12 else "pm",
    "A": lambda m: "AM" if m.hour < 12 else "PM",
    "B": lambda m: f"{_swatch(m):03}",
    "g": lambda m: m.hour % 12 or 12,
    "G": lambda m: m.hour,
    "h": lambda m: f"{m.hour % 12 or 12:02}",
    "H": lambda m: f"{m.hour:02}",
    "i": lambda m: f"{m.minute:02}",
    "s": lambda m: f"{m.second:02}",
    "u": lambda m: f"{m.microsecond:06}",
    "v": lambda m: f"{m.microsecond // 1000:03}",
    "e": lambda m: str(m.tzinfo),
    "I": lambda m: int(bool(m.dst())),
    "O": lambda m: _offset(m, ""),
    "P": lambda m: _offset(m, ":"),
    "p": lambda m: _offset(m, ":") if _offset_seconds(m) else "Z",
    "T": lambda m: m.tzname() or _offset(m, ":"),
    "Z": _offset_seconds,
    "c": lambda m: written(m, "Y-m-d\\TH:i:sP"),
    "r": lambda m: written(m, "D, d M Y H:i:s O"),
    "U": lambda m: (m - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1),
}


def _short(form: str) -> str:
    if len(form) > _LONGEST:
        raise Refusal(f"a format has at most {_LONGEST:,} characters")
    return form


def written(moment: datetime, form: str) -> str:
    """A local time by a format; a backslash makes the letter after it plain text."""
    pieces = []
    letters = iter(_short(form))
    for letter in letters:
        if letter == "\\":
            pieces.append(next(letters, "\\"))
        elif letter in _WRITE:
            pieces.append(str(_WRITE[letter](moment)))
        else:
            pieces.append(letter)
    return "".join(pieces)


# --- reading -----------------------------------------------------------------------------------------

_NAME = r"[A-Za-z]{3,9}"
_ZONE = r"Z|[+-][0-9]{2}:?[0-9]{2}|[A-Za-z][A-Za-z_]*(?:/[A-Za-z0-9_+-]+){0,2}"
_FIELDS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys("dj", ("day", "[0-9]{1,2}")),
    **dict.fromkeys("mn", ("month", "[0-9]{1,2}")),
    **dict.fromkeys("FM", ("month_name", _NAME)),
    **dict.fromkeys("Dl", ("", _NAME)),
    "S": ("", "st|nd|rd|th"),
    "Y": ("year", "[0-9]{4}"),
    "y": ("short_year", "[0-9]{2}"),
    **dict.fromkeys("aA", ("half", "[AaPp][Mm]")),
    **dict.fromkeys("gGhH", ("hour", "[0-9]{1,2}")),
    "i": ("minute", "[0-9]{2}"),
    "s": ("second", "[0-9]{2}"),
    "v": ("fraction", "[0-9]{1,3}"),
    "u": ("fraction", "[0-9]{1,6}"),
    "U": ("epoch", "-?[0-9]{1,12}"),
    **dict.fromkeys("eTOPp", ("zone", _ZONE)),
    "?": ("", "."),
    "*": ("", "[^ ,;:/.()0-9-]*"),
    "+": ("", ".*"),
}
_PATTERNS = {letter: re.compile(pattern, re.DOTALL) for letter, (_, pattern) in _FIELDS.items()}


def read(text: str, form: str, timezone_name: str) -> datetime:
    """The timestamp that a text spells by a format. What the format leaves out is that of 1970-01-01 00:00.

    Refusal when the text does not follow the format, or names no date there is.
    """
    try:
        return _moment(_fields(text, form), timezone_name)
    except ValueError:
        raise Refusal(f'{show(text)} does not read as "{form[:60]}"') from None


def _fields(text: str, form: str) -> dict[str, str]:
    """What stands in the text for each field of the format; ValueError where the two part."""
    found: dict[str, str] = {}
    at = 0
    letters = iter(_short(form))
    for letter in letters:
        if letter in "!|":
            continue
        if letter in _FIELDS:
            match = _PATTERNS[letter].match(text, at)
            if match is None:
                raise ValueError(letter)
            found[_FIELDS[letter][0]] = match[0]
            at = match.end()
            continue
        literal = next(letters, "\\") if letter == "\\" else letter
        if not text.startswith(literal, at):
            raise ValueError(letter)
        at += 1
    if at != len(text):
        raise ValueError(text)
    return found


def _moment(found: Mapping[str, str], timezone_name: str) -> datetime:
    if "epoch" in found:
        return from_milliseconds(int(found["epoch"]) * 1000)
    made = datetime(
        _year(found),
        _month(found),
        int(found.get("day", 1)),
        _hour(found),
        int(found.get("minute", 0)),
        int(found.get("second", 0)),
        int(found.get("fraction", "0").ljust(6, "0")),
        tzinfo=_zone(found.get("zone"), timezone_name),
    )
    return utc(made)


def _year(found: Mapping[str, str]) -> int:
    if "short_year" in found:
        short = int(found["short_year"])
        return short + (1900 if short >= 70 else 2000)
    return int(found.get("year", 1970))


def _month(found: Mapping[str, str]) -> int:
    return month_number(found["month_name"]) if "month_name" in found else int(found.get("month", 1))


def month_number(name: str) -> int:
    """The number of a month named in full or by its first three letters; ValueError for any other word."""
    for number, month in enumerate(MONTHS, 1):
        if name.lower() in (month.lower(), month[:3].lower()):
            return number
    raise ValueError(name)


def _hour(found: Mapping[str, str]) -> int:
    hour = int(found.get("hour", 0))
    if "half" not in found:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + (12 if found["half"].lower() == "pm" else 0)


def _zone(written_zone: str | None, name: str) -> Any:
    if written_zone is None:
        return zone(name)
    if written_zone in ("Z", "UTC", "GMT"):
        return UTC
    if written_zone[0] in "+-":
        hours, minutes = int(written_zone[1:3]), int(written_zone[-2:])
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(offset if written_zone[0] == "+" else -offset)
    return zone(written_zone)
