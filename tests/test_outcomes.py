"""What a stack's document tells about how it can end."""

from __future__ import annotations

from typing import Any

import pytest

from stackyard.stacks.endings import Raised
from stackyard.stacks.outcomes import outcomes

FAILED = 422


def line(step: str, **params: Any) -> dict[str, Any]:
    return {"id": step, "step": step, "params": params}


def expr(source: str) -> dict[str, str]:
    return {"$expr": source}


def throw(code: Any = "NO", status: Any = 400, message: Any = "") -> dict[str, Any]:
    return line("throw", code=code, status=status, message=message)


def raised(lines: list[dict[str, Any]], functions: dict[str, Any] | None = None) -> list[Raised]:
    found = outcomes({"lines": lines}, functions or {}).raised
    return [one for one in found if one.status != FAILED]


def test_a_stack_without_lines_answers_200() -> None:
    found = outcomes({"lines": [], "response": {"a": 1}}, {})
    assert (found.statuses, found.raised) == ((200,), ())


def test_an_expression_may_fail() -> None:
    found = outcomes({"lines": [], "response": expr("input.a / 2")}, {})
    assert [(one.status, one.code) for one in found.raised] == [(422, "EXPRESSION_FAILED")]


def test_preconditions_and_throws_stand_in_reading_order() -> None:
    precondition = line(
        "precondition",
        **{"if": expr("a"), "status": 404, "code": "NO_A", "message": "No a", "suggestion": "Make an a"},
    )
    assert raised([precondition, throw("B", 409)]) == [
        Raised(404, "NO_A", "No a", "Make an a"),
        Raised(409, "B"),
    ]


def test_defaults_of_a_kind_count() -> None:
    assert raised([line("precondition", **{"if": expr("a")})])[0] == Raised(
        400, "PRECONDITION_FAILED", "A precondition is not met."
    )


def test_what_an_expression_decides_is_left_open() -> None:
    found = raised([throw(expr("code"), expr("status"), expr('"No customer " ~ input.id ~ "."'))])
    assert found == [Raised(None, None, "No customer ….")]


def test_a_message_that_does_not_parse_is_left_out() -> None:
    assert raised([throw(message=expr('"a" ~'))]) == [Raised(400, "NO")]


def test_nested_lines_count_and_disabled_ones_do_not() -> None:
    off = {**throw("OFF"), "disabled": True}
    inner = line(
        "for_each", **{"in": [], "item": "x", "do": [line("group", title="", do=[throw("DEEP")]), off]}
    )
    branches = line(
        "condition",
        **{
            "if": True,
            "then": [throw("A")],
            "else_if": [{"if": False, "then": [throw("B")]}],
            "else": [throw("C")],
        },
    )
    assert [one.code for one in raised([inner, branches])] == ["DEEP", "A", "B", "C"]


def test_a_try_takes_its_own_problems_and_not_those_of_catch_and_finally() -> None:
    tried = line("try_catch", **{"try": [throw("A")], "catch": [throw("B")], "finally": [throw("C")]})
    assert [one.code for one in raised([tried])] == ["B", "C"]


def test_called_functions_are_followed_once() -> None:
    functions = {
        "check": {"lines": [throw("IN_FUNCTION"), line("call_function", function="check")]},
        "unused": {"lines": [throw("UNUSED")]},
    }
    calls = [line("call_function", function="check"), line("call_function", function=expr("x"))]
    assert [one.code for one in raised(calls, functions)] == ["IN_FUNCTION"]


@pytest.mark.parametrize("step", ["edit_record", "patch_record", "delete_record"])
def test_steps_on_one_record_can_miss_it(step: str) -> None:
    found = raised([line(step, table="t", value=1, data={})])
    assert {(one.status, one.code) for one in found} == {(404, "NOT_FOUND"), (409, "CONFLICT")}


def test_a_status_set_for_certain_stands_instead_of_200() -> None:
    assert outcomes({"lines": [line("set_status", status=201)]}, {}).statuses == (201,)


def test_a_status_set_in_a_branch_stands_beside_200() -> None:
    branch = line("condition", **{"if": expr("x"), "then": [line("set_status", status=202)]})
    assert outcomes({"lines": [branch]}, {}).statuses == (200, 202)


def test_a_status_that_an_expression_sets_is_open() -> None:
    branch = line("group", title="", do=[line("set_status", status=expr("s"))])
    assert outcomes({"lines": [branch]}, {}).statuses == (200, None)


def test_what_is_no_line_is_passed_over() -> None:
    assert outcomes({"lines": ["x", 5, {"step": "nothing"}, {"id": "a"}]}, {}).statuses == (200,)
    assert outcomes({"lines": "x"}, {}).statuses == (200,)
