"""Which photos of a folder are exposures of one scene.

Frames of a bracket follow each other within seconds, with one camera, size and orientation, and no exposure comes
twice: the frame that repeats one begins the next scene. Where the camera says that it was bracketing, by its exposure
bias or mode, and the frames came within two seconds, that is enough; otherwise, as for photos without EXIF, they have
to look alike, too (`clients.brackets.likeness`). Camera files and HEIC cannot be looked at: for them, EXIF decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path

from clients.brackets.likeness import View, shows_same, step_ev
from clients.brackets.shots import Shot, by_name, read_view
from clients.errors import OptionError
from clients.request import MOST_FRAMES

LONGEST_PAUSE_S = 5.0
"""Between the end of a frame and the start of the next."""
LONGEST_BLIND_PAUSE_S = 2.0
"""So soon nobody has turned to another view: frames that the camera bracketed are not looked at."""
SAME_EV = 0.4
"""Exposures nearer than this are one exposure: cameras bracket by two thirds of a stop or more."""
SAME_BIAS_EV = 0.1
SMALLEST_STEP_EV = 0.25
"""Seen between neighbours, whose tone curves shrink steps of two thirds."""

Look = Callable[[Shot], View | None]


@dataclass(frozen=True)
class Scene:
    """One photo, or the exposures of one view in the order in which they were taken."""

    shots: tuple[Shot, ...]
    exposures_ev: tuple[float, ...]
    """Of each shot, in stops from the anchor's."""
    anchor: int
    """Index of the shot after which the picture is named: the one without exposure bias, or the middle exposure."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files."""
        return tuple(shot.path for shot in self.shots)


def scenes(shots: Iterable[Shot], view: Look = read_view) -> list[Scene]:
    """Groups photos into scenes, in whatever order they come.

    Args:
        shots: What is known of each file: `clients.brackets.shots.read_shot`.
        view: A tiny copy of a photo, asked for only where EXIF does not decide.

    Returns:
        Scenes of 1 to 9 frames, in the order of the names of their first frames; every shot is in one of them.
    """
    view = lru_cache(maxsize=4 * MOST_FRAMES)(view)
    found: list[list[Shot]] = []
    for alike in _of_one_kind(shots):
        timed = [shot for shot in alike if shot.is_timed]
        found += _runs(sorted(timed, key=lambda shot: (shot.camera, shot.time_s, by_name(shot.path))), view)
        found += _runs([shot for shot in alike if not shot.is_timed], view)
    return sorted((_scene(run, view) for run in found), key=lambda scene: by_name(scene.shots[0].path))


def every(count: int, shots: Iterable[Shot], view: Look = read_view) -> list[Scene]:
    """Groups every `count` photos of one folder and kind, in the order of their names.

    Raises:
        OptionError: their number is no multiple of it.
    """
    found: list[list[Shot]] = []
    for alike in _of_one_kind(shots):
        if len(alike) % count:
            folder, kind = alike[0].path.parent, alike[0].kind
            raise OptionError(
                f"{folder} holds {len(alike)} photos ({kind}), no multiple of {count}: add what is missing, move aside "
                "what belongs to no bracket, or use --brackets auto"
            )
        found += [alike[start : start + count] for start in range(0, len(alike), count)]
    return [_scene(run, view) for run in found]


def _of_one_kind(shots: Iterable[Shot]) -> list[list[Shot]]:
    """Photos of one folder and kind, each in the order of their names."""

    def kind(shot: Shot) -> tuple[tuple[str, ...], str]:
        return shot.path.parts[:-1], shot.kind

    ordered = sorted(shots, key=lambda shot: (kind(shot), by_name(shot.path)))
    return [list(alike) for _, alike in groupby(ordered, kind)]


def _runs(shots: Sequence[Shot], view: Look) -> list[list[Shot]]:
    runs: list[list[Shot]] = []
    for shot in shots:
        if runs and _continues(runs[-1], shot, view):
            runs[-1].append(shot)
        else:
            runs.append([shot])
    return runs


