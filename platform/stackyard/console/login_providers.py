"""Login providers in the console: Google, GitHub, Microsoft and others, for a workspace's people or for the console itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth.models import Provider
from auth.providers import setup
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace

from .chosen_workspace import InWorkspace, SightField
from .pages import confirmed, page
from .problems import add_to_form

_LIST = "admin:accounts_provider_changelist"


class ProviderForm(forms.Form):
    """A provider to be."""

    workspace = SightField(
        Workspace.objects.all(),
        required=False,
        empty_label=gettext_lazy("The console itself"),
        help_text=gettext_lazy("Whose people log in with it."),
    )
    name = forms.CharField(
        max_length=63, help_text=gettext_lazy("The name that steps and addresses have it by, such as google.")
    )
    preset = forms.ChoiceField(choices=[(name, preset.label) for name, preset in setup.PRESETS.items()])
    issuer = forms.CharField(
        max_length=300,
        required=False,
        help_text=gettext_lazy(
            "For OpenID Connect, and for Microsoft: https://login.microsoftonline.com/TENANT/v2.0."
        ),
    )
    client_id = forms.CharField(max_length=255, label=gettext_lazy("Client id"))
    client_secret = forms.CharField(
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Stored encrypted; nobody can see it again."),
    )
    table = forms.CharField(
        max_length=63,
        required=False,
        label=gettext_lazy("Table of the people"),
        help_text=gettext_lazy("Not needed where only one table has logins."),
    )
    redirect_uris = forms.CharField(
        required=False,
        label=gettext_lazy("Redirect addresses"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "The pages of the app that a login leads back to, one a line. The console has its own, shown in the list."
        ),
    )

    def made(self) -> Provider:
        """Set it up. Problem with every fault."""
        given = dict(self.cleaned_data)
        given["table"] = given["table"] or None
        given["redirect_uris"] = given["redirect_uris"].split()
        return setup.set_up(**given)


class ProviderAdmin(InWorkspace):
    """The list of providers, a new one, the end of one."""

    show_facets = admin.ShowFacets.NEVER
    list_display = ("label", "name", "preset", "whose", "leads_to", "created_at", "way_out")
    list_display_links = None
    search_fields = ("name", "label")
    list_select_related = ("workspace",)
    actions = None
    empty_text = gettext_lazy(
        "With a login provider people log in with the account they have at Google, GitHub, Microsoft or their company."
    )

    @admin.display(description=gettext_lazy("Whose people"), ordering="workspace")
    def whose(self, provider: Provider) -> str:
        """The workspace, or the console."""
        return str(provider.workspace or _("The console itself"))

    @admin.display(description=gettext_lazy("Redirect addresses"))
    def leads_to(self, provider: Provider) -> str:
        """What to register with the provider, one a line."""
        addresses = provider.redirect_uris.split() or [setup.back_of_console()]
        return format_html_join("", "<code>{}</code>", ((address,) for address in addresses))

    @admin.display(description=gettext_lazy("Actions"))
    def way_out(self, provider: Provider) -> str:
        """The way to its end, in a cell of its own: beside a text a link would be told by its colour alone."""
        end = reverse("admin:accounts_provider_remove", args=[provider.pk])
        return format_html('<a href="{}">{}</a>', end, _("Remove {name}").format(name=provider.name))

    def get_urls(self) -> list[URLPattern]:
        """The list, a new one, the end of one."""
        view = self.admin_site.admin_view
        name = "accounts_provider"
        return [
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            path("add/", view(self.add_view), name=f"{name}_add"),
            path("<int:pk>/remove/", view(self.remove), name=f"{name}_remove"),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new provider, which is asked for its document at once."""
        form = ProviderForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                made = form.made()
                messages.success(request, _("People can log in with {name} now.").format(name=made.label))
                return HttpResponseRedirect(reverse(_LIST))
            except Problem as problem:
                add_to_form(form, problem)
        title, action = _("New login provider"), _("Set it up")
        return page(request, "console/form.html", title, _crumbs(), form=form, action=action)

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then take a provider away."""
        provider = Provider.objects.filter(pk=pk).first()
        if provider is None:
            messages.error(request, _("There is no such login provider."))
            return HttpResponseRedirect(reverse(_LIST))
        return confirmed(
            request,
            lambda: setup.remove(provider),
            title=_("Remove {name}").format(name=provider.label),
            warning=_("Nobody can log in with it any more. Records, accounts and sign-ins stay."),
            action=_("Yes, remove it"),
            done=_("The login provider is removed."),
            back=reverse(_LIST),
            after=reverse(_LIST),
            crumbs=_crumbs(),
        )


def _crumbs() -> list[tuple[str, str | None]]:
    return [(_("Login providers"), reverse(_LIST))]
