"""The left-hand sides of conditions: a field, or a path into one that holds JSON, and what can be asked of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .definitions import FieldDef
from .field_type import TEXT, FieldType

JSON_OPERATORS = TEXT | {"$has", "$has_any", "$has_all"}
PATH_PART = re.compile(r'[^"\\\[\]\x00-\x1f]{1,200}\Z')
POSITION = re.compile(r"\d{1,9}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """The left-hand side: a column, or a path into one that holds JSON.

    `kind`: what the value there is known to be (`text`, `number`, `bool`); None: the operand says.
    """

    field: FieldDef
    path: tuple[str, ...] = ()
    kind: str | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What the statement's text depends on."""
        return (self.field.column, self.path, self.kind)


def allowed_operators(target: Target) -> frozenset[str]:
    """The operators that can be asked of a field, or of a path into JSON."""
    if target.path:
        declared, known = declared_at(target.field.type, list(target.path))
        if declared is None or not known:
            return frozenset(JSON_OPERATORS)
        allowed: frozenset[str] = declared.operators
        return allowed
    operators = target.field.type.operators
    if target.field.type.name == "list" and target.field.type.of.is_json:  # type: ignore[attr-defined]
        return frozenset({"$exists"})
    return operators


def declared_at(type_: FieldType, path: list[str]) -> tuple[FieldType | None, bool]:
    """The declared type at a path; False when the path leaves what is declared."""
    for part in path:
        children = getattr(type_, "children", None)
        if children:
            if part not in children:
                return None, False
            type_ = children[part]
        elif type_.name == "list" and POSITION.match(part):
            type_ = type_.of  # type: ignore[attr-defined]
        else:
            return None, False
    return (None, False) if path and type_.name == "json" else (type_, True)


def kind_of(type_: FieldType) -> str | None:
    """What a declared type is within JSON; None for lists and objects."""
    if type_.is_json:
        return None
    name = type_.value_type.name
    return {"int": "number", "float": "number", "decimal": "number", "bool": "bool"}.get(name, "text")
