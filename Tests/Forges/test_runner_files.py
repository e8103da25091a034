"""The files of jobs, and the tokens of runners, at the double of GitLab's runner protocol."""

import unittest

from .client import call
from .gitlab_jobs import Job
from .runner_client import API, Paired, archive
from .store import Store


class Files(Paired):
    def test_artifacts_refused(self):
        job, mine = self.one(artifacts=["out/"])
        good = archive(x="x")
        self.assertEqual(self.client.upload(mine, b"no zip").status, 400)
        self.assertEqual(self.client.upload(mine, good, query="artifact_format=rar").status, 400)
        self.assertEqual(self.client.upload(mine, good, Job_Token="x").status, 403)
        self.assertEqual(self.client.upload(mine, good, Content_Type="multipart/form-data").status, 400)
        self.assertEqual(self.client.upload(mine, good, Content_Type="multipart/form-data; boundary=other").status, 400)
        self.assertEqual(self.client.upload(mine, good, Content_Type="application/zip").status, 415)
        self.assertEqual(self.client.upload(mine, good, name="../x.zip").status, 400)
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.zip"\r\n\r\n' + good + b"\r\n"
        for body in (part + part + b"--b--\r\n", part, part + b"--b", b"x" + part + b"--b--", b"--b--"):
            reply = call(self.forge, "POST", f"{API}/jobs/{mine['id']}/artifacts", body=body, Job_Token=mine["token"],
                         Content_Type="multipart/form-data; boundary=b")
            self.assertEqual(reply.status, 400, body[-20:])
        self.assertEqual(self.client.upload(mine, good).status, 201)
        self.assertEqual(self.client.upload(mine, good).status, 201, "once more, after a lost answer")
        self.assertEqual(self.client.upload(mine, archive(x="y")).status, 400, "another one")
        self.forge.artifact_limit = 10
        self.assertEqual(self.client.upload(mine, good, query="artifact_type=metadata").status, 413)
        self.assertEqual(job.uploads["archive"], ("archive.zip", good))

    def test_downloads(self):
        with Store() as store:
            pipeline = self.pipeline(Job("a", stage="one", tags=["bulkhead"], artifacts=["o"]), Job("b", stage="two", tags=["bulkhead"]),
                                     Job("c", stage="two", tags=["bulkhead"], needs=[]))
            a, c = self.client.job(), self.client.job()
            self.assertEqual(self.client.download(a).status, 404)
            good = archive(x="x")
            self.client.upload(a, good)
            self.client.end(a, "success")
            b = self.client.job()
            self.assertEqual(self.client.download(b["dependencies"][0]).body, good)
            self.assertEqual(self.client.download(a, token=b["token"]).body, good, "by the job that comes after")
            self.assertEqual(self.client.download(a, token=c["token"]).status, 403, "by one that does not")
            self.forge.store = store
            self.assertEqual(self.client.download(a).status, 200)
            found = self.client.download(a, direct=True)
            self.assertEqual(found.status, 302)
            path = found.headers["Location"].removeprefix(store.url)
            self.assertEqual(call(store, "GET", path).body, good)
            self.assertEqual(call(store, "GET", path, Job_Token=a["token"]).status, 400)
            self.assertEqual(store.leaks, ["JOB-TOKEN"])
            self.assertEqual(call(store, "GET", path[:-1]).status, 403)
            store.clock.advance(301)
            self.assertEqual(call(store, "GET", path).status, 403)
            self.assertEqual(pipeline.status, "running")

    def test_runner_tokens(self):
        said = {"token": self.runner.token, "system_id": self.client.system_id}
        self.assertEqual(call(self.forge, "POST", f"{API}/runners/verify", said).status, 200)
        self.assertEqual(call(self.forge, "POST", f"{API}/runners/verify", said | {"token": "glrt-x"}).status, 403)
        self.assertEqual(call(self.forge, "POST", f"{API}/runners/verify", {"token": self.runner.token}).status, 400)
        rotated = call(self.forge, "POST", f"{API}/runners/reset_authentication_token", {"token": self.runner.token})
        self.assertEqual(rotated.status, 201)
        self.assertEqual(self.client.ask().status, 403, "the old one is dead")
        self.client.token = rotated.document["token"]
        self.assertEqual(self.client.ask().status, 204)
        manager = {"token": self.client.token, "system_id": self.client.system_id}
        self.assertEqual(call(self.forge, "DELETE", f"{API}/runners/managers", manager).status, 204)
        self.assertEqual(call(self.forge, "DELETE", f"{API}/runners/managers", manager).status, 404)
        self.assertEqual(call(self.forge, "DELETE", f"{API}/runners", {"token": self.client.token}).status, 204)
        self.assertEqual(self.client.ask().status, 403)


if __name__ == "__main__":
    unittest.main()
