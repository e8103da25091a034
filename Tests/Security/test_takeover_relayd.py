"""A taken-over relayd: other definitions for the runner, masks and logs of other jobs, the engine by way of a stream. None gets a secret of
a trusted job for code of its own choice, a container of another shape, another job's log, or the engine."""

import os
import pathlib
import secrets
import socket
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests/Security")]
from house import ENGINE, engine, eventually  # noqa: E402
from takeover import VALUE, PROOF, EVIL, JOB, JOB_FILE, altered, Takeover  # noqa: E402
from wire import SYNC, Demultiplexed, Peer, Refused, decoded, definition, digest_of  # noqa: E402


class Attached:
    """A runner, at the end of its attach stream, in the hands of a taken-over relayd."""

    def __init__(self, runner, sock):
        self.runner, self.sock = runner, sock
        self.other = Peer("runner", Demultiplexed(sock))
        self.synchronize()
        self.other.greet()
        self.other.call("Resume", durable=0)

    def synchronize(self):
        """What came before the answer to a fresh preamble."""
        words = SYNC + bytes.fromhex(self.runner) + os.urandom(16)
        self.sock.sendall(words)
        came = b""
        while words not in came:
            piece = self.other.sock.recv(65536)
            assert piece, "the stream has ended"
            came += piece
        before, _, self.other.buffer = came.partition(words)
        return before

    def run(self, attempt, definition, each=lambda record: None):
        """(the result, the log)"""
        self.other.call("RunJob", attempt=attempt, definition=definition)
        stream, log = self.other.request("Records"), b""
        while True:
            record = self.other.await_frame(stream)[0]["body"]["record"]
            each(record)
            log += bytes.fromhex(record.get("log", {}).get("bytes", ""))
            if "job_ended" in record:
                return record["job_ended"], log


