"""The check of a machine: proven with the CPU profile, and with things that are wrong."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from deploy.gpu_check import photos, report
from deploy.gpu_check.__main__ import STEPS, check
from deploy.gpu_check.session import CannotTell, Session
from deploy.gpu_check.steps import FAIL, PASS, UNKNOWN, Finding, Result, Step, Wrong, run


def raises(error: Exception) -> Any:  # noqa: ANN401
    def look(_: Session) -> Finding:
        raise error

    return look


def test_every_step_is_asked_whatever_becomes_of_the_others(tmp_path: Path) -> None:
    steps = [
        Step("wrong", raises(Wrong("it is wrong", {"size": 3}))),
        Step("broken", raises(ZeroDivisionError("division by zero"))),
        Step("unknown", raises(CannotTell("nobody knows"))),
        Step("right", lambda _: Finding("all is well", {"share": 0.5})),
    ]
    results = list(run(steps, Session("cpu", tmp_path)))
    assert [each.outcome for each in results] == [FAIL, FAIL, UNKNOWN, PASS]
    assert [each.sentence for each in results][1:3] == ["ZeroDivisionError: division by zero", "nobody knows"]
    assert [each.figures for each in results] == [{"size": 3}, {}, {}, {"share": 0.5}]


def test_the_report_is_markdown_and_json(tmp_path: Path) -> None:
    results = [Result("a | b", PASS, "two\nlines", {"speed, ms": 1.23456, "list": [1]}, 2.0)]
    text = report.write(results, "cpu", tmp_path).read_text()
    assert r"| a | b | **pass** | two lines |" in text.replace(r"\|", "|") and "| speed, ms | 1.235 |" in text
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["profile"] == "cpu" and found["steps"][0]["figures"]["speed, ms"] == 1.23456


def outcomes(folder: Path) -> dict[str, str]:
    return {step["name"]: step["outcome"] for step in json.loads((folder / "report.json").read_text())["steps"]}


def test_the_cpu_profile_passes(tmp_path: Path) -> None:
    """The same program, the short way: `make gpu-check PROFILE=cpu` also runs benchmarks and the server's tests."""
    assert check("cpu", tmp_path, short=True) == 0, (tmp_path / "report.md").read_text()
    assert outcomes(tmp_path) == {step.name: PASS for step in STEPS if step.short}


def test_without_a_gpu_the_gpu_profile_fails_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert check("gpu", tmp_path) == 1
    found = outcomes(tmp_path)
    assert found.keys() == {step.name for step in STEPS}
    assert found["versions"] == found["server"] == FAIL  # the first that notices each
    assert set(found.values()) == {FAIL, UNKNOWN}
    text = (tmp_path / "report.md").read_text()
    assert "no GPU in this container" not in text and "no GPU here (nvidia-smi fails)" in text


class Echo:
    """A client of a service that answers every photo with the same file, or with none of its own."""

    def __init__(self, answer: bytes) -> None:
        picture = Image.open(io.BytesIO(answer))
        self.answer = SimpleNamespace(data=answer, format=str(picture.format).lower(), size_px=picture.size)

    def __enter__(self) -> "Echo":
        return self

    def __exit__(self, *_: object) -> None: ...

    def enhance(self, *_: object, **__: object) -> SimpleNamespace:
        return self.answer


def session(client: object, reference: object = None) -> Session:
    return SimpleNamespace(enhancer=lambda: client, reference=lambda: reference)  # type: ignore[return-value]


def test_a_service_that_answers_with_the_wrong_photo_is_noticed() -> None:
    kinds = photos.kinds()
    with pytest.raises(Wrong, match="png came back as jpeg"):
        photos.formats(session(Echo(kinds["jpeg"])))
    with pytest.raises(Wrong, match="not refused"):
        photos.damaged(session(Echo(kinds["jpeg"])))
    with pytest.raises(Wrong, match=r"png 16 bits came back with another depth"):
        photos.formats(session(Formats(kinds)))


class Formats(Echo):
    """Answers each photo in its format and size, with 8 bits."""

    def __init__(self, kinds: dict[str, bytes]) -> None:
        self.kinds = {file: name for name, file in kinds.items()}
        self.eight_bits = {name.split()[0]: file for name, file in reversed(kinds.items()) if "16" not in name}

    def enhance(self, file: bytes, **_: object) -> SimpleNamespace:  # type: ignore[override]
        return Echo(self.eight_bits[self.kinds[file].split()[0]]).answer


def test_other_pixels_than_the_cpu_profiles_are_noticed() -> None:
    picture = Image.effect_noise((64, 64), 50).convert("RGB")
    near, far = picture.point(lambda value: min(value + 1, 255)), picture.point(lambda value: min(value + 9, 255))
    ours, close, other = (Echo(photos.encoded(each, "PNG")) for each in (picture, near, far))
    assert "from the CPU profile" in photos.pixels(session(ours, close)).sentence
    with pytest.raises(Wrong, match=r"at least 45 are promised"):
        photos.pixels(session(ours, other))
