"""What all doors of the management API (`/api:meta/…`) have in common.

Every app describes its own resources in an `api.py`; `stackyard.meta` puts their routes together. Who calls is
always a `Principal` in `request.user`: a key with scope `meta`, bound to its one workspace, or a builder who is
signed in to the console (`request.auth` is then the account). Nothing is found outside the principal's
workspaces, so what belongs to somebody else looks like what does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.urls import URLPattern, path
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from ..errors import Problem
from .lists import Page, PageQuery
from ..models import Workspace
from ..principal import Principal

# The right of Django's permission system that an HTTP method asks of a builder.
_RIGHT_OF_METHOD: Mapping[str, str] = {
    "GET": "view",
    "HEAD": "view",
    "OPTIONS": "view",
    "POST": "add",
    "PUT": "change",
    "PATCH": "change",
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
    if view.action_name() in view.builders_only:
        raise Problem("ACCESS_DENIED", "A key is bound to its one workspace and cannot do this.")


def _check_builder(request: Request, view: Any) -> None:
    account: Any = request.auth
    right = view.rights.get(view.action_name()) or _RIGHT_OF_METHOD.get(request.method or "", "change")
    model = view.model
    if model is None:
        return
    permission = f"{model._meta.app_label}.{right}_{model._meta.model_name}"
    if not account.has_perm(permission):
        raise Problem(
            "ACCESS_DENIED",
            f"Your account does not have the right {permission}.",
            suggestion="Ask the owner of the installation for it.",
        )


class MetaViewSet(GenericViewSet[Any]):
    """Base of every resource. `model` is what a builder's rights are asked about (None: any builder may).

    `rights` names the right of an action where the HTTP method's own would be wrong (`publish` is a POST but
    changes), `builders_only` the actions that no key may call.
    """

    model: ClassVar[type[Model] | None] = None
    rights: ClassVar[Mapping[str, str]] = {}
    builders_only: ClassVar[frozenset[str]] = frozenset()
    permission_classes = (MayManage,)

    def action_name(self) -> str:
        """The action that is being called, or nothing where the method is not offered."""
        return getattr(self, "action", None) or ""

    @property
    def principal(self) -> Principal:
        """Who calls."""
        principal: Any = self.request.user
        assert isinstance(principal, Principal)
        return principal

    @property
    def account(self) -> Any:
        """The builder's account as author of a change, or None for a key."""
        return self.request.auth if self.principal.kind == "builder" else None

    def workspaces(self) -> QuerySet[Workspace]:
        """The workspaces this principal may manage."""
        found = Workspace.objects.all()
        return found.filter(pk=self.principal.workspace_id) if self.principal.kind == "api_key" else found

    def workspace(self) -> Workspace:
        """The workspace that the URL names. Problem `NOT_FOUND`."""
        return find(self.workspaces(), "workspace", name=self.kwargs["workspace"])

    def body(self, serializer: type[BaseSerializer[Any]], **more: Any) -> dict[str, Any]:
        """The request's body, checked. Problem `INVALID_INPUT` with every fault."""
        checked = serializer(data=self.request.data, **more)
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def query(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The query string, checked: unknown parameters are faults."""
        checked = serializer(data=self.request.query_params)
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def no_query(self) -> None:
        """Refuse any query parameter."""

    def listed(self, found: QuerySet[Any], serializer: type[BaseSerializer[Any]], **filters: Any) -> Response:
        """One page of a list, in the contract's envelope."""
        page = Page(**self.query(PageQuery))
        return Response(page.envelope(found, lambda rows: serializer(rows, many=True).data))


def find(found: QuerySet[Any], noun: str, **by: Any) -> Any:
    """The one object with these values. Problem `NOT_FOUND` that names what was looked for."""
    thing = found.filter(**by).first()
    if thing is None:
        wanted = ", ".join(str(value) for value in by.values())
        raise Problem("NOT_FOUND", f'There is no {noun} "{wanted}".')
    return thing


def route(template: str, view: type[MetaViewSet], **actions: str) -> URLPattern:
    """A URL of the management API: `route("workspaces/<str:workspace>", View, get="retrieve")`."""
    return path(template, view.as_view(actions))
