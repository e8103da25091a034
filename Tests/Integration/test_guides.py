"""The guides of the forges, as a new user follows them: every command as it stands there, against the doubles, with a token that may what
the guide says and nothing more."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from house import BINARIES, ENGINE, ROOT, eventually, free_port

sys.path.insert(0, str(ROOT / "Tests"))
from Forges.gitea import Gitea  # noqa: E402
from Forges.github import GitHub  # noqa: E402
from Forges.gitlab import DEVELOPER, MAINTAINER, REPORTER, GitLab  # noqa: E402
from Forges.gitlab_jobs import Job  # noqa: E402
from Forges.repositories import Repository  # noqa: E402

BLOCK = re.compile(r"```(sh|yaml)\n(.*?)```", re.S)
STEP = re.compile(r"^\*\*(\d+)\. ", re.M)
ROW = re.compile(r"^\| ([^|]+?) \| ([^|]+?) \|", re.M)
END = "--- end of the commands"


class Shell:
    """A shell that stays, and what was said in it."""

    def __init__(self, folder, environment):
        self.process = subprocess.Popen(["bash"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def __call__(self, command, status=0):
        self.process.stdin.write(f"{command}\nprintf '%s %s\\n' '{END}' $?\n")
        self.process.stdin.flush()
        said = ""
        for line in self.process.stdout:
            before, found, after = line.partition(END)
            said += before
            if found:
                assert int(after) == status, f"{command}: status {int(after)}, not {status}: {said}"
                return said
        raise AssertionError(f"the shell ended in {command}: {said}")

    def close(self):
        """What it has started in the background is told to end, and ends."""
        self.process.stdin.write("kill $(jobs -p); wait; exit\n")
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.stdout.close()
        if self.process.wait(60) is None:
            os.killpg(self.process.pid, signal.SIGKILL)


class Guides(unittest.TestCase):
    app = None

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="bulkhead-guide-"))
        os.chmod(self.folder, 0o755)
        self.repository = self.enterContext(Repository({"README.md": "shop\n"}))
        self.before = self.repository.resolve("main")

    def walk(self, page, forge, token):
        """Each command from the first line to the last, and the shell to say it in; in between its files are written."""
        text = (ROOT / "docs" / page).read_text()
        steps = [int(number) for number in STEP.findall(text)]
        self.assertEqual(steps, list(range(1, len(steps) + 1)))
        self.assertLessEqual(len(steps), 10)
        port, state = free_port(), f"{self.folder}/state"
        self.address = f"http://127.0.0.1:{port}/webhook/{forge.kind}/shop"
        shell = Shell(self.folder, {**os.environ, "BULKHEAD_URL": f"http://127.0.0.1:{port}"})
        self.addCleanup(shell.close)
        pathlib.Path(self.folder, "token").write_text(token)
        for language, block in BLOCK.findall(text):
            if language == "yaml" and not block.startswith("projects:"):
                continue
            if language == "yaml":
                app = f", app: {self.app.client_id}" if self.app else ""
                written = re.sub(r"(\{kind: \w+)(, url: [^}]*)?(, app: \w+)?\}", rf'\1, url: "{forge.url}"{app}}}', block)
                self.assertIn(forge.url, written)
                pathlib.Path(self.folder, "projects.yaml").write_text(written)
                continue
            for command in block.splitlines():
                # On a port and in a directory of this test, with what is built already; and the token is not typed.
                up = f"bulkhead up --listen 127.0.0.1:{port} --forge-addresses 127.0.0.0/8 "
                for was, now in (("make build engine images", "true"), ("$(make -s engine-socket)", f"unix://{ENGINE}"),
                                 ("$PWD/.build/release", str(BINARIES)), ("/tmp/bulkhead", state), ("bulkhead up ", up),
                                 ("forge-token", "forge-token < token")):
                    command = command.replace(was, now)
                yield shell, command

    def follow(self, page, forge, token, ping=None):
        """`ping`: what the forge sends on its own when the webhook is made."""
        for shell, command in self.walk(page, forge, token):
            if command.startswith("bulkhead doctor"):
                if ping:
                    self.key(forge)
                    self.assertEqual(ping().send(self.address)[0], 202)
                said = shell(command, status=1)
                self.assertEqual(re.findall(r"(?m)^MISSING  (\S+)", said), ["green" if ping else "webhook"], said)
            elif command.startswith("bulkhead deliveries"):
                self.push(forge)
                eventually("it is planned", lambda: " planned " in shell(command))
            elif command.startswith("bulkhead jobs"):
                eventually("it has succeeded", lambda: "SUCCEEDED" in shell(command))
                states = eventually("the commit is green", lambda: (s := self.statuses(forge)) and s[-1] == "success" and s)
                self.assertEqual(states[0], "pending")
            else:
                shell(command)
        self.assertTrue(shell("bulkhead doctor shop").endswith("\nnothing is missing\n"))

    def statuses(self, forge):
        """Of the job, as the forge was told them."""
        said = [entry.document for entry in forge.journal.calls("POST", "*/statuses/*") if entry.status in (200, 201)]
        return [one["state"] for one in said if (one.get("context") or one["name"]) == "bulkhead/test (push)"]

    def key(self, forge):
        key = pathlib.Path(self.folder, "shop.key").read_text()
        if forge.kind == "gitlab":
            forge.hooks.token = key
        else:
            forge.hooks.secret = key

    def push(self, forge):
        self.key(forge)
        after = self.repository.commit({"README.md": "better\n"})
        delivery = forge.hooks.push(self.place, "refs/heads/main", self.before, after, self.ada)
        self.assertEqual(delivery.send(self.address)[0], 202)

    def test_github(self):
        with GitHub() as forge:
            forge.kind, forge.base = "github", "/api/v3"
            self.ada = forge.person("ada")
            self.place = forge.repo("acme/shop", self.repository, ada="write")
            self.follow("github.md", forge, forge.token(self.ada, **self.permissions()), ping=forge.hooks.ping)

    def test_github_app(self):
        with GitHub() as forge:
            forge.kind, forge.base = "github", "/api/v3"
            self.ada, eve = forge.person("ada"), forge.person("eve")
            self.place = forge.repo("acme/shop", self.repository, ada="write")
            self.app = forge.app()
            self.app.install("acme", "acme/shop", **self.permissions("howto/github-app.md"))
            pathlib.Path(self.folder, "app.pem").write_text(self.app.private_key)
            for shell, command in self.walk("howto/github-app.md", forge, "none of a person's"):
                self.address = self.address.removesuffix("/shop")
                if command.startswith("bulkhead doctor"):
                    said = shell(command, status=1)
                    self.assertEqual(re.findall(r"(?m)^MISSING  (\S+)", said), ["webhook"], said)
                elif command.startswith("bulkhead deliveries"):
                    self.push(forge)
                    eventually("it is planned", lambda: " planned " in shell(command))
                elif command.startswith("bulkhead jobs"):
                    eventually("it has succeeded", lambda: "SUCCEEDED" in shell(command))
                    eventually("the check is green", lambda: self.checks() == [("bulkhead/test (push)", "success")])
                else:
                    shell(command)
            self.assertTrue(shell("bulkhead doctor shop").endswith("\nnothing is missing\n"))
            # The button.
            fork = forge.repo("eve/shop", self.repository, fork_of=self.place, eve="write")
            self.repository.commit({"README.md": "of a stranger\n"}, branch="patch")
            pull = forge.pull(self.place, eve, "patch", head=fork)
            self.assertEqual(forge.hooks.pull_request(pull, "opened", eve).send(self.address)[0], 202)
            eventually("it waits", lambda: ("bulkhead/test", "action_required") in self.checks())
            held = next(check for check in self.place.check_runs.values() if check["conclusion"] == "action_required")
            self.assertEqual([action["identifier"] for action in forge.actions[held["id"]]], ["approve"])
            self.assertEqual(forge.hooks.check_run(self.place, held, self.ada).send(self.address)[0], 202)
            eventually("it was approved, and a new check is green", lambda: ("bulkhead/test", "success") in self.checks())

    def checks(self):
        return [(check["name"], check["conclusion"]) for check in self.place.check_runs.values()]

    def test_gitlab(self):
        with GitLab() as forge:
            forge.kind = "gitlab"
            self.ada = forge.person("ada")
            self.place = forge.project("acme/shop", self.repository, id=4711, ada=MAINTAINER)
            self.follow("gitlab.md", forge, forge.token(self.ada, "api"))

    def test_gitea_and_forgejo(self):
        with Gitea() as forge:
            self.ada = forge.person("ada")
            self.place = forge.repo("acme/shop", self.repository, ada="admin")
            self.follow("gitea.md", forge, forge.token(self.ada, *self.scopes()))

    def test_jobs_of_gitlab(self):
        """What the page pushes is a pipeline of the double's; the token may what the page says."""
        text = (ROOT / "docs/howto/gitlab-runner.md").read_text()
        tag, script = re.search(r"```yaml\nhello:\n  tags: \[(\w+)\]\n  script:\n((?:    - .*\n)+)```", text).groups()
        scopes = re.findall("`([a-z_]+)`", self.table("howto/gitlab-runner.md", "field")["Scopes"].partition(";")[0])
        self.assertIn("| Role | Maintainer:", text)
        with GitLab() as forge:
            forge.kind = "gitlab"
            self.ada = forge.person("ada")
            project = forge.project("acme/shop", self.repository, id=4711, ada=MAINTAINER)
            job = Job("hello", image="", tags=[tag], script=[line[6:] for line in script.splitlines()])
            for shell, command in self.walk("howto/gitlab-runner.md", forge, forge.token(self.ada, *scopes)):
                if command.startswith("bulkhead jobs"):
                    runner = eventually("it is listed", lambda: list(forge.runners.values()))[0]
                    self.assertEqual((runner.kind, runner.project), ("project_type", project))
                    self.assertIn(f"lists `{runner.description}`", text)
                    forge.pipeline(project, "main", [job], self.ada).wait_over(60)
                    self.assertEqual(job.status, "success", bytes(job.trace))
                    self.assertIn("SUCCEEDED", shell(command))
                elif command.startswith("bulkhead log"):
                    self.assertIn("hello from hello\n", shell(command))
                else:
                    shell(command)

    # Least privilege: what the guide asks for is enough, and each piece of it less is too little.

    def table(self, page, header):
        text = (ROOT / "docs" / page).read_text()
        rows = ROW.findall(text[text.index(f"| {header} |"):].partition("\n\n")[0])
        return dict(rows[2:] if rows[1][0].startswith("---") else rows[1:])

    def permissions(self, page="github.md"):
        names = {"Checks": "checks", "Contents": "contents", "Commit statuses": "statuses", "Pull requests": "pull_requests",
                 "Metadata": "metadata", "Issues": "issues"}
        return {names[name]: "write" if "write" in access else "read"
                for name, access in self.table(page, "repository permission").items()}

    def scopes(self):
        return [f"{'write' if 'write' in access else 'read'}:{name}" for name, access in self.table("gitea.md", "scope").items()]

    def refused(self, kind, forge, token, person, change):
        """Which of courierd's calls the forge refuses."""
        where = [self.place.id, self.place.path]
        sha = self.repository.resolve("main")
        calls = {"account": [], "status": [*where, sha, "test", "success", "done"], "comment": [*where, change, "plan", person.id, "text"],
                 "permission": [*where, person.id, person.login], "change": [*where, change], "archive": [*where, sha],
                 "survey": [*where, "main"],
                 "file": [*where, sha, "README.md"]}
        said = {name: subprocess.run([BINARIES / "forge-probe", kind, forge.url, name, *map(str, words)], input=token.encode(),
                                     capture_output=True, timeout=60, check=True).stdout.decode() for name, words in calls.items()}
        return {name for name, text in said.items() if text.startswith("failed")}

    def change(self, forge, make):
        self.repository.commit({"README.md": "new\n"}, branch="patch")
        change = make(self.place, self.ada, "patch")
        return getattr(change, "number", None) or change.iid

    def test_least_privilege_at_github(self):
        with GitHub() as forge:
            self.ada = forge.person("ada")
            self.place = forge.repo("acme/shop", self.repository, ada="write")
            change, enough = self.change(forge, forge.pull), self.permissions()

            def ask(**permissions):
                return self.refused("github", forge, forge.token(self.ada, **permissions), self.ada, change)

            self.assertEqual(ask(**enough), set())
            for name, level in enough.items():
                if name == "metadata":  # every token has it
                    continue
                self.assertTrue(ask(**enough | {name: "none" if level == "read" else "read"}), name)
            self.place.permissions["ada"] = "read"
            self.assertIn("permission", ask(**enough))

    def test_least_privilege_at_gitlab(self):
        text = (ROOT / "docs/gitlab.md").read_text()
        self.assertIn("| Role | Developer; Maintainer,", text)
        self.assertIn("| Scopes | `api`:", text)
        with GitLab() as forge:
            self.ada = forge.person("ada")
            self.place = forge.project("acme/shop", self.repository, ada=MAINTAINER)
            change = self.change(forge, forge.merge_request)

            def ask(level, *scopes):
                self.place.members[self.ada.id] = (self.ada, level)
                return self.refused("gitlab", forge, forge.token(self.ada, *scopes), self.ada, change)

            self.assertEqual(ask(MAINTAINER, "api"), set())
            self.assertEqual(ask(DEVELOPER, "api"), {"status"})
            self.place.protected = set()
            self.assertEqual(ask(DEVELOPER, "api"), set())
            self.assertEqual(ask(REPORTER, "api"), {"status"})
            self.assertEqual(ask(DEVELOPER, "read_api", "read_repository"), {"status", "comment"})

    def test_least_privilege_at_gitea(self):
        with Gitea() as forge:
            self.ada, bob = forge.person("ada"), forge.person("bob")
            self.place = forge.repo("acme/shop", self.repository, ada="admin", bob="write")
            change, enough = self.change(forge, forge.pull), self.scopes()

            def ask(*scopes):
                return self.refused("gitea", forge, forge.token(self.ada, *scopes), bob, change)

            self.assertEqual(ask(*enough), set())
            for scope in enough:
                less = scope.replace("write:", "read:") if "write:" in scope else None
                self.assertTrue(ask(*(set(enough) - {scope} | ({less} if less else set()))), scope)
            # An account that may only write sees nobody else's permissions.
            self.place.permissions["ada"] = "write"
            self.assertEqual(ask(*enough), {"permission"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
