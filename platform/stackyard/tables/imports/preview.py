"""What an import would refuse, told before anything is written: the first rows are read and checked as the import does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from stackyard.core.data_source import LIVE
from stackyard.core.models import Workspace
from stackyard.tables.conflicts import existing_ids
from stackyard.tables.schema import fresh_schema
from stackyard.tables.store import Store

from . import uploads
from .columns import BatchChecker, Checked, ColumnReader, readers_of, shortened
from .guessing import matched
from .plan import Options
from .rows import Reject, RowReader
from .sniffing import Layout, first_rows, rewrite, sniff
from .writing import BatchWriter

ROWS = 10_000
SHOWN = 50
_BATCH = 2_000


@dataclass(slots=True)
class Preview:
    """How many rows were read and are well, whether those were all, and the first of the refused ones."""

    rows: int = 0
    good: int = 0
    refused: int = 0
    is_whole: bool = True
    bad: list[Reject] = field(default_factory=list)


def preview(
    workspace: Workspace, options: Options, table: str, *, data_source: str = LIVE, rows: int = ROWS
) -> Preview:
    """Check a file's first rows against a table's fields, what refers to nothing and what unique fields hold already.

    With `upsert` a doubled key is no fault, and other unique fields are looked at by the import only.

    Problem `NOT_FOUND` for a file that is gone, `INVALID_INPUT` for one that is no CSV or a column that goes nowhere.
    """
    path = uploads.path_of(workspace.pk, options.file)
    layout = sniff(path, options.encoding, options.delimiter)
    headers = first_rows(path, layout, 1)[0]
    store = Store(fresh_schema(workspace.pk, data_source))
    known = store.schema.table(table)
    names = options.columns if options.columns is not None else matched(headers, known)
    for name in names:
        if name is not None:
            known.fields.get(name) or known.field(name)
    is_change = options.mode == "upsert"
    readers = readers_of(known, headers, names, connection.vendor, is_change=is_change)
    checker, made = BatchChecker(readers, len(headers)), Preview()
    writer = None if is_change else BatchWriter(store, known, readers, None)
    above: dict[str, set[Any]] = {}
    if layout.must_be_rewritten:
        path, layout = rewrite(path, layout), Layout("utf-8", layout.delimiter)
    with path.open("rb") as file:
        reader = RowReader(file, layout.encoding, layout.delimiter, layout.start)
        reader.batch(1)  # the header
        while not reader.is_over and made.rows < rows:
            batch = reader.batch(min(_BATCH, rows - made.rows))
            checked = checker.check(batch)
            lost = _without_targets(store, readers, checked)
            if writer is not None and checked.lines:
                lost += _doubled(writer, readers, checked, {reject.line for reject in lost}, above)
            made.rows += len(batch.rows) + len(batch.rejects)
            made.refused += len(checked.rejects) + len({reject.line for reject in lost})
            made.bad += [*checked.rejects, *lost][: SHOWN - len(made.bad)]
        made.is_whole = reader.is_over or not reader.batch(1).rows
    made.good = made.rows - made.refused
    made.bad.sort(key=lambda reject: reject.line)
    return made


def _doubled(
    writer: BatchWriter,
    readers: list[ColumnReader],
    checked: Checked,
    lost: set[int],
    above: dict[str, set[Any]],
) -> list[Reject]:
    """The cells of unique fields whose value is in the table or further up in the file, in rows that are not lost anyway."""
    checked = checked.without({place for place, line in enumerate(checked.lines) if line in lost})
    return [
        Reject(
            checked.lines[row],
            readers[place].header,
            shortened(str(checked.columns[place][row])),
            reason,
        )
        for row, (place, reason) in writer.taken(checked, above).items()
    ]


def _without_targets(store: Store, readers: list[ColumnReader], checked: Checked) -> list[Reject]:
    """The cells that refer to a record which is not there; a table's references to itself may be met by the file."""
    found = []
    for place, reader in enumerate(readers):
        if not reader.field.is_reference or not checked.columns:
            continue
        column = checked.columns[place]
        wanted = {number for number in column if number is not None}
        missing = wanted - existing_ids(store, store.schema.tables_by_id[reader.field.target], wanted)
        found += [
            Reject(line, reader.header, shortened(str(number)), "there is no such record")
            for number, line in zip(column, checked.lines, strict=True)
            if number in missing
        ]
    return found
