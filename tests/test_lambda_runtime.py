"""What code in a lambda sees, says and may return: the runner, through the supervisor."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.supervisor import Finished, Items, Supervisor
from stackyard.core.errors import Problem
from tests.slots import Answers, make_launcher, run

DAY = 86_400_000


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    """A supervisor with plain processes."""
    home = tmp_path_factory.mktemp("lambdas")
    made = Supervisor(make_launcher("process", home), home / "slots")
    yield made
    made.close()


def value(finished: Finished) -> Any:
    """The value of a run that succeeded."""
    assert finished.state == "succeeded", finished
    return finished.value


def error(finished: Finished) -> Any:
    """The error of a run that failed."""
    assert finished.state == "failed", finished
    return finished.error


def test_the_code_sees_its_input_variables_caller_and_run(supervisor: Supervisor) -> None:
    seen = run(
        supervisor,
        "return {input, env, auth, run, same: [$input === input, $env === env, $auth === auth]}",
        input={"a": [1, None, "é"]},
        env={"REPORT_EMAIL": "a@example.com"},
        auth={"id": 7},
        run={"id": "r1", "attempt": 2, "trigger": "schedule"},
    )
    assert value(seen) == {
        "input": {"a": [1, None, "é"]},
        "env": {"REPORT_EMAIL": "a@example.com"},
        "auth": {"id": 7},
        "run": {"id": "r1", "attempt": 2, "trigger": "schedule"},
        "same": [True, True, True],
    }


def test_now_and_the_days_around_it_are_dates(supervisor: Supervisor) -> None:
    code = "return [now, today, yesterday, tomorrow].map(d => [d instanceof Date, d])"
    days = {"now_ms": 5 * DAY + 1, "today_ms": 5 * DAY, "yesterday_ms": 4 * DAY, "tomorrow_ms": 6 * DAY}
    assert value(run(supervisor, code, **days)) == [
        [True, "1970-01-06T00:00:00.001Z"],
        [True, "1970-01-06T00:00:00.000Z"],
        [True, "1970-01-05T00:00:00.000Z"],
        [True, "1970-01-07T00:00:00.000Z"],
    ]


def test_the_seeds_code_runs_as_it_stands(supervisor: Supervisor) -> None:
    code = """// Example Lambda code
const orders = await db.query('orders', {
  created_at: { $gte: yesterday }
});

const report = orders.map(order => ({
  id: order.id,
  total: order.items.reduce((sum, item) => sum + item.price, 0)
}));

return { success: true, report };
"""
    orders = [{"id": 1, "items": [{"price": 2.5}, {"price": 4}]}, {"id": 2, "items": []}]
    answers = Answers({"db.query": lambda table, where: orders})
    seen = run(supervisor, code, answers, yesterday_ms=DAY)
    assert value(seen) == {"success": True, "report": [{"id": 1, "total": 6.5}, {"id": 2, "total": 0}]}
    assert answers.asked == [("db.query", ["orders", {"created_at": {"$gte": "1970-01-02T00:00:00.000Z"}}])]


def test_typescript_is_taken_and_lines_stay_where_they_are(supervisor: Supervisor) -> None:
    code = """interface Order { id: number; items: Array<{ price: number }> }
