"""The style study: the look-up table is a fair rival, and the style is beyond it."""

import numpy as np
import torch

from tests.training.conftest import photograph, room
from training.style_study import LUT_SIZE, apply_lut, fit_lut, metered, studio_style


def photos(count: int) -> list[np.ndarray]:
    return [np.ascontiguousarray(photograph(room(seed, 64, 64), 0)) for seed in range(count)]


def test_identity_table_changes_nothing() -> None:
    axis = torch.linspace(0, 1, LUT_SIZE)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    colours = torch.rand(100, 3)
    torch.testing.assert_close(apply_lut(torch.stack((red, green, blue)), colours), colours, atol=1e-5, rtol=0)


def test_fitted_table_learns_a_global_grade() -> None:
    before = torch.from_numpy(np.stack(photos(6))).float().permute(0, 3, 1, 2) / 255
    after = (before * torch.tensor([0.7, 0.8, 0.9])[:, None, None] + 0.12).clamp(0, 1)
    colours, graded = (x.permute(0, 2, 3, 1).reshape(-1, 3) for x in (before, after))
    assert (apply_lut(fit_lut(before, after), colours) - graded).abs().mean() < 0.01


def test_the_table_sees_photos_at_one_brightness() -> None:
    photo = torch.from_numpy(photos(1)[0]).float().permute(2, 0, 1)[None] / 255
    torch.testing.assert_close(metered(photo * 0.7), metered(photo), atol=0.02, rtol=0)


def test_style_is_local() -> None:
    bright, dark = np.full((64, 64, 3), 100, np.uint8), np.full((64, 64, 3), 100, np.uint8)
    bright[:, 40:], dark[:, 40:] = 200, 20
    assert studio_style(bright)[32, 36].mean() < studio_style(dark)[32, 36].mean() - 5  # one grey, two edits
