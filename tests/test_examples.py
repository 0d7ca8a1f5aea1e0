"""The worked samples of examples/: applied as they are, run end to end."""

from __future__ import annotations

import base64
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db.models.functions import Now
from django.test import override_settings

from lambdas.models import Lambda
from lambdas.running import start_lambda
from lambdas.supervisor.packages import CannotBundle, make_bundle
from stackyard.core import files
from stackyard.core.models import Variable, Workspace
from stackyard.core.workspaces import edit_variable
from stackyard.runs import schedule
from stackyard.runs.models import Run, Schedule
from stackyard.runs.working import work
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.conftest import absent
from tests.doors import Door
from tests.services import free_port

pytestmark = [
    pytest.mark.django_db(databases=["default", "history"]),
]

# The lease of a run that takes longer than a second is kept on a connection of its own, which must see the run.
COMMITTED = pytest.mark.django_db(transaction=True, databases=["default", "history"])

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"


def bring(package: str, home: Path) -> None:
    """Have an npm package in a lambdas' folder, packed once for all test runs of this machine; skip where the registry
    is out of reach."""
    variables = {
        name: value for name, value in settings.PACKAGE_ENVIRONMENT.items() if name != "NPM_CONFIG_REGISTRY"
    }
    try:
        made = make_bundle(Path(tempfile.gettempdir()) / "stackyard-test-packages", [package], variables)
    except (CannotBundle, OSError) as error:
        absent(f"{package} can't be fetched here: {error}")
    assert made is not None
    target = home / "bundles" / made.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(made, target)


def applied(folder: Path) -> Workspace:
    files.apply(folder)
    return Workspace.objects.get(name=folder.name)


def done(target: Lambda, state: str = "succeeded") -> Run:
    """A durable run of it, done here."""
    run = start_lambda(target)
    assert work(run.pk) == state
    run.refresh_from_db()
    return run


# Thumbnails


@pytest.fixture
def jimp(db: None) -> str:
    """The package of the sample, packed."""
    code = (EXAMPLES / "thumbnails/lambdas/thumbnail/main.ts").read_text()
    [package] = re.findall(r'from "(npm:[^"]+)"', code)
    bring(package, settings.HOME / "lambdas")
    return package


def test_a_picture_is_made_smaller(client: Door, jimp: str) -> None:
    applied(EXAMPLES / "thumbnails")
    picture = base64.b64encode((EXAMPLES / "thumbnails/hill.png").read_bytes()).decode()

    def ask(**inputs: Any) -> Any:
        return client.post("/api:images/thumbnail", inputs)

    first = ask(image=picture, width=80)
    assert first.status == 200, first.json()
    small = first.json()
    data = base64.b64decode(small["image"])
    assert (data[:8], struct.unpack(">II", data[16:24])) == (b"\x89PNG\r\n\x1a\n", (80, 50))
    assert (small["type"], small["width"], small["height"]) == ("image/png", 80, 50)
    photo = ask(image=f"data:image/png;base64,{picture}", format="jpeg").json()
    assert base64.b64decode(photo["image"])[:3] == b"\xff\xd8\xff"
    assert ask(image=picture, width=1000).json()["width"] == 320, "never larger than it was"
    for wrong, code in (("%%%", "NOT_BASE64"), (base64.b64encode(b"GIF but not").decode(), "NOT_AN_IMAGE")):
        refused = ask(image=wrong)
        assert (refused.status, refused.error["code"]) == (422, code)


# The CRM


