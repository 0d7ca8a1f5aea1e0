"""Filters for timestamps: reading and writing them, moving them, their parts. A time zone is UTC unless one is named."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_FLOOR

from ..expressions import operations as op
from ..filter import Number, filter
from ..jsonout import milliseconds
from . import date_formats
from .date_changes import changed
from .moments import Moment, iso_moment, local, moment_of, moved
from .numbers import as_written, whole

_SECOND = 1000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


def _read(value: Moment, timezone: str) -> datetime:
    """A timestamp, its JSON forms, or words that say when, seen from now."""
    if not isinstance(value, str):
        return moment_of(value)
    read = iso_moment(value, timezone)
    return changed(local(datetime.now(UTC), timezone), value) if read is None else read


def _since_1970(value: Moment, timezone: str, unit: int) -> int:
    return milliseconds(_read(value, timezone)) // unit


@filter("date")
def to_timestamp(value: Moment, timezone: str = "UTC") -> datetime:
    """The timestamp that ISO 8601, milliseconds since 1970 or words ("next friday 14:00", "Jan 1 2000") name.

    >>> "2026-01-23T10:00:00+01:00" | to_timestamp | to_text
    "2026-01-23T09:00:00.000Z"
    >>> "Jan 1 2000" | to_timestamp("America/New_York") | to_text
    "2000-01-01T05:00:00.000Z"
    """
    return _read(value, timezone)


@filter("date")
def to_ms(value: Moment, timezone: str = "UTC") -> int:
    """The milliseconds since 1970 of a timestamp, or of what `to_timestamp` reads.

    >>> "1970-01-02" | to_ms
    86400000
    """
    return _since_1970(value, timezone, 1)


@filter("date")
def to_seconds(value: Moment, timezone: str = "UTC") -> int:
    """The whole seconds since 1970 of a timestamp, or of what `to_timestamp` reads.

    >>> "1970-01-02" | to_seconds
    86400
    """
    return _since_1970(value, timezone, _SECOND)


@filter("date")
def to_minutes(value: Moment, timezone: str = "UTC") -> int:
    """The whole minutes since 1970 of a timestamp, or of what `to_timestamp` reads.

    >>> "1970-01-02" | to_minutes
    1440
    """
    return _since_1970(value, timezone, _MINUTE)


@filter("date")
def to_hours(value: Moment, timezone: str = "UTC") -> int:
    """The whole hours since 1970 of a timestamp, or of what `to_timestamp` reads.

    >>> "1970-01-02" | to_hours
    24
    """
    return _since_1970(value, timezone, _HOUR)


@filter("date")
def to_days(value: Moment, timezone: str = "UTC") -> int:
    """The whole days since 1970 of a timestamp, or of what `to_timestamp` reads.

    >>> "1970-01-02" | to_days
    1
    """
    return _since_1970(value, timezone, _DAY)


@filter("date")
def format_timestamp(value: Moment, format: str, timezone: str = "UTC") -> str:
    """A timestamp as text, by PHP's date letters: `Y-m-d H:i:s`, `D, j M Y`; a backslash keeps a letter as it is.

    >>> "2023-08-15T20:45:30Z" | format_timestamp("Y-m-d H:i:s", "America/New_York")
    "2023-08-15 16:45:30"
    >>> "2023-08-15" | format_timestamp("l, jS F Y")
    "Tuesday, 15th August 2023"
    """
    return date_formats.written(local(moment_of(value, timezone), timezone), format)


@filter("date")
def parse_timestamp(value: str, format: str, timezone: str = "UTC") -> datetime:
    """The timestamp that a text spells in a format of PHP's date letters; what it leaves out is of 1970-01-01 00:00.

    >>> "15/08/2023 13:45" | parse_timestamp("d/m/Y H:i", "America/Los_Angeles") | to_text
    "2023-08-15T20:45:00.000Z"
    """
    return date_formats.read(value, format, timezone)


@filter("date")
def transform_timestamp(value: Moment, change: str, timezone: str = "UTC") -> datetime:
    """A timestamp moved by words: "+1 day", "-2 hours", "next friday", "first day of next month", "midnight".

    >>> "2023-08-15T20:45:30Z" | transform_timestamp("-7 days") | to_text
    "2023-08-08T20:45:30.000Z"
    >>> "2026-01-31" | transform_timestamp("+1 month") | format_timestamp("Y-m-d")
    "2026-02-28"
    """
    return changed(local(moment_of(value, timezone), timezone), change)


@filter("date")
def add_secs_to_timestamp(value: Moment, seconds: Number) -> datetime:
    """A timestamp so many seconds later, or earlier when negative.

    >>> 1691527530000 | add_secs_to_timestamp(60) | to_ms
    1691527590000
    """
    return moved(moment_of(value), op.multiply(seconds, _SECOND))


@filter("date")
def add_ms_to_timestamp(value: Moment, milliseconds: Number) -> datetime:
    """A timestamp so many milliseconds later, or earlier when negative.

    >>> 1691527530000 | add_ms_to_timestamp(-500) | to_ms
    1691527529500
    """
    return moved(moment_of(value), milliseconds)


@filter("date")
def timestamp_year(value: Moment, timezone: str = "UTC") -> int:
    """The year of a timestamp.

    >>> "2023-12-31T23:30:00Z" | timestamp_year("Europe/Berlin")
    2024
    """
    return local(moment_of(value, timezone), timezone).year


@filter("date")
def timestamp_month(value: Moment, timezone: str = "UTC") -> int:
    """The month of a timestamp, 1 to 12.

    >>> "2023-08-15" | timestamp_month
    8
    """
    return local(moment_of(value, timezone), timezone).month


@filter("date")
def timestamp_day_of_month(value: Moment, timezone: str = "UTC") -> int:
    """The day of the month of a timestamp, 1 to 31.

    >>> "2023-08-15" | timestamp_day_of_month
    15
    """
    return local(moment_of(value, timezone), timezone).day


@filter("date")
def timestamp_hour(value: Moment, timezone: str = "UTC") -> int:
    """The hour of a timestamp, 0 to 23.

    >>> "2023-08-15T20:45:30Z" | timestamp_hour("Europe/Berlin")
    22
    """
    return local(moment_of(value, timezone), timezone).hour


@filter("date")
def timestamp_minute(value: Moment, timezone: str = "UTC") -> int:
    """The minute of a timestamp, 0 to 59.

    >>> "2023-08-15T20:45:30Z" | timestamp_minute
    45
    """
    return local(moment_of(value, timezone), timezone).minute


@filter("date")
def timestamp_day_of_week(value: Moment, timezone: str = "UTC") -> int:
    """The day of the week of a timestamp, 0 (Sunday) to 6 (Saturday).

    >>> "2023-08-15" | timestamp_day_of_week
    2
    """
    return local(moment_of(value, timezone), timezone).isoweekday() % 7


@filter("date")
def ms_to_secs(value: Number) -> int:
    """Milliseconds as whole seconds, rounded down.

    >>> 1691527530750 | ms_to_secs
    1691527530
    """
    return int(whole((as_written(value) / _SECOND).to_integral_value(rounding=ROUND_FLOOR)))


@filter("date")
def secs_to_ms(value: Number) -> int:
    """Seconds as whole milliseconds.

    >>> 1691527530 | secs_to_ms
    1691527530000
    """
    return int(whole(as_written(value) * _SECOND))
