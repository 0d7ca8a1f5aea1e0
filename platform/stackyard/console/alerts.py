"""Alerts in the console: the rules with their incidents, a form for one, its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints.models import Endpoint
from stackyard.alerts.models import AlertRule, Incident
from stackyard.alerts.rules import change_rule, create_rule, delete_rule
from stackyard.alerts.run_kind import shown
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace

from .chosen_workspace import chosen_workspace, narrowed_to
from .pages import confirmed, page
from .problems import add_to_form

_LIST = "admin:alerts"
SHOWN = 50


class AlertForm(forms.ModelForm):
    """What a rule says."""

    class Meta:
        model = AlertRule
        fields = (
            "workspace",
            "name",
            "measure",
            "endpoint",
            "threshold",
            "window_minutes",
            "at_least_calls",
            "channel",
            "target",
            "active",
        )
        labels = {
            "name": gettext_lazy("Name"),
            "workspace": gettext_lazy("Workspace"),
            "measure": gettext_lazy("What is watched"),
            "endpoint": gettext_lazy("Endpoint"),
            "threshold": gettext_lazy("Alert above"),
            "window_minutes": gettext_lazy("Over so many minutes"),
            "at_least_calls": gettext_lazy("From so many calls"),
            "channel": gettext_lazy("Told by"),
            "target": gettext_lazy("Sent to"),
            "active": gettext_lazy("Active"),
        }
        help_texts = {
            "endpoint": gettext_lazy("Empty: all of the workspace."),
            "threshold": gettext_lazy(
                "Error rate: a share such as 0.01. Response time: milliseconds. Runs: how many."
            ),
            "at_least_calls": gettext_lazy("With fewer calls in the window nothing is said."),
            "target": gettext_lazy("An e-mail address, or the address of a webhook."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        endpoints = Endpoint.objects.select_related("group").order_by("group__name", "path")
        if self.instance.pk:
            del self.fields["workspace"]
            endpoints = endpoints.filter(group__workspace=self.instance.workspace_id)
        self.fields["endpoint"].queryset = endpoints  # type: ignore[attr-defined]
        self.fields["endpoint"].label_from_instance = (  # type: ignore[attr-defined]
            lambda one: f"{one.group.name}: {one.method} {one.path}"
        )

    def _post_clean(self) -> None:
        """The rule itself is checked by the one door to rules."""


def listed(request: HttpRequest) -> HttpResponse:
    """The rules, those with an open incident first, and the latest incidents."""
    workspace = narrowed_to(request)
    rules, incidents = AlertRule.objects.select_related("workspace", "endpoint"), Incident.objects.all()
    if workspace is not None:
        rules, incidents = rules.filter(workspace=workspace), incidents.filter(rule__workspace=workspace)
    opened = set(incidents.filter(resolved_at=None).values_list("rule", flat=True))
    rows = [
        {"rule": rule, "is_open": rule.pk in opened, "threshold": shown(rule.measure, rule.threshold)}
        for rule in sorted(rules, key=lambda one: one.pk not in opened)
    ]
    latest = [
        {"incident": one, "value": shown(one.rule.measure, one.value)}
        for one in incidents.select_related("rule")[:SHOWN]
    ]
    return page(request, "console/alerts.html", _("Alerts"), [], rows=rows, incidents=latest)


def add(request: HttpRequest) -> HttpResponse:
    """A new rule."""
    workspace = chosen_workspace(request) or Workspace.objects.first()
    form = AlertForm(request.POST or None, initial={"workspace": workspace})
    return _form(request, form, _("New alert"), lambda values: create_rule(**values)[1])


def change(request: HttpRequest, pk: int) -> HttpResponse:
    """One rule."""
    rule = AlertRule.objects.select_related("workspace").filter(pk=pk).first()
    if rule is None:
        return _gone(request)
    form = AlertForm(request.POST or None, instance=rule)
    return _form(request, form, rule.name, lambda values: change_rule(rule, values), rule)


def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then delete a rule."""
    rule = AlertRule.objects.filter(pk=pk).first()
    if rule is None:
        return _gone(request)
    return confirmed(
        request,
        lambda: delete_rule(rule),
        title=_("Delete {name}").format(name=rule.name),
        warning=_("Nobody is told any more. Its incidents are deleted, too."),
        action=_("Yes, delete this alert"),
        done=_("The alert {name} is deleted.").format(name=rule.name),
        back=reverse("admin:alert_change", args=[pk]),
        after=reverse(_LIST),
        crumbs=[(_("Alerts"), reverse(_LIST))],
    )


def _gone(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("There is no such alert."))
    return HttpResponseRedirect(reverse(_LIST))


def _form(
    request: HttpRequest,
    form: AlertForm,
    title: str,
    deed: Callable[[dict[str, Any]], str],
    rule: AlertRule | None = None,
) -> HttpResponse:
    secret = ""
    if request.method == "POST" and form.is_valid():
        try:
            secret = deed(form.cleaned_data)
            messages.success(request, _("The alert is saved."))
            if not secret:
                return HttpResponseRedirect(reverse(_LIST))
        except Problem as problem:
            add_to_form(form, problem)
    crumbs: list[tuple[str, str | None]] = [(_("Alerts"), reverse(_LIST))]
    return page(request, "console/alert.html", title, crumbs, form=form, rule=rule, secret=secret)


def urls(view: Callable[..., Any]) -> list[URLPattern]:
    """The pages' addresses."""
    return [
        path("alerts/", view(listed), name="alerts"),
        path("alerts/add/", view(add), name="alert_add"),
        path("alerts/<int:pk>/change/", view(change), name="alert_change"),
        path("alerts/<int:pk>/delete/", view(remove), name="alert_delete"),
    ]
