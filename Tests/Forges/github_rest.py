"""GitHub's REST as a coordinator uses it: repositories, sources, statuses, comments, permissions."""

import base64
import textwrap
import urllib.parse

from . import fields, pages
from .github_world import RAW, World
from .repositories import IS_COMMIT
from .request import Answer, Refused
from .server import route

REPO = "/repos/:owner/:repo"
# A pull request is an issue, too; whoever may write the one may comment there.
COMMENTS = ("issues", "pull_requests")


class Rest(World):
    # A Store in the place of codeload.github.com: another host, as there. None: a path of this one.
    codeload = None
    # How many statuses one commit may have under one context.
    statuses_limit = 1000

    @route("GET", "/user")
    def myself(self, request):
        person = self.caller(request)
        if request.token.about["installation"]:
            raise Refused(403, "Resource not accessible by integration")
        return Answer.of(self.user(person))

    @route("GET", "/users/:login")
    def account(self, request):
        self.caller(request)
        person = self.accounts.get(urllib.parse.unquote(request.arguments["login"]))
        if person is None:
            raise Refused(404, "Not Found")
        return Answer.of(self.user(person))

    @route("GET", "/rate_limit")
    def rate_limit(self, request):
        self.caller(request)
        core = {"limit": request.standing.most, "used": request.standing.used, "remaining": request.standing.left,
                "reset": request.standing.reset}
        return Answer.of({"resources": {"core": core}, "rate": core})

    @route("GET", REPO)
    def show_repo(self, request):
        return Answer.of(self.found(request).document())

    @route("GET", f"{REPO}/branches")
    def branches(self, request):
        repo = self.found(request, "contents")
        return self.listed(request, request.asked("page", "per_page"), [
            self.branch(repo, name, sha) for name, sha in sorted(repo.repository.branches().items())])

    @route("GET", f"{REPO}/branches/*branch")
    def show_branch(self, request):
        repo, name = self.found(request, "contents"), request.arguments["branch"]
        sha = repo.repository.branches().get(name)
        if sha is None:
            raise Refused(404, "Branch not found")
        return Answer.of(self.branch(repo, name, sha))

    def branch(self, repo, name, sha):
        return {"name": name, "commit": {"sha": sha, "url": f"{repo.url}/commits/{sha}"}, "protected": name == repo.default_branch}

    @route("GET", f"{REPO}/tags")
    def tags(self, request):
        repo = self.found(request, "contents")
        return self.listed(request, request.asked("page", "per_page"), [
            {"name": name, "commit": {"sha": sha, "url": f"{repo.url}/commits/{sha}"}, "node_id": f"T_{name}"}
            for name, sha in sorted(repo.repository.tags().items(), reverse=True)])

    @route("GET", f"{REPO}/commits/:ref")
    def show_commit(self, request):
        repo = self.found(request, "contents")
        sha = repo.repository.resolve(request.arguments["ref"])
        if sha is None:
            raise Refused(422, f"No commit found for SHA: {request.arguments['ref']}")
        about = repo.repository.about(sha)
        who = {"name": "Ada", "email": "ada@harbour.example", "date": about["date"]}
        return Answer.of({"sha": sha, "node_id": f"C_{sha[:8]}", "url": f"{repo.url}/commits/{sha}", "author": None, "committer": None,
                          "commit": {"message": about["message"], "author": who, "committer": who},
                          "parents": [{"sha": one, "url": f"{repo.url}/commits/{one}"} for one in about["parents"]]})

    @route("GET", f"{REPO}/pulls")
    def pulls(self, request):
        repo, asked = self.found(request, "pull_requests"), request.asked("state", "page", "per_page", "sort", "direction", "head", "base")
        if asked.get("state", "open") not in ("open", "closed", "all"):
            raise Refused(422, "Validation Failed")
        kept = [pull.document() for pull in repo.pulls.values() if asked.get("state", "open") in ("all", pull.state)]
        if asked.get("sort", "created") not in ("created", "updated", "popularity", "long-running"):
            raise Refused(422, "Validation Failed")
        key = "updated_at" if asked.get("sort") == "updated" else "number"
        # What only a single one has.
        for pull in kept:
            del pull["merged"], pull["mergeable"]
        return self.listed(request, asked, sorted(kept, key=lambda pull: pull[key], reverse=asked.get("direction", "desc") == "desc"))

    @route("GET", f"{REPO}/pulls/:number")
    def show_pull(self, request):
        return Answer.of(self.pull_of(request, self.found(request, "pull_requests")).document())

    def pull_of(self, request, repo):
        wanted = request.arguments["number"]
        if not wanted.isdecimal() or int(wanted) not in repo.pulls:
            raise Refused(404, "Not Found")
        return repo.pulls[int(wanted)]

    @route("GET", f"{REPO}/issues/:number")
    def show_issue(self, request):
        pull = self.pull_of(request, self.found(request, "issues")).document()
        kept = ("number", "state", "title", "user", "body", "labels", "locked", "html_url", "id")
        return Answer.of({key: pull[key] for key in kept} | {"url": pull["issue_url"], "pull_request": {"url": pull["url"]}})

    @route("GET", f"{REPO}/collaborators/:login/permission")
    def permission(self, request):
        repo = self.found(request)
        if self.may(repo, request.token) not in ("write", "admin"):
            raise Refused(403, "Must have push access to view collaborator permission.")
        login = request.arguments["login"]
        if login not in self.accounts:
            raise Refused(404, f"{login} is not a user")
        held = repo.permissions.get(login, "none" if repo.private else "read")
        return Answer.of({"permission": held, "role_name": held, "user": self.user(self.accounts[login])})

    # Sources.

    @route("GET", f"{REPO}/tarball/*ref")
    def tarball(self, request):
        repo, wanted = self.found(request, "contents"), request.arguments["ref"]
        sha = repo.repository.resolve(wanted)
        if sha is None:
            raise Refused(404, "Not Found")
        name = f"{repo.path.replace('/', '-')}-{sha[:7]}"
        if self.codeload:
            return Answer(302, Location=self.codeload.put(f"{name}.tar.gz", repo.repository.archive(sha, name)))
        ticket = self.tokens.make("AB", request.token.person, "codeload", seconds=300, path=f"{repo.path}@{sha}").value
        return Answer(302, Location=f"{self.url}/codeload/{repo.path}/legacy.tar.gz/{sha}?token={ticket}")

    @route("GET", "/codeload/:owner/:repo/legacy.tar.gz/:sha")
    def send_tarball(self, request):
        repo = self.repos.get(f"{request.arguments['owner']}/{request.arguments['repo']}")
        ticket, sha = self.tokens.find(request.asked("token").get("token", "")), request.arguments["sha"]
        if repo is None or ticket is None or ticket.about.get("path") != f"{repo.path}@{sha}":
            raise Refused(404, "Not Found")
        name = f"{repo.path.replace('/', '-')}-{sha[:7]}"
        return Answer(200, repo.repository.archive(sha, name), "application/x-gzip",
                      Content_Disposition=f"attachment; filename={name}.tar.gz")

    @route("GET", f"{REPO}/contents/*path")
    def contents(self, request):
        repo, path = self.found(request, "contents"), request.arguments["path"].rstrip("/")
        sha = repo.repository.resolve(request.asked("ref").get("ref", repo.default_branch))
        if sha is None:
            raise Refused(404, f"No commit found for the ref {request.asked('ref').get('ref')}")
        content = repo.repository.file(sha, path)
        if content is None:
            found = repo.repository.entries(sha, path)
            if not found:
                raise Refused(404, "Not Found")
            return Answer.of([{"type": "dir" if kind == "tree" else "file", "name": name, "path": f"{path}/{name}", "sha": blob, "size": 0}
                              for name, (kind, blob) in found.items()])
        if request.header("Accept", "").partition(";")[0].strip() in RAW:
            return Answer(200, content, "application/vnd.github.raw+json; charset=utf-8")
        # Above a megabyte only the raw form has it.
        small = len(content) <= 1 << 20
        text = "\n".join(textwrap.wrap(base64.b64encode(content).decode(), 60)) + "\n" if small else ""
        return Answer.of({"type": "file", "encoding": "base64" if small else "none", "size": len(content), "path": path, "content": text,
                          "name": path.rpartition("/")[2], "sha": repo.repository.blob(content), "url": f"{repo.url}/contents/{path}",
                          "html_url": None, "git_url": None, "download_url": None})

    # Statuses and comments.

    @route("POST", f"{REPO}/statuses/:sha")
    def post_status(self, request):
        repo, sha = self.found(request, "statuses", "write"), request.arguments["sha"]
        self.creates(request)
        said = fields.read(request.json(), {
            "state": fields.text(one_of=("error", "failure", "pending", "success")), "target_url?": fields.address(),
            "description?": fields.either(fields.null, fields.text(140)), "context?": fields.text(255, 1)})
        if not IS_COMMIT(sha) or repo.repository.resolve(sha) is None:
            raise Refused(422, f"No commit found for SHA: {sha}")
        context = said.get("context", "default")
        if sum(one["sha"] == sha and one["context"] == context for one in repo.statuses) >= self.statuses_limit:
            raise Refused(422, {"message": "Validation Failed", "errors": [
                {"resource": "Status", "code": "custom",
                 "message": "This SHA and context has reached the maximum number of statuses."}]})
        status = {"id": self.next() + 600, "node_id": "SC_1", "state": said["state"], "description": said.get("description"),
                  "target_url": said.get("target_url"), "context": context, "created_at": self.clock.text(),
                  "updated_at": self.clock.text(), "creator": self.user(request.token.person), "avatar_url": None,
                  "url": f"{repo.url}/statuses/{sha}", "sha": sha}
        repo.statuses.append(status)
        return Answer.of({key: value for key, value in status.items() if key != "sha"}, 201)

    @route("GET", f"{REPO}/commits/:sha/statuses")
    @route("GET", f"{REPO}/statuses/:sha")
    def statuses(self, request):
        repo = self.found(request, "statuses")
        sha = repo.repository.resolve(request.arguments["sha"])
        return self.listed(request, request.asked("page", "per_page"), [one for one in reversed(repo.statuses) if one["sha"] == sha])

    @route("GET", f"{REPO}/issues/:number/comments")
    def comments(self, request):
        repo = self.found(request, COMMENTS)
        pull, asked = self.pull_of(request, repo), request.asked("page", "per_page", "since")
        return self.listed(request, asked, [one for number, one in repo.comments.values() if number == pull.number])

    @route("POST", f"{REPO}/issues/:number/comments")
    def post_comment(self, request):
        repo = self.found(request, COMMENTS, "write")
        self.creates(request)
        pull = self.pull_of(request, repo)
        body = fields.read(request.json(), {"body": fields.text(65536, 1)})["body"]
        number = self.next() + 800
        comment = {"id": number, "node_id": f"IC_{number}", "url": f"{repo.url}/issues/comments/{number}", "body": body,
                   "issue_url": f"{repo.url}/issues/{pull.number}", "html_url": None, "user": self.user(request.token.person),
                   "created_at": self.clock.text(), "updated_at": self.clock.text(), "author_association": "NONE"}
        repo.comments[number] = (pull.number, comment)
        return Answer.of(comment, 201)

    @route("PATCH", f"{REPO}/issues/comments/:comment")
    def patch_comment(self, request):
        repo, wanted = self.found(request, COMMENTS, "write"), request.arguments["comment"]
        if not wanted.isdecimal() or int(wanted) not in repo.comments:
            raise Refused(404, "Not Found")
        comment = repo.comments[int(wanted)][1]
        if comment["user"]["id"] != request.token.person.id:
            raise Refused(403, "Resource not accessible by integration")
        comment |= {"body": fields.read(request.json(), {"body": fields.text(65536, 1)})["body"], "updated_at": self.clock.text()}
        return Answer.of(comment)

    def listed(self, request, asked, items):
        piece, headers, _ = pages.numbered(self.url, request, asked, items, 30, 100)
        answer = Answer.of(piece)
        answer.headers |= headers
        return answer
