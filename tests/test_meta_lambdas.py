"""Lambdas, runs and schedules through the management API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from auth.keys import create_key
from lambdas.models import Lambda
from stackyard.core import workspaces
from stackyard.core.models import Workspace
from stackyard.runs.models import Run, Schedule
from stackyard.runs.working import work
from stackyard.tables.changes import create_table
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])

HERE = "/api:meta/workspaces/shop"
LAMBDAS = f"{HERE}/lambdas"
HALF = {
    "name": "half",
    "code": "console.log('got', input.n);\nreturn input.n / 2;",
    "triggers": [{"schedule": {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}}, {"webhook": {}}],
}


@pytest.fixture
def shop() -> Workspace:
    return factories.make_workspace("shop")


@pytest.fixture
def meta(shop: Workspace) -> Door:
    return Door(WSGIHandler()).with_key(create_key(shop, "manager", ["meta"])[1])


@pytest.fixture
def made(meta: Door) -> Door:
    """The same door, behind which the lambda `half` is published."""
    assert meta.post(LAMBDAS, HALF).status == 201
    assert meta.post(f"{LAMBDAS}/half/publish", {"message": "First"}).status == 200
    return meta


def test_a_lambda_is_made_published_and_shown(made: Door) -> None:
    shown = made.get(f"{LAMBDAS}/half").json()
    assert (shown["published"], shown["has_changes"]) == (1, False)
    assert shown["webhook"].startswith("/hook:")
    draft = made.get(f"{LAMBDAS}/half/draft").json()
    assert draft["faults"] == []
    assert draft["document"]["timeout"] == 60
    assert [item["name"] for item in made.get(LAMBDAS).json()["items"]] == ["half"]
    assert made.post(LAMBDAS, HALF).status == 409
    assert made.post(LAMBDAS, {"name": "1"}).status == 400


def test_a_faulty_draft_is_kept_told_with_its_place_and_not_published(made: Door) -> None:
    faulty = {**HALF, "code": "return 1;\nconst b = ;", "timeout": 999}
    faults = made.put(f"{LAMBDAS}/half/draft", faulty).json()["faults"]
    assert [(f["path"], f["code"], f["line"], f["column"]) for f in faults] == [
        (["timeout"], "range", None, None),
        (["code"], "syntax", 2, 11),
    ]
    assert made.post(f"{LAMBDAS}/half/check", faulty).json()["faults"] == faults
    refused = made.post(f"{LAMBDAS}/half/publish")
    assert (refused.status, [d["field"] for d in refused.error["details"]]) == (400, ["timeout", "code"])
    assert made.get(f"{LAMBDAS}/half").json()["published"] == 1


def test_revisions_are_compared_and_restored(made: Door) -> None:
    made.put(f"{LAMBDAS}/half/draft", {**HALF, "code": "return 1"})
    [change] = made.get(f"{LAMBDAS}/half/revisions/compare?old=1").json()["changes"]
    assert (change["path"], change["new"]) == (["code"], "return 1")
    made.post(f"{LAMBDAS}/half/publish")
    assert [r["number"] for r in made.get(f"{LAMBDAS}/half/revisions").json()["items"]] == [2, 1]
    assert made.post(f"{LAMBDAS}/half/revisions/1/restore").json()["faults"] == []
    assert made.get(f"{LAMBDAS}/half/draft").json()["document"]["code"] == HALF["code"]


def test_a_draft_runs_now_with_result_and_logs_or_its_error(made: Door) -> None:
    run = made.post(f"{LAMBDAS}/half/run", {"input": {"n": 42}}).json()
    assert (run["state"], run["result"], run["logs"], run["error"]) == ("succeeded", 21, "got 42\n", None)
    code = "\nthrow new TypeError('mine')"
    failed = made.post(f"{LAMBDAS}/half/run", {"document": {**HALF, "code": code}}).json()
    assert (failed["state"], failed["error"]["name"], failed["error"]["line"]) == ("failed", "TypeError", 2)
    broken = made.post(f"{LAMBDAS}/half/run", {"document": {**HALF, "code": "return ("}}).json()
    assert (broken["state"], broken["error"]["line"]) == ("failed", 1)
    refused = made.post(f"{LAMBDAS}/half/run", {"document": {**HALF, "timeout": "x"}})
    assert (refused.status, refused.error["details"][0]["field"]) == (400, "timeout")


def test_a_run_never_shows_a_secret(made: Door, shop: Workspace) -> None:
    workspaces.create_variable(shop, "TOKEN", "canary-5d11", is_secret=True)
    for code in (
        "console.log(env.TOKEN); return {a: [env.TOKEN]}",
        "throw new Error(`it is ${env.TOKEN}`)",
    ):
        document = {**HALF, "code": code, "variables": ["TOKEN"]}
        answer = made.post(f"{LAMBDAS}/half/run", {"document": document})
        assert answer.status == 200
        assert b"canary-5d11" not in answer.body


def test_a_run_in_the_background_is_accepted_listed_and_shown(made: Door) -> None:
    accepted = made.post(f"{LAMBDAS}/half/runs", {"input": {"n": 4}}, headers={"Idempotency-Key": "k1"})
    assert accepted.status == 202
    run = accepted.json()
    assert (run["state"], run["url"], run["target"]) == ("accepted", f"/run:{run['id']}", "half")
    again = made.post(f"{LAMBDAS}/half/runs", {"input": {"n": 4}}, headers={"Idempotency-Key": "k1"})
    assert again.json()["id"] == run["id"]
    other = made.post(f"{LAMBDAS}/half/runs", {"input": {"n": 5}}, headers={"Idempotency-Key": "k1"})
    assert other.status == 409
    assert work(run["id"]) == "succeeded"
    shown = made.get(f"{HERE}/runs/{run['id']}").json()
    assert (shown["state"], shown["result"], shown["input"]) == ("succeeded", 2, {"n": 4})
    assert [event["name"] for event in shown["events"]] == ["accepted", "running", "succeeded"]
    assert made.get(f"/run:{run['id']}").json()["result"] == 2


def test_runs_are_filtered_and_those_that_wait_are_cancelled(made: Door) -> None:
    first, second = (made.post(f"{LAMBDAS}/half/runs", {"input": n}).json()["id"] for n in (1, 2))
    cancelled = made.post(f"{HERE}/runs/{first}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    assert made.post(f"{HERE}/runs/{first}/cancel").status == 409

    def found(query: str) -> list[str]:
        return [item["id"] for item in made.get(f"{HERE}/runs?{query}").json()["items"]]

    assert found("") == [second, first]
    assert found("state=cancelled") == [first]
    assert found("target=half&kind=lambda&trigger=api&state=accepted") == [second]
    assert found("target=other") == found("kind=function") == []
    assert made.get(f"{HERE}/runs?state=happy").status == 400


def test_schedules_are_shown_paused_and_resumed(made: Door) -> None:
    [schedule] = made.get(f"{HERE}/schedules").json()["items"]
    assert (schedule["target"], schedule["cron"], len(schedule["next"])) == ("half", "0 2 * * *", 3)
    url = f"{HERE}/schedules/{schedule['id']}"
    assert made.patch(url, {"paused": True}).json()["next"] == []
    assert Schedule.objects.get().paused
    assert len(made.patch(url, {"paused": False}).json()["next"]) == 3
    assert made.patch(url, {"paused": "no"}).status == 400
    assert made.patch(url, {}).status == 400


def test_what_is_not_published_cannot_be_started(meta: Door) -> None:
    meta.post(LAMBDAS, HALF)
    assert meta.post(f"{LAMBDAS}/half/runs", {}).status == 404
    assert not Run.objects.exists()


def test_a_lambda_is_deleted_with_its_schedule(made: Door) -> None:
    assert made.delete(f"{LAMBDAS}/half").status == 204
    assert made.get(f"{LAMBDAS}/half").status == 404
    assert not Lambda.objects.exists()
    assert not Schedule.objects.exists()


def test_another_workspaces_lambdas_are_not_there(made: Door) -> None:
    run = made.post(f"{LAMBDAS}/half/runs", {}).json()["id"]
    schedule = Schedule.objects.get().pk
    other = factories.make_workspace("other")
    door = Door(made.application).with_key(create_key(other, "manager", ["meta"])[1])
    for base in (HERE, "/api:meta/workspaces/other"):
        for url in ("/lambdas/half", "/lambdas/half/draft", f"/runs/{run}", f"/schedules/{schedule}"):
            assert door.get(f"{base}{url}").status == 404
        assert door.post(f"{base}/runs/{run}/cancel").status == 404
        assert door.patch(f"{base}/schedules/{schedule}", {"paused": True}).status == 404
    assert door.get("/api:meta/workspaces/other/runs").json()["items"] == []


@pytest.mark.parametrize(
    "sent",
    [
        {"code": 5},
        {"timeout": [1]},
        {"memory_mb": {"a": 1}},
        {"variables": [[1]], "network": [5, None]},
        {"variables": {"a": 1}, "network": "x"},
        {"triggers": [5, None, [], {}, {"schedule": 5}, {"a": 1, "b": 2}]},
        {"triggers": [{"schedule": {"cron": [1], "timezone": ["x"], "catch_up": ["none"]}}]},
        {"triggers": [{"schedule": {"every_seconds": 1e30}}, {"after": {"lambda": [1]}}]},
        {"triggers": [{"record": {"table": ["x"], "on": [["add"]], "if": {"$expr": 5}}}]},
        {"triggers": [{"record": {"table": "notes", "on": {"a": 1}, "if": {"$expr": "("}}}]},
        {"catch_up": ["none"], "max_attempts": True, "fresh_process": "yes"},
        {"name": ["half"]},
        {"name": None},
        {"description": {"a": 1}},
    ],
)
@pytest.mark.parametrize("deed", ["check", "draft"])
def test_a_strange_document_is_checked_without_breaking(
    made: Door, shop: Workspace, sent: dict[str, Any], deed: str
) -> None:
    create_table(shop, "notes", fields={"text": "text"})
    call = made.post if deed == "check" else made.put
    answer = call(f"{LAMBDAS}/half/{deed}", {**HALF, **sent})
    assert answer.status == 200, answer.body
    assert [fault for fault in answer.json()["faults"] if fault["level"] == "error"]
    if deed == "draft":
        assert made.post(f"{LAMBDAS}/half/publish").status == 400


@pytest.mark.parametrize("sent", [[], "text", 5, None, {}, {"name": [1]}, {"name": "x" * 64}])
def test_what_is_no_lambda_is_refused(meta: Door, sent: Any) -> None:
    assert meta.post(LAMBDAS, sent).status == 400
    assert meta.get(LAMBDAS).json()["items"] == []
