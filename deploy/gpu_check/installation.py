"""The installation: the machine and its programs, and what the models' Python finds."""

import json
import platform
import re
import shutil
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from deploy.container import docker
from deploy.gpu_check.session import CannotTell, Session
from deploy.gpu_check.steps import Finding, Wrong
from deploy.measuring.machine import machine, run
from deploy.server import start
from deploy.server.triton import SERVER_PYTHON
from files.checkout import ROOT

PROGRAMS = {
    "docker": ("docker", "version", "--format", "{{.Server.Version}}"),
    "container toolkit": ("nvidia-ctk", "--version"),
    "kernel": ("uname", "-r"),
}
PACKAGES = ("torch", "onnx", "onnxruntime", "tritonclient", "numpy")
MODULES = {"numpy": "numpy", "cv2": "opencv-python-headless", "PIL": "pillow", "nvidia.dali": "nvidia-dali-cuda130"}
"""What the models import, and what it is called in deploy/requirements/models.txt."""
LOOK = f"""
import importlib, importlib.metadata, json
print(json.dumps({{module: [importlib.metadata.version(package), importlib.import_module(module).__file__]
                  for module, package in {MODULES!r}.items()}}))
"""
NO_GPU = "no GPU here (nvidia-smi fails)"
IN_IMAGE = "/opt/enhancer/packages/"


def versions(session: Session) -> Finding:
    """The machine, its driver and programs; on the GPU profile the driver must be new enough."""
    figures: dict[str, Any] = dict(machine()) | {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            figures[package] = version(package)
        except PackageNotFoundError:
            figures[package] = "not installed"
    for name, command in PROGRAMS.items():
        figures[name] = run(*command).partition("\n")[0].strip() or "not here"
    if not session.is_gpu:
        return Finding(f"{figures['processor']}, {figures['cores']} cores, {figures['memory_gb']} GB", figures)
    try:
        driver, capability = start.gpu()
    except start.StartError:
        raise Wrong(NO_GPU, figures) from None
    try:
        start.check_driver(driver)
    except start.StartError as error:
        raise Wrong(str(error), figures) from None
    figures |= {"driver": driver, "compute capability": capability}
    return Finding(f"{figures['gpu']}, compute capability {capability}, driver {driver}", figures)


def packages(session: Session) -> Finding:
    """What the models import is what is pinned, and on the GPU profile comes from the image's folder of our own."""
    text = (ROOT / "deploy/requirements/models.txt").read_text()
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)", text, re.MULTILINE))
    done = session.run(_command(session), "packages")
    if done.returncode:
        raise Wrong(f"the models' Python does not import them: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, list[str]] = json.loads(done.stdout.strip().splitlines()[-1])
    figures = {module: " from ".join(each) for module, each in found.items()}
    for module, (has, path) in found.items():
        if has != pinned[MODULES[module]]:
            raise Wrong(f"{MODULES[module]} is {has}, and {pinned[MODULES[module]]} is pinned", figures)
        if session.is_gpu and not path.startswith(IN_IMAGE):
            raise Wrong(f"{module} comes from {path}, not from {IN_IMAGE}: the image's own is in front", figures)
    return Finding("those of deploy/requirements/models.txt", figures)


def _command(session: Session) -> list[str]:
    if not session.is_gpu:
        return [str(SERVER_PYTHON), "-c", LOOK]
    if shutil.which("docker") is None:
        raise CannotTell("no Docker here, so no image to look into")
    done = session.run(docker.build_command("serve"), "image")
    if done.returncode:
        raise Wrong(f"the image does not build: {session.folder / 'image.log'} says why")
    return docker.python_command(LOOK)
