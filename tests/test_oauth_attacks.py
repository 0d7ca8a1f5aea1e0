"""What RFC 9700 says about attacks on OAuth, each tried against the real server."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.conf import settings
from django.test import Client

from auth.models import AccessToken
from auth.oauth.applications import register
from stackyard.core.errors import Problem
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_endpoint, make_group, make_workspace
from tests.oauth_clients import (
    BACK,
    MEMBERS,
    PASSWORD,
    VERIFIER,
    Browser,
    Stage,
    call,
    make_stage,
    post,
    values_of,
)

pytestmark = pytest.mark.django_db


def base64url(octets: bytes) -> str:
    """As the parts of a JWT are written."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def test_redirect_addresses_are_compared_letter_by_letter(stage: Stage) -> None:
    tricks = [
        None,
        "",
        "https://client.example/back",
        BACK + "&x=1",
        BACK + "/",
        BACK + "#x",
        BACK.upper(),
        BACK.replace("https", "http"),
        BACK.replace("/back", "/back/../evil"),
        BACK.replace("/back", "/%62ack"),
        BACK.replace("client.example", "client.example:443"),
        BACK.replace("client.example", "client.example.evil.example"),
        BACK.replace("client.example", "evil.example#client.example"),
        BACK.replace("client.example", "client.example@evil.example"),
        BACK.replace("client.example", "evil.example\\client.example"),
        "//evil.example/back",
        "javascript:alert(1)//" + BACK,
        "data:text/html,x",
        f"{BACK} https://evil.example",
    ]
    browser = Browser()
    for trick in tricks:
        answer = browser.asked(stage.ask(redirect_uri=trick))
        # One that is left out is the one that is registered (RFC 6749 §3.1.2.3); the rest is a page, never a redirect.
        assert answer.status_code == (200 if trick is None else 400), trick
        assert "Location" not in answer, trick
    twice = browser.get(f"/oauth/authorize?{_query(stage)}&redirect_uri=https://evil.example")
    assert twice.status_code == 400


def _query(stage: Stage) -> str:
    from urllib.parse import urlencode

    return urlencode(stage.ask())


def test_only_safe_addresses_are_registered(stage: Stage) -> None:
    for good in ("https://a.example/b?c=d", "http://127.0.0.1/x", "http://[::1]:9/x", "com.example.app:/x"):
        assert stage.registered(redirect_uris=[good])
    for bad in (
        *("http://a.example/x", "https://*.a.example/x", "https://a.example/x#y", "https://u:p@a.example/x"),
        *("javascript:alert(1)", "data:text/html,x", "/back", "", "https:///x", "https://a.example:x/"),
        *("https://a.example/x y", "ftp://a.example/x", "https://ä.example/x"),
    ):
        with pytest.raises(Problem):
            stage.registered(redirect_uris=[bad])
    for scopes in (["*"], ["meta"], ["shop:write"], ["Shop"], [""], []):
        with pytest.raises(Problem):
            stage.registered(scopes=scopes)


def test_the_loopback_address_may_have_any_port_and_nothing_else(stage: Stage) -> None:
    native, _ = stage.registered(is_public=True, redirect_uris=["http://127.0.0.1:80/back?a=b"])
    allowed = native.redirect_uri_allowed
    assert allowed("http://127.0.0.1:49152/back?a=b")
    assert allowed("http://127.0.0.1/back?a=b")
    for trick in (
        *("http://localhost:80/back?a=b", "https://127.0.0.1/back?a=b", "http://127.0.0.1/other?a=b"),
        *("http://127.0.0.1/back", "http://127.0.0.1:x/back?a=b", "http://a@127.0.0.1/back?a=b"),
        *("http://127.0.0.1.evil.example/back?a=b", "http://[::1]/back?a=b", "http://127.0.0.1/back?a=b#c"),
    ):
        assert not allowed(trick), trick


def test_a_code_is_good_once_and_its_second_use_ends_what_it_gave(stage: Stage) -> None:
    code = Browser().consents(stage.ask())["code"]
    tokens = stage.exchange(code).json()
    assert call(tokens["access_token"]).status == 200
    again = stage.exchange(code)
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")
    assert call(tokens["access_token"]).status == 401
    assert stage.refresh(tokens["refresh_token"]).status == 400


