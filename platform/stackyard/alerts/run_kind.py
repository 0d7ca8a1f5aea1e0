"""Telling people of an incident, as a durable run: by e-mail, or by a webhook signed as Standard Webhooks has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from stackyard.core import mail, outbound
from stackyard.core.errors import Problem
from stackyard.core.jsonout import encode, iso
from stackyard.core.secrets import decrypt
from stackyard.runs import states
from stackyard.runs.run_kind import ClaimedRun, Outcome, RunKind

from .models import MEASURES, AlertRule, Incident
from .watching import KIND

_SECONDS = 15


class AlertRun(RunKind):
    """One message about one incident."""

    name = KIND
    label = "Alert"
    group = "watch"
    icon = "warning"
    seconds_at_most = 60

    @classmethod
    def execute(cls, claimed: ClaimedRun) -> Outcome:
        """Send it. What fails is tried again a few times."""
        incident = Incident.objects.select_related("rule__workspace", "rule__endpoint").filter(
            pk=claimed.run.target_id
        )
        found = incident.first()
        if found is None:
            return Outcome(states.SUCCEEDED, result="The rule was changed or deleted: nobody is told.")
        message = message_of(found, claimed.run.given)
        try:
            if found.rule.channel == "email":
                mail.send(found.rule.target, _subject(message), _text(message))
            else:
                _post(found.rule, str(claimed.run.pk), message)
        except Problem as problem:
            error = {"name": "Problem", "code": problem.code, "message": problem.message}
            return Outcome(states.FAILED, error=error)
        return Outcome(states.SUCCEEDED, result={"sent_to": found.rule.channel})

    @classmethod
    def name_of(cls, target_id: int) -> str:
        """The rule's name."""
        return AlertRule.objects.filter(incidents=target_id).values_list("name", flat=True).first() or ""


def message_of(incident: Incident, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is told: `{"type": "alert.opened" | "alert.resolved", "timestamp", "data"}`."""
    rule = incident.rule
    endpoint = rule.endpoint
    return {
        "type": f"alert.{given['event']}",
        "timestamp": iso(timezone.now()),
        "data": {
            "incident": incident.pk,
            "rule": rule.name,
            "workspace": rule.workspace.name,
            "measure": rule.measure,
            "endpoint": f"{endpoint.method} {endpoint.path}" if endpoint else None,
            "value": given["value"],
            "threshold": rule.threshold,
            "window_minutes": rule.window_minutes,
            "opened_at": iso(incident.opened_at),
            "resolved_at": iso(incident.resolved_at) if incident.resolved_at else None,
            "url": f"{settings.PUBLIC_URL}/admin/performance/",
        },
    }


def _post(rule: AlertRule, message_id: str, message: Mapping[str, Any]) -> None:
    """Problem when the receiver can't be reached or does not answer 2xx."""
    body, now = encode(message).decode(), timezone.now()
    secret = decrypt(rule.sealed_secret).reveal()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }
    answer = outbound.request(
        "POST", rule.target, headers=headers, body=body, body_type="raw", timeout=_SECONDS
    )
    if not 200 <= answer.status <= 299:
        raise Problem("REQUEST_FAILED", f"The webhook answered {answer.status}.")


def shown(measure: str, value: float | None) -> str:
    """A measure for people."""
    if value is None:
        return "too few calls"
    if measure == "error_rate":
        return f"{value * 100:.1f} %"
    return f"{value:.0f} ms" if measure == "p95" else f"{value:.0f}"


def _subject(message: Mapping[str, Any]) -> str:
    word = "Resolved" if message["type"] == "alert.resolved" else "Alert"
    return f"[Stackyard] {word}: {message['data']['rule']} ({message['data']['workspace']})"


def _text(message: Mapping[str, Any]) -> str:
    data = message["data"]
    measure = data["measure"]
    where = data["endpoint"] or f"workspace {data['workspace']}"
    lines = [
        f"{MEASURES[measure]} of {where}: {shown(measure, data['value'])} in {data['window_minutes']} minutes.",
        f"The rule says at most {shown(measure, data['threshold'])}.",
        f"Since {data['opened_at']}" + (f", resolved {data['resolved_at']}." if data["resolved_at"] else "."),
        "",
        data["url"],
    ]
    return "\n".join(lines)
