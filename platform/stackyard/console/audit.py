"""The audit log in the console: who changed what, when and from where, and what was before and is after."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core.audit.audited import kinds
from stackyard.core.audit.models import AuditEntry
from stackyard.core.audit.search import entries
from stackyard.core.masking import masker_of

from .chosen_workspace import narrowed_to
from .pages import page

SHOWN = 50
PERSONS = 100
KINDS: Mapping[str, Any] = {
    "account": gettext_lazy("Account"),
    "alert": gettext_lazy("Alert"),
    "application": gettext_lazy("OAuth application"),
    "endpoint": gettext_lazy("Endpoint"),
    "field": gettext_lazy("Field"),
    "function": gettext_lazy("Function"),
    "group": gettext_lazy("API group"),
    "index": gettext_lazy("Index"),
    "invitation": gettext_lazy("Invitation"),
    "key": gettext_lazy("API key"),
    "lambda": gettext_lazy("Lambda"),
    "member": gettext_lazy("Member"),
    "provider": gettext_lazy("Login provider"),
    "schedule": gettext_lazy("Scheduled task"),
    "second factor": gettext_lazy("Second factor"),
    "table": gettext_lazy("Table"),
    "variable": gettext_lazy("Variable"),
    "workspace": gettext_lazy("Workspace"),
}
"""What people call the kinds."""
DEEDS: Mapping[str, Any] = {
    "create": gettext_lazy("Created"),
    "change": gettext_lazy("Changed"),
    "delete": gettext_lazy("Deleted"),
    "publish": gettext_lazy("Published"),
    "restore": gettext_lazy("Restored"),
    "revoke": gettext_lazy("Revoked"),
    "accept": gettext_lazy("Accepted"),
}
SOURCES: Mapping[str, Any] = {
    "console": gettext_lazy("Console"),
    "api": gettext_lazy("Management API"),
    "command": gettext_lazy("Command line"),
    "run": gettext_lazy("A run"),
    "system": gettext_lazy("By itself"),
}
_PERIODS: Mapping[str, Any] = {
    "1h": (3600, gettext_lazy("the last hour")),
    "24h": (86_400, gettext_lazy("the last 24 hours")),
    "7d": (604_800, gettext_lazy("the last 7 days")),
    "30d": (2_592_000, gettext_lazy("the last 30 days")),
}


def listed(request: HttpRequest) -> HttpResponse:
    """The entries, newest first: `?who=&kind=&deed=&period=&object=`, further back with `?before=<id>`."""
    workspace = _whose(request)
    asked = _asked(request)
    found = entries(workspace, **asked)
    last = _number(request.GET.get("before"))
    rows = list((found.filter(pk__lt=last) if last else found)[: SHOWN + 1])
    query = {name: value for name, value in request.GET.items() if value and name != "before"}
    return page(
        request,
        "console/audit.html",
        _("Audit log"),
        [],
        rows=[_row(entry) for entry in rows[:SHOWN]],
        older=urlencode({**query, "before": rows[SHOWN - 1].pk}) if len(rows) > SHOWN else "",
        newest=urlencode(query) if last else "",
        is_filtered=bool(query),
        menus=_menus(request, workspace),
        about=rows[0] if rows and "object_id" in asked else None,
    )


def entry_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry with each place that changed. Http404 for one of another workspace."""
    entry = AuditEntry.objects.filter(pk=pk).first()
    if entry is None or (entry.workspace_id is None and not _sees_all(request)):
        raise Http404(_("There is nothing at this address."))
    others = urlencode({"kind": entry.kind, "object": entry.object_id})
    facts = [
        (_("When (UTC)"), f"{entry.at:%Y-%m-%d %H:%M:%S}"),
        (_("Who"), entry.who),
        (_("From where"), " · ".join(str(part) for part in (_source(entry), entry.address) if part)),
        (_("Workspace"), entry.workspace_name),
        (_("Deed"), DEEDS.get(entry.deed, entry.deed)),
        (_("What"), f"{_kind(entry)} {entry.name}"),
    ]
    crumbs: list[tuple[str, str | None]] = [(_("Audit log"), reverse("admin:audit"))]
    title = f"{_kind(entry)} {entry.name}"
    return page(
        request, "console/audit_entry.html", title, crumbs,
        entry=entry, facts=facts, places=places_of(entry), others=others,
    )  # fmt: skip


