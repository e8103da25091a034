"""The documents say what is true: the tour of the README is run as it stands, and links lead somewhere."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from house import BINARIES, ENGINE, ROOT, House, free_port

sys.path.insert(0, str(ROOT / "Tests"))
from Forges.deliveries import signature  # noqa: E402

BLOCK = re.compile(r"```(sh|yaml)\n(.*?)```", re.S)


class Documents(unittest.TestCase):
    def test_the_tour_of_the_readme(self):
        blocks = BLOCK.findall((ROOT / "README.md").read_text())
        shell = [text for language, text in blocks if language == "sh"]
        job = next(text for language, text in blocks if language == "yaml")
        self.assertIn("make demo", shell[0], "the first block is what CI and the demo run")
        start, own, sealed = shell[1], shell[2], shell[3]
        with tempfile.TemporaryDirectory(prefix="bulkhead-readme-") as folder:
            os.chmod(folder, 0o755)
            program = pathlib.Path(folder, "program")
            shutil.copytree(ROOT / "Tests/Demo/program", program)
            (program / "job.yaml").write_text(job)
            port = free_port()
            # The same commands, on a port and in a directory that belong to this test, with what is built already.
            start = start.replace("/tmp/bulkhead", f"{folder}/state").replace("$PWD/.build/release", str(BINARIES))
            sealed = sealed.replace("/tmp/bulkhead", f"{folder}/state")
            start = start.replace("make build engine images", "true").replace(
                "bulkhead up ", f"bulkhead up --listen 127.0.0.1:{port} ")
            self.assertIn(f"--state {folder}/state", start)
            script = f"""
                set -euo pipefail
                trap 'kill $(jobs -p); wait' EXIT
                export BULKHEAD_URL=http://127.0.0.1:{port}
                {start}
                cd {program}
                {own}
                {sealed}
            """
            done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120,
                                  env={**os.environ, "BULKHEAD_ENGINE": f"unix://{ENGINE}"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("hello", done.stdout)
        self.assertIn("11 of 11 tests passed", done.stdout)
        self.assertIn("***", done.stdout)

    def test_how_to_operate(self):
        blocks = BLOCK.findall((ROOT / "docs/howto/operate.md").read_text())
        config = next(text for language, text in blocks if language == "yaml")
        with tempfile.TemporaryDirectory(prefix="bulkhead-operate-") as folder:
            os.chmod(folder, 0o755)
            port = free_port()
            script = "".join(text for language, text in blocks if language == "sh")
            script = script.replace("/tmp/bulkhead", f"{folder}/state").replace("http://127.0.0.1:7700", "$BULKHEAD_URL").replace(
                "bulkhead up ", f"bulkhead up --listen 127.0.0.1:{port} ")
            done = subprocess.run(
                ["bash", "-c", f"set -euo pipefail; trap 'kill $(jobs -p); wait' EXIT; PATH={BINARIES}:$PATH\n{script}"],
                capture_output=True, text=True, timeout=120,
                env={**os.environ, "BULKHEAD_ENGINE": f"unix://{ENGINE}", "BULKHEAD_URL": f"http://127.0.0.1:{port}"})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for shown in ["SUCCEEDED", "submitted: QUEUED", "drained: no runner is left", "jobs begin again",
                          'bulkhead_jobs{state="succeeded"} 1', 'msg="job ended" job=1 ']:
                self.assertIn(shown, done.stdout)
            # What an administrator pastes into Prometheus is read by Prometheus.
            promtool = subprocess.run([ROOT / "Tests/Engine/promtool.sh"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
            pathlib.Path(folder, "token").touch()
            pathlib.Path(folder, "prometheus.yml").write_text(config.replace("/etc/bulkhead/metrics-token", f"{folder}/token"))
            subprocess.run([promtool, "check", "config", f"{folder}/prometheus.yml"], check=True, stdout=subprocess.DEVNULL)

    def test_the_page_on_projects(self):
        """Its project, by its commands, each of which ends as it says; and a delivery signed with the key that was made there."""
        blocks = BLOCK.findall((ROOT / "docs/projects.md").read_text())
        yaml = next(text for language, text in blocks if language == "yaml")
        ends = {"bulkhead project diff projects.yaml": 1}
        with House() as house, tempfile.TemporaryDirectory(prefix="bulkhead-projects-") as folder:
            pathlib.Path(folder, "projects.yaml").write_text(yaml)
            pathlib.Path(folder, "token").write_text("as-the-forge-has-given-it\n")
            environment = {**os.environ, "PATH": f"{BINARIES}:{os.environ['PATH']}", "BULKHEAD_TOKEN": house.token,
                           "BULKHEAD_URL": f"http://127.0.0.1:{house.port}", "BULKHEAD_KEY": str(house.state / "admin-key")}
            commands = "".join(text for language, text in blocks if language == "sh").splitlines()
            for command in (line.partition("   #")[0].strip() for line in commands):
                done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, ends.get(command, 0), f"{command}: {done.stdout}{done.stderr}")
            self.assertEqual(len(commands), 7)
            self.assertEqual(os.stat(f"{folder}/key").st_mode & 0o077, 0)
            body = b'{"zen": "a ping"}'
            headers = {"Content-Type": "application/json", "X-GitHub-Event": "ping",
                       "X-Hub-Signature-256": "sha256=" + signature(pathlib.Path(folder, "key").read_bytes(), body)}
            self.assertEqual(house.http("POST", "/webhook/github/shop", body, headers)[0], 202)

    def test_the_page_on_people(self):
        """Its commands in a row: what an admin does, and in between what alice does where she is."""
        blocks = [text for language, text in BLOCK.findall((ROOT / "docs/howto/people.md").read_text()) if language == "sh"]
        script = "".join(f"({text})\n" if text.startswith("export ") else text for text in blocks)
        with House() as house, tempfile.TemporaryDirectory(prefix="bulkhead-people-") as folder:
            done = subprocess.run(
                ["bash", "-c", f"set -euo pipefail\n{script}"], cwd=folder, capture_output=True, text=True, timeout=120,
                env={**os.environ, "PATH": f"{BINARIES}:{os.environ['PATH']}", "BULKHEAD_TOKEN": house.token,
                     "BULKHEAD_URL": f"http://127.0.0.1:{house.port}", "BULKHEAD_KEY": str(house.state / "admin-key")})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for shown in ["shop:write", "write in shop", "user alice is removed"]:
                self.assertIn(shown, done.stdout)
            self.assertEqual(os.stat(f"{folder}/alice-key").st_mode & 0o077, 0)

    def test_links_lead_somewhere(self):
        pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "proto-spec").glob("*.md")]
        found = 0
        for page in pages:
            for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
                if "://" not in target:
                    found += 1
                    self.assertTrue((page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}")
        self.assertGreater(found, 10)

    def test_help_has_examples(self):
        for command in ["", "up", "submit", "jobs", "job", "log", "why", "cancel", "runners", "pools", "drain", "status", "doctor",
                        "init", "secret", "secret set", "secret ls", "secret rm", "secret rotate-master", "audit verify", "user",
                        "user add", "user ls", "user role", "user rm", "token", "token create", "token ls", "token rm", "key", "key new",
                        "key show", "whoami"]:
            done = subprocess.run([BINARIES / "bulkhead", *command.split(), "--help"], capture_output=True, text=True, check=True)
            self.assertIn("EXAMPLES", done.stdout, command)

    def test_make_help_lists_every_target(self):
        targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split()
        shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for target in targets:
            self.assertRegex(shown, rf"(?m)^{target}\s+\S")


if __name__ == "__main__":
    unittest.main(verbosity=2)
