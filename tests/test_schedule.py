"""Schedules by an injected clock: each nominal time has exactly one run, through days when the clocks change."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs import schedule, states
from stackyard.runs.cron import check_cron, nominal_times
from stackyard.runs.models import Run, Schedule
from stackyard.stacks.publishing import create_function, publish

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def times(cron: str, zone: str, after: str, count: int) -> list[str]:
    """The next local times as text."""
    found = nominal_times(
        cron=cron,
        every_seconds=None,
        timezone=zone,
        anchor_at=datetime(2026, 1, 1, tzinfo=UTC),
        after=datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC),
    )
    return [moment.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M %Z") for moment in islice(found, count)]


def test_a_time_that_the_clock_skips_runs_once_after_the_gap() -> None:
    assert times("30 2 * * *", BERLIN, "2026-03-28T00:00", 3) == [
        "03-28 02:30 CET",
        "03-29 03:00 CEST",
        "03-30 02:30 CEST",
    ]


def test_a_time_that_the_clock_repeats_runs_once() -> None:
    assert times("30 1 * * *", NEW_YORK, "2026-10-31T00:00", 3) == [
        "10-31 01:30 EDT",
        "11-01 01:30 EDT",
        "11-02 01:30 EST",
    ]


def test_what_runs_every_half_hour_goes_by_elapsed_time() -> None:
    found = times("*/30 * * * *", NEW_YORK, "2026-11-01T00:45", 6)
    assert found == [
        "11-01 01:00 EDT",
        "11-01 01:30 EDT",
        "11-01 01:00 EST",
        "11-01 01:30 EST",
        "11-01 02:00 EST",
        "11-01 02:30 EST",
    ]


def test_every_n_seconds_keeps_to_its_anchor() -> None:
    anchor = datetime(2026, 1, 1, tzinfo=UTC)
    found = nominal_times(
        cron="", every_seconds=900, timezone="UTC", anchor_at=anchor, after=anchor + timedelta(seconds=901)
    )
    assert [moment - anchor for moment in islice(found, 2)] == [
        timedelta(seconds=1800),
        timedelta(seconds=2700),
    ]


@pytest.mark.parametrize("expression", ["", "* * * *", "61 * * * *", "x", "0 0 31 2 *", "* * * * * * *"])
def test_what_is_no_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(Problem) as caught:
        check_cron(expression)
    assert caught.value.status == 400


@pytest.fixture
def function_id(workspace: Workspace) -> int:
    """A function to run."""
    function = create_function(workspace, {"name": "tick", "response": 1})
    publish(function)
    return function.pk


def scheduled(workspace: Workspace, function_id: int, begin: datetime, **values: Any) -> Schedule:
    spec = {"cron": "", "every_seconds": None, "timezone": "UTC", "catch_up": "none", "input": None, **values}
    schedule.replace_schedules(workspace, "function", function_id, [spec])
    made = Schedule.objects.get()
    made.anchor_at = made.placed_at = begin
    made.next_at = next(
        nominal_times(
            cron=made.cron,
            every_seconds=made.every_seconds,
            timezone=made.timezone,
            anchor_at=begin,
            after=begin,
        )
    )
    made.save()
    return made


def end_all() -> None:
    Run.objects.filter(state__in=states.UNFINISHED).update(state=states.SUCCEEDED)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cron", "zone", "day"),
    [
        ("30 2 * * *", BERLIN, datetime(2026, 3, 26, tzinfo=UTC)),
        ("30 2 * * *", BERLIN, datetime(2026, 10, 22, tzinfo=UTC)),
        ("15 */6 * * *", NEW_YORK, datetime(2026, 3, 5, tzinfo=UTC)),
        ("30 1 * * *", NEW_YORK, datetime(2026, 10, 29, tzinfo=UTC)),
    ],
)
def test_seven_days_around_a_change_two_schedulers_twenty_restarts(
    workspace: Workspace, function_id: int, cron: str, zone: str, day: datetime
) -> None:
    scheduled(workspace, function_id, day, cron=cron, timezone=zone, catch_up="all")
    chance = random.Random(7)
    restarts = sorted(chance.randrange(7 * 24 * 60) for _ in range(20))
    down_until = [day, day]
    for minute in range(0, 7 * 24 * 60, 15):
        now = day + timedelta(minutes=minute, seconds=chance.randrange(60))
        while restarts and restarts[0] <= minute:
            restarts.pop(0)
            down_until[chance.randrange(2)] = now + timedelta(minutes=chance.randrange(90))
        for scheduler in range(2):
            if now >= down_until[scheduler]:
                schedule.tick(now)
                end_all()
    end = day + timedelta(days=7)
    wanted = nominal_times(cron=cron, every_seconds=None, timezone=zone, anchor_at=day, after=day)
    expected = [moment for moment in islice(wanted, 60) if moment <= end - timedelta(minutes=10)]
    got = Counter(
        run.nominal_at for run in Run.objects.all() if run.nominal_at <= end - timedelta(minutes=10)
    )
    assert got == Counter(expected)
    assert len(expected) >= 6


@pytest.mark.django_db
@pytest.mark.parametrize(("catch_up", "caught"), [("none", []), ("last", [5]), ("all", [1, 2, 3, 4, 5])])
def test_missed_times_follow_catch_up(
    workspace: Workspace, function_id: int, catch_up: str, caught: list[int]
) -> None:
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    scheduled(workspace, function_id, begin, every_seconds=3600, catch_up=catch_up)
    schedule.tick(begin + timedelta(hours=5, minutes=30))
    found = Run.objects.order_by("nominal_at").values_list("nominal_at", flat=True)
    assert [(moment - begin) // timedelta(hours=1) for moment in found] == caught
    schedule.tick(begin + timedelta(hours=6))
    assert Run.objects.filter(nominal_at=begin + timedelta(hours=6)).count() == (
        0 if caught and catch_up == "last" else 1
    )


@pytest.mark.django_db
def test_a_run_that_has_not_ended_holds_the_next_one_back(workspace: Workspace, function_id: int) -> None:
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    made = scheduled(workspace, function_id, begin, every_seconds=60)
    assert schedule.tick(begin + timedelta(seconds=60)) == 1
    assert schedule.tick(begin + timedelta(seconds=120)) == 0
    made.refresh_from_db()
    assert made.last_skipped_at == begin + timedelta(seconds=120)
    end_all()
    assert schedule.tick(begin + timedelta(seconds=180)) == 1


@pytest.mark.django_db
def test_a_paused_schedule_does_nothing_and_goes_on_from_now(workspace: Workspace, function_id: int) -> None:
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    made = scheduled(workspace, function_id, begin, every_seconds=60, catch_up="all")
    schedule.pause(made, True)
    assert schedule.tick(begin + timedelta(hours=1)) == 0
    schedule.pause(made, False)
    made.refresh_from_db()
    assert made.next_at is not None
    assert made.next_at > begin + timedelta(days=1)


@pytest.mark.django_db
def test_days_of_missed_seconds_are_not_counted_one_by_one(workspace: Workspace, function_id: int) -> None:
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    scheduled(workspace, function_id, begin, every_seconds=1, catch_up="last")
    schedule.tick(begin + timedelta(days=365))
    made = Schedule.objects.get()
    assert made.next_at is not None
    assert made.next_at > begin + timedelta(days=365)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "rhythm", [{"every_seconds": 3600}, {"cron": "0 * * * *"}, {"cron": "0 * * * *", "timezone": BERLIN}]
)
@pytest.mark.parametrize("catch_up", ["none", "last", "all"])
def test_after_the_clock_was_ahead_a_schedule_goes_on_and_no_time_has_two_runs(
    workspace: Workspace, function_id: int, rhythm: dict[str, Any], catch_up: str
) -> None:
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    made = scheduled(workspace, function_id, begin, catch_up=catch_up, **rhythm)
    schedule.tick(begin + hour)
    end_all()
    # A day ahead for a moment, on the hour: the times missed by that clock are caught up, the present one runs.
    schedule.tick(begin + 25 * hour)
    end_all()
    made.refresh_from_db()
    assert made.next_at == begin + 26 * hour
    for minute in range(90, 30 * 60, 30):
        for _ in range(2):
            schedule.tick(begin + timedelta(minutes=minute))
            end_all()
    found = Counter(Run.objects.values_list("nominal_at", flat=True))
    assert found == Counter(begin + n * hour for n in range(1, 30))


@pytest.mark.django_db
def test_a_schedule_made_while_the_clock_was_ahead_is_not_silent_until_then(
    workspace: Workspace, function_id: int
) -> None:
    ahead = datetime(2026, 5, 2, tzinfo=UTC)
    scheduled(workspace, function_id, ahead, every_seconds=900)
    now = ahead - timedelta(hours=20)
    assert [schedule.tick(now + timedelta(seconds=seconds)) for seconds in (1, 899, 900, 901)] == [0, 0, 1, 0]


@pytest.mark.django_db
def test_a_schedule_that_is_not_changed_keeps_its_place(workspace: Workspace, function_id: int) -> None:
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    made = scheduled(workspace, function_id, begin, every_seconds=60)
    same = {"cron": "", "every_seconds": 60, "timezone": "UTC", "catch_up": "last", "input": None}
    schedule.replace_schedules(workspace, "function", function_id, [same])
    kept = Schedule.objects.get()
    assert (kept.pk, kept.next_at, kept.catch_up) == (made.pk, made.next_at, "last")
    schedule.replace_schedules(workspace, "function", function_id, [])
    assert not Schedule.objects.exists()
