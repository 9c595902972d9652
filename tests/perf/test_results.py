"""Results: whole, checked, and named by what, where and how."""

import copy
from pathlib import Path

import pytest

from deploy.measuring.machine import cpu_seconds, slug, steal_share
from perf import results
from perf.errors import PerfError
from perf.results import Result, new_result, path_of, read, table, write

ROWS = [{"ratio": "a / b", "value": 1.5, "aim": "<= 2", "reached": True}, {"ratio": "c / d", "not_run": "no GPU"}]


@pytest.fixture
def result() -> Result:
    return new_result("serving", "serving", "cpu", {"torch": "2.13.0"}, ROWS, {"one_tile_s": 0.03})


def test_tracked_results_follow_the_schema_and_are_named_by_what_they_hold() -> None:
    paths = list(results.RESULTS.glob("*.json"))
    assert paths and all(path == path_of(read(path)) for path in paths)


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


def test_what_does_not_fit_the_schema_is_refused(result: Result) -> None:
    for change, named in (
        ({"kind": "wishes"}, "wishes"),
        ({"rows": [{"value": [1, 2]}]}, r"rows\[0\].value"),
        ({"rows": [{"ratio": "c / d", "not_run": "no GPU", "value": 1.0}]}, r"rows\[0\].value"),
        ({"rows": []}, "rows"),
    ):
        with pytest.raises(PerfError, match=named):
            results.check(copy.deepcopy(result) | change)


def test_a_file_cut_short_is_refused(result: Result, tmp_path: Path) -> None:
    path = write(result, tmp_path)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(PerfError, match="cannot be read"):
        read(path)


def test_it_says_which_networks_and_which_commit(result: Result) -> None:
    for network, digest in result["networks_sha256"].items():
        assert digest in (results.served(network).parent / "manifest.json").read_text()
    assert result["commit"] != "unknown"


def test_a_table_has_a_column_for_each_field_and_a_reason_in_place_of_numbers() -> None:
    assert table(ROWS) == [
        "| ratio | value | aim | reached |",
        "|---|---|---|---|",
        "| a / b | 1.5 | <= 2 | yes |",
        "| c / d |  |  | not run: no GPU |",
    ]


def test_steal_time_is_a_share_of_all_cores_time() -> None:
    assert steal_share((10, 1000), (30, 1080)) == 0.25
    assert steal_share((10, 1000), (10, 1000)) == 0.0
    stolen, total = cpu_seconds()
    assert 0 <= stolen < total


def test_names_of_machines_are_parts_of_file_names() -> None:
    assert slug("Intel(R) Xeon(R) @ 2.20GHz 8 cores") == "intel-r-xeon-r-2-20ghz-8-cores"
