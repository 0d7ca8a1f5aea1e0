"""Text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import re2

from stackyard.core.errors import Faults, Path
from stackyard.core.types import TEXT as TEXT_VALUE
from stackyard.core.types import Type
from stackyard.tables.field_type import TEXT, FieldType, Option, refuse, unexpected

_QUIET = re2.Options()
_QUIET.log_errors = False


def check_characters(text: str) -> None:
    """Refuse what one of the databases can't keep: NUL and lone surrogates."""
    if "\0" in text:
        raise refuse("characters", "must not contain the character NUL")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise refuse("characters", "contains half of a surrogate pair") from None


def parse_text(value: Any) -> str:
    """A text that both databases can keep."""
    if not isinstance(value, str):
        raise unexpected("text", value)
    check_characters(value)
    return value


class TextType(FieldType):
    """Text of any length. `trim`, `lower` and `upper` change a value before it is kept."""

    name = "text"
    label = "Text"
    group = "basics"
    icon = "text"
    option_spec = {
        "min_length": Option("int", "The least count of characters.", least=0),
        "max_length": Option("int", "The greatest count of characters.", least=1),
        "pattern": Option("text", "A regular expression (RE2) that the whole value must match."),
        "trim": Option("bool", "Leave out blanks at both ends.", default=False),
        "lower": Option("bool", "Put letters in lower case.", default=False),
        "upper": Option("bool", "Put letters in upper case.", default=False),
    }
    operators = TEXT
    examples = (("Ann", "Ann"), ("", ""))

    @classmethod
    def check_options(cls, options: Mapping[str, Any], faults: Faults, path: Path) -> None:
        """The pattern compiles, and one value can't be in both cases."""
        super().check_options(options, faults, path)
        if options["lower"] and options["upper"]:
            faults.error((*path, "upper"), "value", "lower and upper exclude each other")
        if options["pattern"] is not None:
            try:
                re2.compile(options["pattern"], options=_QUIET)
            except re2.error as error:
                reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
                faults.error((*path, "pattern"), "pattern", f"is not a regular expression: {reason}")

    def configure(self) -> None:
        """Compile the pattern."""
        options = self.options
        self._pattern = (
            None if options["pattern"] is None else re2.compile(options["pattern"], options=_QUIET)
        )
        self._changes = options["trim"] or options["lower"] or options["upper"]
        self._min, self._max = options["min_length"], options["max_length"]

    def parse(self, value: Any, lenient: bool = False) -> str:
        """A text, changed as the options say, within the limits."""
        text = self.operand(value)
        if self._min is not None and len(text) < self._min:
            raise refuse("length", f"must have at least {self._min:,} characters")
        if self._max is not None and len(text) > self._max:
            raise refuse("length", f"must have at most {self._max:,} characters")
        if self._pattern is not None and self._pattern.fullmatch(text) is None:
            raise refuse("pattern", f"must match the pattern {self.options['pattern']}")
        return text

    def operand(self, value: Any) -> str:
        """Any text, changed as the options say, so that it meets the values kept."""
        text = parse_text(value)
        if self._changes:
            text = text.strip() if self.options["trim"] else text
            text = text.lower() if self.options["lower"] else text
            text = text.upper() if self.options["upper"] else text
        return text

    @property
    def value_type(self) -> Type:
        """text"""
        return TEXT_VALUE

    def json_schema(self) -> dict[str, Any]:
        """A string with its limits."""
        schema: dict[str, Any] = {"type": "string"}
        names = (("min_length", "minLength"), ("max_length", "maxLength"), ("pattern", "pattern"))
        for option, keyword in names:
            if self.options[option] is not None:
                schema[keyword] = self.options[option]
        return schema

    def column(self, dialect: str) -> str:
        """Compared and sorted by code points on both."""
        return "TEXT" if dialect == "sqlite" else 'text COLLATE "C"'

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """Texts within the limits; a pattern needs the closer look."""
        joined = "".join(cells)
        if self._pattern is not None or "\0" in joined or _has_surrogates(joined):
            return None
        texts = [self.operand(cell) for cell in cells] if self._changes else list(cells)
        if self._min is not None and min(map(len, texts)) < self._min:
            return None
        if self._max is not None and max(map(len, texts)) > self._max:
            return None
        return texts


def _has_surrogates(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
