"""A checked tree to Python `ast` nodes. No source text is ever made: identifiers are generated, constants are bound.

Every node carries where it came from: `lineno` is the number of a location the caller hands out (a
line and parameter of a stack), `col_offset` the offset in the expression. When something fails,
the traceback's position is therefore the place in the stack, at no cost while it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from .. import types as t
from ..errors import Problem, did_you_mean
from ..filter import Budget, filters
from . import operations as op
from .inlining import INLINED, comprehension
from .scope import Binding, Scope
from .tree import (
    Access,
    Binary,
    Choice,
    Lambda,
    ListOf,
    Literal,
    MapOf,
    Name,
    Pipe,
    Tree,
    Unary,
    is_condition,
)

_OPERATIONS: Mapping[str, str] = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "remainder",
    "~": "concat",
    "==": "equal",
    "!=": "unequal",
    "<": "less",
    "<=": "less_or_equal",
    ">": "greater",
    ">=": "greater_or_equal",
    "in": "contained",
}
_COMPARISONS: Mapping[str, ast.cmpop] = {
    "==": ast.Eq(),
    "!=": ast.NotEq(),
    "<": ast.Lt(),
    "<=": ast.LtE(),
    ">": ast.Gt(),
    ">=": ast.GtE(),
}
_ARITHMETIC: Mapping[str, ast.operator] = {"+": ast.Add(), "-": ast.Sub(), "*": ast.Mult()}
_NUMERIC = frozenset({"<", "<=", ">", ">=", "+", "-", "*"})
_FAST_NUMBERS = frozenset({int, float})
_FAST_BOUND = 9.2e18
BUDGET = "budget"
INPUT = "input"


class Constants:
    """The globals of a compiled function: operations, filters and bound objects under generated names."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__builtins__": {}, "dict": dict, "type": type}
        self._by_id: dict[int, str] = {}

    def bind(self, value: Any) -> str:
        """The name under which compiled code reaches an object."""
        name = self._by_id.get(id(value))
        if name is None:
            name = f"k{len(self._by_id)}"
            self._by_id[id(value)] = name
            self.names[name] = value
        return name


