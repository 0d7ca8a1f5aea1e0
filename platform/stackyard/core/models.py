"""Workspace, Variable, StoredFile, KeptAnswer, AuditEntry (`audit.models`) and the installation's Version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from .audit.audited import Audited, State
from .audit.models import AuditEntry
from .secrets import MASK, Secret, decrypt, encrypt
from .version import new_token
from .zones import zone_fault

name_validator = RegexValidator(
    r"^[a-z][a-z0-9_-]{0,62}\Z",
    "Use a-z, 0-9, _ and -, beginning with a letter, at most 63 characters.",
)


def _validate_timezone(name: str) -> None:
    fault = zone_fault(name)
    if fault is not None:
        raise ValidationError(fault)


class Version(models.Model):
    """The one row (id 1) whose token every process watches."""

    token = models.BigIntegerField(default=new_token)


class Workspace(Audited):
    """What belongs together: tables, API groups, functions, lambdas, variables."""

    name = models.CharField(max_length=63, unique=True, validators=[name_validator])
    description = models.TextField(blank=True, default="")
    timezone = models.CharField(max_length=63, default="UTC", validators=[_validate_timezone])
    version = models.BigIntegerField(default=new_token, editable=False)
    has_test_data = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    audit_kind = "workspace"
    audit_ignored = frozenset({"version"})

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def audit_workspace(self) -> int | None:
        """Itself."""
        return self.pk

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that `today` and dates without a zone are read in."""
        return ZoneInfo(self.timezone)


class Variable(Audited):
    """A named value that stacks see as `env.NAME`. A secret's value is stored encrypted and never shown again."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="variables")
    name = models.CharField(
        max_length=63,
        validators=[
            RegexValidator(r"^[A-Z][A-Z0-9_]{0,62}\Z", "Use A-Z, 0-9 and _, beginning with a letter.")
        ],
    )
    description = models.TextField(blank=True, default="")
    is_secret = models.BooleanField(default=False)
    stored = models.TextField(blank=True, default="", editable=False)

    audit_kind = "variable"
    audit_names: ClassVar[Mapping[str, str]] = {"stored": "value"}

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="variable_name_unique")]

    def __str__(self) -> str:
        return self.name

    def audit_secrets(self, before: State | None, after: State | None) -> frozenset[str]:
        """The value, where it is or was a secret; what was noted while it was none is masked, too."""
        if not any(state is not None and state["is_secret"] for state in (before, after)):
            return frozenset()
        if before is not None and not before["is_secret"]:
            _mask_value(self.pk)
        return frozenset({"stored"})

    @property
    def value(self) -> str | Secret:
        """The text, or a Secret."""
        return decrypt(self.stored) if self.is_secret and self.stored else self.stored

    @value.setter
    def value(self, text: str) -> None:
        self.stored = encrypt(text) if self.is_secret else text


def _mask_value(variable_id: int) -> None:
    """The one exception to append only: a text that has become a secret stands in no entry."""
    for entry in AuditEntry.objects.filter(kind=Variable.audit_kind, object_id=variable_id):
        told = {
            side: {**state, "value": MASK}
            for side in ("before", "after")
            if (state := getattr(entry, side)) and state.get("value")
        }
        if told:
            AuditEntry.objects.filter(pk=entry.pk).update(**told)


class StoredFile(models.Model):
    """A file of a workspace. `key` is what its address has and cannot be guessed; `place` is where the storage has its bytes."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="stored_files")
    key = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10)
    access = models.CharField(max_length=7)
    mime = models.CharField(max_length=100)
    size = models.BigIntegerField()
    meta = models.JSONField(default=dict)
    place = models.CharField(max_length=200, db_index=True)
    creator = models.CharField(max_length=120, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "file"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class KeptAnswer(models.Model):
    """What a request with an `Idempotency-Key` was answered, for a day; `status` is null while it is in flight.

    `name` is the digest of scope and key. `fence` changes with every claim, so that only the last holder writes.
    `body` is encrypted at rest, since an answer may hold a token that is shown once; null when it was too large.
    """

    name = models.CharField(max_length=43, primary_key=True)
    fingerprint = models.CharField(max_length=43)
    fence = models.CharField(max_length=16)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=list)
    body = models.BinaryField(null=True)
    held_until = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
