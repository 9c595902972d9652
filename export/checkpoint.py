"""Load a trained generator from its safetensors file."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from export.errors import ExportError
from training.networks.generator import Generator


def load_generator(path: Path) -> tuple[Generator, dict[str, str]]:
    """Build the network at the width that the file states and fill in its weights.

    Args:
        path: safetensors file whose metadata has ``width``.

    Returns:
        The network in evaluation mode, and the file's metadata.

    Raises:
        ExportError: missing or damaged file, no width, or weights of another network.
    """
    if not path.is_file():
        raise ExportError(f"checkpoint {path} is missing: train first, or name one with --checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise ExportError(f"checkpoint {path} does not read as safetensors: {error}") from None
    if not metadata.get("width", "").isdigit():
        raise ExportError(f"checkpoint {path} states no width in its metadata: it is not a generator of this project")
    generator = Generator(int(metadata["width"]))
    try:
        generator.load_state_dict(weights)
    except RuntimeError as error:
        raise ExportError(
            f"checkpoint {path} does not fit the generator of width {metadata['width']}: {error}"
        ) from None
    return generator.eval(), metadata
