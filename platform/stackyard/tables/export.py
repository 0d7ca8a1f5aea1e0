"""A table as CSV, a batch in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .csv import write_row
from .definitions import FieldDef, TableDef
from .query import Query
from .store import Store

BATCH = 1_000
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEXTS = frozenset({"text", "email", "enum", "json", "object", "list"})


def export_csv(
    store: Store, table: TableDef, *, private: bool = False, guard: bool = False, where: Any = None
) -> Iterator[bytes]:
    """A header, then the records by id; null is an empty cell, the empty text a pair of quotes.

    `private`: the private and internal fields too. `guard`: texts that a spreadsheet would run as a formula get an
    apostrophe in front, which an import does not take away again. `where`: only the records that meet it.
    """
    fields = [f for f in table.readable.values() if private or f.is_public]
    cells = [_writer(f, guard) for f in fields]
    names = [f.name for f in fields]
    yield write_row(names).encode()
    last = 0
    while True:
        found = store.query(_batch_after(table, names, last, where))["items"]
        rows = [
            write_row(cell(record[name]) for name, cell in zip(names, cells, strict=True)) for record in found
        ]
        if rows:
            yield "".join(rows).encode()
        if len(found) < BATCH:
            return
        last = found[-1]["id"]


def _batch_after(table: TableDef, names: list[str], last: int, only: Any) -> Query:
    after = {"id": {"$gt": last}}
    where = {"$and": [only, after]} if only else after
    return Query(table=table.name, where=where, sort=["id"], fields=names, page=1, per_page=BATCH)


def _writer(field: FieldDef, guard: bool) -> Any:
    text = field.type.csv_text
    if not guard or field.type.name not in _TEXTS:
        return lambda value: None if value is None else text(value)

    def write(value: Any) -> str | None:
        cell = None if value is None else text(value)
        return f"'{cell}" if cell is not None and cell.startswith(_FORMULA) else cell

    return write
