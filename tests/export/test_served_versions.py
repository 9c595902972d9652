"""The real server reads version folders as publishing writes them, and serves networks of one version or none."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from tritonclient import grpc

from clients import Enhancer, Retry
from clients.commands.cli import main
from clients.errors import PhotoError, UnavailableError
from deploy.server.triton import TritonServer
from export import publish
from pixels.curves import CELLS, KNOTS, apply
from serving.versions import NETWORKS, common_versions, model_names, styles
from tests.photos import decoded, encoded, gamma_onnx, photo

WARM = "warm"
BEFORE = photo(600, 60)


@pytest.fixture
def repository(identity_repository: Path, tmp_path: Path) -> Path:
    return with_versions(identity_repository, tmp_path)


def with_versions(identity_repository: Path, folder: Path) -> Path:
    """Three versions of the networks that change nothing."""
    copy = folder / "model_repository"
    shutil.copytree(identity_repository, copy)
    for version in ("2", "3"):
        publish.write_folders(
            {copy / name / version: {"model.onnx": copy / name / "1/model.onnx"} for name in NETWORKS}
        )
    return copy


def add_style(repository: Path, version: int, gamma: float) -> None:
    """A version of a style whose edit is this power of every value."""
    folder = repository.parent / f"{WARM}-{version}"
    folder.mkdir()
    onnx.save(gamma_onnx(gamma), folder / "model.onnx")
    (folder / "card.txt").write_text("Evening light\n")
    made = {"outputs": {"generator.onnx": "0"}, "at": "2026-11-26", "details": {"trained": {"recipe": "finetune"}}}
    (folder / "manifest.json").write_text(json.dumps({"run": f"studio-{version}", "steps": [made]}))
    generator, refiner = model_names(WARM)
    publish.write_folders(
        {
            repository / generator / str(version): {path.name: path for path in folder.iterdir()},
            repository / refiner / str(version): {"model.onnx": repository / "refiner/1/model.onnx"},
        }
    )


def serves(server: TritonServer, version: int, style: str = "default") -> bool:
    """Whether all networks of a style are ready in this version."""
    client = grpc.InferenceServerClient(f"127.0.0.1:{server.ports.grpc}")
    return all(client.is_model_ready(name, str(version)) for name in model_names(style))


@pytest.fixture(scope="module")
def rolled_back(identity_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    """The default style back at version 2, the other one back at 1; newer versions published meanwhile."""
    folder = tmp_path_factory.mktemp("rolled-back")
    repository = with_versions(identity_repository, folder)
    add_style(repository, 1, gamma=0.5)
    add_style(repository, 2, gamma=2.0)
    assert publish.rollback(repository) == (3, 2)
    assert publish.rollback(repository, WARM) == (2, 1)
    assert common_versions(repository) == [2, 1] and common_versions(repository, WARM) == [1]
    with TritonServer(repository=repository, log=folder / "server.log") as server:
        publish.write_folders(
            {repository / name / "4": {"model.onnx": repository / name / "1/model.onnx"} for name in NETWORKS}
        )
        add_style(repository, 3, gamma=2.0)
        yield server


def test_the_newest_version_serves_and_a_withdrawn_one_does_not(rolled_back: TritonServer) -> None:
    assert [version for version in (1, 2, 3, 4) if serves(rolled_back, version)] == [2]
    assert [version for version in (1, 2, 3) if serves(rolled_back, version, WARM)] == [1]
    with Enhancer(rolled_back.grpc_url) as enhancer:
        assert (decoded(enhancer.enhance(encoded(BEFORE, "PNG")).data) == BEFORE).all()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_request_names_its_style(rolled_back: TritonServer, protocol: str) -> None:
    values = np.tile(np.asarray(KNOTS, np.float32) ** np.float32(0.5), 3)
    curves = np.tile(values[:, None, None], (1, CELLS, CELLS))
    with Enhancer(getattr(rolled_back, f"{protocol}_url")) as enhancer:
        for mode in ("fast", "full"):
            default, warm = (
                decoded(enhancer.enhance(encoded(BEFORE, "PNG"), mode=mode, style=style).data)
                for style in ("default", WARM)
            )
            assert (default == BEFORE).all() and (warm == apply(BEFORE, curves)).all()
        with pytest.raises(PhotoError, match="style is 'cold'; it must be one of default, warm"):
            enhancer.enhance(encoded(BEFORE, "PNG"), style="cold")
        with pytest.raises(PhotoError, match="it must be one of default, warm"):
            enhancer.enhance(encoded(BEFORE, "PNG"), style="../generator")
        with pytest.raises(PhotoError, match="it must be one of default, warm"):
            enhancer.merge([encoded(BEFORE, "PNG")], style="cold")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_styles_are_listed_with_their_cards(
    rolled_back: TritonServer, protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = getattr(rolled_back, f"{protocol}_url")
    with Enhancer(url) as enhancer:
        default, warm = enhancer.styles()
        assert (default.name, default.version) == ("default", "2")
        assert (warm.name, warm.version, warm.about) == (WARM, "1", "Evening light")
        assert warm.recorded == {"run": "studio-1", "exported": "2026-11-26", "recipe": "finetune"}
        assert enhancer.versions(WARM) == dict.fromkeys(NETWORKS, "1")
    assert main(["styles", "--url", url]) == 0
    assert "warm     version 1  Evening light" in capsys.readouterr().out


def test_a_style_that_is_half_published_is_none(repository: Path) -> None:
    """A crash between the two renames of its first version."""
    add_style(repository, 1, gamma=0.5)
    shutil.rmtree(repository / model_names(WARM)[1])
    assert styles(repository) == ["default"]


def test_networks_of_two_versions_edit_no_photo(repository: Path, tmp_path: Path) -> None:
    """A crash between the two renames of a rollback, and a server that starts right then."""
    (repository / "generator/3").rename(repository / "generator/withdrawn-3")
    with (
        TritonServer(repository=repository, log=tmp_path / "server.log") as server,
        Enhancer(server.grpc_url, retry=Retry(attempts=1)) as enhancer,
        pytest.raises(UnavailableError, match="restart the server"),
    ):
        enhancer.enhance(encoded(photo(60, 60)))
    assert publish.rollback(repository) == (3, 2)  # which ends what the crash has left
    assert {publish.versions(repository / name) == {1, 2} for name in NETWORKS} == {True}
