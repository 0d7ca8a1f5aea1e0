"""User, a person of the console, and ApiKey, a program's right to call."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models

from stackyard.core.models import Workspace


class EmailUserManager(UserManager["User"]):
    """Makes accounts that sign in by e-mail."""

    def create_user(self, email: str, password: str | None = None, **more: Any) -> User:  # type: ignore[override]
        """An account without rights."""
        user = self.model(email=self.normalize_email(email).lower(), **more)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **more: Any) -> User:  # type: ignore[override]
        """An owner of the installation."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **more)


class User(AbstractUser):
    """A person, signed in by e-mail. The owner is a superuser."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = EmailUserManager()  # type: ignore[assignment,misc]

    def __str__(self) -> str:
        return self.email


class ApiKey(models.Model):
    """A key is shown once and stored as a digest; `prefix` lets people tell keys apart."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
