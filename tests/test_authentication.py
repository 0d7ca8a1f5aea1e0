"""The people of a built API: they sign up, log in, and are known; tokens end when they should, and forged ones do nothing."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import jwt
import pytest
from django.core import mail as outbox

from auth import families, signing_keys
from auth.login_throttle import Tries
from auth.models import OneTimeToken, TokenFamily, User
from auth.tokens import Holder
from endpoints.blueprints import apply_blueprint
from endpoints.models import ApiGroup
from stackyard.core import cache
from stackyard.core.cache_stores import FileStore
from stackyard.core.client_address import counted_as
from stackyard.core.errors import Problem
from stackyard.core.masking import masker_of
from stackyard.core.models import Workspace
from stackyard.core.secrets import MASK
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_workspace

pytestmark = pytest.mark.django_db(databases=["default", "history"])

MEMBERS: dict[str, Any] = {
    "name": {"type": "text", "required": True},
    "email": {"type": "email", "required": True, "unique": True},
    "password": {"type": "password", "required": True},
    "email_verified": {"type": "bool", "default": False},
}
ANN = {"name": "Ann", "email": "ann@example.com", "password": "correct horse"}
LOGIN = {"email": ANN["email"], "password": ANN["password"]}


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    """A group with the blueprint over a table of members."""
    create_table(workspace, "members", fields=MEMBERS)
    made = make_group(workspace)
    apply_blueprint(
        made, "authentication", "members", options={"reset_url": "https://app.example/new?token="}
    )
    return made


@pytest.fixture(autouse=True)
def fresh_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Wrong passwords of other tests, whose records had the same ids, do not count here."""
    store = FileStore(tmp_path / "cache.sqlite3")
    monkeypatch.setattr(cache, "_open", lambda _url, _home: store)


def auth(tokens: dict[str, str]) -> dict[str, str]:
    """The header of a call."""
    return {"Authorization": f"Bearer {tokens['authToken']}"}


def signed_up(client: Door) -> dict[str, str]:
    """Ann's first tokens."""
    answer = client.post("/api:shop/auth/signup", json=ANN)
    assert answer.status == 201, answer.body
    return dict(answer.json())


def me(client: Door, tokens: dict[str, str]) -> int:
    """The status of asking who one is."""
    return client.get("/api:shop/auth/me", headers=auth(tokens)).status


def test_one_signs_up_logs_in_and_is_known(client: Door, group: ApiGroup) -> None:
    first = signed_up(client)
    second = client.post("/api:shop/auth/login", json=LOGIN)
    assert second.status == 200
    assert set(second.json()) == {"authToken", "refreshToken"}
    for tokens in (first, second.json()):
        answer = client.get("/api:shop/auth/me", headers=auth(tokens))
        assert answer.status == 200
        assert {"name": "Ann", "email": ANN["email"]}.items() <= answer.json().items()
        assert "password" not in answer.json()
    shadow = User.objects.get(record_id=1)
    assert (shadow.is_staff, shadow.email, shadow.has_usable_password()) == (False, None, False)


def test_what_is_wrong_with_a_login_is_not_told(client: Door, group: ApiGroup) -> None:
    signed_up(client)
    answers = [
        client.post("/api:shop/auth/login", json={**LOGIN, **wrong})
        for wrong in ({"password": "wrong horse"}, {"email": "bob@example.com"})
    ]
    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].error["message"] == answers[1].error["message"]
    again = client.post("/api:shop/auth/signup", json=ANN)
    assert (again.status, again.error["code"]) == (409, "EMAIL_TAKEN")
    short = client.post("/api:shop/auth/signup", json={**ANN, "email": "b@example.com", "password": "short"})
    assert (short.status, short.error["details"][0]["field"]) == (400, "password")


