"""A random UUID."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from stackyard.core import types as t

from ..check import StackChecker
from ..execution import Execution
from ..step import Line, Step


def create_uuid(execution: Execution) -> str:
    """A UUID of version 4, in lower case."""
    return str(uuid.uuid4())


class CreateUuid(Step):
    """Make a random UUID (version 4)."""

    name = "create_uuid"
    label = "Create UUID"
    group = "security"
    icon = "key"
    sentence = "Create a UUID"
    synonyms = "random id unique guid"
    parameters = ()
    run = staticmethod(create_uuid)
    examples = (
        {
            "lines": [{"step": "create_uuid", "as": "made", "params": {}}],
            "response": "made | strlen",
            "is": 36,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A text."""
        return t.Type("text", format="uuid")
