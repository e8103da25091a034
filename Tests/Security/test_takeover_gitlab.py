"""P4: a taken-over schedulerd at courierd, which does what it is told, of a project with a runner at GitLab: a runner for other jobs than
the rules under seal say, or for other images, longer or more. The control is the rule as it was sealed."""

import json
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests")]
from Forges.gitlab import MAINTAINER, GitLab  # noqa: E402
from Forges.gitlab_jobs import Job  # noqa: E402
from Forges.repositories import Repository  # noqa: E402
from house import House, eventually  # noqa: E402
from wire import TakenOver, shape  # noqa: E402

PLACE = {"project": "ship", "repository": {"id": 0, "path": "harbour/ship"}}
REGISTRATION = {"tags": ["bulkhead"], "run_untagged": False, "own": False, "protected_only": True}
RULE = {"registration": REGISTRATION, "shape": shape(), "images": ["bulkhead/*"], "timeout_seconds": 600, "priority": 50}
OTHERS = {
    "tags": RULE | {"registration": REGISTRATION | {"tags": ["bulkhead", "deploy"]}},
    "untagged": RULE | {"registration": REGISTRATION | {"run_untagged": True}},
    "any ref": RULE | {"registration": REGISTRATION | {"protected_only": False}},
    "image": RULE | {"shape": shape(image="with-a-key-in-it")},
    "profile": RULE | {"shape": shape(profile="build")},
    "images": RULE | {"images": []},
    "time": RULE | {"timeout_seconds": 86_400},
}


class GitLabRunner(unittest.TestCase):
    def setUp(self):
        self.house = self.enterContext(House("--max-runners", "2", "--forge-addresses", "127.0.0.0/8", "--poll-seconds", "1"))
        self.forge = self.enterContext(GitLab())
        self.ada = self.forge.person("ada")
        self.project = self.forge.project("harbour/ship", self.enterContext(Repository({"README.md": "\n"})), ada=MAINTAINER)
        self.project.protected = ["main"]
        file = self.house.state / "ship.yaml"
        file.write_text(json.dumps({"projects": [{
            "name": "ship", "forge": {"kind": "gitlab", "url": self.forge.url}, "repository": PLACE["repository"]["path"],
            "gitlab_runner": {
                "tags": ["bulkhead"], "protected_only": True, "images": ["bulkhead/*"], "image": "bulkhead/busybox", "timeout": "10m",
                "resources": {"cpus": 0.5, "memory": "64MiB", "pids": 64, "disk": "16MiB"}}}]}))
        self.house.bulkhead("project", "apply", file, check=0)
        token = self.forge.token(self.ada, "create_runner", "read_api")
        self.house.bulkhead("secret", "set", "ship", "forge-token", stdin=token.encode(), check=0)
        eventually("its runner is registered", lambda: any(one.managers for one in self.forge.runners.values()))

    def test_no_runner_but_the_sealed_one(self):
        """Neither a new one, nor the one that is there for other jobs: brokerd gives courierd no token for it."""
        with TakenOver(self.house, "bulkhead-schedulerd") as taken:
            courier, asks = taken.peer("courier"), {"place": PLACE, "instance": "x", "poll_seconds": 1, "jobs": 1, "taken": 0}
            before = set(self.forge.runners)
            for slot, (what, rule) in enumerate(OTHERS.items(), 100):
                with self.subTest(what):
                    self.assertEqual(courier.code("AskRunner", slot=slot, rule=rule, known=None, **asks), "denied_by_policy")
            self.assertEqual(set(self.forge.runners), before, "none was made")
            news = courier.call("AskRunner", slot=200, rule=RULE, known=None, **asks)["news"]
            (made,) = set(self.forge.runners) - before
            self.assertEqual(news["registered"]["id"], made, "the control")
            self.assertEqual(self.forge.runners[made].access_level, "ref_protected")
            self.takes_jobs_by_the_sealed_rule_alone(courier, asks | {"slot": 200, "known": news["registered"]})
            for slot, (what, rule) in enumerate(OTHERS.items(), 300):
                with self.subTest(what):
                    code = courier.code("AskRunner", slot=slot, rule=rule, known=news["registered"], **asks)
                    self.assertEqual(code, "denied_by_policy", "the runner that is there")

    def takes_jobs_by_the_sealed_rule_alone(self, courier, asks):
        """A runner that is served goes on by another rule than before, if that has the same tags: GitLab need not hear of it."""
        job = Job("only", tags=["bulkhead"], image="alpine")
        self.forge.pipeline(self.project, "main", [job], self.ada)
        news = courier.call("AskRunner", rule=OTHERS["images"], **asks)["news"]
        self.assertIn("another gitlab_runner", news["trouble"]["text"])
        self.assertEqual(job.status, "pending", "nobody asks for it")
        courier.request("AskRunner", rule=RULE, **asks)
        eventually("it is taken, and refused by its image", lambda: job.status == "failed", 30)
        self.assertIn(b"its image 'alpine' is not one of those", job.trace)


if __name__ == "__main__":
    unittest.main(verbosity=2)
