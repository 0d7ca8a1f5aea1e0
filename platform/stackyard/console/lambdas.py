"""Lambdas in the console: the list, a new one, the pages of each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lambdas.models import Lambda
from lambdas.publishing import create_lambda
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs.models import Run, Schedule
from stackyard.runs.schedule import pause

from .chosen_workspace import InWorkspace, SightField
from .code_pages import CodePages
from .lambda_editor import LambdaEditor
from .owners import LambdaOwner, StackOwner
from .pages import page
from .problems import add_to_form
from .stack_pages import StackPages

_FIRST_CODE = """// Write JavaScript or TypeScript. input is what a run is given; what you return is its result.
const hello = `Hello ${input?.name ?? "there"}`;
return { hello };
"""


class NewLambdaForm(forms.Form):
    """Where a lambda lives and what it is called; the rest is its document."""

    workspace = SightField(Workspace.objects.all(), empty_label=None)
    name = forms.CharField(
        max_length=63, help_text=gettext_lazy("Letters, digits and _, such as process_daily_orders.")
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def create(self, author: Any) -> Lambda | None:
        """The lambda; None when the form (which then says why) was refused."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        document = {"name": given["name"], "description": given["description"], "code": _FIRST_CODE}
        try:
            return create_lambda(given["workspace"], document, author)
        except Problem as problem:
            add_to_form(self, problem)
            return None


class LambdaPages(StackPages):
    """The pages of a lambda: those of a stack, with an editor of its own and its schedules."""

    def urls(self) -> list[URLPattern]:
        """The routes of a stack's owner, and pausing a schedule."""
        pausing = self._route("<int:pk>/schedules/<int:schedule>/", self.pause, "schedule")
        return [*super().urls(), pausing, *CodePages(self.owner_type, self.prefix).urls()]

    def edit(self, request: HttpRequest, owner: StackOwner) -> HttpResponse:
        """The editor."""
        return LambdaEditor(request, owner, self._crumbs()).answer()

    def pause(self, request: HttpRequest, owner: StackOwner, schedule: int) -> HttpResponse:
        """Pause a schedule or let it go on (POST `paused` = `on` or `off`)."""
        found = Schedule.objects.filter(kind="lambda", target_id=owner.row.pk, pk=schedule).first()
        if request.method == "POST" and found is not None:
            paused = request.POST.get("paused") == "on"
            pause(found, paused)
            words = "paused" if paused else "going on"
            messages.success(request, _("The schedule {found} is {words}.").format(found=found, words=words))
        return HttpResponseRedirect(owner.address("change"))


class LambdaAdmin(InWorkspace):
    """The list of lambdas; the editor is the page of each."""

    show_facets = admin.ShowFacets.NEVER
    list_display = ("name", "state", "shown_triggers", "last_run", "workspace", "updated_at")
    list_filter = ("workspace",)
    search_fields = ("name", "description")
    list_select_related = ("published", "workspace")
    actions = None
    empty_text = gettext_lazy(
        "A lambda is code that runs in a process of its own: by a schedule, after records change, by a "
        "webhook, or from a stack."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lambda]:
        """The lambdas, each with its last run."""
        runs = Run.objects.filter(kind="lambda", target_id=OuterRef("pk")).order_by("-id")
        last = {f"last_{name}": Subquery(runs.values(name)[:1]) for name in ("id", "state", "created_at")}
        found: QuerySet[Lambda] = super().get_queryset(request).annotate(**last)
        return found

    @admin.display(description=gettext_lazy("State"))
    def state(self, target: Lambda) -> str:
        """Draft, live, or live with a draft that differs."""
        return render_to_string("console/state.html", {"owner": target})

    @admin.display(description=gettext_lazy("Triggers"))
    def shown_triggers(self, target: Lambda) -> str:
        """What starts what is live."""
        return ", ".join(in_words(target.published.document)) if target.published else ""

    @admin.display(description=gettext_lazy("Last run (UTC)"))
    def last_run(self, target: Any) -> str:
        """State and time of the last run, with a link to it."""
        if target.last_id is None:
            return ""
        state = render_to_string("console/run_state.html", {"state": target.last_state})
        address = reverse("admin:runs_run_change", args=[target.last_id])
        when = f"{target.last_created_at:%Y-%m-%d %H:%M}"
        return format_html('{} <a href="{}">{}</a>', state, address, when)

    def get_urls(self) -> list[URLPattern]:
        """The list, the new lambda, and the pages of each."""
        return LambdaPages(LambdaOwner, self).urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new lambda, opened in the editor."""
        form = NewLambdaForm(request.POST or None)
        made = form.create(request.user) if request.method == "POST" else None
        if made is not None:
            messages.success(request, _("The lambda is made. Write its code, run it, publish it."))
            return HttpResponseRedirect(reverse("admin:lambdas_lambda_change", args=[made.pk]))
        crumbs = [(_("Lambdas"), reverse("admin:lambdas_lambda_changelist"))]
        return page(
            request, "console/form.html", _("New lambda"), crumbs, form=form, action=_("Make the lambda")
        )


def in_words(document: Any) -> list[str]:
    """The triggers of a document, a few words each."""
    triggers = document.get("triggers") if isinstance(document, dict) else None
    words = []
    for trigger in triggers if isinstance(triggers, list) else []:
        kind, spec = next(iter(trigger.items()))
        if kind == "schedule":
            words.append(str(spec.get("cron") or f"every {spec.get('every_seconds')} s"))
        else:
            words.append(
                " ".join(str(part) for part in (kind, spec.get("lambda") or spec.get("table")) if part)
            )
    return words
