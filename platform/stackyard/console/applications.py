"""OAuth applications in the console: registered, their secret shown once, changed, revoked; and what people gave them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth.models import Application
from auth.oauth import applications
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace

from .chosen_workspace import InWorkspace, SightField
from .pages import confirmed, page
from .problems import add_to_form

_LIST = "admin:accounts_application_changelist"
_ONE = "admin:accounts_application_change"


class ApplicationForm(forms.Form):
    """What an application may ask for, and where people are sent back to."""

    name = forms.CharField(max_length=100, help_text=gettext_lazy("What people see when they are asked."))
    scopes = forms.CharField(
        help_text=gettext_lazy("Separated by blanks: GROUP, GROUP:read, GROUP/ENDPOINT, openid, email.")
    )
    redirect_uris = forms.CharField(
        required=False,
        label=gettext_lazy("Redirect addresses"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One a line, compared letter by letter. None for client credentials."),
    )

    def asked(self) -> dict[str, Any]:
        """The cleaned values as the deeds take them."""
        given = self.cleaned_data
        scopes = given["scopes"].replace(",", " ").split()
        return {"name": given["name"], "scopes": scopes, "redirect_uris": given["redirect_uris"].split()}


class NewApplicationForm(ApplicationForm):
    """An application to be."""

    field_order = ("workspace", "name", "kind", "table", "scopes", "redirect_uris")
    workspace = SightField(Workspace.objects.all(), empty_label=None)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[
            ("server", gettext_lazy("People are asked; it runs on a server and keeps a secret")),
            (
                "public",
                gettext_lazy("People are asked; it runs in a browser or on a phone, without a secret"),
            ),
            ("client", gettext_lazy("It acts for itself (client credentials)")),
        ],
    )
    table = forms.CharField(
        max_length=63,
        required=False,
        label=gettext_lazy("Table of the people"),
        help_text=gettext_lazy("Not needed where only one table has logins."),
    )

    def registered(self, by: Any) -> tuple[Application, str | None]:
        """Register it. Problem `INVALID_INPUT` with every fault."""
        kind = self.cleaned_data["kind"]
        return applications.register(
            self.cleaned_data["workspace"],
            **self.asked(),
            grant=applications.CLIENT if kind == "client" else applications.CODE,
            is_public=kind == "public",
            table=self.cleaned_data["table"] or None,
            created_by=by,
        )


class ApplicationAdmin(InWorkspace):
    """The list of applications, and what can be done to each."""

    show_facets = admin.ShowFacets.NEVER
    list_display = ("name", "shown_id", "shown_scopes", "state", "workspace", "created")
    list_filter = ("workspace",)
    search_fields = ("name", "client_id")
    list_select_related = ("workspace",)
    actions = None
    empty_text = gettext_lazy(
        "An application is a program of somebody else that asks people for access to their data here. Register it, and give its makers the id and the secret."
    )

    @admin.display(description=gettext_lazy("Client id"), ordering="client_id")
    def shown_id(self, application: Application) -> str:
        """The public id."""
        return format_html("<code>{}</code>", application.client_id)

    @admin.display(description=gettext_lazy("Scopes"))
    def shown_scopes(self, application: Application) -> str:
        """The scopes as one text."""
        return " ".join(application.scopes)

    @admin.display(description=gettext_lazy("State"))
    def state(self, application: Application) -> str:
        """Valid or revoked."""
        return format_html('<span class="state {}">{}</span>', *state_of(application))

    def get_urls(self) -> list[URLPattern]:
        """The list, the new application, one of them, its secret, its end, the end of a consent."""
        view = self.admin_site.admin_view
        name = "accounts_application"
        return [
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            path("add/", view(self.add_view), name=f"{name}_add"),
            path("<int:pk>/change/", view(self.change), name=f"{name}_change"),
            path("<int:pk>/secret/", view(self.secret), name=f"{name}_secret"),
            path("<int:pk>/revoke/", view(self.revoke), name=f"{name}_revoke"),
            path("<int:pk>/consents/<uuid:family>/end/", view(self.end_consent), name=f"{name}_consent"),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new application; its secret is in the answer to this one request and nowhere else."""
        form = NewApplicationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return _made(request, *form.registered(request.user))
            except Problem as problem:
                add_to_form(form, problem)
        title, action = _("New OAuth application"), _("Register the application")
        return page(request, "console/form.html", title, _crumbs(), form=form, action=action)

    def change(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What an application may ask for, and what people gave it."""
        application = Application.objects.select_related("workspace").filter(pk=pk).first()
        if application is None:
            return _missing(request)
        initial = {
            "name": application.name,
            "scopes": " ".join(application.scopes),
            "redirect_uris": "\n".join(application.redirect_uris.split()),
        }
        form = ApplicationForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            try:
                applications.change(application, **form.asked())
                messages.success(request, _("The application is changed."))
                return HttpResponseRedirect(reverse(_LIST))
            except Problem as problem:
                add_to_form(form, problem)
        return page(
            request,
            "console/application.html",
            application.name,
            _crumbs(),
            form=form,
            application=application,
            state=state_of(application),
            consents=applications.consents(application),
            is_public=application.client_type == Application.CLIENT_PUBLIC,
            action=_("Change the application"),
        )

    def secret(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then make a new secret and show it, once."""
        application = Application.objects.filter(pk=pk, revoked_at=None).first()
        if application is None:
            return _missing(request)
        back = reverse(_ONE, args=[pk])
        if request.method == "POST":
            try:
                return _made(request, application, applications.renew_secret(application))
            except Problem as problem:
                messages.error(request, problem.message)
                return HttpResponseRedirect(back)
        title = _("New secret for {name}").format(name=application.name)
        warning = _("The old secret is good for nothing from then on.")
        action = _("Yes, make a new secret")
        crumbs = _crumbs()
        return page(request, "console/confirm.html", title, crumbs, warning=warning, action=action, back=back)

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then end an application for good."""
        application = Application.objects.filter(pk=pk).first()
        if application is None:
            return _missing(request)
        return confirmed(
            request,
            lambda: applications.revoke(application),
            title=_("Revoke {name}").format(name=application.name),
            warning=_("All tokens that people gave it are refused within a second, for good."),
            action=_("Yes, revoke this application"),
            done=_("The application {name} is revoked.").format(name=application.name),
            back=reverse(_ONE, args=[pk]),
            after=reverse(_LIST),
            crumbs=_crumbs(),
        )

    def end_consent(self, request: HttpRequest, pk: int, family: Any) -> HttpResponse:
        """Ask, then take back what one person gave."""
        application = Application.objects.filter(pk=pk).first()
        if application is None:
            return _missing(request)
        back = reverse(_ONE, args=[pk])
        return confirmed(
            request,
            lambda: applications.end_consent(application, family),
            title=_("End this consent"),
            warning=_("Its tokens are refused within a second. The person can consent again."),
            action=_("Yes, end it"),
            done=_("The consent has ended."),
            back=back,
            after=back,
            crumbs=_crumbs(),
        )


def _made(request: HttpRequest, application: Application, secret: str | None) -> HttpResponse:
    title = _("Application {name}").format(name=application.name)
    return page(
        request,
        "console/application_made.html",
        title,
        _crumbs(),
        application=application,
        text=secret,
    )


def _missing(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("There is no such application."))
    return HttpResponseRedirect(reverse(_LIST))


def _crumbs() -> list[tuple[str, str | None]]:
    return [(_("OAuth applications"), reverse(_LIST))]


def state_of(application: Application) -> tuple[str, str]:
    """Class and word: `live` Valid, `off` Revoked."""
    return ("live", _("Valid")) if application.revoked_at is None else ("off", _("Revoked"))
