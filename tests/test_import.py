"""CSV into tables, as a durable run: nothing twice, nothing lost, every refused row with its line and reason."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.runs import dispatch
from stackyard.runs.models import Run
from stackyard.runs.working import claim, work
from stackyard.tables.imports import job, rows, uploads
from stackyard.tables.imports.plan import Options, look, start_import
from stackyard.tables.models import Table
from stackyard.tables.query import Query
from stackyard.tables.schema import fresh_schema
from stackyard.tables.store import Store
from tests import factories
from tests.test_runs import expire

pytestmark = pytest.mark.django_db

PEOPLE: dict[str, Any] = {
    "name": {"type": "text", "required": True},
    "email": {"type": "email", "unique": True},
    "age": {"type": "int", "min": 0},
    "price": {"type": "decimal", "default": "1.50"},
    "seen_at": "timestamp",
    "born": "date",
    "open": "bool",
    "tags": {"type": "list", "of": "text"},
    "code": {"type": "uuid", "default": "uuid"},
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads of a test stay in its own folder."""
    monkeypatch.setattr(settings, "HOME", tmp_path)


@pytest.fixture
def store(workspace: Workspace) -> Store:
    """A store with the table `people`."""
    return factories.make_store(workspace, people=PEOPLE)


def uploaded(workspace: Workspace, data: str | bytes) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return uploads.keep(workspace.pk, [raw[at : at + 7] for at in range(0, len(raw), 7)] or [b""])


def imported(workspace: Workspace, data: str | bytes, table: str = "people", **more: Any) -> Run:
    """Import a file into a table and do the run."""
    new_table = more.pop("new_table", None)
    options = Options(uploaded(workspace, data), **more)
    run = start_import(workspace, options, table=None if new_table else table, new_table=new_table)
    work(run.pk)
    run.refresh_from_db()
    return run


def rejects(workspace: Workspace, run: Run) -> list[list[str]]:
    path = uploads.rejects_path(workspace.pk, str(run.pk))
    return list(csv.reader(path.open(encoding="utf-8")))[1:] if path.exists() else []


