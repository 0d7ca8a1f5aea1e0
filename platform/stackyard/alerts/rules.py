"""The one door to alert rules: make, change, delete. Console and management API come through here."""

from __future__ import annotations

import base64
import math
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from stackyard.core.errors import Detail, invalid_input
from stackyard.core.models import Workspace
from stackyard.core.secrets import encrypt

from .models import MEASURES, AlertRule, Incident

OF_CALLS = frozenset({"error_rate", "p95"})
"""The measures of calls; those may be of one endpoint."""
RULES = 100
"""At most so many rules in a workspace."""
_MOST = {"error_rate": 1.0, "p95": 600_000.0, "failed_runs": 1e6, "missed_runs": 1e6}


def create_rule(workspace: Workspace, **values: Any) -> tuple[AlertRule, str]:
    """A new rule, and for a webhook the secret that signs it, which nobody can see again. Problem with every fault."""
    if workspace.alert_rules.count() >= RULES:
        raise invalid_input([Detail("", "count", f"a workspace has at most {RULES} alert rules")])
    rule = AlertRule(workspace=workspace, **values)
    secret = _sign(rule)
    _check(rule)
    rule.save()
    return rule, secret


def change_rule(rule: AlertRule, changes: Mapping[str, Any]) -> str:
    """Change a rule; an open incident of it is forgotten, since it was about something else. Problem with every fault.

    What comes back is a new secret when the rule has become one with a webhook, else empty.
    """
    for name, value in changes.items():
        setattr(rule, name, value)
    secret = _sign(rule)
    _check(rule)
    with transaction.atomic():
        rule.save()
        Incident.objects.filter(rule=rule, resolved_at=None).delete()
    return secret


def delete_rule(rule: AlertRule) -> None:
    """Remove a rule and its incidents."""
    rule.delete()


def _sign(rule: AlertRule) -> str:
    if rule.channel != "webhook" or rule.sealed_secret:
        return ""
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    rule.sealed_secret = encrypt(secret)
    return secret


def _check(rule: AlertRule) -> None:
    """Problem `INVALID_INPUT` with everything that is wrong."""
    found: list[Detail] = []
    twins = AlertRule.objects.filter(workspace=rule.workspace, name=rule.name).exclude(pk=rule.pk)
    if not rule.name.strip() or len(rule.name) > 100:
        found.append(Detail("name", "name", "expected a name of at most 100 characters"))
    elif twins.exists():
        found.append(Detail("name", "unique", "there is a rule of this name already"))
    if rule.measure not in MEASURES:
        found.append(Detail("measure", "choice", f"expected one of {', '.join(MEASURES)}"))
    elif not math.isfinite(rule.threshold) or not 0 <= rule.threshold <= _MOST[rule.measure]:
        most = _MOST[rule.measure]
        found.append(Detail("threshold", "range", f"expected a number from 0 to {most:,.0f}"))
    if not 1 <= rule.window_minutes <= 1440:
        found.append(Detail("window_minutes", "range", "expected 1 to 1,440 minutes"))
    if not 1 <= rule.at_least_calls <= 1_000_000:
        found.append(Detail("at_least_calls", "range", "expected 1 to 1,000,000 calls"))
    if rule.endpoint is not None:
        if rule.measure not in OF_CALLS:
            found.append(Detail("endpoint", "value", "only error_rate and p95 can be of one endpoint"))
        elif rule.endpoint.group.workspace_id != rule.workspace_id:
            found.append(Detail("endpoint", "not_found", "there is no such endpoint"))
    found += _target_faults(rule)
    if found:
        raise invalid_input(found)


def _target_faults(rule: AlertRule) -> list[Detail]:
    if rule.channel == "email":
        try:
            validate_email(rule.target)
        except ValidationError:
            return [Detail("target", "email", "expected an e-mail address")]
    elif rule.channel == "webhook":
        try:
            parts = urlsplit(rule.target)
            is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and len(rule.target) <= 500
        except ValueError:
            is_url = False
        if not is_url:
            return [Detail("target", "url", "expected an address that begins with https://")]
    else:
        return [Detail("channel", "choice", "expected email or webhook")]
    return []
