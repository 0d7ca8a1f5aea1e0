"""Lambdas end to end: published code over real records, in real Deno, now and as durable runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from lambdas.models import Lambda
from lambdas.publishing import create_lambda, delete_lambda, publish, save_draft
from lambdas.running import run_now, start_lambda, value_or_problem
from stackyard.core.errors import Problem
from stackyard.core.models import Variable, Workspace
from stackyard.core.principal import ANONYMOUS
from stackyard.runs import schedule
from stackyard.runs.models import Run, Schedule
from stackyard.runs.working import work
from stackyard.stacks.runner import Execution, load_draft
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store

pytestmark = pytest.mark.django_db(databases=["default", "history"], transaction=False)

# The seed's example, word for word.
SEED = """// Example Lambda code
const orders = await db.query('orders', {
  created_at: { $gte: yesterday }
});

const report = orders.map(order => ({
  id: order.id,
  total: order.items.reduce((sum, item) => sum + item.price, 0)
}));

return { success: true, report };
"""


@pytest.fixture
def orders(workspace: Workspace) -> Workspace:
    """Two orders of today and one of last week."""
    items = {"type": "list", "of": {"type": "object", "fields": {"price": "float"}}}
    create_table(workspace, "orders", fields={"items": items})
    store = Store(load_schema(workspace.pk))
    week_ago = (timezone.now() - timedelta(days=7)).isoformat()
    store.import_many("orders", [{"items": [{"price": 99}], "created_at": week_ago}])
    store.add_many("orders", [{"items": [{"price": 1.5}, {"price": 2}]}, {"items": []}])
    return workspace


def made(workspace: Workspace, name: str, code: str, **more: Any) -> Lambda:
    target = create_lambda(workspace, {"name": name, "code": code, **more})
    publish(target)
    return target


def value(target: Lambda, input: Any = None) -> Any:
    return value_or_problem(run_now(target, input))


def test_the_seeds_lambda_runs_as_it_is_written(orders: Workspace) -> None:
    target = made(orders, "process_daily_orders", SEED, timeout=300)
    assert value(target) == {"success": True, "report": [{"id": 2, "total": 3.5}, {"id": 3, "total": 0}]}


def test_the_seeds_lambda_runs_by_its_schedule_and_another_follows_it(orders: Workspace) -> None:
    daily = {"schedule": {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}}
    made(orders, "process_daily_orders", SEED, timeout=300, triggers=[daily])
    after = {"after": {"lambda": "process_daily_orders"}}
    made(orders, "mail_report", "return `${input.result.report.length} orders`", triggers=[after])
    due = Schedule.objects.get().next_at
    assert due is not None
    assert schedule.tick(due - timedelta(seconds=1)) == 0
    assert schedule.tick(due + timedelta(seconds=1)) == 1
    assert schedule.tick(due + timedelta(seconds=2)) == 0
    first = Run.objects.get()
    assert (first.nominal_at, first.trigger) == (due, "schedule")
    assert work(first.pk) == "succeeded"
    second = Run.objects.get(target_name="mail_report")
    assert work(second.pk) == "succeeded"
    second.refresh_from_db()
    assert (second.result, second.trigger) == ("2 orders", "after")


def test_a_lambda_reads_and_writes_records_in_transactions(orders: Workspace) -> None:
    code = """
const one = await db.add('orders', {items: [{price: 5}]});
try {
  await db.transaction(async tx => {
    await tx.patch('orders', one.id, {items: []});
    throw new Error('no');
  });
} catch (error) { console.log('undone', error.message); }
const kept = await db.get('orders', one.id);
await db.patchMany('orders', [{id: one.id, items: [{price: 5}]}]);
const many = await db.count('orders');
await db.delete('orders', one.id);
return {kept: kept.items, many, left: await db.exists('orders', {id: one.id})};
"""
    finished = run_now(made(orders, "writer", code), None)
    assert finished.value == {"kept": [{"price": 5}], "many": 4, "left": False}
    assert finished.logs == "undone no\n"


def test_a_lambda_asks_for_aggregates(orders: Workspace) -> None:
    code = """
