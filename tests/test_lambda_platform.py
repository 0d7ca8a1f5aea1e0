# ruff: noqa: F811  (a fixture of the other file)
"""What lambdas may do with the platform, and how their failures are told."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from lambdas.supervisor import Items, Supervisor
from stackyard.core.errors import Problem
from tests.slots import Answers, run

from .test_lambda_runtime import error, supervisor, value  # noqa: F401


@pytest.mark.parametrize(
    ("code", "name", "message", "its_code"),
    [
        ("throw new TypeError('bad')", "TypeError", "bad", None),
        ("throw Object.assign(new Error('gone'), { code: 'GONE' })", "Error", "gone", "GONE"),
        ("throw { code: 'X', message: 'plain' }", "Error", "plain", "X"),
        ("throw 'text'", "Error", "text", None),
        ("throw null", "Error", "null", None),
        ("throw { get message() { throw 1 } }", "Error", "The thrown value can't be read.", None),
        ("Promise.reject(new Error('nobody waits')); await new Promise(() => {})", "Error", "nobody waits", None),
        ("await db.get('x')", "Problem", "db.get is not for you.", "ACCESS_DENIED"),
        ("db.add('x', {}); return 1", "Problem", "db.add is not for you.", "ACCESS_DENIED"),
    ],
)  # fmt: skip
def test_what_is_thrown_ends_the_run_as_failed(
    supervisor: Supervisor, code: str, name: str, message: str, its_code: str | None
) -> None:
    failed = error(run(supervisor, code))
    assert (failed.name, failed.message, failed.code) == (name, message, its_code)


def test_a_problem_can_be_caught_with_code_message_and_status(supervisor: Supervisor) -> None:
    def missing(_table: str) -> None:
        raise Problem("NOT_FOUND", "No such record.", suggestion="Look again.", details=[{"field": "id"}])

    code = """try { await db.get('x') } catch (error) {
  const { name, code, message, status, suggestion, details } = error;
  return [error instanceof Error, name, code, message, status, suggestion, details];
}"""
    caught = value(run(supervisor, code, Answers({"db.get": missing})))
    assert caught == [True, "Problem", "NOT_FOUND", "No such record.", 404, "Look again.", [{"field": "id"}]]


def test_calls_carry_their_arguments_and_come_back_with_values(supervisor: Supervisor) -> None:
    answers = Answers(
        {
            "db.query": lambda *args: ["q", *args],
            "fn.call": lambda name, data=None: [name, data],
            "email.send": lambda mail: mail["to"],
            "cache.get": lambda key: {"key": key},
        }
    )
    code = """return [await db.query('orders', { id: 1 }, { sort: '-id' }), await fn.call('total', { a: 1 }), await fn.total({ b: 2 }),
  await fn.total(), await email.send({ to: 'a@example.com' }), await cache.get('k')]"""
    assert value(run(supervisor, code, answers)) == [
        ["q", "orders", {"id": 1}, {"sort": "-id"}],
        ["total", {"a": 1}],
        ["total", {"b": 2}],
        ["total", {}],
        "a@example.com",
        {"key": "k"},
    ]
    assert len(answers.threads) == 1


def test_many_large_calls_at_once_do_not_block_each_other(supervisor: Supervisor) -> None:
    code = """const text = 'x'.repeat(300_000);
const found = await Promise.all(Array.from({ length: 60 }, (_, i) => fn.echo({ i, text })));
for (let i = 0; i < 100; i++) log(text.slice(0, 5_000));
return found.every((one, i) => one.i === i && one.text.length === 300_000)"""
    assert value(run(supervisor, code, Answers({"fn.call": lambda _name, data: data}))) is True


def test_calls_nobody_waits_for_are_made_before_the_run_ends(supervisor: Supervisor) -> None:
    answers = Answers({"db.add": lambda *_: None})
    assert value(run(supervisor, "for (let i = 0; i < 20; i++) db.add('x', { i }); return 1", answers)) == 1
    assert len(answers.asked) == 20


def test_transactions_nest_and_keep_others_out(supervisor: Supervisor) -> None:
    answers = Answers(
        {f"db.{name}": (lambda *_: None) for name in ("begin", "commit", "rollback", "add", "get")}
    )
    code = """const one = db.transaction(async (tx) => {
  await tx.add('in');
  await db.add('in too');
  await db.transaction(async (inner) => { await inner.add('deep'); throw new Error('undo') }).catch(() => {});
  await new Promise(r => setTimeout(r, 20));
  return 'done';
});
const other = db.get('outside');
return [await one, await other]"""
    assert value(run(supervisor, code, answers)) == ["done", None]
    said = [" ".join([method, *(str(p) for p in params)]) for method, params in answers.asked]
    assert said == [
        "db.begin",
        "db.add in",
        "db.add in too",
        "db.begin",
        "db.add deep",
        "db.rollback",
        "db.commit",
        "db.get outside",
    ]


def test_fetch_goes_to_the_platform_and_comes_back_as_a_response(supervisor: Supervisor) -> None:
    def fetch(request: dict[str, Any]) -> dict[str, Any]:
        body = base64.b64decode(request["body"]["$bytes"]).decode() if request["body"] else ""
        said = f"{request['method']} {request['url']} {body} {dict(request['headers']).get('x-a')}"
        return {
            "status": 201,
            "headers": [["content-type", "text/plain"], ["set-cookie", "a"], ["set-cookie", "b"]],
            "body": {"$bytes": base64.b64encode(said.encode()).decode()},
            "url": "https://example.com/end",
            "redirected": True,
        }

    code = """const answer = await fetch('https://example.com/a?b=1', { method: 'POST', headers: { 'X-A': '1' }, body: 'hi' });
