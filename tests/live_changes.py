"""What three processes do to one table at once: a reader, a writer, a changer. Run as `python -m tests.live_changes ROLE FOLDER`.

The changer gives the field `value` other types, adds, renames and drops fields, builds and drops indexes; all types take
whole numbers, so no request may fail. Each process ends with a line of JSON: calls, errors, the longest call in milliseconds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import django

TYPES = ("float", {"type": "decimal", "scale": 2}, "int")


def prepare(rows: int) -> None:
    """An installation with one table of so many records."""
    from stackyard.core.workspaces import create_workspace
    from stackyard.start.installation import migrate
    from stackyard.tables.changes import create_table
    from stackyard.tables.schema import fresh_schema
    from stackyard.tables.store import Store

    migrate()
    workspace = create_workspace("live")
    create_table(workspace, "things", fields={"name": "text", "value": "int"})
    store = Store(fresh_schema(workspace.pk))
    for begin in range(0, rows, 10_000):
        count = min(10_000, rows - begin)
        store.add_many("things", [{"name": f"n{n}", "value": n} for n in range(begin, begin + count)])


class Timed:
    """Counts and times calls. A transaction that the change cut short would be an error too."""

    def __init__(self) -> None:
        self.calls, self.slow, self.longest_ms = 0, 0, 0.0
        self.errors: list[str] = []

    def call(self, deed: Callable[[], Any]) -> Any:
        """Do it; what it gives, or None after an error."""
        began = time.perf_counter()
        try:
            return deed()
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}"[:200])
            return None
        finally:
            took = (time.perf_counter() - began) * 1000
            self.calls += 1
            self.slow += took > 300
            self.longest_ms = max(self.longest_ms, took)

    def tell(self, **more: Any) -> None:
        """The line of JSON."""
        figures = {"calls": self.calls, "longest_ms": round(self.longest_ms, 1), "over_300_ms": self.slow}
        print(json.dumps({**figures, "errors": self.errors[:5], **more}), flush=True)


def store_now() -> Any:
    """A store as a request gets one."""
    from stackyard.core.models import Workspace
    from stackyard.tables.schema import load_schema
    from stackyard.tables.store import Store

    return Store(load_schema(Workspace.objects.values_list("pk", flat=True).get(name="live")))


def patch(record: int, number: int) -> Any:
    """Change one record."""
    return store_now().patch("things", record, {"value": number})


def add(number: int) -> Any:
    """Add one record."""
    return store_now().add("things", {"name": "new", "value": number})


def read(folder: Path, rows: int) -> None:
    """Records by id and a page, until the others are through."""
    from stackyard.tables.query import Query

    timed, chance = Timed(), random.Random(1)
    (folder / "reading").touch()
    while not (folder / "stop").exists():
        found = timed.call(lambda: store_now().get("things", chance.randint(1, rows)))
        if found is not None and "value" not in found:
            timed.errors.append("a record without its value")
        timed.call(lambda: store_now().query(Query("things", sort=["-id"], page=1)))
        time.sleep(0.002)
    timed.tell()


def write(folder: Path, rows: int) -> None:
    """Change records and add some; then say which of them do not hold what was written last."""
    timed, chance, wanted = Timed(), random.Random(2), {}
    number = 0
    (folder / "writing").touch()
    while not (folder / "stop").exists():
        number += 1
        record = chance.randint(1, rows)
        if timed.call(partial(patch, record, number)) is not None:
            wanted[record] = number
        if number % 10 == 0:
            made = timed.call(partial(add, number))
            if made is not None:
                wanted[made["id"]] = number
        time.sleep(0.002)
    lost = [r for r, value in wanted.items() if int(store_now().get("things", r)["value"]) != value]
    timed.tell(lost=lost[:10], written=len(wanted))


def finish(timed: Timed, run_id: Any) -> None:
    """Do a run to its end, as a worker would."""
    from stackyard.runs.models import Run
    from stackyard.runs.working import work

    while (state := work(run_id)) == "accepted":
        pass
    if state != "succeeded":
        timed.errors.append(f"{state}: {Run.objects.get(pk=run_id).error}")


def change(folder: Path, rows: int) -> None:
    """Every change there is, as a person would ask for it; the milliseconds that the person waits."""
    from stackyard.runs.models import Run
    from stackyard.tables import changes, indexing
    from stackyard.tables.conversions.starting import retype
    from stackyard.tables.models import Field, Index, Table

    indexing.AT_ONCE = min(indexing.AT_ONCE, rows // 2)

    timed, waits, took = Timed(), {}, {}
    table = Table.objects.get(name="things")
    while not ((folder / "reading").exists() and (folder / "writing").exists()):
        time.sleep(0.01)
    for number, spec in enumerate(TYPES):
        field = Field.objects.get(table=table, name="value", hidden_at=None)
        began = time.perf_counter()
        run = timed.call(lambda f=field, s=spec: retype(f, {"type": s} if isinstance(s, str) else s))
        waits[f"retype {number}"] = round((time.perf_counter() - began) * 1000, 1)
        if run is not None:
            finish(timed, run.pk)
            took[f"retype {number}"] = round(time.perf_counter() - began, 1)
        name = f"extra{number}"
        began = time.perf_counter()
        spec = {"type": "int", "required": True, "default": 5}
        made = timed.call(lambda n=name, s=spec: changes.add_field(table, n, s))
        waits[f"add {number}"] = round((time.perf_counter() - began) * 1000, 1)
        for what, deed in (
            ("rename", lambda f=made, n=name: changes.rename_field(f, f"{n}_b")),
            ("drop", lambda f=made: changes.hide_field(f)),
        ):
            began = time.perf_counter()
            timed.call(deed)
            waits[f"{what} {number}"] = round((time.perf_counter() - began) * 1000, 1)
    for number, (names, unique) in enumerate(((["name"], False), (["-value", "id"], True))):
        began = time.perf_counter()
        index = timed.call(lambda n=names, u=unique: changes.add_index(table, n, u))
        waits[f"index {number}"] = round((time.perf_counter() - began) * 1000, 1)
        finish(timed, index.run_id)
        took[f"index {number}"] = round(time.perf_counter() - began, 1)
        began = time.perf_counter()
        timed.call(lambda i=index: changes.hide_index(Index.objects.get(pk=i.pk)))
        waits[f"drop index {number}"] = round((time.perf_counter() - began) * 1000, 1)
    began = time.perf_counter()
    timed.call(lambda: changes.add_field(table, "other", {"type": "reference", "table": "things"}))
    waits["reference"] = round((time.perf_counter() - began) * 1000, 1)
    finish(timed, Run.objects.filter(kind="index", state="accepted").get().pk)
    took["reference"] = round(time.perf_counter() - began, 1)
    timed.tell(waits_ms=waits, seconds=took)
    (folder / "stop").touch()


def begin(folder: Path, rows: int) -> None:
    """A change of type, an index or an import that stands still in its second batch, says so, and is to be killed there."""
    from django.core.management import call_command

    from stackyard.runs.models import Run
    from stackyard.runs.progress import Progress
    from stackyard.runs.waiting import finish_here
    from stackyard.tables import changes, indexing
    from stackyard.tables.conversions.starting import retype
    from stackyard.tables.models import Field

    keep, kept = Progress.keep, [0]

    def counted(progress: Progress, *given: Any, **more: Any) -> None:
        keep(progress, *given, **more)
        kept[0] += 1
        if kept[0] == 2:
            print("in the second batch", flush=True)
            signal.pause()

    Progress.keep = counted  # type: ignore[method-assign]
    if (folder / "import").exists():
        call_command("table", "import", "live/things", str(folder / "things.csv"))
        return
    field = Field.objects.select_related("table__workspace").get(name="value")
    if (folder / "index").exists():
        indexing.AT_ONCE = 0
        run = Run.objects.get(pk=changes.add_index(field.table, ["-value"], unique=True).run_id)
    else:
        begun = retype(field, {"type": "text"})
        assert begun is not None
        run = begun
    finish_here(run, lambda far: None)


def resume(folder: Path, rows: int) -> None:
    """Take back the run of a killed process when its lease is over, do it to its end, and count what it brought."""
    from stackyard.runs import dispatch
    from stackyard.runs.models import Run
    from stackyard.runs.waiting import finish_here
    from stackyard.tables import ddl
    from stackyard.tables.models import Field

    while not dispatch.reap() and Run.objects.get().state == "running":
        time.sleep(0.1)
    run = finish_here(Run.objects.get(), lambda far: None)
    field = Field.objects.get(name="value", hidden_at=None)
    sql = f"SELECT count(*), count(DISTINCT {ddl.quoted(field.physical)}) FROM {ddl.table_name(field.table)}"
    [(count, different)] = ddl.run(sql)
    told = {"state": run.state, "attempt": run.attempt, "result": run.result}
    print(json.dumps({**told, "rows": count, "different": different}))


def main() -> None:
    """One role."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    django.setup()
    role, folder, rows = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if role == "prepare":
        prepare(rows)
    else:
        {"read": read, "write": write, "change": change, "begin": begin, "resume": resume}[role](folder, rows)


if __name__ == "__main__":
    main()
