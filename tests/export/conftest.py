"""Two small runs, exported once: the real networks, narrow, on small tiles, in a repository of their own."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from PIL import Image
from tritonclient.grpc import model_config_pb2

from export import steps
from export.contract import Contract, read_contracts
from export.manifest import Run
from serving.versions import NETWORKS
from training.networks.generator import TONE_SCALE, Generator
from training.networks.refiner import Refiner
from training.networks.weights import save_weights

TILE_PX = 64
WIDTH = 4
REPOSITORY = Path(__file__).parents[2]


def write_configs(repository: Path, tile_px: int = TILE_PX) -> None:
    """The repository's own configurations at another tile size."""
    for name in NETWORKS:
        source = REPOSITORY / "model_repository" / name / "config.pbtxt"
        config = text_format.Parse(source.read_text(), model_config_pb2.ModelConfig())
        for tensor in (*config.input, *config.output):
            if tensor.name == "CURVES":
                tensor.dims[1:] = [tile_px // TONE_SCALE] * 2
            else:
                tensor.dims[:2] = [tile_px] * 2
        (repository / name).mkdir(parents=True, exist_ok=True)
        (repository / name / "config.pbtxt").write_text(text_format.MessageToString(config))


def random_network(name: str, seed: int, width: int = WIDTH) -> Generator | Refiner:
    """Random weights; those that training starts from zero too, or there would be no edit to compare."""
    torch.manual_seed(seed)
    network = Generator(width) if name == "generator" else Refiner()
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    return network.eval()


def write_weights(folder: Path, seed: int = 0, width: int = WIDTH) -> Path:
    """A folder of both networks' weights."""
    for name in NETWORKS:
        save_weights(random_network(name, seed, width), folder / f"{name}.safetensors")
    return folder


def export(folder: Path, name: str, seed: int) -> None:
    """All steps up to the checked FP16 ONNX, of both networks."""
    run, weights = Run(name, folder / "artifacts"), write_weights(folder / name, seed)
    for contract in read_contracts(folder / "model_repository"):
        steps.onnx_step(run, contract, weights)
        steps.check_onnx_step(run, contract, folder / "photos")
        steps.fp16_step(run, contract)
        steps.check_fp16_step(run, contract, folder / "photos")


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    write_configs(folder / "model_repository")
    (folder / "photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (TILE_PX + 8, 2 * TILE_PX, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "photos" / "noise.png")
    export(folder, "small", seed=0)
    export(folder, "second", seed=1)
    return folder


@pytest.fixture
def workspace(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the exported runs to spoil; the working directory, as for a person at the command line."""
    folder = tmp_path / "workspace"
    shutil.copytree(exported, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(workspace: Path) -> Run:
    return Run("small", workspace / "artifacts")


@pytest.fixture
def contracts(workspace: Path) -> list[Contract]:
    return read_contracts(workspace / "model_repository")


@pytest.fixture
def contract(contracts: list[Contract]) -> Contract:
    """Of the generator, which stands for both where they are treated alike."""
    return contracts[0]


@pytest.fixture
def refiner(contracts: list[Contract]) -> Contract:
    return contracts[1]


@pytest.fixture
def photos(workspace: Path) -> Path:
    return workspace / "photos"


@pytest.fixture
def gpu_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a trtexec and a GPU of compute capability 12.1 on the PATH, both of them stand-ins."""
    programs = tmp_path / "bin"
    programs.mkdir()
    standin = Path(__file__).parent / "trtexec_standin.py"
    _script(programs / "trtexec", f'exec "{sys.executable}" "{standin}" "$@"')
    _script(programs / "nvidia-smi", 'echo "$GPU_CAPABILITY"')
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")

    def configure(major: int = 11, failure: str = "", capability: str = "12.1") -> None:
        monkeypatch.setenv("TRTEXEC_MAJOR", str(major))
        monkeypatch.setenv("TRTEXEC_FAILURE", failure)
        monkeypatch.setenv("GPU_CAPABILITY", capability)

    configure()
    return configure


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
