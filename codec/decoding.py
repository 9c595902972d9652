"""Photo files to upright pixels: checked first, decoded in a worker that may die, checked again."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codec.errors import RequestError
from codec.header import Header
from codec.reading import read_header
from codec.shared import Places, coarse_in, pixels_in
from codec.worker import Job, Outcome
from codec.workers import Patience, Worker, WorkerLostError, Zygote, interpreter

NO_WORKER = "no worker of decode starts; the server's log says why"
STARTS = 3  # of workers one after the other, before the server is to blame

DEATHS = 2  # of workers, by one photo, before it is refused unseen
KEPT_BYTES = 256 << 20  # that a worker shares and keeps for the next photo
REMEMBERED = 1000  # photos that killed a worker

MEMORY_BYTES, MEMORY_BYTES_PER_PIXEL = 512 << 20, 48
PROCESSOR_S, PROCESSOR_S_PER_MEGAPIXEL = 4, 0.25  # a photo needs 0.006 s (JPEG) to 0.1 s (16-bit TIFF) a megapixel
WALL_FACTOR = 6  # of processor time: the machine has other work


@dataclass(frozen=True)
class Decoded:
    """A decoded photo, in memory that the next photo gets.

    Attributes:
        pixels: uint8 (height, width, samples): 3 (RGB), 4 (RGBA), or twice that for 16 bits, low byte first.
        coarse: float32 (512, 512, 3), range [0, 1]: the whole photo as one tile.
    """

    pixels: NDArray[np.uint8]
    coarse: NDArray[np.float32]


class Decoder:
    """A worker, and another one that waits to take over.

    Args:
        device: of DALI's decoder, "cpu" or "mixed".
        max_megapixels: of the largest photo that is taken.
        python: interpreter that has DALI; by default this one.

    Raises:
        RuntimeError: no worker can start.
    """

    def __init__(self, device: str, max_megapixels: float, python: Path | None = None) -> None:
        self._max_megapixels = max_megapixels
        self._device, self._python = device, python or interpreter()
        self._deaths = Deaths()
        self._zygote, self._worker, self._spare = self._start()
        if not self._worker.is_ready():
            self.close()
            raise RuntimeError(NO_WORKER)

    def decode(self, file: NDArray[np.uint8], patience: Patience) -> Decoded:
        """Decode a photo.

        Args:
            file: its bytes.
            patience: of those who wait; what its check raises ends the decoding.

        Raises:
            RequestError: as codec.reading.read_header, or the file cannot be decoded within its limits.
        """
        header = read_header(file.data, self._max_megapixels)
        if self._deaths.of(file) >= DEATHS:
            raise RequestError(f"this {header.format} file has ended its decoder before; export it again")
        while True:
            try:
                return self._decode(header, patience)
            except WorkerLostError as loss:
                if self._deaths.add(file) >= DEATHS or not loss.in_time:
                    raise RequestError(
                        f"the {header.format} file cannot be decoded: {loss}; "
                        "it is damaged, or made to do harm, so export it again"
                    ) from None

    def close(self) -> None:
        """End all workers."""
        self._zygote.close()

    def _decode(self, header: Header, patience: Patience) -> Decoded:
        megapixels = header.width_px * header.height_px / 1e6
        file_bytes = sum(map(len, header.pieces))
        processor_s = PROCESSOR_S + PROCESSOR_S_PER_MEGAPIXEL * megapixels
        memory_bytes = MEMORY_BYTES + MEMORY_BYTES_PER_PIXEL * header.width_px * header.height_px + 2 * file_bytes
        job = Job(header, file_bytes, int(memory_bytes), int(processor_s))
        worker = self._busy_worker(job)
        try:
            outcome = worker.outcome(WALL_FACTOR * processor_s, patience)
        except BaseException:
            self._replace_worker()
            raise
        if outcome is Outcome.MEMORY:
            raise RequestError(f"the {header.format} file takes more memory than a photo of its size; export it again")
        if outcome is Outcome.DAMAGED or worker.buffer is None:
            raise RequestError(f"the {header.format} file is damaged or incomplete; export it again")
        memory, places = worker.buffer.memory, Places.of(header, file_bytes)
        decoded = Decoded(pixels_in(memory, header).view(np.uint8), coarse_in(memory, places))
        if places.end > KEPT_BYTES:
            self._replace_worker()  # what a large photo took is given back; its own memory lasts as long as its arrays
        return decoded

    def _busy_worker(self, job: Job) -> Worker:
        """A worker that has taken a photo: where one has died between photos, no photo is to blame."""
        for _ in range(STARTS):
            if self._worker.is_ready() and self._worker.begin(job):
                return self._worker
            self._replace_worker()
        raise RuntimeError(NO_WORKER)

    def _replace_worker(self) -> None:
        """The spare takes over, and a new spare starts behind it; all are new where the zygote has died."""
        self._worker.end()
        try:
            self._worker, self._spare = self._spare, Worker(self._zygote)
        except OSError:
            self._zygote.close()
            self._zygote, self._worker, self._spare = self._start()

    def _start(self) -> tuple[Zygote, Worker, Worker]:
        zygote = Zygote(self._device, self._python)
        return zygote, Worker(zygote), Worker(zygote)


class Deaths:
    """How many workers each of the last deadly photos has killed."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[int, bytes], int] = OrderedDict()

    def of(self, file: NDArray[np.uint8]) -> int:
        """Deaths by this photo. Only photos as long as a known one are hashed."""
        if not any(length == len(file) for length, _ in self._counts):
            return 0
        return self._counts.get(self._key(file), 0)

    def add(self, file: NDArray[np.uint8]) -> int:
        """Count one more; how many it are now."""
        key = self._key(file)
        self._counts[key] = self._counts.pop(key, 0) + 1
        while len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        return self._counts[key]

    @staticmethod
    def _key(file: NDArray[np.uint8]) -> tuple[int, bytes]:
        return len(file), hashlib.sha256(file.data).digest()
