"""An engine that is stopped, or dies, under a job: the job is LOST and is told so, the house says that the engine is away, and goes
on when it is back. The engine is this test's own."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import house
from house import ROOT, House, eventually

SCRIPT = ROOT / "Tests/Engine/engine.sh"
IMAGE = "bulkhead/busybox"
GOES_ON = "for number in $(seq 100); do echo $number; sleep 0.1; done"


class Engine:
    """A private engine with a run folder of its own, and the image that jobs need. `live_restore`: containers outlive it."""

    def __init__(self, live_restore=False):
        self.environment = {"BULKHEAD_LIVE_RESTORE": "1"} if live_restore else {}
        # Everybody may walk there: the engine's data is in it, and its containers' root is nobody here.
        self.folder = tempfile.mkdtemp(prefix="bulkhead-engine-")
        os.chmod(self.folder, 0o755)
        image = house.engine("GET", f"/images/{IMAGE}/get")[1]
        self.start()
        self.other, house.ENGINE = house.ENGINE, self.socket
        connection = house.EngineConnection("engine")
        connection.request("POST", "/images/load", image, {"Content-Type": "application/x-tar"})
        assert connection.getresponse().read().find(b"errorDetail") < 0, "the image was not loaded"
        connection.close()

    def script(self, verb):
        environment = {**os.environ, "BULKHEAD_RUN_DIR": self.folder, **self.environment}
        return subprocess.run([SCRIPT, verb], env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    def start(self):
        self.socket = self.script("private").strip().removeprefix("unix://")

    def stop(self, number):
        """The engine alone gets the signal, as from a service manager or the kernel."""
        self.end("dockerd.pid", number)

    def kill_containerd(self):
        """The part of it that holds the containers. The engine starts another."""
        old = self.end("exec/containerd/containerd.pid", signal.SIGKILL)
        eventually("another containerd runs", lambda: self.pid("exec/containerd/containerd.pid") not in (None, old), 60)

    def pid(self, name):
        try:
            pid = int((pathlib.Path(self.socket).parent / name).read_text())
        except (OSError, ValueError):  # it is just being written anew
            return None
        return pid if pathlib.Path(f"/proc/{pid}").exists() else None

    def end(self, name, number):
        pid = self.pid(name)
        os.kill(pid, number)
        eventually(f"process {pid} of the engine has ended", lambda: not pathlib.Path(f"/proc/{pid}").exists(), 60)
        return pid

    def clean(self):
        house.ENGINE = self.other
        self.script("clean")
        shutil.rmtree(self.folder)


class EngineStops(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.begin(Engine())

    @classmethod
    def begin(cls, engine):
        cls.engine = engine
        cls.addClassCleanup(cls.engine.clean)
        cls.house = cls.enterClassContext(House("--max-runners", "2"))

    def setUp(self):
        self.engine.start()  # if a test before has failed in the middle

    def lose(self, number):
        """A job that runs while the engine goes; what the house says of it then."""
        job = self.house.submit("echo begun; sleep 1000", retries=0)
        eventually("the job runs", lambda: self.house.log(job) == b"begun\n")
        self.engine.stop(number)
        return job

    def assert_away(self):
        status = eventually("the engine is missed", lambda: "engine" not in (s := self.house.api("GET", "/status")[1]) and s)
        self.assertIn("has not answered for", status["engine_detail"])
        self.assertTrue(all(daemon["connected"] for daemon in status["daemons"]), status)
        self.assertIn(b"engine    DOES NOT ANSWER: ", self.house.bulkhead("status", check=0).stdout)

    def assert_goes_on(self, job):
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(job), b"next\n")
        # schedulerd asks every few seconds; the job may have been quicker.
        eventually("the engine is shown again", lambda: self.house.api("GET", "/status")[1].get("engine"))

    def test_stopped(self):
        job = self.lose(signal.SIGTERM)
        ended = self.house.wait(job)
        self.assertEqual(ended["state"], "LOST", ended)
        self.assertIn("was the engine stopped or restarted?", ended["reason"])
        self.assert_away()
        waiting = self.house.submit("echo next")
        eventually("the job says what it waits for", lambda: "engine does not answer" in self.house.job(waiting)["reason"])
        self.engine.start()
        self.assert_goes_on(waiting)

    def test_killed(self):
        job = self.lose(signal.SIGKILL)
        self.assert_away()
        self.engine.start()
        ended = self.house.wait(job)
        self.assertEqual(ended["state"], "LOST", ended)
        self.assertIn("engine", ended["reason"])
        self.assert_goes_on(self.house.submit("echo next"))

    def test_killed_and_tried_again(self):
        """The usual policy: the fault was the engine's, and the job runs again when the old container is seen to be gone."""
        job = self.house.submit('echo attempt $BULKHEAD_ATTEMPT; test "$BULKHEAD_ATTEMPT" -gt 1 || sleep 1000')
        eventually("the job runs", lambda: self.house.log(job) == b"attempt 1\n")
        self.engine.stop(signal.SIGKILL)
        self.engine.start()
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(job), b"attempt 2\n")
        history = [line["text"] for line in self.house.api("GET", f"/jobs/{job}/why")[1]["history"]]
        self.assertTrue(any(line.startswith("QUEUED: attempt 2 follows") for line in history), history)

    def test_containerd_killed(self):
        """Its shims hold the containers meanwhile: the job goes on, and the next one can be made when another containerd runs."""
        job = self.house.submit(GOES_ON, retries=0)
        eventually("the job runs", lambda: self.house.log(job).startswith(b"1\n"))
        self.engine.kill_containerd()
        self.assert_went_on(job)
        self.assert_goes_on(self.house.submit("echo next"))

    def assert_went_on(self, job):
        ended = self.house.wait(job)
        self.assertEqual(ended["state"], "SUCCEEDED", ended)
        self.assertEqual(self.house.log(job), b"".join(b"%d\n" % number for number in range(1, 101)))

    def test_a_step_that_is_killed_fails(self):
        """The control: what a job does to itself stays its own."""
        for step in ["kill -KILL $$", "kill -TERM 1; sleep 1000"]:
            self.assertEqual(self.house.wait(self.house.submit(step))["state"], "FAILED", step)


class EngineWithLiveRestore(EngineStops):
    """The same on an engine whose containers outlive it: what runs goes on, and nobody takes it for lost."""

    @classmethod
    def setUpClass(cls):
        cls.begin(Engine(live_restore=True))

    def test_stopped(self):
        self.outlives(signal.SIGTERM)

    def test_killed(self):
        self.outlives(signal.SIGKILL)

    def outlives(self, number):
        job = self.house.submit(GOES_ON, retries=0)
        eventually("the job runs", lambda: self.house.log(job).startswith(b"1\n"))
        self.engine.stop(number)
        self.assert_away()
        self.engine.start()
        self.assert_went_on(job)
        self.assert_goes_on(self.house.submit("echo next"))

    # Nothing is tried again, and a job's own end is the same everywhere.
    test_killed_and_tried_again = test_a_step_that_is_killed_fails = None


if __name__ == "__main__":
    if os.geteuid() != 0 or shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin") is None:
        raise SystemExit("test_engine_stops: needs root and dockerd: make deps")
    unittest.main(verbosity=2)
