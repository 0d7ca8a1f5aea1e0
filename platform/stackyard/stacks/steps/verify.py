"""Verify what somebody has signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import sealing
from stackyard.core import types as t

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Constant, Value
from ..step import Line, Step
from .encrypt import warn_of_open_key


def verify(execution: Execution, token: Any, key: Any, algorithm: str) -> dict[str, Any]:
    """The payload."""
    return sealing.verify(token, key, algorithm)


class Verify(Step):
    """Read a signed token. One with another key or algorithm, changed or out of date, fails with INVALID_SIGNATURE (401)."""

    name = "verify"
    label = "Verify"
    group = "security"
    icon = "check"
    sentence = "Verify {token}[ with {algorithm}]"
    synonyms = "jws jwt hmac token signature check"
    result_name = "payload"
    parameters = (
        Value("token", "The signed token.", required=True, type=t.TEXT),
        Value(
            "key",
            "The secret it was signed with; for RS256, ES256, EdDSA the public key in PEM.",
            required=True,
        ),
        Constant(
            "algorithm",
            "How it must be signed; what the token says of that is not believed.",
            default="HS256",
            choices=sealing.ALGORITHMS,
        ),
    )
    run = staticmethod(verify)
    raises = ("INVALID_SIGNATURE",)
    examples = (
        {
            "lines": [
                {
                    "step": "sign",
                    "as": "token",
                    "params": {"payload": {"order": 7}, "key": {"$expr": "env.MY_KEY"}},
                },
                {
                    "step": "verify",
                    "as": "payload",
                    "params": {"token": {"$expr": "token"}, "key": {"$expr": "env.MY_KEY"}},
                },
            ],
            "response": "payload.order",
            "is": 7,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """An object."""
        warn_of_open_key(line, checker)
        return t.OBJECT
