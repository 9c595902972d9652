"""Every container's /dev/shm holds what the models' limits let them put there, and its memory limit holds that."""

import re
from collections.abc import Iterator

import pytest
import yaml

from deploy.container.docker import SHARED_MEMORY
from files.checkout import ROOT
from tests.model_repository.configs import GPU, PYTHON, config

GIB = 1 << 30
DEEP_BYTES, PLAIN_BYTES = 6, 3  # of a pixel with 16 bits a sample, and with 8
COARSE_BYTES = 4 * 512 * 512 * 3
FRAMES_AT_A_TIME = 2  # that an instance of merge asks decode for
OTHERS_BYTES = 16 * GIB  # processes' own memory: libraries, networks, decoders, strips and tiles in work


def needed_bytes() -> int:
    """By all instances, each of which keeps the memory of the largest photo that it has had.

    The largest photo has 16 bits a sample, and comes and goes as a file without compression, as large as its pixels.
    With photos of 24 and scenes of 60 megapixels every instance was seen to take this within 3 %.
    """
    photo = DEEP_BYTES * _limit("decode", "max_megapixels")
    scene = PLAIN_BYTES * _limit("merge", "max_scene_megapixels")  # 16 bits count twice there
    frames = min(scene, FRAMES_AT_A_TIME * photo)
    tensors = {
        "decode": [photo, photo, COARSE_BYTES],  # IMAGE, PIXELS, COARSE
        "tiler": [photo, photo, COARSE_BYTES],  # PIXELS, ENHANCED_PIXELS, COARSE
        "encode": [photo, photo, photo],  # ENHANCED_PIXELS, IMAGE, ENHANCED
        # FRAMES, IMAGE and PIXELS of those that decode has; where these were, the merged PIXELS and IMAGE find room
        "merge": [scene, max(2 * frames, 2 * photo), COARSE_BYTES],
        "styles": [],
    }
    assert sorted(tensors) == PYTHON
    return sum(_instances(model) * sum(each) for model, each in tensors.items())


def _limit(model: str, name: str) -> int:
    """In pixels."""
    return int(float(config(model, GPU).parameters[name].string_value) * 1e6)


def _instances(model: str) -> int:
    return sum(group.count for group in config(model, GPU).instance_group)


def in_bytes(text: str) -> int:
    """Of 24g, as Docker writes it, or 24Gi, as Kubernetes does."""
    found = re.fullmatch(r"(\d+)(g|Gi)", text)
    assert found
    return int(found[1]) * GIB


def containers() -> Iterator[tuple[str, str, str | None]]:
    """(where, size of /dev/shm, limit of memory)."""
    yield "docker run", SHARED_MEMORY, None
    triton = yaml.safe_load((ROOT / "deploy/spark/compose.yaml").read_text())["services"]["triton"]
    yield "compose", triton["shm_size"], triton["mem_limit"]
    values = yaml.safe_load((ROOT / "deploy/kubernetes/helm/photo-enhancer/values.yaml").read_text())
    yield "helm", values["sharedMemory"], values["resources"]["limits"]["memory"]
    runtime, service = yaml.safe_load_all((ROOT / "deploy/kubernetes/kserve/photo-enhancer.yaml").read_text())
    (volume,) = [each for each in runtime["spec"]["volumes"] if each["name"] == "shared-memory"]
    limits = service["spec"]["predictor"]["model"]["resources"]["limits"]
    yield "kserve", volume["emptyDir"]["sizeLimit"], limits["memory"]


CONTAINERS = list(containers())


@pytest.mark.parametrize(("where", "shared", "memory"), CONTAINERS, ids=[each[0] for each in CONTAINERS])
def test_the_largest_photos_fit_into_every_container(where: str, shared: str, memory: str | None) -> None:
    assert in_bytes(shared) >= needed_bytes()
    if memory:  # Triton itself holds each of these tensors once more
        assert in_bytes(memory) >= in_bytes(shared) + needed_bytes() + OTHERS_BYTES


def test_every_container_has_as_much() -> None:
    assert len({in_bytes(shared) for _, shared, _ in CONTAINERS}) == 1
