"""What the command palette finds: objects of every kind by name, and actions by their words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth.models import ApiKey, User
from endpoints.models import ApiGroup, Endpoint
from lambdas.models import Lambda
from stackyard.core.models import Variable, Workspace
from stackyard.stacks.models import Function
from stackyard.tables.models import Table

from . import menu
from .chosen_workspace import narrowed_to
from .gate import may_open
from .pages import page

SHOWN = 8
"""How many of each kind are shown."""


@dataclass(frozen=True, slots=True)
class Findable:
    """A kind of thing. `columns` are searched; `of_workspace` is the lookup of its workspace, empty for none."""

    heading: Any
    icon: str
    model: type[Model]
    columns: tuple[str, ...]
    address: str
    of_workspace: str
    text: Callable[[Any], str] = str
    detail: Callable[[Any], str] = lambda found: ""

    def find(self, words: list[str], workspace: Workspace | None) -> Iterator[dict[str, str]]:
        """Those in whose columns every word occurs, as `{"text", "detail", "icon", "url"}`."""
        found = self.model._default_manager.all()
        if self.model is Table:
            found = found.filter(hidden_at=None)
        if workspace is not None and self.of_workspace:
            found = found.filter(**{self.of_workspace: workspace.pk})
        for word in words:
            found = found.filter(_contains(self.columns, word))
        for one in found[:SHOWN]:
            url = reverse(self.address, args=[one.pk])
            yield {"text": self.text(one), "detail": self.detail(one), "icon": self.icon, "url": url}


def _contains(columns: tuple[str, ...], word: str) -> Q:
    matches = Q()
    for column in columns:
        matches |= Q(**{f"{column}__icontains": word})
    return matches


FINDABLE = (
    Findable(
        gettext_lazy("Endpoints"),
        "endpoint",
        Endpoint,
        ("path", "name", "method"),
        "admin:endpoints_endpoint_change",
        "group__workspace",
        detail=lambda endpoint: endpoint.name,
    ),
    Findable(
        gettext_lazy("Tables"),
        "table",
        Table,
        ("name",),
        "admin:tables_table_records",
        "workspace",
        text=lambda table: table.name,
        detail=lambda table: table.description[:80],
    ),
    Findable(
        gettext_lazy("Functions"),
        "function",
        Function,
        ("name",),
        "admin:stacks_function_change",
        "workspace",
        text=lambda function: function.name,
    ),
    Findable(
        gettext_lazy("Lambdas"),
        "lambda",
        Lambda,
        ("name",),
        "admin:lambdas_lambda_change",
        "workspace",
        text=lambda one: one.name,
    ),
    Findable(
        gettext_lazy("API groups"),
        "api",
        ApiGroup,
        ("name", "canonical", "mount"),
        "admin:endpoints_apigroup_change",
        "workspace",
        detail=lambda group: f"/api:{group.canonical}",
    ),
    Findable(
        gettext_lazy("Variables"),
        "variable",
        Variable,
        ("name",),
        "admin:core_variable_change",
        "workspace",
        text=lambda variable: variable.name,
    ),
    Findable(
        gettext_lazy("Keys"),
        "key",
        ApiKey,
        ("name", "prefix"),
        "admin:accounts_apikey_change",
        "workspace",
        text=lambda key: key.name,
        detail=lambda key: f"{key.prefix}…",
    ),
    Findable(
        gettext_lazy("People"),
        "people",
        User,
        ("email", "first_name", "last_name"),
        "admin:accounts_user_change",
        "",
        text=lambda user: user.email,
    ),
    Findable(
        gettext_lazy("Workspaces"),
        "workspace",
        Workspace,
        ("name",),
        "admin:core_workspace_change",
        "",
        text=lambda workspace: workspace.name,
    ),
)

# What can be made or done from anywhere: text, more words that find it, icon, URL name.
ACTIONS = (
    (
        gettext_lazy("New endpoint"),
        gettext_lazy("add make create route"),
        "plus",
        "admin:endpoints_endpoint_add",
    ),
    (gettext_lazy("New table"), gettext_lazy("add make create database"), "plus", "admin:tables_table_add"),
    (gettext_lazy("New function"), gettext_lazy("add make create"), "plus", "admin:stacks_function_add"),
    (gettext_lazy("New lambda"), gettext_lazy("add make create code"), "plus", "admin:lambdas_lambda_add"),
    (gettext_lazy("New API group"), gettext_lazy("add make create"), "plus", "admin:endpoints_apigroup_add"),
    (
        gettext_lazy("New API key"),
        gettext_lazy("add make create access"),
        "plus",
        "admin:accounts_apikey_add",
    ),
    (gettext_lazy("New variable"), gettext_lazy("add make create secret"), "plus", "admin:core_variable_add"),
    (gettext_lazy("New workspace"), gettext_lazy("add make create"), "plus", "admin:core_workspace_add"),
    (
        gettext_lazy("Invite somebody"),
        gettext_lazy("add person team user account"),
        "plus",
        "admin:accounts_user_add",
    ),
    (gettext_lazy("Change your password"), gettext_lazy("account"), "secret", "admin:password_change"),
)


def find(request: HttpRequest) -> HttpResponse:
    """`GET …/find/?q=`: a page of what was found, or JSON for the palette."""
    words = request.GET.get("q", "").split()[:8]
    groups = [group for group in _groups(words, narrowed_to(request), request) if group["found"]]
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"groups": groups})
    return page(request, "console/find.html", _("Search"), [], asked=" ".join(words), groups=groups)


def _groups(words: list[str], workspace: Workspace | None, request: HttpRequest) -> Iterator[dict[str, Any]]:
    if words:
        for kind in FINDABLE:
            yield {"heading": str(kind.heading), "found": list(kind.find(words, workspace))}
    yield {"heading": _("Go to"), "found": _offered(_entries(), words, request)}
    yield {"heading": _("Do"), "found": _offered(_actions(), words, request)}


def _offered(
    entries: Iterator[dict[str, str]], words: list[str], request: HttpRequest
) -> list[dict[str, str]]:
    """Those that say the words and are open to the person."""
    return [entry for entry in entries if _says(entry, words) and may_open(request, entry["url"])]


def _entries() -> Iterator[dict[str, str]]:
    for section in menu.SECTIONS:
        for entry in section.entries:
            yield {
                "text": str(entry.text),
                "detail": str(section.text),
                "icon": entry.icon,
                "url": reverse(entry.address),
            }


def _actions() -> Iterator[dict[str, str]]:
    for text, words, icon, address in ACTIONS:
        yield {"text": str(text), "words": str(words), "detail": "", "icon": icon, "url": reverse(address)}


def _says(entry: dict[str, str], words: list[str]) -> bool:
    said = f"{entry['text']} {entry.get('words', '')} {entry['detail']}".lower()
    return all(word.lower() in said for word in words)
