"""Filters: small typed functions that an expression pipes values through.

A function marked `@filter("text")` becomes the filter of its own name (a trailing `_` is dropped, so
that `in_` and `map_` can be written). Its parameters' types come from its annotations, its help from
the first paragraph of its docstring, its runnable examples from the `>>>` lines:

    @filter("text")
    def to_upper(value: str) -> str:
        \"\"\"Letters in upper case.

        >>> "abc" | to_upper
        "ABC"
        \"\"\"
        return value.upper()

Annotations: `str int float bool datetime list dict object` (`float` takes every number, as does the alias
`Number`), `list[str]` where every element must be one, `X | None` where null is welcome, `Callable[...,
object]` for a lambda (`o => …`), `*values: object` where any number of arguments may follow, and `Budget`
for the first parameter to be handed the run's budget (not a parameter for people).

What runs is `Filter.checked`: the function behind a guard (guards.py) that checks those annotations. A
filter says no by raising `Refusal`. A filter that takes the budget pays for what it makes itself, with
`budget.room(size)` before it makes it and `budget.spend(turns)` for every turn of a loop; for any other that
makes a text, a list or an object, the guard pays. In both cases `takes_budget` is true and `checked` is
called with the budget first.

The result's type is the annotation's, unless `result=` computes it from the types of the piped value and of
the arguments. For a lambda argument, the type given at its position is that of the lambda's body, so that
`map` makes a list of what its lambda makes (`lambda_result`). `lambda_types=` says what the lambda is called
with, from the types of the piped value and of the other arguments.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from . import types as t
from .errors import Problem
from .guards import Accepts, charging, guard, is_callable, parts_of
from .limits import EXPRESSION_STEPS, OUTPUT_BYTES

Number = int | float | Decimal
"""Every number: the annotation `float` by another name, for functions that treat decimals apart."""

MOST_ARGUMENTS = 32
"""How many arguments a filter whose last parameter repeats may be given."""

FUNCTION = t.Type("function")
"""The type of a parameter that takes a lambda only."""

Marked = TypeVar("Marked", bound=Callable[..., Any])


class Budget:
    """What one evaluation may still use: `steps`, and `bytes` of values made (language.md, Expressions)."""

    __slots__ = ("bytes", "steps")

    def __init__(self, steps: int = EXPRESSION_STEPS.default, bytes: int = OUTPUT_BYTES.default) -> None:
        self.steps = steps
        self.bytes = bytes

    def spend(self, turns: int) -> None:
        """Take `turns` steps. Problem `BUDGET_EXCEEDED` when there are none left."""
        self.steps -= turns
        if self.steps < 0:
            raise Problem(
                "BUDGET_EXCEEDED",
                f"An expression may take at most {EXPRESSION_STEPS.default:,} steps.",
                status=422,
                suggestion="Work on fewer values at once, or let the database filter them.",
            )

    def room(self, size: int) -> None:
        """Take `size` bytes (about) for a value that is made. Problem `BUDGET_EXCEEDED` past 10 MB in all.

        All values of one evaluation count together: many small ones in a loop are one large one.
        """
        self.bytes -= size
        if self.bytes < 0:
            raise Problem(
                "BUDGET_EXCEEDED",
                f"An expression may make at most {OUTPUT_BYTES.default:,} bytes.",
                status=422,
                suggestion="Work on less at once, or let the database filter and page.",
            )


FULL_BUDGET: Mapping[str, int] = {"steps": EXPRESSION_STEPS.default, "bytes": OUTPUT_BYTES.default}
"""What a new budget holds, by attribute: compiled code fills one up instead of making one for every line."""


@dataclass(frozen=True, slots=True)
class FilterParameter:
    """One argument after the piped value.

    `is_lambda` ones are written `o => …`; where a plain value will do too (a path), `type` is that value's
    type, else FUNCTION. One that `repeats` is the last and stands for any number of arguments.
    """

    name: str
    type: t.Type
    required: bool
    default: Any = None
    is_lambda: bool = False
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """`source` is an expression, `result` the expression it must equal."""

    source: str
    result: str


# Given the types of the piped value and the arguments (in order; ANY where unknown; for a lambda the type of
# its body): the result's type.
ResultType = Callable[[Sequence[t.Type]], t.Type]
# Given the same before the lambda's body is known (any stands for it; arguments may be left out): the types of
# the lambda's parameters.
LambdaTypes = Callable[[Sequence[t.Type]], Sequence[t.Type]]


def element(given: Sequence[t.Type]) -> t.Type:
    """The type of what the piped list holds."""
    return given[0].of or t.ANY if given and given[0].name == "list" else t.ANY


def element_or_null(given: Sequence[t.Type]) -> t.Type:
    """What the piped list holds, or null."""
    return element(given).or_null()


def same(given: Sequence[t.Type]) -> t.Type:
    """The type of the piped value."""
    return given[0] if given else t.ANY


def element_and_index(given: Sequence[t.Type]) -> Sequence[t.Type]:
    """A lambda over a list gets the element and its index (0-based)."""
    return (element(given), t.INT)


def lambda_result(given: Sequence[t.Type]) -> t.Type:
    """What the lambda in first place makes; any when a path or nothing stands there."""
    return given[1] if len(given) > 1 else t.ANY


@dataclass(frozen=True)
class Filter:
    """A filter as the check, the compiler, the console and the docs see it.

    `checked(value, *arguments)`, with the budget before them when `takes_budget`, is what runs: Problem
    `EXPRESSION_FAILED` (422) that names the filter, what it expected and what it got; `BUDGET_EXCEEDED`.
    `call` is the bare function.
    """

    name: str
    family: str
    call: Callable[..., Any]
    checked: Callable[..., Any]
    value: t.Type
    parameters: tuple[FilterParameter, ...]
    result: ResultType
    lambda_types: LambdaTypes
    takes_budget: bool
    help: str
    examples: tuple[Example, ...]

    def arity(self) -> tuple[int, int]:
        """The least and the most arguments after the piped value."""
        repeats = bool(self.parameters) and self.parameters[-1].repeats
        return sum(p.required for p in self.parameters), MOST_ARGUMENTS if repeats else len(self.parameters)


_filters: dict[str, Filter] = {}


def filters() -> Mapping[str, Filter]:
    """Every filter by name."""
    return _filters


def filter(
    family: str, *, result: ResultType | None = None, lambda_types: LambdaTypes = element_and_index
) -> Callable[[Marked], Marked]:
    """Mark a function as a filter of a family; TypeError at import for a doubled name or a missing docstring."""

    def mark(function: Marked) -> Marked:
        made = _describe(function, family, result, lambda_types)
        twin = _filters.get(made.name)
        if twin is not None and twin.call.__module__ != function.__module__:
            raise TypeError(f"filter {made.name!r} is defined twice")
        _filters[made.name] = made
        return function

    return mark


def _describe(
    function: Callable[..., Any], family: str, result: ResultType | None, lambda_types: LambdaTypes
) -> Filter:
    hints = typing.get_type_hints(function)
    parameters = list(inspect.signature(function).parameters.values())
    has_budget = hints[parameters[0].name] is Budget
    people = parameters[1:] if has_budget else parameters
    returned = type_of_annotation(hints["return"])
    name = function.__name__.rstrip("_")
    makes = not has_budget and _makes(hints["return"])
    help_text, examples = _read_docstring(function)
    accepts = [
        Accepts(hints[p.name], "" if p is people[0] else p.name.rstrip("_"), p.kind is p.VAR_POSITIONAL)
        for p in parameters
    ]
    return Filter(
        name=name,
        family=family,
        call=function,
        checked=(charging if makes else guard)(function, name, accepts),
        value=type_of_annotation(hints[people[0].name]),
        parameters=tuple(_parameter(p, hints[p.name]) for p in people[1:]),
        result=result or (lambda _given: returned),
        lambda_types=lambda_types,
        takes_budget=has_budget or makes,
        help=help_text,
        examples=examples,
    )


def _makes(annotation: Any) -> bool:
    """Whether the result is something new that takes room: a text, a list or an object."""
    return any((typing.get_origin(part) or part) in (str, list, dict) for part in parts_of(annotation))


def _parameter(parameter: inspect.Parameter, annotation: Any) -> FilterParameter:
    repeats = parameter.kind is parameter.VAR_POSITIONAL
    required = parameter.default is inspect.Parameter.empty and not repeats
    return FilterParameter(
        name=parameter.name.rstrip("_"),
        type=type_of_annotation(annotation),
        required=required,
        default=None if required or repeats else parameter.default,
        is_lambda=any(map(is_callable, parts_of(annotation))),
        repeats=repeats,
    )


_PLAIN: Mapping[Any, t.Type] = {
    str: t.TEXT,
    int: t.INT,
    float: t.NUMBER,
    Decimal: t.DECIMAL,
    bool: t.BOOL,
    datetime: t.TIMESTAMP,
    list: t.LIST,
    dict: t.OBJECT,
    object: t.ANY,
    Any: t.ANY,
    type(None): t.NULL,
}


def type_of_annotation(annotation: Any) -> t.Type:
    """The value type a Python annotation stands for."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    parts = [part for part in parts_of(annotation) if not is_callable(part)]
    if not parts:
        return FUNCTION
    if len(parts) > 1:
        return _type_of_union(parts)
    if typing.get_origin(annotation) is list:
        return t.list_of(type_of_annotation(typing.get_args(annotation)[0]))
    if typing.get_origin(annotation) is dict:
        return t.OBJECT
    return t.ANY


def _type_of_union(parts: Sequence[Any]) -> t.Type:
    if set(typing.get_args(Number)) <= set(parts):
        parts = [float, *(part for part in parts if part not in typing.get_args(Number))]
    made = type_of_annotation(parts[0])
    for part in parts[1:]:
        made = t.join(made, type_of_annotation(part))
    return made


def _read_docstring(function: Callable[..., Any]) -> tuple[str, tuple[Example, ...]]:
    text = inspect.getdoc(function)
    if not text:
        raise TypeError(f"filter {function.__name__!r} needs a docstring: it is its help")
    lines = text.splitlines()
    examples = []
    for number, line in enumerate(lines):
        if line.startswith(">>> "):
            examples.append(Example(line[4:].strip(), lines[number + 1].strip()))
    help_text = " ".join(text.split(">>>")[0].split())
    return help_text, tuple(examples)
