"""Records as CSV: what is written reads back the same, null and empty text apart."""

from __future__ import annotations

import csv as python_csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.core.errors import Problem
from stackyard.tables.csv import read_rows, write_row

cells = st.one_of(st.none(), st.text("a\",\r\n 'é;\t", max_size=6), st.text(max_size=8))
rows = st.lists(st.lists(cells, min_size=2, max_size=4), max_size=5)


def read(text: str) -> list[list[str | None]]:
    return [row for _, row in read_rows(io.StringIO(text, newline=""))]


@given(rows)
def test_what_is_written_reads_back_the_same(rows):
    assert read("".join(map(write_row, rows))) == rows


@given(rows)
def test_pythons_reader_agrees_but_for_null(rows):
    text = "".join(map(write_row, rows))
    expected = [[cell or "" for cell in row] for row in rows]
    assert list(python_csv.reader(io.StringIO(text, newline=""))) == expected


def test_nothing_is_null_and_quotes_are_the_empty_text():
    assert read('a,b,c\n1,,""\n,,\n') == [["a", "b", "c"], ["1", None, ""], [None, None, None]]


def test_lines_are_counted_through_cells_of_several_lines():
    text = 'a,b\n"x\ny",1\r\n\n2,3'
    assert list(read_rows(io.StringIO(text, newline=""))) == [
        (1, ["a", "b"]),
        (2, ["x\ny", "1"]),
        (5, ["2", "3"]),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('a\n"x', "line 2: a quote is not closed"),
        ('a\n"x"y\n', "line 2: cell 1 goes on after its closing quote"),
        ('a\nb,x"y"\n', "line 2: cell 2 holds a quote"),
    ],
)
def test_a_broken_cell_is_named_with_its_line(text, said):
    with pytest.raises(Problem, match=said):
        read(text)
