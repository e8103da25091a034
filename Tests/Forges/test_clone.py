"""Git itself clones from the doubles, with the tokens that open a repository there and with none else."""

import base64
import os
import subprocess
import tempfile
import unittest

from .client import call
from .gitea import Gitea
from .github import GitHub
from .gitlab import GUEST, MAINTAINER, GitLab
from .gitlab_jobs import Job
from .repositories import QUIET, Repository
from .runner_client import RunnerClient


class Clone(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # More than a kilobyte of names to negotiate: git then compresses what it sends.
        cls.repository = cls.enterClassContext(Repository({"README.md": "ship\n"}))
        cls.sha = cls.repository.resolve("main")
        for number in range(30):
            cls.repository.git("update-ref", f"refs/heads/b{number:02}", cls.repository.commit({"n": str(number)}))

    def git(self, *arguments):
        return subprocess.run(["git", *arguments], env=os.environ | QUIET, capture_output=True, text=True)

    def fetched(self, url, user, password, what=None):
        """Whether this commit's files come; `what` is the branch to clone if not the commit alone."""
        address = url.replace("://", f"://{user}:{password}@") if user else url
        with tempfile.TemporaryDirectory() as folder:
            self.git("init", "--quiet", folder)
            done = self.git("-C", folder, "fetch", "--quiet", *(["--depth=1"] if not what else []), address, what or self.sha)
            if done.returncode:
                return done.stderr
            return self.git("-C", folder, "show", f"{self.sha}:README.md").stdout

    def test_gitlab(self):
        forge = self.enterContext(GitLab())
        ada, eve = forge.person("ada"), forge.person("eve")
        project = forge.project("harbour/yard/ship", self.repository, ada=MAINTAINER, eve=GUEST)
        url = f"{forge.url}/harbour/yard/ship.git"
        runner = RunnerClient(forge, forge.make_runner("project_type", project, run_untagged=True).token)
        pipeline = forge.pipeline(project, "main", [Job("only")], ada)
        job = runner.job()
        self.assertEqual(self.fetched(job["git_info"]["repo_url"], None, None), "ship\n")
        self.assertEqual(self.fetched(url, "gitlab-ci-token", job["token"], "refs/heads/*:refs/heads/*"), "ship\n")
        self.assertEqual(self.fetched(url, "oauth2", forge.token(ada, "read_repository")), "ship\n")
        self.assertIn("not found", self.fetched(url, "oauth2", forge.token(eve, "read_repository")))
        self.assertIn("Authentication failed", self.fetched(url, "oauth2", forge.token(ada, "read_user")))
        self.assertIn("Authentication failed", self.fetched(url, "x", "wrong"))
        self.assertIn("not found", self.fetched(url.replace("ship", "boat"), "gitlab-ci-token", job["token"]))
        pipeline.jobs[0].cancel_hard()
        self.assertIn("Authentication failed", self.fetched(url, "gitlab-ci-token", job["token"]), "it is over")
        asked = call(forge, "GET", "/harbour/yard/ship.git/info/refs?service=git-upload-pack")
        self.assertEqual((asked.status, asked.headers["WWW-Authenticate"]), (401, 'Basic realm="forge"'))
        basic = "Basic " + base64.b64encode(f"oauth2:{forge.token(ada, 'api')}".encode()).decode()
        other = basic.replace("Basic", "Bearer")
        bearer = call(forge, "GET", "/harbour/yard/ship.git/info/refs?service=git-upload-pack", Authorization=other)
        self.assertEqual(bearer.status, 401)
        push = call(forge, "GET", "/harbour/yard/ship.git/info/refs?service=git-receive-pack", Authorization=basic)
        self.assertEqual(push.status, 403, "nobody pushes")
        self.assertEqual(call(forge, "POST", "/harbour/yard/ship.git/git-receive-pack", Authorization=basic).status, 404)
        compressed = forge.journal.calls("POST", "*/git-upload-pack", 200)
        self.assertIn("gzip", {entry.headers.get("content-encoding") for entry in compressed}, "as git does it")

    def test_github_and_gitea(self):
        forge = self.enterContext(GitHub())
        ada = forge.person("ada")
        forge.repo("harbour/ship", self.repository, ada="read")
        url = f"{forge.url}/harbour/ship.git"
        self.assertEqual(self.fetched(url, "x-access-token", forge.token(ada, contents="read")), "ship\n")
        self.assertIn("not found", self.fetched(url, "x-access-token", forge.token(ada, statuses="write")))
        self.assertIn("Authentication failed", self.fetched(url, "x-access-token", "ghs_x"))
        forge = self.enterContext(Gitea())
        ada, eve = forge.person("ada"), forge.person("eve")
        forge.repo("harbour/ship", self.repository, ada="read")
        url = f"{forge.url}/harbour/ship.git"
        self.assertEqual(self.fetched(url, "ada", forge.token(ada, "read:repository")), "ship\n")
        self.assertIn("not found", self.fetched(url, "eve", forge.token(eve, "read:repository")))
        self.assertIn("Authentication failed", self.fetched(url, "ada", forge.token(ada, "read:user")))


if __name__ == "__main__":
    unittest.main()
