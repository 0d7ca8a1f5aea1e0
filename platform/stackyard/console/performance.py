"""Performance: response times, errors and throughput over an hour to a year, with goals, and where the time goes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from endpoints.figures import RANGES, Figures, Point, Range, endpoints_of, error_groups, points, total
from endpoints.models import Endpoint
from endpoints.slow_steps import slow_steps
from stackyard.core.models import Workspace
from stackyard.runs.health import schedule_health
from stackyard.runs.run_kind import RunKind

from .chosen_workspace import narrowed_to
from .pages import page

GOAL_MS = 500
GOAL_ERRORS = 0.01
SHOWN = 100


def performance(request: HttpRequest) -> HttpResponse:
    """The page: `?range=` (one of `RANGES`) and `?endpoint=` (an id)."""
    workspace = narrowed_to(request)
    asked = RANGES.get(request.GET.get("range", ""), RANGES["24h"])
    endpoint = _endpoint(request, workspace)
    now = time.time()
    whose = endpoint.group.workspace_id if endpoint else workspace.pk if workspace else None
    found = points(asked, whose, endpoint.pk if endpoint else 0, now)
    whole = total(found)
    since = now - asked.seconds
    return page(
        request,
        "console/performance.html",
        _("Performance"),
        [],
        ranges=_ranges(asked, endpoint),
        asked=asked,
        endpoint=endpoint,
        choices=_choices(workspace),
        whole=whole,
        p95_ms=whole.p95_ms,
        is_slow=(whole.p95_ms or 0) > GOAL_MS,
        is_failing=(whole.error_rate or 0) > GOAL_ERRORS,
        charts=charts(asked, found, endpoint) if whole.calls else [],
        endpoints=[] if endpoint else _endpoints(asked, workspace, now),
        errors=_errors(asked, whose, endpoint, now),
        steps=_named(slow_steps(whose, since, endpoint.pk if endpoint else 0)),
        schedules=[] if endpoint else _schedules(workspace, since, now),
    )


def charts(asked: Range, found: Sequence[Point], endpoint: Endpoint | None) -> list[dict[str, Any]]:
    """What the island `charts` draws: response time, error rate, throughput."""
    times = [point.at for point in found]
    quantiles = [point.figures.quantiles_ms() for point in found]
    only = {"endpoint": endpoint.pk} if endpoint else {}
    query = urlencode({**only, "at": f"AT-{asked.point_seconds}"}).replace("AT", "{at}")
    link = f"{reverse('admin:endpoints_historyentry_changelist')}?{query}"
    milliseconds = [
        {"label": label, "colour": colour, "unit": "milliseconds", "values": [one[at] for one in quantiles]}
        for at, (label, colour) in enumerate(
            [("p50", "--kind-finish"), ("p95", "--kind-data"), ("p99", "--kind-connect")]
        )
    ]
    rate = [point.figures.error_rate for point in found]
    minutes = asked.point_seconds / 60
    per_minute = [round(point.figures.calls / minutes, 2) for point in found]
    limited = [round(point.figures.limited / minutes, 2) for point in found]
    return [
        {
            "title": _("Response time"),
            "times": times,
            "lines": milliseconds,
            "goal": {"label": _("Goal 500 ms"), "value": GOAL_MS},
            "link": link,
        },
        {
            "title": _("Error rate (5xx)"),
            "times": times,
            "lines": [{"label": _("Failed"), "colour": "--bad", "unit": "share", "values": rate}],
            "goal": {"label": _("Goal 1 %"), "value": GOAL_ERRORS},
            "link": link,
        },
        {
            "title": _("Throughput (requests a minute)"),
            "times": times,
            "lines": [
                {"label": _("Answered"), "colour": "--kind-data", "unit": "count", "values": per_minute},
                {
                    "label": _("Turned away by a limit"),
                    "colour": "--warn",
                    "unit": "count",
                    "values": limited,
                },
            ],
            "link": link,
        },
    ]


def _endpoint(request: HttpRequest, workspace: Workspace | None) -> Endpoint | None:
    asked = request.GET.get("endpoint", "")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        return None
    return _of(workspace).filter(pk=int(asked)).first()


def _of(workspace: Workspace | None) -> Any:
    found = Endpoint.objects.select_related("group", "group__workspace")
    return found if workspace is None else found.filter(group__workspace=workspace)


def _ranges(asked: Range, endpoint: Endpoint | None) -> list[dict[str, Any]]:
    names = {
        "1h": _("1 hour"),
        "6h": _("6 hours"),
        "24h": _("24 hours"),
        "7d": _("7 days"),
        "30d": _("30 days"),
        "1y": _("1 year"),
    }
    only = {"endpoint": endpoint.pk} if endpoint else {}
    return [
        {"text": names[name], "query": urlencode({"range": name, **only}), "is_current": name == asked.name}
        for name in RANGES
    ]


def _choices(workspace: Workspace | None) -> list[Endpoint]:
    """What the menu offers; with more endpoints than that, the table below leads to each."""
    return list(_of(workspace).order_by("group__name", "path", "method")[:200])


def _endpoints(asked: Range, workspace: Workspace | None, now: float) -> list[dict[str, Any]]:
    """The endpoints of the range by the time they took, with the range's query."""
    each = endpoints_of(asked, workspace.pk if workspace else None, now)
    ranked: list[tuple[int, Figures]] = sorted(each.items(), key=lambda one: -one[1].total_us)[:SHOWN]
    there = _of(workspace).in_bulk([pk for pk, _figures in ranked])
    return [
        {
            "endpoint": there[pk],
            "figures": figures,
            "quantiles": figures.quantiles_ms(),
            "query": urlencode({"range": asked.name, "endpoint": pk}),
        }
        for pk, figures in ranked
        if pk in there
    ]


def _errors(asked: Range, whose: int | None, endpoint: Endpoint | None, now: float) -> list[dict[str, Any]]:
    kinds = error_groups(asked, whose, endpoint.pk if endpoint else 0, 30, now)
    there = Endpoint.objects.in_bulk([kind.endpoint_id for kind in kinds])
    return [
        {
            "kind": kind,
            "endpoint": there.get(kind.endpoint_id),
            "last_at": datetime.fromtimestamp(kind.last_at / 1000, UTC),
            "query": urlencode({"q": kind.request_id}),
        }
        for kind in kinds
    ]


def _named(steps: Sequence[Any]) -> list[dict[str, Any]]:
    there = Endpoint.objects.in_bulk([step.endpoint_id for step in steps])
    return [{"step": step, "endpoint": there.get(step.endpoint_id)} for step in steps]


def _schedules(workspace: Workspace | None, since: float, now: float) -> list[dict[str, Any]]:
    moment = datetime.fromtimestamp(now, UTC)
    found = schedule_health(
        workspace.pk if workspace else None, moment - timedelta(seconds=now - since), moment
    )
    return [
        {"health": one, "name": RunKind.get(one.schedule.kind).name_of(one.schedule.target_id)}
        for one in found
    ]
