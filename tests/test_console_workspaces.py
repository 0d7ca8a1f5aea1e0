"""Workspaces, variables, API groups and keys in the console."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from auth.keys import find_key
from auth.models import ApiKey
from endpoints.models import ApiGroup
from stackyard.core import version
from stackyard.core.models import Variable, Workspace
from stackyard.core.secrets import Secret
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])

GROUP = {"docs": "public", "unknown_inputs": "refuse", "timestamps": "iso", "active": "on", "cors": "{}"}


def test_a_workspace_is_made_and_changed(console: Client) -> None:
    made = console.post("/admin/core/workspace/add/", {"name": "shop", "timezone": "UTC"})
    assert made.status_code == 302
    shop = Workspace.objects.get(name="shop")
    before = version.current()
    page = f"/admin/core/workspace/{shop.pk}/change/"
    assert console.post(page, {"name": "shop", "timezone": "Europe/Berlin"}).status_code == 302
    shop.refresh_from_db()
    assert shop.timezone == "Europe/Berlin"
    assert version.current() != before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "My Shop", "timezone": "UTC"}, "beginning with a letter"),
        ({"name": "shop", "timezone": "Mars/Olympus"}, "There is no time zone"),
        ({"name": "taken", "timezone": "UTC"}, "already exists"),
        ({}, "This field is required"),
    ],
)
def test_a_wrong_workspace_says_why(console: Client, values: dict[str, str], said: str) -> None:
    factories.make_workspace("taken")
    answer = console.post("/admin/core/workspace/add/", values)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert Workspace.objects.count() == 1


def test_a_workspace_cannot_be_deleted_here(console: Client) -> None:
    shop = factories.make_workspace()
    assert console.post(f"/admin/core/workspace/{shop.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_secret_goes_in_and_never_comes_out(console: Client) -> None:
    shop = factories.make_workspace()
    canary = "canary-7261"
    console.post(
        "/admin/core/variable/add/",
        {"workspace": shop.pk, "name": "STRIPE_KEY", "is_secret": "on", "value": canary},
    )
    variable = Variable.objects.get(name="STRIPE_KEY")
    assert variable.value == Secret(canary)
    page = f"/admin/core/variable/{variable.pk}/change/"
    for address in ("/admin/core/variable/", page, f"/admin/core/variable/{variable.pk}/history/"):
        assert canary not in console.get(address).content.decode()
    # An empty value keeps what is stored; a new one replaces it; it stays a secret.
    assert console.post(page, {"name": "STRIPE_KEY", "description": "x", "value": ""}).status_code == 302
    variable.refresh_from_db()
    assert variable.value == Secret(canary)
    console.post(page, {"name": "STRIPE_KEY", "value": "other"})
    variable.refresh_from_db()
    assert variable.is_secret
    assert variable.value == Secret("other")


def test_a_plain_variable_is_shown_and_changed(console: Client) -> None:
    shop = factories.make_workspace()
    console.post("/admin/core/variable/add/", {"workspace": shop.pk, "name": "CITY", "value": "Berlin"})
    variable = Variable.objects.get()
    page = f"/admin/core/variable/{variable.pk}/change/"
    assert "Berlin" in console.get(page).content.decode()
    assert console.post(page, {"name": "CITY", "value": ""}).status_code == 302
    variable.refresh_from_db()
    assert variable.value == ""
    assert console.post(f"/admin/core/variable/{variable.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Variable.objects.exists()


def test_a_variable_with_a_taken_or_wrong_name_says_so(console: Client) -> None:
    shop = factories.make_workspace()
    values = {"workspace": shop.pk, "name": "CITY", "value": "x"}
    console.post("/admin/core/variable/add/", values)
    again = console.post("/admin/core/variable/add/", values)
    assert again.status_code == 200
    assert "errorlist" in again.content.decode()
    small = console.post("/admin/core/variable/add/", {**values, "name": "city"})
    assert "Use A-Z" in small.content.decode()


def test_a_group_is_made_and_leads_to_its_endpoints(console: Client) -> None:
    shop = factories.make_workspace()
    values = {**GROUP, "workspace": shop.pk, "name": "shop", "canonical": "shop", "mount": "v1"}
    assert console.post("/admin/endpoints/apigroup/add/", values).status_code == 302
    group = ApiGroup.objects.get()
    text = console.get(f"/admin/endpoints/apigroup/{group.pk}/change/").content.decode()
    assert "/apidoc:shop" in text
    assert f"group__id__exact={group.pk}" in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"canonical": "meta"}, "meta is taken"),
        ({"mount": "/v1/"}, "Use one or more segments"),
        ({"canonical": "taken"}, "already exists"),
        ({"cors": "{nonsense"}, "valid JSON"),
        ({"deprecated_at": "2026-02-01T00:00", "sunset_at": "2026-01-01T00:00"}, "sunset"),
        ({"deprecated_at": "yesterday"}, "valid date/time"),
    ],
)
def test_a_wrong_group_says_why(console: Client, changed: dict[str, str], said: str) -> None:
    shop = factories.make_workspace()
    ApiGroup.objects.create(workspace=shop, name="other", canonical="taken")
    values = {**GROUP, "workspace": shop.pk, "name": "shop", "canonical": "shop", **changed}
    answer = console.post("/admin/endpoints/apigroup/add/", values)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert ApiGroup.objects.count() == 1


def test_deleting_a_group_takes_its_endpoints_along(console: Client) -> None:
    group = factories.make_group(factories.make_workspace())
    factories.make_endpoint(group)
    page = f"/admin/endpoints/apigroup/{group.pk}/delete/"
    assert "endpoint" in console.get(page).content.decode().lower()
    assert console.post(page, {"post": "yes"}).status_code == 302
    assert not ApiGroup.objects.exists()


def test_a_key_is_shown_once_and_works(console: Client) -> None:
    shop = factories.make_workspace()
    answer = console.post(
        "/admin/accounts/apikey/add/", {"workspace": shop.pk, "name": "n8n", "scopes": "shop, shop-v2:read"}
    )
    found = re.search(r'id="key-text"[^>]*>(sy_[^<]+)</pre>', answer.content.decode())
    assert found is not None
    key = find_key(found[1])
    assert key is not None
    assert key.scopes == {"shop", "shop-v2:read"}
    row = ApiKey.objects.get()
    for address in ("/admin/accounts/apikey/", f"/admin/accounts/apikey/{row.pk}/change/", "/admin/"):
        assert found[1] not in console.get(address).content.decode()


def test_a_key_is_changed_and_revoked(console: Client) -> None:
    shop = factories.make_workspace()
    text = factories.make_key(shop)
    row = ApiKey.objects.get()
    page = f"/admin/accounts/apikey/{row.pk}/change/"
    assert "sy_" in console.get(page).content.decode()
    assert console.post(page, {"scopes": "shop:read", "expires_at": "2999-01-01T00:00"}).status_code == 302
    found = find_key(text)
    assert found is not None
    assert found.scopes == {"shop:read"}
    assert "Yes, revoke" in console.get(f"/admin/accounts/apikey/{row.pk}/revoke/").content.decode()
    assert find_key(text) is not None
    assert console.post(f"/admin/accounts/apikey/{row.pk}/revoke/").status_code == 302
    assert find_key(text) is None


@pytest.mark.parametrize("scopes", ["", "NO", "shop:write", "<b>"])
def test_a_wrong_scope_says_why(console: Client, scopes: str) -> None:
    shop = factories.make_workspace()
    answer = console.post(
        "/admin/accounts/apikey/add/", {"workspace": shop.pk, "name": "n8n", "scopes": scopes}
    )
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert "<b>" not in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_hostile_names_are_shown_as_text(console: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    shop = factories.make_workspace(description=hostile)
    console.post("/admin/accounts/apikey/add/", {"workspace": shop.pk, "name": hostile, "scopes": "*"})
    console.post("/admin/core/variable/add/", {"workspace": shop.pk, "name": "CITY", "value": hostile})
    for address in ("/admin/core/workspace/", "/admin/accounts/apikey/", "/admin/core/variable/"):
        text = console.get(address).content.decode()
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text
