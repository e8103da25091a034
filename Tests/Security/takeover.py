"""What taking over a daemon means in these tests: its user, its listening sockets and its connections (no system call filter and no
Landlock: more than a taken-over daemon has), and the real others around it."""

import errno
import hashlib
import itertools
import json
import os
import pathlib
import secrets
import socket
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests/Security")]
from house import ENGINE, House, engine, eventually  # noqa: E402
from wire import Peer, Person, Refused, TakenOver, User, definition, shape  # noqa: E402

VALUE = secrets.token_hex(16).encode()
# What no mask hides, and only who has the value can print.
PROOF = hashlib.sha256(VALUE).hexdigest().encode()
NUMBERS = itertools.count(1)
PROVE = 'printf %s "$A" | sha256sum'
EVIL = 'echo evil; printf %s "$A" | sha256sum'
JOB = definition(PROVE, A="alpha")
JOB_FILE = f"""\
name: attack
image: bulkhead/busybox
timeout: 10m
resources: {{cpus: 0.5, memory: 64MiB, pids: 64, disk: 16MiB}}
steps:
  - name: step 1
    run: '{PROVE}'
    secrets: {{A: alpha}}
"""


def altered(definition, **step):
    """The same job with another first step."""
    copy = json.loads(json.dumps(definition))
    copy["spec"]["steps"][0] |= step
    return copy


def container(house, runner):
    """What the engine says of this runner's container, or None."""
    status, seen = engine("GET", f"/containers/bulkhead-{house.instance()}-{runner}/json")
    return seen if status == 200 else None


class Takeover(unittest.TestCase):
    """A house with one secret and, from `take` on, without one of its daemons."""

    daemon, options = "", ()

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("becomes other users")
        cls.house = cls.enterClassContext(House("--max-runners", "3", *cls.options))
        cls.house.set_secret("alpha", VALUE)
        cls.admin = Person(cls.house)
        cls.before()
        cls.taken = cls.enterClassContext(TakenOver(cls.house, cls.daemon))
        cls.user = cls.taken.user

    @classmethod
    def before(cls):
        pass

    def assert_walled_in(self, may):
        """The sockets, the engine and the directories that this user may not enter; each with that one wall taken away as the control."""
        run = self.house.state / "run"
        for edge in ("scheduler", "spawner", "stream", "relay", "broker", "mask", "courier", "forge"):
            place = run / edge
            if (place / "socket").stat().st_uid == self.user.uid:
                continue  # its own, which it serves
            if edge in may:
                self.assertEqual(self.user.errno("connect", place / "socket"), 0, f"the control: its own {edge}")
                continue
            self.assertEqual(self.user.errno("connect", place / "socket"), errno.EACCES, edge)
            with opened(place, place / "socket"):
                self.assertEqual(self.user.errno("connect", place / "socket"), 0, f"the control: {edge} with open modes")
                with self.assertRaises(Refused) as refused:  # and then the next wall
                    Peer(edge, self.user.connect(place / "socket")).greet()
                self.assertEqual(refused.exception.code, "peer_refused", edge)
        self.assertEqual(self.user.errno("connect", ENGINE), errno.EACCES, "the engine")
        in_group = User(self.user.uid, self.user.gid, self.user.groups + [os.stat(ENGINE).st_gid])
        self.assertEqual(in_group.errno("connect", ENGINE), 0, "the control: the engine, with its group")
        for place in (run / "grants", self.house.state / "brokerd", self.house.state / "schedulerd", self.house.state / "relayd",
                      self.house.state / "courierd"):
            if place.stat().st_uid == self.user.uid:
                continue
            self.assertEqual(self.user.errno("list", place), errno.EACCES, place)
            with opened(place):
                self.assertEqual(self.user.errno("list", place), 0, f"the control: {place} with open modes")
        for file in ("admin-token", "admin-key"):
            self.assertEqual(self.user.errno("read", self.house.state / file), errno.EACCES, file)


class opened:
    """These paths with modes that let everybody in."""

    def __init__(self, *paths):
        self.modes = {path: path.stat().st_mode & 0o7777 for path in paths}

    def __enter__(self):
        for path in self.modes:
            os.chmod(path, 0o777)

    def __exit__(self, *_):
        for path, mode in self.modes.items():
            os.chmod(path, mode)


class Events:
    """What relayd tells schedulerd, kept as it comes."""

    def __init__(self, relay):
        self.seen, self.relay = [], relay
        self.stream = relay.request("WatchEvents")
        threading.Thread(target=self.pump, daemon=True).start()

    def pump(self):
        try:
            while True:
                frame, _ = self.relay.await_frame(self.stream)
                self.seen.append(frame["body"]["event"])
        except Exception:  # the connection's end is the test's
            pass

    def wait(self, what, **fields):
        def found():
            return next((e[what] for e in list(self.seen) if what in e and fields.items() <= e[what].items()), None)
        return eventually(f"{what} {fields}", found)


class Scheduling:
    """What schedulerd does, by hand: mixed into the tests of those who have its user."""

    def begin(self):
        self.broker, self.spawner, self.relay = (self.taken.peer(edge) for edge in ("broker", "spawner", "relay"))
        self.events = Events(self.taken.peer("relay"))
        self.runners = []
        self.addCleanup(self.end)

    def end(self):
        for runner, grant in self.runners:
            self.relay.call("DropRunner", runner=runner)
            self.spawner.call("RemoveRunner", runner=runner)
            self.broker.call("Discard", grant=grant)

    def prepare(self):
        runner = os.urandom(16).hex()
        grant = self.broker.call("Prepare", runner=runner)["grant"]
        self.runners.append((runner, grant))
        return runner, grant

    def create(self, runner, grant, shape=shape(), trust="trusted", epoch=1 << 40, devices=()):
        return self.spawner.code(
            "CreateRunner", runner=runner, epoch=epoch, shape=shape, trust=trust, grant=grant, devices=list(devices))

    def runner(self, wipe=True, **asked):
        """A runner that has said hello."""
        runner, grant = self.prepare()
        self.assertEqual(self.create(runner, grant, **asked), "ok")
        self.events.wait("runner_ready", runner=runner)
        if wipe:
            self.broker.call("Wipe", grant=grant)
        return runner, grant

    def attempt(self, job=1):
        return {"job": job, "attempt": next(NUMBERS), "epoch": 1}

    def log(self, attempt):
        (_, fds) = self.relay.answer(self.relay.request("OpenLog", attempt=attempt))
        with open(fds[0], "rb") as file:
            return file.read()

    def run_job(self, ticket, definition, job=1, **asked):
        """All of a job's way: (its result, its log)."""
        runner, grant = self.runner(**asked)
        attempt = self.attempt(job)
        self.assertEqual(self.grant(ticket, grant, runner, attempt), "ok")
        self.relay.call("RunJob", runner=runner, attempt=attempt, definition=definition)
        return self.finish(attempt, grant)

    def finish(self, attempt, grant):
        def told():
            words = [next(iter(e)) for e in list(self.events.seen) if next(iter(e.values())).get("attempt") == attempt]
            return set(words) & {"grant_taken", "job_finished"}
        if "job_finished" not in eventually("the runner says something", told):
            self.broker.call("Wipe", grant=grant)
        return self.events.wait("job_finished", attempt=attempt)["result"], self.log(attempt)

    def grant(self, ticket, grant, runner, attempt):
        return self.broker.code("Grant", ticket=ticket, grant=grant, runner=runner, attempt=attempt, taken=False,
                                values=None)
