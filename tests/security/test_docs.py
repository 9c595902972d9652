"""The threat model names a test for each claim: they exist."""

import re

from files.checkout import ROOT


def test_every_test_that_the_threat_model_names_exists() -> None:
    text = (ROOT / "docs/security.md").read_text()
    named = re.findall(r"`([^`]*test_[^`]*)`", text)
    code = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    files = [name for name in named if name.endswith(".py")]
    assert len(named) > 25 and all((ROOT / name).is_file() for name in files)
    for name in set(named) - set(files):
        pattern = r"\w*".join(name.split("..."))
        assert re.search(f"def {pattern}", code), name
