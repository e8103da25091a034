"""What has to be so when a round is over, whatever was killed in it."""

import collections
import contextlib
import json
import os
import pathlib
import sqlite3
import sys
import time
from urllib.parse import quote

from house import DAEMONS, EngineConnection, engine, eventually

FINAL = ("SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "LOST")


class Invariants:
    def __init__(self, place):
        self.place, self.house = place, place.house
        self.descriptors = {daemon: self.quiet(daemon) for daemon in DAEMONS}
        self.known = {}

    def check(self, load, counts):
        eventually("the engine is reached", lambda: self.house.api("GET", "/status")[1].get("engine"), 60)
        self.ends(load, counts)
        self.nothing_left()
        self.strangers(counts)
        self.starts(load, counts)
        self.database(load)
        self.audit()
        self.descriptors_stay()
        self.place.engine_was_killed = False

    def ends(self, load, counts):
        for key, job in load.ended.items():
            kind, state, id = key.split("-")[3], job["state"], job["id"]
            counts[f"jobs {state}"] += 1
            assert job["name"] == key, (key, job)
            allowed = {"FAILED"} if kind == "fails" else {"SUCCEEDED"}
            if id in load.cancelled:
                allowed.add("CANCELLED")
            # A fault of the house is LOST with a reason, and only if the policy had no attempt left or the job has a secret.
            if kind == "secret" or job.get("attempts", 1) > 2 or self.place.engine_was_killed:
                allowed.add("LOST")
            assert state in allowed, f"{key} ended as {state}: {job}"
            if state != "SUCCEEDED":
                assert job["reason"], job
            self.known[key] = (id, state)
        for key, (id, state) in self.known.items():
            assert self.house.job(id)["state"] == state, f"{key} was {state} and is {self.house.job(id)['state']}"

    def nothing_left(self):
        """I4. What is planted with our name and label is ours to remove; what only says so is left alone."""
        spoofed = set(self.place.spoofed)
        eventually("no container of ours is left", lambda: {c["Id"] for c in self.house.containers()} <= spoofed, 60)
        grants = self.house.state / "run/grants"
        eventually("no grant is left", lambda: not any(entry.is_dir() for entry in grants.iterdir()), 30)
        self.place.planted = []

    def strangers(self, counts):
        if self.place.engine_was_killed:
            # It took the neighbours' container along; theirs is theirs again from here on.
            self.place.neighbours.wait(self.place.neighbours_job)
            self.place.settle_neighbours()
        assert self.place.look_at_neighbours() == self.place.neighbours_container, "the neighbours' container was touched"
        for container in self.place.spoofed:
            status, found = engine("GET", f"/containers/{container}/json")
            assert status == 200, f"a container that is not ours was removed: {found}"
            assert found["State"]["Running"] or self.place.engine_was_killed, "a container that is not ours was stopped"
            engine("DELETE", f"/containers/{container}?force=true")
            counts["spoofed containers left alone"] += 1
        self.place.spoofed = []

    def starts(self, load, counts):
        """I2, as the engine tells it, if it lives to tell; and the job's own log: an attempt begins once."""
        names = collections.Counter(event["Actor"]["Attributes"]["name"] for event in self.events(load.begin))
        twice = [name for name, count in names.items() if count > 1 and self.house.instance() in name]
        assert not twice, f"started twice: {twice}"
        counts["containers started"] += sum(1 for name in names if self.house.instance() in name)
        for key, job in load.ended.items():
            begun = [line for line in self.house.log(job["id"]).decode(errors="replace").splitlines() if line.startswith("begun ")]
            assert len(begun) <= 1, f"{key}: {begun}"
            if job["state"] == "SUCCEEDED":
                assert begun, f"{key} succeeded without a beginning"

    @staticmethod
    def events(since):
        """The starts of containers of which the engine still knows: a line of JSON for each."""
        filters = quote(json.dumps({"type": ["container"], "event": ["start"]}))
        connection = EngineConnection("engine")
        connection.request("GET", f"/events?since={since}&until={int(time.time()) + 1}&filters={filters}")
        lines = connection.getresponse().read().splitlines()
        connection.close()
        return [json.loads(line) for line in lines]

    def database(self, load):
        """I3 and I6, with the database's own tool."""
        path = self.house.state / "schedulerd/scheduler.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            assert db.execute("SELECT count(*) FROM attempts WHERE state = 1").fetchone() == (0,), "an attempt is open"
            for key, job in load.ended.items():
                requests = db.execute("SELECT count(*) FROM jobs WHERE name = ?", [key]).fetchone()[0]
                assert requests == 1, f"{key} has made {requests} jobs"
                happened = [text for (text,) in db.execute("SELECT text FROM happenings WHERE job = ?", [job["id"]])]
                ends = [text for text in happened if text.split(":")[0] in FINAL]
                assert len(ends) == 1, f"{key} ended {len(ends)} times: {happened}"

    def audit(self):
        """I8."""
        self.house.bulkhead("audit", "verify", self.house.state / "brokerd/audit.log", check=0)

    def descriptors_stay(self):
        """I7. No more than before the first fault, whoever lives on and whoever was started again."""
        for daemon in DAEMONS:
            eventually(f"{daemon} has {self.descriptors[daemon]} descriptors again, as before the first fault",
                       lambda: self.count(daemon) <= self.descriptors[daemon], 20)

    def quiet(self, daemon):
        """How many it has while nothing happens: the same at three looks, since a connection that has ended lingers for two seconds."""
        seen = []
        while len(seen) < 3 or len(set(seen[-3:])) > 1:
            time.sleep(1)
            seen.append(self.count(daemon))
        return seen[-1]

    def count(self, daemon):
        with contextlib.suppress(OSError):
            return len(os.listdir(pathlib.Path("/proc", str(self.house.pid(daemon)), "fd")))
        return sys.maxsize  # it is just being started
