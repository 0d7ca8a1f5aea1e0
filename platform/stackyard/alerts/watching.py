"""Looking at the rules: the scheduler's process does it, so that it goes on while no web process is there.

An incident is opened once and resolved once, each by a statement that only one of several schedulers can succeed with;
the message about it is a durable run accepted in the same transaction, so none is lost and none is told twice.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import Error, IntegrityError, transaction
from django.utils import timezone

from endpoints.figures import window
from stackyard.runs import dispatch
from stackyard.runs.health import failed_runs, missed_runs

from .models import AlertRule, Incident

_log = logging.getLogger(__name__)
EVERY_SECONDS = 15.0
KIND = "alert"
ATTEMPTS = 5


def watch(now: datetime | None = None) -> int:
    """Look at every active rule; how many incidents were opened or resolved."""
    now = now or timezone.now()
    changed = 0
    for rule in AlertRule.objects.filter(active=True).select_related("workspace", "endpoint"):
        try:
            changed += _look(rule, now)
        except Error:
            raise
        except Exception:
            _log.exception("the alert rule %s cannot be looked at", rule.pk)
    return changed


def measure(rule: AlertRule, now: datetime) -> float | None:
    """The rule's measure over its window; None where there were too few calls to say."""
    since = now - timedelta(minutes=rule.window_minutes)
    if rule.measure == "failed_runs":
        return float(failed_runs(rule.workspace_id, since, now, KIND))
    if rule.measure == "missed_runs":
        return float(missed_runs(rule.workspace_id, since, now))
    figures = window(rule.workspace_id, rule.endpoint_id or 0, rule.window_minutes * 60, now.timestamp())
    if figures.calls < rule.at_least_calls:
        return None
    return figures.error_rate if rule.measure == "error_rate" else figures.p95_ms


def _look(rule: AlertRule, now: datetime) -> int:
    value = measure(rule, now)
    is_broken = value is not None and value > rule.threshold
    opened = Incident.objects.filter(rule=rule, resolved_at=None).first()
    if is_broken and opened is None and value is not None:
        return _open(rule, now, value)
    if not is_broken and opened is not None:
        return _resolve(rule, opened, now, value)
    return 0


def _open(rule: AlertRule, now: datetime, value: float) -> int:
    try:
        with transaction.atomic():
            incident = Incident.objects.create(rule=rule, opened_at=now, value=value)
            _tell(rule, incident, "opened", value)
    except IntegrityError:
        # Another scheduler was faster.
        return 0
    return 1


def _resolve(rule: AlertRule, incident: Incident, now: datetime, value: float | None) -> int:
    with transaction.atomic():
        mine = Incident.objects.filter(pk=incident.pk, resolved_at=None)
        if not mine.update(resolved_at=now, last_value=value):
            return 0
        _tell(rule, incident, "resolved", value)
    return 1


def _tell(rule: AlertRule, incident: Incident, event: str, value: float | None) -> None:
    dispatch.start(
        KIND,
        rule.workspace,
        incident.pk,
        target_name=rule.name,
        input={"event": event, "value": value},
        trigger="alert",
        idempotency_key=event,
        retry_safe=True,
        max_attempts=ATTEMPTS,
    )
