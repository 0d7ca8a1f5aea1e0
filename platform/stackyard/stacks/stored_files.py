"""Stored files as stacks and lambdas use them: under the run's workspace and in its caller's name."""

from __future__ import annotations

import base64
from typing import Any

from stackyard.core import vault
from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.core.outbound import octets
from stackyard.core.vault.keeping import ACCESS, KINDS

from .execution import Execution


def create(execution: Execution, value: Any, kind: Any, access: Any, name: Any) -> dict[str, Any]:
    """Keep an upload, a text or bytes as a file; what is known of it."""
    if kind not in KINDS:
        raise invalid_input([Detail("kind", "value", f"expected one of {', '.join(KINDS)}")])
    if access not in ACCESS:
        raise invalid_input([Detail("access", "value", f"expected one of {', '.join(ACCESS)}")])
    if name is not None and not isinstance(name, str):
        raise invalid_input([Detail("name", "type", "expected a text")])
    content = value if isinstance(value, vault.Upload) else octets(value, "The file's content")
    principal = execution.principal
    creator = f"{principal.kind}:{principal.id}" if principal.id is not None else principal.kind
    row = vault.create(execution.workspace_id, content, kind=kind, access=access, name=name, creator=creator)
    return vault.as_json(row)


def read(execution: Execution, file: Any, encoding: str) -> Any:
    """The content of a file: a text, base64, or `{"$bytes": base64}`. Problem `NOT_FOUND`, `PAYLOAD_TOO_LARGE`."""
    raw = vault.read_bytes(vault.find(execution.workspace_id, file))
    if encoding == "base64":
        return base64.b64encode(raw).decode()
    if encoding == "bytes":
        return {"$bytes": base64.b64encode(raw).decode()}
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem(
            "INVALID_INPUT", "The file is not text in UTF-8.", suggestion="Read it as base64 or bytes."
        ) from None


def delete(execution: Execution, file: Any) -> None:
    """Remove a file. Problem `NOT_FOUND`."""
    vault.delete(vault.find(execution.workspace_id, file))


def sign(execution: Execution, file: Any, seconds: Any) -> str:
    """A URL that opens a file for so many seconds. Problem `NOT_FOUND`, `INVALID_INPUT`."""
    return vault.signed_url(vault.find(execution.workspace_id, file), seconds)
