"""The double of GitLab.

    with GitLab() as forge, Repository({"README.md": "ship"}) as repository:
        ada = forge.person("ada")
        project = forge.project("harbour/yard/ship", repository, ada=MAINTAINER)
        token = forge.token(ada, "api")
        runner = forge.make_runner(project=project, kind="project_type", tag_list=["bulkhead"])
        pipeline = forge.pipeline(project, "main", [Job("build", stage="build", tags=["bulkhead"])], ada)
        ...                                     # the program under test, at forge.url
        pipeline.wait_over()"""

from . import git_http, pages
from .comparisons import OfGitLab
from .gitlab_hooks import Hooks
from .gitlab_jobs import OVER, Pipeline
from .gitlab_rest import API, READ, Rest
from .gitlab_runner import Protocol
from .gitlab_world import DEVELOPER, GUEST, MAINTAINER, OWNER, REPORTER
from .request import Answer, Refused
from .server import route

__all__ = ["DEVELOPER", "GUEST", "GitLab", "MAINTAINER", "OWNER", "REPORTER"]
SCOPES = ("created", "pending", "running", "failed", "success", "canceled", "canceling", "skipped", "waiting_for_resource", "manual")


class GitLab(OfGitLab, Protocol, Rest):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.pipelines = []
        # Numbers of those who may do everything.
        self.admins = set()
        self.hooks = Hooks(self)

    def pipeline(self, project, ref, jobs, person, change=None, is_tag=False):
        """Of a branch, a tag or (with `change`) a merge request."""
        with self.changed:
            pipeline = Pipeline(self, project, ref, jobs, person, change, is_tag)
            self.pipelines.append(pipeline)
            self.changed.notify_all()
        return pipeline

    def jobs(self):
        return [job for pipeline in self.pipelines for job in pipeline.jobs]

    # A runner clones with its job's token, a person with his own.

    def cloned(self, request):
        user, password = git_http.credentials(request)
        project = next((one for one in self.projects.values() if f"{one.path}.git" == request.arguments["path"]), None)
        job = next((one for one in self.jobs() if user == "gitlab-ci-token" and one.token == password and one.status == "running"), None)
        token = self.tokens.find(password)
        if job is None and (token is None or not token.scopes & {"api", "read_repository"}):
            raise git_http.challenge()
        if project is None or not (job.project is project if job else project.level(token.person) >= REPORTER):
            raise Refused(404, "The project you were looking for could not be found or you don't have permission to view it.")
        return project.repository

    @route("GET", "/*path/info/refs")
    def clone_references(self, request):
        return git_http.references(request, self.cloned(request))

    @route("POST", "/*path/git-upload-pack")
    def clone_pack(self, request):
        return git_http.pack(request, self.cloned(request))

    @route("GET", f"{API}/projects/:project/jobs")
    def list_jobs(self, request):
        self.caller(request, *READ)
        project = self.found(request, REPORTER)
        asked = request.asked("scope[]", "per_page", "page", "pagination", "cursor", "order_by", "sort")
        for scope in asked.get("scope[]", []):
            if scope not in SCOPES:
                raise Refused(400, {"error": "scope does not have a valid value"})
        jobs = [job.summary() for job in self.jobs() if job.project is project
                and ("scope[]" not in asked or job.status in asked["scope[]"])]
        if asked.get("pagination") == "keyset":
            if asked.get("order_by", "id") != "id" or asked.get("sort", "desc") != "desc" or "page" in asked:
                raise Refused(405, {"error": "Keyset pagination is not yet available for this type of request"})
            piece, headers = pages.keyset(self.url, request, asked, jobs, 20, 100)
            answer = Answer.of(piece)
            answer.headers |= headers
            return answer
        return self.listed(request, asked, sorted(jobs, key=lambda job: -job["id"]))

    def job_by_number(self, request, level=REPORTER):
        project, wanted = self.found(request, level), request.arguments["job"]
        job = next((job for job in self.jobs() if str(job.id) == wanted and job.project is project), None)
        if job is None:
            raise Refused(404)
        return job

    @route("GET", f"{API}/projects/:project/jobs/:job")
    def show_job(self, request):
        self.caller(request, *READ)
        return Answer.of(self.job_by_number(request).summary())

    @route("GET", f"{API}/projects/:project/jobs/:job/trace")
    def show_trace(self, request):
        self.caller(request, *READ)
        return Answer(200, bytes(self.job_by_number(request).trace), "text/plain")

    @route("POST", f"{API}/projects/:project/jobs/:job/cancel")
    def cancel_job(self, request):
        self.caller(request, "api")
        job = self.job_by_number(request, DEVELOPER)
        if job.status in OVER:
            raise Refused(403, "403 Forbidden - job is not cancelable")
        job.cancel()
        return Answer.of(job.summary(), 201)
