"""Signing in to the console: address and password, counted; then a code, where the account has a second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth import second_factor
from auth.half_signed_in import half_signed_in, sign_in_fully, wait_for_code
from auth.login_throttle import Tries
from stackyard.core.client_address import client_address
from stackyard.core.errors import Problem

from .pages import page
from .problems import sentence


class SignInForm(AdminAuthenticationForm):
    """Address and password. Ten wrong ones for an account, or fifty from an address, and both wait 15 minutes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")

    def clean(self) -> dict[str, Any]:
        """The account in `user_cache`. ValidationError, the same whatever was wrong."""
        email = str(self.cleaned_data.get("username") or "").lower()
        address = client_address(self.request.META) if self.request is not None else None
        tries = Tries.of_console(email, address)
        try:
            tries.check()
        except Problem as problem:
            raise ValidationError(sentence(problem), code="throttled") from None
        self.cleaned_data["username"] = email
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            tries.failed()
            raise
        tries.succeeded()
        return cleaned


class SignIn(LoginView):
    """The page of address and password."""

    form_class = SignInForm
    authentication_form = SignInForm
    template_name = "admin/login.html"

    def get_default_redirect_url(self) -> str:
        """The home page."""
        return reverse("admin:index")

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """What the admin's template asks for."""
        shown = super().get_context_data(**more)
        return {**shown, "title": _("Sign in"), "app_path": self.request.get_full_path()}

    def form_valid(self, form: Any) -> HttpResponse:
        """Signed in, or on to the code."""
        account: Any = form.get_user()
        if not second_factor.is_on(account):
            return super().form_valid(form)
        wait_for_code(self.request, account, self.get_success_url())
        return HttpResponseRedirect(reverse("admin:prove"))


class CodeForm(forms.Form):
    """The code of now, or a recovery code."""

    code = forms.CharField(
        max_length=32,
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("Six digits from your authenticator app, or one of your recovery codes."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "class": "vTextField code"}
        ),
    )


def prove(request: HttpRequest) -> HttpResponse:
    """The second step; open to whoever has just given the right password or come from a provider, for five minutes."""
    waiting = half_signed_in(request)
    if waiting is None:
        return HttpResponseRedirect(reverse("admin:login"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        tries = Tries.of_console(str(waiting.account), client_address(request.META), "code")
        try:
            tries.check()
            if second_factor.proves(waiting.account, form.cleaned_data["code"]):
                tries.succeeded()
                sign_in_fully(request, waiting.account)
                return HttpResponseRedirect(safe_next(request, waiting.next))
            tries.failed()
            form.add_error("code", _("This code is not good: it is wrong, used already, or over."))
        except Problem as problem:
            form.add_error(None, sentence(problem))
    return page(request, "console/door.html", _("Your code"), [], form=form, action=_("Sign in"))


def safe_next(request: HttpRequest, address: str) -> str:
    """An address of ours to go on to, else the home page."""
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, request.is_secure())
    return address if is_ours else reverse("admin:index")
