"""The operator's key: Triton asks for it before it tells statistics or changes settings."""

import os
import secrets
from pathlib import Path

from files.checkout import SECRETS


def key_file(folder: Path = SECRETS) -> Path:
    """The path of the key in a folder of secrets."""
    return folder / "operator.key"


def operator_key(folder: Path = SECRETS) -> str:
    """The operator's key in a folder of secrets; made, and readable for its owner alone, where there is none."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(key_file(folder), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return key_file(folder).read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return key_file(folder).read_text()
