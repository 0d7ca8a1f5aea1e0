"""The pages and doors under /oauth/."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST
from django.views.generic import View
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.oauth2_backends import _add_iss_to_redirect
from oauth2_provider.views import AuthorizationView as ToolkitAuthorization
from oauth2_provider.views import TokenView as ToolkitTokens
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import Request as OAuthRequest

from stackyard.core.errors import Problem

from ..models import User
from . import people
from .models import AccessToken, Application
from .scopes import sentence
from .validator import Validator, checksum

_GRANTS = ("authorization_code", "refresh_token", "client_credentials")
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none';"
    " frame-ancestors 'none'; form-action 'self'"
)


def _page(
    request: HttpRequest, name: str, shown: dict[str, Any], status: int = 200, then: str = ""
) -> HttpResponse:
    """One of our pages. `then` is where its form may lead to in the end: a browser holds redirects against the policy."""
    page = render(request, f"oauth/{name}.html", shown, status=status)
    parts = urlsplit(then)
    ends_at = (
        f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:" if parts.scheme else ""
    )
    page.headers["Content-Security-Policy"] = f"{_POLICY} {ends_at}".strip()
    page.headers["X-Frame-Options"] = "DENY"
    # Not no-referrer: with it browsers send "Origin: null", and the CSRF check would refuse our own form.
    page.headers["Referrer-Policy"] = "same-origin"
    page.headers["Cache-Control"] = "no-store"
    return page


def _application(client_id: Any) -> Application | None:
    """An application that can be used, by its public id."""
    if not isinstance(client_id, str) or "\0" in client_id:
        return None
    return (
        Application.objects.select_related("workspace").filter(client_id=client_id, revoked_at=None).first()
    )


@method_decorator(csrf_protect, name="dispatch")
class AuthorizationView(ToolkitAuthorization):
    """`/oauth/authorize`: who are you, and may this application do that for you? (RFC 6749 §4.1)"""

    template_name = "oauth/consent.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever is logged in to the console is nobody here: its people are not the workspace's."""
        self.oauth2_data: dict[str, Any] = {}
        request.user = AnonymousUser()
        if any("\0" in value for form in (request.GET, request.POST) for value in form.values()):
            return _page(request, "refused", {"message": _("The request is not complete.")}, status=400)
        found: Any = View.dispatch(self, request, *args, **kwargs)
        return found

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Check what is asked, then ask for the password, then for consent: always, never from memory."""
        application = _application(request.GET.get("client_id"))
        try:
            scopes, credentials = self.validate_authorization_request(request)
        except OAuthToolkitError as error:
            return self.error_response(error, application)
        assert application is not None
        account = people.remembered(request, application)
        if account is None or "login" in request.GET.get("prompt", "").split():
            return self._login(request, application, "")
        self.oauth2_data = {**credentials, "scopes": scopes}
        form = self.get_form(self.get_form_class())
        shown = {
            "form": form,
            "application": application,
            "person": people.shown_name(account),
            "sentences": [sentence(scope) for scope in scopes],
            "query": request.META.get("QUERY_STRING", ""),
            "leads_to": _host_of(credentials["redirect_uri"]),
        }
        return _page(request, "consent", shown, then=credentials["redirect_uri"])

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The answer to one of the two questions."""
        if "password" in request.POST:
            return self._log_in(request)
        application = _application(request.POST.get("client_id"))
        account = people.remembered(request, application) if application is not None else None
        if account is None:
            message = _("Your session has ended. Go back to the application and begin again.")
            return _page(request, "refused", {"message": message}, status=403)
        request.user = account
        found: HttpResponse = super().post(request, *args, **kwargs)
        return found

    def form_invalid(self, form: Any) -> HttpResponse:
        """A form that is not ours."""
        return _page(self.request, "refused", {"message": _("The request is not complete.")}, status=400)

    def _login(
        self, request: HttpRequest, application: Application, fault: str, status: int = 200
    ) -> HttpResponse:
        if people.table_of(application) is None:
            message = _("Nobody can log in to {name} at the moment.").format(name=application.workspace.name)
            return _page(request, "refused", {"message": message}, status=403)
        shown = {"application": application, "fault": fault, "email": request.POST.get("email", "")}
        return _page(request, "login", shown, status)

    def _log_in(self, request: HttpRequest) -> HttpResponse:
        """Check the password, and go on with the same question: only its query is taken along, so it leads nowhere else."""
        application = _application(request.GET.get("client_id"))
        if application is None:
            return _page(request, "refused", {"message": _("There is no such application.")}, status=400)
        try:
            account = people.log_in(
                application, request.POST.get("email", ""), request.POST.get("password", ""), request
            )
        except Problem as problem:
            return self._login(
                request, application, f"{problem.message} {problem.suggestion or ''}", problem.status
            )
        if account is None:
            return self._login(request, application, _("The e-mail address or the password is wrong."), 401)
        query = request.GET.copy()
        query.pop("prompt", None)
        response = _see_other(f"/oauth/authorize?{query.urlencode()}")
        people.remember(response, account)
        return response

    def error_response(self, error: OAuthToolkitError, application: Any, **kwargs: Any) -> HttpResponse:
        """Back to the application with the error and our name (RFC 9207 §2), or a page where that cannot be trusted."""
        leads_back, found = OAuthLibMixin.error_response(self, error, **kwargs)
        if leads_back and application is not None:
            return self.redirect(_add_iss_to_redirect(found["url"], settings.PUBLIC_URL), application)
        message = found["error"].description or found["error"].error
        return _page(self.request, "refused", {"message": message}, status=found["error"].status_code)

    def redirect(self, redirect_to: str, application: Any) -> HttpResponse:
        """303: what was posted here is not posted there (RFC 9700 §4.12)."""
        response = OAuth2ResponseRedirect(redirect_to, application.get_allowed_schemes())
        response.status_code = 303
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def _host_of(uri: str) -> str:
    parts = urlsplit(uri)
    return parts.netloc or f"{parts.scheme}:"