def test_a_code_is_bound_to_client_address_verifier_and_time(stage: Stage) -> None:
    other, secret = stage.registered()
    wrong: dict[str, dict[str, Any]] = {
        "another client": {"client_id": other.client_id, "client_secret": secret},
        "no proof": {"client_secret": None},
        "wrong proof": {"client_secret": "x"},
        "another address": {"redirect_uri": "https://client.example/back"},
        "no verifier": {"code_verifier": None},
        "wrong verifier": {"code_verifier": VERIFIER[:-1] + "w"},
        "empty verifier": {"code_verifier": ""},
        "another grant": {"grant_type": "password"},
        "implicit": {"grant_type": "token"},
        "device": {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
    }
    for what, change in wrong.items():
        code = Browser().consents(stage.ask())["code"]
        answer = stage.exchange(code, **change)
        assert answer.status in (400, 401, 404), what
        assert "access_token" not in answer.json(), what
    code = Browser().consents(stage.ask())["code"]
    from auth.models import Grant

    Grant.objects.update(expires="2020-01-01T00:00:00Z")
    assert stage.exchange(code).status == 400
    assert not AccessToken.objects.exists()


def test_pkce_cannot_be_left_out_or_weakened(stage: Stage) -> None:
    public, _ = stage.registered(is_public=True)
    for who in (stage.application, public):
        for change in (
            {"code_challenge": None, "code_challenge_method": None},
            {"code_challenge_method": "plain", "code_challenge": VERIFIER},
            {"code_challenge_method": None, "code_challenge": VERIFIER},
            {"code_challenge_method": "S512"},
        ):
            answer = Browser().asked(stage.ask(client_id=who.client_id, **change))
            back = values_of(answer["Location"])
            assert (answer.status_code, back["error"]) == (303, "invalid_request"), change
            assert (back["state"], back["iss"], back["from"]) == ("the-state", settings.PUBLIC_URL, "shop")
    # Nor later, in the hidden fields of the form.
    browser = Browser()
    browser.logged_in(stage.ask())
    page = browser.asked(stage.ask())
    for change in ({"code_challenge": ""}, {"code_challenge_method": "plain", "code_challenge": VERIFIER}):
        back = browser.send_form("/oauth/authorize", page, allow="true", **change)
        assert "code" not in values_of(back["Location"]), change


def test_no_implicit_or_hybrid_answer(stage: Stage) -> None:
    for kind in ("token", "id_token", "code token", "code id_token", "none", ""):
        answer = Browser().asked(stage.ask(response_type=kind, nonce="n"))
        assert answer.status_code in (303, 400), kind
        assert "access_token" not in answer.get("Location", ""), kind
    assert Browser().asked(stage.ask(response_mode="fragment")).status_code in (200, 303)


def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_consent(stage: Stage) -> None:
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json()
    assert call(second["access_token"]).status == 200
    assert stage.refresh(first["refresh_token"]).status == 400
    assert call(second["access_token"]).status == 401
    assert stage.refresh(second["refresh_token"]).status == 400


def test_a_refresh_token_is_bound_to_its_client_and_scopes(stage: Stage) -> None:
    tokens = stage.tokens()
    other, secret = stage.registered()
    stolen = stage.refresh(tokens["refresh_token"], client_id=other.client_id, client_secret=secret)
    assert stolen.json()["error"] == "invalid_grant"
    wider = stage.refresh(tokens["refresh_token"], scope="shop")
    assert wider.json()["error"] == "invalid_scope"
    assert stage.refresh(tokens["access_token"]).status == 400, "an access token is no refresh token"
    assert call(tokens["refresh_token"]).status == 401, "nor the other way round"
    assert stage.refresh(tokens["refresh_token"], scope="shop:read").status == 200


def test_scopes_cannot_be_widened(stage: Stage) -> None:
    for scope in ("*", "meta", "shop admin", "other", "shop:write"):
        answer = Browser().asked(stage.ask(scope=scope))
        assert values_of(answer["Location"])["error"] == "invalid_scope", scope
    browser = Browser()
    narrow, _ = stage.registered(scopes=["shop:read"])
    ask = stage.ask(client_id=narrow.client_id)
    browser.logged_in(ask)
    page = browser.asked(ask)
    for scope in ("shop", "shop/write", "*"):
        back = browser.send_form("/oauth/authorize", page, allow="true", scope=scope)
        assert "code" not in values_of(back.get("Location", "")), scope
    evil = browser.send_form("/oauth/authorize", page, allow="true", redirect_uri="https://evil.example/")
    assert (evil.status_code, "Location" in evil) == (400, False)


def test_a_token_is_good_in_its_own_workspace_only(stage: Stage) -> None:
    other = make_workspace("other")
    create_table(other, "members", fields=MEMBERS)
    Store(load_schema(other.pk)).add("members", {"email": "ann@example.com", "password": PASSWORD})
    make_endpoint(make_group(other, "shop2"), "/who", name="who", auth=["oauth2"], response=1)
    twin = make_group(other, "twin", canonical="twin")
    twin.name = "shop"
    application, secret = register(other, "Other", ["shop", "shop2"], [BACK])
    tokens = stage.tokens(scope="shop")
    assert call(tokens["access_token"], url="/api:shop2/who").status == 401
    proof = {"client_id": application.client_id, "client_secret": secret or ""}
    assert post("/oauth/introspect", {"token": tokens["access_token"], **proof}).json() == {"active": False}
    assert post("/oauth/revoke", {"token": tokens["access_token"], **proof}).status == 200
    assert call(tokens["access_token"]).status == 200, "who did not get a token cannot end it"
    # Somebody who is logged in to one workspace is nobody in another.
    browser = Browser()
    browser.logged_in(stage.ask())
    ask = stage.ask(client_id=application.client_id, scope="shop2")
    assert b'name="password"' in browser.asked(ask).content
    page = browser.asked(stage.ask())
    stolen = browser.send_form(
        "/oauth/authorize", page, allow="true", client_id=application.client_id, scope="shop2"
    )
    assert stolen.status_code == 403


def test_forged_bearers_are_refused(stage: Stage) -> None:
    for text in ("so_", "so_" + "x" * 43, "x", "so_\0", stage.secret, "so_" + "x" * 5000):
        answer = call(text)
        assert answer.status == 401, text
        assert answer.headers["www-authenticate"].startswith('Bearer realm="api"')
    token = stage.tokens()["access_token"]
    assert call("", url=f"/api:shop/who?access_token={token}").status in (400, 401)


def test_tokens_of_one_kind_open_nothing_as_another(stage: Stage) -> None:
    make_endpoint(stage.group, "/any", auth=["api_key", "jwt", "oauth2"], response={"$expr": "auth.kind"})
    tokens = stage.tokens(scope="openid shop:read")
    assert call(tokens["access_token"], url="/api:shop/any").status == 200
    [public] = call("", url="/oauth/jwks").json()["keys"]
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    ours = {**claims, "aud": f"workspace:{stage.workspace.pk}", "sid": "x", "token_type": "access"}
    part = [base64url(json.dumps(one).encode()) for one in ({"alg": "HS256", "kid": public["kid"]}, ours)]
    signed = hmac.digest(public["n"].encode(), ".".join(part).encode(), "sha256")
    for what, token in {
        "an ID token": tokens["id_token"],
        "HS256 by the public key": ".".join([*part, base64url(signed)]),
        "a refresh token": tokens["refresh_token"],
    }.items():
        assert call(token, url="/api:shop/any").status == 401, what
        assert call(token, url="/oauth/userinfo").status == 401, what


def test_the_count_of_wrong_passwords_does_not_tell_who_is_there(stage: Stage) -> None:
    for email in ("ann@example.com", "nobody@example.com"):
        browser = Browser()
        page = browser.asked(stage.ask())
        url = f"/oauth/authorize?{urlencode(stage.ask())}"
        tries = [browser.send_form(url, page, email=email, password="wrong").status_code for _ in range(11)]
        assert tries == [401] * 10 + [429], email


def test_consent_cannot_be_forged_framed_or_remembered(stage: Stage) -> None:
    browser = Browser()
    browser.logged_in(stage.ask())
    page = browser.asked(stage.ask())
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["Content-Security-Policy"].endswith("form-action 'self' https://client.example")
    assert (page["X-Frame-Options"], page["Cache-Control"]) == ("DENY", "no-store")
    form = {**stage.ask(), "allow": "true"}
    assert browser.post("/oauth/authorize", form).status_code == 403, "no CSRF token"
    assert b"Allow Partner?" in browser.asked(stage.ask(approval_prompt="auto")).content
    cookie = browser.cookies["stackyard_oauth"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/oauth/", True, "Lax")
    browser.cookies["stackyard_oauth"] = cookie.value[:-1] + "x"
    assert b'name="password"' in browser.asked(stage.ask()).content


def test_the_login_leads_nowhere_else_and_is_throttled(stage: Stage) -> None:
    browser = Browser()
    ask = {**stage.ask(), "next": "https://evil.example", "prompt": "login"}
    back = browser.logged_in(ask)
    assert back["Location"].startswith("/oauth/authorize?")
    fresh = Browser()
    wrong = [fresh.logged_in(stage.ask(), password="wrong").status_code for _ in range(11)]
    assert wrong == [401] * 10 + [429]
    assert fresh.logged_in(stage.ask()).status_code == 429
    assert "stackyard_oauth" not in fresh.cookies


def test_people_of_the_console_are_nobody_here(stage: Stage) -> None:
    from tests.factories import make_owner

    client = Client()
    client.force_login(make_owner())
    assert b'name="password"' in client.get("/oauth/authorize", stage.ask()).content


def test_bad_input_is_never_a_fault_of_ours(stage: Stage) -> None:
    browser = Browser()
    for ask in (
        {},
        {"client_id": "\0"},
        {"client_id": "x" * 5000},
        stage.ask(state="\0"),
        stage.ask(nonce="\0"),
        stage.ask(scope="\x7f"),
    ):
        assert browser.asked(ask).status_code < 500, ask
    for form in (
        *({}, {"grant_type": "authorization_code"}, {"grant_type": "refresh_token", "refresh_token": "\0"}),
        {"grant_type": "authorization_code", "code": "\0", "client_id": "\0"},
        {"grant_type": "client_credentials", "client_id": stage.application.client_id},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"},
        stage.ask(resource="https://evil.example"),
    ):
        for door in ("token", "revoke", "introspect"):
            assert 400 <= post(f"/oauth/{door}", form).status < 500, (door, form)
            assert 400 <= post(f"/oauth/{door}", form, Authorization="Basic !!!").status < 500, (door, form)
