"""A database that is put back from a backup, beside containers and logs that are younger than it (F25): what it does not know is
removed or left alone, no number is given a second time, and nothing begins twice under the same one."""

import collections
import contextlib
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

import house
from house import House, eventually

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Chaos"))
from invariants import Invariants  # noqa: E402

SCHEDULERD = "bulkhead-schedulerd"


class Backup(unittest.TestCase):
    def setUp(self):
        self.house = self.enterContext(House("--max-runners", "4"))
        self.began = int(time.time())

    def back_up(self):
        """As an operator would, while schedulerd works."""
        self.backup = self.house.state / "backup.sqlite"
        with contextlib.closing(sqlite3.connect(self.house.state / "schedulerd/scheduler.sqlite")) as live, \
                contextlib.closing(sqlite3.connect(self.backup)) as copy:
            live.backup(copy)

    def restart(self):
        pid = self.house.kill(SCHEDULERD)
        eventually("schedulerd is another", lambda: self.house.pid(SCHEDULERD) not in (None, pid))
        eventually("it answers", lambda: self.house.api("GET", "/jobs")[0] == 200)

    def put_back(self):
        """schedulerd does nothing from here on, and the next one finds the older file."""
        self.house.kill(SCHEDULERD, signal.SIGSTOP)
        database = self.house.state / "schedulerd/scheduler.sqlite"
        owner = database.stat()
        for end in ("-wal", "-shm"):
            database.with_name(database.name + end).unlink(missing_ok=True)
        self.backup.replace(database)
        os.chown(database, owner.st_uid, owner.st_gid)
        database.chmod(0o600)
        self.restart()

    def begin(self, *steps, **more):
        job = self.house.submit("echo begun", *steps, **more)
        eventually(f"job {job} runs", lambda: self.house.log(job) == b"begun\n")
        return job

    def epochs(self):
        return {int(container["Labels"]["bulkhead.epoch"]) for container in self.house.containers()}

    def younger_than_the_backup(self, restarts):
        kept = self.house.submit("echo kept")
        self.house.wait(kept)
        running = self.begin("sleep 1000", retries=0)
        again = self.begin('test "$BULKHEAD_ATTEMPT" -gt 1 || sleep 1000; echo again')
        self.back_up()
        for _ in range(restarts):
            self.restart()
        # Both have ended when the backup is put back, and it does not know.
        for job in (running, again):
            self.assertEqual(self.house.api("DELETE", f"/jobs/{job}?grace=1")[0], 202)
            self.assertEqual(self.house.wait(job)["state"], "CANCELLED")
        lost = self.house.submit("echo of a job that is lost")
        self.assertEqual(self.house.wait(lost)["state"], "SUCCEEDED")
        orphan = self.begin("sleep 1000")
        strangers = {container["Id"] for container in self.house.containers()}
        epochs = self.epochs()
        self.assertEqual(len(strangers), 1)

        self.put_back()
        eventually("what it does not know is removed", lambda: not strangers & {one["Id"] for one in self.house.containers()})
        self.assertEqual(self.house.job(kept)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(kept), b"kept\n")
        # Nobody can say how they ended: without a retry LOST, and with one another attempt.
        self.assertEqual(self.house.wait(running)["state"], "LOST")
        self.assertEqual(self.house.wait(again)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(again), b"begun\nagain\n")
        for job in (lost, orphan):
            self.assertEqual(self.house.http("GET", f"/jobs/{job}", headers={"Authorization": f"Bearer {self.house.token}"})[0], 404)

        for _ in range(3):
            fresh = self.begin("sleep 1")
            self.assertGreater(fresh, orphan, "its number was another job's")
            self.assertGreater(min(self.epochs()), max(epochs), "its epoch was another life's")
            self.assertEqual(self.house.wait(fresh)["state"], "SUCCEEDED")
            self.assertEqual(self.house.log(fresh), b"begun\n")
        self.assert_begun_once()

    def assert_begun_once(self):
        started = collections.Counter(event["Actor"]["Attributes"]["name"] for event in Invariants.events(self.began))
        ours = {name: count for name, count in started.items() if self.house.instance() in name}
        self.assertGreaterEqual(len(ours), 9, started)
        self.assertEqual(set(ours.values()), {1}, ours)

    def test_put_back_in_the_same_life(self):
        self.younger_than_the_backup(restarts=0)

    def test_put_back_after_restarts(self):
        self.younger_than_the_backup(restarts=2)


class Refused(unittest.TestCase):
    """F25: what is no database of ours is left as it is, and who started the house reads which file, why, and what to do."""

    def setUp(self):
        self.house = self.enterContext(House())
        self.job = self.house.submit("true")
        self.house.wait(self.job)
        self.house.stop()
        self.folder = self.house.state / "schedulerd"
        self.database = self.folder / "scheduler.sqlite"
        self.good = self.house.state / "good"
        subprocess.run(["cp", "-a", self.folder, self.good], check=True)

    def put(self, content):
        """In the place of the database and of what lies beside it."""
        owner = self.folder.stat()
        for file in self.folder.glob("scheduler.sqlite*"):
            file.unlink()
        self.database.write_bytes(content)
        os.chown(self.database, owner.st_uid, owner.st_gid)

    def copy(self, *statements):
        """A database with all that ours has, and more."""
        file = self.house.state / "copy.sqlite"
        file.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(self.good / "scheduler.sqlite")) as ours, contextlib.closing(sqlite3.connect(file)) as copy:
            ours.backup(copy)
            for statement in statements:
                copy.execute(statement)
        return file.read_bytes()

    def test_each(self):
        whole = self.copy()
        damaged = whole[:100] + b"\xff" * 16 + whole[116:]
        cases = {
            "no database": (b"not a database\n" * 500, "file is not a database; put a backup in its place"),
            "a page is not what it was": (damaged, "put a backup in its place"),
            "another program's": (self.copy("PRAGMA application_id = 7"), "give this house its own state directory"),
            "a later version's": (self.copy("PRAGMA user_version = 99"), "start the version that wrote it"),
        }
        for what, (content, words) in cases.items():
            with self.subTest(what):
                self.put(content)
                up = [house.BINARIES / "bulkhead", "up", "--state", self.house.state, "--listen", f"127.0.0.1:{house.free_port()}",
                      "--engine", house.ENGINE]
                done = subprocess.run(up, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertIn(f"{self.database}: ", done.stderr)
                self.assertIn(words, done.stderr)
                self.assertEqual(self.database.read_bytes(), content)
        subprocess.run(["rm", "-r", self.folder], check=True)
        subprocess.run(["cp", "-a", self.good, self.folder], check=True)
        self.house.start()
        self.assertEqual(self.house.job(self.job)["state"], "SUCCEEDED", "the control")


if __name__ == "__main__":
    if os.geteuid() != 0 or not house.ENGINE:
        raise SystemExit("test_backup: needs root, to put a file of another user back, and an engine")
    unittest.main(verbosity=2)
