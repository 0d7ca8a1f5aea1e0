"""records/*.csv: sample rows of a table, loaded only while the table is empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, TextIO

from stackyard.core.errors import Detail, Problem, did_you_mean
from stackyard.core.files import Change, FileKind, SourceFile, Walk
from stackyard.core.models import Workspace

from . import ddl
from .csv import Row, read_rows
from .definitions import FieldDef, TableDef
from .export import export_csv
from .field_type import Refused
from .models import Table
from .schema import fresh_schema
from .store import Store

_BATCH = 1_000
_MAX_FAULTS = 50


class RecordFiles(FileKind):
    """Records as CSV: the header names fields, lists and objects are JSON."""

    name = "records"
    label = "Records"
    order = 50
    pattern = "records/*.csv"
    holds_records = True

    def plan(self, walk: Walk) -> list[Change]:
        return [self._plan_one(walk, source) for source in self.sources(walk)]

    def _plan_one(self, walk: Walk, source: SourceFile) -> Change:
        table = _find(walk.workspace, source.stem) if walk.workspace is not None else None
        if table is None and f"tables/{source.stem}.yaml" not in walk.folder.files:
            stems = (PurePosixPath(path).stem for path in walk.folder.files if path.startswith("tables/"))
            source.fault((), f'There is no table "{source.stem}".{did_you_mean(source.stem, stems)}')
            return Change(self, source.path, "broken", source=source)
        if table is not None and ddl.has_rows_in(table):
            return Change(self, source.path, "unchanged", source=source)
        with _open(source) as lines:
            count = sum(1 for _ in islice(_rows(source, lines), 1, None))
        note = f"{count:,} records into {source.stem}"
        return Change(self, source.path, "load" if count else "unchanged", source=source, note=note)

    def carry_out(self, walk: Walk, changes: Sequence[Change]) -> None:
        schema = fresh_schema(walk.target.pk)
        store = Store(schema)
        loads = [c for c in changes if c.action == "load" and c.stem in schema.tables]
        lines = {change.stem: _load(change.file, store, schema.tables[change.stem]) for change in loads}
        # Records may refer to each other in any order, also across files.
        for change in loads:
            for found in store.dangling(change.stem):
                target = schema.tables_by_id[found.field.target].name
                message = f"{found.field.name}: there is no record {found.target} in {target}."
                place = (lines[change.stem].get(found.record, 1), 1)
                change.file.fault((), message, place=place, code="reference")

    def export(self, workspace: Workspace, records: bool) -> Iterator[tuple[str, Iterable[bytes]]]:
        if not records:
            return
        schema = fresh_schema(workspace.pk)
        for table in workspace.tables.filter(hidden_at=None).order_by("name"):
            if ddl.has_rows_in(table):
                yield (
                    f"records/{table.name}.csv",
                    export_csv(Store(schema), schema.tables[table.name], private=True),
                )


def _find(workspace: Workspace, name: str) -> Table | None:
    return Table.objects.filter(workspace=workspace, name=name, hidden_at=None).first()


def _open(source: SourceFile) -> TextIO:
    return source.absolute.open(encoding="utf-8", newline="")


def _rows(source: SourceFile, lines: TextIO) -> Iterator[tuple[int, Row]]:
    """The rows of a file up to its first fault, which is noted."""
    try:
        yield from read_rows(lines)
    except UnicodeDecodeError:
        source.fault((), "The file is not UTF-8.")
    except Problem as problem:
        line, _, said = problem.message.removeprefix("line ").partition(": ")
        source.fault((), said.capitalize() + ".", place=(int(line), 1), code="csv")


def _load(source: SourceFile, store: Store, table: TableDef) -> dict[int, int]:
    """Add every row; the line of each record by its id. All faults are noted, up to fifty of them."""
    found: dict[int, int] = {}
    with _open(source) as lines:
        rows = _rows(source, lines)
        header = next(rows, None)
        fields = _columns(source, table, header[1] if header is not None else [])
        faults = 0
        while fields and faults < _MAX_FAULTS and (batch := list(islice(rows, _BATCH))):
            items, numbers = [], []
            for number, cells in batch:
                item, faulty = _item(source, fields, number, cells)
                faults += faulty
                if item is not None:
                    items.append(item)
                    numbers.append(number)
            added, faulty = _add(source, store, table, items, numbers)
            faults += faulty
            found.update(zip(added, numbers, strict=False))
    return found


def _columns(source: SourceFile, table: TableDef, header: Row) -> list[FieldDef]:
    """The fields that the header names; none, with faults noted, when a name is wrong."""
    fields = []
    faulty = False
    for number, name in enumerate(header):
        field = table.fields.get(name or "")
        if field is None or name in header[:number]:
            what = (
                f'names "{name}" twice.'
                if field is not None
                else f"names no field: {table.unknown(name or '')}"
            )
            source.fault((), f"The header {what}", place=(1, 1), code="unknown_field")
            faulty = True
        else:
            fields.append(field)
    return [] if faulty else fields


def _item(
    source: SourceFile, fields: Sequence[FieldDef], line: int, cells: Row
) -> tuple[dict[str, Any] | None, int]:
    """A record from its cells, and how many faults it has."""
    if len(cells) != len(fields):
        source.fault(
            (), f"The row has {len(cells)} cells, the header {len(fields)}.", place=(line, 1), code="csv"
        )
        return None, 1
    item: dict[str, Any] = {}
    faults = 0
    for field, cell in zip(fields, cells, strict=True):
        if cell is None:
            # Nothing is null; where something must be, the field's default or the store's refusal follows.
            if not field.required:
                item[field.name] = None
            continue
        try:
            item[field.name] = field.type.from_csv(cell) if cell else field.type.parse(cell, lenient=True)
        except Refused as refused:
            faults += 1
            for fault in refused.faults:
                source.fault((), f"{field.name}: {fault.message}", place=(line, 1), code=fault.code)
    return (None if faults else item), faults


def _add(
    source: SourceFile, store: Store, table: TableDef, items: list[Any], lines: list[int]
) -> tuple[list[int], int]:
    """Add a batch: the records' ids, and the number of faults; details that name a row are noted at its line."""
    if not items:
        return [], 0
    try:
        added = store.import_many(table, items, check_references=False)
        # With ids of their own the records come back in the order of the ids, not of the rows.
        return [record["id"] for record in (items if "id" in items[0] else added)], 0
    except Problem as problem:
        details = problem.details if isinstance(problem.details, list | tuple) else ()
        found = [detail for detail in details if isinstance(detail, Detail)]
        for detail in found:
            row, _, field = detail.field.partition(".")
            line = lines[int(row)] if row.isdecimal() and int(row) < len(lines) else lines[0]
            said = f"{field}: {detail.message}" if field else detail.message
            source.fault((), said, place=(line, 1), code=detail.code)
        if not found:
            source.fault((), problem.message, place=(lines[0], 1), code=problem.code)
        return [], max(1, len(found))
