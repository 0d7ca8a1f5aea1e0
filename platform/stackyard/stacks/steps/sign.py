"""Sign an object."""

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


def sign(execution: Execution, payload: Any, key: Any, algorithm: str, expires_in: Any) -> str:
    """The signed token."""
    return sealing.sign(payload, key, algorithm, expires_in)


class Sign(Step):
    """Sign an object (JWS, RFC 7515): whoever has the key can tell that it is unchanged, and everybody can read it."""

    name = "sign"
    label = "Sign"
    group = "security"
    icon = "key"
    sentence = "Sign {payload}[ with {algorithm}]"
    synonyms = "jws jwt hmac token signature"
    result_name = "token"
    parameters = (
        Value("payload", "What is signed.", required=True, type=t.OBJECT),
        Value(
            "key",
            "A secret of 16 characters or more; for RS256, ES256, EdDSA a private key in PEM.",
            required=True,
        ),
        Constant("algorithm", "How it is signed.", default="HS256", choices=sealing.ALGORITHMS),
        Value(
            "expires_in",
            "Seconds until it is out of date; null: never.",
            type=t.INT.or_null(),
            default=None,
            advanced=True,
        ),
    )
    run = staticmethod(sign)
    examples = (
        {
            "lines": [
                {
                    "step": "sign",
                    "as": "token",
                    "params": {"payload": {"order": 7}, "key": {"$expr": "env.MY_KEY"}},
                }
            ],
            "response": 'token | split(".") | count',
            "is": 3,
        },
    )

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A text."""
        warn_of_open_key(line, checker)
        return t.TEXT
