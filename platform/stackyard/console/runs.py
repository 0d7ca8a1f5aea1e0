"""Runs in the console: what was accepted, and what became of it. Read only, but that a run can be cancelled."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lambdas.models import Lambda
from stackyard.core.errors import Problem
from stackyard.runs import dispatch, states
from stackyard.runs.models import Run, RunEvent
from stackyard.runs.progress import progress_text, progress_value
from stackyard.runs.run_kind import RunKind
from stackyard.stacks.models import Function
from stackyard.tables.imports.plan import KIND as IMPORT

from . import run_progress
from .chosen_workspace import InWorkspace
from .history import PAGES_SHOWN
from .lambda_editor import pretty
from .problems import sentence
from .scheduled import PAGES, address_of
from .templatetags.console_numbers import state_name

_LARGE = ("input", "sealed_input", "result", "error", "logs")


class Uncounted(Paginator):
    """Pages without a count of the table: it looks only whether there is one entry more, up to a bound."""

    @cached_property
    def count(self) -> int:
        """The entries, at most as many as `PAGES_SHOWN` pages hold; the ids alone are read."""
        bound = self.per_page * PAGES_SHOWN
        entries: Any = self.object_list
        return int(entries.order_by("-id").values("id")[:bound].count())


class _Chosen(admin.SimpleListFilter):
    """A filter by one column of exact values."""

    column = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen value."""
        known = {value for value, _ in self.lookup_choices}
        return queryset.filter(**{self.column: self.value()}) if self.value() in known else queryset


class RunState(_Chosen):
    """By state."""

    title = gettext_lazy("state")  # type: ignore[assignment]
    column = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The states a run can be in."""
        return [(state, in_words(state)) for state in states.ALL]


class RunOfKind(_Chosen):
    """By kind of target."""

    title = gettext_lazy("kind")  # type: ignore[assignment]
    column = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The kinds of work there are."""
        return [(name, _(kind.label)) for name, kind in sorted(RunKind.all().items())]


