"""Types of lambdas: what TypeScript is told about a workspace, and what it says about code."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.types import declarations, type_faults
from stackyard.core.models import Variable, Workspace
from stackyard.stacks.publishing import create_function
from stackyard.stacks.publishing import publish as publish_function
from stackyard.tables.changes import create_table

pytestmark = pytest.mark.django_db(databases=["default", "history"])

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
def shop(workspace: Workspace) -> Workspace:
    """Orders, a function, a variable."""
    items = {"type": "list", "of": {"type": "object", "fields": {"price": "float"}}}
    fields: dict[str, Any] = {
        "items": items,
        "note": "text",
        "status": {"type": "enum", "values": ["open", "paid"], "default": "open"},
        "number": {"type": "int", "required": True},
        "secret": {"type": "text", "access": "private"},
    }
    create_table(workspace, "orders", fields=fields)
    total = {"name": "total", "inputs": {"of": {"type": "int", "required": True}, "round": {"type": "bool", "required": False}}, "lines": [], "response": 1}  # fmt: skip
    publish_function(create_function(workspace, {"format": 1, **total}))
    Variable.objects.create(workspace=workspace, name="REPORT_EMAIL")
    return workspace


def faults_of(workspace: Workspace, code: str) -> list[tuple[int | None, int | None, str]]:
    """Line, column and words of every type fault; all of them warnings."""
    found = type_faults(workspace, {"code": code, "variables": ["REPORT_EMAIL"]})
    assert all((one.level, one.code, one.path) == ("warning", "types", ("code",)) for one in found)
    return [(one.line, one.column, one.message) for one in found]


def test_a_workspace_is_declared_as_it_is(shop: Workspace) -> None:
    said = declarations(shop, ["REPORT_EMAIL"])
    assert "interface Tables {\n  orders: { id: number; created_at: string; " in said
    assert 'status: "open" | "paid" | null; ' in said
    assert "secret" not in said.partition("NewRecords")[0]
    assert "number: number; " in said.partition("NewRecords")[2]
    assert "note?: string | null; " in said.partition("NewRecords")[2]
    assert "REPORT_EMAIL: string;" in said
    assert "  total: (input: { of: number; round?: " in said


def test_the_seeds_code_has_no_type_fault(shop: Workspace) -> None:
    assert faults_of(shop, SEED) == []


RIGHT = [
    "return [input, env.REPORT_EMAIL.length, auth?.id, run.id, now.getTime(), today, tomorrow]",
    "const page = await db.query('orders', null, { page: 2 }); return page.items.length",
    "return await db.transaction(async (tx) => (await tx.add('orders', { number: 1, items: [{ price: 2 }] })).id)",
    "try { await db.get('orders', 1) } catch (error) { return error.code }",
    "await db.patch('orders', 1, { status: 'paid' }); await cache.set('a', 1, 60); return await cache.get('a')",
    "const [top] = await db.aggregate('orders', null, { groupBy: 'status', aggregate: { n: 'count' } }); return top.n + 1",
    "return (await db.aggregate('orders', {}, { aggregate: { most: { max: 'number' } } })).most",
    "return (await db.query('orders', {}, { computed: { x: 'number * 2' } }))[0].x",
    "return await fn.total({ of: 1 }) + await fn.call('other', {})",
    "await email.send({ to: 'a@example.com', subject: 'x', text: 'y' }); log('x'); log.warn('y')",
    "const response = await fetch('https://example.com'); return await response.json()",
    "function add(a, b) { return a + b }\nreturn add(1, 2)",
    "await Deno.writeTextFile('a', 'b'); return Buffer.from('x').toString('base64')",
    "const now = 1; const log = 2; return now + log",
]


def test_right_code_has_no_type_fault(shop: Workspace) -> None:
    bodies = "\n".join(f"await (async () => {{ {code}\n}})();" for code in RIGHT)
    assert faults_of(shop, f"import {{ createHash }} from 'node:crypto';\ncreateHash('md5');\n{bodies}") == []


@pytest.mark.parametrize(
    ("code", "line", "column", "words"),
    [
        ("const a: number = 'x'; return a", 1, 7, "Type 'string' is not assignable to type 'number'."),
        ("// é\n\n  return await db.query('ordres')", 3, 25, "'\"ordres\"' is not assignable"),
        ("return (await db.get('orders', 1)).nmae", 1, 36, "Property 'nmae' does not exist"),
        ("await db.add('orders', { number: 'x' })", 1, 26, "Type 'string' is not assignable"),
        ("await db.add('orders', { note: 'x' })", 1, 24, "Property 'number' is missing"),
        ("return db.qurey('orders')", 1, 11, "Property 'qurey' does not exist"),
        ("await db.patch('orders', 1, { status: 'gone' })", 1, 31, "'\"gone\"' is not assignable"),
        ("return await fn.total({ of: 'x' })", 1, 25, "Type 'string' is not assignable to type 'number'"),
        ("return env.OTHER", 1, 12, "Property 'OTHER' does not exist"),
        ("import { createHash as hash } from 'node:crypto'; hash(1);\nhash(2)", 1, 56, "not assignable to parameter"),
        ("import { createHash as hash } from 'node:crypto'; hash('a');\n\nhash(2)", 3, 6, "not assignable to parameter"),
        ("import { nothing } from 'node:crypto'\nreturn 1", 1, 10, "has no exported member"),
        ("return yesterday.toISOString", 1, 1, ""),
    ][:-1],
)  # fmt: skip
def test_wrong_code_is_told_at_its_place(
    shop: Workspace, code: str, line: int, column: int, words: str
) -> None:
    found = faults_of(shop, code)
    assert found, code
    assert found[0][:2] == (line, column)
    assert words in found[0][2]


def test_code_that_does_not_compile_has_no_type_faults(shop: Workspace) -> None:
    assert faults_of(shop, "return (") == []


@pytest.mark.parametrize(
    "code",
    [
        "type Secret = typeof import('file:///etc/passwd.json'); return 1 as any as Secret",
        "type Secret = import('/etc/hostname.ts').default; return 1 as any as Secret",
        "return (await import('file:///etc/passwd', { with: { type: 'json' } })).default",
        "/** @import { a } from '/etc/passwd.ts' */\nreturn 1",
        "/// <reference path='/etc/passwd' />\nreturn 1",
        "/// <reference types='/etc/passwd.d.ts' />\nimport 'node:fs';\nreturn 1",
        "return await import('https://127.0.0.1:9/x.ts')",
    ],
)
def test_types_cannot_look_at_files(shop: Workspace, code: str) -> None:
    for _line, _column, message in faults_of(shop, code):
        assert "root:" not in message
        assert "neither npm: nor node:" in message or "Cannot find" in message or "could not" in message
