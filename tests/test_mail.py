"""E-mail: what is sent, what is refused, and where it goes."""

from __future__ import annotations

import email
import os
import subprocess
import sys
from base64 import b64encode
from email.message import EmailMessage as Parsed
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as outbox

from stackyard.core import mail
from stackyard.core.errors import Problem
from stackyard.core.limits import Limit


def sent(**parts: Any) -> Parsed:
    """The e-mail that these parts make, as its reader gets it."""
    outbox.outbox.clear()
    mail.send(**{"to": "ann@example.com", "subject": "Hello", "text": "Hi", **parts})
    (message,) = outbox.outbox
    return email.message_from_bytes(message.message().as_bytes(), policy=default)  # type: ignore[return-value]


def problem(**parts: Any) -> Problem:
    """The Problem of an e-mail that is not sent."""
    with pytest.raises(Problem) as caught:
        sent(**parts)
    assert outbox.outbox == []
    return caught.value


def test_a_plain_e_mail_is_sent() -> None:
    made = sent(subject="Grüße ✓", text="Zeile 1\nZeile 2 ü\n")
    assert (made["To"], made["Subject"]) == ("ann@example.com", "Grüße ✓")
    assert made["From"].startswith("Stackyard <stackyard@")
    assert made["Message-ID"]
    assert made["Date"]
    assert made.get_content_type() == "text/plain"
    assert made.get_content().strip() == "Zeile 1\nZeile 2 ü"


def test_it_says_to_whom_it_went() -> None:
    done = mail.send(
        ["ann@example.com", "Bob <bob@example.com>", "ann@example.com"], "Hello", "Hi"
    ).as_value()
    assert done["recipients"] == ["ann@example.com", "Bob <bob@example.com>"]
    assert done["message_id"] == outbox.outbox[-1].message()["Message-ID"]
    assert outbox.outbox[-1].recipients() == ["ann@example.com", "Bob <bob@example.com>"]


def test_text_and_html_are_alternatives() -> None:
    made = sent(html="<p>Hi</p>")
    assert made.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in made.iter_parts()] == ["text/plain", "text/html"]
    assert sent(text=None, html="<p>Hi</p>").get_content_type() == "text/html"


def test_attachments_are_texts_or_bytes() -> None:
    made = sent(
        attachments=[
            {"name": "report.csv", "content": "a,ü\n1,2\n", "type": "text/csv"},
            {
                "name": "Bild ü.png",
                "content": {"$bytes": b64encode(b"\x89PNG\0").decode()},
                "type": "image/png",
            },
            {"name": "notes.txt", "content": "x"},
            {"name": "data.bin", "content": {"$bytes": "AP8="}},
        ]
    )
    parts = list(made.iter_attachments())
    assert [part.get_filename() for part in parts] == ["report.csv", "Bild ü.png", "notes.txt", "data.bin"]
    assert [part.get_content_type() for part in parts] == [
        *("text/csv", "image/png", "text/plain", "application/octet-stream")
    ]
    assert parts[0].get_content() == "a,ü\n1,2\n"
    assert parts[1].get_content() == b"\x89PNG\0"
    assert parts[3].get_content() == b"\0\xff"


@pytest.mark.parametrize(
    "to",
    [
        *(
            "",
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "ann example.com",
            None,
            3,
            {"a": 1},
            [],
            [[]],
            [None],
        ),
        "ann@example.com, eve@example.com",
        "ann@example.com; eve@example.com",
        "ann@example.com\nBcc: eve@example.com",
        "ann@example.com\r\n\r\nbody",
        "Ann\nBcc: eve@example.com <ann@example.com>",
        "friends: ann@example.com, eve@example.com;",
        "Ann <ann@example.com>, Eve <eve@example.com>",
        "<ann@example.com><eve@example.com>",
        "ann@example.com\u2028eve@example.com",
        "a" * 400 + "@example.com",
        ["ann@example.com", "not one"],
        [f"a{n}@example.com" for n in range(51)],
    ],
)
def test_a_recipient_is_one_address(to: Any) -> None:
    assert problem(to=to).code == "MAIL_INVALID"


