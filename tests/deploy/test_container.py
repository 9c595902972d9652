"""The GPU profile's containers: what can be known of them without Docker."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.access.certificates import Certificates, make
from deploy.access.operator_key import operator_key
from deploy.container.docker import CACHE, SHARED_MEMORY, base_image
from deploy.server import start
from export.trtexec import CONTAINER
from files.checkout import ROOT
from tests.deploy.image import SERVING, TEXT, copies, entry_point

DOCKER = """#!/bin/sh
[ "$1" = info ] && exit "${DOCKER_DOWN:-0}"
[ "$1" = build ] && [ -n "$DOCKER_FAILS" ] && exit 1
for argument in "$@"; do printf '%s\\n' "$argument"; done >> "$DOCKER_LOG"
echo -- >> "$DOCKER_LOG"
"""


@pytest.fixture
def docker_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A GPU, and a docker on the PATH that writes down what it is asked."""
    for name, script in {"docker": DOCKER, "nvidia-smi": "#!/bin/sh\n"}.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def container(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.container", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def commands(log: Path) -> list[list[str]]:
    return [command.split("\n") for command in log.read_text().split("\n--\n")[:-1]]


def test_plans_are_built_and_served_by_one_release() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\S+)", TEXT, re.MULTILINE)
    assert stages == [(base_image(), "serve"), ("serve", "export")]
    assert base_image() == CONTAINER


def test_the_release_is_late_enough_for_the_spark() -> None:
    year, month = map(int, re.findall(r"\d+", base_image().split(":")[1])[:2])
    assert (year, month) >= (26, 10)


def test_serving_cannot_write_the_repository_nor_act_as_root(docker_log: Path) -> None:
    assert container("serve", "--grpc-port", "9001", "--secrets", str(docker_log.parent / "secrets")).returncode == 0
    build, run = commands(docker_log)
    assert build[:3] == ["build", "--target", "serve"]
    text = " ".join(run)
    for expected in (
        "--gpus all",
        f"--shm-size {SHARED_MEMORY}",
        "--ulimit memlock=-1",
        "--user triton-server",
        "--read-only",
        "--cap-drop ALL",
        f"--volume {CACHE}:/var/cache/enhancer",
        f"--volume {ROOT}/model_repository:/models:ro",
        "--publish 127.0.0.1:9001:8001",
        f"--volume {docker_log.parent}/secrets/operator.key:{start.OPERATOR_KEY}:ro",
    ):
        assert expected in text
    image = run.index("photo-enhancer:serve")
    assert [each.partition("=")[0] for each in run[image + 1 :]] == ["--http-header-forward-pattern"]


def test_encrypted_and_restricted_serving_shows_no_key(docker_log: Path, tmp_path: Path) -> None:
    make(["spark.local"], Certificates(tmp_path / "secrets"))
    access = ["--tls", "mutual", "--restricted", "--secrets", str(tmp_path / "secrets")]
    done = container("serve", "--host", "0.0.0.0", *access)
    _, run = commands(docker_log)
    assert "--grpc-use-ssl-mutual=true" in run and "--grpc-root-cert=/run/secrets/enhancer/ca.pem" in run
    assert f"{tmp_path}/secrets:/run/secrets/enhancer:ro" in run
    assert {"0.0.0.0:8001:8001", "127.0.0.1:8000:8000", "127.0.0.1:8002:8002"} <= set(run)
    assert run[-1] == f"--grpc-restricted-protocol={start.OPERATORS}=@{start.OPERATOR_KEY}"
    assert operator_key(tmp_path / "secrets") not in "".join([*run, done.stdout, done.stderr])


def test_a_plan_is_built_as_the_person_who_asked(docker_log: Path) -> None:
    assert container("plan", "--run", "studio").returncode == 0
    _, run = commands(docker_log)
    assert run[-4:] == ["photo-enhancer:export", "all-gpu", "--run", "studio"]
    assert f"{os.getuid()}:{os.getgid()}" in run
    assert f"{ROOT}:/work" in run


def test_without_a_gpu_one_line_says_where_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    done = container("plan", "--run", "studio")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: no GPU here (nvidia-smi fails): the GPU profile runs in {base_image()}")
    assert done.stderr.count("\n") == 1


def test_without_a_docker_daemon_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, docker_log: Path) -> None:
    monkeypatch.setenv("DOCKER_DOWN", "1")
    done = container("serve")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no Docker here")
    assert not docker_log.exists()


def test_an_image_that_does_not_build_is_not_run(monkeypatch: pytest.MonkeyPatch, docker_log: Path) -> None:
    monkeypatch.setenv("DOCKER_FAILS", "1")
    done = container("serve")
    assert done.returncode == 1
    assert "the image does not build" in done.stderr
    assert not docker_log.exists()


def test_everything_the_image_copies_is_let_through() -> None:
    """.dockerignore lets in by name: a new COPY needs a line there."""
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {source for sources, _ in copies() for source in sources} == allowed
    assert all((ROOT / source).exists() for source in allowed)


def test_the_image_serves_through_nvidias_entry_point() -> None:
    """Which makes CUDA's libraries fit the driver; ours are first on the path, and both profiles' versions the same."""
    assert entry_point() == ["/opt/nvidia/nvidia_entrypoint.sh", "python3", "-P", "-m", "deploy.server.start"]
    assert re.findall(r"^ENTRYPOINT \[\"(.+?)\"", TEXT, re.MULTILINE) == [entry_point()[0]] * 2
    assert re.findall(r"PYTHONPATH=(\S+)", TEXT) == [
        "/opt/enhancer/packages",
        "/opt/enhancer/export:/opt/enhancer/packages",
    ]
    assert "--requirement /opt/enhancer/models.txt" in TEXT


def test_root_serves_nothing_and_only_the_cache_is_written() -> None:
    assert re.findall(r"^USER (\S+)", TEXT, re.MULTILINE)[-1] == "triton-server"
    assert "USER triton-server" in SERVING
    assert set(re.findall(r"\w+=(/var/\S+)/", SERVING)) == {str(start.CACHE)} and "HOME=/tmp" in SERVING
    assert re.findall(r"^VOLUME (\S+)", TEXT, re.MULTILINE) == [str(start.CACHE)]
