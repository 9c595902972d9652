"""The commands of docs/from-the-scripts.md: run against a server, or read by the parser of the program they start."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from clients.commands.arguments import ui_parser
from clients.commands.cli import main
from command_line import dashed
from deploy.container.__main__ import parse_arguments as parse_container
from deploy.server.triton import TritonServer
from export.__main__ import parse_arguments as parse_export
from files.checkout import ROOT
from perf.__main__ import parse_arguments as parse_perf
from tests.photos import encoded, photo
from training.__main__ import parser as training_parser

TEXT = (ROOT / "docs/from-the-scripts.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
MADE = [line for line in COMMANDS if line.startswith("make ")]
ENHANCED = [line for line in COMMANDS if line.startswith(".venv/bin/enhance ") and "enhance ui" not in line]
PARSED = [line for line in COMMANDS if line not in (*MADE, *ENHANCED)]
PARSERS: dict[str, Callable[[list[str]], object]] = {
    "training": lambda arguments: training_parser().parse_args(arguments),
    "export": parse_export,
    "perf": parse_perf,
    "deploy.container": parse_container,
    "clients": lambda arguments: ui_parser().parse_args(arguments[1:]),
}


def read(command: str) -> str | None:
    """Have the parser of its program read a command; returns the program, None for a line that starts none of ours."""
    words = shlex.split(command)
    if words[0].endswith("/enhance"):
        words = ["python", "-m", "clients", *words[1:]]
    if words[1:2] != ["-m"] or words[2] not in PARSERS:
        return None
    PARSERS[words[2]](words[3:])
    return words[2]


@pytest.mark.parametrize("command", MADE)
def test_make_starts_what_its_program_understands(command: str) -> None:
    dry = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line for line in dry.stdout.splitlines() if " -m " in line]
    assert [read(line) for line in lines][-1] or command == "make serve", lines


@pytest.mark.parametrize("command", PARSED)
def test_the_program_understands_the_command(command: str) -> None:
    assert read(command)


def test_photos_are_enhanced_as_the_page_says(
    identity_server: TritonServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENHANCE_URL", identity_server.grpc_url)
    Path("shoot").mkdir()
    for name in ("kitchen.jpg", "shoot/1.jpg", "shoot/2.png"):
        Path(name).write_bytes(encoded(photo(80, 60), "PNG" if name.endswith("png") else "JPEG"))
    for command in ENHANCED:
        assert main(shlex.split(command)[1:]) == 0, command
    assert len(ENHANCED) == 3 and Path("edited.jpg").exists() and Path("delivered/2.jpg").exists()


def test_underscores_are_dashes_in_names_of_options_alone() -> None:
    given = ["my_photo.jpg", "--max_size", "8", "--header=a_b=c_d", "-o", "an_output", "--", "--a_photo.jpg"]
    assert list(dashed(given)) == [each.replace("max_size", "max-size") for each in given]
