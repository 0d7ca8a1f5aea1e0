"""JSON out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.core.errors import Problem
from stackyard.core.jsonout import encode, iso, measure, milliseconds
from stackyard.core.secrets import Secret


def test_timestamps_leave_with_milliseconds_and_z() -> None:
    moment = datetime(2026, 1, 23, 10, 0, 0, 123000, tzinfo=UTC)
    assert encode(moment) == b'"2026-01-23T10:00:00.123Z"'
    assert encode(moment.replace(microsecond=0)) == b'"2026-01-23T10:00:00.000Z"'
    assert encode(moment, epoch_ms=True) == b"1769162400123"
    elsewhere = moment.astimezone(timezone(timedelta(hours=2)))
    assert encode(elsewhere) == b'"2026-01-23T10:00:00.123Z"'
    assert encode(date(2026, 1, 23)) == b'"2026-01-23"'


@given(st.datetimes(timezones=st.just(UTC)))
def test_both_ways_of_writing_a_timestamp_agree(moment: datetime) -> None:
    assert json.loads(encode(moment)) == iso(moment)
    assert milliseconds(moment) == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def test_decimals_keep_their_digits_and_what_is_no_number_is_null() -> None:
    assert encode([Decimal("1.10"), Decimal("123456789012345678901234567890.01")]) == (
        b"[1.10,123456789012345678901234567890.01]"
    )
    assert encode([Decimal("NaN"), float("nan"), float("inf")]) == b"[null,null,null]"


def test_what_orjson_refuses_still_is_valid_json() -> None:
    huge = 10**6000
    written = encode({"a": 2**70, "b": "x\ud800", "c\udfff": [-(2**80)], 3: datetime(2026, 1, 1, tzinfo=UTC)})
    assert json.loads(written) == {
        "a": 2**70,
        "b": "x\ufffd",
        "c\ufffd": [-(2**80)],
        "3": "2026-01-01T00:00:00.000Z",
    }
    assert encode(huge) == b"1" + b"0" * 6000


def test_a_secret_leaves_as_its_mask() -> None:
    assert b"hunter2" not in encode({"password": Secret("hunter2")})


def test_a_value_that_nests_too_deep_is_a_problem() -> None:
    value: Any = 1
    for _ in range(300):
        value = [value]
    with pytest.raises(Problem) as caught:
        encode(value)
    assert caught.value.code == "RESPONSE_TOO_LARGE"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_every_value_becomes_valid_json_at_least_as_large_as_measured(value: Any) -> None:
    written = encode(value)
    json.loads(written)
    assert measure(value) <= len(written)


def test_measuring_is_quick_for_shared_references_and_shows_their_full_size() -> None:
    value: Any = ["x" * 100]
    for _ in range(60):
        value = [value, value]
    assert measure(value) > 2**60


def test_a_value_that_holds_itself_is_endless() -> None:
    value: list[Any] = []
    value.append(value)
    assert measure(value) >= 2**62
