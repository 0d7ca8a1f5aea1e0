"""The request history: read only, newest first, fast with millions of entries."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import InvalidPage, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from endpoints.history_curl import curl_of
from endpoints.history_search import bounds, look_through
from endpoints.models import METHODS, Endpoint, HistoryEntry

from .chosen_workspace import InWorkspace

_ID = re.compile(r"[0-9]{1,18}\Z")
PAGES_SHOWN = 1000
"""A page further back than this is not offered: counting or skipping there would read the whole table."""


SEARCHED = 20_000
"""How many of the newest calls a text is looked for in."""
_SEARCHED_COLUMNS = (
    *("path", "query", "principal", "error_code", "request_id"),
    *("request_body", "response_body"),
)


class SearchedList(ChangeList):
    """A list that ends where a page's time does: `looked` says how far back it is, and the page offers to go on from there."""

    def get_results(self, request: HttpRequest) -> None:
        """Find the page's entries. `IncorrectLookupParameters` for a page that is not there."""
        since, until = span_of(request)
        low, high = bounds(since, until)
        before = request.GET.get("before", "")
        high = min(high, int(before)) if _ID.match(before) else high
        self.looked = look_through(self.queryset, low, high, self.list_per_page * PAGES_SHOWN)
        found: Any = self.looked
        self.paginator = Paginator(found, self.list_per_page)
        self.result_count, self.full_result_count = len(self.looked), None
        self.multi_page = self.result_count > self.list_per_page
        self.can_show_all = self.show_full_result_count = False
        self.show_admin_actions = False
        if self.looked.ended_before is not None:
            # There was no time to get to a later page: this one leads further.
            self.page_num = min(self.page_num, self.paginator.num_pages)
        try:
            self.result_list = self.paginator.page(self.page_num).object_list
        except InvalidPage as error:
            raise IncorrectLookupParameters from error

    @property
    def further(self) -> str:
        """The address of what is further back, if that was not looked through; empty when all was."""
        ended = self.looked.ended_before
        return "" if ended is None else self.get_query_string({"before": ended}, ["p"])

    @property
    def looked_back_to(self) -> str:
        """When the oldest call was made that was looked at."""
        ended = self.looked.ended_before
        oldest = HistoryEntry.objects.filter(pk__gte=ended).order_by("pk").values_list("created_at").first()
        return hour_text(oldest[0] // 1000) if oldest else ""


def span_of(request: HttpRequest) -> tuple[int | None, int | None]:
    """The time that `?period=` and `?at=` leave, epoch milliseconds."""
    seconds = Period.seconds.get(request.GET.get("period", ""))
    since = None if seconds is None else int((time.time() - seconds) * 1000)
    stretch = stretch_of(request.GET.get("at", ""))
    if stretch is None:
        return since, None
    first, seconds = stretch
    return max(since or 0, first * 1000), (first + seconds) * 1000


class StatusClass(admin.SimpleListFilter):
    """2xx, 3xx, 4xx, 5xx."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The classes."""
        return [("2", "2xx · answered"), ("3", "3xx · moved"), ("4", "4xx · refused"), ("5", "5xx · failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen class."""
        chosen = self.value()
        if chosen not in {"2", "3", "4", "5"}:
            return queryset
        first = int(chosen) * 100
        return queryset.filter(status__gte=first, status__lt=first + 100)


class CalledMethod(admin.SimpleListFilter):
    """By HTTP method."""

    title = "method"
    parameter_name = "method"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The methods an endpoint may have, and the two that come along."""
        return [(method, method) for method in (*METHODS, "HEAD", "OPTIONS")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen method."""
        known = {method for method, _ in self.lookup_choices}
        return queryset.filter(method=self.value()) if self.value() in known else queryset


class CalledEndpoint(admin.SimpleListFilter):
    """By endpoint; the entry's database may be another one, so only the number is compared."""

    title = "endpoint"
    parameter_name = "endpoint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The endpoints there are, with their group."""
        endpoints = Endpoint.objects.select_related("group").order_by("group__name", "path", "method")[:200]
        return [(str(e.pk), f"{e.group.name}: {e.method} {e.path}") for e in endpoints]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen endpoint."""
        chosen = self.value()
        return queryset.filter(endpoint_id=int(chosen)) if chosen and _ID.match(chosen) else queryset


class Period(admin.SimpleListFilter):
    """By time: ids ascend with it, so the index of ids finds the edge."""

    title = _("time")
    parameter_name = "period"
    seconds = {"5m": 300, "1h": 3600, "24h": 86_400, "7d": 604_800}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The spans."""
        return [
            ("5m", _("the last 5 minutes")),
            ("1h", _("the last hour")),
            ("24h", _("the last 24 hours")),
            ("7d", _("the last 7 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen span."""
        span = self.seconds.get(self.value() or "")
        return queryset if span is None else queryset.filter(created_at__gte=(time.time() - span) * 1000)


class CalledAt(admin.SimpleListFilter):
    """A stretch of time, as charts link to it: `?at=` a Unix second, with `-` and seconds when it isn't an hour. No menu."""

    title = _("time")
    parameter_name = "at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """Only the one that is asked for."""
        asked = request.GET.get("at", "")
        stretch = stretch_of(asked)
        return [(asked, hour_text(stretch[0]))] if stretch else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the time from then."""
        stretch = stretch_of(self.value() or "")
        if stretch is None:
            return queryset
        first, seconds = stretch
        return queryset.filter(created_at__gte=first * 1000, created_at__lt=(first + seconds) * 1000)


class CalledBefore(admin.SimpleListFilter):
    """What is further back than a list got: `?before=` an entry's id, as the list itself links to it. No menu."""

    title = _("further back")
    parameter_name = "before"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """Only the one that is asked for."""
        asked = request.GET.get("before", "")
        return [(asked, _("further back"))] if _ID.match(asked) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """As it is: the list begins there."""
        return queryset


def stretch_of(asked: str) -> tuple[int, int] | None:
    """`(1700000000, 60)` for `1700000000-60`: a Unix second and how many seconds from there (an hour when not said)."""
    match = re.fullmatch(r"([0-9]{1,11})(?:-([0-9]{1,8}))?", asked, re.ASCII)
    return (int(match[1]), int(match[2] or 3600)) if match else None


def hour_text(at: int) -> str:
    """`2026-11-24 09:00` for a Unix second, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def pretty(text: str) -> str:
    """JSON indented; anything else (cut bodies, forms, plain text) as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


class HistoryAdmin(InWorkspace):
    """What was called, by whom, with what answer. Bodies are shown as text, never as a page."""

    workspace_lookup = "workspace_id"
    show_facets = admin.ShowFacets.NEVER
    list_display = ("when", "call", "shown_status", "duration", "error_code", "caller", "address")
    list_display_links = ("call",)
    list_filter = (CalledEndpoint, StatusClass, CalledMethod, Period, CalledAt, CalledBefore)
    search_fields = ("path",)
    search_help_text = _(
        "Looks at path, query, caller, error code, request id and bodies of the newest calls."
    )
    list_per_page = 100
    show_full_result_count = False
    sortable_by = ()
    actions = None
    empty_text = "Each call of an endpoint is listed here, with its request and its response."
    change_form_template = "console/request.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[HistoryEntry]:
        """The entries; a list leaves the bodies where they are."""
        entries = super().get_queryset(request)
        in_list = request.resolver_match and str(request.resolver_match.url_name).endswith("_changelist")
        return (
            entries.defer("request_headers", "request_body", "response_body", "trace") if in_list else entries
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that is found within a bounded time."""
        return SearchedList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Every word somewhere in a call's texts, among the newest `SEARCHED` calls."""
        words = search_term.replace("\0", "").split()[:5]
        if not words:
            return queryset, False
        newest = HistoryEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
        found = queryset.filter(id__gt=newest - SEARCHED)
        for word in words:
            matches = Q()
            for column in _SEARCHED_COLUMNS:
                matches |= Q(**{f"{column}__icontains": word})
            found = found.filter(matches)
        return found, False

    @admin.display(description=_("When (UTC)"))
    def when(self, entry: HistoryEntry) -> str:
        """Date and time with milliseconds."""
        return f"{datetime.fromtimestamp(entry.created_at / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]

    @admin.display(description=_("Call"))
    def call(self, entry: HistoryEntry) -> str:
        """Method and path, cut."""
        path = entry.path if len(entry.path) <= 80 else f"{entry.path[:80]}…"
        return format_html(
            '<span class="method {}">{}</span> <code>{}</code>', entry.method.lower(), entry.method, path
        )

    @admin.display(description=_("Caller"))
    def caller(self, entry: HistoryEntry) -> str:
        """Who called."""
        return entry.principal

    @admin.display(description=_("Status"))
    def shown_status(self, entry: HistoryEntry) -> str:
        """The status with its colour."""
        return render_to_string("console/status.html", {"status": entry.status})

    @admin.display(description=_("Time"))
    def duration(self, entry: HistoryEntry) -> str:
        """Milliseconds, with one digit behind the point below ten."""
        milliseconds = entry.duration_us / 1000
        return f"{milliseconds:,.1f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """One call in full."""
        entry = self.get_object(request, object_id)
        context: dict[str, Any] = (
            {"facts": list(self._facts(entry)), "texts": list(_texts(entry))} if entry else {}
        )
        if entry:
            context["curl"] = curl_of(entry)
            endpoint = Endpoint.objects.select_related("group").filter(pk=entry.endpoint_id).first()
            if endpoint is not None:
                context["endpoint"] = endpoint
                editor = reverse("admin:endpoints_endpoint_change", args=[endpoint.pk])
                context["debug_url"] = f"{editor}?request={entry.pk}"
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _facts(self, entry: HistoryEntry) -> Iterator[tuple[str, Any]]:
        yield "Status", self.shown_status(entry)
        yield "Time", self.duration(entry)
        yield "When (UTC)", self.when(entry)
        yield "Error", entry.error_code
        yield "Caller", entry.principal
        yield "Address", entry.address
        yield "Request id", entry.request_id
        yield "Request", f"{entry.request_bytes:,} bytes"
        yield "Response", f"{entry.response_bytes:,} bytes"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Calls are made by callers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened stays as it was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Old entries go by the retention limit."""
        return False


def _texts(entry: HistoryEntry) -> Iterator[tuple[str, str]]:
    yield "Response", pretty(entry.response_body)
    yield "Query", entry.query
    yield "Request body", pretty(entry.request_body)
    yield "Request headers", pretty(entry.request_headers)
    if entry.trace:
        yield "Trace", pretty(entry.trace)
