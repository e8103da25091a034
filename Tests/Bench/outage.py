"""N10: from the death of a daemon to the next job that is dispatched. `bulkhead up` starts it again. BENCH_RUNNERS=1000 does it with
so many runners that wait; that takes some 20 MiB of memory each, and minutes to make them."""

import contextlib
import http.client
import json
import os
import statistics
import time

from measure import DAEMONS, eventually, house, quantiles, report


def until(condition):
    while not condition():
        time.sleep(0.002)


def submit(standing):
    """As a client that tries again: with the same request id, so that it is one job."""
    body = {"image": "bulkhead/busybox", "steps": [{"run": "echo x"}]}
    job = []

    def accepted():
        with contextlib.suppress(OSError, http.client.HTTPException, json.JSONDecodeError):
            status, answer = standing.api("POST", "/jobs", body, Idempotency_Key=key)
            if status in (200, 201):
                job.append(answer["id"])
        return job

    key = f"outage-{time.monotonic_ns()}"
    until(accepted)
    return job[0]


def dispatched(standing, job):
    with contextlib.suppress(OSError, http.client.HTTPException, json.JSONDecodeError):
        return standing.job(job).get("state") not in ("BLOCKED", "QUEUED", None)
    return False


def fill(standing, count):
    """So many runners that wait for another kind of job, small ones: the machine has to have room for what is promised."""
    shape = {"image": "bulkhead/busybox", "resources": {"cpus": 0.01, "memory": "16MiB", "disk": "8MiB"}}
    status, answer = standing.api("POST", "/runners", shape)
    assert status == 201, answer
    # One is asked for, and its pool is filled.
    eventually(f"{count} runners wait", lambda: idle(standing) == count, 1800)


def idle(standing):
    # The list of runners is cut at 128; pools are counted.
    return sum(pool["idle"] for pool in standing.api("GET", "/pools")[1]["pools"])


def outage(rounds=5):
    """To ASSIGNED, when the job has its runner; a new one, so that no daemon is spared."""
    known = int(os.environ.get("BENCH_RUNNERS", "0"))
    took = {daemon: [] for daemon in DAEMONS}
    with house(idle=known, runners=known + 2, more=["--cooldown", "24h"]) as standing:
        if known:
            fill(standing, known)
        for _ in range(rounds):
            for daemon in DAEMONS:
                eventually("nothing goes on", lambda: len(standing.containers()) == known)
                # Long enough after its last start, so that the pause before the next is the shortest.
                time.sleep(2.2)
                begin = time.monotonic()
                standing.kill(daemon)
                job = submit(standing)
                until(lambda: dispatched(standing, job))
                took[daemon].append(time.monotonic() - begin)
                assert standing.wait(job)["state"] == "SUCCEEDED"
        standing.bulkhead("drain", check=0, timeout=1800)
    spread = {daemon: quantiles(seconds) for daemon, seconds in took.items()}
    slowest = max(took, key=lambda daemon: statistics.median(took[daemon]))
    value = statistics.median(took[slowest])
    report("N10", f"kill -9 to the next dispatched job ({slowest}), s", value, "<= 3", value <= 3,
           f"the slowest of five daemons; {known} runners wait", spread)
