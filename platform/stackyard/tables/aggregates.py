"""Aggregates as they are asked for: groups, and what is worked out of each (language.md, `group_by`, `aggregate`).

    group_by: [status, {field: created_at, part: month, time_zone: Europe/Berlin, as: month}]
    aggregate: {orders: count, buyers: {count_distinct: customer}, revenue: {sum: total}, dearest: {max: total}}

Sums are exact (a decimal stays one), an average of whole numbers is a float. `count: field` counts what holds a
value; the others leave null out. A sum of nothing is 0, an average, least or greatest of nothing is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Faults, Path, did_you_mean
from stackyard.core.names import is_name, name_rule

from .definitions import FieldDef, TableDef
from .field_type import FieldType, shown
from .time_parts import PARTS, has_part, part_type, read_zone

FUNCTIONS = ("count", "count_distinct", "sum", "avg", "min", "max")
MOST_GROUPS = 8
MOST_MEASURES = 20
_GROUP_KEYS = ("field", "part", "time_zone", "as")
_UNORDERED = ("bool",)


@dataclass(frozen=True, eq=False)
class Output:
    """One value of an aggregated record: of a group, or worked out of it. `field` is what it is read from."""

    name: str
    field: FieldDef | None
    function: str = ""
    part: str = ""
    time_zone: str = "UTC"

    @property
    def is_group(self) -> bool:
        """Whether records are put together by it."""
        return not self.function

    @property
    def key(self) -> tuple[Any, ...]:
        """What the statement's text depends on."""
        column = "" if self.field is None else self.field.name
        return (self.name, column, self.function, self.part, self.time_zone)

    @cached_property
    def type(self) -> FieldType:
        """The type of its values; a decimal's sum and average are decimals."""
        if self.part:
            return part_type(self.part)
        if self.function.startswith("count"):
            return FieldType.get("int")()
        assert self.field is not None
        if self.function == "avg" and self.field.type.name != "decimal":
            return FieldType.get("float")()
        return self.field.type

    @cached_property
    def value_type(self) -> t.Type:
        """Its type at run time; counts and sums are never null."""
        plain = self.type.value_type
        if self.function in ("count", "count_distinct", "sum"):
            return plain
        return (
            plain if self.is_group and self.field is not None and self.field.never_null else plain.or_null()
        )

    def as_field(self, number: int) -> FieldDef:
        """It as a field, for sorting by it."""
        return FieldDef(-1 - number, self.name, self.name, self.type)


@dataclass(frozen=True, eq=False)
class Aggregation:
    """Groups first, then what is worked out of them."""

    outputs: tuple[Output, ...]

    @property
    def groups(self) -> tuple[Output, ...]:
        """What records are put together by; none of them: all records are one group."""
        return tuple(output for output in self.outputs if output.is_group)

    @property
    def key(self) -> tuple[Any, ...]:
        """What the statement's text depends on."""
        return tuple(output.key for output in self.outputs)

    @cached_property
    def record_type(self) -> t.Type:
        """The type of an aggregated record."""
        return t.object_of({output.name: output.value_type for output in self.outputs})

    def table(self, of: TableDef) -> TableDef:
        """The aggregated records as a table, whose order the groups settle."""
        fields = {output.name: output.as_field(n) for n, output in enumerate(self.outputs)}
        return _Grouped(of.id, of.name, "", None, fields, groups=tuple(g.name for g in self.groups))