const total = (order: Order): number => order.items.reduce((sum, one) => sum + one.price, 0);
type Wanted = "a" | "b";
const wanted = "a" satisfies Wanted;
if (total({ id: 1, items: [] } as Order) === 0) throw new RangeError(`none of ${wanted}`);
"""
    failed = error(run(supervisor, code))
    assert (failed.name, failed.message, failed.line, failed.column) == ("RangeError", "none of a", 5, 55)
    assert failed.stack == "RangeError: none of a\n    at orders/main.ts:5:55"


@pytest.mark.parametrize(
    ("code", "line", "column", "stack"),
    [
        ("throw new Error('x')", 1, 7, "at orders/main.ts:1:7"),
        (
            "function f() {\n  null.x;\n}\n[1].map(() => f())",
            2,
            8,
            "at f (orders/main.ts:2:8)\n    at orders/main.ts:4:15\n    at Array.map (<anonymous>)\n    at orders/main.ts:4:5",
        ),
        ("await 1;\n\n  await db.get('x')", 3, 3, "at async orders/main.ts:3:3"),
        (
            "setTimeout(() => {\n throw new Error('x') }, 1)\nawait new Promise(() => {})",
            2,
            8,
            "orders/main.ts:2:8",
        ),
    ],
)
def test_a_stack_leads_to_the_users_own_lines(
    supervisor: Supervisor, code: str, line: int, column: int, stack: str
) -> None:
    failed = error(run(supervisor, code))
    assert (failed.line, failed.column) == (line, column)
    assert stack in failed.stack
    assert "runner.ts" not in failed.stack
    assert "ext:" not in failed.stack


@pytest.mark.parametrize(
    ("code", "message", "line", "column"),
    [
        ("const a = 1;\nlet b = ;", "Expression expected", 2, 9),
        ("return 1; }", "Expression expected", 1, 11),
        ("})(); evil(); (async () => {", "Expression expected", 1, 1),
        ("let a = 1;\nlet a = 2;", "Identifier 'a' has already been declared", None, None),
        ("enum A { B }", "TypeScript enum is not supported in strip-only mode", 1, 1),
        ("import x from './x.ts'", '"./x.ts" can\'t be imported: only npm: and node: packages can.', None, None),
        ("import x from 'https://x'", '"https://x" can\'t be imported: only npm: and node: packages can.', None, None),
        ("import x from 'node:fs' with { type: 'json' }", "An import takes no attributes here.", None, None),
        ("let a;\nimport x from 'node:fs'", "Cannot use import statement outside a module; imports stand before everything else", None, None),
    ],
)  # fmt: skip
def test_wrong_syntax_is_told_with_its_place(
    supervisor: Supervisor, code: str, message: str, line: int | None, column: int | None
) -> None:
    failed = error(run(supervisor, code))
    assert (failed.name, failed.code, failed.message) == ("SyntaxError", "SYNTAX", message)
    assert (failed.line, failed.column) == (line, column)


def test_imports_at_the_top_become_what_a_function_can_hold(supervisor: Supervisor) -> None:
    code = """// first
import type { A } from "npm:never";
import path, { join as put, basename } from "node:path"; import * as url from 'node:url'
/* and */ import {
  createHash,
} from "node:crypto";
import "node:buffer";
const hash: string = createHash("md5").update("x").digest("hex");
if (input === "throw") throw new Error("here");
return [put("a", "b"), basename("/a/b"), path.sep, typeof url.parse, hash];
"""
    assert value(run(supervisor, code)) == ["a/b", "b", "/", "function", "9dd4e461268c8034f5c8564e155c67a6"]
    assert error(run(supervisor, code, input="throw")).line == 9
    assert supervisor.compile(code).imports == ("node:path", "node:url", "node:crypto", "node:buffer")


def test_names_of_the_platform_may_be_used_for_other_things(supervisor: Supervisor) -> None:
    assert (
        value(run(supervisor, "const now = 1, log = 2, run = 3, db = 4; return now + log + run + db")) == 10
    )


def test_the_console_and_log_become_the_runs_log(supervisor: Supervisor) -> None:
    code = """console.log("total %d of %s", 3, "x", { a: [1, { b: 2 }] });
