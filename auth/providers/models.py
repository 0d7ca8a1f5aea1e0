"""Who may say who somebody is, and whom they have named so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models

from stackyard.core.audit.audited import Audited
from stackyard.core.models import Workspace
from stackyard.core.secrets import Secret, decrypt, encrypt


class Provider(Audited):
    """An identity provider of a workspace's people (`table_id`), or of the console's (no workspace).

    `redirect_uris` are the pages that a login may lead back to, one a line; the console has its own.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, null=True, blank=True, related_name="providers")
    name = models.CharField(max_length=63)
    label = models.CharField(max_length=100)
    preset = models.CharField(max_length=20)
    issuer = models.URLField(max_length=300, blank=True, default="")
    client_id = models.CharField(max_length=255)
    stored_secret = models.TextField(editable=False)
    table_id = models.BigIntegerField(null=True, editable=False)
    redirect_uris = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    audit_kind = "provider"
    audit_hidden = frozenset({"stored_secret"})
    audit_names: ClassVar[Mapping[str, str]] = {"stored_secret": "secret"}

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["workspace", "name"], name="provider_name_unique", nulls_distinct=False
            )
        ]
        verbose_name = "login provider"

    def __str__(self) -> str:
        return self.label

    @property
    def secret(self) -> Secret:
        """The client secret."""
        return decrypt(self.stored_secret)

    @secret.setter
    def secret(self, text: str) -> None:
        self.stored_secret = encrypt(text)


class Identity(models.Model):
    """Somebody as a provider names them: by `subject`, which never changes, not by e-mail address."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="identities")
    subject = models.CharField(max_length=255)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="identities")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["provider", "subject"], name="identity_of_provider_unique")
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.subject}"
