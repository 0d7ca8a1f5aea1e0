"""From the driver's rows to records: dictionaries by field name, in run-time values."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from .definitions import FieldDef
from .field_type import Convert

Rows = Sequence[Sequence[Any]]
Records = list[dict[str, Any]]


class RowLoader:
    """Makes records of rows that begin with the columns of `fields`; what follows in a row is left out.

    The second call compiles the way from a row to a record (half the price of going field by field): a
    query that runs only once does not pay for that.
    """

    __slots__ = ("_calls", "_fields", "_made")

    def __init__(self, fields: Sequence[FieldDef], dialect: str) -> None:
        self._fields = tuple((field.name, field.type.loader(dialect)) for field in fields)
        self._made: Callable[[Rows], Records] | None = None
        self._calls = 0

    def load(self, rows: Rows) -> Records:
        """One record a row."""
        if self._made is not None:
            return self._made(rows)
        self._calls += 1
        if self._calls > 1:
            self._made = compile_loader(self._fields)
            return self._made(rows)
        return [self._record(row) for row in rows]

    def _record(self, row: Sequence[Any]) -> dict[str, Any]:
        return {
            name: raw if convert is None or raw is None else convert(raw)
            for (name, convert), raw in zip(self._fields, row, strict=False)
        }


def compile_loader(fields: Sequence[tuple[str, Convert | None]]) -> Callable[[Rows], Records]:
    """`[{name: row[0], other: None if row[1] is None else convert(row[1]), …} for row in rows]` as a function.

    Built as `ast` nodes: names of fields are constants in it, never source.
    """
    converters: dict[str, Any] = {"__builtins__": {}}
    values: list[ast.expr] = []
    for number, (_, convert) in enumerate(fields):
        raw: ast.expr = ast.Subscript(_name("row"), ast.Constant(number), ast.Load())
        if convert is not None:
            converters[f"c{number}"] = convert
            keep = ast.NamedExpr(ast.Name("raw", ast.Store()), raw)
            is_null = ast.Compare(keep, [ast.Is()], [ast.Constant(None)])
            raw = ast.IfExp(is_null, ast.Constant(None), ast.Call(_name(f"c{number}"), [_name("raw")], []))
        values.append(raw)
    # A generator's own function, so that `raw` is a fast local and not a cell of an outer one.
    record = ast.Dict([ast.Constant(name) for name, _ in fields], values)
    append = ast.Expr(ast.Call(_name("append"), [record], []))
    loop = ast.For(ast.Name("row", ast.Store()), _name("rows"), [append], [])
    parameters = [ast.arg(name) for name in ("rows", "append")]
    signature = ast.arguments([], parameters, None, [], [], None, [])
    function = ast.FunctionDef("fill", signature, [loop], [])
    module = ast.fix_missing_locations(ast.Module([function], []))
    exec(compile(module, "<rows>", "exec"), converters)
    fill = converters["fill"]

    def load(rows: Rows) -> Records:
        records: Records = []
        fill(rows, records.append)
        return records

    return load


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())
