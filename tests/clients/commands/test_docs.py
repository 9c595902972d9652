"""The commands and programs of docs/clients.md run as they are printed."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from clients.commands.cli import main
from deploy.server.triton import TritonServer
from files.checkout import ROOT
from tests.photos import encoded, photo

TEXT = (ROOT / "docs/clients.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def shoot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The photos that the examples speak of, in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("shoot").mkdir()
    for name in ("kitchen.jpg", "hall.jpg", "shoot/1.jpg", "shoot/2.jpg"):
        Path(name).write_bytes(encoded(photo(80, 60)))
    for name, gain in (("hall-2.jpg", 0.53), ("hall+0.jpg", 1.0), ("hall+2.jpg", 1.87)):
        Path(name).write_bytes(encoded(np.clip(photo(320, 240) * gain, 0, 255).astype(np.uint8)))


@pytest.mark.usefixtures("shoot")
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program: str, identity_server: TritonServer) -> None:
    exec(compile(program.replace("grpc://127.0.0.1:8001", identity_server.grpc_url), "docs/clients.md", "exec"), {})


@pytest.mark.usefixtures("shoot")
def test_commands(identity_server: TritonServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENHANCE_URL", identity_server.grpc_url)
    for command in COMMANDS:
        program, *arguments = shlex.split(command, comments=True)
        assert (program, code_of(arguments)) == ("enhance", 0), command
    assert Path("kitchen_enhanced.jpg").exists() and Path("edited/.enhance.sqlite").exists()


def code_of(arguments: list[str]) -> int | str | None:
    """The exit code of a command; `--version` and `--help` end the program themselves."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code


def test_every_kind_of_example_was_found() -> None:
    assert len(PROGRAMS) == 4 and len(COMMANDS) == 17
