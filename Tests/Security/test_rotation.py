"""What brokerd promises at two hard moments: a rotation in the middle of everything, and a disk that is full."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests/Security")]
from granted import ALPHA, TELLS_TOKEN, Granted, attempt, audit  # noqa: E402
from house import House, eventually  # noqa: E402
from wire import CODES, Person, Refused, User, definition, digest_of, peer  # noqa: E402


@unittest.skipUnless(os.geteuid() == 0, "becomes other users")
class Rotation(unittest.TestCase):
    def test_one_commit(self):
        """S6: and S5: a rotation while jobs run and orders come: what is old is alive up to one moment and dead behind it, all of it: the
        token, the key, tickets, tokens of jobs. The control is what is alive before, and the new token and key behind."""
        house = self.enterContext(House("--max-runners", "3"))
        house.set_secret("alpha", ALPHA)
        scheduler, old = User.of(house.pid("bulkhead-schedulerd")), Person(house)
        job = house.submit_file("token", TELLS_TOKEN)
        self.addCleanup(house.bulkhead, "cancel", job, "--grace", "0")
        line = eventually("the token is told", lambda: re.match(rb"(.+)\n", house.log(job)))
        job_token = line[1][::-1].decode()
        broker = peer(house, "broker", scheduler)
        self.addCleanup(broker.close)
        digest = digest_of(definition("true", A="alpha"))
        wish = {"project": "default", "request_id": "r", "trust": "trusted", "commit": "", "definition": digest, "secrets": ["alpha"]}
        vouching = {"token": old.token, "order": old.order("submit", **wish), "request_id": "r", "project": "default",
                    "definition": digest, "secrets": ["alpha"]}
        ticket = broker.call("Vouch", **vouching)["ticket"]
        granted = Granted(house, broker)
        granting = {"ticket": ticket, "grant": granted.grant, "runner": granted.runner, "attempt": attempt(77), "taken": False,
                    "values": None}
        story, ended, behind = [], threading.Event(), None

        def ask():
            nonlocal behind
            while behind is None or behind > 0:
                behind = behind - 1 if behind is not None else 3 if ended.is_set() else None
                numbers = [broker.request(name, **body) for name, body in [
                    ("VerifyToken", {"token": old.token}), ("VerifyToken", {"token": job_token}), ("Vouch", vouching),
                    ("Grant", granting)]]
                for number in numbers:
                    frame, _ = broker.await_frame(number)
                    story.append("alive" if frame["kind"] == "reply" else CODES[frame["body"]["code"]])

        def order_jobs():
            while not ended.is_set():
                house.bulkhead("submit", "--image", "bulkhead/busybox", "--", "true")

        threads = [threading.Thread(target=ask), threading.Thread(target=order_jobs)]
        for thread in threads:
            thread.start()
        eventually("it is alive", lambda: story.count("alive") > 40)
        done = house.bulkhead("secret", "rotate-master", "--state", house.state)
        ended.set()
        for thread in threads:
            thread.join()
        self.assertEqual(done.returncode, 0, done.stderr)
        alive = story.index(next(word for word in story if word != "alive"))
        self.assertGreater(alive, 40, "the control: before")
        self.assertEqual(set(story[alive:]), {"unauthorized", "ticket_refused"}, "behind")
        self.assertGreaterEqual(len(story) - alive, 4)
        self.assertFalse(granted.directory.exists(), "its grant is gone")
        self.assertEqual(house.http("GET", "/jobs", headers={"Authorization": f"Bearer {old.token}"})[0], 401)
        new = Person(house)
        self.assertEqual(broker.code("VerifyToken", token=new.token), "ok", "the control: the new token")
        with self.assertRaises(Refused) as refused:
            broker.call("Vouch", **(vouching | {"token": new.token, "order": old.order("submit", **wish)}))
        self.assertEqual(refused.exception.code, "order_refused", "the old key with the new token")
        broker.call("Vouch", **(vouching | {"token": new.token, "order": new.order("submit", **wish)}))
        house.bulkhead("cancel", job, "--grace", "0")
        eventually("all jobs have ended", lambda: not any(house.api("GET", "/status")[1][n] for n in ("queued", "running")))


class NarrowHouse(House):
    """A house whose brokerd has a file system of its own, and a small one."""

    def start(self):
        self.place = self.state / "brokerd"
        self.place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k,mode=0700", "bulkhead-test", self.place], check=True)
        super().start()

    def stop(self):
        super().stop()
        subprocess.run(["umount", self.place], check=True)

    def __exit__(self, *error):
        try:
            super().__exit__(*error)
        finally:
            if subprocess.run(["umount", self.place], stderr=subprocess.DEVNULL).returncode == 0:
                shutil.rmtree(self.state)


@unittest.skipUnless(os.geteuid() == 0, "mounts")
class FullDisk(unittest.TestCase):
    def test_no_record_no_release(self):
        """S8: an audit log that cannot be written: nothing is released, the job waits and says why. The control: with room, the very same
        job gets its secret, and the record is in the log before."""
        house = self.enterContext(NarrowHouse("--max-runners", "1"))
        house.set_secret("alpha", ALPHA)
        broker = peer(house, "broker", User.of(house.pid("bulkhead-schedulerd")))
        self.addCleanup(broker.close)
        ticket = broker.call("Vouch", token=house.token, order=None, request_id="r", project="default",
                             definition=digest_of(definition("true")), secrets=[])["ticket"]
        spare, narrow = Granted(house, broker), Granted(house, broker)
        self.assertEqual(spare.ask(ticket, attempt(990)), "ok", "the control")
        filler = house.place / "filler"
        with open(filler, "wb", buffering=0) as file:
            with self.assertRaises(OSError):
                while True:
                    file.write(bytes(4096))
        # What is left of the log's last page takes some refusals, each of which is on record.
        forged = ticket | {"mac": "00" * 32}
        answers = {broker.code("Grant", ticket=forged, grant=narrow.grant, runner=narrow.runner, attempt=attempt(991), taken=False,
                               values=None)
                   for _ in range(20)}
        self.assertEqual(answers, {"ticket_refused", "audit_failed"})
        self.assertEqual(narrow.ask(ticket, attempt(990, 2)), "audit_failed")
        self.assertFalse((narrow.directory / "grant").exists(), "nothing is released")
        job = house.submit_file("waits", "name: waits\nimage: bulkhead/busybox\nresources: {cpus: 0.25, memory: 64MiB, disk: 16MiB}\n"
                                         "steps: [{run: 'printf %s \"$A\" | sha256sum', secrets: {A: alpha}}]\n")
        eventually("it says why it waits", lambda: "audit log cannot be written" in house.job(job)["reason"])
        self.assertIn(house.job(job)["state"], {"QUEUED", "ASSIGNED"})
        self.assertFalse([line for line in audit(house) if f"job={job} " in line])
        self.assertEqual(list((house.state / "run/grants").glob("*/grant")), [spare.directory / "grant"])
        filler.unlink()
        self.assertEqual(house.wait(job)["state"], "SUCCEEDED", "the control")
        self.assertTrue([line for line in audit(house) if "event=grant " in line and f"job={job} " in line])
        house.bulkhead("audit", "verify", house.place / "audit.log", check=0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
