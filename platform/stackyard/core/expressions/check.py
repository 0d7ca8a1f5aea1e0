"""The check of an expression: every name known, every filter fit, every fault at once; and the type of the result."""

from __future__ import annotations

from collections.abc import Callable

from .. import types as t
from ..errors import did_you_mean
from ..filter import FUNCTION, Filter, FilterParameter, filters
from .scope import Binding, Scope
from .tree import Access, Binary, Choice, Lambda, ListOf, Literal, MapOf, Name, Pipe, Tree, Unary

# report(level, code, message, at): `at` is the 0-based offset in the expression.
Report = Callable[[str, str, str, int], None]

_ARITHMETIC = frozenset("+-*/%")
_ORDER = frozenset({"<", "<=", ">", ">="})


class Checker:
    """Checks trees in one scope; faults go to `report`."""

    def __init__(self, scope: Scope, report: Report) -> None:
        self.scope = scope
        self.report = report
        self.types: dict[int, t.Type] = {}

    def error(self, code: str, message: str, at: int) -> None:
        """Report a fault that blocks."""
        self.report("error", code, message, at)

    def type_of(self, tree: Tree) -> t.Type:
        """The type of a tree; faults inside it are reported. `types` keeps it by the node's identity for the compiler."""
        found = self.types[id(tree)] = self._type_of(tree)
        return found

    def _type_of(self, tree: Tree) -> t.Type:
        match tree:
            case Literal():
                return _literal(tree.value)
            case Name():
                return self.name(tree)
            case Access():
                return self.access(tree)
            case Unary():
                return self.unary(tree)
            case Binary():
                return self.binary(tree)
            case Choice():
                self.condition(tree.condition)
                return t.join(self.type_of(tree.then), self.type_of(tree.otherwise))
            case ListOf():
                return self.list_(tree)
            case MapOf():
                return t.object_of({key: self.type_of(value) for key, value in tree.entries})
            case Pipe():
                return self.pipe(tree)
            case Lambda():
                self.error(
                    "misplaced", '"=>" may only stand in the brackets of a filter that takes it.', tree.at
                )
                return t.ANY

    def name(self, tree: Name) -> t.Type:
        binding = self.scope.find(tree.name)
        if binding is None:
            hint = did_you_mean(tree.name, self.scope.names())
            self.error("unknown_name", f'There is no "{tree.name}" here.{hint}', tree.at)
            return t.ANY
        if binding.may_be_unset:
            self.report(
                "warning", "may_be_null", f'"{tree.name}" may be null: not every way here sets it.', tree.at
            )
        return binding.type

    def condition(self, tree: Tree) -> None:
        """Check a tree whose value must be true or false."""
        given = self.type_of(tree)
        if not t.accepts(t.BOOL, given):
            self.error(
                "type",
                f"A condition must be true or false, not {given}. Compare it (!= null, > 0) or use is_empty.",
                place_of(tree),
            )

    def access(self, tree: Access) -> t.Type:
        base = self.type_of(tree.of)
        key_type = self.type_of(tree.key)
        if base.name == "list":
            if not t.accepts(t.INT, key_type):
                key = tree.key.value if isinstance(tree.key, Literal) else "key"
                self.error(
                    "type", f'A list has no "{key}". Use list[0].{key} or list | map(o => o.{key}).', tree.at
                )
            return (base.of or t.ANY).or_null()
        if base.name == "object":
            return self.key(base, tree)
        if base.name in ("any", "null"):
            return t.ANY if base.name == "any" else t.NULL
        self.error("type", f"{str(base).capitalize()} has nothing inside it to read.", tree.at)
        return t.ANY

    def key(self, base: t.Type, tree: Access) -> t.Type:
        if base.fields is None or not isinstance(tree.key, Literal) or not isinstance(tree.key.value, str):
            return t.ANY
        found = base.fields.get(tree.key.value)
        if found is None:
            if base.open:
                return t.ANY
            hint = did_you_mean(tree.key.value, base.fields)
            what = f'"{tree.of.name}"' if isinstance(tree.of, Name) else "This"
            self.error("unknown_field", f'{what} has no "{tree.key.value}".{hint}', tree.at)
            return t.ANY
        return found.or_null() if base.nullable else found

    def unary(self, tree: Unary) -> t.Type:
        if tree.operator == "not":
            self.condition(tree.operand)
            return t.BOOL
        given = self.type_of(tree.operand)
        if not t.accepts(t.NUMBER, given):
            self.error("type", f'"-" works on numbers, not on {given}.', tree.at)
        return given if given.is_number else t.ANY

    def binary(self, tree: Binary) -> t.Type:
        if tree.operator in ("and", "or"):
            self.condition(tree.left)
            self.condition(tree.right)
            return t.BOOL
        left, right = self.type_of(tree.left), self.type_of(tree.right)
        if tree.operator == "??":
            return right if left.name == "null" else t.join(left.not_null(), right)
        if tree.operator in ("==", "!="):
            return t.BOOL
        if tree.operator == "in":
            return self.contained(tree, right)
        if tree.operator == "~":
            return t.TEXT
        if tree.operator in _ORDER:
            return self.order(tree, left, right)
        return self.arithmetic(tree, left, right)

    def contained(self, tree: Binary, right: t.Type) -> t.Type:
        if right.name not in ("any", "null", "list", "text", "object"):
            self.error("type", f'"in" looks into a list, a text or an object, not into {right}.', tree.at)
        return t.BOOL

    def order(self, tree: Binary, left: t.Type, right: t.Type) -> t.Type:
        for kind in (t.NUMBER, t.TEXT, t.TIMESTAMP):
            if _fits(kind, left) and _fits(kind, right):
                return t.BOOL
        self.error("type", f'"{tree.operator}" cannot compare {left} with {right}.', tree.at)
        return t.BOOL

    def arithmetic(self, tree: Binary, left: t.Type, right: t.Type) -> t.Type:
        if tree.operator in "+-" and "timestamp" in (left.name, right.name):
            return self.time_arithmetic(tree, left, right)
        if _fits(t.NUMBER, left) and _fits(t.NUMBER, right):
            return _arithmetic_type(tree.operator, left, right)
        hint = ' Join texts with "~".' if tree.operator == "+" and "text" in (left.name, right.name) else ""
        self.error("type", f'"{tree.operator}" works on numbers, not on {left} and {right}.{hint}', tree.at)
        return t.ANY

    def time_arithmetic(self, tree: Binary, left: t.Type, right: t.Type) -> t.Type:
        if left.name == right.name == "timestamp" and tree.operator == "-":
            return t.INT
        other = right if left.name == "timestamp" else left
        if _fits(t.NUMBER, other) and (tree.operator == "+" or left.name == "timestamp"):
            return t.TIMESTAMP if other.is_number else t.ANY
        if other.name == "any":
            return t.ANY
        self.error("type", f'"{tree.operator}" does not work on {left} and {right}.', tree.at)
        return t.ANY

    def list_(self, tree: ListOf) -> t.Type:
        held: t.Type | None = None
        for item in tree.items:
            given = self.type_of(item)
            held = given if held is None else t.join(held, given)
        return t.list_of(held or t.ANY)

    def pipe(self, tree: Pipe) -> t.Type:
        value = self.type_of(tree.value)
        found = filters().get(tree.name)
        if found is None:
            hint = did_you_mean(tree.name, filters())
            self.error("unknown_filter", f'There is no filter "{tree.name}".{hint}', tree.at)
            for argument in tree.arguments:
                if not isinstance(argument, Lambda):
                    self.type_of(argument)
            return t.ANY
        if not t.accepts(found.value, value):
            self.error("type", f'"{tree.name}" works on {found.value}, not on {value}.', tree.at)
        given = self.arguments(tree, found, value)
        return found.result(given)

    def arguments(self, tree: Pipe, found: Filter, value: t.Type) -> list[t.Type]:
        least, most = found.arity()
        if not least <= len(tree.arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            names = ", ".join(p.name for p in found.parameters)
            self.error(
                "arguments",
                f'"{tree.name}" takes {wanted} argument{"" if wanted == "1" else "s"} ({names or "none"}), '
                f"not {len(tree.arguments)}.",
                tree.at,
            )
        given = [value, *(t.ANY for _ in tree.arguments)]
        # Values first: what a function is called with may depend on a value that stands after it (reduce).
        for number in sorted(range(len(tree.arguments)), key=lambda n: isinstance(tree.arguments[n], Lambda)):
            parameter = _parameter_at(found, number)
            given[number + 1] = self.argument(tree, found, parameter, tree.arguments[number], given)
        return given

    def argument(
        self,
        tree: Pipe,
        found: Filter,
        parameter: FilterParameter | None,
        argument: Tree,
        given: list[t.Type],
    ) -> t.Type:
        if isinstance(argument, Lambda):
            if parameter is not None and not parameter.is_lambda:
                self.error(
                    "misplaced", f'"{parameter.name}" of "{tree.name}" takes a value, not "=>".', argument.at
                )
            return self.lambda_(tree, argument, list(found.lambda_types(given)))
        type_ = self.type_of(argument)
        if parameter is not None and not t.accepts(parameter.type, type_):
            self.error("type", _unfit(tree.name, parameter, type_), place_of(argument))
        return type_

    def lambda_(self, tree: Pipe, lambda_: Lambda, wanted: list[t.Type]) -> t.Type:
        if len(lambda_.parameters) > len(wanted):
            self.error("arguments", f'"{tree.name}" gives {len(wanted)} values to "=>" at most.', lambda_.at)
        names = {
            name: Binding("", wanted[number] if number < len(wanted) else t.ANY)
            for number, name in enumerate(lambda_.parameters)
        }
        with self.scope.inner(names):
            return self.type_of(lambda_.body)


def _unfit(name: str, parameter: FilterParameter, given: t.Type) -> str:
    if parameter.type == FUNCTION:
        return f'"{name}" takes a function: write {name}(o => …).'
    return f'"{parameter.name}" of "{name}" takes {parameter.type}, not {given}.'


def _parameter_at(found: Filter, number: int) -> FilterParameter | None:
    """The parameter that takes an argument; the last one may take all that follow."""
    if number < len(found.parameters):
        return found.parameters[number]
    return found.parameters[-1] if found.parameters and found.parameters[-1].repeats else None


def _fits(wanted: t.Type, given: t.Type) -> bool:
    if wanted.name == "text" and given.name == "date":
        return True
    return given.name != "null" and t.accepts(wanted, given)


def _literal(value: bool | int | float | str | None) -> t.Type:
    if value is None:
        return t.NULL
    if isinstance(value, bool):
        return t.BOOL
    if isinstance(value, int):
        return t.INT
    return t.FLOAT if isinstance(value, float) else t.TEXT


def _arithmetic_type(operator: str, left: t.Type, right: t.Type) -> t.Type:
    names = {left.name, right.name}
    if "any" in names:
        return t.ANY
    if "float" in names:
        return t.FLOAT
    if "decimal" in names:
        return t.DECIMAL
    return t.FLOAT if operator == "/" else t.INT


def place_of(tree: Tree) -> int:
    """Where a tree begins (an operator's left side stands before the operator)."""
    match tree:
        case Binary():
            return place_of(tree.left)
        case Choice():
            return place_of(tree.condition)
        case Pipe():
            return place_of(tree.value)
        case Access():
            return place_of(tree.of)
        case _:
            return tree.at
