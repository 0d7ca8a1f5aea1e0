"""Logins with accounts somewhere else, against providers that nobody here wrote, and against our own authorization server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import oidc_provider_mock
import pyotp
import pytest
import requests
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from auth import second_factor
from auth.models import Identity, Provider, SecondFactor, User
from auth.providers import logging_in, setup
from auth.providers.setup import set_up
from endpoints.blueprints import apply_blueprint
from endpoints.models import ApiGroup
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_owner, make_workspace
from tests.oauth_clients import MEMBERS, Browser, make_stage, values_of

pytestmark = pytest.mark.django_db(databases=["default", "history"])
BACK = "https://app.example/back"


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    """The address of an OpenID provider that logs in whoever is named."""
    people = [
        oidc_provider_mock.User(sub="ann", claims={"email": "Ann@example.com", "email_verified": True}),
        oidc_provider_mock.User(sub="eve", claims={"email": "ann@example.com", "email_verified": False}),
        oidc_provider_mock.User(sub="bob", claims={"email": "bob@example.com", "email_verified": "true"}),
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def shop(mock: str, settings: Any, workspace: Workspace) -> ApiGroup:
    """The group of a login, and a provider on this machine."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    settings.OUTBOUND_PORTS = str(urlsplit(mock).port)
    create_table(workspace, "members", fields=MEMBERS)
    set_up(workspace, "mock", "oidc", "the-client", "the-secret", issuer=mock, redirect_uris=[BACK])
    return make_login_group(workspace, "shop")


def make_login_group(workspace: Workspace, name: str) -> ApiGroup:
    """A group with the blueprint's endpoints of a login, and one for who is logged in."""
    group = make_group(workspace, name)
    people = next(iter(load_schema(workspace.pk).tables))
    apply_blueprint(group, "authentication", people, options={"providers": "yes"})
    make_endpoint(group, "/me", auth=["jwt"], response={"$expr": "auth.id"})
    return group


def started(client: Door) -> dict[str, str]:
    """What the app is told."""
    answer = client.get("/api:shop/auth/mock/start")
    assert answer.status == 200, answer.body
    return answer.json()


def at_provider(url: str, who: str) -> dict[str, str]:
    """What the provider sends the person back with."""
    answer = requests.post(url, data={"sub": who}, allow_redirects=False, timeout=10)
    assert answer.status_code in (302, 303), answer.text
    assert answer.headers["Location"].startswith(BACK)
    return values_of(answer.headers["Location"])


def finished(client: Door, back: dict[str, str]) -> Any:
    """The answer to what came back."""
    sent = {name: back[name] for name in ("state", "code", "iss") if name in back}
    return client.post("/api:shop/auth/mock/finish", json=sent)


def test_somebody_new_gets_a_record_and_is_known_again(client: Door, shop: ApiGroup) -> None:
    login = started(client)
    asked = values_of(login["url"])
    assert asked["code_challenge_method"] == "S256"
    assert asked["nonce"]
    assert asked["state"] == login["state"]
    first = finished(client, at_provider(login["url"], "ann")).json()
    assert (first["id"], first["is_new"]) == (1, True)
    headers = {"Authorization": f"Bearer {first['authToken']}"}
    assert client.get("/api:shop/me", headers=headers).json() == 1
    record = Store(load_schema(shop.workspace_id)).get("members", 1)
    assert record is not None
    assert (record["email"], record["email_verified"]) == ("ann@example.com", True)
    Store(load_schema(shop.workspace_id)).patch("members", 1, {"email": "other@example.com"})
    again = finished(client, at_provider(started(client)["url"], "ann")).json()
    assert (again["id"], again["is_new"]) == (1, False), "known by the provider's name, not by the address"


def test_an_account_cannot_be_taken_over(client: Door, shop: ApiGroup) -> None:
    store = Store(load_schema(shop.workspace_id))
    store.add("members", {"email": "ann@example.com", "password": "planted by an attacker"})
    refused = finished(client, at_provider(started(client)["url"], "ann"))
    assert (refused.status, refused.error["code"]) == (409, "EMAIL_TAKEN"), "a record that nobody proved"
    store.patch("members", 1, {"email_verified": True})
    for who in ("eve", "bob"):
        refused = finished(client, at_provider(started(client)["url"], who))
        assert (refused.status, refused.error["code"]) == (403, "EMAIL_NOT_VERIFIED"), who
    assert finished(client, at_provider(started(client)["url"], "ann")).json()["id"] == 1
    store.delete("members", 1)
    assert finished(client, at_provider(started(client)["url"], "ann")).json()["is_new"] is True
    assert Identity.objects.count() == 1


