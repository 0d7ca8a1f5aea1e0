"""Objects with known keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from stackyard.core.errors import Fault, did_you_mean
from stackyard.core.types import OBJECT, Type, object_of
from stackyard.tables.field_type import Convert, FieldType, Option, Refused, make_type, refuse, unexpected
from stackyard.tables.types.json import EXISTS, check_size, encode_text, plain_json


def exact_json(text: str) -> Any:
    """JSON text with its fractions as Decimals."""
    return json.loads(text, parse_float=Decimal)


class ObjectType(FieldType):
    """An object whose keys are listed in `fields`, each with a type; without `fields` it takes any keys."""

    name = "object"
    label = "Object"
    group = "structures"
    icon = "box"
    option_spec = {
        "fields": Option("fields", "The keys and their types, as fields of a table.", default=None)
    }
    operators = EXISTS
    can_be_unique = False
    is_json = True
    plain_in_json = False
    examples = (({"a": 1}, {"a": 1}),)

    def configure(self) -> None:
        """Make the types of the keys."""
        specs: Mapping[str, Any] = self.options["fields"] or {}
        self.children = {key: make_type(spec) for key, spec in specs.items()}
        self._parsers = {key: child.record_parse for key, child in self.children.items()}
        self._required = frozenset(key for key, spec in specs.items() if spec.get("required"))

    def parse(self, value: Any, lenient: bool = False) -> dict[str, Any]:
        """An object with every key (null where absent); all faults in it at once."""
        if lenient and isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                raise unexpected("an object", value) from None
        if not isinstance(value, Mapping):
            raise unexpected("an object", value)
        if not self.children:
            plain: dict[str, Any] = plain_json(value)
            check_size(plain)
            return plain
        return self._parse_children(value, lenient)

    def _parse_children(self, value: Mapping[str, Any], lenient: bool) -> dict[str, Any]:
        faults = [
            Fault((str(key),), "unknown_key", f"There is no such key.{did_you_mean(str(key), self.children)}")
            for key in value
            if key not in self.children
        ]
        parsed = {}
        for key, parse in self._parsers.items():
            item = value.get(key)
            try:
                if item is None and key in self._required:
                    raise refuse("required", "is required")
                parsed[key] = None if item is None else parse(item, lenient)
            except Refused as refused:
                faults += [fault.under(key) for fault in refused.faults]
        if faults:
            raise Refused(*faults)
        return parsed

    @property
    def value_type(self) -> Type:
        """object, with the types of its keys."""
        if not self.children:
            return OBJECT
        return object_of(
            {
                key: child.value_type if key in self._required else child.value_type.or_null()
                for key, child in self.children.items()
            }
        )

    def json_schema(self) -> dict[str, Any]:
        """An object with the schemas of its keys."""
        if not self.children:
            return {"type": "object"}
        return {
            "type": "object",
            "properties": {
                key: child.json_schema() if key in self._required else or_null(child.json_schema())
                for key, child in self.children.items()
            },
            "required": sorted(self._required),
            "additionalProperties": False,
        }

    def column(self, dialect: str) -> str:
        """JSON text on SQLite."""
        return "TEXT" if dialect == "sqlite" else "jsonb"

    def binder(self, dialect: str) -> Convert | None:
        """To JSON text."""
        return encode_text if not self.children else lambda value: encode_text(self.to_json(value))

    def loader(self, dialect: str) -> Convert | None:
        """From JSON text."""
        return orjson.loads if not self.children else lambda text: self.from_json(exact_json(text))

    def to_json(self, value: Any) -> Any:
        """Each key by its own type."""
        if not self.children:
            return value
        children = self.children
        return {
            key: item if item is None or key not in children else children[key].to_json(item)
            for key, item in value.items()
        }

    def from_json(self, value: Any) -> Any:
        """Each key by its own type, in their order; a key that came later than the record is null."""
        if not self.children:
            return value
        read = {}
        for key, child in self.children.items():
            item = value.get(key)
            read[key] = None if item is None else child.from_json(item)
        return read

    def csv_text(self, value: Any) -> str:
        """JSON text."""
        return "" if value is None else encode_text(self.to_json(value))


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema that takes null as well."""
    if "type" not in schema:
        return schema
    schema = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema
