"""What is published, ready to serve: groups by address, routes by group, one plan per endpoint.

Everything is valid by version. Groups are read again when the installation's token moves, a group's routes
when its workspace's version does; of an endpoint only its routing columns are read then, and its plan is made on
its first call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from auth.callers import Callers
from stackyard.core.data_source import LIVE
from stackyard.core.errors import Faults, Problem
from stackyard.core.limits import REQUEST_BYTES, RESPONSE_BYTES, STACK_SECONDS
from stackyard.core.principal import Principal
from stackyard.core.version import Current, workspace_versions
from stackyard.stacks.models import Revision
from stackyard.stacks.runner import Plan, load_plan

from .cors import Cors
from .inputs import RequestInputs
from .models import ApiGroup, Endpoint
from .router import Match, Router, Template, parse_template, split_path
from .sharing import may_share
from .throttles import Throttle

SECURITY_HEADERS: list[tuple[str, str]] = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
]


class EndpointPlan:
    """A published endpoint, compiled: who may call, how often, with what, and what then runs."""

    __slots__ = (
        "_stack",
        "_test_stack",
        "caller_throttle",
        "callers",
        "data_sources",
        "endpoint_id",
        "group",
        "inputs",
        "keeps_answers",
        "measures",
        "name",
        "response_bytes",
        "revision_id",
        "throttle",
        "timeout_seconds",
        "traces",
    )

    def __init__(self, group: Group, route: Route, document: Mapping[str, Any]) -> None:
        self.group = group
        self.endpoint_id = route.endpoint_id
        self.revision_id = route.revision_id
        self.name = route.name
        self.callers = Callers(document.get("auth") or ["api_key"])
        self.throttle = Throttle(
            route.endpoint_id, document.get("limit_per_second") or settings.CALLS_PER_SECOND
        )
        of_each = document.get("limit_per_caller")
        self.caller_throttle = Throttle(route.endpoint_id, of_each, of_each_caller=True) if of_each else None
        self.response_bytes = document.get("response_bytes") or RESPONSE_BYTES.default
        self.timeout_seconds = document.get("timeout_seconds") or STACK_SECONDS.default
        self.inputs = RequestInputs(
            document.get("inputs") or {},
            route.method,
            _template(route.path),
            ignores_unknown=group.ignores_unknown,
            body_limit=document.get("request_bytes") or REQUEST_BYTES.default,
            raw_body=document.get("body") == "raw",
        )
        self.keeps_answers = route.method == "POST"
        self.traces = document.get("trace") is True
        self.measures = may_share(document)
        self.data_sources: Sequence[str] | None = document.get("data_sources")
        self._stack: Plan | None = None
        self._test_stack: Plan | None = None

    @property
    def stack(self) -> Plan:
        """The compiled stack. Problem `STACK_OUTDATED` when it does not fit its tables any more."""
        stack = self._stack
        if stack is None:
            stack = self._stack = load_plan(self.group.workspace_id, self.revision_id, self.traces)
        return stack

    def stack_on(self, source: str) -> Plan:
        """The compiled stack for a data source, compiled once for each."""
        if source == LIVE:
            return self.stack
        stack = self._test_stack
        if stack is None:
            stack = self._test_stack = load_plan(
                self.group.workspace_id, self.revision_id, self.traces, source
            )
        return stack

    def may_use(self, source: str, principal: Principal) -> bool:
        """Whether a caller may work on a data source here.

        Unless the endpoint says otherwise test data is for callers who said who they are, live data for all.
        """
        if self.data_sources is not None:
            return source in self.data_sources
        return source == LIVE or not principal.is_anonymous


def _template(path: str) -> Template:
    template = parse_template(path, Faults())
    if template is None:
        raise Problem("INTERNAL_ERROR", "A published path cannot be read.")
    return template


@dataclass(slots=True)
class Route:
    """One published endpoint as the router knows it."""

    endpoint_id: int
    revision_id: int
    name: str
    method: str
    path: str
    plan: EndpointPlan | None = None


@dataclass(slots=True)
class Group:
    """An active API group as callers meet it. `headers` go with each of its answers."""

    id: int
    workspace_id: int
    name: str
    canonical: str
    mount: str | None
    ignores_unknown: bool
    epoch_ms: bool
    cors: Cors
    headers: list[tuple[str, str]]
    version: int
    _router: Router[Route] | None = None

    @property
    def router(self) -> Router[Route]:
        """The group's routes, read on its first call at this version of its workspace."""
        router = self._router
        if router is None:
            router = self._router = _load_routes(self.id)
        return router


