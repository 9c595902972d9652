"""The machine that a result was measured on."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

LOAD_AT_START = os.getloadavg()[0]  # later on the benchmark itself is the load


def machine() -> dict[str, Any]:
    """What a reader needs to judge a figure, the load that others made at the time included.

    Returns:
        ``name`` (part of the result's file name), ``processor``, ``cores`` usable by this process, ``memory_gb``,
        ``gpu`` (None without one), ``system``, ``load_1min`` (runnable processes, average over the minute before
        the program's start).
    """
    cores, gpu = len(os.sched_getaffinity(0)), gpu_name()
    return {
        "name": slug(gpu or f"{processor()} {cores} cores"),
        "processor": processor(),
        "cores": cores,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "gpu": gpu,
        "system": f"{platform.system()} {platform.machine()}, glibc {platform.libc_ver()[1]}",
        "load_1min": round(LOAD_AT_START, 2),
    }


def cpu_ticks() -> tuple[int, int]:
    """Time of all cores since boot, in clock ticks: what the host gave to its other guests, and all (proc_stat(5))."""
    *others, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
    return stolen, sum(others) + stolen


def stolen_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Share of the cores' time between two cpu_ticks that the host gave to its other guests, 0 to 1."""
    stolen, ticks = (new - old for old, new in zip(before, after, strict=True))
    return round(stolen / ticks, 4) if ticks else 0.0


def processor() -> str:
    """The processor's name; Arm's /proc/cpuinfo has none, so lscpu is asked there."""
    fields = Path("/proc/cpuinfo").read_text() + run("lscpu")
    found = re.search(r"^model name\s*:\s*(.+)$", fields, re.IGNORECASE | re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def gpu_name() -> str | None:
    """Name of the first NVIDIA GPU."""
    return run("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").partition("\n")[0].strip() or None


def run(*command: str) -> str:
    """Output of a program; empty where it is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def slug(name: str) -> str:
    """A name as part of a file name: lower case, hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
