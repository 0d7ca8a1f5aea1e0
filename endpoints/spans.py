"""The span of one call (core/tracing.py), which joins the caller's trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackyard.core.tracing import Traces

if TYPE_CHECKING:
    from .calls import Answer, EndpointCall

_PARENT = (("traceparent", "HTTP_TRACEPARENT"), ("tracestate", "HTTP_TRACESTATE"))


def traced(call: EndpointCall, traces: Traces) -> Answer:
    """The answer, made in a span. Its name is the endpoint's, never the path: that may hold what people sent."""
    environ = call.environ
    parent = {name: environ[key] for name, key in _PARENT if key in environ}
    begun = {"http.request.method": call.method, "stackyard.request_id": call.request_id}
    with traces.span("SERVER", call.method, begun, parent) as span:
        answer = call.untraced()
        told: dict[str, str | int] = {"http.response.status_code": answer.status}
        name = ""
        if answer.error_code:
            told["error.type"] = answer.error_code
        if call.group is not None:
            told["stackyard.workspace"] = call.group.workspace_id
            told["stackyard.group"] = call.group.name
            if call.endpoint:
                told["stackyard.endpoint"] = call.endpoint
                name = f"{call.method} {call.group.name}/{call.endpoint}"
        span.tell(told, name=name, failed=answer.status >= 500)
        return answer
