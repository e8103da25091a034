#!/usr/bin/env python3
"""What the daemons of a house ask of the kernel once they are confined, seen by strace.

    trace_calls.py run FOLDER COMMAND...   runs COMMAND (an integration test) with every `bulkhead up` in it traced; records go to FOLDER
    trace_calls.py show FOLDER             prints, for each daemon, the calls seen after its filter was loaded, with counts and one sample
    trace_calls.py paths FOLDER            prints the paths that each daemon opened or looked at after that
    trace_calls.py failures FOLDER         prints each daemon's deaths by SIGSYS: calls that its profile lacks

The tests find the programs by BULKHEAD_BINARIES; so a folder in which `bulkhead` is a script that puts strace in front is enough.
"""

import collections
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAEMONS = ["apid", "brokerd", "courierd", "relayd", "schedulerd", "spawnerd"]
CALL = re.compile(r"^(\w+)\((.*)$")
# What a process does last before it is confined; programs without a profile end with the second.
FILTER = re.compile(r"^seccomp\(SECCOMP_SET_MODE_FILTER.* = 0$")
UNDUMPABLE = re.compile(r"^prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE\) *= 0$")
CREATES = {"clone", "clone3", "fork", "vfork"}
BINARIES = pathlib.Path(os.environ.get("BULKHEAD_BINARIES", ROOT / ".build/release"))


class Thread:
    """One record of strace: a thread from its creation to its end."""

    def __init__(self, file):
        self.lines = file.read_text(errors="replace").splitlines()
        self.parent = None
        self.is_thread = False
        self.program = None
        self.starts_confined = False

    def children(self):
        """(thread number, is a thread of the same process, line number)"""
        for number, line in enumerate(self.lines):
            call = CALL.match(line)
            if call and call[1] in CREATES and (made := re.search(r"= (\d+)$", line)):
                yield int(made[1]), "CLONE_THREAD" in line, number

    def program_at(self, number, before):
        for line in self.lines[:number]:
            if line.startswith("execve(") and line.endswith("= 0"):
                before = pathlib.Path(line.split('"')[1]).name
        return before

    def confined_from(self):
        """The number of the first line after confinement, or None."""
        if self.starts_confined:
            return 0
        marks = [n for n, line in enumerate(self.lines) if FILTER.match(line)]
        marks = marks or [n for n, line in enumerate(self.lines) if UNDUMPABLE.match(line)]
        return marks[-1] + 1 if marks else None


def threads(folder):
    """All threads of one traced `bulkhead up`, each with the name of the program that it belongs to."""
    found = {int(f.suffix[1:]): Thread(f) for f in folder.glob("trace.*") if f.suffix[1:].isdigit()}
    made = {c: (t, is_thread, n) for t in found.values() for c, is_thread, n in t.children()}

    def name(number):
        thread = found[number]
        if thread.program is None:
            before = ""
            if number in made:
                parent, thread.is_thread, line = made[number]
                up = next(n for n, t in found.items() if t is parent)
                before = parent.program_at(line, name(up))
                start = parent.confined_from()
                thread.starts_confined = thread.is_thread and start is not None and start <= line
            thread.program = thread.program_at(len(thread.lines), before) or "?"
        return thread.program

    for number in sorted(found):
        name(number)
    return list(found.values())


def confined_lines(folder):
    """(daemon, line) of everything that confined daemons did, over all traces below `folder`."""
    for house in sorted(p for p in pathlib.Path(folder).iterdir() if p.is_dir()):
        for thread in threads(house):
            start = thread.confined_from()
            daemon = thread.program.removeprefix("bulkhead-")
            if daemon in DAEMONS and start is not None:
                for line in thread.lines[start:]:
                    yield daemon, line


def calls(folder):
    """{daemon: {call: [lines]}}; of a call that was made often, a few hundred different lines."""
    seen = collections.defaultdict(lambda: collections.defaultdict(set))
    counts = collections.defaultdict(collections.Counter)
    for daemon, line in confined_lines(folder):
        if call := CALL.match(line):
            counts[daemon][call[1]] += 1
            if len(seen[daemon][call[1]]) < 500:
                seen[daemon][call[1]].add(line)
    return seen, counts


def run(folder, command):
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bulkhead-traced-") as binaries:
        os.chmod(binaries, 0o755)
        for program in BINARIES.resolve().glob("bulkhead*"):
            if program.is_file() and program.name != "bulkhead":
                os.symlink(program, pathlib.Path(binaries, program.name))
        real = shlex.quote(str(BINARIES.resolve() / "bulkhead"))
        script = pathlib.Path(binaries, "bulkhead")
        # -D: the tracer is the grandchild, so that the test's child is `bulkhead up` itself, for signals and for /proc.
        script.write_text(f"""#!/bin/sh
[ "$1" = up ] || exec {real} "$@"
mkdir -p {shlex.quote(str(folder))}/$$
exec strace -D -ff -qq -s 0 -o {shlex.quote(str(folder))}/$$/trace {real} "$@"
""")
        script.chmod(0o755)
        return subprocess.run(command, env={**os.environ, "BULKHEAD_BINARIES": binaries}).returncode


def show(folder):
    seen, counts = calls(folder)
    for daemon in sorted(seen):
        print(f"\n{daemon}: {len(seen[daemon])} calls")
        for call, lines in sorted(seen[daemon].items()):
            print(f"  {counts[daemon][call]:8} {min(lines, key=len)[:140]}")


def paths(folder):
    found = collections.defaultdict(set)
    for daemon, line in confined_lines(folder):
        if re.match(r"(openat2?|open|newfstatat|statx|access|faccessat2?|readlink|readlinkat|unlink|rename|mkdir|connect|execve)\(", line):
            found[daemon].add(re.sub(r"\d{2,}|[0-9a-f]{16,}", "N", line))
    for daemon in sorted(found):
        print(f"\n{daemon}")
        for line in sorted(found[daemon]):
            print("  " + line[:170])


def failures(folder):
    """The last calls of threads that the kernel killed for a call; empty if there were none."""
    found = []
    for house in sorted(p for p in pathlib.Path(folder).iterdir() if p.is_dir()):
        for thread in threads(house):
            if any("SIGSYS" in line for line in thread.lines[-3:]):
                found.append((thread.program, next((x for x in reversed(thread.lines) if CALL.match(x)), "?")))
    return found


def main(arguments):
    match arguments:
        case ["run", folder, *command] if command:
            if not shutil.which("strace"):
                raise SystemExit("strace is missing: make deps")
            return run(folder, command)
        case ["show", folder]:
            show(folder)
        case ["paths", folder]:
            paths(folder)
        case ["failures", folder]:
            found = failures(folder)
            print("".join(f"{daemon}: {line}\n" for daemon, line in found), end="")
            return 1 if found else 0
        case _:
            raise SystemExit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
