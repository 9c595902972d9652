"""The camera model: exposure, colour, clipping and noise behave like a camera's."""

import numpy as np
import pytest

from pixels.brackets.exposure import exposure_values, to_linear
from tests.training.conftest import room
from training.data.camera import STACKS_EV, Body, Shot, random_body, random_cast, random_shot, shoot, shoot_stack
from training.data.fusion import meter

PLAIN = Body()


def take(shot: Shot, body: Body = PLAIN, seed: int = 0) -> np.ndarray:
    return shoot(meter(room(1)), body, shot, np.random.default_rng(seed))


def test_same_random_stream_takes_the_same_photo() -> None:
    noisy = Shot(noise=0.02, quality=80)
    assert np.array_equal(take(noisy, seed=1), take(noisy, seed=1))
    assert not np.array_equal(take(noisy, seed=1), take(noisy, seed=2))


def test_a_stop_doubles_the_light() -> None:
    dark, bright = to_linear(take(Shot(ev=-3))), to_linear(take(Shot(ev=-2)))
    usable = (dark > 0.05).all(2) & (bright < 0.9).all(2)
    assert bright[usable] / dark[usable] == pytest.approx(2, rel=0.05)


def test_cast_scales_the_channels_and_keeps_the_light() -> None:
    red, green, blue = random_cast(np.random.default_rng(0))
    assert 0.2126 * red + 0.7152 * green + 0.0722 * blue == pytest.approx(1)
    neutral, tinted = to_linear(take(Shot(ev=-3))), to_linear(take(Shot(ev=-3, cast=(1.5, 1.0, 0.5))))
    assert (tinted.mean((0, 1)) / neutral.mean((0, 1))) == pytest.approx([1.5, 1.0, 0.5], rel=0.03)


@pytest.mark.parametrize("body", [Body(contrast=0.7), Body(shoulder=0.8), Body(bend=0.85), Body(black=-0.03)])
def test_tone_curves_keep_the_order_of_brightness(body: Body) -> None:
    ramp = np.repeat(np.linspace(0, 1.2, 500, dtype=np.float32)[None, :, None], 3, axis=2)
    curve = shoot(ramp, body, Shot(), np.random.default_rng(0))[0, :, 1].astype(int)
    assert (np.diff(curve) >= 0).all() and curve[-1] > 245 and curve[0] <= 10


def test_vignetting_darkens_corners_only() -> None:
    flat = np.full((65, 65, 3), 0.5, np.float32)
    photo = shoot(flat, Body(vignetting=0.4), Shot(), np.random.default_rng(0))
    assert photo[32, 32, 0] > photo[0, 0, 0] + 20
    assert photo[32, 32, 0] == shoot(flat, PLAIN, Shot(), np.random.default_rng(0))[32, 32, 0]


def test_stack_is_clean_and_two_stops_apart() -> None:
    steps = np.diff(exposure_values(shoot_stack(meter(room(2)), PLAIN, (-6, -4, -2, 0, 2))))
    assert steps == pytest.approx(2, abs=0.3)


def test_random_cameras_write_photos() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        photo = shoot(meter(room(1)), random_body(rng), random_shot(rng.uniform(-4, 2), rng), rng)
        assert photo.dtype == np.uint8 and photo.shape == (64, 96, 3) and photo.std() > 1


def test_stacks_are_centred_and_ordered() -> None:
    for evs in STACKS_EV:
        assert sorted(evs) == list(evs) and evs[len(evs) // 2] == 0 and len(evs) % 2


def test_some_casts_are_large_and_many_slight() -> None:
    casts = np.array([random_cast(np.random.default_rng(seed)) for seed in range(400)])
    red_over_blue = np.log(casts[:, 0] / casts[:, 2])
    assert np.abs(red_over_blue).max() > 0.8 and np.median(np.abs(red_over_blue)) < 0.5
