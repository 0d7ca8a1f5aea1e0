"""Filters for CSV (RFC 4180): lines of cells, all of them text; a line break ends a line, also within the last one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .. import types as t
from ..filter import Budget, filter
from ..guards import Refusal, show
from .values import PIECE, written


def _style(separator: str, enclosure: str, escape: str) -> dict[str, Any]:
    """What Python's reader and writer need; a Refusal for marks that could not be told apart."""
    marks = [mark for mark in (separator, enclosure, escape) if mark]
    if len(separator) != 1 or len(enclosure) != 1 or len(escape) > 1:
        raise Refusal("expected one character each as separator and enclosure, and one or none as escape")
    if len(set(marks)) < len(marks) or any(mark in "\r\n" for mark in marks):
        raise Refusal("expected separator, enclosure and escape to differ, and none to be a line break")
    return {"delimiter": separator, "quotechar": enclosure, "escapechar": escape or None}


def _lines(budget: Budget, text: str, style: dict[str, Any]) -> Iterator[list[str]]:
    """The lines of a text, empty ones left out."""
    try:
        for cells in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), **style):
            budget.spend(1)
            budget.room(sum(map(len, cells)) + PIECE * len(cells))
            if cells:
                yield cells
    except csv.Error as error:
        raise Refusal(f"the text is not valid CSV: {error}") from None


@filter("conversion", result=lambda _given: t.list_of(t.OBJECT))
def csv_parse(
    budget: Budget, value: str, separator: str = ",", enclosure: str = '"', escape: str = ""
) -> list[dict[str, str | None]]:
    """The lines of a CSV text as objects; the first line names their keys. Cells that a line lacks are null.

    >>> "id,name\\n1,Ann\\n2,Bob" | csv_parse
    [{id: "1", name: "Ann"}, {id: "2", name: "Bob"}]
    """
    lines = _lines(budget, value, _style(separator, enclosure, escape))
    names = next(lines, [])
    if len(set(names)) < len(names):
        raise Refusal("the first line names a column twice")
    made = []
    for number, cells in enumerate(lines, 2):
        if len(cells) > len(names):
            raise Refusal(f"line {number} has {len(cells)} cells, the first line names {len(names)}")
        made.append(dict(zip(names, [*cells, *[None] * (len(names) - len(cells))], strict=True)))
    return made


@filter("conversion", result=lambda _given: t.list_of(t.list_of(t.TEXT)))
def csv_decode(
    budget: Budget, value: str, separator: str = ",", enclosure: str = '"', escape: str = ""
) -> list[list[str]]:
    """The lines of a CSV text as lists of cells.

    >>> "1;Ann\\n2;Bob" | csv_decode(";")
    [["1", "Ann"], ["2", "Bob"]]
    """
    return list(_lines(budget, value, _style(separator, enclosure, escape)))


def _columns(row: object, columns: Sequence[str]) -> Iterable[object]:
    """The cells of a line: a list as it is, an object in the order of the columns."""
    if isinstance(row, dict):
        unknown = next((key for key in row if key not in columns), None)
        if unknown is not None:
            raise Refusal(f"there is no column {show(unknown)}")
        return [row.get(column) for column in columns]
    if isinstance(row, list):
        return row
    raise Refusal(f"expected a list or an object as a line, got {show(row)}")


def _encoded(
    budget: Budget, rows: list[object], columns: Sequence[str], style: dict[str, Any], header: bool
) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", **style)
    if header:
        writer.writerow(columns)
    try:
        for row in rows:
            budget.spend(1)
            cells = [written(budget, cell) for cell in _columns(row, columns)]
            budget.room(sum(map(len, cells)) + len(cells))
            writer.writerow(cells)
    except csv.Error as error:
        raise Refusal(f"a cell cannot be written: {error}") from None
    return out.getvalue()


@filter("conversion")
def csv_encode(
    budget: Budget, value: list[object], separator: str = ",", enclosure: str = '"', escape: str = ""
) -> str:
    """Lines of CSV without a header: from lists, or from objects in the order of the first one's keys.

    A list of plain values is one line.

    >>> [[1, "Ann"], [2, "Bob, Jr."]] | csv_encode
    "1,Ann\\n2,\\"Bob, Jr.\\"\\n"
    """
    style = _style(separator, enclosure, escape)
    if value and not any(isinstance(row, list | dict) for row in value):
        return _encoded(budget, [value], [], style, header=False)
    columns = list(value[0]) if value and isinstance(value[0], dict) else []
    return _encoded(budget, value, columns, style, header=False)


@filter("conversion")
def csv_create(
    budget: Budget,
    value: list[str],
    rows: list[object],
    separator: str = ",",
    enclosure: str = '"',
    escape: str = "",
) -> str:
    """CSV with a header: the piped list names the columns, the lines are lists, or objects by those names.

    >>> ["id", "name"] | csv_create([{name: "Ann", id: 1}, [2, "Bob"]])
    "id,name\\n1,Ann\\n2,Bob\\n"
    """
    return _encoded(budget, rows, value, _style(separator, enclosure, escape), header=True)
