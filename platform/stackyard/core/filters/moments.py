"""Points in time for the date filters: time zones, and what counts as a timestamp.

A timestamp is an aware datetime in UTC with whole milliseconds. Filters also take its JSON forms: ISO 8601
text, which is local time of the given zone where it names no offset, and milliseconds since 1970.
"""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from ..errors import did_you_mean
from ..guards import Refusal, show
from ..zones import zone_names

Moment = datetime | str | int | float | Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 100


@lru_cache(maxsize=1024)
def zone(name: str) -> zoneinfo.ZoneInfo:
    """A time zone of the IANA database. Refusal with the nearest name when there is none."""
    if name not in zone_names():
        hint = did_you_mean(name[:_LONGEST], zone_names()).strip()
        raise Refusal(f"there is no time zone {show(name)}", hint or 'Write it as "Europe/Berlin" or "UTC".')
    return zoneinfo.ZoneInfo(name)


def beyond() -> Refusal:
    """What to raise for a time no datetime can hold."""
    return Refusal("a timestamp lies between the years 1 and 9999")


def utc(moment: datetime) -> datetime:
    """A local time as a timestamp; a time that the clocks leap over counts as so much later."""
    try:
        moment = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        raise beyond() from None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def local(moment: datetime, timezone: str) -> datetime:
    """A timestamp as the clocks of a time zone show it."""
    try:
        return moment.astimezone(zone(timezone))
    except (OverflowError, ValueError):
        raise beyond() from None


def from_milliseconds(milliseconds: int | float | Decimal) -> datetime:
    """The timestamp so many milliseconds after 1970 began, fractions cut off."""
    return moved(EPOCH, milliseconds)


def moved(moment: datetime, milliseconds: int | float | Decimal) -> datetime:
    """A timestamp so many milliseconds later, fractions cut off."""
    if not -(10**15) < milliseconds < 10**15:
        raise beyond()
    try:
        return moment + timedelta(milliseconds=int(milliseconds))
    except OverflowError:
        raise beyond() from None


def iso_moment(text: str, timezone: str) -> datetime | None:
    """The timestamp that ISO 8601 text spells, None when it is no such text."""
    if len(text) > _LONGEST:
        return None
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return utc(read if read.tzinfo else read.replace(tzinfo=zone(timezone)))


def moment_of(value: Moment, timezone: str = "UTC") -> datetime:
    """A value as a timestamp. Refusal for text that is not ISO 8601."""
    if isinstance(value, datetime):
        return value if value.tzinfo is UTC else utc(value if value.tzinfo else value.replace(tzinfo=UTC))
    if not isinstance(value, str):
        return from_milliseconds(value)
    read = iso_moment(value, timezone)
    if read is None:
        raise Refusal(
            f"expected a timestamp, got {show(value)}",
            "Other forms are read by to_timestamp and by parse_timestamp with a format.",
        )
    return read