class Relayd(Takeover):
    daemon = "bulkhead-relayd"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.runners, cls.jobs, cls.tell, cls.failed = {}, {}, None, []
        cls.settled = []
        done = {name: {} for name in ("CancelJob", "DropRunner")}
        done["SettleJob"] = lambda body, _, reply: (cls.settled.append(body["attempt"]), reply({}))
        cls.taken.serve("relay", done | {"WatchEvents": cls.watched, "RunJob": cls.told})
        cls.taken.serve("stream", {"TakeStream": cls.given})

    @classmethod
    def watched(cls, _, __, reply):
        cls.tell = staticmethod(lambda **event: reply({"event": event}, "item"))

    @classmethod
    def told(cls, body, _, reply):
        cls.jobs[body["attempt"]["job"]] = body
        reply({})

    @classmethod
    def given(cls, body, fds, reply):
        reply({})
        sock = socket.socket(fileno=fds[0])
        sock.setblocking(True)

        def greet():
            cls.runners[body["runner"]] = Attached(body["runner"], sock)
            eventually("schedulerd listens", lambda: cls.tell)
            cls.tell(runner_ready={"runner": body["runner"]})
        cls.taken.thread(greet)

    def job(self):
        """A person's job with a secret, at the moment when relayd is to give it to its runner: (attempt, definition, runner)."""
        job = self.house.submit_file("job", JOB_FILE)
        body = eventually("relayd is told", lambda: self.jobs.get(job))
        self.assertEqual(digest_of(body["definition"]), digest_of(JOB))
        return body["attempt"], body["definition"], self.runners[body["runner"]]

    def end(self, attempt):
        self.tell(job_finished={"attempt": attempt, "log_bytes": 0, "result": {
            "state": "failed", "failed_step": None, "exit_code": 1, "reason": "taken over"}})
        self.house.wait(attempt["job"])

    def test_code_of_its_own_choice(self):
        """P4: the stream of a runner whose job has a secret, and another definition, another attempt, code without a secret: the runner
        opens nothing, and what runs finds nothing. The control: with the definition that was sealed, the proof comes down the same
        stream."""
        attempt, job, runner = self.job()
        result, log = runner.run(attempt, altered(job, run=EVIL))
        self.assertIn("the grant is for the definition", result["reason"])
        self.assertEqual(log, b"", "another definition")
        self.end(attempt)
        attempt, job, runner = self.job()
        result, log = runner.run(attempt | {"attempt": attempt["attempt"] + 1}, job)
        self.assertIn("the grant is for job", result["reason"])
        self.assertEqual(log, b"", "another attempt")
        self.end(attempt)
        attempt, job, runner = self.job()
        spy = definition("ls -A /run/bulkhead | wc -l; env; cat /run/bulkhead/grant /proc/1/environ || true; " + EVIL)
        self.tell(grant_taken={"attempt": attempt})  # a lie, so that schedulerd has the grant wiped
        result, log = runner.run(attempt, spy)
        self.assertEqual(log.split()[0], b"0", "the grant is gone before it begins")
        self.assertIn(b"evil", log, "the control: it runs")
        self.assertNotIn(VALUE, log)
        self.assertNotIn(PROOF, log)
        self.end(attempt)
        attempt, job, runner = self.job()
        result, log = runner.run(attempt, job, lambda r: "grant_taken" in r and self.tell(grant_taken={"attempt": attempt}))
        self.assertEqual((result["state"], log.split()[:1]), ("succeeded", [PROOF]), "the control")
        self.end(attempt)

    def test_results_of_others(self):
        """P5: the end of an attempt that is not the open one, of another epoch or another job: not taken. The control: of the open one."""
        attempt, _, _ = self.job()
        before = self.house.job(attempt["job"])["state"]
        for other in ({"epoch": attempt["epoch"] - 1}, {"epoch": attempt["epoch"] + 1}, {"attempt": attempt["attempt"] + 1}, {"job": 999}):
            self.tell(job_finished={"attempt": attempt | other, "log_bytes": 0, "result": {
                "state": "succeeded", "failed_step": None, "exit_code": 0, "reason": ""}})
            settled = eventually("schedulerd has it forgotten", lambda: attempt | other in self.settled)
            self.assertTrue(settled)
            self.assertEqual(self.house.job(attempt["job"])["state"], before, other)
        self.end(attempt)
        self.assertEqual(self.house.job(attempt["job"])["state"], "FAILED", "the control")

    def test_masks(self):
        """P4: the secrets of jobs that do not run: not_found. The control, and what docs/threat-model.md says: those of a job that runs."""
        attempt, _, _ = self.job()
        mask = self.taken.peer("mask")
        for what, other in {"another epoch": attempt | {"epoch": attempt["epoch"] + 1}, "another job": attempt | {"job": 999},
                            "another attempt": attempt | {"attempt": 7}}.items():
            with self.assertRaises(Refused, msg=what) as refused:
                mask.answer(mask.request("WatchMasks", attempt=other))
            self.assertEqual(refused.exception.code, "not_found", what)
        _, fds = mask.answer(mask.request("WatchMasks", attempt=attempt))
        with open(fds[0], "rb") as file:
            values = {bytes.fromhex(v["value"]) for v in decoded("MaskSet", file.read())["values"]}
        self.assertIn(VALUE, values, "the control")
        self.end(attempt)
        with self.assertRaises(Refused) as refused:
            eventually("its grant is discarded", lambda: mask.answer(mask.request("WatchMasks", attempt=attempt)) and False)
        self.assertEqual(refused.exception.code, "not_found", "a job that has ended")

    def test_walls(self):
        """P4: its user elsewhere: EACCES; and the stream that it holds, which ends in the engine, is a runner's input and no way to the
        engine's API. The control: the same words at the engine's own socket are answered."""
        self.assert_walled_in(may={"mask"})
        attempt, _, runner = self.job()
        words = b"GET /info HTTP/1.1\r\nHost: engine\r\n\r\nPOST /containers/create HTTP/1.1\r\nHost: engine\r\nContent-Length: 2\r\n\r\n{}"
        runner.sock.sendall(words)
        came = runner.synchronize()
        self.assertNotIn(b"HTTP/1", came)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(ENGINE)
            sock.sendall(words)
            self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 200"), "the control")
        self.end(attempt)


if __name__ == "__main__":
    unittest.main(verbosity=2)