class RunTarget(admin.SimpleListFilter):
    """By lambda or function."""

    title = gettext_lazy("target")
    parameter_name = "target"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """What there is to run."""
        lambdas = Lambda.objects.values_list("pk", "name")[:200]
        functions = Function.objects.values_list("pk", "name")[:200]
        return [(f"lambda-{pk}", name) for pk, name in lambdas] + [
            (f"function-{pk}", f"{name} (function)") for pk, name in functions
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen target."""
        kind, _, pk = (self.value() or "").partition("-")
        if kind not in PAGES or not (pk.isascii() and pk.isdecimal()) or len(pk) > 18:
            return queryset
        return queryset.filter(kind=kind, target_id=int(pk))


def in_words(state: str) -> str:
    """A state as people read it."""
    return state_name(state)


class RunAdmin(InWorkspace):
    """The list of runs, newest first, and each in full. Input, result and logs are shown as text."""

    show_facets = admin.ShowFacets.NEVER
    list_display = ("when", "target_name", "state_tag", "trigger", "attempts", "duration", "workspace")
    list_display_links = ("when",)
    list_filter = (RunState, RunOfKind, RunTarget, "workspace")
    list_select_related = ("workspace",)
    list_per_page = 100
    show_full_result_count = False
    paginator = Uncounted
    sortable_by = ()
    actions = None
    empty_text = gettext_lazy("Each run of a lambda or of a function in the background is listed here.")
    change_form_template = "console/run.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """The runs; a list leaves their inputs and results where they are."""
        runs: QuerySet[Run] = super().get_queryset(request)
        in_list = request.resolver_match and str(request.resolver_match.url_name).endswith("_changelist")
        return runs.defer(*_LARGE) if in_list else runs

    @admin.display(description=gettext_lazy("State"))
    def state_tag(self, run: Run) -> str:
        """The state with its colour, and when a run is due that waits for its time."""
        state = render_to_string("console/run_state.html", {"state": run.state})
        if not run.is_for_later:
            return state
        return format_html(
            '{} <span class="quiet">due {}</span>', state, f"{run.run_after:%Y-%m-%d %H:%M:%S}"
        )

    @admin.display(description=gettext_lazy("Accepted (UTC)"))
    def when(self, run: Run) -> str:
        """Date and time."""
        return f"{run.created_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=gettext_lazy("Attempts"))
    def attempts(self, run: Run) -> str:
        """Which attempt it is at, of how many."""
        return f"{run.attempt} of {run.max_attempts}" if run.max_attempts > 1 else str(run.attempt)

    @admin.display(description=gettext_lazy("Time"))
    def duration(self, run: Run) -> str:
        """How long the last attempt took."""
        return "" if run.seconds is None else f"{run.seconds:,.2f} s"

    def get_urls(self) -> list[URLPattern]:
        """The admin's routes, and cancelling."""
        view = self.admin_site.admin_view(self.cancel)
        return [
            path("<uuid:pk>/cancel/", view, name="runs_run_cancel"),
            *run_progress.urls(),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """One run in full."""
        run = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if run is not None:
            context = {
                "run": run,
                "title": f"Run of {run.target_name}",
                "subtitle": None,
                "facts": list(self._facts(run)),
                "texts": list(_texts(run)),
                "error": run.error,
                "events": [(event, _event_in_words(event)) for event in run.events.all()],
                "target_url": address_of(run.kind, run.target_id),
                "target_has_pages": run.kind in PAGES,
                "rejects": _rejects(run),
                "can_cancel": not run.is_finished,
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _facts(self, run: Run) -> Iterator[tuple[str, Any]]:
        yield _("State"), self.state_tag(run)
        yield _("Attempt"), self.attempts(run)
        yield _("Time"), self.duration(run) or _so_far(run)
        yield _("Progress"), _progress(run)
        yield _("Accepted (UTC)"), self.when(run)
        due_at = run.nominal_at or (run.run_after if run.state == states.ACCEPTED else None)
        yield _("Due (UTC)"), f"{due_at:%Y-%m-%d %H:%M:%S}" if due_at else ""
        yield _("Started (UTC)"), f"{run.started_at:%Y-%m-%d %H:%M:%S}" if run.started_at else ""
        yield _("Trigger"), run.trigger
        yield _("On behalf of"), _caller(run.principal)
        yield _("Run"), str(run.pk)

    def cancel(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Cancel a run (POST)."""
        run = Run.objects.filter(pk=pk).first()
        if request.method == "POST" and run is not None:
            try:
                dispatch.cancel(run)
            except Problem as problem:
                messages.error(request, sentence(problem))
            else:
                messages.success(
                    request, _("The run is cancelled.") if run.is_finished else _("It is being cancelled.")
                )
        if request.POST.get("from") == "scheduled":
            return HttpResponseRedirect(reverse("admin:runs_schedule_changelist"))
        return HttpResponseRedirect(reverse("admin:runs_run_change", args=[pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs are made by triggers, stacks and callers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened stays as it was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Old runs go by the retention limit."""
        return False


def _so_far(run: Run) -> str:
    """How long it has been running; empty when it is not."""
    if run.state != states.RUNNING or run.started_at is None:
        return ""
    return f"{max((timezone.now() - run.started_at).total_seconds(), 0):,.0f} s so far"


def _event_in_words(event: RunEvent) -> str:
    """What happened, with the error of an attempt that failed."""
    detail = event.detail if isinstance(event.detail, dict) else {}
    within = detail.get("error")
    error = within if isinstance(within, dict) else detail
    said = ": ".join(str(error[key]) for key in ("name", "message") if error.get(key))
    return f"{in_words(event.name)} · {said}" if said else in_words(event.name)


def _progress(run: Run) -> str:
    """How far it is, in words; empty for what does not tell."""
    far = progress_value(run)
    if far is None:
        return ""
    return progress_text(far)


def _rejects(run: Run) -> dict[str, Any] | None:
    """How many rows an import refused, and where they are; None while it goes on, and when there are none."""
    count = run.result.get("rejected") if run.kind == IMPORT and isinstance(run.result, dict) else 0
    if not count:
        return None
    return {"count": count, "url": reverse("admin:tables_table_import_rejects", args=[run.target_id, run.pk])}


def _caller(principal: Any) -> str:
    if not isinstance(principal, dict):
        return ""
    return str(principal.get("label") or principal.get("kind") or "")


def _texts(run: Run) -> Iterator[tuple[str, str, str]]:
    """What is shown as text: the part of the page, its title, the text."""
    yield "result", "Result", pretty(run.result) if run.state == states.SUCCEEDED else ""
    yield "logs", "Logs", run.logs
    yield "input", "Input", pretty(run.input)
    yield "trigger", "Trigger", pretty(run.trigger_detail) if run.trigger_detail else ""
