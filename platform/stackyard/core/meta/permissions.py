"""Who may do what in the management API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ..errors import Problem
from ..principal import Principal

# The right of Django's permission system that an HTTP method asks of a builder.
_RIGHT_OF_METHOD: Mapping[str, str] = {
    "GET": "view",
    "HEAD": "view",
    "OPTIONS": "view",
    "POST": "add",
    "DELETE": "delete",
}


class MayManage(BasePermission):
    """A key with scope `meta`, or a builder with the model right that the deed asks for."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or Problem 403 `ACCESS_DENIED`; False for nobody, which answers 401."""
        principal: Any = request.user
        if not isinstance(principal, Principal):
            return False
        if principal.kind == "api_key":
            _check_key(principal, view)
        else:
            _check_builder(request, view)
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


def _check_builder(request: Request, view: Any) -> None:
    if view.model is None:
        return
    account: Any = request.auth
    right = view.rights.get(view.deed) or _RIGHT_OF_METHOD.get(request.method or "", "change")
    permission = f"{view.model._meta.app_label}.{right}_{view.model._meta.model_name}"
    if not account.has_perm(permission):
        raise Problem(
            "ACCESS_DENIED",
            f"Your account does not have the right {permission}.",
            suggestion="Ask the owner of the installation for it.",
        )
