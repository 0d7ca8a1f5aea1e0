"""Tokens to a tree: precedence climbing (Pratt, "Top Down Operator Precedence", 1973).

From loose to tight: `? :` · `??` · `or` · `and` · `not` · comparisons and `in` · `~` · `+ -` · `* / %` ·
unary `-` under the pipe · `|` · access. Comparisons do not chain.
"""

from __future__ import annotations

from functools import lru_cache

from ..limits import EXPRESSION_DEPTH
from .lexer import Token, tokens
from .tree import (
    Access,
    Binary,
    Choice,
    ExpressionError,
    Lambda,
    ListOf,
    Literal,
    MapOf,
    Name,
    Pipe,
    Tree,
    Unary,
)

# operator → (binding power, right associative)
BINDING: dict[str, int] = {"??": 2, "or": 3, "and": 4}
BINDING |= dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 6)
BINDING |= {"~": 7, "+": 8, "-": 8, "*": 9, "/": 9, "%": 9}
CHOICE_POWER = 1
NOT_POWER = 5
COMPARISON_POWER = 6
_CONSTANTS: dict[str, bool | None] = {"null": None, "true": True, "false": False}
_OPERATOR_WORDS = frozenset({"and", "or", "not", "in"})


@lru_cache(maxsize=4096)
def parse(source: str) -> Tree:
    """The tree of an expression. ExpressionError with a column when it is none."""
    return _Parser(source).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        self.tokens = tokens(source)
        self.position = 0
        self.depth = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.now
        self.position += 1
        return token

    def sees(self, value: str) -> bool:
        return self.now.kind in ("symbol", "name") and self.now.value == value

    def expect(self, value: str, why: str) -> Token:
        if not self.sees(value):
            raise ExpressionError(f'Expected "{value}" {why}, found {self.named()}.', self.now.at)
        return self.take()

    def named(self) -> str:
        return "the end" if self.now.kind == "end" else f'"{self.now.value}"'

    def whole(self) -> Tree:
        if self.now.kind == "end":
            raise ExpressionError("The expression is empty: write a value, or null.", 0)
        tree = self.expression(0)
        if self.now.kind != "end":
            raise ExpressionError(f"Expected an operator, found {self.named()}.", self.now.at)
        return tree

    def expression(self, power: int) -> Tree:
        self.depth += 1
        if self.depth > EXPRESSION_DEPTH.default:
            raise ExpressionError(
                f"An expression nests at most {EXPRESSION_DEPTH.default} deep.", self.now.at
            )
        left = self.prefix()
        while True:
            joined = self.infix(left, power)
            if joined is None:
                break
            left = joined
        self.depth -= 1
        return left

    def infix(self, left: Tree, power: int) -> Tree | None:
        token = self.now
        if token.kind not in ("symbol", "name"):
            return None
        operator = str(token.value)
        if operator == "?" and power <= CHOICE_POWER:
            return self.choice(left)
        strength = BINDING.get(operator)
        if strength is None or strength < power:
            return None
        self.take()
        # `??` groups to the right, everything else to the left.
        right = self.expression(strength if operator == "??" else strength + 1)
        following = BINDING.get(str(self.now.value)) if self.now.kind in ("symbol", "name") else None
        if strength == COMPARISON_POWER and following == COMPARISON_POWER:
            raise ExpressionError('Comparisons do not chain: join them with "and".', self.now.at)
        return Binary(operator, left, right, token.at)

    def choice(self, condition: Tree) -> Tree:
        token = self.take()
        then = self.expression(CHOICE_POWER)
        self.expect(":", 'between the two values of "? :"')
        return Choice(condition, then, self.expression(CHOICE_POWER), token.at)

    def prefix(self) -> Tree:
        token = self.now
        if token.kind == "name" and token.value == "not":
            self.take()
            return Unary("not", self.expression(NOT_POWER), token.at)
        return self.piped(self.negative())

    def negative(self) -> Tree:
        if not self.sees("-"):
            return self.postfix(self.atom())
        token = self.take()
        if self.now.kind == "number":
            number = self.take().value
            return self.postfix(Literal(-number, token.at))  # type: ignore[operator]
        self.depth += 1
        if self.depth > EXPRESSION_DEPTH.default:
            raise ExpressionError(f"An expression nests at most {EXPRESSION_DEPTH.default} deep.", token.at)
        operand = self.negative()
        self.depth -= 1
        return Unary("-", operand, token.at)

    def piped(self, value: Tree) -> Tree:
        pipes = 0
        while self.sees("|"):
            pipes += 1
            if pipes > EXPRESSION_DEPTH.default:
                raise ExpressionError(f"At most {EXPRESSION_DEPTH.default} filters in a row.", self.now.at)
            self.take()
            token = self.take()
            if token.kind != "name":
                raise ExpressionError('After "|" comes the name of a filter.', token.at)
            arguments = self.arguments() if self.sees("(") else ()
            value = self.postfix(Pipe(value, str(token.value), arguments, token.at))
        return value

    def arguments(self) -> tuple[Tree, ...]:
        self.take()
        found: list[Tree] = []
        while not self.sees(")"):
            found.append(self.argument())
            if not self.sees(","):
                break
            self.take()
        self.expect(")", "after the filter's arguments")
        return tuple(found)

    def argument(self) -> Tree:
        parameters = self.lambda_parameters()
        if parameters is None:
            return self.expression(0)
        token = self.take()
        return Lambda(parameters, self.expression(0), token.at)

    def lambda_parameters(self) -> tuple[str, ...] | None:
        """The parameters when a lambda begins here (then `=>` is next), else None and nothing is taken."""
        start = self.position
        names: list[str] = []
        if self.sees("("):
            self.take()
            while self.now.kind == "name":
                names.append(str(self.take().value))
                if self.sees(","):
                    self.take()
            closed = self.sees(")")
            if closed:
                self.take()
        elif self.now.kind == "name":
            names.append(str(self.take().value))
        if names and self.sees("=>"):
            self.check_parameters(names, self.tokens[start].at)
            return tuple(names)
        self.position = start
        return None

    def check_parameters(self, names: list[str], at: int) -> None:
        if len(set(names)) < len(names):
            raise ExpressionError("Two parameters have the same name.", at)
        for name in names:
            if name in _CONSTANTS or name in _OPERATOR_WORDS:
                raise ExpressionError(f'"{name}" cannot be the name of a parameter.', at)

    def postfix(self, value: Tree) -> Tree:
        links = 0
        while self.sees(".") or self.sees("["):
            links += 1
            if links > EXPRESSION_DEPTH.default:
                raise ExpressionError(f"A path has at most {EXPRESSION_DEPTH.default} parts.", self.now.at)
            token = self.take()
            if token.value == ".":
                value = Access(value, self.key_after_dot(), token.at)
            else:
                key = self.expression(0)
                self.expect("]", "after the key")
                value = Access(value, key, token.at)
        return value

    def key_after_dot(self) -> Literal:
        token = self.take()
        if token.kind == "name" and token.value != "not":
            return Literal(str(token.value), token.at)
        if token.kind == "name":
            return Literal("not", token.at)
        if token.kind == "text":
            return Literal(str(token.value), token.at)
        raise ExpressionError('After "." comes a name; write a["b c"] or a[0] for other keys.', token.at)

    def atom(self) -> Tree:
        token = self.take()
        if token.kind in ("number", "text"):
            return Literal(token.value, token.at)
        if token.kind == "name":
            return self.name(token)
        if token.kind == "symbol" and token.value == "(":
            inner = self.expression(0)
            self.expect(")", "to close the bracket")
            return inner
        if token.kind == "symbol" and token.value == "[":
            return self.list_(token)
        if token.kind == "symbol" and token.value == "{":
            return self.map_(token)
        self.position -= 1
        raise ExpressionError(f"Expected a value, found {self.named()}.", token.at)

    def name(self, token: Token) -> Tree:
        name = str(token.value)
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name], token.at)
        if name in _OPERATOR_WORDS:
            raise ExpressionError(f'Expected a value, found "{name}".', token.at)
        if self.sees("("):
            raise ExpressionError(f'Write "value | {name}(…)": functions are filters here.', token.at)
        return Name(name, token.at)

    def list_(self, opening: Token) -> Tree:
        items: list[Tree] = []
        while not self.sees("]"):
            items.append(self.expression(0))
            if not self.sees(","):
                break
            self.take()
        self.expect("]", "to close the list")
        return ListOf(tuple(items), opening.at)

    def map_(self, opening: Token) -> Tree:
        entries: list[tuple[str, Tree]] = []
        seen: set[str] = set()
        while not self.sees("}"):
            token = self.take()
            if token.kind not in ("name", "text"):
                raise ExpressionError("Expected a key.", token.at)
            key = str(token.value)
            if key in seen:
                raise ExpressionError(f'The key "{key}" is given twice.', token.at)
            seen.add(key)
            self.expect(":", "after the key")
            entries.append((key, self.expression(0)))
            if not self.sees(","):
                break
            self.take()
        self.expect("}", "to close the object")
        return MapOf(tuple(entries), opening.at)
