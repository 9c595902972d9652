"""Where a photo's time goes, from Triton's statistics."""

import statistics
from typing import Any

STAGES = ("transport", "decode", "network", "tiling and blending", "encode", "between the models")


def stages(level: dict[str, Any]) -> dict[str, float]:
    """Milliseconds of each stage, which add up to the client's mean latency; for one request under way.

    ``network`` is the time that the generator worked, ``tiling and blending`` what the tiler took beside it: cutting,
    blending and sending tiles, as far as that is not hidden behind the network's work. Queues count to their model,
    ``between the models`` is the ensemble's own, and ``transport`` what the client waited beyond the server's time.

    Args:
        level: of a result of schema ``scenario`` that asks the model ``enhance``.
    """
    models = level["models"]
    server_ms = models["enhance"]["success_ms"]
    network_ms = models["generator"]["busy_ms"] * models["generator"]["requests"] / models["enhance"]["requests"]
    steps = {name: models[name]["success_ms"] for name in ("decode", "tiler", "encode")}
    found = (
        statistics.mean(each["mean_ms"] for each in level["repeats"]) - server_ms,
        steps["decode"],
        network_ms,
        steps["tiler"] - network_ms,
        steps["encode"],
        server_ms - sum(steps.values()),
    )
    return dict(zip(STAGES, found, strict=True))
