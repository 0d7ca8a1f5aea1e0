"""Send an e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import mail
from stackyard.core import types as t

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Value
from ..step import Line, Step


def send_email(
    execution: Execution, to: Any, subject: Any, text: Any, html: Any, attachments: Any
) -> dict[str, Any]:
    """Hand an e-mail to the mail server."""
    execution.check_time()
    return mail.send(to, subject, text, html, attachments).as_value()


class SendEmail(Step):
    """Send an e-mail. It leaves at once: a transaction that fails later, or Run & Debug, does not call it back."""

    name = "send_email"
    label = "Send e-mail"
    group = "utilities"
    icon = "mail"
    sentence = "Send {subject} to {to}"
    synonyms = "email mail smtp message notify newsletter report"
    goes_out = True
    result_name = "sent"
    parameters = (
        Value(
            "to",
            "An address (ann@example.com or Ann <ann@example.com>), or a list of at most 50.",
            required=True,
        ),
        Value("subject", "One line.", required=True, type=t.TEXT),
        Value("text", "What it says as plain text.", type=t.TEXT, widget="long_text"),
        Value(
            "html",
            "What it says as HTML; render_template makes both from templates.",
            type=t.TEXT,
            title="HTML",
            widget="long_text",
        ),
        Value(
            "attachments",
            'Files: a list of {name, content, type}, the content a text or {"$bytes": base64}.',
            type=t.LIST,
            advanced=True,
        ),
    )
    raises = ("MAIL_FAILED",)
    run = staticmethod(send_email)
    examples = (
        {
            "lines": [
                {
                    "step": "send_email",
                    "as": "sent",
                    "params": {
                        "to": "ann@example.com",
                        "subject": "Your order",
                        "text": "It is on its way.",
                        "attachments": [
                            {"name": "order.csv", "content": "item,price\nTea,3.50\n", "type": "text/csv"}
                        ],
                    },
                }
            ],
            "response": "sent.recipients",
            "is": ["ann@example.com"],
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """To whom it went, and its Message-ID."""
        return t.object_of({"recipients": t.list_of(t.TEXT), "message_id": t.TEXT})
