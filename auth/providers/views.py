"""Logging in to the console with a provider: `/oauth/console/NAME` and where it sends people back to."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from stackyard.core.errors import Problem

from .. import second_factor
from ..half_signed_in import sign_in_fully, wait_for_code
from . import logging_in
from .linking import account_of_console
from .models import Provider
from .setup import back_of_console

_KEPT = "login_with_provider"


@require_GET
def start(request: HttpRequest, name: str) -> HttpResponse:
    """Go to the provider; the state is kept in this browser's session.

    A link and not a form: the console's policy lets no form lead to another host.
    """
    provider = Provider.objects.filter(workspace=None, name=name).first()
    if provider is None:
        return _refused(request, _("There is no such login provider."))
    try:
        begun = logging_in.start(provider, back_of_console())
    except Problem as problem:
        return _refused(request, problem.message)
    request.session[_KEPT] = {"provider": provider.pk, "state": begun["state"]}
    return _see_other(begun["url"])


@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Come back: the same browser, a state that is good once, and an account that is there already."""
    kept = request.session.pop(_KEPT, None)
    state = request.GET.get("state", "")
    if not isinstance(kept, dict) or not secrets.compare_digest(kept["state"].encode(), state.encode()):
        return _refused(request, _("The login began in another browser, or took too long. Begin again."))
    provider = Provider.objects.filter(workspace=None, pk=kept["provider"]).first()
    if provider is None or "code" not in request.GET:
        return _refused(request, _("The provider did not log you in."))
    try:
        person = logging_in.finish(provider, state, request.GET["code"], request.GET.get("iss"))
        account = account_of_console(provider, person)
    except Problem as problem:
        return _refused(request, problem.message)
    if second_factor.is_on(account):
        # What a provider asked for is not known here, so it never stands in for the second factor of ours.
        wait_for_code(request, account, reverse("admin:index"))
        return _see_other(reverse("admin:prove"))
    sign_in_fully(request, account)
    return _see_other(reverse("admin:index"))


def _refused(request: HttpRequest, why: str) -> HttpResponse:
    messages.error(request, why)
    return _see_other(reverse("admin:login"))


def _see_other(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = 303
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
