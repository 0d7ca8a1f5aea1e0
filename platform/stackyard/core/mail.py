"""The one way e-mail leaves: through Django's backend, into files of the home or to the server of `EMAIL_URL`."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import make_msgid
from smtplib import SMTPException, SMTPResponseException
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.validators import validate_email

from .errors import Problem
from .expressions.operations import kind_of, text_of
from .limits import MAIL_BYTES, MAIL_RECIPIENTS
from .outbound import is_media_type, octets

_log = logging.getLogger(__name__)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_LONGEST_SUBJECT = 1_000
_LONGEST_ADDRESS = 320


@dataclass(frozen=True, slots=True)
class Sent:
    """What was handed over: to whom, and under which Message-ID."""

    recipients: list[str]
    message_id: str

    def as_value(self) -> dict[str, Any]:
        """What a stack and a lambda see."""
        return {"recipients": self.recipients, "message_id": self.message_id}


def send(to: Any, subject: Any, text: Any = None, html: Any = None, attachments: Any = None) -> Sent:
    """Send one e-mail.

    `to` is an address (`ann@example.com` or `Ann <ann@example.com>`) or a list of at most 50; each text is one address,
    so that nobody can slip in more. `text`, `html` or both; `attachments` are `{name, content, type}`, the content a text or
    `{"$bytes": base64}`. At most 20 MB in all.

    Problem `MAIL_INVALID` (422) when this is no e-mail; `MAIL_FAILED` (502) when the mail server does not take it.
    """
    recipients = _recipients(to)
    message = _message(recipients, _subject(subject), _body(text, "text"), _body(html, "html"))
    files = [_attachment(one, f"attachments.{n}") for n, one in enumerate(_list(attachments, "attachments"))]
    size = sum(map(len, (text or "", html or "", *(content for _, content, _ in files))))
    if size > MAIL_BYTES.default:
        raise _invalid(
            f"An e-mail has at most {MAIL_BYTES.default:,} bytes with its attachments; this has {size:,}."
        )
    for file in files:
        message.attach(*file)
    try:
        message.send()
    except (OSError, SMTPException, MessageError) as error:
        _log.warning("an e-mail was not sent: %s", type(error).__name__)
        code = f" ({error.smtp_code})" if isinstance(error, SMTPResponseException) else ""
        raise Problem("MAIL_FAILED", f"The mail server did not take the e-mail{code}.") from None
    return Sent(recipients, message.extra_headers["Message-ID"])


def _invalid(message: str) -> Problem:
    return Problem("MAIL_INVALID", message)


def _list(value: Any, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _invalid(f'"{what}" is a list, not {kind_of(value)}.')
    return value


def _recipients(to: Any) -> list[str]:
    given = to if isinstance(to, list) else [to]
    if not 0 < len(given) <= MAIL_RECIPIENTS.default:
        raise _invalid(f"An e-mail goes to at least one and at most {MAIL_RECIPIENTS.default} recipients.")
    return list(dict.fromkeys(_address(one) for one in given))


def _address(given: Any) -> str:
    """One address, its display name kept, spelled so that it can stand in a header."""
    if not isinstance(given, str) or len(given) > _LONGEST_ADDRESS or _CONTROL.search(given):
        raise _invalid(f"An e-mail address is a text such as ann@example.com, not {_shown(given)}.")
    try:
        parsed = SMTP.header_factory("to", given.strip())
        addresses: tuple[Address, ...] = parsed.addresses
    except (MessageError, IndexError, ValueError, AttributeError):
        addresses = ()
    if len(addresses) != 1 or parsed.defects:
        raise _invalid(f"{_shown(given)} is not one e-mail address. Give several as a list.")
    spec = addresses[0].addr_spec
    try:
        validate_email(spec)
    except ValidationError:
        raise _invalid(f"{_shown(given)} is not an e-mail address.") from None
    return str(addresses[0]) if addresses[0].display_name else spec


def _shown(given: Any) -> str:
    return f'"{_CONTROL.sub(" ", given[:60])}"' if isinstance(given, str) else kind_of(given)


def _subject(subject: Any) -> str:
    text = text_of(subject)
    if not text or len(text) > _LONGEST_SUBJECT or _CONTROL.search(text):
        raise _invalid(f"A subject is one line of at most {_LONGEST_SUBJECT:,} characters.")
    return text


def _body(value: Any, what: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _invalid(f'"{what}" is a text, not {kind_of(value)}.')
    return value or None


def _message(to: list[str], subject: str, text: str | None, html: str | None) -> EmailMessage:
    if text is None and html is None:
        raise _invalid('An e-mail says something: give it a "text", an "html" or both.')
    # Without it Django would ask for this machine's name, which can take seconds.
    headers = {"Message-ID": make_msgid(domain=settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> "))}
    if text is None:
        message = EmailMessage(subject, html, to=to, headers=headers)
        message.content_subtype = "html"
        return message
    both = EmailMultiAlternatives(subject, text, to=to, headers=headers)
    if html is not None:
        both.attach_alternative(html, "text/html")
    return both


def _attachment(value: Any, what: str) -> tuple[str, bytes | str, str]:
    if not isinstance(value, Mapping) or not {"name", "content"} <= set(value) <= {"name", "content", "type"}:
        raise _invalid(f'"{what}" is {{name, content, type}}.')
    name, content = value["name"], value["content"]
    if not isinstance(name, str) or not name or len(name) > 255 or _CONTROL.search(name):
        raise _invalid(f'"{what}.name" is the name of a file, of at most 255 characters.')
    media_type = value.get("type") or (
        "text/plain" if isinstance(content, str) else "application/octet-stream"
    )
    # What other e-mails are made of is not a file's type.
    if not is_media_type(media_type) or media_type.lower().startswith(("multipart/", "message/")):
        raise _invalid(f'"{what}.type" is a media type of a file, such as image/png.')
    if isinstance(content, str):
        return name, content, media_type
    try:
        return name, octets(content, f"{what}.content"), media_type
    except Problem as problem:
        raise _invalid(problem.message) from None
