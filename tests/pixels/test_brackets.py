"""Brackets: motions are found, the merged photo is the scene's light, and what moved is there once."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pixels.brackets import alignment
from pixels.brackets.scene import Tone, merge, merge_scene, plan
from tests.photos import photo

EXPOSURES_EV = (-2, 0, 2)


def exposed(scene: NDArray[np.float32], ev: float) -> NDArray[np.uint8]:
    """A photo of linear light."""
    return (np.clip(scene * 2.0**ev, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)


def room(width: int = 900, height: int = 600, seed: int = 0) -> NDArray[np.float32]:
    """Linear light of soft colours and structure, with a window that is four stops brighter."""
    scene = (photo(width, height, seed) / 255.0).astype(np.float32) ** 2.2 * 0.7 + 0.01
    rng = np.random.default_rng(seed)
    scene *= 0.6 + cv2.resize(rng.uniform(0, 1, (60, 90, 1)).astype(np.float32), (width, height))[..., None]
    scene[100:250, 600:800] *= 16
    return scene


def with_person(scene: NDArray[np.float32], left_px: int) -> NDArray[np.float32]:
    there = scene.copy()
    there[200:500, left_px : left_px + 90] = (0.35, 0.05, 0.04)
    return there


def test_a_shaken_and_turned_camera_is_laid_onto_the_anchor() -> None:
    scene = room()
    turn = np.add(cv2.getRotationMatrix2D((450, 300), 0.8, 1), [[0, 0, 9.3], [0, 0, -6.6]])
    shaken = cv2.warpAffine(scene, turn, (900, 600), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    frames = [exposed(scene, -1), exposed(np.maximum(shaken, 0), 1)]
    _, motion = alignment.motions([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames], anchor=0)
    assert np.abs(motion - turn).max() < 0.5
    corners = np.array([[0, 0, 1], [900, 0, 1], [0, 600, 1], [900, 600, 1]])
    assert np.abs(corners @ (motion - turn).T).max() < 0.5


def test_motions_are_scaled_about_the_corner_of_the_photo() -> None:
    """Blocks of 2 x 2 pixels move as their pixels do."""
    motion = np.array([[0.9998, -0.0175, 3.0], [0.0175, 0.9998, -2.0]])
    centre = motion @ [10, 20, 1]
    block = [alignment.scaled(motion, 2) @ [20 + x, 40 + y, 1] for x in (0, 1) for y in (0, 1)]
    np.testing.assert_allclose((np.mean(block, axis=0) - 0.5) / 2, centre, atol=1e-6)


def test_the_merged_photo_holds_the_light_that_no_frame_holds_alone() -> None:
    scene = room()
    frames = [exposed(scene, ev) for ev in EXPOSURES_EV]
    assert (frames[1][100:250, 600:800] == 255).all(axis=2).mean() > 0.1
    merged, anchor = merge_scene(frames)
    assert anchor == 1 and merged.dtype == np.uint16 and merged.max() < 65535
    tone = plan(frames).tone
    ratio = merged / tone.encoded(scene * 2**-2).astype(float)  # the darkest frame is 0 EV of the merged light
    recorded = (frames[0].max(2) < 245) & (frames[2].min(2) > 12)
    assert np.percentile(ratio[recorded], 99) / np.percentile(ratio[recorded], 1) < 1.1


@pytest.mark.parametrize("anchor_px", [150, 400])
def test_a_moving_person_is_there_once(anchor_px: int) -> None:
    """Where they stood in the anchor they stand, and where they stood in the other frames the room is whole."""
    scene, places = room(), (60, anchor_px, 300)
    frames = [exposed(with_person(scene, left), ev) for left, ev in zip(places, EXPOSURES_EV, strict=True)]
    how = plan(frames)
    merged = merge(frames, how, lambda: None)
    wanted = how.tone.encoded(with_person(scene, anchor_px) * 2**-2)
    difference = np.abs(merged.astype(float) - wanted).max(2) / wanted.max(2)
    for left in places:
        assert np.percentile(difference[200:500, left : left + 90], 98) < 0.15


def test_another_scene_is_refused_by_name() -> None:
    frames = [exposed(room(), ev) for ev in EXPOSURES_EV]
    with pytest.raises(alignment.MisalignedError, match="frame 4 differs from the others"):
        merge_scene([*frames, exposed(room(seed=3), 1)])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 200), (40, 33)])
def test_small_frames_are_merged_too(width: int, height: int) -> None:
    frames = [exposed(room(width, height), ev) for ev in EXPOSURES_EV]
    assert merge_scene(frames)[0].shape == (height, width, 3)


@pytest.mark.parametrize("shoulder", [0.0, 30.0])
def test_light_is_encoded_with_a_gamma_and_a_shoulder_and_nothing_recorded_is_white(shoulder: float) -> None:
    light = np.geomspace(1e-6, 2, 3000, dtype=np.float32).reshape(-1, 1, 3)
    linear = np.minimum(2.0 * light, 1)
    wanted = (linear * (1 + shoulder) / (1 + shoulder * linear)) ** (1 / 2.2) * 0.96 * 65535
    encoded = Tone(gain=2.0, shoulder=shoulder).encoded(light)
    assert np.abs(encoded - wanted).max() < 0.1 * 257  # a tenth of an 8-bit step
