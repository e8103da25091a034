"""A forge and a house, all of the way: what is pushed is tested as it is there, the forge hears how that goes, and a stranger's
change waits for somebody who may write. GitHub's double plays the forge."""

import json
import sys
import unittest

from house import ROOT, House, eventually

sys.path.insert(0, str(ROOT / "Tests"))
from Forges.github import GitHub  # noqa: E402
from Forges.repositories import Repository  # noqa: E402

KEY = "the key of the hook"
MAY = dict.fromkeys(("contents", "statuses", "issues", "pull_requests"), "write")
PROJECT = """
projects:
  - name: ship
    forge: {{kind: github, url: "{url}"}}
    repository: {{id: {id}, path: harbour/ship}}
    secrets:
      deploy-key: {{}}
    jobs:
      - name: test
        image: bulkhead/busybox
        steps: ["cat /job/src/README.md", "test ! -e /job/src/broken"]
      - name: docs
        paths: ["docs/**"]
        image: bulkhead/busybox
        steps: ["cat /job/src/docs/guide.md"]
      - name: file
        ci_file: ci/job.yaml
      - name: deploy
        events: [push]
        branches: [main]
        image: bulkhead/busybox
        steps:
          - run: test "$KEY" = the-value && cat /job/src/README.md
            secrets: {{KEY: deploy-key}}
"""
FILES = {"README.md": "first\n", "docs/guide.md": "guide\n", "ci/job.yaml": "image: bulkhead/busybox\nsteps: ['echo from main']\n"}


class ForgeJobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "3", "--forge-addresses", "127.0.0.0/8"))
        cls.repository = cls.enterClassContext(Repository(FILES))
        cls.github = cls.enterClassContext(GitHub())
        # As a GitHub of one's own.
        cls.github.base = "/api/v3"
        cls.ada, cls.eve = cls.github.person("ada"), cls.github.person("eve")
        cls.bot = cls.github.person("bulkhead-ci")
        cls.repo = cls.github.repo("harbour/ship", cls.repository, ada="write", **{"bulkhead-ci": "write"})
        cls.fork = cls.github.repo("eve/ship", cls.repository, fork_of=cls.repo, eve="write")
        cls.github.hooks.secret = KEY
        cls.apply(PROJECT)
        cls.house.bulkhead("secret", "set", "ship", "webhook-key", stdin=KEY.encode(), check=0)
        cls.house.bulkhead("secret", "set", "ship", "deploy-key", stdin=b"the-value", check=0)
        cls.token = cls.github.token(cls.bot, **MAY)
        cls.house.bulkhead("secret", "set", "ship", "forge-token", stdin=cls.token.encode(), check=0)

    @classmethod
    def apply(cls, text):
        file = cls.house.state / "ship.yaml"
        file.write_text(text.format(url=cls.github.url, id=cls.repo.id))
        cls.house.bulkhead("project", "apply", file, check=0)

    def deliver(self, delivery):
        status, body = delivery.send(f"http://127.0.0.1:{self.house.port}/webhook/github/ship")
        self.assertEqual(status, 202, body)
        return json.loads(body)["delivery"]

    def delivery(self, id):
        return next(d for d in self.house.api("GET", "/deliveries?limit=50")[1]["deliveries"] if d["id"] == id)

    def came_to(self, id, *states):
        eventually(f"{states} of {self.delivery(id)}", lambda: self.delivery(id)["state"] in states, 60)
        return self.delivery(id)

    def jobs(self, id):
        """Of a delivery that is through, by name."""
        found = [self.house.api("GET", f"/jobs/{job}")[1] for job in self.came_to(id, "planned", "held")["jobs"]]
        return {job["name"]: job for job in found}

    def ended(self, jobs):
        done = {name: self.house.wait(job["id"]) for name, job in jobs.items()}
        self.assertEqual({job["state"] for job in done.values()}, {"SUCCEEDED"}, done)
        return done

    def log(self, jobs, name):
        return self.house.log(jobs[name]["id"]).decode()

    def push(self, branch="main", **files):
        before = self.repository.resolve(branch)
        after = self.repository.commit({name.replace("__", "/"): text for name, text in files.items()}, branch=branch, parent=before)
        return after, self.deliver(self.github.hooks.push(self.repo, f"refs/heads/{branch}", before, after, self.ada))

    def pull(self, branch, files):
        self.repository.commit(files, branch=branch, parent=self.repository.resolve("main"))
        return self.github.pull(self.repo, self.eve, branch, head=self.fork)

    def statuses(self, sha):
        """Newest last, by context."""
        told = {}
        for status in self.repo.statuses:
            if status["sha"] == sha:
                told.setdefault(status["context"], []).append(status["state"])
        return told

    def comments(self, pull):
        return [comment["body"] for number, comment in self.repo.comments.values() if number == pull.number]

    def test_a_push_is_tested_as_it_is_there(self):
        sha, id = self.push(**{"README.md": "second\n"})
        jobs = self.ended(self.jobs(id))
        self.assertEqual(set(jobs), {"test", "file", "deploy"}, "no file of docs/ has changed")
        self.assertIn("second", self.log(jobs, "test"))
        self.assertIn("second", self.log(jobs, "deploy"))
        self.assertIn("from main", self.log(jobs, "file"))
        self.assertEqual(jobs["deploy"]["trust"], "trusted")
        contexts = {f"bulkhead/{name} (push)" for name in jobs}
        eventually("the forge knows of all ends",
                   lambda: {c: s[-1] for c, s in self.statuses(sha).items()} == dict.fromkeys(contexts, "success"))
        for states in self.statuses(sha).values():
            # Each once; what was over before it could be said is left out.
            self.assertIn(states, (["pending", "success"], ["pending", "pending", "success"], ["success"]))
        self.assertNotIn(self.token, json.dumps([c.document() if hasattr(c, "document") else str(c) for c in self.repo.statuses]))

    def test_b_files_say_which_jobs(self):
        _, id = self.push(**{"docs__guide.md": "better guide\n"})
        jobs = self.ended(self.jobs(id))
        self.assertIn("docs", jobs)
        self.assertIn("better guide", self.log(jobs, "docs"))

    def test_c_a_fork_is_approved_by_a_comment(self):
        pull = self.pull("ferry", {"README.md": "of a stranger\n", "ci/job.yaml": "image: bulkhead/busybox\nsteps: ['echo hijacked']\n"})
        sha = self.repository.resolve("ferry")
        id = self.deliver(self.github.hooks.pull_request(pull, "opened", self.eve))
        held = self.jobs(id)
        self.assertEqual({job["state"] for job in held.values()}, {"HELD"})
        self.assertNotIn("deploy", held)
        eventually("the comment", lambda: any(f"/bulkhead approve {sha} into main" in text for text in self.comments(pull)))
        # The control: who has made it may not approve it, and nothing has run.
        refused = self.deliver(self.github.hooks.issue_comment(pull, self.eve, f"/bulkhead approve {sha}"))
        self.assertEqual(self.came_to(refused, "refused", "planned")["state"], "refused")
        # Whoever has seen it go elsewhere does not mean this; and who means no branch means the one that it has when the forge is asked.
        elsewhere = self.deliver(self.github.hooks.issue_comment(pull, self.ada, f"/bulkhead approve {sha} into harbour"))
        self.assertIn("another branch", self.came_to(elsewhere, "refused", "planned")["text"])
        pull.base_branch = "ferry-terminal"
        self.repository.commit({"README.md": "ashore\n"}, branch=pull.base_branch, parent=self.repository.resolve("main"))
        moved = self.deliver(self.github.hooks.issue_comment(pull, self.ada, f"/bulkhead approve {sha}"))
        self.assertIn("another branch now", self.came_to(moved, "refused", "planned")["text"])
        pull.base_branch = "main"
        self.assertEqual({self.house.job(job["id"])["state"] for job in held.values()}, {"HELD"})
        wish = self.deliver(self.github.hooks.issue_comment(pull, self.ada, f"/bulkhead approve {sha} into main"))
        self.assertIn("approved", self.came_to(wish, "planned")["text"])
        jobs = self.ended(held)
        self.assertIn("of a stranger", self.log(jobs, "test"))
        self.assertIn("from main", self.log(jobs, "file"))
        self.assertNotIn("hijacked", self.log(jobs, "file"))
        self.assertEqual({job["trust"] for job in jobs.values()}, {"approved"})
        eventually("one comment, with the end", lambda: len(self.comments(pull)) == 1 and "succeeded" in self.comments(pull)[0]
                   and "approve" not in self.comments(pull)[0])
        eventually("its statuses", lambda: {s[-1] for s in self.statuses(sha).values()} == {"success"})

    def test_d_what_is_missing_is_said_and_mended(self):
        self.house.bulkhead("secret", "rm", "ship", "forge-token", check=0)
        self.addCleanup(self.house.bulkhead, "secret", "set", "ship", "forge-token", stdin=self.token.encode(), check=0)
        before = self.repository.resolve("main")
        after = self.repository.commit({"README.md": "third\n"}, branch="main", parent=before)
        delivery = self.github.hooks.push(self.repo, "refs/heads/main", before, after, self.ada)
        id = self.deliver(delivery)
        self.assertIn("bulkhead secret set ship forge-token", self.came_to(id, "refused", "planned")["text"])
        self.house.bulkhead("secret", "set", "ship", "forge-token", stdin=self.token.encode(), check=0)
        self.assertEqual(self.deliver(delivery), id)
        self.ended(self.jobs(id))

    def test_e_nothing_is_lost_with_whoever_dies(self):
        """Each daemon on the way dies while the delivery is worked on."""
        for daemon in ("bulkhead-courierd", "bulkhead-schedulerd", "bulkhead-relayd", "bulkhead-brokerd", "bulkhead-apid"):
            with self.subTest(daemon):
                sha, id = self.push(**{"README.md": f"while {daemon} dies\n"})
                self.house.kill(daemon)
                eventually("the house answers", lambda: self.house.healthy() and self.house.api("GET", "/status")[0] == 200, 60)
                jobs = self.ended(self.jobs(id))
                self.assertIn(daemon, self.log(jobs, "test"))
                eventually("the forge knows", lambda: [s[-1] for s in self.statuses(sha).values()] == ["success"] * len(jobs), 90)


if __name__ == "__main__":
    unittest.main(verbosity=2)
