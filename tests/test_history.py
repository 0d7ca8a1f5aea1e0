"""The request history: every call kept, secrets never, and nobody waits for it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import OperationalError

from endpoints import history as module
from endpoints.history import History, history, prune
from endpoints.models import ApiGroup, HistoryEntry
from endpoints.throttles import forget_all
from stackyard.core.models import Variable, Workspace
from stackyard.core.secrets import MASK
from tests.calling import expression
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_key

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    return make_group(workspace)


def entries() -> list[HistoryEntry]:
    history.flush()
    return list(HistoryEntry.objects.order_by("id"))


def test_a_call_is_kept_whole(client: Door, workspace: Workspace, group: ApiGroup) -> None:
    endpoint = make_endpoint(
        group,
        "/a/{id}",
        "POST",
        auth=["api_key"],
        inputs={"id": "int", "n": "int"},
        response=expression("input"),
    )
    key = make_key(workspace)
    client.with_key(key).post(
        "/api:shop/a/7", json={"n": 3}, headers={"X-Request-ID": "abc", "X-Color": "red"}
    )
    (entry,) = entries()
    assert (entry.workspace_id, entry.group_id, entry.endpoint_id) == (workspace.pk, group.pk, endpoint.pk)
    assert entry.revision_id == endpoint.published_id
    assert (entry.request_id, entry.method, entry.path) == ("abc", "POST", "/api:shop/a/7")
    assert (entry.status, entry.error_code) == (200, "")
    assert entry.principal.startswith("api_key:")
    assert entry.address == "127.0.0.1"
    assert entry.request_body == '{"n": 3}'
    assert json.loads(entry.response_body) == {"id": 7, "n": 3}
    assert (entry.request_bytes, entry.response_bytes) == (8, len(entry.response_body))
    assert json.loads(entry.request_headers)["x-color"] == "red"
    assert 0 < entry.duration_us < 60_000_000
    assert key not in str(vars(entry))


def test_refusals_are_kept_with_their_code(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", "POST", auth=["api_key"], name="closed")
    make_endpoint(group, "/b", "POST", inputs={"n": "int"}, name="open")
    client.post("/api:shop/a")
    client.post("/api:shop/b", json={"n": "x"})
    client.post("/api:shop/b", body=b"{")
    assert [(entry.status, entry.error_code) for entry in entries()] == [
        (401, "UNAUTHORIZED"),
        (400, "INVALID_INPUT"),
        (400, "INVALID_JSON"),
    ]


def test_calls_past_a_limit_are_counted_and_not_kept(client: Door, group: ApiGroup, settings: Any) -> None:
    settings.WEB_PROCESSES = 1
    forget_all()
    make_endpoint(group, "/a", limit_per_second=1)
    statuses = [client.get("/api:shop/a").status for _ in range(30)]
    assert len(entries()) == statuses.count(200)


def test_a_stacks_own_429_is_kept(client: Door, group: ApiGroup) -> None:
    throw = {"step": "throw", "params": {"status": 429, "code": "SLOWER", "message": "Slower, please."}}
    make_endpoint(group, "/a", lines=[throw])
    assert client.get("/api:shop/a").status == 429
    assert [entry.error_code for entry in entries()] == ["SLOWER"]


def test_credentials_are_never_kept(client: Door, workspace: Workspace, group: ApiGroup) -> None:
    make_endpoint(
        group,
        "/a",
        "POST",
        auth=["public", "api_key"],
        inputs={"v": "json"},
        response=expression("request.headers"),
    )
    key = make_key(workspace)
    secrets = {
        "Authorization": f"Bearer {key}",
        "Cookie": "session=canary-cookie",
        "X-Hub-Signature-256": "canary-signature",
        "X-Auth-Token": "canary-token",
    }
    client.post(f"/api:shop/a?key={key}", json={"v": key}, headers=secrets)
    client.post("/api:shop/a", json={"v": {"deep": f"x{key}y"}}, headers={"X-API-Key": key})
    kept = str([vars(entry) for entry in entries()])
    assert key not in kept
    assert "canary" not in json.loads(entries()[1].request_headers).values()
    for word in ("canary-cookie", "canary-signature", "canary-token"):
        assert word not in str([entry.request_headers for entry in entries()])


SENSITIVE = {"type": "text", "sensitive": True}


@pytest.mark.parametrize("secret", ["hunter2hunter2", 'with "quotes" & \u00e9', "a/b c"])
def test_sensitive_inputs_are_hidden_wherever_they_stand(client: Door, group: ApiGroup, secret: str) -> None:
    from urllib.parse import quote

    inputs = {
        "name": "text",
        "password": SENSITIVE,
        "card": {"type": "object", "fields": {"number": SENSITIVE}},
    }
    make_endpoint(group, "/body", "POST", inputs=inputs, response=expression("input"))
    make_endpoint(
        group, "/query", inputs={"password": SENSITIVE}, response=expression('"echo: " ~ input.password')
    )
    make_endpoint(group, "/path/{token}", inputs={"token": SENSITIVE}, response=expression("input.token"))
    make_endpoint(
        group, "/header", inputs={"x_pin": {**SENSITIVE, "in": "header"}}, response=expression("input.x_pin")
    )
    client.post("/api:shop/body", json={"name": "Ann", "password": secret, "card": {"number": secret}})
    client.post("/api:shop/body", json={"name": 7, "password": {"no": secret}})
    client.get("/api:shop/query", query={"password": secret})
    if "/" not in secret:
        client.get("/api:shop/path/" + quote(secret))
    if secret.isascii():
        client.get("/api:shop/header", headers={"X-Pin": secret})
    kept = entries()
    shown = str([vars(entry) for entry in kept])
    for form in (secret, quote(secret, safe=""), json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert form not in shown
    assert MASK in kept[0].request_body
    assert "Ann" in kept[0].request_body


def test_an_unreadable_body_of_sensitive_inputs_is_not_kept(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", "POST", inputs={"password": SENSITIVE})
    client.post(
        "/api:shop/a", body=b'{"password": "hunter2hunter2"', headers={"Content-Type": "application/json"}
    )
    (entry,) = entries()
    assert entry.request_body == MASK


def test_the_workspaces_secrets_are_hidden_in_answers(
    client: Door, workspace: Workspace, group: ApiGroup
) -> None:
    from stackyard.core import version

    variable = Variable(workspace=workspace, name="API_TOKEN", is_secret=True)
    variable.value = "canary-of-the-workspace"
    variable.save()
    version.bump(workspace.pk)
    make_endpoint(group, "/a", response=expression('"token=" ~ env.API_TOKEN'))
    assert client.get("/api:shop/a").json() == "token=canary-of-the-workspace"
    assert "canary" not in str(vars(entries()[0]))


def test_long_bodies_are_cut_and_say_so(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", "POST", inputs={"v": "text"}, response=expression("input.v"))
    client.post("/api:shop/a", json={"v": "\u00e9" * 40_000})
    (entry,) = entries()
    for text, size in (
        (entry.request_body, entry.request_bytes),
        (entry.response_body, entry.response_bytes),
    ):
        assert size > 80_000
        assert len(text) < 33_000
        assert text.endswith("(cut)")


def test_bytes_that_no_text_column_takes_do_no_harm(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a", "POST")
    client.post(
        "/api:shop/a?\udc80".encode("utf-8", "surrogateescape").decode("latin-1"),
        body=b"\xff\x00\xfe",
        headers={"X-A": "\xff\xe9"},
    )
    client.post("/api:shop/a", body=b'{"a": "\x00"}', headers={"Content-Type": "application/json"})
    assert [entry.status for entry in entries()] == [400, 400]


def test_a_full_queue_drops_and_counts_instead_of_waiting(
    client: Door, group: ApiGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_QUEUED_CALLS", 3)
    make_endpoint(group, "/a")
    before = history.dropped
    assert all(client.get("/api:shop/a").status == 200 for _ in range(5))
    assert history.dropped - before == 2
    assert len(entries()) == 3


def test_a_history_that_cannot_be_written_now_is_written_later(
    client: Door, group: ApiGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint(group, "/a")
    client.get("/api:shop/a")

    def away(rows: Any) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(module, "insert", away)
        history.flush()
        assert client.get("/api:shop/a").status == 200
        history.flush()
    assert len(entries()) == 2


def test_the_oldest_entries_are_pruned_by_count(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a")
    for number in range(150):
        client.get("/api:shop/a", headers={"X-Request-ID": f"n{number}"})
    assert len(entries()) == 150
    prune(20)
    assert [entry.request_id for entry in HistoryEntry.objects.order_by("id")] == [
        f"n{n}" for n in range(130, 150)
    ]


def test_it_can_be_turned_off(client: Door, group: ApiGroup, settings: Any) -> None:
    settings.HISTORY_ENABLED = False
    make_endpoint(group, "/a")
    client.get("/api:shop/a")
    assert entries() == []


def test_noting_from_many_threads_loses_nothing(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/a")
    client.get("/api:shop/a")
    (call,) = history._waiting
    own = History()
    threads = [threading.Thread(target=lambda: [own.note(call) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own.flush()
    assert own.written == 2000
    assert HistoryEntry.objects.count() == 2000