def test_ten_wrong_passwords_are_enough(client: Door, group: ApiGroup) -> None:
    signed_up(client)
    wrong = {**LOGIN, "password": "wrong horse"}
    statuses = [client.post("/api:shop/auth/login", json=wrong).status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    stopped = client.post("/api:shop/auth/login", json=LOGIN)
    assert (stopped.status, stopped.headers["retry-after"]) == (429, "900")


def test_the_count_of_wrong_passwords_does_not_tell_who_is_there(client: Door, group: ApiGroup) -> None:
    signed_up(client)
    for email in (ANN["email"], "nobody@example.com"):
        wrong = {"email": email, "password": "wrong horse"}
        statuses = [client.post("/api:shop/auth/login", json=wrong).status for _ in range(11)]
        assert statuses == [401] * 10 + [429], email
    assert client.post("/api:shop/auth/login", json={**LOGIN, "email": "third@example.com"}).status == 401


def test_one_network_of_ipv6_is_one_caller() -> None:
    many = [Tries(Holder(1, 1, n + 1), f"2001:db8:0:1::{n:x}") for n in range(51)]
    for tries in many[:50]:
        tries.check()
        tries.failed()
    with pytest.raises(Problem, match="Too many"):
        many[50].check()
    Tries(Holder(1, 1, 60), "2001:db8:0:2::1").check()
    assert counted_as("::ffff:192.0.2.7") == "192.0.2.7"
    assert [counted_as(one) for one in ("192.0.2.7", "a:b", "")] == ["192.0.2.7", "a:b", ""]


def test_a_mail_server_that_fails_does_not_tell_who_is_there(
    client: Door, group: ApiGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_up(client)

    def away(_message: Any) -> None:
        raise OSError("the mail server is away")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)
    for email in (ANN["email"], "nobody@example.com"):
        answer = client.post("/api:shop/auth/password/forgot", json={"email": email})
        assert (answer.status, answer.json()) == (200, {"sent": True}), email


def test_what_was_sent_to_an_address_proves_no_other(
    client: Door, group: ApiGroup, workspace: Workspace
) -> None:
    """Else somebody signs up as himself, takes the address of another, and has it proved before its owner comes."""
    signed_up(client)
    proof = sent_token()
    client.post("/api:shop/auth/password/forgot", json={"email": ANN["email"]})
    reset = sent_token()
    store = Store(load_schema(workspace.pk))
    store.patch("members", 1, {"email": "victim@example.com"})
    refused = client.post("/api:shop/auth/email/check", json={"token": proof})
    assert refused.error["code"] == "TOKEN_NOT_VALID"
    new = {"token": reset, "password": "battery staple"}
    assert client.post("/api:shop/auth/password/reset", json=new).error["code"] == "TOKEN_NOT_VALID"
    assert store.get("members", 1)["email_verified"] is False  # type: ignore[index]
    assert MASK in masker_of(workspace.pk).hide(f"/reset?token={proof}")


def test_a_refresh_token_is_exchanged_once(client: Door, group: ApiGroup) -> None:
    first = signed_up(client)
    given = {"refreshToken": first["refreshToken"]}
    second = client.post("/api:shop/auth/refresh", json=given).json()
    assert me(client, first) == me(client, second) == 200
    other = client.post("/api:shop/auth/login", json=LOGIN).json()
    stolen = client.post("/api:shop/auth/refresh", json=given)
    assert stolen.status == 401
    # The copy is known: nobody keeps what came of that sign-in, other sign-ins stay.
    assert me(client, first) == me(client, second) == 401
    assert client.post("/api:shop/auth/refresh", json={"refreshToken": second["refreshToken"]}).status == 401
    assert me(client, other) == 200


def test_logging_out_ends_this_sign_in(client: Door, group: ApiGroup) -> None:
    here, there = signed_up(client), client.post("/api:shop/auth/login", json=LOGIN).json()
    assert me(client, here) == 200
    assert client.post("/api:shop/auth/logout", headers=auth(here)).status == 200
    assert (me(client, here), me(client, there)) == (401, 200)
    assert client.post("/api:shop/auth/refresh", json={"refreshToken": here["refreshToken"]}).status == 401


def sent_token() -> str:
    """The token in the e-mail that was sent last."""
    found = re.search(r"ot_[\w-]+", outbox.outbox[-1].body)
    assert found is not None
    return found[0]


def test_a_password_is_reset_by_e_mail(client: Door, group: ApiGroup) -> None:
    before = signed_up(client)
    asked = [
        client.post("/api:shop/auth/password/forgot", json={"email": email})
        for email in (ANN["email"], "nobody@example.com")
    ]
    assert asked[0].json() == asked[1].json() == {"sent": True}
    token = sent_token()
    assert f"https://app.example/new?token={token}" in outbox.outbox[-1].body
    new = {"token": token, "password": "battery staple"}
    after = client.post("/api:shop/auth/password/reset", json=new)
    assert after.status == 200
    assert (me(client, before), me(client, after.json())) == (401, 200)
    assert client.post("/api:shop/auth/password/reset", json=new).error["code"] == "TOKEN_NOT_VALID"
    assert client.post("/api:shop/auth/login", json=LOGIN).status == 401
    assert client.post("/api:shop/auth/login", json={**LOGIN, "password": "battery staple"}).status == 200


def test_an_address_is_proved_by_e_mail(client: Door, group: ApiGroup) -> None:
    tokens = signed_up(client)
    proof = sent_token()
    assert client.get("/api:shop/auth/me", headers=auth(tokens)).json()["email_verified"] is False
    wrong = client.post("/api:shop/auth/password/reset", json={"token": proof, "password": "battery staple"})
    assert wrong.status == 400, "a token for one purpose is good for no other"
    assert client.post("/api:shop/auth/email/check", json={"token": proof}).status == 200
    assert client.get("/api:shop/auth/me", headers=auth(tokens)).json()["email_verified"] is True
    assert client.post("/api:shop/auth/email/send", headers=auth(tokens)).status == 200
    assert sent_token() != proof


def test_a_record_that_goes_or_gets_a_password_elsewhere_is_logged_out(client: Door, group: ApiGroup) -> None:
    store = Store(load_schema(group.workspace_id))
    tokens = signed_up(client)
    store.patch("members", 1, {"name": "Anna"})
    assert me(client, tokens) == 200
    store.patch("members", 1, {"password": "another horse"})
    assert me(client, tokens) == 401
    again = client.post("/api:shop/auth/login", json={**LOGIN, "password": "another horse"}).json()
    assert me(client, again) == 200
    store.delete("members", 1)
    assert me(client, again) == 401


def forged(claims: dict[str, Any], key: str, algorithm: str = "HS256", **header: Any) -> dict[str, str]:
    """Tokens whose access token somebody else made."""
    return {"authToken": jwt.encode(claims, key, algorithm, header)}


def unsigned(token: str, algorithm: str) -> dict[str, str]:
    """A token's claims with no signature, under a header that says so."""
    header = (
        base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).decode().rstrip("=")
    )
    return {"authToken": f"{header}.{token.split('.')[1]}."}


