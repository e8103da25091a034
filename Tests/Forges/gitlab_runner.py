"""GitLab's runner protocol: ask for a job, send its log, its files and its end."""

import re
import secrets
import zlib

from . import fields
from .gitlab_jobs import REASONS
from .gitlab_rest import API
from .gitlab_runners import INFO, SYSTEM_ID, Runners
from .multipart import parts
from .request import Answer, Refused
from .server import route

REQUEST = {"info": INFO, "token": fields.text(), "system_id": SYSTEM_ID, "last_update?": fields.text(256),
           "session?": fields.mapped(url_=fields.text(), certificate_=fields.text(), authorization_=fields.text()),
           "job_age?": fields.number()}
UPDATE = {"token": fields.text(), "info?": INFO, "state": fields.text(one_of=("pending", "running", "success", "failed")),
          "failure_reason?": fields.text(64), "checksum?": fields.text(64), "exit_code?": fields.number(-255, 1 << 32),
          "output?": fields.mapped(checksum=fields.text(like="crc32:[0-9a-f]{8}"), bytesize=fields.number())}
KINDS = ("archive", "metadata", "trace", "junit", "dotenv", "codequality", "sast", "cobertura", "terraform", "raw")
FORMATS = {"zip": b"PK", "gzip": b"\x1f\x8b", "raw": b""}