def test_state_code_issuer_and_nonce_are_held_to(
    client: Door, shop: ApiGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = at_provider(started(client)["url"], "ann")
    assert finished(client, back).status == 200
    assert finished(client, back).status == 401, "a state is good once"
    for change in ({"state": "x"}, {"code": "x"}, {"iss": "https://evil.example"}):
        answer = finished(client, {**at_provider(started(client)["url"], "ann"), **change})
        assert (answer.status, answer.error["code"]) == (401, "LOGIN_FAILED"), change
    other = at_provider(started(client)["url"], "ann")
    mixed = {**at_provider(started(client)["url"], "ann"), "code": other["code"]}
    assert finished(client, mixed).status == 401, "a code of another login: PKCE"
    back = at_provider(started(client)["url"], "ann")
    Provider.objects.update(client_id="another-client")
    assert finished(client, back).status == 401, "an ID token for another client"
    Provider.objects.update(client_id="the-client")
    url = started(client)["url"].replace("nonce=", "nonce=x")
    assert finished(client, at_provider(url, "ann")).status == 401, "another nonce"


def test_what_a_provider_may_be(workspace: Workspace, shop: ApiGroup, mock: str) -> None:
    good: dict[str, Any] = {"issuer": mock, "redirect_uris": [BACK]}
    for change in (
        *({"issuer": ""}, {"issuer": "http://id.example"}, {"redirect_uris": []}, {"name": "a-b"}),
        *({"redirect_uris": ["javascript:x"]}, {"preset": "facebook"}, {"client_secret": ""}),
    ):
        asked = {"name": "new", "preset": "oidc", "client_id": "c", "client_secret": "s", **good, **change}
        with pytest.raises(Problem) as refused:
            set_up(workspace, **asked)
        assert refused.value.code == "INVALID_INPUT", change
    with pytest.raises(Problem) as refused:
        set_up(workspace, "mock", "oidc", "c", "s", **good)
    assert refused.value.code == "CONFLICT"
    with pytest.raises(Problem, match=r"another issuer|answered"):
        set_up(workspace, "new", "oidc", "c", "s", issuer=f"{mock}/elsewhere", redirect_uris=[BACK])
    made = set_up(workspace, "octo", "github", "c", "the-client-secret", redirect_uris=[BACK])
    assert "the-client-secret" not in str(Provider.objects.values().get(pk=made.pk))
    asked_page = values_of(logging_in.start(made, BACK)["url"])
    assert (asked_page["scope"], "nonce" in asked_page) == ("read:user user:email", False)
    settings_allow = setup.metadata_of(made)["authorization_endpoint"]
    assert settings_allow.startswith("https://github.com/")


def test_only_registered_pages_and_providers(client: Door, shop: ApiGroup) -> None:
    assert client.get("/api:shop/auth/other/start").status == 404
    assert client.get(f"/api:shop/auth/mock/start?redirect_uri={BACK}").status == 200
    assert client.get("/api:shop/auth/mock/start?redirect_uri=https://evil.example").status == 400
    answer = client.post("/api:shop/auth/mock/finish", json={"state": ["x"], "iss": 7})
    assert (answer.status, {d["field"] for d in answer.error["details"]}) == (400, {"state", "code", "iss"})


def test_the_blueprint_makes_logins_with_providers_when_asked(workspace: Workspace) -> None:
    create_table(workspace, "members", fields=MEMBERS)
    group = make_group(workspace, "shop")
    plain = apply_blueprint(group, "authentication", "members")
    assert not [e.path for e in plain if "{" in e.path]
    more = apply_blueprint(group, "authentication", "members", options={"providers": "yes"})
    assert [(e.method, e.path) for e in more] == [
        ("GET", "/auth/{provider}/start"),
        ("POST", "/auth/{provider}/finish"),
    ]
    with pytest.raises(Problem, match="options"):
        apply_blueprint(group, "authentication", "members", options={"providers": "google"})


def test_the_console_is_entered_with_a_provider(mock: str, settings: Any, db: None) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    settings.OUTBOUND_PORTS = str(urlsplit(mock).port)
    provider = set_up(None, "company", "oidc", "c", "s", issuer=mock, label="Company")
    browser = Client()
    assert b"Sign in with Company" in browser.get("/admin/login/").content

    def back(who: str, into: Client | None = None) -> Any:
        begun = browser.get("/oauth/console/company")
        answer = requests.post(begun["Location"], data={"sub": who}, allow_redirects=False, timeout=10)
        where = urlsplit(answer.headers["Location"])
        return (into or browser).get(f"{where.path}?{where.query}")

    assert back("ann")["Location"] == "/admin/login/", "nobody gets an account by logging in"
    make_owner("ann@example.com")
    assert back("eve")["Location"] == "/admin/login/", "an address that is not proved"
    assert back("ann", Client())["Location"] == "/admin/login/", "another browser"
    assert back("ann")["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200
    account = User.objects.get(email="ann@example.com")
    secret = second_factor.begin(account)
    assert back("ann")["Location"] == "/admin/", (
        "a second factor that was begun and not confirmed asks for nothing"
    )
    second_factor.confirm(account, pyotp.TOTP(secret).now())
    SecondFactor.objects.update(last_step=0)
    assert back("ann")["Location"] == "/admin/code/"
    assert browser.get("/admin/")["Location"].startswith("/admin/login/"), "half of it opens nothing"
    assert browser.post("/admin/code/", {"code": "000000"}).status_code == 200
    assert browser.post("/admin/code/", {"code": pyotp.TOTP(secret).now()})["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200
    second_factor.turn_off(account)
    identity = Identity.objects.get()
    assert (identity.provider, identity.subject) == (provider, "ann")
    identity.account.is_active = False
    identity.account.save()
    assert back("ann")["Location"] == "/admin/login/"


def test_a_provider_is_set_up_and_removed_in_the_console(console: Client, workspace: Workspace) -> None:
    create_table(workspace, "members", fields=MEMBERS)
    form = {
        "workspace": workspace.pk,
        "name": "octo",
        "preset": "github",
        "client_id": "c",
        "client_secret": "the-client-secret",
        "redirect_uris": "javascript:x",
    }
    page = console.post("/admin/accounts/provider/add/", form)
    assert b"is no https address" in page.content
    assert b"the-client-secret" not in page.content
    form["redirect_uris"] = BACK
    assert console.post("/admin/accounts/provider/add/", form).status_code == 302
    made = Provider.objects.get()
    assert BACK.encode() in console.get("/admin/accounts/provider/").content
    assert console.post(f"/admin/accounts/provider/{made.pk}/remove/").status_code == 302
    assert not Provider.objects.exists()


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_one_workspace_logs_people_in_to_another(live_server: Any, settings: Any) -> None:
    """Our client against our own server: the people of one workspace log in to the app of another."""
    here = settings.PUBLIC_URL = live_server.url
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_PORTS = ["127.0.0.0/8"], str(urlsplit(here).port)
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "OIDC_ISS_ENDPOINT": here}
    people = make_stage()
    known, secret = people.registered(scopes=["openid", "email"], redirect_uris=[BACK])
    company = make_workspace("company")
    create_table(company, "visitors", fields=MEMBERS)
    make_login_group(company, "app")
    set_up(company, "shop", "oidc", known.client_id, secret, issuer=here, redirect_uris=[BACK])
    app = Door(WSGIHandler())

    def logged_in(**change: str) -> Any:
        begun = app.get("/api:app/auth/shop/start").json()
        back = Browser().consents(values_of(begun["url"]))
        assert (back["iss"], back["state"]) == (here, begun["state"])
        return app.post("/api:app/auth/shop/finish", json={**back, **change})

    first, again = logged_in(), logged_in()
    assert [(a.json()["id"], a.json()["is_new"]) for a in (first, again)] == [(1, True), (1, False)]
    headers = {"Authorization": f"Bearer {again.json()['authToken']}"}
    assert app.get("/api:app/me", headers=headers).json() == 1
    assert app.get("/api:shop/who", headers=headers).status == 401, "a login of the other workspace"
    record = Store(load_schema(company.pk)).get("visitors", 1)
    assert record is not None
    assert (record["email"], record["email_verified"]) == ("ann@example.com", True)
    ann = User.objects.get(workspace=people.workspace)
    assert Identity.objects.get().subject == f"{ann.table_id}:{ann.record_id}"
    for change in ({"iss": f"{here}/other"}, {"code": "x"}):
        refused = logged_in(**change)
        assert (refused.status, refused.error["code"]) == (401, "LOGIN_FAILED"), change
    Store(load_schema(people.workspace.pk)).patch("members", 1, {"email_verified": False})
    Identity.objects.all().delete()
    assert logged_in().error["code"] == "EMAIL_NOT_VERIFIED"
