#!/usr/bin/env python3
"""make tcb: what is linked into the processes that hold something worth stealing, their hand-written lines, and the libraries
they load. Fails above the budget, or when something is linked that has no business there."""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from floors import ROOT, closure, load  # noqa: E402

# Lines of code, without blank lines and comments: what a daemon has of its own, and what it shares with every other daemon (Base and
# Wire), which is judged once; docs/decisions.md says why. OpenSSH's monitor.c has 2,093 lines beside what it links, Firecracker's
# jailer 3,170 with its tests.
BUDGET = {"bulkhead-spawnerd": 2800, "bulkhead-brokerd": 4800}
SHARED_BUDGET = 4500
SHARED = {"Base", "Wire"}
FORBIDDEN = re.compile(r"lib(curl|ssl|crypto|sqlite3|nghttp2)\b")
BINARIES = ROOT / ".build/release"


def code_lines(path):
    """Lines that hold code, in Swift and in C."""
    count, in_comment = 0, False
    for line in path.read_text().splitlines():
        text = line.strip()
        if in_comment:
            in_comment = "*/" not in text
        elif text.startswith("/*"):
            in_comment = "*/" not in text
        elif text and not text.startswith("//"):
            count += 1
    return count


def main():
    targets, failed = load(), False
    for executable, budget in BUDGET.items():
        if executable not in targets:
            continue
        members = sorted(m for m in closure(targets, executable) if m in targets)
        outside = sorted(m for m in closure(targets, executable) if m not in targets)
        print(f"{executable}:")
        own = shared = 0
        for member in members:
            files = [f for suffix in ("*.swift", "*.c", "*.h") for f in (ROOT / targets[member]["path"]).rglob(suffix)]
            written = sum(code_lines(f) for f in files if "Generated" not in f.parts)
            generated = sum(code_lines(f) for f in files if "Generated" in f.parts)
            if targets[member]["compartment"] in SHARED:
                shared += written
            else:
                own += written
            print(f"  {member:<16}{written:>6}" + (f"  and {generated} generated" if generated else ""))
        print(f"  {'its own':<16}{own:>6}  of {budget}")
        print(f"  {'Base and Wire':<16}{shared:>6}  of {SHARED_BUDGET}")
        if outside:
            print(f"  packages of others: {', '.join(outside)}")
        libraries = subprocess.check_output(["ldd", BINARIES / executable], text=True)
        names = sorted(line.split()[0] for line in libraries.splitlines() if "=>" in line)
        print(f"  shared libraries: {', '.join(names) or 'none'}")
        for name in names:
            if FORBIDDEN.search(name):
                print(f"  FAILED: {name} is loaded by {executable}", file=sys.stderr)
                failed = True
        for count, most in ((own, budget), (shared, SHARED_BUDGET)):
            if count > most:
                print(f"  FAILED: {count} lines are more than {most}", file=sys.stderr)
                failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
