"""courierd in a house, with the doubles of the forges around it: the test speaks the courier edge as schedulerd does. Each call at
each forge; and what a forge, or a taken-over schedulerd, cannot have of it, each with its control."""

import contextlib
import hashlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests"), str(ROOT / "Tests/Security"), str(ROOT / "Tests/Integration")]
from Forges import faults  # noqa: E402
from Forges.authority import Authority  # noqa: E402
from Forges.gitea import Gitea  # noqa: E402
from Forges.github import GitHub  # noqa: E402
from Forges.gitlab import MAINTAINER, GitLab  # noqa: E402
from Forges.names import Names  # noqa: E402
from Forges.repositories import Repository  # noqa: E402
from house import House, eventually  # noqa: E402
from wire import Refused, User, definition, encoded, peer  # noqa: E402

NAME = "forge.example"
JOB = "image: bulkhead/busybox\nenv: {A: own, B: own}\nsteps:\n  - run: make\n"
FILES = {"README.md": "ship\n", "ci/job.yaml": JOB, "ci/bad.yaml": "image: x\ntimeuot: 1m\nstepz: [make]\n", "d/run.sh": "#!"}
MARK = "checks"


class Forge:
    """A double with a repository, a change in it and a project at it. `name`: of the double's kind and of the project."""

    def __init__(self, name, double, token, repository, change, person):
        self.repository = repository
        self.name, self.double, self.token, self.change, self.person = name, double, token, change, person
        self.number = change.iid if name == "gitlab" else change.number
        self.place = {"project": name, "repository": {"id": repository.id, "path": repository.path}}

    def project(self, url=None, name=None, app=None, **repository):
        """As it is applied."""
        forge = {"kind": self.name, "url": url or self.double.url} | ({"app": app.client_id} if app else {})
        return {"name": name or self.name, "forge": forge,
                "repository": repository or dict(self.place["repository"]),
                "jobs": [{"name": "test", "image": "bulkhead/busybox", "steps": ["true"]}, {"name": "file", "ci_file": "ci/job.yaml"}]}


