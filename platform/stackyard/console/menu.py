"""The menu of the console: which pages stand under which heading, whatever app their models come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu. `address` is a URL name; `models` are those whose pages belong to it, the first its own."""

    text: Any
    icon: str
    address: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; the last section has no heading and stands at the bottom."""

    text: Any
    entries: Sequence[Entry]


SECTIONS: Sequence[Section] = (
    Section(
        _("Build"),
        (
            Entry(_("Home"), "home", "admin:index"),
            Entry(
                _("API"),
                "api",
                "admin:endpoints_endpoint_changelist",
                ("endpoints.Endpoint", "endpoints.ApiGroup"),
            ),
            Entry(_("Functions"), "function", "admin:stacks_function_changelist", ("stacks.Function",)),
            Entry(_("Database"), "database", "admin:tables_table_changelist", ("tables.Table",)),
            Entry(_("Lambdas"), "lambda", "admin:lambdas_lambda_changelist", ("lambdas.Lambda",)),
            Entry(_("Files"), "upload", "admin:core_storedfile_changelist", ("core.StoredFile",)),
        ),
    ),
    Section(
        _("Watch"),
        (
            Entry(
                _("Request history"),
                "history",
                "admin:endpoints_historyentry_changelist",
                ("endpoints.HistoryEntry",),
            ),
            Entry(_("Performance"), "chart", "admin:performance"),
            Entry(_("Alerts"), "warning", "admin:alerts"),
            Entry(_("Audit log"), "compare", "admin:audit"),
            Entry(_("Runs"), "runs", "admin:runs_run_changelist", ("runs.Run",)),
            Entry(_("Scheduled tasks"), "clock", "admin:runs_schedule_changelist", ("runs.Schedule",)),
        ),
    ),
    Section(
        _("Share"),
        (
            Entry(_("API docs"), "book", "admin:docs"),
            Entry(_("Keys and access"), "key", "admin:accounts_apikey_changelist", ("accounts.ApiKey",)),
            Entry(
                _("OAuth applications"),
                "shield",
                "admin:accounts_application_changelist",
                ("accounts.Application",),
            ),
            Entry(
                _("Login providers"),
                "globe",
                "admin:accounts_provider_changelist",
                ("accounts.Provider",),
            ),
            Entry(_("Team"), "people", "admin:team", ("accounts.User",)),
        ),
    ),
    Section(
        "",
        (Entry(_("Settings"), "settings", "admin:settings", ("core.Workspace", "core.Variable")),),
    ),
)


def has_page(model: type[Model]) -> bool:
    """Whether a model has pages in the console."""
    return any(model._meta.label in entry.models for section in SECTIONS for entry in section.entries)


def menu(path: str, is_open: Callable[[str], bool] = lambda address: True) -> list[dict[str, Any]]:
    """The sections for a template: `{"text", "entries": [{"text", "icon", "url", "is_current"}]}`.

    `is_open` says of an address whether the person may go there. The entry of the page at `path` is the one whose address the path goes on from furthest.
    """
    rows = [(entry, _prefixes(entry)) for section in SECTIONS for entry in section.entries]
    home = reverse("admin:index")
    best = max(
        (len(prefix), entry.address)
        for entry, prefixes in rows
        for prefix in [*prefixes, ""]
        if path.startswith(prefix) and (prefix != home or path == home)
    )
    current = best[1] if best[0] else ""
    return [
        {
            "text": section.text,
            "entries": [
                {
                    "text": entry.text,
                    "icon": entry.icon,
                    "url": reverse(entry.address),
                    "is_current": entry.address == current,
                }
                for entry in section.entries
                if is_open(reverse(entry.address))
            ],
        }
        for section in SECTIONS
    ]


def current(sections: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The entry of the page, of what `menu` gave; None for a page beyond the menu."""
    entries = [entry for section in sections for entry in section["entries"]]
    return next((entry for entry in entries if entry["is_current"]), None)


def _prefixes(entry: Entry) -> list[str]:
    names = [f"admin:{label.lower().replace('.', '_')}_changelist" for label in entry.models]
    return [reverse(name) for name in [entry.address, *names]]
