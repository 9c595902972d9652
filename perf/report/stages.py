"""Where a photo's time goes, from Triton's statistics."""

import statistics
from typing import Any

from serving.versions import NETWORKS

STAGES = ("transport", "decode", "networks", "curves and tiles", "encode", "between the models")


def stages(level: dict[str, Any]) -> dict[str, float]:
    """Milliseconds of each stage, which add up to the client's mean latency; for one request in flight.

    ``networks`` is the time that generator and refiner worked, ``curves and tiles`` what the tiler took beside them:
    applying curves, cutting and sending tiles, as far as that is not hidden behind the networks' work. Queues
    count to their model, ``between the models`` is the ensemble's own, and ``transport`` what the client waited beyond
    the server's time.

    Args:
        level: of a result of schema ``scenario`` that asks the model ``enhance``.
    """
    models = level["models"]
    server_ms = models["enhance"]["success_ms"]
    busy_ms = sum(models[each]["busy_ms"] * models[each]["requests"] for each in NETWORKS if each in models)
    network_ms = busy_ms / models["enhance"]["requests"]
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
