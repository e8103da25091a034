"""N7: the wire. N8: the masker."""

import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from measure import BINARIES, OUT, eventually, numbers, quantiles, report


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


def masking(rounds=7, mebibytes=128):
    """Against ripgrep with the very same patterns on the same text."""
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
