"""Results: whole, checked, and named by what, where and how."""

import copy
from pathlib import Path

import pytest

from perf import results
from perf.errors import PerfError
from perf.machine import cpu_ticks, slug, stolen_share
from perf.results import Result, new_result, path_of, read, read_all, write

ROWS = [{"row": "a / b", "value": 1.5, "limit": 2.0, "reached": True}]
BODY = {"engine": {"one_tile_s": 0.03}, "server": {"fast_s": 0.5}, "rows": ROWS}


@pytest.fixture
def result() -> Result:
    return new_result("serving", "serving", "cpu", {"torch": "2.13.0"}, BODY)


def test_every_tracked_result_follows_its_schema() -> None:
    assert read_all()


def test_tracked_results_are_named_by_what_they_hold() -> None:
    for path in results.RESULTS.glob("*.json"):
        assert path == path_of(read(path))


def test_a_result_is_read_as_it_was_written(result: Result, tmp_path: Path) -> None:
    path = write(result, tmp_path)
    assert path.name == f"serving--{result['machine']['name']}--cpu.json"
    assert read(path) == result
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("field", ["commit", "machine", "networks_sha256", "rows"])
def test_a_field_that_is_missing_is_named(result: Result, field: str) -> None:
    del result[field]
    with pytest.raises(PerfError, match=field):
        results.check(result)


def test_a_number_where_none_belongs_is_refused(result: Result) -> None:
    broken = copy.deepcopy(result)
    broken["rows"][0]["value"] = "fast"
    with pytest.raises(PerfError, match=r"rows\[0\].value"):
        results.check(broken)


def test_a_kind_without_a_schema_is_refused(result: Result) -> None:
    with pytest.raises(PerfError, match="no schema 'wishes'"):
        results.check(result | {"schema": "wishes"})


def test_a_file_cut_short_is_refused(result: Result, tmp_path: Path) -> None:
    path = write(result, tmp_path)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(PerfError, match="cannot be read"):
        read(path)


def test_it_says_which_networks_and_which_commit(result: Result) -> None:
    for network, digest in result["networks_sha256"].items():
        assert digest in (results.served(network).parent / "manifest.json").read_text()
    assert result["commit"] != "unknown"


def test_stolen_time_is_a_share_of_all_cores_time() -> None:
    assert stolen_share((10, 1000), (30, 1080)) == 0.25
    assert stolen_share((10, 1000), (10, 1000)) == 0.0
    stolen, ticks = cpu_ticks()
    assert 0 <= stolen < ticks


def test_names_of_machines_are_parts_of_file_names() -> None:
    assert slug("Intel(R) Xeon(R) @ 2.20GHz 8 cores") == "intel-r-xeon-r-2-20ghz-8-cores"
