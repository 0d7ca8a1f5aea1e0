"""What tests of endpoints say again and again: parts of documents, and what an answer must be."""

from __future__ import annotations

from typing import Any

from tests.doors import Answer


def expression(text: str) -> dict[str, str]:
    """A value that is worked out."""
    return {"$expr": text}


def line(step: str, **params: Any) -> dict[str, Any]:
    """A line of a stack."""
    return {"step": step, "params": params}


def assert_refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The contract's error shape, and nothing else in it; the error is returned."""
    assert (answer.status, answer.error["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"error"}
    assert answer.error.keys() <= {"code", "message", "suggestion", "request_id", "details"}
    assert answer.error["message"]
    assert answer.error["request_id"] == answer.headers["x-request-id"]
    return answer.error


def fields_of(answer: Answer) -> dict[str, str]:
    """The fields an INVALID_INPUT names, with the code of each."""
    assert_refused(answer, 400, "INVALID_INPUT")
    return {detail["field"]: detail["code"] for detail in answer.error["details"]}
