"""Webhook receiver: events of another service, verified, kept once each, handed on (language.md, verify_webhook)."""

from __future__ import annotations

import re
from typing import Any

from stackyard.core.errors import Detail, invalid_input
from stackyard.core.models import Variable
from stackyard.core.webhooks import SCHEMES
from stackyard.core.workspaces import create_variable
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema

from . import Asked, Blueprint, Document, Option, endpoint_document, expression, line

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,62}\Z")
_FIELDS: dict[str, Any] = {
    "source": {"type": "text", "required": True, "description": "Which receiver took it."},
    "event_id": {"type": "text", "required": True, "description": "What the sender calls the event."},
    "type": "text",
    "sent_at": "timestamp",
    "payload": "json",
}


class WebhookReceiver(Blueprint):
    """An endpoint that other services call with events. It answers at once: an event whose signature is right is put into a
    table, once however often it is sent, and a lambda, if one is named, works on it in the background.
    """

    name = "webhook"
    label = "Webhook receiver"
    icon = "webhook"
    sentence = "Take events of other services, signature checked, each once"
    takes_table = False
    options = (
        Option("name", "Who sends, such as stripe: the address becomes /webhooks/stripe.", required=True),
        Option("scheme", "How its requests are signed.", "standard", choices=tuple(SCHEMES)),
        Option(
            "secret",
            "The secret variable with the signing secret; made, empty, if it is not there (nothing is accepted then).",
            "WEBHOOK_SECRET",
        ),
        Option("table", "The table that keeps the events; made if it is not there.", "webhook_events"),
        Option("lambda", "A published lambda that gets {id, type, sent_at, payload} of each new event."),
    )

    def make(self, asked: Asked) -> list[Document]:
        name, secret, table = (asked.options[key] for key in ("name", "secret", "table"))
        _check(name, secret)
        workspace = asked.group.workspace
        if not Variable.objects.filter(workspace=workspace, name=secret).exists():
            create_variable(
                workspace, secret, is_secret=True, description=f"Signs the webhooks of {name}: paste it here."
            )
        _prepare_table(workspace, table)
        document = endpoint_document(
            f"receive_{name}",
            "POST",
            f"/webhooks/{name}",
            f"Takes the events of {name}.",
            lines=_lines(asked.options),
            response={"received": True, "repeated": expression("repeated")},
        )
        return [{**document, "auth": ["public"], "body": "raw"}]


def _check(name: str, secret: str) -> None:
    details = []
    if not _NAME.match(name):
        details.append(Detail("options.name", "format", "use a-z, 0-9 and _, such as stripe"))
    if not _VARIABLE.match(secret):
        details.append(
            Detail("options.secret", "format", "is the name of a variable, such as WEBHOOK_SECRET")
        )
    if details:
        raise invalid_input(details)


def _prepare_table(workspace: Any, name: str) -> None:
    """Make the table of events; of one that is there every field is needed."""
    found = load_schema(workspace.pk).tables.get(name)
    if found is None:
        create_table(
            workspace,
            name,
            description="Events that webhooks brought, each once.",
            fields=_FIELDS,
            indexes=[{"fields": ["source", "event_id"], "unique": True}],
        )
        return
    missing = [field for field in _FIELDS if field not in found.fields]
    if missing:
        message = f"has no {', '.join(missing)}: name another table, and it is made"
        raise invalid_input([Detail("options.table", "value", message)])


def _lines(options: Any) -> list[dict[str, Any]]:
    verify = line(
        "verify_webhook", "event", scheme=options["scheme"], secret=expression(f"env.{options['secret']}")
    )
    keep = line(
        "add_record",
        "kept",
        table=options["table"],
        data={
            "source": options["name"],
            "event_id": expression("event.id"),
            **{key: expression(f"event.{key}") for key in ("type", "sent_at", "payload")},
        },
    )
    once = [keep]
    if options["lambda"]:
        # In the same transaction: an event that is kept is worked on, whatever falls over in between.
        once.append(line("run_lambda", lambda_=options["lambda"], input=expression("event"), wait=False))
    return [
        verify,
        line("set_variable", name="repeated", value=False),
        line("try_catch", try_=[line("transaction", do=once)], catch=_repeated()),
    ]


def _repeated() -> list[dict[str, Any]]:
    """An event that is there already is answered like a new one, so that its sender stops; all else is a failure."""
    again = {
        key: expression(f"error.{key}") for key in ("status", "code", "message", "suggestion", "details")
    }
    return [
        line(
            "condition",
            if_=expression('error.code == "CONFLICT"'),
            then=[line("set_variable", name="repeated", value=True)],
            else_=[line("throw", **again)],
        )
    ]
