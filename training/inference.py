"""A generator as serving runs it: tiles in, edited tiles out."""

from collections.abc import Iterable, Iterator

import torch

from pixels.detail import RunTiles
from pixels.ranges import Floats
from training.networks.generator import Generator


def tile_runner(generator: Generator, device: torch.device | str = "cpu") -> RunTiles:
    """The callable that :func:`pixels.edit.enhance` asks for, one tile at a time."""
    network = generator.eval().to(device)

    @torch.inference_mode()
    def run_tiles(tiles: Iterable[Floats], exponent: Floats) -> Iterator[Floats]:
        for tile in tiles:
            batch = torch.from_numpy(tile)[None].to(device, memory_format=torch.channels_last)
            edited = network(batch, torch.from_numpy(exponent)[None].to(device))
            yield edited[0].cpu().contiguous().numpy()

    return run_tiles
