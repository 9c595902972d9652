"""trtexec, TensorRT's own builder: find it, learn what it is, write its command line, run it, explain its failures.

Precision lives in the graph. TensorRT 10.12 to 10.16 keep to it when told ``--stronglyTyped``; TensorRT 11 always does,
and has dropped ``--fp16`` and its kin. So the presence of ``--fp16`` in the help is what tells the two apart.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.contract import Contract
from export.errors import ExportError

CONTAINER = "nvcr.io/nvidia/tritonserver:26.11-py3"  # the release that deploy/container/Dockerfile serves from
NGC_PATH = Path("/usr/src/tensorrt/bin/trtexec")  # where NGC images keep it, off the PATH
OLDEST = (10, 12)  # the first with strong typing as the way to FP16
OPTIMIZATION_LEVEL = 4  # of 5; 3 is trtexec's default
PROBE_TIMEOUT_S = 60

FAILURES = (
    (
        r"no cuda-capable device|cuda driver version|cuda initialization failure|cannot find .*cuda device|libcuda\.so",
        "it found no GPU it can use: run on the machine that serves, in a container started with --gpus all",
    ),
    (
        r"out of memory|outofmemory|cudamalloc",
        "it ran out of GPU memory: stop what else uses the GPU (a running server counts), or lower max_batch_size",
    ),
    (
        r"newer ir_version|newer opset|opset version .*(newer|supported)|no importer registered|unsupported ir",
        f"its parser is older than this ONNX: build in {CONTAINER} or later",
    ),
    (r"unknown option", "it does not know an option of this command: its version is not one this project knows"),
)


@dataclass(frozen=True)
class Trtexec:
    """A trtexec that runs here.

    Attributes:
        path: the program.
        version: of TensorRT, such as (10, 16, 2).
        weakly_typed: whether it can still change the graph's precision, and must be told not to.
    """

    path: Path
    version: tuple[int, ...]
    weakly_typed: bool

    @property
    def version_text(self) -> str:
        """Version with dots."""
        return ".".join(map(str, self.version))

    def build_command(self, onnx: Path, plan: Path, timing_cache: Path, contract: Contract) -> list[str]:
        """Command that builds a plan for batches from 1 to the configuration's maximum, best at the maximum."""
        return [
            str(self.path),
            f"--onnx={onnx}",
            f"--saveEngine={plan}",
            f"--minShapes={shapes(contract, 1)}",
            f"--optShapes={shapes(contract, contract.max_batch)}",
            f"--maxShapes={shapes(contract, contract.max_batch)}",
            f"--timingCacheFile={timing_cache}",
            f"--builderOptimizationLevel={OPTIMIZATION_LEVEL}",
            "--profilingVerbosity=detailed",  # or the plan could not prove its precision
            "--skipInference",
            *(["--stronglyTyped"] if self.weakly_typed else []),
        ]

    def benchmark_command(self, plan: Path, batch: int, layers: Path, times: Path, contract: Contract) -> list[str]:
        """Command that times a plan at one batch size, the same way for every version, and describes its layers."""
        return [
            str(self.path),
            f"--loadEngine={plan}",
            f"--shapes={shapes(contract, batch)}",
            "--profilingVerbosity=detailed",
            f"--exportLayerInfo={layers}",
            f"--exportTimes={times}",
            *(["--noDataTransfers", "--useSpinWait", "--useCudaGraph"] if self.weakly_typed else []),  # 11: defaults
        ]


def shapes(contract: Contract, batch: int) -> str:
    """Shapes of all inputs in trtexec's spelling: ``PHOTO:8x512x512x3,APPLIED:8x512x512x3``."""
    return ",".join(f"{tensor.name}:{'x'.join(map(str, tensor.batched(batch)))}" for tensor in contract.inputs)


def find() -> Trtexec:
    """Find trtexec on the PATH or where NGC images keep it, and ask it for help.

    Raises:
        ExportError: there is none, it does not start, or it is too old.
    """
    path = shutil.which("trtexec") or (str(NGC_PATH) if NGC_PATH.exists() else None)
    if path is None:
        raise ExportError(
            "trtexec is not on this machine: plans are built on the machine that serves, inside "
            f"{CONTAINER}; 'make plan RUN=...' runs it there"
        )
    text = _output([path, "--help"])
    banner = re.search(r"\[TensorRT v([\d.]+)\]", text)
    if banner is None:
        raise ExportError(f"{path} --help says no TensorRT version: {text.strip()[-300:] or 'no output'}")
    version = _version(banner[1])
    if version[:2] < OLDEST:
        raise ExportError(
            f"{path} is of TensorRT {'.'.join(map(str, version))}: 10.12 or later is needed ({CONTAINER})"
        )
    return Trtexec(Path(path), version, weakly_typed="--fp16 " in text)


def _version(banner: str) -> tuple[int, ...]:
    """Banners say 11.1.0.106, or 101602 for 10.16.2."""
    if "." in banner:
        return tuple(map(int, banner.split(".")))[:3]
    number = int(banner)
    return number // 10000, number // 100 % 100, number % 100


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExportError(f"{command[0]} does not start: {error}") from None
    return done.stdout + done.stderr


def compute_capability() -> str:
    """Compute capability of the first GPU, such as 12.1.

    Raises:
        ExportError: there is no GPU, or no driver.
    """
    if shutil.which("nvidia-smi") is None:
        raise ExportError("no GPU here (nvidia-smi is missing): build plans on the machine that serves")
    text = _output(["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"])
    first = text.strip().splitlines()[0].strip() if text.strip() else ""
    if not re.fullmatch(r"\d+\.\d+", first):
        raise ExportError(f"no GPU here: nvidia-smi says {first or 'nothing'!r}")
    return first


def run(command: Sequence[str], log: Path, timeout_s: float) -> None:
    """Run trtexec and keep what it says.

    Raises:
        ExportError: it failed or took too long; says why, and where the log is.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        try:
            code = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, timeout=timeout_s, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            raise ExportError(f"trtexec took longer than {timeout_s:.0f} s and was stopped; log: {log}") from None
    text = log.read_text(errors="replace")
    if code or "&&&& PASSED" not in text:
        raise ExportError(f"trtexec failed: {_reason(text)}; log: {log}")


def _reason(text: str) -> str:
    for pattern, reason in FAILURES:
        if re.search(pattern, text, re.IGNORECASE):
            return reason
    errors = [line for line in text.splitlines() if "[E]" in line]
    return errors[-1] if errors else "it stopped without saying why"
