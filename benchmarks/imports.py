"""CSV import beside the bare driver: rows a second and the memory at its highest.

Run as `python -m benchmarks.imports` in an installation of its own. The file has nine columns of nine types; the job
reads, checks and writes it as a worker would. The driver's side only splits the lines with Python's parser and puts the
texts into a table of texts, by `executemany` on SQLite and `COPY` on PostgreSQL: no check, no types, no position.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import django

ROWS = int(os.environ.get("STACKYARD_BENCH_ROWS", "300000"))
FIELDS: dict[str, Any] = {
    "name": {"type": "text", "required": True, "max_length": 100},
    "email": "email",
    "age": {"type": "int", "min": 0, "max": 200},
    "price": {"type": "decimal", "precision": 12, "scale": 2},
    "score": "float",
    "active": "bool",
    "seen_at": "timestamp",
    "born": "date",
    "status": {"type": "enum", "values": ["open", "closed", "held"]},
}


def lines(rows: int) -> Iterator[str]:
    """The file: a header and so many rows."""
    yield ",".join(FIELDS) + "\n"
    for number in range(rows):
        day = number % 28 + 1
        yield (
            f'"Person, {number}",person{number}@example.com,{number % 100},{number % 9_999}.{number % 100:02d},{number / 7},'
            f"{'true' if number % 3 else 'false'},2026-01-{day:02d}T10:{number % 60:02d}:00Z,19{number % 90 + 10}-02-{day:02d},"
            f"{('open', 'closed', 'held')[number % 3]}\n"
        )


def set_up() -> None:
    """Django, as a worker has it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    django.setup()


def prepare(path: Path) -> None:
    """An empty installation with the table, and the file on the disk; in a process of its own, for migrations take much memory."""
    set_up()
    from stackyard.core.workspaces import create_workspace
    from stackyard.start.installation import migrate
    from stackyard.tables.changes import create_table

    migrate()
    workspace = create_workspace("bench")
    create_table(workspace, "people", fields=FIELDS)
    write(ROWS, path)


def write(rows: int, path: Path) -> None:
    """A file of so many rows."""
    with path.open("w") as file:
        file.writelines(lines(rows))


def import_seconds(workspace: Any, path: Path) -> float:
    """The time of the whole run: claim, reading, checking, writing, its end."""
    from stackyard.runs.models import Run
    from stackyard.runs.working import work
    from stackyard.tables.imports import uploads
    from stackyard.tables.imports.plan import Options, start_import

    run = start_import(workspace, Options(uploads.keep_file(workspace.pk, path)), table="people")
    began = time.perf_counter()
    state = work(run.pk)
    seconds = time.perf_counter() - began
    result = Run.objects.get(pk=run.pk).result
    if state != "succeeded" or result["added"] != ROWS:
        raise ValueError(f"the import {state}: {result}")
    return seconds


def driver_seconds(path: Path) -> float:
    """The bare driver with the same lines."""
    from django.db import connection

    names = [f"c{number}" for number in range(len(FIELDS))]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute(f"CREATE TABLE bare (id integer, {', '.join(f'{name} text' for name in names)})")
    raw: Any = connection.connection
    began = time.perf_counter()
    with path.open(newline="") as file:
        rows = islice(csv.reader(file), 1, None)
        if connection.vendor == "sqlite":
            marks = ", ".join("?" for _ in names)
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany(f"INSERT INTO bare ({', '.join(names)}) VALUES ({marks})", rows)
            raw.execute("COMMIT")
        else:
            with raw.cursor() as cursor, cursor.copy(f"COPY bare ({', '.join(names)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            raw.commit()
    return time.perf_counter() - began


def main() -> None:
    """Print rows a second, the driver's, and megabytes, as JSON; or only write a file (`--write ROWS FILE`)."""
    if sys.argv[1:2] == ["--write"]:
        write(int(sys.argv[2]), Path(sys.argv[3]))
        return
    if sys.argv[1:2] == ["--prepare"]:
        prepare(Path(sys.argv[2]))
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="stackyard-bench-csv-") as folder:
        path = Path(folder) / "people.csv"
        subprocess.run([sys.executable, "-m", "benchmarks.imports", "--prepare", str(path)], check=True)
        set_up()
        from stackyard.core.models import Workspace

        workspace = Workspace.objects.get(name="bench")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        ours = ROWS / import_seconds(workspace, path)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        bare = ROWS / driver_seconds(path)
    figures = {"rows": ROWS, "per_second": ours, "driver_per_second": bare, "mb": after, "mb_before": before}
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