class Protocol(Runners):
    # Seconds for which a runner that has heard of everything is kept waiting.
    long_poll = 2
    # What runners are asked to leave between two updates, in seconds.
    update_interval = 3
    # The most that a log may have, and one patch of it, and an artifact.
    trace_limit, patch_limit, artifact_limit = 64 << 20, 1 << 20, 128 << 20
    # How often the end of a job is only accepted before it is final: GitLab is still writing the log to its store.
    persisting = 0
    # A Store: downloads are then sent there if the runner has asked for that.
    store = None

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.update = secrets.token_hex(8)

    def tick(self):
        self.update = secrets.token_hex(8)

    @route("POST", f"{API}/jobs/request")
    def request_job(self, request):
        asked = fields.read(request.json(), REQUEST)
        runner = self.known_runner(request, asked)
        if asked["info"].get("features", {}).get("two_phase_job_commit"):
            raise Refused(400, {"error": "two_phase_job_commit is not supported here"})
        runner.manager = asked["system_id"]
        runner.managers[runner.manager] = asked["info"]
        known = asked.get("last_update")
        if known and known == self.update and not self.wait(lambda: self.update != known, self.long_poll):
            return Answer(204, X_GitLab_Last_Update=known)
        update = self.update
        for job in self.jobs():
            if job.status != "pending" or not runner.may_run(job):
                continue
            if not all(runner.features.get(feature) for feature in job.required):
                job.become("failed", "runner_unsupported")
                continue
            job.runner = runner
            job.become("running")
            return Answer.of(job.document(), 201)
        return Answer(204, X_GitLab_Last_Update=update)

    def job_of(self, request, token=None, running=True):
        """The job of the path, if the token is its own. One that is unknown is forbidden, not missing: a runner ends its job at
        a 403, while anything on the way can answer 404."""
        wanted = request.arguments["job"]
        job = next((job for job in self.jobs() if str(job.id) == wanted), None)
        header = request.header("JOB-TOKEN")
        if token is not None and header is not None and header != token:
            raise Refused(403)
        given = token or header or ""
        if job is None or not secrets.compare_digest(job.token.encode(), given.encode()):
            raise Refused(403)
        if running and job.status not in ("running", "canceling"):
            raise Refused(403, "403 Forbidden - Job is not processing on runner", Job_Status=job.status)
        return job

    @route("PATCH", f"{API}/jobs/:job/trace")
    def patch_trace(self, request):
        request.content_type("text/plain")
        request.asked("debug_trace")
        job = self.job_of(request)
        span = request.header("Content-Range")
        if span is None:
            raise Refused(400, "400 Missing header Content-Range")
        match = re.fullmatch(r"(0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})", span)
        if not match:
            raise Refused(400, "400 Content-Range is malformed")
        if len(request.body) > self.patch_limit:
            raise Refused(413)
        first, last = int(match[1]), int(match[2])
        if first != len(job.trace) or last != first + len(request.body) - 1:
            raise Refused(416, Range=f"0-{len(job.trace)}")
        if last >= self.trace_limit:
            job.become("failed", "trace_size_exceeded")
            raise Refused(403, Job_Status=job.status)
        job.trace += request.body
        job.patches.append((first, len(request.body)))
        return Answer(202, b"202", "text/plain", Job_Status=job.status, Range=f"0-{len(job.trace)}",
                      X_GitLab_Trace_Update_Interval=str(self.update_interval))

    @route("PUT", f"{API}/jobs/:job")
    def put_job(self, request):
        said = fields.read(request.json(), UPDATE)
        job = self.job_of(request, said["token"])
        headers = {"X_GitLab_Trace_Update_Interval": str(self.update_interval)}
        state, reason = said["state"], said.get("failure_reason")
        if state == "pending":
            raise Refused(400, "400 Bad request - the job is no longer pending")
        if state != "failed" and (reason or "exit_code" in said and said["exit_code"]):
            raise Refused(400, {"error": "failure_reason is for what has failed"})
        if reason and reason not in job.failure_reasons or reason and reason not in REASONS:
            raise Refused(400, {"error": "failure_reason does not have a valid value"})
        if state == "running":
            return Answer(200, b"200", "text/plain", Job_Status=job.status, **headers)
        if "output" not in said:
            raise Refused(400, {"error": "output is missing"})
        if job.accepted not in (None, said):
            raise Refused(409, "409 Conflict - this job has been said to end in another way")
        if said["output"] != {"checksum": f"crc32:{zlib.crc32(job.trace):08x}", "bytesize": len(job.trace)}:
            # From the start again; what is here is not what the runner has.
            job.trace.clear()
            raise Refused(412, "412 Precondition Failed - the trace is another one", Job_Status=job.status)
        job.accepted, job.waits = said, job.waits + 1
        if job.waits <= self.persisting:
            return Answer(202, b"202", "text/plain", Job_Status=job.status, **headers)
        job.exit_code = said.get("exit_code")
        job.become("canceled" if job.status == "canceling" else state, reason if state == "failed" else None)
        return Answer(200, b"200", "text/plain", Job_Status=job.status, **headers)

    @route("POST", f"{API}/jobs/:job/artifacts")
    def upload(self, request):
        job = self.job_of(request)
        found = parts(request)
        asked = request.asked("artifact_format", "artifact_type", "expire_in")
        if len(request.body) > self.artifact_limit:
            raise Refused(413, "413 Request Entity Too Large")
        for name, (file, content) in found.items():
            if name not in ("file", "metadata") and file is None:
                asked.setdefault(name, content.decode())
        kind, form = asked.get("artifact_type", "archive"), asked.get("artifact_format", "zip")
        if kind not in KINDS or form not in FORMATS or set(asked) - {"artifact_format", "artifact_type", "expire_in"}:
            raise Refused(400, {"error": "artifact_type or artifact_format does not have a valid value"})
        if "file" not in found or found["file"][0] is None:
            raise Refused(400, {"error": "file is missing"})
        if not found["file"][1].startswith(FORMATS[form]):
            raise Refused(400, f"400 Bad request - the file is not {form}")
        if kind in job.uploads and job.uploads[kind] != found["file"]:
            # The same file once more is how a lost answer is made good.
            raise Refused(400, "400 Bad request - another artifact of the same type already exists")
        job.uploads[kind] = found["file"]
        return Answer(201, b"201", "text/plain")

    @route("GET", f"{API}/jobs/:job/artifacts")
    def download(self, request):
        asked, given = request.asked("direct_download"), request.header("JOB-TOKEN", "")
        wanted = next((job for job in self.jobs() if str(job.id) == request.arguments["job"]), None)
        # With its own token, as `dependencies` has it, or with that of a running job that comes after it.
        readers = [wanted, *(job for job in self.jobs() if job.status == "running" and wanted in job.before)] if wanted else []
        if not any(secrets.compare_digest(job.token.encode(), given.encode()) for job in readers):
            raise Refused(403)
        if "archive" not in wanted.uploads:
            raise Refused(404)
        name, content = wanted.uploads["archive"]
        if asked.get("direct_download") == "true" and self.store:
            return Answer(302, Location=self.store.put(name, content))
        return Answer(200, content, "application/zip", Content_Disposition=f'attachment; filename="{name}"')
