"""Whether a webhook comes from who it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.core import webhooks
from stackyard.core.errors import Problem
from stackyard.core.expressions.operations import failed, kind_of

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Constant, Value
from ..step import Line, Step
from ..values import is_constant


def verify_webhook(execution: Execution, scheme: Any, secret: Any) -> dict[str, Any]:
    """What the request says, when it is signed."""
    request = execution.request
    if request is None:
        raise Problem(
            "UNAUTHORIZED",
            "There is no request whose signature could be verified.",
            suggestion="Call the endpoint over HTTP with a signed body.",
        )
    secrets = secret if isinstance(secret, list) else [secret]
    for one in secrets:
        if one is not None and not isinstance(one, str):
            failed(f"The secret is a text or a list of texts, not {kind_of(one)}.")
    return webhooks.verify(scheme, [one or "" for one in secrets], request.headers, request.raw_body)


class VerifyWebhook(Step):
    """Go on only if the request was signed with the secret, at most five minutes ago where the scheme signs the time; else answer 401.

    Gives `{id, type, sent_at, payload}`. Senders repeat the `id` when they send an event again: keep it in a unique
    field to handle each event once, as the blueprint "webhook" does.
    """

    name = "verify_webhook"
    label = "Verify webhook"
    group = "security"
    icon = "webhook"
    sentence = "Verify the {scheme} signature of the webhook"
    synonyms = "webhook signature hmac stripe github svix standard webhooks receiver"
    parameters = (
        Constant(
            "scheme",
            "How it is signed: standard (webhook-id, webhook-timestamp, webhook-signature), stripe (Stripe-Signature), "
            "github (X-Hub-Signature-256).",
            default="standard",
            choices=tuple(webhooks.SCHEMES),
        ),
        Value(
            "secret",
            "The secret that the sender shows, such as env.WEBHOOK_SECRET; a list while it is being changed.",
            required=True,
        ),
    )
    raises = ("UNAUTHORIZED", "INVALID_JSON")
    run = staticmethod(verify_webhook)
    examples = (
        {
            "lines": [
                {
                    "step": "verify_webhook",
                    "as": "event",
                    "params": {"scheme": "github", "secret": {"$expr": "env.WEBHOOK_SECRET"}},
                }
            ],
            "response": "event.payload",
            "is": {"action": "opened"},
            # It takes a signed request: tests/test_webhooks.py sends some.
            "runs": False,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """The event; a secret that stands in the stack itself is warned of."""
        if is_constant(line.params.get("secret")):
            checker.warning(
                line.at("secret"),
                "secret",
                "A secret that stands in the stack is seen by everybody who reads it: put it into a secret variable.",
            )
        return t.object_of(
            {
                "id": t.TEXT,
                "type": t.TEXT.or_null(),
                "sent_at": t.TIMESTAMP.or_null(),
                "payload": t.ANY,
            }
        )
