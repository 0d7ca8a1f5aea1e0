"""The stack compiler against an oracle that walks: random stacks over three variables."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stackyard.core.errors import Problem
from stackyard.core.jsonout import encode
from stackyard.stacks.check import check_document
from stackyard.stacks.compiler import compile_stack
from stackyard.stacks.document import with_ids
from stackyard.stacks.runner import Plan

from .stack_oracle import Walker
from .test_stacks import CATALOGUE, execution

FUZZ = os.environ.get("STACKYARD_FUZZ") == "1"

_values = st.sampled_from(
    [
        "1",
        "0.5",
        '"t"',
        "null",
        "true",
        "a",
        "b",
        "c",
        "a + 1",
        "b ?? 2",
        "[a, b]",
        "{k: a}",
        "c.k",
        "a == b",
        "a < 3",
    ]
).map(lambda source: {"$expr": source})
_tests = st.sampled_from(["a == 1", "b != null", "c == null", "a == b", "not (a == c)"]).map(
    lambda s: {"$expr": s}
)
_names = st.sampled_from(["a", "b", "c"])


def _line(step: str, **params: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"step": st.just(step), "params": st.fixed_dictionaries(params)})


_simple = st.one_of(
    _line("set_variable", name=_names, value=_values),
    _line("update_variable", path=st.sampled_from(["a", "b.k", "c[0]", "a.k.j"]), value=_values),
    _line("throw", status=st.sampled_from([400, 409]), code=st.just("E"), message=_values),
    _line("return", value=_values),
    _line("precondition", **{"if": _tests}),
)


def _nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    block = st.lists(inner, max_size=3)
    leaving = st.one_of(
        inner, st.sampled_from(["break", "continue"]).map(lambda s: {"step": s, "params": {}})
    )
    body = st.lists(leaving, max_size=4)
    cases = st.lists(st.fixed_dictionaries({"when": _values, "do": block}), max_size=2)
    else_if = st.lists(st.fixed_dictionaries({"if": _tests, "then": block}), max_size=2)
    return st.one_of(
        _line("condition", **{"if": _tests, "then": block, "else_if": else_if, "else": block}),
        _line("switch", value=_values, cases=cases, default=block),
        _line(
            "for_each",
            **{"in": st.sampled_from([[1, 2, 3], {"$expr": "[a, b, c]"}]), "item": st.just("it"), "do": body},
        ),
        _line("for", count=st.integers(0, 3), do=body),
        _line("group", title=st.just("t"), do=block),
        _line(
            "try_catch",
            **{
                "try": block,
                "catch": block,
                "finally": st.lists(_line("set_variable", name=_names, value=_values), max_size=1),
            },
        ),
    )


_lines = st.lists(st.recursive(_simple, _nest, max_leaves=8), max_size=6)


def _outcome(run: Any) -> Any:
    try:
        return encode(run())
    except Problem as problem:
        return problem.code, problem.status, problem.message


@settings(max_examples=3000 if FUZZ else 250, deadline=None)
@given(_lines)
def test_the_compiler_agrees_with_the_oracle(lines: list[Any]) -> None:
    start = [
        {"step": "set_variable", "params": {"name": n, "value": v}}
        for n, v in (("a", 1), ("b", None), ("c", {}))
    ]
    response = {name: {"$expr": name} for name in "abc"}
    document = with_ids({"format": 1, "inputs": {}, "lines": [*start, *lines], "response": response})
    checked = check_document(document, CATALOGUE)
    expected = _outcome(Walker(document, {}).run)
    for traced in (False, True):
        # Also where the check found faults: what it compiles must still do what the walk does.
        compiled = compile_stack(
            document, CATALOGUE.schema, {}, {} if checked.errors else checked.trees, traced=traced
        )
        assert _outcome(lambda c=compiled: Plan(document, c).run(execution(), {})) == expected
