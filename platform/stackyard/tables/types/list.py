"""Lists of one type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from stackyard.core.errors import Faults, Path
from stackyard.core.types import Type, list_of
from stackyard.tables.field_type import Convert, FieldType, Option, Refused, make_type, refuse, unexpected
from stackyard.tables.types.json import check_size, encode_text
from stackyard.tables.types.object import exact_json

ITEMS = 10_000


class ListType(FieldType):
    """A list whose items are all of the type `of`."""

    name = "list"
    label = "List"
    group = "structures"
    icon = "list"
    option_spec = {
        "of": Option("type", "The type of the items.", fixed=True),
        "min_items": Option("int", "The least count of items.", least=0, most=ITEMS),
        "max_items": Option("int", "The greatest count of items.", least=0, most=ITEMS),
    }
    operators = frozenset({"$has", "$has_any", "$has_all", "$exists"})
    can_be_unique = False
    is_json = True
    plain_in_json = False
    examples = ()

    @classmethod
    def check_options(cls, options: Mapping[str, Any], faults: Faults, path: Path) -> None:
        """A list is always a list of something."""
        super().check_options(options, faults, path)
        if options["of"] is None:
            faults.error((*path, "of"), "required", "say what the list holds: of: text")

    def configure(self) -> None:
        """Make the type of the items."""
        self.of = make_type(self.options["of"])
        self._parse_item = self.of.record_parse
        self._min, self._max = self.options["min_items"], self.options["max_items"]

    def parse(self, value: Any, lenient: bool = False) -> list[Any]:
        """A list within its limits; all faults in it at once. `lenient` also takes JSON text."""
        if lenient and isinstance(value, str):
            value = _from_text(value)
        if not isinstance(value, list | tuple):
            raise unexpected("a list", value)
        if self._min is not None and len(value) < self._min:
            raise refuse("length", f"must have at least {self._min:,} items")
        most = ITEMS if self._max is None else self._max
        if len(value) > most:
            raise refuse("length", f"must have at most {most:,} items")
        faults: list[Any] = []
        parsed = []
        for index, item in enumerate(value):
            try:
                parsed.append(self._parse_item(item, lenient))
            except Refused as refused:
                faults += [fault.under(index) for fault in refused.faults]
        if faults:
            raise Refused(*faults)
        check_size([self.of.to_json(item) for item in parsed])
        return parsed

    def operand(self, value: Any) -> Any:
        """One item: what `$has` asks for."""
        return self.of.operand(value)

    @property
    def value_type(self) -> Type:
        """list of the items' type."""
        return list_of(self.of.value_type)

    def json_schema(self) -> dict[str, Any]:
        """An array with its limits."""
        schema: dict[str, Any] = {"type": "array", "items": self.of.json_schema()}
        if self._min is not None:
            schema["minItems"] = self._min
        if self._max is not None:
            schema["maxItems"] = self._max
        return schema

    def column(self, dialect: str) -> str:
        """JSON text on SQLite."""
        return "TEXT" if dialect == "sqlite" else "jsonb"

    def binder(self, dialect: str) -> Convert | None:
        """To JSON text."""
        return encode_text if self._is_plain else lambda value: encode_text(self.to_json(value))

    def loader(self, dialect: str) -> Convert | None:
        """From JSON text."""
        return orjson.loads if self._is_plain else lambda text: self.from_json(exact_json(text))

    @property
    def _is_plain(self) -> bool:
        return self.of.plain_in_json

    def to_json(self, value: list[Any]) -> list[Any]:
        """Each item by the items' type."""
        return [self.of.to_json(item) for item in value]

    def from_json(self, value: list[Any]) -> list[Any]:
        """Each item by the items' type."""
        return [self.of.from_json(item) for item in value]

    def csv_text(self, value: Any) -> str:
        """JSON text."""
        return "" if value is None else encode_text(self.to_json(value))


def _from_text(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise unexpected("a list", text) from None
