"""N10: from the death of a daemon to the next job that is dispatched. `bulkhead up` starts it again."""

import contextlib
import http.client
import json
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


def outage(rounds=5):
    """To ASSIGNED, when the job has its runner; a new one, so that no daemon is spared."""
    took = {daemon: [] for daemon in DAEMONS}
    with house(runners=2) as standing:
        for _ in range(rounds):
            for daemon in DAEMONS:
                eventually("nothing goes on", lambda: not standing.containers())
                # Long enough after its last start, so that the pause before the next is the shortest.
                time.sleep(2.2)
                begin = time.monotonic()
                standing.kill(daemon)
                job = submit(standing)
                until(lambda: dispatched(standing, job))
                took[daemon].append(time.monotonic() - begin)
                assert standing.wait(job)["state"] == "SUCCEEDED"
    spread = {daemon: quantiles(seconds) for daemon, seconds in took.items()}
    slowest = max(took, key=lambda daemon: statistics.median(took[daemon]))
    value = statistics.median(took[slowest])
    report("N10", f"kill -9 to the next dispatched job ({slowest}), s", value, "<= 3", value <= 3, "the slowest of five daemons", spread)
