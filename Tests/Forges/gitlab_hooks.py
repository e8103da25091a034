"""GitLab's webhooks, with the plain token or the signing token, about what is at the double."""

import base64
import hmac
import uuid

from .deliveries import Delivery, recorded
from .repositories import NONE

EVENTS = {"push": "Push Hook", "tag_push": "Tag Push Hook", "merge_request": "Merge Request Hook", "note": "Note Hook",
          "build": "Job Hook", "pipeline": "Pipeline Hook"}


class Hooks:
    def __init__(self, forge):
        self.forge = forge
        # The one or the other, or both; as a project's settings have them.
        self.token, self.signing_token = None, None

    def delivery(self, document, id=None):
        """Signed as configured. The same `id` again is the same delivery, tried again."""
        id = id or str(uuid.uuid4())
        sealed = Delivery(document, [
            ("User-Agent", "GitLab/18.5.0"), ("X-Gitlab-Event", EVENTS[document["object_kind"]]), ("X-Gitlab-Instance", self.forge.url),
            ("X-Gitlab-Webhook-UUID", str(uuid.uuid4())), ("X-Gitlab-Event-UUID", str(uuid.uuid4())), ("Idempotency-Key", id)])
        if self.token is not None:
            sealed.headers.append(("X-Gitlab-Token", self.token))
        if self.signing_token is not None:
            stamp = str(int(self.forge.clock.now()))
            key = base64.b64decode(self.signing_token.removeprefix("whsec_"), validate=True)
            code = hmac.digest(key, f"{id}.{stamp}.".encode() + sealed.body, "sha256")
            sealed.headers += [("webhook-id", id), ("webhook-timestamp", stamp),
                               ("webhook-signature", "v1," + base64.b64encode(code).decode())]
        return sealed

    def place(self, project):
        about = project.document()
        return {"id": project.id, "name": about["name"], "description": "", "web_url": about["web_url"], "avatar_url": None,
                "git_ssh_url": about["ssh_url_to_repo"], "git_http_url": about["http_url_to_repo"],
                "namespace": project.path.partition("/")[0], "visibility_level": 20 if project.visibility == "public" else 0,
                "path_with_namespace": project.path, "default_branch": project.default_branch, "ci_config_path": None}

    def who(self, person):
        return {"id": person.id, "name": person.shown, "username": person.login, "avatar_url": None, "email": "[REDACTED]"}

    def push(self, project, ref, before, after, person, **values):
        """`ref` in full, `refs/heads/main` or `refs/tags/v1`; before and after are None where there is nothing."""
        is_tag = ref.startswith("refs/tags/")
        return self.delivery(recorded(
            "gitlab", "tag_push" if is_tag else "push_branch", ref=ref, before=before or NONE, after=after or NONE, checkout_sha=after,
            ref_protected=ref.rpartition("/")[2] in project.protected, user_id=person.id, user_name=person.shown,
            user_username=person.login, project_id=project.id, project=self.place(project), **values))

    def merge_request(self, change, action, person, oldrev=None, **values):
        """`action`: open, update (with `oldrev` if there are new commits), close, merge, reopen, approved."""
        if oldrev:
            values["object_attributes__oldrev"] = oldrev
        state = {"close": "closed", "merge": "merged"}.get(action, change.state)
        return self.delivery(recorded(
            "gitlab", "merge_request_open_fork", user=self.who(person), project=self.place(change.target),
            object_attributes__id=change.id, object_attributes__iid=change.iid, object_attributes__action=action,
            object_attributes__state=state, object_attributes__draft=change.draft, object_attributes__work_in_progress=change.draft,
            object_attributes__author_id=change.author.id, object_attributes__title=change.title,
            object_attributes__source_branch=change.source_branch, object_attributes__target_branch=change.target_branch,
            object_attributes__source_project_id=change.source and change.source.id,
            object_attributes__source=change.source and self.place(change.source), object_attributes__target_project_id=change.target.id,
            object_attributes__target=self.place(change.target), object_attributes__last_commit__id=change.sha, **values))

    def note(self, change, person, text, id=None, **values):
        return self.delivery(recorded(
            "gitlab", "note_created", user=self.who(person), project_id=change.target.id, project=self.place(change.target),
            object_attributes__id=id or self.forge.next() + 700, object_attributes__note=text, object_attributes__author_id=person.id,
            object_attributes__project_id=change.target.id, merge_request__id=change.id, merge_request__iid=change.iid,
            merge_request__author_id=change.author.id, merge_request__title=change.title,
            merge_request__source_branch=change.source_branch, merge_request__target_branch=change.target_branch,
            merge_request__source_project_id=change.source and change.source.id, merge_request__target_project_id=change.target.id,
            merge_request__last_commit__id=change.sha, **values))

    def job(self, job, **values):
        pipeline = job.pipeline
        return self.delivery(recorded(
            "gitlab", "job_pending", ref=pipeline.ref, tag=pipeline.is_tag, sha=pipeline.sha, build_id=job.id, build_name=job.name,
            build_stage=job.stage, build_status=job.status, build_allow_failure=job.allow_failure,
            build_failure_reason=job.failure_reason or "unknown_failure", pipeline_id=pipeline.id, project_id=job.project.id,
            user=self.who(pipeline.person), commit__id=pipeline.id, commit__sha=pipeline.sha, project=self.place(job.project), **values))

    def pipeline(self, pipeline, **values):
        builds = [{"id": job.id, "stage": job.stage, "name": job.name, "status": job.status, "when": "on_success", "manual": False,
                   "allow_failure": job.allow_failure, "runner": None, "environment": None} for job in pipeline.jobs]
        return self.delivery(recorded(
            "gitlab", "pipeline_running", object_attributes__id=pipeline.id, object_attributes__ref=pipeline.ref,
            object_attributes__tag=pipeline.is_tag, object_attributes__sha=pipeline.sha, object_attributes__status=pipeline.status,
            object_attributes__detailed_status=pipeline.status, object_attributes__stages=pipeline.stages,
            object_attributes__source="merge_request_event" if pipeline.change else "push", user=self.who(pipeline.person),
            project=self.place(pipeline.project), commit__id=pipeline.sha, builds=builds, **values))
