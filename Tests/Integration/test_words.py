"""What a person is told: by Ctrl-C, by a slip in a name, by a file that is not there; and the same for a program that reads JSON."""

import json
import os
import signal
import subprocess
import unittest

from house import BINARIES, House, eventually


class Words(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "2"))

    def follow(self, *arguments):
        environment = {"PATH": os.environ["PATH"], "BULKHEAD_URL": f"http://127.0.0.1:{self.house.port}",
                       "BULKHEAD_TOKEN": self.house.token, "HOME": str(self.house.state)}
        return subprocess.Popen([BINARIES / "bulkhead", *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def interrupt(self, process, job):
        """Ctrl-C, once something was printed; the job must not notice."""
        self.assertIn(b"begun", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, errors)
        self.assertEqual(self.house.job(job)["state"], "RUNNING")
        return errors.decode()

    def test_ctrl_c_leaves_the_job(self):
        submit = self.follow("submit", "--image", "bulkhead/busybox", "--follow", "--", "sh", "-c", "echo begun; sleep 1000")
        job = int(submit.stderr.readline().split()[1])
        words = self.interrupt(submit, job)
        self.assertEqual(words.count("\n"), 1, words)
        for part in [f"job {job} goes on", f"bulkhead cancel {job}", f"bulkhead log {job} -f"]:
            self.assertIn(part, words)
        self.assertIn(f"bulkhead cancel {job}", self.interrupt(self.follow("log", str(job), "-f"), job))
        error = json.loads(self.interrupt(self.follow("log", str(job), "-f", "--json"), job))["error"]
        self.assertEqual((error["code"], error["exit"]), ("interrupted", 130))
        self.house.bulkhead("cancel", job, check=0)
        self.assertEqual(self.house.wait(job)["state"], "CANCELLED")

    def test_a_slip_in_a_projects_name(self):
        self.house.wait(self.house.submit("true", project="shop"))
        first = self.house.bulkhead("secret", "set", "shop", "npm", stdin=b"value-of-npm", check=0).stderr.decode()
        self.assertIn("the first secret of project 'shop'", first)
        again = self.house.bulkhead("secret", "set", "shop", "gem", stdin=b"value-of-gem", check=0)
        self.assertEqual(again.stderr, b"")
        slip = self.house.bulkhead("secret", "set", "shpo", "npm", stdin=b"value-of-npm", check=64).stderr.decode()
        self.assertIn("there is no project 'shpo'; did you mean 'shop'? If it is to be a new one, say --new", slip)
        self.assertEqual(json.loads(self.house.bulkhead("secret", "ls", "shpo", "--json", check=0).stdout), {"secrets": []})
        self.house.bulkhead("secret", "set", "shpo", "npm", "--new", stdin=b"value-of-npm", check=0)
        # Once it has one it is known.
        self.house.bulkhead("secret", "set", "shpo", "gem", stdin=b"value-of-gem", check=0)
        role = self.house.bulkhead("user", "role", "admin", "shopp", "read", check=64).stderr.decode()
        self.assertIn("there is no project 'shopp'; did you mean 'shop'?", role)
        self.house.bulkhead("user", "role", "admin", "shopp", "read", "--new", check=0)
        self.house.bulkhead("user", "role", "admin", "shopp", "none", check=0)
        listed = self.house.bulkhead("secret", "ls", "shopp", check=0)
        self.assertEqual((listed.stdout, listed.stderr), (b"", b"project 'shopp' has no secrets; did you mean 'shop'?\n"))
        self.assertEqual(json.loads(self.house.bulkhead("secret", "ls", "shopp", "--json", check=0).stdout), {"secrets": []})

    def test_what_a_shell_adds_to_a_forges_secret(self):
        """It is refused with where it is; every other secret is taken byte for byte."""
        for name, value, where in [("forge-token", b"ghp_x\n", "a line break at its end"),
                                   ("webhook-key", b"key\r\n", "a line break at its end"),
                                   ("forge-token", b"ghp x", "a space in byte 4 of 5"), ("webhook-key", b" key", "a space in byte 1 of 4")]:
            words = self.house.bulkhead("secret", "set", "hull", name, stdin=value, check=64).stderr.decode()
            self.assertIn(f"the value of {name} has {where}", words)
            self.assertEqual(f"tr -d '\\r\\n' < FILE | bulkhead secret set hull {name}" in words, "line break" in where)
        self.assertEqual(json.loads(self.house.bulkhead("secret", "ls", "hull", "--json", check=0).stdout), {"secrets": []})
        for name, value in [("forge-token", b"ghp_x"), ("webhook-key", b"It's a Secret to Everybody"), ("other", b"a value\n")]:
            self.house.bulkhead("secret", "set", "hull", name, stdin=value, check=0)

    def test_a_job_names_a_secret_that_is_not_there(self):
        job = '{"project": "shopp", "image": "bulkhead/busybox", "steps": [{"run": "true", "secrets": {"T": "npm"}}]}'
        refused = self.house.bulkhead("submit", "-", stdin=job.encode(), check=64).stderr.decode()
        self.assertIn("project 'shopp' has no secret 'npm'", refused)
        self.assertIn("bulkhead secret set shopp npm", refused)

    def test_bounds_have_units(self):
        status, answer = self.house.api(
            "POST", "/jobs", {"image": "bulkhead/busybox", "steps": ["true"], "resources": {"memory": 1024}})
        self.assertEqual(status, 400)
        self.assertIn("between 16MiB and 4TiB", json.dumps(answer))
        ended = self.house.wait(self.house.submit("true", resources={"memory": "2TiB", "disk": "1MiB"}))
        self.assertRegex(ended["reason"], r"it asks for 1 CPU and 2TiB, and this machine gives [0-9]+ CPUs and [0-9]+[MG]iB")

    def test_files_that_cannot_be_read(self):
        commands = [["submit", "/nowhere/job.yaml"], ["secret", "set", "default", "x", "--from-file", "/nowhere/x"],
                    ["audit", "verify", "/nowhere/audit.log"], ["project", "check", "/nowhere/projects.yaml"]]
        for command in commands:
            words = self.house.bulkhead(*command, check=64).stderr.decode()
            self.assertIn(f"cannot read {command[-1]}: No such file or directory (ENOENT); ", words)
            self.assertNotIn("couldn", words)
            error = json.loads(self.house.bulkhead(*command, "--json", check=64).stderr)["error"]
            self.assertIn("No such file or directory (ENOENT)", error["message"])
        self.assertIn("Is a directory (EISDIR)", self.house.bulkhead("submit", "/tmp", check=64).stderr.decode())

    def test_a_file_of_projects(self):
        good = b"projects: [{name: shop, forge: {kind: github}, repository: a/b, jobs: [{name: j, image: i, steps: [x]}]}]"
        said = self.house.bulkhead("project", "check", "-", stdin=good, check=0).stdout
        self.assertEqual(said, b"shop: a/b at https://github.com: 1 job: j\n")
        report = json.loads(self.house.bulkhead("project", "check", "-", "--json", stdin=good, check=0).stdout)
        self.assertEqual([project["jobs"] for project in report["projects"]], [["j"]])
        written = self.house.bulkhead("project", "check", "-", "--print", stdin=good, check=0).stdout
        self.assertEqual(self.house.bulkhead("project", "check", "-", "--print", stdin=written, check=0).stdout, written)
        bad = good.replace(b"kind: github", b"kind: githup").replace(b"steps: [x]", b"stesp: [x]")
        words = self.house.bulkhead("project", "check", "-", stdin=bad, check=64).stderr.decode()
        self.assertIn("standard input:1:39: projects[0].forge.kind: is not known; did you mean 'github'?", words)
        report = json.loads(self.house.bulkhead("project", "check", "-", "--json", stdin=bad, check=64).stdout)
        paths = [problem["path"] for problem in report["problems"]]
        self.assertEqual(paths[0], "projects[0].forge.kind")
        self.assertEqual(sorted(paths[1:]), ["projects[0].jobs[0].steps", "projects[0].jobs[0].stesp"])
        self.assertEqual(report["problems"][0]["line"], 1)

    def test_slips_on_the_command_line(self):
        for command, says in [
            (["lgo", "17"], "did you mean 'log'?"), (["project", "chekc", "a.yaml"], "did you mean 'check'?"),
            (["submit", "--image", "bulkhead/busybox", "echo", "hi"], "put -- before the command"),
            (["submit", "--image", "bulkhead/busybox", "true"], "put -- before the command"),
        ]:
            self.assertIn(says, self.house.bulkhead(*command, check=64).stderr.decode())

    def test_the_command_line_is_wrong_in_json(self):
        for command in [["log", "seventeen"], ["jobs", "--limit", "many"], ["job"], ["nonsense"]]:
            error = json.loads(self.house.bulkhead(*command, "--json", check=64).stderr)["error"]
            self.assertEqual((error["code"], error["exit"]), ("usage", 64))
            self.assertTrue(error["message"])
            plain = self.house.bulkhead(*command, check=64).stderr.decode()
            self.assertTrue(plain.startswith("Error: "), plain)
        self.assertIn(b"USAGE", self.house.bulkhead("jobs", "--help", "--json", check=0).stdout)

    def test_a_log_as_json(self):
        job = self.house.submit("echo one; echo two")
        self.house.wait(job)
        for options in [["--json"], ["--json", "-f"]]:
            lines = self.house.bulkhead("log", job, *options, check=0).stdout.splitlines()
            self.assertEqual([json.loads(line)["text"] for line in lines], ["one", "two"])
        error = json.loads(self.house.bulkhead("log", job + 1000, "--json", check=64).stderr)["error"]
        self.assertEqual(error["code"], "not_found")


if __name__ == "__main__":
    unittest.main(verbosity=2)
