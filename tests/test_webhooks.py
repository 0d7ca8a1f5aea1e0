"""Webhooks that come in: signatures of three schemes, and what the step makes of them, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from endpoints.models import ApiGroup
from stackyard.core.models import Workspace
from stackyard.core.workspaces import create_variable
from tests.calling import assert_refused, expression, line
from tests.doors import Answer, Door
from tests.factories import make_endpoint, make_group

pytestmark = pytest.mark.django_db(databases=["default", "history"])

SECRETS = {
    "standard": "whsec_" + base64.b64encode(b"a key of twenty-four bytes").decode(),
    "stripe": "whsec_stripe",
    "github": "It's a Secret to Everybody",
}
BODY = b'{"id":"evt_1","type":"order.paid","data":{"total":12.50}}'


def _sign(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def signed(
    scheme: str, body: bytes = BODY, at: float | None = None, secret: str | None = None
) -> dict[str, str]:
    """The headers with which the senders of each scheme sign a body, worked out from their documentation."""
    stamp, secret = str(int(time.time() if at is None else at)), secret or SECRETS[scheme]
    if scheme == "standard":
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signature = base64.b64encode(_sign(key, f"msg_1.{stamp}.".encode() + body)).decode()
        return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
    if scheme == "stripe":
        signature = _sign(secret.encode(), stamp.encode() + b"." + body).hex()
        return {"Stripe-Signature": f"t={stamp},v1={'0' * 64},v1={signature},v0=x"}
    return {
        "X-Hub-Signature-256": f"sha256={_sign(secret.encode(), body).hex()}",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "d-1",
    }


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    """An endpoint for each scheme that answers the verified event."""
    made = make_group(workspace)
    for scheme, secret in SECRETS.items():
        create_variable(workspace, scheme.upper(), secret, is_secret=True)
        verify = line("verify_webhook", scheme=scheme, secret=expression(f"env.{scheme.upper()}"))
        lines = [{**verify, "as": "event"}]
        make_endpoint(made, f"/{scheme}", "POST", body="raw", lines=lines, response=expression("event"))
    return made


def send(door: Door, scheme: str, headers: dict[str, str], body: bytes = BODY) -> Answer:
    return door.post(
        f"/api:shop/{scheme}", body=body, headers={"Content-Type": "application/json", **headers}
    )


@pytest.mark.parametrize("scheme", SECRETS)
def test_a_signed_webhook_is_read(client: Door, group: ApiGroup, scheme: str) -> None:
    answer = send(client, scheme, signed(scheme))
    assert answer.status == 200, answer.body
    event = answer.json()
    ids = {"standard": ("msg_1", "order.paid"), "stripe": ("evt_1", "order.paid"), "github": ("d-1", "push")}
    assert (event["id"], event["type"]) == ids[scheme]
    assert event["payload"] == json.loads(BODY)
    assert (event["sent_at"] is None) == (scheme == "github")


@pytest.mark.parametrize("scheme", SECRETS)
def test_what_was_changed_unsigned_or_signed_by_another_is_refused(
    client: Door, group: ApiGroup, scheme: str
) -> None:
    assert_refused(send(client, scheme, signed(scheme), BODY + b" "), 401, "UNAUTHORIZED")
    assert_refused(send(client, scheme, {}), 401, "UNAUTHORIZED")
    other = base64.b64encode(b"another").decode()
    assert_refused(send(client, scheme, signed(scheme, secret=other)), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("scheme", ["standard", "stripe"])
@pytest.mark.parametrize(("away", "status"), [(-290, 200), (290, 200), (-310, 401), (310, 401)])
def test_a_signature_holds_for_five_minutes(
    client: Door, group: ApiGroup, scheme: str, away: int, status: int
) -> None:
    assert send(client, scheme, signed(scheme, at=time.time() + away)).status == status


HOSTILE: list[tuple[str, str, str]] = [
    ("standard", "webhook-signature", "v1"),
    ("standard", "webhook-signature", "v1,%%%"),
    ("standard", "webhook-signature", "v1,,"),
    ("standard", "webhook-timestamp", "nan"),
    ("standard", "webhook-timestamp", "1e999"),
    ("stripe", "Stripe-Signature", "t=,v1="),
    ("stripe", "Stripe-Signature", "t=99999999999999999999,v1=x"),
    ("stripe", "Stripe-Signature", "\xff"),
    ("github", "X-Hub-Signature-256", "sha256="),
    ("github", "X-Hub-Signature-256", "sha1=\xe9"),
]


@pytest.mark.parametrize(("scheme", "header", "value"), HOSTILE)
def test_headers_that_are_nonsense_are_refused(
    client: Door, group: ApiGroup, scheme: str, header: str, value: str
) -> None:
    assert_refused(send(client, scheme, {**signed(scheme), header: value}), 401, "UNAUTHORIZED")


def test_a_body_that_is_not_text_is_refused(client: Door, group: ApiGroup) -> None:
    assert_refused(send(client, "standard", signed("standard"), b"\xff\xfe"), 401, "UNAUTHORIZED")
    answer = send(client, "stripe", signed("stripe", b"\xff"), b"\xff")
    assert_refused(answer, 400, "INVALID_JSON")


def test_github_may_send_a_form(client: Door, group: ApiGroup) -> None:
    body = b"payload=%7B%22action%22%3A%22opened%22%7D"
    headers = {**signed("github", body), "Content-Type": "application/x-www-form-urlencoded"}
    assert send(client, "github", headers, body).json()["payload"] == {"action": "opened"}


def test_an_event_without_an_id_is_known_by_its_body(client: Door, group: ApiGroup) -> None:
    body = b"[1]"
    event = send(client, "stripe", signed("stripe", body), body).json()
    assert event["id"] == "sha256:" + hashlib.sha256(body).hexdigest()


def test_a_secret_that_is_not_set_opens_nothing(client: Door, workspace: Workspace) -> None:
    create_variable(workspace, "EMPTY", "", is_secret=True)
    lines = [line("verify_webhook", scheme="github", secret=expression("env.EMPTY"))]
    make_endpoint(make_group(workspace), "/github", "POST", body="raw", lines=lines)
    headers = signed("github", secret="x")
    headers["X-Hub-Signature-256"] = "sha256=" + _sign(b"", BODY).hex()
    assert send(client, "github", headers).status == 500


def test_either_of_two_secrets_will_do(client: Door, workspace: Workspace) -> None:
    create_variable(workspace, "OLD", "old", is_secret=True)
    create_variable(workspace, "NEW", "new", is_secret=True)
    secrets = [expression("env.NEW"), expression("env.OLD")]
    lines = [line("verify_webhook", scheme="github", secret=secrets)]
    make_endpoint(make_group(workspace), "/github", "POST", body="raw", lines=lines)
    statuses = [send(client, "github", signed("github", secret=one)).status for one in ("old", "new", "x")]
    assert statuses == [200, 200, 401]


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("text", "né{".encode(), "né{"),
        ("json", b'{"a": 1}', {"a": 1}),
        ("json", b"", None),
        ("base64", b"\xff\x00", "/wA="),
        ("text", b"\xff", 400),
        ("json", b"{", 400),
    ],
)
def test_a_raw_body_comes_as_it_is(
    client: Door, workspace: Workspace, encoding: str, body: bytes, expected: Any
) -> None:
    lines = [{**line("get_raw_input", encoding=encoding), "as": "raw"}]
    make_endpoint(make_group(workspace), "/raw", "POST", body="raw", lines=lines, response=expression("raw"))
    answer = client.post("/api:shop/raw", body=body, headers={"Content-Type": "application/octet-stream"})
    assert (answer.status if answer.status != 200 else answer.json()) == expected
