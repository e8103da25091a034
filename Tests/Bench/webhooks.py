"""N9: signed webhooks a second that are verified, durably queued with their job and answered, beside a POST to a bare Hummingbird that
does nothing with it, and beside Buildbot's hook for GitHub, which has the same key. Nothing is run meanwhile."""

import contextlib
import pathlib
import socket
import statistics
import struct
import subprocess
import tempfile

from buildbot import Master, port
from measure import BINARIES, DAEMONS, OUT, cpu_ms, eventually, note, numbers, report

from hooked import KEY, HookedHouse

SECONDS = 3
ROUNDS = 5
# Fewer than a project's share at apid.
CONNECTIONS = 48
REQUESTS = 120_000

HOOKS = """
c['www']['change_hook_dialects'] = {'github': {'secret': %r, 'strict': True}}
"""


def posts(where, file, first, connections=CONNECTIONS):
    """How many were answered well, and how many a second."""
    good, bad, seconds = numbers(OUT / "posts", where, file, first, connections, SECONDS)
    assert bad == 0, f"{bad:.0f} were refused"
    return int(good), good / seconds


@contextlib.contextmanager
def bare():
    where = port()
    process = subprocess.Popen([BINARIES / "bare-post", str(where)], stderr=subprocess.DEVNULL)

    def listens():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", where), timeout=1):
            return True
    try:
        eventually("the bare one listens", listens)
        yield where
    finally:
        process.terminate()
        process.wait(10)


class HookedMaster(Master):
    def configuration(self):
        return HOOKS % KEY


def taken():
    with tempfile.TemporaryDirectory() as folder, HookedHouse("shop") as ours, bare() as nothing, HookedMaster() as theirs:
        ours.bulkhead("drain", check=0)
        file = pathlib.Path(folder) / "requests"
        paths = {"ours": "/webhook/github/shop", "theirs": "/change_hook/github"}
        files = {side: file.with_suffix(f".{side}") for side in paths}
        for side, path in paths.items():
            with open(files[side], "wb") as out:
                for number in range(1, REQUESTS if side == "ours" else REQUESTS // 20):
                    request = ours.pushes["shop"].make(number, path)[1]
                    out.write(struct.pack("=I", len(request)) + request)
        rates, first, their_first = {"bare": [], "ours": [], "theirs": []}, 0, 0
        pids = {daemon: eventually(daemon, lambda: ours.pid(daemon)) for daemon in DAEMONS}
        before = {daemon: cpu_ms(pid) for daemon, pid in pids.items()}
        for _ in range(ROUNDS):
            rates["bare"].append(posts(nothing, files["ours"], 0)[1])
            count, rate = posts(ours.port, files["ours"], first)
            first += count
            rates["ours"].append(rate)
            # It answers one after another; more connections would only wait.
            count, rate = posts(theirs.web, files["theirs"], their_first, 8)
            their_first += count
            rates["theirs"].append(rate)
        kept = ours.select("SELECT count(*) FROM deliveries")[0][0]
        assert kept == first, f"{kept} of {first} are kept"
        eventually("their jobs are made", lambda: not ours.select("SELECT 1 FROM delivery_jobs WHERE open = 1 LIMIT 1"), 120)
        cost = {daemon: (cpu_ms(pid) - before[daemon]) / first * 1000 for daemon, pid in pids.items()}
    medians = {side: statistics.median(values) for side, values in rates.items()}
    for other, name, target in (("bare", "a bare POST", 0.7), ("theirs", "Buildbot's hook", 100)):
        ratio = statistics.median(mine / its for mine, its in zip(rates["ours"], rates[other]))
        report("N9", f"webhooks a second, divided by {name}", ratio, f">= {target}", ratio >= target,
               f"{medians[other]:.0f} a second", rates)
    note("N9", "signed webhooks taken", medians["ours"], "a second", rates)
    note("N9", "processor time of one, of all daemons", sum(cost.values()), "us", cost)