@dataclass(frozen=True, slots=True)
class Found:
    """Where a URL leads."""

    group: Group
    segments: Sequence[str]

    def match(self, method: str) -> Match[Route] | None:
        """The endpoint for a method."""
        return self.group.router.match(method, self.segments)

    def allowed(self) -> tuple[str, ...]:
        """The methods this path knows. Problem `NOT_FOUND` when it knows none."""
        methods = self.group.router.methods(self.segments)
        if not methods:
            raise no_endpoint()
        return methods


def no_endpoint() -> Problem:
    """404 that tells nothing about what else there is."""
    return Problem("NOT_FOUND", "There is no endpoint at this address.")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Every active group of the installation by its two addresses."""

    canonicals: Mapping[str, Group]
    mounts: Mapping[str, Group]
    longest: int


def _load_routes(group_id: int) -> Router[Route]:
    rows = Endpoint.objects.filter(group_id=group_id, active=True, published__isnull=False)
    router: Router[Route] = Router()
    for pk, revision, name, method, path in rows.values_list("pk", "published_id", "name", "method", "path"):
        router.add(method, path, Route(pk, revision, name, method, path))
    return router


_known: dict[int, Group] = {}


def _load_addresses() -> Addresses:
    """Groups of workspaces that have not changed are kept, with the routes and plans they hold."""
    global _known
    versions = workspace_versions.get()
    groups = []
    for row in ApiGroup.objects.filter(active=True).select_related("successor"):
        group, version = _known.get(row.pk), versions.get(row.workspace_id, 0)
        if group is None or group.version != version:
            group = _group_of(row, version)
        groups.append(group)
    _known = {group.id: group for group in groups}
    mounts = {group.mount: group for group in groups if group.mount}
    longest = max((mount.count("/") + 1 for mount in mounts), default=0)
    return Addresses({group.canonical: group for group in groups}, mounts, longest)


def _group_of(row: ApiGroup, version: int) -> Group:
    return Group(
        id=row.pk,
        workspace_id=row.workspace_id,
        name=row.name,
        canonical=row.canonical,
        mount=row.mount,
        ignores_unknown=row.unknown_inputs == "ignore",
        epoch_ms=row.timestamps == "epoch_ms",
        cors=Cors(row.cors if isinstance(row.cors, dict) else {}),
        headers=SECURITY_HEADERS + _lifetime_headers(row),
        version=version,
    )


def _lifetime_headers(row: ApiGroup) -> list[tuple[str, str]]:
    """Deprecation (RFC 9745), Sunset (RFC 8594) and the successor's address (RFC 8288)."""
    headers = []
    if row.deprecated_at is not None:
        headers.append(("Deprecation", f"@{int(row.deprecated_at.timestamp())}"))
    if row.sunset_at is not None:
        headers.append(("Sunset", _http_date(row.sunset_at)))
    if row.successor is not None and (row.deprecated_at or row.sunset_at):
        mount = f"/api/{row.successor.mount}" if row.successor.mount else f"/api:{row.successor.canonical}"
        headers.append(("Link", f'<{settings.PUBLIC_URL}{mount}>; rel="successor-version"'))
    return headers


def _http_date(moment: datetime) -> str:
    from django.utils.http import http_date

    return http_date(moment.timestamp())


_addresses: Current[Addresses] = Current(_load_addresses)


def find(path: str) -> Found:
    """Where a decoded path leads. Problem 404 for an unknown group, 400 for a path that can't be one."""
    addresses = _addresses.get()
    if path.startswith("/api:"):
        canonical, slash, rest = path[5:].partition("/")
        group, rest = addresses.canonicals.get(canonical), slash + rest
    else:
        group, rest = _mounted(addresses, path[5:])
    if group is None:
        raise no_endpoint()
    return Found(group, split_path(rest))


def _mounted(addresses: Addresses, path: str) -> tuple[Group | None, str]:
    """The group with the longest mount that begins the path below `/api/`, and what is left of the path."""
    parts = path.split("/", addresses.longest)
    for count in range(min(addresses.longest, len(parts)), 0, -1):
        group = addresses.mounts.get("/".join(parts[:count]))
        if group is not None:
            return group, "/".join(["", *parts[count:]])
    return None, ""


def plan_of(group: Group, route: Route) -> EndpointPlan:
    """The endpoint's plan, made on its first call. Problem `NOT_FOUND` when it was deleted a moment ago."""
    plan = route.plan
    if plan is None:
        document = Revision.objects.values_list("document", flat=True).filter(pk=route.revision_id).first()
        if document is None:
            raise no_endpoint()
        plan = route.plan = EndpointPlan(group, route, document)
    return plan
