"""Who may do what in which workspace: the one place where an account becomes rights.

An owner of the installation (a superuser) owns every workspace. Everybody else has a role in each workspace that he
is a member of: a viewer looks, a builder builds, an owner also sees to people, keys and settings. What a person
has no role in looks to him like what does not exist. Rights are read with each request, so a change holds from the next.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet

from stackyard.core.meta.permissions import RANKS
from stackyard.core.models import Workspace
from stackyard.core.principal import Principal

from .models import Membership, User

VIEWER, BUILDER, OWNER = Membership.VIEWER, Membership.BUILDER, Membership.OWNER
# Models that belong to people, keys and settings: a builder looks at none of the first two.
_OWNERS_MODELS = frozenset({"accounts.apikey", "accounts.application", "accounts.provider", "core.workspace"})
_INSTALLATION_MODELS = frozenset({"accounts.user"})


def is_person(account: Any) -> bool:
    """Whether an account may sign in to the console."""
    return bool(getattr(account, "is_active", False) and getattr(account, "is_staff", False))


def roles_of(account: User) -> dict[int, str]:
    """The account's roles by workspace id, without what an owner of the installation has anyway; read once an account object."""
    held: dict[int, str] | None = getattr(account, "_roles", None)
    if held is None:
        held = dict(Membership.objects.filter(user_id=account.pk).values_list("workspace_id", "role"))
        account._roles = held  # type: ignore[attr-defined]
    return held


def role_in(account: Any, workspace_id: int | None) -> str | None:
    """`owner`, `builder`, `viewer`, or None: the account has nothing to do with this workspace."""
    if not is_person(account):
        return None
    return OWNER if account.is_superuser else roles_of(account).get(workspace_id or 0)


def is_enough(role: str | None, wanted: str) -> bool:
    """Whether a role has the rights of another."""
    return RANKS[role] >= RANKS[wanted]


def workspaces_of(account: Any, wanted: str = VIEWER) -> QuerySet[Workspace]:
    """The workspaces in which the account has at least this role."""
    if not is_person(account):
        return Workspace.objects.none()
    if account.is_superuser:
        return Workspace.objects.all()
    held = [pk for pk, role in roles_of(account).items() if is_enough(role, wanted)]
    return Workspace.objects.filter(pk__in=held)


def principal_of(account: User) -> Principal:
    """A person of the console as a caller."""
    scopes = frozenset({"*"}) if account.is_superuser else frozenset[str]()
    return Principal(
        "builder", account.pk, scopes=scopes, label=str(account), roles=tuple(roles_of(account).items())
    )


def path_to_workspace(model: type[Model]) -> str | None:
    """How a query on a model reaches the id of its workspace; None for what belongs to none."""
    if model is Workspace:
        return "pk"
    for name, through in (
        ("workspace", "workspace_id"),
        ("workspace_id", "workspace_id"),
        ("group", "group__workspace_id"),
    ):
        try:
            model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        return through
    return None


def workspace_of(model: type[Model], pk: Any) -> int | None:
    """The id of the workspace that a thing belongs to; None when there is no such thing."""
    through = path_to_workspace(model)
    if through is None:
        return None
    try:
        found: int | None = model._default_manager.filter(pk=pk).values_list(through, flat=True).first()
    except (ValueError, TypeError, OverflowError):
        return None
    except Exception as error:
        # A UUID that is none: Django has its own way of saying so.
        if type(error).__name__ == "ValidationError":
            return None
        raise
    return found


def needed(model: type[Model], right: str) -> str | None:
    """The least role for `view`, `add`, `change` or `delete` of a model; None when only owners of the installation may."""
    label = model._meta.label_lower
    if label in _INSTALLATION_MODELS or (model is Workspace and right in ("add", "delete")):
        return None
    if label in _OWNERS_MODELS and (right != "view" or model is not Workspace):
        return OWNER
    return VIEWER if right == "view" else BUILDER


class Roles:
    """Django's rights from roles: what the admin asks to show or leave out a button.

    The role is that in the workspace which the page is about (`role_here`, set by the console's gate), else the
    strongest that the account has anywhere. The gate is what refuses; this only tells the pages.
    """

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Nobody signs in by this."""

    def get_user(self, user_id: int) -> None:
        """Nobody signs in by this."""

    def has_perm(self, account: Any, permission: str, obj: Any = None) -> bool:
        """Whether the role is enough for `app.right_model`."""
        if not is_person(account) or "_" not in permission:
            return False
        label, _, codename = permission.partition(".")
        right, _, name = codename.partition("_")
        try:
            wanted = needed(apps.get_model(label, name), right)
        except LookupError:
            return False
        return wanted is not None and is_enough(_role_here(account), wanted)

    def has_module_perms(self, account: Any, label: str) -> bool:
        """Whether there is anything in an app to look at."""
        return is_enough(_role_here(account), VIEWER)


def _role_here(account: Any) -> str | None:
    here = getattr(account, "role_here", "")
    if here != "":
        return here  # type: ignore[no-any-return]
    return max(roles_of(account).values(), key=lambda role: RANKS[role], default=None)
