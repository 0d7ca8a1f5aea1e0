"""Publishing endpoints: what is checked, what switches, and what a draft may be meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.models import ApiGroup, Endpoint
from endpoints.plans import find
from endpoints.publishing import check, create_endpoint, delete_endpoint, publish, restore, save_draft
from stackyard.core import version
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.stacks.models import Revision
from tests.factories import make_endpoint, make_group

pytestmark = pytest.mark.django_db

DOCUMENT: dict[str, Any] = {"name": "get_it", "method": "GET", "path": "/it", "auth": ["public"]}


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    return make_group(workspace)


def faults_of(group: ApiGroup, **changes: Any) -> set[tuple[str, str]]:
    endpoint = create_endpoint(group, DOCUMENT)
    return {
        (f.dotted, f.code) for f in save_draft(endpoint, {**endpoint.draft, **changes}) if f.level == "error"
    }


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": "get it"}, "name"),
        ({"name": None}, "name"),
        ({"method": "FETCH"}, "method"),
        ({"method": ["GET"]}, "method"),
        ({"path": "it"}, "path"),
        ({"path": "/a/x{id}"}, "path"),
        ({"path": "/it/{id}"}, "path"),
        ({"auth": []}, "auth"),
        ({"auth": "public"}, "auth"),
        ({"auth": ["publik"]}, "auth.0"),
        ({"auth": ["public", "public"]}, "auth.1"),
        ({"auth": [["public"]]}, "auth.0"),
        ({"limit_per_second": 0}, "limit_per_second"),
        ({"timeout_seconds": 301}, "timeout_seconds"),
        ({"request_bytes": "10"}, "request_bytes"),
        ({"response_bytes": True}, "response_bytes"),
        ({"description": 7}, "description"),
        ({"colour": "red"}, "colour"),
        ({"inputs": {"n": {"type": "int", "in": "path"}}}, "inputs.n.in"),
        ({"inputs": {"n": {"type": "int", "in": "body"}}}, "inputs.n.in"),
        ({"inputs": {"n": {"type": "itn"}}}, "inputs.n.type"),
        ({"path": "/it/{n}", "inputs": {"n": {"type": "json"}}}, "inputs.n"),
        ({"path": "/it/{n}", "inputs": {"n": {"type": "int", "list": True}}}, "inputs.n"),
        ({"path": "/it/{n}", "inputs": {"n": {"type": "int", "in": "query"}}}, "inputs.n.in"),
        ({"response": {"$expr": "nobody"}}, "response"),
        ({"lines": [{"step": "no_such_step", "params": {}}]}, "lines.0.step"),
    ],
)
def test_a_fault_is_placed_and_the_draft_is_kept_all_the_same(
    group: ApiGroup, changes: dict[str, Any], where: str
) -> None:
    endpoint = create_endpoint(group, DOCUMENT)
    faults = save_draft(endpoint, {**endpoint.draft, **changes})
    assert where in {fault.dotted for fault in faults if fault.level == "error"}
    endpoint.refresh_from_db()
    assert {key: endpoint.draft[key] for key in changes} | {"lines": 0} == {**changes, "lines": 0}
    with pytest.raises(Problem) as caught:
        publish(endpoint)
    assert caught.value.status == 400
    endpoint.refresh_from_db()
    assert endpoint.published is None


def test_publishing_tells_every_fault_at_once(group: ApiGroup) -> None:
    endpoint = create_endpoint(group, DOCUMENT)
    save_draft(endpoint, {**DOCUMENT, "method": "X", "auth": [], "response": {"$expr": "a + b"}, "path": "x"})
    with pytest.raises(Problem) as caught:
        publish(endpoint)
    assert {detail.field for detail in caught.value.details} >= {"method", "auth", "path", "response"}


def test_two_endpoints_of_equal_strength_cannot_both_be_published(
    group: ApiGroup, workspace: Workspace
) -> None:
    make_endpoint(group, "/it/{id}", inputs={"id": "int"}, name="first")
    second = create_endpoint(group, {**DOCUMENT, "path": "/it/{key}", "inputs": {"key": "text"}})
    with pytest.raises(Problem) as caught:
        publish(second)
    assert [(d.field, d.code) for d in caught.value.details] == [("path", "conflict")]
    assert '"first"' in caught.value.message
    save_draft(second, {**second.draft, "method": "DELETE"})
    publish(second)
    other = make_group(workspace, "other")
    make_endpoint(other, "/it/{key}", inputs={"key": "text"})


def test_an_endpoint_does_not_conflict_with_itself(group: ApiGroup) -> None:
    endpoint = make_endpoint(group, "/it/{id}", inputs={"id": "int"})
    save_draft(endpoint, {**endpoint.draft, "path": "/it/{key}", "inputs": {"key": "int"}})
    publish(endpoint)
    assert endpoint.path == "/it/{key}"


def test_a_name_is_taken_once_in_a_group(group: ApiGroup) -> None:
    create_endpoint(group, DOCUMENT)
    with pytest.raises(Problem):
        create_endpoint(group, DOCUMENT)
    with pytest.raises(Problem):
        create_endpoint(group, {})


def test_what_is_published_switches_as_one(group: ApiGroup) -> None:
    endpoint = make_endpoint(group, "/old", description="Old.", name="old")
    token, revision = version.current(), endpoint.published
    save_draft(
        endpoint, {**endpoint.draft, "name": "new", "path": "/new", "method": "POST", "description": "New."}
    )
    kept = Endpoint.objects.get(pk=endpoint.pk)
    assert (kept.name, kept.method, kept.path, kept.description, kept.published) == (
        "old",
        "GET",
        "/old",
        "Old.",
        revision,
    )
    assert version.current() == token
    publish(endpoint, message="Renamed")
    kept = Endpoint.objects.get(pk=endpoint.pk)
    assert (kept.name, kept.method, kept.path, kept.description) == ("new", "POST", "/new", "New.")
    assert kept.published is not None
    assert (kept.published.number, kept.published.message) == (2, "Renamed")
    assert version.current() != token


def test_an_endpoint_that_never_was_published_shows_its_draft(group: ApiGroup) -> None:
    endpoint = create_endpoint(group, {"name": "bare"})
    save_draft(endpoint, {**endpoint.draft, "name": "full", "method": "PUT", "path": "/x"})
    kept = Endpoint.objects.get(pk=endpoint.pk)
    assert (kept.name, kept.method, kept.path) == ("full", "PUT", "/x")


def test_an_old_revision_comes_back_as_the_draft(group: ApiGroup) -> None:
    endpoint = make_endpoint(group, "/one")
    first = endpoint.published
    assert first is not None
    save_draft(endpoint, {**endpoint.draft, "path": "/two"})
    publish(endpoint)
    assert restore(endpoint, first) == []
    assert endpoint.path == "/two"
    assert endpoint.draft["path"] == "/one"
    publish(endpoint)
    assert endpoint.path == "/one"
    assert Revision.objects.filter(owner_kind="endpoint", owner_id=endpoint.pk).count() == 3


def test_a_deleted_endpoint_leaves_nothing_behind(group: ApiGroup) -> None:
    endpoint = make_endpoint(group, "/one")
    assert find("/api:shop/one").match("GET") is not None
    delete_endpoint(endpoint)
    assert find("/api:shop/one").match("GET") is None
    assert not Revision.objects.filter(owner_kind="endpoint").exists()


@pytest.mark.parametrize("document", [[], "x", None, 7, {"path": {}}, {"inputs": []}, {"lines": {}}])
def test_a_document_of_any_shape_is_checked_without_an_accident(group: ApiGroup, document: Any) -> None:
    endpoint = create_endpoint(group, DOCUMENT)
    assert check(endpoint, document).errors
