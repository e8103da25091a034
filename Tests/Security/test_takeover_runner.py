"""A taken-over runner: what it says to relayd, and what code inside of its container reaches. None of it gets a secret of a
trusted job for code of its own choice, a container of another shape, another job's log, or the engine."""

import os
import pathlib
import re
import socket
import struct
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests/Security")]
from house import ENGINE, engine, eventually  # noqa: E402
from takeover import PROVE, JOB, JOB_FILE, container, Takeover  # noqa: E402
from wire import Peer, Refused, User, definition  # noqa: E402


class Runner(Takeover):
    """A runner is its job's: what plays it at the other end of its stream, and what runs in its container as its user."""

    daemon = "bulkhead-spawnerd"  # only to hand over a stream of ours in the place of a runner's

    @classmethod
    def before(cls):
        cls.victim = cls.house.submit("echo the victim; until [ -e /tmp/never ]; do sleep 0.1; done")
        cls.job = cls.house.submit_file("held", JOB_FILE.replace(PROVE, "echo honest; until [ -e /tmp/never ]; do sleep 0.1; done"))
        cls.addClassCleanup(lambda: [cls.house.bulkhead("cancel", job, "--grace", "0") for job in (cls.victim, cls.job)])
        for job, words in ((cls.victim, b"the victim\n"), (cls.job, b"honest\n")):
            eventually("the job runs", lambda: cls.house.log(job) == words)
        rows = {r["job"]: r["id"] for r in cls.house.api("GET", "/runners")[1]["runners"] if r.get("job")}
        cls.own, cls.other = rows[cls.job], rows[cls.victim]

    def play(self, runner):
        """A stream of ours in the place of this runner's, up to relayd's Resume: (our end, the Resume frame)."""
        ours, theirs = socket.socketpair()
        ours.settimeout(30)
        stream = self.taken.peer("stream")
        stream.call("TakeStream", [theirs.fileno()], runner=runner, framing="raw", pending="")
        theirs.close()
        other = Peer("runner", ours, "server")
        other.fill(48)
        ours.sendall(other.buffer[:48])
        other.buffer = other.buffer[48:]
        self.assertEqual(other.receive()[0]["message"], "Hello")
        other.hello()
        return other

    def resume(self, other, **says):
        frame, _ = other.receive()
        self.assertEqual(frame["message"], "Resume")
        last = frame["body"]["durable"]
        other.send("reply", "Resume", frame["id"], {"attempt": None, "source_received": 0, "last_record": last} | says)
        return last

    def records(self, other):
        """The request for records, whatever else comes."""
        while True:
            frame, _ = other.receive()
            if frame["message"] == "Records":
                return frame["id"]

    def closed(self, other):
        try:
            while True:
                other.receive()
        except Refused as refused:
            return refused.code
        except Exception:
            return "closed"

    def test_played(self):
        """P4: and P5: what plays a runner to relayd: another job's attempt, requests that a runner does not have, records that cannot be:
        its connection ends, and the log of the other job is what it was. The control: the words that a runner has, in its own job's log."""
        log = {"log": {"step": 0, "output": "stdout", "bytes": b"forged\n".hex()}}
        attempt = {"job": self.victim, "attempt": 1, "epoch": 1}
        for what, frames in {
                "records of no job": [("item", "Records", log)], "the end of no job": [("item", "Records", {"job_ended": {
                    "state": "succeeded", "failed_step": None, "exit_code": 0, "reason": ""}})],
                "a request of relayd's": [("request", "RunJob", None)], "a cancel": [("request", "Cancel", None)]}.items():
            other = self.play(os.urandom(16).hex())
            self.resume(other, attempt=attempt)
            stream = self.records(other)
            for kind, message, record in frames:
                if kind == "item":
                    other.send("item", message, stream, {"number": 1, "record": record})
                elif message == "RunJob":
                    other.send("request", message, 1, {"attempt": attempt, "definition": JOB})
                else:
                    other.send("request", message, 1, {"grace_seconds": 0})
            self.assertEqual(self.closed(other), "runner_violation" if frames[0][0] == "item" else "unpermitted", what)
        self.assertEqual(self.house.log(self.victim), b"the victim\n")
        self.assertEqual(self.house.log(self.job), b"honest\n")
        other = self.play(self.own)
        last = self.resume(other, attempt={"job": self.job, "attempt": 1, "epoch": 1})
        stream = self.records(other)
        other.send("item", "Records", stream, {"number": last + 1, "record": log})
        eventually("the control: its own log", lambda: b"forged" in self.house.log(self.job))
        other.send("item", "Records", stream, {"number": last + 2, "record": {"log": log["log"] | {"step": 5}}})
        self.assertEqual(self.house.log(self.victim), b"the victim\n")
        self.closed(other)
        self.assertIn(self.house.wait(self.job)["state"], {"FAILED", "LOST"})
        self.assertEqual(self.house.job(self.victim)["state"], "RUNNING")

    def test_inside(self):
        """P4: code in a container, as the user that the runner has: no socket of the engine or of a daemon, no other job's grant, and the
        runner's own memory closed. The control: the same search, in a container that root has made with the engine's socket in it, finds
        it."""
        search = ("for s in $(find / -xdev -type s 2>/dev/null) $(find /run /tmp /job /dev -type s 2>/dev/null); do echo socket $s; done; "
                  "ls -A /run/bulkhead 2>/dev/null; id -u; cat /proc/1/environ >/dev/null 2>&1 && echo environ; "
                  "(: 3</proc/1/mem) 2>/dev/null && echo mem; ls /proc/1/fd >/dev/null 2>&1 && echo fds; echo end")
        inside = container(self.house, self.other)["Id"]
        self.assertEqual(run_in(inside, search), "1000\nend\n")
        status, made = engine("POST", "/containers/create", {"Image": "bulkhead/busybox", "Cmd": ["sleep", "60"], "HostConfig": {
            "NetworkMode": "none", "Binds": [f"{ENGINE}:/run/docker.sock"]}})
        self.assertEqual(status, 201)
        self.addCleanup(engine, "DELETE", f"/containers/{made['Id']}?force=true")
        engine("POST", f"/containers/{made['Id']}/start")
        found = run_in(made["Id"], search, user="0")
        for word in ("socket /run/docker.sock", "environ", "mem", "fds"):
            self.assertIn(word, found, "the control")


def run_in(name, command, user="1000"):
    """What a command prints in a running container: the tests' own way in, which no daemon has."""
    status, made = engine("POST", f"/containers/{name}/exec", {"Cmd": ["sh", "-c", command], "User": user, "AttachStdout": True})
    assert status == 201, made
    _, data = engine("POST", f"/exec/{made['Id']}/start", {"Detach": False})
    text = b""
    while data:
        size = struct.unpack(">4xL", data[:8])[0]
        text, data = text + data[8:8 + size], data[8 + size:]
    return re.sub(r"\r", "", text.decode())


if __name__ == "__main__":
    unittest.main(verbosity=2)
