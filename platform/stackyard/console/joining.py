"""The page behind the link of an invitation: make an account, or take the role with the one there is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from auth import team
from auth.half_signed_in import sign_in_fully
from auth.models import Invitation
from stackyard.core.audit.actor import CONSOLE, Actor, acting
from stackyard.core.client_address import client_address
from stackyard.core.errors import Problem

from .gate import actor_of
from .pages import page
from .problems import add_to_form


class JoinForm(forms.Form):
    """A name and a password for the account to be."""

    name = forms.CharField(max_length=150, required=False, label=gettext_lazy("Your name"))
    password = forms.CharField(
        strip=False,
        max_length=1000,
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("At least 10 characters, and none of the common ones."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
    )


@sensitive_post_parameters()
@csrf_protect
def join_page(request: HttpRequest, token: str) -> HttpResponse:
    """`/admin/join/<token>/`: open to whoever has the link, which is good once."""
    invitation = team.find_invitation(token)
    if invitation is None:
        gone = _("This invitation was used already, withdrawn, or is over. Ask for a new one.")
        return _door(request, _("Invitation"), message=gone, status=404)
    account = team.account_of(invitation)
    if account is None:
        return _join_as_new(request, invitation)
    if request.user.pk != account.pk:
        query = urlencode({"next": request.path})
        said = _("There is an account for {email}: sign in with it, then this page goes on.").format(
            email=invitation.email
        )
        return _door(
            request, _("Join {name}").format(name=invitation.workspace.name), message=said,
            link=(_("Sign in"), f"{reverse('admin:login')}?{query}"),
        )  # fmt: skip
    form = forms.Form(request.POST or None)
    if request.method == "POST":
        try:
            with acting(actor_of(request)):
                team.join(invitation, account)
            return _joined(request, invitation)
        except Problem as problem:
            add_to_form(form, problem)
    return _offer(request, invitation, form)


def _join_as_new(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            address = client_address(request.META)
            with acting(Actor(invitation.email, CONSOLE, address=address)):
                account = team.join_as_new(
                    invitation, form.cleaned_data["password"], form.cleaned_data["name"]
                )
            sign_in_fully(request, account)
            return _joined(request, invitation)
        except ValidationError as error:
            form.add_error("password", error.messages)
        except Problem as problem:
            add_to_form(form, problem)
    return _offer(request, invitation, form)


def _offer(request: HttpRequest, invitation: Invitation, form: forms.Form) -> HttpResponse:
    said = _("{email} is invited to {workspace} as {role}.").format(
        email=invitation.email, workspace=invitation.workspace.name, role=invitation.get_role_display()
    )
    return _door(
        request,
        _("Join {name}").format(name=invitation.workspace.name),
        message=said,
        form=form,
        action=_("Join"),
    )


def _joined(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    request.session["workspace"] = invitation.workspace_id
    messages.success(request, _("Welcome to {name}.").format(name=invitation.workspace.name))
    return HttpResponseRedirect(reverse("admin:index"))


def _door(request: HttpRequest, title: str, status: int = 200, **context: Any) -> HttpResponse:
    answer = page(request, "console/door.html", title, [], **context)
    answer.status_code = status
    return answer
