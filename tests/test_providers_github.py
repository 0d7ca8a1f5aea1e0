"""Logging in with GitHub from end to end, against a stand-in at its real names that is as particular as its documentation."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from auth.models import Identity
from auth.providers import logging_in
from auth.providers.linking import record_of
from auth.providers.models import Provider
from auth.providers.setup import set_up
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.outbound import connections
from stackyard.tables.changes import create_table
from tests.authority import Authority
from tests.oauth_clients import MEMBERS, values_of
from tests.outside import OTHER, Answer, Outside, Received

pytestmark = pytest.mark.django_db(databases=["default", "history"])
BACK = "https://app.example/back"
ANN = {"email": "Ann@example.com", "primary": True, "verified": True, "visibility": "private"}
SPARE = {"email": "ann@spare.example", "primary": False, "verified": True, "visibility": None}


class GitHub:
    """github.com and api.github.com. `user` and `emails` are what its API says: a value, or an answer."""

    def __init__(self, outside: Outside, authority: Authority) -> None:
        self.user: Any = {"login": "ann", "id": 583231, "email": None}
        self.emails: Any = [SPARE, ANN]
        self.challenge = ""
        outside.serve("github.com", self._site).secure(authority.context("github.com"))
        outside.serve("api.github.com", self._api, OTHER).secure(authority.context("api.github.com"))

    def agrees(self, url: str) -> dict[str, str]:
        """Ann presses the button: what the app is sent back with."""
        asked = values_of(url)
        assert url.startswith("https://github.com/login/oauth/authorize?")
        assert (asked["client_id"], asked["redirect_uri"]) == ("the-id", BACK)
        assert set(asked["scope"].split()) == {"read:user", "user:email"}
        self.challenge = asked["code_challenge"]
        return {"state": asked["state"], "code": "the-code"}

    def _site(self, received: Received) -> Answer:
        """Errors come with 200, and everything as a form unless JSON was asked for."""
        sent = {name: values[0] for name, values in parse_qs(received.body.decode()).items()}
        told: dict[str, str] = {"access_token": "gho_1", "token_type": "bearer", "scope": "user:email"}
        if (received.method, received.path) != ("POST", "/login/oauth/access_token"):
            return Answer(404)
        if (sent.get("client_id"), sent.get("client_secret")) != ("the-id", "the-secret"):
            told = {"error": "incorrect_client_credentials"}
        elif not self._is_ours(sent):
            told = {"error": "bad_verification_code"}
        if "application/json" not in received.headers.get("accept", ""):
            return Answer(200, b"access_token=gho_1", {"Content-Type": "application/x-www-form-urlencoded"})
        return said(told)

    def _is_ours(self, sent: dict[str, str]) -> bool:
        proof = hashlib.sha256(sent["code_verifier"].encode()).digest()
        is_proved = base64.urlsafe_b64encode(proof).rstrip(b"=").decode() == self.challenge
        return is_proved and (sent["code"], sent["redirect_uri"]) == ("the-code", BACK)

    def _api(self, received: Received) -> Answer:
        if not received.headers.get("user-agent"):
            return Answer(403, b"Request forbidden by administrative rules.")
        if received.headers.get("authorization") != "Bearer gho_1":
            return Answer(401, b'{"message": "Bad credentials"}')
        told = {"/user": self.user, "/user/emails": self.emails}[received.path]
        return told if isinstance(told, Answer) else said(told)


def said(value: Any) -> Answer:
    """A value as JSON."""
    return Answer(200, json.dumps(value).encode(), {"Content-Type": "application/json; charset=utf-8"})


@pytest.fixture
def github(outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    authority = Authority(tmp_path)
    authority.is_trusted(monkeypatch)
    yield GitHub(outside, authority)
    connections.trusted.cache_clear()


@pytest.fixture
def octo(workspace: Workspace) -> Provider:
    create_table(workspace, "members", fields=MEMBERS)
    return set_up(workspace, "octo", "github", "the-id", "the-secret", redirect_uris=[BACK])


def comes_back(provider: Provider, github: GitHub, **change: str) -> logging_in.Person:
    """A whole login."""
    back = {**github.agrees(logging_in.start(provider, BACK)["url"]), **change}
    return logging_in.finish(provider, back["state"], back["code"], back.get("iss"))


def test_ann_comes_from_github_and_is_known_by_her_number(octo: Provider, github: GitHub) -> None:
    ann = comes_back(octo, github)
    assert ann == logging_in.Person("583231", "ann@example.com")
    table, number, is_new = record_of(octo, ann)
    assert (table.name, number, is_new) == ("members", 1, True)
    github.emails = [{**ANN, "email": "else@example.com"}]
    github.user = {"login": "renamed", "id": 583231}
    assert record_of(octo, comes_back(octo, github, iss="https://github.com/login/oauth"))[1:] == (1, False)
    assert Identity.objects.get().subject == "583231"
    for change in ({"code": "another"}, {"iss": "https://evil.example"}, {"state": "x"}):
        with pytest.raises(Problem) as refused:
            comes_back(octo, github, **change)
        assert refused.value.code == "LOGIN_FAILED", change


def test_only_a_proved_primary_address_counts(octo: Provider, github: GitHub) -> None:
    for emails in (
        [],
        [SPARE],
        [{**ANN, "verified": False}],
        [{**ANN, "verified": "true"}, {**ANN, "primary": 1}],
        Answer(404, b'{"message": "Not Found"}'),
        Answer(403, b'{"message": "Resource not accessible by integration"}'),
    ):
        github.emails = emails
        ann = comes_back(octo, github)
        assert ann == logging_in.Person("583231", None), emails
        with pytest.raises(Problem) as refused:
            record_of(octo, ann)
        assert refused.value.code == "EMAIL_NOT_VERIFIED"


def test_nonsense_from_github_is_its_failure_and_not_ours(octo: Provider, github: GitHub) -> None:
    nonsense: list[Any] = [
        *({"email": "ann@example.com"}, "ann@example.com", None, [ANN, ANN], [ANN, "x"], [[ANN]]),
        *([{**ANN, "email": value}] for value in (None, 7, "ann", ["ann@example.com"], {})),
        *(Answer(200, body) for body in (b"", b"<html>", b"[" * 100_000)),
        *(Answer(status, b"[]") for status in (201, 401, 500)),
        Answer(302, b"", {"Location": "https://github.com/login/oauth/access_token"}),
    ]
    good = github.emails
    for emails in nonsense:
        github.emails = emails
        with pytest.raises(Problem) as refused:
            comes_back(octo, github)
        assert refused.value.code == "PROVIDER_FAILED", emails
    github.emails = good
    for user in ({}, {"id": "583231"}, {"id": True}, [], Answer(401, b"{}"), Answer(200, b"[" * 100_000)):
        github.user = user
        with pytest.raises(Problem) as refused:
            comes_back(octo, github)
        assert refused.value.code == "PROVIDER_FAILED", user
    assert not Identity.objects.exists()
