"""Users, roles and tokens on real daemons: each refusal beside its control."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from house import BINARIES, House, eventually

PROJECT = """
projects:
  - name: {name}
    forge: {{kind: github, url: https://github.com}}
    repository: {{id: {id}}}
    jobs:
      - {{name: test, image: bulkhead/busybox, steps: ["true"]}}
"""
JOB = """
project: {project}
image: bulkhead/busybox
steps:
  - run: test -n "$KEY" && echo has it
    secrets: {{KEY: key}}
"""


class Somebody:
    """A user with a key of their own and a token, at the command line and at the API."""

    def __init__(self, house, name, token, key=None):
        self.house, self.name, self.token, self.key = house, name, token, key

    def bulkhead(self, *arguments, stdin=None, check=None):
        environment = {"PATH": os.environ["PATH"], "BULKHEAD_URL": f"http://127.0.0.1:{self.house.port}", "HOME": str(self.house.state),
                       "BULKHEAD_TOKEN": self.token} | ({"BULKHEAD_KEY": str(self.key)} if self.key else {})
        done = subprocess.run([BINARIES / "bulkhead", *map(str, arguments)], env=environment, capture_output=True, input=stdin, timeout=120)
        if check is not None:
            assert done.returncode == check, f"{self.name}: {arguments}: {done.returncode}, not {check}: {done.stderr.decode()}"
        return done

    def api(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        status, answer = self.house.http(method, path, None if body is None else json.dumps(body), headers)
        return status, json.loads(answer) if answer.startswith(b"{") else answer

    def status(self, method, path, body=None):
        return self.api(method, path, body)[0]

    def token_of(self, name, *options, user=None):
        """Another token, made by this person."""
        made = self.bulkhead("token", "create", name, *(["--user", user] if user else []), *options, check=0).stdout.decode().strip()
        return Somebody(self.house, user or self.name, made, self.key if not user else None)


class People(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House())
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="bulkhead-people-")))
        cls.admin = Somebody(cls.house, "admin", cls.house.token, cls.house.state / "admin-key")
        cls.broker = json.loads(cls.admin.bulkhead("key", "show", "--json", check=0).stdout)["broker"]
        for number, name in enumerate(["shop", "web"]):
            file = cls.folder / f"{name}.yaml"
            file.write_text(PROJECT.format(name=name, id=number + 1))
            cls.admin.bulkhead("project", "apply", file, check=0)
            cls.admin.bulkhead("secret", "set", name, "key", stdin=b"a-long-value", check=0)
        cls.rita = cls.user("rita", shop="read")
        cls.will = cls.user("will", shop="write")
        cls.ada = cls.user("ada", shop="admin")
        cls.jobs = {name: cls.house.submit("echo of " + name, project=name) for name in ("shop", "web")}
        for job in cls.jobs.values():
            cls.house.wait(job)

    @classmethod
    def user(cls, name, everywhere=None, **roles):
        key = cls.folder / f"{name}-key"
        own = Somebody(cls.house, name, "")
        made = json.loads(own.bulkhead("key", "new", name, "--broker", cls.broker, "--out", key, "--json", check=0).stdout)
        cls.admin.bulkhead("user", "add", name, "--public-key", made["public_key"],
                           *(["--everywhere", everywhere] if everywhere else []), check=0)
        for project, role in roles.items():
            cls.admin.bulkhead("user", "role", name, project, role, check=0)
        somebody = cls.admin.token_of("first", user=name)
        somebody.key = key
        return somebody

    def submit(self, person, project="shop", secret=False):
        """The status of the command line that submits a job."""
        if not secret:
            return person.status("POST", "/jobs", {"image": "bulkhead/busybox", "steps": ["true"], "project": project})
        file = self.folder / f"{person.name}-{project}.yaml"
        file.write_text(JOB.format(project=project))
        return person.bulkhead("submit", file, "--follow").returncode

    # Roles

    def test_a_reader_sees_and_does_nothing(self):
        job = self.jobs["shop"]
        self.assertEqual(self.rita.api("GET", f"/jobs/{job}")[1]["project"], "shop")
        self.assertEqual(self.rita.api("GET", f"/jobs/{job}/log")[1], b"of shop\n")
        self.assertEqual(self.rita.api("GET", "/projects/shop/secrets")[1]["secrets"][0]["name"], "key")
        self.assertEqual(self.submit(self.rita), 403)
        self.assertEqual(self.rita.status("DELETE", f"/jobs/{job}"), 403)
        self.assertEqual(self.rita.status("POST", "/sources", {}), 403)
        refused = self.rita.bulkhead("secret", "set", "shop", "mine", stdin=b"a-long-value", check=77)
        self.assertIn(b"you have read in project shop, and this needs admin; ask one of its admins", refused.stderr)
        self.assertNotEqual(self.submit(self.rita, secret=True), 0)

    def test_a_writer_submits_and_sets_no_secret(self):
        self.assertEqual(self.submit(self.will), 201)
        self.assertEqual(self.submit(self.will, secret=True), 0)
        self.assertEqual(self.will.status("DELETE", f"/jobs/{self.jobs['shop']}"), 202)
        self.will.bulkhead("secret", "set", "shop", "mine", stdin=b"a-long-value", check=77)
        self.will.bulkhead("user", "role", "will", "shop", "admin", check=77)
        (self.folder / "again.yaml").write_text(PROJECT.format(name="shop", id=99))
        self.will.bulkhead("project", "apply", self.folder / "again.yaml", check=77)
        self.assertIn('"id":1', self.admin.api("GET", "/projects/shop")[1]["document"].replace(" ", ""))

    def test_an_admin_of_a_project_is_none_of_the_house(self):
        self.ada.bulkhead("secret", "set", "shop", "hers", stdin=b"a-long-value", check=0)
        self.ada.bulkhead("user", "role", "rita", "shop", "read", check=0)
        self.ada.bulkhead("user", "role", "rita", "web", "read", check=64)
        self.ada.bulkhead("secret", "set", "web", "hers", stdin=b"a-long-value", check=64)
        self.ada.bulkhead("user", "add", "eve", check=77)
        self.ada.bulkhead("token", "create", "theirs", "--user", "admin", check=77)
        self.ada.bulkhead("secret", "rotate-master", "--master-keys", self.house.state / "brokerd/master", "--state", self.folder, "--key",
                          self.ada.key, check=77)
        self.assertEqual(self.admin.status("GET", "/whoami"), 200, "nothing was rotated")
        self.assertEqual(self.ada.status("POST", "/drain", {"drain": True}), 403)
        self.assertEqual(self.ada.status("GET", "/pools"), 403)
        self.assertEqual(self.admin.status("GET", "/pools"), 200, "the control")

    def test_what_one_may_not_see_is_not_there(self):
        job = self.jobs["web"]
        for path in [f"/jobs/{job}", f"/jobs/{job}/log", f"/jobs/{job}/why", "/projects/web", "/projects/web/secrets",
                     "/deliveries?project=web"]:
            self.assertEqual(self.admin.status("GET", path), 200, f"the control: {path}")
            status, answer = self.ada.api("GET", path)
            nothing = self.ada.api("GET", path.replace(str(job), "4711").replace("web", "nix"))
            self.assertEqual(status, 404, path)
            told = json.dumps(answer).replace(f"job {job}", "job 4711").replace("'web'", "'nix'")
            self.assertEqual((status, told), (nothing[0], json.dumps(nothing[1])), path)
        self.assertIn(b"there is no project 'shpo', or you have no role in it; did you mean 'shop'?",
                      self.ada.bulkhead("deliveries", "--project", "shpo", check=64).stderr)
        self.assertEqual(self.submit(self.ada, "web"), 404)
        self.assertEqual(self.ada.status("DELETE", f"/jobs/{job}"), 404)
        listed = {j["project"] for j in self.ada.api("GET", "/jobs?limit=50")[1]["jobs"]}
        self.assertEqual(listed, {"shop"})
        self.assertLessEqual({"shop", "web"}, {j["project"] for j in self.admin.api("GET", "/jobs?limit=50")[1]["jobs"]})
        self.assertEqual([p["name"] for p in self.ada.api("GET", "/projects")[1]["projects"]], ["shop"])

    # Tokens

    def test_a_token_is_narrower_than_its_user(self):
        narrow = self.ada.token_of("narrow", "--role", "read", "--project", "shop")
        self.assertEqual(narrow.api("GET", "/whoami")[1]["roles"], [{"project": "shop", "role": "read"}])
        self.assertEqual(self.submit(narrow), 403)
        self.assertEqual(self.submit(self.ada), 201, "the control")
        # With her own key beside it, too.
        narrow.bulkhead("secret", "set", "shop", "more", stdin=b"a-long-value", check=77)
        narrow.bulkhead("token", "create", "wide", check=77)
        scraper = self.admin.token_of("scraper", "--role", "metrics", "--expires", "never")
        self.assertEqual([scraper.status("GET", path) for path in ("/metrics", "/status")], [200, 200])
        self.assertEqual(scraper.api("GET", "/jobs")[1]["jobs"], [])
        self.assertEqual(scraper.status("GET", f"/jobs/{self.jobs['shop']}"), 404)
        self.assertEqual(self.submit(scraper), 404)

    def test_a_token_ends(self):
        short = self.ada.token_of("short", "--expires", "15s")
        self.assertEqual(short.status("GET", "/whoami"), 200)
        eventually("it has expired", lambda: short.status("GET", "/whoami") == 401)
        self.assertIn(b"the token has expired", short.bulkhead("whoami", check=77).stderr)
        short.bulkhead("secret", "set", "shop", "late", stdin=b"a-long-value", check=77)
        self.assertEqual(self.ada.status("GET", "/whoami"), 200, "the control")

    def test_a_token_is_shown_once(self):
        secret = self.ada.token_of("once").token
        self.assertRegex(secret, r"^bh_[0-9a-f]{64}$")
        self.assertNotIn(secret.encode(), self.ada.bulkhead("token", "ls", "--json", check=0).stdout)
        for file in [self.house.state / "brokerd/audit.log", *(self.house.state / "log").glob("*.log")]:
            self.assertNotIn(secret.encode(), file.read_bytes(), file)

    def test_lists_say_what_tokens_may(self):
        will = self.user("wim", shop="write", web="read")
        will.token_of("narrow", "--role", "read", "--project", "shop")
        will.token_of("scraper", "--role", "metrics")
        rows = [line.split("  ") for line in will.bulkhead("token", "ls", check=0).stdout.decode().splitlines()[1:]]
        rows = {row[0].strip(): [cell.strip() for cell in row if cell.strip()][2:4] for row in rows}
        self.assertEqual(rows, {"first": ["shop:write web:read", "all"], "narrow": ["shop:read", "read in shop"],
                                "scraper": ["metrics", "metrics"]})
        # Of all only an admin of the house is told.
        listed = json.loads(self.admin.bulkhead("token", "ls", "--all", "--json", check=0).stdout)["tokens"]
        names = {(token["user"], token["name"]) for token in listed}
        self.assertLessEqual({("wim", "narrow"), ("rita", "first"), ("admin", "first")}, names)
        self.assertIn(b"this needs admin in all", will.bulkhead("token", "ls", "--all", check=77).stderr)
        will.bulkhead("token", "ls", "--all", "--user", "wim", check=64)

    # The end

    def test_who_is_removed_is_nobody_at_once(self):
        """S5: her tokens, and her key under a token that lives. The control: both, a moment before."""
        lea = self.user("lea", shop="admin")
        phone = lea.token_of("phone")
        lea.bulkhead("secret", "set", "shop", "leas", stdin=b"a-long-value", check=0)
        self.assertEqual([lea.status("GET", "/whoami"), phone.status("GET", "/whoami")], [200, 200])
        self.admin.bulkhead("user", "rm", "lea", check=0)
        self.assertEqual([lea.status("GET", "/whoami"), phone.status("GET", "/whoami")], [401, 401])
        self.assertIn("the user of this token was removed", json.dumps(phone.api("GET", "/whoami")[1]))
        self.assertIn(b"the user of this token was removed", lea.bulkhead("whoami", check=77).stderr)
        lea.bulkhead("secret", "set", "shop", "leas", stdin=b"a-long-value", check=77)
        # Her key under a token that lives.
        thief = Somebody(self.house, "admin", self.house.token, lea.key)
        self.assertIn(b"sealed by another key", thief.bulkhead("secret", "rm", "shop", "leas", check=77).stderr)
        self.admin.bulkhead("secret", "rm", "shop", "leas", check=0)
        # Another one of her name has none of her tokens.
        lea.key.unlink()
        other = self.user("lea", shop="read")
        self.assertEqual([lea.status("GET", "/whoami"), phone.status("GET", "/whoami"), other.status("GET", "/whoami")], [401, 401, 200])
        self.assertNotIn("removed", json.dumps(phone.api("GET", "/whoami")[1]))

    def test_a_role_is_taken_at_once(self):
        tom = self.user("tom", shop="write")
        self.assertEqual(self.submit(tom), 201)
        self.ada.bulkhead("user", "role", "tom", "shop", "none", check=0)
        self.assertEqual(self.submit(tom), 404)

    def test_all_of_it_outlives_brokerd(self):
        before = self.admin.api("GET", "/users")[1]
        self.house.kill("bulkhead-brokerd")
        eventually("brokerd is back", lambda: self.admin.status("GET", "/whoami") == 200)
        after = self.admin.api("GET", "/users")[1]
        self.assertEqual(before, after)
        self.assertEqual(self.rita.api("GET", "/whoami")[1]["roles"], [{"project": "shop", "role": "read"}])

    def test_every_change_is_on_record(self):
        def revision():
            return self.admin.api("GET", "/users")[1]["revision"]
        before = revision()
        kim = self.user("kim", shop="read")
        self.assertEqual(revision(), before + 3)
        self.admin.bulkhead("token", "rm", "first", "--user", "kim", check=0)
        self.assertEqual(kim.status("GET", "/whoami"), 401)
        self.admin.bulkhead("user", "rm", "kim", check=0)
        self.assertEqual(revision(), before + 5)
        lines = (self.house.state / "brokerd/audit.log").read_text().splitlines()
        events = [line.split("event=")[1].split()[0] for line in lines if " user=kim " in line]
        self.assertEqual(events, ["user_set", "role_set", "token_set", "token_removed", "user_removed"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
