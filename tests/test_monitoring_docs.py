"""docs/monitoring.md: its commands do what it says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.handlers.wsgi import WSGIHandler

from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])
PAGE = Path(__file__).parents[1] / "docs" / "monitoring.md"


def test_the_commands_of_the_page(settings: Any) -> None:
    settings.METRICS_TOKEN = "a-token"
    workspace = factories.make_workspace("shop")
    values = {
        "META_KEY": factories.make_key(workspace, "meta"),
        "STACKYARD_METRICS_TOKEN": "a-token",
        "URL": "http://localhost",
    }
    door, statuses = Door(WSGIHandler()), []
    for command in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for name, value in values.items():
            command = command.replace(f"${name}", value)
        words = shlex.split(command.replace("\\\n", " "))
        assert words[0] == "curl"
        headers, method, body, url = {}, "GET", b"", ""
        rest = iter(words[1:])
        for word in rest:
            if word == "-X":
                method = next(rest)
            elif word == "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            elif word == "-d":
                body = next(rest).encode()
            else:
                url = word
        answer = door.request(method, urlsplit(url).path, body=body, headers=headers)
        statuses.append(answer.status)
        if method == "POST":
            made = answer.json()
            assert made["secret"].startswith("whsec_")
            assert json.loads(body)["name"] == made["name"]
    assert statuses == [201, 200]
