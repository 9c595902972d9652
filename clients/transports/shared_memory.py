"""Photos handed to a server on the same host through memory that both map, instead of through the socket.

A pair of regions (photo in, photo out) is registered with the server once and used for one request after another. Their
names are removed as soon as the server has mapped them, so that even a killed client leaves no file behind; what a
killed client leaves registered with the server, the next client of this host unregisters.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from clients.errors import ServerError
from clients.request import OUTPUT
from clients.transports.base import Address, settle

FOLDER = Path("/dev/shm")
PREFIX = "enhance-client-"
SMALLEST_PHOTO = 256 << 10
"""Below this many bytes the socket is as fast."""
SPARE = 1 << 20
RPC_TIMEOUT_S = 5.0


class Region:
    """Memory of `size` bytes, really reserved: writing to it can never fail for lack of space.

    Raises:
        OSError: no shared memory on this system, or not enough.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.name = f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}"
        descriptor = os.open(FOLDER / self.name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
            self.memory = mmap.mmap(descriptor, size)
        except OSError:
            self.hide()
            raise
        finally:
            os.close(descriptor)

    def hide(self) -> None:
        """Removes the name; the memory lives on as long as it is mapped."""
        with contextlib.suppress(FileNotFoundError):
            (FOLDER / self.name).unlink()


class Lane:
    """The two regions of one request at a time."""

    def __init__(self, photo: Region, answer: Region) -> None:
        self.photo, self.answer = photo, answer

    def fits(self, photo_size: int) -> bool:
        """Whether the photo, and an answer of up to three times its size, have room."""
        return photo_size <= self.photo.size and 3 * photo_size <= self.answer.size

    def request(self, request: service_pb2.ModelInferRequest, photo: bytes) -> service_pb2.ModelInferRequest:
        """Moves the photo out of the request, into the lane."""
        self.photo.memory[: len(photo)] = photo
        del request.raw_input_contents[:]
        for tensor, region, size in (
            (request.inputs[0], self.photo, len(photo)),
            (request.outputs[0], self.answer, self.answer.size),
        ):
            tensor.parameters["shared_memory_region"].string_param = region.name
            tensor.parameters["shared_memory_byte_size"].int64_param = size
        return request

    def read(self, response: service_pb2.ModelInferResponse) -> bytes:
        """The enhanced photo's bytes.

        Raises:
            ServerError: the answer does not say how many there are.
        """
        sizes = [size for output in response.outputs for size in output.shape]
        if len(sizes) != 1 or not 0 < sizes[0] <= self.answer.size:
            raise ServerError(f"the server's answer has no {OUTPUT}")
        return bytes(memoryview(self.answer.memory)[: sizes[0]])


class Lanes:
    """The lanes to one server: opened when needed, reused, and given up for good when the server does not allow them.

    Args:
        address: The server's; lanes are opened for this host alone.
        stub: The channel's calls, blocking or asyncio.
        headers: Sent with every call.
    """

    def __init__(
        self, address: Address, stub: service_pb2_grpc.GRPCInferenceServiceStub, headers: tuple[tuple[str, str], ...]
    ) -> None:
        self._stub = stub
        self._headers = headers
        self._allowed = address.is_loopback and FOLDER.is_dir()
        self._tidy = False
        self._free: list[Lane] = []
        self._registered: set[str] = set()

    async def borrow(self, photo: bytes, parameters: Mapping[str, str | int]) -> Lane | None:
        """A lane for this photo, or None where the socket is better: a small photo, or a much larger answer."""
        if not self._allowed or len(photo) < SMALLEST_PHOTO or parameters.get("format") in ("png", "tiff"):
            return None
        lane = self._free.pop() if self._free else None
        if lane is not None and lane.fits(len(photo)):
            return lane
        try:
            if lane is not None:
                await self.discard(lane)
            return await self._open(len(photo) + SPARE)
        except (OSError, grpc.RpcError):
            self._allowed = False
            return None

    def give_back(self, lane: Lane) -> None:
        """Keeps the lane for the next request; never call this while the server may still write to it."""
        self._free.append(lane)

    async def discard(self, lane: Lane) -> None:
        """Drops a lane that is of no use: too small for an answer, or unknown to a server that was restarted."""
        await self._unregister([lane.photo.name, lane.answer.name])

    async def close(self) -> None:
        """Takes back what is registered; what the server still uses stays until another client tidies up."""
        self._allowed = False
        await self._unregister(self._registered)

    async def _open(self, photo_size: int) -> Lane:
        if not self._tidy:
            self._tidy = True
            await self._unregister(await self._orphans())
        return Lane(await self._register(Region(photo_size)), await self._register(Region(3 * photo_size)))

    async def _register(self, region: Region) -> Region:
        request = service_pb2.SystemSharedMemoryRegisterRequest(
            name=region.name, key=f"/{region.name}", byte_size=region.size
        )
        try:
            await settle(self._stub.SystemSharedMemoryRegister(request, metadata=self._headers, timeout=RPC_TIMEOUT_S))
        finally:
            region.hide()
        self._registered.add(region.name)
        return region

    async def _unregister(self, names: Iterable[str]) -> None:
        for name in list(names):
            request = service_pb2.SystemSharedMemoryUnregisterRequest(name=name)
            with contextlib.suppress(grpc.RpcError):
                await settle(
                    self._stub.SystemSharedMemoryUnregister(request, metadata=self._headers, timeout=RPC_TIMEOUT_S)
                )
            self._registered.discard(name)

    async def _orphans(self) -> list[str]:
        """Regions that clients of this host left registered when they were killed."""
        request = service_pb2.SystemSharedMemoryStatusRequest()
        status = await settle(
            self._stub.SystemSharedMemoryStatus(request, metadata=self._headers, timeout=RPC_TIMEOUT_S)
        )
        ours = [name for name in status.regions if name.startswith(PREFIX)]
        return [name for name in ours if not _is_running(int(name.removeprefix(PREFIX).partition("-")[0]))]


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