console.error(new TypeError("bad").message); console.warn("careful"); console.debug("detail"); console.info("fact");
log("mine"); log.warn("mine too"); console.table([{ a: 1 }]);
console.group("in"); console.log("deep"); console.groupEnd(); console.assert(false, "no");
Deno.stdout.writeSync(new TextEncoder().encode("raw")); process.stdout.write("node"); process.stderr.write("err");
"""
    finished = run(supervisor, code)
    assert finished.logs == (
        "total 3 of x { a: [ 1, { b: 2 } ] }\n[error] bad\n[warn] careful\n[debug] detail\nfact\nmine\n[warn] mine too\n"
        "┌───────┬───┐\n│ (idx) │ a │\n├───────┼───┤\n│     0 │ 1 │\n└───────┴───┘\n"
        "in\n  deep\n[error] Assertion failed: no\nraw\nnode\n[error] err\n"
    )


def test_log_lines_are_heard_as_they_come(supervisor: Supervisor) -> None:
    from lambdas.supervisor import Job

    heard: list[str] = []
    job = Job(1, "heard", "log('a'); await db.wait(); log('b')")
    answers = Answers({"db.wait": lambda: heard.append("between")})
    assert supervisor.run(job, answers, on_log=heard.append).logs == "a\nb\n"
    assert heard == ["a\n", "between", "b\n"]


def test_a_log_past_its_limit_is_cut_and_says_so(supervisor: Supervisor) -> None:
    finished = run(supervisor, "for (let i = 0; i < 3000; i++) log('x'.repeat(999)); return 1")
    assert value(finished) == 1
    assert finished.logs.endswith("… the log was cut at 1 MB\n")
    assert 1_000_000 <= len(finished.logs) <= 1_000_100


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("return", None),
        ("return undefined", None),
        ("return [undefined, { a: undefined, b: null }]", [None, {"b": None}]),
        ("return 12345678901234567890n", "12345678901234567890"),
        ("return [NaN, Infinity, -0, 1.5]", [None, None, 0, 1.5]),
        ("return new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("return new Date(NaN)", None),
        ("return new Uint8Array([1, 2])", {"$bytes": "AQI="}),
        ("return new Uint8Array([1, 2]).buffer", {"$bytes": "AQI="}),
        ("return Buffer.from('ab')", {"$bytes": "YWI="}),
        ("return new Float64Array([1.5, NaN])", [1.5, None]),
        ("return 'a\\ud800b'", "a\ufffdb"),
        ("return new Error('bad')", {"name": "Error", "message": "bad"}),
        ("return new URL('https://example.com/a')", "https://example.com/a"),
        ("class P { x = 1; #y = 2; get z() { return 3 } }; return new P()", {"x": 1}),
        ("return { toJSON() { return [1] } }", [1]),
        ("const a = { x: 1 }; return [a, a]", [{"x": 1}, {"x": 1}]),
        ("return Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })", {"own": 2}),
        ("return JSON.parse('{\"__proto__\": 1}')", {"__proto__": 1}),
        ("return [,1]", [None, 1]),
    ],
)
def test_values_become_json(supervisor: Supervisor, code: str, expected: Any) -> None:
    assert value(run(supervisor, code)) == expected


@pytest.mark.parametrize(
    ("code", "start"),
    [
        ("return new Map()", "result holds a Map "),
        ("return { ids: [1, new Set()] }", "result.ids[1] holds a Set "),
        ("return { 'a b': () => 1 }", 'result["a b"] holds a function,'),
        ("return { a: { b: Symbol('x') } }", "result.a.b holds a symbol,"),
        ("const a = { b: [] }; a.b.push(a); return a", "result.b[0] holds itself,"),
        ("return { orders: Promise.resolve(1) }", "result.orders holds a Promise (is an await missing?)"),
        ("return /x/", "result holds a regular expression,"),
        ("return new Response('x')", "result holds a Response "),
        ("let a = []; for (let i = 0; i < 300; i++) a = [a]; return a", "result[0][0][0]"),
        ("await db.add('orders', { tags: new Set([1]) })", "db.add argument 2.tags holds a Set "),
        ("await fn.total(new Map())", "fn.call argument 2 holds a Map "),
    ],
)
def test_what_json_cannot_carry_is_an_error_that_names_the_path(
    supervisor: Supervisor, code: str, start: str
) -> None:
    failed = error(run(supervisor, code))
    assert (failed.name, failed.code) == ("TypeError", "NOT_JSON")
    assert failed.message.startswith(start)


def test_an_output_may_be_6_mb_and_no_more(supervisor: Supervisor) -> None:
    assert len(value(run(supervisor, "return 'x'.repeat(5_999_998)"))) == 5_999_998
    failed = error(run(supervisor, "return 'x'.repeat(5_999_999)"))
    assert failed.message == "The result is larger than 6 MB."


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
