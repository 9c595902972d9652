"""The bill of materials follows its schema and has what is installed; the notices name all that is asked for."""

import importlib.metadata
import json
import re
import sysconfig
from pathlib import Path

import pytest

from deploy.supply.notices import NVIDIA, UNDECLARED, licence, packages
from deploy.supply.sbom import ENVIRONMENTS, TOOL, SbomError, check, write
from files.checkout import ROOT

FREE = {
    *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0"),
    *("MIT-CMU", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "ZPL-2.1", "Zlib", "LLVM-exception"),
}  # fmt: skip
"""Licences that ask for nothing of a program that uses the package (MPL: of changes to the package alone)."""
REPLACEABLE = {"pi-heif": {"LGPL-3.0-only"}}
"""Libraries that may be used by any program as long as they can be replaced, as a package of their own can."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the bills of materials of what is installed here."""
    if not TOOL.exists():
        pytest.skip("no tool for bills of materials: make setup PART=sbom")
    folder = tmp_path_factory.mktemp("sbom")
    write(folder)
    return folder


def test_bills_of_materials_follow_cyclonedx(folder: Path) -> None:
    wrong = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library"}]}
    (folder / "wrong.json").write_text(json.dumps(wrong))
    with pytest.raises(SbomError, match=r"wrong\.json: 'name' is a required property"):
        check([folder / "server.cdx.json", folder / "wrong.json"])  # the first that is wrong is named


def test_bill_of_materials_has_exactly_what_is_installed(folder: Path) -> None:
    document = json.loads((folder / "clients-and-training.cdx.json").read_text())
    listed = {(each["name"], each["version"]) for each in document["components"]}
    site = [sysconfig.get_path("purelib")]  # alone: Ray adds packages of its own to sys.path, once it is imported
    installed = {(each.name, each.version) for each in importlib.metadata.distributions(path=site)}
    own = document["metadata"]["component"]
    assert listed | {(own["name"], own["version"])} >= installed
    assert own["licenses"][0]["license"]["id"] == "Apache-2.0"


def test_every_licence_is_known_and_free_or_nvidias(folder: Path) -> None:
    for package in packages(folder):
        names = set(re.split(r" (?:AND|OR|WITH|or) |[()]", package.licence)) - {""}
        assert names <= FREE | REPLACEABLE.get(package.name, set()) or names == {NVIDIA}, package


def test_notices_name_every_package_that_running_it_asks_for() -> None:
    """The rest of the table follows from these; `python -m deploy.supply sbom` writes it again."""
    running = re.compile(r"[^;]*(; extra == .(training|export|ui).)?")
    asked = list(filter(running.fullmatch, importlib.metadata.requires("triton-photo-enhancer") or []))
    files = ("models.txt", "server.txt", "tritonserver.txt")
    for requirements in (*(f"deploy/requirements/{name}" for name in files), "clients/page/requirements-ui.txt"):
        asked += [line for line in (ROOT / requirements).read_text().splitlines() if line[:1] not in ("#", "-", "")]
    names = {re.split(r"[\[<>=; ]", line)[0].lower().replace("_", "-") for line in asked}
    rows = [line.split("|") for line in (ROOT / "THIRD_PARTY_NOTICES.md").read_text().splitlines()]
    assert names <= {row[1].strip() for row in rows if len(row) > 1}, "run python -m deploy.supply sbom"


@pytest.mark.parametrize(
    ("declared", "short"),
    [
        ([{"expression": "MIT OR Apache-2.0"}], "MIT OR Apache-2.0"),
        ([{"license": {"id": "MIT"}}, {"license": {"name": "License :: OSI Approved :: MIT License"}}], "MIT"),
        ([{"license": {"name": "License :: OSI Approved :: BSD License"}}], "BSD"),
        ([], ""),
    ],
)
def test_licences_are_told_in_short(declared: list[dict[str, object]], short: str) -> None:
    assert licence({"licenses": declared}) == short


def test_licences_read_off_by_hand_are_needed(folder: Path) -> None:
    documents = [json.loads((folder / f"{name}.cdx.json").read_text()) for name in ENVIRONMENTS]
    components = [each for document in documents for each in document["components"]]
    without = {each["name"].lower().replace("_", "-") for each in components if not licence(each)}
    assert set(UNDECLARED) <= without


def test_images_are_pinned_by_version() -> None:
    """An image without a version, or the latest one, is another image tomorrow."""
    files = [path for path in (ROOT / "deploy").rglob("*") if path.suffix == ".yaml" or path.name == "Dockerfile"]
    text = "\n".join(path.read_text() for path in files)
    images = re.findall(r"^ *(?:FROM|image:|- image:) +[\"']?([^\s\"'{]+/[^\s\"'{]+)", text, re.MULTILINE)
    assert [image for image in images if image.startswith("nvcr.io")]
    for image in images:
        assert re.search(r":[\w.-]*\d[\w.-]*$", image), image