def test_forged_and_confused_tokens_are_refused(client: Door, group: ApiGroup) -> None:
    tokens = signed_up(client)
    keys = signing_keys.current.get()
    secret = keys.secrets[keys.signing]
    good = jwt.decode(tokens["authToken"], options={"verify_signature": False})
    kid = {"kid": keys.signing}
    assert me(client, forged(good, secret, **kid)) == 200, "the forger below has all but one thing right"
    wrong: dict[str, dict[str, str]] = {
        "none": unsigned(tokens["authToken"], "none"),
        "None": unsigned(tokens["authToken"], "NoNe"),
        "other key": forged(good, "x" * 43, **kid),
        "no kid": forged(good, secret),
        "kid elsewhere": forged(good, secret, kid="../tokens"),
        "other algorithm": forged(good, secret, "HS512", **kid),
        "refresh as access": {"authToken": tokens["refreshToken"]},
        "text exp": forged({**good, "exp": str(good["exp"])}, secret, **kid),
        "float exp": forged({**good, "exp": good["exp"] + 0.5}, secret, **kid),
        "no exp": forged({k: v for k, v in good.items() if k != "exp"}, secret, **kid),
        "expired": forged({**good, "exp": int(time.time()) - 1}, secret, **kid),
        "other audience": forged({**good, "aud": "workspace:0"}, secret, **kid),
        "other issuer": forged({**good, "iss": "https://evil.example"}, secret, **kid),
        "subject no ids": forged({**good, "sub": "members:ann"}, secret, **kid),
        "three parts of nothing": {"authToken": "a.b.c"},
    }
    assert {what: me(client, token) for what, token in wrong.items()} == dict.fromkeys(wrong, 401)
    answer = client.get("/api:shop/auth/me", headers=auth(wrong["expired"]))
    assert answer.headers["www-authenticate"] == 'Bearer realm="api", error="invalid_token"'
    exchanged = client.post("/api:shop/auth/refresh", json={"refreshToken": tokens["authToken"]})
    assert exchanged.status == 401, "an access token is no refresh token"


