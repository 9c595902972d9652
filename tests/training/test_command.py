"""The command line as people use it: train on one and on two processes, evaluate, and every slip said in one line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from training.__main__ import main
from training.checkpoints import LATEST, load_checkpoint
from training.metrics import psnr, ssim
from training.networks.generator import Generator
from training.networks.refiner import Refiner
from training.networks.weights import save_weights
from training.run import GENERATOR, REFINER


def test_two_processes_train_one_model(pairs_jsonl: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training", "train", "--recipe", "debug", "--jsonl", str(pairs_jsonl)]
    options = ["--out", str(tmp_path / "run"), "--devices", "2", "--accelerator", "cpu", "--epochs", "2"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    state = load_checkpoint(tmp_path / "run" / "generator" / LATEST)
    assert state["progress"]["step"] == 2 * (10 // 2 // 2)  # epochs x pairs / processes / batch
    assert done.stdout.count("epoch 2: validation") == 1


def test_evaluation_writes_table_json_and_sheet(
    pairs_jsonl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_weights(Generator(4), tmp_path / GENERATOR)
    save_weights(Refiner(), tmp_path / REFINER)
    arguments = ["--weights", str(tmp_path), "--jsonl", str(pairs_jsonl)]
    assert main(["evaluate", *arguments, "--out", str(tmp_path / "out")]) == 0
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    means = [np.mean([row[key]["psnr_db"] for row in scores]) for key in ("unedited", "edited")]
    table = capsys.readouterr().out.splitlines()
    line = next(line for line in table if line.startswith("mean"))
    assert len(scores) == 12 and f"{means[0]:.2f}" in line and f"{means[1]:.2f}" in line
    assert (tmp_path / "out" / "contact-sheet.jpg").stat().st_size > 1000


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_slips_are_one_line_and_exit_with_1(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--jsonl", str(tmp_path / "none.jsonl"), "--out", str(tmp_path / "out")]
    if command == "evaluate":
        options += ["--weights", str(tmp_path / "none.folder")]
    assert main([command, *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "none." in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", [["--image-size", "100"], ["--epochs", "0"], ["--lr", "-1"], ["--batch-size", "0"]])
def test_impossible_numbers_are_refused(option: list[str], pairs_jsonl: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["train", "--jsonl", str(pairs_jsonl), "--out", str(tmp_path / "out"), *option])
    assert exit_.value.code == 2


def test_metrics_have_their_known_values() -> None:
    photo = torch.full((1, 3, 32, 32), 0.5)
    assert float(psnr(photo + 0.1, photo)) == pytest.approx(20.0, abs=1e-3)  # 10 log10(1 / 0.1^2)
    assert float(ssim(photo, photo)) == pytest.approx(1.0)
    constants = (2 * 0.5 * 0.6 + 0.01**2) / (0.5**2 + 0.6**2 + 0.01**2)  # SSIM of two flat photos
    assert float(ssim(photo + 0.1, photo)) == pytest.approx(constants, abs=1e-4)
    torch.manual_seed(0)
    both = torch.rand(2, 3, 32, 32)
    assert psnr(both, both.flip(0)).shape == ssim(both, both.flip(0)).shape == (2,)
