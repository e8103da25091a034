#!/usr/bin/env python3
"""make mutants: takes away one wall after another and runs the test that has to notice. A mutant that survives is a wall that nobody
watches. The tree is not touched: all of it happens in an overlay, in a mount namespace of its own.

    mutants.py            all of them, then the table
    mutants.py NAME...    these"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from walls import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 900  # seconds for one build and one test


def in_overlay():
    """Starts this program again, in a namespace where ROOT is an overlay of itself: writes go to a scratch directory."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-mutants-") as scratch:
        for name in ("upper", "work"):
            os.mkdir(f"{scratch}/{name}")
        mount = (f'mount -t overlay overlay -o lowerdir="{ROOT}",upperdir="{scratch}/upper",workdir="{scratch}/work" "{ROOT}" '
                 f'&& cd "{ROOT}" && exec "$@"')
        command = ["unshare", "--mount", "--propagation", "private", "bash", "-c", mount, "mutants", sys.executable, __file__]
        return subprocess.call(command + sys.argv[1:], env={**os.environ, "BULKHEAD_MUTANTS_INSIDE": "1"})


def run(command, log):
    """Whether a command succeeds; what it said goes to a file."""
    with open(log, "wb") as out:
        try:
            return subprocess.run(["bash", "-c", command], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, timeout=LIMIT).returncode == 0
        except subprocess.TimeoutExpired:
            return False  # a hang is a death as well


def verdict(mutant, log):
    path = ROOT / mutant.file
    original = path.read_text()
    if original.count(mutant.old) != 1:
        return f"STALE: {original.count(mutant.old)} places"
    path.write_text(original.replace(mutant.old, mutant.new))
    try:
        if mutant.build and not run(mutant.build, log):
            return "does not build: change the mutant"
        return "survived" if run(mutant.test, log) else "killed"
    finally:
        path.write_text(original)


def inside():
    chosen = [m for m in MUTANTS if not sys.argv[1:] or m.name in sys.argv[1:]]
    logs = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-mutant-logs-"))
    rows, begin = [], time.monotonic()
    # Without a mutant everything is green, or a death would prove nothing.
    for test in sorted({(m.build, m.test) for m in chosen}):
        command = " && ".join(part for part in test if part)
        print(f"mutants: control: {command}", flush=True)
        if not run(command, logs / "control.log"):
            sys.exit(f"mutants: the unchanged tree fails: {command}; see {logs}/control.log")
    for number, mutant in enumerate(chosen, 1):
        said = verdict(mutant, logs / f"{mutant.name}.log")
        rows.append((mutant, said))
        print(f"mutants: {number}/{len(chosen)} {mutant.name}: {said} ({time.monotonic() - begin:.0f} s)", flush=True)
    print("\n| mutant | what is taken away | found by | |\n|---|---|---|---|")
    for mutant, said in rows:
        print(f"| {mutant.name} | {mutant.what} | `{mutant.by}` | {said} |")
    alive = [mutant.name for mutant, said in rows if said != "killed"]
    print(f"\n{len(rows) - len(alive)} of {len(rows)} killed" + (f"; look at {', '.join(alive)} in {logs}" if alive else ""))
    return bool(alive)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("mutants: needs root, for an overlay of the tree")
    sys.exit(inside() if os.environ.get("BULKHEAD_MUTANTS_INSIDE") else in_overlay())
