"""The where language (language.md): a tree of conditions, read and checked into nodes.

    {"status": "paid"}                              equality
    {"total": {"$gte": 10, "$lt": 20}}              several operators: all of them
    {"$or": [{"a": 1}, {"b": {"$in": [1, 2]}}]}     also $and, $nor, $not
    {"meta.address.city": "Berlin"}                 a path into JSON
    {"total": {"$gt": {"$field": "limit"}}}         another field of the same record
    {"name": {"$like": slot, "$optional": True}}    left out when the operand is null

Null: `$eq` and `$ne` treat it as a value (so `$ne: 1` keeps records that hold nothing), `$nin` keeps them
too, every other comparison with nothing is false, and `$not` turns exactly that around.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stackyard.core.errors import Faults, Path, did_you_mean
from stackyard.core.limits import WHERE_CONDITIONS, WHERE_DEPTH
from stackyard.core.types import accepts

from .definitions import TableDef
from .field_type import FieldType, Refused, refuse, shown
from .operands import (
    TEXT_LIMIT,
    JsonReader,
    Operand,
    Reader,
    Slot,
    TypedJsonReader,
    holds_slot,
)
from .patterns import as_glob, contains, ends_with, like, starts_with
from .places import NearReader, SearchReader, WithinReader
from .regex import for_postgresql, for_re2
from .targets import PATH_PART, Target, allowed_operators, declared_at, kind_of

ONE = {"$eq": "eq", "$ne": "ne", "$gt": "gt", "$gte": "gte", "$lt": "lt", "$lte": "lte"}
PATTERNS: Mapping[str, tuple[str, Callable[[str], str], Callable[[str], str]]] = {
    # What the statement does, and what becomes of the pattern on SQLite and on PostgreSQL.
    "$like": ("like", lambda text: as_glob(like(text)), like),
    "$ilike": ("ilike", like, like),
    "$contains": ("ilike", contains, contains),
    "$starts_with": ("ilike", starts_with, starts_with),
    "$ends_with": ("ilike", ends_with, ends_with),
    "$regex": ("regex", for_re2, for_postgresql),
}
MANY = {"$in": "in", "$nin": "nin"}
LISTS = {"$has": "has", "$has_any": "has_any", "$has_all": "has_all"}
WHOLE: Mapping[str, tuple[str, type[Reader]]] = {
    # The operand is read as a whole, whatever the field's type.
    "$search": ("search", SearchReader),
    "$near": ("near", NearReader),
    "$within": ("within", WithinReader),
}
OPERATORS = (
    *ONE,
    *PATTERNS,
    *MANY,
    *LISTS,
    *WHOLE,
    "$between",
    "$exists",
    "$not",
    "$optional",
    "$field",
)
GROUPS = ("$and", "$or", "$nor", "$not")


@dataclass(frozen=True, slots=True)
class Condition:
    """`target op operand`; `operand` is the number of an `Operand`, a Target for `$field`, or None."""

    target: Target
    op: str
    operand: int | Target | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What the statement's text depends on."""
        other = self.operand.key if isinstance(self.operand, Target) else self.operand
        return (self.op, self.target.key, other)


