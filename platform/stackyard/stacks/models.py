"""Function, a reusable stack, and Revision, what publishing leaves behind for good."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from stackyard.core.audit.audited import Audited
from stackyard.core.documents import DocumentField
from stackyard.core.models import Workspace

name_validator = RegexValidator(
    r"^[A-Za-z_][A-Za-z0-9_]{0,62}\Z",
    "Use letters, digits and _, not beginning with a digit, at most 63 characters.",
)


class Revision(models.Model):
    """An immutable published document. `owner_kind` is `function` or `endpoint`, `owner_id` its id there."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="revisions")
    owner_kind = models.CharField(max_length=16)
    owner_id = models.BigIntegerField()
    number = models.PositiveIntegerField()
    document = DocumentField()
    message = models.CharField(max_length=200, blank=True, default="")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner_kind", "owner_id", "number"], name="revision_number_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.owner_kind} {self.owner_id} v{self.number}"


class Function(Audited):
    """A named stack that other stacks call. `draft` is the canonical document being edited; `published` is what runs."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="functions")
    name = models.CharField(max_length=63, validators=[name_validator])
    description = models.TextField(blank=True, default="")
    draft = DocumentField(default=dict, blank=True)
    published = models.ForeignKey(
        Revision, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    audit_kind = "function"

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="function_name_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def has_changes(self) -> bool:
        """Whether the draft differs from what is published."""
        published: Any = self.published.document if self.published else None
        return bool(published != self.draft)
