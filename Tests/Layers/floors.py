#!/usr/bin/env python3
"""The floors of the house (docs/architecture.md): who may import what. Reads `swift package dump-package` and the
import lines. Exceptions stand in exceptions.txt, each with a reason. `--self-test` shows that each rule can fail."""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMPORT = re.compile(r"^\s*(?:@\w+\s+)*(?:public |package |internal |private )?import (?:struct |class |enum |func )?([A-Za-z_]\w*)")

# Import nothing at all, or only what is named.
PURE = {"Wire": set(), "SpawnPolicy": set(), "Documents": set(), "JobModel": {"Documents"}, "ForgeModel": set(),
        "Deliveries": {"Documents", "ForgeModel"}, "GitHub": {"Deliveries", "ForgeModel"},
        "GitLab": {"Deliveries", "ForgeModel"}, "Gitea": {"Deliveries", "ForgeModel"},
        "TrustModel": {"ForgeModel"}, "ProjectModel": {"Documents", "ForgeModel", "JobModel", "TrustModel"}, "Tar": set(),
        "Exchange": set(), "ForgeCalls": {"Documents", "Exchange", "ForgeModel"},
        "GitHubCalls": {"Exchange", "ForgeCalls", "ForgeModel"}, "GitLabCalls": {"Exchange", "ForgeCalls", "ForgeModel"},
        "GiteaCalls": {"Exchange", "ForgeCalls", "ForgeModel"}, "YAMLDocuments": {"Documents", "JobModel", "ProjectModel", "Yams"},
        "GitLabRunner": {"CZlib", "Documents", "Exchange", "ForgeCalls", "ForgeModel"}}
LIBC = {"Posix", "Files", "Endpoints", "Processes", "Sandbox", "Secret", "Daemon", "RunnerCore",
        "simulate", "store-bench"}  # may import Glibc
HEAVY = {"NIO", "NIOCore", "NIOPosix", "NIOHTTP1", "Hummingbird", "GRDB", "CSQLite", "ArgumentParser", "Yams", "CCurl", "Foundation",
         "FoundationEssentials", "FoundationNetworking", "Crypto", "CryptoExtras"}
TRUSTED_EXECUTABLES = ["bulkhead-spawnerd", "bulkhead-brokerd"]
SERVICES = {"API", "Scheduler", "Spawner", "Broker", "Relay", "Courier", "Egress", "Runner"}
DRIVERS = {"DockerRuntime"}
ONLY_IN = {"Hummingbird": {"API"}, "GRDB": {"Scheduler"}, "CSQLite": {"Scheduler"}, "Yams": {"CLI", "Jobs"}, "ArgumentParser": {"CLI"},
           "Crypto": {"Broker", "CLI", "Courier", "Forges", "Scheduler", "Relay", "Wire"}, "CCurl": {"CLI", "Courier"},
           "CryptoExtras": {"Broker"}, "CZlib": {"Courier"}}
# Read by the command line and by courierd, which faces hostile bytes anyway; no other program sees YAML.
LINKED_BY = {"Yams": {"bulkhead", "bulkhead-courierd"}}
MAIN_LINES = 60
FILE_LINES = 400


def exceptions():
    allowed = {}
    for line in (ROOT / "Tests/Layers/exceptions.txt").read_text().splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        rule, _, reason = line.partition(":")
        assert reason.strip(), f"exceptions.txt: '{rule}' has no reason"
        allowed[tuple(rule.split())] = reason.strip()
    return allowed


def load():
    package = json.loads(subprocess.check_output(["swift", "package", "dump-package"], cwd=ROOT))
    targets = {}
    for target in package["targets"]:
        if target["type"] == "test":
            continue
        names = []
        for dependency in target["dependencies"]:
            names.append((dependency.get("byName") or dependency.get("target") or dependency.get("product"))[0])
        folder = ROOT / target["path"]
        imports = {}
        for file in sorted(folder.rglob("*.swift")):
            for number, line in enumerate(file.read_text().splitlines(), 1):
                if match := IMPORT.match(line):
                    imports.setdefault(match[1], f"{file.relative_to(ROOT)}:{number}")
        targets[target["name"]] = {
            "needs": names, "imports": imports, "path": target["path"], "compartment": target["path"].split("/")[1],
            "lines": {str(f.relative_to(ROOT)): len(f.read_text().splitlines()) for f in folder.rglob("*.swift")
                      if "Generated" not in f.parts},
        }
    return targets


