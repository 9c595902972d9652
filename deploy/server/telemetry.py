"""Traces of the photos that ask for one, as tritonserver sends them."""


def trace_options(collector_url: str) -> tuple[str, ...]:
    """Options of tritonserver: spans of every model go to a collector, in the trace that the client began.

    Args:
        collector_url: of an OpenTelemetry collector, OTLP over HTTP: http://127.0.0.1:4318/v1/traces
    """
    return (
        "--trace-config=mode=opentelemetry",
        "--trace-config=level=TIMESTAMPS",
        "--trace-config=rate=0",  # none but the requests that bring a traceparent
        f"--trace-config=opentelemetry,url={collector_url}",
        "--trace-config=opentelemetry,resource=service.name=photo-enhancer",
    )
