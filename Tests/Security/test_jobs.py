"""What a job's text, its output and its archive can do: be text, output and an archive."""

import base64
import hashlib
import json
import os
import pathlib
import secrets
import struct
import tarfile
import tempfile
import unittest

from jobs import SMALL, archive, as_step, submit, tried, upload
from house import House, engine, eventually

# What has broken out of somebody's quoting before.
VALUES = {
    "QUOTES": "it's \"quoted\" `id` $(id) \\ \\n ${PATH} %s %0a", "LINES": "one\ntwo\r\n\nthree\n", "EQUALS": "=a=b==",
    "OPTION": "--privileged -v /:/host", "BREAK": "\"; echo INJECTED; \"", "UNICODE": "ü 漢 \u202e \U0001f600 \x1b[31m \x07\x7f",
    "JSON": "\",\"HostConfig\":{\"Privileged\":true},\"x\":\"", "LONG": "x" * 8191 + "=", "SPACES": "  a\t b  ", "EMPTY": ""}


def hash_of(data):
    return hashlib.sha256(data).hexdigest()


class Values(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "4"))

    def test_values_arrive_as_they_are(self):
        """R3: quotes, line feeds, `=`, 8 KiB, as variables of the job and as secrets: the same bytes."""
        look = "; ".join(f'printf %s "${name}" | sha256sum' for name in VALUES)
        job = submit(self.house, look, env=VALUES)
        named = {name: value for name, value in VALUES.items() if value}
        for name, value in named.items():
            self.house.set_secret(f"r3-{name}", value.encode())
        # Not text at all, with a zero byte: as a file only.
        binary = bytes(range(256)) * 32
        self.house.set_secret("r3-binary", binary)
        uses = "".join(f"      {name}: r3-{name}\n" for name in named)
        sealed = self.house.submit_file("r3", "image: bulkhead/busybox\nsteps:\n  - run: |\n      " + "\n      ".join(
            f'printf %s "${name}" | sha256sum' for name in named) + "\n      sha256sum <$FILE\n    secrets:\n" + uses
            + "      FILE: {secret: r3-binary, as: file}\n")
        refused = self.house.submit_file("r3-nul", "image: bulkhead/busybox\nsteps:\n  - run: echo $V\n    secrets: {V: r3-binary}\n")
        with tried("variables", self.house, job):
            self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
            hashes = self.house.log(job).decode().replace("  -", "").split()
            self.assertEqual(hashes, [hash_of(value.encode()) for value in VALUES.values()])
        with tried("secrets", self.house, sealed):
            self.assertEqual(self.house.wait(sealed)["state"], "SUCCEEDED")
            hashes = self.house.log(sealed).decode().replace("  -", "").split()
            self.assertEqual(hashes, [*(hash_of(value.encode()) for value in named.values()), hash_of(binary)])
        self.assertIn("zero byte", self.house.wait(refused)["reason"])
        # The control: the same value pasted into the text of a step, as a template would, is more than a value.
        pasted = submit(self.house, f"V=\"{VALUES['BREAK']}\"")
        self.house.wait(pasted)
        self.assertTrue(self.house.log(pasted).startswith(b"INJECTED\n"))

    def test_what_cannot_arrive_is_refused(self):
        """R3: a zero byte, 128 KiB, names that are none: refused with the place, and nothing is made of it."""
        before = len(self.house.api("GET", "/jobs")[1]["jobs"])
        bad = {"zero": {"A": "a\0b"}, "long": {"A": "x" * (128 << 10)}, "name=": {"A=B": "x"}, "name\n": {"A\nB": "x"},
               "ours": {"BULKHEAD_X": "x"}, "no name": {"": "x"}, "many": {f"A{n}": "x" for n in range(65)}}
        for what, env in bad.items():
            status, answer = self.house.api("POST", "/jobs", {"image": "bulkhead/busybox", "steps": ["true"], "env": env})
            self.assertEqual(status, 400, f"{what}: {answer}")
            self.assertIn("env", json.dumps(answer), what)
        self.assertNotEqual(self.house.bulkhead("secret", "set", "default", "r3-long", stdin=b"x" * (128 << 10)).returncode, 0)
        self.assertEqual(len(self.house.api("GET", "/jobs")[1]["jobs"]), before)

    def test_who_ignores_signals_is_killed(self):
        """R12: in a trusted and in an untrusted step, at the end of its time and when cancelled. (An image's own stop signal:
        engine/test_images.py; the control, a step that listens and cleans up: Integration/test_job.py.)"""
        deaf = ("trap '' TERM INT HUP QUIT CONT; (setsid sh -c \"trap '' TERM; echo ready; while :; do sleep 0.1; done\") & "
                "while :; do wait; done")
        late = [submit(self.house, {"run": deaf, "untrusted": u}, timeout=2) for u in (False, True)]
        cancelled = [submit(self.house, {"run": deaf, "untrusted": u}) for u in (False, True)]
        for job in cancelled:
            eventually("the step is ready", lambda: b"ready" in self.house.log(job))
            self.house.bulkhead("cancel", job, "--grace", "1", check=0)
        self.assertEqual([self.house.wait(job)["state"] for job in late + cancelled], ["TIMED_OUT"] * 2 + ["CANCELLED"] * 2)

    def test_masks(self):
        """S7: printed as it is, in base64 at three alignments, hexadecimal, URL, JSON, in pieces: masked, in the log and on the disk."""
        value = secrets.token_hex(6) + "\"/&=+ é\\" + secrets.token_hex(6)
        self.house.set_secret("s7", value.encode())
        lines = {
            "raw": 'printf "%s\\n" "$S"', "inside": 'printf "before%safter\\n" "$S"', "error": 'printf "%s\\n" "$S" >&2',
            "base64 0": 'printf %s "$S" | base64 -w 0', "base64 1": 'printf "x%s" "$S" | base64 -w 0',
            "base64 2": 'printf "xy%s" "$S" | base64 -w 0',
            "hex": 'printf %s "$S" | od -An -v -tx1 | tr -d " \\n"', "HEX": 'printf %s "$S" | od -An -v -tx1 | tr -d " \\n" | tr a-f A-F',
            "url": """printf %s "$S" | perl -pe 's/([^A-Za-z0-9._~-])/sprintf("%%%02X", ord($1))/ge'""",
            "json": """printf %s "$S" | perl -pe 's/(["\\\\])/\\\\$1/g'""",
            "pieces": 'printf %s "$S" | perl -e \'while (read(STDIN, $c, 1)) { syswrite(STDOUT, $c); select(undef, undef, undef, 0.01) }\'',
            "across": 'head -c 32760 /dev/zero | tr "\\0" .; printf %s "$S"'}
        forms = [value.encode(), base64.b64encode(value.encode())[:-4], base64.b64encode(b"x" + value.encode())[2:-4],
                 base64.b64encode(b"xy" + value.encode())[3:-4], value.encode().hex().encode(), value.encode().hex().upper().encode()]
        shown = {"reversed": 'printf %s "$S" | perl -CS -0777 -pe \'$_ = reverse\'', "xor": 'printf %s "$S" | tr "0-9a-f" "a-f0-9"'}
        steps = "".join(f"      {line}; echo\n" for line in [*lines.values(), "echo; echo shown", *shown.values()])
        job = self.house.submit_file("s7", "image: bulkhead/debian\nsteps:\n  - run: |\n" + steps + "    secrets: {S: s7}\n")
        with tried("masks", self.house, job):
            self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
            log = self.house.log(job)
            masked, plain = log.split(b"\nshown\n")
            self.assertEqual(masked.count(b"***"), len(lines))
            self.assertIn(b"before***after\n", masked)
            stored = b"".join(file.read_bytes() for file in self.house.state.glob(f"relayd/jobs/{job}/*/*") if file.is_file())
            self.assertIn(b"before***after\n", stored, "the control: this is where the log lies")
            for form in forms + [value[:12].encode(), value[-12:].encode()]:
                self.assertNotIn(form, log)
                self.assertNotIn(form, stored)
            # The control, as the documents say: what no mask knows is there.
            self.assertIn(value[:12][::-1].encode(), plain)
            self.assertIn(value[:12].translate(str.maketrans("0123456789abcdef", "abcdef0123456789")).encode(), plain)


