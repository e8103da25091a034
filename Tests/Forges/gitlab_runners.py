"""Runners at the double of GitLab: made by a person with a token, known by `glrt-` tokens, seen by the managers that use them."""

import dataclasses
import secrets

from . import fields
from .gitlab_rest import API
from .gitlab_world import MAINTAINER, World
from .request import Answer, Refused
from .server import route

# Every feature that a runner can claim; an unknown name is a mistake.
FEATURES = """variables image services artifacts cache fallback_cache_keys shared upload_multiple_artifacts upload_raw_artifacts session
    terminal refspecs masking proxy raw_variables artifacts_exclude multi_build_steps trace_reset trace_checksum trace_size vault_secrets
    cancelable return_exit_code service_variables service_multiple_aliases image_executor_opts service_executor_opts cancel_gracefully
    native_steps_integration two_phase_job_commit job_inputs""".split()
# `s_` and twelve characters where the machine has a name of its own, `r_` where it was drawn.
SYSTEM_ID = fields.text(like=r"[sr]_[0-9A-Za-z]{12}")
SHORT = fields.text(255)
INFO = fields.mapped(
    name_=SHORT, version_=SHORT, revision_=SHORT, platform_=SHORT, architecture_=SHORT, executor_=SHORT, shell_=SHORT,
    features_=fields.mapped(**{f"{name}_": fields.flag for name in FEATURES}), config_=fields.mapped(gpus_=SHORT),
    labels_=lambda value, at: None)
SETTINGS = {"description?": fields.text(1024), "paused?": fields.flag, "locked?": fields.flag, "run_untagged?": fields.flag,
            "tag_list?": fields.listed(fields.text(255, 1), 50), "access_level?": fields.text(one_of=("not_protected", "ref_protected")),
            "maximum_timeout?": fields.number(600), "maintenance_note?": fields.text(1024)}


@dataclasses.dataclass(eq=False)
class Runner:
    id: int
    kind: str
    token: str
    project: object = None
    description: str = ""
    paused: bool = False
    locked: bool = False
    run_untagged: bool = False
    tag_list: list = dataclasses.field(default_factory=list)
    access_level: str = "not_protected"
    maximum_timeout: int | None = None
    maintenance_note: str = ""
    # (system id) -> what it last said of itself
    managers: dict = dataclasses.field(default_factory=dict)
    # Of the manager that asked last.
    manager: str | None = None

    @property
    def features(self):
        return self.managers.get(self.manager, {}).get("features", {})

    def may_run(self, job):
        if self.project and self.project is not job.project or self.paused:
            return False
        if self.access_level == "ref_protected" and job.pipeline.ref not in job.project.protected:
            return False
        return set(job.tags) <= set(self.tag_list) and bool(job.tags or self.run_untagged)

    def document(self):
        return {"id": self.id, "description": self.description, "active": not self.paused, "paused": self.paused, "is_shared": False,
                "runner_type": self.kind, "tag_list": self.tag_list, "run_untagged": self.run_untagged, "locked": self.locked,
                "access_level": self.access_level, "maximum_timeout": self.maximum_timeout, "online": bool(self.managers),
                "status": "online" if self.managers else "never_contacted"}


