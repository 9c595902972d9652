"""Two small runs, exported once: the real network, narrow, on small tiles, in a repository of its own."""

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
from export.contract import Contract, read_contract
from export.manifest import Run
from training.networks.generator import Generator
from training.networks.weights import save_generator

TILE_PX = 64
WIDTH = 4
REPOSITORY = Path(__file__).parents[2]


def write_config(folder: Path, tile_px: int = TILE_PX) -> None:
    """The repository's own configuration at another tile size."""
    source = REPOSITORY / "model_repository" / "generator" / "config.pbtxt"
    config = text_format.Parse(source.read_text(), model_config_pb2.ModelConfig())
    for tensor in (*config.input, *config.output):
        tensor.dims[1:] = [tile_px] * (len(tensor.dims) - 1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.pbtxt").write_text(text_format.MessageToString(config))


def random_network(width: int, seed: int) -> Generator:
    """Random weights; those that training starts from zero too, or there would be no edit to compare."""
    torch.manual_seed(seed)
    generator = Generator(width)
    for weight in generator.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    return generator.eval()


def write_checkpoint(path: Path, seed: int = 0, width: int = WIDTH) -> Path:
    save_generator(random_network(width, seed), path)
    return path


def export(folder: Path, name: str, seed: int) -> None:
    """All steps up to the checked FP16 ONNX."""
    contract, run = read_contract(folder / "model_repository" / "generator"), Run(name, folder / "artifacts")
    steps.onnx_step(run, contract, write_checkpoint(folder / f"{name}.safetensors", seed))
    steps.check_onnx_step(run, contract, folder / "photos")
    steps.fp16_step(run, contract)
    steps.check_fp16_step(run, contract, folder / "photos")


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    write_config(folder / "model_repository" / "generator")
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
def contract(workspace: Path) -> Contract:
    return read_contract(workspace / "model_repository" / "generator")


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
