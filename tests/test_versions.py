"""A new version of an API: the group copied to the next mount, old callers undisturbed."""

from __future__ import annotations

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from django.urls import reverse

from auth.keys import create_key
from endpoints.models import ApiGroup
from endpoints.publishing import save_draft, set_active
from endpoints.versions import propose
from stackyard.core.models import Workspace
from tests import factories
from tests.calling import line
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])

VERSIONS = "/api:meta/workspaces/shop/groups/shop/versions"


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    """A version 1 with an endpoint that is live, one that is switched off, and one that is only a draft."""
    made = factories.make_group(workspace, mount="v1", docs="token", description="The shop's.")
    live = factories.make_endpoint(made, "/price", name="price", response=1)
    save_draft(live, {**live.draft, "response": 2})
    set_active(factories.make_endpoint(made, "/off", name="off"), False)
    return made


@pytest.fixture
def meta(workspace: Workspace) -> Door:
    return Door(WSGIHandler()).with_key(create_key(workspace, "manager", ["meta"])[1])


def test_the_copy_answers_at_the_next_mount_and_the_old_one_goes_on(group: ApiGroup, meta: Door) -> None:
    made = meta.post(VERSIONS, {})
    assert made.status == 201, made.body
    assert {name: made.json()[name] for name in ("name", "mount", "description", "unpublished")} == {
        "name": "shop-v2",
        "mount": "v2",
        "description": "The shop's.",
        "unpublished": [],
    }
    copy = ApiGroup.objects.get(name="shop-v2")
    assert copy.canonical != group.canonical
    assert copy.docs_token != group.docs_token
    for mount in ("v1", "v2"):
        assert meta.get(f"/api/{mount}/price").json() == 1
        assert meta.get(f"/api/{mount}/off").status == 404
    assert copy.endpoints.get(name="price").draft["response"] == 2
    group.refresh_from_db()
    assert group.successor == copy

    changed = {**copy.endpoints.get(name="price").draft, "response": 3}
    endpoint = "/api:meta/workspaces/shop/groups/shop-v2/endpoints/price"
    assert meta.put(f"{endpoint}/draft", changed).status == 200
    assert meta.post(f"{endpoint}/publish", {}).status == 200
    assert [meta.get(f"/api/{mount}/price").json() for mount in ("v1", "v2")] == [1, 3]


def test_a_taken_address_is_refused_and_nothing_is_made(group: ApiGroup, meta: Door) -> None:
    factories.make_group(group.workspace, "other", mount="v9")
    refused = meta.post(VERSIONS, {"mount": "v9", "name": "Not a name"})
    assert refused.status == 400
    assert {detail["field"] for detail in refused.error["details"]} == {"mount", "name"}
    assert ApiGroup.objects.count() == 2


def test_an_endpoint_that_can_be_published_no_more_is_copied_as_a_draft(group: ApiGroup, meta: Door) -> None:
    from stackyard.stacks.publishing import create_function, publish

    gone = create_function(group.workspace, {"name": "gone", "response": 1})
    publish(gone)
    factories.make_endpoint(group, "/calls", name="calls", lines=[line("call_function", function="gone")])
    gone.delete()
    made = meta.post(VERSIONS, {"name": "next"})
    assert made.json()["unpublished"] == ["calls"]
    assert meta.get("/api/v2/calls").status == 404
    assert meta.get("/api/v2/price").json() == 1


@pytest.mark.parametrize(
    ("mount", "expected"),
    [("v1", "v2"), ("helpdesk/v9", "helpdesk/v10"), ("shop", "shop/v2"), (None, "shop/v2"), ("v3x", "v4x")],
)
def test_the_next_mount_is_proposed(workspace: Workspace, mount: str | None, expected: str) -> None:
    assert propose(factories.make_group(workspace, mount=mount))["mount"] == expected


def test_the_console_proposes_makes_and_shows_it(console: Client, group: ApiGroup) -> None:
    address = reverse("admin:endpoints_apigroup_version", args=[group.pk])
    page = console.get(address).content.decode()
    assert 'value="v2"' in page
    assert 'value="shop-v2"' in page
    refused = console.post(address, {"name": "shop", "mount": "v1"}).content.decode()
    assert "already exists" in refused
    answer = console.post(address, {"name": "shop-v2", "mount": "v2"}, follow=True)
    assert "Version shop-v2 is made and live" in answer.content.decode()
    assert console.get("/api/v2/price").json() == 1
