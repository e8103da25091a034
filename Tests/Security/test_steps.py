"""A step that nobody trusts, beside a runner and steps that have secrets: every way into another process, and every place to look."""

import contextlib
import os
import pathlib
import secrets
import unittest

from jobs import Attack, Plain, execute, submit, tried, verdicts
from house import House, engine, eventually

# What the program tries on another process, less its own identity.
WAYS = {"environ", "maps", "mem", "process_vm_readv", "process_vm_writev", "ptrace-seize", "ptrace-attach", "pidfd_getfd", "fd/1", "cwd",
        "root", "exe", "fd/1-write", "oom_score_adj", "signal"}

JOB = """\
name: steps
image: bulkhead/busybox
profile: {profile}
resources: {{cpus: 1, memory: 64MiB, disk: 16MiB}}
steps:
  - name: lies in wait
    untrusted: true
    run: |
      set +e
      echo word >/job/ci/x; echo word >/job/home/x; mkdir /job/.secrets/x; echo word >/job/x; ln -s /job/src /job/ci/y
      mkfifo /tmp/{prefix}fifo; (while :; do cat /tmp/{prefix}fifo; sleep 1; done) &
      (while :; do cat /proc/[0-9]*/environ >>/tmp/{prefix}loot 2>/dev/null; sleep 0.01; done) &
      while [ ! -s /tmp/{prefix}loot ]; do sleep 0.05; done
      echo lay
  - name: uses
    run: |
      test "${{#CANARY}}" -eq 32 && test "$(cat "$FILE")" = "$CANARY"
      ls -A /job/ci; ls /tmp | grep -v loot
      (trap '' TERM; sleep 1000) &
      tr '\\0' '\\n' </proc/$$/environ | grep -qxF "CANARY=$CANARY" && echo "control: seen"
      echo up; while [ ! -e /tmp/go ]; do sleep 0.1; done
    secrets:
      CANARY: canary
      FILE: {{secret: canary, as: file}}
  - name: searches
    untrusted: true
    run: |
      set +e
      test -z "$CANARY$FILE" && echo "no variable"
      echo "files $(ls -A /run/bulkhead /job/.secrets 2>/dev/null | grep -c '^[0-9a-z]')"
      cat /tmp/{prefix}loot
      echo; echo ready; while [ ! -e /tmp/look ]; do sleep 0.1; done
      /job/src/attack look 1 nothing
      /job/src/attack look $(cat /tmp/look) {victim} | sed 's/^/victim:/'
      touch /tmp/looked
      echo done
"""


