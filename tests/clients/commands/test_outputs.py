"""What outputs are called, what they hold, and that nothing is replaced that nobody wants replaced."""

import json
from pathlib import Path

import pytest
from PIL import Image

from clients import Enhancer, FakeTransport
from clients.commands.cli import main
from clients.errors import OptionError
from deploy.server.triton import TritonServer
from tests.clients.batch.batches import small_shoot
from tests.photos import decoded, encoded, photo


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    return small_shoot(tmp_path)


def test_outputs_are_what_their_names_say(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(photo(64, 48), "PNG"))
    for name, kind in (("b.png", "PNG"), ("c.TIF", "TIFF"), ("d.webp", "WEBP"), ("e.jpeg", "JPEG"), ("out/", "JPEG")):
        target = f"{tmp_path}/{name}"
        assert main([str(tmp_path / "a.jpg"), "-o", target, "--url", url]) == 0
        with Image.open(tmp_path / "out/a.jpg" if name == "out/" else target) as image:
            assert image.format == kind
        assert f"written: {tmp_path}/{'out/a.jpg' if name == 'out/' else name}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["{photo}", "-o", "{out}/a.jpg"], ["{shoot}", "-o", "{out}"], ["batch", "{shoot}", "{out}"]]
)
def test_nothing_is_replaced_untold(
    tmp_path: Path, url: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shoot, out = tmp_path / "shoot", tmp_path / "out"
    for folder, content in ((shoot, encoded(photo(64, 48))), (out, b"somebody's")):
        folder.mkdir()
        (folder / "a.jpg").write_bytes(content)
    arguments = [each.format(photo=shoot / "a.jpg", shoot=shoot, out=out) for each in command]
    assert main([*arguments, "--url", url, "--json"]) == 0
    report, told = capsys.readouterr()
    assert "skipped 1: its output is there already: --overwrite replaces it" in told
    (listed,) = json.loads(report)["photos"]
    assert (listed["source"], listed["target"], listed["state"]) == (f"{shoot}/a.jpg", f"{out}/a.jpg", "skipped")
    assert (out / "a.jpg").read_bytes() == b"somebody's"
    assert main([*arguments, "--url", url, "--overwrite"]) == 0
    assert decoded((out / "a.jpg").read_bytes()).shape == (48, 64, 3)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_the_server_tells_its_networks_versions(identity_server: TritonServer, protocol: str) -> None:
    with Enhancer({"grpc": identity_server.grpc_url, "http": identity_server.http_url}[protocol]) as enhancer:
        assert enhancer.versions()["generator"] == "1"


def test_a_new_network_is_told_and_redone_when_asked(
    shoot: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (shoot / "hall/notes.jpg").unlink()
    command = ["batch", str(shoot), str(shoot.parent / "out"), "--url", url]
    for version, more, done in (("1", [], 6), ("2", [], 0), ("2", ["--redo"], 6), ("2", ["--redo"], 0)):
        monkeypatch.setattr(
            "clients.commands.photos.served_versions", lambda connection, style, version=version: f"generator {version}"
        )
        assert main([*command, *more, "--json"]) == 0
        report, told = capsys.readouterr()
        assert json.loads(report)["done"] == done
        assert ("--redo makes them again" in told) == (version == "2" and not more)


def test_another_style_is_another_setting(shoot: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (shoot / "hall/notes.jpg").unlink()
    command = ["batch", str(shoot), str(shoot.parent / "out"), "--url", url, "--json"]
    for more, done in (([], 6), (["--style", "default"], 6), (["--style", "default"], 0)):
        assert main([*command, *more]) == 0
        assert json.loads(capsys.readouterr().out)["done"] == done


def test_a_photo_is_not_saved_under_another_formats_name(tmp_path: Path) -> None:
    with Enhancer(transport=FakeTransport()) as enhancer:
        enhanced = enhancer.enhance(encoded(photo(64, 48)))
    with pytest.raises(OptionError, match="would be a jpeg inside: ask for format='png'"):
        enhanced.save(tmp_path / "a.png")
    enhanced.save(tmp_path / "a.JPEG")
    assert [path.name for path in tmp_path.iterdir()] == ["a.JPEG"]
