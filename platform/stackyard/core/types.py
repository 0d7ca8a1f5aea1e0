"""Value types: what the check knows about a value before it exists.

One small lattice serves the expression check, the filters, field types, inputs and OpenAPI.
`ANY` is "not known": it is accepted everywhere and checked when the stack runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

NAMES = (
    "any",
    "null",
    "bool",
    "int",
    "float",
    "decimal",
    "text",
    "timestamp",
    "date",
    "object",
    "list",
    "file",
)

_NUMBERS = frozenset({"int", "float", "decimal"})


@dataclass(frozen=True, slots=True)
class Type:
    """A value type.

    `nullable`: null is possible too. `of`: what a list holds. `fields`: the keys of an object (None:
    any key; `open` says whether others may exist). `format` refines text for OpenAPI (uuid, email …);
    `values` are the allowed texts of an enum.
    """

    name: str
    nullable: bool = False
    of: Type | None = None
    fields: Mapping[str, Type] | None = None
    open: bool = False
    format: str | None = None
    values: tuple[str, ...] | None = None

    def or_null(self) -> Type:
        """The same, where null is possible too."""
        return self if self.nullable or self.name in {"any", "null"} else replace(self, nullable=True)

    def not_null(self) -> Type:
        """The same, where null is not possible."""
        return replace(self, nullable=False) if self.nullable else self

    @property
    def is_number(self) -> bool:
        """Whether arithmetic takes it."""
        return self.name in _NUMBERS

    def __str__(self) -> str:
        text = f"list of {self.of}" if self.name == "list" and self.of else self.name
        return f"{text} or null" if self.nullable else text


ANY = Type("any")
NULL = Type("null")
BOOL = Type("bool")
INT = Type("int")
FLOAT = Type("float")
DECIMAL = Type("decimal")
NUMBER = Type("float", format="number")
TEXT = Type("text")
TIMESTAMP = Type("timestamp")
DATE = Type("date")
OBJECT = Type("object")
LIST = Type("list", of=ANY)


def list_of(of: Type) -> Type:
    """`list of T`."""
    return Type("list", of=of)


def object_of(fields: Mapping[str, Type], *, open: bool = False) -> Type:
    """An object with known keys."""
    return Type("object", fields=dict(fields), open=open)


def join(left: Type, right: Type) -> Type:
    """The narrowest type that holds both: what a value is after two branches meet."""
    if left == right:
        return left
    if left.name == "null":
        return right.or_null()
    if right.name == "null":
        return left.or_null()
    nullable = left.nullable or right.nullable
    if left.is_number and right.is_number:
        name = "float" if "float" in (left.name, right.name) else "decimal"
        return Type(name if left.name != right.name else left.name, nullable=nullable)
    if left.name != right.name:
        return ANY
    if left.name == "list":
        return Type("list", nullable=nullable, of=join(left.of or ANY, right.of or ANY))
    if left.name == "object" and left.fields is not None and right.fields is not None:
        fields = {
            key: join(left.fields.get(key, NULL), right.fields.get(key, NULL))
            for key in {**left.fields, **right.fields}
        }
        return Type("object", nullable=nullable, fields=fields, open=left.open or right.open)
    return Type(left.name, nullable=nullable)


def accepts(wanted: Type, given: Type) -> bool:
    """Whether a value of type `given` can be right where `wanted` is asked; unknown types may always be."""
    if "any" in (wanted.name, given.name):
        return True
    if given.name == "null":
        return wanted.nullable or wanted.name == "null"
    if wanted.is_number:
        return given.is_number
    if wanted.name == "list" and given.name == "list":
        return accepts(wanted.of or ANY, given.of or ANY)
    # A date is text when the stack runs, such as "2026-01-23".
    return wanted.name == given.name or (wanted.name == "text" and given.name == "date")


def as_value(type_: Type) -> dict[str, Any]:
    """The type as JSON for editors: `name`, and only what else is true of it (`nullable`, `of`, `fields` …)."""
    made: dict[str, Any] = {"name": type_.name}
    if type_.nullable:
        made["nullable"] = True
    if type_.of is not None and type_.of.name != "any":
        made["of"] = as_value(type_.of)
    if type_.fields is not None:
        made["fields"] = {key: as_value(value) for key, value in type_.fields.items()}
    if type_.format:
        made["format"] = type_.format
    if type_.values is not None:
        made["values"] = list(type_.values)
    return made


def json_schema(type_: Type) -> dict[str, Any]:
    """JSON Schema 2020-12 of the JSON a value of this type becomes (OpenAPI 3.1 uses the same dialect)."""
    schema = _plain_schema(type_)
    if type_.nullable and "type" in schema:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _plain_schema(type_: Type) -> dict[str, Any]:
    match type_.name:
        case "null":
            return {"type": "null"}
        case "bool":
            return {"type": "boolean"}
        case "int":
            return {"type": "integer"}
        case "float" | "decimal":
            return {"type": "number"}
        case "timestamp":
            return {"type": "string", "format": "date-time"}
        case "date":
            return {"type": "string", "format": "date"}
        case "list":
            return {"type": "array", "items": json_schema(type_.of or ANY)}
        case "object":
            return _object_schema(type_)
        case "text":
            schema: dict[str, Any] = {"type": "string"}
            if type_.format:
                schema["format"] = type_.format
            if type_.values is not None:
                schema["enum"] = list(type_.values)
            return schema
        case _:
            return {}


def _object_schema(type_: Type) -> dict[str, Any]:
    if type_.fields is None:
        return {"type": "object"}
    return {
        "type": "object",
        "properties": {key: json_schema(value) for key, value in type_.fields.items()},
        "required": list(type_.fields),
        "additionalProperties": type_.open,
    }
