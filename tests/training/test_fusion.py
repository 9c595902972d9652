"""The target edit: the stack's light comes back, and the edit does not depend on how it was exposed."""

import numpy as np
import pytest

from pixels.metering import LUMINANCE
from tests.training.conftest import photograph, room
from training.data.fusion import exposure_values, merge, meter, standard_edit


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


def test_edit_holds_the_window_and_opens_the_room() -> None:
    scene = meter(room(5))
    single, edited = photograph(scene, 0), standard_edit(scene)
    assert np.mean(edited == 255) < np.mean(single == 255)
    assert np.percentile(edited, 10) > np.percentile(single, 10)