const groups = await db.aggregate('orders', null, {groupBy: {field: 'created_at', part: 'year'}, aggregate: {n: 'count'}});
const all = await db.aggregate('orders', {id: {$gt: 1}}, {aggregate: {n: 'count', last: {max: 'id'}}});
try { await db.aggregate('orders', null, {group: 'id'}) } catch (error) { return [groups.length, groups[0].n, all, error.message] }
"""
    finished = run_now(made(orders, "grouper", code), None)
    assert finished.value[:3] == [1, 3, {"n": 2, "last": 3}]
    assert 'Did you mean "groupBy"' in finished.value[3]


def test_a_lambdas_error_names_its_line_and_what_the_platform_refused(orders: Workspace) -> None:
    target = made(orders, "broken", "\nconst x = await db.query('ordres');\nreturn x;")
    finished = run_now(target, None)
    assert finished.state == "failed"
    assert finished.error is not None
    assert (finished.error.line, finished.error.code) == (2, "INVALID_INPUT")
    assert 'Did you mean "orders"?' in finished.error.message
    with pytest.raises(Problem) as caught:
        value_or_problem(run_now(made(orders, "thrower", "throw new TypeError('mine')"), None))
    assert (caught.value.code, caught.value.status, caught.value.message) == ("LAMBDA_FAILED", 500, "mine")


def test_only_named_variables_are_seen_and_secrets_do_not_reach_the_logs(workspace: Workspace) -> None:
    for name, text, secret in (
        ("CITY", "Oslo", False),
        ("TOKEN", "hush-hush-hush", True),
        ("OTHER", "no", False),
    ):
        variable = Variable(workspace=workspace, name=name, is_secret=secret)
        variable.value = text
        variable.save()
    code = "console.log(env.TOKEN); return [env.CITY, env.TOKEN.length, env.OTHER ?? null]"
    finished = run_now(made(workspace, "seer", code, variables=["CITY", "TOKEN"]), None)
    assert finished.value == ["Oslo", 14, None]
    assert "hush" not in finished.logs


def test_publishing_refuses_every_fault_at_once(workspace: Workspace) -> None:
    document = {
        "name": "bad",
        "code": "const a = ;",
        "timeout": 999,
        "variables": ["NOPE"],
        "network": ["http://x"],
        "triggers": [
            {"schedule": {"cron": "61 * * * *", "timezone": "Mars"}},
            {"shedule": {}},
            {"after": {}},
        ],
        "colour": "red",
    }
    target = create_lambda(workspace, document)
    with pytest.raises(Problem) as caught:
        publish(target)
    found = {detail.field for detail in caught.value.details}
    assert found == {
        "code",
        "timeout",
        "variables.0",
        "network.0",
        "triggers.0.schedule.cron",
        "triggers.0.schedule.timezone",
        "triggers.1.shedule",
        "triggers.2.after.lambda",
        "colour",
    }
    assert Lambda.objects.get(pk=target.pk).published is None


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Berlim", 'There is no time zone "Europe/Berlim". Did you mean "Europe/Berlin"?'),
        ("berlin", 'There is no time zone "berlin". Did you mean "Europe/Berlin"?'),
        ("New York", 'There is no time zone "New York". Did you mean "America/New_York"?'),
        ("Qqqq", 'There is no time zone "Qqqq". Use an IANA name such as Europe/Berlin.'),
        (["x"], "There is no time zone \"['x']\". Use an IANA name such as Europe/Berlin."),
    ],
)
def test_a_misspelt_time_zone_is_told_the_nearest_one(workspace: Workspace, zone: Any, said: str) -> None:
    trigger = {"schedule": {"cron": "0 2 * * *", "timezone": zone}}
    target = create_lambda(workspace, {"name": "late", "code": "return 1", "triggers": [trigger]})
    with pytest.raises(Problem) as caught:
        publish(target)
    assert [detail.message for detail in caught.value.details] == [said]


def test_a_stack_waits_for_a_lambda_or_leaves_it_to_the_background(workspace: Workspace) -> None:
    target = made(workspace, "half", "return input.n / 2")
    lines = [
        {"step": "run_lambda", "as": "first", "params": {"lambda": "half", "input": {"n": 42}}},
        {"step": "run_lambda", "as": "later", "params": {"lambda": "half", "input": {"n": 4}, "wait": False}},
    ]
    response = {"first": {"$expr": "first"}, "later": {"$expr": "later.run"}}
    plan = load_draft(workspace.pk, {"format": 1, "inputs": {}, "lines": lines, "response": response})
    answer = plan.run(Execution.start(workspace.pk, ANONYMOUS), {})
    assert answer["first"] == 21
    run = Run.objects.get(pk=answer["later"])
    assert (run.state, run.target_id) == ("accepted", target.pk)
    assert work(run.pk) == "succeeded"
    run.refresh_from_db()
    assert run.result == 2


def test_a_lambda_past_its_time_is_recorded_as_that(workspace: Workspace) -> None:
    target = made(workspace, "forever", "while (true) {}", timeout=1)
    run = start_lambda(target)
    assert work(run.pk) == "timed_out"
    run.refresh_from_db()
    assert run.state == "timed_out"


def test_a_webhook_is_accepted_with_the_runs_address(workspace: Workspace) -> None:
    code = "return {n: input.body.n, who: input.headers['user-agent'], q: input.query.q}"
    target = made(workspace, "receiver", code, triggers=[{"webhook": {}}])
    token = target.triggers.get().key
    answer = Client().post(f"/hook:{token}?q=1", {"n": 3}, "application/json", headers={"User-Agent": "test"})
    assert answer.status_code == 202
    run = Run.objects.get(pk=answer.json()["run"])
    assert work(run.pk) == "succeeded"
    run.refresh_from_db()
    assert run.result == {"n": 3, "who": "test", "q": "1"}
    assert Client().post("/hook:nobody-knows-this", {}, "application/json").status_code == 404
    assert Client().get(answer.json()["url"]).status_code in (401, 404)
    publish_again = {**target.draft, "code": "return 1"}
    save_draft(target, publish_again)
    publish(target)
    assert target.triggers.get().key == token


def test_a_deleted_lambda_leaves_no_schedule_and_its_runs_say_so(workspace: Workspace) -> None:
    target = made(workspace, "gone", "return 1", triggers=[{"schedule": {"every_seconds": 60}}])
    run = start_lambda(target)
    delete_lambda(target)
    assert not Schedule.objects.exists()
    assert work(run.pk) == "failed"


def test_a_record_change_starts_a_lambda_where_its_condition_holds(orders: Workspace) -> None:
    trigger = {
        "record": {
            "table": "orders",
            "on": ["add", "edit", "delete"],
            "if": {"$expr": "(new.items ?? []) | is_empty"},
        }
    }
    code = "return [input.action, input.old?.id ?? null, input.new?.id ?? null]"
    made(orders, "watcher", code, triggers=[trigger])
    store = Store(load_schema(orders.pk))
    full = store.add("orders", {"items": [{"price": 1}]})
    assert not Run.objects.exists()
    empty = store.add("orders", {"items": []})
    store.patch("orders", full["id"], {"items": []})
    store.delete("orders", empty["id"])
    store.add_many("orders", [{"items": [{"price": 2}]}, {"items": []}])
    for run in Run.objects.order_by("id"):
        assert work(run.pk) == "succeeded"
    found = [run.result for run in Run.objects.order_by("id")]
    assert found == [
        ["add", None, empty["id"]],
        ["edit", full["id"], full["id"]],
        ["delete", empty["id"], None],
        ["add", None, empty["id"] + 2],
    ]


def test_a_change_that_is_taken_back_starts_nothing(orders: Workspace) -> None:
    made(orders, "watcher", "return 1", triggers=[{"record": {"table": "orders"}}])
    store = Store(load_schema(orders.pk))
    with store.transaction():
        store.add("orders", {"items": []})
        transaction.set_rollback(True)
    assert not Run.objects.exists()


def test_a_record_triggers_faults_are_reported(orders: Workspace) -> None:
    trigger = {"record": {"table": "ordres", "on": ["create"], "if": {"$expr": "new.total >"}, "when": 1}}
    target = create_lambda(orders, {"name": "bad", "code": "", "triggers": [trigger]})
    with pytest.raises(Problem) as caught:
        publish(target)
    found = {detail.field.removeprefix("triggers.0.record.") for detail in caught.value.details}
    assert found == {"table", "on", "if", "when"}


def test_a_lambda_sends_e_mail_and_remembers_in_the_cache(
    workspace: Workspace, mailoutbox: list[Any]
) -> None:
    code = """
    await email.send({to: 'ann@example.com', subject: 'Hello', text: 'It works.'});
    await cache.set('greeting', {a: [1]}, 60);
    await cache.increment('count', 2);
    let refused;
    try { await email.send({to: 'ann@example.com', sbject: 'x'}); } catch (error) { refused = error.message; }
    const gone = await cache.delete('greeting') && !(await cache.has('greeting'));
    return [gone, await cache.increment('count'), await cache.get('nothing'), refused];
    """
    gone, count, nothing, refused = value(made(workspace, "mailer", code))
    assert (gone, count, nothing) == (True, 3, None)
    assert 'Did you mean "subject"?' in refused
    [sent] = mailoutbox
    assert (sent.to, sent.subject, sent.body) == (["ann@example.com"], "Hello", "It works.")


def test_packages_that_would_not_be_there_at_run_time_are_not_published(workspace: Workspace) -> None:
    code = "import { createHash } from 'node:crypto';\nimport leaf from 'npm:leaf@http://x';\nreturn 1"
    target = create_lambda(workspace, {"name": "packed", "code": code})
    [fault] = save_draft(target, target.draft)
    assert (fault.code, fault.line) == ("package", 2)
    with pytest.raises(Problem):
        publish(target)
    # The registry of the tests answers nothing.
    save_draft(target, {"name": "packed", "code": code.replace("http://x", "1")})
    with pytest.raises(Problem, match="Failed loading"):
        publish(target)
    fine = "import { createHash } from 'node:crypto';\nreturn createHash('md5').update('a').digest('hex')"
    assert value(made(workspace, "hashed", fine)) == "0cc175b9c0f1b6a831c399e269772661"


def test_the_promise_stands_in_the_documentation_word_for_word() -> None:
    promise = "retry-safe work at least once, other work at most once, each recorded exactly once"
    assert promise in (Path(settings.ROOT) / "docs" / "lambdas.md").read_text()
