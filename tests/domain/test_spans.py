"""Spans reach a collector, from several processes, as one trace. The collector is a real server that reads what is sent."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from domain import spans, trace


class Collector(ThreadingHTTPServer):
    """Keeps the spans it is sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        super().__init__(("127.0.0.1", 0), _Taking)


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            import gzip  # noqa: PLC0415 - only where it is used

            body = gzip.decompress(body)
        told = ExportTraceServiceRequest.FromString(body)
        self.server.spans += [
            span for resource in told.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield server
    spans.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_two_processes_spans_of_one_doing_are_one_trace(collector: Collector) -> None:
    for role, name in (("web", "slack seats"), ("worker", "event invoice.paid")):
        assert spans.set_up(role)
        with trace.following("0123456789abcdef" * 2), spans.span(name, events=2), spans.span("stripe GET /v1/:id"):
            pass
        spans.close()
    assert {span.trace_id.hex() for span in collector.spans} == {"0123456789abcdef" * 2}
    by_name = {span.name: span for span in collector.spans}
    assert len(collector.spans) == 4
    assert {each.key for each in by_name["event invoice.paid"].attributes} == {"events"}


def test_what_is_inside_another_span_is_its_child(collector: Collector) -> None:
    spans.set_up("web")
    with trace.following(), spans.span("outer"), spans.span("inner"):
        pass
    spans.close()
    by_name = {span.name: span for span in collector.spans}
    assert by_name["inner"].parent_span_id == by_name["outer"].span_id


def test_without_a_collector_nothing_is_loaded_or_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert not spans.set_up("web")
    with trace.following(), spans.span("nothing"):
        pass
