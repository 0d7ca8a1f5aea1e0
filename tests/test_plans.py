"""Published plans: what is read when, and what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from auth.keys import create_key, revoke_key
from endpoints.groups import edit_group
from endpoints.models import Endpoint
from endpoints.plans import find, plan_of
from endpoints.publishing import publish, save_draft
from stackyard.core.models import Workspace
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_workspace

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def plan_at(path: str) -> Any:
    found = find(path)
    match = found.match("GET")
    assert match is not None
    return plan_of(found.group, match.target)


def queries_of(client: Door, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status == 200
    return [query["sql"] for query in captured.captured_queries]


def test_a_warm_call_reads_nothing_of_the_catalogue(client: Door, workspace: Workspace) -> None:
    group = make_group(workspace)
    make_endpoint(group, "/a")
    client.get("/api:shop/a")
    assert all("core_version" in sql for sql in queries_of(client, "/api:shop/a"))


def test_a_warm_call_asks_as_little_among_many_endpoints(client: Door, workspace: Workspace) -> None:
    group = make_group(workspace)
    first = make_endpoint(group, "/a")
    client.get("/api:shop/a")
    few = queries_of(client, "/api:shop/a")
    Endpoint.objects.bulk_create(
        Endpoint(group=group, name=f"n{i}", method="GET", path=f"/n{i}/{{x}}", published=first.published)
        for i in range(1000)
    )
    edit_group(group, description="Many.")
    client.get("/api:shop/a")
    assert len(queries_of(client, "/api:shop/a")) == len(few)


def test_a_plan_is_made_once_and_kept_while_nothing_changes_in_its_workspace(workspace: Workspace) -> None:
    endpoint = make_endpoint(make_group(workspace), "/a")
    other = make_endpoint(make_group(make_workspace("other"), "other"), "/a")
    before = plan_at("/api:shop/a")
    assert plan_at("/api:shop/a") is before
    save_draft(other, {**other.draft, "response": 1})
    publish(other)
    assert plan_at("/api:shop/a") is before
    save_draft(endpoint, {**endpoint.draft, "response": 1})
    publish(endpoint)
    assert plan_at("/api:shop/a") is not before


def test_a_revoked_key_costs_no_plan(workspace: Workspace) -> None:
    make_endpoint(make_group(workspace), "/a")
    before = plan_at("/api:shop/a")
    revoke_key(create_key(workspace, "x")[0])
    assert plan_at("/api:shop/a") is before


def test_a_stack_that_fits_no_longer_is_an_error_that_says_so(client: Door, workspace: Workspace) -> None:
    from stackyard.core import version

    endpoint = make_endpoint(make_group(workspace), "/a")
    revision = endpoint.published
    assert revision is not None
    revision.document = {**revision.document, "response": {"$expr": "gone"}}
    revision.save()
    version.bump(workspace.pk)
    answer = client.get("/api:shop/a")
    assert (answer.status, answer.error["code"]) == (500, "STACK_OUTDATED")
    assert "gone" not in answer.body.decode()
