"""Compare two engines on the same tiles, through Polygraphy, against a budget in a picture's own units."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from polygraphy.backend.base import BaseRunner
from polygraphy.comparator import Comparator
from polygraphy.logger import G_LOGGER

from export.contract import Contract
from export.errors import ExportError
from pixels.difference import error, psnr_db

Feed = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Budget:
    """How far a copy may be from its reference, on values where 1 is white.

    Attributes:
        max_abs_error: largest difference of one value.
        min_psnr_db: peak signal-to-noise ratio over one batch, peak 1.
    """

    max_abs_error: float
    min_psnr_db: float


FP32_BUDGET = Budget(max_abs_error=1e-3, min_psnr_db=80.0)  # a quarter of a stored value; 80 dB is 1e-4 everywhere
FP16_BUDGET = Budget(max_abs_error=3 / 255, min_psnr_db=50.0)


@dataclass(frozen=True)
class Difference:
    """Difference of one output over all batches, on values where 1 is white.

    Attributes:
        max_abs_error: of the worst value.
        min_psnr_db: of the worst batch.
        step: from one stored value to the next, where values are stored as integers: nearly equal ones may be rounded
            to either side.
    """

    max_abs_error: float
    min_psnr_db: float
    step: float = 0.0

    def require(self, budget: Budget, copy: Path, reference: Path) -> None:
        """Hold a copy to its budget; a NaN breaks it.

        Raises:
            ExportError: says what breaks it, and by how much.
        """
        found = []
        if not self.max_abs_error <= (allowed := budget.max_abs_error + self.step):
            found.append(f"max error {self.max_abs_error:.2e} exceeds {allowed:.2e}")
        if not self.min_psnr_db >= budget.min_psnr_db:
            found.append(f"PSNR {self.min_psnr_db:.1f} dB is under {budget.min_psnr_db:.1f} dB")
        if found:
            raise ExportError(f"{copy} differs from {reference}: {'; '.join(found)}")

    def record(self, budget: Budget) -> dict[str, Any]:
        """Plain JSON for the manifest."""
        return asdict(self) | {"budget": asdict(budget)}


def compare(reference: BaseRunner, copy: BaseRunner, feeds: list[Feed], contract: Contract) -> Difference:
    """Run both on the same batches and measure how far apart their outputs are."""
    with G_LOGGER.verbosity(G_LOGGER.WARNING):
        results = Comparator.run([reference, copy], data_loader=feeds)
    (output,) = contract.outputs
    step = 0.0 if output.white == 1 else 1 / output.white
    errors, psnrs = [], []
    for ours, theirs in zip(*(iterations for _, iterations in results.items()), strict=True):
        errors.append(float(np.abs(error(ours[output.name], theirs[output.name])).max()))
        psnrs.append(psnr_db(ours[output.name], theirs[output.name]))
    return Difference(float(np.max(errors)), float(np.min(psnrs)), step)
