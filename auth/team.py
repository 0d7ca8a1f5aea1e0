"""The people of a workspace: invited, joined, given another role, removed. The one door to memberships.

An invitation is a link in an e-mail, good once and for a week; only its digest is kept. It is for the address it was
sent to: who has an account signs in with that address first, who has none makes one by choosing a password.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from stackyard.core import mail
from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.core.models import Workspace
from stackyard.core.secrets import digest

from .models import Invitation, Membership, User

INVITATION_DAYS = 7
ROLES = tuple(name for name, _ in Membership.ROLES)


def invite(workspace: Workspace, email: str, role: str, by: User | None = None) -> tuple[Invitation, str]:
    """An invitation and its link, which is in the e-mail and in this answer only; an open one for the address ends.

    Problem `INVALID_INPUT` for an address or role that is none; `CONFLICT` for somebody who is a member already.
    """
    email, faults = email.strip().lower(), []
    try:
        validate_email(email)
    except ValidationError:
        faults.append(Detail("email", "email", "this is no e-mail address"))
    if role not in ROLES:
        faults.append(Detail("role", "choice", f"use {', '.join(ROLES)}"))
    if faults:
        raise invalid_input(faults)
    if Membership.objects.filter(workspace=workspace, user__email=email).exists():
        raise Problem("CONFLICT", f"{email} is a member already.", suggestion="Change the role instead.")
    text = secrets.token_urlsafe(32)
    with transaction.atomic():
        for old in Invitation.objects.filter(workspace=workspace, email=email, accepted_at=None):
            old.delete()
        made = Invitation.objects.create(
            workspace=workspace,
            email=email,
            role=role,
            digest=digest(text),
            invited_by=by,
            expires_at=datetime.now(UTC) + timedelta(days=INVITATION_DAYS),
        )
    link = f"{settings.PUBLIC_URL}/admin/join/{text}/"
    mail.send(
        email,
        f"You are invited to {workspace.name}",
        f"{by or 'An owner'} invites you to work in {workspace.name} as {role}.\n\n"
        f"Open this link within {INVITATION_DAYS} days; it works once:\n\n{link}\n\n"
        "If you do not know what this is about, ignore it: nothing happens.\n",
    )
    return made, link


def find_invitation(text: str) -> Invitation | None:
    """The open invitation that a link was made for; None for one that is used, over, withdrawn or invented."""
    return (
        Invitation.objects.select_related("workspace")
        .filter(digest=digest(text), accepted_at=None, expires_at__gt=datetime.now(UTC))
        .first()
    )


def account_of(invitation: Invitation) -> User | None:
    """The account with the invitation's address."""
    return User.objects.filter(email=invitation.email, workspace=None).first()


def join(invitation: Invitation, account: User) -> None:
    """Take up an invitation, once. Problem `NOT_FOUND` when it is not good any more, `ACCESS_DENIED` for another's."""
    if account.email != invitation.email:
        raise Problem("ACCESS_DENIED", f"This invitation is for {invitation.email}.")
    with transaction.atomic():
        kept = Invitation.objects.select_for_update().filter(pk=invitation.pk, accepted_at=None).first()
        if kept is None or kept.expires_at <= datetime.now(UTC):
            raise Problem(
                "NOT_FOUND", "This invitation is not good any more.", suggestion="Ask for a new one."
            )
        kept.accepted_at = datetime.now(UTC)
        kept.save(update_fields=["accepted_at"])
        if not account.is_staff:
            account.is_staff = True
            account.save(update_fields=["is_staff"])
        Membership.objects.update_or_create(
            user=account, workspace=kept.workspace, defaults={"role": kept.role}
        )


def join_as_new(invitation: Invitation, password: str, name: str = "") -> User:
    """Make the account and take up the invitation. Django ValidationError for a password that is too weak."""
    validate_password(password, User(email=invitation.email, first_name=name))
    with transaction.atomic():
        account = User.objects.create_user(invitation.email, password, first_name=name[:150], is_staff=True)
        join(invitation, account)
    return account


def withdraw(invitation: Invitation) -> None:
    """End an invitation before it is taken up."""
    invitation.delete()


def change_role(membership: Membership, role: str) -> None:
    """Another role, from the next request on. Problem `CONFLICT` for the last owner."""
    if role not in ROLES:
        raise invalid_input([Detail("role", "choice", f"use {', '.join(ROLES)}")])
    with transaction.atomic():
        _keep_an_owner(membership, stays=role == Membership.OWNER)
        membership.role = role
        membership.save(update_fields=["role"])


def remove(membership: Membership) -> None:
    """Take somebody out of the workspace, from the next request on. Problem `CONFLICT` for the last owner.

    The account stays, since revisions and keys name their author; without any workspace it sees nothing.
    """
    with transaction.atomic():
        _keep_an_owner(membership, stays=False)
        membership.delete()


def _keep_an_owner(membership: Membership, *, stays: bool) -> None:
    if membership.role != Membership.OWNER or stays:
        return
    owners = Membership.objects.select_for_update().filter(
        workspace_id=membership.workspace_id, role=Membership.OWNER, user__is_active=True
    )
    if [one for one in owners if one.pk != membership.pk]:
        return
    raise Problem(
        "CONFLICT",
        f"{membership.user} is the last owner of this workspace.",
        suggestion="Make somebody else an owner first.",
    )


def members_of(workspace: Workspace) -> list[Membership]:
    """The members, by address."""
    return list(
        Membership.objects.filter(workspace=workspace)
        .select_related("user", "user__second_factor")
        .order_by("user__email")
    )


def open_invitations(workspace: Workspace) -> list[Any]:
    """What was offered and not taken up, the newest first; those that are over too, so that they can be sent again."""
    return list(Invitation.objects.filter(workspace=workspace, accepted_at=None).order_by("-created_at"))
