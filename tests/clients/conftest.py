"""Photos for the tests of batches."""

from pathlib import Path

import pytest

from deploy.server.triton import TritonServer
from tests.clients.batch.batches import PHOTOS
from tests.photos import encoded, photo


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """A folder of different photos in two folders."""
    for number in range(PHOTOS):
        path = tmp_path / f"shoot/{number % 2}/{number:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(photo(500, 400, number)))
    return tmp_path / "shoot"


@pytest.fixture
def url(identity_server: TritonServer) -> str:
    return identity_server.grpc_url


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A source folder with one photo, and an output folder."""
    sources, targets = tmp_path / "in", tmp_path / "out"
    sources.mkdir()
    targets.mkdir()
    (sources / "a.jpg").write_bytes(b"photo")
    return sources, targets
