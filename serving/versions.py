"""Styles and versions of the networks in the model repository: a pair of models each, numbered folders in them.

The default style is ``generator`` and ``refiner``, the style ``warm`` is ``generator_warm`` and ``refiner_warm``.
Triton serves the highest number of every model.
"""

from pathlib import Path

NETWORKS = ("generator", "refiner")
"""Models that are trained, exported, published and withdrawn together, under one number."""

DEFAULT_STYLE = "default"
"""The style of a request that names none."""

ONNX_NAME = "model.onnx"
"""What the CPU profile serves; every version holds one, whatever else it holds."""


def weights_name(network: str) -> str:
    """File name of a network's weights, as training leaves and export reads them."""
    return f"{network}.safetensors"


def model_names(style: str = DEFAULT_STYLE) -> tuple[str, ...]:
    """The models of a style, in the order of NETWORKS."""
    return NETWORKS if style == DEFAULT_STYLE else tuple(f"{network}_{style}" for network in NETWORKS)


def styles(repository: Path) -> list[str]:
    """The styles that are published, the default first."""
    stem = f"{NETWORKS[0]}_"
    named = sorted(path.name.removeprefix(stem) for path in repository.glob(f"{stem}*"))
    return [style for style in (DEFAULT_STYLE, *named) if common_versions(repository, style)]


def versions(model_dir: Path) -> set[int]:
    """Numbers of the versions that hold a network; version 1 of a bare clone may hold the serving code alone."""
    return {int(path.parent.name) for path in model_dir.glob(f"*/{ONNX_NAME}") if path.parent.name.isdigit()}


def common_versions(repository: Path, style: str = DEFAULT_STYLE) -> list[int]:
    """The versions that all of a style's networks have, newest first: those to ask for, so that no two runs mix."""
    return sorted(set.intersection(*(versions(repository / name) for name in model_names(style))), reverse=True)
