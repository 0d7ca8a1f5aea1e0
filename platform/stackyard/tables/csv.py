"""Records as CSV (RFC 4180): a header of field names, then a line a record; lists and objects as JSON in a cell.

As PostgreSQL's COPY has it, a cell without anything is null and a quoted empty one is the empty text, which
Python's own reader cannot tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from stackyard.core.errors import Problem

MAX_RECORD_CHARACTERS = 12_000_000
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=,|\Z)')
_BARE = re.compile(r'[^",]*(?=,|\Z)')
_NEEDS_QUOTES = re.compile(r'[",\r\n]')

Row = list[str | None]


def read_rows(lines: Iterable[str]) -> Iterator[tuple[int, Row]]:
    """The rows with the number of the line each begins at (from 1); empty lines are passed over.

    Problem `INVALID_INPUT` at the first cell that is not CSV, with its line in the message.
    """
    held: list[str] = []
    began, size, is_open = 1, 0, False
    for number, line in enumerate(lines, start=1):
        if not held:
            began = number
        held.append(line)
        size += len(line)
        is_open ^= line.count('"') % 2 == 1
        if size > MAX_RECORD_CHARACTERS:
            raise _broken(began, "a record is longer than it may be; is a quote missing?")
        if is_open:
            continue
        text = "".join(held).rstrip("\r\n")
        held, size = [], 0
        if text:
            yield began, _cells(text, began)
    if held:
        raise _broken(began, "a quote is not closed")


def _cells(text: str, line: int) -> Row:
    cells: Row = []
    at = 0
    while True:
        if text.startswith('"', at):
            found = _QUOTED.match(text, at)
            if found is None:
                raise _broken(line, f"cell {len(cells) + 1} goes on after its closing quote")
            cells.append(found[1].replace('""', '"'))
        else:
            found = _BARE.match(text, at)
            if found is None:
                raise _broken(line, f"cell {len(cells) + 1} holds a quote: put the whole cell in quotes")
            cells.append(found[0] or None)
        at = found.end()
        if at == len(text):
            return cells
        at += 1  # the comma; one at the very end is followed by an empty cell
        if at == len(text):
            return [*cells, None]


def _broken(line: int, message: str) -> Problem:
    return Problem("INVALID_INPUT", f"line {line}: {message}")


def write_row(cells: Iterable[str | None]) -> str:
    """One record with its line end; null is nothing, the empty text a pair of quotes."""
    return ",".join(map(_cell, cells)) + "\n"


def _cell(text: str | None) -> str:
    if text is None:
        return ""
    if text == "" or _NEEDS_QUOTES.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text
