"""The import itself, batch by batch: read, check, write, and keep the position, the last two in one transaction."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.db import connection, transaction

from stackyard.core.errors import Problem
from stackyard.runs import states
from stackyard.runs.progress import Stopped
from stackyard.runs.run_kind import ClaimedRun, Outcome
from stackyard.tables import ddl
from stackyard.tables.bulk import move_sequence
from stackyard.tables.database import Moved, busy_when_locked
from stackyard.tables.schema import fresh_schema, load_schema
from stackyard.tables.store import Store

from . import uploads
from .columns import BatchChecker, readers_of
from .plan import table_of
from .rows import Batch, Reject, RowReader
from .sniffing import Layout, rewrite
from .writing import BatchWriter

# One batch holds SQLite's write lock for some 20 ms.
BATCH_ROWS = {"sqlite": 2_000, "postgresql": 5_000}
# What a batch takes of memory is its cells: some 65 bytes each, most of them twice.
BATCH_CELLS = 100_000
REJECT_HEADER = ("line", "column", "value", "reason")
_TRIES = 3
CACHE_KB = 8_192


@contextmanager
def _little_memory() -> Iterator[None]:
    """SQLite: pages of the file are not kept in this process; a table that only grows has no use for them."""
    if connection.vendor != "sqlite":
        yield
        return
    names = ("cache_size", "mmap_size")
    before = [int((ddl.run(f"PRAGMA {name}") or [(0,)])[0][0]) for name in names]
    try:
        for name, value in zip(names, (-CACHE_KB, 0), strict=True):
            ddl.run(f"PRAGMA {name} = {value}")
        yield
    finally:
        for name, value in zip(names, before, strict=True):
            ddl.run(f"PRAGMA {name} = {value}")


class ImportJob:
    """One turn of an import."""

    def __init__(self, claimed: ClaimedRun) -> None:
        self._progress = claimed.progress
        self._run, self._given = claimed.run, claimed.run.input
        self._workspace_id = claimed.run.workspace_id
        begin = {"offset": self._given["start"], "line": 1, "rows": 0, "added": 0, "changed": 0}
        self._at: dict[str, Any] = self._progress.position or {**begin, "rejected": 0, "reject_bytes": 0}
        self._rejects = uploads.rejects_path(self._workspace_id, str(claimed.run.pk))
        self._total = 0
        self._store: Store | None = None
        self._made: tuple[BatchChecker, BatchWriter] | None = None

    def run(self) -> Outcome:
        """Go on until all is read, the turn is over, or somebody cancels: what is imported by then stays."""
        layout = Layout(self._given["encoding"], self._given["delimiter"], self._given["start"])
        path = uploads.path_of(self._workspace_id, self._given["file"])
        self._progress.report(self._at["rows"], None, "reading")
        if layout.must_be_rewritten:
            path, layout = rewrite(path, layout), Layout("utf-8", layout.delimiter)
        self._total = _count_lines(path)
        try:
            with path.open("rb") as file, _little_memory():
                if not self._import(file, layout):
                    return Outcome(states.ACCEPTED)
        except Stopped:
            return Outcome(states.CANCELLED, result=self._result())
        uploads.forget(self._workspace_id, self._given["file"])
        return Outcome(states.SUCCEEDED, result=self._result())

    def _import(self, file: BinaryIO, layout: Layout) -> bool:
        """Whether all is read; False when the turn is over first."""
        reader = RowReader(file, layout.encoding, layout.delimiter, self._at["offset"], self._at["line"])
        if self._at["rows"] == 0 and self._at["line"] == 1:
            reader.batch(1)  # the header
        size = max(1, min(BATCH_ROWS[connection.vendor], BATCH_CELLS // len(self._given["columns"])))
        while True:
            self._progress.check()
            if self._progress.turn_is_over:
                return False
            batch = reader.batch(size)
            if batch.rows or batch.rejects:
                self._write(batch, reader)
            if reader.is_over:
                return True

    def _write(self, batch: Batch, reader: RowReader) -> None:
        """One batch; again with the schema of now where the table was changed under it."""
        for attempt in range(_TRIES):
            try:
                return self._write_once(batch, reader)
            except Moved:
                if attempt + 1 == _TRIES:
                    raise
                fresh_schema(self._workspace_id, self._run.data_source)

    def _write_once(self, batch: Batch, reader: RowReader) -> None:
        checker, writer = self._parts()
        checked = checker.check(batch)
        with busy_when_locked(), transaction.atomic():
            written, rejects = writer.write(checked)
            rejects = sorted([*checked.rejects, *rejects], key=lambda reject: reject.line)
            at = dict(self._at)
            at.update(offset=reader.offset, line=reader.line, rows=at["rows"] + len(batch.rows))
            at["added"] += written.added
            at["changed"] += written.changed
            at["rejected"] += len(rejects)
            # Before the commit: a file that is ahead of its position is cut back, one behind it would be short.
            at["reject_bytes"] = self._note(rejects)
            if connection.vendor == "postgresql" and "id" in self._given["columns"]:
                assert self._store is not None
                move_sequence(self._store, self._store.schema.tables_by_id[self._run.target_id])
            self._progress.keep(at, at["rows"], max(self._total, at["rows"]), "importing")
        self._at = at

    def _parts(self) -> tuple[BatchChecker, BatchWriter]:
        """What checks and writes, made anew whenever the table has changed."""
        schema = load_schema(self._workspace_id, self._run.data_source)
        if self._made is None or self._store is None or self._store.schema is not schema:
            target = table_of(self._run)
            if target is None:
                raise Problem("NOT_FOUND", "The table is not there any more.")
            self._store = Store(schema)
            table = schema.table(target.name)
            names: Sequence[str | None] = self._given["columns"]
            for name in names:
                if name is not None:
                    table.field(name)
            is_change = self._given["mode"] == "upsert"
            readers = readers_of(table, self._given["headers"], names, schema.dialect, is_change=is_change)
            key = table.fields[self._given["key"]] if is_change else None
            self._made = BatchChecker(readers, len(names)), BatchWriter(self._store, table, readers, key)
        return self._made

    def _note(self, rejects: Sequence[Reject]) -> int:
        """Append refused rows to their file, after what is known to be committed; its length."""
        length: int = self._at["reject_bytes"]
        if not rejects:
            return length
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        if length == 0:
            rows.writerow(REJECT_HEADER)
        rows.writerows((r.line, r.column, r.value, r.reason) for r in rejects)
        data = text.getvalue().encode("utf-8", "backslashreplace")
        try:
            with self._rejects.open("ab") as file:
                file.truncate(length)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Problem("BUSY", f"Refused rows could not be written down: {error.strerror}.") from error
        return length + len(data)

    def _result(self) -> dict[str, Any]:
        at = self._at
        made = {name: at[name] for name in ("rows", "added", "changed", "rejected")}
        return {"table": self._run.target_name, **made}


def _count_lines(path: Path) -> int:
    """About how many rows there are: line ends, less the header."""
    with path.open("rb") as file:
        return max(0, sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1)
