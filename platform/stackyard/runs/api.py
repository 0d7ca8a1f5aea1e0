"""Runs and schedules in the management API."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.limits import PAGE_RECORDS
from stackyard.core.meta.lists import PageQuery
from stackyard.core.meta.serializers import AnyJSON, Flag, Moment, StrictModelSerializer, StrictSerializer
from stackyard.core.meta.views import MetaViewSet, find, route

from . import dispatch, states
from .models import Run, RunEvent, Schedule
from .progress import progress_value
from .run_kind import RunKind
from .schedule import coming_times, pause, run_now

SHOWN_TIMES = 3


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a job is. Without `total` nobody knows how much there is to do."""

    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    percent = serializers.FloatField(allow_null=True)
    phase = serializers.CharField(help_text="What it is doing, such as `converting`.")
    seconds_left = serializers.FloatField(allow_null=True, help_text="By the speed so far.")


class RunSerializer(StrictModelSerializer):
    """What was accepted, and what became of it."""

    id = serializers.UUIDField()
    target = serializers.CharField(source="target_name")
    seconds = serializers.FloatField(allow_null=True, help_text="How long the last attempt took.")
    progress = serializers.SerializerMethodField()

    @extend_schema_field(ProgressSerializer(allow_null=True))
    def get_progress(self, run: Run) -> dict[str, Any] | None:
        """How far it is; null for what does not tell."""
        return progress_value(run)

    class Meta:
        model = Run
        fields = [
            "id",
            "kind",
            "target",
            "state",
            "trigger",
            "data_source",
            "attempt",
            "max_attempts",
            "seconds",
            "progress",
            "run_after",
            "nominal_at",
            "created_at",
            "started_at",
            "finished_at",
        ]


class StartedSerializer(RunSerializer):
    """The accepted run, and where it can be watched."""

    url = serializers.SerializerMethodField()

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "url"]

    def get_url(self, run: Run) -> str:
        """`/run:<id>`."""
        return f"/run:{run.pk}"


class EventSerializer(StrictModelSerializer):
    """One thing that happened to a run."""

    class Meta:
        model = RunEvent
        fields = ["name", "detail", "at"]


class WholeRunSerializer(RunSerializer):
    """A run with its input, result, error, logs and events."""

    trigger_detail = AnyJSON()
    input = AnyJSON()
    result = AnyJSON()
    error = AnyJSON()
    events = EventSerializer(many=True)

    class Meta(RunSerializer.Meta):
        fields = [
            *RunSerializer.Meta.fields,
            "trigger_detail",
            "retry_safe",
            "idempotency_key",
            "input",
            "result",
            "error",
            "logs",
            "events",
        ]


class RunQuery(PageQuery):
    """Which runs. All conditions must hold."""

    kind = serializers.CharField(
        required=False, help_text="`lambda`, `function` or a kind of job, such as `import`."
    )
    target = serializers.CharField(required=False, help_text="The name of what ran.")
    state = serializers.ChoiceField(choices=states.ALL, required=False)
    trigger = serializers.CharField(required=False)
    per_page = serializers.IntegerField(min_value=1, max_value=PAGE_RECORDS.maximum, default=20)


class RunViewSet(MetaViewSet):
    """The workspace's runs."""

    noun, tag, model = "run", "runs", Run
    rights = {"cancel": "change"}
    shows = RunSerializer
    answers = {"retrieve": WholeRunSerializer, "cancel": WholeRunSerializer}
    queries = {"list": RunQuery}

    def list(self, request: Request, workspace: str) -> Response:
        """List the runs, newest first."""
        names = {"kind": "kind", "target": "target_name", "state": "state", "trigger": "trigger"}
        chosen = {column: self.query[name] for name, column in names.items() if name in self.query}
        runs: QuerySet[Run] = Run.objects.filter(workspace=self.workspace(), **chosen)
        return self.listed(runs.defer("input", "sealed_input", "result", "error", "logs"))

    def retrieve(self, request: Request, workspace: str, run: uuid.UUID) -> Response:
        """Show a run."""
        return self.shown(self._run())

    def cancel(self, request: Request, workspace: str, run: uuid.UUID) -> Response:
        """Cancel a run: at once when it waits, within about a second when it runs. 409 when it has ended."""
        found = self._run()
        dispatch.cancel(found)
        return self.shown(self._run())

    def _run(self) -> Run:
        found: Run = find(Run.objects.filter(workspace=self.workspace()), "run", pk=self.kwargs["run"])
        return found


class ScheduleSerializer(StrictModelSerializer):
    """When a target runs by itself. `next` are the coming nominal times, none while it is paused."""

    target = serializers.SerializerMethodField()
    next = serializers.SerializerMethodField()
    input = AnyJSON()

    class Meta:
        model = Schedule
        fields = [
            "id",
            "kind",
            "target",
            "cron",
            "every_seconds",
            "timezone",
            "catch_up",
            "input",
            "paused",
            "last_at",
            "last_skipped_at",
            "next",
        ]

    def get_target(self, schedule: Schedule) -> str:
        """The name of what runs."""
        return RunKind.get(schedule.kind).name_of(schedule.target_id)

    def get_next(self, schedule: Schedule) -> list[str]:
        """Its next nominal times."""
        return [Moment().to_representation(moment) for moment in coming_times(schedule, SHOWN_TIMES)]


class PauseSerializer(StrictSerializer):
    """Whether it is paused."""

    paused = Flag()


class ScheduleViewSet(MetaViewSet):
    """The workspace's schedules; publishing a lambda makes them."""

    noun, tag, model = "schedule", "schedules", Schedule
    rights = {"start": "change"}
    shows = ScheduleSerializer
    answers = {"start": StartedSerializer}
    bodies = {"partial_update": PauseSerializer, "start": StrictSerializer}

    def list(self, request: Request, workspace: str) -> Response:
        """List the schedules."""
        return self.listed(Schedule.objects.filter(workspace=self.workspace()))

    def retrieve(self, request: Request, workspace: str, schedule: int) -> Response:
        """Show a schedule."""
        return self.shown(self._schedule())

    def partial_update(self, request: Request, workspace: str, schedule: int) -> Response:
        """Pause a schedule, or let it go on from now: what was due meanwhile is not made up."""
        found = self._schedule()
        pause(found, self.body()["paused"])
        return self.shown(found)

    def start(self, request: Request, workspace: str, schedule: int) -> Response:
        """Accept a run with the schedule's input now, beside its nominal times."""
        return self.shown(run_now(self._schedule(), self.principal, "api"), status=202)

    def _schedule(self) -> Schedule:
        schedules = Schedule.objects.filter(workspace=self.workspace())
        found: Schedule = find(schedules, "schedule", pk=self.kwargs["schedule"])
        return found


_W = "workspaces/<str:workspace>"
urlpatterns = [
    route(f"{_W}/runs", RunViewSet, get="list"),
    route(f"{_W}/runs/<uuid:run>", RunViewSet, get="retrieve"),
    route(f"{_W}/runs/<uuid:run>/cancel", RunViewSet, post="cancel"),
    route(f"{_W}/schedules", ScheduleViewSet, get="list"),
    route(f"{_W}/schedules/<int:schedule>", ScheduleViewSet, get="retrieve", patch="partial_update"),
    route(f"{_W}/schedules/<int:schedule>/runs", ScheduleViewSet, post="start"),
]
