"""A runner that speaks GitLab's protocol as it has to be spoken; a test makes its mistakes by hand."""

import io
import time
import unittest
import zipfile
import zlib

from .client import call, form
from .gitlab import MAINTAINER, GitLab
from .gitlab_jobs import Job
from .gitlab_runners import FEATURES
from .repositories import Repository

API = "/api/v4"
MINE = {"variables", "raw_variables", "image", "refspecs", "masking", "artifacts", "upload_multiple_artifacts", "trace_reset",
        "trace_checksum", "trace_size", "cancelable", "cancel_gracefully", "return_exit_code", "shared"}


class RunnerClient:
    def __init__(self, forge, token, system_id="r_abcdefABCDEF", features=MINE):
        self.forge, self.token, self.system_id = forge, token, system_id
        self.info = {"name": "bulkhead", "version": "1.0.0", "platform": "linux", "architecture": "amd64", "executor": "bulkhead",
                     "features": {name: name in features for name in FEATURES}}
        self.last_update = None

    def ask(self, **changes):
        body = {"info": self.info, "token": self.token, "system_id": self.system_id}
        if self.last_update:
            body["last_update"] = self.last_update
        reply = call(self.forge, "POST", f"{API}/jobs/request", body | changes)
        self.last_update = reply.headers.get("X-GitLab-Last-Update", self.last_update)
        return reply

    def job(self):
        """The next one, or None."""
        reply = self.ask()
        return reply.document if reply.status == 201 else None

    def send(self, job, data, first, **headers):
        return call(self.forge, "PATCH", f"{API}/jobs/{job['id']}/trace?debug_trace=false", body=data, **{
            "Job_Token": job["token"], "Content_Type": "text/plain", "Content_Range": f"{first}-{first + len(data) - 1}"} | headers)

    def send_all(self, job, log, size=1 << 20):
        """Returns the last Job-Status that was said."""
        status = None
        for first in range(0, len(log), size):
            reply = self.send(job, log[first:first + size], first)
            if reply.status != 202:
                raise AssertionError(f"{reply.status} at {first}: {reply.body}")
            status = reply.headers["Job-Status"]
        return status

    def say(self, job, state, log=None, **fields):
        body = {"token": job["token"], "info": self.info, "state": state} | fields
        if log is not None:
            body["output"] = {"checksum": f"crc32:{zlib.crc32(log):08x}", "bytesize": len(log)}
        return call(self.forge, "PUT", f"{API}/jobs/{job['id']}", body)

    def end(self, job, state, log=b"", **fields):
        """Until it is final."""
        while (reply := self.say(job, state, log, **fields)).status == 202:
            time.sleep(0.01)
        return reply.status

    def upload(self, job, content, name="archive.zip", query="artifact_format=zip&artifact_type=archive&expire_in=30+days", **headers):
        body, kind = form(("file", name, content))
        return call(self.forge, "POST", f"{API}/jobs/{job['id']}/artifacts?{query}", body=body,
                    **{"Job_Token": job["token"], "Content_Type": kind} | headers)

    def download(self, dependency, direct=False, token=None):
        return call(self.forge, "GET", f"{API}/jobs/{dependency['id']}/artifacts" + ("?direct_download=true" if direct else ""),
                    Job_Token=token or dependency["token"])


def archive(**files):
    """A zip of them, as artifacts are; the same bytes at any time of the day."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name), content)
    return kept.getvalue()


class Paired(unittest.TestCase):
    """A forge with one project, and a runner of it."""

    def setUp(self):
        self.forge = self.enterContext(GitLab())
        self.repository = self.enterContext(Repository({"README.md": "ship\n"}))
        self.ada = self.forge.person("ada")
        self.project = self.forge.project("harbour/yard/ship", self.repository, ada=MAINTAINER)
        self.runner = self.forge.make_runner("project_type", self.project, tag_list=["bulkhead"])
        self.client = RunnerClient(self.forge, self.runner.token)

    def pipeline(self, *jobs, **options):
        return self.forge.pipeline(self.project, "main", list(jobs), self.ada, **options)

    def one(self, **about):
        """A pipeline of one job, and the job as the runner got it."""
        pipeline = self.pipeline(Job("only", tags=["bulkhead"], **about))
        return pipeline.jobs[0], self.client.job()
