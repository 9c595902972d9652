"""The target edit: the stack's light comes back, and the edit does not depend on how it was exposed."""

import cv2
import numpy as np
import pytest

from pixels.brackets.exposure import exposure_values
from pixels.brackets.merging import merge
from pixels.light import LUMINANCE
from tests.training.conftest import photograph, room
from training.data.fusion import finish, fuse, meter, standard_edit, to_display


def test_exposures_are_measured_from_the_photos() -> None:
    frames = [photograph(room(1), ev) for ev in (-3, -1, 1)]
    assert exposure_values(frames) == pytest.approx([0, 2, 4], abs=0.1)


def test_merged_stack_is_the_scene() -> None:
    scene = room(2)
    merged = merge([photograph(scene, ev) for ev in (-5, -3, -1, 1, 3)])
    ratio = merged / scene
    assert np.percentile(ratio, 95) / np.percentile(ratio, 5) < 1.1


def test_metered_scene_has_the_key_as_log_average() -> None:
    luminance = meter(room(3) * 100) @ LUMINANCE
    assert np.exp(np.log(luminance).mean()) == pytest.approx(0.18, rel=0.02)


def test_edit_ignores_the_exposure_of_the_scene() -> None:
    scene = room(4)
    difference = standard_edit(scene).astype(int) - standard_edit(scene * 16)
    assert np.abs(difference).max() <= 1


def test_edit_is_the_fusion_of_opencv_brought_to_the_mean_under_a_shoulder() -> None:
    scene = meter(room(6))
    exposures = [to_display(scene * 2.0**ev)[..., ::-1].copy() for ev in (-6, -4, -2, 0, 2)]  # OpenCV wants BGR
    fused = cv2.createMergeMertens().process(exposures)[..., ::-1].astype(np.float64)
    expected = fused.clip(1e-4) ** (np.log(0.58) / np.log(fused.clip(1e-3, 1).mean()))
    bright = expected > 0.8
    expected[bright] = 0.8 + 0.2 * np.tanh((expected[bright] - 0.8) / 0.2)
    assert np.abs(standard_edit(scene) - 255 * expected).max() <= 0.51


def test_fused_colours_keep_their_order() -> None:
    red = np.full((64, 64, 3), (200, 90, 40), np.uint8)
    assert fuse([red, red]).mean((0, 1)) * 255 == pytest.approx([200, 90, 40], abs=0.5)


@pytest.mark.parametrize("exponent", [0.4, 1.0, 2.5])
def test_finished_photos_are_about_equally_bright_and_never_clip(exponent: float) -> None:
    fused = (np.random.default_rng(7).random((80, 120, 3), np.float32) * 1.05) ** exponent
    finished = finish(fused)
    assert finished.mean() / 255 == pytest.approx(0.55, abs=0.08)  # of means from 0.29 to 0.73
    assert 230 < finished.max() < 255


def test_a_light_that_a_stack_recorded_is_never_burnt_out() -> None:
    scene = meter(room(8))
    recorded = (scene.max(-1) < 2.0**5) & (scene.max(-1) > 1)  # beyond white at 0 EV, recorded six stops below
    assert recorded.any()
    assert standard_edit(scene)[recorded].min(-1).max() < 250


def test_edit_holds_the_window_and_opens_the_room() -> None:
    scene = meter(room(5))
    single, edited = photograph(scene, 0), standard_edit(scene)
    assert np.mean(edited == 255) < np.mean(single == 255)
    assert np.percentile(edited, 10) > np.percentile(single, 10)
