"""A house with projects whose forge sends webhooks, for tests about how these come in."""

import contextlib
import http.client
import sqlite3
import sys

from house import ROOT, House

sys.path.insert(0, str(ROOT / "Tests"))
from Forges.github import GitHub  # noqa: E402
from Forges.repositories import Repository  # noqa: E402
from Forges.storms import Numbered  # noqa: E402

KEY = "It's a Secret to Everybody"
PROJECT = """
projects:
  - name: {name}
    forge: {{kind: github}}
    repository: {{id: {id}}}
    jobs:
      - name: test
        image: bulkhead/busybox
        steps: ["true"]
"""


class HookedHouse(House):
    """`projects`: each has one job for every push, of another commit: `pushes[name].make(number, path)`."""

    def __init__(self, *projects, options=()):
        super().__init__(*options)
        self.projects = projects
        self.pushes = {}
        self.contexts = contextlib.ExitStack()

    def __enter__(self):
        super().__enter__()
        try:
            self.set_up()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def set_up(self):
        repository = self.contexts.enter_context(Repository({"README.md": "ship\n"}))
        github = self.contexts.enter_context(GitHub())
        sha, ada = repository.resolve("main"), github.person("ada")
        for name in self.projects:
            repo = github.repo(f"harbour/{name}", repository, ada="write")
            file = self.state / f"{name}.yaml"
            file.write_text(PROJECT.format(name=name, id=repo.id))
            self.bulkhead("project", "apply", file, check=0)
            self.bulkhead("secret", "set", name, "webhook-key", stdin=KEY.encode(), check=0)
            self.pushes[name] = Numbered(github.hooks.push(repo, "refs/heads/feature", sha, sha, ada), KEY)

    def __exit__(self, kind, *rest):
        self.contexts.close()
        super().__exit__(kind, *rest)

    def select(self, statement, *values):
        """What schedulerd's database says."""
        with sqlite3.connect(f"file:{self.state}/schedulerd/scheduler.sqlite?mode=ro", uri=True, timeout=30) as database:
            return database.execute(statement, values).fetchall()

    def say(self, request, timeout=30):
        """Bytes as they are, on a connection of their own; the status of the first answer, None if there was none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.connect()
            with contextlib.suppress(OSError):
                connection.sock.sendall(request)
            answer = http.client.HTTPResponse(connection.sock)
            answer.begin()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
