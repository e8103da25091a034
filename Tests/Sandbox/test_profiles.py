#!/usr/bin/env python3
"""No line of a profile is there for nothing: each call that a daemon may make was made by it, once confined, in a house that does
everything that a house does (work.py), or is marked `rare` with the reason. And nothing that a daemon did there was a violation.

BULKHEAD_TRACES=FOLDER are records of `trace_calls.py run FOLDER ...` instead; without it the house is traced here, by strace."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import trace_calls  # noqa: E402

PROFILES = HERE.parents[1] / "Sources/Base/Sandbox/Profiles"
LINE = re.compile(r"^(?P<call>\w+)(?P<arguments>(?: +arg\d\S*)*)(?P<refusal> +-> \w+)? +# (?P<rare>rare: )?(?P<reason>.+)$")
RARE_AT_MOST = 20
USER = 7799  # no daemon's


class Line:
    def __init__(self, profile, number, match):
        self.where = f"{profile}.profile:{number}"
        self.call, self.rare = match["call"], bool(match["rare"])
        # Words of the alternatives that strace prints the same: AF_UNIX, F_SETLK. Masks and numbers are not among them.
        alternatives = [a.partition("=")[2] for a in match["arguments"].split() if "&" not in a.partition("=")[0]]
        self.words = [w for a in alternatives for w in a.split(",") if w.isupper()]

    def unseen(self, seen):
        """What of this line no daemon has done."""
        if self.rare:
            return []
        lines = seen.get(self.call, ())
        if not lines:
            return [f"{self.where}: {self.call} was never called"]
        return [f"{self.where}: {self.call} was never called with {word}" for word in self.words
                if not any(re.search(rf"\b{word}\b", line) for line in lines)]


def profile(name, text):
    lines = []
    for number, content in enumerate(text.splitlines(), 1):
        if content and not content.startswith("#"):
            match = LINE.match(content)
            assert match, f"{name}.profile:{number}: {content}"
            lines.append(Line(name, number, match))
    return lines


@unittest.skipUnless(os.environ.get("BULKHEAD_ENGINE") and os.geteuid() == 0, "needs BULKHEAD_ENGINE, and root to be several users")
class Profiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = os.environ.get("BULKHEAD_TRACES")
        if not folder:
            kept = tempfile.TemporaryDirectory(prefix="bulkhead-traces-")
            cls.addClassCleanup(kept.cleanup)
            folder = kept.name
            assert trace_calls.run(folder, [sys.executable, str(HERE / "work.py")]) == 0, "work.py failed"
        cls.folder = folder
        cls.seen, _ = trace_calls.calls(folder)
        cls.profiles = {p.stem: profile(p.stem, p.read_text()) for p in sorted(PROFILES.glob("*.profile"))}

    def test_every_daemon_was_watched(self):
        self.assertEqual(sorted(self.seen), sorted(self.profiles))

    def test_nothing_was_a_violation(self):
        self.assertEqual(trace_calls.failures(self.folder), [])
        # The control: somebody confined who makes a process.
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            record = pathlib.Path(folder, "1")
            record.mkdir()
            os.chown(record, USER, USER)
            subprocess.run(["strace", "-ff", "-qq", "-o", record / "trace", trace_calls.BINARIES / "sandbox-victim", "--profile", "relayd",
                            "--act", "clone-process"], user=USER, group=USER, extra_groups=[], stdout=subprocess.DEVNULL)
            self.assertEqual([(program, line.split("(")[0]) for program, line in trace_calls.failures(folder)],
                             [("sandbox-victim", "clone")])

    def test_no_line_is_redundant(self):
        found = [x for name, lines in self.profiles.items() for line in lines for x in line.unseen(self.seen.get(name, {}))]
        self.assertEqual(found, [], "remove it, or mark it `# rare: when`")

    def test_rare_is_rare(self):
        for name, lines in self.profiles.items():
            rare = [line.call for line in lines if line.rare]
            self.assertLessEqual(len(rare), RARE_AT_MOST, f"{name}: {rare}")

    def test_a_redundant_line_is_noticed(self):
        """The control: the same look at a line that is redundant for certain."""
        lines = profile("x", "fcntl arg1=F_GETFL,F_NOTIFY  # x\nkexec_load  # x\nreboot  # rare: x\n")
        seen = {"fcntl": {"fcntl(3, F_GETFL) = 0"}}
        self.assertEqual([x for line in lines for x in line.unseen(seen)],
                         ["x.profile:1: fcntl was never called with F_NOTIFY", "x.profile:2: kexec_load was never called"])


if __name__ == "__main__":
    unittest.main()
