"""Records as CSV files of a workspace: loaded into empty tables, written whole, wrong rows told with their lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from stackyard.core import files
from stackyard.core.models import Workspace
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.workspace_folders import exported, faults, write

pytestmark = pytest.mark.django_db(databases=["default", "history"])

THINGS = """\
name: things
fields:
  name: {type: text, required: true, max_length: 9}
  code: {type: int, unique: true}
  level: {type: int, default: 3}
  on: date
  at: timestamp
  price: {type: decimal, precision: 12, scale: 3}
  ratio: float
  ok: bool
  key: uuid
  tags: {type: list, of: text}
  size: {type: object, fields: {w: {type: decimal}, h: int}}
  more: json
  secret: {type: text, access: internal}
  parent: {type: reference, table: things}
  other: {type: reference, table: others}
"""
OTHERS = "name: others\nfields:\n  thing: {type: reference, table: things, required: true}\n"
BASE = {"workspace.yaml": "name: tiny\n", "tables/things.yaml": THINGS, "tables/others.yaml": OTHERS}


def store() -> Store:
    return Store(load_schema(Workspace.objects.get(name="tiny").pk))


def all_things() -> list[dict[str, Any]]:
    opened = store()
    names = list(opened.schema.tables["things"].fields)
    return opened.query(Query("things", fields=names, sort=["id"]))


def test_records_are_read_by_the_names_in_the_header(tmp_path: Path):
    csv = 'code,name,tags,size,price,ok,at\n1,"Ann, B","[""x""]","{""w"":1.5}",1.500,true,2026-01-02T03:04:05.678Z\n,"",,,,,\n'
    files.apply(write(tmp_path, {**BASE, "records/things.csv": csv}))
    first, second = all_things()
    assert (first["name"], first["tags"], str(first["size"]["w"]), first["level"]) == (
        "Ann, B",
        ["x"],
        "1.50",
        3,
    )
    assert (str(first["price"]), first["ok"], first["at"].isoformat()) == (
        "1.500",
        True,
        "2026-01-02T03:04:05.678000+00:00",
    )
    assert (second["name"], second["code"], second["tags"]) == ("", None, None)


def test_records_keep_their_ids_and_new_ones_count_on(tmp_path: Path):
    csv = "id,created_at,name\n7,2025-01-01T00:00:00.000Z,a\n3,2025-01-02T00:00:00.000Z,b\n"
    files.apply(write(tmp_path, {**BASE, "records/things.csv": csv}))
    assert [(r["id"], r["name"], r["created_at"].day) for r in all_things()] == [(3, "b", 2), (7, "a", 1)]
    assert store().add("things", {"name": "c"})["id"] == 8


def test_records_may_refer_to_each_other_in_any_order(tmp_path: Path):
    rows = [f"{number},t{number},{number % 1500 + 1},{number % 1500 + 1}" for number in range(1, 1501)]
    others = [f"{number},{1501 - number}" for number in range(1, 1501)]
    contents = {
        "records/things.csv": "\n".join(["id,name,parent,other", *rows]),
        "records/others.csv": "\n".join(["id,thing", *others]),
    }
    files.apply(write(tmp_path / "in", {**BASE, **contents}))
    first = exported("tiny", tmp_path / "out", records=True)
    Workspace.objects.all().delete()
    files.apply(tmp_path / "out")
    assert exported("tiny", tmp_path / "again", records=True) == first


def test_wrong_rows_are_told_with_their_lines_and_nothing_stays(tmp_path: Path):
    csv = (
        "id,name,code,price,tags,parent\n1,fine,1,1.5,[],\n2,,x,,,\n3,much too long,3,1.2345,nope,\n"
        '4,"two\nlines",4,,,\n5,short\n6,lost,6,,,99\n'
    )
    folder = write(tmp_path, {**BASE, "records/things.csv": csv})
    said = faults(folder)
    assert [line.split(": ")[0] for line in said] == [
        "records/things.csv:3:1",
        "records/things.csv:4:1",
        "records/things.csv:4:1",
        "records/things.csv:4:1",
        "records/things.csv:7:1",
        "records/things.csv:8:1",
    ]
    assert "parent: there is no record 99 in things" in said[-1]
    assert not Workspace.objects.exists()


@pytest.mark.parametrize(
    ("csv", "said"),
    [
        ("name,nam\nx,y\n", 'records/things.csv:1:1: The header names no field: "nam". Did you mean "name"?'),
        ("name,name\nx,y\n", 'records/things.csv:1:1: The header names "name" twice.'),
        ('name\nx\n"y\n', "records/things.csv:3:1: A quote is not closed."),
        ("name,code\nx,1\ny,1\n", "records/things.csv:"),
        ("id,name\n1,x\n1,y\n", "records/things.csv:"),
        ("id,name\n1,x\n,y\n", "records/things.csv:3:1: id: is required"),
        ("name\n" + "x" * 10 + "\n", "records/things.csv:2:1: name: "),
    ],
)
def test_a_file_that_can_not_be_loaded_says_why(tmp_path: Path, csv: str, said: str):
    found = faults(write(tmp_path, {**BASE, "records/things.csv": csv}))
    assert len(found) == 1
    assert found[0].startswith(said)


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path):
    folder = write(tmp_path, {**BASE, "records/things.csv": ""})
    (folder / "records" / "things.csv").write_bytes(b"name\n\xff\n")
    assert faults(folder) == ["records/things.csv: The file is not UTF-8."]


def test_records_of_no_table_are_refused(tmp_path: Path):
    said = faults(write(tmp_path, {**BASE, "records/thing.csv": "name\nx\n"}))
    assert said == ['records/thing.csv: There is no table "thing". Did you mean "things"?']


def test_a_table_with_records_is_left_alone(tmp_path: Path):
    folder = write(tmp_path, {**BASE, "records/things.csv": "name\na\n"})
    files.apply(folder)
    write(folder, {"records/things.csv": "name\na\nb\n"})
    assert files.apply(folder).is_equal
    assert len(all_things()) == 1
    assert "records/things.csv" not in exported("tiny", folder.parent / "without")


records = st.fixed_dictionaries(
    {
        "name": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9),
        "level": st.none() | st.integers(-(2**63), 2**63 - 1),
        "on": st.none() | st.dates().map(str),
        "at": st.none() | st.integers(-(10**12), 10**13),
        "price": st.none() | st.decimals(-(10**8), 10**8, places=3),
        "ratio": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "ok": st.none() | st.booleans(),
        "key": st.none() | st.uuids().map(str),
        "tags": st.none()
        | st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4), max_size=3
        ),
        "size": st.none()
        | st.fixed_dictionaries({"w": st.decimals(0, 99, places=2), "h": st.none() | st.integers(0, 9)}),
        "more": st.none()
        | st.recursive(
            st.booleans() | st.integers(-99, 99) | st.text('ab"\n,', max_size=3),
            lambda inner: st.lists(inner, max_size=2),
            max_leaves=3,
        ),
        "secret": st.none() | st.text('a,"\n ', max_size=4),
    }
)


@given(st.lists(records, min_size=1, max_size=5))
@settings(max_examples=30)
def test_what_is_written_loads_equal(tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, Any]]):
    folder = tmp_path_factory.mktemp("records")
    with transaction.atomic():
        files.apply(write(folder / "in", BASE))
        store().add_many("things", items)
        before = all_things()
        first = exported("tiny", folder / "out", records=True)
        Workspace.objects.all().delete()
        files.apply(folder / "out")
        assert all_things() == before
        assert exported("tiny", folder / "again", records=True) == first
        transaction.set_rollback(True)
