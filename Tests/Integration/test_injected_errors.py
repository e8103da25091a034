"""Calls that fail in one daemon while jobs come in (F12, F13, and EMFILE at open of F14): what was acknowledged ends, once and well;
nothing is left; and work goes on when the fault is over, without anybody's help.

All such calls fail for a while. BULKHEAD_INJECTIONS=N: also the calls 1 to N, each alone, and errors that are like another."""

import collections
import os
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Chaos"))
from faults import Place  # noqa: E402
from house import House  # noqa: E402
from injection import Injection  # noqa: E402
from invariants import Invariants  # noqa: E402
from load import Load  # noqa: E402

POINTS = int(os.environ.get("BULKHEAD_INJECTIONS", "0"))
WHILE = 0.7  # seconds for which all such calls fail
STORE = "brokerd/store.new"
ALIKE = ("EDQUOT", "ENFILE")
# The daemon, its calls, the error, and the one file that is meant.
ROWS = [
    ("schedulerd", "pwrite64", "ENOSPC", None), ("schedulerd", "pwrite64", "EIO", None), ("schedulerd", "pwrite64", "EDQUOT", None),
    ("schedulerd", "fdatasync", "EIO", None), ("schedulerd", "fdatasync", "ENOSPC", None),
    ("relayd", "pwrite64", "ENOSPC", None), ("relayd", "pwrite64", "EIO", None), ("relayd", "pwrite64", "EDQUOT", None),
    ("relayd", "fdatasync", "EIO", None), ("relayd", "rename", "EIO", None), ("relayd", "mkdirat", "ENOSPC", None),
    ("relayd", "openat", "EMFILE", None),
    ("brokerd", "write", "ENOSPC", STORE), ("brokerd", "fsync", "EIO", None), ("brokerd", "rename", "EIO", None),
    ("brokerd", "pwrite64", "ENOSPC", None), ("brokerd", "fdatasync", "EIO", None), ("brokerd", "mkdirat", "ENOSPC", None),
    ("brokerd", "openat", "EMFILE", None), ("brokerd", "openat", "ENFILE", None),
]


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
        print(f"injected: {cls.counts['cases']} cases, {cls.counts['errors']} errors", file=sys.stderr)

    def load(self):
        type(self).number += 1
        load = Load(self.house, random.Random(self.number), self.number)
        load.kinds, load.pauses, load.lengths = ["plain", "secret"], [0, 0], [0, 0]
        return load

    def meet(self, row, when):
        daemon, calls, error, path = row
        path = path and self.house.state / path
        load = self.load()
        with Injection(self.house, f"bulkhead-{daemon}", calls, error, when, path) as injection:
            load.start()
            # brokerd writes its store for an order that changes something. Refused, or done.
            done = self.house.bulkhead("secret", "set", "default", "word", stdin=f"word-of-{self.number}-nobody-says".encode())
            self.assertIn(done.returncode, range(128), done)
            time.sleep(WHILE)
        load.finish()
        self.invariants.check(load, self.counts)
        self.counts["cases"] += injection.hits > 0
        self.counts["errors"] += injection.hits
        return injection.hits


def case(row):
    def test(self):
        for when in [*map(str, range(1, POINTS + 1)), "1+"]:
            with self.subTest(row=row, when=when):
                began = time.monotonic()
                hits = self.meet(row, when)
                print(f"injected: {row} {when}: {hits} in {time.monotonic() - began:.1f} s", file=sys.stderr)
                if when == "1+":
                    self.assertGreater(hits, 0, "no such call was made: this case proves nothing")
    return test


for number, one in enumerate(row for row in ROWS if POINTS or row[2] not in ALIKE):
    setattr(InjectedErrors, f"test_{number:02}_{one[0]}_{one[1]}_{one[2]}", case(one))


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("test_injected_errors: needs root, to trace daemons")
    unittest.main(verbosity=2)
