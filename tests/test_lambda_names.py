"""Every name that a lambda's code sees: that it does what it says, and stands in the types and on the page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail

from lambdas.publishing import create_lambda, publish
from lambdas.running import run_now, value_or_problem
from lambdas.services import LambdaServices
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.principal import SYSTEM, Principal
from stackyard.core.workspaces import create_variable, edit_workspace
from stackyard.stacks.execution import Execution
from stackyard.stacks.publishing import create_function
from stackyard.stacks.publishing import publish as publish_function
from stackyard.tables.changes import create_table

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def things(workspace: Workspace) -> Workspace:
    """A workspace with a table of things."""
    create_table(
        workspace,
        "things",
        fields={"name": {"type": "text", "unique": True}, "amount": {"type": "int", "default": 7}},
    )
    return workspace


def value(workspace: Workspace, code: str, principal: Principal | None = None, **more: Any) -> Any:
    target = create_lambda(workspace, {"name": "tour", "code": code, **more})
    publish(target)
    options = {"principal": principal} if principal is not None else {}
    return value_or_problem(run_now(target, {"n": 1}, **options))


def test_every_call_is_in_the_types_and_on_the_page(things: Workspace) -> None:
    calls = set(LambdaServices(Execution.start(things.pk, SYSTEM), [])._deeds()) - {
        "db.begin",
        "db.commit",
        "db.rollback",
    }
    types = (settings.ROOT / "lambdas/runtime/lambda.d.ts").read_text()
    page = (settings.ROOT / "docs/lambdas.md").read_text()
    for call in sorted(calls - {"fetch"}):
        kind, name = call.split(".")
        assert re.search(rf"\b{name}(<.*>)?\(", types), f"{call} is not in lambda.d.ts"
        assert re.search(rf"`{name}\(|`{kind}\.{name}\(|{kind}\.{name}\(", page), (
            f"{call} is not in docs/lambdas.md"
        )
    for name in ("input", "env", "auth", "run", "now", "today", "yesterday", "tomorrow", "db", "fn", "files"):
        assert f"declare const {name}:" in types
        assert f"`{name}`" in page


def test_records_are_added_changed_and_deleted_in_every_way(things: Workspace) -> None:
    code = """const short = (one) => one && [one.name, one.amount];
const seen = {};
seen.add = short(await db.add('things', {name: 'a'}));
seen.addMany = (await db.addMany('things', [{name: 'b', amount: 2}, {name: 'c', amount: 3}])).map(short);
seen.edit = short(await db.edit('things', 2, {name: 'B'}));
seen.patch = short(await db.patch('things', 'c', {amount: 30}, 'name'));
seen.editMany = (await db.editMany('things', [{id: 1, name: 'A'}, {id: 3, name: 'C', amount: 4}])).map(short);
seen.patchMany = (await db.patchMany('things', [{id: 1, amount: 1}, {id: 2, amount: 2}])).map(short);
seen.upsert = [short(await db.upsert('things', 'C', {amount: 5}, 'name')), short(await db.upsert('things', 'D', {amount: 6}, 'name'))];
seen.increment = [short(await db.increment('things', 1, 'amount')), short(await db.increment('things', 1, 'amount', -5))];
seen.first = short(await db.first('things', {amount: {$gte: 2}}, {sort: ['-amount']}));
seen.none = await db.first('things', {name: 'nobody'});
seen.get = [short(await db.get('things', 2)), short(await db.get('things', 'D', 'name')), await db.get('things', 99)];
seen.count = [await db.count('things'), await db.count('things', {amount: {$gt: 2}})];
seen.exists = [await db.exists('things', {name: 'A'}), await db.exists('things', {name: 'a'})];
seen.query = (await db.query('things', null, {sort: 'name', fields: ['name']})).map((one) => one.name);
const page = await db.query('things', null, {sort: ['id'], page: 2, perPage: 3});
seen.page = [page.items.map((one) => one.name), page.curPage, page.nextPage, page.itemsReceived];
seen.sum = await db.aggregate('things', null, {aggregate: {n: 'count', sum: {sum: 'amount'}}});
seen.delete = await db.delete('things', 'D', 'name');
seen.deleteMany = await db.deleteMany('things', {amount: {$lt: 0}});
seen.undone = await db.transaction(async (tx) => { await tx.clear('things'); throw new Error('no'); }).catch((error) => error.message);
seen.left = await db.count('things');
seen.clear = await db.clear('things');
return seen"""
    assert value(things, code) == {
        "add": ["a", 7],
        "addMany": [["b", 2], ["c", 3]],
        "edit": ["B", 7],
        "patch": ["c", 30],
        "editMany": [["A", 7], ["C", 4]],
        "patchMany": [["A", 1], ["B", 2]],
        "upsert": [["C", 5], ["D", 6]],
        "increment": [["A", 2], ["A", -3]],
        "first": ["D", 6],
        "none": None,
        "get": [["B", 2], ["D", 6], None],
        "count": [4, 2],
        "exists": [True, False],
        "query": ["A", "B", "C", "D"],
        "page": [["D"], 2, None, 1],
        "sum": {"n": 4, "sum": 10},
        "delete": None,
        "deleteMany": 1,
        "undone": "no",
        "left": 2,
        "clear": 2,
    }


def test_what_a_call_does_not_take_is_an_error_with_code_and_hint(things: Workspace) -> None:
    code = """const said = async (call) => { try { await call(); return null; } catch (error) { return [error.code, error.status, error.message]; } };
