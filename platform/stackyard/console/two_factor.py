"""The own second factor: turned on with a QR code and a first code, turned off with a code."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from auth import second_factor
from auth.login_throttle import Tries
from stackyard.core.client_address import client_address
from stackyard.core.errors import Problem

from .pages import page
from .problems import sentence
from .signing_in import CodeForm


def two_factor(request: HttpRequest) -> HttpResponse:
    """Where it is off, how to turn it on; where it is on, how to turn it off."""
    account = request.user
    is_on = second_factor.is_on(account)  # type: ignore[arg-type]
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            tries = Tries.of_console(str(account), client_address(request.META), "code")
            tries.check()
            done = _turn_off(request, form, tries) if is_on else _turn_on(request, form)
            if done is not None:
                return done
        except Problem as problem:
            form.add_error("code", sentence(problem))
    shown = {} if is_on else _to_scan(request)
    action = _("Turn it off") if is_on else _("Turn it on")
    return page(request, "console/two_factor.html", _("Two-factor sign-in"), [], form=form, is_on=is_on, action=action, **shown)  # fmt: skip


def _turn_on(request: HttpRequest, form: CodeForm) -> HttpResponse:
    codes = second_factor.confirm(request.user, form.cleaned_data["code"])  # type: ignore[arg-type]
    return page(request, "console/recovery_codes.html", _("Recovery codes"), [], text="\n".join(codes))


def _turn_off(request: HttpRequest, form: CodeForm, tries: Tries) -> HttpResponse | None:
    if not second_factor.proves(request.user, form.cleaned_data["code"]):  # type: ignore[arg-type]
        tries.failed()
        form.add_error("code", _("This code is not good: it is wrong, used already, or over."))
        return None
    second_factor.turn_off(request.user)  # type: ignore[arg-type]
    messages.success(request, _("Two-factor sign-in is off."))
    return HttpResponseRedirect(reverse("admin:two_factor"))


def _to_scan(request: HttpRequest) -> dict[str, str]:
    secret = second_factor.begin(request.user)  # type: ignore[arg-type]
    address = second_factor.address_of(request.user, secret)  # type: ignore[arg-type]
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return {"picture": second_factor.picture_of(address), "secret": spaced}
