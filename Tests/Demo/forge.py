"""The story of `make demo-forge`: a pull request from a fork, held, approved and tested without secrets; then a push to main, deployed.
Everything in it is real but the forge, which is the double of GitHub that the tests use."""

import json
import pathlib
import secrets
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests"), str(ROOT / "Tests/Integration")]
from Forges.authority import Authority  # noqa: E402
from Forges.github import GitHub  # noqa: E402
from Forges.repositories import Repository  # noqa: E402
from house import ENGINE, House, eventually  # noqa: E402

PROJECT = """\
projects:
  - name: ship
    forge: {{kind: github, url: "{url}"}}
    repository: {{id: {id}, path: harbour/ship}}
    secrets:
      deploy-key: {{branches: [main]}}
    jobs:
      - name: test
        ci_file: ci/test.yaml        # read where only maintainers write
      - name: deploy
        events: [push]
        branches: [main]
        image: bulkhead/busybox
        steps:
          - run: ./deploy.sh
            secrets: {{KEY: deploy-key}}
"""
TEST = """\
image: bulkhead/busybox
steps:
  - name: test
    run: |
      echo "these are the checks of main"
      sh ./test.sh
"""
SHIP = {"README.md": "A ship\n", "ci/test.yaml": TEST, "test.sh": "grep -q ship README.md && echo it floats\n",
        "deploy.sh": "#!/bin/sh\necho \"deploying $(cat README.md) with $KEY\"\n"}
# What a stranger might try: other checks, and a look around.
PATCH = {"README.md": "A faster ship\n", "ci/test.yaml": TEST.replace("the checks of main", "the checks of a stranger"),
         "test.sh": SHIP["test.sh"] + 'echo "KEY is ${KEY:-not here}"\nenv | grep -i -e token -e secret || echo "and nothing else is"\n'}


def say(text):
    print(f"\ndemo: {text}", flush=True)


def show(text, mark="  "):
    print(textwrap.indent(text.rstrip("\n"), mark), flush=True)


