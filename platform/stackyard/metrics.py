"""`/metrics` for Prometheus, from the rollups: the same in every web process, and not begun anew when one restarts.

Whoever asks from this machine may read it, else who sends `Authorization: Bearer` with `STACKYARD_METRICS_TOKEN`. What a
proxy passes on is not from this machine, whatever address it comes from.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from endpoints.models import Endpoint, Rollup
from endpoints.rollups import EVER, WHOLE
from endpoints.spread import EDGES_US, unpacked, within
from stackyard.alerts.models import Incident
from stackyard.core.answers import only_reads
from stackyard.core.errors import Problem
from stackyard.runs.models import MissedTime, Run, Schedule

SHOWN_ENDPOINTS = 1_000
"""The busiest endpoints have series of their own; a scrape must stay small."""
_EDGES = range(0, len(EDGES_US), 8)
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
_LABELS = ["workspace", "group", "endpoint"]


@only_reads
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything that is counted, in Prometheus' text form. Problem 401 for whoever may not read it."""
    if not _may_read(request):
        raise Problem(
            "UNAUTHORIZED",
            "Metrics are read from this machine, or with the token of STACKYARD_METRICS_TOKEN.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Counted())
    answer = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _may_read(request: HttpRequest) -> bool:
    given = request.META.get("HTTP_AUTHORIZATION", "")
    token = settings.METRICS_TOKEN
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    if any(name in request.META for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


class Counted(Collector):
    """What the databases know, read at each scrape."""

    def collect(self) -> Iterable[Metric]:
        """The families."""
        yield from _calls()
        yield from _runs()
        incidents = GaugeMetricFamily("stackyard_alerts_open", "Alert rules with an open incident.")
        incidents.add_metric([], Incident.objects.filter(resolved_at=None).count())
        yield incidents


def _calls() -> Iterator[Metric]:
    duration = HistogramMetricFamily(
        "stackyard_request_duration_seconds", "Time to answer a call.", labels=_LABELS
    )
    answers = CounterMetricFamily(
        "stackyard_requests", "Calls answered, by class of status.", labels=[*_LABELS, "status"]
    )
    limited = CounterMetricFamily(
        "stackyard_requests_limited", "Calls turned away by a limit.", labels=_LABELS
    )
    rows = list(
        Rollup.objects.filter(step_seconds=EVER)
        .exclude(endpoint_id=WHOLE)
        .order_by("-calls")[:SHOWN_ENDPOINTS]
    )
    there = Endpoint.objects.select_related("group__workspace").in_bulk([row.endpoint_id for row in rows])
    for row in rows:
        endpoint = there.get(row.endpoint_id)
        if endpoint is None:
            continue
        labels = [endpoint.group.workspace.name, endpoint.group.name, endpoint.name]
        spread = unpacked(row.spread)
        buckets = [(f"{EDGES_US[edge] / 1e6:.6f}", float(within(spread, edge))) for edge in _EDGES]
        duration.add_metric(labels, [*buckets, ("+Inf", float(row.calls))], row.total_us / 1e6)
        for status, count in (
            ("ok", row.calls - row.refused - row.failed),
            ("4xx", row.refused),
            ("5xx", row.failed),
        ):
            answers.add_metric([*labels, status], count)
        limited.add_metric(labels, row.limited)
    yield from (duration, answers, limited)


def _runs() -> Iterator[Metric]:
    runs = GaugeMetricFamily(
        "stackyard_runs", "Runs that are kept, by kind and state.", labels=["kind", "state"]
    )
    for kind, state, count in Run.objects.order_by().values_list("kind", "state").annotate(Count("pk")):
        runs.add_metric([kind, state], count)
    overdue = GaugeMetricFamily(
        "stackyard_schedules_overdue", "Schedules whose time has passed without a run."
    )
    late = timezone.now() - timedelta(seconds=60)
    overdue.add_metric([], Schedule.objects.filter(paused=False, next_at__lt=late).count())
    missed = GaugeMetricFamily(
        "stackyard_schedule_times_missed", "Times of schedules missed in the last 35 days."
    )
    missed.add_metric([], MissedTime.objects.count())
    yield from (runs, overdue, missed)
