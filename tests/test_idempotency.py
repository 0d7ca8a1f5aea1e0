"""`Idempotency-Key`: a POST that is sent again is answered again, and done once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from endpoints import calls
from endpoints.models import ApiGroup
from stackyard.core import idempotency
from stackyard.core.models import KeptAnswer, Workspace
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.calling import assert_refused, expression, line
from tests.doors import Answer, Door
from tests.factories import make_endpoint, make_group, make_key

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    """A group that takes orders, and refuses those of nothing."""
    create_table(workspace, "orders", fields={"what": "text"})
    made = make_group(workspace)
    refuse = line(
        "precondition",
        **{"if": expression('input.what != "nothing"')},
        status=422,
        code="EMPTY",
        message="No.",
    )
    make_endpoint(
        made,
        "/orders",
        "POST",
        auth=["public", "api_key"],
        inputs={"what": {"type": "text", "required": True}},
        lines=[
            {**line("add_record", table="orders", data=expression("input")), "as": "made"},
            refuse,
            line("set_status", status=201),
            line("set_header", name="X-Order", value=expression("made.id")),
        ],
        response={"id": expression("made.id"), "what": expression("made.what")},
    )
    return made


def orders(group: ApiGroup) -> int:
    from stackyard.tables.query import Query

    return Store(load_schema(group.workspace_id)).query(Query("orders", return_="count"))


def order(door: Door, key: str, what: str = "tea", **more: Any) -> Answer:
    return door.post("/api:shop/orders", {"what": what}, headers={"Idempotency-Key": key}, **more)


def test_the_same_request_is_answered_again_and_done_once(client: Door, group: ApiGroup) -> None:
    first, again = order(client, "k1"), order(client, "k1")
    assert first.status == again.status == 201
    assert first.body == again.body
    assert first.headers["x-order"] == again.headers["x-order"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert orders(group) == 1


def test_a_quoted_key_is_the_same_key(client: Door, group: ApiGroup) -> None:
    order(client, "k1")
    assert order(client, '"k1"').headers["idempotent-replayed"] == "true"


def test_a_failure_of_the_stack_is_answered_again(client: Door, group: ApiGroup) -> None:
    first, again = order(client, "k1", "nothing"), order(client, "k1", "nothing")
    assert first.status == again.status == 422
    assert first.body == again.body
    assert orders(group) == 1


def test_another_body_with_the_same_key_is_a_conflict(client: Door, group: ApiGroup) -> None:
    order(client, "k1")
    assert_refused(order(client, "k1", "coffee"), 409, "CONFLICT")
    assert orders(group) == 1


def test_inputs_that_are_refused_do_not_use_up_the_key(client: Door, group: ApiGroup) -> None:
    assert client.post("/api:shop/orders", {}, headers={"Idempotency-Key": "k1"}).status == 400
    assert order(client, "k1").status == 201


def test_a_key_belongs_to_its_caller_and_its_endpoint(client: Door, group: ApiGroup) -> None:
    make_endpoint(
        group,
        "/others",
        "POST",
        auth=["public", "api_key"],
        inputs={"what": "text"},
        response=expression("auth.id"),
    )
    keys = [client.with_key(make_key(group.workspace)) for _ in range(2)]
    answers = [order(door, "k1").json()["id"] for door in (client, *keys)]
    assert len(set(answers)) == 3
    other = client.post("/api:shop/others", {"what": "tea"}, headers={"Idempotency-Key": "k1"})
    assert "idempotent-replayed" not in other.headers


@pytest.mark.parametrize("key", ["", " ", "é", "a b", "x" * 201])
def test_a_key_that_is_none_is_refused(client: Door, group: ApiGroup, key: str) -> None:
    assert_refused(order(client, key), 400, "INVALID_INPUT")
    assert orders(group) == 0


def test_an_answer_is_forgotten_after_a_day(client: Door, group: ApiGroup) -> None:
    order(client, "k1")
    KeptAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "idempotent-replayed" not in order(client, "k1").headers
    assert orders(group) == 2
    KeptAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert idempotency.prune() == 1
    assert not KeptAnswer.objects.exists()


def test_a_claim_whose_holder_died_runs_out(client: Door, group: ApiGroup, monkeypatch: Any) -> None:
    class Killed(BaseException):
        pass

    def dies(*_: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(calls, "_success", dies)
        with pytest.raises(Killed):
            order(client, "k1")
    refused = order(client, "k1")
    assert_refused(refused, 409, "CONFLICT")
    assert refused.headers["retry-after"] == "1"
    KeptAnswer.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert_refused(order(client, "k1", "coffee"), 409, "CONFLICT")
    assert order(client, "k1").status == 201
    assert order(client, "k1").headers["idempotent-replayed"] == "true"


def test_a_late_holder_does_not_write_over_the_next_one(db: None) -> None:
    late = idempotency.claim("s", "k", "f", 30)
    assert isinstance(late, idempotency.Claim)
    KeptAnswer.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    following = idempotency.claim("s", "k", "f", 30)
    assert isinstance(following, idempotency.Claim)
    following.keep(201, [("X-Of", "following")], b"2")
    late.keep(200, [], b"1")
    late.release()
    assert idempotency.claim("s", "k", "f", 30) == idempotency.Answered(201, [("X-Of", "following")], b"2")


def test_what_is_kept_is_not_legible(client: Door, group: ApiGroup) -> None:
    order(client, "a-telling-key", "a telling body")
    row = KeptAnswer.objects.values().get()
    assert "telling" not in str({**row, "body": bytes(row["body"])})


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_of_requests_at_the_same_time_one_is_done(group: ApiGroup) -> None:
    from stackyard.wsgi import application

    statuses: list[int] = []
    ready = threading.Barrier(6)

    def send() -> None:
        ready.wait()
        statuses.append(order(Door(application), "k1").status)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {201} <= set(statuses) <= {201, 409}
    assert orders(group) == 1
