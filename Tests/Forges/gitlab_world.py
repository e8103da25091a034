"""What there is at the double of GitLab: projects, their members, merge requests and notes. And how GitLab says no."""

import datetime
import email.utils

from . import people
from .limits import Limit
from .request import Answer, Refused
from .server import Double

GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 20, 30, 40, 50
REASONS = {400: "Bad request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 415: None,
           416: "Range Not Satisfiable"}


class Project:
    def __init__(self, forge, path, repository, id, visibility="private", fork_of=None):
        self.forge, self.path, self.repository, self.id, self.visibility = forge, path, repository, id, visibility
        self.fork_of = fork_of
        self.default_branch = "main"
        self.protected = {"main"}
        self.members = {}
        self.merge_requests = {}
        self.statuses = []

    def level(self, person):
        return self.members[person.id][1] if person.id in self.members else 0

    def document(self):
        namespace, _, name = self.path.rpartition("/")
        web = f"{self.forge.url}/{self.path}"
        return {"id": self.id, "name": name.title(), "path": name, "path_with_namespace": self.path,
                "name_with_namespace": " / ".join(part.title() for part in self.path.split("/")), "description": "",
                "default_branch": self.default_branch, "visibility": self.visibility, "web_url": web,
                "http_url_to_repo": f"{web}.git", "ssh_url_to_repo": f"git@gitlab.example:{self.path}.git", "archived": False,
                "empty_repo": not self.repository.branches(), "ci_config_path": None, "namespace": {"full_path": namespace},
                **({"forked_from_project": {"id": self.fork_of.id, "path_with_namespace": self.fork_of.path}} if self.fork_of else {})}


class MergeRequest:
    def __init__(self, target, iid, author, source, source_branch, target_branch, title):
        # The source is None when the fork was deleted.
        self.target, self.iid, self.author, self.source = target, iid, author, source
        self.source_branch, self.target_branch, self.title = source_branch, target_branch, title
        self.id = 1000 * target.id + iid
        self.state, self.draft = "opened", False
        self.notes = {}
        self.refresh()

    def touch(self):
        """Something happened to it: it is on top of the list of those that were updated."""
        self.updated = self.target.forge.later().replace("Z", ".000Z")

    def refresh(self):
        """After a push to the source: as GitLab does it, the head is under a reference of the target's repository, too."""
        self.sha = self.target.repository.take(self.source.repository, self.source_branch, f"refs/merge-requests/{self.iid}/head")
        self.touch()
        return self.sha

    def document(self):
        base = self.target.repository.resolve(self.target_branch)
        return {"id": self.id, "iid": self.iid, "project_id": self.target.id, "title": self.title, "description": "",
                "state": self.state, "draft": self.draft, "created_at": self.target.forge.stamp(), "updated_at": self.updated,
                "target_branch": self.target_branch,
                "source_branch": self.source_branch, "author": self.target.forge.user(self.author), "sha": self.sha,
                "source_project_id": self.source and self.source.id, "target_project_id": self.target.id, "merge_status": "can_be_merged",
                "detailed_merge_status": "mergeable", "labels": [],
                "web_url": f"{self.target.forge.url}/{self.target.path}/-/merge_requests/{self.iid}",
                "diff_refs": {"base_sha": base, "head_sha": self.sha, "start_sha": base}}


