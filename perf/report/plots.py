"""Plots of the report, as small PNG files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from perf.report.growth import Line
from perf.report.stages import STAGES

mpl.use("agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

DPI = 110
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "lines.markersize": 5,
}


@dataclass(frozen=True)
class Series:
    """One curve.

    Attributes:
        line: fitted to it, drawn behind the points.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    line: Line | None = None


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    plt.rcParams.update(STYLE)
    figure, axes = plt.subplots(1, count, figsize=(8.5, 3.3), layout="constrained", squeeze=False)
    return figure, list(axes[0])


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    plt.close(figure)


def _draw(axes: Axes, curves: Sequence[Series], x_label: str, y_label: str, joined: bool = True) -> None:
    for curve in curves:
        (points,) = axes.plot(curve.x, curve.y, "o-" if joined else "o", label=curve.name)
        if curve.line is not None:
            ends = np.array([0, max(curve.x) * 1.05])
            axes.plot(ends, [curve.line.at(end) for end in ends], "-", color=points.get_color(), alpha=0.5)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.set_ylim(bottom=0)
    axes.legend()


def growth_plot(times_s: Sequence[Series], memory_gb: Sequence[Series], path: Path) -> None:
    """Time and memory against megapixels, with the fitted lines."""
    figure, (left, right) = _panels(2)
    _draw(left, times_s, "megapixels", "seconds a photo, median", joined=False)
    _draw(right, memory_gb, "megapixels", "GB above idle, peak", joined=False)
    _save(figure, path)


def load_plot(throughput: Sequence[Series], batches: Sequence[Series], path: Path) -> None:
    """Throughput and tiles in a batch against requests under way; throughput relative to one request."""
    figure, (left, right) = _panels(2)
    _draw(left, throughput, "requests under way", "throughput, one under way = 1")
    _draw(right, batches, "requests under way", "tiles in a batch of the refiner, mean")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        ticks = sorted({x for curve in (*throughput, *batches) for x in curve.x})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    _save(figure, path)


def saturation_plot(percentiles_ms: Sequence[Series], refused_per_s: Sequence[float], path: Path) -> None:
    """Latency against the rate at which photos arrive at random."""
    figure, (axes,) = _panels(1)
    _draw(axes, percentiles_ms, "photos that arrive in a second", "milliseconds")
    for rate in refused_per_s:
        axes.axvline(rate, color="black", linestyle=":")
        place = (rate, axes.get_ylim()[1] * 0.85)
        axes.annotate("queue full:\nrefused", place, (-5, 0), textcoords="offset points", ha="right", fontsize=8)
    _save(figure, path)


def trace_plot(spans: Sequence[tuple[str, float, float, float]], path: Path) -> None:
    """When each model was at work on a photo; each bar of the refiner is a tile, waiting (pale) and at work.

    Args:
        spans: model, queued, start, end in milliseconds.
        path: of the PNG file.
    """
    figure, (axes,) = _panels(1)
    models = ("decode", "tiler", "generator", "refiner", "encode")
    tiles = sum(model == "refiner" for model, *_ in spans)
    drawn = 0
    for model, queued, start, end in spans:
        place, height = float(models.index(model)), 0.8
        if model == "refiner":
            place, height = place - 0.4 + 0.8 * (drawn + 0.5) / tiles, 0.8 / tiles
            drawn += 1
        color = f"C{models.index(model)}"
        axes.barh(place, start - queued, height, queued, color=color, alpha=0.3)
        axes.barh(place, end - start, height, start, color=color)
    axes.set_yticks(range(len(models)), models)
    axes.set(xlabel="milliseconds since the server took the photo up")
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    _save(figure, path)


def stages_plot(stages_ms: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Share of each stage in a photo's time, one bar a scenario."""
    figure, (axes,) = _panels(1)
    names = list(stages_ms)
    left = np.zeros(len(names))
    for stage in STAGES:
        shares = np.array([100 * max(0.0, stages_ms[name][stage]) / sum(stages_ms[name].values()) for name in names])
        axes.barh(names, shares, left=left, label=stage)
        left += shares
    axes.set(xlabel="per cent of a photo's time, one photo under way")
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.45, -0.16))
    _save(figure, path)
