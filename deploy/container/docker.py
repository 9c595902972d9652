"""What Docker is asked for the GPU profile: build an image of one NGC release, build plans in it, serve."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.access.operator_key import operator_key
from deploy.server import start
from deploy.server.ports import LOOPBACK, Ports
from deploy.server.restrictions import Access
from deploy.server.wheel import LaunchError
from files.checkout import MODEL_REPOSITORY, ROOT

DOCKERFILE = ROOT / "deploy/container/Dockerfile"
IMAGE = "photo-enhancer"
CACHE = "photo-enhancer-cache"
"""Volume for the kernels that CUDA compiles at first use."""
SHARED_MEMORY = "24g"
"""Size of /dev/shm in every container; Docker gives 64 MB.

Tensors of Python models lie there, and an instance never gives back what its largest photo took. With 120 megapixels of
16 bits (0.72 GB) in files without compression, 2 of decode take two such sizes each, 4 of tiler two, 4 of encode three,
and 2 of merge 3.8 GB with scenes of 420 megapixels: 25 GB in the end. Cameras of 24 megapixels fill a fifth of that.
Where it is full, photos that do not fit are refused (UNAVAILABLE). Triton itself holds the same tensors once more, and
16 GB are for the processes: hence limits of memory of 64 GB. tests/deploy/test_shared_memory.py holds the sums.
"""
INNER_SECRETS = Path("/run/secrets/enhancer")
INNER_PORTS = Ports()


class ContainerError(LaunchError):
    """Containers cannot run here; the message says what to do."""


def build_command(target: str) -> list[str]:
    """Build the image of one target of the Dockerfile; takes a second when nothing changed."""
    return ["docker", "build", "--target", target, "--tag", f"{IMAGE}:{target}", "--file", str(DOCKERFILE), str(ROOT)]


def run_command(target: str, options: Sequence[str], arguments: Sequence[str] = ()) -> list[str]:
    """Run an image with the GPU and without privileges."""
    return [
        *("docker", "run", "--rm", "--init", "--gpus", "all", "--shm-size", SHARED_MEMORY),
        *("--ulimit", "memlock=-1", "--ulimit", "stack=67108864"),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *options,
        f"{IMAGE}:{target}",
        *arguments,
    ]


def plan_command(run: str, style: str | None = None) -> list[str]:
    """Build, check and publish a run's plan as the person who asked, in this working tree."""
    options = ["--user", f"{os.getuid()}:{os.getgid()}", "--volume", f"{ROOT}:/work", "--workdir", "/work"]
    return run_command(
        "export", [*options, "--network", "none"], ["all-gpu", "--run", run, *(("--style", style) if style else ())]
    )


def serve_command(host: str, ports: Ports, access: Access) -> list[str]:
    """Serve the model repository, which the server can only read."""
    options = ["--user", "triton-server", "--read-only", "--tmpfs", "/tmp", "--volume", f"{CACHE}:{start.CACHE}"]
    options += ["--volume", f"{MODEL_REPOSITORY}:{start.MODELS}:ro"]
    for name, inner in vars(INNER_PORTS).items():
        reachable_at = LOOPBACK if access.tls and name != "grpc" else host
        options += ["--publish", f"{reachable_at}:{vars(ports)[name]}:{inner}"]
    operator_key(access.secrets)
    options += ["--volume", f"{access.operator_key_file.resolve()}:{start.OPERATOR_KEY}:ro"]
    if access.tls:
        options += ["--volume", f"{access.secrets.resolve()}:{INNER_SECRETS}:ro"]
    return run_command("serve", options, access.container_options(INNER_SECRETS))


def python_command(code: str) -> list[str]:
    """Run Python code in the image that serves, as the models would: for what it holds."""
    return run_command("serve", ["--read-only", "--tmpfs", "/tmp", "--entrypoint", "python3"], ["-c", code])


def execute(target: str, command: Sequence[str]) -> int:
    """Build the image, then run; prints both commands. Returns the container's exit code.

    Raises:
        ContainerError: no GPU, no Docker, or the image does not build.
    """
    require_gpu_and_docker()
    for step in (build_command(target), command):
        print(shlex.join(step), flush=True)
    if subprocess.run(build_command(target), check=False).returncode:
        raise ContainerError(f"the image does not build: see above (is {base_image()} within reach?)")
    return subprocess.run(command, check=False).returncode


def require_gpu_and_docker() -> None:
    """Look before the long build.

    Raises:
        ContainerError: what is missing, and what to do.
    """
    same = f"the GPU profile runs in {base_image()}; run the same command on the machine that serves"
    for missing, probe in (("no GPU here (nvidia-smi fails)", ["nvidia-smi"]), ("no Docker here", ["docker", "info"])):
        if shutil.which(probe[0]) is None or subprocess.run(probe, capture_output=True, check=False).returncode:
            raise ContainerError(f"{missing}: {same}, with Docker and the NVIDIA Container Toolkit")


def base_image() -> str:
    """The NGC release that the Dockerfile names."""
    return next(line.split()[1] for line in DOCKERFILE.read_text().splitlines() if line.startswith("FROM nvcr.io"))
