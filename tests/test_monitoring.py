"""Monitoring: what is counted of calls, that counts of processes add up, and how exact they are."""

from __future__ import annotations

import itertools
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoints import spread
from endpoints.figures import RANGES, endpoints_of, error_groups, points, total
from endpoints.history import history
from endpoints.models import ApiGroup, ErrorGroup, HistoryEntry, Rollup
from endpoints.rollups import DAY, HOUR, MINUTE, OTHER_CODES, WHOLE, Tally, prune
from endpoints.throttles import forget_all
from stackyard.core.models import Workspace
from tests.calling import expression
from tests.doors import Door
from tests.factories import make_endpoint, make_group

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    return make_group(workspace)


def noted(
    endpoint_id: int = 7,
    at: float = 1_000_000.0,
    milliseconds: float = 10.0,
    status: int = 200,
    code: str = "",
    workspace: int = 1,
) -> Any:
    """A call as the writer meets it."""
    plan = SimpleNamespace(group=SimpleNamespace(workspace_id=workspace), endpoint_id=endpoint_id)
    return SimpleNamespace(
        plan=plan,
        started_at=at,
        duration_ns=int(milliseconds * 1e6),
        status=status,
        error_code=code,
        place="",
        request_id="r",
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(64, 60_000_000), min_size=1, max_size=200), st.integers(0, 200))
def test_quantiles_are_within_the_stated_bound_however_the_calls_are_shared_out(
    durations: list[int], cut: int
) -> None:
    parts: list[spread.Spread] = [{}, {}]
    for index, duration in enumerate(durations):
        spread.add(parts[index < cut], {spread.bucket_of(duration): 1})
    whole = spread.unpacked(spread.packed(parts[0]))
    spread.add(whole, spread.unpacked(spread.packed(parts[1])))
    ranked = sorted(durations)
    for share, got in zip((0.5, 0.95, 0.99), spread.quantiles_ms(whole, (0.5, 0.95, 0.99)), strict=True):
        exact = ranked[max(1, -(-len(ranked) * round(share * 1000) // 1000)) - 1] / 1000
        # Edges are whole microseconds, which is what the hundredth is for.
        assert got is not None
        assert abs(got - exact) <= exact * (spread.ERROR_BOUND + 0.01), (share, exact, got)


def test_calls_over_http_are_counted_by_endpoint_and_whole(
    client: Door, workspace: Workspace, group: ApiGroup
) -> None:
    good = make_endpoint(group, "/good")
    bad = make_endpoint(group, "/bad", inputs={"n": "int"}, response=expression("1 / input.n"))
    for _ in range(3):
        assert client.get("/api:shop/good").status == 200
    refused = client.get("/api:shop/bad?n=x").status
    client.get("/api:shop/bad?n=0")
    history.flush()
    day = RANGES["24h"]
    whole = total(points(day, workspace.pk))
    assert (whole.calls, refused) == (5, 400)
    assert whole.refused + whole.failed == 2
    assert total(points(day, None)).calls == 5
    each = endpoints_of(day, workspace.pk)
    assert (each[good.pk].calls, each[bad.pk].calls) == (3, 2)
    p50, p95, p99 = whole.quantiles_ms()
    assert p50 is not None
    assert p95 is not None
    assert p99 is not None
    assert 0 < p50 <= p95 <= p99 <= whole.slowest_us / 1000
    assert set(Rollup.objects.values_list("step_seconds", flat=True)) == {0, MINUTE, HOUR, DAY}
    codes = {kind.code for kind in error_groups(day, workspace.pk)}
    assert "INVALID_INPUT" in codes
    kind = next(k for k in error_groups(day, workspace.pk) if k.code == "INVALID_INPUT")
    assert HistoryEntry.objects.get(request_id=kind.request_id).endpoint_id == bad.pk


def test_calls_turned_away_by_a_limit_are_counted_apart(
    client: Door, workspace: Workspace, group: ApiGroup
) -> None:
    make_endpoint(group, "/few", limit_per_second=1)
    forget_all()
    statuses = [client.get("/api:shop/few").status for _ in range(4)]
    history.flush()
    whole = total(points(RANGES["1h"], workspace.pk))
    assert whole.limited == statuses.count(429) > 0
    assert whole.calls == statuses.count(200)


def test_processes_add_to_the_same_rows() -> None:
    first, second = Tally(), Tally()
    for tally in (first, second, first):
        for milliseconds in (1, 10, 100):
            tally.count(noted(milliseconds=milliseconds))
        tally.count(noted(endpoint_id=8, status=503, code="BUSY"))
        tally.write()
    row = Rollup.objects.get(endpoint_id=7, step_seconds=MINUTE)
    assert (row.calls, row.failed, row.slowest_us, row.total_us) == (9, 0, 100_000, 333_000)
    assert sum(spread.unpacked(row.spread).values()) == 9
    whole = Rollup.objects.get(endpoint_id=WHOLE, step_seconds=DAY)
    assert (whole.calls, whole.failed, whole.started_at % DAY) == (12, 3, 0)
    assert ErrorGroup.objects.get().calls == 3


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_threads_that_write_at_once_lose_nothing() -> None:
    def work(number: int) -> None:
        try:
            tally = Tally()
            for turn in range(10):
                # Each in another order: rows are locked in the order of their keys all the same.
                for endpoint in sorted(range(1, 6), key=lambda one: (one * (number + 3) + turn) % 5):
                    tally.count(noted(endpoint_id=endpoint))
                tally.write()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = Rollup.objects.get(endpoint_id=WHOLE, step_seconds=MINUTE)
    assert (whole.calls, sum(spread.unpacked(whole.spread).values())) == (200, 200)
    assert (
        list(Rollup.objects.filter(step_seconds=0).exclude(endpoint_id=WHOLE).values_list("calls", flat=True))
        == [40] * 5
    )


def test_a_refusal_of_the_database_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from endpoints import rollups

    tally = Tally()
    tally.count(noted())
    with monkeypatch.context() as broken:
        broken.setattr(rollups, "_add_errors", lambda _: (_ for _ in ()).throw(OperationalError("locked")))
        with pytest.raises(OperationalError):
            tally.write()
    assert not Rollup.objects.exists()
    tally.write()
    tally.write()
    assert Rollup.objects.get(endpoint_id=7, step_seconds=MINUTE).calls == 1


def test_codes_without_end_become_one_group() -> None:
    tally = Tally()
    for number in range(1_500):
        tally.count(noted(status=400, code=f"CODE_{number}"))
    tally.write()
    assert ErrorGroup.objects.count() == 1_001
    assert ErrorGroup.objects.get(code=OTHER_CODES).calls == 500


def test_old_rows_go_and_what_is_counted_for_ever_stays() -> None:
    now = time.time()
    tally = Tally()
    for age in (0, 3 * DAY, 40 * DAY, 500 * DAY):
        tally.count(noted(at=now - age, status=500, code="X"))
    tally.write()
    assert prune(now) > 0
    kept = {
        step: Rollup.objects.filter(step_seconds=step, endpoint_id=7).count()
        for step in (0, MINUTE, HOUR, DAY)
    }
    assert kept == {0: 1, MINUTE: 1, HOUR: 2, DAY: 3}
    assert ErrorGroup.objects.count() == 2
    assert prune(now) == 0


@pytest.mark.parametrize("name", RANGES)
def test_every_range_has_points_without_gaps(name: str) -> None:
    asked, now = RANGES[name], 1_700_000_000.0
    tally = Tally()
    tally.count(noted(at=now))
    tally.count(noted(at=now - asked.seconds + asked.point_seconds))
    tally.count(noted(at=now - asked.seconds - 2 * max(asked.point_seconds, asked.step_seconds)))
    tally.write()
    found = points(asked, 1, now=now)
    assert len(found) == asked.seconds // asked.point_seconds
    assert {two.at - one.at for one, two in itertools.pairwise(found)} == {asked.point_seconds}
    assert (found[0].figures.calls, found[-1].figures.calls, total(found).calls) == (1, 1, 2)