return [
  await said(() => db.qery('things')),
  await said(() => db.query('thing')),
  await said(() => db.query('things', {nam: 1})),
  await said(() => db.query('things', null, {perpage: 1})),
  await said(() => db.get()),
  await said(() => db.add('things', {name: 'x', colour: 'red'})),
  await said(() => db.increment('things', 99, 'amount')),
  await said(() => db.increment('things', 1, 'name')),
  await said(() => db.edit('things', 99, {name: 'x'})),
  await said(() => fn.nothing()),
  await said(() => email.send({to: 'ada@example.com', subjekt: 'x'})),
  await said(() => cache.set(5, 'x')),
  await said(() => files.read('nothing.txt')),
]"""
    found = value(things, code)
    assert [one and one[0] for one in found].count(None) == 0, found
    assert all(400 <= status < 500 for _, status, _ in found), found
    text = " ".join(message for *_, message in found)
    for hint in ("db.query", "things", "nothing"):
        assert hint in text


def test_dates_auth_environment_and_functions(things: Workspace) -> None:
    edit_workspace(things, timezone="Pacific/Auckland")
    create_variable(things, "CITY", "Oslo")
    document = {"name": "twice", "inputs": {"n": {"type": "int"}}, "response": {"$expr": "input.n * 2"}}
    publish_function(create_function(things, document))
    code = """return [now, today, yesterday, tomorrow, auth, env.CITY, run.trigger, input.n,
  await fn.twice({n: 21}), await fn.call('twice', {n: 4}), $input.n, $env.CITY]"""
    somebody = Principal(kind="user", id=5, table="users", extras={"role": "editor"})
    now, today, yesterday, tomorrow, auth, *rest = value(things, code, somebody, variables=["CITY"])
    assert rest == ["Oslo", "call", 1, 42, 8, 1, "Oslo"]
    assert (auth["id"], auth["extras"]) == (5, {"role": "editor"})
    begin = datetime.fromisoformat(today)
    assert abs(datetime.fromisoformat(now) - datetime.now(UTC)) < timedelta(seconds=60)
    from zoneinfo import ZoneInfo

    local = begin.astimezone(ZoneInfo("Pacific/Auckland"))
    assert (local.hour, local.minute) == (0, 0)
    assert datetime.fromisoformat(yesterday) < begin < datetime.fromisoformat(tomorrow)


def test_files_e_mail_with_attachments_and_the_cache(things: Workspace) -> None:
    code = """const note = await files.write('note.txt', 'hello');
const bytes = await files.write('two.bin', new Uint8Array([1, 2, 255]), {access: 'private'});
const read = [await files.read(note), [...await files.read(bytes, 'bytes')]];
const names = (await files.list()).map((one) => one.name).sort();
const signed = await files.sign(bytes, 60);
const mail = await email.send({to: ['ada@example.com', 'bob@example.com'], subject: 'Hi', text: 'both', html: '<b>both</b>',
  attachments: [{name: 'a.txt', content: 'text'}, {name: 'b.bin', content: await files.read(bytes, 'bytes'), type: 'application/x-two'}]});
await files.delete(note);
await cache.set('k', {deep: [1]}, 60);
const kept = [await cache.get('k'), await cache.has('k'), await cache.increment('n', 5), await cache.increment('n'), await cache.delete('k'), await cache.get('k')];
return {read, names, signed: typeof signed, recipients: mail.recipients, left: (await files.list()).length, kept}"""
    assert value(things, code) == {
        "read": ["hello", [1, 2, 255]],
        "names": ["note.txt", "two.bin"],
        "signed": "string",
        "recipients": ["ada@example.com", "bob@example.com"],
        "left": 1,
        "kept": [{"deep": [1]}, True, 5, 6, True, None],
    }
    [sent] = mail.outbox
    assert (sent.subject, sent.body, sent.alternatives[0][0]) == ("Hi", "both", "<b>both</b>")
    assert [
        (one.filename, one.content, one.mimetype) if hasattr(one, "filename") else tuple(one)
        for one in sent.attachments
    ] == [
        ("a.txt", "text", "text/plain"),
        ("b.bin", b"\x01\x02\xff", "application/x-two"),
    ]


def test_a_lambda_without_a_name_it_does_not_see(things: Workspace) -> None:
    with pytest.raises(Problem) as caught:
        value(things, "return env.NOPE.length")
    assert caught.value.code == "LAMBDA_FAILED"
