"""What every measurement needs: the table, medians, a house, what processes cost."""

import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(os.environ.get("BENCH_OUT", ROOT / ".build/bench")).resolve()
sys.path.insert(0, str(ROOT / "Tests/Integration"))
from house import BINARIES, DAEMONS, ENGINE, House, EngineConnection, engine, eventually  # noqa: E402, F401

results = []


def report(name, about, value, target, met, against, spread):
    results.append({"id": name, "about": about, "value": round(value, 3), "target": target, "met": met, "against": against,
                    "spread": spread, "engine": ENGINE_VERSION})
    print(f"{name:<6}{about:<50}{value:>10.3f}  {target:<12}{'met' if met else 'MISSED':<8}{against}", flush=True)


def note(name, about, value, unit, spread):
    """What stands beside a figure: it has no target."""
    results.append({"id": name, "about": about, "value": round(value, 3), "target": None, "met": None, "against": unit,
                    "spread": spread, "engine": ENGINE_VERSION})
    print(f"{name:<6}{about:<50}{value:>10.3f}  {'':<12}{'':<8}{unit}", flush=True)


def write_results():
    """Figures of other measurements stay: `bench.sh N1` replaces those of N1."""
    path = OUT / "results.json"
    measured = {r["id"] for r in results}
    kept = [r for r in json.loads(path.read_text()) if r["id"] not in measured] if path.exists() else []
    whole = sorted(kept + results, key=lambda r: int(r["id"][1:]))
    path.write_text(json.dumps(whole, indent=1) + "\n")
    print(f"\nwritten: {path}")


def quantiles(values):
    ordered = sorted(values)
    return {"p50": statistics.median(ordered), "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
            "min": ordered[0], "max": ordered[-1], "n": len(ordered)}


def milliseconds(seconds):
    return quantiles([s * 1000 for s in seconds])


def numbers(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True, **options)
    return [float(line) for line in done.stdout.split()]


def house(idle=0, runners=4, more=()):
    """A house with so many runners in advance."""
    return House("--max-runners", str(runners), "--max-idle-runners", str(idle), *more)


def pss(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no Pss of {pid}")


def cpu_ms(pid):
    """Time on a processor, of all threads that still live."""
    return sum(int(task.joinpath("schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e6


ENGINE_VERSION = engine("GET", "/version")[1]["Version"]
