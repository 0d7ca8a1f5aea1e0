"""The tree of an expression. Nodes are immutable; `at` is the 0-based offset in the text and does not count for equality."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """null, true, false, a number or a text."""

    value: bool | int | float | str | None
    at: int = field(default=0, compare=False)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Literal) and type(other.value) is type(self.value) and other.value == self.value
        )

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, an input root (`input`, `auth`, `env` …) or a lambda's parameter."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Access:
    """`of.key` or `of[key]`."""

    of: Tree
    key: Tree
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    operator: str
    operand: Tree
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and `+ - * / % ~ == != < <= > >= in and or ??`; `at` is the operator's place."""

    operator: str
    left: Tree
    right: Tree
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : otherwise`."""

    condition: Tree
    then: Tree
    otherwise: Tree
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Tree, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class MapOf:
    """`{a: 1, "b c": 2}`; keys are unique."""

    entries: tuple[tuple[str, Tree], ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Lambda:
    """`o => …` or `(o, i) => …`, only as a filter's argument."""

    parameters: tuple[str, ...]
    body: Tree
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Pipe:
    """`value | name(arguments)`; `at` is the filter name's place."""

    value: Tree
    name: str
    arguments: tuple[Tree, ...]
    at: int = field(default=0, compare=False)


Tree = Literal | Name | Access | Unary | Binary | Choice | ListOf | MapOf | Lambda | Pipe


def is_condition(tree: Tree) -> bool:
    """Whether a tree's form alone says that it gives true or false."""
    match tree:
        case Binary():
            return tree.operator in ("and", "or", "==", "!=", "<", "<=", ">", ">=", "in")
        case Unary(operator="not"):
            return True
        case Literal():
            return isinstance(tree.value, bool)
    return False


class ExpressionError(Exception):
    """A text that is not an expression. `column` is 1-based."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = at + 1