@dataclass(frozen=True, eq=False)
class _Grouped(TableDef):
    groups: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The groups."""
        return self.groups


def read_aggregation(
    table: TableDef, group_by: Any, aggregate: Any, public_only: bool, faults: Faults, path: Path
) -> Aggregation:
    """Read `group_by` and `aggregate`; faults under `path`."""
    reader = _Reader(table, table.visible(public_only), faults)
    reader.groups(group_by or (), (*path, "group_by"))
    reader.measures(aggregate or {}, (*path, "aggregate"))
    if not group_by and not aggregate:
        message = 'say what to work out, such as aggregate: {"orders": "count"}, or group_by'
        faults.error((*path, "aggregate"), "required", message)
    return Aggregation(tuple(reader.outputs.values()))


class _Reader:
    """Reads the two parts of an aggregate query."""

    def __init__(self, table: TableDef, known: Mapping[str, FieldDef], faults: Faults) -> None:
        self.table = table
        self.known = known
        self.faults = faults
        self.outputs: dict[str, Output] = {}

    def groups(self, given: Any, path: Path) -> None:
        """`group_by`: names, or maps with a part of a time; one of them may stand alone."""
        if isinstance(given, str | Mapping):
            given = [given]
        if not isinstance(given, list | tuple):
            self.faults.error(path, "type", f"expected a list of field names, got {shown(given)}")
            return
        if len(given) > MOST_GROUPS:
            self.faults.error(path, "range", f"Records are grouped by at most {MOST_GROUPS} fields.")
        for position, one in enumerate(given):
            self._group(one, (*path, position))

    def measures(self, given: Any, path: Path) -> None:
        """`aggregate`: a map of names to `count` or `{function: field}`."""
        if not isinstance(given, Mapping):
            shape = 'expected a map such as {"revenue": {"sum": "total"}}'
            self.faults.error(path, "type", f"{shape}, got {shown(given)}")
            return
        if len(given) > MOST_MEASURES:
            self.faults.error(path, "range", f"A query works out at most {MOST_MEASURES} values.")
            return
        for name, what in given.items():
            self._measure(name, what, (*path, str(name)))

    def _group(self, given: Any, path: Path) -> None:
        options = given if isinstance(given, Mapping) else {"field": given}
        for key in options:
            if key not in _GROUP_KEYS:
                hint = did_you_mean(str(key), _GROUP_KEYS)
                self.faults.error((*path, str(key)), "unknown_key", f'A group has no "{key}".{hint}')
        found = self._found(options.get("field"), (*path, "field") if given is options else path)
        if found is None:
            return
        part = options.get("part") or ""
        zone = "UTC"
        if part:
            zone = self._part(found, part, options, path)
        elif options.get("time_zone"):
            self.faults.error((*path, "time_zone"), "value", "time_zone is for a part of a time")
        default = f"{found.name.replace('.', '_')}_{part}" if part else found.name.replace(".", "_")
        self._keep(options.get("as") or default, Output("", found, "", part, zone), path)

    def _part(self, found: FieldDef, part: Any, options: Mapping[str, Any], path: Path) -> str:
        if part not in PARTS:
            hint = did_you_mean(str(part), PARTS)
            self.faults.error((*path, "part"), "value", f"There is no part {shown(part)} of a time.{hint}")
        elif not has_part(found.type, part):
            message = f"{found.name} is a {found.type.name}, which has no {part}"
            self.faults.error((*path, "part"), "type", message)
        zone = options.get("time_zone")
        return "UTC" if zone is None else read_zone(zone, self.faults, (*path, "time_zone"))

    def _measure(self, name: Any, what: Any, path: Path) -> None:
        if what == "count":
            self._keep(name, Output("", None, "count"), path)
            return
        if not isinstance(what, Mapping) or len(what) != 1:
            message = (
                f'expected "count", or one function of a field such as {{"sum": "total"}}, got {shown(what)}'
            )
            self.faults.error(path, "type", message)
            return
        ((function, of),) = what.items()
        if function not in FUNCTIONS:
            hint = did_you_mean(str(function), FUNCTIONS)
            self.faults.error(path, "unknown_function", f"There is no function {shown(function)}.{hint}")
            return
        found = self._found(of, (*path, function), may_be_json=function == "count")
        if found is None:
            return
        fits = {
            "sum": found.type.value_type.is_number and not found.is_reference,
            "avg": found.type.value_type.is_number and not found.is_reference,
            "min": found.type.name not in _UNORDERED,
            "max": found.type.name not in _UNORDERED,
        }
        if not fits.get(function, True):
            message = f"{found.name} is a {found.type.name}, of which there is no {function}"
            self.faults.error((*path, function), "type", message)
            return
        self._keep(name, Output("", found, function), path)

    def _found(self, name: Any, path: Path, may_be_json: bool = False) -> FieldDef | None:
        found = self.known.get(name) if isinstance(name, str) else None
        if found is None:
            message = f"{self.table.name} has no field {shown(name)}.{did_you_mean(str(name), self.known)}"
            self.faults.error(path, "unknown_field", message)
        elif found.type.is_json and not may_be_json:
            self.faults.error(path, "type", f"{name} is a {found.type.name}, which is only counted")
            return None
        return found

    def _keep(self, name: Any, output: Output, path: Path) -> None:
        if not is_name(name):
            self.faults.error((*path, "as"), "name", f"{shown(name)} is not a name. {name_rule()}")
        elif name in self.outputs:
            self.faults.error(path, "taken", f'There are two values named "{name}": give one another name.')
        else:
            self.outputs[name] = Output(name, output.field, output.function, output.part, output.time_zone)
