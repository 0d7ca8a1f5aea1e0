"""The base of every resource of the management API.

Every app describes its own resources in an `api.py`; `stackyard.meta` puts their routes together. Who calls is
always a `Principal` in `request.user`: a key with scope `meta`, bound to its one workspace, or a builder who is
signed in to the console (`request.auth` is then the account). Nothing is found outside the principal's
workspaces, so what belongs to somebody else looks like what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.urls import URLPattern, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ViewSet

from ..audit.actor import API, NOBODY, acting, become, of_principal
from ..body import parse_pairs
from ..client_address import client_address
from ..errors import Problem
from ..models import Workspace
from ..principal import Principal
from .bodies import AlwaysJSON, JSONAnswers, JSONBodies, read_json
from .errors import answer_error
from .lists import Page, PageQuery
from .permissions import MayManage
from .schema import MetaSchema
from .serializers import StrictSerializer


class NoQuery(StrictSerializer):
    """No query parameter at all."""


class MetaViewSet(ViewSet):
    """Base of every resource; from what a class declares come the checks and the OpenAPI description.

    `noun` and `tag` name it. `model` is what a person's rights are asked about (None: whoever is signed in may), `rights`
    the right of a deed where the HTTP method's own would be wrong (`publish` is a POST but changes), `builders_only`
    the deeds that no key may do, `owners_only` those that want the role owner. `shows` is the serializer of an answer, `answers` of single deeds; `bodies` and
    `queries` are the serializers of what comes in, by deed; `pages` the deeds that
    answer a page of a list. What is not declared is refused.
    """

    noun: ClassVar[str] = ""
    tag: ClassVar[str] = ""
    model: ClassVar[type[Model] | None] = None
    rights: ClassVar[Mapping[str, str]] = {}
    builders_only: ClassVar[frozenset[str]] = frozenset()
    owners_only: ClassVar[frozenset[str]] = frozenset()
    shows: ClassVar[type[BaseSerializer[Any]] | None] = None
    answers: ClassVar[Mapping[str, type[BaseSerializer[Any]] | None]] = {}
    bodies: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    queries: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {"list": PageQuery}
    pages: ClassVar[frozenset[str]] = frozenset({"list"})

    permission_classes = (MayManage,)
    renderer_classes = (JSONAnswers,)
    parser_classes = (JSONBodies,)
    content_negotiation_class = AlwaysJSON
    schema = MetaSchema()

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Every error in the contract's shape."""
        return answer_error

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer; what is changed meanwhile is noted as the caller's deed, from when he is known."""
        with acting(NOBODY):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the caller is known and allowed, check the query string: Problem `INVALID_INPUT`."""
        super().initial(request, *args, **kwargs)
        become(of_principal(self.principal, API, client_address(request.META)))
        if any("\0" in value for value in kwargs.values() if isinstance(value, str)):
            # No name holds it, and PostgreSQL would refuse the question.
            raise Problem("NOT_FOUND", "There is nothing at this address.")
        if self.deed:
            given = parse_pairs(request.META.get("QUERY_STRING", ""))
            checked = self.queries.get(self.deed, NoQuery)(data=given)
            checked.is_valid(raise_exception=True)
            self.query: dict[str, Any] = dict(checked.validated_data)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The methods that are offered here."""
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    @property
    def deed(self) -> str:
        """The name of the method that answers, or nothing where the HTTP method is not offered."""
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
        if self.principal.kind == "builder":
            if "*" in self.principal.scopes:
                return Workspace.objects.all()
            return Workspace.objects.filter(pk__in=[pk for pk, _ in self.principal.roles])
        return Workspace.objects.filter(pk=self.principal.workspace_id or 0)

    def workspace(self) -> Workspace:
        """The workspace that the URL names. Problem `NOT_FOUND`."""
        found: Workspace = find(self.workspaces(), "workspace", name=self.kwargs["workspace"])
        return found

    def body(self, *, partial: bool = False) -> dict[str, Any]:
        """The request's body, checked by the deed's serializer. Problem with every fault."""
        checked = self.bodies[self.deed](
            data=read_json(self.request._request, may_be_empty=True), partial=partial
        )
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def shown(self, thing: Any, *, status: int = 200) -> Response:
        """One thing as the answer."""
        serializer = self.answers.get(self.deed, self.shows)
        assert serializer is not None
        return Response(serializer(thing).data, status=status)

    def listed(self, found: Any) -> Response:
        """One page of a list (a queryset or a sequence), in the contract's envelope."""
        shows = self.answers.get(self.deed, self.shows)
        assert shows is not None
        paging = {name: self.query[name] for name in ("page", "per_page", "totals")}
        return Response(Page(**paging).envelope(found, lambda rows: [shows(row).data for row in rows]))


def find(found: QuerySet[Any], noun: str, **by: Any) -> Any:
    """The one object with these values. Problem `NOT_FOUND` that names what was looked for."""
    thing = found.filter(**by).first()
    if thing is None:
        wanted = ", ".join(str(value) for value in by.values())
        raise Problem("NOT_FOUND", f'There is no {noun} "{wanted}".')
    return thing


def route(template: str, view: type[MetaViewSet], **deeds: str) -> URLPattern:
    """A URL of the management API: `route("workspaces/<str:workspace>", View, get="retrieve")`."""
    return path(template, view.as_view(dict[str, Any](deeds)))
