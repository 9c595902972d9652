"""A small KServe v2 server over gRPC that checks what it is sent and fails on demand."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import deserialize_bytes_tensor

from clients.request import BRACKETS_MODEL, MODEL
from codec.errors import RequestError
from codec.frames import check_files

Frames = tuple[bytes, ...]


class StrictServer(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Returns each photo, or the first frame of a scene, as it came; at most `room` at a time, only with `headers`.

    Args:
        room: photos at a time; one more is refused, as by a full queue.
        headers: that every request must carry.
        reads: whether headers are read, and what is no photo refused.
    """

    def __init__(self, room: int = 64, headers: dict[str, str] | None = None, reads: bool = False) -> None:
        self.room = room
        self.headers = headers or {}
        self.reads = reads
        self.failures: list[grpc.StatusCode] = []
        """Statuses for the next requests."""
        self.answered: list[bytes] = []
        self.timeouts_us: list[int] = []
        self.most_in_flight = 0
        self.hold = threading.Event()
        self.hold.set()
        self._in_flight = 0
        self._lock = threading.Lock()

    def ModelReady(self, request: object, context: grpc.ServicerContext) -> object:
        return service_pb2.ModelReadyResponse(ready=request.name == "enhance")

    def ModelInfer(self, request: object, context: grpc.ServicerContext) -> object:
        metadata = dict(context.invocation_metadata())
        if any(metadata.get(name) != value for name, value in self.headers.items()):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no such key")
        if self.failures:
            context.abort(self.failures.pop(0), "told to fail")
        frames = self.checked(request, context)
        with self._admitted(context):
            self.hold.wait(20)
            self.answered.append(frames[0])
        response = service_pb2.ModelInferResponse(model_name=request.model_name, raw_output_contents=frames[:1])
        response.outputs.add(name="ENHANCED", datatype="UINT8", shape=[len(frames[0])])
        return response

    def checked(self, request: object, context: grpc.ServicerContext) -> Frames:
        """The photo, or the frames, of a request that is right in every field."""
        tensor = request.inputs[0]
        (content,) = request.raw_input_contents
        if request.model_name == BRACKETS_MODEL:
            frames = tuple(deserialize_bytes_tensor(content))
            wanted = "FRAMES", "BYTES", [len(frames)]
        else:
            frames, wanted = (content,), ("IMAGE", "UINT8", [len(content)])
        known = request.model_name in (MODEL, BRACKETS_MODEL)
        right = known and (tensor.name, tensor.datatype, list(tensor.shape)) == wanted
        if not right or [each.name for each in request.outputs] != ["ENHANCED"]:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"malformed request: {request}")
        if self.reads:
            self.read(frames, context)
        self.timeouts_us.append(request.parameters["timeout"].int64_param)
        return frames

    def read(self, frames: Frames, context: grpc.ServicerContext) -> None:
        """As the real server refuses, by headers alone."""
        try:
            check_files(frames, max_megapixels=120, max_scene_megapixels=420)
        except RequestError as refusal:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(refusal))

    @contextmanager
    def _admitted(self, context: grpc.ServicerContext) -> Iterator[None]:
        with self._lock:
            full = self._in_flight >= self.room
            self._in_flight += not full
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        if full:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Exceeds maximum queue size")
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1


@contextmanager
def running(server: StrictServer, credentials: grpc.ServerCredentials | None = None) -> Iterator[int]:
    """Serves on a free port, which it yields."""
    listener = grpc.server(ThreadPoolExecutor(32), options=[("grpc.max_receive_message_length", -1)])
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(server, listener)
    if credentials is None:
        port = listener.add_insecure_port("127.0.0.1:0")
    else:
        port = listener.add_secure_port("127.0.0.1:0", credentials)
    listener.start()
    try:
        yield port
    finally:
        server.hold.set()
        listener.stop(0)