@pytest.mark.parametrize(
    "to", ["Jörg Müller <j@example.com>", '"Doe, Ann" <ann@example.com>', "o'neil+x@example.co.uk"]
)
def test_names_may_be_anything_that_people_are_called(to: str) -> None:
    (address,) = sent(to=to)["To"].addresses
    assert (str(address) if address.display_name else address.addr_spec) == to


def test_fifty_recipients_are_taken() -> None:
    assert len(sent(to=[f"a{n}@example.com" for n in range(50)])["To"].addresses) == 50


@pytest.mark.parametrize("subject", ["", None, "a\nBcc: eve@example.com", "a\rb", "a\0b", "x" * 1001])
def test_a_subject_is_one_line(subject: Any) -> None:
    assert problem(subject=subject).code == "MAIL_INVALID"


@pytest.mark.parametrize(
    "parts",
    [
        {"text": None},
        {"text": "", "html": ""},
        {"text": 3},
        {"html": ["x"]},
        {"attachments": "x"},
        {"attachments": ["x"]},
        {"attachments": [{"name": "x"}]},
        {"attachments": [{"name": "", "content": "x"}]},
        {"attachments": [{"name": "a\r\nContent-Type: x", "content": "x"}]},
        {"attachments": [{"name": "a", "content": 3}]},
        {"attachments": [{"name": "a", "content": {"$bytes": "*"}}]},
        {"attachments": [{"name": "a", "content": "x", "path": "/etc/passwd"}]},
        {"attachments": [{"name": "a", "content": "x", "type": "text/plain\r\nX: y"}]},
        {"attachments": [{"name": "a", "content": "x", "type": "message/rfc822"}]},
        {"attachments": [{"name": "a", "content": "x", "type": "multipart/mixed"}]},
    ],
)
def test_what_is_no_e_mail_is_refused(parts: dict[str, Any]) -> None:
    refused = problem(**parts)
    assert (refused.code, refused.status) == ("MAIL_INVALID", 422)


def test_an_e_mail_is_as_large_as_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "MAIL_BYTES", Limit(100, 100, "bytes", "One e-mail"))
    bytes_ = {"$bytes": b64encode(b"x" * 50).decode()}
    assert sent(text="x" * 25, html="y" * 25, attachments=[{"name": "a", "content": bytes_}])
    assert (
        problem(text="x" * 26, html="y" * 25, attachments=[{"name": "a", "content": bytes_}]).code
        == "MAIL_INVALID"
    )


def test_a_server_that_does_not_answer_is_a_catchable_error(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", 9, "secret"
    with pytest.raises(Problem) as caught:
        mail.send("ann@example.com", "Hello", "Hi")
    assert (caught.value.code, caught.value.status) == ("MAIL_FAILED", 502)
    assert "secret" not in caught.value.message


def test_e_mail_goes_to_files_of_the_home_by_default(settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    mail.send("ann@example.com", "Hello", "Hi")
    (file,) = tmp_path.iterdir()
    assert b"Subject: Hello" in file.read_bytes()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "filebased None None None None None"),
        ("smtp://mail.example.com", "smtp mail.example.com 25 '' False False"),
        ("submission://ann%40x:p%2Fw@mail.example.com", "smtp mail.example.com 587 'ann@x' True False"),
        ("smtps://ann:pw@mail.example.com:4650", "smtp mail.example.com 4650 'ann' False True"),
        ("http://mail.example.com", "ImproperlyConfigured"),
        ("smtp:", "ImproperlyConfigured"),
    ],
)
def test_the_address_of_a_mail_server_is_read(url: str, expected: str, tmp_path: Path) -> None:
    code = (
        "from stackyard import settings as s; g = lambda n: getattr(s, 'EMAIL_' + n, None);"
        "print(s.EMAIL_BACKEND.split('.')[-2], g('HOST'), g('PORT'), repr(g('HOST_USER')), g('USE_TLS'), g('USE_SSL'))"
    )
    environment = {**os.environ, "EMAIL_URL": url, "STACKYARD_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert expected in (done.stdout or done.stderr)
