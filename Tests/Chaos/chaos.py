#!/usr/bin/env python3
"""Chaos: a house on an engine of its own, a load of short jobs, and faults from a seed. After every round it has to be quiet, and the
invariants of docs/reliability.md have to hold.

    chaos.py [--rounds N] [--seed N] [--only FAULT]...

The same seed is the same plan: the same jobs, and the same faults at the same milliseconds. What the machine makes of it is its own."""

import argparse
import collections
import contextlib
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Integration"))
import house  # noqa: E402
from house import House  # noqa: E402
from test_engine_stops import Engine  # noqa: E402

import faults  # noqa: E402
from invariants import Invariants  # noqa: E402
from load import Load  # noqa: E402


@contextlib.contextmanager
def small_disk():
    """A file system that can be filled: the houses' state lies on it."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-chaos-") as folder:
        os.chmod(folder, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m,mode=755", "tmpfs", folder], check=True)
        tempfile.tempdir = folder
        try:
            yield pathlib.Path(folder)
        finally:
            tempfile.tempdir = None
            subprocess.run(["umount", folder], check=True)


def run(rounds, seed, names):
    counts = collections.Counter()
    engine = Engine()
    try:
        with small_disk() as disk, House("--max-runners", "4") as ours, House("--max-runners", "2") as neighbours:
            place = faults.Place(ours, neighbours, engine, disk)
            place.settle_neighbours()
            ours.set_secret("word", b"a-word-that-nobody-says")
            invariants = Invariants(place)
            for number in range(1, rounds + 1):
                plan = random.Random(f"{seed}.{number}")
                chosen = faults.plan(plan, names)
                began = time.monotonic()
                print(f"chaos: round {number}/{rounds}: {', '.join(str(fault) for fault in chosen)}", flush=True)
                load = Load(ours, plan, number)
                load.start()
                faults.happen(place, load, chosen, counts)
                load.finish()
                invariants.check(load, counts)
                counts["rounds"] += 1
                print(f"chaos:   {len(load.acknowledged)} jobs, {time.monotonic() - began:.1f} s", flush=True)
            place.dismiss_neighbours()
    finally:
        engine.clean()
    return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", choices=sorted(set(faults.ALL)), action="append", help="no other faults; may come again")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    if os.geteuid() != 0 or not house.ENGINE:
        sys.exit("chaos: needs root, for an engine of its own, and BULKHEAD_ENGINE, for the image in it")
    print(f"chaos: seed {seed}", flush=True)
    try:
        counts = run(options.rounds, seed, options.only or faults.ALL)
    except BaseException:
        only = "".join(f" --only '{name}'" for name in options.only or [])
        print(f"chaos: FAILED; the same plan again: Tests/Chaos/chaos.py --rounds {options.rounds} --seed {seed}{only}", flush=True)
        raise
    print(f"chaos: seed {seed}: no invariant was violated")
    for name, count in sorted(counts.items()):
        print(f"chaos:   {count:6} {name}")


if __name__ == "__main__":
    main()
