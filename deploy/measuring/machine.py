"""The machine that a result was measured on."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import psutil

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
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "gpu": gpu,
        "system": f"{platform.system()} {platform.machine()}, glibc {platform.libc_ver()[1]}",
        "load_1min": round(LOAD_AT_START, 2),
    }


def cpu_seconds() -> tuple[float, float]:
    """Time of all cores since boot: what a virtual machine's host gave to its other guests (steal time), and all."""
    times = psutil.cpu_times()
    return times.steal, sum(times) - times.guest - times.guest_nice  # which Linux counts as user's, too


def steal_share(before: tuple[float, float], after: tuple[float, float]) -> float:
    """Share of the cores' time between two cpu_seconds that was steal time, 0 to 1."""
    steal, total = (new - old for old, new in zip(before, after, strict=True))
    return round(steal / total, 4) if total else 0.0


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
