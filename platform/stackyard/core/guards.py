"""Guards: what stands between compiled code and a filter's function.

A guard checks the kinds of the arguments, gives every refusal its filter's name, and charges the budget
for what was made. It runs at every call of a filter, so it is a closure made for the number of
arguments; the usual case costs one look into a set per argument.
"""

from __future__ import annotations

import types as python_types
import typing
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from .errors import Problem
from .secrets import Secret

_WORDS: dict[Any, str] = {
    type(None): "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    str: "text",
    datetime: "a timestamp",
    list: "a list",
    dict: "an object",
}
_PLURALS: dict[Any, str] = {
    bool: "true or false",
    int: "whole numbers",
    float: "numbers",
    Decimal: "numbers",
    str: "texts",
    datetime: "timestamps",
    list: "lists",
    dict: "objects",
}
_VALUES = frozenset(_WORDS)
_NUMBERS: frozenset[Any] = frozenset({int, float, Decimal})
_WHOLE_DIGITS = 18
_LONGEST_SHOWN = 40


class Refusal(Exception):
    """What a filter raises for a value it cannot work with; the guard makes the Problem of it.

    The message goes on from the filter's name: `expected a number above 0, got -1`.
    """

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


class Charged(Protocol):
    """What a guard needs of the budget."""

    def room(self, size: int) -> None:
        """Take `size` bytes."""


