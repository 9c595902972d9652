"""``python -m perf.roofline``: measure, print, keep."""

import sys
from functools import partial

from perf.commands import keep
from perf.roofline.measurement import lines, result
from serving.versions import NETWORKS

if __name__ == "__main__":
    sys.exit(max(keep(partial(result, network), lines) for network in NETWORKS))
