"""A job's way through the house: submit, follow, result, source, cancel, and what a person is told when it goes wrong."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from house import House, engine, eventually


class Job(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "2"))

    def test_command_line_job(self):
        done = self.house.bulkhead("submit", "--image", "bulkhead/busybox", "--follow", "--", "echo", "hello  world", check=0)
        self.assertEqual(done.stdout, b"hello  world\n")
        self.assertIn(b"SUCCEEDED", done.stderr)

    def test_exit_status_is_the_jobs(self):
        done = self.house.bulkhead("submit", "--image", "bulkhead/busybox", "-f", "--", "sh", "-c", "echo out; exit 7", check=7)
        self.assertIn(b"FAILED", done.stderr)

    def test_steps_in_order_and_continue_on_error(self):
        status, answer = self.house.api("POST", "/jobs", {
            "image": "bulkhead/busybox", "steps": [
                {"name": "one", "run": "echo one; exit 3", "continue_on_error": True},
                {"name": "two", "run": "echo two; false"}, {"name": "three", "run": "echo three"}]})
        self.assertEqual(status, 201)
        job = self.house.wait(answer["id"])
        self.assertEqual(self.house.log(answer["id"]), b"one\ntwo\n")
        self.assertEqual([s["outcome"] for s in job["steps"]], ["failed", "failed", "skipped"])
        self.assertEqual(job["state"], "FAILED")
        self.assertIn("two", job["reason"])

    def test_environment_is_fresh(self):
        job = self.house.submit("env; id -u; cat /proc/self/status | grep -E '^(CapEff|NoNewPrivs|Seccomp):'",
                                env={"GREETING": "it's \"me\"\nline two"})
        self.house.wait(job)
        log = self.house.log(job).decode()
        self.assertIn("GREETING=it's \"me\"\nline two\n", log)
        self.assertIn("CI=true", log)
        self.assertIn("CapEff:\t0000000000000000", log)
        self.assertIn("NoNewPrivs:\t1", log)
        self.assertIn("Seccomp:\t2", log)
        self.assertNotIn("TOKEN", log)

    def test_root_is_read_only_and_job_is_not(self):
        job = self.house.submit("touch /job/src/x /tmp/x && echo wrote; if touch /x 2>/dev/null; then echo leak; fi; "
                                "ls /sys/class/net")
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(job), b"wrote\nlo\n")

    def test_source_arrives(self):
        with tempfile.TemporaryDirectory() as folder:
            git = ["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.invalid"]
            subprocess.run([*git, "init", "-q"], check=True)
            pathlib.Path(folder, "tracked.txt").write_text("tracked\n")
            pathlib.Path(folder, "run.sh").write_text("#!/bin/sh\ncat tracked.txt\n")
            os.chmod(pathlib.Path(folder, "run.sh"), 0o755)
            pathlib.Path(folder, ".gitignore").write_text("ignored.txt\n")
            pathlib.Path(folder, "ignored.txt").write_text("ignored\n")
            os.symlink("tracked.txt", pathlib.Path(folder, "link"))
            subprocess.run([*git, "add", "tracked.txt", "run.sh", ".gitignore"], check=True)
            job = pathlib.Path(folder, "job.yaml")
            job.write_text("image: bulkhead/busybox\nsteps:\n  - ./run.sh\n  - cat link; ls -A\n")
            done = self.house.bulkhead("submit", job, "--source", folder, "--follow", check=0)
        self.assertEqual(done.stdout, b"tracked\ntracked\n.gitignore\njob.yaml\nlink\nrun.sh\ntracked.txt\n")

    def test_same_request_is_the_same_job(self):
        body = {"image": "bulkhead/busybox", "steps": ["true"]}
        first = self.house.api("POST", "/jobs", body, Idempotency_Key="once")
        second = self.house.api("POST", "/jobs", body, Idempotency_Key="once")
        self.assertEqual((first[0], second[0]), (201, 200))
        self.assertEqual(first[1]["id"], second[1]["id"])

    def test_log_ranges_resume(self):
        job = self.house.submit("for i in 0 1 2 3 4 5 6 7 8 9; do echo line $i; done")
        self.house.wait(job)
        whole = self.house.log(job)
        status, part = self.house.http("GET", f"/jobs/{job}/log", headers={
            "Authorization": f"Bearer {self.house.token}", "Range": "bytes=14-"})
        self.assertEqual((status, part), (206, whole[14:]))

    def test_follow_is_live(self):
        job = self.house.submit("echo first; while [ ! -e /tmp/never ]; do sleep 0.1; done")
        follower = subprocess.Popen(
            [str(pathlib.Path(os.environ.get("BULKHEAD_BINARIES", ".build/release"), "bulkhead")), "log", str(job), "-f"],
            env={"BULKHEAD_URL": f"http://127.0.0.1:{self.house.port}", "BULKHEAD_TOKEN": self.house.token, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE)
        self.assertEqual(follower.stdout.readline(), b"first\n")
        self.assertEqual(self.house.job(job)["state"], "RUNNING")
        self.house.bulkhead("cancel", job, "--grace", "1", check=0)
        self.assertEqual(follower.wait(30), 0)
        follower.stdout.close()
        self.assertEqual(self.house.wait(job)["state"], "CANCELLED")

    def test_cancel_grace_lets_the_job_clean_up(self):
        job = self.house.submit("trap 'echo cleaned; exit 0' TERM; echo ready; while true; do sleep 0.1; done")
        eventually("the job is ready", lambda: b"ready" in self.house.log(job))
        self.house.bulkhead("cancel", job, "--grace", "10", check=0)
        self.assertEqual(self.house.wait(job)["state"], "CANCELLED")
        log = self.house.log(job)
        self.assertTrue(log.startswith(b"ready\n") and log.endswith(b"cleaned\n"), log)

    def test_cancel_of_one_that_ignores_signals(self):
        """R12: killed after the grace; the control is the test before."""
        job = self.house.submit("trap '' TERM; echo ready; while true; do sleep 0.1; done")
        eventually("the job is ready", lambda: b"ready" in self.house.log(job))
        self.house.bulkhead("cancel", job, "--grace", "1", check=0)
        self.assertEqual(self.house.wait(job)["state"], "CANCELLED")

    def test_timeout(self):
        job = self.house.submit("echo before; sleep 600", timeout=2)
        ended = self.house.wait(job)
        self.assertEqual(ended["state"], "TIMED_OUT")
        self.assertIn("2s", ended["reason"])

    def test_bad_yaml_is_told_with_every_line(self):
        done = self.house.bulkhead("submit", "-", stdin=b"image: bulkhead/busybox\nstesp: []\ntimeout: soon\nresources:\n  memory: lots\n",
                                   check=64)
        words = done.stderr.decode()
        for expected in ["2:1: stesp", "did you mean 'steps'", "3:10: timeout", "5:11: resources.memory", "steps"]:
            self.assertIn(expected, words)

    def test_missing_image_is_told(self):
        done = self.house.bulkhead("submit", "--image", "no/such-image", "-f", "--", "true")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no/such-image", done.stderr.decode())
        self.assertIn("FAILED", done.stderr.decode())

    def test_silence_is_ended(self):
        """A step that writes now and then goes on; one that writes nothing for so long does not."""
        chatty = self.house.submit("for i in 1 2 3 4; do echo $i; sleep 0.5; done", silence_timeout="1s")
        silent = self.house.submit("echo begun; sleep 60", silence_timeout="1s")
        self.assertEqual(self.house.wait(chatty)["state"], "SUCCEEDED")
        ended = self.house.wait(silent)
        self.assertEqual(ended["state"], "TIMED_OUT")
        self.assertIn("wrote nothing for 1s", ended["reason"])

    def test_memory_limit_is_told(self):
        job = self.house.submit("head -c 200m /dev/zero | tail -c 200m >/dev/null", resources={"memory": "32MiB", "disk": "8MiB"})
        ended = self.house.wait(job)
        self.assertEqual(ended["state"], "FAILED")
        self.assertIn("memory", ended["reason"])
        self.assertIn("32MiB", ended["reason"].replace(" ", ""))

    def test_bad_jobs_do_not_block_the_queue(self):
        bad = [self.house.submit("true", resources={"cpus": 1000}) for _ in range(3)]
        bad += [self.house.submit("true", image="BULKHEAD/Busybox")]
        good = self.house.submit("echo good")
        self.assertEqual(self.house.wait(good)["state"], "SUCCEEDED")
        for job in bad:
            ended = self.house.wait(job)
            self.assertEqual(ended["state"], "FAILED")
            self.assertTrue(ended["reason"])

    def test_a_step_cannot_make_itself_look_cancelled(self):
        job = self.house.submit("kill -TERM 1; sleep 5; sleep 60")
        self.assertEqual(self.house.wait(job)["state"], "FAILED")

    def test_what_a_step_leaves_running_is_gone(self):
        job = self.house.submit("(trap '' TERM HUP; sleep 1000) & setsid sleep 1000 & echo left",
                                "ps -o args | grep -c '[s]leep 1000' || true")
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(job), b"left\n0\n")

    def test_warm_runner_is_taken_once(self):
        # A runner has its place until it is removed, and those of the jobs before may still be on their way.
        eventually("the runners before are gone", lambda: not self.house.api("GET", "/runners")[1]["runners"])
        status, answer = self.house.api("POST", "/runners", {"image": "bulkhead/busybox"})
        self.assertEqual(status, 201, answer)
        warm = answer["id"]

        def state():
            return {r["id"]: r["state"] for r in self.house.api("GET", "/runners")[1]["runners"]}.get(warm)
        eventually("the runner is idle", lambda: state() == "IDLE")
        job = self.house.submit("echo warm")
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
        eventually("the runner is gone", lambda: state() is None)

    def test_wrong_token(self):
        status, answer = self.house.http("GET", "/jobs", headers={"Authorization": "Bearer wrong"})
        self.assertEqual(status, 401)
        self.assertEqual(json.loads(answer)["error"]["code"], "unauthorized")

    def test_openapi_lists_what_there_is(self):
        status, document = self.house.http("GET", "/openapi.json")
        self.assertEqual(status, 200)
        paths = json.loads(document)["paths"]
        for path in ["/health", "/status", "/runners", "/runners/{id}", "/jobs", "/jobs/{id}", "/jobs/{id}/log",
                     "/jobs/{id}/why", "/pools", "/drain", "/metrics",
                     "/sources"]:
            self.assertIn(path, paths)
        checker = pathlib.Path(__file__).resolve().parents[1] / "Check/openapi.py"
        subprocess.run(["python3", checker], input=document, check=True)

    def test_json_everywhere(self):
        job = self.house.submit("true")
        self.house.wait(job)
        for command in [["jobs"], ["job", job], ["why", job], ["runners"], ["pools"], ["status"]]:
            json.loads(self.house.bulkhead(*command, "--json", check=0).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
