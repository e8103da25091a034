#!/usr/bin/env python3
"""Measures what docs/benchmarks.md tells: each figure as a ratio, both sides taken in turn in one run, since the machine's speed
drifts. Prints a table and writes results.json. Asserts nothing: a figure that misses its target is a figure that misses it."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".build/bench").resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Integration"))
from house import BINARIES, DAEMONS, House, EngineConnection, engine, eventually  # noqa: E402

results = []


def report(name, about, value, target, met, against, spread):
    results.append({"id": name, "about": about, "value": round(value, 3), "target": target, "met": met, "against": against,
                    "spread": spread, "engine": ENGINE_VERSION})
    print(f"{name:<6}{about:<46}{value:>10.3f}  {target:<12}{'met' if met else 'MISSED':<8}{against}", flush=True)


def quantiles(values):
    ordered = sorted(values)
    return {"p50": statistics.median(ordered), "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
            "min": ordered[0], "max": ordered[-1], "n": len(ordered)}


def numbers(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True, **options)
    return [float(line) for line in done.stdout.split()]


# N2: a cold start, from the request to the first byte of output.

def raw_start(body):
    """create, attach, start and the first byte, straight at the engine with the very options that Bulkhead uses."""
    begin = time.perf_counter()
    status, created = engine("POST", "/containers/create", body)
    assert status == 201, created
    stream = EngineConnection("engine")
    stream.connect()
    stream.sock.sendall((f"POST /containers/{created['Id']}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: e\r\n"
                         "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += stream.sock.recv(4096)
    status, answer = engine("POST", f"/containers/{created['Id']}/start")
    assert status == 204, answer
    rest = head.split(b"\r\n\r\n", 1)[1]
    while len(rest) < 9:
        piece = stream.sock.recv(4096)
        assert piece, "the container said nothing"
        rest += piece
    took = time.perf_counter() - begin
    stream.close()
    engine("DELETE", f"/containers/{created['Id']}?force=1&v=1")
    return took


def our_start(house):
    """POST /jobs and the first byte of the followed log."""
    headers = {"Authorization": f"Bearer {house.token}", "Content-Type": "application/json"}
    submit = http.client.HTTPConnection("127.0.0.1", house.port)
    follow = http.client.HTTPConnection("127.0.0.1", house.port)
    submit.connect(), follow.connect()
    begin = time.perf_counter()
    submit.request("POST", "/jobs", json.dumps({"image": "bulkhead/busybox", "steps": ["echo x"]}), headers)
    job = json.loads(submit.getresponse().read())["id"]
    follow.request("GET", f"/jobs/{job}/log?follow=1", headers=headers)
    assert follow.getresponse().read(1) == b"x"
    took = time.perf_counter() - begin
    submit.close(), follow.close()
    house.wait(job)
    eventually("the runner is removed", lambda: not house.containers())
    return took


def template(house):
    """The create body of a container as Bulkhead makes it, with a shell that says one line in place of the runner."""
    job = house.submit("echo up; sleep 60")
    eventually("the job runs", lambda: house.log(job) == b"up\n")
    seen = engine("GET", f"/containers/{house.containers()[0]['Id']}/json")[1]
    house.bulkhead("cancel", job, "--grace", "0", check=0)
    house.wait(job)
    config = {k: v for k, v in seen["Config"].items() if k in (
        "User", "Env", "Image", "WorkingDir", "OpenStdin", "StdinOnce", "Tty", "AttachStdin", "AttachStdout", "AttachStderr",
        "StopSignal", "Healthcheck", "Volumes")}
    # That runner's grant is gone with it; another directory of the same file system is mounted as fast.
    host = seen["HostConfig"]
    for mount in host["Mounts"]:
        if "/run/grants/" in mount.get("Source", ""):
            mount["Source"] = str(pathlib.Path(mount["Source"]).parent)
    return {**config, "Entrypoint": ["/bin/sh", "-c", "echo x"], "Cmd": [], "HostConfig": host,
            "Labels": {"bulkhead.bench": "1"}}


def cold_start(house):
    body = template(house)
    ours, raw = [], []
    for _ in range(3):
        our_start(house), raw_start(body)
    for _ in range(25):
        ours.append(our_start(house))
        raw.append(raw_start(body))
    ratios = [a / b for a, b in zip(ours, raw)]
    report("N2", "cold start: ours / raw engine, p50 of pairs", statistics.median(ratios), "<= 1.03",
           statistics.median(ratios) <= 1.03, "raw create+attach+start, same options",
           {"ours_ms": quantiles([x * 1000 for x in ours]), "raw_ms": quantiles([x * 1000 for x in raw]), "ratio": quantiles(ratios)})


# N6: memory.

def pss(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no Pss of {pid}")


@contextlib.contextmanager
def buildbot():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-bench-"))
    tool = OUT / "venv/bin/buildbot"
    try:
        subprocess.run([tool, "create-master", "-r", folder], check=True, capture_output=True)
        (folder / "master.cfg").write_text(
            "from buildbot.plugins import *\nc = BuildmasterConfig = {}\nc['workers'] = [worker.Worker('w', 'p')]\n"
            "c['protocols'] = {'pb': {'port': 'tcp:0:interface=127.0.0.1'}}\n"
            "f = util.BuildFactory([steps.ShellCommand(command=['true'])])\n"
            "c['builders'] = [util.BuilderConfig(name='b', workernames=['w'], factory=f)]\n"
            "c['schedulers'] = [schedulers.ForceScheduler(name='force', builderNames=['b'])]\n"
            "c['title'] = 'x'\nc['buildbotURL'] = 'http://127.0.0.1/'\nc['db'] = {'db_url': 'sqlite:///state.sqlite'}\n"
            "c['buildbotNetUsageData'] = None\n")
        process = subprocess.Popen([tool, "start", "--nodaemon", folder], stdout=open(folder / "out", "wb"), stderr=subprocess.STDOUT)
        try:
            log = folder / "twistd.log"
            eventually("Buildbot runs", lambda: "BuildMaster is running" in (
                (folder / "out").read_text() + (log.read_text() if log.exists() else "")), 60)
            time.sleep(3)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory(house):
    time.sleep(2)
    daemons = {daemon: round(pss(house.pid(daemon)), 1) for daemon in DAEMONS}
    total = sum(daemons.values())
    with buildbot() as pid:
        other = pss(pid)
    report("N6", "memory of all daemons, idle / Buildbot master", total / other, "<= 0.5", total / other <= 0.5,
           f"{other:.0f} MiB", {"daemons_mib": daemons, "total_mib": round(total, 1), "buildbot_mib": round(other, 1)})
    largest = max((v, k) for k, v in daemons.items() if k != "bulkhead-apid")
    report("N6", f"largest but apid ({largest[1]}), MiB", largest[0], "<= 8", largest[0] <= 8, "", daemons)


# N7: the wire.

def round_trip(rounds=7, count=20000):
    link = BINARIES / "link-bench"
    path = f"{tempfile.mkdtemp(prefix='bulkhead-bench-')}/s"
    server = subprocess.Popen([link, "server", path])
    try:
        eventually("the bench server listens", lambda: os.path.exists(path))
        ours, c, grpc = [], [], []
        for _ in range(rounds):
            ours.append(quantiles(numbers(link, "client", path, count)))
            c.append(quantiles(numbers(OUT / "pingpong", count, 40)))
            grpc.append(quantiles(numbers(OUT / "grpc-bench", path + ".grpc", count // 10)))
            os.path.exists(path + ".grpc") and os.unlink(path + ".grpc")
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(os.path.dirname(path), ignore_errors=True)
    spread = {"ours_ns": [q["p50"] for q in ours], "c_ns": [q["p50"] for q in c], "grpc_ns": [q["p50"] for q in grpc],
              "ours_p99_ns": [q["p99"] for q in ours]}
    against_c = statistics.median(a["p50"] / b["p50"] for a, b in zip(ours, c))
    report("N7", "round trip: ours / C ping-pong", against_c, "<= 1.3", against_c <= 1.3, "same kind of socket", spread)
    against_grpc = statistics.median(b["p50"] / a["p50"] for a, b in zip(ours, grpc))
    report("N7", "round trip: grpc-swift-2 unary / ours", against_grpc, ">= 60", against_grpc >= 60, "Unix socket", spread)


def codec(rounds=7):
    link = BINARIES / "link-bench"
    times = [numbers(link, "codec", 2_000_000)[0] for _ in range(rounds)]
    environment = {**os.environ, "LD_PRELOAD": str(OUT / "countmalloc.so")}
    counted = subprocess.run([link, "codec", "100000"], env=environment, capture_output=True, text=True, check=True)
    allocations = int(counted.stderr.split()[-1]) / 100000
    time_ns = statistics.median(times)
    report("N7", "codec: encode + decode, ns", time_ns, "<= 150", time_ns <= 150, "CancelJob", {"ns": times})
    report("N7", "codec: allocations per message", allocations, "0", allocations < 0.01, "CancelJob", {})


# N8: the masker, against ripgrep with the very same patterns on the same text.

def masking(rounds=7, mebibytes=128):
    bench, rg = BINARIES / "mask-bench", shutil.which("rg")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-bench-"))
    try:
        subprocess.run([bench, "write", folder, str(mebibytes)], check=True)
        size = (folder / "text").stat().st_size
        # It only counts lines: writing masked text as we do would cost it more.
        command = [rg, "--threads=1", "--text", "--fixed-strings", "--count", f"--file={folder}/patterns", f"{folder}/text"]
        ours, theirs, others = [], [], {0: [], 1: []}
        for _ in range(rounds):
            ours.append(numbers(bench, "speed", folder, 100))
            for count in others:
                others[count].append(numbers(bench, "speed", folder, count)[0])
            if rg:
                begin = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                theirs.append(size / (time.perf_counter() - begin) / 1e9)
        speed = statistics.median(o[0] for o in ours)
        spread = {"gb_per_s": [o[0] for o in ours], "tables_ms": [o[1] for o in ours], "rg_gb_per_s": theirs,
                  "one_secret_gb_per_s": others[1], "no_secret_gb_per_s": others[0]}
        report("N8", "masking with 100 secrets, GB/s per core", speed, "> 1.5", speed > 1.5,
               f"1: {statistics.median(others[1]):.1f}, none: {statistics.median(others[0]):.1f}", spread)
        if not rg:
            print("N8    no comparison: ripgrep is not installed (Debian: apt-get install ripgrep)", flush=True)
            return
        ratio = statistics.median(o[0] / t for o, t in zip(ours, theirs))
        report("N8", "masking with 100 secrets / rg, same patterns", ratio, ">= 3", ratio >= 3,
               f"rg {statistics.median(theirs):.2f} GB/s", spread)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


ENGINE_VERSION = engine("GET", "/version")[1]["Version"]
print(f"engine {ENGINE_VERSION}, {os.cpu_count()} CPUs\n{'':<6}{'what':<46}{'value':>10}  {'target':<12}{'':<8}against")
round_trip()
codec()
masking()
with House("--max-runners", "2") as house:
    memory(house)
    cold_start(house)
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")
print(f"\nwritten: {OUT / 'results.json'}")
