"""Settings tried against the ones that are served, each pair measured in turn on the load that should show it.

Evidence for docs/decisions/010-tuning.md; nothing is changed by itself. Of many rows one may be flagged by chance: run
a surprising one again.
"""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from deploy.server import ROOT, SERVER_PYTHON
from perf.comparison.compare import compare
from perf.comparison.sides import Side, checkout
from perf.load import analyzer
from perf.load.scenarios import Scenario, choose
from perf.load.suite import SERVER_PACKAGES
from perf.machine import machine
from perf.results import new_result, package_versions, path_of, read, write

LEAST_PAIRS = 6
MOST_PAIRS = 10
LOADS = {  # scenario, requests under way, requests in a run
    "small": ("load-512px", 8, 20),
    "medium": ("load-2mp", 4, 8),
    "large": ("photo-24mp-fast", 1, 4),
    "mixed": ("catalogue-fast", 4, 6),
}


@dataclass(frozen=True)
class Trial:
    """One setting changed.

    Attributes:
        setting: what is changed.
        tried: to which value.
        load: one of LOADS.
        model: whose configuration is edited; None for the server's own options.
        edit: changes the configuration.
        options: of tritonserver.
    """

    setting: str
    tried: int
    load: str
    model: str | None = None
    edit: Callable[[ModelConfig, int], None] | None = None
    options: tuple[str, ...] = ()


def instances(config: ModelConfig, count: int) -> None:
    """How many photos or batches a model works on at once."""
    config.instance_group[0].count = count


def batch_delay(config: ModelConfig, microseconds: int) -> None:
    """How long a network waits for more tiles."""
    config.dynamic_batching.max_queue_delay_microseconds = microseconds


def tiles_in_flight(config: ModelConfig, count: int) -> None:
    """Of one photo."""
    config.parameters["tiles_in_flight"].string_value = str(count)


def shared_memory(megabytes: int) -> tuple[str, ...]:
    """Options: with how much shared memory each Python model starts, and by how much it grows."""
    size = megabytes << 20
    return tuple(f"--backend-config=python,{name}-byte-size={size}" for name in ("shm-default", "shm-growth"))


TRIALS = (  # the quicker ones first
    *(Trial("tiler instances", count, "small", "tiler", instances) for count in (2, 8)),
    *(Trial("refiner batch delay, us", delay, "small", "refiner", batch_delay) for delay in (500, 2000)),
    Trial("Python models' shared memory, MB", 64, "small", options=shared_memory(64)),
    Trial("refiner instances", 2, "medium", "refiner", instances),
    *(Trial("tiles in flight", count, "medium", "tiler", tiles_in_flight) for count in (2, 4, 16)),
    Trial("refiner batch delay, us", 500, "medium", "refiner", batch_delay),
    Trial("decode instances", 1, "large", "decode", instances),
    Trial("Python models' shared memory, MB", 64, "large", options=shared_memory(64)),
    *(Trial("tiler instances", count, "mixed", "tiler", instances) for count in (1, 2, 8)),
    Trial("decode instances", 4, "mixed", "decode", instances),
    Trial("encode instances", 4, "mixed", "encode", instances),
)


def side_of(trial: Trial, folder: Path) -> Side:
    """The working tree with one setting changed."""
    side = checkout(str(ROOT), folder)
    if trial.model is not None and trial.edit is not None:
        file = folder / "model_repository" / trial.model / "configs/cpu.pbtxt"
        config = text_format.Parse(file.read_text(), ModelConfig())
        trial.edit(config, trial.tried)
        file.write_text(text_format.MessageToString(config))
    return replace(side, name=f"{trial.setting} {trial.tried}", options=trial.options)


def scenario_of(trial: Trial) -> Scenario:
    """The load that should show the setting, at one level."""
    name, level, requests = LOADS[trial.load]
    return replace(choose([name])[0], levels=(level,), requests=requests)


def run_trial(trial: Trial) -> dict[str, Any]:
    """One row of the evidence."""
    scenario = scenario_of(trial)
    with tempfile.TemporaryDirectory(prefix="perf-sweep-") as place:
        served = checkout(str(ROOT), Path(place, "served"))
        found = compare(served, side_of(trial, Path(place, "tried")), scenario, LEAST_PAIRS, MOST_PAIRS)
    return {
        "setting": trial.setting,
        "tried": trial.tried,
        "scenario": scenario.name,
        "requests_under_way": scenario.levels[0],
        "served_ms": round(statistics.median(found.a_ms), 3),
        "tried_ms": round(statistics.median(found.b_ms), 3),
        "pairs": len(found.a_ms),
        "verdict": asdict(found.verdict),
    }


def sweep_and_keep(folder: Path) -> int:
    """Try what this machine has no evidence of yet; kept after each trial, so an interruption loses one. Returns 0."""
    versions = {"perf_analyzer": analyzer.version()} | package_versions(*SERVER_PACKAGES, python=SERVER_PYTHON)
    rows = earlier_rows(folder)
    for trial in left_to_try(rows):
        rows.append(run_trial(trial))
        print(f"{trial.setting} {trial.tried}, {trial.load}: {rows[-1]['verdict']}", flush=True)
        write(new_result("sweep", "sweep", "cpu", versions, {"rows": rows}), folder)
    print(f"{len(rows)} trials in {file_of_this_machine(folder)}; delete it to try all of them again")
    return 0


def left_to_try(rows: list[dict[str, Any]]) -> list[Trial]:
    """Trials without a row."""
    known = {(row["setting"], row["tried"], row["scenario"]) for row in rows}
    return [trial for trial in TRIALS if (trial.setting, trial.tried, scenario_of(trial).name) not in known]


def earlier_rows(folder: Path) -> list[dict[str, Any]]:
    """What an earlier sweep on this machine left."""
    file = file_of_this_machine(folder)
    rows: list[dict[str, Any]] = read(file)["rows"] if file.exists() else []
    return rows


def file_of_this_machine(folder: Path) -> Path:
    """Where its evidence is kept."""
    return path_of({"what": "sweep", "machine": machine(), "profile": "cpu"}, folder)
