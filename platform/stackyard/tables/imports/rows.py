"""Reading the rows of a CSV file from any point of it, with where each began.

Python's own parser in its strict way. A row that is no CSV is refused by itself: what an open quote swallowed is
read again from the next line, so a broken quote costs its own line and not the rest of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

RECORD_BYTES = 4_000_000
"""The longest record; also about how much a batch holds at most."""
BATCH_BYTES = 4_000_000
# The parser's own limit is one of the process and 131,072; ours is on whole records.
csv.field_size_limit(RECORD_BYTES + 1)

UNREADABLE = "surrogateescape"
"""Bytes that are not of the encoding stay visible as half surrogates, which no field takes."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was refused: the line it begins at, the column's header (or nothing), what stood there, and why."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(slots=True)
class Batch:
    """Rows with the lines they began at, and those that are no CSV."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


class _TooLong(Exception):
    """A record is longer than it may be; probably a quote is missing."""


class RowReader:
    """Reads batches of rows; `offset` and `line` say where the next one begins (the line counts from 1)."""

    def __init__(self, file: BinaryIO, encoding: str, delimiter: str, offset: int = 0, line: int = 1) -> None:
        self._file = file
        self._encoding = encoding
        self._delimiter = delimiter
        self.offset, self.line = offset, line
        self.is_over = False
        self._began = offset
        self._first_end: int | None = None

    def batch(self, size: int) -> Batch:
        """The next rows, `size` at most; empty lines are passed over."""
        self._file.seek(self.offset)
        batch = self._plain_batch(size)
        if batch is not None:
            return batch
        batch = Batch()
        self._file.seek(self.offset)
        start, parser = self.offset, self._parser()
        while len(batch.rows) < size and self.offset - start < BATCH_BYTES:
            self._began, self._first_end, line = self.offset, None, self.line
            try:
                row = next(parser)
            except StopIteration:
                self.is_over = True
                break
            except (csv.Error, _TooLong) as error:
                batch.rejects.append(Reject(line, "", "", self._reason(error)))
                self._go_back(line)
                parser = self._parser()
                continue
            if row:
                batch.rows.append(row)
                batch.lines.append(line)
        return batch

    def _plain_batch(self, size: int) -> Batch | None:
        """As many rows as lines, all of them well, at a third of the price; None where that is not so."""
        lines: list[bytes] = []
        read, length = self._file.readline, 0
        while len(lines) < size and length < BATCH_BYTES and (raw := read(RECORD_BYTES + 1)):
            lines.append(raw)
            length += len(raw)
        encoding = self._encoding
        try:
            texts = [raw.decode(encoding) for raw in lines]
            rows = list(csv.reader(texts, delimiter=self._delimiter, strict=True))
        except (csv.Error, UnicodeDecodeError):
            return None
        if len(rows) != len(lines) or max(map(len, lines), default=0) > RECORD_BYTES:
            return None
        numbers = list(range(self.line, self.line + len(lines)))
        self.is_over = not lines
        self.offset += length
        self.line += len(lines)
        if all(rows):
            return Batch(rows, numbers)
        pairs = [(row, number) for row, number in zip(rows, numbers, strict=True) if row]
        return Batch([row for row, _ in pairs], [number for _, number in pairs])

    def _parser(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self._delimiter, strict=True)

    def _lines(self) -> Iterator[str]:
        read, encoding = self._file.readline, self._encoding
        while raw := read(RECORD_BYTES + 1):
            self.offset += len(raw)
            self.line += 1
            if self._first_end is None:
                self._first_end = self.offset
            if self.offset - self._began > RECORD_BYTES:
                raise _TooLong
            yield raw.decode(encoding, UNREADABLE)

    def _go_back(self, line: int) -> None:
        """After a row that is no CSV: go on with the line after its first one."""
        assert self._first_end is not None
        self.offset, self.line = self._first_end, line + 1
        self._file.seek(self.offset)
        if self._first_end - self._began > RECORD_BYTES:
            # Not even the first line is at its end.
            while raw := self._file.readline(RECORD_BYTES):
                self.offset += len(raw)
                if raw.endswith(b"\n"):
                    break

    def _reason(self, error: Exception) -> str:
        if isinstance(error, _TooLong) or "field larger" in str(error):
            return f"the row has more than {RECORD_BYTES:,} bytes; is a quote missing?"
        if "unexpected end" in str(error):
            return "a quote is not closed"
        if "expected after" in str(error):
            return "a cell goes on after its closing quote"
        return str(error)
