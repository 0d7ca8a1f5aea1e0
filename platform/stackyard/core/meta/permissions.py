"""Who may do what in the management API: one table of roles and rights, asked before any deed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ..errors import Problem
from ..models import Workspace
from ..principal import Principal

# What an HTTP method does to what it is about, unless the view's `rights` say otherwise.
_RIGHT_OF_METHOD: Mapping[str, str] = {
    "GET": "view",
    "HEAD": "view",
    "OPTIONS": "view",
    "POST": "add",
    "DELETE": "delete",
}
# The least role for a deed. What is for owners alone (people, keys, settings) a view says itself.
_ROLE_FOR: Mapping[str, str] = {"view": "viewer", "add": "builder", "change": "builder", "delete": "builder"}
RANKS: Mapping[str | None, int] = {None: 0, "viewer": 1, "builder": 2, "owner": 3}


class MayManage(BasePermission):
    """A key with scope `meta`, or a person whose role in the URL's workspace is enough for the deed."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or Problem: 403 `ACCESS_DENIED`, 404 for a workspace that is not his; False for nobody, which answers 401."""
        principal: Any = request.user
        if not isinstance(principal, Principal):
            return False
        if principal.kind == "api_key":
            _check_key(principal, view)
        else:
            _check_person(principal, request, view)
        return True


def _check_key(principal: Principal, view: Any) -> None:
    if "meta" not in principal.scopes:
        raise Problem(
            "ACCESS_DENIED",
            "This key does not have the scope meta.",
            suggestion="Make a key with the scope meta: the scope * leaves it out.",
        )
    if view.deed in view.builders_only:
        raise Problem(
            "ACCESS_DENIED", "Only somebody who is signed in to the console can do this, not a key."
        )


def _check_person(principal: Principal, request: Request, view: Any) -> None:
    name = view.kwargs.get("workspace")
    if "*" in principal.scopes or (view.model is None and name is None):
        return
    right = view.rights.get(view.deed) or _RIGHT_OF_METHOD.get(request.method or "", "change")
    wanted = "owner" if view.deed in view.owners_only else _ROLE_FOR[right]
    if name is None:
        # What belongs to no workspace can be looked at (lists show the person's own) and is changed by the installation's owner.
        if wanted == "viewer":
            return
        raise _denied("the owner of the installation")
    known = Workspace.objects.filter(name=name) if "\0" not in name else Workspace.objects.none()
    pk = known.values_list("pk", flat=True).first()
    held = principal.role_in(pk) if pk is not None else None
    if held is None:
        raise Problem("NOT_FOUND", f'There is no workspace "{name}".')
    if RANKS[held] < RANKS[wanted]:
        raise _denied(f"{wanted}s of the workspace" if wanted == "builder" else "owners of the workspace")


def _denied(whom: str) -> Problem:
    return Problem(
        "ACCESS_DENIED",
        f"Only {whom} can do this.",
        suggestion="Ask an owner of the workspace for that role.",
    )
