"""Versions of the networks in the model repository: numbered folders, of which Triton serves the highest."""

from pathlib import Path

NETWORKS = ("generator", "refiner")
"""Models that are trained, exported, published and withdrawn together, under one number."""

ONNX_NAME = "model.onnx"
"""What the CPU profile serves; every version holds one, whatever else it holds."""


def versions(model_dir: Path) -> set[int]:
    """Numbers of the versions that hold a network; version 1 of a bare clone may hold the serving code alone."""
    return {int(path.parent.name) for path in model_dir.glob(f"*/{ONNX_NAME}") if path.parent.name.isdigit()}


def common_versions(repository: Path) -> list[int]:
    """The versions that all networks have, newest first: those to ask for, so that two runs' networks never mix."""
    return sorted(set.intersection(*(versions(repository / name) for name in NETWORKS)), reverse=True)
