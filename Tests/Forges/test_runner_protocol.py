"""The double of GitLab's runner protocol: a pipeline from its first request to its end, and every way in which it says no."""

import io
import threading
import unittest
import zipfile

from . import faults
from .client import call
from .gitlab_jobs import Job
from .runner_client import API, MINE, Paired, RunnerClient, archive


class Protocol(Paired):
    def test_five_jobs(self):
        tags = ["bulkhead"]
        pipeline = self.pipeline(
            Job("compile", stage="build", tags=tags, artifacts=["out/"]), Job("docs", stage="build", tags=tags, artifacts=["doc/"]),
            Job("lint", tags=tags, allow_failure=True), Job("slow", tags=tags, needs=[]), Job("loud", stage="deploy", tags=tags,
                                                                                           needs=["compile", "docs", "lint"]))
        self.assertEqual([job.status for job in pipeline.jobs], ["pending", "pending", "created", "pending", "created"])
        taken = [self.client.job() for _ in range(3)]
        self.assertIsNone(self.client.job())
        for job, name in zip(taken[:2], ("compile", "docs")):
            self.assertEqual((job["job_info"]["name"], job["dependencies"]), (name, []))
            self.assertEqual(self.client.upload(job, archive(**{name: name}), f"{name}.zip").status, 201)
            self.assertEqual(self.client.end(job, "success"), 200)
        lint = self.client.job()
        self.assertEqual([one["name"] for one in lint["dependencies"]], ["compile", "docs"])
        self.assertEqual(self.client.end(lint, "failed", failure_reason="script_failure", exit_code=3), 200)
        slow = taken[2]
        self.assertEqual(self.client.send_all(slow, b"starting\n"), "running")
        pipeline.job("slow").cancel()
        self.assertEqual(self.client.send(slow, b"more\n", 9).headers["Job-Status"], "canceling")
        self.assertEqual(self.client.say(slow, "running").headers["Job-Status"], "canceling")
        self.assertEqual(self.client.end(slow, "failed", b"starting\nmore\n", failure_reason="job_canceled"), 200)
        loud = self.client.job()
        for dependency in loud["dependencies"]:
            content = self.client.download(dependency).body
            self.assertEqual(len(content), dependency["artifacts_file"]["size"])
            self.assertEqual(zipfile.ZipFile(io.BytesIO(content)).read(dependency["name"]).decode(), dependency["name"])
        log = b"a line of the log, and another one\n" * 600_000
        self.assertGreater(len(log), 20_000_000)
        self.client.send_all(loud, log)
        self.assertEqual(self.client.end(loud, "success", log), 200)
        self.assertEqual({job.name: job.status for job in pipeline.wait_over().jobs}, {
            "compile": "success", "docs": "success", "lint": "failed", "slow": "canceled", "loud": "success"})
        self.assertEqual(bytes(pipeline.job("loud").trace), log)
        self.assertEqual(pipeline.job("lint").exit_code, 3)

    def test_what_a_job_is(self):
        _, mine = self.one(script=["make"], after_script=["rm -r out"], variables={"KEY": "k", "PEM": "p", "MODE": "m"}, masked=["KEY"],
                           files=["PEM"], image="bulkhead/debian", timeout=60)
        known = {one["key"]: one for one in mine["variables"]}
        self.assertEqual([(known[name]["masked"], known[name]["file"], known[name]["public"]) for name in ("KEY", "PEM", "MODE")],
                         [(True, False, False), (False, True, True), (False, False, True)])
        self.assertEqual((known["CI_JOB_TOKEN"]["value"], known["CI_JOB_TOKEN"]["masked"]), (mine["token"], True))
        self.assertEqual([(step["name"], step["script"], step["when"]) for step in mine["steps"]],
                         [("script", ["make"], "on_success"), ("after_script", ["rm -r out"], "always")])
        self.assertEqual((mine["image"]["name"], mine["runner_info"]["timeout"]), ("bulkhead/debian", 60))
        self.assertEqual(mine["git_info"]["sha"], self.repository.resolve("main"))

    def test_failure_skips_what_waits(self):
        pipeline = self.pipeline(Job("a", stage="one", tags=["bulkhead"]), Job("b", stage="two", tags=["bulkhead"]))
        self.client.end(self.client.job(), "failed", failure_reason="script_failure")
        self.assertEqual(([job.status for job in pipeline.jobs], pipeline.status), (["failed", "skipped"], "failed"))

    def test_requests_that_are_refused(self):
        self.assertEqual(self.client.ask(token="glrt-nobody").status, 403)
        for system_id in ("", "r_", "x_abcdefABCDEF", "r_abcdefABCDE", "r_abcdefABCDEFG", "s_abcdefABCDE-", 7):
            self.assertEqual(self.client.ask(system_id=system_id).status, 400, system_id)
        self.assertEqual(self.client.ask(system_id="s_abcdefABCDEF").status, 204)
        for info in ({"features": {"refspec": True}}, {"features": {"refspecs": 1}}, {"features": []}, {"nick": "x"}, None):
            self.assertEqual(self.client.ask(info=info).status, 400, info)
        self.assertEqual(self.client.ask(info={"features": {"two_phase_job_commit": True}}).status, 400)
        body = {"info": self.client.info, "token": self.client.token, "system_id": self.client.system_id}
        self.assertEqual(call(self.forge, "POST", f"{API}/jobs/request", body | {"systemid": "x"}).status, 400)
        self.assertEqual(call(self.forge, "POST", f"{API}/jobs/request", body, RUNNER_TOKEN="glrt-another").status, 403)
        self.assertEqual(call(self.forge, "POST", f"{API}/jobs/request", body, Content_Type="text/plain").status, 415)
        self.assertEqual(call(self.forge, "GET", f"{API}/jobs/request").status, 405)

    def test_who_gets_what(self):
        tagged, untagged = Job("tagged", tags=["bulkhead", "gpu"]), Job("untagged")
        self.pipeline(tagged, untagged)
        self.assertIsNone(self.client.job(), "neither has only our tag")
        self.runner.tag_list.append("gpu")
        self.forge.tick()
        self.assertEqual(self.client.job()["job_info"]["name"], "tagged")
        self.runner.paused, self.runner.run_untagged = True, True
        self.assertIsNone(self.client.job())
        self.runner.paused = False
        self.forge.tick()
        self.assertEqual(self.client.job()["job_info"]["name"], "untagged")

    def test_missing_features_drop_a_job(self):
        self.repository.commit({"README.md": "better\n"}, branch="patch-1")
        change = self.forge.merge_request(self.project, self.ada, "patch-1")
        blind = RunnerClient(self.forge, self.runner.token, features=MINE - {"refspecs"})
        pipeline = self.pipeline(Job("mr", tags=["bulkhead"]), change=change)
        self.assertIsNone(blind.job())
        self.assertEqual((pipeline.jobs[0].status, pipeline.jobs[0].failure_reason), ("failed", "runner_unsupported"))
        self.pipeline(Job("mr", tags=["bulkhead"]), change=change)
        git = self.client.job()["git_info"]
        self.assertEqual((git["ref"], git["sha"]), ("refs/merge-requests/1/head", change.sha))

    def test_long_poll(self):
        self.forge.long_poll = 60
        self.assertEqual(self.client.ask().status, 204)
        known, replies = self.client.last_update, []
        self.assertTrue(known)
        asking = threading.Thread(target=lambda: replies.append(self.client.ask().status))
        asking.start()
        self.forge.journal.wait("POST", "*/jobs/request", count=2, answered=False)
        self.pipeline(Job("late", tags=["bulkhead"]))
        asking.join(30)
        self.assertEqual(replies, [201])
        self.forge.long_poll = 0.05
        self.client.last_update = self.forge.update
        self.assertEqual(self.client.ask().headers["X-GitLab-Last-Update"], self.forge.update)

    def test_conflict_and_recovery(self):
        self.pipeline(Job("x", tags=["bulkhead"]))
        self.forge.faults.next("POST", "*/jobs/request", faults.status(409)).next("POST", "*/jobs/request", faults.status(503))
        self.assertEqual([self.client.ask().status for _ in range(3)], [409, 503, 201])

    def test_trace(self):
        job, mine = self.one()
        first = self.client.send(mine, b"hello ", 0)
        self.assertEqual((first.status, first.headers["Range"], first.headers["Job-Status"]), (202, "0-6", "running"))
        self.assertEqual(first.headers["X-GitLab-Trace-Update-Interval"], "3")
        for start, data in ((0, b"hello "), (5, b"world"), (7, b"world")):
            refused = self.client.send(mine, data, start)
            self.assertEqual((refused.status, refused.headers["Range"]), (416, "0-6"), start)
        for span, status in (("6-11", 416), ("6-9", 416), ("bytes 6-10/11", 400), ("6-10/11", 400), ("06-10", 400), ("-10", 400),
                             (None, 400)):
            self.assertEqual(self.client.send(mine, b"world", 6, Content_Range=span).status, status, span)
        for kind in ("application/json", "application/octet-stream", None):
            self.assertEqual(self.client.send(mine, b"world", 6, Content_Type=kind).status, 415, kind)
        for token in ("glcbt-64_x", self.client.token, None):
            self.assertEqual(self.client.send(mine, b"world", 6, Job_Token=token).status, 403, token)
        self.assertEqual(self.client.send({"id": 1, "token": "x"}, b"world", 6).status, 403, "unknown is forbidden")
        self.assertEqual(self.client.send(mine, b"world", 6).status, 202)
        self.assertEqual(bytes(job.trace), b"hello world")
        self.assertEqual(job.patches, [(0, 6), (6, 5)])

    def test_a_trace_has_an_end(self):
        self.forge.trace_limit, self.forge.patch_limit = 10, 8
        job, mine = self.one()
        self.assertEqual(self.client.send(mine, b"123456789", 0).status, 413)
        self.assertEqual(self.client.send(mine, b"12345678", 0).status, 202)
        over = self.client.send(mine, b"123", 8)
        self.assertEqual((over.status, over.headers["Job-Status"], job.failure_reason), (403, "failed", "trace_size_exceeded"))

    def test_lost_answer_is_found_by_its_range(self):
        _, mine = self.one()
        self.forge.faults.next("PATCH", "*/trace", faults.lost())
        with self.assertRaises(ConnectionError):
            self.client.send(mine, b"hello", 0)
        self.assertEqual(self.client.send(mine, b"hello", 0).headers["Range"], "0-5")

    def test_the_end_needs_the_whole_trace(self):
        job, mine = self.one()
        self.client.send_all(mine, b"hello")
        self.assertEqual(self.client.say(mine, "success", b"hell0").status, 412)
        self.assertEqual(self.client.send(mine, b"!", 5).headers["Range"], "0-0", "from the start again")
        self.client.send_all(mine, b"hell0")
        self.assertEqual(self.client.say(mine, "success").status, 400)
        self.assertEqual(self.client.say(mine, "success", output={"checksum": "crc32:0", "bytesize": 5}).status, 400)
        self.assertEqual(self.client.say(mine, "success", b"hell0").status, 200)
        self.assertEqual(job.history, ["created", "pending", "running", "success"])
        again = self.client.say(mine, "success", b"hell0")
        self.assertEqual((again.status, again.headers["Job-Status"]), (403, "success"), "it runs no more")

    def test_accepted_is_not_done(self):
        self.forge.persisting = 2
        job, mine = self.one()
        self.client.send_all(mine, b"x")
        self.assertEqual([self.client.say(mine, "success", b"x").status, job.status], [202, "running"])
        self.assertEqual(self.client.say(mine, "failed", b"x", failure_reason="script_failure").status, 409, "another end")
        self.assertEqual([self.client.say(mine, "success", b"x").status for _ in range(2)], [202, 200])

    def test_reasons_are_the_jobs(self):
        _, mine = self.one(failure_reasons=["unknown_failure", "script_failure"])
        self.assertEqual(mine["features"]["failure_reasons"], ["unknown_failure", "script_failure"])
        for state, fields in (("failed", {"failure_reason": "image_pull_failure"}), ("failed", {"failure_reason": "nonsense"}),
                              ("success", {"failure_reason": "script_failure"}), ("success", {"exit_code": 1}), ("canceled", {}),
                              ("failed", {"exit_code": "1"}), ("failed", {"exitCode": 1}), ("pending", {})):
            self.assertEqual(self.client.say(mine, state, b"", **fields).status, 400, (state, fields))
        self.assertEqual(self.client.say(mine | {"token": "x"}, "failed", b"").status, 403)
        self.assertEqual(self.client.say(mine, "failed", b"", failure_reason="script_failure", exit_code=1).status, 200)

    def test_cancel(self):
        rude = RunnerClient(self.forge, self.runner.token, features=MINE - {"cancel_gracefully"})
        pipeline = self.pipeline(Job("x", tags=["bulkhead"]), Job("y", tags=["bulkhead"]))
        mine = rude.job()
        pipeline.job("x").cancel()
        for reply in (rude.send(mine, b"x", 0), rude.say(mine, "running"), rude.upload(mine, archive(x="x"))):
            self.assertEqual((reply.status, reply.headers["Job-Status"]), (403, "canceled"))
        mine = self.client.job()
        token = self.forge.token(self.ada, "api")
        path = f"{API}/projects/{self.project.id}/jobs/{mine['id']}/cancel"
        self.assertEqual(call(self.forge, "POST", path, PRIVATE_TOKEN=token).status, 201)
        self.assertEqual(self.client.say(mine, "running").headers["Job-Status"], "canceling")
        pipeline.job("y").cancel_hard()
        self.assertEqual(self.client.say(mine, "running").status, 403)
        self.assertEqual(call(self.forge, "POST", path, PRIVATE_TOKEN=token).status, 403)


if __name__ == "__main__":
    unittest.main()