def show(value: Any) -> str:
    """A value in a message: short ones as they are written, large ones by their kind."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= _LONGEST_SHOWN else f'"{value[:_LONGEST_SHOWN]}…"'
    if isinstance(value, int) and abs(value) >= 10**_LONGEST_SHOWN:
        return "a very large number"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, Secret):
        return "a secret"
    other = "a function" if isinstance(value, python_types.FunctionType) else "a value of another kind"
    return next((words for kind, words in _WORDS.items() if isinstance(value, kind)), other)


def undecided(answer: Any) -> Refusal:
    """The refusal of what a lambda answered where it had to decide."""
    return Refusal(
        f"expected the function to give true or false, got {show(answer)}",
        "Compare in it: o => o.total > 0, or o => not (o.name | is_empty).",
    )


class Accepts:
    """What one parameter takes when the stack runs, read from its annotation."""

    __slots__ = ("elements", "fast", "kinds", "lambdas", "name", "repeats", "words")

    def __init__(self, annotation: Any, name: str = "", repeats: bool = False) -> None:
        parts = parts_of(annotation)
        self.name = name
        self.repeats = repeats
        self.lambdas = any(map(is_callable, parts))
        plain = [part for part in parts if not is_callable(part)]
        self.kinds = frozenset(kind for part in plain for kind in _kinds_of(part))
        self.elements = _elements_of(plain)
        # A list whose elements are of one kind never takes the fast way: they are looked at in `take`.
        self.fast = self.kinds - {list} if self.elements else self.kinds
        self.words = _words_of(plain, self.lambdas)

    def take(self, value: Any) -> Any:
        """The slow way, for what is not in `fast`: an accepted value, or a Refusal that says what was expected.

        A whole float or decimal passes where a whole number is asked for, since JSON knows no difference.
        """
        kind = value.__class__
        if kind in self.kinds:
            return value if kind is not list or self.elements is None else self._elements(value)
        if int in self.kinds and kind in (float, Decimal):
            whole = _whole(value)
            if whole is not None:
                return whole
        if self.lambdas and isinstance(value, python_types.FunctionType):
            return value
        if self.kinds >= _VALUES and not isinstance(value, python_types.FunctionType):
            return value
        if not isinstance(value, bool) and isinstance(value, tuple(self.kinds)):
            return value
        raise Refusal(f"expected {self._wanted()}, got {show(value)}", _hint(value))

    def _wanted(self) -> str:
        return f"{self.words} for {self.name}" if self.name else self.words

    def _elements(self, value: list[Any]) -> list[Any]:
        wanted = self.elements
        assert wanted is not None
        if wanted.kinds.issuperset(map(type, value)):
            return value
        taken = []
        for position, element in enumerate(value):
            try:
                taken.append(wanted.take(element))
            except Refusal:
                raise Refusal(
                    f"expected {self._wanted()}, got {show(element)} at position {position}",
                    _hint_in_list(element),
                ) from None
        return taken


def parts_of(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation: `str | None` has two, any other is its own only one."""
    if isinstance(annotation, python_types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return typing.get_args(annotation)
    return (annotation,)


def is_callable(part: Any) -> bool:
    """Whether an alternative is a lambda: `Callable[..., object]`."""
    return typing.get_origin(part) is Callable


def _kinds_of(part: Any) -> frozenset[Any]:
    origin = typing.get_origin(part) or part
    if origin in (object, Any):
        return _VALUES
    if origin is float:
        return _NUMBERS
    return frozenset({origin})


def _elements_of(parts: Sequence[Any]) -> Accepts | None:
    for part in parts:
        if typing.get_origin(part) is list:
            made = Accepts(typing.get_args(part)[0])
            return made if not made.kinds >= _VALUES else None
    return None


def _words_of(parts: Sequence[Any], lambdas: bool) -> str:
    every_number = set(parts) >= _NUMBERS
    words = ["a number" if every_number and part in _NUMBERS else _word(part) for part in parts]
    if lambdas:
        words.append("a function (x => …)")
    return " or ".join(sorted(dict.fromkeys(words), key=lambda word: word == "null"))


def _word(part: Any) -> str:
    inner = _elements_of([part])
    if inner is None:
        return _WORDS.get(typing.get_origin(part) or part, "a value")
    plurals = {_PLURALS[kind] for kind in inner.kinds if kind in _PLURALS}
    if "numbers" in plurals:
        plurals.discard("whole numbers")
    return f"a list of {' or '.join(sorted(plurals))}"


def _whole(value: float | Decimal) -> int | None:
    """The whole number that a float or decimal is, or None."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**63 else None
    if value.is_finite() and value.adjusted() <= _WHOLE_DIGITS and value == value.to_integral_value():
        return int(value)
    return None


def _hint(value: Any) -> str | None:
    return 'Give a value for null with "??": (x ?? …) | …' if value is None else None


def _hint_in_list(value: Any) -> str | None:
    return "Take the nulls out first: … | filter_null | …" if value is None else None


# --- the guards themselves --------------------------------------------------------------------------

_SLIPS = (Refusal, ArithmeticError, RecursionError)


def failure_of(name: str, slip: Exception) -> Problem:
    """The Problem of a refusal, or of a computation that Python itself gave up."""
    suggestion = None
    if isinstance(slip, Refusal):
        message, suggestion = slip.message, slip.suggestion
    elif isinstance(slip, RecursionError):
        message = "the value is nested too deep"
    else:
        message = "the result is not a number, or too large for one"
    return Problem("EXPRESSION_FAILED", f"{name}: {message}", status=422, suggestion=suggestion)


def weigh(value: Any) -> int:
    """About the bytes of a text, or of a list or object without what it holds."""
    kind = value.__class__
    if kind is str:
        return len(value)
    if kind is list:
        return 8 * len(value)
    return 100 * len(value) if kind is dict else 0


def guard(call: Callable[..., Any], name: str, accepts: Sequence[Accepts]) -> Callable[..., Any]:
    """A filter's function behind checks of its arguments (a budget among them, if the function takes one)."""
    makers = {1: _one, 2: _two, 3: _three, 4: _four}
    variadic = any(entry.repeats for entry in accepts)
    made = _many if variadic else makers.get(len(accepts), _many)
    checked = made(call, name, tuple(accepts))
    if made is not _many and isinstance(checked, python_types.FunctionType):
        checked.__defaults__ = getattr(call, "__defaults__", None)
    return checked


def charging(call: Callable[..., Any], name: str, accepts: Sequence[Accepts]) -> Callable[..., Any]:
    """The same, called with the budget first, which pays for the text, list or object that comes out."""
    if len(accepts) == 1:
        return _one_charged(call, name, accepts[0])
    if len(accepts) == 2 and not accepts[1].repeats:
        return _two_charged(call, name, *accepts)
    inner = guard(call, name, accepts)

    def checked(budget: Charged, *arguments: Any) -> Any:
        result = inner(*arguments)
        budget.room(weigh(result))
        return result

    return checked


def _one(call: Callable[..., Any], name: str, accepts: Sequence[Accepts]) -> Callable[..., Any]:
    (first,) = accepts
    kinds, take = first.fast, first.take

    def checked(value: Any) -> Any:
        try:
            return call(value if value.__class__ in kinds else take(value))
        except _SLIPS as slip:
            raise failure_of(name, slip) from None

    return checked


def _two(call: Callable[..., Any], name: str, accepts: Sequence[Accepts]) -> Callable[..., Any]:
    first, second = accepts
    kinds1, kinds2 = first.fast, second.fast

    def checked(value: Any, argument: Any) -> Any:
        try:
            if value.__class__ not in kinds1:
                value = first.take(value)
            if argument.__class__ not in kinds2:
                argument = second.take(argument)
            return call(value, argument)
        except _SLIPS as slip:
            raise failure_of(name, slip) from None

    return checked


def _three(call: Callable[..., Any], name: str, accepts: Sequence[Accepts]) -> Callable[..., Any]:
    first, second, third = accepts
    kinds1, kinds2, kinds3 = first.fast, second.fast, third.fast

    def checked(value: Any, argument1: Any, argument2: Any) -> Any:
        try:
            if value.__class__ not in kinds1:
                value = first.take(value)
            if argument1.__class__ not in kinds2:
                argument1 = second.take(argument1)
            if argument2.__class__ not in kinds3:
                argument2 = third.take(argument2)
            return call(value, argument1, argument2)
        except _SLIPS as slip:
            raise failure_of(name, slip) from None

    return checked


def _four(call: Callable[..., Any], name: str, accepts: Sequence[Accepts]) -> Callable[..., Any]:
    first, second, third, fourth = accepts
    kinds1, kinds2, kinds3, kinds4 = first.fast, second.fast, third.fast, fourth.fast

    def checked(value: Any, argument1: Any, argument2: Any, argument3: Any) -> Any:
        try:
            if value.__class__ not in kinds1:
                value = first.take(value)
            if argument1.__class__ not in kinds2:
                argument1 = second.take(argument1)
            if argument2.__class__ not in kinds3:
                argument2 = third.take(argument2)
            if argument3.__class__ not in kinds4:
                argument3 = fourth.take(argument3)
            return call(value, argument1, argument2, argument3)
        except _SLIPS as slip:
            raise failure_of(name, slip) from None

    return checked


def _many(call: Callable[..., Any], name: str, accepts: Sequence[Accepts]) -> Callable[..., Any]:
    last = accepts[-1]

    def checked(*arguments: Any) -> Any:
        try:
            taken = [
                value if value.__class__ in entry.fast else entry.take(value)
                for entry, value in zip(accepts, arguments, strict=False)
            ]
            # What comes after the named parameters goes to the last one, which repeats.
            taken += [last.take(value) for value in arguments[len(accepts) :]]
            return call(*taken)
        except _SLIPS as slip:
            raise failure_of(name, slip) from None

    return checked


def _one_charged(call: Callable[..., Any], name: str, accepts: Accepts) -> Callable[..., Any]:
    kinds, take = accepts.fast, accepts.take

    def checked(budget: Charged, value: Any) -> Any:
        try:
            result = call(value if value.__class__ in kinds else take(value))
        except _SLIPS as slip:
            raise failure_of(name, slip) from None
        budget.room(weigh(result))
        return result

    return checked


def _two_charged(call: Callable[..., Any], name: str, first: Accepts, second: Accepts) -> Callable[..., Any]:
    kinds1, kinds2 = first.fast, second.fast

    def checked(budget: Charged, value: Any, argument: Any) -> Any:
        try:
            if value.__class__ not in kinds1:
                value = first.take(value)
            if argument.__class__ not in kinds2:
                argument = second.take(argument)
            result = call(value, argument)
        except _SLIPS as slip:
            raise failure_of(name, slip) from None
        budget.room(weigh(result))
        return result

    checked.__defaults__ = getattr(call, "__defaults__", None)
    return checked
