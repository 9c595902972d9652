"""The networks as they are served: their files, what was proven about them, and a server that has loaded all models."""

import sys
import time
from pathlib import Path
from typing import Any

from tritonclient import grpc

from deploy.gpu_check.installation import NO_GPU
from deploy.gpu_check.session import CannotTell, Session
from deploy.gpu_check.steps import Finding, Wrong
from deploy.server import start
from export.manifest import Run, Step
from files.checkout import MODEL_REPOSITORY
from files.digest import sha256
from serving.versions import NETWORKS, ONNX_NAME, common_versions

RUN = "gpu-check"
"""Name of the run that builds plans where there are none yet."""
MODELS = tuple(sorted(path.parent.name for path in MODEL_REPOSITORY.glob("*/config.pbtxt")))


def built(session: Session) -> Finding:
    """Both networks have the file that this profile serves, and it passed its checks; plans are built where missing."""
    if session.is_gpu and not all(path.is_file() for path in served_files(session)):
        _build(session)
    files = served_files(session)
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise Wrong(f"{', '.join(missing)} is missing")
    for path in files:
        if not check_of(path, session).passed:
            raise Wrong(f"{path} failed its validation: the manifest beside it says why")
    figures = {f"{path.parent.parent.name}, version {path.parent.name}": path.name for path in files}
    return Finding(f"version {files[0].parent.name} of both, validated", figures)


def _build(session: Session) -> None:
    """The shipped weights to plans, in the image that serves."""
    for command in (
        [sys.executable, "-m", "export", "all", "--run", RUN],
        [sys.executable, "-m", "deploy.container", "plan", "--run", RUN],
    ):
        done = session.run(command, f"build-{command[2].rpartition('.')[2]}")
        if done.returncode:
            raise Wrong(f"{' '.join(command[1:])}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")


def precision(session: Session) -> Finding:
    """A plan runs its convolutions in FP16; the CPU profile's networks would make plans that do."""
    figures: dict[str, Any] = {}
    warnings = []
    for path in served_files(session):
        network, details = path.parent.parent.name, check_of(path, session, half=True).details
        figures |= {f"{network}: {name}": value for name, value in details.items() if name != "reason"}
        warnings += [f"{network}: {details['warning']}"] if "warning" in details else []
    if warnings:
        raise CannotTell("; ".join(warnings))
    return Finding("convolutions in FP16" if session.is_gpu else "the FP16 graphs agree with the FP32 ones", figures)


def served(session: Session) -> Finding:
    """A server of this profile has loaded every model."""
    started = time.monotonic()
    client = grpc.InferenceServerClient(session.target().grpc)
    missing = [model for model in MODELS if not client.is_model_ready(model)]
    if missing:
        raise Wrong(f"not ready: {', '.join(missing)}")
    seconds = time.monotonic() - started
    version = client.get_server_metadata().version
    return Finding(f"Triton {version}, {len(MODELS)} models ready after {seconds:.0f} s", {"ready, s": seconds})


def served_files(session: Session) -> list[Path]:
    """The file of each network that this profile loads, whether it is there or not.

    Raises:
        CannotTell: there is no GPU to choose a plan for.
    """
    name = ONNX_NAME
    if session.is_gpu:
        try:
            name = start.plan_name(start.gpu()[1])
        except start.StartError:
            raise CannotTell(NO_GPU) from None
    version = str(common_versions(MODEL_REPOSITORY)[0])
    return [MODEL_REPOSITORY / network / version / name for network in NETWORKS]


def check_of(path: Path, session: Session, *, half: bool = False) -> Step:
    """What the manifest beside a served file says of it.

    Args:
        path: the file.
        session: whose profile says which check it had to pass.
        half: of the CPU profile, the check of the FP16 graph in place of the one that is served.

    Raises:
        Wrong: it was never validated, or has changed since.
    """
    name = "check-plan" if session.is_gpu else "check-fp16" if half else "check-onnx"
    digest = sha256(path)
    steps = Run(path.parent.name, path.parent.parent).steps()
    found = [step for step in steps if step.name == name and digest in step.inputs.values()]
    if not found:
        raise Wrong(f"{path} has no record of a {name} in the manifest beside it: export it again")
    return found[-1]
