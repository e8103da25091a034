#!/usr/bin/env python3
"""Measures what docs/benchmarks.md tells: each figure as a ratio, both sides taken in turn in one run, since the machine's speed
drifts. Prints a table and writes results.json. Asserts nothing: a figure that misses its target is a figure that misses it.

bench.py [N1 N5 ...]: all, or some; the figures of others stay in results.json."""

import os
import sys

import buildbot
import durable
import memory
import outage
import starts
import webhooks
import wire
from measure import ENGINE_VERSION, write_results

MEASUREMENTS = {
    "N1": [starts.warm_start, starts.pool],
    "N2": [starts.cold_start],
    "N3": [buildbot.against_buildbot],
    "N4": [durable.dispatch_per_commit],
    "N5": [durable.million],
    "N6": [memory.memory],
    "N7": [wire.round_trip, wire.codec],
    "N8": [wire.masking],
    "N9": [webhooks.taken],
    "N10": [outage.outage],
}

wanted = sys.argv[1:] or list(MEASUREMENTS)
if unknown := set(wanted) - set(MEASUREMENTS):
    sys.exit(f"bench: there is no {' '.join(sorted(unknown))}; there are {' '.join(MEASUREMENTS)}")
print(f"engine {ENGINE_VERSION}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n"
      f"{'':<6}{'what':<50}{'value':>10}  {'target':<12}{'':<8}against")
for name in wanted:
    for measurement in MEASUREMENTS[name]:
        measurement()
write_results()