@pytest.fixture
def crm_port() -> Iterator[int]:
    """The stand-in, listening at a port of its own."""
    port = free_port()
    command = [sys.executable, str(EXAMPLES / "crm_sync/stand_in.py"), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "token" in process.stdout.readline()
    yield port
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def syncing(crm_port: int, tmp_path: Path) -> Iterator[Lambda]:
    """The sample's lambda, with the stand-in's port and an administrator's leave to call it."""
    folder = tmp_path / "crm_sync"
    shutil.copytree(EXAMPLES / "crm_sync", folder)
    for path in folder.rglob("*.yaml"):
        path.write_text(path.read_text().replace("8899", str(crm_port)))
    workspace = applied(folder)
    edit_variable(Variable.objects.get(name="CRM_TOKEN"), value="let-me-in")
    with override_settings(OUTBOUND_ALLOW=["127.0.0.1/32"]):
        yield Lambda.objects.select_related("published", "workspace").get(workspace=workspace)


def contacts(target: Lambda, **where: Any) -> list[Any]:
    from stackyard.tables.query import Query

    found: Sequence[Any] = Store(load_schema(target.workspace_id)).query(
        Query("contacts", where, sort=["id"])
    )
    return list(found)


def asked(port: int, path: str) -> Any:
    from stackyard.core import outbound

    return outbound.request("GET", f"http://127.0.0.1:{port}/{path}").parsed()


@COMMITTED
def test_contacts_reach_a_busy_crm_each_once(syncing: Lambda, crm_port: int) -> None:
    assert Schedule.objects.get(target_id=syncing.pk).every_seconds == 900
    run = done(syncing)
    assert run.result == {"sent": 4, "refused": 0, "left": False}
    assert asked(crm_port, "answered") == [429, 200, 503, 0, 200, 200, 200]
    assert "429, again in 1.00 s" in run.logs
    assert "let-me-in" not in run.logs
    assert sorted(asked(crm_port, "contacts")) == [f"stackyard-{n}" for n in range(1, 5)]
    assert contacts(syncing, is_synced=False) == []
    assert done(syncing).result == {"sent": 0, "refused": 0, "left": False}


@COMMITTED
def test_what_the_crm_refuses_is_noted_and_what_fails_is_tried_again(
    client: Door, syncing: Lambda, crm_port: int
) -> None:
    done(syncing)
    for email in ("nobody@example.invalid", "ada@example.com"):
        assert client.put(f"/api:crm/contacts/{email}", {"name": "Ada King"}).status == 200
    edit_variable(Variable.objects.get(name="CRM_TOKEN"), value="wrong-token")
    run = start_lambda(syncing)
    assert work(run.pk) == "failed"
    run.refresh_from_db()
    assert (run.state, run.attempt, run.max_attempts) == ("accepted", 1, 5)
    assert run.error is not None
    assert run.error["message"] == "The CRM does not let us in: check CRM_TOKEN."
    edit_variable(Variable.objects.get(name="CRM_TOKEN"), value="let-me-in")
    Run.objects.filter(pk=run.pk).update(run_after=Now())
    assert work(run.pk) == "succeeded"
    run.refresh_from_db()
    assert run.result == {"sent": 1, "refused": 1, "left": False}
    assert asked(crm_port, "contacts")["stackyard-1"]["name"] == "Ada King"
    [refused] = [contact for contact in contacts(syncing) if contact["problem"]]
    assert refused["problem"].startswith("422")


@COMMITTED
def test_without_an_administrators_leave_nothing_is_called(syncing: Lambda, crm_port: int) -> None:
    with override_settings(OUTBOUND_ALLOW=[]):
        run = start_lambda(syncing)
        work(run.pk)
        run.refresh_from_db()
    assert "not one of the public internet" in run.logs
    assert asked(crm_port, "answered") == []


# The digest


def test_the_digest_is_mailed_in_the_morning_and_not_when_there_is_nothing(db: None) -> None:
    workspace = applied(EXAMPLES / "digest")
    due = Schedule.objects.get()
    assert due.next_at is not None
    assert schedule.tick(due.next_at + timedelta(seconds=1)) == 1
    run = Run.objects.get()
    assert work(run.pk) == "succeeded"
    run.refresh_from_db()
    assert run.result == {"messages": 3, "mailed": True}
    [sent] = mail.outbox
    assert sent.to == ["keepers@example.com"]
    assert sent.subject.startswith("3 messages about 2 topics, ")
    parts = {part.get_content_type(): part for part in message_from_string(sent.message().as_string()).walk()}
    html = parts["text/html"].get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "&#60;b&#62;Mine&#60;/b&#62; too!" in html
    assert b'"Garden","Ann","The tomatoes are out."' in parts["text/csv"].get_payload(decode=True)  # type: ignore[operator]
    Store(load_schema(workspace.pk)).delete_many("messages", {})
    target = Lambda.objects.select_related("published", "workspace").get(workspace=workspace)
    assert done(target).result == {"messages": 0, "mailed": False}
    assert len(mail.outbox) == 1
