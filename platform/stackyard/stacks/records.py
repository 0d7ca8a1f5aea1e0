"""What the steps that touch records have in common: the type of a record, and which fields are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import did_you_mean

from .check import StackChecker
from .parameter import Parameter
from .step import Line


def record_type(line: Line, checker: StackChecker) -> t.Type:
    """The type of a record of the line's table, narrowed to its `fields` when given."""
    table = checker.table_of(line)
    if table is None:
        return t.ANY
    names = line.params.get("fields")
    if not isinstance(names, list):
        return table.record_type()
    return t.object_of(
        {n: table.readable[n].value_type for n in names if isinstance(n, str) and n in table.readable}
    )


@dataclass(frozen=True)
class Fields(Parameter):
    """A list of field names of the line's table."""

    def own_widget(self) -> str:
        """The table's fields, to choose from."""
        return "fields"

    def facts(self) -> dict[str, Any]:
        """The parameter that names the table."""
        return {"of": "table"}

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """Every name must be a field; private ones may be named here, and only here are they read."""
        names = self.value(line)
        table = checker.table_of(line)
        if names is None:
            return t.NULL
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            checker.error(line.at(self.name), "type", "The fields are a list of names.")
        elif table is not None:
            for number, name in enumerate(names):
                if name not in table.readable:
                    hint = did_you_mean(name, table.readable)
                    message = f'Table "{table.name}" has no field "{name}".{hint}'
                    checker.error(line.at(self.name, number), "unknown_field", message)
        return t.LIST

    def emit(self, code: Any, line: Line) -> Any:
        """The names as a constant, so that the store can keep the statement it made for them."""
        names = self.value(line)
        return code.constant(tuple(names) if names is not None else None)