def closure(targets, name):
    seen, todo = set(), [name]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        todo += targets.get(current, {"needs": []})["needs"]
    return seen


def violations(targets, allowed):
    found = []

    def say(rule, where, what):
        if rule not in allowed:
            found.append(f"{where}: {what}")

    for name, target in targets.items():
        for module, where in target["imports"].items():
            if module not in PURE.get(name, {module}):
                may = ", ".join(sorted(PURE[name])) or "nothing"
                say((name, module), where, f"{name} imports {may} beside the standard library, not {module}")
            if module == "Glibc" and name not in LIBC:
                say((name, module), where, f"only {', '.join(sorted(LIBC))} import Glibc; {name} uses Posix")
            if module in ONLY_IN and target["compartment"] not in ONLY_IN[module]:
                say((name, module), where, f"{module} belongs to {', '.join(sorted(ONLY_IN[module]))}")
            other = targets.get(module, {}).get("compartment")
            if other in SERVICES and target["compartment"] in SERVICES and other != target["compartment"]:
                say((name, module), where, f"services never import each other: {target['compartment']} -> {other}")
            if name in DRIVERS and module in {"Wire", "Link"}:
                say((name, module), where, "a driver never imports the wire")
            if module in targets and module not in target["needs"]:
                say((name, module), where, f"{name} imports {module} without declaring it")
        for file, lines in target["lines"].items():
            if file.endswith("main.swift") and lines > MAIN_LINES:
                say((file, "length"), file, f"main.swift has {lines} lines; at most {MAIN_LINES}")
            if lines > FILE_LINES:
                say((file, "length"), file, f"{lines} lines; a file is a thought of at most {FILE_LINES}")
    for executable in TRUSTED_EXECUTABLES:
        for member in closure(targets, executable) if executable in targets else ():
            for module in set(targets.get(member, {}).get("imports", {})) & HEAVY:
                say((member, module), targets[member]["imports"][module], f"{module} would be linked into {executable}")
    for name in targets:
        for module, programs in LINKED_BY.items():
            if name.startswith("bulkhead") and name not in programs and module in closure(targets, name):
                say((name, module), name, f"only {', '.join(sorted(programs))} may be linked with {module}")
    return found


def self_test():
    """Each rule, broken on purpose in a made-up tree, must be reported."""
    def tree(**changes):
        base = {"Wire": ("Wire", {}), "DockerRuntime": ("Spawner", {}), "Relaying": ("Relay", {}), "Spawning": ("Spawner", {}),
                "GitHub": ("Forges", {}), "GitLab": ("Forges", {}), "ProjectModel": ("Jobs", {}), "TrustModel": ("Jobs", {}),
                "bulkhead-spawnerd": ("Spawner", {}), "Store": ("Scheduler", {}), "CLI": ("CLI", {})}
        for name, imports in changes.items():
            base[name] = (base[name][0], dict.fromkeys(imports, "made-up.swift:1"))
        return {n: {"needs": ["DockerRuntime"] if n == "bulkhead-spawnerd" else list(i), "imports": i, "path": f"Sources/{c}/{n}",
                    "compartment": c, "lines": {}} for n, (c, i) in base.items()}

    assert violations(tree(), {}) == [], "a clean tree is reported"
    bad = {"Wire": ["Glibc"], "Store": ["Hummingbird"], "Relaying": ["Spawning"], "DockerRuntime": ["Link"], "Spawning": ["Glibc"],
           "GitHub": ["Foundation"], "GitLab": ["GitHub"], "ProjectModel": ["Files"]}
    for name, imports in bad.items():
        assert violations(tree(**{name: imports}), {}), f"{name} importing {imports} is not reported"
    assert violations(tree(DockerRuntime=["NIO"]), {}), "NIO in spawnerd is not reported"
    assert not violations(tree(DockerRuntime=["NIO"]), {("DockerRuntime", "NIO"): "why"}), "an exception does not work"
    yaml = tree()
    yaml["Spawning"]["needs"], yaml["bulkhead-spawnerd"]["needs"] = ["Yams"], ["Spawning"]
    assert violations(yaml, {}), "YAML in spawnerd is not reported"
    long = tree()
    long["Store"]["lines"] = {"Sources/x/main.swift": 61, "Sources/x/long.swift": 401}
    assert len(violations(long, {})) == 2, "long files are not reported"


def main():
    if "--self-test" in sys.argv:
        return self_test()
    found = violations(load(), exceptions())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
