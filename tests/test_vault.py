"""Files: taken from forms, kept, served and signed, through HTTP; steps and lambdas that work on them."""

from __future__ import annotations

import io
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from PIL import Image

from endpoints.blueprints import apply_blueprint
from endpoints.history import history
from endpoints.models import ApiGroup, HistoryEntry
from endpoints.publishing import check
from stackyard.core import vault
from stackyard.core.errors import Problem
from stackyard.core.models import StoredFile, Workspace
from stackyard.core.vault import sweeping
from stackyard.core.vault.keeping import storage
from stackyard.tables.changes import create_table
from tests.calling import assert_refused, expression, fields_of, line
from tests.doors import Answer, Door
from tests.factories import make_endpoint, make_group, make_workspace

pytestmark = pytest.mark.django_db(databases=["default", "history"])

HTML = b"<html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(width: int = 3, height: int = 2, form: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height)).save(made, form)
    return made.getvalue()


def form(*parts: tuple[str, str | None, str, bytes], boundary: str = "b0undary") -> dict[str, Any]:
    """A multipart body: (field, file name, media type, bytes)."""
    body = b""
    for field, name, kind, content in parts:
        file = f'; filename="{name}"\r\nContent-Type: {kind}' if name is not None else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'.encode()
        body += content + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return {"body": body, "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"}}


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    """Endpoints that keep a picture, anything private, and several at once."""
    made = make_group(workspace)
    for path, kind, access, spec in (
        ("/image", "image", "public", {"type": "image", "max_size": 1_000_000}),
        ("/any", "attachment", "private", {"type": "file"}),
        ("/pdf", "attachment", "public", {"type": "file", "types": ["application/pdf", "text/*"]}),
    ):
        keep = line("create_file", kind=kind, access=access, value=expression("input.content"))
        make_endpoint(
            made,
            path,
            "POST",
            inputs={"content": {**spec, "required": True}, "title": "text"},
            lines=[{**keep, "as": "kept"}],
            response=expression("kept"),
        )
    return made


@pytest.fixture
def browser() -> Door:
    return Door(WSGIHandler())


def send(door: Door, path: str, name: str, content: bytes, kind: str = "image/png", **more: Any) -> Answer:
    return door.post(f"/api:shop{path}", **form(("content", name, kind, content)), **more)


def local(url: str) -> str:
    return url.removeprefix(settings.PUBLIC_URL)