class ExpressionCompiler:
    """Makes ast expressions. `location` is the number written into `lineno` of every node."""

    def __init__(self, constants: Constants, scope: Scope) -> None:
        self.constants = constants
        self.scope = scope
        self.location = 1
        self.uses_budget = False
        # What the check found of each node, by identity; empty when an expression stands alone.
        self.types: Mapping[int, t.Type] = {}
        # The keys of `input` that are read once, ahead of everything, and the locals they are read into;
        # None where there is no such place.
        self.inputs_read: dict[str, str] | None = None
        self._temporaries = 0

    def place(self, node: Any, at: int) -> Any:
        """Give a node its place; the column is kept below 32,000 by the length of an expression."""
        node.lineno = node.end_lineno = self.location
        node.col_offset = node.end_col_offset = at
        return node

    def load(self, name: str, at: int = 0) -> ast.expr:
        """Read a name."""
        return self.place(ast.Name(name, ast.Load()), at)  # type: ignore[no-any-return]

    def constant(self, value: Any, at: int = 0) -> ast.expr:
        """A constant of Python's own kinds."""
        return self.place(ast.Constant(value), at)  # type: ignore[no-any-return]

    def call(self, target: Any, arguments: list[ast.expr], at: int = 0) -> ast.expr:
        """Call a bound object."""
        function = self.load(self.constants.bind(target), at)
        return self.place(ast.Call(function, arguments, []), at)  # type: ignore[no-any-return]

    def expression(self, tree: Tree) -> ast.expr:
        """The ast of a tree."""
        match tree:
            case Literal():
                return self.constant(tree.value, tree.at)
            case Name():
                return self.name(tree)
            case Access():
                return self.access(tree)
            case Unary(operator="not"):
                return self.place(ast.UnaryOp(ast.Not(), self.condition(tree.operand)), tree.at)  # type: ignore[no-any-return]
            case Unary():
                return self.call(op.negate, [self.expression(tree.operand)], tree.at)
            case Binary():
                return self.binary(tree)
            case Choice():
                return self.choice(tree)
            case ListOf():
                items = [self.expression(item) for item in tree.items]
                return self.place(ast.List(items, ast.Load()), tree.at)  # type: ignore[no-any-return]
            case MapOf():
                keys: list[ast.expr | None] = [self.constant(key, tree.at) for key, _ in tree.entries]
                values = [self.expression(value) for _, value in tree.entries]
                return self.place(ast.Dict(keys, values), tree.at)  # type: ignore[no-any-return]
            case Pipe():
                return self.pipe(tree)
            case Lambda():
                raise Problem("INVALID_INPUT", '"=>" may only stand in the brackets of a filter.')

    def condition(self, tree: Tree) -> ast.expr:
        """A tree whose value must be true or false; comparisons are so by themselves."""
        made = self.expression(tree)
        if is_condition(tree):
            return made
        keep, again = self.kept(made, tree.at)
        is_bool = self.place(
            ast.BoolOp(
                ast.Or(),
                [
                    self.compare(keep, ast.Is(), self.constant(True)),
                    self.compare(again, ast.Is(), self.constant(False)),
                ],
            ),
            tree.at,
        )
        return self.place(ast.IfExp(is_bool, again, self.call(op.truth, [again], tree.at)), tree.at)  # type: ignore[no-any-return]

    def name(self, tree: Name) -> ast.expr:
        binding = self.scope.find(tree.name)
        if binding is None:
            hint = did_you_mean(tree.name, self.scope.names())
            raise Problem("INVALID_INPUT", f'There is no "{tree.name}" here.{hint}')
        return self.load(binding.python, tree.at)

    def access(self, tree: Access) -> ast.expr:
        of = self.expression(tree.of)
        if not isinstance(tree.key, Literal) or not isinstance(tree.key.value, str):
            return self.call(op.get, [of, self.expression(tree.key)], tree.at)
        if self.inputs_read is not None and isinstance(of, ast.Name) and of.id == INPUT:
            # What came in never changes, so a loop need not look it up again.
            name = self.inputs_read.setdefault(tree.key.value, f"n{len(self.inputs_read)}")
            return self.load(name, tree.at)
        key = self.constant(tree.key.value, tree.at)
        if self.is_object(tree.of):
            return self.get(of, key, tree.at)
        # The common case inline: a key of an object.
        keep, again = self.kept(of, tree.at)
        kind = self.place(ast.Call(self.load("type", tree.at), [keep], []), tree.at)
        is_dict = self.compare(kind, ast.Is(), self.load("dict", tree.at), tree.at)
        inline = self.get(again, key, tree.at)
        return self.place(ast.IfExp(is_dict, inline, self.call(op.get, [again, key], tree.at)), tree.at)  # type: ignore[no-any-return]

    def get(self, of: ast.expr, key: ast.expr, at: int) -> ast.expr:
        """`of.get(key)`."""
        method = self.place(ast.Attribute(of, "get", ast.Load()), at)
        return self.place(ast.Call(method, [key], []), at)  # type: ignore[no-any-return]

    def binary(self, tree: Binary) -> ast.expr:
        if tree.operator in ("and", "or"):
            joint: ast.boolop = ast.And() if tree.operator == "and" else ast.Or()
            sides = [self.condition(tree.left), self.condition(tree.right)]
            return self.place(ast.BoolOp(joint, sides), tree.at)  # type: ignore[no-any-return]
        if tree.operator == "??":
            return self.otherwise(tree)
        if tree.operator in ("==", "!=") and _is_null(tree.right):
            test: ast.cmpop = ast.Is() if tree.operator == "==" else ast.IsNot()
            compare = ast.Compare(self.expression(tree.left), [test], [self.constant(None, tree.at)])
            return self.place(compare, tree.at)  # type: ignore[no-any-return]
        return self.operation(tree)

    def operation(self, tree: Binary) -> ast.expr:
        """An operator: inline where the kinds are known or cheap to ask for, else the guarded function."""
        left, right = self.expression(tree.left), self.expression(tree.right)
        guarded = getattr(op, _OPERATIONS[tree.operator])
        if tree.operator in ("==", "!=") and (
            self.compares_plainly(tree.left) or self.compares_plainly(tree.right)
        ):
            return self.compare(left, _COMPARISONS[tree.operator], right, tree.at)
        if tree.operator not in _NUMERIC or self.never_number(tree.left) or self.never_number(tree.right):
            return self.call(guarded, [left, right], tree.at)
        return self.numeric(tree, left, right, guarded)

    def numeric(self, tree: Binary, left: ast.expr, right: ast.expr, guarded: Any) -> ast.expr:
        """`a > b if a and b are numbers else greater(a, b)`, the question left out where the answer is known."""
        questions: list[ast.expr] = []
        sides: list[ast.expr] = []
        for side, made in ((tree.left, left), (tree.right, right)):
            if self.is_number(side) and tree.operator in _COMPARISONS:
                sides.append(made)
                continue
            if isinstance(side, Literal):
                sides.append(made)
                continue
            keep, again = self.kept(made, tree.at)
            kind = self.place(ast.Call(self.load("type", tree.at), [keep], []), tree.at)
            questions.append(
                self.compare(kind, ast.In(), self.load(self.constants.bind(_FAST_NUMBERS), tree.at), tree.at)
            )
            sides.append(again)
        if tree.operator in _COMPARISONS:
            fast = self.compare(sides[0], _COMPARISONS[tree.operator], sides[1], tree.at)
        else:
            fast = self.bounded(
                self.place(ast.BinOp(sides[0], _ARITHMETIC[tree.operator], sides[1]), tree.at), tree.at
            )
        if not questions:
            return fast
        asked = questions[0]
        if len(questions) == 2:
            asked = self.both(questions, [isinstance(side, ast.Name) for side in (left, right)], tree.at)
        return self.place(ast.IfExp(asked, fast, self.call(guarded, sides, tree.at)), tree.at)  # type: ignore[no-any-return]

    def both(self, questions: list[ast.expr], is_local: list[bool], at: int) -> ast.expr:
        """Whether both hold, where both sides are always evaluated, as the guarded function would.

        A side that is a local has no effect, so it may be left out and come second; else `&`, not `and`.
        """
        if not any(is_local):
            return self.place(ast.BinOp(questions[0], ast.BitAnd(), questions[1]), at)  # type: ignore[no-any-return]
        ordered = questions if is_local[1] else questions[::-1]
        return self.place(ast.BoolOp(ast.And(), ordered), at)  # type: ignore[no-any-return]

    def bounded(self, made: ast.expr, at: int) -> ast.expr:
        """`r if -9.2e18 < (r := made) < 9.2e18 else number(r)`: the exact check only near the bounds."""
        keep, again = self.kept(self.place(made, at), at, always=True)
        within = ast.Compare(
            self.constant(-_FAST_BOUND, at), [ast.Lt(), ast.Lt()], [keep, self.constant(_FAST_BOUND, at)]
        )
        return self.place(ast.IfExp(self.place(within, at), again, self.call(op.number, [again], at)), at)  # type: ignore[no-any-return]

    def kept(self, made: ast.expr, at: int, always: bool = False) -> tuple[ast.expr, ast.expr]:
        """A value that is used twice: the expression for its first use, and the one for the second."""
        if isinstance(made, ast.Name) and not always:
            return made, made
        self._temporaries += 1
        name = f"t{self._temporaries}"
        keep = self.place(ast.NamedExpr(self.place(ast.Name(name, ast.Store()), at), made), at)
        return keep, self.load(name, at)

    def compare(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, at: int = 0) -> ast.expr:
        """A comparison node."""
        return self.place(ast.Compare(left, [operator], [right]), at)  # type: ignore[no-any-return]

    def is_number(self, tree: Tree) -> bool:
        """Whether the check knows that a value is a number and never null."""
        found = self.types.get(id(tree))
        return found is not None and found.is_number and not found.nullable

    def is_object(self, tree: Tree) -> bool:
        """Whether the check knows that a value is an object and never null."""
        found = self.types.get(id(tree))
        return found is not None and found.name == "object" and not found.nullable

    def never_number(self, tree: Tree) -> bool:
        """Whether the check knows that a value is of another kind."""
        if isinstance(tree, Literal):
            return not op.is_number(tree.value)
        found = self.types.get(id(tree))
        return found is not None and found.name != "any" and not found.is_number

    def compares_plainly(self, tree: Tree) -> bool:
        """Whether Python's own == means the same as ours: a text, or a number that no bool equals."""
        if isinstance(tree, Literal):
            return isinstance(tree.value, str) or (tree.value not in (0, 1) and tree.value is not None)
        found = self.types.get(id(tree))
        return found is not None and found.name == "text" and not found.nullable

    def otherwise(self, tree: Binary) -> ast.expr:
        """`a ?? b` as `b if (kept := a) is None else kept`."""
        keep, again = self.kept(self.expression(tree.left), tree.at)
        test = self.compare(keep, ast.Is(), self.constant(None, tree.at), tree.at)
        return self.place(ast.IfExp(test, self.expression(tree.right), again), tree.at)  # type: ignore[no-any-return]

    def choice(self, tree: Choice) -> ast.expr:
        parts = (self.condition(tree.condition), self.expression(tree.then), self.expression(tree.otherwise))
        return self.place(ast.IfExp(*parts), tree.at)  # type: ignore[no-any-return]

    def pipe(self, tree: Pipe) -> ast.expr:
        found = filters().get(tree.name)
        if found is None:
            raise Problem(
                "INVALID_INPUT", f'There is no filter "{tree.name}".{did_you_mean(tree.name, filters())}'
            )
        inlined = INLINED.get(tree.name)
        if inlined is not None and len(tree.arguments) == 1 and isinstance(tree.arguments[0], Lambda):
            self.uses_budget = True
            return comprehension(self, tree, tree.arguments[0], inlined)
        arguments = [self.expression(tree.value)]
        for number, argument in enumerate(tree.arguments):
            if isinstance(argument, Lambda):
                arguments.append(self.lambda_(argument, self.lambda_arity(found, number)))
            else:
                arguments.append(self.expression(argument))
        if found.takes_budget:
            self.uses_budget = True
            arguments.insert(0, self.load(BUDGET, tree.at))
        return self.call(found.checked, arguments, tree.at)

    def lambda_arity(self, found: Any, number: int) -> int:
        return len(found.lambda_types([found.value, *(p.type for p in found.parameters[:number])]))

    def lambda_(self, tree: Lambda, arity: int) -> ast.expr:
        """A Python lambda that takes exactly `arity` values; the ones people left out are ignored."""
        names = [self.fresh_parameter() for _ in range(max(arity, len(tree.parameters)))]
        bindings = {name: Binding(names[i], t.ANY) for i, name in enumerate(tree.parameters)}
        with self.scope.inner(bindings):
            body = self.expression(tree.body)
        parameters = [self.place(ast.arg(name), tree.at) for name in names]
        signature = ast.arguments([], parameters, None, [], [], None, [])
        return self.place(ast.Lambda(signature, body), tree.at)  # type: ignore[no-any-return]

    def fresh_parameter(self) -> str:
        self._temporaries += 1
        return f"p{self._temporaries}"


def _is_null(tree: Tree) -> bool:
    return isinstance(tree, Literal) and tree.value is None


def function_of(tree: Tree, scope: Scope) -> Callable[..., Any]:
    """One expression as a function of a budget and the values of the scope's names, in their order."""
    constants = Constants()
    compiler = ExpressionCompiler(constants, scope)
    body = compiler.expression(tree)
    place = compiler.place
    names = [binding.python for binding in scope.bindings.values()]
    parameters = [place(ast.arg(name), 0) for name in (BUDGET, *names)]
    function = ast.FunctionDef(
        "expression", ast.arguments([], parameters, None, [], [], None, []), [place(ast.Return(body), 0)], []
    )
    module = ast.fix_missing_locations(ast.Module([place(function, 0)], []))
    exec(compile(module, "<expression>", "exec"), constants.names)
    made: Callable[..., Any] = constants.names["expression"]
    return made


def evaluate(tree: Tree, names: Mapping[str, Any]) -> Any:
    """Compile and run one expression on its own, with `names` in scope."""
    bindings = {name: Binding(f"v{number}", t.ANY) for number, name in enumerate(names)}
    return function_of(tree, Scope(bindings))(Budget(), *names.values())
