"""What code in a lambda sees, says and may return: the runner, through the supervisor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.supervisor import Finished, Supervisor
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
        ("import x from './x.ts'", '"./x.ts" can\'t be imported: only npm: and node: packages can.', 1, 1),
        ("import 'node:fs'\n  import x from 'https://x'", '"https://x" can\'t be imported: only npm: and node: packages can.', 2, 3),
        ("import x from 'node:fs' with { type: 'json' }", "An import takes no attributes here.", 1, 1),
        ("const s = '[[';\nreturn " + "[" * 200_000 + "]" * 200_000, "The code can't be compiled: 200,000 brackets are open here, each in the other.", 2, 200_007),
        ("let a;\nreturn 1" + " + 1" * 200_000, "The code can't be compiled: it is too much for the compiler, most likely here. Take it apart.", 2, 1),
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