def test_a_token_is_good_in_its_own_workspace_only(client: Door, group: ApiGroup) -> None:
    tokens = signed_up(client)
    other = make_workspace("other")
    create_table(other, "members", fields=MEMBERS)
    make_endpoint(make_group(other, "other"), "/me", auth=["jwt"], response={"$expr": "auth.id"})
    assert client.get("/api:other/me", headers=auth(tokens)).status == 401


def test_stacks_know_who_calls_and_tokens_carry_extras(client: Door, group: ApiGroup) -> None:
    line = {
        "step": "create_auth_token",
        "as": "tokens",
        "params": {"table": "members", "id": 1, "extras": {"role": "editor"}, "expires_in": 60},
    }
    make_endpoint(group, "/editor", "POST", lines=[line], response={"$expr": "tokens"})
    make_endpoint(group, "/who", auth=["public", "jwt"], response={"$expr": "auth"})
    signed_up(client)
    tokens = client.post("/api:shop/editor").json()
    who = client.get("/api:shop/who", headers=auth(tokens)).json()
    assert who == {"id": 1, "kind": "user", "table": "members", "extras": {"role": "editor"}}
    assert client.get("/api:shop/who").json()["kind"] == "anonymous"
    assert client.get("/api:shop/who", headers={"Authorization": "Bearer a.b.c"}).status == 401


def test_keys_rotate_and_old_tokens_stay_good(client: Door, group: ApiGroup) -> None:
    tokens = signed_up(client)
    new = signing_keys.rotate()
    assert me(client, tokens) == 200
    fresh = client.post("/api:shop/auth/login", json=LOGIN).json()
    assert jwt.get_unverified_header(fresh["authToken"])["kid"] == new
    for _ in range(signing_keys.KEPT):
        signing_keys.rotate()
    assert me(client, tokens) == 401


def test_extras_have_a_limit(workspace: Workspace, group: ApiGroup) -> None:
    table = load_schema(workspace.pk).table("members")
    with pytest.raises(Problem, match="at most 4,000"):
        families.sign_in(Holder(workspace.pk, table.id, 1), {"x": "y" * families.EXTRAS_BYTES})


def test_a_table_without_passwords_has_no_logins(workspace: Workspace) -> None:
    create_table(workspace, "things", fields={"name": "text"})
    with pytest.raises(Problem, match="no field of type password"):
        apply_blueprint(make_group(workspace), "authentication", "things")


def test_what_has_expired_is_forgotten(client: Door, group: ApiGroup) -> None:
    from datetime import UTC, datetime, timedelta

    from auth import one_time

    signed_up(client)
    later = datetime.now(UTC) + timedelta(days=31)
    assert (families.prune(), one_time.prune()) == (0, 0)
    assert (families.prune(later), one_time.prune(later)) == (1, 1)
    assert not TokenFamily.objects.exists()
    assert not OneTimeToken.objects.exists()
