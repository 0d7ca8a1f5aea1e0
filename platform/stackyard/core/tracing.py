"""Traces for OpenTelemetry: a span for each call of an endpoint, each run and each request to another server.

On where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector (OTLP over HTTP, protobuf); off, it costs one look at `active`.
The library reads its other settings itself (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, …).
Spans of others are joined and passed on as W3C Trace Context has it. Names follow OpenTelemetry's semantic conventions.
No text of a request or an answer goes into a span.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SpanKind = Literal["SERVER", "CLIENT", "CONSUMER"]
# How long a batch may take to send, tries again included; a process that ends waits no longer either.
_EXPORT_SECONDS = 2.0
Attributes = Mapping[str, str | int]


class Span:
    """What is being measured. Its `name` and attributes may be told until it ends."""

    __slots__ = ("_carrier", "_span")

    def __init__(self, span: Any, carrier: Mapping[str, str]) -> None:
        self._span = span
        self._carrier = carrier

    def tell(self, attributes: Attributes, *, name: str = "", failed: bool = False) -> None:
        """What is known by now; `failed` marks it as an error."""
        from opentelemetry.trace import StatusCode

        self._span.set_attributes(attributes)
        if name:
            self._span.update_name(name)
        if failed:
            self._span.set_status(StatusCode.ERROR)

    def headers(self) -> Mapping[str, str]:
        """`traceparent` (and `tracestate`) for whoever is asked within this span."""
        return self._carrier


class Traces:
    """The tracer of this process and the thread that sends what it made, in batches."""

    def __init__(self, endpoint: str) -> None:
        """ImproperlyConfigured when OpenTelemetry is not installed."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise ImproperlyConfigured(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed:"
                " .venv/bin/pip install -e '.[traces]'"
            ) from error
        resource = Resource.create()
        if resource.attributes.get("service.name", "").startswith("unknown_service"):  # type: ignore[union-attr]
            resource = resource.merge(Resource({"service.name": "stackyard"}))
        self._provider: TracerProvider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("stackyard")

    @contextmanager
    def span(
        self, kind: SpanKind, name: str, attributes: Attributes, parent: Mapping[str, str] | None = None
    ) -> Iterator[Span]:
        """Measure a block, within the `parent` (headers of a caller) or else the span around it.

        What the block raises marks the span as failed by its type alone: messages may hold what people sent.
        """
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        propagator = TraceContextTextMapPropagator()
        around = propagator.extract(parent) if parent else None
        with self._tracer.start_as_current_span(
            name,
            around,
            trace.SpanKind[kind],
            attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as made:
            carrier: dict[str, str] = {}
            propagator.inject(carrier)
            span = Span(made, carrier)
            try:
                yield span
            except BaseException as error:
                span.tell({"error.type": type(error).__name__}, failed=True)
                raise

    def flush(self) -> None:
        """Send what is there now."""
        self._provider.force_flush()

    def stop(self) -> None:
        """Send what is there, and no more."""
        self._provider.shutdown()


active: Traces | None = None


def start(endpoint: str) -> None:
    """Trace this process from now on; nothing when no collector is named."""
    global active
    if active is not None:
        active.stop()
    active = Traces(endpoint) if endpoint else None
