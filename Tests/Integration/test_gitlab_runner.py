"""GitLab's runner protocol as courierd speaks it, at the double of GitLab: registered, jobs taken, logs and files sent whatever the
server does, ends in the words that it has listed, and gone again."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROBE = ROOT / ".build/release/runner-probe"
sys.path.insert(0, str(ROOT / "Tests"))
DOUBLES = (ROOT / "Tests/Forges/server.py").exists()
if DOUBLES:
    from Forges import faults
    from Forges.gitlab import MAINTAINER, GitLab
    from Forges.gitlab_jobs import Job
    from Forges.repositories import Repository
    from Forges.runner_client import RunnerClient, archive
    from Forges.store import Store


def log(count):
    """The same bytes as the probe's."""
    lines = b"".join(bytes([*(0x21 + (line + index * 7) % 90 for index in range(line * 64, line * 64 + 63)), 10])
                     for line in range(min(90, count // 64 + 1)))
    # Lines are alike after ninety of them: 64 * 7 * 90 is a multiple of 90.
    return (lines * (count // len(lines) + 1))[:count]


@unittest.skipUnless(DOUBLES, "needs the doubles of Tests/Forges")
class RunnerProtocol(unittest.TestCase):
    def setUp(self):
        self.forge = self.enterContext(GitLab())
        self.forge.update_interval, self.forge.long_poll = 1, 1
        self.repository = self.enterContext(Repository({"README.md": "ship\n"}))
        self.ada = self.forge.person("ada")
        self.forge.admins.add(self.ada.id)
        self.project = self.forge.project("harbour/ship", self.repository, ada=MAINTAINER)
        self.token = self.forge.token(self.ada, "create_runner")
        # A proxy of the environment would be sent the tokens.
        self.environment = os.environ | {"http_proxy": "http://127.0.0.1:9", "SWIFT_BACKTRACE": "enable=no"}

    def pipeline(self, *jobs, **options):
        return self.forge.pipeline(self.project, "main", list(jobs), self.ada, **options)

    def job(self, name, *script, **about):
        return Job(name, tags=["bulkhead"], script=[f"#probe {line}" for line in script] or ["true"], **about)

    def probe(self, *arguments, token, **environment):
        done = subprocess.run([PROBE, arguments[0], self.forge.url, *map(str, arguments[1:])], input=token.encode(), timeout=240,
                              capture_output=True, env=self.environment | environment, check=False)
        said = done.stdout.decode() + done.stderr.decode()
        self.assertEqual(done.returncode, 0, said)
        for secret in ("glrt-", "glcbt-", token):
            self.assertNotIn(secret, said)
        return done.stdout.decode().splitlines()

    def take(self, jobs, registration="pool", **environment):
        return self.probe("take", registration, jobs, token=self.token, **environment)

    def test_from_registration_to_the_end(self):
        pipeline = self.pipeline(self.job("good", "log 1000"), self.job("bad", "log 10", "exit 3"))
        said = self.take(2)
        self.assertEqual([job.status for job in pipeline.jobs], ["success", "failed"])
        good, bad = pipeline.jobs
        self.assertEqual((bytes(good.trace), bytes(bad.trace)), (log(1000), log(10)))
        self.assertEqual((bad.failure_reason, bad.exit_code), ("script_failure", 3))
        self.assertEqual(said[-1], "gone")
        self.assertIn("job: good secrets: CI_JOB_TOKEN", said)
        # The pool's runner stays; this instance has left it.
        self.assertEqual([runner.managers for runner in self.forge.runners.values()], [{}])

    def test_a_runner_of_its_own_is_removed(self):
        self.pipeline(self.job("x"))
        self.take(1, "runner")
        self.assertEqual(self.forge.runners, {})

    def test_twenty_megabytes_through_a_bad_day(self):
        size = 20 << 20
        pipeline = self.pipeline(self.job("loud", f"log {size}"))
        plan, trace, end = self.forge.faults, "*/trace", "*/jobs/[0-9]*"
        plan.next("PATCH", trace, faults.status(503))
        plan.next("PATCH", trace, faults.lost())
        plan.next("PATCH", trace, faults.status(416, Range="0-0"))
        plan.next("PATCH", trace, faults.status(429, Retry_After="1"))
        plan.next("PATCH", trace, faults.slow(0.5))
        plan.next("PATCH", trace, faults.reset())
        plan.next("PATCH", trace, faults.page())
        plan.next("PATCH", trace, faults.cut())
        plan.next("PATCH", trace, faults.status(413))
        plan.next("PATCH", trace, faults.status(500), 2)
        plan.next("PUT", end, faults.status(502))
        plan.next("PUT", end, faults.page())
        plan.next("PUT", end, faults.status(412))
        self.forge.persisting = 1
        said = self.take(1)
        job = pipeline.jobs[0]
        self.assertEqual((job.status, len(job.trace)), ("success", size))
        self.assertEqual(bytes(job.trace), log(size))
        self.assertEqual(plan.left, 0)
        self.assertIn("over: accepted", said)
        # Each byte was taken once, in its order.
        at = 0
        for first, count in job.patches:
            self.assertEqual(first, at)
            at += count

    def test_a_lost_end(self):
        pipeline = self.pipeline(self.job("x", "log 10"))
        self.forge.faults.next("PUT", "*/jobs/[0-9]*", faults.lost())
        self.assertIn("over: accepted", self.take(1))
        self.assertEqual(pipeline.jobs[0].status, "success")

    def test_a_job_that_is_cancelled(self):
        pipeline = self.pipeline(self.job("slow", "log 100", "until-cancelled"))
        job = pipeline.jobs[0]

        def cancel():
            pipeline.wait(lambda: len(job.trace) == 100)
            job.cancel()
        canceller = threading.Thread(target=cancel)
        canceller.start()
        # A silent job hears of it when it says that it is there.
        said = self.take(1, KEEP_ALIVE="500")
        canceller.join()
        self.assertEqual((job.status, job.history), ("canceled", ["created", "pending", "running", "canceling", "canceled"]))
        self.assertEqual(bytes(job.trace), log(100) + b"last words\n")
        self.assertIn("notice: cancel", said)
        self.assertIn("over: accepted", said)

    def test_a_job_that_is_cancelled_at_once(self):
        pipeline = self.pipeline(self.job("slow", "log 100", "until-cancelled"))
        job = pipeline.jobs[0]

        def cancel():
            pipeline.wait(lambda: len(job.trace) == 100)
            job.cancel_hard()
        canceller = threading.Thread(target=cancel)
        canceller.start()
        said = self.take(1, KEEP_ALIVE="500")
        canceller.join()
        self.assertIn("notice: abort", said)
        self.assertIn("over: gone", said)

    def test_files_are_passed_on(self):
        made = archive(**{"out/x": "x" * 3_000_000})
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "made.zip"
        path.write_bytes(made)
        for store in (None, Store):
            if store:
                self.forge.store = self.enterContext(store())
            pipeline = self.pipeline(self.job("make", artifacts=["out/"], stage="one"), self.job("use", stage="two"))
            self.forge.faults.next("POST", "*/artifacts*", faults.lost()).next("POST", "*/artifacts*", faults.status(503))
            self.forge.faults.next("GET", "*/artifacts*", faults.status(503, Retry_After="1"))
            said = self.take(2, ARTIFACT=str(path), **({"STORE": self.forge.store.url} if store else {}))
            self.assertIn(f"artifact: make.zip {len(made)} ok", said)
            self.assertIn(f"dependency: make {len(made)} of {len(made)} ok", said)
            self.assertEqual(pipeline.jobs[0].uploads["archive"][1], made)
            self.assertEqual([job.status for job in pipeline.jobs], ["success", "success"])
            self.assertEqual(self.forge.faults.left, 0)
        self.assertEqual(self.forge.store.leaks, [])

    def test_files_that_are_refused(self):
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "made.zip"
        path.write_bytes(archive(x="x" * 1000))
        self.forge.artifact_limit = 100
        self.pipeline(self.job("make", artifacts=["out/"]))
        self.assertTrue(any(line.startswith("artifact: make.zip") and line.endswith("refused(status: 413)")
                            for line in self.take(1, ARTIFACT=str(path))))

    def test_what_is_not_here_fails_at_once(self):
        pipeline = self.pipeline(self.job("a"), self.job("b"), self.job("c", failure_reasons=["script_failure", "unknown_failure"]))
        plan = self.forge.faults
        plan.next("POST", "*/jobs/request", changed_job(services=[{"name": "postgres:16"}]))
        plan.next("POST", "*/jobs/request", changed_job(cache=[{"key": "default", "paths": ["x"]}]))
        plan.next("POST", "*/jobs/request", changed_job(services=[{"name": "redis"}]))
        said = self.take(3)
        self.assertEqual([(job.status, job.failure_reason) for job in pipeline.jobs], [
            ("failed", "runner_configuration_error"), ("failed", "runner_configuration_error"), ("failed", "script_failure")])
        for job, word in zip(pipeline.jobs, (b"services (postgres:16)", b"a cache (default)", b"services (redis)")):
            self.assertIn(word, job.trace)
        self.assertEqual(sum(line.startswith("refused: it wants ") for line in said), 3)

    def test_bad_days_of_asking(self):
        pipeline = self.pipeline(self.job("x"))
        plan = self.forge.faults
        plan.next("POST", "*/user/runners", faults.status(503)).next("POST", "*/jobs/request", faults.status(409), 2)
        plan.next("POST", "*/jobs/request", faults.status(500)).next("POST", "*/jobs/request", faults.page())
        plan.next("POST", "*/jobs/request", faults.status(429, Retry_After="1")).next("POST", "*/jobs/request", faults.reset())
        plan.next("DELETE", "*/runners*", faults.status(502))
        self.assertEqual(self.take(1)[-1], "gone")
        self.assertEqual((pipeline.jobs[0].status, plan.left), ("success", 0))

    def test_a_dead_token_is_replaced(self):
        pipeline = self.pipeline(self.job("x"))
        self.forge.faults.next("POST", "*/jobs/request", faults.status(403)).next("POST", "*/runners/verify", faults.status(403))
        said = self.take(1)
        self.assertIn("problem: tokenIsDead", said)
        self.assertEqual(sum(line.startswith("registered: ") for line in said), 2)
        self.assertEqual(pipeline.jobs[0].status, "success")

    def test_what_another_has_begun(self):
        runner = self.forge.make_runner("instance_type", tag_list=["bulkhead"])
        client = RunnerClient(self.forge, runner.token)
        pipeline, whole = self.pipeline(self.job("x")), log(3 << 20)
        mine = client.job()
        client.send_all(mine, whole[:1_234_567])
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "log"
        path.write_bytes(whole)
        self.assertEqual(self.probe("resume", mine["id"], path, token=mine["token"]), ["over: accepted"])
        self.assertEqual(bytes(pipeline.jobs[0].trace), whole)
        # Again, as after a crash between GitLab's answer and ours.
        self.assertEqual(self.probe("resume", mine["id"], path, token=mine["token"]), ["over: accepted"])


def changed_job(**fields):
    """A job as it is, and more of it; nothing where there is no job."""
    def fault(plan, handler, request, answer):
        true = answer()
        if true.status == 201:
            true = type(true).of(json.loads(true.body) | fields, 201)
        handler.send(true)
    return fault


if __name__ == "__main__":
    unittest.main(verbosity=2)
