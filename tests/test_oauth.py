"""The authorization server as independent clients see it: Authlib and requests-oauthlib, in this process."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from joserfc import jwt
from joserfc.jwk import KeySet
from requests_oauthlib import OAuth2Session as OtherSession

from auth.models import AccessToken, Grant, RefreshToken
from auth.oauth import applications
from auth.oauth.ending import prune
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.doors import Door
from tests.oauth_clients import BACK, Browser, Stage, call, in_process, make_stage, post, values_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return make_stage()


@pytest.fixture
def found() -> dict[str, Any]:
    """The metadata document."""
    answer = Door(_wsgi()).get("/.well-known/oauth-authorization-server")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def _wsgi() -> Any:
    from django.core.handlers.wsgi import WSGIHandler

    return WSGIHandler()


def test_authlib_gets_tokens_calls_refreshes_and_revokes(stage: Stage, found: dict[str, Any]) -> None:
    client = in_process(
        OAuth2Session(
            stage.application.client_id,
            stage.secret,
            scope="shop",
            redirect_uri=BACK,
            code_challenge_method="S256",
            token_endpoint=found["token_endpoint"],
        )
    )
    verifier = "x" * 64
    url, state = client.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier)
    back = Browser().consents(values_of(url))
    assert back == {"code": back["code"], "state": state, "iss": found["issuer"], "from": "shop"}
    response = f"{BACK}&code={back['code']}&state={state}"
    token = client.fetch_token(authorization_response=response, code_verifier=verifier)
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 3600, "shop")
    who = client.get(f"{settings.PUBLIC_URL}/api:shop/who").json()
    extras = {"client_id": stage.application.client_id}
    assert who == {"id": 1, "kind": "user", "table": "members", "extras": extras}
    older = token["access_token"]
    newer = client.refresh_token(found["token_endpoint"])
    assert newer["access_token"] != older
    assert client.post(f"{settings.PUBLIC_URL}/api:shop/who").status_code == 200
    told = client.introspect_token(found["introspection_endpoint"], token=newer["access_token"]).json()
    assert told["active"]
    assert (told["sub"].split(":")[1], told["aud"]) == ("1", f"workspace:{stage.workspace.pk}")
    assert client.revoke_token(found["revocation_endpoint"], token=newer["refresh_token"]).status_code == 200
    for ended in (older, newer["access_token"]):
        assert call(ended).status == 401


def test_requests_oauthlib_does_the_same_for_a_public_application(
    stage: Stage, found: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    application, _ = stage.registered(
        is_public=True, redirect_uris=["http://127.0.0.1/back", "com.example.app:/back"]
    )
    client = in_process(
        OtherSession(
            application.client_id, scope=["shop"], redirect_uri="http://127.0.0.1:5123/back", pkce="S256"
        )
    )
    url, state = client.authorization_url(found["authorization_endpoint"])
    back = Browser().consents(values_of(url))
    response = f"http://127.0.0.1:5123/back?code={back['code']}&state={state}"
    token = client.fetch_token(
        found["token_endpoint"], authorization_response=response, include_client_id=True
    )
    assert client.get(f"{settings.PUBLIC_URL}/api:shop/who").status_code == 200
    again = client.refresh_token(found["token_endpoint"], client_id=application.client_id)
    assert again["refresh_token"] != token["refresh_token"]
    assert call(again["access_token"]).status == 200


def test_a_program_acts_for_itself(stage: Stage, found: dict[str, Any]) -> None:
    application, secret = stage.registered(grant=applications.CLIENT, redirect_uris=[])
    client = in_process(OAuth2Session(application.client_id, secret, scope="shop:read"))
    token = client.fetch_token(found["token_endpoint"], grant_type="client_credentials")
    assert "refresh_token" not in token
    who = client.get(f"{settings.PUBLIC_URL}/api:shop/who").json()
    assert (who["kind"], who["id"]) == ("client", application.pk)
    assert call(token["access_token"], "POST").status == 403
    assert [c.person for c in applications.consents(application)] == ["Another"]


def test_the_document_says_what_holds(found: dict[str, Any]) -> None:
    assert found["issuer"] == settings.PUBLIC_URL
    assert found["response_types_supported"] == ["code"]
    assert found["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert Door(_wsgi()).get("/.well-known/openid-configuration").json() == found


def test_it_tells_who_somebody_is(stage: Stage, found: dict[str, Any]) -> None:
    tokens = stage.tokens(scope="openid email", nonce="n-1")
    keys = KeySet.import_key_set(Door(_wsgi()).get("/oauth/jwks").json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["iss"] == found["issuer"]
    assert (claims["aud"], claims["nonce"]) == (stage.application.client_id, "n-1")
    assert (claims["email"], claims["email_verified"]) == ("ann@example.com", True)
    token = tokens["access_token"]
    assert call(token, url="/oauth/userinfo").json()["sub"] == claims["sub"]
    proof = {"client_id": stage.application.client_id, "client_secret": stage.secret}
    told = post("/oauth/introspect", {"token": token, **proof}).json()
    assert (told["sub"], told["iss"]) == (claims["sub"], claims["iss"])
    assert call(token).status == 403, "who somebody is opens no endpoint"


def test_no_token_or_code_is_stored(stage: Stage) -> None:
    code = Browser().consents(stage.ask())["code"]
    tokens = stage.exchange(code).json()
    kept = [*Grant.objects.values(), *AccessToken.objects.values(), *RefreshToken.objects.values()]
    kept.append(type(stage.application).objects.values().get(pk=stage.application.pk))
    assert not [
        secret
        for secret in (code, tokens["access_token"], tokens["refresh_token"], stage.secret)
        if secret in str(kept)
    ]


def test_scopes_say_what_a_token_opens(stage: Stage) -> None:
    reading = stage.tokens()["access_token"]
    assert call(reading).status == 200
    refused = call(reading, "POST")
    assert refused.status == 403
    assert refused.headers["www-authenticate"].endswith('error="insufficient_scope", scope="shop"')
    single = stage.tokens(scope="shop/write")["access_token"]
    assert (call(single, "POST").status, call(single).status) == (200, 403)
    whole = stage.tokens(scope=None)
    assert whole["scope"] == "shop openid email", "who names none asks for all that the application may"
    applications.change(stage.application, "Partner", ["shop:read"], [BACK])
    assert (call(whole["access_token"]).status, call(whole["access_token"], "POST").status) == (200, 403)


def test_what_ends_a_consent(stage: Stage) -> None:
    store = Store(load_schema(stage.workspace.pk))
    tokens = stage.tokens()
    consent = applications.consents(stage.application)[0]
    assert (consent.person, consent.scopes) == ("ann@example.com", ["shop:read"])
    applications.end_consent(stage.application, consent.family)
    assert call(tokens["access_token"]).status == 401
    assert stage.refresh(tokens["refresh_token"]).status == 400
    tokens = stage.tokens()
    store.patch("members", 1, {"email_verified": False})
    assert call(tokens["access_token"]).status == 200
    store.patch("members", 1, {"password": "another horse battery"})
    assert call(tokens["access_token"]).status == 401
    store.patch("members", 1, {"password": "correct horse battery"})
    tokens = stage.tokens()
    applications.revoke(stage.application)
    assert call(tokens["access_token"]).status == 401
    assert Browser().asked(stage.ask()).status_code == 400
    assert stage.refresh(tokens["refresh_token"]).status == 401


def test_a_record_that_goes_takes_its_consents_with_it(stage: Stage) -> None:
    tokens = stage.tokens()
    Store(load_schema(stage.workspace.pk)).delete("members", 1)
    assert call(tokens["access_token"]).status == 401
    assert stage.refresh(tokens["refresh_token"]).status == 400


def test_what_is_good_for_nothing_is_forgotten(stage: Stage) -> None:
    from datetime import UTC, datetime, timedelta

    stage.refresh(stage.tokens()["refresh_token"])
    assert prune() == 0
    assert prune(datetime.now(UTC) + timedelta(days=32)) > 0
    assert not Grant.objects.exists()


def test_a_person_who_denies_and_one_who_leaves(stage: Stage) -> None:
    browser = Browser()
    assert browser.consents(stage.ask(), allow=False)["error"] == "access_denied"
    page = browser.asked(stage.ask())
    csrf = browser.cookies["csrftoken"].value
    browser.post("/oauth/leave?client_id=x", {"csrfmiddlewaretoken": csrf})
    assert b'name="password"' in browser.asked(stage.ask()).content
    assert b"ann@example.com" in page.content


def test_introspection_is_for_applications_of_the_workspace(stage: Stage) -> None:
    token = stage.tokens()["access_token"]
    proof = {"client_id": stage.application.client_id, "client_secret": stage.secret}
    assert post("/oauth/introspect", {"token": token, **proof}).json()["active"] is True
    assert post("/oauth/introspect", {"token": "so_nothing", **proof}).json() == {"active": False}
    assert post("/oauth/introspect", {"token": token}).status == 401
    assert post("/oauth/introspect", {"token": token, **proof, "client_secret": "x"}).status == 401
