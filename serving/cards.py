"""The card of a published style: what its export has recorded, and what its maker says of it."""

import json
from pathlib import Path

from serving.versions import NETWORKS, model_names

CARD_NAME = "card.txt"
"""A few words by whoever made the style, served with its networks."""
MANIFEST_NAME = "manifest.json"
"""Records of the export, served with its networks."""
TRAINED = "trained"
"""Detail of the step ``onnx`` that holds what the file of weights says of itself."""


def card(repository: Path, style: str, version: int) -> dict[str, str]:
    """What is known of a style, by name; what nobody recorded is left out.

    Args:
        repository: holds the models.
        style: a published one.
        version: of it.

    Returns:
        ``style`` and ``version``; ``about``, its maker's words; ``run`` and ``exported``, the name and time of the
        export; and what training wrote into the generator's weights, such as ``recipe`` and ``validation_psnr_db``.
    """
    folder = repository / model_names(style)[0] / str(version)
    text, manifest = (folder / name for name in (CARD_NAME, MANIFEST_NAME))
    found = {"style": style, "version": str(version)}
    if text.is_file():
        found["about"] = text.read_text(encoding="utf-8", errors="replace").strip()
    return found | (_recorded(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {})


def _recorded(manifest: str) -> dict[str, str]:
    records = json.loads(manifest)
    made = next((step for step in records["steps"] if f"{NETWORKS[0]}.onnx" in step["outputs"]), None)
    if made is None:
        return {"run": records["run"]}
    return {"run": records["run"], "exported": made["at"], **made["details"].get(TRAINED, {})}
