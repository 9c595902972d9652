"""The GPU profile, in containers of one NGC release: build a plan, or serve.

    python -m deploy.container plan --run NAME
    python -m deploy.container serve --http-port 8000 --grpc-port 8001 --metrics-port 8002

Needs Docker with the NVIDIA Container Toolkit, and nothing of this project's environments.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy import start
from deploy.access import Access, access_from, add_options, operator_key
from deploy.certificates import CertificatesError

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "deploy/Dockerfile"
IMAGE = "photo-enhancer"
CACHE = "photo-enhancer-cache"
"""Volume for the kernels that CUDA compiles at first use."""
SHARED_MEMORY = "8g"  # four tilers with the largest photo, 120 megapixels of 16 bits, in and out; Docker gives 64 MB
LOOPBACK = "127.0.0.1"
INNER_SECRETS = Path("/run/secrets/enhancer")
INNER_PORTS = {"http": 8000, "grpc": 8001, "metrics": 8002}


class ContainerError(RuntimeError):
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


def serve_command(host: str, ports: dict[str, int], access: Access) -> list[str]:
    """Serve the model repository, which the server can only read."""
    options = ["--user", "triton-server", "--read-only", "--tmpfs", "/tmp", "--volume", f"{CACHE}:{start.CACHE}"]
    options += ["--volume", f"{ROOT / 'model_repository'}:{start.MODELS}:ro"]
    for name, inner in INNER_PORTS.items():
        reachable_at = LOOPBACK if access.tls and name != "grpc" else host
        options += ["--publish", f"{reachable_at}:{ports[name]}:{inner}"]
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


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = argparse.ArgumentParser(prog="python -m deploy.container", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    plan = commands.add_parser("plan", help="build, check and publish the plan of a run")
    plan.add_argument("--run", required=True, help="name of the run's folder in artifacts/")
    plan.add_argument("--style", help="name that requests ask for (default: the default style)")
    serve = commands.add_parser("serve", help="serve the GPU profile")
    serve.add_argument("--host", default=LOOPBACK, help="address to listen on (default: this machine only)")
    for name, port in INNER_PORTS.items():
        serve.add_argument(f"--{name}-port", type=int, default=port)
    add_options(serve)
    return parser.parse_args(arguments)


def main() -> int:
    """Returns the container's exit code, or 1 after one line that says what to do."""
    args = parse_arguments()
    try:
        if args.command == "plan":
            return execute("export", plan_command(args.run, args.style))
        ports = {name: getattr(args, f"{name}_port") for name in INNER_PORTS}
        access_from(args).check()
        return execute("serve", serve_command(args.host, ports, access_from(args)))
    except (ContainerError, CertificatesError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # docker has passed it on and stopped
        return 130


if __name__ == "__main__":
    sys.exit(main())
