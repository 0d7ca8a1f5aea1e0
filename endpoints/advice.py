"""Advice: warnings of the check, which never block and can be switched off (`STACKYARD_ADVICE`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from stackyard.core.errors import Faults
from stackyard.stacks.document import walk_lines
from stackyard.tables.definitions import TableDef

from .models import ApiGroup

_EMPTY_NAMES = re.compile(
    r"(api|func|function|stack|new|untitled|unnamed|temp|tmp|foo|test)([_-]?(\d+|copy|new))?\Z"
)


# The lines that make one record more each time they run.
_ADDING = frozenset({"add_record", "bulk_add"})


def advise(
    group: ApiGroup, document: Mapping[str, Any], tables: Mapping[str, TableDef], faults: Faults
) -> None:
    """Say what others will stumble over: with `names` names that tell nothing; with `all` also what is not described,
    groups without a version, and a POST that is done twice when it is sent twice.
    """
    if settings.ADVICE == "off":
        return
    name = document.get("name")
    if isinstance(name, str) and _EMPTY_NAMES.match(name):
        message = f'"{name}" does not tell what the endpoint does.'
        more = {"suggestion": "Name the deed and the thing, such as get_customer or create_order."}
        faults.warning(("name",), "advice_name", message, **more)
    if settings.ADVICE != "all":
        return
    if not document.get("description"):
        faults.warning(
            ("description",), "advice_description", "Nothing describes this endpoint in the API docs."
        )
    _advise_on_repeats(document, tables, faults)
    if not re.search(r"(^|[/_-])v\d+(\Z|[/_-])", f"{group.mount or ''} {group.name}".replace(" ", "/")):
        faults.warning(
            ("path",),
            "advice_version",
            f'The API group "{group.name}" has no version.',
            suggestion="Give it a mount such as v1, so that a v2 can stand beside it.",
        )


def _advise_on_repeats(document: Mapping[str, Any], tables: Mapping[str, TableDef], faults: Faults) -> None:
    """A POST that adds records which nothing tells apart, and does not insist on an `Idempotency-Key`.

    The header works with every POST. Without it a caller whose connection broke sends again, and has two. Where a
    field of the table is unique the second is refused.
    """
    if document.get("method") != "POST" or _insists_on_key(document.get("inputs")):
        return
    for line, _, _ in walk_lines(document.get("lines")):
        params = line.get("params")
        name = params.get("table") if isinstance(params, dict) else None
        table = tables.get(name) if isinstance(name, str) else None
        if line.get("step") not in _ADDING or line.get("disabled") or table is None:
            continue
        if not any(field.unique for field in table.own_fields):
            faults.warning(
                ("method",),
                "advice_idempotency",
                f"Who sends this POST again for want of an answer adds to {name} twice.",
                suggestion="Have callers send an Idempotency-Key: {idempotency_key: {type: text, in: header, "
                "required: true}} among the inputs insists on it. Or make a field unique.",
            )
            return


def _insists_on_key(inputs: Any) -> bool:
    one = inputs.get("idempotency_key") if isinstance(inputs, dict) else None
    return isinstance(one, dict) and one.get("in") == "header" and one.get("required") is True
