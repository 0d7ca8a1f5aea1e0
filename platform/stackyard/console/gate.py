"""The one gate of the console: who may open which page of which workspace, asked before any page is made.

Every page goes through `ConsoleSite.admin_view`, which asks here. A page below `/admin/<app>/<model>/<id>/` is about the
workspace of that thing, every other one about the chosen workspace. Opening wants the right to look, anything but reading
the right to change; what belongs to a workspace that is not the person's looks like what does not exist.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from auth import roles
from endpoints.models import ApiGroup
from stackyard.alerts.models import AlertRule
from stackyard.core.audit.actor import CONSOLE, Actor, acting
from stackyard.core.audit.models import AuditEntry
from stackyard.core.client_address import client_address
from stackyard.core.models import Workspace
from stackyard.tables.models import Table

from .chosen_workspace import chosen_workspace, person

View = Callable[..., HttpResponse]
_MODEL_PAGE = re.compile(r"admin/(?P<app>\w+)/(?P<model>\w+)/")
_IDS = ("pk", "object_id", "id")
# Sent by POST since they carry a document, and change nothing.
_READING_POSTS = re.compile(r"/(editor/(check|yaml|lines|changes)|code/check)/\Z")
# Of a form or an address, the fields that name a thing by its id: what they name must be in the person's sight too.
_NAMED: Mapping[str, type[Model]] = {
    "workspace": Workspace,
    "group": ApiGroup,
    "successor": ApiGroup,
    "table": Table,
}


@dataclass(frozen=True, slots=True)
class Needs:
    """The least role to look at a page and to change something there; None: whoever is signed in."""

    look: str | None = roles.VIEWER
    change: str | None = roles.OWNER


_OWN = Needs(None, None)
# Pages of no model, by the first word of their address. One that is not here is looked at by viewers and changed by owners.
PLAIN: Mapping[str, Needs] = {
    "": _OWN,
    "logout": _OWN,
    "password_change": _OWN,
    "two-factor": _OWN,
    "jsi18n": _OWN,
    "workspace": _OWN,
    "data-source": _OWN,
    "test-data": Needs(change=roles.BUILDER),
    "find": Needs(change=roles.VIEWER),
    "docs": Needs(change=roles.VIEWER),
    "editor": Needs(change=roles.VIEWER),
    "settings": Needs(),
    "alerts": Needs(change=roles.BUILDER),
    "team": Needs(roles.OWNER, roles.OWNER),
    "audit": Needs(roles.OWNER, roles.OWNER),
}


# What the id in the address of such a page is of. One that is not here has no id, or one of the chosen workspace's.
_OF_PLAIN: Mapping[str, type[Model]] = {"docs": ApiGroup, "alerts": AlertRule, "audit": AuditEntry}


def guarded(view: View) -> View:
    """The view behind the gate. Http404 for what is not in the person's sight, PermissionDenied for what his role is not for."""

    @functools.wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _check(request, kwargs)
        with acting(actor_of(request)):
            return view(request, *args, **kwargs)

    return asked


def actor_of(request: HttpRequest) -> Actor:
    """Who changes things by a page, as the audit log names him."""
    account = request.user
    who = str(account) if account.is_authenticated else ""
    return Actor(who, CONSOLE, account.pk, client_address(request.META))


def needs_of(route: str) -> Needs | None:
    """What a route of the console needs; None for pages of the installation's owners."""
    found = _MODEL_PAGE.match(route)
    model = _model(found) if found else None
    if model is None:
        return PLAIN.get(route.removeprefix("admin/").partition("/")[0], Needs())
    right = "add" if route.endswith("/add/") else "delete" if route.endswith("/delete/") else "change"
    look = roles.needed(model, "view" if right == "change" else right)
    return Needs(look, roles.needed(model, right)) if look else None


def may_open(request: HttpRequest, address: str) -> bool:
    """Whether the person may look at a page of the chosen workspace: what menus and the palette offer."""
    account: Any = request.user
    if account.is_superuser:
        return True
    needs, chosen = needs_of(address.lstrip("/")), chosen_workspace(request)
    if needs is None:
        return False
    return needs.look is None or roles.is_enough(
        roles.role_in(account, chosen.pk if chosen else None), needs.look
    )


def may_do(request: HttpRequest, address: str) -> bool:
    """Whether a POST to an address about the workspace of this page passes: what buttons and forms are shown by."""
    account: Any = request.user
    if account.is_superuser:
        return True
    try:
        route = resolve(address.partition("?")[0]).route
    except Resolver404:
        return False
    needs = needs_of(route)
    if needs is None:
        return False
    wanted = needs.look if reads("POST", route) else needs.change
    return wanted is None or roles.is_enough(getattr(account, "role_here", None), wanted)


def reads(method: str | None, route: str) -> bool:
    """Whether a request changes nothing."""
    return method in ("GET", "HEAD", "OPTIONS") or bool(_READING_POSTS.search(route))


def _check(request: HttpRequest, kwargs: Mapping[str, Any]) -> None:
    account: Any = request.user
    person.set(account)
    if account.is_superuser:
        return
    route = request.resolver_match.route if request.resolver_match else ""
    needs = needs_of(route)
    if needs is None:
        raise PermissionDenied(_("This page is for owners of the installation."))
    role = roles.role_in(account, _workspace_id(request, route, kwargs))
    account.role_here = role
    wanted = needs.look if reads(request.method, route) else needs.change
    if wanted is not None and not roles.is_enough(role, wanted):
        raise PermissionDenied(_("Your role in this workspace is not enough for this."))
    _check_named(request, account, wanted or roles.VIEWER)


def _workspace_id(request: HttpRequest, route: str, kwargs: Mapping[str, Any]) -> int | None:
    found = _MODEL_PAGE.match(route)
    model = _model(found) if found else _OF_PLAIN.get(route.removeprefix("admin/").partition("/")[0])
    pk = next((kwargs[name] for name in _IDS if name in kwargs), None)
    if model is None or pk is None:
        chosen = chosen_workspace(request)
        return chosen.pk if chosen is not None else None
    owner = roles.workspace_of(model, pk)
    if owner is None or roles.role_in(request.user, owner) is None:
        raise Http404(_("There is nothing at this address."))
    return owner


def _check_named(request: HttpRequest, account: Any, wanted: str) -> None:
    """What a form or an address names by id is asked about as the page itself is."""
    for sent in (request.POST if request.method == "POST" else None, request.GET):
        for name, model in _NAMED.items():
            for given in sent.getlist(name) if sent is not None else ():
                if not (given.isascii() and given.isdecimal()):
                    continue
                least = roles.VIEWER if sent is request.GET else wanted
                if not roles.is_enough(roles.role_in(account, roles.workspace_of(model, given)), least):
                    raise PermissionDenied(_("This belongs to a workspace in which you may not do this."))


def _model(found: re.Match[str]) -> type[Model] | None:
    try:
        return apps.get_model(found["app"], found["model"])
    except LookupError:
        return None
