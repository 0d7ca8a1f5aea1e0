"""AuditEntry: one change of one thing, written in the transaction of the change and never changed again."""

from __future__ import annotations

from typing import Any

from django.db import models

from ..documents import DocumentField

DEEDS = {
    "create": "Created",
    "change": "Changed",
    "delete": "Deleted",
    "publish": "Published",
    "restore": "Restored",
    "revoke": "Revoked",
    "accept": "Accepted",
}


class AuditEntry(models.Model):
    """Ids and names are plain values: an entry outlives what it tells of, its workspace included.

    `before` and `after` map places to values (`difference.py`): of a change what differs, of something made or deleted all
    of it. Secrets are masks. `workspace_id` is null for what belongs to the installation, such as accounts.
    """

    at = models.DateTimeField(db_index=True)
    workspace_id = models.BigIntegerField(null=True)
    workspace_name = models.CharField(max_length=63, blank=True, default="")
    kind = models.CharField(max_length=24)
    object_id = models.BigIntegerField()
    name = models.CharField(max_length=200)
    deed = models.CharField(max_length=8, choices=list(DEEDS.items()))
    who = models.CharField(max_length=200, blank=True, default="")
    account_id = models.BigIntegerField(null=True)
    source = models.CharField(max_length=8)
    address = models.CharField(max_length=64, blank=True, default="")
    before = DocumentField(null=True)
    after = DocumentField(null=True)

    class Meta:
        app_label = "core"
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["workspace_id", "-id"], name="audit_workspace"),
            models.Index(fields=["kind", "object_id"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.deed} {self.kind} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Append only. TypeError for an entry that is written already."""
        if not self._state.adding:
            raise TypeError("An audit entry is never changed.")
        super().save(*args, **kwargs)
