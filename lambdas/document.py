"""A lambda's document: its keys, their defaults, and every fault in it at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stackyard.core.errors import Faults, did_you_mean
from stackyard.core.names import is_name, name_rule

from .triggers.schedule import CATCH_UP
from .triggers.trigger import TriggerKind

LONGEST_SECONDS = 300
MEMORY_MB = (64, 1024)
CODE_CHARACTERS = 1_000_000
ATTEMPTS = 20
DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "code": "",
    "timeout": 60,
    "memory_mb": 256,
    "retry_safe": False,
    "max_attempts": 3,
    "catch_up": "none",
    "fresh_process": False,
    "variables": [],
    "network": [],
    "triggers": [],
}
KEYS = ("name", *DEFAULTS)
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?\Z")


def with_defaults(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document with what it leaves out."""
    return {**DEFAULTS, **document}


def check_document(
    document: Any, faults: Faults, variables: Mapping[str, bool], tables: Mapping[str, Any]
) -> None:
    """Every fault of a document but those of its code. `variables` and `tables` are the workspace's."""
    if not isinstance(document, Mapping):
        faults.error((), "type", "A lambda is a map of keys such as name, code and triggers.")
        return
    for key in document:
        if key not in KEYS:
            faults.error(
                (str(key),), "unknown_key", f'A lambda has no "{key}".{did_you_mean(str(key), KEYS)}'
            )
    if not is_name(document.get("name")):
        faults.error(("name",), "name", f"The lambda needs a name. {name_rule()}")
    full = with_defaults(document)
    _check_plain(full, faults)
    _check_number(full, "timeout", 1, LONGEST_SECONDS, faults)
    _check_number(full, "memory_mb", *MEMORY_MB, faults)
    _check_number(full, "max_attempts", 1, ATTEMPTS, faults)
    _check_variables(full["variables"], variables, faults)
    _check_network(full["network"], faults)
    _check_triggers(full["triggers"], tables, faults)


def _check_plain(document: Mapping[str, Any], faults: Faults) -> None:
    for key in ("description", "code"):
        if not isinstance(document[key], str):
            faults.error((key,), "type", f'"{key}" is text.')
    for key in ("retry_safe", "fresh_process"):
        if not isinstance(document[key], bool):
            faults.error((key,), "type", f'"{key}" is true or false.')
    if document["catch_up"] not in CATCH_UP:
        faults.error(("catch_up",), "choice", f"catch_up is one of {', '.join(CATCH_UP)}.")
    if isinstance(document["code"], str) and len(document["code"]) > CODE_CHARACTERS:
        faults.error(("code",), "range", f"The code has at most {CODE_CHARACTERS:,} characters.")


def _check_number(document: Mapping[str, Any], key: str, least: int, most: int, faults: Faults) -> None:
    value = document[key]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        faults.error((key,), "range", f'"{key}" is a whole number from {least} to {most}.')


def _check_variables(names: Any, known: Mapping[str, bool], faults: Faults) -> None:
    if not isinstance(names, list):
        faults.error(("variables",), "type", "The variables are a list of names.")
        return
    for number, name in enumerate(names):
        if not isinstance(name, str) or name not in known:
            hint = did_you_mean(str(name), known)
            faults.error(("variables", number), "unknown_variable", f'There is no variable "{name}".{hint}')


def _check_network(hosts: Any, faults: Faults) -> None:
    if not isinstance(hosts, list):
        faults.error(("network",), "type", "The network is a list of hosts that the code may call.")
        return
    for number, host in enumerate(hosts):
        if not isinstance(host, str) or not _HOST.match(host):
            message = f'"{host}" is not a host. Write api.example.com, *.example.com or api.example.com:8443.'
            faults.error(("network", number), "host", message)


def _check_triggers(triggers: Any, tables: Mapping[str, Any], faults: Faults) -> None:
    if not isinstance(triggers, list):
        faults.error(("triggers",), "type", "The triggers are a list such as [{schedule: {cron: ...}}].")
        return
    for number, trigger in enumerate(triggers):
        path = ("triggers", number)
        if not isinstance(trigger, Mapping) or len(trigger) != 1:
            faults.error(path, "type", "A trigger is a map with one key, such as schedule: {cron: ...}.")
            continue
        name, spec = next(iter(trigger.items()))
        kind = TriggerKind.all().get(str(name))
        if kind is None:
            hint = did_you_mean(str(name), TriggerKind.all())
            faults.error((*path, str(name)), "unknown_trigger", f'There is no trigger "{name}".{hint}')
        elif not isinstance(spec, Mapping):
            faults.error((*path, str(name)), "type", f'"{name}" takes a map of options.')
        else:
            kind.check(spec, faults, (*path, str(name)), tables)
