"""``python -m perf.roofline``: measure, print, keep."""

import sys

from perf.commands import keep
from perf.roofline.measurement import lines, result

if __name__ == "__main__":
    sys.exit(keep(result, lines))
