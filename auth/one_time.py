"""One-time tokens: what a link in an e-mail carries. Good once, for one purpose, for a while; stored as digests."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from django.db import transaction

from stackyard.core.secrets import digest

from .models import OneTimeToken
from .tokens import Holder

PREFIX = "ot_"


def make(holder: Holder, purpose: str, seconds: int) -> str:
    """A token's text, which is kept nowhere; an earlier one for the same record and purpose is good no more."""
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        OneTimeToken.objects.filter(
            workspace_id=holder.workspace_id,
            table_id=holder.table_id,
            record_id=holder.record_id,
            purpose=purpose,
        ).delete()
        OneTimeToken.objects.create(
            digest=digest(text),
            workspace_id=holder.workspace_id,
            table_id=holder.table_id,
            record_id=holder.record_id,
            purpose=purpose,
            expires_at=datetime.now(UTC) + timedelta(seconds=seconds),
        )
    return text


def use(text: str, workspace_id: int, table_id: int, purpose: str) -> int | None:
    """The id of the record a token was made for, once; None for any that is not good."""
    found = OneTimeToken.objects.filter(
        digest=digest(text),
        workspace_id=workspace_id,
        table_id=table_id,
        purpose=purpose,
        expires_at__gt=datetime.now(UTC),
    ).first()
    # Whoever deletes the row has used it: of two at once only one does.
    if found is None or not OneTimeToken.objects.filter(pk=found.pk).delete()[0]:
        return None
    return found.record_id


def end_all(holder: Holder) -> None:
    """End the tokens of a record that were not used."""
    OneTimeToken.objects.filter(
        workspace_id=holder.workspace_id, table_id=holder.table_id, record_id=holder.record_id
    ).delete()


def prune(now: datetime | None = None) -> int:
    """Forget what has expired; how many."""
    return OneTimeToken.objects.filter(expires_at__lt=now or datetime.now(UTC)).delete()[0]
