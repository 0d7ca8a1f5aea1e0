"""Sketch: what people typed into the console's editor, kept as they typed it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Sketch(models.Model):
    """The text of a draft with its comments and line breaks, and the sample inputs of the last trial.

    The draft itself is the owner's canonical document. The text is shown as long as the draft is still
    the one it was typed for (`draft_digest`); `is_draft` is False for a text that could not be read as a
    document, and is therefore not (yet) what the owner's draft says.
    """

    owner_kind = models.CharField(max_length=16)
    owner_id = models.BigIntegerField()
    text = models.TextField(blank=True, default="")
    is_draft = models.BooleanField(default=False)
    draft_digest = models.CharField(max_length=64, blank=True, default="")
    sample = models.TextField(blank=True, default="")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner_kind", "owner_id"], name="sketch_owner_unique")]

    def __str__(self) -> str:
        return f"{self.owner_kind} {self.owner_id}"


class SampleInputs(models.Model):
    """Inputs to try a stack with, kept under a name for one person. What is marked sensitive is never kept."""

    owner_kind = models.CharField(max_length=16)
    owner_id = models.BigIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    inputs = models.JSONField(default=dict)
    caller = models.CharField(max_length=120, blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner_kind", "owner_id", "user", "name"], name="sample_inputs_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name
