"""The curves of a soak."""

import io
from typing import Any

from matplotlib.figure import Figure

COLOURS = {
    "tritonserver": "#444444",
    "decode": "#1b9e77",
    "tiler": "#d95f02",
    "generator": "#7570b3",
    "refiner": "#e6ab02",
    "encode": "#e7298a",
}


def draw(result: dict[str, Any]) -> bytes:
    """Memory by model above, file descriptors and shared memory below, over minutes; a PNG file."""
    samples = result["samples"]
    minutes = [seconds / 60 for seconds in samples["time_s"]]
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    memory, files = figure.subplots(2, 1, sharex=True)
    for model, colour in COLOURS.items():
        memory.plot(minutes, [each / 1e6 for each in samples[f"{model}_bytes"]], color=colour, label=model)
    memory.set(
        ylabel="memory (PSS), MB",
        title=f"{sum(row['requests'] for row in result['rows'])} requests in {minutes[-1]:.0f} min",
    )
    files.plot(minutes, samples["files"], color="#1f77b4", label="file descriptors")
    files.plot(minutes, samples["threads"], color="#888888", label="threads")
    files.plot(
        minutes, [each / 1e6 for each in samples["shared_memory_bytes"]], color="#bb5500", label="shared memory, MB"
    )
    files.set(xlabel="minutes", ylabel="number")
    for axes in (memory, files):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()
