"""Webhooks: what a forge tells becomes jobs, with the trust that it deserves, once; what is not genuine becomes nothing."""

import base64
import hashlib
import json
import sqlite3
import sys
import unittest

from house import ROOT, House, eventually

sys.path.insert(0, str(ROOT / "Tests"))
from Forges.deliveries import signature, storm  # noqa: E402
from Forges.gitea import Gitea  # noqa: E402
from Forges.github import GitHub  # noqa: E402
from Forges.gitlab import MAINTAINER, GitLab  # noqa: E402
from Forges.repositories import Repository  # noqa: E402

KEY = "It's a Secret to Everybody"
SIGNING = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PROJECT = """
projects:
  - name: {name}
    forge: {{kind: {kind}, url: {url}}}
    repository: {{id: {id}}}
    secrets:
      deploy-key: {{}}
    jobs:
      - name: test
        image: bulkhead/busybox
        checkout: false
        steps: ["echo tested"]
      - name: deploy
        events: [push]
        branches: [main]
        checkout: false
        image: bulkhead/busybox
        steps:
          - run: test "$KEY" = the-value-of-the-key && echo deployed with $KEY
            secrets: {{KEY: deploy-key}}
"""


class Webhooks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "3"))
        cls.repository = cls.enterClassContext(Repository({"README.md": "ship\n"}))
        cls.before = cls.repository.resolve("main")
        cls.github = cls.enterClassContext(GitHub())
        cls.ada, cls.eve = cls.github.person("ada"), cls.github.person("eve")
        cls.repo = cls.github.repo("harbour/ship", cls.repository, ada="write")
        cls.fork = cls.github.repo("eve/ship", cls.repository, fork_of=cls.repo, eve="write")
        cls.github.hooks.secret = KEY
        cls.project("ship", "github", "https://github.com", cls.repo.id)

    @classmethod
    def project(cls, name, kind, url, id, key=KEY):
        file = cls.house.state / f"{name}.yaml"
        file.write_text(PROJECT.format(name=name, kind=kind, url=url, id=id))
        cls.house.bulkhead("project", "apply", file, check=0)
        cls.house.bulkhead("secret", "set", name, "webhook-key", stdin=key.encode(), check=0)
        cls.house.bulkhead("secret", "set", name, "deploy-key", stdin=b"the-value-of-the-key", check=0)

    def address(self, forge="github", project="ship"):
        return f"http://127.0.0.1:{self.house.port}/webhook/{forge}" + (f"/{project}" if project else "")

    def deliver(self, delivery, forge="github", project="ship", expect=202):
        status, body = delivery.send(self.address(forge, project))
        self.assertEqual(status, expect, body)
        return json.loads(body)

    def delivery(self, id):
        return next(d for d in self.house.api("GET", "/deliveries?limit=50")[1]["deliveries"] if d["id"] == id)

    def jobs(self, answer, count):
        """The jobs of a delivery, by name, once all of them are there."""
        eventually("its jobs", lambda: len(self.delivery(answer["delivery"])["jobs"]) == count)
        found = [self.house.api("GET", f"/jobs/{id}")[1] for id in self.delivery(answer["delivery"])["jobs"]]
        return {job["name"]: job for job in found}

    def push(self, branch="main", text="better"):
        before = self.repository.resolve("main")
        after = self.repository.commit({"README.md": f"{text}\n"}, branch=branch)
        return self.github.hooks.push(self.repo, f"refs/heads/{branch}", before, after, self.ada)

    def change(self, branch, text):
        self.repository.commit({"README.md": f"{text}\n"}, branch=branch)
        return self.github.pull(self.repo, self.eve, branch, head=self.fork)

    def database(self):
        """What is written about deliveries and jobs, as one hash."""
        with sqlite3.connect(f"file:{self.house.state}/schedulerd/scheduler.sqlite?mode=ro", uri=True) as database:
            rows = [database.execute(f"SELECT * FROM {table}").fetchall() for table in ("deliveries", "delivery_jobs", "jobs")]
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    # What should happen

    def test_a_push_to_main_is_deployed(self):
        jobs = self.jobs(self.deliver(self.push()), 2)
        done = self.house.wait(jobs["deploy"]["id"])
        self.assertEqual((done["state"], done["trust"]), ("SUCCEEDED", "trusted"), self.house.log(done["id"]))
        log = self.house.log(done["id"])
        self.assertIn(b"deployed with", log)
        self.assertNotIn(b"the-value-of-the-key", log)
        self.assertEqual(self.house.wait(jobs["test"]["id"])["state"], "SUCCEEDED")

    def test_another_branch_is_tested_without_a_secret(self):
        jobs = self.jobs(self.deliver(self.push("feature", "feature")), 1)
        done = self.house.wait(jobs["test"]["id"])
        self.assertEqual((done["state"], done["trust"]), ("SUCCEEDED", "approved"))

    def test_a_fork_waits_for_an_approval_of_its_commit(self):
        pull = self.change("patch-1", "first")
        job = self.jobs(self.deliver(self.github.hooks.pull_request(pull, "opened", self.eve)), 1)["test"]
        self.assertEqual(job["state"], "HELD")
        why = self.house.bulkhead("why", job["id"], check=0).stdout.decode()
        self.assertIn(f"bulkhead approve {job['id']}", why)
        self.house.bulkhead("approve", job["id"], "--head", "f" * 40, check=1)
        self.house.bulkhead("approve", job["id"], check=64)
        self.house.bulkhead("approve", job["id"], "--head", pull.sha, "--into", "elsewhere", check=1)
        said = self.house.bulkhead("approve", job["id"], "--head", pull.sha, "--into", "main", check=0)
        self.assertIn("into main", said.stdout.decode())
        done = self.house.wait(job["id"])
        self.assertEqual((done["state"], done["trust"]), ("SUCCEEDED", "approved"))

    def test_w16_what_is_pushed_after_an_approval_waits_again(self):
        """W16: until the change is closed."""
        pull = self.change("patch-2", "first")
        first = self.jobs(self.deliver(self.github.hooks.pull_request(pull, "opened", self.eve)), 1)["test"]
        old = pull.sha
        self.repository.commit({"README.md": "evil\n"}, branch="patch-2")
        pull.refresh()
        second = self.jobs(self.deliver(self.github.hooks.pull_request(pull, "synchronize", self.eve, before=old)), 1)["test"]
        self.assertEqual(self.house.api("GET", f"/jobs/{first['id']}")[1]["state"], "CANCELLED")
        self.house.bulkhead("approve", first["id"], "--head", old, check=64)
        self.assertEqual(second["state"], "HELD")
        self.house.bulkhead("approve", second["id"], "--head", old, check=1)
        self.assertEqual(self.house.api("GET", f"/jobs/{second['id']}")[1]["state"], "HELD")
        self.deliver(self.github.hooks.pull_request(pull, "closed", self.eve))
        self.assertEqual(self.house.api("GET", f"/jobs/{second['id']}")[1]["state"], "CANCELLED")

    def test_gitlab_by_its_token_and_by_its_signing_token(self):
        with GitLab() as forge:
            ada = forge.person("ada")
            project = forge.project("harbour/yard/ship", self.repository, ada=MAINTAINER)
            self.project("yard", "gitlab", "https://gitlab.com", project.id)
            after = self.repository.commit({"README.md": "gitlab\n"})
            forge.hooks.token = KEY
            answer = self.deliver(forge.hooks.push(project, "refs/heads/main", self.before, after, ada), "job", "")
            self.assertEqual(set(self.jobs(answer, 2)), {"test", "deploy"})
            forge.hooks.token = "another"
            self.deliver(forge.hooks.push(project, "refs/heads/main", after, self.before, ada), "gitlab", "yard", expect=401)
            self.house.bulkhead("secret", "set", "yard", "webhook-key", stdin=SIGNING.encode(), check=0)
            forge.hooks.token, forge.hooks.signing_token = None, SIGNING
            answer = self.deliver(forge.hooks.push(project, "refs/heads/main", after, self.before, ada), "gitlab", "yard")
            self.assertEqual(set(self.jobs(answer, 2)), {"test", "deploy"})

    def test_gitea_and_forgejo(self):
        for kind in ("gitea", "forgejo"):
            with self.subTest(kind), Gitea(kind=kind) as forge:
                ada = forge.person("ada")
                repo = forge.repo("harbour/ship", self.repository, ada="write")
                self.project(kind, kind, "https://git.example.org", repo.id)
                forge.hooks.secret = KEY
                after = self.repository.commit({"README.md": f"{kind}\n"})
                push = forge.hooks.push(repo, "refs/heads/main", self.before, after, ada)
                self.assertEqual(set(self.jobs(self.deliver(push, kind, kind), 2)), {"test", "deploy"})
                forge.hooks.secret = None
                self.deliver(forge.hooks.push(repo, "refs/heads/main", after, self.before, ada), kind, kind, expect=401)

    def test_projects_are_shown_as_they_are(self):
        listed = self.house.bulkhead("project", "ls", check=0).stdout.decode()
        self.assertIn("ship", listed)
        exported = self.house.state / "exported.yaml"
        exported.write_bytes(self.house.bulkhead("project", "export", "ship", check=0).stdout)
        self.house.bulkhead("project", "diff", exported, check=0)
        changed = self.house.state / "changed.yaml"
        changed.write_text(exported.read_text().replace("echo tested", "echo examined"))
        difference = self.house.bulkhead("project", "diff", changed, check=1).stdout.decode()
        self.assertRegex(difference, r"(?m)^- .*echo tested")
        self.assertRegex(difference, r"(?m)^\+ .*echo examined")
        again = self.house.bulkhead("project", "apply", exported, "--json", check=0)
        self.assertEqual(json.loads(again.stdout), {"projects": [{"change": "unchanged", "project": "ship"}]})

    # What must not

    def test_w1_w2_what_is_not_genuine_is_not_even_written(self):
        """W1: W2: with everything that looks like a signature."""
        push = self.push(text="w1")
        good = push.header("X-Hub-Signature-256")
        wrong = {
            "unsigned": push.with_headers(X_Hub_Signature_256=None, X_Hub_Signature=None),
            "SHA-1 alone": push.with_headers(X_Hub_Signature_256=None),
            "truncated": push.with_headers(X_Hub_Signature_256=good[:-1]),
            "upper case": push.with_headers(X_Hub_Signature_256=good.upper()),
            "empty": push.with_headers(X_Hub_Signature_256=""),
            "two": push.with_more(("X-Hub-Signature-256", good)),
            "another body": push.with_body(push.body + b" "),
            "no JSON": push.with_body(b"{"),
        }
        before = self.database()
        for what, delivery in wrong.items():
            with self.subTest(what):
                self.deliver(delivery, expect=401)
        self.assertEqual(self.database(), before)
        # It is signed, so its sender may know what is wrong with it.
        self.deliver(push.with_headers(X_GitHub_Event=None), expect=400)
        # The control: as it was, it passes.
        self.assertTrue(self.deliver(push)["created"])
        self.assertNotEqual(self.database(), before)

    def test_w4_a_delivery_is_taken_once(self):
        """W4: a thousand at once."""
        push = self.push("feature-4", "w4")
        statuses = storm([push] * 1000, self.address())
        # Told to come again is an answer, too; refused is none.
        self.assertEqual(set(statuses) - {202, 429, 503}, set(), {s: statuses.count(s) for s in set(statuses)})
        self.assertIn(202, statuses)
        answer = self.deliver(push)
        self.assertFalse(answer["created"])
        self.jobs(answer, 1)
        with sqlite3.connect(f"file:{self.house.state}/schedulerd/scheduler.sqlite?mode=ro", uri=True) as database:
            body = hashlib.sha256(push.body).digest()
            self.assertEqual(database.execute("SELECT count(*) FROM deliveries WHERE body = ?", [body]).fetchone(), (1,))

    def test_w5_nobody_learns_which_projects_there_are(self):
        """W5: in any way that an address can be written."""
        push = self.push(text="w5").with_headers(X_Hub_Signature_256="sha256=" + "0" * 64)
        answers = {push.send(self.address(project=name)) for name in ("ship", "nobody", "", "%2e%2e")}
        self.assertEqual(len(answers), 1, answers)

    def test_w6_w7_large_and_strange_bodies(self):
        """W6: W7: signed or not."""
        push = self.push(text="w6")
        large = push.with_body(b" " * ((25 << 20) + 1))
        self.assertEqual(large.send(self.address())[0], 413)
        self.assertEqual(push.with_more(("Content-Encoding", "gzip")).send(self.address())[0], 415)
        # Genuine, and no document: said as that, once the signature is right.
        for body in (b"[" * 100_000, b'{"a":1e400', b'{"repository":{"id":1},"repository":{"id":2}}', b'"\xed\xa0\x80"'):
            self.assertEqual(self.resigned(push, body).send(self.address())[0], 400)
        self.assertTrue(self.house.healthy())

    def resigned(self, delivery, body):
        return delivery.with_body(body).with_headers(X_Hub_Signature_256="sha256=" + signature(KEY, body))

    def test_w8_a_key_that_is_there_twice(self):
        """W8: in the same case or another."""
        push = self.push(text="w8")
        for other in (b'"ref": "refs/heads/other", ', b'"Ref": "refs/heads/other", '):
            self.deliver(self.resigned(push, b"{" + other + push.body[1:]), expect=400)

    def test_w13_a_key_speaks_for_its_own_project(self):
        """W13: whichever address is used."""
        self.project("boat", "github", "https://github.com", 424242, key="another key of another project")
        push = self.push(text="w13")
        self.github.hooks.secret = "another key of another project"
        try:
            foreign = self.push(text="w13 again")
        finally:
            self.github.hooks.secret = KEY
        self.deliver(foreign, project="boat", expect=401)
        self.deliver(foreign, project="", expect=401)
        self.deliver(push, project="")

    def test_w15_w17_a_fork_is_a_fork_whoever_its_author_is(self):
        """W15: W17: the forge's word on the author changes nothing."""
        pull = self.change("patch-15", "w15")
        opened = self.github.hooks.pull_request(pull, "opened", self.eve)
        document = json.loads(opened.body)
        for association in ("CONTRIBUTOR", "MEMBER", "OWNER"):
            document["pull_request"]["author_association"] = association
            answer = self.deliver(self.resigned(opened, json.dumps(document).encode()))
            self.assertEqual(self.jobs(answer, 1)["test"]["state"], "HELD")

    def test_w18_names_of_strangers_are_data(self):
        """W18: of branches."""
        names = ("$(touch pwned)", "`id`", "a\u202eb", "a;rm -rf x", "'\"", "x" * 900)
        for name in names:
            push = self.push(text=name[:20])
            document = json.loads(push.body) | {"ref": f"refs/heads/{name}"}
            answer = self.deliver(self.resigned(push, json.dumps(document).encode()))
            job = self.jobs(answer, 1)["test"]
            self.assertEqual(self.house.log(self.house.wait(job["id"])["id"]), b"tested\n")
        shown = self.house.bulkhead("deliveries", "--limit", "50", check=0).stdout
        self.assertNotIn("\u202e".encode(), shown)

    def test_w20_after_a_new_key_the_old_one_is_worth_nothing(self):
        """W20: of the key."""
        with GitHub() as forge:
            forge.hooks.secret = KEY
            repo = forge.repo("harbour/barge", self.repository, id=777, ada="write")
            ada = forge.person("ada")
            self.project("barge", "github", "https://github.com", repo.id)
            push = forge.hooks.push(repo, "refs/heads/main", None, self.before, ada)
            self.house.bulkhead("secret", "set", "barge", "webhook-key", stdin=b"the next one", check=0)
            self.deliver(push, project="barge", expect=401)
            forge.hooks.secret = "the next one"
            self.deliver(forge.hooks.push(repo, "refs/heads/main", None, self.before, ada), project="barge")

    def test_a_removed_project_is_told_nothing(self):
        self.project("skiff", "github", "https://github.com", 31337)
        self.house.bulkhead("project", "rm", "skiff", check=0)
        self.deliver(self.push(text="skiff"), project="skiff", expect=401)
        self.house.bulkhead("project", "export", "skiff", check=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
