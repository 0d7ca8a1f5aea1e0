"""Rows of the authorization matrix: every deed of the management API, and what it ends with for who may do it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

STACK = {"format": 1, "inputs": {}, "lines": [], "response": 1}
DOCUMENT = {"name": "new", **STACK}
ENDPOINT = {**DOCUMENT, "method": "GET", "path": "/new", "auth": ["public"]}
LAMBDA = {"name": "new", "code": "return 1"}
ALERT = {
    "name": "new",
    "measure": "error_rate",
    "threshold": 0.01,
    "channel": "email",
    "target": "ann@example.com",
}
EVERY_HOUR = {"schedule": {"every_seconds": 3600}}
WORKSPACE = _W = "api:meta/workspaces/<str:workspace>"
_T = f"{_W}/tables/<str:table>"
_R = f"{_T}/records"
_F = f"{_W}/functions/<str:function>"
_L = f"{_W}/lambdas/<str:lambda>"
_O = f"{_W}/oauth/applications/<int:application>"
_G = f"{_W}/groups/<str:group>"
_E = f"{_G}/endpoints/<str:endpoint>"


@dataclass(frozen=True)
class Row:
    """A deed of the management API: the status it ends with for who may, the body it is sent."""

    status: int = 200
    body: Any = None
    query: str = ""
    builders_only: bool = False
    owners_only: bool = False


def drafts(one: str, document: dict[str, Any]) -> dict[tuple[str, str], Row]:
    """The rows of what has a draft and revisions."""
    return {
        ("GET", f"{one}/draft"): Row(),
        ("PUT", f"{one}/draft"): Row(body=document),
        ("POST", f"{one}/check"): Row(body=document),
        ("POST", f"{one}/publish"): Row(body={}),
        ("POST", f"{one}/run"): Row(body={}),
        ("GET", f"{one}/revisions"): Row(),
        ("GET", f"{one}/revisions/compare"): Row(query="?old=1"),
        ("GET", f"{one}/revisions/<int:number>"): Row(),
        ("POST", f"{one}/revisions/<int:number>/restore"): Row(),
    }


META: dict[tuple[str, str], Row] = {
    ("GET", "api:meta/me"): Row(),
    ("GET", "api:meta/steps"): Row(),
    ("GET", "api:meta/filters"): Row(),
    ("GET", "api:meta/field-types"): Row(),
    ("GET", "api:meta/blueprints"): Row(),
    ("GET", "api:meta/workspaces"): Row(),
    ("POST", "api:meta/workspaces"): Row(201, {"name": "new"}, builders_only=True),
    ("GET", _W): Row(),
    ("PATCH", _W): Row(body={"description": "x"}, owners_only=True),
    ("GET", f"{_W}/variables"): Row(),
    ("POST", f"{_W}/variables"): Row(201, {"name": "NEW"}),
    ("GET", f"{_W}/variables/<str:variable>"): Row(),
    ("PATCH", f"{_W}/variables/<str:variable>"): Row(body={"value": "x"}),
    ("DELETE", f"{_W}/variables/<str:variable>"): Row(204),
    ("GET", f"{_W}/tables"): Row(),
    ("POST", f"{_W}/tables"): Row(201, {"name": "new"}),
    ("GET", _T): Row(),
    ("PATCH", _T): Row(body={"description": "x"}),
    ("DELETE", _T): Row(204),
    ("GET", f"{_T}/fields"): Row(),
    ("POST", f"{_T}/fields"): Row(201, {"name": "new", "type": "text"}),
    ("GET", f"{_T}/fields/<str:field>"): Row(),
    ("PATCH", f"{_T}/fields/<str:field>"): Row(body={"description": "x"}),
    ("DELETE", f"{_T}/fields/<str:field>"): Row(204),
    ("POST", f"{_T}/new-field/check"): Row(body={"name": "new", "type": "text"}),
    ("POST", f"{_T}/fields/<str:field>/check"): Row(body={"unique": True}),
    ("POST", f"{_T}/fields/<str:field>/removal/check"): Row(),
    ("POST", f"{_T}/fields/<str:field>/retype/check"): Row(body={"type": "email"}),
    ("POST", f"{_T}/fields/<str:field>/retype"): Row(body={"type": "email", "on_bad": "null"}),
    ("GET", f"{_W}/dropped"): Row(),
    ("POST", f"{_W}/dropped/<uuid:run>/restore"): Row(404),
    ("GET", f"{_W}/test-data"): Row(),
    ("POST", f"{_W}/test-data"): Row(201),
    ("DELETE", f"{_W}/test-data"): Row(204),
    ("POST", f"{_W}/test-data/copy"): Row(400, {}),
    ("POST", f"{_W}/test-data/empty"): Row(400, {}),
    ("GET", f"{_T}/indexes"): Row(),
    ("POST", f"{_T}/indexes"): Row(201, {"fields": ["name", "id"]}),
    ("DELETE", f"{_T}/indexes/<int:index>"): Row(204),
    ("GET", _R): Row(),
    ("POST", _R): Row(201, {"name": "x"}),
    ("POST", f"{_R}/search"): Row(body={}),
    ("POST", f"{_R}/bulk"): Row(body={"items": [{"name": "x"}]}),
    ("PUT", f"{_R}/bulk"): Row(body={"items": []}),
    ("PATCH", f"{_R}/bulk"): Row(body={"items": []}),
    ("POST", f"{_R}/bulk/delete"): Row(body={"where": {"name": "nobody"}}),
    ("GET", f"{_R}/<int:record>"): Row(),
    ("PUT", f"{_R}/<int:record>"): Row(body={"name": "x"}),
    ("PATCH", f"{_R}/<int:record>"): Row(body={"name": "x"}),
    ("DELETE", f"{_R}/<int:record>"): Row(204),
    ("GET", f"{_T}/export"): Row(),
    ("POST", f"{_W}/imports"): Row(400),
    ("GET", f"{_W}/imports/<str:file>"): Row(404),
    ("POST", f"{_W}/imports/<str:file>/start"): Row(404, {"table": "customers"}),
    ("GET", f"{_W}/imports/<uuid:run>/rejects"): Row(404),
    ("GET", f"{_W}/functions"): Row(),
    ("POST", f"{_W}/functions"): Row(201, DOCUMENT),
    ("GET", _F): Row(),
    ("DELETE", _F): Row(204),
    **drafts(_F, DOCUMENT),
    ("GET", f"{_W}/groups"): Row(),
    ("POST", f"{_W}/groups"): Row(201, {"name": "new"}),
    ("POST", f"{_G}/versions"): Row(201, {}),
    ("GET", _G): Row(),
    ("PATCH", _G): Row(body={"description": "x"}),
    ("DELETE", _G): Row(204),
    ("POST", f"{_G}/blueprints"): Row(body={"blueprint": "crud", "table": "customers"}),
    ("GET", f"{_G}/endpoints"): Row(),
    ("POST", f"{_G}/endpoints"): Row(201, ENDPOINT),
    ("GET", _E): Row(),
    ("PATCH", _E): Row(body={"active": True}),
    ("DELETE", _E): Row(204),
    **drafts(_E, ENDPOINT),
    ("GET", f"{_W}/lambdas"): Row(),
    ("POST", f"{_W}/lambdas"): Row(201, LAMBDA),
    ("GET", _L): Row(),
    ("DELETE", _L): Row(204),
    **drafts(_L, LAMBDA),
    ("POST", f"{_L}/runs"): Row(202, {"input": 1}),
    ("GET", f"{_W}/runs"): Row(),
    ("GET", f"{_W}/runs/<uuid:run>"): Row(),
    ("POST", f"{_W}/runs/<uuid:run>/cancel"): Row(),
    ("GET", f"{_W}/schedules"): Row(),
    ("GET", f"{_W}/schedules/<int:schedule>"): Row(),
    ("PATCH", f"{_W}/schedules/<int:schedule>"): Row(body={"paused": True}),
    ("POST", f"{_W}/schedules/<int:schedule>/runs"): Row(202, {}),
    ("GET", f"{_W}/keys"): Row(owners_only=True),
    ("POST", f"{_W}/keys"): Row(201, {"name": "new"}, owners_only=True),
    ("GET", f"{_W}/keys/<int:key>"): Row(owners_only=True),
    ("PATCH", f"{_W}/keys/<int:key>"): Row(body={"scopes": ["shop"]}, builders_only=True, owners_only=True),
    ("DELETE", f"{_W}/keys/<int:key>"): Row(204, owners_only=True),
    ("GET", f"{_W}/oauth/applications"): Row(owners_only=True),
    ("POST", f"{_W}/oauth/applications"): Row(
        201,
        {"name": "new", "scopes": ["shop"], "grant": "client_credentials"},
        builders_only=True,
        owners_only=True,
    ),
    ("GET", _O): Row(owners_only=True),
    ("PATCH", _O): Row(body={"scopes": ["shop:read"]}, builders_only=True, owners_only=True),
    ("DELETE", _O): Row(204, owners_only=True),
    ("POST", f"{_O}/secret"): Row(builders_only=True, owners_only=True),
    ("GET", f"{_O}/consents"): Row(owners_only=True),
    ("DELETE", f"{_O}/consents/<uuid:consent>"): Row(404, owners_only=True),
    ("GET", f"{_W}/members"): Row(owners_only=True),
    ("GET", f"{_W}/members/<int:member>"): Row(owners_only=True),
    ("PATCH", f"{_W}/members/<int:member>"): Row(
        body={"role": "viewer"}, builders_only=True, owners_only=True
    ),
    ("DELETE", f"{_W}/members/<int:member>"): Row(204, builders_only=True, owners_only=True),
    ("GET", f"{_W}/invitations"): Row(owners_only=True),
    ("POST", f"{_W}/invitations"): Row(
        201, {"email": "new@example.com", "role": "viewer"}, builders_only=True, owners_only=True
    ),
    ("DELETE", f"{_W}/invitations/<int:invitation>"): Row(204, builders_only=True, owners_only=True),
    ("GET", f"{_W}/alerts"): Row(),
    ("POST", f"{_W}/alerts"): Row(201, ALERT),
    ("GET", f"{_W}/alerts/<int:alert>"): Row(),
    ("PATCH", f"{_W}/alerts/<int:alert>"): Row(body={"active": False}),
    ("DELETE", f"{_W}/alerts/<int:alert>"): Row(204),
    ("GET", f"{_W}/providers"): Row(owners_only=True),
    ("POST", f"{_W}/providers"): Row(
        201,
        {
            "name": "octo",
            "preset": "github",
            "client_id": "c",
            "client_secret": "s",
            "redirect_uris": ["https://a.example/b"],
        },
        builders_only=True,
        owners_only=True,
    ),
    ("GET", f"{_W}/providers/<str:provider>"): Row(owners_only=True),
    ("DELETE", f"{_W}/providers/<str:provider>"): Row(204, owners_only=True),
    ("GET", f"{_W}/files"): Row(),
    ("POST", f"{_W}/files"): Row(201, {"name": "new.txt", "text": "x"}),
    ("GET", f"{_W}/files/<int:file>"): Row(),
    ("POST", f"{_W}/files/<int:file>/link"): Row(body={}),
    ("DELETE", f"{_W}/files/<int:file>"): Row(204),
    ("GET", f"{_W}/audit"): Row(owners_only=True),
    ("GET", f"{_W}/audit/<int:entry>"): Row(owners_only=True),
    ("GET", f"{_W}/history"): Row(),
    ("GET", f"{_W}/history/<int:call>"): Row(),
}

_READING_POSTS = ("/check", "/search")


def expected(caller: str, method: str, route: str, row: Row) -> int:
    """The status a caller must get."""
    reads = method == "GET" or route.endswith(_READING_POSTS)
    is_shared = "<str:workspace>" not in route
    about_nothing = is_shared and route != "api:meta/workspaces"
    match caller:
        case "anonymous" | "revoked" | "expired" | "invented" | "visitor" | "left":
            return 401
        case "unscoped" | "group" | "reader" | "single" | "elsewhere":
            return 403
        case "stranger":
            return 403 if row.builders_only else row.status if is_shared else 404
        case "key":
            return 403 if row.builders_only else row.status
        case "owner":
            return row.status
        case "forged":
            return row.status if method == "GET" else 403
        case "helper" | "foreign" | "viewer" | "builder" | "manager" if is_shared:
            return row.status if about_nothing or reads else 403
        case "helper" | "foreign":
            return 404
        case "manager":
            return row.status
        case "builder":
            return 403 if row.owners_only else row.status
        case "viewer":
            return row.status if reads and not row.owners_only else 403
    raise AssertionError(f"no rule for {caller}")


# Every caller gets the same answer.
OPEN: dict[str, tuple[str, int]] = {
    "": ("/", 302),
    "healthz": ("/healthz", 200),
    "readyz": ("/readyz", 200),
    # From the machine itself; tests/test_metrics.py has who else.
    "metrics": ("/metrics", 200),
    "apispec:meta": ("/apispec:meta", 200),
    "apidoc:meta": ("/apidoc:meta", 200),
    "api:meta/<path:rest>": ("/api:meta/nothing", 404),
    "api:meta/": ("/api:meta/", 404),
    "language/": ("/language/", 302),
    "words/<slug:language>/<slug:digest>.js": ("/words/en/0.js", 200),
    "api:meta": ("/api:meta", 404),
    # The authorization server knows nobody before it is told who asks: tests/test_oauth_attacks.py.
    "apidoc/oauth2-redirect": ("/apidoc/oauth2-redirect", 200),
    "oauth/authorize": ("/oauth/authorize", 400),
    "oauth/console/back": ("/oauth/console/back", 303),
    "oauth/console/<str:name>": ("/oauth/console/nobody", 303),
    "oauth/leave": ("/oauth/leave", 405),
    "oauth/token": ("/oauth/token", 405),
    "oauth/revoke": ("/oauth/revoke", 405),
    "oauth/introspect": ("/oauth/introspect", 405),
    "oauth/userinfo": ("/oauth/userinfo", 401),
    "oauth/jwks": ("/oauth/jwks", 200),
    ".well-known/oauth-authorization-server": ("/.well-known/oauth-authorization-server", 200),
    ".well-known/openid-configuration": ("/.well-known/openid-configuration", 200),
}


# Endpoints, for keys of all kinds; everybody else is nobody to them.
MAY_CALL = {
    # caller: (GET open, GET closed, POST closed)
    "unscoped": (200, 200, 200),
    "group": (200, 200, 200),
    "reader": (200, 200, 403),
    "single": (200, 200, 403),
    "elsewhere": (200, 403, 403),
    "key": (200, 403, 403),
}


# --- the console --------------------------------------------------------------------------------------

ROLES = ("viewer", "builder", "manager")
"""Members of the workspace, each with the rights of those before; a manager has the role owner."""

# Pages that anybody may open, and what they answer: signing in and out, the second step, an invented invitation.
CONSOLE_OPEN = {
    "admin/login/": 200,
    "admin/logout/": 302,
    "admin/code/": 302,
    "admin/join/<str:token>/": 404,
}
_OF_INSTALLATION = re.compile(r"admin/accounts/user/|admin/core/workspace/(add/|.*/delete/)")
_OF_OWNERS = re.compile(r"admin/(accounts/(apikey|application|provider)|team|audit)/")
_SETTINGS = re.compile(r"admin/(settings/|core/workspace/)")
_OWN = re.compile(r"admin/(\Z|logout/|password_change/|two-factor/|jsi18n/|workspace/\Z|data-source/)")
_READING = re.compile(r"admin/(find|docs|editor)/|/(editor/(check|yaml|lines|changes)|code/check)/\Z")
_MODEL = re.compile(r"admin/(core|tables|endpoints|stacks|lambdas|runs|accounts)/\w+/")


def least(route: str, method: str) -> str | None:
    """The least role for a page of the console: `anyone` signed in, a member's, or None for the installation's owners alone."""
    if _OWN.match(route):
        return "anyone"
    if _OF_INSTALLATION.match(route):
        return None
    if _OF_OWNERS.match(route):
        return "manager"
    if method == "GET":
        return "builder" if _MODEL.match(route) and route.endswith(("/add/", "/delete/")) else "viewer"
    if _SETTINGS.match(route):
        return "manager"
    if _READING.search(route):
        return "viewer"
    return (
        "builder"
        if _MODEL.match(route) or route.startswith(("admin/test-data/", "admin/alerts/"))
        else "manager"
    )
