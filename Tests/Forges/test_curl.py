"""The doubles and curl, which is what courierd speaks with: over TLS, with large bodies, and with redirects to another host."""

import subprocess
import unittest

from . import faults
from .authority import Authority
from .gitlab import MAINTAINER, GitLab
from .gitlab_jobs import Job
from .repositories import Repository
from .runner_client import Paired, RunnerClient, archive
from .store import Store


def curl(*arguments, stdin=None):
    """Status and body, or curl's own error as a negative number."""
    done = subprocess.run(["curl", "--silent", "--max-time", "30", "--write-out", "\\n%{http_code}", *arguments], input=stdin,
                          capture_output=True)
    body, _, status = done.stdout.rpartition(b"\n")
    return (-done.returncode if done.returncode else int(status)), body


class Curl(Paired):
    def test_over_tls_with_large_pieces(self):
        with Authority() as authority, GitLab(authority) as forge, Repository({"README.md": "ship\n"}) as repository:
            ada = forge.person("ada")
            project = forge.project("harbour/ship", repository, ada=MAINTAINER)
            pipeline = forge.pipeline(project, "main", [Job("only", tags=["bulkhead"])], ada)
            job, piece = pipeline.jobs[0], b"x" * (1 << 20)
            job.runner = forge.make_runner("project_type", project, tag_list=["bulkhead"])
            job.become("running")

            def patch(first, *options):
                return curl(*options, "--request", "PATCH", "--header", f"JOB-TOKEN: {job.token}", "--header", "Content-Type: text/plain",
                            "--header", f"Content-Range: {first}-{first + len(piece) - 1}", "--header", "Expect: 100-continue",
                            "--data-binary", "@-", f"{forge.url}/api/v4/jobs/{job.id}/trace?debug_trace=false", stdin=piece)

            trusted = ("--cacert", str(authority.certificate))
            self.assertEqual(patch(0), (-60, b""), "nobody trusts this authority by itself")
            self.assertEqual(patch(0, *trusted), (202, b"202"))
            self.assertEqual(patch(0, *trusted)[0], 416)
            self.assertEqual(patch(1 << 20, *trusted)[0], 202)
            self.assertEqual(bytes(job.trace), piece * 2)

    def test_multipart_is_curls(self):
        job, mine = self.one(artifacts=["out/"])
        content = archive(x="x")
        self.assertEqual(curl("--header", f"JOB-TOKEN: {mine['token']}", "--form", "file=@-;filename=archive.zip",
                              f"{self.forge.url}/api/v4/jobs/{mine['id']}/artifacts?artifact_format=zip", stdin=content), (201, b"201"))
        self.assertEqual(job.uploads, {"archive": ("archive.zip", content)})

    def test_a_store_sees_who_leaks(self):
        """curl takes its own headers along to any host: who follows a redirect has to leave them behind."""
        store = self.enterContext(Store())
        self.forge.store = store
        _, mine = self.one(artifacts=["out/"])
        client = RunnerClient(self.forge, self.runner.token)
        client.upload(mine, archive(x="x"))
        url, token = f"{self.forge.url}/api/v4/jobs/{mine['id']}/artifacts?direct_download=true", f"JOB-TOKEN: {mine['token']}"
        self.assertEqual(curl("--location", "--header", token, url)[0], 400)
        self.assertEqual(store.leaks, ["JOB-TOKEN"])
        self.assertEqual(len(store.journal.holds(mine["token"])), 1)
        place = client.download(mine, direct=True).headers["Location"]
        self.assertEqual(curl(place), (200, archive(x="x")))
        self.assertEqual(store.leaks, ["JOB-TOKEN"])

    def test_faults_as_curl_sees_them(self):
        url = f"{self.forge.url}/api/v4/user"
        for fault, seen in ((faults.reset(), -56), (faults.lost(), -52), (faults.cut(1), -18), (faults.length(+3), -18),
                            (faults.raw(b"SSH-2.0\r\n"), -1), (faults.status(503), 503)):
            self.forge.faults.next("GET", "/api/v4/user", fault)
            self.assertEqual(curl(url)[0], seen)
        self.assertEqual(curl(url)[0], 401)


if __name__ == "__main__":
    unittest.main()
