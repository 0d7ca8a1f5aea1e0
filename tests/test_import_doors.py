"""CSV through the management API and the command, as docs/import-export.md has it."""

from __future__ import annotations

import csv
import io
import json
import re
import resource
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command

from auth.keys import create_key
from stackyard.core.models import Workspace
from stackyard.runs.models import Run
from stackyard.runs.working import work
from stackyard.tables.query import Query
from stackyard.tables.schema import fresh_schema
from stackyard.tables.store import Store
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])

DOCS = Path(__file__).resolve().parents[1] / "docs/import-export.md"
HERE = "/api:meta/workspaces/shop"
PEOPLE = "Name,Email,Note\nAnn,ann@x.com,=1+2\nBen,ben@x.com,\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, and a folder to run commands in."""
    monkeypatch.setattr(settings, "HOME", tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shop() -> Workspace:
    return factories.make_workspace("shop")


@pytest.fixture
def meta(shop: Workspace) -> Door:
    return Door(WSGIHandler()).with_key(create_key(shop, "manager", ["meta"])[1])


def people(shop: Workspace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Store(fresh_schema(shop.pk)).query(Query("people", sort=["id"]))
    return found


def as_csv(data: str) -> dict[str, Any]:
    return {"body": data.encode(), "headers": {"Content-Type": "text/csv"}}


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_is_uploaded_looked_at_and_imported(shop: Workspace, meta: Door, chunked: bool) -> None:
    seen = meta.request("POST", f"{HERE}/imports", **as_csv(PEOPLE), chunked=chunked)
    assert seen.status == 201, seen.body
    file = seen.json()
    assert (file["delimiter"], file["headers"]) == (",", ["Name", "Email", "Note"])
    assert file["fields"] == {"name": "text", "email": "email", "note": "text"}
    assert file["rows"][0] == ["Ann", "ann@x.com", "=1+2"]
    begun = meta.post(f"{HERE}/imports/{file['file']}/start", {"new_table": {"name": "people"}})
    assert begun.status == 202, begun.body
    work(begun.json()["id"])
    run = meta.get(f"{HERE}/runs/{begun.json()['id']}").json()
    assert (run["state"], run["kind"], run["progress"]["percent"]) == ("succeeded", "import", 100.0)
    assert run["result"] == {"table": "people", "rows": 2, "added": 2, "changed": 0, "rejected": 0}
    assert meta.get(f"{HERE}/imports/{run['id']}/rejects").status == 404
    assert meta.get(f"{HERE}/imports/{file['file']}").status == 404, "what is imported is not kept"
    assert [record["name"] for record in people(shop)] == ["Ann", "Ben"]


def test_refused_rows_can_be_fetched_and_exports_guarded(shop: Workspace, meta: Door) -> None:
    factories.make_store(
        shop,
        people={
            "name": "text",
            "email": {"type": "email", "unique": True},
            "pin": {"type": "text", "access": "private"},
        },
    )
    data = "name,email,pin\n=cmd(),a@x.com,1\n-1,nonsense,2\n"
    file = meta.request("POST", f"{HERE}/imports", query={"table": "people"}, **as_csv(data)).json()
    assert file["columns"] == ["name", "email", "pin"]
    run = meta.post(f"{HERE}/imports/{file['file']}/start", {"table": "people"}).json()
    work(run["id"])
    refused = meta.get(f"{HERE}/imports/{run['id']}/rejects")
    assert refused.body.decode().splitlines()[1].startswith("3,email,nonsense,")
    plain = meta.get(f"{HERE}/tables/people/export")
    assert plain.headers["content-type"] == "text/csv; charset=utf-8"
    header, row = plain.body.decode().splitlines()
    assert header == "id,created_at,name,email"
    assert row.endswith(",=cmd(),a@x.com")
    guarded = meta.get(f"{HERE}/tables/people/export", query={"guard": "true", "private": "true"})
    assert guarded.body.decode().splitlines()[1].endswith(",'=cmd(),a@x.com,1")


FORMULAS = ["=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a=1", "", "'=1"]


def test_a_guarded_export_has_no_cell_that_a_spreadsheet_would_run(shop: Workspace, meta: Door) -> None:
    store = factories.make_store(
        shop, people={"name": "text", "tags": {"type": "list", "of": "text"}, "n": "int", "j": "json"}
    )
    store.add_many("people", [{"name": text, "tags": [text], "n": -1, "j": text} for text in FORMULAS])
    url = f"{HERE}/tables/people/export"
    guarded, plain = (
        list(csv.reader(io.StringIO(meta.get(url, query=query).body.decode(), newline="")))[1:]
        for query in ({"guard": "true"}, {})
    )
    assert [row[2] for row in plain] == FORMULAS
    assert [row[2] for row in guarded] == [*(f"'{text}" for text in FORMULAS[:6]), *FORMULAS[6:]]
    assert {row[4] for row in guarded} == {"-1"}, "a number stays one"
    assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for row in guarded for cell in row)


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow past 40,000 bytes."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_a_full_disk_leaves_no_half_of_an_upload_and_no_half_of_an_export(
    shop: Workspace, meta: Door, folder: Path
) -> None:
    store = factories.make_store(shop, people={"name": "text"})
    store.add_many("people", [{"name": "x" * 1000} for _ in range(100)])
    data = "name\n" + ("y" * 1000 + "\n") * 100
    Path("people.csv").write_text("what was there")
    said = io.StringIO()
    with full_disk():
        answer = meta.request("POST", f"{HERE}/imports", query={"table": "people"}, **as_csv(data))
        with pytest.raises(SystemExit):
            call_command("table", "export", "shop/people", "people.csv", stderr=said)
    assert said.getvalue().startswith("BUSY: people.csv could not be written")
    assert (answer.status, answer.error["code"]) == (503, "BUSY")
    assert not list((folder / "home/imports").rglob("*.csv"))
    assert [path.name for path in folder.glob("people*")] == ["people.csv"]
    assert Path("people.csv").read_text() == "what was there"
    call_command("table", "export", "shop/people", "people.csv")
    assert len(Path("people.csv").read_text().splitlines()) == 101
    assert meta.request("POST", f"{HERE}/imports", query={"table": "people"}, **as_csv(data)).status == 201


