"""What the GPU profile's image runs: looks at the driver and the plans, then serves under the watchdog.

    python3 -P -m deploy.server.start [options of tritonserver]

What is wrong is said in one sentence before anything starts; tritonserver alone would say it in the middle of a log,
model by model. Needs Python's standard library alone.
"""

import ctypes
import ctypes.util
import os
import secrets
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

DRIVER_FLOOR = 580
"""The oldest driver for CUDA 13 (CUDA 13.0 release notes, table 3)."""
REPOSITORY, MODELS = "--model-repository=", Path("/models")
CACHE = Path("/var/cache/enhancer")
"""With /tmp the only place that is written."""
OPERATORS = "shared-memory,model-config,statistics,trace,logging:operator-key"
"""Protocols of Triton that need the operator's key, and the header that brings it."""
OPERATOR_KEY = Path("/run/secrets/operator.key")
"""Where the operator's key is mounted."""
PLAN_HEADER = struct.Struct("<4sI16x4B")
"""A plan's start: tag, layout, and after 16 bytes the TensorRT that built it (getPlanVersionOnly in its samples)."""
PLAN_TAG, PLAN_LAYOUT = b"ftrt", 0
WATCHDOG = ("-P", "-m", "deploy.server.watchdog")
COMMON = ("--disable-auto-complete-config", "--exit-timeout-secs=20", "--metrics-config=summary_latencies=true")
"""Options of tritonserver in both profiles."""
OPTIONS = (
    *COMMON,
    # Where tensors between an ensemble's models lie: room for a dozen photos of 24 megapixels, beyond it plain memory.
    "--pinned-memory-pool-byte-size=2147483648",
    "--cuda-memory-pool-byte-size=0:268435456",
    # Since 2.59 HTTP takes 64 MB unless told otherwise: this is a TIFF of 120 megapixels with 16 bits.
    "--http-max-input-size=805306368",
)


class StartError(RuntimeError):
    """Serving would fail; the message says what to do."""


def gpu() -> tuple[str, str]:
    """Driver version and compute capability of the first GPU, such as 580.95.05 and 12.1.

    Raises:
        StartError: there is no GPU in the container.
    """
    query = ["nvidia-smi", "--query-gpu=driver_version,compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True).stdout
        driver, capability = answer.splitlines()[0].split(", ")
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        raise StartError(
            "no GPU in this container (nvidia-smi fails): start it with --gpus all; needs the NVIDIA Container Toolkit"
        ) from None
    return driver, capability.strip()


def check_driver(version: str) -> None:
    """Hold the driver to its floor.

    Raises:
        StartError: it is older.
    """
    if int(version.partition(".")[0]) < DRIVER_FLOOR:
        raise StartError(
            f"the NVIDIA driver is {version}, and this image's CUDA 13 needs {DRIVER_FLOOR} or later: update the "
            "machine's driver (on DGX OS: sudo apt update && sudo apt full-upgrade), then restart it"
        )


def check_plans(repository: Path, capability: str, tensorrt: tuple[int, int, int]) -> None:
    """Look at the plan of every TensorRT model for this GPU.

    Args:
        repository: of the models.
        capability: of the GPU.
        tensorrt: version of the image's.

    Raises:
        StartError: a plan is missing, or was built with another TensorRT.
    """
    configs = [path for path in sorted(repository.glob("*/config.pbtxt")) if "tensorrt_plan" in path.read_text()]
    if not configs:
        raise StartError(f"no model in {repository} has a plan: mount the folder model_repository there")
    for config in configs:
        versions = [int(folder.name) for folder in config.parent.iterdir() if folder.name.isdigit()]
        plan = config.parent / str(max(versions, default=1)) / plan_name(capability)
        if not plan.is_file():
            raise StartError(f"{plan} is missing: build it on this machine with make plan RUN=name")
        built = plan_version(plan)
        if built != tensorrt:
            raise StartError(
                f"{plan} was built with TensorRT {dotted(built)}, and this image has {dotted(tensorrt)}, which cannot "
                "load it: build it again with make plan RUN=name"
            )


def plan_name(capability: str) -> str:
    """File name of a plan for GPUs of a compute capability, as the models' configurations have it."""
    return f"model.sm{capability.replace('.', '')}.plan"


def plan_version(plan: Path) -> tuple[int, int, int]:
    """The TensorRT that built a plan: major, minor, patch.

    Raises:
        StartError: the file is no plan.
    """
    with plan.open("rb") as file:
        start = file.read(PLAN_HEADER.size)
    if len(start) < PLAN_HEADER.size or PLAN_HEADER.unpack(start)[:2] != (PLAN_TAG, PLAN_LAYOUT):
        raise StartError(f"{plan} is not a TensorRT plan: build it again with make plan RUN=name")
    _, _, major, minor, patch, _ = PLAN_HEADER.unpack(start)
    return major, minor, patch


def tensorrt_version() -> tuple[int, int, int]:
    """Version of the library that would load the plans: major, minor, patch.

    Raises:
        StartError: there is none.
    """
    name = ctypes.util.find_library("nvinfer")
    if name is None:
        raise StartError("no TensorRT in this image: build it from deploy/container/Dockerfile")
    number = int(ctypes.CDLL(name).getInferLibVersion())  # 101602 or 110401
    return number // 10000, number // 100 % 100, number % 100


def dotted(version: tuple[int, ...]) -> str:
    """A version as text, such as 11.4.1."""
    return ".".join(map(str, version))


def operator_key_file(mounted: Path = OPERATOR_KEY) -> Path:
    """The file with the operator's key; where none is mounted, a new key that lives as long as /tmp does.

    Raises:
        StartError: the file cannot be read.
    """
    if not mounted.exists():
        made = Path(tempfile.gettempdir(), mounted.name)
        if not made.exists():
            made.touch(0o600)
            made.write_text(secrets.token_hex(32))
        return made
    if not os.access(mounted, os.R_OK):
        user = os.getuid()
        raise StartError(
            f"user {user} cannot read {mounted}: on the host, setfacl --modify user:{user}:r secrets/{mounted.name}"
        )
    return mounted


def main() -> None:
    """Look, then become the watchdog; ends with 1 after one sentence where serving would fail."""
    arguments = sys.argv[1:]
    if not any(each.startswith(REPOSITORY) for each in arguments):
        arguments = [f"{REPOSITORY}{MODELS}", *arguments]
    repository = next(each.removeprefix(REPOSITORY) for each in arguments if each.startswith(REPOSITORY))
    try:
        driver, capability = gpu()
        check_driver(driver)
        check_plans(Path(repository), capability, tensorrt_version())
        key = operator_key_file()
    except StartError as error:
        sys.exit(f"error: {error}")
    print(f"the operator's key is in {key}", flush=True)
    restricted = f"--http-restricted-api={OPERATORS}=@{key}"  # the watchdog reads the file
    os.execv(sys.executable, [sys.executable, *WATCHDOG, "tritonserver", *OPTIONS, restricted, *arguments])


if __name__ == "__main__":
    main()
