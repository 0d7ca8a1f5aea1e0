"""E-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from stackyard.core.types import Type
from stackyard.tables.field_type import TEXT, FieldType, refuse, unexpected
from stackyard.tables.types.text import check_characters

# One @, something before it, a domain with a point after it; no blanks, controls or second @.
_ADDRESS = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@.\x00-\x1f\x7f]+(?:\.[^\s@.\x00-\x1f\x7f]+)+\Z")


class EmailType(FieldType):
    """An e-mail address, kept in lower case, at most 254 characters."""

    name = "email"
    label = "E-mail"
    group = "texts"
    icon = "at"
    operators = TEXT
    examples = (("Ann@Example.com", "ann@example.com"),)

    def parse(self, value: Any, lenient: bool = False) -> str:
        """A plausible address; blanks around it are left out."""
        text = self.operand(value)
        if len(text) > 254 or _ADDRESS.match(text) is None:
            raise refuse("format", 'expected an e-mail address such as "ann@example.com"')
        return text

    def operand(self, value: Any) -> str:
        """Any text, in lower case."""
        if not isinstance(value, str):
            raise unexpected("an e-mail address", value)
        check_characters(value)
        return value.strip().lower()

    @property
    def value_type(self) -> Type:
        """Text in the format email."""
        return Type("text", format="email")

    def column(self, dialect: str) -> str:
        """Text."""
        return "TEXT" if dialect == "sqlite" else 'text COLLATE "C"'

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """Addresses of ASCII."""
        if not "".join(cells).isascii() or max(map(len, cells)) > 254:
            return None
        texts = [cell.strip().lower() for cell in cells]
        return texts if all(map(_ADDRESS.match, texts)) else None
