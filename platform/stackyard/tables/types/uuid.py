"""UUIDs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from stackyard.core.types import Type
from stackyard.tables.field_type import ORDER, Convert, FieldType, unexpected

_PLAIN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_LOOSE = re.compile(r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\Z")


class UuidType(FieldType):
    """A UUID, in lower case with hyphens. With `default: uuid` each record gets a random one."""

    name = "uuid"
    label = "UUID"
    group = "texts"
    icon = "fingerprint"
    operators = ORDER
    default_words = {"uuid": lambda: str(uuid4())}
    examples = (("6FA459EA-EE8A-3CA4-894E-DB77E160355E", "6fa459ea-ee8a-3ca4-894e-db77e160355e"),)

    def parse(self, value: Any, lenient: bool = False) -> str:
        """The usual form; hyphens may be left out, letters be in either case."""
        if isinstance(value, UUID):
            return str(value)
        text = value.strip() if lenient and isinstance(value, str) else value
        if not isinstance(text, str) or _LOOSE.match(text) is None:
            raise unexpected("a UUID", value)
        return text if _PLAIN.match(text) else str(UUID(text))

    @property
    def value_type(self) -> Type:
        """Text in the format uuid."""
        return Type("text", format="uuid")

    def column(self, dialect: str) -> str:
        """A uuid; on SQLite its text, whose order is the same."""
        return "TEXT" if dialect == "sqlite" else "uuid"

    def loader(self, dialect: str) -> Convert | None:
        """From the driver's UUID on PostgreSQL."""
        return None if dialect == "sqlite" else str

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """The usual form."""
        return list(cells) if all(map(_PLAIN.match, cells)) else None