def test_bad_uploads_are_refused(meta: Door) -> None:
    assert meta.request("POST", f"{HERE}/imports", **as_csv("")).status == 400
    assert meta.post(f"{HERE}/imports", {"a": 1}).status == 415
    assert meta.request("POST", f"{HERE}/imports", query={"table": "nope"}, **as_csv(PEOPLE)).status == 400
    file = meta.request("POST", f"{HERE}/imports", **as_csv(PEOPLE)).json()["file"]
    start = f"{HERE}/imports/{file}/start"
    for body in ({}, {"table": "x", "new_table": {"name": "y"}}, {"table": "nope"}, {"table": 1}):
        assert meta.post(start, body).status == 400, body
    for columns in ([1], "name", {"a": 1}, ["name"]):
        assert meta.post(start, {"new_table": {"name": "t"}, "columns": columns}).status == 400, columns
    assert meta.get(f"{HERE}/tables").json()["items"] == [], "nothing is left of what was refused"


def test_the_page_of_the_docs_is_true(shop: Workspace, meta: Door, folder: Path) -> None:
    (folder / "people.csv").write_text(PEOPLE)
    (folder / "more.csv").write_text("Full name,email\nBenno,ben@x.com\nCid,cid@x.com\n")
    blocks = re.findall(r"^```sh\n(.*?)^```$", DOCS.read_text(), re.M | re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    said: list[str] = []
    file = ""
    for line in lines:
        words = shlex.split(line)
        if words[0] == "curl":
            answer = _curl(meta, words, file)
            file = (
                answer.json().get("file", "") if answer.headers["content-type"] == "application/json" else ""
            )
        elif words[1] == "manage.py":
            if words[3] == "import" and words[-1] == "email":
                from stackyard.tables.changes import edit_field
                from stackyard.tables.models import Field

                edit_field(Field.objects.get(name="email"), unique=True)
            out = io.StringIO()
            call_command(*words[2:], stdout=out)
            said.append(out.getvalue())
        else:
            from benchmarks import imports

            assert words[1:3] == ["-m", "benchmarks.imports"]
            imports.write(300, Path(words[-1]))
    assert json.loads(said[0])["fields"]["email"] == "email"
    assert said[1] == "2 rows: 2 added, 0 changed, 0 refused.\n"
    assert said[2] == "2 rows: 1 added, 1 changed, 0 refused.\n"
    assert said[-1].startswith("300 rows: 300 added")
    assert (folder / "people-out.csv").read_text().splitlines()[1].endswith("Ann,ann@x.com,=1+2")
    for run in Run.objects.filter(state="accepted"):
        work(run.pk)
    assert [record["name"] for record in people(shop)] == ["Ann", "Ben", "Cid"]


def _curl(meta: Door, words: list[str], file: str) -> Any:
    url = next(word for word in words if "127.0.0.1" in word).partition(":8000")[2].replace("$FILE", file)
    if "--data-binary" in words:
        answer = meta.request("POST", url, **as_csv(PEOPLE))
    elif "-d" in words:
        answer = meta.post(url, json.loads(words[words.index("-d") + 1]))
    else:
        answer = meta.get(url)
    assert answer.status in (200, 201, 202), answer.body
    return answer
