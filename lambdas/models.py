"""Lambda, and the triggers of its published revision as rows that can be looked up."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.validators import RegexValidator
from django.db import models

from stackyard.core.audit.audited import Audited
from stackyard.core.documents import DocumentField
from stackyard.core.models import Workspace
from stackyard.stacks.models import Revision

name_validator = RegexValidator(
    r"^[A-Za-z_][A-Za-z0-9_]{0,62}\Z",
    "Use letters, digits and _, not beginning with a digit, at most 63 characters.",
)


def new_token() -> str:
    """The secret part of a webhook's address: 192 random bits."""
    return secrets.token_urlsafe(24)


class Lambda(Audited):
    """Code that runs in a process of its own. `draft` is the whole document being edited; `published` is what runs.

    The document: `name, description, code, timeout, memory_mb, retry_safe, max_attempts, fresh_process, variables,
    network, triggers` (contract §6).
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="lambdas")
    name = models.CharField(max_length=63, validators=[name_validator])
    description = models.TextField(blank=True, default="")
    draft = DocumentField(default=dict, blank=True)
    published = models.ForeignKey(
        Revision, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    audit_kind = "lambda"

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="lambda_name_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def has_changes(self) -> bool:
        """Whether the draft differs from what is published."""
        published: Any = self.published.document if self.published else None
        return bool(published != self.draft)


class Trigger(models.Model):
    """One trigger of a published lambda, for looking up: `kind` is the trigger kind, `key` what it listens to.

    `key`: the table's id for `record`, the other lambda's name for `after`, the token for `webhook`.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="triggers")
    target = models.ForeignKey(Lambda, models.CASCADE, related_name="triggers")
    kind = models.CharField(max_length=16)
    key = models.CharField(max_length=100, blank=True, default="")
    spec = DocumentField(default=dict)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["kind", "key"], name="trigger_key_index")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
