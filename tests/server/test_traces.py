"""One photo, one trace: from the client through every model, with real tritonserver and the documented commands."""

import asyncio
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import clients.tracing
from clients import AsyncEnhancer, Enhancer
from clients.errors import BusyError, PhotoError
from clients.retry import Retry
from clients.transports import FakeTransport
from deploy.server.telemetry import trace_options
from deploy.server.triton import TritonServer
from files.checkout import ROOT
from tests.collector import Collector
from tests.photos import encoded, photo

MODELS = {"enhance", "decode", "tiler", "generator", "refiner", "encode"}
JPEG = encoded(photo(1200, 800))
Span = dict[str, Any]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced_server(identity_repository: Path, collector: Collector) -> Iterator[TritonServer]:
    options = (*trace_options(f"{collector.url}/v1/traces"), "--trace-config=opentelemetry,bsp_schedule_delay=200")
    log = identity_repository.parent / "traced.log"
    with TritonServer(repository=identity_repository, log=log, options=options) as server:
        yield server


@pytest.fixture
def spans_of_client(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """A program that has set OpenTelemetry up, its provider handed to our tracer alone."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(clients.tracing, "TRACER", provider.get_tracer("test"))
    return exporter


def of_trace(trace_id: str, spans: list[Span]) -> list[Span]:
    return [span for span in spans if span["trace"] == trace_id]


def is_whole(trace_id: str) -> Callable[[list[Span]], bool]:
    """Whether every span of a request has come: Triton ends the topmost one last."""
    return lambda spans: any(span["name"] == "InferRequest" for span in of_trace(trace_id, spans))


def check_trace(spans: list[Span], client_span: str) -> None:
    """Every model is there, and every span leads up to the client's."""
    parents = {span["id"]: span["parent"] for span in spans}
    assert {span["name"] for span in spans} == {*MODELS, "compute", "InferRequest"}
    for span in spans:
        above = span["id"]
        while above in parents:
            above = parents[above]
        assert above == client_span, span["name"]
    tiler = next(span["id"] for span in spans if span["name"] == "tiler")
    asked = [span for span in spans if span["name"] in ("generator", "refiner")]
    assert len(asked) > 1
    assert {span["parent"] for span in asked} == {tiler}


def test_every_model_joins_the_trace_of_the_client(
    traced_server: TritonServer, collector: Collector, spans_of_client: InMemorySpanExporter
) -> None:
    with Enhancer(traced_server.http_url) as enhancer:
        enhancer.enhance(JPEG, mode="full")
    (span,) = spans_of_client.get_finished_spans()
    trace_id = trace.format_trace_id(span.context.trace_id)
    spans = of_trace(trace_id, collector.wait_for(is_whole(trace_id)))
    check_trace(spans, trace.format_span_id(span.context.span_id))
    assert {each["attributes"]["service.name"] for each in spans} == {"photo-enhancer"}
    assert dict(span.attributes or {}) == {"photo.bytes": len(JPEG), "photo.mode": "full"}


def test_grpc_hands_on_the_trace_too(
    traced_server: TritonServer, collector: Collector, spans_of_client: InMemorySpanExporter
) -> None:
    """Triton 2.51 overlooks the header of some gRPC requests, a few of a hundred; those it sees are whole."""
    with Enhancer(traced_server.grpc_url) as enhancer:
        for _ in range(5):
            enhancer.enhance(JPEG, mode="full")
    with Enhancer(traced_server.http_url) as enhancer:
        enhancer.enhance(JPEG, mode="full")
    *sent, last = (span.context for span in spans_of_client.get_finished_spans())
    spans = collector.wait_for(is_whole(trace.format_trace_id(last.trace_id)))
    seen = [each for each in sent if of_trace(trace.format_trace_id(each.trace_id), spans)]
    assert seen
    for each in seen:
        check_trace(of_trace(trace.format_trace_id(each.trace_id), spans), trace.format_span_id(each.span_id))


def test_asyncio_photos_at_once_have_a_trace_each(
    traced_server: TritonServer, collector: Collector, spans_of_client: InMemorySpanExporter
) -> None:
    async def enhance_all() -> None:
        async with AsyncEnhancer(traced_server.http_url) as enhancer:
            await asyncio.gather(*(enhancer.enhance(JPEG, mode="full") for _ in range(3)))

    asyncio.run(enhance_all())
    finished = spans_of_client.get_finished_spans()
    assert len({span.context.trace_id for span in finished}) == 3
    for span in finished:
        trace_id = trace.format_trace_id(span.context.trace_id)
        check_trace(
            of_trace(trace_id, collector.wait_for(is_whole(trace_id))), trace.format_span_id(span.context.span_id)
        )


def test_the_documented_command_traces_from_end_to_end(
    traced_server: TritonServer, collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "kitchen.jpg").write_bytes(JPEG)
    (command,) = re.findall(r"^OTEL.*$", (ROOT / "docs/observability.md").read_text(), re.MULTILINE)
    done = subprocess.run(
        [*("sh", "-c"), command.replace(".venv/", f"{ROOT}/.venv/") + " --quiet"],
        cwd=tmp_path,
        env=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "ENHANCE_URL": traced_server.http_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    sent = collector.wait_for(lambda spans: any(span["name"] == "enhance photo" for span in spans))
    (mine,) = (span for span in sent if span["name"] == "enhance photo")
    spans = of_trace(mine["trace"], collector.wait_for(is_whole(mine["trace"])))
    check_trace([span for span in spans if span is not mine], mine["id"])
    assert mine["attributes"]["service.name"] == "enhance"
    assert "kitchen" not in str(spans), "file names stay out of traces"


def test_who_does_not_ask_is_not_traced(
    traced_server: TritonServer, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither without OpenTelemetry nor in a trace that is not sampled; the photo after them shows that spans flow."""
    before = {span["trace"] for span in collector.spans}
    asked = "ab" * 16
    with Enhancer(traced_server.grpc_url) as enhancer:
        enhancer.enhance(JPEG, mode="fast")
        monkeypatch.setattr(clients.tracing, "TRACER", TracerProvider(sampler=ALWAYS_OFF).get_tracer("test"))
        enhancer.enhance(JPEG, mode="fast")
    with Enhancer(traced_server.http_url, headers={"traceparent": f"00-{asked}-{'cd' * 8}-01"}) as enhancer:
        enhancer.enhance(JPEG, mode="fast")
    spans = collector.wait_for(is_whole(asked))
    assert {span["trace"] for span in spans} - before == {asked}


def test_retries_and_errors_are_in_the_span(spans_of_client: InMemorySpanExporter) -> None:
    answers = iter([BusyError("full"), PhotoError("no photo")])

    def refuse(*_: object) -> bytes:
        raise next(answers)

    with Enhancer(transport=FakeTransport(refuse), retry=Retry()) as enhancer, pytest.raises(PhotoError):
        enhancer.enhance(b"photo")
    (span,) = spans_of_client.get_finished_spans()
    assert [event.name for event in span.events] == ["retry", "exception"]
    assert span.status.description == "PhotoError: no photo"
