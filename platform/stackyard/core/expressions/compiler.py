"""A checked tree to Python `ast` nodes. No source text is ever made: identifiers are generated, constants are bound.

Every node carries where it came from: `lineno` is the number of a location the caller hands out (a
line and parameter of a stack), `col_offset` the offset in the expression. When something fails,
the traceback's position is therefore the place in the stack, at no cost while it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ..errors import Problem, did_you_mean
from ..filter import Budget, filters
from . import operations as op
from .scope import Scope
from .tree import Access, Binary, Choice, Lambda, ListOf, Literal, MapOf, Name, Pipe, Tree, Unary

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
BUDGET = "budget"


class Constants:
    """The globals of a compiled function: operations, filters and bound objects under generated names."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__builtins__": {}, "dict": dict, "str": str, "int": int, "float": float}
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
        if _is_condition(tree):
            return made
        return self.call(op.truth, [made], tree.at)

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
        key = self.constant(tree.key.value, tree.at)
        if not isinstance(of, ast.Name):
            return self.call(op.get, [of, key], tree.at)
        # The common case inline: a key of an object held by a name.
        is_dict = self.place(
            ast.Compare(self.attribute(of.id, "__class__", tree.at), [ast.Is()], [self.load("dict", tree.at)]), tree.at
        )
        inline = self.place(ast.Call(self.attribute(of.id, "get", tree.at), [key], []), tree.at)
        return self.place(ast.IfExp(is_dict, inline, self.call(op.get, [of, key], tree.at)), tree.at)  # type: ignore[no-any-return]

    def attribute(self, name: str, attribute: str, at: int) -> ast.expr:
        return self.place(ast.Attribute(self.load(name, at), attribute, ast.Load()), at)  # type: ignore[no-any-return]

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
        function = getattr(op, _OPERATIONS[tree.operator])
        return self.call(function, [self.expression(tree.left), self.expression(tree.right)], tree.at)

    def otherwise(self, tree: Binary) -> ast.expr:
        """`a ?? b` as `b if (temporary := a) is None else temporary`."""
        self._temporaries += 1
        temporary = f"t{self._temporaries}"
        keep = self.place(
            ast.NamedExpr(self.place(ast.Name(temporary, ast.Store()), tree.at), self.expression(tree.left)), tree.at
        )
        test = self.place(ast.Compare(keep, [ast.Is()], [self.constant(None, tree.at)]), tree.at)
        return self.place(  # type: ignore[no-any-return]
            ast.IfExp(test, self.expression(tree.right), self.load(temporary, tree.at)), tree.at
        )

    def choice(self, tree: Choice) -> ast.expr:
        parts = (self.condition(tree.condition), self.expression(tree.then), self.expression(tree.otherwise))
        return self.place(ast.IfExp(*parts), tree.at)  # type: ignore[no-any-return]

    def pipe(self, tree: Pipe) -> ast.expr:
        found = filters()[tree.name]
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
        from .. import types as t
        from .scope import Binding

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


def _is_condition(tree: Tree) -> bool:
    match tree:
        case Binary():
            return tree.operator in ("and", "or", "==", "!=", "<", "<=", ">", ">=", "in")
        case Unary(operator="not"):
            return True
        case Literal():
            return isinstance(tree.value, bool)
    return False


def evaluate(tree: Tree, names: Mapping[str, Any]) -> Any:
    """Compile and run one expression on its own, with `names` in scope."""
    from .. import types as t
    from .scope import Binding

    constants = Constants()
    bindings = {name: Binding(f"v{number}", t.ANY) for number, name in enumerate(names)}
    compiler = ExpressionCompiler(constants, Scope(bindings))
    body = compiler.expression(tree)
    place = compiler.place
    parameters = [place(ast.arg(name), 0) for name in (BUDGET, *(b.python for b in bindings.values()))]
    function = ast.FunctionDef(
        "expression", ast.arguments([], parameters, None, [], [], None, []), [place(ast.Return(body), 0)], []
    )
    module = ast.fix_missing_locations(ast.Module([place(function, 0)], []))
    exec(compile(module, "<expression>", "exec"), constants.names)
    return constants.names["expression"](Budget(), *names.values())
