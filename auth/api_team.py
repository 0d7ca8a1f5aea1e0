"""The people of a workspace in the management API: members with their roles, and invitations. The deeds are those of the Team page."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.meta.serializers import StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find, route

from . import team
from .models import Invitation, Membership


def _role() -> serializers.ChoiceField:
    help_text = "Viewers look, builders build, owners also see to people, keys and settings."
    return serializers.ChoiceField(choices=team.ROLES, help_text=help_text)


class MemberSerializer(serializers.Serializer[Membership]):
    """Somebody who works in the workspace. Owners of the installation may do everything and are not listed."""

    id = serializers.IntegerField()
    email = serializers.CharField(source="user.email")
    name = serializers.CharField(source="user.get_full_name")
    role = _role()
    active = serializers.BooleanField(
        source="user.is_active", help_text="Whether the account may sign in at all."
    )
    two_factor = serializers.SerializerMethodField(help_text="Whether signing in asks for a code.")
    since = serializers.DateTimeField(source="created_at")

    def get_two_factor(self, membership: Membership) -> bool:
        """Whether the second factor is confirmed."""
        kept = getattr(membership.user, "second_factor", None)
        return kept is not None and kept.confirmed_at is not None


class RoleSerializer(StrictSerializer):
    """Another role."""

    role = _role()


class NewInvitationSerializer(RoleSerializer):
    """Whom to invite, and as what."""

    email = Text(max_length=254)


class InvitationSerializer(serializers.Serializer[Invitation]):
    """What was offered and not taken up yet, without its link."""

    id = serializers.IntegerField()
    email = serializers.CharField()
    role = _role()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class MadeInvitationSerializer(InvitationSerializer):
    """An invitation that was just sent; nobody can see `link` again."""

    link = serializers.CharField(help_text="What the e-mail has too; good once.")


class MemberViewSet(MetaViewSet):
    """The workspace's members. No key sees to people: what leaked would let somebody in for good."""

    noun, tag, model = "member", "members", Membership
    builders_only = frozenset({"partial_update", "destroy"})
    owners_only = frozenset({"list", "retrieve", "partial_update", "destroy"})
    shows = MemberSerializer
    bodies = {"partial_update": RoleSerializer}

    def member(self) -> Membership:
        """The member that the URL names by its id. Problem `NOT_FOUND`."""
        known = self.workspace().memberships.select_related("user", "user__second_factor", "workspace")
        found: Membership = find(known, "member", pk=self.kwargs["member"])
        return found

    def list(self, request: Request, workspace: str) -> Response:
        """List the members by e-mail address."""
        return self.listed(team.members_of(self.workspace()))

    def retrieve(self, request: Request, workspace: str, member: int) -> Response:
        """Show a member."""
        return self.shown(self.member())

    def partial_update(self, request: Request, workspace: str, member: int) -> Response:
        """Give a member another role, which holds from the next request; the last owner stays one."""
        found = self.member()
        team.change_role(found, self.body()["role"])
        return self.shown(found)

    def destroy(self, request: Request, workspace: str, member: int) -> Response:
        """Take somebody out of the workspace, from the next request on. The account stays."""
        team.remove(self.member())
        return Response(status=204)


class InvitationViewSet(MetaViewSet):
    """Who is invited to the workspace."""

    noun, tag, model = "invitation", "invitations", Invitation
    builders_only = frozenset({"create", "destroy"})
    owners_only = frozenset({"list", "create", "destroy"})
    shows = InvitationSerializer
    answers = {"create": MadeInvitationSerializer}
    bodies = {"create": NewInvitationSerializer}

    def list(self, request: Request, workspace: str) -> Response:
        """List the invitations that were not taken up, the newest first; those that are over too."""
        return self.listed(team.open_invitations(self.workspace()))

    def create(self, request: Request, workspace: str) -> Response:
        """Invite somebody by e-mail; an earlier invitation of that address ends."""
        owner, asked = self.workspace(), self.body()
        made, link = team.invite(owner, asked["email"], asked["role"], self.account)
        made.link = link  # type: ignore[attr-defined]
        return self.shown(made, status=201)

    def destroy(self, request: Request, workspace: str, invitation: int) -> Response:
        """Withdraw an invitation: its link opens nothing."""
        known: Any = self.workspace().invitations.filter(accepted_at=None)
        team.withdraw(find(known, "invitation", pk=self.kwargs["invitation"]))
        return Response(status=204)


_MEMBERS = "workspaces/<str:workspace>/members"
_INVITATIONS = "workspaces/<str:workspace>/invitations"

urlpatterns = [
    route(_MEMBERS, MemberViewSet, get="list"),
    route(
        f"{_MEMBERS}/<int:member>",
        MemberViewSet,
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    route(_INVITATIONS, InvitationViewSet, get="list", post="create"),
    route(f"{_INVITATIONS}/<int:invitation>", InvitationViewSet, delete="destroy"),
]
