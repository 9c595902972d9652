"""Faults and endurance: what breaks, what clients see of it, and how long until all is well again.

    python -m tests.faults [NAME ...]     every fault, or some; perf/results/faults--<machine>--<profile>.json
    python -m tests.faults.soak           half an hour of mixed traffic, with the server's memory and files as curves

The server is the one that `make serve` starts, in a process of its own; nobody helps it to its feet.
"""
