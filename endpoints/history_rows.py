"""From a call as it was noted to a row of the history: masked, cut, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stackyard.core.jsonout import encode
from stackyard.core.limits import HISTORY_BODY_BYTES, HISTORY_TRACE_BYTES
from stackyard.core.masking import Masker
from stackyard.core.secrets import Secret
from stackyard.stacks.execution import workspace_facts

from .masking import headers_of, masked_body, masked_query, plain_text

if TYPE_CHECKING:
    from stackyard.stacks.inputs import InputSet

    from .history import Call
    from .inputs import Sent

COLUMNS = (
    "workspace_id",
    "group_id",
    "endpoint_id",
    "revision_id",
    "request_id",
    "method",
    "path",
    "status",
    "error_code",
    "duration_us",
    "principal",
    "address",
    "query",
    "request_headers",
    "request_body",
    "request_bytes",
    "response_body",
    "response_bytes",
    "created_at",
    "trace",
    "data_source",
)
Row = tuple[Any, ...]
PATH_CHARACTERS = 600
"""What of a path is kept: PostgreSQL takes no more into an index."""
_CUT = "\n… (cut)"


def row_of(call: Call) -> Row:
    """The row of a call, in the order of `COLUMNS`."""
    plan, environ, sent = call.plan, call.environ, call.sent
    inputs = plan.inputs.set
    values = sent.values if sent is not None else {}
    raw = _sent_bytes(sent)
    masker = Masker(secret_texts(plan.group.workspace_id, inputs, values))
    query = masked_query(_text(environ.get("QUERY_STRING", "")), inputs)
    headers = encode(headers_of(environ, plan.inputs.sensitive_headers)).decode()
    body = masked_body(_cut(raw) if not inputs.has_sensitive else raw, values, inputs)
    return (
        plan.group.workspace_id,
        plan.group.id,
        plan.endpoint_id,
        plan.revision_id,
        call.request_id,
        environ["REQUEST_METHOD"][:8],
        masker.hide(call.path)[:PATH_CHARACTERS],
        call.status,
        call.error_code[:100],
        call.duration_ns // 1000,
        call.principal[:120],
        call.address[:64],
        masker.hide(query)[:8000],
        masker.hide(headers)[:16_000],
        _kept(masker.hide(body), len(raw)),
        len(raw),
        _kept(masker.hide(plain_text(_cut(call.answer))), len(call.answer)),
        len(call.answer),
        int(call.started_at * 1000),
        _trace(sent),
        call.source,
    )


def _sent_bytes(sent: Sent | None) -> bytes:
    """The body; of a form with files what it says, and of the files how they are called and how large they are."""
    if sent is None:
        return b""
    return encode(sent.values) if sent.uploads else sent.raw_body


def _trace(sent: Sent | None) -> str:
    """What the stack did, line by line, where its endpoint keeps that; without the values of lines past a size."""
    if sent is None or sent.trace is None:
        return ""
    lines = sent.trace.as_value()
    text = encode(lines).decode()
    if len(text) > HISTORY_TRACE_BYTES.default:
        for line in lines:
            line.pop("value", None)
        text = encode(lines).decode()
    return plain_text(text.encode()) if len(text) <= HISTORY_TRACE_BYTES.default else ""


def secret_texts(workspace_id: int, inputs: InputSet, values: Mapping[str, Any]) -> list[str]:
    """The texts of a call that must not be shown: the workspace's secrets, and what came in sensitive inputs."""
    facts = workspace_facts(workspace_id)
    secrets = [value.reveal() for value in facts.variables.values() if isinstance(value, Secret)]
    if inputs.has_sensitive:
        secrets += inputs.secrets_in(values)
    return secrets


def _cut(raw: bytes) -> bytes:
    # A little more than is kept, so that a secret at the edge is seen whole.
    return raw[: HISTORY_BODY_BYTES.default + 1000]


def _kept(text: str, size: int) -> str:
    most = HISTORY_BODY_BYTES.default
    return text if size <= most and len(text) <= most else text[:most] + _CUT


def _text(text: str) -> str:
    """WSGI's Latin-1 text as the UTF-8 it carries (PEP 3333), without what no database keeps."""
    if text.isascii() and "\0" not in text:
        return text
    return plain_text(text.encode("latin-1", "replace"))
