"""Traces: calls, runs and requests to other servers reach a collector as spans, joined with those of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from endpoints.models import ApiGroup
from stackyard.core import tracing
from stackyard.core.models import Workspace
from tests.calling import line
from tests.doors import Door
from tests.factories import make_endpoint, make_group
from tests.outside import Answer, Outside, Received, Server, open_outside

pytest.importorskip("opentelemetry.sdk")

pytestmark = pytest.mark.django_db(databases=["default", "history"])

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}


class Collector:
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        self.server = Server(lambda _received: Answer())

    def spans(self) -> dict[str, Any]:
        """What has come by now, by name."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        assert tracing.active is not None
        tracing.active.flush()
        return {
            span.name: span
            for one in self.server.received
            if one.path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(_plain(one)).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }


def _plain(received: Received) -> bytes:
    assert received.headers["content-type"] == "application/x-protobuf"
    return received.body


def told(span: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    with open_outside(monkeypatch) as opened:
        yield opened


@pytest.fixture
def collector(outside: Outside) -> Iterator[Collector]:
    made = Collector()
    tracing.start(f"http://127.0.0.1:{made.server.port}/")
    yield made
    tracing.start("")
    made.server.stop()


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    return make_group(workspace)


def test_a_call_joins_its_callers_trace_and_passes_it_on(
    client: Door, group: ApiGroup, collector: Collector, outside: Outside
) -> None:
    bank = outside.serve("bank.example", lambda _received: Answer(503))
    ask = line("external_api_request", url=f"http://bank.example:{bank.port}/rates?key=hidden")
    make_endpoint(group, "/rates", name="rates", lines=[ask], response=1)
    assert client.get("/api:shop/rates?q=hidden", headers=PARENT).status == 400
    assert client.get("/api:shop/rates", headers=PARENT).status == 200
    spans = collector.spans()
    call, asked = spans["GET shop/rates"], spans["GET"]
    assert (call.trace_id.hex(), call.parent_span_id.hex()) == (TRACE, CALLER)
    assert asked.parent_span_id == call.span_id
    assert {
        "stackyard.endpoint": "rates",
        "stackyard.group": "shop",
        "http.response.status_code": 200,
    }.items() <= told(call).items()
    assert {"server.address": "bank.example", "http.response.status_code": 503}.items() <= told(asked).items()
    assert (call.status.code, asked.status.code) == (0, 2)
    assert bank.received[0].headers["traceparent"] == f"00-{TRACE}-{asked.span_id.hex()}-01"
    assert b"hidden" not in b"".join(one.body for one in collector.server.received)


def test_a_call_that_finds_nothing_or_a_trace_that_cannot_be_read_begins_a_trace(
    client: Door, group: ApiGroup, collector: Collector
) -> None:
    make_endpoint(group, "/broken", name="broken", response={"$expr": "1 / 0"})
    assert client.get("/api:nowhere/secret-path", headers={"traceparent": "00-zz"}).status == 404
    client.get("/api:shop/broken", headers={"traceparent": "x" * 5000})
    spans = collector.spans()
    assert told(spans["GET"])["error.type"] == "NOT_FOUND"
    assert spans["GET shop/broken"].parent_span_id == b""


def test_a_run_has_a_span_with_its_end(workspace: Workspace, collector: Collector) -> None:
    from stackyard.runs.working import work
    from tests.test_lambdas import made, start_lambda

    run = start_lambda(made(workspace, "fails", "throw new Error('hidden')"))
    assert work(run.pk) == "failed"
    span = collector.spans()["run lambda"]
    assert {"stackyard.run.target": "fails", "stackyard.run.state": "failed"}.items() <= told(span).items()
    assert span.status.code == 2


def test_a_collector_that_is_away_costs_no_call(
    client: Door, group: ApiGroup, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "_EXPORT_SECONDS", 0.2)
    tracing.start(f"http://127.0.0.1:{collector.server.port}")
    make_endpoint(group, "/a")
    collector.server.stop()
    assert client.get("/api:shop/a").status == 200


def test_without_the_setting_nothing_is_traced_or_passed_on(
    client: Door, group: ApiGroup, outside: Outside
) -> None:
    assert tracing.active is None
    bank = outside.serve("bank.example", lambda _received: Answer())
    ask = line("external_api_request", url=f"http://bank.example:{bank.port}/")
    make_endpoint(group, "/rates", lines=[ask])
    assert client.get("/api:shop/rates", headers=PARENT).status == 200
    assert "traceparent" not in bank.received[0].headers
