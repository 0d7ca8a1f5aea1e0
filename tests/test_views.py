"""Calling endpoints, through both doors."""

from __future__ import annotations

from typing import Any

import pytest

from stackyard.core.models import Workspace
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_key

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def expression(text: str) -> dict[str, str]:
    return {"$expr": text}


def test_an_endpoint_answers_at_both_addresses(client: Door, workspace: Workspace) -> None:
    group = make_group(workspace, mount="v1")
    make_endpoint(group, "/hello/{name}", inputs={"name": "text"}, response=expression('"Hello " ~ input.name'))
    for address in ("/api:shop/hello/Ann", "/api/v1/hello/Ann", "/api:shop/hello/Ann/"):
        answer = client.get(address)
        assert (answer.status, answer.json()) == (200, "Hello Ann")
