"""W3: whether the checks of signatures and tokens tell by their time how much of a guess was right. Two wrong guesses are made in turn,
at random, 200,000 times, and compared by Welch's t: a machine that is busy makes both slower, and neither the other's. Nothing is
asserted of how long anything takes."""

import os
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("BULKHEAD_BINARIES", ROOT / ".build/release"))


class Timing(unittest.TestCase):
    def run_bench(self, *arguments):
        return subprocess.run([BINARIES / "forge-bench", *arguments], capture_output=True, text=True, timeout=300)

    def test_w3_the_control_a_comparison_that_stops_early_is_seen(self):
        """W3: with the same method."""
        done = self.run_bench("--control")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("its time tells", done.stdout)

    def test_w3_no_check_tells_by_its_time(self):
        """W3: GitHub's, Gitea's, GitLab's. What chance has made once it does not make three times."""
        said = []
        for _ in range(3):
            done = self.run_bench()
            said.append(done.stdout + done.stderr)
            if done.returncode == 0:
                return
        self.fail("\n".join(said))


if __name__ == "__main__":
    unittest.main(verbosity=2)