@dataclass(frozen=True, slots=True)
class Group:
    """`and`, `or`, or `not` (of one part)."""

    op: str
    parts: tuple[Node, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """What the statement's text depends on."""
        return (self.op, *(part.key for part in self.parts))


Node = Condition | Group


@dataclass
class WhereReader:
    """Reads one tree over one table, adding to `operands` and `faults`."""

    table: TableDef
    dialect: str
    faults: Faults
    public_only: bool = False
    operands: list[Operand] = field(default_factory=list)
    conditions: int = 0

    def read(self, where: Any, path: Path) -> Node | None:
        """The tree of a where, or None when it asks for nothing."""
        if where is None:
            return None
        node = self._tree(where, path, 1)
        if self.conditions > WHERE_CONDITIONS.default:
            self.faults.error(
                path,
                "range",
                f"A query has at most {WHERE_CONDITIONS.default} conditions, not {self.conditions}.",
            )
        return node if not isinstance(node, Group) or node.op != "and" or node.parts else None

    def _tree(self, where: Any, path: Path, depth: int) -> Node:
        if not isinstance(where, Mapping):
            shape = 'a map of conditions such as {"status": "paid"}'
            self.faults.error(path, "type", f"expected {shape}, got {_shown(where)}")
            return Group("and", ())
        if depth > WHERE_DEPTH.default:
            self.faults.error(path, "depth", f"Conditions nest at most {WHERE_DEPTH.default} levels deep.")
            return Group("and", ())
        parts = [self._entry(str(key), value, (*path, str(key)), depth) for key, value in where.items()]
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def _entry(self, key: str, value: Any, path: Path, depth: int) -> Node:
        if key == "$not":
            return Group("not", (self._tree(value, path, depth + 1),))
        if key in GROUPS:
            if not isinstance(value, list | tuple):
                self.faults.error(path, "type", f"{key} takes a list of conditions, not {_shown(value)}")
                return Group("and", ())
            parts = tuple(self._tree(part, (*path, n), depth + 1) for n, part in enumerate(value))
            return Group("not", (Group("or", parts),)) if key == "$nor" else Group(key[1:], parts)
        if key.startswith("$"):
            hint = did_you_mean(key, GROUPS)
            self.faults.error(
                path, "operator", f'"{key}" does not stand here: a field does, or a group.{hint}'
            )
            return Group("and", ())
        target = self.target(key, path)
        return Group("and", ()) if target is None else self._conditions(target, value, path, depth)

    def target(self, key: str, path: Path) -> Target | None:
        """The field, or the path into one, that a key names."""
        known = self.table.visible(self.public_only)
        name, *parts = key.split(".")
        if parts and f"{name}.{parts[0]}" in known:  # a join's field
            name = f"{name}.{parts.pop(0)}"
        found = known.get(name)
        if found is None:
            hint = did_you_mean(key, known)
            self.faults.error(path, "unknown_field", f'{self.table.name} has no field "{name}".{hint}')
            return None
        if not parts:
            return Target(found)
        if not found.type.is_json:
            self.faults.error(path, "path", f"{name} is a {found.type.name}: only JSON has paths into it.")
            return None
        if not all(PATH_PART.match(part) for part in parts):
            self.faults.error(
                path, "path", "A path is made of keys and list positions, without quotes or brackets."
            )
            return None
        kind, _ = declared_at(found.type, parts)
        return Target(found, tuple(parts), None if kind is None else kind_of(kind))

    def _conditions(self, target: Target, value: Any, path: Path, depth: int) -> Node:
        if isinstance(value, list | tuple):
            message = f'A list is compared with an operator: {{"{path[-1]}": {{"$in": […]}}}}.'
            self.faults.error(path, "operator", message)
            return Group("and", ())
        if not isinstance(value, Mapping) or "$field" in value:
            return self._operator(target, "$eq", value, path, False, depth)
        optional = value.get("$optional", False)
        if not isinstance(optional, bool):
            self.faults.error((*path, "$optional"), "type", "expected true or false")
        parts = [
            self._operator(target, str(op), operand, (*path, str(op)), optional is True, depth)
            for op, operand in value.items()
            if op != "$optional"
        ]
        if not parts:
            self.faults.error(path, "operator", "expected a value or an operator such as $eq")
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def _operator(
        self, target: Target, op: str, operand: Any, path: Path, optional: bool, depth: int
    ) -> Node:
        if op == "$not":
            if depth >= WHERE_DEPTH.default:
                self.faults.error(
                    path, "depth", f"Conditions nest at most {WHERE_DEPTH.default} levels deep."
                )
                return Group("and", ())
            return Group("not", (self._conditions(target, operand, path, depth + 1),))
        if op not in OPERATORS or op in ("$optional", "$field"):
            hint = did_you_mean(op, sorted(allowed_operators(target)))
            self.faults.error(path, "operator", f'There is no operator "{op}".{hint}')
            return Group("and", ())
        is_null = operand is None and op in ("$eq", "$ne")
        if op not in allowed_operators(target) and not is_null:
            known = ", ".join(sorted(allowed_operators(target)))
            what = f"a {target.field.type.name} field" if not target.path else "this path"
            self.faults.error(path, "operator", f'"{op}" is not available for {what}. Available: {known}.')
            return Group("and", ())
        if op == "$between":
            return self._between(target, operand, path, optional)
        if op == "$exists":
            return self._exists(target, operand, path, optional)
        return self._one(target, op, operand, path, optional)

    def _between(self, target: Target, operand: Any, path: Path, optional: bool) -> Node:
        """Two comparisons; with `$optional` each bound may be left out."""
        if not isinstance(operand, list | tuple) or len(operand) != 2:
            self.faults.error(path, "type", f"$between takes a list of two values, not {_shown(operand)}")
            return Group("and", ())
        low = self._one(target, "$gte", operand[0], (*path, 0), optional)
        return Group("and", (low, self._one(target, "$lte", operand[1], (*path, 1), optional)))

    def _exists(self, target: Target, operand: Any, path: Path, optional: bool) -> Node:
        """Whether there is a value: an operand of true or false, also at run time."""
        self.conditions += 1
        if operand is None and not optional:
            self.faults.error(path, "type", "$exists takes true or false, not null")
        reader = Reader(FieldType.get("bool")(), "postgresql")
        return self._condition(target, "exists", Operand(operand, reader, path, optional), path)

    def _one(self, target: Target, op: str, value: Any, path: Path, optional: bool) -> Node:
        self.conditions += 1
        if isinstance(value, Mapping) and set(value) == {"$field"} and op in ONE:
            return self._other_field(target, ONE[op], value["$field"], path)
        many = op in MANY or op in ("$has_any", "$has_all")
        if value is None and op not in ("$eq", "$ne") and not optional:
            self.faults.error(path, "type", f"{op} takes a value, not null")
        change = None
        if op in WHOLE:
            name, kind = WHOLE[op]
            operand = Operand(
                value, kind(FieldType.get("text")(), self.dialect), path, optional or _is_optional(value)
            )
            return self._condition(target, name, operand, path)
        if op in PATTERNS:
            name, on_sqlite, on_postgresql = PATTERNS[op]
            change = on_sqlite if self.dialect == "sqlite" else on_postgresql
        else:
            name = {**ONE, **MANY, **LISTS}[op]
        optional = optional or _is_optional(value)
        reader = self._reader(target, change, op in LISTS)
        operand = Operand(value, reader, path, optional, many, op in LISTS)
        self._check_slot(target, value, op, path)
        return self._condition(target, name, operand, path)

    def _condition(self, target: Target, op: str, operand: Operand, path: Path) -> Condition:
        try:
            operand.settle()
        except Refused as refused:
            for fault in refused.faults:
                self.faults.error((*path, *fault.path), fault.code, fault.message)
        self.operands.append(operand)
        return Condition(target, op, len(self.operands) - 1)

    def _reader(self, target: Target, change: Callable[[str], str] | None, items: bool) -> Reader:
        checked = None if change is None else _limited(change)
        declared, known = declared_at(target.field.type, list(target.path))
        if items:
            is_list = known and declared is not None and declared.name == "list"
            return Reader(declared.of, self.dialect) if is_list else JsonReader(self.dialect)  # type: ignore[union-attr]
        if not target.path:
            return Reader(target.field.type, self.dialect, checked)
        if declared is None or not known or kind_of(declared) is None:
            return JsonReader(self.dialect, checked)
        return TypedJsonReader(declared, self.dialect, checked)

    def _check_slot(self, target: Target, value: Any, op: str, path: Path) -> None:
        """Compare what the check knows of a slot with what the field holds."""
        if not isinstance(value, Slot) or value.type is None or target.path or op in MANY or op in LISTS:
            return
        wanted = target.field.type.value_type.or_null()
        if not accepts(wanted, value.type):
            message = f"{target.field.name} is {wanted.not_null()}, this is {value.type}"
            self.faults.error(path, "type", message)

    def _other_field(self, target: Target, op: str, name: Any, path: Path) -> Node:
        other = self.target(name, (*path, "$field")) if isinstance(name, str) else None
        if other is None:
            if not isinstance(name, str):
                self.faults.error(path, "type", "$field takes the name of a field")
            return Group("and", ())
        mine, theirs = target.field.type, other.field.type
        if target.path or other.path or mine.is_json or theirs.is_json:
            self.faults.error(path, "path", "$field compares whole fields, not paths into JSON.")
        elif mine.value_type.name != theirs.value_type.name or mine.column("x") != theirs.column("x"):
            message = (
                f"{target.field.name} ({mine.name}) can't be compared with {other.field.name} ({theirs.name})"
            )
            self.faults.error(path, "type", message)
        return Condition(target, op, other)


def _is_optional(value: Any) -> bool:
    return isinstance(value, Slot) and value.optional


def _limited(change: Callable[[str], str]) -> Callable[[str], str]:
    def limited(text: str) -> str:
        if len(text) > TEXT_LIMIT:
            raise refuse("length", f"must have at most {TEXT_LIMIT:,} characters")
        return change(text)

    return limited


def _shown(value: Any) -> str:
    return "a value that comes at run time" if holds_slot(value) else shown(value)
