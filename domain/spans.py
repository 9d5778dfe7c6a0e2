"""OpenTelemetry, where it is installed (`pip install kassor[tracing]`) and OTEL_EXPORTER_OTLP_ENDPOINT says where to; else nothing.

The product's own id of what is being done is the trace's id, so that what a person did in Slack, the call to Stripe, the event that
came back to another process and the message at last are one trace.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from domain import trace

_provider: Any = None
_tracer: Any = None


def set_up(role: str) -> bool:
    """Send spans from now on; whether there is anywhere to send them. Raises RuntimeError when asked to without the packages."""
    global _provider, _tracer  # noqa: PLW0603 - a process has one tracer
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above
    except ImportError:
        raise RuntimeError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: pip install 'kassor[tracing]', or unset it"
        ) from None
    _provider = TracerProvider(resource=Resource.create({"service.name": "kassor", "kassor.role": role}))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("kassor")
    return True


def close() -> None:
    """Send what is left."""
    global _provider, _tracer  # noqa: PLW0603 - as above
    if _provider is not None:
        _provider.shutdown()
    _provider = _tracer = None


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """Something that takes time, as part of what is being done. Attributes are kinds and numbers, never people or amounts."""
    if _tracer is None or not trace.current():
        yield
        return
    from opentelemetry import trace as otel  # noqa: PLC0415 - an extra

    running = otel.get_current_span().get_span_context()
    mine = int(trace.current(), 16)
    context = None
    if running.trace_id != mine:  # begun elsewhere, perhaps in another process: the root is the id alone
        root = otel.SpanContext(mine, mine >> 64 or 1, is_remote=True, trace_flags=otel.TraceFlags(1))
        context = otel.set_span_in_context(otel.NonRecordingSpan(root))
    with _tracer.start_as_current_span(name, context=context, attributes=dict(attributes)):
        yield
