"""The double of GitHub: REST, and what only apps may do.

    with GitHub() as forge, Repository({"README.md": "ship"}) as repository:
        repo = forge.repo("harbour/ship", repository, ada="write")
        app = forge.app()
        installation = app.install("harbour", repo.path, checks="write", statuses="write", contents="read", issues="write")
        ...                                     # app.private_key, app.client_id, installation.id; forge.url
        pull = forge.pull(repo, forge.person("ada"), "patch-1")
        forge.hooks.secret = "..."
        forge.hooks.pull_request(pull, "opened", forge.person("ada")).send(address)"""

from . import fields, git_http, pages
from .comparisons import OfGitHub
from .github_hooks import Hooks
from .github_rest import REPO, Rest
from .github_world import LEVELS
from .repositories import IS_COMMIT
from .request import Answer, Refused
from .server import route

STATUS = ("queued", "in_progress", "completed")
CONCLUSION = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required")
TIME = fields.text(like=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ANNOTATION = fields.mapped(path=fields.text(4096, 1), start_line=fields.number(1), end_line=fields.number(1),
                           annotation_level=fields.text(one_of=("notice", "warning", "failure")), message=fields.text(65536, 1),
                           title_=fields.text(255), raw_details_=fields.text(65536), start_column_=fields.number(1),
                           end_column_=fields.number(1))
OUTPUT = fields.mapped(title=fields.text(65535, 1), summary=fields.text(65535), text_=fields.text(65535),
                       annotations_=fields.listed(ANNOTATION, 50))
ACTION = fields.mapped(label=fields.text(20, 1), description=fields.text(40, 1), identifier=fields.text(20, 1))
CHECK = {"name": fields.text(255, 1), "head_sha": fields.text(like=r"[0-9a-f]{40}"), "details_url?": fields.address(),
         "external_id?": fields.text(255), "status?": fields.text(one_of=STATUS), "started_at?": TIME,
         "conclusion?": fields.text(one_of=CONCLUSION), "completed_at?": TIME, "output?": OUTPUT, "actions?": fields.listed(ACTION, 3)}
CHANGE = {"name?" if name == "name" else name: check for name, check in CHECK.items() if name != "head_sha"}


class GitHub(OfGitHub, Rest):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.hooks = Hooks(self)
        # The buttons of each check run, by its number; GitHub shows them to people only.
        self.actions = {}

    # A token is a password of git's; the user is `x-access-token`, or anybody.

    def cloned(self, request):
        _, password = git_http.credentials(request)
        token = self.tokens.find(password)
        repo = self.repos.get(f"{request.arguments['owner']}/{request.arguments['name'].removesuffix('.git')}")
        if token is None:
            raise git_http.challenge()
        if repo is None or self.may(repo, token) == "none" or token.about["permissions"].get("contents", "none") == "none":
            raise Refused(404, "Repository not found.")
        return repo.repository

    @route("GET", "/:owner/:name/info/refs")
    def clone_references(self, request):
        return git_http.references(request, self.cloned(request))

    @route("POST", "/:owner/:name/git-upload-pack")
    def clone_pack(self, request):
        return git_http.pack(request, self.cloned(request))

    # What an app says of itself.

    @route("GET", "/app")
    def show_app(self, request):
        return Answer.of(self.as_app(request).document())

    @route("GET", f"{REPO}/installation")
    def installation_of(self, request):
        app, path = self.as_app(request), f"{request.arguments['owner']}/{request.arguments['repo']}"
        installation = next((one for one in app.installations.values() if path in one.repositories), None)
        if installation is None:
            raise Refused(404, "Not Found")
        return Answer.of(self.installed(installation))

    @route("GET", "/app/installations/:installation")
    def show_installation(self, request):
        return Answer.of(self.installed(self.own(request)))

    def own(self, request):
        app, wanted = self.as_app(request), request.arguments["installation"]
        installation = app.installations.get(int(wanted)) if wanted.isdecimal() else None
        if installation is None:
            raise Refused(404, "Not Found")
        return installation

    def installed(self, one):
        return {"id": one.id, "app_id": one.app.id, "app_slug": one.app.slug, "permissions": one.permissions, "events": [],
                "target_type": "Organization", "account": self.user(self.person(one.account)), "repository_selection": "selected",
                "access_tokens_url": f"{self.url}/app/installations/{one.id}/access_tokens", "suspended_at": None}

    @route("POST", "/app/installations/:installation/access_tokens")
    def access_token(self, request):
        installation = self.own(request)
        if installation.suspended:
            raise Refused(403, "This installation has been suspended")
        said = fields.read(request.json() if request.body else {}, {
            "repositories?": fields.listed(fields.text(100, 1), 500, 1), "repository_ids?": fields.listed(fields.number(1), 500, 1),
            "permissions?": lambda value, at: fields.typed(dict, "an object")(value, at)})
        paths = set(installation.repositories)
        if "repositories" in said:
            paths = {path for path in paths if path.partition("/")[2] in said["repositories"]}
        if "repository_ids" in said:
            paths = {path for path in paths if self.repos[path].id in said["repository_ids"]}
        for key in ("repositories", "repository_ids"):
            if key in said and len(paths) != len(set(said[key])):
                raise Refused(422, "There is at least one repository that does not exist or is not accessible to the parent installation.")
        permissions = said.get("permissions", installation.permissions)
        for name, level in permissions.items():
            if level not in LEVELS[1:] or LEVELS.index(level) > LEVELS.index(installation.permissions.get(name, "none")):
                raise Refused(422, "The permissions requested are not granted to this installation.")
        token = self.tokens.make("ghs_", installation.app.bot, seconds=3600, permissions={"metadata": "read"} | permissions,
                                 installation=installation, repositories=paths)
        return Answer.of({"token": token.value, "expires_at": self.clock.text(3600), "permissions": token.about["permissions"],
                          "repository_selection": "selected", "repositories": [self.repos[path].document() for path in sorted(paths)]}, 201)

    # Check runs.

    def checker(self, request, level):
        repo = self.found(request, "checks", level)
        if level == "write" and request.token.about["installation"] is None:
            raise Refused(403, "You must authenticate via a GitHub App.")
        return repo

    @route("POST", f"{REPO}/check-runs")
    def create_check(self, request):
        repo = self.checker(request, "write")
        self.creates(request)
        said = fields.read(request.json(), CHECK)
        if not IS_COMMIT(said["head_sha"]) or repo.repository.resolve(said["head_sha"]) is None:
            raise Refused(422, f"No commit found for SHA: {said['head_sha']}")
        number = self.next() + 400
        check = {"id": number, "node_id": f"CR_{number}", "url": f"{repo.url}/check-runs/{number}", "html_url": None, "name": said["name"],
                 "head_sha": said["head_sha"], "external_id": "", "details_url": None, "status": "queued", "conclusion": None,
                 "started_at": self.clock.text(), "completed_at": None, "check_suite": {"id": 8}, "pull_requests": [],
                 "app": request.token.about["installation"].app.document(),
                 "output": {"title": None, "summary": None, "text": None, "annotations_count": 0,
                            "annotations_url": f"{repo.url}/check-runs/{number}/annotations"}}
        self.apply(check, said)
        repo.check_runs[number] = check
        return Answer.of(check, 201)

    @route("PATCH", f"{REPO}/check-runs/:check")
    def update_check(self, request):
        repo = self.checker(request, "write")
        check = self.check_of(request, repo)
        if check["app"]["id"] != request.token.about["installation"].app.id:
            raise Refused(403, "Invalid app_id")
        self.apply(check, fields.read(request.json(), CHANGE))
        return Answer.of(check)

    @route("GET", f"{REPO}/check-runs/:check")
    def show_check(self, request):
        return Answer.of(self.check_of(request, self.checker(request, "read")))

    def check_of(self, request, repo):
        wanted = request.arguments["check"]
        if not wanted.isdecimal() or int(wanted) not in repo.check_runs:
            raise Refused(404, "Not Found")
        return repo.check_runs[int(wanted)]

    def apply(self, check, said):
        """An end without a conclusion is none, and a conclusion is an end; what has ended is not begun again."""
        status = said.get("status", "completed" if "conclusion" in said else check["status"])
        conclusion = said.get("conclusion", check["conclusion"] if check["status"] == status else None)
        if (status == "completed") != (conclusion is not None):
            raise Refused(422, {"message": "Validation Failed", "errors": [
                {"resource": "CheckRun", "code": "custom", "field": "conclusion",
                 "message": "conclusion is for what is completed, which needs one"}]})
        if check["status"] == "completed" and (status, conclusion) != (check["status"], check["conclusion"]):
            raise Refused(422, {"message": "Validation Failed", "errors": [
                {"resource": "CheckRun", "code": "custom", "field": "status", "message": "a check run that is completed stays so"}]})
        check |= {key: said[key] for key in ("name", "details_url", "external_id", "started_at") if key in said}
        check |= {"status": status, "conclusion": conclusion,
                  "completed_at": said.get("completed_at", self.clock.text()) if status == "completed" else None}
        if "output" in said:
            output = said["output"]
            check["output"] |= {key: output[key] for key in ("title", "summary", "text") if key in output}
            check["output"]["annotations_count"] += len(output.get("annotations", []))
        if "actions" in said:
            self.actions[check["id"]] = said["actions"]

    @route("GET", f"{REPO}/commits/:ref/check-runs")
    def checks_of_commit(self, request):
        repo = self.checker(request, "read")
        sha = repo.repository.resolve(request.arguments["ref"])
        asked = request.asked("page", "per_page", "check_name", "status", "filter", "app_id")
        runs = [one for one in repo.check_runs.values() if one["head_sha"] == sha and asked.get("check_name", one["name"]) == one["name"]
                and asked.get("app_id", str(one["app"]["id"])) == str(one["app"]["id"])]
        if asked.get("filter", "latest") == "latest":
            runs = list({(one["app"]["id"], one["name"]): one for one in runs}.values())
        piece, headers, _ = pages.numbered(self.url, request, asked, runs, 30, 100)
        return Answer.of({"total_count": len(runs), "check_runs": piece}, **headers)
