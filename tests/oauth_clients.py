"""Both ends of OAuth as the tests need them: an application, a browser with a person, and `requests` wired to our WSGI application.

The protocol itself is spoken by clients that nobody here wrote: Authlib and requests-oauthlib.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from requests.adapters import BaseAdapter

from auth.oauth.applications import register
from auth.oauth.models import Application
from endpoints.models import ApiGroup
from stackyard.core.models import Workspace
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_workspace

BACK = "https://client.example/back?from=shop"
PASSWORD = "correct horse battery"
VERIFIER = "v" * 43
CHALLENGE = create_s256_code_challenge(VERIFIER)
MEMBERS = {
    "email": {"type": "email", "unique": True},
    "password": "password",
    "email_verified": {"type": "bool", "default": False},
}


class InProcess(BaseAdapter):
    """A transport of `requests` that calls our WSGI application instead of a network."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """One call."""
        body = request.body or b""
        given = Door(WSGIHandler()).request(
            request.method,
            request.path_url,
            body=body.encode() if isinstance(body, str) else body,
            headers=dict(request.headers),
        )
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = given.status, request, request.url
        answer.headers.update(given.headers)
        answer.raw = io.BytesIO(given.body)
        return answer

    def close(self) -> None:
        """Nothing is open."""


def in_process(session: Any) -> Any:
    """A session of `requests` that stays in this process."""
    session.mount("http://", InProcess())
    session.mount("https://", InProcess())
    return session


@dataclass
class Stage:
    """A shop with people who log in, an endpoint for OAuth, and an application that asks."""

    workspace: Workspace
    group: ApiGroup
    application: Application
    secret: str

    def registered(self, **more: Any) -> tuple[Application, str]:
        """Another application."""
        asked = {"scopes": ["shop"], "redirect_uris": [BACK], **more}
        application, secret = register(self.workspace, "Another", **asked)
        return application, secret or ""

    def ask(self, **more: Any) -> dict[str, str]:
        """The parameters of an authorization request; None leaves one out."""
        asked = {
            "response_type": "code",
            "client_id": self.application.client_id,
            "redirect_uri": BACK,
            "scope": "shop:read",
            "state": "the-state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def exchange(self, code: str, **more: Any) -> Any:
        """The answer of the token endpoint to a code."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "client_id": self.application.client_id,
            "client_secret": self.secret,
            "code_verifier": VERIFIER,
            **more,
        }
        return post("/oauth/token", {name: value for name, value in asked.items() if value is not None})

    def refresh(self, token: str, **more: Any) -> Any:
        """The answer to a refresh token."""
        proof = {"client_id": self.application.client_id, "client_secret": self.secret}
        return post("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token, **proof, **more})

    def tokens(self, **more: Any) -> dict[str, Any]:
        """A pair that Ann has consented to."""
        answer = self.exchange(Browser().consents(self.ask(**more))["code"])
        assert answer.status == 200, answer.body
        return answer.json()


def make_stage() -> Stage:
    """The stage, with Ann in it."""
    workspace = make_workspace()
    create_table(workspace, "members", fields=MEMBERS)
    group = make_group(workspace, "shop")
    who = {"$expr": "auth"}
    make_endpoint(group, "/who", name="who", auth=["oauth2"], response=who)
    make_endpoint(group, "/who", "POST", name="write", auth=["oauth2"], response=who)
    Store(load_schema(workspace.pk)).add(
        "members", {"email": "ann@example.com", "password": PASSWORD, "email_verified": True}
    )
    application, secret = register(workspace, "Partner", ["shop", "openid", "email"], [BACK])
    return Stage(workspace, group, application, secret or "")


def post(url: str, form: dict[str, str], **headers: str) -> Any:
    """A form sent by a program."""
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return Door(WSGIHandler()).post(url, body=urlencode(form).encode(), headers=sent)


def call(token: str, method: str = "GET", url: str = "/api:shop/who") -> Any:
    """A call of the endpoint with an access token."""
    return Door(WSGIHandler()).request(method, url, headers={"Authorization": f"Bearer {token}"})


def values_of(url: str) -> dict[str, str]:
    """The query of an address, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


class Browser(Client):
    """A person's browser, which keeps cookies and whose CSRF tokens are looked at."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=True)

    def asked(self, ask: dict[str, str]) -> Any:
        """The page that an authorization request leads to."""
        return self.get("/oauth/authorize", ask)

    def send_form(self, url: str, page: Any, **answers: str) -> Any:
        """The page's first form with its hidden fields, sent as a browser would."""
        form = page.content.decode().split("<form", 2)[1]
        hidden = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', form)
        from html import unescape

        return self.post(url, {name: unescape(value) for name, value in hidden} | answers)

    def logged_in(self, ask: dict[str, str], password: str = PASSWORD) -> Any:
        """What comes after the login page."""
        page = self.asked(ask)
        assert b'name="password"' in page.content, page.content
        url = f"/oauth/authorize?{urlencode(ask)}"
        return self.send_form(url, page, email="ann@example.com", password=password)

    def consents(self, ask: dict[str, str], allow: bool = True) -> dict[str, str]:
        """Log in, answer, and give what the application is sent back with."""
        assert self.logged_in(ask).status_code == 303
        page = self.asked(ask)
        back = self.send_form("/oauth/authorize", page, **({"allow": "true"} if allow else {}))
        assert back.status_code == 303, back.content
        return values_of(back["Location"])
