"""The double of Gitea, and of Forgejo with `Gitea(kind="forgejo")`. A status is posted as `state`, and comes back as `status`."""

import base64
import re

from . import fields, git_http, pages
from .comparisons import OfGitea
from .gitea_hooks import Hooks
from .gitea_world import World
from .repositories import IS_COMMIT
from .request import Answer, Refused
from .server import route

API = "/api/v1"
REPO = f"{API}/repos/:owner/:repo"
STATES = ("pending", "success", "error", "failure", "warning")


class Gitea(OfGitea, World):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.hooks = Hooks(self)

    @route("GET", f"{API}/version")
    def version(self, request):
        return Answer.of({"version": self.VERSIONS[self.kind]})

    @route("GET", f"{API}/user")
    def myself(self, request):
        return Answer.of(self.user(self.caller(request, "read:user")))

    @route("GET", REPO)
    def show_repo(self, request):
        return Answer.of(self.found(request).document())

    @route("GET", f"{REPO}/branches")
    def branches(self, request):
        repo = self.found(request)
        return self.listed(request, request.asked("page", "limit"), [
            self.branch(repo, name, sha) for name, sha in sorted(repo.repository.branches().items())])

    @route("GET", f"{REPO}/branches/*branch")
    def show_branch(self, request):
        repo, name = self.found(request), request.arguments["branch"]
        sha = repo.repository.branches().get(name)
        if sha is None:
            raise Refused(404, "The target couldn't be found.")
        return Answer.of(self.branch(repo, name, sha))

    def branch(self, repo, name, sha):
        return {"name": name, "commit": {"id": sha}, "protected": name == repo.default_branch}

    @route("GET", f"{REPO}/tags")
    def tags(self, request):
        repo = self.found(request)
        return self.listed(request, request.asked("page", "limit"), [
            {"name": name, "message": "", "id": sha, "commit": {"sha": sha}}
            for name, sha in sorted(repo.repository.tags().items(), reverse=True)])

    @route("GET", f"{REPO}/git/commits/:sha")
    def show_commit(self, request):
        repo = self.found(request)
        sha = repo.repository.resolve(request.arguments["sha"])
        if sha is None:
            raise Refused(404, f"object does not exist [id: {request.arguments['sha']}, rel_path: ]")
        about = repo.repository.about(sha)
        return Answer.of({"sha": sha, "created": about["date"], "commit": {"message": about["message"]},
                          "parents": [{"sha": one} for one in about["parents"]]})

    @route("GET", f"{REPO}/pulls")
    def pulls(self, request):
        repo, asked = self.found(request), request.asked("state", "page", "limit", "sort")
        kept = [pull.document() for pull in repo.pulls.values() if asked.get("state", "open") in ("all", pull.state)]
        if asked.get("sort", "oldest") not in (
                "oldest", "recentupdate", "leastupdate", "recentclose", "mostcomment", "leastcomment", "priority"):
            raise Refused(422, "[sort]: invalid")
        key = "updated_at" if asked.get("sort") == "recentupdate" else "number"
        return self.listed(request, asked, sorted(kept, key=lambda pull: pull[key], reverse=True))

    @route("GET", f"{REPO}/pulls/:number")
    def show_pull(self, request):
        return Answer.of(self.pull_of(request, self.found(request)).document())

    def pull_of(self, request, repo):
        wanted = request.arguments["number"]
        if not wanted.isdecimal() or int(wanted) not in repo.pulls:
            raise Refused(404, "The target couldn't be found.")
        return repo.pulls[int(wanted)]

    @route("GET", f"{REPO}/collaborators/:login/permission")
    def permission(self, request):
        repo, login = self.found(request), request.arguments["login"]
        if login != request.token.person.login and repo.permissions.get(request.token.person.login) not in ("admin", "owner"):
            raise Refused(403, "Only admins can query all permissions, repo admins can query all repo permissions, "
                               "collaborators can query only their own")
        if login not in self.accounts:
            raise Refused(404, f"user does not exist [uid: 0, name: {login}]")
        held = repo.permissions.get(login, "none" if repo.private else "read")
        return Answer.of({"permission": held, "role_name": held, "user": self.user(self.accounts[login])})

    # Sources.

    def commit(self, repo, reference):
        sha = repo.repository.resolve(reference)
        if sha is None:
            raise Refused(404, f"object does not exist [id: {reference}, rel_path: ]")
        return sha

    @route("GET", f"{REPO}/archive/*archive")
    def archive(self, request):
        repo = self.found(request)
        match = re.fullmatch(r"(.+)\.(tar\.gz|zip)", request.arguments["archive"])
        if not match:
            raise Refused(400, "Unknown archive type")
        sha, name = self.commit(repo, match[1]), repo.path.partition("/")[2]
        return Answer(200, repo.repository.archive(sha, name, match[2]), "application/octet-stream",
                      Content_Disposition=f'attachment; filename="{name}-{match[1].replace("/", "-")}.{match[2]}"')

    @route("GET", f"{REPO}/raw/*path")
    def raw(self, request):
        repo, asked = self.found(request), request.asked("ref")
        content = repo.repository.file(self.commit(repo, asked.get("ref", repo.default_branch)), request.arguments["path"])
        if content is None:
            raise Refused(404, "The target couldn't be found.")
        return Answer(200, content, "text/plain; charset=utf-8")

    @route("GET", f"{REPO}/contents/*path")
    def contents(self, request):
        repo, asked, path = self.found(request), request.asked("ref"), request.arguments["path"]
        sha = self.commit(repo, asked.get("ref", repo.default_branch))
        content = repo.repository.file(sha, path)
        if content is None:
            found = repo.repository.entries(sha, path)
            if not found:
                raise Refused(404, f"object does not exist [id: , rel_path: {path}]")
            return Answer.of([{"name": name, "path": f"{path}/{name}", "sha": blob, "type": "dir" if kind == "tree" else "file"}
                              for name, (kind, blob) in found.items()])
        return Answer.of({"name": path.rpartition("/")[2], "path": path, "sha": repo.repository.blob(content), "type": "file",
                          "size": len(content), "encoding": "base64", "content": base64.b64encode(content).decode(),
                          "last_commit_sha": sha})

    def cloned(self, request):
        _, password = git_http.credentials(request)
        token = self.tokens.find(password)
        repo = self.repos.get(f"{request.arguments['owner']}/{request.arguments['name'].removesuffix('.git')}")
        if token is None or not token.scopes & {"read:repository", "write:repository", "all"}:
            raise git_http.challenge()
        if repo is None or repo.private and token.person.login not in repo.permissions:
            raise Refused(404, "Repository not found.")
        return repo.repository

    @route("GET", "/:owner/:name/info/refs")
    def clone_references(self, request):
        return git_http.references(request, self.cloned(request))

    @route("POST", "/:owner/:name/git-upload-pack")
    def clone_pack(self, request):
        return git_http.pack(request, self.cloned(request))

    # Statuses and comments.

    @route("POST", f"{REPO}/statuses/:sha")
    def post_status(self, request):
        repo, sha = self.found(request, "write:repository", "write"), request.arguments["sha"]
        said = fields.read(request.json(), {"state": fields.text(one_of=STATES), "target_url?": fields.address(),
                                            "description?": fields.text(), "context?": fields.text(255)})
        if not IS_COMMIT(sha) or repo.repository.resolve(sha) is None:
            raise Refused(404, f"object does not exist [id: {sha}, rel_path: ]")
        status = {"id": self.next() + 600, "status": said["state"], "target_url": said.get("target_url", ""),
                  "description": said.get("description", ""), "context": said.get("context", "default"),
                  "url": f"{self.url}/statuses/{sha}", "creator": self.user(request.token.person),
                  "created_at": self.clock.text(), "updated_at": self.clock.text()}
        repo.statuses.append(status | {"sha": sha})
        return Answer.of(status, 201)

    @route("GET", f"{REPO}/statuses/:sha")
    def statuses(self, request):
        repo, asked = self.found(request), request.asked("page", "limit", "sort", "state")
        kept = [{key: value for key, value in one.items() if key != "sha"} for one in reversed(repo.statuses)
                if one["sha"] == request.arguments["sha"] and asked.get("state", one["status"]) == one["status"]]
        return self.listed(request, asked, kept)

    @route("GET", f"{REPO}/issues/:number/comments")
    def comments(self, request):
        repo = self.found(request, "read:issue")
        pull = self.pull_of(request, repo)
        request.asked("since", "before")
        return Answer.of([one for number, one in repo.comments.values() if number == pull.number])

    @route("POST", f"{REPO}/issues/:number/comments")
    def post_comment(self, request):
        repo = self.found(request, "write:issue")
        pull = self.pull_of(request, repo)
        number, body = self.next() + 800, fields.read(request.json(), {"body": fields.text(65536, 1)})["body"]
        comment = {"id": number, "html_url": f"{self.url}/{repo.path}/pulls/{pull.number}#issuecomment-{number}", "body": body,
                   "assets": [], "user": self.user(request.token.person), "created_at": self.clock.text(), "updated_at": self.clock.text()}
        repo.comments[number] = (pull.number, comment)
        return Answer.of(comment, 201)

    @route("PATCH", f"{REPO}/issues/comments/:comment")
    def patch_comment(self, request):
        repo, wanted = self.found(request, "write:issue"), request.arguments["comment"]
        if not wanted.isdecimal() or int(wanted) not in repo.comments:
            raise Refused(404, "The target couldn't be found.")
        comment, person = repo.comments[int(wanted)][1], request.token.person
        if comment["user"]["id"] != person.id and repo.permissions.get(person.login) not in ("admin", "owner"):
            raise Refused(403, "Only the author and repository admins may do this")
        comment |= {"body": fields.read(request.json(), {"body": fields.text(65536, 1)})["body"], "updated_at": self.clock.text()}
        return Answer.of(comment)

    def listed(self, request, asked, items):
        piece, headers, _ = pages.numbered(self.url, request, asked, items, 30, 50, "limit")
        answer = Answer.of(piece)
        answer.headers |= headers | {"X-Total-Count": str(len(items)), "Access-Control-Expose-Headers": "X-Total-Count, Link"}
        return answer