def _continues(run: list[Shot], shot: Shot, view: Look) -> bool:
    last = run[-1]
    if (last.camera, last.size_px, last.orientation) != (shot.camera, shot.size_px, shot.orientation):
        return False
    if len(run) == MOST_FRAMES or _is_repeated(run, shot):
        return False
    if not (last.is_timed and shot.is_timed):
        return _looks_alike(run, shot, view) is True and _is_another_brightness(run, shot, view)
    pause_s = (shot.time_s or 0.0) - (last.time_s or 0.0) - last.shutter_s
    if pause_s > LONGEST_PAUSE_S:
        return False
    if _is_declared(run, shot) and pause_s <= LONGEST_BLIND_PAUSE_S:
        return True
    alike = _looks_alike(run, shot, view)
    return pause_s <= LONGEST_BLIND_PAUSE_S or _is_declared(run, shot) if alike is None else alike


def _is_repeated(run: list[Shot], shot: Shot) -> bool:
    """Whether the run has this exposure already: by bias where that changes, by the settings where it does not."""
    same_bias = [other for other in run if _is_near(other.bias_ev, shot.bias_ev, SAME_BIAS_EV) is not False]
    if len(same_bias) < len(run) and len(run) > 1:
        return bool(same_bias)
    return any(_is_near(other.exposure_ev, shot.exposure_ev, SAME_EV) for other in same_bias)


def _is_near(one: float | None, other: float | None, within: float) -> bool | None:
    """None where either is not known."""
    return None if one is None or other is None else abs(one - other) < within


def _is_declared(run: list[Shot], shot: Shot) -> bool:
    """Whether the camera says that it was bracketing."""
    biased = all(_is_near(other.bias_ev, shot.bias_ev, SAME_BIAS_EV) is False for other in run)
    return biased or (run[-1].is_bracketed and shot.is_bracketed)


def _looks_alike(run: list[Shot], shot: Shot, view: Look) -> bool | None:
    """None where the photos cannot be looked at."""
    seen = _views((*run, shot), view)
    return any(shows_same(other, seen[-1]) for other in seen[:-1]) if seen else None


def _is_another_brightness(run: list[Shot], shot: Shot, view: Look) -> bool:
    *others, seen = _views((*run, shot), view)
    return all(abs(step_ev(other, seen)) > SMALLEST_STEP_EV for other in others)


def _views(shots: Sequence[Shot], view: Look) -> list[View]:
    """Views of all frames, or none."""
    seen = [each for shot in shots if (each := view(shot)) is not None]
    return seen if len(seen) == len(shots) else []


def _scene(run: list[Shot], view: Look) -> Scene:
    if len(run) == 1:
        return Scene(tuple(run), (0.0,), 0)
    exposures = _exposures_ev(run, view)
    anchor = sorted(range(len(run)), key=lambda index: exposures[index])[(len(run) - 1) // 2]
    biases = [shot.bias_ev for shot in run if shot.bias_ev is not None]
    if len(biases) == len(run) and len(set(biases)) > 1:
        anchor = min(range(len(run)), key=lambda index: abs(biases[index]))
    return Scene(tuple(run), tuple(round(each - exposures[anchor], 2) for each in exposures), anchor)


def _exposures_ev(run: list[Shot], view: Look) -> list[float]:
    """Each frame's exposure relative to the first one's, by the settings or else as seen; zeros if neither tells."""
    settings = [shot.exposure_ev for shot in run if shot.exposure_ev is not None]
    if len(settings) == len(run):
        return [each - settings[0] for each in settings]
    views = _views(run, view)
    exposures = [0.0] * len(run)
    for darker, brighter in pairwise(sorted(range(len(views)), key=lambda index: float(views[index].mean()))):
        exposures[brighter] = exposures[darker] + step_ev(views[darker], views[brighter])
    return exposures
