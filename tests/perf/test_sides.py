"""Two states side by side: each served from its own files, whatever happens in the working tree."""

import subprocess
from pathlib import Path

import pytest

from deploy.server.triton import SERVER_PYTHON
from files.checkout import ROOT
from perf.__main__ import main
from perf.comparison.sides import PARTS, checkout, environment
from perf.errors import PerfError


def test_a_commit_is_checked_out_whole(tmp_path: Path) -> None:
    side = checkout("HEAD", tmp_path / "a")
    tracked = subprocess.run(
        ["git", "-C", ROOT, "ls-tree", "-r", "--name-only", "HEAD", *PARTS],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert sorted(str(path.relative_to(side.folder)) for path in side.folder.rglob("*") if path.is_file()) == tracked
    assert subprocess.check_output(["git", "-C", ROOT, "rev-parse", "HEAD"], text=True).startswith(side.commit)


def test_neither_commit_nor_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(PerfError, match="neither a commit nor a folder"):
        checkout("no-such-branch", tmp_path / "a")


@pytest.mark.skipif(not SERVER_PYTHON.exists(), reason="the server's environment is missing: make setup PART=server")
def test_each_side_runs_its_own_pixels_with_the_servers_other_packages(tmp_path: Path) -> None:
    side = checkout(str(ROOT), tmp_path / "b")
    (side.folder / "pixels/__init__.py").write_text("MINE = 1\n")
    asked = "import numpy, pixels; print(pixels.MINE, numpy.__version__.split('.')[0])"
    answer = subprocess.check_output([environment(side), "-c", asked], text=True, cwd=tmp_path)
    assert answer.split() == ["1", "1"]
    assert not hasattr(pytest.importorskip("pixels"), "MINE")


def test_mistakes_on_the_command_line_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments, said in (
        (["run", "smokey"], "no scenario smokey"),
        (["run", "smoke", "--url", "http://127.0.0.1:1"], "give the gRPC address"),
        (["compare", "no-such-commit", "."], "neither a commit"),
        (["compare", ".", ".", "--scenario", "burst-512px"], "fixed number"),
    ):
        monkeypatch.setattr("sys.argv", ["perf", *arguments])
        assert main() == 1
        error = capsys.readouterr().err
        assert said in error and "Traceback" not in error and error.count("\n") == 1