const empty = await fetch(new Request('https://example.com'));
const local = await (await fetch('data:text/plain,local')).text();
return [answer.status, answer.ok, answer.url, answer.redirected, answer.headers.getSetCookie(), await answer.text(),
  await empty.text(), local]"""
    assert value(run(supervisor, code, Answers({"fetch": fetch}))) == [
        201,
        True,
        "https://example.com/end",
        True,
        ["a", "b"],
        "POST https://example.com/a?b=1 hi 1",
        "GET https://example.com/  None",
        "local",
    ]


@pytest.mark.parametrize(
    ("operation", "code", "initial", "expected"),
    [
        ("map", "return item * 2 + index", None, [2, 5, 8, 11]),
        ("map", "return $this + $index + $parent.length", None, [5, 7, 9, 11]),
        ("filter", "return item % 2 === 0", None, [2, 4]),
        ("some", "return item > 3", None, True),
        ("every", "return item > 3", None, False),
        ("find", "return item > 2", None, 3),
        ("find", "return item > 9", None, None),
        ("find_index", "return item > 2", None, 2),
        ("find_index", "return item > 9", None, -1),
        ("reduce", "return result + item", 10, 20),
        ("reduce", "return $result + $this", 0, 10),
    ],
)
def test_a_whole_list_goes_through_in_one_crossing(
    supervisor: Supervisor, operation: str, code: str, initial: Any, expected: Any
) -> None:
    items = Items(operation, [1, 2, 3, 4], initial)
    key = f"{operation} {code}"
    assert value(run(supervisor, code, key=key, mode="filter", items=items)) == expected
    assert value(run(supervisor, code, key=key, mode="filter", items=Items(operation, [], initial))) in (
        [],
        False,
        True,
        None,
        -1,
        initial,
    )


def test_further_names_can_be_given(supervisor: Supervisor) -> None:
    assert value(run(supervisor, "return $var.total + rate", names={"$var": {"total": 2}, "rate": 3})) == 5


def test_a_package_comes_from_the_bundle(supervisor: Supervisor, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.js"
    bundle.write_text('var packages = {"npm:leaf@1": {default: (x) => x + 1, name: "leaf"}};')
    code = "import leaf, { name } from 'npm:leaf@1';\nreturn [leaf(1), name]"
    for _ in range(2):
        assert value(run(supervisor, code, bundle=str(bundle))) == [2, "leaf"]
    failed = error(run(supervisor, code, key="without"))
    assert failed.message == 'The package "npm:leaf@1" is not in this lambda\'s bundle: publish it again.'


def test_files_are_those_of_the_scratch_directory_and_gone_after_the_run(supervisor: Supervisor) -> None:
    code = """const before = [...Deno.readDirSync('.')].length;
Deno.mkdirSync('deep/er', { recursive: true });
await Deno.writeTextFile('deep/er/a.txt', 'mine');
return [before, await Deno.readTextFile('deep/er/a.txt')]"""
    for _ in range(3):
        assert value(run(supervisor, code)) == [0, "mine"]


def test_timers_of_one_run_do_not_tick_in_the_next(supervisor: Supervisor) -> None:
    code = """globalThis.ticks ??= 0;
if (input) { setInterval(() => globalThis.ticks++, 1); setTimeout(() => globalThis.ticks++, 5); return }
await new Promise(r => setTimeout(r, 50));
return globalThis.ticks"""
    run(supervisor, code, input=True)
    assert value(run(supervisor, code)) == 0
