"""An import while the disk is full: it says so, leaves no half of a batch, and goes on when there is room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from stackyard.core.models import Workspace
from stackyard.runs.models import Run
from stackyard.runs.working import work
from stackyard.tables.imports import job, uploads
from stackyard.tables.imports.plan import Options, start_import
from stackyard.tables.query import Query
from tests import factories
from tests.test_import_doors import full_disk

pytestmark = pytest.mark.django_db(transaction=True)
ROWS, BATCH = 400, 50


@contextmanager
def full_database() -> Iterator[None]:
    """SQLite's file may grow by some pages more."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0] + 30}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def full_folder() -> Iterator[None]:
    """The file of refused rows may grow to some size only, the database to any."""
    note = job.ImportJob._note

    def noting(self: Any, rejects: Any) -> int:
        with full_disk():
            return note(self, rejects)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job.ImportJob, "_note", noting)
        yield


@pytest.mark.skipif(settings.ON_POSTGRESQL, reason="only a file's size can be bounded from here")
@pytest.mark.parametrize(
    ("full", "said"),
    [(full_database, "The disk of the database is full"), (full_folder, "Refused rows could not be written")],
)
def test_an_import_goes_on_after_the_disk_was_full(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: Any, said: str
) -> None:
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setattr(job, "BATCH_ROWS", {"sqlite": BATCH})
    store = factories.make_store(workspace, things={"text": "text", "number": "int"})
    lines = [f"{'y' * 1000},{'x' * 250 if number % 2 else number}" for number in range(ROWS)]
    file = uploads.keep(workspace.pk, ["\n".join(["text,number", *lines, ""]).encode()])
    run = start_import(workspace, Options(file), table="things")
    with full():
        work(run.pk)
        run.refresh_from_db()
        assert run.error is not None
        # It waits for its next attempt.
        assert (run.state, run.error["code"]) == ("accepted", "BUSY")
        assert said in run.error["message"]
    kept = store.query(Query(table="things", sort=["id"]))
    assert 0 < len(kept) < ROWS // 2
    assert len(kept) % (BATCH // 2) == 0
    Run.objects.filter(pk=run.pk).update(run_after=run.created_at)
    work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("succeeded", 2)
    found = store.query(Query(table="things", sort=["id"]))
    assert [record["number"] for record in found] == list(range(0, ROWS, 2))
    rejects = uploads.rejects_path(workspace.pk, str(run.pk)).read_text().splitlines()
    assert [line.split(",")[0] for line in rejects[1:]] == [str(line) for line in range(3, ROWS + 2, 2)]
