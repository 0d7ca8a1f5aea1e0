"""What a change of a table will do, on a page of its own before it is done: seen, then done by the same form sent again."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stackyard.tables.foresight import Change, Outlook, what_will_happen
from stackyard.tables.models import Table
from stackyard.tables.readers import Reader

from .pages import page

_PAGES = {
    "endpoint": "admin:endpoints_endpoint_change",
    "function": "admin:stacks_function_change",
    "lambda": "admin:lambdas_lambda_change",
}
_OWN_WORDS = frozenset({"csrfmiddlewaretoken", "sure", "again"})


def looked_at(
    request: HttpRequest, change: Change, title: str, back: str, *, always: bool = False, action: str = ""
) -> HttpResponse | None:
    """The page that tells what will happen; None once that was seen, or when no record and no reader is touched.

    Everything that was sent goes along: "Do it" sends it again with `sure`, "Change something" with `again`, for the form.
    Problem as `what_will_happen`.
    """
    if "sure" in request.POST:
        return None
    outlook = what_will_happen(change)
    if not (always or outlook.is_worth_a_look):
        return None
    sent = [(name, value) for name, values in request.POST.lists() for value in values]
    return page(
        request,
        "console/outlook.html",
        title,
        _crumbs(change.table),
        outlook=outlook,
        table=change.table,
        how_long=how_long(outlook),
        readers=[_shown_reader(reader) for reader in outlook.readers],
        sent=[(name, value) for name, value in sent if name not in _OWN_WORDS],
        has_form=bool(sent),
        back=back,
        action=action or title,
    )


def how_long(outlook: Outlook) -> str:
    """Whether it is done at once, or as a run, and roughly how long that takes."""
    if outlook.at_once and outlook.seconds < 1:
        return _("It is done at once.")
    seconds = max(1, round(outlook.seconds))
    words = (
        ngettext("about {n} second", "about {n} seconds", seconds).format(n=seconds)
        if seconds < 90
        else _("about {n} minutes").format(n=round(seconds / 60))
    )
    if outlook.at_once:
        return _("It is done while you wait, in {time}.").format(time=words)
    return _("A run does it in the background, in {time}; it shows on the page of the table.").format(
        time=words
    )


def _crumbs(table: Table) -> list[tuple[str, str | None]]:
    return [
        (_("Tables"), reverse("admin:tables_table_changelist")),
        (table.name, reverse("admin:tables_table_change", args=[table.pk])),
    ]


def _shown_reader(reader: Reader) -> dict[str, Any]:
    return {"reader": reader, "url": reverse(_PAGES[reader.kind], args=[reader.pk])}
