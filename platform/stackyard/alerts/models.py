"""AlertRule, what is watched and who is told; Incident, from when to when it was so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import models

from endpoints.models import Endpoint
from stackyard.core.audit.audited import Audited
from stackyard.core.models import Workspace

MEASURES = {
    "error_rate": "Error rate (5xx)",
    "p95": "Response time (p95)",
    "failed_runs": "Failed runs",
    "missed_runs": "Missed runs",
}


class AlertRule(Audited):
    """There is an incident while the measure of the last `window_minutes` is above the threshold.

    The threshold is a share (0 to 1) of calls for `error_rate`, milliseconds for `p95`, else a number of runs.
    `sealed_secret` signs webhooks, encrypted.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="alert_rules")
    name = models.CharField(max_length=100)
    measure = models.CharField(max_length=16, choices=list(MEASURES.items()))
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, null=True, blank=True, related_name="+")
    threshold = models.FloatField()
    window_minutes = models.PositiveIntegerField(default=5)
    at_least_calls = models.PositiveIntegerField(default=10)
    channel = models.CharField(max_length=8, choices=[("email", "E-mail"), ("webhook", "Webhook")])
    target = models.CharField(max_length=500)
    sealed_secret = models.TextField(blank=True, default="", editable=False)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    audit_kind = "alert"
    audit_hidden = frozenset({"sealed_secret"})
    audit_names: ClassVar[Mapping[str, str]] = {"sealed_secret": "secret"}

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="alert_rule_name_unique")]

    def __str__(self) -> str:
        return self.name


class Incident(models.Model):
    """A stretch of time in which a rule was broken; a rule has at most one that is open."""

    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="incidents")
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    value = models.FloatField(help_text="The measure when it was opened")
    last_value = models.FloatField(null=True, help_text="The measure when it was resolved")

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule"], condition=models.Q(resolved_at__isnull=True), name="alert_open_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.opened_at:%Y-%m-%d %H:%M}"
