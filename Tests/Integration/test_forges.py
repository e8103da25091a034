"""The calls of courierd at the doubles of the forges, through its own way out: what is posted is there, what is asked for comes back,
and the token goes nowhere else. The same commit is the same archive, whichever forge it comes from."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROBE = ROOT / ".build/release/forge-probe"
sys.path.insert(0, str(ROOT / "Tests"))
DOUBLES = (ROOT / "Tests/Forges/server.py").exists()
if DOUBLES:
    from Forges import faults
    from Forges.gitea import Gitea
    from Forges.github import GitHub
    from Forges.gitlab import MAINTAINER, GitLab
    from Forges.repositories import Repository
    from Forges.store import Store


class Asked:
    """One forge with a repository and a change in it, and somebody who may everything."""

    def __init__(self, kind, forge, token, repository, number, person, archives=None):
        self.kind, self.forge, self.token, self.number, self.person = kind, forge, token, number, person
        self.where = [repository.id, repository.path]
        # A proxy of the environment would be sent the token.
        self.environment = os.environ | {"http_proxy": "http://127.0.0.1:9", "SWIFT_BACKTRACE": "enable=no"}
        self.environment |= {"ARCHIVES": archives} if archives else {}

    def __call__(self, call, *arguments):
        words = [] if call == "account" else self.where
        done = subprocess.run([PROBE, self.kind, self.forge.url, call, *map(str, [*words, *arguments])], input=self.token.encode(),
                              capture_output=True, env=self.environment, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert self.token not in done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode().strip()


@unittest.skipUnless(DOUBLES, "needs the doubles of Tests/Forges")
class Forges(unittest.TestCase):
    def setUp(self):
        self.repository = self.enterContext(Repository({"README.md": "ship\n", ".ci/job.yaml": "steps: []\n", "d/run.sh": "#!"}))
        self.sha = self.repository.resolve("main")
        self.head = self.repository.commit({"x": "1"}, branch="fix", parent=self.sha)
        lab, hub, tea, self.store = (self.enterContext(one()) for one in (GitLab, GitHub, Gitea, Store))
        ada = lab.person("ada")
        project = lab.project("harbour/ship", self.repository, ada=MAINTAINER)
        self.gitlab = Asked("gitlab", lab, lab.token(ada, "api"), project, lab.merge_request(project, ada, "fix").iid, ada)
        ada = hub.person("ada")
        repo = hub.repo("harbour/ship", self.repository, ada="admin")
        may = dict.fromkeys(("contents", "statuses", "issues", "pull_requests"), "write")
        hub.codeload = self.store
        self.github = Asked("github", hub, hub.token(ada, **may), repo, hub.pull(repo, ada, "fix").number, ada, self.store.url)
        ada = tea.person("ada")
        repo = tea.repo("harbour/ship", self.repository, ada="admin")
        token = tea.token(ada, "read:user", "write:repository", "write:issue")
        self.gitea = Asked("gitea", tea, token, repo, tea.pull(repo, ada, "fix").number, ada)
        self.all = (self.github, self.gitlab, self.gitea)

    def test_who_it_is(self):
        for ask in self.all:
            self.assertEqual(ask("account"), f'account(ForgeModel.Account(id: {ask.person.id}, name: "ada"))')

    def test_statuses(self):
        for ask in self.all:
            # A description that is too long for each of them, and a state that is there already.
            for state in ("pending", "pending", "running", "success"):
                self.assertEqual(ask("status", self.sha, "ci/build", state, "d" * 300), "posted", ask.kind)

    def test_one_comment(self):
        for ask in self.all:
            said = {ask("comment", ask.number, "plan", ask.person.id, word) for word in ("one", "two")}
            self.assertEqual(len(said), 1, ask.kind)
            self.assertRegex(said.pop(), r"^comment\(\d+\)$")
            # By somebody else, by his word: there is none of his.
            self.assertNotIn(ask("comment", ask.number, "plan", ask.person.id + 1000, "three"), said)

    def test_questions(self):
        for ask in self.all:
            self.assertEqual(ask("permission", ask.person.id, "ada"), "permission(ForgeModel.Permission.admin)")
            change = ask("change", ask.number)
            self.assertIn("State.open", change)
            self.assertEqual(set(re.findall(r"hex: \"(\w+)", change)), {self.head, self.sha}, ask.kind)
            self.assertEqual(ask("file", self.sha, ".ci/job.yaml"), f"file({list(b'steps: []' + bytes([10]))})")
            self.assertEqual(ask("file", self.sha, ".ci"), "failed: forge(ForgeCalls.ForgeProblem.missing)")

    def test_one_archive(self):
        archives = {ask("archive", self.sha) for ask in self.all}
        self.assertEqual(len(archives), 1)
        self.assertRegex(archives.pop(), r"(?s)^archive\nNormalArchive\(sha256: .*, size: 5120, entries: 6\)$")
        self.assertEqual(self.store.leaks, [])

    def test_bad_days(self):
        for ask in self.all:
            plan = ask.forge.faults
            plan.next("GET", "*", faults.status(429, Retry_After="1"))
            self.assertIn("State.open", ask("change", ask.number))
            plan.next("GET", "*", faults.status(429, Retry_After="1000"))
            self.assertRegex(ask("change", ask.number), r"^failed: later\(after: 1\d\d\d")
            plan.next("GET", "*", faults.page())
            self.assertEqual(ask("change", ask.number), 'failed: forge(ForgeCalls.ForgeProblem.field("content-type"))')
            plan.next("GET", "*", faults.redirect("http://127.0.0.1:1/elsewhere"))
            self.assertEqual(ask("archive", self.sha), "failed: forge(ForgeCalls.ForgeProblem.redirected)")
            self.assertEqual(plan.left, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
