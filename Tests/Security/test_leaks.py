"""S4: control: the search for a canary finds it wherever a program keeps it, also where nobody meant it to be, and not where it was wiped.
The program is a small one with the daemons' own types; that the daemons themselves are searched is shown by `make mutants`, which builds
them with such leaks and runs test_canary.py."""

import os
import subprocess
import unittest

from test_canary import BINARIES, canary, memory_holds

# Each way of leak-fixture, and whether something is left.
WAYS = {"secret": True, "array": True, "text": True, "masks": True, "wiped secret": False, "freed array": False, "freed masks": False}
# The loader, where it looks a function up at its first call, lays the registers on the stack: with a value that was just copied. A
# daemon's next calls write over it; this program makes none.
AT_ONCE = {"LD_BIND_NOW": "1"}


@unittest.skipUnless(os.geteuid() == 0, "reads other processes' memory")
class Leaks(unittest.TestCase):
    def test_every_way(self):
        for way, is_left in WAYS.items():
            value = canary()
            with self.subTest(way), subprocess.Popen([BINARIES / "leak-fixture", way], stdin=subprocess.PIPE,
                                                     stdout=subprocess.PIPE, env=AT_ONCE) as program:
                program.stdin.write(value)
                program.stdin.flush()
                self.assertEqual(program.stdout.readline(), b"kept\n")
                self.assertEqual(memory_holds(program.pid, [value, canary()]), {value} if is_left else set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
