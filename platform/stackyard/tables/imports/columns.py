"""Checking a batch of rows a column at a time, by the fields' own types: a whole column at once where the type can.

What comes out are columns of driver values and the rows that were refused; a row is refused with its first fault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stackyard.tables.definitions import FieldDef, TableDef
from stackyard.tables.field_type import Convert, Refused
from stackyard.tables.records import default_maker

from .rows import Batch, Reject

SHOWN_CHARACTERS = 200
_REFUSED = object()
Refuse = Callable[[int, "ColumnReader", str], None]


@dataclass(slots=True)
class Checked:
    """The rows of a batch that are well: columns of bound values, and the line of each row."""

    columns: list[list[Any]]
    lines: list[int]
    rejects: list[Reject] = field(default_factory=list)

    def without(self, refused: set[int]) -> Checked:
        """Leave out some rows, by their places."""
        kept = [place for place in range(len(self.lines)) if place not in refused]
        columns = [[column[place] for place in kept] for column in self.columns]
        return Checked(columns, [self.lines[place] for place in kept], self.rejects)


class ColumnReader:
    """One column of the file and the field it goes into."""

    def __init__(self, field: FieldDef, header: str, place: int, dialect: str, *, is_change: bool) -> None:
        self.field = field
        self.header = header
        self.place = place
        self._dialect = dialect
        self._bind: Convert | None = field.type.binder(dialect)
        # A change keeps to what the file says: nothing is null, not the default.
        self._default = None if is_change else default_maker(field)
        self._takes_empty = field.type.name == "text"

    def read(self, cells: Sequence[str], refuse: Refuse) -> list[Any]:
        """The bound values; `refuse(place, self, reason)` is called for what the field does not take."""
        if "" not in cells:
            return self._read_present(cells, range(len(cells)), refuse)
        places = [place for place, cell in enumerate(cells) if cell]
        present = self._read_present([cells[place] for place in places], places, refuse) if places else []
        empty = self._empty()
        if empty is _REFUSED:
            for place in set(range(len(cells))).difference(places):
                refuse(place, self, "is required")
            empty = lambda: None  # noqa: E731
        values = iter(present)
        return [next(values) if cell else empty() for cell in cells]

    def _empty(self) -> Any:
        """What makes the value of an empty cell, or that there can't be one."""
        if self.field.is_system or not self.field.required:
            return lambda: None
        if self._default is not None:
            default, parse, bind = self._default, self.field.type.parse, self._bind
            return lambda: parse(default()) if bind is None else bind(parse(default()))
        return (lambda: "") if self._takes_empty else _REFUSED

    def _read_present(self, cells: Sequence[str], places: Sequence[int], refuse: Refuse) -> list[Any]:
        values = self.field.type.bind_cells(cells, self._dialect)
        if values is not None and self._fits_index(values):
            return values
        return [self._read_one(cell, place, refuse) for cell, place in zip(cells, places, strict=True)]

    def _read_one(self, cell: str, place: int, refuse: Refuse) -> Any:
        try:
            value = self.field.type.from_csv(cell)
            bound = value if value is None or self._bind is None else self._bind(value)
        except Refused as refused:
            reason = "; ".join(fault.message for fault in refused.faults)
            if any("\udc80" <= letter <= "\udcff" for letter in cell):
                reason = "holds bytes that are not of the file's encoding"
            refuse(place, self, reason)
            return None
        if not self._fits_index([bound]):
            refuse(place, self, f"must have at most {self.field.index_bytes:,} bytes, because it is indexed")
        return bound

    def _fits_index(self, values: Sequence[Any]) -> bool:
        most = self.field.index_bytes
        if most is None:
            return True
        return max(map(len, values)) * 4 <= most or max(len(text.encode()) for text in values) <= most


class BatchChecker:
    """Checks batches for one table and one choice of columns."""

    def __init__(self, readers: Sequence[ColumnReader], width: int) -> None:
        self._readers = readers
        self._width = width

    def check(self, batch: Batch) -> Checked:
        """The columns of the batch, in the order of the readers."""
        width = self._width
        rows, lines, rejects = batch.rows, batch.lines, list(batch.rejects)
        if any(len(row) != width for row in rows):
            for row, line in zip(rows, lines, strict=True):
                if len(row) != width:
                    rejects.append(
                        Reject(line, "", "", f"the row has {len(row):,} cells, the header {width:,}")
                    )
            pairs = [(row, line) for row, line in zip(rows, lines, strict=True) if len(row) == width]
            rows, lines = [row for row, _ in pairs], [line for _, line in pairs]
        refused: dict[int, Reject] = {}
        cells = list(zip(*rows, strict=True)) if rows else [()] * width

        def refuse(place: int, reader: ColumnReader, reason: str) -> None:
            if place not in refused:
                shown = shortened(cells[reader.place][place])
                refused[place] = Reject(lines[place], reader.header, shown, reason)

        columns = [reader.read(cells[reader.place], refuse) if rows else [] for reader in self._readers]
        checked = Checked(columns, list(lines), rejects)
        if not refused:
            return checked
        rejects += refused.values()
        return checked.without(set(refused))


def shortened(cell: str) -> str:
    """A cell as a reject shows it."""
    return cell if len(cell) <= SHOWN_CHARACTERS else f"{cell[:SHOWN_CHARACTERS]}…"


def readers_of(
    table: TableDef, headers: Sequence[str], names: Sequence[str | None], dialect: str, *, is_change: bool
) -> list[ColumnReader]:
    """A reader for each column that goes into a field."""
    return [
        ColumnReader(table.fields[name], header or name, place, dialect, is_change=is_change)
        for place, (header, name) in enumerate(zip(headers, names, strict=True))
        if name is not None
    ]
