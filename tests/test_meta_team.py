"""The people of a workspace by the management API: the same deeds as on the Team page."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from auth import second_factor
from auth.models import Invitation, Membership, User
from stackyard.core.models import Workspace
from tests import factories
from tests.doors import Door
from tests.test_meta_core import session_door

pytestmark = pytest.mark.django_db(databases=["default", "history"])
ONE = "/api:meta/workspaces/shop"


@pytest.fixture
def shop(settings: Any, tmp_path: Any) -> Workspace:
    settings.HOME = tmp_path
    return factories.make_workspace("shop")


def door_of(account: User) -> Door:
    """The management API as somebody who is signed in to the console."""
    browser = Client()
    browser.force_login(account)
    return session_door(browser, WSGIHandler())


def test_somebody_is_invited_joins_gets_another_role_and_goes(shop: Workspace) -> None:
    ann = factories.make_member(shop, "owner", "ann@example.com")
    owner = door_of(ann)
    made = owner.post(f"{ONE}/invitations", json={"email": " Bob@Example.com ", "role": "builder"})
    assert made.status == 201
    [sent] = mail.outbox
    assert (made.json()["email"], sent.to) == ("bob@example.com", ["bob@example.com"])
    assert made.json()["link"] in sent.body
    listed = owner.get(f"{ONE}/invitations").json()["items"]
    assert [(one["email"], one["role"], "link" in one) for one in listed] == [
        ("bob@example.com", "builder", False)
    ]
    path = "/" + made.json()["link"].partition("://")[2].partition("/")[2]
    browser = Client()
    assert browser.post(path, {"name": "Bob", "password": "a-long-password"}).status_code == 302
    bob = session_door(browser, WSGIHandler())
    assert owner.get(f"{ONE}/invitations").json()["items"] == []
    first, second = owner.get(f"{ONE}/members").json()["items"]
    assert (first["email"], first["role"], first["two_factor"]) == ("ann@example.com", "owner", False)
    assert (second["email"], second["name"], second["role"]) == ("bob@example.com", "Bob", "builder")
    second_factor.begin(User.objects.get(email="bob@example.com"))
    him = f"{ONE}/members/{second['id']}"
    assert owner.get(him).json() == second, "a second factor that is not confirmed asks for nothing"
    assert bob.post(f"{ONE}/tables", json={"name": "things"}).status == 201
    assert owner.patch(him, json={"role": "viewer"}).json()["role"] == "viewer"
    assert bob.post(f"{ONE}/tables", json={"name": "more"}).status == 403, "from the next request on"
    assert owner.delete(him).status == 204
    assert bob.get(ONE).status == 404
    assert owner.get(him).status == 404


def test_what_the_deeds_refuse(shop: Workspace) -> None:
    ann = factories.make_member(shop, "owner", "ann@example.com")
    owner, other = door_of(ann), factories.make_workspace("other")
    me = f"{ONE}/members/{Membership.objects.get().pk}"
    for refused in (owner.patch(me, json={"role": "viewer"}), owner.delete(me)):
        assert (refused.status, refused.error["code"]) == (409, "CONFLICT"), "the last owner"
    bad = owner.post(f"{ONE}/invitations", json={"email": "nobody", "role": "king", "more": 1})
    assert bad.status == 400
    assert {detail["field"] for detail in bad.error["details"]} >= {"role", "more"}
    assert owner.post(f"{ONE}/invitations", json={"email": "nobody", "role": "owner"}).status == 400
    again = owner.post(f"{ONE}/invitations", json={"email": "ann@example.com", "role": "viewer"})
    assert again.status == 409, "a member already"
    theirs = factories.make_member(other, "owner", "eve@example.com").memberships.get()
    offer = Invitation.objects.create(
        workspace=other, email="x@example.com", role="viewer", digest="x", expires_at=theirs.created_at
    )
    assert owner.patch(f"{ONE}/members/{theirs.pk}", json={"role": "viewer"}).status == 404
    assert owner.delete(f"{ONE}/members/{theirs.pk}").status == 404
    assert owner.delete(f"{ONE}/invitations/{offer.pk}").status == 404
    assert Membership.objects.get(pk=theirs.pk).role == "owner"
    assert not mail.outbox
