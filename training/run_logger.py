"""What a run leaves to look at: TensorBoard curves, a history in JSON Lines, and sample grids."""

import json
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

HISTORY = "history.jsonl"


class RunLogger:
    """Records of one run; only the first process writes.

    Args:
        folder: the run's folder.
        active: whether to write at all.
    """

    def __init__(self, folder: Path, active: bool) -> None:
        self.folder = folder
        self.writer = SummaryWriter(str(folder / "tensorboard")) if active else None

    def losses(self, step: int, values: dict[str, float]) -> None:
        """Curves of a step."""
        if self.writer:
            for name, value in values.items():
                self.writer.add_scalar(f"loss/{name}", value, step)

    def epoch(self, epoch: int, values: dict[str, float], samples: Tensor) -> None:
        """Scores of an epoch and a grid of samples, float [rows, columns, 3, H, W] in [0, 1]."""
        if self.writer:
            for name, value in values.items():
                self.writer.add_scalar(f"epoch/{name}", value, epoch)
            with (self.folder / HISTORY).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"epoch": epoch, **values}) + "\n")
            grid = torch.cat(list(torch.cat(list(samples.transpose(0, 1)), dim=-1)), dim=-2).clamp(0, 1)
            self.writer.add_image("samples", grid, epoch)
            photo = np.asarray(grid.permute(1, 2, 0).mul(255).round().byte().cpu().numpy())
            cv2.imwrite(str(self.folder / "samples.jpg"), photo[..., ::-1])

    def close(self) -> None:
        """Write out what is pending."""
        if self.writer:
            self.writer.close()