@unittest.skipUnless(os.environ.get("BULKHEAD_ENGINE") and os.geteuid() == 0, "needs BULKHEAD_ENGINE, and root to be several users")
class Courier(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        enter = cls.enterClassContext
        cls.authority = enter(Authority(f"IP:127.0.0.1,DNS:{NAME}"))
        cls.authority.folder.chmod(0o755)
        cls.names = enter(Names({NAME: "127.0.0.1", "home.example": "127.0.0.1"}))
        cls.git = enter(Repository(FILES))
        cls.sha = cls.git.resolve("main")
        cls.head = cls.git.commit({"x": "1", "README.md": None, "READ.md": "ship\n"}, branch="feature/fix", parent=cls.sha)
        cls.forges = [cls.github(enter(GitHub())), cls.gitlab(enter(GitLab(tls=cls.authority))), cls.gitea(enter(Gitea()))]
        cls.hub, cls.lab, cls.tea = cls.forges
        resolver = pathlib.Path(enter(tempfile.TemporaryDirectory()), "resolv.conf")
        resolver.write_text(f"nameserver {cls.names.address}\noptions timeout:1 attempts:1\n")
        house = House("--forge-addresses", "127.0.0.0/8", "--forge-ca", str(cls.authority.certificate))
        # A name server of our own: nothing is asked outside.
        house.before = ["unshare", "--mount", "sh", "-c", f'mount --bind {resolver} /etc/resolv.conf; exec "$@"', "sh"]
        cls.house = enter(house)
        cls.app, other = cls.hub.double.app(), cls.hub.double.app("other")
        cls.installation = cls.app.install("harbour", "harbour/ship", checks="write", contents="read", pull_requests="write")
        cls.apply(*[cls.hub.project(name=name, app=app) for name, app in (("app", cls.app), ("otherapp", other), ("wrongkey", cls.app))])
        for name, app in (("app", cls.app), ("otherapp", other), ("wrongkey", other)):
            cls.house.set_secret("app-key", app.private_key.encode(), project=name)
        cls.apply(*[forge.project() for forge in cls.forges], cls.lab.project(name="path", path="harbour/yard/ship"),
                  cls.hub.project(name="number", id=cls.hub.place["repository"]["id"]),
                  cls.lab.project(name="elsewhere", url=f"https://10.1.2.3:{cls.lab.double.server.server_port}"),
                  cls.tea.project(name="mistaken"), cls.tea.project(name="without"),
                  cls.lab.project(name="stranger", url=f"https://home.example:{cls.lab.double.server.server_port}"))
        for forge in cls.forges:
            cls.house.set_secret("forge-token", forge.token.encode(), project=forge.name)
        cls.house.set_secret("forge-token", b"0" * 40, project="mistaken")
        for project, forge in (("path", cls.lab), ("number", cls.hub), ("elsewhere", cls.lab), ("stranger", cls.lab)):
            cls.house.set_secret("forge-token", forge.token.encode(), project=project)

    @classmethod
    def apply(cls, *projects):
        file = cls.house.state / "projects.yaml"
        file.write_text(json.dumps({"projects": projects}))
        cls.house.bulkhead("project", "apply", file, check=0)

    # Each kind as a site has it: a GitHub of one's own has its interface below a path; GitLab speaks TLS, under a name.

    @classmethod
    def github(cls, double):
        double.base = "/api/v3"
        ada = double.person("ada")
        repo = double.repo("harbour/ship", cls.git, ada="admin")
        may = dict.fromkeys(("contents", "statuses", "issues", "pull_requests"), "write")
        return Forge("github", double, double.token(ada, **may), repo, double.pull(repo, ada, "feature/fix"), ada)

    @classmethod
    def gitlab(cls, double):
        double.authority = f"{NAME}:{double.server.server_port}"
        double.url = f"https://{double.authority}"
        ada = double.person("ada")
        project = double.project("harbour/yard/ship", cls.git, ada=MAINTAINER)
        return Forge("gitlab", double, double.token(ada, "api"), project, double.merge_request(project, ada, "feature/fix"), ada)

    @classmethod
    def gitea(cls, double):
        ada = double.person("ada")
        repo = double.repo("harbour/ship", cls.git, ada="admin")
        token = double.token(ada, "read:user", "write:repository", "write:issue")
        return Forge("gitea", double, token, repo, double.pull(repo, ada, "feature/fix"), ada)

    def setUp(self):
        scheduler = User.of(self.house.pid("bulkhead-schedulerd"))
        self.courier = peer(self.house, "courier", scheduler)
        self.addCleanup(self.courier.close)
        for forge in self.forges:
            self.addCleanup(forge.double.faults.clear)

    def ask(self, forge, message, project=None, **body):
        place = forge.place | ({"project": project} if project else {})
        return self.courier.call(message, place=place, **body)

    def refusal(self, forge, message, project=None, **body):
        with self.assertRaises(Refused) as refused:
            self.ask(forge, message, project, **body)
        self.assertNotIn(forge.token, refused.exception.text)
        return refused.exception

    def source(self, forge, commit=None, project=None):
        place = forge.place | ({"project": project} if project else {})
        body, fds = self.courier.answer(self.courier.request("FetchSource", place=place, commit=commit or self.sha))
        with open(fds[0], "rb") as file:
            archive = file.read()
        self.assertEqual(len(archive), body["word"]["source"]["size"])
        return archive

    def leftovers(self):
        """Files in courierd's state directory, and those without a name that it has open."""
        pid = eventually("courierd runs", lambda: self.house.pid("bulkhead-courierd"))
        held = []
        for number in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                held.append(os.readlink(f"/proc/{pid}/fd/{number}"))
        return list((self.house.state / "courierd").rglob("*")) + [path for path in held if "(deleted)" in path and "#" in path]

    # Every call at every forge

    def test_the_source_of_exactly_this_commit(self):
        archives = {forge.name: self.source(forge) for forge in self.forges}
        self.assertEqual(len(set(archives.values())), 1, "the same commit is the same archive")
        with tarfile.open(fileobj=io.BytesIO(archives["gitea"])) as tar:
            files = {member.name: tar.extractfile(member).read().decode() for member in tar if member.isfile()}
        self.assertEqual(files, FILES)
        self.assertNotEqual(self.source(self.tea, self.head), archives["gitea"])
        for forge in self.forges:
            self.assertEqual(self.refusal(forge, "FetchSource", commit="1" * 40).code, "not_found")
        self.assertIn(NAME, self.names.asked, "the control: the name was looked up")
        eventually("no archive is held", lambda: not self.leftovers())

    def test_statuses(self):
        for forge in self.forges:
            for state in ("held", "pending", "running", "success"):
                self.ask(forge, "PostStatus", commit=self.sha, reference={"tag": False, "name": "main"}, context="bulkhead/test",
                         state=state, text="t" * 400, url="https://ci.example/jobs/1", job=1, number=0, branch="")
            states = [one.get("state", one.get("status")) for one in forge.repository.statuses]
            # GitLab keeps one and moves it on; the others keep all.
            self.assertEqual(states, ["success"] if forge.name == "gitlab" else ["pending"] * 3 + ["success"], forge.name)

    def test_one_comment(self):
        for forge in self.forges:
            for text in ("first", "second"):
                self.ask(forge, "PostComment", number=forge.number, marker=MARK, text=text)
            if forge.name == "gitlab":
                bodies = [note["body"] for note in forge.change.notes.values()]
            else:
                bodies = [one["body"] for _, one in forge.repository.comments.values()]
            mine = [body for body in bodies if f":{MARK} " in body]
            self.assertEqual([body.split("\n")[-1] for body in mine], ["second"], forge.name)
            self.assertEqual(self.refusal(forge, "PostComment", number=forge.number, marker="A b", text="x").code, "invalid")

    def test_what_somebody_may(self):
        for forge in self.forges:
            account = {"id": forge.person.id, "name": "ada"}
            word = self.ask(forge, "AskPermission", account=account)["word"]
            self.assertEqual((word["project"], word["account"], word["permission"]), (forge.name, account, "admin"))
            # brokerd's own word: with another one's name on it, it is none. `Approve` looks at it first.
            self.assertNotEqual(word["mac"], "0" * 64)
        other = self.tea.double.person("eve")
        self.assertEqual(self.ask(self.tea, "AskPermission", account={"id": other.id, "name": "eve"})["word"]["permission"], "none")
        # A name that somebody else has now.
        self.assertEqual(self.refusal(self.tea, "AskPermission", account={"id": 999, "name": "eve"}).code, "forge_refused")

    def test_changes_branches_and_files(self):
        for forge in self.forges:
            reply = self.ask(forge, "AskChange", number=forge.number)
            change, base = reply["change"], reply["base"]
            self.assertEqual((change["head"]["commit"], change["base"]["commit"]), (self.head, self.sha))
            # The same under brokerd's seal.
            self.assertEqual((base["project"], base["number"], base["head"], base["branch"], base["commit"]),
                             (forge.name, forge.number, self.head, change["base"]["branch"], self.sha))
            self.assertNotEqual(base["mac"], "0" * 64)
            self.assertEqual((change["head"]["repository"], change["action"]), (forge.place["repository"], "updated"))
            self.assertEqual(self.ask(forge, "AskBranch", branch="feature/fix")["commit"], self.head)
            self.assertEqual(self.refusal(forge, "AskBranch", branch="feature/none").code, "not_found")
            names = {"README.md", "READ.md", "x"}
            for number in (forge.number, 0):
                found = self.ask(forge, "AskFiles", number=number, base=self.sha, head=self.head)
                self.assertEqual((set(found["files"]), found["complete"]), (names, True), (forge.name, number))
            # Other commits than those of the change by now.
            self.assertFalse(self.ask(forge, "AskFiles", number=forge.number, base=self.sha, head=self.sha)["complete"])

    def test_commits_that_parted(self):
        """What was thrown away by a push is in no comparison from where they parted: GitLab says it all, the others do not."""
        other = self.git.commit({"thrown/away": "1"}, branch="other", parent=self.sha)
        for forge in self.forges:
            found = self.ask(forge, "AskFiles", number=0, base=other, head=self.head)
            self.assertEqual(found["complete"], forge.name == "gitlab")
            self.assertEqual("thrown/away" in found["files"], found["complete"])

    def test_job_files(self):
        def at(path, commit=self.sha, branch=""):
            beside = {"timeout_seconds": 600, "priority": 70, "retries": None, "env": [{"name": "A", "value": "project's"}]}
            return {"commit": commit, "branch": branch, "job": "file", "rule": {"path": path} | beside}
        for forge in self.forges:
            answer = self.ask(forge, "ReadJobFile", **at("ci/job.yaml"))
            made, word = answer["definition"], answer["word"]
            self.assertEqual((made["project"], made["spec"]["name"], made["spec"]["timeout_seconds"], made["schedule"]["priority"]),
                             (forge.name, "file", 600, 70))
            self.assertEqual({one["name"]: one["value"] for one in made["spec"]["env"]}, {"A": "project's", "B": "own"})
            self.assertEqual((word["commit"], word["job"], word["project"]), (self.sha, "file", forge.name))
            self.assertEqual(word["definition"], hashlib.sha256(encoded("JobDefinition", made)).hexdigest())
            self.assertEqual(word["rule"], hashlib.sha256(encoded("JobFileRule", at("ci/job.yaml")["rule"])).hexdigest())
            # The head of a branch is looked up by courierd itself.
            of_branch = self.ask(forge, "ReadJobFile", **at("ci/job.yaml", "", "main"))["word"]
            self.assertEqual((of_branch["commit"], of_branch["branch"]), (self.git.resolve("main"), "main"))
            refused = self.refusal(forge, "ReadJobFile", **at("ci/bad.yaml"))
            self.assertEqual((refused.code, refused.place), ("invalid", "ci/bad.yaml"))
            self.assertRegex(refused.text, r"^2:1: timeuot: .* did you mean 'timeout'\?; \d+:\d+: ")
            gone = self.refusal(forge, "ReadJobFile", **at("ci"))
            self.assertEqual(gone.code, "not_found")
            self.assertRegex(gone.text, f"^[a-z/]+ has no file 'ci' at commit {self.sha}, or hides it from this token$")
            for path in ("../x", "ci/../../x", "/etc/passwd"):
                self.assertEqual(self.refusal(forge, "ReadJobFile", **at(path)).code, "invalid")
        large = self.git.commit({"ci/large.yaml": JOB + "#" * (64 << 10)}, branch="large", parent=self.sha)
        refused = self.refusal(self.tea, "ReadJobFile", **at("ci/large.yaml", large))
        self.assertEqual(refused.code, "too_large")

    # Polling

    def poll(self, forge, cursor):
        """(what is new, the next cursor)"""
        words = []
        while True:
            answer = self.ask(forge, "Poll", cursor=cursor)
            words += answer["events"]
            cursor = answer["cursor"]
            if not answer["more"]:
                return words, cursor

    def test_what_is_new_is_told_once(self):
        cursors = {}
        for forge in self.forges:
            words, cursors[forge.name] = self.poll(forge, "")
            self.assertEqual(words, [], "what is there is not new")
            self.assertEqual(self.poll(forge, cursors[forge.name])[0], [])
        first = self.git.commit({"polled": "1"}, branch="polled", parent=self.sha)
        self.git.tag("v1", first)
        for forge in self.forges:
            forge.change.touch()
            words, cursor = self.poll(forge, cursors[forge.name])
            pushes = [word["event"]["push"] for word in words if "push" in word["event"]]
            self.assertEqual([(push["reference"], push["before"], push["after"]) for push in pushes],
                             [({"tag": False, "name": "polled"}, "", first), ({"tag": True, "name": "v1"}, "", first)])
            [change] = [word["event"]["change"] for word in words if "change" in word["event"]]
            self.assertEqual((change["number"], change["action"], change["head"]["commit"]), (forge.number, "updated", self.head))
            # The same again has the same name, so it is known again; and what brokerd says is a word that it takes back.
            again, _ = self.poll(forge, cursors[forge.name])
            self.assertEqual([word["delivery"] for word in again], [word["delivery"] for word in words])
            self.assertEqual(self.vouch(words[0]), "not_found", "the word is taken, and the job is none of the project's")
            forged = words[0] | {"event": {"push": pushes[1]}}
            self.assertEqual(self.vouch(forged), "ticket_refused")
            cursors[forge.name] = cursor
        second = self.git.commit({"polled": "2"}, branch="polled")
        for forge in self.forges:
            [word], _ = self.poll(forge, cursors[forge.name])
            self.assertEqual((word["event"]["push"]["before"], word["event"]["push"]["after"]), (first, second))
        statuses = [entry.status for entry in self.hub.double.journal.entries]
        self.assertIn(304, statuses, "GitHub is asked by what it said last")

    def test_what_is_not_known_is_asked_for(self):
        """schedulerd has half a name of the repository until something has happened there; the number is 0 then, and the path `-`."""
        for project, forge, half in (("path", self.lab, {"id": 0}), ("path", self.lab, {"id": 0, "path": "-"}),
                                     ("gitea", self.tea, {"id": 0, "path": "-"})):
            known = forge.place["repository"]
            place = {"project": project, "repository": known | half}
            cursor = self.courier.call("Poll", place=place, cursor="")["cursor"]
            self.git.commit({"half": os.urandom(4)}, branch="half")
            events = self.courier.call("Poll", place=place, cursor=cursor)["events"]
            self.assertEqual([word["event"]["push"]["repository"] for word in events], [known])
        place = {"project": "number", "repository": {"id": self.hub.place["repository"]["id"], "path": "-"}}
        self.assertEqual(self.courier.code("Poll", place=place, cursor=""), "invalid", "GitHub finds nothing by its number")

    def vouch(self, word):
        """What brokerd says to a job of this word that is none of the project's."""
        broker = peer(self.house, "broker", User.of(self.house.pid("bulkhead-schedulerd")))
        self.addCleanup(broker.close)
        made = definition("true", project=word["project"])
        return broker.code("VouchEvent", delivery=word, approval=None, file=None, source=None, base=None, job="nothing", definition=made)

    def test_a_cursor_is_courierds_or_none(self):
        _, cursor = self.poll(self.tea, "")
        for wrong in ("00", "02" + cursor[2:], cursor[:-2], "01ffffff"):
            with self.assertRaises(Refused) as refused:
                self.ask(self.tea, "Poll", cursor=wrong)
            self.assertEqual(refused.exception.code, "invalid")

    # What cannot be had of it

    def test_another_repository_is_refused(self):
        other = self.tea.double.repo("harbour/other", self.git, ada="admin")
        place = {"project": "gitea", "repository": {"id": other.id, "path": other.path}}
        before = len(self.tea.double.journal.entries)
        self.assertEqual(self.courier.code("AskBranch", place=place, branch="main"), "denied_by_policy")
        self.assertEqual(len(self.tea.double.journal.entries), before, "the forge was not even asked")
        self.assertEqual(self.courier.code("AskBranch", place=place | {"project": "none"}, branch="main"), "not_found")
        self.assertEqual(self.courier.code("AskBranch", place=self.tea.place, branch="main"), "ok")
        # And a job's tree comes from its own project's forge: the control is that another word on it is refused by brokerd alone.
        about = {"job": 1, "commit": self.sha, "protected": True, "subject": "gitlab:1", "uploads": [], "before": [], "reasons": [],
                 "secrets": [], "definition": "00" * 32}
        for project, answer in (("another", "invalid"), (self.tea.place["project"], "ticket_refused")):
            word = {"project": project, "url": "https://gitlab.example.org", "about": about, "rule": "00" * 32,
                    "values": [{"bytes": "00" * 40}], "generation": 1, "issued_ms": 0, "mac": "00" * 32}
            code = self.courier.code("PrepareJob", place=self.tea.place, word=word, definition=definition("true", project=project))
            self.assertEqual(code, answer, project)

    def test_half_a_name_is_looked_at(self):
        """Rules with the number alone, or the path alone: what schedulerd adds to it must be of the same repository."""
        for project, forge, wrong in (("number", self.hub, {"path": "harbour/secret"}), ("path", self.lab, {"id": 99})):
            secret = self.git
            if project == "number":
                forge.double.repos.setdefault("harbour/secret", forge.double.repo("harbour/secret", secret, ada="admin"))
            else:
                members = dict(ada=MAINTAINER)
                forge.double.projects.setdefault(99, forge.double.project("harbour/secret", secret, id=99, **members))
            place = forge.place | {"project": project}
            self.assertEqual(self.courier.code("AskBranch", place=place, branch="main"), "ok")
            lie = place | {"repository": place["repository"] | wrong}
            self.assertEqual(self.courier.code("AskBranch", place=lie, branch="main"), "forge_refused")
            self.assertEqual(self.courier.code("FetchSource", place=lie, commit=self.sha), "forge_refused")

    def test_private_addresses_and_wrong_names(self):
        refused = self.refusal(self.lab, "AskBranch", "elsewhere", branch="main")
        self.assertEqual(refused.code, "forge_refused")
        self.assertIn("private or reserved", refused.text)
        # The same address under a name for which there is no certificate.
        refused = self.refusal(self.lab, "AskBranch", "stranger", branch="main")
        self.assertEqual(refused.code, "forge_refused")
        self.assertIn("certificate", refused.text)
        self.assertEqual(self.ask(self.lab, "AskBranch", branch="main")["commit"], self.git.resolve("main"))

    def test_redirects_lead_nowhere(self):
        for forge in self.forges:
            forge.double.faults.next("GET", "*", faults.redirect("http://127.0.0.1:1/elsewhere"))
            refused = self.refusal(forge, "FetchSource", commit=self.sha)
            self.assertEqual(refused.code, "forge_refused")
            self.assertIn("leads elsewhere", refused.text)
            self.assertTrue(self.source(forge))

    def test_a_bomb(self):
        with tempfile.TemporaryDirectory() as folder:
            bomb = pathlib.Path(folder, "bomb.tar.gz")
            subprocess.run(f"head -c 300M /dev/zero > zero; mkdir t; mv zero t/; tar cz t > {bomb}", shell=True, cwd=folder, check=True)
            content = bomb.read_bytes()
        self.assertLess(len(content), 1 << 20)
        self.tea.double.faults.next("GET", "*/archive/*", faults.status(200, content, "application/octet-stream"))
        refused = self.refusal(self.tea, "FetchSource", commit=self.sha)
        self.assertEqual(refused.code, "forge_refused")
        self.assertIn("compressed too well", refused.text)
        self.assertTrue(self.source(self.tea))
        eventually("nothing of it is left", lambda: not self.leftovers())

    def test_a_forge_that_wants_to_be_asked_later(self):
        for forge in self.forges:
            forge.double.faults.next("GET", "*", faults.status(429, Retry_After="1"))
            self.assertTrue(self.ask(forge, "AskBranch", branch="main"))
            forge.double.faults.next("GET", "*", faults.status(429, Retry_After="1000"))
            refused = self.refusal(forge, "AskBranch", branch="main")
            self.assertEqual(refused.code, "forge_unavailable")
            self.assertRegex(refused.text, r"again in 1\d\d\d s$")
            self.assertEqual(forge.double.faults.left, 0)

    def test_answers_that_are_none(self):
        for forge in self.forges:
            forge.double.faults.next("GET", "*", faults.page())
            self.assertEqual(self.refusal(forge, "AskChange", number=forge.number).code, "forge_refused")
            forge.double.faults.next("GET", "*", faults.endless())
            self.assertEqual(self.refusal(forge, "AskChange", number=forge.number).code, "too_large")
            self.assertTrue(self.ask(forge, "AskChange", number=forge.number))

    def test_a_token_that_is_none(self):
        self.assertEqual(self.refusal(self.tea, "AskBranch", "mistaken", branch="main").code, "unauthorized")
        refused = self.refusal(self.tea, "AskBranch", "without", branch="main")
        self.assertEqual((refused.code, refused.place), ("not_found", "forge-token"))

    # GitHub's apps

    def post(self, state, job=17):
        self.ask(self.hub, "PostStatus", "app", commit=self.head, reference=None, context="bulkhead/test", state=state, text="t" * 400,
                 url="https://ci.example/jobs/17", job=job, number=self.hub.number, branch="main")

    def test_an_app_has_check_runs(self):
        self.addCleanup(self.hub.repository.check_runs.clear)
        for state in ("held", "held", "pending", "running", "success", "success"):
            self.post(state)
        runs = list(self.hub.repository.check_runs.values())
        self.assertEqual([run["conclusion"] for run in runs], ["action_required", "success"], "an end stays, and nothing is said twice")
        self.assertEqual({run["external_id"] for run in runs}, {f"17 {self.hub.number} main"})
        self.assertEqual([action["identifier"] for action in self.hub.double.actions[runs[0]["id"]]], ["approve"])
        self.assertNotIn(runs[1]["id"], self.hub.double.actions)
        # An answer that is lost: what was made is found again.
        self.hub.double.faults.next("POST", "*/check-runs", faults.lost())
        with self.assertRaises(Refused) as lost:
            self.post("running", job=18)
        self.assertEqual(lost.exception.code, "forge_unavailable")
        self.post("running", job=18)
        self.assertEqual([run["status"] for run in self.hub.repository.check_runs.values()].count("in_progress"), 1)


    def test_two_jobs_of_one_name_have_a_check_run_each(self):
        """As two branches at one commit make them: the newest of a name hides the other one from nobody but people."""
        self.addCleanup(self.hub.repository.check_runs.clear)
        for state in ("pending", "running", "success"):
            for job in (17, 18):
                self.post(state, job)
        runs = [(run["external_id"].split()[0], run["conclusion"]) for run in self.hub.repository.check_runs.values()]
        self.assertEqual(sorted(runs), [("17", "success"), ("18", "success")])

    def test_a_button_says_what_it_is_of(self):
        self.addCleanup(self.hub.repository.check_runs.clear)
        for job, branch in ((17, "main"), (18, "b" * 250)):
            self.ask(self.hub, "PostStatus", "app", commit=self.head, reference=None, context="bulkhead/test", state="held", text="waits",
                     url="", job=job, number=self.hub.number, branch=branch)
        said = [run["output"]["summary"] for run in self.hub.repository.check_runs.values()]
        fits = list(self.hub.double.actions.values())[-1]
        self.assertIn(f"change #{self.hub.number} run at this commit, as it goes into `main`", said[0])
        self.assertNotIn("Approve", said[1], "there is no room for where it goes")
        self.assertEqual([action["identifier"] for action in fits], ["approve"])

    def test_an_app_finds_its_comment_again(self):
        for text in ("first", "second"):
            self.ask(self.hub, "PostComment", "app", number=self.hub.number, marker="of-the-app", text=text)
        mine = [one for _, one in self.hub.repository.comments.values() if "of-the-app" in one["body"]]
        self.assertEqual([(one["body"].split("\n")[-1], one["user"]["login"]) for one in mine], [("second", "bulkhead[bot]")])
        self.assertEqual(self.courier.call("CheckForge", place=self.hub.place | {"project": "app"}, branch="main")["missing"], [])

    def test_an_apps_token_is_for_one_repository_and_used_again(self):
        def made():
            return [entry.document for entry in self.hub.double.journal.calls("POST", "*/access_tokens", 201)]

        self.ask(self.hub, "AskBranch", "app", branch="main")
        before = len(made())
        for _ in range(3):
            self.ask(self.hub, "AskBranch", "app", branch="main")
        self.assertEqual(len(made()), before, "none is made while one holds")
        self.assertEqual(made()[-1]["repository_ids"], [self.hub.repository.id])
        # Taken back before its time: another one is asked for, and nobody hears of it.
        for token in self.hub.double.tokens.known.values():
            if token.about.get("installation"):
                token.revoked = True
        self.assertEqual(self.ask(self.hub, "AskBranch", "app", branch="main")["commit"], self.sha)
        self.assertEqual(len(made()), before + 1)

    def test_an_app_that_is_not_let_in(self):
        def refused(project):
            return self.refusal(self.hub, "AskBranch", project, branch="main")

        # One holds that the app has: another project of it has to have the key, too.
        self.ask(self.hub, "AskBranch", "app", branch="main")
        self.assertEqual(refused("otherapp").code, "not_found")
        self.assertIn("not installed on harbour/ship", refused("otherapp").text)
        self.assertEqual((refused("wrongkey").code, refused("wrongkey").place), ("unauthorized", "app-key"))
        for token in self.hub.double.tokens.known.values():
            if token.about.get("installation"):
                token.revoked = True
        self.installation.suspended = True
        self.addCleanup(setattr, self.installation, "suspended", False)
        self.assertIn("suspended", refused("app").text)
        self.installation.suspended = False
        given = self.installation.permissions.pop("checks")
        self.addCleanup(self.installation.permissions.__setitem__, "checks", given)
        self.assertIn("lacks a permission", refused("app").text)
        self.installation.permissions["checks"] = given
        self.assertEqual(self.ask(self.hub, "AskBranch", "app", branch="main")["commit"], self.sha, "the control")

    # Deaths

    def test_brokerd_is_away(self):
        os.kill(self.house.up.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, self.house.up.pid, signal.SIGCONT)
        self.house.kill("bulkhead-brokerd")
        eventually("the link is lost", lambda: self.courier.code("AskBranch", place=self.tea.place, branch="main") == "disconnected")
        os.kill(self.house.up.pid, signal.SIGCONT)
        eventually("it is found again", lambda: self.courier.code("AskBranch", place=self.tea.place, branch="main") == "ok")

    def test_killed_in_the_middle_of_an_archive(self):
        ballast = self.git.commit({"ballast": os.urandom(2 << 20)}, branch="ballast", parent=self.sha)
        self.tea.double.faults.next("GET", "*/archive/*", faults.drip(0.2, 64 << 10))
        self.courier.request("FetchSource", place=self.tea.place, commit=ballast)
        self.assertTrue(eventually("an archive comes in", self.leftovers))
        before = self.house.kill("bulkhead-courierd")
        eventually("courierd is back", lambda: self.house.pid("bulkhead-courierd") not in (None, before))
        self.assertEqual(self.leftovers(), [])
        self.courier.close()
        self.courier = peer(self.house, "courier", User.of(self.house.pid("bulkhead-schedulerd")))
        self.addCleanup(self.courier.close)
        self.assertGreater(len(self.source(self.tea, ballast)), 2 << 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
