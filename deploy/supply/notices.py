"""The authors and licences of what an installation brings: THIRD_PARTY_NOTICES.md from the bills of materials."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.supply.sbom import ENVIRONMENTS, SBOM, bill
from files.checkout import ROOT
from files.writing import write_whole

NOTICES = ROOT / "THIRD_PARTY_NOTICES.md"
TEMPLATE = Path(__file__).with_name("notices.md")
CLASSIFIER = "License :: "
OWN = {"triton-photo-enhancer"}
NVIDIA = "NVIDIA licence agreement"
UNDECLARED = {
    "kubernetes-validate": "Apache-2.0",
    "nvidia-dali-cuda130": "Apache-2.0",
    "nvidia-libnvcomp-cu13": NVIDIA,
    "nvidia-nvimgcodec-cu13": "Apache-2.0",
    "nvidia-pytriton": "Apache-2.0",
    "onnx-graphsurgeon": "Apache-2.0",
    "polygraphy": "Apache-2.0",
    "protobuf": "BSD-3-Clause",
    "python-rapidjson": "MIT",
    "ray": "Apache-2.0",
}
"""Licences that the packages state in words alone, which the bill of materials leaves out; read off their files."""
PLAIN = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Other/Proprietary License": NVIDIA,
    "LicenseRef-NVIDIA-Proprietary": NVIDIA,
}


@dataclass(frozen=True)
class Package:
    """Somebody else's package in one environment."""

    name: str
    licence: str
    environment: str


def packages(folder: Path = SBOM) -> Iterator[Package]:
    """Every package of every bill of materials.

    Raises:
        FileNotFoundError: there are none yet.
    """
    for environment in ENVIRONMENTS:
        document = json.loads(bill(environment, folder).read_text())
        for component in document["components"]:
            name = component["name"].lower().replace("_", "-")
            if name not in OWN:
                yield Package(name, licence(component) or UNDECLARED.get(name, "unknown"), environment)


def licence(component: dict[str, Any]) -> str:
    """What a component declares: an SPDX expression where there is one, else its classifiers in short."""
    texts = {
        each.get("expression") or each["license"].get("id") or each["license"]["name"]
        for each in component.get("licenses", [])
    }
    expressions = {text for text in texts if not text.startswith(CLASSIFIER)}
    return " or ".join(sorted(_short(text) for text in expressions or texts))


def _short(classifier: str) -> str:
    name = classifier.rpartition(" :: ")[2]
    return PLAIN.get(name, name)


def table(found: Iterable[Package]) -> str:
    """Rows of Markdown: package, licence, environments."""
    environments = defaultdict(set)
    for package in found:
        environments[package.name, package.licence].add(package.environment)
    rows = (f"| {name} | {held} | {', '.join(sorted(where))} |" for (name, held), where in environments.items())
    return "\n".join(sorted(rows))


def write(found: Iterable[Package]) -> Path:
    """The notices, whole; returns where they are."""
    write_whole(NOTICES, f"{TEMPLATE.read_text()}{table(found)}\n")
    return NOTICES
