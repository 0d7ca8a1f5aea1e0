"""ApiGroup, Endpoint, the request history's HistoryEntry, and what is counted of it: Rollup, ErrorGroup."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.validators import RegexValidator
from django.db import models

from stackyard.core.audit.audited import Audited
from stackyard.core.data_source import LIVE
from stackyard.core.documents import DocumentField
from stackyard.core.models import Workspace
from stackyard.stacks.models import Revision

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_canonical() -> str:
    """Eight random characters without look-alikes."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))


class ApiGroup(Audited):
    """Endpoints that share an address (`/api:<canonical>/`, `/api/<mount>/`), documentation and CORS. A group is a version."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_groups")
    name = models.CharField(
        max_length=63,
        validators=[
            RegexValidator(
                r"^(?!meta\Z)[a-z][a-z0-9_-]{0,62}\Z",
                "Use a-z, 0-9, _ and -, beginning with a letter; meta is taken.",
            )
        ],
    )
    canonical = models.CharField(
        max_length=63,
        unique=True,
        default=new_canonical,
        validators=[
            RegexValidator(
                r"^(?!meta\Z)[A-Za-z0-9_-]{1,63}\Z", "Use letters, digits, _ and -; meta is taken."
            )
        ],
    )
    mount = models.CharField(
        max_length=200,
        unique=True,
        null=True,
        blank=True,
        default=None,
        validators=[
            RegexValidator(
                r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z",
                "Use one or more segments of letters, digits, _ and -, such as v1.",
            )
        ],
    )
    description = models.TextField(blank=True, default="")
    docs = models.CharField(
        max_length=8,
        default="public",
        choices=[("public", "Public"), ("token", "With a token"), ("off", "Off")],
    )
    docs_token = models.CharField(max_length=64, blank=True, default="")
    cors = DocumentField(default=dict, blank=True)
    unknown_inputs = models.CharField(
        max_length=8, default="refuse", choices=[("refuse", "Refuse with 400"), ("ignore", "Ignore")]
    )
    timestamps = models.CharField(
        max_length=8, default="iso", choices=[("iso", "ISO 8601"), ("epoch_ms", "Epoch milliseconds")]
    )
    deprecated_at = models.DateTimeField(null=True, blank=True)
    sunset_at = models.DateTimeField(null=True, blank=True)
    successor = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="predecessors")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    audit_kind = "group"
    audit_hidden = frozenset({"docs_token"})

    class Meta:
        ordering = ["name"]
        verbose_name = "API group"
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="group_name_unique")]

    def __str__(self) -> str:
        return self.name


class Endpoint(Audited):
    """One method and path. `draft` is the whole endpoint document being edited; the columns hold what is published.

    The document is the stack document (language.md) plus `name`, `method`, `path`, `description`, `auth`
    and optionally `data_sources`, `limit_per_second`, `request_bytes`, `response_bytes`, `timeout_seconds`.
    """

    group = models.ForeignKey(ApiGroup, models.CASCADE, related_name="endpoints")
    name = models.CharField(max_length=100)
    method = models.CharField(max_length=6, choices=[(m, m) for m in METHODS])
    path = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    draft = DocumentField(default=dict, blank=True)
    published = models.ForeignKey(
        Revision, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    audit_kind = "endpoint"

    class Meta:
        ordering = ["path", "method"]
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="endpoint_name_unique")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def audit_name(self) -> str:
        """With its group's."""
        return f"{self.group.name}/{self.name}"

    def audit_workspace(self) -> int | None:
        """Its group's."""
        return self.group.workspace_id

    @property
    def has_changes(self) -> bool:
        """Whether the draft differs from what is published."""
        published: Any = self.published.document if self.published else None
        return bool(published != self.draft)


class HistoryEntry(models.Model):
    """One call of an endpoint, in a database of its own on SQLite; ids are plain numbers, nothing points across."""

    workspace_id = models.BigIntegerField()
    group_id = models.BigIntegerField()
    endpoint_id = models.BigIntegerField()
    revision_id = models.BigIntegerField(null=True)
    request_id = models.CharField(max_length=64)
    method = models.CharField(max_length=8)
    path = models.TextField()
    status = models.PositiveSmallIntegerField()
    error_code = models.CharField(max_length=100, default="")
    duration_us = models.BigIntegerField()
    principal = models.CharField(max_length=120, default="")
    address = models.CharField(max_length=64, default="")
    query = models.TextField(default="")
    request_headers = models.TextField(default="")
    request_body = models.TextField(default="")
    request_bytes = models.BigIntegerField(default=0)
    response_body = models.TextField(default="")
    response_bytes = models.BigIntegerField(default=0)
    created_at = models.BigIntegerField(help_text="Epoch milliseconds")
    trace = models.TextField(default="", db_default="")
    data_source = models.CharField(max_length=4, default=LIVE, db_default=LIVE)

    class Meta:
        verbose_name = "request"
        verbose_name_plural = "request history"
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["endpoint_id", "workspace_id", "-id", "status", "method", "created_at"],
                name="history_of_endpoint",
            ),
            models.Index(fields=["status", "-id"], name="history_status"),
            models.Index(fields=["request_id"], name="history_request_id"),
            models.Index(fields=["created_at"], name="history_created_at"),
            # Every column that filters ask about, so that a search reads this and not the entries.
            models.Index(
                fields=[
                    "workspace_id",
                    "-id",
                    "endpoint_id",
                    "group_id",
                    "status",
                    "method",
                    "created_at",
                    "path",
                ],
                name="history_search",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"


class Rollup(models.Model):
    """Calls of an endpoint (0: of all of a workspace) in a step of time, see `rollups.py`. Beside the history."""

    workspace_id = models.BigIntegerField()
    endpoint_id = models.BigIntegerField()
    step_seconds = models.PositiveIntegerField()
    started_at = models.BigIntegerField(help_text="Epoch seconds")
    calls = models.BigIntegerField()
    refused = models.BigIntegerField()
    failed = models.BigIntegerField()
    limited = models.BigIntegerField()
    total_us = models.BigIntegerField()
    slowest_us = models.BigIntegerField()
    spread = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "endpoint_id", "step_seconds", "started_at"], name="rollup_unique"
            )
        ]
        indexes = [models.Index(fields=["step_seconds", "started_at"], name="rollup_time")]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.step_seconds} s {self.started_at}"


class ErrorGroup(models.Model):
    """Errors of one kind in an hour: same endpoint, status, code and line. `request_id` leads to the last one."""

    started_at = models.BigIntegerField(help_text="Epoch seconds")
    workspace_id = models.BigIntegerField()
    endpoint_id = models.BigIntegerField()
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=100)
    place = models.CharField(max_length=100)
    calls = models.BigIntegerField()
    last_at = models.BigIntegerField(help_text="Epoch milliseconds")
    request_id = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["started_at", "workspace_id", "endpoint_id", "status", "code", "place"],
                name="error_group_unique",
            )
        ]
        indexes = [models.Index(fields=["workspace_id", "started_at"], name="error_group_time")]

    def __str__(self) -> str:
        return f"{self.status} {self.code}"
