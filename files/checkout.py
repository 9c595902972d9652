"""The folders of this checkout that several parts use."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODEL_REPOSITORY = ROOT / "model_repository"
"""What Triton serves."""
ARTIFACTS = Path("artifacts")
"""Folder of runs, below the one in which a command is started."""
SECRETS = ROOT / "secrets"
"""Certificates and keys, which the repository does not have."""
