"""The curl lines of docs/oauth.md, in their order, as somebody would paste them."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from tests.doors import Answer, Door
from tests.factories import make_owner
from tests.oauth_clients import make_stage

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).parents[1] / "docs" / "oauth.md"


def lines() -> list[str]:
    """The commands of the page."""
    text = PAGE.read_text().replace("\\\n", " ")
    return re.findall(r"^    (curl .*)$", text, re.MULTILINE)


def curl(command: str, known: dict[str, str]) -> Answer:
    """What one command gets."""
    for name, value in known.items():
        command = command.replace(f"${name}", value)
    words = shlex.split(command)
    headers: dict[str, str] = {}
    parts: list[str] = []
    for flag, value in itertools.pairwise(words):
        if flag == "-H":
            name, _, content = value.partition(": ")
            headers[name] = content
        elif flag == "-d":
            parts.append(value)
        elif flag == "-u":
            headers["Authorization"] = "Basic " + base64.b64encode(value.encode()).decode()
    headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    body: dict[str, Any] = {"body": "&".join(parts).encode()} if parts else {}
    return Door(WSGIHandler()).request("POST" if parts else "GET", words[2], headers=headers, **body)


def test_the_commands_of_the_page_work() -> None:
    make_stage()
    browser = Client()
    browser.force_login(make_owner())
    browser.get("/apidoc:meta")
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    known = {
        "BASE": "",
        "SESSION": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "CSRF": cookies["csrftoken"],
    }
    statuses = []
    for command in lines():
        answer = curl(command, known)
        statuses.append(answer.status)
        found = json.loads(answer.body or b"{}")
        for name, value in (
            ("CLIENT_ID", found.get("client_id")),
            ("CLIENT_SECRET", found.get("client_secret")),
            ("TOKEN", found.get("access_token")),
        ):
            if value:
                known[name] = value
    assert statuses == [201, 200, 200, 200, 200, 200]
    assert curl("curl -s /api:shop/who -H 'Authorization: Bearer $TOKEN'", known).status == 401
