"""Run, what was accepted and what became of it; RunEvent, its history; Schedule, when to accept the next one; MissedTime."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import models
from django.utils import timezone

from stackyard.core.audit.audited import Audited
from stackyard.core.data_source import LIVE
from stackyard.core.documents import DocumentField
from stackyard.core.models import Workspace
from stackyard.core.secrets import decrypt

from . import states
from .ids import new_run_id


class Run(models.Model):
    """One accepted piece of work. Every change of `state` is one conditional UPDATE that names the `fence`.

    No secret of the workspace is in it in clear: `input`, `result`, `error` and `logs` are kept masked, and an input
    that held one is kept whole in `sealed_input`, encrypted.
    """

    id = models.UUIDField(primary_key=True, default=new_run_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=16)
    target_id = models.BigIntegerField()
    target_name = models.CharField(max_length=100)
    revision_id = models.BigIntegerField(null=True)
    trigger = models.CharField(max_length=16)
    trigger_detail = DocumentField(null=True)
    principal = DocumentField(null=True)
    data_source = models.CharField(max_length=4, default=LIVE, db_default=LIVE)
    input = DocumentField(null=True)
    sealed_input = models.TextField(null=True, editable=False)

    state = models.CharField(max_length=16, default=states.ACCEPTED, choices=[(s, s) for s in states.ALL])
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=1)
    retry_safe = models.BooleanField(default=False)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    run_after = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)
    nominal_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=200, null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    # How far a job is (runs/progress.py): `position` is what it goes on from, the others are for people.
    done = models.BigIntegerField(null=True)
    total = models.BigIntegerField(null=True)
    phase = models.CharField(max_length=60, default="", blank=True)
    expected_at = models.DateTimeField(null=True)
    position = DocumentField(null=True)

    result = DocumentField(null=True)
    error = DocumentField(null=True)
    logs = models.TextField(default="")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "target_id", "nominal_at"],
                condition=models.Q(nominal_at__isnull=False),
                name="run_nominal_unique",
            ),
            models.UniqueConstraint(
                fields=["workspace", "kind", "target_id", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="run_idempotency_unique",
            ),
        ]
        indexes = [
            models.Index(
                fields=["run_after"], condition=models.Q(state=states.ACCEPTED), name="run_accepted_index"
            ),
            models.Index(
                fields=["lease_until"], condition=models.Q(state=states.RUNNING), name="run_running_index"
            ),
            models.Index(fields=["kind", "target_id", "-id"], name="run_target_index"),
            models.Index(fields=["workspace", "-id"], name="run_workspace_index"),
        ]

    def __str__(self) -> str:
        return f"{self.target_name} · {self.created_at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in states.FINISHED

    @property
    def is_for_later(self) -> bool:
        """Whether it waits for a time that it was given."""
        is_first = self.state == states.ACCEPTED and self.attempt == 0
        return is_first and self.run_after > timezone.now()

    @property
    def given(self) -> Any:
        """The input as it was given, secrets in clear: for whoever does the work, never to be shown."""
        if self.sealed_input is None:
            return self.input
        return orjson.loads(decrypt(self.sealed_input).reveal())

    @property
    def seconds(self) -> float | None:
        """How long the last attempt took."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class RunEvent(models.Model):
    """What happened to a run, in order. At most one event of a run is terminal: it is recorded exactly once."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="events")
    name = models.CharField(max_length=24)
    fence = models.PositiveIntegerField(default=0)
    detail = DocumentField(null=True)
    is_terminal = models.BooleanField(default=False)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run"], condition=models.Q(is_terminal=True), name="run_terminal_event_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Schedule(Audited):
    """When a target runs by itself: a cron expression in a time zone, or every so many seconds."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="schedules")
    kind = models.CharField(max_length=16)
    target_id = models.BigIntegerField()
    position = models.PositiveSmallIntegerField(default=0)
    cron = models.CharField(max_length=100, blank=True, default="")
    every_seconds = models.PositiveIntegerField(null=True, blank=True)
    timezone = models.CharField(max_length=63, default="UTC")
    catch_up = models.CharField(
        max_length=4, default="none", choices=[("none", "None"), ("last", "The last"), ("all", "All")]
    )
    input = DocumentField(null=True, blank=True)
    paused = models.BooleanField(default=False)
    anchor_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    # What the clock said when `next_at` was found: a time in the future says that the clock was wrong then.
    placed_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    last_skipped_at = models.DateTimeField(null=True)

    audit_kind = "schedule"
    audit_ignored = frozenset({"anchor_at", "next_at", "placed_at", "last_at", "last_skipped_at"})

    class Meta:
        verbose_name = "scheduled task"
        ordering = ["kind", "target_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "target_id", "position"], name="schedule_position_unique")
        ]
        indexes = [models.Index(fields=["next_at"], name="schedule_next_index")]

    def __str__(self) -> str:
        return self.cron or f"every {self.every_seconds} s"


class MissedTime(models.Model):
    """A nominal time that got no run: the schedulers were away (`late`), or the run before was not over (`busy`)."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="missed")
    nominal_at = models.DateTimeField()
    reason = models.CharField(max_length=4, choices=[("late", "Late"), ("busy", "Busy")])
    noted_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "noted_at"], name="missed_time_index")]

    def __str__(self) -> str:
        return f"{self.schedule} {self.nominal_at:%Y-%m-%d %H:%M:%S}"