class Story:
    def __init__(self, house, forge, repository):
        self.house, self.forge, self.repository = house, forge, repository
        self.address = f"http://127.0.0.1:{house.port}/webhook/github/ship"
        self.told = 0
        # As a server of one's own has it.
        forge.base = "/api/v3"

    def bulkhead(self, *words, stdin=None, quiet=False):
        """A command as a person types it, and what it says."""
        done = self.house.bulkhead(*words, stdin=stdin, check=0)
        if not quiet:
            show("$ bulkhead " + " ".join(map(str, words)))
            show((done.stdout + done.stderr).decode())
        return done.stdout.decode()

    def deliver(self, what, delivery):
        status, body = delivery.send(self.address)
        show(f"forge -> POST /webhook/github/ship   {what}, signed  -> {status} {body.decode()}")
        assert status == 202, body
        return json.loads(body)["delivery"]

    def heard(self):
        """What the forge was asked and told since this was called last."""
        calls = [entry for entry in self.forge.journal.calls() if entry.status is not None]
        for entry in calls[self.told:]:
            words = ""
            if entry.method in ("POST", "PATCH"):
                said = json.loads(entry.body)
                words = f"{said['context']}: {said['state']}, \"{said.get('description', '')}\"" if "state" in said else "a comment"
            show(f"forge <- {entry.method} {short(entry.path)}   {words}  -> {entry.status}")
        self.told = len(calls)

    def jobs(self, delivery, *names):
        """The jobs of a delivery by name, as soon as all of them are there."""
        def there():
            page = self.house.api("GET", "/deliveries?limit=50")[1]["deliveries"]
            jobs = [self.house.job(job) for job in next(one for one in page if one["id"] == delivery)["jobs"]]
            return {job["name"]: job for job in jobs} if {job["name"] for job in jobs} == set(names) else None

        return eventually(f"the jobs {', '.join(names)}", there)

    def newest(self):
        return self.house.api("GET", "/deliveries?limit=1")[1]["deliveries"][0]

    def status(self, sha, context, state):
        """Until the forge shows it."""
        def shown():
            return any((one["sha"], one["context"], one["state"]) == (sha, context, state) for one in self.repo.statuses)

        eventually(f"the forge shows {context} of {sha[:8]} as {state}", shown)

    def log(self, job):
        show(f"$ bulkhead log {job['id']}")
        text = self.house.log(job["id"]).decode()
        show(text, "  | ")
        return text

    # The chapters

    def a_project(self):
        say("a project: which jobs run for whom, and which secrets are there for what")
        ada, self.eve = self.forge.person("ada"), self.forge.person("eve")
        self.ada, bot = ada, self.forge.person("bulkhead-bot", bot=True)
        self.repo = self.forge.repo("harbour/ship", self.repository, **{"ada": "write", "bulkhead-bot": "write"})
        self.fork = self.forge.repo("eve/ship", self.repository, fork_of=self.repo, eve="write")
        file = self.house.state / "projects.yaml"
        file.write_text(PROJECT.format(url=self.forge.url, id=self.repo.id))
        show(file.read_text(), "  | ")
        self.bulkhead("project", "apply", file)
        # Random, and on no command line.
        self.token = self.forge.token(bot, contents="read", statuses="write", pull_requests="write")
        self.key, self.forge.hooks.secret = secrets.token_hex(16), secrets.token_hex(32)
        for name, value in (("webhook-key", self.forge.hooks.secret), ("forge-token", self.token), ("deploy-key", self.key)):
            self.bulkhead("secret", "set", "ship", name, stdin=value.encode())

    def a_change_of_a_stranger(self):
        say("eve, a stranger, sends a pull request from her fork; it changes the checks, too")
        self.repository.commit(PATCH, message="Make it fast", branch="fast")
        self.pull = self.forge.pull(self.repo, self.eve, "fast", head=self.fork)
        delivery = self.deliver("a pull request is opened", self.forge.hooks.pull_request(self.pull, "opened", self.eve))
        self.job = self.jobs(delivery, "test")["test"]
        assert self.job["state"] == "HELD", self.job
        self.bulkhead("why", self.job["id"])
        self.status(self.pull.sha, "bulkhead/test", "pending")
        self.heard()

    def an_approval(self):
        approval = f"/bulkhead approve {self.pull.sha} into main"
        say("eve approves it herself, which counts for nothing")
        self.deliver(f'eve comments "{approval[:28]}..."', self.forge.hooks.issue_comment(self.pull, self.eve, approval))
        refused = eventually("her approval is judged", lambda: self.newest() if self.newest()["state"] == "refused" else None)
        self.heard()
        show(f"house: {refused['text']}")
        assert self.house.job(self.job["id"])["state"] == "HELD"
        say("ada has looked at exactly this commit, and approves it: the forge is asked now whether she may")
        self.deliver(f'ada comments "{approval[:28]}..."', self.forge.hooks.issue_comment(self.pull, self.ada, approval))
        say("it runs: the checks of main, over eve's sources, without a secret")
        done = self.house.wait(self.job["id"])
        assert (done["state"], done["trust"]) == ("SUCCEEDED", "approved"), done
        log = self.log(done)
        assert "the checks of main" in log and "a stranger" not in log, "the definition is the trusted one"
        assert "KEY is not here\nand nothing else is" in log, "there is no secret"
        self.status(self.pull.sha, "bulkhead/test", "success")
        eventually("the comment says how it ended", lambda: "succeeded" in self.comment())
        self.heard()
        say("the one comment below the change, as it is now")
        show(self.comment(), "  | ")

    def comment(self):
        """There is one of ours, however often it was written anew."""
        found = [comment["body"] for number, comment in self.repo.comments.values() if number == self.pull.number]
        assert len(found) <= 1, found
        return found[0] if found else ""

    def a_push_to_main(self):
        say("ada merges it without its checks, and pushes to main: that is tested and deployed, with the secret")
        before = self.repository.resolve("main")
        after = self.repository.commit({"README.md": PATCH["README.md"]}, message="Make it fast")
        delivery = self.deliver("a push to main", self.forge.hooks.push(self.repo, "refs/heads/main", before, after, self.ada))
        jobs = self.jobs(delivery, "test", "deploy")
        done = {name: self.house.wait(job["id"]) for name, job in jobs.items()}
        assert {(job["state"], job["trust"]) for job in done.values()} == {("SUCCEEDED", "trusted")}, done
        log = self.log(done["deploy"])
        assert "deploying A faster ship with ***" in log
        for name in jobs:
            self.status(after, f"bulkhead/{name} (push)", "success")
        self.heard()

    def the_end(self):
        say("what the house says of it")
        self.bulkhead("deliveries", "--project", "ship")
        self.bulkhead("jobs")
        self.bulkhead("doctor", "ship", "--engine", ENGINE)
        self.bulkhead("audit", "verify", self.house.state / "brokerd/audit.log")
        logs = b"".join(file.read_bytes() for file in self.house.state.rglob("*.log"))
        for value in (self.token, self.key, self.forge.hooks.secret):
            assert value.encode() not in logs, "a secret is in a log"
        assert not self.forge.journal.holds(self.key), "the forge has seen the deploy key"
        assert not self.forge.malformed, self.forge.malformed


def short(path):
    """Names of commits as people write them."""
    return "/".join(part[:8] if len(part) == 40 else part for part in path.split("/"))


def main():
    say("a forge, with an authority of its own, and a repository harbour/ship")
    with Authority() as authority, GitHub(tls=authority) as forge, Repository(SHIP) as repository:
        show(repository.git("log", "--oneline", "--stat", "main").decode())
        # courierd, which has to believe it, is another user.
        authority.folder.chmod(0o755)
        say("a house: all its daemons")
        with House("--max-runners", "2", "--forge-addresses", "127.0.0.0/8", "--forge-ca", str(authority.certificate)) as house:
            show((house.state / "up.stderr").read_text())
            story = Story(house, forge, repository)
            story.a_project()
            story.a_change_of_a_stranger()
            story.an_approval()
            story.a_push_to_main()
            story.the_end()
            say("stopping, and looking for what is left")
    say("SUCCEEDED; nothing is left running")


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"\ndemo: failed: {error}")
