"""GitLab's REST as a coordinator uses it: who am I, projects, commits and their statuses, notes, members, sources."""

import re
import urllib.parse

from . import fields, pages
from .gitlab_world import DEVELOPER, MAINTAINER, REPORTER, World
from .repositories import IS_COMMIT
from .request import Answer, Refused
from .server import route

API = "/api/v4"
READ = ("api", "read_api")
SOURCE = ("api", "read_api", "read_repository")
ACTIVE = ("pending", "running")
STATES = ("pending", "running", "success", "failed", "canceled", "skipped")
FORMATS = {"tar.gz": "application/octet-stream", "tar": "application/octet-stream", "zip": "application/zip"}


class Rest(World):
    # What an archive costs: GitLab gives five a minute to one person. None for no limit.
    archives = None

    @route("GET", f"{API}/version")
    def version(self, request):
        self.caller(request, *READ, "read_user")
        return Answer.of({"version": "18.5.0", "revision": "d0ub1e"})

    @route("GET", f"{API}/user")
    def myself(self, request):
        person = self.caller(request, *READ, "read_user")
        return Answer.of(self.user(person) | {"bot": person.bot})

    @route("GET", f"{API}/personal_access_tokens/self")
    def own_token(self, request):
        self.caller(request, *READ, "create_runner", "read_user")
        return Answer.of({"id": 1, "name": "bulkhead", "active": True, "revoked": False, "scopes": sorted(request.token.scopes)})

    @route("GET", f"{API}/projects/:project")
    def show_project(self, request):
        self.caller(request, *READ)
        return Answer.of(self.found(request).document())

    @route("GET", f"{API}/projects/:project/members/all/:user")
    def member(self, request):
        self.caller(request, *READ)
        project = self.found(request)
        wanted = request.arguments["user"]
        if not wanted.isdecimal():
            raise Refused(400, {"error": "user_id is invalid"})
        if int(wanted) not in project.members:
            raise Refused(404)
        person, level = project.members[int(wanted)]
        return Answer.of(self.user(person) | {"access_level": level, "expires_at": None, "membership_state": "active"})

    # Commits and branches.

    @route("GET", f"{API}/projects/:project/repository/branches")
    def branches(self, request):
        self.caller(request, *READ)
        project = self.found(request, REPORTER)
        branches = [self.branch(project, name, sha) for name, sha in sorted(project.repository.branches().items())]
        return self.listed(request, request.asked("page", "per_page"), branches)

    @route("GET", f"{API}/projects/:project/repository/branches/:branch")
    def show_branch(self, request):
        self.caller(request, *READ)
        project, name = self.found(request, REPORTER), request.arguments["branch"]
        sha = project.repository.branches().get(name)
        if sha is None:
            raise Refused(404, "404 Branch Not Found")
        return Answer.of(self.branch(project, name, sha))

    @route("GET", f"{API}/projects/:project/repository/tags")
    def tags(self, request):
        self.caller(request, *READ)
        project = self.found(request, REPORTER)
        asked = request.asked("page", "per_page", "order_by", "sort")
        return self.listed(request, asked, [
            {"name": name, "target": sha, "message": "", "protected": name in project.protected, "commit": self.commit(project, sha)}
            for name, sha in sorted(project.repository.tags().items(), reverse=True)])

    def branch(self, project, name, sha):
        return {"name": name, "commit": self.commit(project, sha), "merged": False, "protected": name in project.protected,
                "default": name == project.default_branch, "can_push": True}

    def commit(self, project, sha):
        about = project.repository.about(sha)
        return {"id": sha, "short_id": sha[:8], "title": about["message"].split("\n")[0], "message": about["message"],
                "parent_ids": about["parents"], "created_at": about["date"], "author_name": "Ada", "author_email": "ada@harbour.example"}

    def known_commit(self, project, sha):
        found = project.repository.resolve(sha)
        if found is None:
            raise Refused(404, "404 Commit Not Found")
        return found

    @route("GET", f"{API}/projects/:project/repository/commits/:sha")
    def show_commit(self, request):
        self.caller(request, *READ)
        project = self.found(request, REPORTER)
        return Answer.of(self.commit(project, self.known_commit(project, request.arguments["sha"])))

    @route("GET", f"{API}/projects/:project/repository/commits/:sha/statuses")
    def statuses(self, request):
        self.caller(request, *READ)
        project = self.found(request, REPORTER)
        sha = self.known_commit(project, request.arguments["sha"])
        asked = request.asked("ref", "name", "page", "per_page", "all")
        newest = {}
        for status in project.statuses:
            newest[status["name"] if asked.get("all") != "true" else status["id"]] = status
        kept = [status for status in newest.values() if status["sha"] == sha
                and all(asked.get(name, status[name]) == status[name] for name in ("ref", "name"))]
        return self.listed(request, asked, kept)

    @route("POST", f"{API}/projects/:project/statuses/:sha")
    def post_status(self, request):
        person = self.caller(request, "api")
        project = self.found(request, DEVELOPER)
        asked = fields.read(request.json(), {
            "state": fields.text(one_of=STATES), "ref?": fields.text(255, 1), "name?": fields.text(255, 1),
            "context?": fields.text(255, 1), "target_url?": fields.address(255), "description?": fields.text(255),
            "coverage?": fields.real, "pipeline_id?": fields.number(1)})
        if not IS_COMMIT(request.arguments["sha"]) or not project.repository.resolve(request.arguments["sha"]):
            raise Refused(404, "404 Commit Not Found")
        sha, name, state = request.arguments["sha"], asked.get("name", asked.get("context", "default")), asked["state"]
        ref = asked.get("ref") or next((b for b, tip in project.repository.branches().items() if tip == sha), None)
        if ref is None:
            raise Refused(404, "404 References for commit Not Found")
        # As it is set up at first: what is protected, only maintainers push to and merge into; and whoever may neither, has no say there.
        if ref in project.protected and project.level(person) < MAINTAINER:
            raise Refused(403)
        status = next((one for one in project.statuses if (one["sha"], one["name"], one["ref"], one["author"]["id"])
                       == (sha, name, ref, person.id) and one["status"] in ACTIVE), None)
        if status and (state == "pending" or state == status["status"]):
            # The state machine has no way from a state to itself; clients that repeat themselves learn it here.
            verb = {"pending": "enqueue", "running": "run"}[state]
            raise Refused(400, f"Cannot transition status via :{verb} from :{status['status']} "
                               f"(Reason(s): Status cannot transition via \"{verb}\")")
        if status is None:
            status = {"id": self.next() + 500, "sha": sha, "ref": ref, "name": name, "author": self.user(person), "target_url": None,
                      "description": None, "coverage": None, "allow_failure": False, "pipeline_id": 9000 + project.id,
                      "created_at": self.stamp(), "started_at": None, "finished_at": None}
            project.statuses.append(status)
        status |= {"status": state} | {key: asked[key] for key in ("target_url", "description", "coverage") if key in asked}
        status["started_at" if state in ACTIVE else "finished_at"] = self.stamp()
        return Answer.of(status, 201)

    # Merge requests and their notes.

    @route("GET", f"{API}/projects/:project/merge_requests")
    def merge_requests(self, request):
        self.caller(request, *READ)
        project, asked = self.found(request, REPORTER), request.asked("state", "page", "per_page", "order_by", "sort")
        kept = [change.document() for change in project.merge_requests.values() if asked.get("state", "all") in ("all", change.state)]
        if asked.get("order_by", "created_at") not in ("created_at", "updated_at", "title"):
            raise Refused(400, {"error": "order_by does not have a valid value"})
        key = "updated_at" if asked.get("order_by") == "updated_at" else "iid"
        for one in kept:
            # A list does not compare.
            del one["diff_refs"]
        return self.listed(request, asked, sorted(kept, key=lambda one: one[key], reverse=asked.get("sort", "desc") == "desc"))

    def change(self, request, project):
        wanted = request.arguments["iid"]
        if not wanted.isdecimal() or int(wanted) not in project.merge_requests:
            raise Refused(404)
        return project.merge_requests[int(wanted)]

    @route("GET", f"{API}/projects/:project/merge_requests/:iid")
    def show_merge_request(self, request):
        self.caller(request, *READ)
        return Answer.of(self.change(request, self.found(request, REPORTER)).document())

    @route("GET", f"{API}/projects/:project/merge_requests/:iid/notes")
    def notes(self, request):
        self.caller(request, *READ)
        change = self.change(request, self.found(request))
        asked = request.asked("page", "per_page", "sort", "order_by")
        order = sorted(change.notes.values(), key=lambda note: note["id"], reverse=asked.get("sort", "desc") == "desc")
        return self.listed(request, asked, order)

    @route("POST", f"{API}/projects/:project/merge_requests/:iid/notes")
    def post_note(self, request):
        person = self.caller(request, "api")
        change = self.change(request, self.found(request, REPORTER))
        body = fields.read(request.json(), {"body": fields.text(1_000_000, 1)})["body"]
        note = {"id": self.next() + 700, "body": body, "author": self.user(person), "system": False, "noteable_type": "MergeRequest",
                "noteable_iid": change.iid, "created_at": self.stamp(), "updated_at": self.stamp(), "internal": False}
        change.notes[note["id"]] = note
        return Answer.of(note, 201)

    @route("PUT", f"{API}/projects/:project/merge_requests/:iid/notes/:note")
    def put_note(self, request):
        person = self.caller(request, "api")
        change, wanted = self.change(request, self.found(request)), request.arguments["note"]
        note = change.notes.get(int(wanted)) if wanted.isdecimal() else None
        if note is None:
            raise Refused(404, "404 Note Not Found")
        if note["author"]["id"] != person.id:
            raise Refused(403)
        note |= {"body": fields.read(request.json(), {"body": fields.text(1_000_000, 1)})["body"], "updated_at": self.stamp()}
        return Answer.of(note)

    # Sources.

    @route("GET", f"{API}/projects/:project/repository/:archive")
    def archive(self, request):
        """`archive.tar.gz?sha=`; what else the repository has at this depth are words, which go first."""
        match = re.fullmatch(r"archive(?:\.(tar\.gz|tar|zip))?", request.arguments["archive"])
        if not match:
            raise Refused(404)
        form = match[1] or "tar.gz"
        person = self.caller(request, *SOURCE)
        project, asked = self.found(request, REPORTER), request.asked("sha")
        if self.archives and self.archives.take(person.id).refused:
            raise Refused(429, "This archive has been requested too many times. Try again later.", Retry_After="60")
        sha = project.repository.resolve(asked.get("sha", project.default_branch))
        if sha is None:
            raise Refused(404, "404 File Not Found")
        name = f"{project.path.rpartition('/')[2]}-{asked.get('sha', project.default_branch).replace('/', '-')}-{sha}"
        return Answer(200, project.repository.archive(sha, name, form), FORMATS[form],
                      Content_Disposition=f'attachment; filename="{name}.{form}"')

    @route("GET", f"{API}/projects/:project/repository/files/:path/raw")
    def raw_file(self, request):
        self.caller(request, *SOURCE)
        project, asked = self.found(request, REPORTER), request.asked("ref")
        sha = project.repository.resolve(asked.get("ref", project.default_branch))
        if sha is None:
            raise Refused(404, "404 Commit Not Found")
        content = project.repository.file(sha, request.arguments["path"])
        if content is None:
            raise Refused(404, "404 File Not Found")
        path = request.arguments["path"]
        return Answer(200, content, "text/plain; charset=utf-8", X_Gitlab_Blob_Id=project.repository.blob(content), X_Gitlab_Commit_Id=sha,
                      X_Gitlab_File_Path=urllib.parse.quote(path), X_Gitlab_Ref=asked.get("ref", project.default_branch),
                      X_Gitlab_Size=str(len(content)))

    def listed(self, request, asked, items):
        piece, headers, (page, size, last) = pages.numbered(self.url, request, asked, items, 20, 100)
        answer = Answer.of(piece)
        answer.headers |= headers | {"X-Page": str(page), "X-Per-Page": str(size), "X-Total": str(len(items)), "X-Total-Pages": str(last),
                                     "X-Next-Page": str(page + 1) if page < last else "", "X-Prev-Page": str(page - 1) if page > 1 else ""}
        return answer
