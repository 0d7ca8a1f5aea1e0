"""Parameters of steps: from each come its check, its code, its form and its place in the docs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stackyard.core import types as t
from stackyard.core.errors import Path, did_you_mean
from stackyard.core.names import RESERVED, is_name, name_rule

from .parameter import Parameter
from .values import constant, expression_of, is_constant

if TYPE_CHECKING:
    from stackyard.tables.schema import TableDef

    from .check import StackChecker
    from .compiler import StackCompiler
    from .step import Line


@dataclass(frozen=True)
class Value(Parameter):
    """Any value of a type: a literal, an expression, or a map or list that holds either."""

    type: t.Type = t.ANY

    def own_widget(self) -> str:
        """Objects and lists are built entry by entry."""
        return {"object": "map", "list": "list"}.get(self.type.name, "value")

    def facts(self) -> dict[str, Any]:
        """The type that is asked for."""
        return {"type": t.as_value(self.type)}

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """The value's type must fit."""
        given = checker.value(self.value(line), line.at(self.name))
        wanted = self.type if self.required or self.default is not None else self.type.or_null()
        if not t.accepts(wanted, given):
            checker.error(line.at(self.name), "type", f'"{self.name}" takes {self.type}, not {given}.')
        return given


@dataclass(frozen=True)
class Condition(Parameter):
    """A value that must be true or false."""

    def own_widget(self) -> str:
        """Comparisons, or a formula."""
        return "condition"

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """A literal true or false, or an expression that gives one."""
        checker.condition(self.value(line), line.at(self.name))
        return t.BOOL

    def emit(self, code: StackCompiler, line: Line) -> ast.expr:
        """The condition, guarded to be true or false."""
        return code.condition(self.value(line), line, self.name)


@dataclass(frozen=True)
class Constant(Parameter):
    """A literal fixed when the stack is saved; `choices` when only some are allowed."""

    type: t.Type = t.TEXT
    choices: tuple[Any, ...] = ()

    def own_widget(self) -> str:
        """By the choices, else by the type."""
        if self.choices:
            return "choice"
        plain = {"bool": "yes_no", "int": "number", "float": "number", "list": "texts"}
        return plain.get(self.type.name, "text")

    def facts(self) -> dict[str, Any]:
        """The choices and the type."""
        return {"type": t.as_value(self.type), **({"choices": list(self.choices)} if self.choices else {})}

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """No expression, and one of the choices."""
        value = self.value(line)
        if not is_constant(value):
            checker.error(line.at(self.name), "constant", f'"{self.name}" cannot be an expression.')
        elif self.choices and constant(value) not in self.choices:
            known = ", ".join(str(c) for c in self.choices)
            checker.error(line.at(self.name), "choice", f'"{self.name}" is one of {known}, not {value!r}.')
        elif not t.accepts(self.type.or_null(), checker.value(value, line.at(self.name))):
            checker.error(line.at(self.name), "type", f'"{self.name}" takes {self.type}.')
        return self.type

    def schema(self) -> dict[str, Any]:
        """The choices, or the literal's type."""
        return {
            **super().schema(),
            **({"enum": list(self.choices)} if self.choices else t.json_schema(self.type)),
        }


@dataclass(frozen=True)
class TableName(Parameter):
    """The name of a table of the workspace."""

    def own_widget(self) -> str:
        """The workspace's tables."""
        return "table"

    def table(self, checker: StackChecker, line: Line) -> TableDef | None:
        """The table, or None with nothing reported."""
        name = self.value(line)
        return checker.catalogue.schema.tables.get(name) if isinstance(name, str) else None

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """The table must exist."""
        name = self.value(line)
        if not isinstance(name, str):
            checker.error(
                line.at(self.name), "constant", "The table is given by its name, not by an expression."
            )
        elif name not in checker.catalogue.schema.tables:
            hint = did_you_mean(name, checker.catalogue.schema.tables)
            checker.error(line.at(self.name), "unknown_table", f'There is no table "{name}".{hint}')
        return t.TEXT

    def emit(self, code: StackCompiler, line: Line) -> ast.expr:
        """The frozen table of the schema the plan is compiled for."""
        return code.bound(code.schema.table(self.value(line)))

    def schema(self) -> dict[str, Any]:
        """A text; editors offer the tables."""
        return {**super().schema(), "type": "string", "x-ui": "table"}


@dataclass(frozen=True)
class FieldName(Parameter):
    """The name of a field of the line's table by which one record is found: `id` or a unique field."""

    of: str = "table"

    def own_widget(self) -> str:
        """The table's fields."""
        return "field"

    def facts(self) -> dict[str, Any]:
        """The parameter that names the table."""
        return {"of": self.of}

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """The field must exist in the table and be readable."""
        name = self.value(line)
        table = checker.table_of(line, self.of)
        if not isinstance(name, str):
            checker.error(
                line.at(self.name), "constant", "The field is given by its name, not by an expression."
            )
        elif table is not None and name not in table.readable:
            hint = did_you_mean(name, table.readable)
            checker.error(
                line.at(self.name), "unknown_field", f'Table "{table.name}" has no field "{name}".{hint}'
            )
        return t.TEXT

    def emit(self, code: StackCompiler, line: Line) -> ast.expr:
        """The field's name."""
        return code.constant(self.value(line))