@unittest.skipUnless(os.geteuid() == 0, "looks at everybody's processes")
class Steps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.attack = cls.enterClassContext(Attack())
        cls.house = cls.enterClassContext(House("--max-runners", "4", "--allow-build-profile"))
        cls.data = pathlib.Path(engine("GET", "/info")[1]["DockerRootDir"])
        cls.canary = secrets.token_hex(16).encode()
        cls.house.set_secret("canary", cls.canary)

    def start(self, profile, victim):
        text = JOB.format(profile=profile, victim=victim, prefix="x-")
        return self.house.submit_file(f"steps-{profile}", text, "--source", self.attack.directory)

    def container(self, job):
        """The container of a job: of all of this house's, the one with this step running is told by its log, so ask for the runner."""
        runner = next(r["id"] for r in self.house.api("GET", "/runners")[1]["runners"] if r.get("job") == job)
        return next(c["Id"] for c in self.house.containers() if c["Labels"]["bulkhead.runner"] == runner)

    def everybodys(self, word):
        """Whose environment or command line holds this, on the whole machine: the control group of each."""
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if word in entry.joinpath("environ").read_bytes() or word in entry.joinpath("cmdline").read_bytes():
                        found[int(entry.name)] = entry.joinpath("cgroup").read_text()
        return found

    def engines_data(self, word):
        """Which of the engine's own files hold this: all but the layers, which jobs cannot write (strict) or are searched inside."""
        found = []
        for part in ["containers", "image", "volumes", "buildkit", "network", "tmp", "runtimes"]:
            for file in (self.data / part).rglob("*"):
                with contextlib.suppress(OSError):
                    if file.is_file() and not file.is_symlink() and word in file.read_bytes():
                        found.append(str(file))
        return found

    def test_the_value_is_in_its_step_and_nowhere_else(self):
        """S2: inspect, the engine's data, the image's history, environments of all processes; and S3: a step that nobody trusts."""
        for profile in ["strict", "build"]:
            with self.subTest(profile):
                self.one(profile)

    def one(self, profile):
        victim = secrets.token_hex(16)
        job = self.start(profile, victim)
        with tried(profile, self.house, job):
            eventually("the step with the secret runs", lambda: b"up\n" in self.house.log(job) or self.ended(job))
            container = self.container(job)
            seen = engine("GET", f"/containers/{container}/json")[1]
            # S2: the step and what it started, and nobody else.
            processes = self.everybodys(self.canary)
            self.assertTrue(processes, "the control: the step itself")
            self.assertNotIn(seen["State"]["Pid"], processes, "the runner")
            for pid, group in processes.items():
                self.assertIn(container, group, pid)
            word = self.canary.decode()
            self.assertNotIn(word, str(seen))
            self.assertNotIn(word, str(engine("GET", f"/images/{seen['Image']}/history")[1]))
            self.assertEqual(self.engines_data(self.canary), [])
            execute(container, ["touch", "/tmp/go"], "1000:1000")
            # S3: beside a process of the trusted user, with a word in its environment that the step does not know.
            eventually("the last step runs", lambda: b"ready\n" in self.house.log(job) or self.ended(job))
            trusted = "1000:1000" if profile == "strict" else "0:0"
            execute(container, ["tail", "-f", "/dev/null"], trusted, [f"WORD={victim}"], detach=True)
            pid = eventually("the victim is there", lambda: execute(container, ["pidof", "tail"], trusted).split())[0]
            environ = execute(container, ["sh", "-c", f"tr '\\0' '\\n' </proc/{pid}/environ"], trusted)
            self.assertIn(victim, environ, "the control: its own user can")
            own = verdicts(execute(container, ["/job/src/attack", "look", pid, victim], trusted))
            self.assertEqual((own["environ"], own["mem"]), ("found", "found"), "the control: the same program as its own user")
            execute(container, ["sh", "-c", f"echo {pid} >/tmp/look.new; mv /tmp/look.new /tmp/look"], trusted)
            self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
            log = self.house.log(job).decode(errors="replace")
            self.assertNotIn(word, log)
            self.assertTrue(log.startswith("lay\n") or "\nlay\n" in log)
            first, rest = log.split("up\n", 1)
            self.assertIn("control: seen\n", first)
            # Nothing of the ambush is in the trusted step's own directory, and its watchers had been ended.
            self.assertEqual(first.split("lay\n", 1)[1], "x-fifo\ncontrol: seen\n")
            self.assertIn("no variable\nfiles 0\n", rest)
            looks = [line for line in rest.split("ready\n", 1)[1].splitlines() if not line.startswith("victim:")]
            self.assert_denied(verdicts("\n".join(looks)), "the runner")
            victims = [line[7:] for line in rest.splitlines() if line.startswith("victim:")]
            self.assert_denied(verdicts("\n".join(victims)), "a process of the trusted user")

    def ended(self, job):
        seen = self.house.job(job)
        assert seen["state"] in {"QUEUED", "ASSIGNED", "RUNNING", "STARTING", "PREPARING"}, seen
        return False

    def assert_denied(self, found, whom):
        self.assertLessEqual(WAYS | {"setuid-0", "setuid-1000"}, set(found), whom)
        for what in WAYS | {"setuid-0", "setuid-1000"}:
            self.assertRegex(found[what], "^denied (EPERM|EACCES|ENOSYS)$", f"{whom}: {what}")

    def test_a_step_of_the_runners_own_user(self):
        """S3: in a job without untrusted steps the user is the runner's; that it is not dumpable is enough."""
        strict = submit(self.house, "/job/src/attack look 1 nothing", source=self.attack.upload(self.house))
        build = submit(self.house, "/job/src/attack look 1 nothing", source=self.attack.upload(self.house), profile="build")
        for job, allowed in [(strict, {"signal"}), (build, {"signal", "oom_score_adj"})]:
            # Root may say that the runner is to die first when memory is short: of its own job.
            with tried("own user", self.house, job):
                self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED", "and the signal did nothing to the first process")
                found = verdicts(self.house.log(job).decode())
                for what in WAYS - allowed - {"maps"}:
                    self.assertRegex(found[what], "^denied (EPERM|EACCES|ENOSYS)$", what)
                self.assertNotEqual(found["maps"], "found")

    def test_without_the_walls_all_of_it_works(self):
        """S3, the control: a dumpable first process of the same user, and no filter: every way is open."""
        word = secrets.token_hex(16)
        with Plain(["sleep", "600"], environment=[f"WORD={word}"], SecurityOpt=["seccomp=unconfined"],
                   Binds=[f"{self.attack.directory}:/a:ro"]) as plain:
            found = verdicts(plain.run("/a/attack", "look", "1", word))
            for what in WAYS:
                expected = "found" if what in {"environ", "mem", "process_vm_readv"} else "reached"
                self.assertEqual(found[what], expected, what)
            # The engine's own filter, another user: that wall alone.
            other = verdicts(plain.run("/a/attack", "look", "1", word, user="2000:2000"))
            for what in WAYS:
                self.assertTrue(other[what].startswith("denied"), f"{what} {other[what]}")

    def test_a_value_in_the_engines_words_is_found(self):
        """S2, the control: as a variable of a container, a secret is in inspect, on the engine's disk and in /proc."""
        word = secrets.token_hex(16)
        name = f"bulkhead-control-{os.getpid()}"
        with Plain(["sh", "-c", f": {word}; sleep 600"], environment=[f"WORD={word}"]) as plain:
            self.assertIn(word, str(plain.inspect()))
            self.assertTrue(self.engines_data(word.encode()))
            self.assertIn(plain.inspect()["State"]["Pid"], self.everybodys(word.encode()))
            self.assertEqual(engine("POST", f"/commit?container={plain.id}&repo={name}&pause=false")[0], 201)
        self.addCleanup(engine, "DELETE", f"/images/{name}?force=true")
        self.assertIn(word, str(engine("GET", f"/images/{name}/history")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