class Runners(World):
    # The old way in, which is off in GitLab since 17.0. A test that wants it sets the token.
    registration_token = None
    # ISO date that new runner tokens end at, or None.
    token_expires_at = None

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.runners = {}

    def make_runner(self, kind="instance_type", project=None, **settings):
        runner = Runner(self.next() + 40, kind, f"glrt-{secrets.token_hex(10)}", project, **settings)
        if not (runner.tag_list or runner.run_untagged):
            raise Refused(400, {"message": {"tags_list": ["can not be empty when runner is not allowed to pick untagged jobs"]}})
        self.runners[runner.id] = runner
        return runner

    def runner_of(self, token):
        return next((runner for runner in self.runners.values() if secrets.compare_digest(runner.token, token)), None)

    def known_runner(self, request, document):
        """By the token in the body; the header of the same name may say it again, and nothing else."""
        runner = self.runner_of(document["token"])
        if runner is None or request.header("RUNNER-TOKEN", runner.token) != runner.token:
            raise Refused(403)
        return runner

    def revealed(self, runner, status):
        return Answer.of({"id": runner.id, "token": runner.token, "token_expires_at": self.token_expires_at}, status)

    @route("POST", f"{API}/user/runners")
    def create(self, request):
        person = self.caller(request, "create_runner", "api")
        asked = fields.read(request.json(), SETTINGS | {
            "runner_type": fields.text(one_of=("instance_type", "group_type", "project_type")), "group_id?": fields.number(1),
            "project_id?": fields.number(1)})
        kind, settings, project = asked["runner_type"], {"run_untagged": True}, None
        if kind == "project_type":
            if "project_id" not in asked:
                raise Refused(400, {"error": "project_id is missing"})
            project = self.projects.get(asked["project_id"])
            if project is None or project.level(person) < MAINTAINER:
                raise Refused(403)
        elif person.id not in self.admins:
            raise Refused(403)
        settings |= {key: value for key, value in asked.items() if f"{key}?" in SETTINGS}
        return self.revealed(self.make_runner(kind, project, **settings), 201)

    @route("POST", f"{API}/runners")
    def register(self, request):
        asked = fields.read(request.json(), SETTINGS | {"token": fields.text(), "info?": INFO, "active?": fields.flag})
        if self.registration_token is None:
            raise Refused(410, "410 Gone - runner registration disallowed")
        if not secrets.compare_digest(asked["token"], self.registration_token):
            raise Refused(403)
        settings = {"run_untagged": True} | {key: value for key, value in asked.items() if f"{key}?" in SETTINGS}
        return self.revealed(self.make_runner(**settings), 201)

    @route("POST", f"{API}/runners/verify")
    def verify(self, request):
        asked = fields.read(request.json(), {"token": fields.text(), "system_id": SYSTEM_ID, "info?": INFO})
        runner = self.known_runner(request, asked)
        runner.managers.setdefault(asked["system_id"], asked.get("info", {}))
        return self.revealed(runner, 200)

    @route("POST", f"{API}/runners/reset_authentication_token")
    def rotate(self, request):
        runner = self.known_runner(request, fields.read(request.json(), {"token": fields.text()}))
        # The old one is dead at once; who loses this answer has lost the runner.
        runner.token = f"glrt-{secrets.token_hex(10)}"
        return Answer.of({"token": runner.token, "token_expires_at": self.token_expires_at}, 201)

    @route("DELETE", f"{API}/runners")
    def unregister(self, request):
        runner = self.known_runner(request, fields.read(request.json(), {"token": fields.text(), "system_id?": SYSTEM_ID}))
        del self.runners[runner.id]
        return Answer(204)

    @route("DELETE", f"{API}/runners/managers")
    def unregister_manager(self, request):
        asked = fields.read(request.json(), {"token": fields.text(), "system_id": SYSTEM_ID})
        runner = self.known_runner(request, asked)
        if runner.managers.pop(asked["system_id"], None) is None:
            raise Refused(404)
        return Answer(204)

    def own(self, request, *scopes):
        """A runner by its number, for somebody who may manage it."""
        person, wanted = self.caller(request, *scopes), request.arguments["runner"]
        runner = self.runners.get(int(wanted)) if wanted.isdecimal() else None
        if runner is None:
            raise Refused(404, "404 Runner Not Found")
        if person.id not in self.admins and not (runner.project and runner.project.level(person) >= MAINTAINER):
            raise Refused(403)
        return runner

    @route("GET", f"{API}/runners/:runner")
    def show_runner(self, request):
        return Answer.of(self.own(request, "api", "read_api").document())

    @route("DELETE", f"{API}/runners/:runner")
    def delete_runner(self, request):
        del self.runners[self.own(request, "api").id]
        return Answer(204)

    @route("GET", f"{API}/runners/:runner/jobs")
    def runner_jobs(self, request):
        runner, asked = self.own(request, "api", "read_api"), request.asked("status", "page", "per_page", "order_by", "sort")
        jobs = [job.summary() for job in self.jobs() if job.runner is runner and asked.get("status", job.status) == job.status]
        return self.listed(request, asked, jobs)