def test_a_picture_is_kept_measured_and_served(client: Door, group: ApiGroup, browser: Door) -> None:
    content = picture()
    answer = send(client, "/image", "../../Ä tea.png", content)
    assert answer.status == 200, answer.body
    kept = answer.json()
    assert {key: kept[key] for key in ("access", "name", "type", "size", "mime", "meta")} == {
        "access": "public",
        "name": "Ä tea.png",
        "type": "image",
        "size": len(content),
        "mime": "image/png",
        "meta": {"width": 3, "height": 2},
    }
    served = browser.get(local(kept["url"]))
    assert (served.status, served.body) == (200, content)
    assert served.headers["content-type"] == "image/png"
    assert served.headers["content-disposition"].startswith("inline")
    assert served.headers["x-content-type-options"] == "nosniff"
    assert served.headers["content-security-policy"].startswith("sandbox")
    again = browser.get(local(kept["url"]), headers={"If-None-Match": served.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    row = StoredFile.objects.get()
    assert re.fullmatch(rf"{group.workspace_id}/../{row.key}", row.place), "no name of a caller's in a path"
    assert os.stat(storage().path(row.place)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "claimed", "content", "mime"),
    [
        ("a.png", "image/png", HTML, "text/html"),
        ("a.html", "text/html", HTML, "text/html"),
        ("a.svg", "image/svg+xml", SVG, "image/svg+xml"),
        ("a.xml", "text/xml", b"<?xml version='1.0'?>" + SVG, "image/svg+xml"),
        ("a.js", "text/javascript", b"alert(1)", "text/plain"),
        ("a.pdf", "application/pdf", b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        ("a.csv", "text/csv", b"a,b\n1,2\n", "text/csv"),
        ("a.bin", "image/png", b"\0\1\2\3\xff", "application/octet-stream"),
        ("a", "", b"", "text/plain"),
    ],
)
def test_a_type_is_what_the_bytes_say_and_nothing_active_is_shown(
    client: Door, group: ApiGroup, browser: Door, name: str, claimed: str, content: bytes, mime: str
) -> None:
    kept = send(client, "/any", name, content, claimed).json()
    assert kept["mime"] == mime
    link = vault.signed_url(StoredFile.objects.get())
    served = browser.get(local(link))
    assert served.body == content
    shown = served.headers["content-disposition"].split(";")[0]
    assert shown == ("inline" if mime == "text/plain" else "attachment")


@pytest.mark.parametrize("content", [HTML, SVG, b"", b"\x89PNG\r\n\x1a\n" + b"\0" * 30, picture()[:20]])
def test_what_is_no_picture_is_refused_as_one(client: Door, group: ApiGroup, content: bytes) -> None:
    answer = send(client, "/image", "a.png", content)
    assert answer.status in (400, 422), answer.body
    assert not StoredFile.objects.exists()


def test_a_decompression_bomb_is_refused(client: Door, group: ApiGroup) -> None:
    bomb = bytearray(picture())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4, "big")
    answer = send(client, "/image", "a.png", bytes(bomb))
    assert_refused(answer, 422, "FILE_REFUSED")


def test_size_and_type_are_checked(client: Door, group: ApiGroup) -> None:
    assert fields_of(send(client, "/image", "a.png", picture() + b"\0" * 1_000_000)) == {"content": "size"}
    assert fields_of(send(client, "/pdf", "a.pdf", picture())) == {"content": "file_type"}
    assert fields_of(client.post("/api:shop/image", {"content": "x"})) == {"content": "type"}
    forged = {"content": {"path": "/etc/passwd", "name": "x", "size": 1, "mime": "image/png"}}
    assert fields_of(client.post("/api:shop/image", forged)) == {"content": "format"}
    assert fields_of(client.post("/api:shop/image", **form(("title", None, "", b"x")))) == {
        "content": "required"
    }


def test_an_upload_past_the_limit_stops_early_and_leaves_nothing(client: Door, group: ApiGroup) -> None:
    head = form(("content", "a.bin", "x/y", b""))["body"].split(b"\r\n--b0undary--")[0]
    before = set(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir())
    small = make_endpoint(group, "/small", "POST", inputs={"content": "file"}, request_bytes=3_000_000)
    answer = client.post(
        f"/api:shop{small.path}",
        body=head + b"x" * 4_000_000,
        headers={"Content-Type": "multipart/form-data; boundary=b0undary"},
        chunked=True,
    )
    assert_refused(answer, 413, "PAYLOAD_TOO_LARGE")
    assert set(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == before
    assert not StoredFile.objects.exists()


def test_a_large_upload_goes_through_disk(client: Door, group: ApiGroup) -> None:
    content = os.urandom(4_000_000)
    kept = send(client, "/any", "a.bin", content).json()
    assert kept["size"] == len(content)
    assert vault.read_bytes(StoredFile.objects.get()) == content
    assert not list(Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"))


def test_a_body_that_ends_early_is_refused(client: Door, group: ApiGroup) -> None:
    sent = form(("content", "a.png", "image/png", picture()))
    sent["headers"]["Content-Length"] = str(len(sent["body"]) + 10)
    assert_refused(client.post("/api:shop/image", **sent), 400, "INVALID_INPUT")


def test_a_private_file_opens_with_a_link_only_and_for_a_while(
    client: Door, group: ApiGroup, browser: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = send(client, "/any", "secret.txt", b"hush").json()
    assert kept["url"] is None
    assert_refused(browser.get(kept["path"]), 403, "ACCESS_DENIED")
    link = local(vault.signed_url(StoredFile.objects.get(), 60))
    answer = browser.get(link)
    assert (answer.status, answer.body) == (200, b"hush")
    assert browser.post(link, {}).status == 405
    assert answer.headers["cache-control"] == "private, no-store"
    for forged in (
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        re.sub(r"expires=\d+", "expires=9999999999", link),
    ):
        assert browser.get(forged).status == 403
    other = vault.create(group.workspace_id, b"other", access="private")
    assert browser.get(link.replace(StoredFile.objects.get(name="secret.txt").key, other.key)).status == 403
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert browser.get(link).status == 403


@pytest.mark.parametrize(
    ("wanted", "status", "part", "said"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=0-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=4-2", 200, b"0123456789", None),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_a_range_is_served(
    workspace: Workspace, browser: Door, wanted: str, status: int, part: bytes | None, said: str | None
) -> None:
    row = vault.create(workspace.pk, b"0123456789", name="digits")
    answer = browser.get(vault.as_json(row)["path"], headers={"Range": wanted})
    assert answer.status == status
    assert answer.headers.get("content-range") == said
    assert part is None or answer.body == part


def test_a_record_keeps_what_is_known_of_a_file(client: Door, workspace: Workspace) -> None:
    create_table(
        workspace,
        "people",
        fields={"name": "text", "photo": "image", "papers": {"type": "list", "of": "file"}},
    )
    group = make_group(workspace)
    keep = line("create_file", kind="image", value=expression("input.photo"))
    data = {"name": "Ann", "photo": expression("kept"), "papers": [expression("kept")]}
    add = line("add_record", table="people", data=data)
    make_endpoint(
        group,
        "/people",
        "POST",
        inputs={"photo": {"type": "image", "required": True}},
        lines=[{**keep, "as": "kept"}, {**add, "as": "made"}],
        response=expression("made"),
    )
    direct = line("add_record", table="people", data={"photo": expression("input.photo")})
    make_endpoint(group, "/direct", "POST", inputs={"photo": "image"}, lines=[direct])
    sent = form(("photo", "ann.png", "image/png", picture()))
    made = client.post("/api:shop/people", **sent).json()
    assert made["photo"]["meta"] == {"width": 3, "height": 2}
    assert made["papers"] == [made["photo"]]
    refused = client.post("/api:shop/direct", **sent)
    assert refused.status == 400
    assert "create_file" in refused.error["message"]


def test_steps_read_sign_and_delete_only_files_of_their_workspace(client: Door, workspace: Workspace) -> None:
    other = vault.create(make_workspace("other").pk, b"theirs", name="theirs.txt")
    group = make_group(workspace)
    for step in ("read_file", "sign_url", "delete_file"):
        lines = [line(step, file=expression("input.file"))]
        if step != "delete_file":
            lines[0]["as"] = "made"
        response = expression("made") if step != "delete_file" else None
        make_endpoint(group, f"/{step}", "POST", inputs={"file": "json"}, lines=lines, response=response)
    own = vault.create(workspace.pk, b"ours", name="ours.txt", access="private")
    for step in ("read_file", "sign_url", "delete_file"):
        for file in (vault.as_json(other), vault.as_json(other)["path"], "/etc/passwd", 7, {"path": 1}):
            assert client.post(f"/api:shop/{step}", {"file": file}).status == 404, (step, file)
    path = vault.as_json(own)["path"]
    assert client.post("/api:shop/read_file", {"file": path}).json()["data"] == "ours"
    assert "signature=" in client.post("/api:shop/sign_url", {"file": vault.as_json(own)}).json()
    assert client.post("/api:shop/delete_file", {"file": path}).status == 200
    assert client.post("/api:shop/read_file", {"file": path}).status == 404


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_bytes_go_when_the_deletion_is_certain() -> None:
    row = vault.create(make_workspace().pk, b"x")
    with transaction.atomic():
        vault.delete(row)
        transaction.set_rollback(True)
    assert vault.read_bytes(StoredFile.objects.get()) == b"x"
    vault.delete(row)
    assert not storage().exists(row.place)


def test_what_nobody_knows_of_is_swept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = vault.create(workspace.pk, b"kept")
    lost = vault.create(workspace.pk, b"lost")
    StoredFile.objects.filter(pk=lost.pk).delete()
    left = Path(settings.FILE_UPLOAD_TEMP_DIR) / "tmpabc.upload.bin"
    left.write_bytes(b"x")
    sweeping.sweep()
    assert storage().exists(lost.place), "its transaction may still be open"
    os.utime(storage().path(lost.place), (1, 1))
    os.utime(storage().path(kept.place), (1, 1))
    os.utime(left, (1, 1))
    sweeping.sweep()
    assert not storage().exists(lost.place)
    assert not left.exists()
    assert storage().exists(kept.place)


def test_a_full_disk_is_told_and_leaves_no_row(
    client: Door, group: ApiGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(storage()), "_save", full)
    assert_refused(send(client, "/any", "a", b"x"), 507, "STORAGE_FULL")
    assert not StoredFile.objects.exists()


def test_the_history_tells_of_files_without_their_bytes(client: Door, group: ApiGroup) -> None:
    history.flush()
    HistoryEntry.objects.all().delete()
    send(client, "/any", "secret.txt", b"these bytes")
    history.flush()
    entry = HistoryEntry.objects.get()
    assert entry.request_body == '{"content":{"name":"secret.txt","size":11,"mime":"text/plain"}}'


def test_a_form_sent_again_is_known_by_its_files(client: Door, group: ApiGroup) -> None:
    def sent(content: bytes, boundary: str) -> Answer:
        made = form(("content", "a", "x/y", content), boundary=boundary)
        made["headers"]["Idempotency-Key"] = "k"
        return client.post("/api:shop/any", **made)

    first, again = sent(b"1", "aaaa"), sent(b"1", "bbbb")
    assert first.body == again.body
    assert sent(b"2", "aaaa").status == 409
    assert StoredFile.objects.count() == 1


def test_the_blueprint_takes_uploads_and_says_so(client: Door, workspace: Workspace, browser: Door) -> None:
    group = make_group(workspace)
    made = apply_blueprint(group, "upload", options={"kind": "image", "max_megabytes": "1"})
    assert check(made[0], made[0].draft).faults == []
    from tests.factories import make_key

    answer = send(client.with_key(make_key(workspace)), "/upload/image", "a.png", picture(5, 4, "GIF"))
    assert (answer.status, answer.json()["mime"]) == (201, "image/gif")
    operation = browser.get("/apispec:shop?type=json").json()["paths"]["/upload/image"]["post"]
    assert operation["requestBody"]["content"] == {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "content": {
                        "type": "string",
                        "format": "binary",
                        "description": "The image, as a file of the form.",
                    }
                },
                "required": ["content"],
                "additionalProperties": False,
            }
        }
    }


def test_a_workspace_has_a_quota(group: ApiGroup, settings: Any) -> None:
    settings.FILES_BYTES = 1_000
    vault.create(group.workspace_id, b"x" * 600, name="first.txt")
    with pytest.raises(Problem) as caught:
        vault.create(group.workspace_id, b"x" * 401, name="second.txt")
    assert (caught.value.code, caught.value.status) == ("STORAGE_FULL", 507)
    vault.create(make_workspace("other").pk, b"x" * 900)
    vault.create(group.workspace_id, b"x" * 400)
    vault.delete(StoredFile.objects.get(name="first.txt"))
    vault.create(group.workspace_id, b"x" * 600)


def test_pictures_are_previewed_in_the_console(console: Any, group: ApiGroup) -> None:
    kept = vault.create(group.workspace_id, picture(), kind="image", access="private", name="tea.png")
    page = console.get("/admin/core/storedfile/").content.decode()
    [shown] = re.findall(r'<img src="([^"]+)" alt="" class="preview"', page)
    assert kept.key in shown
    assert shown.startswith("/vault/")
    assert Door(WSGIHandler()).get(shown.replace("&amp;", "&")).body == picture()
