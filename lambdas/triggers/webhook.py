"""By a call from outside."""

from __future__ import annotations

from .trigger import TriggerKind


class WebhookTrigger(TriggerKind):
    """Runs when somebody posts to its address, `/hook:<token>`; answered with 202 and the run's URL."""

    name = "webhook"
    label = "Webhook"
    icon = "webhook"