def places_of(entry: AuditEntry) -> list[dict[str, Any]]:
    """Each place with its value before and after; of longer texts the lines that differ. What is a secret by now is masked."""
    hide = masker_of(entry.workspace_id or 0).hide_in
    before, after = hide(entry.before or {}), hide(entry.after or {})
    rows = []
    for place in [*before, *(name for name in after if name not in before)]:
        old, new = _text(before, place), _text(after, place)
        lines = _lines(old, new) if old is not None and new is not None and "\n" in old + new else []
        rows.append({"place": place, "old": old, "new": new, "lines": lines})
    return rows


def _text(state: Mapping[str, Any], place: str) -> str | None:
    if place not in state:
        return None
    value = state[place]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _lines(old: str, new: str) -> list[tuple[str, str]]:
    kinds_of = {"+": "add", "-": "drop"}
    told = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)
    return [
        (kinds_of.get(line[:1], "place" if line.startswith("@@") else ""), line) for line in list(told)[2:]
    ]


def _row(entry: AuditEntry) -> dict[str, Any]:
    names = list(dict.fromkeys([*(entry.before or {}), *(entry.after or {})]))
    whole = entry.before is None or entry.after is None
    return {
        "entry": entry,
        "kind": _kind(entry),
        "deed": DEEDS.get(entry.deed, entry.deed),
        "source": _source(entry),
        "places": [] if whole else names[:3],
        "more": 0 if whole else max(len(names) - 3, 0),
    }


def _whose(request: HttpRequest) -> int | None:
    workspace = narrowed_to(request)
    return workspace.pk if workspace is not None else None


def _sees_all(request: HttpRequest) -> bool:
    account: Any = request.user
    return bool(account.is_superuser)


def _asked(request: HttpRequest) -> dict[str, Any]:
    """The conditions; what is none is left out."""
    given = request.GET
    asked: dict[str, Any] = {"who": given.get("who", "").replace("\0", "")[:200]}
    for name, known in (("kind", KINDS), ("deed", DEEDS), ("source", SOURCES)):
        if given.get(name) in known:
            asked[name] = given[name]
    if given.get("period") in _PERIODS:
        asked["since"] = timezone.now() - timedelta(seconds=_PERIODS[given["period"]][0])
    if number := _number(given.get("object")):
        asked["object_id"] = number
    return {name: value for name, value in asked.items() if value}


def _menus(request: HttpRequest, workspace: int | None) -> list[dict[str, Any]]:
    """The filters: name, label, what may be chosen."""
    people = _people(entries(workspace))
    offered = [
        ("who", _("Who"), [(one, one) for one in people]),
        ("kind", _("Kind"), [(one, KINDS.get(one, one)) for one in kinds()]),
        ("deed", _("Deed"), list(DEEDS.items())),
        ("source", _("From where"), list(SOURCES.items())),
        ("period", _("Time"), [(name, text) for name, (_seconds, text) in _PERIODS.items()]),
    ]
    return [
        {"name": name, "label": label, "options": options, "chosen": request.GET.get(name, "")}
        for name, label, options in offered
    ]


def _people(found: QuerySet[AuditEntry]) -> list[str]:
    """Whoever changed something in the newest entries."""
    newest = found.exclude(who="").values_list("who", flat=True)[:2000]
    return sorted(set(newest))[:PERSONS]


def _kind(entry: AuditEntry) -> str:
    return str(KINDS.get(entry.kind, entry.kind))


def _source(entry: AuditEntry) -> str:
    return str(SOURCES.get(entry.source, entry.source))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def urls(view: Callable[..., Any]) -> list[URLPattern]:
    """The pages' addresses."""
    return [
        path("audit/", view(listed), name="audit"),
        path("audit/<int:pk>/", view(entry_page), name="audit_entry"),
    ]
