"""What there is at the double of GitHub: accounts, repositories, pull requests, apps and their installations. And how GitHub says no."""

import hashlib
import re

from . import people
from .github_app import App, claims
from .limits import Limit
from .request import Answer, Refused
from .server import Double

DOCUMENTATION = "https://docs.github.com/rest"
RAW = ("application/vnd.github.raw+json", "application/vnd.github.raw")
ACCEPTED = re.compile(r"application/vnd\.github(\.[\w-]+)?\+json|application/vnd\.github\.raw|application/json|\*/\*").fullmatch
LEVELS = ("none", "read", "write", "admin")


class Repo:
    def __init__(self, forge, path, repository, id, private=True, fork_of=None):
        self.forge, self.path, self.repository, self.id, self.private, self.fork_of = forge, path, repository, id, private, fork_of
        self.default_branch = "main"
        # login to read, write or admin
        self.permissions = {}
        self.pulls, self.comments, self.statuses, self.check_runs = {}, {}, [], {}

    @property
    def url(self):
        return f"{self.forge.url}/repos/{self.path}"

    def document(self):
        owner, _, name = self.path.partition("/")
        return {"id": self.id, "node_id": f"R_{self.id}", "name": name, "full_name": self.path, "private": self.private,
                "owner": self.forge.user(self.forge.person(owner)), "html_url": f"{self.forge.url}/{self.path}", "url": self.url,
                "description": "Parts of a ship", "fork": self.fork_of is not None, "default_branch": self.default_branch,
                "visibility": "private" if self.private else "public", "archived": False, "topics": ["ci"], "license": None,
                "pushed_at": self.forge.clock.text()}


class Pull:
    def __init__(self, base, number, author, head, head_branch, base_branch, title):
        self.base, self.number, self.author, self.title = base, number, author, title
        # None when the fork was deleted.
        self.head, self.head_branch, self.base_branch = head, head_branch, base_branch
        self.state, self.draft, self.merged = "open", False, False
        self.refresh()

    def touch(self):
        """Something happened to it: it is on top of the list of those that were updated."""
        self.updated = self.base.forge.later()

    def refresh(self):
        """After a push to the head: GitHub keeps it in the base's repository under `refs/pull/N/head`."""
        self.sha = self.base.repository.take(self.head.repository, self.head_branch, f"refs/pull/{self.number}/head")
        self.head_owner = self.head.path.partition("/")[0]
        self.touch()
        return self.sha

    def side(self, repo, owner, branch, sha):
        return {"label": f"{owner}:{branch}", "ref": branch, "sha": sha, "user": self.base.forge.user(self.base.forge.person(owner)),
                "repo": repo and repo.document()}

    def document(self):
        forge, owner = self.base.forge, self.base.path.partition("/")[0]
        return {"url": f"{self.base.url}/pulls/{self.number}", "issue_url": f"{self.base.url}/issues/{self.number}",
                "html_url": f"{forge.url}/{self.base.path}/pull/{self.number}", "id": 900 + self.number, "number": self.number,
                "state": self.state, "locked": False, "title": self.title, "user": forge.user(self.author), "body": "", "labels": [],
                "draft": self.draft, "merged": self.merged, "mergeable": None, "updated_at": self.updated,
                "merged_at": self.updated if self.merged else None,
                "head": self.side(self.head, self.head_owner, self.head_branch, self.sha),
                "base": self.side(self.base, owner, self.base_branch, self.base.repository.resolve(self.base_branch)),
                "author_association": "CONTRIBUTOR", "maintainer_can_modify": False}


