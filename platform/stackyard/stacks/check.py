"""The check at save: every name looked up, every type followed through the flow, every fault reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stackyard.core import types as t
from stackyard.core.errors import Fault, Faults, Path
from stackyard.core.expressions import ExpressionError, Tree, parse
from stackyard.core.expressions.check import Checker
from stackyard.core.expressions.scope import Binding, Scope

from .document import check_form
from .flow import meet, narrow
from .inputs import InputSet, check_inputs
from .parameters import TableName, check_new_name
from .step import Line, Step
from .values import LITERAL, expression_of

if TYPE_CHECKING:
    from stackyard.tables.schema import FieldDef, TableDef

    from .catalogue import Catalogue

# Past this many nested loops the check no longer goes through a body twice to learn its types.
_EXACT_LOOPS = 3
# Texts that these fields read: a date, a moment, a number with a decimal point.
_READS_TEXT = frozenset({"timestamp", "date", "decimal"})


@dataclass(frozen=True, slots=True)
class TypedTree:
    """A parsed expression, and the type of each of its nodes by identity."""

    tree: Tree
    types: Mapping[int, t.Type]


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome: faults (errors and warnings), the types of what goes in and comes out, and, if asked for, the names in
    sight where each line begins (by its id; under "" where the response is made)."""

    faults: list[Fault]
    inputs: Mapping[str, t.Type]
    response: t.Type
    trees: Mapping[Path, TypedTree] = field(default_factory=dict)
    scopes: Mapping[str, Mapping[str, Binding]] = field(default_factory=dict)

    @property
    def errors(self) -> list[Fault]:
        """Those that block publishing."""
        return [fault for fault in self.faults if fault.level == "error"]


def check_document(
    document: Any, catalogue: Catalogue, extra_keys: tuple[str, ...] = (), *, with_scopes: bool = False
) -> Checked:
    """Check a stack's document. `extra_keys` are the top-level ones its owner checks itself."""
    faults = Faults()
    if not check_form(document, faults, extra_keys):
        unknown = {
            "unknown_step",
            "unknown_parameter",
            "missing_parameter",
            "unknown_key",
            "mark",
            "doubled_id",
        }
        if any(fault.code not in unknown for fault in faults.errors):
            return Checked(faults.found, {}, t.ANY)
    inputs = document.get("inputs", {})
    check_inputs(inputs, faults, ("inputs",), tables=catalogue.schema.tables)
    types = InputSet(inputs).types() if not any(f.path[:1] == ("inputs",) for f in faults.errors) else None
    checker = StackChecker(catalogue, faults, types)
    checker.keeps_scopes = with_scopes
    checker.block_here(document.get("lines", []), ("lines",))
    response = checker.response(document)
    return Checked(_in_order(faults.found), types or {}, response, checker.trees, checker.scopes)


def _in_order(faults: list[Fault]) -> list[Fault]:
    """Without doubles (a loop's body is gone through twice)."""
    return list(dict.fromkeys(faults))


def root_bindings(inputs: Mapping[str, t.Type] | None, variables: Mapping[str, bool]) -> dict[str, Binding]:
    """The names every stack sees (language.md, Expressions)."""
    text_or_null = t.TEXT.or_null()
    types = {
        "input": t.OBJECT if inputs is None else t.object_of(inputs),
        "auth": t.object_of({"id": t.ANY, "kind": t.TEXT, "table": text_or_null, "extras": t.OBJECT}),
        "env": t.object_of(dict.fromkeys(variables, t.TEXT)),
        "request": t.object_of(
            {
                "method": t.TEXT,
                "path": t.TEXT,
                "headers": t.OBJECT,
                "query": t.OBJECT,
                "address": text_or_null,
            }
        ).or_null(),
        **dict.fromkeys(("now", "today", "yesterday", "tomorrow"), t.TIMESTAMP),
    }
    return {
        name: Binding(f"r_{name}" if name != "input" else "input", type_) for name, type_ in types.items()
    }


