"""Tiles of the refiner do not show: with the network itself, and with the one that is served."""

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from export.networks import ServedRefiner
from export.tiles import opening_curves
from files.checkout import MODEL_REPOSITORY
from pixels.curves import apply
from pixels.refinement import RefineTile, Tile, refine
from pixels.tiling import MARGIN_PX, PHASE_PX
from tests.export.conftest import random_network
from tests.photos import photo
from training.networks.refiner import FOLD, MARGIN


def by_network(network: torch.nn.Module) -> RefineTile:
    @torch.inference_mode()
    def refine_tile(before: Tile, applied: Tile) -> Tile:
        return network(*(torch.from_numpy(tile)[None] for tile in (before, applied)))[0].numpy()

    return refine_tile


def tiled(before: NDArray[np.uint8], refine_tile: RefineTile) -> NDArray[np.uint8]:
    applied = apply(before, opening_curves())
    refine(before, applied, refine_tile, strength=1.0, tiles_in_flight=2)
    return applied


def assert_same(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> None:
    """But for rounding."""
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1 and difference.mean() < 1e-3


def test_the_margin_is_the_networks() -> None:
    assert MARGIN_PX >= MARGIN and PHASE_PX % FOLD == 0


def test_tiled_equals_whole() -> None:
    refine_tile, before = by_network(ServedRefiner(random_network("refiner", seed=3))), photo(1100, 700)
    applied = apply(before, opening_curves())
    whole = refine_tile(before, applied)
    assert np.abs(whole.astype(int) - applied).mean() > 0.5  # it does something
    assert_same(tiled(before, refine_tile), whole)


def test_the_served_refiner_gives_a_pixel_the_same_wherever_tiles_are_cut() -> None:
    session = onnxruntime.InferenceSession(
        MODEL_REPOSITORY / "refiner/1/model.onnx", providers=["CPUExecutionProvider"]
    )

    def refine_tile(before: Tile, applied: Tile) -> Tile:
        (refined,) = session.run(["REFINED"], {"PHOTO": before[None], "APPLIED": applied[None]})
        return refined[0]

    before, shift, border = photo(1000, 560), 36, slice(MARGIN_PX, None)
    moved = tiled(before[shift:, shift:], refine_tile)
    assert_same(moved[border, border], tiled(before, refine_tile)[shift:, shift:][border, border])
