"""Timestamps: zones and their leaps, the calendar, formats written and read, changes in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.filtering import piped, refused


def shifted(start: str, change: str, zone: str = "UTC") -> str:
    """A local time in ISO 8601 after a change."""
    source = 'start | transform_timestamp(change, zone) | format_timestamp("Y-m-d\\\\TH:i:s", zone)'
    return str(piped(source, start=start, change=change, zone=zone))


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ("+1 day", "2026-01-29T10:30:00"),
        ("-2 weeks", "2026-01-14T10:30:00"),
        ("+1 month", "2026-02-28T10:30:00"),
        ("-1 year +90 minutes", "2025-01-28T12:00:00"),
        ("2 days ago", "2026-01-26T10:30:00"),
        ("next month", "2026-02-28T10:30:00"),
        ("midnight", "2026-01-28T00:00:00"),
        ("tomorrow noon", "2026-01-29T12:00:00"),
        ("yesterday 14:05:06", "2026-01-27T14:05:06"),
        ("today at 2:30 pm", "2026-01-28T14:30:00"),
        ("12am", "2026-01-28T00:00:00"),
        ("wednesday", "2026-01-28T00:00:00"),
        ("next wednesday", "2026-02-04T00:00:00"),
        ("last wed", "2026-01-21T00:00:00"),
        ("friday 9:00", "2026-01-30T09:00:00"),
        ("monday next week", "2026-02-09T00:00:00"),
        ("first day of next month", "2026-02-01T10:30:00"),
        ("last day of february 2028", "2028-02-29T00:00:00"),
        ("first monday of next month", "2026-02-02T00:00:00"),
        ("last friday of this month midnight", "2026-01-30T00:00:00"),
        ("2024-02-29 +1 year", "2025-02-28T00:00:00"),
        ("Jan 1 2000", "2000-01-01T00:00:00"),
        ("4th July, 1999 6:00", "1999-07-04T06:00:00"),
        ("now", "2026-01-28T10:30:00"),
    ],
)
def test_words_change_a_time(change: str, result: str) -> None:
    assert shifted("2026-01-28T10:30:00Z", change) == result


def test_a_month_after_the_31st_is_the_last_of_the_next() -> None:
    assert shifted("2026-01-31T08:00:00Z", "+1 month") == "2026-02-28T08:00:00"
    assert shifted("2026-03-31T08:00:00Z", "last month") == "2026-02-28T08:00:00"


@pytest.mark.parametrize(
    "change",
    ["", "+1 parsec", "next", "25:00", "13 pm", "february 30 2026", "+999999999 years", "+1 day;", "x" * 300],
)
def test_words_nobody_knows_are_refused(change: str) -> None:
    assert refused("'2026-01-01' | transform_timestamp(change)", change=change).code == "EXPRESSION_FAILED"


def test_days_follow_the_calendar_and_hours_the_clock_when_clocks_leap() -> None:
    before = "2026-03-28T12:00:00+01:00"  # the night in which Berlin's clocks go forward
    assert shifted(before, "+1 day", "Europe/Berlin") == "2026-03-29T12:00:00"
    assert shifted(before, "+24 hours", "Europe/Berlin") == "2026-03-29T13:00:00"
    assert shifted("2026-03-28T02:30:00+01:00", "+1 day", "Europe/Berlin") == "2026-03-29T03:30:00"


def test_an_hour_that_comes_twice_stays_the_one_it_was() -> None:
    second = "2026-10-25T01:30:00Z"  # 02:30 in Berlin, after the clocks went back
    assert (
        piped("t | transform_timestamp('+0 minutes', 'Europe/Berlin') | to_text", t=second)
        == "2026-10-25T01:30:00.000Z"
    )


def test_a_zone_nobody_knows_is_refused_with_the_nearest() -> None:
    problem = refused('"2026-01-01" | timestamp_hour("Europe/Berlim")')
    assert problem.message == 'timestamp_hour: there is no time zone "Europe/Berlim"'
    assert problem.suggestion == 'Did you mean "Europe/Berlin"?'
    for name in ("", "/etc/passwd", "../UTC", "America", "x" * 5000):
        assert refused('"2026-01-01" | timestamp_hour(zone)', zone=name)


def test_text_without_an_offset_is_local_time() -> None:
    assert piped('"2026-07-01T12:00" | to_timestamp("Europe/Berlin") | to_text') == "2026-07-01T10:00:00.000Z"
    assert (
        piped('"2026-07-01T12:00Z" | to_timestamp("Europe/Berlin") | to_text') == "2026-07-01T12:00:00.000Z"
    )
    assert piped("0 | to_timestamp | to_text") == "1970-01-01T00:00:00.000Z"


def test_words_are_read_from_now() -> None:
    moment = piped('"+1 hour" | to_timestamp')
    assert timedelta(minutes=59) < moment - datetime.now(UTC) < timedelta(minutes=61)
    assert moment.microsecond % 1000 == 0


@pytest.mark.parametrize(
    ("format", "written"),
    [
        ("d D j l N S w z", "05 Thu 5 Thursday 4 th 4 63"),
        ("W F m M n t L o Y y", "10 March 03 Mar 3 31 0 2026 2026 26"),
        ("a A B g G h H i s u v", "pm PM 670 4 16 04 16 05 06 789000 789"),
        ("e I O P p T Z", "Europe/Berlin 0 +0100 +01:00 +01:00 CET 3600"),
        ("c", "2026-03-05T16:05:06+01:00"),
        ("r", "Thu, 05 Mar 2026 16:05:06 +0100"),
        ("U", "1772723106"),
        (r"\Y\\Y", r"Y\2026"),
    ],
)
def test_every_letter_of_a_format(format: str, written: str) -> None:
    source = "'2026-03-05T15:05:06.789Z' | format_timestamp(format, 'Europe/Berlin')"
    assert piped(source, format=format) == written


@pytest.mark.parametrize(
    ("text", "format", "moment"),
    [
        ("5 Mar 26, 4:05 PM", "j M y, g:i A", "2026-03-05T16:05:00.000Z"),
        ("Thu, 05 Mar 2026 16:05:06 +0100", "D, d M Y H:i:s O", "2026-03-05T15:05:06.000Z"),
        ("2026-03-05 16:05:06.789 America/New_York", "Y-m-d H:i:s.v e", "2026-03-05T21:05:06.789Z"),
        ("1772723106", "U", "2026-03-05T15:05:06.000Z"),
        ("12:30", "H:i", "1970-01-01T12:30:00.000Z"),
        ("12 am on the 1st of January 2000", r"g a \o\n \t\h\e jS \o\f F Y", "2000-01-01T00:00:00.000Z"),
    ],
)
def test_texts_are_read_by_a_format(text: str, format: str, moment: str) -> None:
    assert piped("text | parse_timestamp(format) | to_text", text=text, format=format) == moment


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("2026-02-30", "Y-m-d"),
        ("2026-03-05x", "Y-m-d"),
        ("13 PM", "g A"),
        ("5 Foo", "j M"),
        ("25:00", "H:i"),
        ("", "Y"),
    ],
)
def test_a_text_that_does_not_follow_its_format_is_refused(text: str, format: str) -> None:
    assert "does not read as" in refused("text | parse_timestamp(format)", text=text, format=format).message


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_what_a_format_with_an_offset_writes_is_read_back(moment: datetime, zone: str) -> None:
    moment = moment.replace(microsecond=0)
    source = "moment | format_timestamp(form, zone) | parse_timestamp(form, zone)"
    read = piped(source, moment=moment, form="Y-m-d H:i:s P", zone=zone)
    # Offsets of more than a century ago had seconds, which no format writes.
    assert abs(read - moment) < timedelta(minutes=1)


def test_times_beyond_the_calendar_are_refused() -> None:
    for source in (
        "'9999-12-31T23:00:00Z' | timestamp_hour('Asia/Tokyo')",
        "1e18 | to_timestamp",
        "'9999-12-31' | add_secs_to_timestamp(86400)",
        "'0001-01-01' | transform_timestamp('-1 day')",
        "'9999-12-31' | transform_timestamp('+1 year')",
    ):
        assert "between the years 1 and 9999" in refused(source).message


def test_units_since_1970_round_down() -> None:
    assert piped("'1969-12-31T23:59:59.500Z' | to_seconds") == -1
    assert piped("(-1500) | ms_to_secs") == -2
    assert piped("1.5 | secs_to_ms") == 1500
