"""Advice on names: warnings of the check, which never block and can be switched off (`STACKYARD_ADVICE`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from stackyard.core.errors import Faults

from .models import ApiGroup

_EMPTY_NAMES = re.compile(
    r"(api|func|function|stack|new|untitled|unnamed|temp|tmp|foo|test)([_-]?(\d+|copy|new))?\Z"
)


def advise(group: ApiGroup, document: Mapping[str, Any], faults: Faults) -> None:
    """Say what others will stumble over: with `names` names that tell nothing, with `all` also what is not described."""
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
    if not re.search(r"(^|[/_-])v\d+(\Z|[/_-])", f"{group.mount or ''} {group.name}".replace(" ", "/")):
        faults.warning(
            ("path",),
            "advice_version",
            f'The API group "{group.name}" has no version.',
            suggestion="Give it a mount such as v1, so that a v2 can stand beside it.",
        )