def _see_other(path: str) -> HttpResponseRedirect:
    response = HttpResponseRedirect(path)
    response.status_code = 303
    response.headers["Cache-Control"] = "no-store"
    return response


class TokenView(ToolkitTokens):
    """`/oauth/token`: for a code, a refresh token, or an application's own proof; not for the grants we do not have."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tokens, or the error of RFC 6749 §5.2."""
        if request.POST.get("grant_type") not in _GRANTS:
            answer = JsonResponse({"error": "unsupported_grant_type"}, status=400)
        else:
            answer = self.authorization_flow_token_response(request)
        answer.headers["Cache-Control"] = "no-store"
        return answer


@require_POST
@csrf_protect
def leave(request: HttpRequest) -> HttpResponse:
    """`/oauth/leave`: somebody else wants to answer."""
    response = _see_other(f"/oauth/authorize?{request.GET.urlencode()}")
    people.forget(response)
    return response


@csrf_exempt
@require_POST
def introspect(request: HttpRequest) -> HttpResponse:
    """`/oauth/introspect` (RFC 7662): what a token is, for applications of its own workspace that prove who they are."""
    core = OAuthLibMixin.get_oauthlib_core()
    uri, method, body, headers = core._extract_params(request)
    asked = OAuthRequest(uri, method, body, headers)
    if not Validator().authenticate_client(asked):
        answer = {"error": "invalid_client"}
        return JsonResponse(answer, status=401, headers={"WWW-Authenticate": 'Basic realm="oauth"'})
    held = checksum(request.POST.get("token", ""))
    token = (
        AccessToken.objects.select_related("user", "application")
        .filter(token_checksum=held, application__workspace_id=asked.client.workspace_id)
        .first()
    )
    if token is None or token.is_expired() or token.application.revoked_at is not None:
        return JsonResponse({"active": False}, headers={"Cache-Control": "no-store"})
    return JsonResponse(_described(token), headers={"Cache-Control": "no-store"})


def _described(token: AccessToken) -> dict[str, Any]:
    application = token.application
    person: User | None = token.user
    described = {
        "active": True,
        "token_type": "Bearer",
        "scope": token.scope,
        "client_id": application.client_id,
        "iss": settings.PUBLIC_URL,
        "aud": f"workspace:{application.workspace_id}",
        "exp": int(token.expires.timestamp()),
        "iat": int(token.created.timestamp()),
        "sub": application.client_id if person is None else people.subject_of(person),
    }
    return described


def metadata(request: HttpRequest) -> HttpResponse:
    """`/.well-known/oauth-authorization-server` (RFC 8414)."""
    here = f"{settings.PUBLIC_URL}/oauth"
    proofs = ["client_secret_basic", "client_secret_post"]
    found = {
        "issuer": settings.PUBLIC_URL,
        "authorization_endpoint": f"{here}/authorize",
        "token_endpoint": f"{here}/token",
        "revocation_endpoint": f"{here}/revoke",
        "introspection_endpoint": f"{here}/introspect",
        "userinfo_endpoint": f"{here}/userinfo",
        "jwks_uri": f"{here}/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(_GRANTS),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*proofs, "none"],
        "revocation_endpoint_auth_methods_supported": [*proofs, "none"],
        "introspection_endpoint_auth_methods_supported": proofs,
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": ["openid", "email"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "email", "email_verified"],
    }
    return JsonResponse(found, headers={"Access-Control-Allow-Origin": "*"})
