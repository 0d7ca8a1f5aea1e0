"""How consents end: every token that came of one, at once, in every process within a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from oauth2_provider.settings import oauth2_settings

from stackyard.core import version

from ..tokens import Holder
from .models import AccessToken, Application, Grant, IDToken, RefreshToken


def end_family(family: UUID | None) -> None:
    """End all tokens of one consent."""
    if family is not None:
        _end(AccessToken.objects.filter(family=family), RefreshToken.objects.filter(token_family=family))


def end_holder(holder: Holder, application: Application | None = None) -> int:
    """End all that a record has consented to (for one application, or for all); how many tokens ended."""
    account = {
        "user__workspace_id": holder.workspace_id,
        "user__table_id": holder.table_id,
        "user__record_id": holder.record_id,
    }
    only = {} if application is None else {"application": application}
    Grant.objects.filter(**account, **only, used_at=None).delete()
    return _end(AccessToken.objects.filter(**account, **only), RefreshToken.objects.filter(**account, **only))


def end_older(holder: Holder, mark: str) -> None:
    """End what a record consented to while it had another password than now."""
    families = AccessToken.objects.filter(
        user__workspace_id=holder.workspace_id,
        user__table_id=holder.table_id,
        user__record_id=holder.record_id,
    ).exclude(password_mark=mark)
    for family in set(families.values_list("family", flat=True)):
        end_family(family)


def holds_any(holder: Holder) -> bool:
    """Whether an application holds tokens of a record."""
    return AccessToken.objects.filter(
        user__workspace_id=holder.workspace_id,
        user__table_id=holder.table_id,
        user__record_id=holder.record_id,
    ).exists()


def end_application(application: Application) -> int:
    """End all tokens of an application; how many."""
    Grant.objects.filter(application=application, used_at=None).delete()
    return _end(
        AccessToken.objects.filter(application=application),
        RefreshToken.objects.filter(application=application),
    )


def prune(now: datetime | None = None) -> int:
    """Forget codes and tokens that are good for nothing any more; how many rows."""
    now = now or datetime.now(UTC)
    old = now - timedelta(seconds=oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS)
    codes, _ = Grant.objects.filter(expires__lt=old).delete()
    spent, _ = RefreshToken.objects.filter(created__lt=old, access_token__expires__lt=old).delete()
    spent_too, _ = RefreshToken.objects.filter(created__lt=old, access_token=None).delete()
    kept = RefreshToken.objects.filter(revoked=None).values("access_token")
    access, _ = AccessToken.objects.filter(expires__lt=now).exclude(pk__in=kept).delete()
    IDToken.objects.filter(expires__lt=now, access_token=None).delete()
    return codes + spent + spent_too + access


def _end(access: QuerySet[AccessToken], refresh: QuerySet[RefreshToken]) -> int:
    with transaction.atomic():
        spent = refresh.filter(revoked=None).update(revoked=datetime.now(UTC))
        gone, _ = access.delete()
        if spent or gone:
            version.bump()
    return spent + gone