class StackChecker:
    """Goes through a document in the order it runs, carrying what is known of every variable."""

    def __init__(self, catalogue: Catalogue, faults: Faults, inputs: Mapping[str, t.Type] | None) -> None:
        self.catalogue = catalogue
        self.faults = faults
        self.scope = Scope(root_bindings(inputs, catalogue.variables))
        self.ended = False
        self.loops = 0
        self.leaving: list[list[Scope]] = []
        self.returns: list[t.Type] = []
        self.line_id: str | None = None
        self.trees: dict[Path, TypedTree] = {}
        self.keeps_scopes = False
        self.scopes: dict[str, Mapping[str, Binding]] = {}

    # Reporting

    def error(self, path: Path, code: str, message: str, column: int | None = None) -> None:
        """Report a fault of the line at hand that blocks publishing."""
        self.faults.error(path, code, message, line_id=self.line_id, column=column)

    def warning(self, path: Path, code: str, message: str, column: int | None = None) -> None:
        """Report a fault that does not block."""
        self.faults.warning(path, code, message, line_id=self.line_id, column=column)

    @contextmanager
    def silently(self) -> Iterator[None]:
        """Go through something only to learn its types."""
        faults, returns = self.faults, self.returns
        self.faults, self.returns = Faults(), []
        yield
        self.faults, self.returns = faults, returns

    # Values

    def expression(self, source: str, path: Path) -> t.Type:
        """The type of an expression; its faults are reported with their columns."""
        try:
            tree = parse(source)
        except ExpressionError as error:
            self.error(path, "syntax", error.message, error.column)
            return t.ANY
        return self.expression_tree(tree, path)

    def expression_tree(self, tree: Tree, path: Path, keep: bool = True) -> t.Type:
        """The type of a parsed expression, kept for the compiler unless it is only a part of what stands at `path`."""
        checker = self._checker(path)
        if keep:
            self.trees[path] = TypedTree(tree, checker.types)
        return checker.type_of(tree)

    def _checker(self, path: Path) -> Checker:
        def report(level: str, code: str, message: str, at: int) -> None:
            (self.error if level == "error" else self.warning)(path, code, message, at + 1)

        return Checker(self.scope, report)

    def value(self, value: Any, path: Path) -> t.Type:
        """The type of a value that may hold expressions at any depth."""
        source = expression_of(value)
        if source is not None:
            return self.expression(source, path)
        if isinstance(value, dict):
            if set(value) == {LITERAL}:
                return type_of_data(value[LITERAL])
            return t.object_of({key: self.value(part, (*path, key)) for key, part in value.items()})
        if isinstance(value, list):
            held: t.Type | None = None
            for number, part in enumerate(value):
                given = self.value(part, (*path, number))
                held = given if held is None else t.join(held, given)
            return t.list_of(held or t.ANY)
        return type_of_data(value)

    def condition(self, value: Any, path: Path) -> None:
        """A value that must be true or false."""
        source = expression_of(value)
        if source is None:
            if not isinstance(value, bool):
                self.error(path, "type", "A condition is an expression that is true or false.")
            return
        try:
            tree = parse(source)
        except ExpressionError as error:
            self.error(path, "syntax", error.message, error.column)
            return
        checker = self._checker(path)
        self.trees[path] = TypedTree(tree, checker.types)
        checker.condition(tree)

    def table_of(self, line: Line, parameter: str = "table") -> TableDef | None:
        """The table a line names, when it exists."""
        found = Step.get(line.step).parameter(parameter)
        return found.table(self, line) if isinstance(found, TableName) else None

    def fits_field(self, field: FieldDef, given: t.Type, path: Path) -> None:
        """Report a value whose type the field cannot hold."""
        wanted = field.value_type.or_null()
        if t.accepts(wanted, given) or (given.name in ("text", "date") and wanted.name in _READS_TEXT):
            return
        if wanted.name == "text" and given.name == "date":
            return
        self.error(path, "type", f'"{field.name}" holds {field.value_type}, not {given}.')

    # Flow

    def block_here(self, lines: Any, path: Path) -> None:
        """Check lines in the present scope."""
        if not isinstance(lines, list):
            return
        for number, data in enumerate(lines):
            if isinstance(data, dict):
                self.line(Line(data, (*path, number)))

    def line(self, line: Line) -> None:
        """Check one line and keep the type of its result."""
        if line.data.get("disabled") or line.step not in Step.all():
            self.show_scope(line.id)
            return
        outer, self.line_id = self.line_id, line.id
        if self.ended:
            self.warning(line.path, "unreachable", "This line is never reached: the one before it leaves.")
            self.ended = False
        self.show_scope(line.id)
        kind = Step.get(line.step)
        type_ = kind.check(line, self)
        if line.as_ is not None:
            self.keep(line, kind, type_)
        self.line_id = outer

    def show_scope(self, line_id: str) -> None:
        """Keep the names in sight at a line for whoever asked; of a loop's body, those of its second turn."""
        if self.keeps_scopes:
            self.scopes[line_id] = dict(self.scope.bindings)

    def keep(self, line: Line, kind: type[Step], type_: t.Type) -> None:
        """Bind the name of a result."""
        path = (*line.path, "as")
        if not kind.gives_result:
            self.error(path, "no_result", f'"{line.step}" gives no result; take "as" away.')
        elif line.as_ is not None and check_new_name(self, line.as_, path):
            self.set_variable(line.as_, type_, path)

    def set_variable(self, name: str, type_: t.Type, path: Path) -> None:
        """A variable has this type from here on."""
        present = self.scope.find(name)
        if present is not None and present.python == "inner":
            self.error(path, "name", f'"{name}" is taken here by a loop; choose another name.')
            return
        self.scope.set(name, Binding("variable", type_, line=self.line_id))

    def block(self, lines: Any, path: Path, names: Mapping[str, t.Type] | None = None) -> Scope | None:
        """Check lines in a copy of the scope; the scope at their end, or None when they never come to it."""
        before, was_ended = self.scope, self.ended
        self.scope, self.ended = before.copy(), False
        inner = {name: Binding("inner", type_, line=self.line_id) for name, type_ in (names or {}).items()}
        with self.scope.inner(inner):
            self.block_here(lines, path)
        after = None if self.ended else self.scope
        self.scope, self.ended = before, was_ended
        return after

    def meet(self, scopes: Sequence[Scope | None]) -> None:
        """Go on from where several ways meet; when none arrives, what follows is not reached."""
        arriving = [scope for scope in scopes if scope is not None]
        if arriving:
            self.scope = meet(arriving)
        else:
            self.ended = True

    def learn(self, condition: Any, holds: bool) -> None:
        """Know more after a condition held (or did not)."""
        narrow(self.scope, condition, holds)

    def branch(self, condition: Any, holds: bool, lines: Any, path: Path) -> Scope | None:
        """A block that runs when a condition holds (or does not)."""
        before = self.scope
        self.scope = before.copy()
        self.learn(condition, holds)
        after = self.block(lines, path)
        self.scope = before
        return after

    def loop(
        self, lines: Any, path: Path, names: Mapping[str, t.Type], test: tuple[Any, Path] | None = None
    ) -> None:
        """A body that runs any number of times: what it does to variables counts from its second turn on."""
        self.loops += 1
        if self.loops <= _EXACT_LOOPS:
            with self.silently():
                self._loop_body(lines, path, names)
        elif any(isinstance(line, dict) for line in lines or ()):
            self._forget_types()
        if test is not None:
            self.condition(*test)
        self._loop_body(lines, path, names)
        self.loops -= 1

    def _loop_body(self, lines: Any, path: Path, names: Mapping[str, t.Type]) -> None:
        self.leaving.append([])
        after = self.block(lines, path, names)
        self.meet([self.scope, after, *(self._outside(scope) for scope in self.leaving.pop())])

    def _outside(self, scope: Scope) -> Scope:
        """A scope that was left by `break`, without the names that exist only inside the loop."""
        kept = {
            name: self.scope.find(name) if binding.python == "inner" else binding
            for name, binding in scope.bindings.items()
        }
        return Scope({name: binding for name, binding in kept.items() if binding is not None})

    def _forget_types(self) -> None:
        for name, binding in list(self.scope.bindings.items()):
            if binding.python == "variable":
                self.scope.set(name, replace(binding, type=t.ANY))

    def leave_loop(self) -> bool:
        """`break` and `continue`; False outside a loop."""
        if not self.leaving:
            return False
        self.leaving[-1].append(self.scope.copy())
        self.ended = True
        return True

    def leave(self) -> None:
        """`return` and `throw`: what follows is not reached."""
        self.ended = True

    # The end

    def response(self, document: Mapping[str, Any]) -> t.Type:
        """The type of the answer: of `response`, and of every `return`."""
        self.line_id = None
        self.show_scope("")
        found = list(self.returns)
        given = self.value(document.get("response"), ("response",))
        if not self.ended:
            found.append(given)
        made = found[0] if found else t.NULL
        for type_ in found[1:]:
            made = t.join(made, type_)
        return made


def type_of_data(value: Any) -> t.Type:
    """The type of plain JSON data."""
    match value:
        case None:
            return t.NULL
        case bool():
            return t.BOOL
        case int():
            return t.INT
        case float():
            return t.FLOAT
        case str():
            return t.TEXT
        case list():
            held: t.Type | None = None
            for part in value:
                held = type_of_data(part) if held is None else t.join(held, type_of_data(part))
            return t.list_of(held or t.ANY)
        case dict():
            return t.object_of({key: type_of_data(part) for key, part in value.items()})
    return t.ANY
