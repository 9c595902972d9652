"""An ESTIMATE for a DGX Spark: the least time that a network can take there for a photo.

Nothing here was measured on one. The rates are other people's measurements; decoding, curves, encoding and copies
between processes are left out.
"""

from typing import Any

import onnx

from perf.roofline.graph_cost import Graph, steps
from perf.roofline.limits import Machine, limit_s, memory_share
from pixels.tiling import segments

SPARK = Machine(flops_per_s=91e12, bytes_per_s=218e9)
SOURCES = (
    "91 TFLOPS: BF16 matrix product, measured on a DGX Spark by others (huggingface/kernels, pull request 283: 91 to "
    "92; another source reports about 60). NVIDIA publishes no dense 16-bit figure.",
    "218 GB/s: memory rate, measured by the same source. NVIDIA's data sheet says 273 GB/s.",
)
PHOTOS = {12: (4000, 3000), 24: (6000, 4000), 45: (8192, 5464)}  # pixels by megapixels
VALUE_BYTES = 2  # the plan computes in FP16
BATCH = 8  # of a photo's tiles in the refiner; the generator sees one tile of each photo


def tile_count(width: int, height: int) -> int:
    """Tiles of a photo that the refiner sees."""
    return len(segments(width)) * len(segments(height))


def projection(network: str, model: onnx.ModelProto, share: float | None) -> dict[str, Any]:
    """The estimate, with its inputs.

    Args:
        network: "generator", which works on one tile of any photo, or "refiner".
        model: its served graph.
        share: of the limit that the served engine reaches on the machine at hand, to show what that would mean there;
            None where it was not measured.
    """
    items = BATCH if network == "refiner" else 1
    batch = steps(Graph(model, items))
    tile_s = limit_s(batch, SPARK, VALUE_BYTES) / items
    rows = []
    for megapixels, size in PHOTOS.items():
        tiles = tile_count(*size) if network == "refiner" else 1
        row = {"megapixels": megapixels, "tiles": tiles, "limit_s": tiles * tile_s}
        rows.append(row | ({"at_the_share_reached_here_s": tiles * tile_s / share} if share else {}))
    return {
        "kind": "estimate",
        "flops_per_s": SPARK.flops_per_s,
        "bytes_per_s": SPARK.bytes_per_s,
        "sources": list(SOURCES),
        "left_out": "decoding, curves, encoding, copies between processes",
        "limit_waiting_for_memory": memory_share(batch, SPARK, VALUE_BYTES),
        "rows": rows,
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The estimate as text."""
    text = [
        f"ESTIMATE for a DGX Spark, this network alone, from {found['flops_per_s'] / 1e12:.0f} TFLOPS and "
        f"{found['bytes_per_s'] / 1e9:.0f} GB/s that others measured:"
    ]
    for row in found["rows"]:
        size = f"{row['megapixels']} MP"
        there = row.get("at_the_share_reached_here_s")
        same = f", {1e3 * there:.1f} ms at the share of the limit reached here" if there else ""
        text.append(f"  {size:12} {row['tiles']:4} tiles, at least {1e3 * row['limit_s']:.2f} ms{same}")
    return text
