"""`/healthz` and `/readyz`, and what Django itself refuses."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, connections

from lambdas import supervisor
from stackyard import health
from stackyard.health import Readiness
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def door() -> Door:
    return Door(WSGIHandler())


def refuse(*arguments: Any, **options: Any) -> None:
    raise OperationalError("the secret address of the database")


def test_alive_needs_no_database(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    for alias in connections:
        monkeypatch.setattr(connections[alias], "cursor", refuse)
    answer = door.get("/healthz")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]


def test_ready_when_both_databases_answer_and_are_migrated(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health.readiness, "_held", None)
    answer = door.get("/readyz")
    assert (answer.status, answer.json()) == (
        200,
        {"status": "ok", "lambdas": supervisor.chosen() or "not started"},
    )


@pytest.mark.parametrize("alias", ["default", "history"])
def test_not_ready_says_so_and_nothing_else(
    door: Door, alias: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(health.readiness, "_held", None)
    monkeypatch.setattr(connections[alias], "cursor", refuse)
    with caplog.at_level(logging.WARNING):
        answer = door.get("/readyz")
    assert (answer.status, answer.json()) == (
        503,
        {"status": "not ok", "lambdas": supervisor.chosen() or "not started"},
    )
    assert "the secret address" in caplog.text
    monkeypatch.setattr(health.readiness, "_held", None)


def test_missing_migrations_are_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    monkeypatch.setattr(health, "_migrated", set())
    health.check_migrations("default")
    monkeypatch.setattr(health, "_migrated", set())
    MigrationRecorder.Migration.objects.filter(app="endpoints").delete()
    with pytest.raises(RuntimeError, match="not applied"):
        health.check_migrations("default")


def test_the_checks_are_asked_once_in_a_while_however_many_look() -> None:
    asked: list[int] = []
    readiness = Readiness({"counted": lambda: asked.append(1)}, kept_seconds=60)
    assert all(readiness.get() for _ in range(100))
    assert len(asked) == 1
    eager = Readiness({"counted": lambda: asked.append(1)}, kept_seconds=-1)
    assert eager.get()
    assert eager.get()
    assert len(asked) == 3


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading_is_offered(door: Door, path: str) -> None:
    answer = door.post(path, {})
    assert (answer.status, answer.error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_an_unknown_address_answers_in_the_contracts_shape(door: Door) -> None:
    for accept in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
        answer = door.get("/nothing/here", headers=accept)
        assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
        assert answer.error["request_id"] == answer.headers["x-request-id"]


def test_a_browser_gets_a_page(door: Door) -> None:
    answer = door.get("/nothing/here", headers={"Accept": "text/html,application/xhtml+xml"})
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_a_foreign_host_is_refused_in_the_contracts_shape(door: Door) -> None:
    answer = door.get("/nothing", headers={"Host": "evil.example.com"})
    assert (answer.status, answer.error["code"]) == (400, "INVALID_INPUT")
    assert b"evil" not in answer.body


def test_the_request_id_is_given_back_when_it_is_harmless(door: Door) -> None:
    assert door.get("/healthz", headers={"X-Request-ID": "abc-123"}).headers["x-request-id"] == "abc-123"
    for given in ("a" * 65, "a b", "<script>", "a\nb"):
        assert door.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"] != given


def test_a_fault_of_ours_says_an_id_and_nothing_else(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    from endpoints import docs

    def broken(*arguments: Any) -> None:
        raise RuntimeError("internal detail")

    monkeypatch.setattr(docs, "_readable_group", broken)
    answer = door.get("/apispec:shop")
    assert (answer.status, answer.error["code"]) == (500, "INTERNAL_ERROR")
    assert set(answer.error) == {"code", "message", "request_id"}
    assert b"internal detail" not in answer.body
