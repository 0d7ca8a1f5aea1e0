"""Files in the console, the management API and lambdas."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from stackyard.core.models import StoredFile, Workspace
from tests.calling import fields_of
from tests.doors import Door

from .test_vault import HTML, local, picture

pytestmark = pytest.mark.django_db(databases=["default", "history"])

FILES = "/admin/core/storedfile/"


def test_the_console_keeps_lists_and_deletes_files(console: Any, workspace: Workspace) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    sent = {"workspace": workspace.pk, "kind": "image", "access": "private"}
    not_one = console.post(f"{FILES}add/", {**sent, "file": SimpleUploadedFile("a.png", HTML)})
    assert "no picture" in not_one.content.decode()
    assert not StoredFile.objects.exists()
    hostile = SimpleUploadedFile('<b>"x".png', picture())
    assert console.post(f"{FILES}add/", {**sent, "file": hostile}).status_code == 302
    listed = console.get(FILES).content.decode()
    assert "&lt;b&gt;&quot;x&quot;.png</a>" in listed
    assert "3 x 2" in listed
    assert "signature=" in listed
    row = StoredFile.objects.get()
    given_away = re.search(rf'id="link-{row.pk}" hidden>([^<]+)<', listed)
    assert given_away is not None
    opened = Door(WSGIHandler()).get(local(html.unescape(given_away[1])))
    assert opened.body == picture()
    assert "Records that hold this file" in console.get(f"{FILES}{row.pk}/delete/").content.decode()
    console.post(f"{FILES}{row.pk}/delete/")
    assert not StoredFile.objects.exists()


def test_the_management_api_keeps_signs_and_deletes(workspace: Workspace) -> None:
    browser = Door(WSGIHandler())
    from tests.factories import make_key

    door, url = browser.with_key(make_key(workspace, "meta")), "/api:meta/workspaces/shop/files"
    assert fields_of(door.post(url, {"name": "a", "text": "x", "base64": "eA=="})) == {"text": "value"}
    assert fields_of(door.post(url, {"name": "a", "base64": "?"})) == {"base64": "format"}
    made = door.post(url, {"name": "a.txt", "base64": "aGk=", "access": "private"}).json()
    assert (made["mime"], made["size"], made["url"]) == ("text/plain", 2, None)
    link = door.post(f"{url}/{made['id']}/link", {"seconds": 60}).json()["url"]
    assert browser.get(local(link)).body == b"hi"
    assert [one["name"] for one in door.get(f"{url}?search=A.T").json()["items"]] == ["a.txt"]
    assert door.get(f"{url}?type=image").json()["itemsReceived"] == 0
    assert door.delete(f"{url}/{made['id']}").status == 204
    assert door.get(f"{url}/{made['id']}").status == 404


def test_a_lambda_writes_reads_lists_and_deletes(workspace: Workspace) -> None:
    from lambdas.publishing import create_lambda
    from lambdas.publishing import publish as publish_lambda
    from lambdas.running import run_now

    code = """
const note = await files.write("note.txt", "Grüße");
const raw = await files.write("raw.bin", new Uint8Array([0, 255, 7]), { access: "public" });
const bytes = await files.read(raw, "bytes");
const names = (await files.list({ search: "note" })).map((file) => file.name);
const link = await files.sign(note, 60);
await files.delete(raw.path);
let gone = "";
try { await files.read(raw) } catch (error) { gone = error.code }
let undone = 0;
try { await db.transaction(async () => { await files.write("undone", "x"); throw new Error("no") }) } catch { undone = (await files.list()).length }
return [note.mime, note.url, await files.read(note), bytes instanceof Uint8Array, [...bytes], names, link.includes("signature="), gone, undone];
"""
    made = create_lambda(workspace, {"name": "filer", "code": code})
    publish_lambda(made)
    finished = run_now(made, {})
    assert finished.error is None, finished.error
    assert finished.value == [
        *("text/plain", None, "Grüße", True, [0, 255, 7], ["note.txt"], True, "NOT_FOUND", 1),
    ]
