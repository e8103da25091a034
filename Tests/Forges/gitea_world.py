"""What there is at the double of Gitea, or of Forgejo: accounts, repositories, pull requests. And how they say no."""

from . import people
from .request import Answer, Refused
from .server import Double

LEVELS = ("none", "read", "write", "admin", "owner")


class Repo:
    def __init__(self, forge, path, repository, id, private=True, fork_of=None):
        self.forge, self.path, self.repository, self.id, self.private, self.fork_of = forge, path, repository, id, private, fork_of
        self.default_branch = "main"
        # login to read, write or admin
        self.permissions = {}
        self.pulls, self.comments, self.statuses = {}, {}, []

    def document(self):
        owner, _, name = self.path.partition("/")
        return {"id": self.id, "owner": self.forge.user(self.forge.person(owner)), "name": name, "full_name": self.path, "description": "",
                "empty": not self.repository.branches(), "private": self.private, "fork": self.fork_of is not None,
                "parent": self.fork_of and {"id": self.fork_of.id, "full_name": self.fork_of.path}, "mirror": False, "size": 28,
                "html_url": f"{self.forge.url}/{self.path}", "clone_url": f"{self.forge.url}/{self.path}.git",
                "default_branch": self.default_branch, "archived": False,
                "permissions": {"admin": False, "push": False, "pull": True}}


class Pull:
    def __init__(self, base, number, author, head, head_branch, base_branch, title):
        self.base, self.number, self.author, self.title = base, number, author, title
        # None when the fork was deleted.
        self.head, self.head_branch, self.base_branch = head, head_branch, base_branch
        self.state, self.draft, self.merged = "open", False, False
        self.refresh()

    def touch(self):
        """Something happened to it: it is on top of the list of those that were updated. In the forge's own zone."""
        self.updated = self.base.forge.later(2 * 3600).replace("Z", "+02:00")

    def refresh(self):
        self.sha = self.base.repository.take(self.head.repository, self.head_branch, f"refs/pull/{self.number}/head")
        self.touch()
        return self.sha

    def side(self, repo, branch, sha):
        # Of a fork that is gone there is no commit either.
        return {"label": branch, "ref": branch, "sha": sha if repo else "", "repo_id": repo.id if repo else 0,
                "repo": repo and repo.document()}

    def document(self):
        forge, tip = self.base.forge, self.base.repository.resolve(self.base_branch)
        return {"id": 900 + self.number, "url": f"{forge.url}/{self.base.path}/pulls/{self.number}", "number": self.number,
                "user": forge.user(self.author), "title": self.title, "body": "", "labels": [], "state": self.state, "draft": self.draft,
                "is_locked": False, "comments": 0, "mergeable": True, "merged": self.merged, "merge_base": tip,
                "updated_at": self.updated, "merged_at": self.updated if self.merged else None,
                "head": self.side(self.head, self.head_branch, self.sha), "base": self.side(self.base, self.base_branch, tip)}


class World(Double):
    VERSIONS = {"gitea": "1.24.6", "forgejo": "11.0.6+gitea-1.22.0"}

    def __init__(self, tls=None, kind="gitea"):
        super().__init__(tls)
        self.kind = kind
        self.tokens = people.Tokens(self.clock)
        self.repos, self.accounts = {}, {}
        self.serial = 0

    def person(self, login, bot=False):
        """The account of this name, which is made if it is new."""
        if login not in self.accounts:
            self.accounts[login] = people.Person(len(self.accounts) + 2, login, bot=bot)
        return self.accounts[login]

    def repo(self, path, repository, id=None, private=True, fork_of=None, **permissions):
        """`permissions`: login to read, write or admin."""
        repo = Repo(self, path, repository, id or len(self.repos) + 31, private, fork_of)
        repo.permissions = permissions | {path.partition("/")[0]: "owner"}
        self.repos[path] = repo
        return repo

    def pull(self, base, author, branch, head=None, into=None, title="Make it float"):
        number = len(base.pulls) + 5
        base.pulls[number] = Pull(base, number, author, head or base, branch, into or base.default_branch, title)
        return base.pulls[number]

    def token(self, person, *scopes, seconds=None):
        """`write:repository`, `read:issue`, ...; 40 hex digits, as these forges have them."""
        token = self.tokens.make("", person, *scopes, seconds=seconds)
        del self.tokens.known[token.value]
        token.value = token.value.encode().hex()[:40]
        self.tokens.known[token.value] = token
        return token.value

    def next(self):
        self.serial += 1
        return self.serial

    def user(self, person):
        return {"id": person.id, "login": person.login, "login_name": "", "full_name": "", "language": "", "is_admin": False,
                "email": f"{person.login}@noreply.gitea.example", "avatar_url": f"{self.url}/avatars/x", "restricted": False,
                "active": False, "visibility": "public", "username": person.login}

    def caller(self, request, scope):
        """`scope`: `read:repository`; who may write may read."""
        kind, _, value = (request.header("Authorization") or "").partition(" ")
        if not value:
            raise Refused(401, "token is required")
        token = self.tokens.find(value) if kind.lower() in ("token", "bearer") else None
        if token is None:
            raise Refused(401, "invalid username, password or token")
        if not token.scopes & {scope, scope.replace("read:", "write:"), "all"}:
            raise Refused(403, f"token does not have at least one of required scope(s), required=[{scope}]")
        request.token = token
        return token.person

    def found(self, request, scope="read:repository", level="read"):
        """The repository of the path, if the token may do this there. What somebody may not see is not there."""
        person = self.caller(request, scope)
        repo = self.repos.get(f"{request.arguments['owner']}/{request.arguments['repo']}")
        standing = repo.permissions.get(person.login, "none" if repo.private else "read") if repo else "none"
        if standing == "none":
            raise Refused(404, "The target couldn't be found.")
        if LEVELS.index(standing) < LEVELS.index(level):
            raise Refused(403, "user should have a permission to write to a repo" if level == "write" else "Must be a repository admin")
        return repo

    def refusal(self, refused):
        message = {"message": refused.message, "url": f"{self.url}/api/swagger"}
        if refused.status == 404:
            message = {"errors": [], **message}
        return Answer.of(message, refused.status, **refused.headers)

    def wrong(self, wrong):
        return Refused(422, f"[{wrong.field}]: {wrong.problem}")
