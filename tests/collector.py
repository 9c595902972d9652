"""A stand-in for an OpenTelemetry collector: spans over OTLP/HTTP, as JSON from Triton, as protobuf from Python."""

import base64
import gzip
import http.server
import json
import threading
from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TIMEOUT_S = 30.0


class Collector(http.server.ThreadingHTTPServer):
    """Listens on a free port inside the ``with`` block, and keeps every span."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.daemon_threads = True  # of connections that clients keep open
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.spans: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self.serve_forever)

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def add(self, spans: list[dict[str, Any]]) -> None:
        with self._arrived:
            self.spans += spans
            self._arrived.notify_all()

    def wait_for(self, holds: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The spans so far, once they hold what is awaited; exporters send them in batches, some time later."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: holds(self.spans), TIMEOUT_S), [each["name"] for each in self.spans]
            return list(self.spans)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if self.path == "/v1/traces":
            self.server.add(spans_of(body, self.headers["Content-Type"]))

    def log_message(self, *_: object) -> None:
        """Quiet."""


def spans_of(body: bytes, content_type: str) -> list[dict[str, Any]]:
    """Spans with ids in hexadecimal and attributes as a dictionary, those of their resource included."""
    if content_type == "application/json":
        message = json.loads(body)
    else:
        message = MessageToDict(ExportTraceServiceRequest.FromString(body))
    return [
        {
            "name": span["name"],
            "trace": hexadecimal(span["traceId"]),
            "id": hexadecimal(span["spanId"]),
            "parent": hexadecimal(span.get("parentSpanId", "")),
            "attributes": attributes(resource["resource"]) | attributes(span),
            "events": [event["name"] for event in span.get("events", [])],
        }
        for resource in message["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def hexadecimal(identifier: str) -> str:
    """An id of 8 or 16 bytes, as OTLP's JSON has it; protobuf's own JSON has it in base64, of 12 or 24 letters."""
    return base64.b64decode(identifier).hex() if len(identifier) in (12, 24) else identifier


def attributes(of: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: str(next(iter(each["value"].values()))) for each in of.get("attributes", [])}
