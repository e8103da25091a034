"""Pipelines and their jobs as the double of GitLab has them: stages, dependencies, artifacts, and the document that a runner is given.

    GitLab.pipeline(project, "main", [Job("build", stage="build", artifacts=["out/"]), Job("test", needs=["build"])])"""

import dataclasses
import secrets

REASONS = ["unknown_failure", "script_failure", "runner_system_failure", "job_execution_timeout", "image_pull_failure",
           "runner_configuration_error", "runner_external_dependency_failure", "runner_interrupted", "job_canceled"]
OVER = ("success", "failed", "canceled", "skipped")
# What a job cannot be run without: GitLab drops it as `runner_unsupported` if the runner that asks does not claim it.
ALWAYS = {"variables", "raw_variables"}


@dataclasses.dataclass(eq=False)
class Job:
    """What a test says of a job; the rest is filled in when the pipeline is made."""
    name: str
    script: list = dataclasses.field(default_factory=lambda: ["true"])
    stage: str = "test"
    tags: list = dataclasses.field(default_factory=list)
    image: str = "bulkhead/busybox"
    variables: dict = dataclasses.field(default_factory=dict)
    # Names of variables whose values have to be masked, and of those that are files.
    masked: list = dataclasses.field(default_factory=list)
    files: list = dataclasses.field(default_factory=list)
    # Paths to keep; the archive goes to all later stages, or to those who name this job in `needs`.
    artifacts: list = dataclasses.field(default_factory=list)
    # Jobs before this one; None: all of the earlier stages.
    needs: list | None = None
    allow_failure: bool = False
    timeout: int = 3600
    failure_reasons: list = dataclasses.field(default_factory=lambda: list(REASONS))
    # Features that this job cannot be run without, besides those that its parts ask for.
    features: set = dataclasses.field(default_factory=set)
    after_script: list = dataclasses.field(default_factory=list)

    def enter(self, pipeline, id):
        self.pipeline, self.id = pipeline, id
        self.token = f"glcbt-64_{secrets.token_urlsafe(15)}"
        self.status, self.failure_reason, self.exit_code = "created", None, None
        self.runner = None
        self.trace = bytearray()
        # (artifact type) -> (file name, content)
        self.uploads = {}
        # The last of the runner's words that was accepted but is not yet final, and how often.
        self.accepted = None
        self.waits = 0
        # Each patch's first byte and length, in the order in which they were taken.
        self.patches = []
        self.history = ["created"]

    def become(self, status, reason=None):
        self.status, self.failure_reason = status, reason
        self.history.append(status)
        if status == "pending":
            self.pipeline.forge.tick()
        self.pipeline.advance()

    @property
    def project(self):
        return self.pipeline.project

    @property
    def is_over(self):
        return self.status in OVER

    @property
    def before(self):
        """The jobs that have to be over before this one begins."""
        jobs = self.pipeline.jobs
        if self.needs is not None:
            return [job for job in jobs if job.name in self.needs]
        stages = self.pipeline.stages
        return [job for job in jobs if stages.index(job.stage) < stages.index(self.stage)]

    @property
    def required(self):
        wanted = ALWAYS | self.features
        if self.pipeline.change:
            wanted = wanted | {"refspecs"}
        if self.artifacts:
            wanted = wanted | {"artifacts", "upload_multiple_artifacts"}
        return wanted

    def cancel(self):
        """By a person. A runner that can end gracefully is told `canceling` and may still run the last scripts."""
        with self.pipeline.forge.changed:
            graceful = self.status == "running" and self.runner.features.get("cancel_gracefully")
            if not self.is_over:
                self.become("canceling" if graceful else "canceled")
            self.pipeline.forge.changed.notify_all()

    def cancel_hard(self):
        """Again, by somebody who will not wait."""
        with self.pipeline.forge.changed:
            self.become("canceled")
            self.pipeline.forge.changed.notify_all()

    def summary(self):
        """As REST shows it."""
        forge, pipeline = self.pipeline.forge, self.pipeline
        runner = self.runner.manager and {"id": self.runner.id, "description": self.runner.description, "active": True,
                                          "is_shared": False, "runner_type": self.runner.kind} if self.runner else None
        return {"id": self.id, "status": self.status, "stage": self.stage, "name": self.name, "ref": pipeline.ref, "tag": pipeline.is_tag,
                "tag_list": self.tags, "allow_failure": self.allow_failure, "created_at": pipeline.created, "started_at": None,
                "finished_at": None, "duration": None, "queued_duration": 0.2, "failure_reason": self.failure_reason, "coverage": None,
                "pipeline": {"id": pipeline.id, "project_id": self.project.id, "ref": pipeline.ref, "sha": pipeline.sha,
                             "status": pipeline.status},
                "project": {"ci_job_token_scope_enabled": True}, "runner": runner, "user": forge.user(pipeline.person),
                "web_url": f"{forge.url}/{self.project.path}/-/jobs/{self.id}", "artifacts": []}

    def document(self):
        """As a runner gets it."""
        pipeline, project = self.pipeline, self.project
        known = {"CI": "true", "CI_JOB_ID": str(self.id), "CI_JOB_NAME": self.name, "CI_JOB_STAGE": self.stage,
                 "CI_PIPELINE_ID": str(pipeline.id), "CI_PROJECT_PATH": project.path, "CI_COMMIT_SHA": pipeline.sha,
                 "CI_COMMIT_REF_NAME": pipeline.ref, "CI_JOB_TOKEN": self.token} | self.variables
        secret = {"CI_JOB_TOKEN", *self.masked}
        kept = [job for job in self.before if "archive" in job.uploads]
        steps = [{"name": "script", "script": self.script, "timeout": self.timeout, "when": "on_success", "allow_failure": False}]
        if self.after_script:
            steps.append({"name": "after_script", "script": self.after_script, "timeout": 300, "when": "always", "allow_failure": True})
        reference = f"refs/merge-requests/{pipeline.change.iid}/head" if pipeline.change else None
        git = {"repo_url": f"{pipeline.forge.url.replace('://', f'://gitlab-ci-token:{self.token}@')}/{project.path}.git",
               "repo_object_format": "sha1", "ref": reference or pipeline.ref, "sha": pipeline.sha, "before_sha": "0" * 40,
               "ref_type": "tag" if pipeline.is_tag else "branch", "depth": 20, "protected": pipeline.ref in project.protected,
               "refspecs": [f"+{pipeline.sha}:refs/pipelines/{pipeline.id}",
                            *([f"+refs/heads/{pipeline.ref}*:refs/remotes/origin/{pipeline.ref}*"] if not pipeline.change else [])]}
        return {
            "id": self.id, "token": self.token, "allow_git_fetch": True,
            "job_info": {"name": self.name, "stage": self.stage, "pipeline_id": pipeline.id, "project_id": project.id,
                         "project_name": project.path.rpartition("/")[2], "project_full_path": project.path, "namespace_id": 3,
                         "root_namespace_id": 3, "organization_id": 1, "instance_id": "d0ub1e", "instance_uuid": "d0ub1e",
                         "user_id": pipeline.person.id, "time_in_queue_seconds": 0.25,
                         "project_jobs_running_on_instance_runners_count": "0", "queue_size": 0, "queue_depth": 0},
            "git_info": git, "runner_info": {"uuid": f"d0ub1e-{self.runner.id}", "timeout": self.timeout}, "inputs": [],
            "variables": [{"key": key, "value": value, "public": key not in secret, "file": key in self.files,
                           "masked": key in secret, "raw": False} for key, value in known.items()],
            "steps": steps, "image": {"name": self.image, "entrypoint": None, "ports": [], "pull_policy": None, "executor_opts": {}},
            "services": [], "cache": [], "credentials": [], "secrets": {}, "hooks": [], "run": "",
            "artifacts": [{"name": self.name, "untracked": False, "paths": self.artifacts, "exclude": [], "when": "on_success",
                           "artifact_type": "archive", "artifact_format": "zip", "expire_in": "30 days"}] if self.artifacts else None,
            "dependencies": [{"id": job.id, "name": job.name, "token": job.token,
                              "artifacts_file": {"filename": job.uploads["archive"][0], "size": len(job.uploads["archive"][1])}}
                             for job in kept],
            "features": {"trace_sections": True, "token_mask_prefixes": ["glpat-", "glcbt-"], "failure_reasons": self.failure_reasons}}


