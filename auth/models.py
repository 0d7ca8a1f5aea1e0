"""User, a person of the console; ApiKey, a program's right to call; the tables of OAuth (`auth.oauth.models`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from stackyard.core.audit.audited import Audited
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


class User(Audited, AbstractUser):
    """A person, signed in by e-mail. The owner is a superuser.

    A shadow account stands for a record of an auth-enabled table (`workspace`, `table_id`, `record_id` set; no
    e-mail, no password, never staff): tokens and grants of the people of a built API hang on it.
    """

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True, null=True)  # type: ignore[assignment]
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, null=True, blank=True, editable=False, related_name="accounts"
    )
    table_id = models.BigIntegerField(null=True, blank=True, editable=False)
    record_id = models.BigIntegerField(null=True, blank=True, editable=False)

    audit_kind = "account"
    audit_hidden = frozenset({"password"})
    audit_ignored = frozenset({"last_login", "date_joined", "record_id", "table_id"})

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = EmailUserManager()  # type: ignore[assignment,misc]

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["table_id", "record_id"], name="account_of_record_unique"),
            models.CheckConstraint(
                condition=models.Q(record_id=None) | models.Q(is_staff=False, is_superuser=False),
                name="shadow_account_is_never_staff",
            ),
        ]

    def __str__(self) -> str:
        return self.email or f"record {self.record_id} of table {self.table_id}"

    def is_audited(self) -> bool:
        """Not a record's: that comes and goes with it."""
        return self.record_id is None


class Membership(Audited):
    """The role of a person of the console in a workspace (`auth.roles`)."""

    VIEWER, BUILDER, OWNER = "viewer", "builder", "owner"
    ROLES: ClassVar[list[tuple[str, Any]]] = [
        (VIEWER, _("Viewer")),
        (BUILDER, _("Builder")),
        (OWNER, _("Owner")),
    ]

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=7, choices=ROLES)
    created_at = models.DateTimeField(auto_now_add=True)

    audit_kind = "member"

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "workspace"], name="one_role_a_workspace"),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role} of {self.workspace}"

    def audit_name(self) -> str:
        """The person's."""
        return str(self.user)


class Invitation(Audited):
    """A role offered to an e-mail address by a link that is good once, for a while (`auth.team`); kept as a digest."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=7, choices=Membership.ROLES)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    audit_kind = "invitation"
    audit_ignored = frozenset({"digest"})

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=models.Q(accepted_at=None),
                name="one_open_invitation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role} of {self.workspace}"

    def audit_name(self) -> str:
        """The address."""
        return self.email


class SecondFactor(Audited):
    """What an account proves itself with after its password (`auth.second_factor`).

    `stored_secret` is encrypted; `last_step` is the newest time step whose code was used, so that none is good twice.
    `recovery_digests` are of codes that are good once each.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    stored_secret = models.TextField(editable=False)
    last_step = models.BigIntegerField(default=0)
    recovery_digests = models.JSONField(default=list, editable=False)
    confirmed_at = models.DateTimeField(null=True)

    audit_kind = "second factor"
    audit_ignored = frozenset({"last_step"})
    audit_hidden = frozenset({"stored_secret", "recovery_digests"})
    audit_names: ClassVar[Mapping[str, str]] = {
        "stored_secret": "secret",
        "recovery_digests": "recovery_codes",
    }

    def __str__(self) -> str:
        return f"second factor of {self.user}"

    def audit_name(self) -> str:
        """The account's."""
        return str(self.user)


class ApiKey(Audited):
    """A key is shown once and stored as a digest; `prefix` lets people tell keys apart.

    `addresses` are the networks it may be used from; everywhere when there are none.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list, blank=True)
    addresses = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    audit_kind = "key"
    audit_ignored = frozenset({"digest", "last_used_at"})

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class TokenFamily(models.Model):
    """One sign-in of a record and the tokens that came of it (`auth.families`).

    `refresh_id` is the one refresh token that is good now. `password_mark` tells whether the record still has the
    password it signed in with. `access_until`: when the last access token expires.
    """

    id = models.CharField(max_length=32, primary_key=True)
    account = models.ForeignKey(User, models.CASCADE, related_name="token_families")
    refresh_id = models.CharField(max_length=32)
    password_mark = models.CharField(max_length=16, blank=True, default="")
    extras = models.JSONField(default=dict)
    access_seconds = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    access_until = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        verbose_name_plural = "token families"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["access_until"], condition=models.Q(revoked_at__isnull=False), name="families_ended"
            )
        ]

    def __str__(self) -> str:
        return self.id


class OneTimeToken(models.Model):
    """A token that is good once (`auth.one_time`); only its digest is kept."""

    digest = models.CharField(max_length=64, unique=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    table_id = models.BigIntegerField()
    record_id = models.BigIntegerField()
    purpose = models.CharField(max_length=63)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["table_id", "record_id", "purpose"], name="one_time_of_record")
        ]

    def __str__(self) -> str:
        return f"{self.purpose} for record {self.record_id} of table {self.table_id}"


from .oauth.models import (  # noqa: E402  (they refer to User by name, and to nothing else here)
    AccessToken,
    Application,
    Grant,
    IDToken,
    RefreshToken,
)
from .providers.models import Identity, Provider  # noqa: E402

__all__ = [
    "AccessToken",
    "ApiKey",
    "Application",
    "Grant",
    "IDToken",
    "Identity",
    "OneTimeToken",
    "Provider",
    "RefreshToken",
    "TokenFamily",
    "User",
]
