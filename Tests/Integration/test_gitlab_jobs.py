"""GitLab's runner protocol, all of the way: a pipeline of the double's is taken, run in containers and reported, with nothing lost
while each of four daemons is killed in the middle; runners come and go as the project's rules say."""

import os
import sys
import unittest

from house import ROOT, House, eventually

sys.path.insert(0, str(ROOT / "Tests"))
from Forges import faults  # noqa: E402
from Forges.gitlab import MAINTAINER, GitLab  # noqa: E402
from Forges.gitlab_jobs import Job  # noqa: E402
from Forges.repositories import Repository  # noqa: E402

PROJECT = """
projects:
  - name: ship
    forge: {{kind: gitlab, url: "{url}"}}
    repository: harbour/ship
    gitlab_runner:
      tags: [bulkhead]
      registration: {registration}
      image: bulkhead/busybox
      resources: {{cpus: 0.5, memory: 64MiB, disk: 32MiB, pids: 64}}
      timeout: 10m
"""
DAEMONS = ["bulkhead-apid", "bulkhead-courierd", "bulkhead-relayd", "bulkhead-schedulerd"]
# Twenty million bytes.
LINES = 2_700_000
SECRET = "the-value-of-the-token"


class GitLabJobs(unittest.TestCase):
    def setUp(self):
        self.house = self.enterContext(House(
            "--max-runners", "4", "--forge-addresses", "127.0.0.0/8", "--poll-seconds", "1", "--cpu-percent", "400"))
        self.forge = self.enterContext(GitLab())
        self.forge.update_interval, self.forge.long_poll = 1, 1
        self.repository = self.enterContext(Repository({"README.md": "of the commit\n", "out/old": "old\n"}))
        self.ada = self.forge.person("ada")
        self.forge.admins.add(self.ada.id)
        self.project = self.forge.project("harbour/ship", self.repository, ada=MAINTAINER)
        self.project.protected = ["main"]
        self.apply()
        self.token = self.forge.token(self.ada, "create_runner", "api")
        self.house.bulkhead("secret", "set", "ship", "forge-token", stdin=self.token.encode(), check=0)

    def apply(self, registration="pool", *more):
        file = self.house.state / "ship.yaml"
        file.write_text(PROJECT.format(url=self.forge.url, registration=registration) + "".join(f"      {line}\n" for line in more))
        self.house.bulkhead("project", "apply", file, check=0)

    def job(self, name, *script, **about):
        return Job(name, tags=["bulkhead"], script=list(script) or ["true"], **about)

    def pipeline(self, *jobs, ref="main"):
        return self.forge.pipeline(self.project, ref, list(jobs), self.ada)

    def ours(self):
        """Jobs of this house by name."""
        return {job["name"]: job for job in self.house.api("GET", "/jobs")[1]["jobs"]}

    def trace(self, job):
        return bytes(job.trace).decode(errors="replace")

    def assert_said(self, job, *lines):
        """As lines of their own: the commands themselves are shown, too."""
        said = self.trace(job).splitlines()
        for line in lines:
            self.assertIn(line, said)

    def test_five_jobs_and_four_deaths(self):
        make = self.job("make", "mkdir -p out && echo made >out/old && echo new >out/new && cp README.md out/", stage="build",
                        artifacts=["out/"])
        pack = self.job("pack", "echo packed >pack.txt; cat README.md", stage="build", artifacts=["pack.txt"],
                        after_script=["echo last words"])
        odd = self.job("odd", "echo odd; exit 7", stage="test", allow_failure=True, after_script=["echo cleaned up"])
        slow = self.job("slow", "echo begun; sleep 300", stage="test", after_script=["echo tidy"])
        loud = self.job("loud", "cat out/old out/new pack.txt", f"seq 1 {LINES}", "echo behind",
                        stage="test", variables={"TOKEN": SECRET}, masked=["TOKEN"])
        pipeline = self.pipeline(make, pack, odd, slow, loud)
        eventually("the first stage is over", lambda: make.is_over and pack.is_over, 120)
        pipeline.wait(lambda: slow.status == "running" and b"begun" in slow.trace, 120)
        pipeline.wait(lambda: len(loud.trace) > 1 << 20 or loud.is_over, 120)
        for daemon in DAEMONS:
            self.house.kill(daemon)
            eventually(f"{daemon} is there again", lambda daemon=daemon: self.house.pid(daemon))
        slow.cancel()
        pipeline.wait_over(180)
        self.assertEqual({job.name: (job.status, job.failure_reason) for job in pipeline.jobs}, {
            "make": ("success", None), "pack": ("success", None), "odd": ("failed", "script_failure"), "slow": ("canceled", "job_canceled"),
            "loud": ("success", None)}, {job.name: self.trace(job)[-500:] for job in pipeline.jobs})
        self.assertEqual(pipeline.status, "canceled", "by the one that was; what may fail fails nothing")
        self.assertEqual(odd.exit_code, 7)
        self.assert_said(odd, "odd", "cleaned up")
        self.assert_said(pack, "of the commit", "last words")
        self.assert_said(slow, "begun", "tidy")
        # What was passed on lies over the commit's own.
        self.assertIn("made\nnew\npacked\n", self.trace(loud))
        wanted = b"".join(b"%d\n" % n for n in range(1, LINES + 1))
        self.assertGreater(len(wanted), 20 << 20 - 1)
        self.assertTrue(wanted + b"$ echo behind\nbehind\n" in bytes(loud.trace), "all of it, in its order, once")
        # Each ran once, and the house has nothing more to say.
        self.assertEqual(sorted(job["name"] for job in self.house.api("GET", "/jobs")[1]["jobs"]), ["loud", "make", "odd", "pack", "slow"])
        self.assertEqual({name: job["trust"] for name, job in self.ours().items()}, dict.fromkeys(self.ours(), "trusted"))
        for job in pipeline.jobs:
            self.assertEqual(job.history.count("running"), 1)
        self.assertEqual([runner.kind for runner in self.forge.runners.values()], ["project_type"])
        self.no_secret(*(job.token for job in pipeline.jobs), SECRET, self.token)

    def no_secret(self, *values):
        """In no log of the house, no database and no file that is left."""
        for folder, _, files in os.walk(self.house.state):
            for file in files:
                path = os.path.join(folder, file)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as opened:
                    content = opened.read()
                for value in values:
                    self.assertNotIn(value.encode(), content, path)

    def test_values_reach_their_steps_and_no_log(self):
        job = self.job("use", "test \"$TOKEN\" = '%s' && echo right" % SECRET, "cat \"$KEYFILE\" | tr a-z b-za; echo",
                       "echo \"job $TOKEN\"",
                       "test -n \"$CI_JOB_TOKEN\" && echo token there", "echo \"$CI_JOB_TOKEN\"",
                       variables={"TOKEN": SECRET, "KEYFILE": "in a file"}, masked=["TOKEN"], files=["KEYFILE"])
        self.pipeline(job).wait_over(120)
        said = self.trace(job)
        self.assertEqual(job.status, "success", said)
        self.assert_said(job, "right", "jo b gjmf", "token there")
        self.assertNotIn(SECRET, said)
        self.assertNotIn(job.token, said)

    def test_files_are_those_that_the_runner_has_packed(self):
        """relayd keeps them, schedulerd hands them on: whoever of these was taken over changes no byte of what the next job gets."""
        jobs = [self.job(name, f"echo {name} >out.txt", artifacts=["out.txt"]) for name in ("kept", "changed")]
        self.forge.faults.next("POST", "*/artifacts", faults.status(503), times=1000)
        pipeline = self.pipeline(*jobs)
        for job in jobs:
            pipeline.wait(lambda job=job: self.forge.journal.calls("POST", f"*/jobs/{job.id}/artifacts"), 120)
        (file,) = [path for path in (self.house.state / "relayd").rglob("artifact-0") if b"changed\n" in path.read_bytes()]
        file.write_bytes(file.read_bytes().replace(b"changed\n", b"hostile\n"))
        # It has taken its copy, and looked at that; the next one takes another.
        self.house.kill("bulkhead-courierd")
        self.forge.faults.clear()
        pipeline.wait_over(120)
        kept, changed = jobs
        self.assertEqual((kept.status, changed.status), ("success", "failed"), self.trace(changed))
        self.assertEqual([list(job.uploads) for job in jobs], [["archive"], []])
        self.assertIn("not what the job's runner has packed", self.trace(changed))

    def test_what_cannot_run_here_says_so(self):
        gone = self.job("gone", image="no/such:image")
        pipeline = self.pipeline(gone)
        pipeline.wait_over(120)
        self.assertEqual((gone.status, gone.failure_reason), ("failed", "image_pull_failure"), self.trace(gone))
        self.assertIn("no/such:image", self.trace(gone))

    def test_what_the_rules_do_not_let_in_says_so(self):
        self.apply("pool", "protected_only: true", "images: [bulkhead/busybox, bulkhead/deb*]")
        eventually("another runner is there",
                   lambda: any(one.access_level == "ref_protected" and one.managers for one in self.forge.runners.values()))
        runner = next(one for one in self.forge.runners.values() if one.access_level == "ref_protected")
        good, bad = self.job("good"), self.job("bad", image="alpine")
        self.pipeline(good, bad).wait_over(120)
        self.assertEqual((good.status, good.runner), ("success", runner), self.trace(good))
        self.assertEqual((bad.status, bad.failure_reason), ("failed", "runner_configuration_error"), self.trace(bad))
        self.assertIn("This job cannot run here: its image 'alpine' is not one of those that the project's rules name (`images`",
                      self.trace(bad))
        # GitLab gives out what it should not.
        runner.access_level = "not_protected"
        self.repository.commit({"README.md": "of a topic\n"}, branch="topic")
        stray = self.job("stray")
        self.pipeline(stray, ref="topic").wait_over(120)
        self.assertEqual((stray.status, stray.failure_reason), ("failed", "runner_configuration_error"), self.trace(stray))
        self.assertIn("its branch or tag is not protected", self.trace(stray))
        self.assertEqual(set(self.ours()), {"good"}, "the others never were ours")
        # It is another rule, and the same runner.
        self.apply("pool", "protected_only: true", "priority: 40")
        later = self.job("later")
        self.pipeline(later).wait_over(120)
        self.assertEqual((later.status, later.runner), ("success", runner), self.trace(later))

    def test_a_runner_for_each_job(self):
        self.apply("runner")
        pipeline = self.pipeline(self.job("a"), self.job("b"))
        pipeline.wait_over(120)
        self.assertEqual([job.status for job in pipeline.jobs], ["success", "success"], [self.trace(job) for job in pipeline.jobs])
        used = {job.runner.id for job in pipeline.jobs}
        self.assertEqual(len(used), 2, "each had its own")
        eventually("they are gone with their jobs", lambda: not used & set(self.forge.runners))

    def test_it_goes_when_the_rules_go(self):
        eventually("it is registered", lambda: self.forge.runners)
        (runner,) = self.forge.runners.values()
        eventually("this instance uses it", lambda: runner.managers)
        self.house.bulkhead("project", "rm", "ship", check=0)
        eventually("it has left", lambda: not runner.managers)


if __name__ == "__main__":
    unittest.main(verbosity=2)
