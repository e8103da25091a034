"""Calls that fail in one daemon while jobs come in (F12, F13, F14): what was acknowledged ends, once and well; nothing is left; and
work goes on when the fault is over, without anybody's help.

All such calls fail for a while, or the daemon has no descriptor left. BULKHEAD_INJECTIONS=N: also the calls 1 to N, each alone, and
errors that are like another."""

import collections
import concurrent.futures
import os
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Chaos"))
from faults import Place  # noqa: E402
from house import House, eventually  # noqa: E402
from injection import Injection, Shortage  # noqa: E402
from invariants import Invariants  # noqa: E402
from load import Load  # noqa: E402

POINTS = int(os.environ.get("BULKHEAD_INJECTIONS", "0"))
WHILE = 0.7  # seconds for which all such calls fail
STORE = "brokerd/store.new"
ALIKE = ("EDQUOT", "ENFILE")
Row = collections.namedtuple("Row", "daemon calls error path kill", defaults=(None, None))
# The daemon, its calls, the error, the one file that is meant, and the sibling that has to begin anew so that the call is made.
ROWS = [Row(*row) for row in [
    ("schedulerd", "pwrite64", "ENOSPC"), ("schedulerd", "pwrite64", "EIO"), ("schedulerd", "pwrite64", "EDQUOT"),
    ("schedulerd", "fdatasync", "EIO"), ("schedulerd", "fdatasync", "ENOSPC"),
    ("relayd", "pwrite64", "ENOSPC"), ("relayd", "pwrite64", "EIO"), ("relayd", "pwrite64", "EDQUOT"),
    ("relayd", "fdatasync", "EIO"), ("relayd", "rename", "EIO"), ("relayd", "mkdirat", "ENOSPC"), ("relayd", "openat", "EMFILE"),
    ("brokerd", "write", "ENOSPC", STORE), ("brokerd", "fsync", "EIO"), ("brokerd", "rename", "EIO"),
    ("brokerd", "pwrite64", "ENOSPC"), ("brokerd", "fdatasync", "EIO"), ("brokerd", "mkdirat", "ENOSPC"),
    ("brokerd", "openat", "EMFILE"), ("brokerd", "openat", "ENFILE"),
    ("apid", "accept4", "EMFILE"), ("apid", "accept4", "ENFILE"), ("apid", "accept4", "ENOMEM"),
    ("schedulerd", "accept4", "EMFILE", None, "apid"), ("spawnerd", "accept4", "EMFILE", None, "schedulerd"),
    ("brokerd", "accept4", "EMFILE", None, "relayd"), ("relayd", "accept4", "EMFILE", None, "spawnerd"),
    ("apid", "socket", "EMFILE", None, "schedulerd"), ("schedulerd", "socket", "EMFILE", None, "spawnerd"),
    ("schedulerd", "socket", "EMFILE", None, "brokerd"), ("spawnerd", "socket", "EMFILE"),
    ("spawnerd", "socket", "EMFILE", None, "relayd"), ("relayd", "socket", "EMFILE", None, "brokerd"),
]]
# Who has no descriptor left, and which sibling begins anew meanwhile; None: it takes none to need one.
SHORT = [("apid", None, "schedulerd"), ("schedulerd", "relayd", "apid", "spawnerd", "brokerd"), ("spawnerd", "relayd", None, "schedulerd"),
         ("brokerd", None, "schedulerd", "relayd"), ("relayd", "spawnerd", None, "schedulerd", "brokerd")]


class InjectedErrors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "4"))
        cls.place = Place(cls.house, cls.enterClassContext(House("--max-runners", "1")), None, None)
        cls.place.settle_neighbours()
        cls.addClassCleanup(cls.place.dismiss_neighbours)
        cls.house.set_secret("word", b"a-word-that-nobody-says")
        cls.invariants, cls.number, cls.counts = Invariants(cls.place), 0, collections.Counter()

    @classmethod
    def tearDownClass(cls):
        print(f"injected: {cls.counts['cases']} cases, {cls.counts['errors']} errors; {cls.counts['not reached']} not reached",
              file=sys.stderr)

    def load(self):
        type(self).number += 1
        load = Load(self.house, random.Random(self.number), self.number)
        load.kinds, load.pauses, load.lengths = ["plain", "secret"], [0, 0], [0, 0]
        return load

    def order(self):
        """brokerd writes its store for an order that changes something. Refused, or done; apid may let it wait until the fault is over."""
        return self.house.bulkhead("secret", "set", "default", "word", stdin=f"word-of-{self.number}-nobody-says".encode())

    def meet(self, fault, kill=None, must=True):
        """A fault that did not happen is no test of anything; of the later calls alone (not `must`), there may be too few."""
        load, began = self.load(), time.monotonic()
        with concurrent.futures.ThreadPoolExecutor() as aside:
            with fault:
                load.start()
                order = aside.submit(self.order)
                if kill:
                    self.house.kill(f"bulkhead-{kill}")
                if must:
                    eventually("such a call has failed", fault.so_far)
                time.sleep(WHILE)
                lasted = time.monotonic() - began
        self.assertIn(order.result().returncode, range(128), order.result())
        load.finish()
        self.invariants.check(load, self.counts)
        self.counts["cases" if fault.hits else "not reached"] += 1
        self.counts["errors"] += fault.hits
        print(f"injected: {fault.hits} in {lasted:.1f} s; over after {time.monotonic() - began:.1f} s", file=sys.stderr)
        # Who waits for descriptors waits: a daemon that spins makes thousands of such calls in a second.
        self.assertLess(fault.hits, 200 * (1 + lasted), "it does not wait between two tries")


def injected(row):
    def test(self):
        path = row.path and self.house.state / row.path
        for when in [*map(str, range(1, POINTS + 1)), "1+"]:
            with self.subTest(row=row, when=when):
                self.meet(Injection(self.house, f"bulkhead-{row.daemon}", row.calls, row.error, when, path), row.kill,
                          must=when in ("1", "1+"))
    return test


def short_of_descriptors(daemon, kill):
    def test(self):
        self.meet(Shortage(self.house, f"bulkhead-{daemon}"), kill)
    return test


for number, one in enumerate(row for row in ROWS if POINTS or row.error not in ALIKE):
    name = "_".join(word for word in (one.daemon, one.calls, one.error, one.kill) if word)
    setattr(InjectedErrors, f"test_{number:02}_{name}", injected(one))
for daemon, *siblings in SHORT:
    for one in siblings if POINTS else siblings[:1]:
        setattr(InjectedErrors, f"test_short_of_descriptors_{daemon}_{one}", short_of_descriptors(daemon, one))


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("test_injected_errors: needs root, to trace daemons")
    unittest.main(verbosity=2)
