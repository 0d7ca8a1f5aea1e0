"""Changes of a time in words: `+1 day`, `next friday 14:00`, `first day of next month`, `last monday of march 2026`.

The words are PHP's (https://www.php.net/manual/en/datetime.formats.php), as far as people use them. Days and
longer units move on the calendar of the time zone, hours and shorter ones in time that passes. A month
later than January 31 is the last of February, where PHP spills into March.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..guards import Refusal, show
from .date_formats import DAYS, MONTHS, month_number
from .moments import beyond, moved, utc

_LONGEST = 200
_MILLISECONDS = {"ms": 1, "millisecond": 1, "sec": 1000, "second": 1000, "min": 60_000, "minute": 60_000}
_MILLISECONDS |= {"hour": 3_600_000}
_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS = {"month": 1, "year": 12}
_UNIT = "|".join(sorted((*_MILLISECONDS, *_DAYS, *_MONTHS), key=len, reverse=True))
_DAY = "|".join(f"{day.lower()}|{day[:3].lower()}" for day in DAYS)
_MONTH = "|".join(f"{month.lower()}|{month[:3].lower()}" for month in MONTHS)
_NUMBERED = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_TURNS = {"next": 1, "last": -1, "previous": -1, "this": 0}


@dataclass(frozen=True)
class _Change:
    """What the words ask for: a wall-clock time, moves by months, days and milliseconds, a day of the week or month."""

    wall: datetime
    set: bool = False
    months: int = 0
    days: int = 0
    milliseconds: int = 0
    weekday: tuple[int, int] | None = None
    day_of_month: tuple[int, int | None] | None = None

    def at(self, hour: int, minute: int = 0, second: int = 0) -> _Change:
        """With another time of day."""
        wall = self.wall.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return replace(self, wall=wall, set=True)

    def on(self, year: int, month: int, day: int) -> _Change:
        """With another date, at midnight; ValueError when there is no such date."""
        return replace(self.at(0), wall=self.at(0).wall.replace(year=year, month=month, day=day))


_Rule = Callable[[_Change, re.Match[str]], _Change]


def _unit(change: _Change, amount: int, unit: str) -> _Change:
    if unit in _MILLISECONDS:
        return replace(change, milliseconds=change.milliseconds + amount * _MILLISECONDS[unit])
    if unit in _DAYS:
        return replace(change, days=change.days + amount * _DAYS[unit])
    return replace(change, months=change.months + amount * _MONTHS[unit])


def _amount(change: _Change, match: re.Match[str]) -> _Change:
    amount = int(match["amount"].replace(" ", "")) * (-1 if match["ago"] else 1)
    return _unit(change, amount, match["unit"])


def _time(change: _Change, match: re.Match[str]) -> _Change:
    hour, half = int(match["hour"]), match["half"]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half == "pm" else 0)
    return change.at(hour, int(match["minute"] or 0), int(match["second"] or 0))


def _full_hour(change: _Change, match: re.Match[str]) -> _Change:
    hour = int(match["hour"])
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return change.at(hour % 12 + (12 if match["half"] == "pm" else 0))


def _number_of(name: str) -> int:
    return next(number for number, day in enumerate(DAYS) if day.lower().startswith(name[:3]))


def _on_weekday(change: _Change, match: re.Match[str]) -> _Change:
    turn = _TURNS[match["turn"] or "this"]
    return replace(change.at(0), weekday=(_number_of(match["day"]), turn))


def _numbered(change: _Change, match: re.Match[str]) -> _Change:
    day = None if match["day"] == "day" else _number_of(match["day"])
    changed = change if day is None else change.at(0)
    return replace(changed, day_of_month=(_NUMBERED[match["which"]], day))


def _date(change: _Change, match: re.Match[str]) -> _Change:
    return change.on(int(match["year"]), month_number(match["month"]), int(match["day"] or 1))


def _iso_date(change: _Change, match: re.Match[str]) -> _Change:
    return change.on(int(match["year"]), int(match["month"]), int(match["day"]))


_RULES: Sequence[tuple[re.Pattern[str], _Rule]] = [
    (re.compile(pattern + r"(?![a-z0-9])"), rule)
    for pattern, rule in (
        (r"now", lambda change, _match: change),
        (r"today|midnight", lambda change, _match: change.at(0)),
        (r"noon", lambda change, _match: change.at(12)),
        (r"tomorrow", lambda change, _match: _unit(change.at(0), 1, "day")),
        (r"yesterday", lambda change, _match: _unit(change.at(0), -1, "day")),
        (r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})", _iso_date),
        (
            r"(?:at )?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?(?: ?(?P<half>am|pm))?",
            _time,
        ),
        (r"(?:at )?(?P<hour>[0-9]{1,2}) ?(?P<half>am|pm)", _full_hour),
        (
            rf"(?P<month>{_MONTH}) (?:(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:, ?| ))?(?P<year>[0-9]{{4}})",
            _date,
        ),
        (rf"(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)? (?P<month>{_MONTH}),? (?P<year>[0-9]{{4}})", _date),
        (rf"(?P<which>{'|'.join(_NUMBERED)}) (?P<day>day|{_DAY}) of", _numbered),
        (rf"(?P<amount>[+-]? ?[0-9]{{1,9}}) ?(?P<unit>{_UNIT})s?(?P<ago> ago)?", _amount),
        (
            rf"(?P<turn>{'|'.join(_TURNS)}) (?P<unit>{_UNIT})",
            lambda change, match: _unit(change, _TURNS[match["turn"]], match["unit"]),
        ),
        (rf"(?:(?P<turn>{'|'.join(_TURNS)}) )?(?P<day>{_DAY})", _on_weekday),
    )
]


def changed(moment: datetime, words: str) -> datetime:
    """The timestamp to which words change a local time. Refusal for words that are not known."""
    text = " ".join(words.lower().split())
    if not text or len(text) > _LONGEST:
        raise Refusal(f'expected words such as "+1 day", got {show(words)}')
    change = _Change(moment.replace(tzinfo=None))
    at = 0
    try:
        while at < len(text):
            change, at = _step(change, text, at)
    except ValueError:
        raise _unknown(words, text[at:]) from None
    try:
        return _applied(moment, change)
    except (ValueError, OverflowError):
        raise beyond() from None


def _unknown(words: str, rest: str) -> Refusal:
    return Refusal(
        f"cannot read {show(rest or words)}",
        'Write "+1 day", "-2 weeks", "next friday 14:00", "first day of next month".',
    )


def _step(change: _Change, text: str, at: int) -> tuple[_Change, int]:
    for pattern, rule in _RULES:
        match = pattern.match(text, at)
        if match is not None:
            after = match.end()
            while text[after : after + 1] in (" ", ","):
                after += 1
            return rule(change, match), after
    raise ValueError(text)


def _applied(moment: datetime, change: _Change) -> datetime:
    """Wall-clock moves first: months, days, a day of the month, a day of the week; passing time last."""
    wall = _day_of_month(_months_later(change.wall, change.months) + timedelta(days=change.days), change)
    wall = _weekday(wall, change)
    unmoved = wall == moment.replace(tzinfo=None) and not change.set
    # An hour that comes twice, when clocks go back, stays the one it was.
    start = moment if unmoved else wall.replace(tzinfo=moment.tzinfo)
    return moved(utc(start), change.milliseconds)


def _months_later(wall: datetime, months: int) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    return wall.replace(
        year=year, month=month + 1, day=min(wall.day, calendar.monthrange(year, month + 1)[1])
    )


def _day_of_month(wall: datetime, change: _Change) -> datetime:
    if change.day_of_month is None:
        return wall
    which, weekday = change.day_of_month
    length = calendar.monthrange(wall.year, wall.month)[1]
    if weekday is None:
        return wall.replace(day=length if which < 0 else which)
    if which < 0:
        last = wall.replace(day=length)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = wall.replace(day=1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))


def _weekday(wall: datetime, change: _Change) -> datetime:
    if change.weekday is None:
        return wall
    weekday, turn = change.weekday
    ahead = (weekday - wall.weekday()) % 7
    if turn > 0:
        return wall + timedelta(days=ahead or 7)
    if turn < 0:
        return wall - timedelta(days=(wall.weekday() - weekday) % 7 or 7)
    return wall + timedelta(days=ahead)
