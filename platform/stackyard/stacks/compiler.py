"""A checked document to one Python function, built as `ast` nodes (never as source text).

Variables become local variables with generated names, loops become loops, conditions conditions. Each
node's line number is the index of a `Location`, its column the offset in the expression, so that the
traceback of a failure says the line of the stack, the parameter and the column. Turns of loops take
from a local counter that is filled up by `Execution.refuel`, which watches the clock.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType, TracebackType
from typing import Any

from stackyard.core.errors import Path, Place
from stackyard.core.expressions import parse
from stackyard.core.expressions.compiler import BUDGET, INPUT, Constants, ExpressionCompiler
from stackyard.core.expressions.scope import Binding, Scope
from stackyard.core.expressions.tree import Literal, Tree
from stackyard.core.filter import FULL_BUDGET, Budget
from stackyard.core.types import ANY
from stackyard.tables.schema import Schema

from .check import TypedTree
from .document import walk_lines
from .step import Line, Step
from .values import LITERAL, expression_of

EXECUTION = "x"
FUEL = "fuel"
ROOTS = ("auth", "env", "request", "now", "today", "yesterday", "tomorrow")


@dataclass(frozen=True, slots=True)
class Location:
    """What a generated line number stands for: a line of the stack and a dotted parameter path in it."""

    line: str
    path: str


class Places:
    """Finds the place in a stack where something failed, from the traceback of its compiled function."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.locations: list[Location] = [Location("", "")]

    def find(self, traceback: TracebackType | None) -> Place | None:
        """The line, parameter and column of the innermost frame that belongs to the stack."""
        found: Place | None = None
        while traceback is not None:
            code = traceback.tb_frame.f_code
            if code.co_filename == self.filename:
                number, _, column, _ = list(code.co_positions())[traceback.tb_lasti // 2]
                if number is not None and 0 < number <= len(self.locations):
                    location = self.locations[number - 1]
                    found = Place(location.line, location.path, None if column is None else column + 1)
            traceback = traceback.tb_next
        return found


@dataclass(frozen=True, slots=True)
class Compiled:
    """The function `(execution, input) -> response` and what its line numbers mean."""

    function: Callable[[Any, dict[str, Any]], Any]
    places: Places


def compile_stack(
    document: Mapping[str, Any],
    schema: Schema,
    functions: Mapping[str, int],
    trees: Mapping[Path, TypedTree] | None = None,
    *,
    name: str = "stack",
    traced: bool = False,
) -> Compiled:
    """Compile a document that the check found no error in.

    `functions` maps names to ids of functions; `trees` are the check's, whose types leave out guards.
    """
    return StackCompiler(document, schema, functions, trees or {}, name, traced).compiled()


class StackCompiler:
    """Holds what one compilation needs; steps use its public methods to emit their statements."""

    def __init__(
        self,
        document: Mapping[str, Any],
        schema: Schema,
        functions: Mapping[str, int],
        trees: Mapping[Path, TypedTree],
        name: str,
        traced: bool,
    ) -> None:
        self.document = document
        self.schema = schema
        self.functions = functions
        self.trees = trees
        self.filename = f"<{name}>"
        self.traced = traced
        self.constants = Constants()
        self.places = Places(self.filename)
        self.scope = Scope(
            {INPUT: Binding(INPUT, ANY), **{root: Binding(f"r_{root}", ANY) for root in ROOTS}}
        )
        self.expressions = ExpressionCompiler(self.constants, self.scope)
        self.expressions.inputs_read = {}
        self.variables: list[str] = []
        self.depth = 0
        self._inner = 0
        self._owner: Line | None = None
        self._declare()

    def _declare(self) -> None:
        """Every variable of the function, wherever it is set, is one local variable."""
        for line, _, _ in walk_lines(self.document.get("lines")):
            names = [line.get("as")]
            if line.get("step") == "set_variable":
                names.append(line.get("params", {}).get("name"))
            for name in names:
                if isinstance(name, str) and name and self.scope.find(name) is None:
                    self.variables.append(f"v{len(self.variables)}")
                    self.scope.set(name, Binding(self.variables[-1], ANY))

    # The whole

    def compiled(self) -> Compiled:
        """Emit, compile and make the function."""
        body = self.lines(self.document.get("lines") or [], ("lines",))
        response = self.value_at(self.document.get("response"), "", ("response",))
        ending = [*self.budget_if_used(), self.place(ast.Return(response))]
        statements = [*self._prologue([*body, *ending]), *body, *ending]
        parameters = [self.place(ast.arg(name)) for name in (EXECUTION, INPUT)]
        signature = ast.arguments([], parameters, None, [], [], None, [])
        function = self.place(ast.FunctionDef("stack", signature, statements, []))
        module = ast.Module([function], [])
        code = compile(module, self.filename, "exec", dont_inherit=True)
        inner = next(part for part in code.co_consts if isinstance(part, CodeType))
        made = FunctionType(inner, self.constants.names, "stack")
        return Compiled(made, self.places)

    def _prologue(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Fuel, the roots and inputs that are used, and null for every variable."""
        used = {
            node.id for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name)
        }
        made: list[ast.stmt] = []
        self.expressions.location = 1
        if FUEL in used:
            made.append(self.assign(FUEL, self.method("refuel")))
        if BUDGET in used:
            made.append(self.assign(BUDGET, self.call(Budget, [])))
        for root in ROOTS:
            if f"r_{root}" in used:
                made.append(self.assign(f"r_{root}", self.method(f"root_{root}")))
        for key, name in (self.expressions.inputs_read or {}).items():
            given = self.expressions.load(INPUT)
            made.append(self.assign(name, self.expressions.get(given, self.constant(key), 0)))
        if self.variables:
            targets = [self.place(ast.Name(name, ast.Store())) for name in self.variables]
            made.append(self.place(ast.Assign(targets, self.constant(None))))
        return made

    # Lines

    def lines(self, lines: Sequence[Any], path: Path) -> list[ast.stmt]:
        """The statements of a list of lines; `pass` when there are none."""
        made: list[ast.stmt] = []
        self.depth += 1
        if self.traced and self._owner is not None:
            made.append(self._enter_block(self._owner, path))
        for number, data in enumerate(lines or ()):
            if not data.get("disabled"):
                made.extend(self.line(Line(data, (*path, number))))
        self.depth -= 1
        return made or [self.place(ast.Pass())]

    def line(self, line: Line) -> list[ast.stmt]:
        """The statements of one line, wrapped in what Run & Debug records when traced."""
        outer, self.expressions.uses_budget = self.expressions.uses_budget, False
        owner, self._owner = self._owner, line
        self.locate(line)
        made = Step.get(line.step).emit(line, self)
        made = [*self.budget_if_used(), *made]
        self.expressions.uses_budget, self._owner = outer, owner
        return self._traced(line, made) if self.traced else made

    def _traced(self, line: Line, statements: list[ast.stmt]) -> list[ast.stmt]:
        self.locate(line)
        enter = self.method("enter_line", self.constant(line.id), self.constant(self.depth))
        name = Step.get(line.step).leaves(line)
        shown = [self.constant(True), self.variable(name)] if name else [self.constant(False)]
        leave = self.method("leave_line", self.constant(line.id), self.constant(self.depth), *shown)
        return [self.statement(enter), *statements, self.statement(leave)]

    def _enter_block(self, owner: Line, path: Path) -> ast.stmt:
        """Tell Run & Debug which of its blocks a line runs: `then`, `else_if.0.then`, `do` …"""
        self.locate(owner)
        way = ".".join(str(part) for part in path[len(owner.path) + 1 :])
        repeats = self.constant(Step.get(owner.step).repeats)
        depth = self.constant(self.depth - 1)
        return self.statement(self.method("enter_block", depth, self.constant(way), repeats))

    def keep(self, line: Line, made: ast.expr) -> list[ast.stmt]:
        """Store a result under the line's `as`, or only do the deed."""
        return [self.assign(self.python_name(line.as_), made)] if line.as_ else [self.statement(made)]

    # Names

    def python_name(self, name: str) -> str:
        """The local variable a variable lives in."""
        binding = self.scope.find(name)
        assert binding is not None, f"{name} was declared"
        return binding.python

    def variable(self, name: str) -> ast.expr:
        """Read a variable."""
        return self.expressions.load(self.python_name(name))

    def fresh(self) -> str:
        """A new local name for something that exists only inside a block."""
        self._inner += 1
        return f"i{self._inner}"

    def block(
        self, lines: Sequence[Any], path: Path, names: Mapping[str, str] | None = None
    ) -> list[ast.stmt]:
        """A nested stack with names of its own (name → local variable)."""
        with self.scope.inner({name: Binding(python, ANY) for name, python in (names or {}).items()}):
            return self.lines(lines, path)

    # Values

    def locate(self, line: Line | None, *path: str | int) -> None:
        """Say where the following nodes come from."""
        self._locate(line.id if line else "", line.at(*path) if line and path else path)

    def _locate(self, line_id: str, path: Path) -> None:
        # Under a line, a place is told from its parameters on.
        within = path[len(path) - path[::-1].index("params") :] if line_id and "params" in path else path
        location = Location(line_id, ".".join(str(part) for part in within))
        if self.places.locations[-1] != location:
            self.places.locations.append(location)
        self.expressions.location = len(self.places.locations)

    def tree(self, source: str, path: Path) -> Tree:
        """The tree of an expression: the one the check went through when there is one, with its types."""
        typed = self.trees.get(path)
        if typed is None:
            self.expressions.types = {}
            return parse(source)
        self.expressions.types = typed.types
        return typed.tree

    def value(self, value: Any, line: Line, *path: str | int) -> ast.expr:
        """A value of a line's parameter, expressions in it compiled."""
        return self.value_at(value, line.id, line.at(*path))

    def value_at(self, value: Any, line_id: str, path: Path) -> ast.expr:
        """The same, with the place spelled out."""
        source = expression_of(value)
        self._locate(line_id, path)
        if source is not None:
            return self.expressions.expression(self.tree(source, path))
        if isinstance(value, dict):
            if set(value) == {LITERAL}:
                return self.data(value[LITERAL])
            keys: list[ast.expr | None] = [self.constant(key) for key in value]
            parts = [self.value_at(part, line_id, (*path, key)) for key, part in value.items()]
            return self.place(ast.Dict(keys, parts))  # type: ignore[no-any-return]
        if isinstance(value, list):
            items = [self.value_at(part, line_id, (*path, number)) for number, part in enumerate(value)]
            return self.place(ast.List(items, ast.Load()))  # type: ignore[no-any-return]
        return self.constant(value)

    def data(self, value: Any) -> ast.expr:
        """Plain data, made anew each time it is reached, so that no run can change it for the next."""
        if isinstance(value, dict):
            keys: list[ast.expr | None] = [self.constant(key) for key in value]
            made: ast.expr = self.place(ast.Dict(keys, [self.data(part) for part in value.values()]))
            return made
        if isinstance(value, list):
            items: ast.expr = self.place(ast.List([self.data(part) for part in value], ast.Load()))
            return items
        return self.constant(value)

    def condition(self, value: Any, line: Line, *path: str | int) -> ast.expr:
        """A condition of a line, guarded to be true or false."""
        source = expression_of(value)
        self.locate(line, *path)
        tree = Literal(value) if source is None else self.tree(source, line.at(*path))
        return self.expressions.condition(tree)

    def budget_if_used(self) -> list[ast.stmt]:
        """A full budget when what was just emitted needs one: the run's only one, filled up again."""
        if not self.expressions.uses_budget:
            return []
        self.expressions.uses_budget = False
        return [
            self.place(
                ast.Assign([self.place(ast.Attribute(budget, part, ast.Store()))], self.constant(full))
            )
            for part, full in FULL_BUDGET.items()
            for budget in [self.expressions.load(BUDGET)]
        ]

    # Nodes

    def place(self, node: Any) -> Any:
        """Give a node the present place."""
        return self.expressions.place(node, 0)

    def constant(self, value: Any) -> ast.expr:
        """A constant."""
        return self.expressions.constant(value)

    def bound(self, value: Any) -> ast.expr:
        """An object the compiled code reaches by a generated name."""
        return self.expressions.load(self.constants.bind(value))

    def call(self, target: Any, arguments: list[ast.expr]) -> ast.expr:
        """Call an object."""
        return self.expressions.call(target, arguments)

    def execution(self) -> ast.expr:
        """The execution the function was called with."""
        return self.expressions.load(EXECUTION)

    def method(self, name: str, *arguments: ast.expr) -> ast.expr:
        """Call a method of the execution."""
        function = self.place(ast.Attribute(self.execution(), name, ast.Load()))
        return self.place(ast.Call(function, list(arguments), []))  # type: ignore[no-any-return]

    def assign(self, python_name: str, value: ast.expr) -> ast.stmt:
        """`name = value`."""
        return self.place(ast.Assign([self.place(ast.Name(python_name, ast.Store()))], value))  # type: ignore[no-any-return]

    def statement(self, value: ast.expr) -> ast.stmt:
        """An expression for its deed."""
        return self.place(ast.Expr(value))  # type: ignore[no-any-return]

    def take_fuel(self) -> list[ast.stmt]:
        """One turn of a loop: `fuel -= 1`, filled up (and the clock looked at) when it is gone."""
        take = self.place(ast.AugAssign(self.place(ast.Name(FUEL, ast.Store())), ast.Sub(), self.constant(1)))
        gone = self.place(
            ast.Compare(self.expressions.load(FUEL), [ast.Lt()], [self.constant(0)]),
        )
        return [take, self.place(ast.If(gone, [self.assign(FUEL, self.method("refuel"))], []))]