def records(workspace: Workspace, table: str = "people", **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Store(fresh_schema(workspace.pk)).query(Query(table, sort=["id"], **more))
    return found


def test_a_file_goes_into_a_table_by_its_header(store: Store, workspace: Workspace) -> None:
    data = (
        "Name;E-Mail;AGE;price;Seen at;born;open;tags\r\n"
        'Ann;Ann@Example.com;30;12.5;2026-01-02T03:04:05Z;2000-02-29;yes;"[""a"", ""b""]"\r\n'
        '"Bob; ""the\nbuilder""";;;;;;;\r\n'
    )
    run = imported(workspace, data)
    assert (run.state, run.result) == (
        "succeeded",
        {"table": "people", "rows": 2, "added": 2, "changed": 0, "rejected": 0},
    )
    ann, bob = records(workspace)
    assert (ann["name"], ann["email"], ann["age"], str(ann["price"]), ann["tags"], ann["open"]) == (
        *("Ann", "ann@example.com", 30, "12.50", ["a", "b"], True),
    )
    assert bob["name"] == 'Bob; "the\nbuilder"'
    assert (bob["email"], bob["age"], bob["price"]) == (None, None, None)
    assert bob["code"] != ann["code"], "what the file lacks gets its default"
    assert (run.done, run.phase) == (2, "importing")


def test_what_the_slow_and_the_quick_way_read_is_the_same(store: Store, workspace: Workspace) -> None:
    # One odd cell sends its whole column the slow way.
    plain = "name,age,price,seen_at,born,open\nA,1,2.5,2026-01-02T03:04:05.678+02:00,2026-01-02,true\n"
    imported(workspace, plain)
    imported(workspace, plain + "B, 7 ,-0.00,1767323045678,2026-01-02 ,TRUE\n")
    first, second, odd = records(workspace)
    same = ("name", "age", "price", "seen_at", "born", "open")
    assert [first[name] for name in same] == [second[name] for name in same]
    assert (odd["age"], str(odd["price"]), odd["open"]) == (7, "0.00", True)


BAD = """name,email,age
,,
Ann,ann@example.com,3
Ben,ann@example.com,4
Cid,nonsense,5
Dan,dan@example.com,-1
Eve,eve@example.com,abc,extra
Fay,fay@example.com,"6
Gus,gus@example.com,7
Hal,"hal@example.com"x,8
Ida,ida@example.com,99999999999999999999
Nul,nu\0l@example.com,9
Pad,pad@example.com,10
"""


def test_refused_rows_are_told_with_line_column_value_and_reason(store: Store, workspace: Workspace) -> None:
    run = imported(workspace, BAD)
    assert run.result is not None
    assert run.state == "succeeded"
    assert [record["name"] for record in records(workspace)] == ["", "Ann", "Gus", "Pad"]
    found = {int(row[0]): row[1:] for row in rejects(workspace, run)}
    assert sorted(found) == [4, 5, 6, 7, 8, 10, 11, 12]
    assert found[4] == ["email", "ann@example.com", "is in a row above already"]
    assert found[5][:2] == ["email", "nonsense"]
    assert found[6][2] == "must be at least 0"
    assert found[7][2] == "the row has 4 cells, the header 3"
    assert found[8][2].startswith("a quote is not closed") or "closing quote" in found[8][2]
    assert "closing quote" in found[10][2]
    assert run.result["rejected"] == 8
    assert run.result["added"] == 4


def test_a_table_is_made_of_a_file(workspace: Workspace) -> None:
    data = (
        "id,Full name,Zip,Amount (€),When,Ok,Amount (€)\n"
        "7,Ann,00123,12.50,2026-01-02T00:00:00Z,yes,1\n"
        "9,Ben,04321,3,2026-01-02T00:00:00Z,no,2\n"
    )
    seen = look(workspace, Options(uploaded(workspace, data)))
    assert seen["fields"] == {
        "full_name": "text",
        "zip": "text",
        "amount": {"type": "decimal", "scale": 2},
        "when": "timestamp",
        "ok": "bool",
        "amount_2": "int",
    }
    assert seen["columns"][0] == "id"
    run = imported(workspace, data, new_table={"name": "orders"})
    assert run.state == "succeeded", run.error
    assert [record["id"] for record in records(workspace, "orders")] == [7, 9]
    made = Store(fresh_schema(workspace.pk)).add("orders", {"full_name": "Cid"})
    assert made["id"] == 10, "the next id comes after the imported ones"


def test_an_upsert_changes_by_a_unique_field_and_adds_the_rest(store: Store, workspace: Workspace) -> None:
    imported(workspace, "name,email,age\nAnn,a@x.com,1\nBen,b@x.com,2\n")
    run = imported(
        workspace,
        "email,name,age\na@x.com,Anna,5\nc@x.com,Cid,3\nb@x.com,Ben,\nc@x.com,Carl,4\n,Nobody,1\n",
        mode="upsert",
        key="email",
    )
    assert run.result == {"table": "people", "rows": 5, "added": 1, "changed": 3, "rejected": 1}
    assert [(r["name"], r["age"]) for r in records(workspace)] == [("Anna", 5), ("Ben", None), ("Carl", 4)]
    lacking = imported(workspace, "email,age\na@x.com,6\nz@x.com,1\n", mode="upsert", key="email")
    assert lacking.result is not None
    assert (lacking.result["changed"], lacking.result["rejected"]) == (1, 1)
    assert "a new one needs name" in rejects(workspace, lacking)[0][3]


def test_references_must_lead_somewhere(workspace: Workspace) -> None:
    factories.make_store(workspace, groups={"name": "text"})
    factories.make_store(
        workspace, members={"name": "text", "group": {"type": "reference", "table": "groups"}}
    )
    group = Store(fresh_schema(workspace.pk)).add("groups", {"name": "g"})
    run = imported(workspace, f"name,group\nAnn,{group['id']}\nBen,999\nCid,\n", "members")
    assert [record["name"] for record in records(workspace, "members")] == ["Ann", "Cid"]
    assert rejects(workspace, run)[0][1:] == ["group", "999", "there is no such record in groups"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_found(store: Store, workspace: Workspace, encoding: str) -> None:
    text = "name;age\n" + "".join(f"Jürgen Größe {n} aus Köln-Süd;{n}\n" for n in range(50))
    run = imported(workspace, text.encode(encoding))
    assert run.result is not None
    assert run.result["added"] == 50, run.error
    assert records(workspace)[0]["name"] == "Jürgen Größe 0 aus Köln-Süd"


def test_bytes_of_another_encoding_cost_their_own_row(store: Store, workspace: Workspace) -> None:
    run = imported(workspace, "name,age\nZoë,1\n".encode() + b"Zo\xeb,2\n", encoding="utf-8")
    assert [record["age"] for record in records(workspace)] == [1]
    assert rejects(workspace, run) == [
        ["3", "name", "Zo\\udceb", "holds bytes that are not of the file's encoding"]
    ]


def test_an_open_quote_costs_its_own_line(
    store: Store, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "RECORD_BYTES", 1_000)
    lines = [f"n{number},{number}" for number in range(200)]
    lines[50] = '"n50,50'
    run = imported(workspace, "name,age\n" + "\n".join(lines) + "\n" + "x" * 5_000 + ",1\nlast,2\n")
    assert run.result is not None
    assert (run.result["added"], run.result["rejected"]) == (200, 2)
    assert [row[0] for row in rejects(workspace, run)] == ["52", "202"]


def test_what_cannot_be_asked_is_refused_with_every_fault(store: Store, workspace: Workspace) -> None:
    file = uploaded(workspace, "name,name,nope\nA,B,C\n")
    with pytest.raises(Problem) as caught:
        start_import(workspace, Options(file, columns=["name", "name", "nam"]), table="people")
    assert [detail.code for detail in caught.value.details] == ["twice", "unknown_field"]
    for options in (
        Options(file, mode="upsert"),
        Options(file, mode="upsert", key="age"),
        Options(file, mode="replace"),
        Options(file, delimiter="\n"),
        Options(file, encoding="nonsense"),
        Options(uploaded(workspace, "nothing\n1\n")),
        Options(uploaded(workspace, "age\n1\n")),
        Options(uploaded(workspace, b"")),
    ):
        with pytest.raises(Problem) as caught:
            start_import(workspace, options, table="people")
        assert caught.value.status == 400
    with pytest.raises(Problem) as caught:
        look(workspace, Options("../../etc/passwd"))
    assert caught.value.status == 404
    assert not Run.objects.exists()


def test_a_killed_import_goes_on_where_it_was(
    store: Store, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "BATCH_ROWS", {"sqlite": 10, "postgresql": 10})
    lines = [f"n{number},{number}" for number in range(95)] + ["bad,-1"] * 5
    options = Options(uploaded(workspace, "name,age\n" + "\n".join(lines) + "\n"))
    run = start_import(workspace, options, table="people")
    batches = 0
    write = job.ImportJob._write_once

    def write_some(self: Any, *args: Any) -> None:
        nonlocal batches
        batches += 1
        if batches == 4:
            raise KeyboardInterrupt
        write(self, *args)

    monkeypatch.setattr(job.ImportJob, "_write_once", write_some)
    while run.state not in ("succeeded", "failed"):
        try:
            work(run.pk)
        except KeyboardInterrupt:
            batches = -100
            expire(run)
            dispatch.reap()
        run.refresh_from_db()
    assert run.attempt == 2
    assert [record["age"] for record in records(workspace)] == list(range(95))
    assert run.result is not None
    assert (run.result["rows"], run.result["rejected"]) == (100, 5)
    assert len(rejects(workspace, run)) == 5


def test_a_cancelled_import_stops_and_keeps_what_is_there(
    store: Store, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "BATCH_ROWS", {"sqlite": 10, "postgresql": 10})
    data = "name,age\n" + "".join(f"n{number},{number}\n" for number in range(50))
    run = start_import(workspace, Options(uploaded(workspace, data)), table="people")
    claimed = claim(run.pk)
    assert claimed is not None
    check, turns = claimed.progress.check, iter([False, False, True])

    def stop_at_the_third() -> None:
        if next(turns):
            claimed.stop.set()
        check()

    monkeypatch.setattr(claimed.progress, "check", stop_at_the_third)
    outcome = job.ImportJob(claimed).run()
    assert outcome.state == "cancelled"
    assert outcome.result["added"] == 20 == len(records(workspace))


def test_a_table_that_goes_away_ends_the_import(store: Store, workspace: Workspace) -> None:
    from stackyard.tables.changes import hide_table

    run = start_import(workspace, Options(uploaded(workspace, "name\nAnn\n")), table="people")
    hide_table(Table.objects.get(name="people"))
    work(run.pk)
    run.refresh_from_db()
    assert run.error is not None
    assert (run.state, run.attempt, run.error["code"]) == ("failed", 1, "NOT_FOUND")
