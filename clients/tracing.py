"""One OpenTelemetry span for each photo, handed on to the server, whose models' spans join the same trace.

Only OpenTelemetry's API is used, which does nothing until a program sets up its SDK. The command line needs no program:

OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf opentelemetry-instrument enhance kitchen.jpg

A span holds the request parameters, the size of the photo, and what went wrong: no pixels, no file names.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from opentelemetry import propagate, trace

TRACER = trace.get_tracer("enhance")


def photo_span(photo_bytes: int, parameters: Mapping[str, str | int]) -> AbstractContextManager[trace.Span]:
    """The span of one photo, from the first attempt to the last; a child of the caller's span where there is one."""
    attributes = {"photo.bytes": photo_bytes, **{f"photo.{name}": value for name, value in parameters.items()}}
    return TRACER.start_as_current_span("enhance photo", kind=trace.SpanKind.CLIENT, attributes=attributes)


def note_retry(error: Exception, wait_s: float) -> None:
    """Notes in the photo's span that no server took it, and when it is tried again."""
    trace.get_current_span().add_event("retry", {"reason": str(error), "wait_s": wait_s})


def trace_headers() -> dict[str, str]:
    """W3C `traceparent` (and its kin) of the current span; empty where nobody traces, or this photo is not sampled.

    Triton traces every request that brings a traceparent, even one whose flags say that it is not sampled.
    """
    headers: dict[str, str] = {}
    if trace.get_current_span().get_span_context().trace_flags.sampled:
        propagate.inject(headers)
    return headers