class World(Double):
    """Accounts, projects and who may what; the routes are in the classes that build on this one."""

    def __init__(self, tls=None, requests=2000):
        super().__init__(tls)
        self.tokens = people.Tokens(self.clock)
        self.limit = Limit(self.clock, requests, 60)
        self.projects, self.people = {}, {}
        self.serial = 0

    # What a test builds.

    def person(self, login, id=None, bot=False):
        person = people.Person(id or len(self.people) + 2, login, bot=bot)
        self.people[person.id] = person
        return person

    def token(self, person, *scopes, seconds=None):
        return self.tokens.make("glpat-", person, *scopes, seconds=seconds).value

    def project(self, path, repository, id=None, visibility="private", fork_of=None, **members):
        """`members`: login to access level."""
        project = Project(self, path, repository, id or len(self.projects) + 15, visibility, fork_of)
        logins = {person.login: person for person in self.people.values()}
        project.members = {logins[login].id: (logins[login], level) for login, level in members.items()}
        self.projects[project.id] = project
        return project

    def merge_request(self, target, author, branch, source=None, into=None, title="Make it float"):
        number = len(target.merge_requests) + 1
        change = MergeRequest(target, number, author, source or target, branch, into or target.default_branch, title)
        target.merge_requests[number] = change
        return change

    # What handlers ask.

    def next(self):
        self.serial += 1
        return self.serial

    def stamp(self, seconds=0):
        return self.clock.text(seconds).replace("Z", ".000Z")

    def user(self, person):
        return {"id": person.id, "username": person.login, "name": person.shown, "state": "active", "locked": False, "avatar_url": None,
                "web_url": f"{self.url}/{person.login}"}

    def caller(self, request, *scopes):
        """Whoever's token it is, if it has one of these scopes. Counts against the rate limit."""
        private, bearer = request.header("PRIVATE-TOKEN"), request.header("Authorization")
        if private and bearer:
            raise Refused(400, "two credentials")
        if bearer and not bearer.startswith("Bearer "):
            raise Refused(401)
        value = private or (bearer or "").removeprefix("Bearer ")
        token = self.tokens.known.get(value)
        if token is None:
            raise Refused(401)
        self.count(request, token.value)
        if not token.is_alive(self.clock):
            why = "Token was revoked. You have to re-authorize from the user." if token.revoked else \
                "Token is expired. You can either do re-authorization or token refresh."
            raise Refused(401, {"error": "invalid_token", "error_description": why})
        if not token.scopes.intersection(scopes):
            raise Refused(403, {"error": "insufficient_scope", "scope": " ".join(scopes),
                                "error_description": "The request requires higher privileges than provided by the access token."})
        request.token = token
        return token.person

    def count(self, request, key):
        request.standing = self.limit.take(key)
        if request.standing.refused:
            raise Refused(429, "Retry later\n", Retry_After=str(max(1, int(request.standing.reset - self.clock.now()))))

    def found(self, request, level=GUEST):
        """The project of the path, by its number or its encoded path. Who may not see it is told that there is none."""
        wanted = request.arguments["project"]
        project = self.projects.get(int(wanted)) if wanted.isdecimal() else \
            next((project for project in self.projects.values() if project.path == wanted), None)
        standing = project.level(request.token.person) if project else 0
        if project is None or not standing and project.visibility == "private":
            raise Refused(404, "404 Project Not Found")
        if standing < level and not (level <= GUEST and project.visibility == "public"):
            raise Refused(403)
        return project

    # The forge's own forms.

    def refusal(self, refused):
        message = refused.message
        if refused.status == 429:
            return Answer(429, message.encode(), "text/plain", **refused.headers)
        if not isinstance(message, dict):
            reason = REASONS.get(refused.status)
            message = {"error": message} if refused.status == 415 else \
                {"message": message or f"{refused.status} {reason}"}
        return Answer.of(message, refused.status, **refused.headers)

    def wrong(self, wrong):
        problem = {"type": "is invalid", "value": "does not have a valid value"}.get(wrong.kind, wrong.problem)
        return Refused(400, {"error": f"{wrong.field} {problem}"})

    def dress(self, request, answer):
        answer.headers["X-Request-Id"] = f"01DOUBLE{self.next():018d}"
        standing = getattr(request, "standing", None)
        if standing:
            reset = datetime.datetime.fromtimestamp(standing.reset, datetime.timezone.utc)
            answer.headers |= {"RateLimit-Name": "throttle_authenticated_api", "RateLimit-Limit": str(standing.most),
                               "RateLimit-Observed": str(standing.used), "RateLimit-Remaining": str(standing.left),
                               "RateLimit-Reset": str(standing.reset),
                               "RateLimit-ResetTime": email.utils.format_datetime(reset, usegmt=True)}
        return answer
