"""Faults, the short versions: the rest is `python -m tests.faults`."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from clients import Enhancer
from clients.batch.local_engine import LOSSES
from deploy.server.stubs import living_stubs
from deploy.server.triton import TritonServer
from deploy.server.watchdog import RELOADS
from files.checkout import ROOT
from perf import results
from tests.faults.__main__ import FAULTS, PAGE, TABLE, keep, sections
from tests.faults.breakdowns import FAULTS as BREAKDOWNS
from tests.faults.damage import MUTATIONS, damaged, photos
from tests.faults.damaged import outcomes
from tests.faults.hostile import HOSTILE, hostile
from tests.faults.neighbour import NEIGHBOUR, Stranger, prepared, ratios
from tests.faults.row import Row
from tests.faults.soak import GROWTH, is_well, verdict

FILES = 150


@pytest.mark.parametrize("fault", ["worker-killed", "decode-killed"])
def test_what_dies_or_hangs_costs_a_batch_nothing(fault: str) -> None:
    row = BREAKDOWNS[fault](photos=12)
    assert row.is_well() and row.answered == 12
    assert row.note == {"worker-killed": "", "decode-killed": "1 model loaded again"}[fault]


def test_damaged_photos_get_a_picture_or_a_reason(identity_server: TritonServer) -> None:
    found = outcomes(identity_server.grpc_url, FILES)
    assert found.keys() == {"answered", "refused"}, found
    assert identity_server.process.poll() is None and found.total() == FILES


def test_photos_made_to_do_harm_do_none(identity_server: TritonServer) -> None:
    stubs = living_stubs(identity_server.process.pid)
    found = outcomes(identity_server.grpc_url, 2 * len(HOSTILE), hostile)
    assert found.keys() <= {"answered", "refused"}, found
    assert living_stubs(identity_server.process.pid) == stubs


def test_a_stranger_sends_without_pause_while_a_photo_is_timed(identity_server: TritonServer) -> None:
    with Stranger(identity_server.grpc_url, prepared(12)) as stranger:
        alone, beside = ratios(identity_server.grpc_url, stranger, "fast", rounds=2)
        assert len(alone) == len(beside) == 2
        sent = stranger.outcomes.total()
        assert sent >= 2 and set(stranger.outcomes) <= {"answered", "refused"}
        with Enhancer(identity_server.grpc_url) as enhancer:
            enhancer.enhance(photos()["jpeg"])
        assert stranger.outcomes.total() == sent


def test_damage_is_the_same_for_the_same_seed_and_covers_everything() -> None:
    everything = [damaged(seed) for seed in range(FILES)]
    assert everything == [damaged(seed) for seed in range(FILES)]
    for names in (photos(), [each.__name__ for each in MUTATIONS]):
        assert all(any(name in what for what, _ in everything) for name in names)
    assert sum(file in photos().values() for _, file in everything) < FILES / 50


@pytest.mark.parametrize("kind", photos())
def test_undamaged_every_file_is_a_photo(kind: str) -> None:
    with Image.open(io.BytesIO(photos()[kind])) as image:
        image.load()
        assert image.format.lower() == kind.split()[0]


@pytest.mark.parametrize(
    ("counts", "well"),
    [
        ({"sent": 10, "answered": 8, "refused": 2}, True),
        ({"sent": 10, "answered": 9}, False),
        ({"sent": 10, "answered": 10, "twice": 1}, False),
    ],
)
def test_a_row_is_well_when_nothing_is_lost_or_twice(counts: dict[str, int], well: bool) -> None:
    assert Row("fault", **counts).is_well() is well


def test_a_client_gives_a_deadly_photo_up_before_the_watchdog_gives_up_a_model() -> None:
    assert LOSSES < RELOADS


def soaked(memory: list[int], files: list[int]) -> dict[str, object]:
    samples = {"tiler_bytes": memory, "shared_memory_bytes": [0] * len(memory), "files": files}
    return {"errors": [], "deaths": "", **verdict(samples)}


def test_a_soak_tells_growth_from_noise() -> None:
    noise = [100, 104, 98, 101, 99, 103, 97, 102, 100]
    assert is_well(soaked(noise, noise))
    assert not is_well(soaked([int(100 * GROWTH**hour) for hour in range(9)], noise))
    assert not is_well(soaked(noise, [100 + 3 * hour for hour in range(9)]))
    assert not is_well(soaked(noise, noise) | {"deaths": "starting again"})


def test_the_documents_tables_are_the_tracked_results() -> None:
    found = [results.read(path) for path in (ROOT / "perf/results").glob("faults--*.json")]
    assert TABLE.search(PAGE.read_text())[0] == f"<!-- python -m tests.faults -->\n{sections(found)}\n<!-- end -->"
    rows = [row for result in found for row in result["rows"]]
    assert len({row["fault"] for row in rows}) <= len(FAULTS)
    assert all(row["lost"] == row["twice"] == 0 for row in rows)


def test_what_is_measured_again_takes_the_place_of_what_was(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- python -m tests.faults -->\n<!-- end -->")
    keep([Row("this", 1, 1), Row("that", 2, 2)], tmp_path, page)
    keep([Row("that", 3, 3)], tmp_path, page)
    (path,) = tmp_path.glob("*.json")
    assert [(row["fault"], row["sent"]) for row in results.read(path)["rows"]] == [("this", 1), ("that", 3)]
    older = results.read(path) | {
        "date": "2000-01-01",
        "rows": [Row("that", 9, 9).as_json(), Row("it", 5, 5).as_json()],
    }
    lines = sections([older, results.read(path)]).splitlines()
    assert [line.split(" | ")[:2] for line in lines if " | " in line and "sent" not in line] == [
        ["| this", "1"],
        ["| that", "3"],
        ["| it", "5"],
    ]


def test_a_good_photo_beside_a_hostile_client_took_at_most_twice_its_usual_time() -> None:
    found = [results.read(path) for path in (ROOT / "perf/results").glob("faults--*.json")]
    notes = [row["note"] for result in found for row in result["rows"] if row["fault"] == NEIGHBOUR]
    medians = [float(median) for note in notes for median in re.findall(r"([\d.]+) of its usual time", note)]
    assert len(medians) == 2 * len(notes) > 0 and max(medians) <= 2


def test_the_tracked_soak_is_well() -> None:
    (path,) = (ROOT / "perf/results").glob("soak--*.json")
    assert is_well(results.read(path)["about"])
