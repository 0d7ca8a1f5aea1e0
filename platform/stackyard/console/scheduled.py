"""Scheduled tasks in the console: every schedule over all lambdas, and what else waits for its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from stackyard.core.errors import Problem
from stackyard.core.principal import Principal
from stackyard.runs import states
from stackyard.runs.models import Run, Schedule
from stackyard.runs.run_kind import RunKind
from stackyard.runs.schedule import coming_times, pause, run_now

from .chosen_workspace import all_workspaces, narrowed_to
from .pages import page
from .problems import sentence
from .run_progress import TABLE_JOBS

SHOWN_TIMES = 3
SHOWN_TASKS = 200
CATCH_UP_WORDS = {
    "none": "missed times are let go",
    "last": "the last missed time is run",
    "all": "all missed times are run (at most 24)",
}
# Where the page of a kind's target is, for kinds whose target has one.
PAGES = {
    **dict.fromkeys(TABLE_JOBS, "admin:tables_table_change"),
    "lambda": "admin:lambdas_lambda_change",
    "publication": "admin:lambdas_lambda_change",
    "function": "admin:stacks_function_change",
}


def address_of(kind: str, target_id: int) -> str:
    """The page of what is run; empty when it is gone, or has none."""
    if kind not in PAGES or not RunKind.get(kind).name_of(target_id):
        return ""
    return reverse(PAGES[kind], args=[target_id])


def person(request: HttpRequest, workspace_id: int) -> Principal:
    """Whoever sits before the console, as the one on whose behalf something runs."""
    user = request.user
    return Principal("builder", user.pk, workspace_id, frozenset({"*"}), label=str(user))


def in_zone(moment: datetime, zone: str) -> str:
    """A moment as the schedule's own clock shows it, with the clock's name."""
    return f"{moment.astimezone(ZoneInfo(zone)):%a %d %b %H:%M %Z}"


class ScheduleAdmin(admin.ModelAdmin):
    """One page with all of them. Schedules are made by publishing; here they are paused, resumed and run."""

    def get_urls(self) -> list[URLPattern]:
        """The page and its two deeds. The admin's own forms are not among them: they would go past the deeds."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="runs_schedule_changelist"),
            path("<int:pk>/pause/", view(self.pause), name="runs_schedule_pause"),
            path("<int:pk>/run/", view(self.run), name="runs_schedule_run"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Every schedule with its last run and its next times, and the runs that wait for a time of their own."""
        asked = request.GET.get("workspace")
        chosen = narrowed_to(request)
        if asked is not None:
            chosen = next(
                (w for w in all_workspaces(request) if str(w.pk) == asked),
                narrowed_to(request) if asked else None,
            )
        only = {"workspace": chosen} if chosen is not None else {}
        schedules = _with_last_run(Schedule.objects.filter(**only).select_related("workspace"))
        waiting = Run.objects.filter(
            state=states.ACCEPTED, attempt=0, run_after__gt=timezone.now(), **only
        ).select_related("workspace")
        return page(
            request,
            "console/scheduled.html",
            _("Scheduled tasks"),
            [],
            tasks=list(_tasks(schedules[: SHOWN_TASKS + 1]))[:SHOWN_TASKS],
            is_cut=schedules.count() > SHOWN_TASKS,
            waiting=waiting.defer("result", "error", "logs").order_by("run_after")[:SHOWN_TASKS],
            chosen=chosen,
        )

    def pause(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Pause a schedule or let it go on (POST `paused` = `on` or `off`)."""
        schedule = Schedule.objects.filter(pk=pk).first()
        if request.method == "POST" and schedule is not None:
            paused = request.POST.get("paused") == "on"
            pause(schedule, paused)
            words = "is paused" if paused else "goes on; what was due meanwhile is not made up"
            messages.success(
                request, _("The schedule {schedule} {words}.").format(schedule=schedule, words=words)
            )
        return self._back(request)

    def run(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Accept a run with the schedule's input now (POST)."""
        schedule = Schedule.objects.filter(pk=pk).first()
        if request.method != "POST" or schedule is None:
            return self._back(request)
        try:
            run = run_now(schedule, person(request, schedule.workspace_id), "console")
        except Problem as problem:
            messages.error(request, _("Not started. {problem}").format(problem=sentence(problem)))
            return self._back(request)
        messages.success(request, _("The run is accepted."))
        return HttpResponseRedirect(reverse("admin:runs_run_change", args=[run.pk]))

    def _back(self, request: HttpRequest) -> HttpResponse:
        workspace = request.POST.get("workspace", "")
        query = f"?workspace={workspace}" if workspace.isascii() and workspace.isdecimal() else ""
        return HttpResponseRedirect(reverse("admin:runs_schedule_changelist") + query)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are made by publishing what they run."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They go with what they run."""
        return False


def _with_last_run(schedules: QuerySet[Schedule]) -> QuerySet[Any]:
    """The schedules, each with id and state of the run of its last nominal time."""
    runs = Run.objects.filter(
        kind=OuterRef("kind"), target_id=OuterRef("target_id"), nominal_at__lte=OuterRef("last_at")
    ).order_by("-nominal_at")
    columns = ("id", "state", "nominal_at", "started_at", "finished_at")
    return schedules.annotate(**{f"run_{column}": Subquery(runs.values(column)[:1]) for column in columns})


def _tasks(schedules: QuerySet[Any]) -> Iterator[dict[str, Any]]:
    for schedule in schedules:
        seconds = None
        if schedule.run_started_at and schedule.run_finished_at:
            seconds = (schedule.run_finished_at - schedule.run_started_at).total_seconds()
        yield {
            "schedule": schedule,
            "name": RunKind.get(schedule.kind).name_of(schedule.target_id),
            "address": address_of(schedule.kind, schedule.target_id),
            "catch_up": CATCH_UP_WORDS[schedule.catch_up],
            "seconds": seconds,
            "times": [
                (time.astimezone(UTC), in_zone(time, schedule.timezone))
                for time in coming_times(schedule, SHOWN_TIMES)
            ],
        }
