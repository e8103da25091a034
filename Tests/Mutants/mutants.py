#!/usr/bin/env python3
"""make mutants: takes away one wall after another and runs the test that has to notice. A mutant that survives is a wall that nobody
watches. The tree is not touched: all of it happens in an overlay, in a mount namespace of its own, where processes end with it.

    mutants.py            all of them, then the table
    mutants.py NAME...    these

A build costs most of the time. Mutants share one if none of their tests links what another of them changes; those of the libraries
that everything is built on are built apart, in a package of these libraries and their tests alone."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from walls import HOUSE, HOUSE_TESTS, MUTANTS, SIMULATION, test

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSIDE = "BULKHEAD_MUTANTS_INSIDE"
BUILD_LIMIT, TEST_LIMIT = 1800, 600  # seconds
# Of a test: it passes, it fails, it has no end. On a busy machine the last one need not be the mutant's doing.
VERDICTS = {True: "survived", False: "killed", None: "killed by the clock"}
FAILED = re.compile(rb"recorded an issue|^(FAIL|ERROR): ", re.MULTILINE)
# What is built apart: the tests of the lowest libraries, and the programs that test programs start.
BASE = {"LinkTests", "PosixTests", "sandbox-victim"}
MOUNTS = """
set -e
root=$1 scratch=$2; shift 2
mount -t overlay overlay -o "lowerdir=$root,upperdir=$scratch/upper,workdir=$scratch/work" "$root"
case $root in /tmp/*) mkdir -p "$scratch$root"; mount --bind "$root" "$scratch$root";; esac  # or it would be out of sight
mount --rbind "$scratch/tmp" /tmp
mount -t tmpfs run /run
for part in Sources Tests; do mount --bind "$root/$part" "$scratch/base/$part"; done
cd "$root"; exec "$@"
"""


def in_overlay():
    """Starts this program again, in namespaces where ROOT is an overlay of itself: writes go to a scratch directory, which goes away."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-mutants-", dir="/var/tmp") as scratch:
        for name in ("upper", "work", "tmp", "logs", "base/Sources", "base/Tests"):
            os.makedirs(f"{scratch}/{name}")
        os.chmod(scratch, 0o755)
        os.chmod(f"{scratch}/tmp", 0o1777)
        shield = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
        command = shield + ["bash", "-c", MOUNTS, "mutants", str(ROOT), scratch, sys.executable, __file__]
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of everything that has to be undone
        status = subprocess.call(command + sys.argv[1:], env={**os.environ, INSIDE: scratch})
        if status:
            kept = tempfile.mkdtemp(prefix="bulkhead-mutant-logs-")
            shutil.copytree(f"{scratch}/logs", kept, dirs_exist_ok=True)
            print(f"mutants: what was said is in {kept}")
        return status


def run(command, log, limit, place, until=None):
    """Whether a command succeeds, None if it has no end; what it and its children say goes to a file. A word of `until` is a failure,
    for which nobody has to wait until its end."""
    environment = {key: value for key, value in os.environ.items() if key not in (INSIDE, "BULKHEAD_ENGINE", "DOCKER_HOST")}
    environment["BULKHEAD_BINARIES"] = f"{place}/.build/release"
    # An engine of our own, which sees the mounts of our namespace; any other is out of sight.
    environment["BULKHEAD_RUN_DIR"] = f"{os.environ[INSIDE]}/engine"
    end = time.monotonic() + limit
    with open(log, "ab") as out:
        process = subprocess.Popen(["bash", "-c", command], cwd=place, stdout=out, stderr=subprocess.STDOUT, env=environment)
        while process.poll() is None:
            failed = until and until.search(log.read_bytes())
            if failed or time.monotonic() > end:
                os.kill(-1, signal.SIGKILL)  # we are the first process of our namespace: all others, whatever groups they made
                process.wait()
                return False if failed else None
            time.sleep(0.1)
    return process.returncode == 0


def sweep(log):
    """Ends what runs in our namespaces, an engine above all, and removes its control groups, which would outlast them."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    run("Tests/Engine/engine.sh stop", log, TEST_LIMIT, ROOT)


class Graph:
    """Which target links which, in the words of Package.swift."""

    def __init__(self):
        said = json.loads(subprocess.check_output(["swift", "package", "dump-package"], cwd=ROOT))
        self.targets = {target["name"]: target for target in said["targets"]}
        self.paths = {name: target.get("path") or f"Tests/{name}" for name, target in self.targets.items()}

    def closure(self, *names):
        found, todo = set(), [name for name in names if name in self.targets]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                edges = (edge.get("byName") or edge.get("target") or [None] for edge in self.targets[name]["dependencies"])
                todo += [edge[0] for edge in edges if edge[0] in self.targets]
        return found

    def target(self, file):
        owners = [name for name, path in self.paths.items() if file.startswith(f"{path}/")]
        return max(owners, key=lambda name: len(self.paths[name]), default=None)

    def hurts(self, mutant, other):
        """Whether a mutant can be seen by the other's test."""
        changed = self.target(mutant.file)
        return not changed or not other.linked or changed in self.closure(*other.linked)


def rounds(graph, mutants):
    """Groups whose members do not see each other, as early as possible for each."""
    found = []
    for mutant in mutants:
        for group in found:
            if not any(graph.hurts(mutant, other) or graph.hurts(other, mutant) for other in group):
                group.append(mutant)
                break
        else:
            found.append([mutant])
    return found


class Place:
    """Where mutants are built: the tree, or the package of the lowest libraries."""

    def __init__(self, name, folder, build, logs):
        self.name, self.folder, self.command, self.logs = name, folder, build, logs

    def builds(self, log):
        return not self.command or run(self.command, log, BUILD_LIMIT, self.folder)

    def passes(self, mutant, log):
        # A house that fails is heard out: it takes its containers along.
        return run(mutant.test, log, TEST_LIMIT, self.folder, None if mutant.by in HOUSE_TESTS else FAILED)

    def control(self, mutants):
        """Without a mutant everything is green, or a death would prove nothing; and each test is there."""
        log = self.logs / f"control-{self.name}.log"
        if not self.builds(log):
            sys.exit(f"mutants: the unchanged tree does not build, see {log.name}")
        bundles = {}
        for mutant in mutants:
            bundles.setdefault(mutant.linked or mutant.by, set()).add(mutant.by)
        for number, names in enumerate(bundles.values()):
            log = self.logs / f"control-{self.name}-{number}.log"
            good = run(test(sorted(names)), log, BUILD_LIMIT, self.folder)
            ran = re.search(r"Test run with (\d+) test|Ran (\d+) test", log.read_text(errors="replace"))
            if not good or ran and int(ran[1] or ran[2]) < len(names):
                sys.exit(f"mutants: the unchanged tree fails, or has not all of these tests: {', '.join(names)}; see {log.name}")

    def verdicts(self, group):
        """What became of each mutant of a group that shares a build."""
        log = self.logs / f"build-{group[0].name}.log"
        undo, said = [], {}
        try:
            for mutant in group:
                path = ROOT / mutant.file
                original, times = path.read_text(), path.stat()
                if original.count(mutant.old) != 1:
                    said[mutant.name] = f"STALE: {original.count(mutant.old)} places"
                    continue
                undo.append((path, original, (times.st_atime_ns, times.st_mtime_ns)))
                path.write_text(original.replace(mutant.old, mutant.new))
            if self.builds(log):
                for mutant in group:
                    if mutant.name not in said:
                        said[mutant.name] = VERDICTS[self.passes(mutant, self.logs / f"{mutant.name}.log")]
                return said
        finally:
            for path, original, times in reversed(undo):
                path.write_text(original)
                os.utime(path, ns=times)
        if len(group) == 1:
            return {**{group[0].name: "does not build: change the mutant"}, **said}
        return {name: verdict for mutant in group for name, verdict in self.verdicts([mutant]).items()}


def package(graph, names):
    """The words of a package of these targets and what they need, over the same sources."""
    needed = ", ".join(f'"{name}"' for name in sorted(graph.closure(*names)))
    return (ROOT / "Package.swift").read_text() + (
        f"\npackage.targets = package.targets.filter {{ ([{needed}] as Set<String>).contains($0.name) }}\n"
        "package.products = []\n")


@contextlib.contextmanager
def narrowed(graph, mutants):
    """While it lasts the tree is a package of these mutants' tests alone: for one of schedulerd's nobody waits for apid."""
    path = ROOT / "Package.swift"
    whole = path.read_text()
    path.write_text(package(graph, {name for mutant in mutants for name in mutant.linked}))
    try:
        yield
    finally:
        path.write_text(whole)


def inside(scratch):
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or mutant.name in sys.argv[1:]]
    unknown = set(sys.argv[1:]) - {mutant.name for mutant in chosen}
    if unknown:
        sys.exit(f"mutants: no such mutant: {', '.join(sorted(unknown))}")
    logs, begin = scratch / "logs", time.monotonic()
    graph = Graph()
    (scratch / "base/Package.swift").write_text(package(graph, BASE) + "package.dependencies = []\n")
    places = [
        (Place("files", ROOT, None, logs), [mutant for mutant in chosen if not mutant.linked]),
        (Place("base", scratch / "base", "swift build -c release --build-tests", logs),
         [mutant for mutant in chosen if mutant.linked and set(mutant.linked) <= BASE]),
        (Place("tree", ROOT, "swift build -c release --product bulkheadPackageTests", logs),
         [mutant for mutant in chosen
          if mutant.linked and mutant.linked != HOUSE and mutant.by != SIMULATION and not set(mutant.linked) <= BASE]),
        (Place("simulation", ROOT, "swift build -c release --product simulate", logs),
         [mutant for mutant in chosen if mutant.by == SIMULATION]),
        (Place("house", ROOT, "swift build -c release", logs), [mutant for mutant in chosen if mutant.linked == HOUSE]),
    ]
    said = {}
    for place, mutants in places:
        if not mutants:
            continue
        with narrowed(graph, mutants) if place.name == "tree" else contextlib.nullcontext():
            print(f"mutants: {place.name}: the control, without a mutant", flush=True)
            place.control(mutants)
            for group in rounds(graph, mutants):
                said |= place.verdicts(group)
                words = ", ".join(f"{mutant.name} {said[mutant.name]}" for mutant in group)
                print(f"mutants: {len(said)}/{len(chosen)} ({time.monotonic() - begin:.0f} s) {words}", flush=True)
    sweep(logs / "engine.log")
    print("\n| mutant | what is taken away | found by | |\n|---|---|---|---|")
    for mutant in chosen:
        print(f"| {mutant.name} | {mutant.what} | `{mutant.by}` | {said[mutant.name]} |")
    alive = [name for name, verdict in said.items() if verdict not in ("killed", "killed by the clock")]
    hung = [name for name, verdict in said.items() if verdict == "killed by the clock"]
    print(f"\n{len(said) - len(alive)} of {len(said)} killed in {time.monotonic() - begin:.0f} s" + (
        f"; look at {', '.join(alive + hung)}" if alive or hung else ""))
    return bool(alive)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("mutants: needs root, for an overlay of the tree")
    sys.exit(inside(pathlib.Path(os.environ[INSIDE])) if INSIDE in os.environ else in_overlay())