def frames():
    """Every message of the runner's edge, of every kind, and what precedes them, as a job could write them."""
    def frame(number, kind, request, body):
        return struct.pack(">IHBBQI", 16 + len(body), number, kind, 0, request, 0) + body
    ended = struct.pack(">QB", 1, 5) + b"\1\0\0\0\0\0"  # record 1: the job has ended, and well
    data = b"BULKHEAD-SYNC-1\n" + bytes(32) + b"BULKHEAD-WIRE-1\n"
    data += frame(1, 6, 0, b"BULKHEAD-WIRE-1\n" + struct.pack(">HHHBIH", 1, 0, 0, 6, 65536, 64))
    for number in range(1, 9):
        for kind in range(1, 8):
            data += frame(number, kind, 4, ended)
    return data + b"\1\0\0\0\0\0\0\4text\2\0\0\0\0\0\0\4text" + b"\0\0\0\0"


class Output(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "4"))

    TEXT = ("::set-env name=X::y\n::set-output name=X::y\n::add-path::/tmp\n::stop-commands::x\n##vso[task.setvariable variable=X]y\n"
            "##teamcity[buildStatus status='SUCCESS']\nSUCCESS\nSUCCEEDED exit 0\n\x1b]0;title\x07\x1b[2J")

    def test_output_is_text(self):
        """R16: commands, frames and preambles on both outputs are bytes of the log; the verdict is the exit status."""
        said = self.TEXT.encode() + frames()
        say = as_step(said)
        names = ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "BASH_ENV"]
        files = "; ".join(f'(echo X=y >>"${name}") 2>/dev/null || true' for name in names)
        failing = submit(self.house, {"run": f"{say}; {files}; exit 3", "continue_on_error": True}, 'echo "X=$X $PATH"; exit 4')
        errors = submit(self.house, f"({say}) >&2; exit 3")
        good = submit(self.house, f"echo FAILED; {say}; echo 'exit code 3'")
        with tried("text", self.house, failing):
            ended = self.house.wait(failing)
            self.assertEqual((ended["state"], [s["exit_code"] for s in ended["steps"]]), ("FAILED", [3, 4]))
            self.assertEqual(self.house.log(failing), said + b"X= /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")
        self.assertEqual((self.house.wait(errors)["state"], self.house.log(errors)), ("FAILED", said))
        # The same words with another exit status: another verdict.
        self.assertEqual(self.house.wait(good)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(good), b"FAILED\n" + said + b"exit code 3\n")

    def test_preambles_while_relayd_looks_for_one(self):
        """R16: a relayd that died finds its place again in a stream that is full of false places."""
        said, rounds = frames(), 120
        job = submit(self.house, f"{as_step(said)} >/tmp/said; i=0; while [ $i -lt {rounds} ]; do i=$((i+1)); cat /tmp/said; sleep 0.02; "
                                 "done; exit 5")
        for part in [1, 2]:
            eventually("some was said", lambda: len(self.house.log(job)) > part * rounds * len(said) // 4)
            self.house.kill("bulkhead-relayd")
            eventually("relayd is back", lambda: self.house.http("GET", f"/jobs/{job}/log", headers={
                "Authorization": f"Bearer {self.house.token}"})[0] == 200)
        with tried("relayd killed", self.house, job):
            ended = self.house.wait(job)
            self.assertEqual((ended["state"], ended["result"]["exit_code"]), ("FAILED", 5))
            self.assertEqual(self.house.log(job), said * rounds)

    @unittest.skipUnless(os.geteuid() == 0, "writes into the runner's own output")
    def test_the_same_bytes_in_the_runners_place_are_frames(self):
        """R16, the control: in the runner's own stream, which a step has no way to, the same bytes are taken for what they say."""
        job = submit(self.house, "echo up; while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 0")
        eventually("the job runs", lambda: self.house.log(job) == b"up\n")
        runner = next(r["id"] for r in self.house.api("GET", "/runners")[1]["runners"] if r.get("job") == job)
        container = next(c["Id"] for c in self.house.containers() if c["Labels"]["bulkhead.runner"] == runner)
        pid = engine("GET", f"/containers/{container}/json")[1]["State"]["Pid"]
        pathlib.Path(f"/proc/{pid}/fd/1").write_bytes(frames())
        ended = self.house.wait(job)
        self.assertEqual(ended["state"], "LOST")
        self.assertIn("broke the protocol", ended["reason"])


BLOCK = bytes(512)


def header(name, size=b"00000000000", kind=b"0", link=b"", mode=b"0000644"):
    """A member of an archive by hand, for what no library writes."""
    fields = bytearray(512)
    for offset, value in [(0, name), (100, mode), (108, b"0000000"), (116, b"0000000"), (124, size), (136, b"00000000000"),
                          (148, b" " * 8), (156, kind), (157, link), (257, b"ustar\x0000")]:
        fields[offset:offset + len(value)] = value
    fields[148:156] = b"%06o\0 " % sum(fields)
    return bytes(fields)


class Archives(unittest.TestCase):
    # Their author wants: a file outside. The word is what the reason says.
    LEAVE = {
        "dots": ([("../outside", b"x", {})], "leaves"),
        "deep dots": ([("a", b"", {"type": tarfile.DIRTYPE, "mode": 0o755}), ("a/../../outside", b"x", {})], "leaves"),
        "link out": ([("d", b"", {"type": tarfile.SYMTYPE, "linkname": ".."}), ("d/outside", b"x", {})], "link"),
        "hard link out": ([("h", b"", {"type": tarfile.LNKTYPE, "linkname": "../outside"})], "link")}
    REFUSED = {
        "absolute": (archive(("ok", b"x", {})).replace(b"ok\0", b"/x\0", 1), None),
        "device": (archive(("null", b"", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3})), "device"),
        "disk": (archive(("sda", b"", {"type": tarfile.BLKTYPE, "devmajor": 8})), "device"),
        "fifo": (archive(("pipe", b"", {"type": tarfile.FIFOTYPE})), "FIFO"),
        "sparse": (header(b"bomb", kind=b"S") + BLOCK * 2, "sparse"),
        "2^63": (header(b"huge", size=b"\x80" + bytes(3) + b"\x80" + bytes(7)) + BLOCK * 2, "size"),
        "2^63 in words": (archive(("x", b"", {"pax_headers": {"size": str(1 << 63)}})), None),
        "too large": (header(b"large", size=b"77777777777") + BLOCK * 2, "limit"),
        "a million": (header(b"x") * 250_001 + BLOCK * 2, "entries"),
        "many directories": (b"".join(header(b"d%07d/" % n, kind=b"5") for n in range(20_000)) + BLOCK * 2, "space"),
        "a gzip bomb": (b"\x1f\x8b" + bytes(600), "checksum")}

    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "4"))

    def test_archives_that_leave(self):
        """R14: `..`, links out: refused before the first step, and nothing is written."""
        jobs = {what: (submit(self.house, "echo ran", source=upload(self.house, archive(*members))), word)
                for what, (members, word) in self.LEAVE.items()}
        self.check(jobs)
        # The control: a naive program makes the file of each (in a folder of ours), or a link to what it was to reach.
        for what, (members, _) in self.LEAVE.items():
            with tempfile.TemporaryDirectory() as folder:
                inside = pathlib.Path(folder, "inside")
                inside.mkdir()
                outside = pathlib.Path(folder, "outside")
                if what == "hard link out":
                    outside.write_text("theirs")
                (inside / "it.tar").write_bytes(archive(*members))
                with tarfile.open(inside / "it.tar") as tar:
                    tar.extraction_filter = staticmethod(lambda member, _: member)
                    tar.extractall(inside)
                self.assertTrue(outside.exists(), what)
                if what == "hard link out":
                    self.assertEqual(outside.stat().st_nlink, 2)

    def check(self, jobs):
        for what, (job, word) in jobs.items():
            with self.subTest(what), tried(what, self.house, job):
                ended = self.house.wait(job)
                self.assertEqual((ended["state"], self.house.log(job)), ("FAILED", b""))
                self.assertIn(word or "", ended["reason"])
                self.assertIn("source", ended["reason"])

    def test_archives_of_other_things(self):
        """R14: devices, FIFOs, sparse bombs, 2^63 bytes, a quarter of a million entries, more than the disk holds."""
        self.check({what: (submit(self.house, "echo ran", source=upload(self.house, data)), word)
                    for what, (data, word) in self.REFUSED.items()})

    def test_modes_and_owners(self):
        """R14: set-user-id bits and owners are not taken over; the control: contents and the x are."""
        data = archive(("su", b"#!/bin/sh\necho runs\n", {"mode": 0o6755, "uid": 0, "gid": 0}),
                       ("data", b"y", {"mode": 0o4666, "uid": 1234}))
        job = submit(self.house, "stat -c '%a %u' su data; ./su", source=upload(self.house, data), resources=SMALL)
        with tried("modes", self.house, job):
            self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
            self.assertEqual(self.house.log(job), b"755 1000\n644 1000\nruns\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
