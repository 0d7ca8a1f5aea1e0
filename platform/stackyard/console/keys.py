"""API keys in the console: made, shown once, changed, revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth.keys import change_key, create_key, revoke_key
from auth.models import ApiKey
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace

from .chosen_workspace import InWorkspace, SightField
from .pages import confirmed, page
from .problems import add_to_form, sentence
from .times import MomentField

_LIST = "admin:accounts_apikey_changelist"


class RightsForm(forms.Form):
    """What a key may call, and until when."""

    scopes = forms.CharField(
        initial="*",
        help_text=gettext_lazy(
            "Separated by blanks: * (every endpoint), GROUP, GROUP:read, GROUP/ENDPOINT, meta (the management API)."
        ),
    )
    expires_at = MomentField(
        required=False, label=gettext_lazy("Expires at"), help_text=gettext_lazy("UTC. Empty: never.")
    )
    addresses = forms.CharField(
        required=False,
        help_text=gettext_lazy(
            "Where it may be used from, separated by blanks: 203.0.113.7 10.0.0.0/8. Empty: everywhere."
        ),
    )

    def rights(self) -> dict[str, Any]:
        """The cleaned values as the deeds take them."""
        scopes = self.cleaned_data["scopes"].replace(",", " ").split()
        addresses = self.cleaned_data["addresses"].replace(",", " ").split()
        return {"scopes": scopes, "expires_at": self.cleaned_data["expires_at"], "addresses": addresses}


class NewKeyForm(RightsForm):
    """A key to be."""

    field_order = ("workspace", "name", "scopes", "expires_at", "addresses")
    workspace = SightField(Workspace.objects.all(), empty_label=None)
    name = forms.CharField(max_length=100, help_text=gettext_lazy("Who will use it: n8n, the mobile app …"))


class ApiKeyAdmin(InWorkspace):
    """The list of keys, and what can be done to each."""

    show_facets = admin.ShowFacets.NEVER
    list_display = (
        "name",
        "shown_prefix",
        "shown_scopes",
        "state",
        "workspace",
        "last_used_at",
        "expires_at",
    )
    list_filter = ("workspace",)
    search_fields = ("name", "prefix")
    list_select_related = ("workspace",)
    actions = None
    empty_text = gettext_lazy(
        "A key lets a program call endpoints: it is sent as X-API-Key. It is shown once, when it is made."
    )

    @admin.display(description=gettext_lazy("Begins with"), ordering="prefix")
    def shown_prefix(self, key: ApiKey) -> str:
        """What tells keys apart."""
        return format_html("<code>{}…</code>", key.prefix)

    @admin.display(description=gettext_lazy("Scopes"))
    def shown_scopes(self, key: ApiKey) -> str:
        """The scopes as one text."""
        return " ".join(map(str, key.scopes))

    @admin.display(description=gettext_lazy("State"))
    def state(self, key: ApiKey) -> str:
        """Valid, expired or revoked."""
        return format_html('<span class="state {}">{}</span>', *state_of(key))

    def get_urls(self) -> list[URLPattern]:
        """The list, the new key, one key, its end. The admin's own forms are not among them."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="accounts_apikey_changelist"),
            path("add/", view(self.add_view), name="accounts_apikey_add"),
            path("<int:pk>/change/", view(self.change), name="accounts_apikey_change"),
            path("<int:pk>/revoke/", view(self.revoke), name="accounts_apikey_revoke"),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new key; its text is in the answer to this one request and nowhere else."""
        form = NewKeyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                key, text = create_key(
                    given["workspace"], given["name"], created_by=request.user, **form.rights()
                )
                return page(
                    request,
                    "console/key_made.html",
                    _("Key {name}").format(name=key.name),
                    _crumbs(),
                    key=key,
                    text=text,
                )
            except Problem as problem:
                add_to_form(form, problem)
        return page(
            request, "console/form.html", _("New API key"), _crumbs(), form=form, action=_("Make the key")
        )

    def change(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The rights of a key."""
        key = ApiKey.objects.select_related("workspace").filter(pk=pk).first()
        if key is None:
            messages.error(request, _("There is no such key."))
            return HttpResponseRedirect(reverse(_LIST))
        initial = {
            "scopes": " ".join(map(str, key.scopes)),
            "expires_at": key.expires_at,
            "addresses": " ".join(map(str, key.addresses)),
        }
        form = RightsForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            try:
                change_key(key, **form.rights())
                messages.success(request, _("The key's rights are changed."))
                return HttpResponseRedirect(reverse(_LIST))
            except Problem as problem:
                add_to_form(form, problem)
        return page(
            request,
            "console/key.html",
            _("Key {name}").format(name=key.name),
            _crumbs(),
            form=form,
            key=key,
            state=state_of(key),
            action=_("Change the rights"),
        )

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then end a key for good."""
        key = ApiKey.objects.filter(pk=pk).first()
        if key is None:
            messages.error(request, sentence(Problem("NOT_FOUND", "There is no such key")))
            return HttpResponseRedirect(reverse(_LIST))
        return confirmed(
            request,
            lambda: revoke_key(key),
            title=_("Revoke {name}").format(name=key.name),
            warning=_("Whoever calls with the key {prefix}… is refused within a second, for good.").format(
                prefix=key.prefix
            ),
            action=_("Yes, revoke this key"),
            done=_("The key {name} is revoked.").format(name=key.name),
            back=reverse("admin:accounts_apikey_change", args=[pk]),
            after=reverse(_LIST),
            crumbs=_crumbs(),
        )


def _crumbs() -> list[tuple[str, str | None]]:
    return [(_("API keys"), reverse(_LIST))]


def state_of(key: ApiKey) -> tuple[str, str]:
    """Class and word: `live` Valid, `off` Revoked or Expired."""
    if key.revoked_at is not None:
        return "off", _("Revoked")
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        return "off", _("Expired")
    return "live", _("Valid")