class World(Double):
    # GitHub knows nothing of a path, whatever the method.
    wrong_method = 404
    versions = {"2022-11-28"}
    # "/api/v3" at a server of one's own: the interface is below it, and nowhere else.
    base = ""

    def __init__(self, tls=None, requests=5000, creations=80):
        super().__init__(tls)
        self.tokens = people.Tokens(self.clock)
        self.limit = Limit(self.clock, requests, 3600)
        # The secondary limit: what makes something that people see.
        self.creating = Limit(self.clock, creations, 60)
        self.repos, self.accounts, self.apps = {}, {}, {}
        self.serial = 0

    def dispatch(self, request):
        if self.base and not request.path.startswith("/codeload/") and not request.path.endswith(("/info/refs", "/git-upload-pack")):
            if not request.path.startswith(self.base + "/"):
                raise Refused(404, "Not Found")
            request.path = request.path.removeprefix(self.base)
        return super().dispatch(request)

    # What a test builds.

    def person(self, login, bot=False):
        """The account of this name, which is made if it is new."""
        if login not in self.accounts:
            self.accounts[login] = people.Person(len(self.accounts) + 11, login, bot=bot)
        return self.accounts[login]

    def repo(self, path, repository, id=None, private=True, fork_of=None, **permissions):
        """`permissions`: login to read, write or admin."""
        repo = Repo(self, path, repository, id or len(self.repos) + 4711, private, fork_of)
        repo.permissions = permissions | {path.partition("/")[0]: "admin"}
        self.repos[path] = repo
        return repo

    def pull(self, base, author, branch, head=None, into=None, title="Make it float"):
        number = len(base.pulls) + 42
        base.pulls[number] = Pull(base, number, author, head or base, branch, into or base.default_branch, title)
        return base.pulls[number]

    def app(self, slug="bulkhead"):
        app = App(self.next() + 300, slug, self.person(f"{slug}[bot]", bot=True))
        self.apps[app.id] = app
        return app

    def token(self, person, seconds=None, **permissions):
        """Of a person, fine-grained: `statuses="write"`."""
        return self.tokens.make("github_pat_", person, seconds=seconds, permissions=permissions, installation=None).value

    # What handlers ask.

    def next(self):
        self.serial += 1
        return self.serial

    def user(self, person):
        return {"login": person.login, "id": person.id, "node_id": f"U_{person.id}", "type": "Bot" if person.bot else "User",
                "url": f"{self.url}/users/{person.login}", "html_url": f"{self.url}/{person.login}", "avatar_url": "", "site_admin": False}

    def admit(self, request):
        if request.path.endswith(("/info/refs", "/git-upload-pack")):
            return
        if not request.header("User-Agent"):
            raise Refused(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")
        kinds = [kind.partition(";")[0].strip() for kind in request.header("Accept", "*/*").split(",")]
        if not any(ACCEPTED(kind) for kind in kinds):
            raise Refused(415, f"Unsupported 'Accept' header: '{kinds[0]}'. Must accept 'application/json'.")
        if request.header("X-GitHub-Api-Version") not in (None, *self.versions):
            raise Refused(400, "X-GitHub-Api-Version is not a version that is supported")

    def bearer(self, request):
        kind, _, value = (request.header("Authorization") or "").partition(" ")
        if not value:
            raise Refused(401, "Requires authentication")
        if kind not in ("Bearer", "token"):
            raise Refused(401, "Bad credentials")
        return value

    def as_app(self, request):
        """By a signed statement of the app itself, which opens nothing but the app's own affairs."""
        return claims(self.bearer(request), self.apps, self.clock.now())

    def caller(self, request):
        token = self.tokens.find(self.bearer(request))
        if token is None:
            raise Refused(401, "Bad credentials")
        request.token = token
        key = token.about["installation"].id if token.about["installation"] else token.value
        request.standing = self.limit.take(key)
        request.forgive = lambda: self.limit.forgive(key)
        if request.standing.refused:
            raise Refused(403, f"API rate limit exceeded for installation ID {key}." if token.about["installation"] else
                          f"API rate limit exceeded for user ID {token.person.id}.")
        return token.person

    def creates(self, request):
        if self.creating.take(request.token.value).refused:
            raise Refused(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                          Retry_After="60")

    def may(self, repo, token):
        """What the token's owner may in this repository."""
        installation = token.about["installation"]
        if installation:
            return "write" if repo.path in token.about["repositories"] else "none"
        return repo.permissions.get(token.person.login, "none" if repo.private else "read")

    def found(self, request, permission="metadata", level="read"):
        """The repository of the path, if the token may do this there: by a permission, or by one of several. What somebody may not see
        is not there."""
        self.caller(request)
        repo, token = self.repos.get(f"{request.arguments['owner']}/{request.arguments['repo']}"), request.token
        standing = self.may(repo, token) if repo else "none"
        if standing == "none":
            raise Refused(404, "Not Found")
        names = [permission] if isinstance(permission, str) else permission
        given = max((token.about["permissions"].get(name, "read" if name == "metadata" else "none") for name in names), key=LEVELS.index)
        if LEVELS.index(given) < LEVELS.index(level) or LEVELS.index(standing) < LEVELS.index(level):
            raise Refused(403, "Resource not accessible by integration" if token.about["installation"] else
                          "Resource not accessible by personal access token")
        return repo

    # The forge's own forms.

    def refusal(self, refused):
        message = refused.message if isinstance(refused.message, dict) else {"message": refused.message}
        return Answer.of(message | {"documentation_url": DOCUMENTATION, "status": str(refused.status)}, refused.status, **refused.headers)

    def wrong(self, wrong):
        code = {"missing": "missing_field", "unknown": "invalid", "type": "invalid", "short": "missing_field"}.get(wrong.kind, "custom")
        error = {"resource": "Request", "field": wrong.field, "code": code, "message": str(wrong)}
        return Refused(422, {"message": "Validation Failed", "errors": [error]})

    def dress(self, request, answer):
        if request.method in ("GET", "HEAD") and answer.status == 200:
            tag = f'W/"{hashlib.sha256(answer.body).hexdigest()}"'
            if request.header("If-None-Match") == tag:
                # What has not changed costs nothing.
                if hasattr(request, "forgive"):
                    request.forgive()
                    request.standing.used -= 1
                answer = Answer(304)
            answer.headers["ETag"] = tag
        standing = getattr(request, "standing", None)
        if standing:
            answer.headers |= {"X-RateLimit-Limit": str(standing.most), "X-RateLimit-Remaining": str(standing.left),
                               "X-RateLimit-Used": str(standing.used), "X-RateLimit-Reset": str(standing.reset),
                               "X-RateLimit-Resource": "core"}
        answer.headers |= {"X-GitHub-Request-Id": f"D0:{self.next():08X}", "X-GitHub-Media-Type": "github.v3; format=json"}
        return answer
