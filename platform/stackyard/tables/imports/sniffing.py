"""How a CSV file is written: encoding, delimiter, header. Found from its first 256 KB, and anybody may say otherwise."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from stackyard.core.errors import Detail, Problem, invalid_input

from .rows import UNREADABLE

SAMPLE_BYTES = 256 * 1024
SAMPLE_ROWS = 1_000
DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Layout:
    """How a file is written. `start` is where its text begins (after a byte order mark)."""

    encoding: str
    delimiter: str
    start: int = 0

    @property
    def must_be_rewritten(self) -> bool:
        """Whether lines can't be told apart in its bytes: it is written anew as UTF-8 first."""
        return codecs.lookup(self.encoding).name.startswith(("utf-16", "utf-32"))


def sniff(path: Path, encoding: str | None = None, delimiter: str | None = None) -> Layout:
    """The layout of a file. Problem `INVALID_INPUT` for an encoding or delimiter that is none."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    start = 0
    if encoding is None:
        encoding, start = _encoding(sample)
    elif not _is_encoding(encoding):
        raise invalid_input([Detail("encoding", "value", f'There is no encoding "{encoding[:40]}".')])
    elif sample.startswith(codecs.BOM_UTF8):
        start = 3
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0' or not delimiter.isascii()):
        raise invalid_input([Detail("delimiter", "value", "A delimiter is one character, such as , or ;")])
    text = _whole_lines(sample[start:].decode(encoding, UNREADABLE if encoding != "utf-16" else "replace"))
    return Layout(encoding, delimiter or _delimiter(text), start)


def _is_encoding(name: str) -> bool:
    try:
        return bool(codecs.lookup(name)._is_text_encoding)
    except (LookupError, ValueError):
        return False


def _encoding(sample: bytes) -> tuple[str, int]:
    """The encoding and the length of the byte order mark that is not part of the text."""
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name, len(mark) if name == "utf-8" else 0
    try:
        # The sample may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        return "utf-8", 0
    except UnicodeDecodeError:
        best = from_bytes(sample).best()
    # Western files from spreadsheets are the usual case, and short samples say little.
    return (best.encoding if best is not None else "cp1252"), 0


def _whole_lines(text: str) -> str:
    end = text.rfind("\n")
    return text[: end + 1] if end > 0 and len(text) > SAMPLE_BYTES // 8 else text


def _delimiter(text: str) -> str:
    """The delimiter by which most rows have the same number of cells, and more than one."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        counts = Counter(len(row) for row in _first_rows(text, delimiter) if row)
        if not counts:
            continue
        width, rows = counts.most_common(1)[0]
        score = rows / counts.total() * (width > 1) * (1 + width / 1_000)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    parser = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        for row in parser:
            rows.append(row)
            if len(rows) == SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    return rows


def first_rows(path: Path, layout: Layout, count: int = SAMPLE_ROWS) -> list[list[str]]:
    """The first rows with their header, as far as they are CSV. Problem `INVALID_INPUT` for a file without any."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)[layout.start :]
    errors = "replace" if layout.must_be_rewritten else UNREADABLE
    rows = [
        row
        for row in _first_rows(_whole_lines(sample.decode(layout.encoding, errors)), layout.delimiter)
        if row
    ]
    if not rows:
        raise Problem("INVALID_INPUT", "The file is empty: there is not even a header.")
    return rows[:count]


def rewrite(path: Path, layout: Layout) -> Path:
    """The file once more in UTF-8 with plain line ends, for encodings of more than one byte a character."""
    made = path.with_suffix(".utf8")
    if not made.exists():
        beside = path.with_suffix(".part")
        with (
            path.open(encoding=layout.encoding, errors="replace", newline="") as old,
            beside.open("w", encoding="utf-8", newline="") as new,
        ):
            while text := old.read(1 << 20):
                new.write(text)
        beside.rename(made)
    return made