@dataclass(frozen=True)
class FieldValue(Value):
    """A value that is compared with a field of the line's table."""

    of: str = "table"
    field: str = "field"

    def facts(self) -> dict[str, Any]:
        """The parameters that name the table and the field."""
        return {"of": self.of, "field": self.field}

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """The value's type must be one the field can hold."""
        given = checker.value(self.value(line), line.at(self.name))
        table = checker.table_of(line, self.of)
        name = line.params.get(self.field, "id")
        if table is not None and isinstance(name, str) and name in table.fields:
            checker.fits_field(table.fields[name], given, line.at(self.name))
        return given


@dataclass(frozen=True)
class Data(Parameter):
    """A record's data: a map of field names to values, or an expression that gives an object."""

    of: str = "table"

    def own_widget(self) -> str:
        """A value for each field."""
        return "data"

    def facts(self) -> dict[str, Any]:
        """The parameter that names the table."""
        return {"of": self.of}

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """Every key must be a field, every value fit it."""
        value = self.value(line)
        path = line.at(self.name)
        table = checker.table_of(line, self.of)
        if not isinstance(value, dict) or expression_of(value) is not None:
            given = checker.value(value, path)
            if not t.accepts(t.OBJECT, given):
                checker.error(
                    path, "type", f'"{self.name}" takes an object of fields and values, not {given}.'
                )
            return given
        fields = {}
        for key, part in value.items():
            fields[key] = checker.value(part, (*path, key))
            if table is None:
                continue
            if key not in table.fields:
                hint = did_you_mean(key, table.fields)
                checker.error(
                    (*path, key), "unknown_field", f'Table "{table.name}" has no field "{key}".{hint}'
                )
            else:
                checker.fits_field(table.fields[key], fields[key], (*path, key))
        return t.object_of(fields)


@dataclass(frozen=True)
class NewName(Parameter):
    """A name that the step gives to something: a variable or a loop's item."""

    def own_widget(self) -> str:
        """A name, and whether it is free."""
        return "new_name"

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """It must be a name and not a word of the language."""
        check_new_name(checker, self.value(line), line.at(self.name))
        return t.TEXT

    def schema(self) -> dict[str, Any]:
        """A text; editors check it as people type."""
        return {**super().schema(), "type": "string", "x-ui": "new_name"}


def check_new_name(checker: StackChecker, name: Any, path: Path) -> bool:
    """Report a name that cannot be given; whether it can."""
    if not is_name(name):
        checker.error(path, "name", f"{name!r} is not a name. {name_rule()}")
        return False
    if name in RESERVED or name == "index":
        checker.error(path, "name", f'"{name}" is a word of the language; choose another name.')
        return False
    return True


@dataclass(frozen=True)
class Lines(Parameter):
    """A nested stack."""

    def own_widget(self) -> str:
        """Rows of the stack itself."""
        return "lines"

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """Nested stacks are checked by their step, which knows how they run."""
        return t.NULL

    def blocks(self, value: Any, path: Path) -> Iterator[tuple[Any, Path]]:
        """The one list."""
        if value is not None:
            yield value, path

    def schema(self) -> dict[str, Any]:
        """A list of lines."""
        return {**super().schema(), "type": "array", "items": {"$ref": "#/$defs/line"}}


@dataclass(frozen=True)
class Branches(Parameter):
    """A list of `{<test>: …, <block>: [lines]}`: the else-ifs of a condition, the cases of a switch."""

    test: str = "if"
    block: str = "then"
    sentence: str = ""

    def own_widget(self) -> str:
        """Rows of the stack itself, each with its test."""
        return "branches"

    def facts(self) -> dict[str, Any]:
        """The keys of a branch, and its row's sentence."""
        return {
            "test": self.test,
            "block": self.block,
            "sentence": self.sentence or f"{self.label} {{{self.test}}}",
        }

    def branches(self, line: Line) -> list[Mapping[str, Any]]:
        """The well-formed branches."""
        value = self.value(line)
        return [b for b in value if isinstance(b, dict)] if isinstance(value, list) else []

    def check(self, checker: StackChecker, line: Line) -> t.Type:
        """Only the outer form; tests and blocks are checked by their step."""
        value = self.value(line)
        path = line.at(self.name)
        if not isinstance(value, list):
            checker.error(path, "type", f'"{self.name}" is a list of {{{self.test}: …, {self.block}: […]}}.')
            return t.NULL
        for number, branch in enumerate(value):
            self._check_branch(checker, branch, (*path, number))
        return t.NULL

    def _check_branch(self, checker: StackChecker, branch: Any, path: Path) -> None:
        if not isinstance(branch, dict) or self.test not in branch:
            checker.error(path, "missing", f'A branch needs "{self.test}" and "{self.block}".')
            return
        for key in branch:
            if key not in (self.test, self.block):
                hint = did_you_mean(key, (self.test, self.block))
                checker.error((*path, key), "unknown_parameter", f'A branch has no "{key}".{hint}')

    def blocks(self, value: Any, path: Path) -> Iterator[tuple[Any, Path]]:
        """The block of each branch."""
        if isinstance(value, list):
            for number, branch in enumerate(value):
                if isinstance(branch, dict) and branch.get(self.block) is not None:
                    yield branch[self.block], (*path, number, self.block)

    def schema(self) -> dict[str, Any]:
        """A list of objects with a test and a block."""
        block = {"type": "array", "items": {"$ref": "#/$defs/line"}}
        item = {"type": "object", "properties": {self.test: {}, self.block: block}, "required": [self.test]}
        return {**super().schema(), "type": "array", "items": item}