class Pipeline:
    def __init__(self, forge, project, ref, jobs, person, change=None, is_tag=False):
        self.forge, self.project, self.ref, self.jobs, self.person = forge, project, ref, jobs, person
        self.change, self.is_tag = change, is_tag
        self.id = forge.next() + 2300
        self.sha = change.sha if change else project.repository.resolve(ref)
        self.created = forge.stamp()
        project.repository.git("update-ref", f"refs/pipelines/{self.id}", self.sha)
        self.stages = list(dict.fromkeys(job.stage for job in jobs))
        for job in jobs:
            job.enter(self, forge.next() + 1900)
        self.advance()

    def advance(self):
        """What waits and need wait no longer becomes pending; what waits for something that failed is skipped."""
        for job in self.jobs:
            if job.status != "created" or not all(one.is_over for one in job.before):
                continue
            good = all(one.status == "success" or one.status == "failed" and one.allow_failure for one in job.before)
            job.become("pending" if good else "skipped")

    @property
    def status(self):
        states = {job.status for job in self.jobs if not (job.status == "failed" and job.allow_failure)}
        for state in ("running", "canceling", "pending", "created"):
            if state in states:
                return "running" if state == "created" else state
        return next((state for state in ("failed", "canceled") if state in states), "success")

    def job(self, name):
        return next(job for job in self.jobs if job.name == name)

    def wait(self, condition, seconds=60):
        """For a test: until the condition holds. The time bounds, it does not measure."""
        with self.forge.changed:
            if not self.forge.changed.wait_for(condition, seconds):
                raise AssertionError(f"waited {seconds} s in vain: " + ", ".join(f"{job.name} {job.history}" for job in self.jobs))
        return self

    def wait_over(self, seconds=60):
        return self.wait(lambda: all(job.is_over for job in self.jobs), seconds)
