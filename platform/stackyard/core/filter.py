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

Annotations: `str int float bool datetime list dict object` (`float` takes every number), `X | None` where
null is welcome, `Callable[..., object]` for a lambda (`o => …`), `Budget` to be handed the run's budget
(not a parameter for people). A filter that can make something large calls `budget.room(size)` before it
does, and a filter that loops over what it is given calls `budget.spend(turns)`.
"""

from __future__ import annotations

import inspect
import types as python_types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from . import types as t
from .errors import Problem
from .limits import EXPRESSION_STEPS, OUTPUT_BYTES


class Budget:
    """What one evaluation may still use: `steps` (language.md, Expressions)."""

    __slots__ = ("steps",)

    def __init__(self, steps: int = EXPRESSION_STEPS.default) -> None:
        self.steps = steps

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
        """Make sure that a value of `size` bytes (about) may be made. Problem `BUDGET_EXCEEDED` past 10 MB."""
        if size > OUTPUT_BYTES.default:
            raise Problem(
                "BUDGET_EXCEEDED",
                f"An expression may make at most {OUTPUT_BYTES.default:,} bytes.",
                status=422,
            )


@dataclass(frozen=True, slots=True)
class FilterParameter:
    """One argument after the piped value. `is_lambda` ones are written `o => …`."""

    name: str
    type: t.Type
    required: bool
    default: Any = None
    is_lambda: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """`source` is an expression, `result` the expression it must equal."""

    source: str
    result: str


# Given the types of the piped value and the arguments (in order; ANY where unknown): the result's type.
ResultType = Callable[[Sequence[t.Type]], t.Type]
# Given the same: the types of the lambda's parameters.
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


@dataclass(frozen=True)
class Filter:
    """A filter as the check, the compiler, the console and the docs see it."""

    name: str
    family: str
    call: Callable[..., Any]
    value: t.Type
    parameters: tuple[FilterParameter, ...]
    result: ResultType
    lambda_types: LambdaTypes
    takes_budget: bool
    help: str
    examples: tuple[Example, ...]

    def arity(self) -> tuple[int, int]:
        """The least and the most arguments after the piped value."""
        return sum(p.required for p in self.parameters), len(self.parameters)


_filters: dict[str, Filter] = {}


def filters() -> Mapping[str, Filter]:
    """Every filter by name."""
    return _filters


def filter(
    family: str, *, result: ResultType | None = None, lambda_types: LambdaTypes = element_and_index
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as a filter of a family; TypeError at import for a doubled name or a missing docstring."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
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
    takes_budget = any(hints[p.name] is Budget for p in parameters)
    people = [p for p in parameters if hints[p.name] is not Budget]
    returned = type_of_annotation(hints["return"])
    help_text, examples = _read_docstring(function)
    return Filter(
        name=function.__name__.rstrip("_"),
        family=family,
        call=function,
        value=type_of_annotation(hints[people[0].name]),
        parameters=tuple(_parameter(p, hints[p.name]) for p in people[1:]),
        result=result or (lambda _given: returned),
        lambda_types=lambda_types,
        takes_budget=takes_budget,
        help=help_text,
        examples=examples,
    )


def _parameter(parameter: inspect.Parameter, annotation: Any) -> FilterParameter:
    required = parameter.default is inspect.Parameter.empty
    return FilterParameter(
        name=parameter.name.rstrip("_"),
        type=type_of_annotation(annotation),
        required=required,
        default=None if required else parameter.default,
        is_lambda=_is_callable(annotation),
    )


def _is_callable(annotation: Any) -> bool:
    parts = typing.get_args(annotation) if isinstance(annotation, python_types.UnionType) else (annotation,)
    return any(typing.get_origin(part) is Callable or part is Callable for part in map(_origin, parts))


def _origin(annotation: Any) -> Any:
    import collections.abc

    return Callable if typing.get_origin(annotation) is collections.abc.Callable else annotation


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
    if isinstance(annotation, python_types.UnionType):
        made = t.NULL
        for part in typing.get_args(annotation):
            made = t.join(made, type_of_annotation(part))
        return made
    if typing.get_origin(annotation) is list:
        return t.list_of(type_of_annotation(typing.get_args(annotation)[0]))
    if typing.get_origin(annotation) is dict:
        return t.OBJECT
    return t.ANY


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
