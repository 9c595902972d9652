"""The command line as people use it: train on one and on two processes, evaluate, and every slip said in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torchmetrics.functional.image import learned_perceptual_image_patch_similarity as reference_lpips

from deploy.server.triton import TritonServer
from pixels.difference import psnr_db
from tests.photos import photo
from training.__main__ import main
from training.checkpoints import LATEST, load_checkpoint
from training.errors import TrainingError
from training.lpips import Lpips, load_lpips
from training.metrics import ssim
from training.networks.generator import Generator
from training.networks.refiner import Refiner
from training.networks.weights import save_weights
from training.run import GENERATOR, REFINER
from training.run_logger import HISTORY
from training.served import published, served_at


def test_two_processes_train_one_model(pairs_jsonl: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training", "train", "--recipe", "debug", "--jsonl", str(pairs_jsonl)]
    options = ["--out", str(tmp_path / "run"), "--devices", "2", "--accelerator", "cpu", "--epochs", "2"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert f"next:    python -m training evaluate --weights {tmp_path / 'run'} --jsonl {pairs_jsonl}" in done.stdout
    state = load_checkpoint(tmp_path / "run" / "generator" / LATEST)
    assert state["progress"]["step"] == 2 * (10 // 2 // 2)  # epochs x pairs / processes / batch
    assert done.stdout.count("epoch 2: validation") == 1


def test_an_earlier_run_is_not_replaced_by_accident(
    pairs_jsonl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--recipe", "debug", "--jsonl", str(pairs_jsonl), "--out", str(tmp_path / "run")]
    command += ["--accelerator", "cpu", "--batch_size", "2"]
    assert main([*command, "--epochs", "1"]) == 0
    before = (tmp_path / "run" / GENERATOR).read_bytes()
    assert main([*command, "--epochs", "1"]) == 1
    assert "holds an earlier run (generator.safetensors): choose another folder" in capsys.readouterr().err
    assert (tmp_path / "run" / GENERATOR).read_bytes() == before
    assert main([*command, "--epochs", "2", "--overwrite"]) == 0
    history = (tmp_path / "run" / "generator" / HISTORY).read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in history] == [1, 2]
    assert (tmp_path / "run" / GENERATOR).stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    """Of this process."""
    found = os.umask(0)
    os.umask(found)
    return found


def test_evaluation_writes_table_json_and_sheet(
    pairs_jsonl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.evaluation.LONG_EDGE_PX", 64)
    save_weights(Generator(4), tmp_path / GENERATOR)
    save_weights(Refiner(), tmp_path / REFINER)
    pairs_jsonl.write_text("\n".join(pairs_jsonl.read_text().splitlines()[:2]))
    torch.save({f"features.{name}": each for name, each in Lpips().features.state_dict().items()}, tmp_path / "a.pth")
    arguments = ["--weights", str(tmp_path), "--jsonl", str(pairs_jsonl), "--alexnet", str(tmp_path / "a.pth")]
    assert main(["evaluate", *arguments, "--out", str(tmp_path / "out")]) == 0
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    means = [np.mean([row[key]["psnr_db"] for row in scores]) for key in ("unedited", "served", "new")]
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mean"))
    assert len(scores) == 2 and [f"{mean:.2f}" for mean in means] == line.split()[1::3]
    assert all(row[key]["lpips"] > 0 for row in scores for key in ("unedited", "served", "new"))
    assert (tmp_path / "out" / "contact-sheet.jpg").stat().st_size > 1000


def test_a_server_scores_as_the_networks_that_it_loads(server: TritonServer) -> None:
    before = photo(600, 500)
    ours, theirs = (edit(before).astype(int) for edit in (published(), served_at(server.grpc_url)))
    assert np.abs(ours - theirs).mean() < 0.5  # the server's refiner may run in BF16
    with pytest.raises(TrainingError, match="it must be one of default"):
        served_at(server.grpc_url, "cold")(before)
    with pytest.raises(TrainingError, match="no style 'cold' is published"):
        published("cold")


def test_lpips_is_that_of_torchmetrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose trunk comes from torchvision, which is not installed: it is handed ours."""
    torch.manual_seed(0)
    weights = {f"features.{name}": each for name, each in Lpips().features.state_dict().items()}
    torch.save(weights, tmp_path / "alexnet.pth")
    ours = load_lpips(tmp_path / "alexnet.pth")
    monkeypatch.setattr("torchmetrics.functional.image.lpips._get_tv_model_features", lambda *_: ours.features)
    first, second = torch.rand(2, 1, 3, 96, 128)
    theirs = reference_lpips(first, second, net_type="alex", normalize=True)
    assert float(ours(first, second)) == pytest.approx(float(theirs), rel=1e-4)
    assert float(ours(first, first)) == 0


@pytest.mark.parametrize(("content", "reason"), [(None, "no such file"), (b"photo", "not torchvision's AlexNet")])
def test_lpips_without_its_weights_says_where_they_are(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "alexnet.pth").write_bytes(content)
    with pytest.raises(TrainingError, match=rf"{reason}.*--alexnet alexnet-owt.*download\.pytorch\.org"):
        load_lpips(tmp_path / "alexnet.pth")


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
    assert psnr_db((photo + 0.1).numpy(), photo.numpy()) == pytest.approx(20.0, abs=1e-3)  # 10 log10(1 / 0.1^2)
    assert float(ssim(photo, photo)) == pytest.approx(1.0)
    constants = (2 * 0.5 * 0.6 + 0.01**2) / (0.5**2 + 0.6**2 + 0.01**2)  # SSIM of two flat photos
    assert float(ssim(photo + 0.1, photo)) == pytest.approx(constants, abs=1e-4)
    torch.manual_seed(0)
    both = torch.rand(2, 3, 32, 32)
    assert ssim(both, both.flip(0)).shape == (2,)
