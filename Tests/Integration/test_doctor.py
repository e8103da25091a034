"""`bulkhead doctor` names each thing that is missing on the way to the first green status; each is gone when its own command was run."""

import contextlib
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

import house
from house import BINARIES, ENGINE, ROOT, House, engine, eventually, free_port

sys.path.insert(0, str(ROOT / "Tests"))
from Forges.deliveries import signature  # noqa: E402
from Forges.github import GitHub  # noqa: E402
from Forges.repositories import Repository  # noqa: E402

IMAGE = "bulkhead/of-the-doctor"
PROJECT = """
projects:
  - name: ship
    forge: {{kind: github, url: "{url}"}}
    repository: {{id: {id}, path: harbour/ship}}
    secrets:
      deploy-key: {{}}
    jobs:
      - name: test
        image: {image}
        steps: ["echo tested"]
      - name: deploy
        events: [push]
        branches: [main]
        image: {image}
        steps:
          - run: echo deployed
            secrets: {{KEY: deploy-key}}
"""


class Relay:
    """A socket before the engine's, which can go away, and can deny that there are user namespaces."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder, "engine.sock")
        self.denies = False
        self.open = set()

    def __enter__(self):
        self.listen()
        return self

    def __exit__(self, *_):
        self.close()

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        # spawnerd joins the group of the engine's socket, which must not be root's.
        os.chown(self.path, 0, os.stat(ENGINE).st_gid)
        self.path.chmod(0o660)
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        self.path.unlink(missing_ok=True)
        # Closing alone does not wake who waits in it.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in list(self.open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(listener.accept()[0],), daemon=True).start()

    def serve(self, near):
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(ENGINE)
            self.open |= {near, far}
            back = threading.Thread(target=self.carry, args=(far, near), daemon=True)
            back.start()
            self.carry(near, far)
            back.join()
            self.open -= {near, far}

    def carry(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 20):
                # As long as it was, so its length stays true.
                sink.sendall(data.replace(b"name=userns", b"name=nothin") if self.denies else data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def form(delivery, key):
    """As GitHub sends it where nothing else is chosen."""
    body = urllib.parse.urlencode({"payload": delivery.body}).encode()
    return delivery.with_body(body).with_headers(
        Content_Type="application/x-www-form-urlencoded", X_Hub_Signature_256=f"sha256={signature(key, body)}")


class Patient:
    """Somebody with a shell, in a folder of his own; what is exported in it stays."""

    def __init__(self, folder, **environment):
        self.folder = folder
        self.environment = {"PATH": f"{BINARIES}:{os.environ['PATH']}", "HOME": str(folder), "BULKHEAD_ENGINE": f"unix://{ENGINE}",
                            **environment}

    def run(self, command, stdin=b""):
        """Runs it as it was told; exports are kept."""
        with tempfile.NamedTemporaryFile() as after:
            done = subprocess.run(["bash", "-c", f"set -e\n{command}\nenv -0 >{after.name}"], cwd=self.folder, env=self.environment,
                                  capture_output=True, input=stdin, timeout=120)
            assert done.returncode == 0, f"{command}: {done.stdout.decode()}{done.stderr.decode()}"
            pairs = (entry.partition(b"=") for entry in pathlib.Path(after.name).read_bytes().split(b"\0") if entry)
            self.environment = {name.decode(): value.decode() for name, _, value in pairs if name not in (b"_", b"SHLVL", b"PWD")}
        return done

    def doctor(self, *arguments):
        """What it found, by what was looked at; and that its exit code says the same."""
        done = subprocess.run([BINARIES / "bulkhead", "doctor", *arguments, "--json"], cwd=self.folder, env=self.environment,
                              capture_output=True, timeout=120)
        report = json.loads(done.stdout or b"null")
        assert report, done.stderr
        missing = [finding for finding in report["findings"] if finding["state"] == "missing"]
        assert all(finding.get("mend") for finding in missing), missing
        assert report["ok"] == (not missing) == (done.returncode == 0), (done.returncode, report)
        return {finding["check"]: finding for finding in report["findings"]}


class Doctor(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="bulkhead-doctor-"))
        os.chmod(self.folder, 0o755)

    def missing(self, found, check):
        self.assertIn(check, found)
        self.assertEqual(found[check]["state"], "missing", found[check])
        return found[check]

    def fine(self, found, check):
        self.assertIn(check, found)
        self.assertEqual(found[check]["state"], "ok", found[check])

    def test_from_nothing_to_a_house(self):
        """No engine, no house, no token, no project: each command that it says is run, and takes one of them away."""
        port, state = free_port(), f"{self.folder}/state"
        patient = Patient(self.folder, BULKHEAD_URL=f"http://127.0.0.1:{port}", BULKHEAD_ENGINE=f"unix://{self.folder}/none")
        found = patient.doctor("--state", state)
        self.missing(found, "engine")
        patient.environment["BULKHEAD_ENGINE"] = f"unix://{ENGINE}"
        found = patient.doctor("--state", state)
        self.assertNotIn("engine", found)
        mend = self.missing(found, "api")["mend"]
        self.assertTrue(mend.startswith("bulkhead up"), mend)
        up = subprocess.Popen(["bash", "-c", f"exec {mend}"], cwd=self.folder, env=patient.environment, stderr=subprocess.PIPE)
        try:
            eventually("the house answers", lambda: patient.doctor("--state", state)["api"]["state"] == "ok")
            eventually("its engine, too", lambda: patient.doctor("--state", state).get("engine", {}).get("state") == "ok")
            # Wherever its owner has put the house: the command names the place.
            patient.run(self.missing(patient.doctor(), "token")["mend"])
            found = patient.doctor()
            for check in ("token", "userns"):
                self.fine(found, check)
            eventually("its daemons have met", lambda: patient.doctor()["daemons"]["state"] == "ok")
            self.missing(found, "project")
        finally:
            up.send_signal(signal.SIGTERM)
            self.assertEqual(up.wait(60), 0, up.stderr.read())
            up.stderr.close()

    def test_what_is_no_house(self):
        class Other(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.headers["Authorization"])
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"hi")

            def log_message(self, *_):
                pass

        asked = []
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            patient = Patient(self.folder, BULKHEAD_URL=f"http://127.0.0.1:{server.server_port}", BULKHEAD_TOKEN="a-token-of-a-house")
            self.assertIn("not Bulkhead", self.missing(patient.doctor(), "api")["text"])
            server.shutdown()
        self.assertEqual(asked, [None], "the token is for nobody else")

    def test_from_a_house_to_a_green_status(self):
        with House("--forge-addresses", "127.0.0.0/8") as house_, GitHub() as forge, Repository({"README.md": "ship\n"}) as repository:
            forge.base = "/api/v3"
            url = f"http://127.0.0.1:{house_.port}"
            patient = Patient(self.folder, BULKHEAD_URL=url, BULKHEAD_TOKEN="wrong")
            patient.run(self.missing(patient.doctor(), "token")["mend"])
            ada, eve = forge.person("ada"), forge.person("eve")
            repo = forge.repo("harbour/ship", repository, ada="write")
            pathlib.Path(self.folder, "projects.yaml").write_text(PROJECT.format(url=forge.url, id=repo.id, image=IMAGE))

            # The key, and the project that it seals.
            patient.environment.pop("BULKHEAD_KEY", None)
            found = patient.doctor("ship")
            self.missing(found, "project")
            patient.run(self.missing(found, "key")["mend"])
            found = patient.doctor("ship")
            self.fine(found, "key")
            patient.run(self.missing(found, "project")["mend"])
            self.assertIn("did you mean 'ship'", self.missing(patient.doctor("shpi"), "project")["text"])
            found = patient.doctor("ship")
            self.fine(found, "project")
            self.assertEqual(found, patient.doctor(), "without a name all of them, and there is one")

            # The image: its command would pull it from the internet.
            self.assertIn(f"pull {IMAGE}", self.missing(found, "image")["mend"])
            engine("POST", f"/images/bulkhead/busybox/tag?repo={IMAGE}")
            self.addCleanup(engine, "DELETE", f"/images/{IMAGE}")
            self.fine(patient.doctor(), "image")

            # The keys and the secret.
            patient.run(self.missing(found, "webhook-key")["mend"])
            key = pathlib.Path(self.folder, "ship.key")
            self.assertEqual((key.stat().st_mode & 0o077, len(key.read_bytes())), (0, 64))
            self.assertNotIn("forge", found, "without a token it cannot be asked")
            weak = forge.token(ada, contents="read", pull_requests="write")
            patient.run(self.missing(found, "forge-token")["mend"], stdin=weak.encode())
            patient.run(self.missing(found, "secret")["mend"], stdin=b"the-value-of-the-key")
            found = patient.doctor()
            self.assertRegex(self.missing(found, "forge")["text"], "may not write commit statuses; .* Commit statuses: read and write")
            token = forge.token(ada, contents="read", statuses="write", pull_requests="write")
            patient.run(found["forge"]["mend"], stdin=token.encode())
            self.assertEqual((repo.statuses, repo.comments), ([], {}), "it only asks")
            forge.stop()
            self.assertIn("cannot be asked", self.missing(patient.doctor(), "forge")["text"])
            forge.come_back()
            found = patient.doctor()
            self.fine(found, "forge")
            for check in ("webhook-key", "forge-token"):
                self.fine(found, check)
            self.assertNotIn("secret", found)

            # The webhook: none, a refused one, a genuine one that runs nothing, a change that waits, a job that succeeded.
            self.assertEqual(self.missing(found, "webhook")["mend"], f"{forge.url}/harbour/ship/settings/hooks")
            self.assertIn("/webhook/github/ship", found["webhook"]["text"])
            self.fine(found, "refused")
            address = f"{url}/webhook/github/ship"
            forge.hooks.secret = "another"
            self.assertEqual(forge.hooks.ping().send(address)[0], 401)
            found = eventually("the log has it", lambda: (f := patient.doctor())["refused"]["state"] == "missing" and f)
            self.assertIn("project 'ship'", found["refused"]["text"])
            forge.hooks.secret = key.read_text()
            self.assertEqual(forge.hooks.ping().send(address)[0], 202)
            found = patient.doctor()
            self.fine(found, "webhook")
            self.fine(found, "refused")
            self.assertEqual(self.missing(found, "green")["mend"], "git push")

            fork = forge.repo("eve/ship", repository, fork_of=repo, eve="write")
            repository.commit({"README.md": "better\n"}, branch="patch")
            pull = forge.pull(repo, eve, "patch", head=fork)
            self.assertEqual(forge.hooks.pull_request(pull, "opened", eve).send(address)[0], 202)
            found = eventually("it is held", lambda: "approve" in ((f := patient.doctor()).get("green") or {}).get("mend", "") and f)
            patient.run(f"{self.missing(found, 'green')['mend']} --head {pull.sha}")
            found = eventually("it is green", lambda: (f := patient.doctor())["green"]["state"] == "ok" and f)
            self.assertNotIn("missing", {finding["state"] for finding in found.values()}, found)

            # For people the same, without a mark of progress where there is no terminal.
            done = patient.run("bulkhead doctor ship")
            self.assertTrue(done.stdout.decode().endswith("\nnothing is missing\n"), done.stdout)
            self.assertNotIn(b"MISSING", done.stdout)
            self.assertEqual(done.stderr, b"")

    def test_a_job_that_fails(self):
        with House() as house_, GitHub() as forge, Repository({"README.md": "ship\n"}) as repository:
            ada = forge.person("ada")
            repo = forge.repo("harbour/ship", repository, ada="write")
            forge.hooks.secret = "the key"
            text = PROJECT.format(url=forge.url, id=repo.id, image="bulkhead/busybox")
            text = text.replace('steps: ["echo tested"]', 'checkout: false\n        steps: ["false"]')
            pathlib.Path(self.folder, "projects.yaml").write_text(text)
            house_.bulkhead("project", "apply", f"{self.folder}/projects.yaml", check=0)
            house_.bulkhead("secret", "set", "ship", "webhook-key", stdin=b"the key", check=0)
            after = repository.commit({"README.md": "worse\n"}, branch="worse")
            push = forge.hooks.push(repo, "refs/heads/worse", None, after, ada)
            self.assertEqual(push.send(f"http://127.0.0.1:{house_.port}/webhook/github/ship")[0], 202)
            patient = Patient(self.folder, BULKHEAD_URL=f"http://127.0.0.1:{house_.port}", BULKHEAD_TOKEN=house_.token,
                              BULKHEAD_KEY=f"{house_.state}/admin-key")
            found = eventually("it has failed", lambda: "FAILED" in ((f := patient.doctor()).get("green") or {}).get("text", "") and f)
            self.assertRegex(self.missing(found, "green")["mend"], r"^bulkhead why \d+$")
            patient.run(found["green"]["mend"])

    def ship(self, house_, forge, repository, jobs, **more):
        """A project `ship` with everything in order; its repository at the forge, somebody who writes there, and who looks."""
        ada = forge.person("ada")
        repo = forge.repo("harbour/ship", repository, ada="write")
        forge.base, forge.hooks.secret = "/api/v3", "the key"
        project = {"name": "ship", "forge": {"kind": "github", "url": forge.url}, "repository": {"id": repo.id, "path": repo.path},
                   "jobs": jobs, **more}
        # JSON is YAML.
        pathlib.Path(self.folder, "projects.yaml").write_text(json.dumps({"projects": [project]}))
        # First the token: who polls asks at once.
        token = forge.token(ada, contents="write", statuses="write", pull_requests="write")
        house_.bulkhead("secret", "set", "ship", "forge-token", stdin=token.encode(), check=0)
        house_.bulkhead("project", "apply", f"{self.folder}/projects.yaml", check=0)
        patient = Patient(self.folder, BULKHEAD_URL=f"http://127.0.0.1:{house_.port}", BULKHEAD_TOKEN=house_.token,
                          BULKHEAD_KEY=f"{house_.state}/admin-key")
        return repo, ada, patient

    def push(self, house_, forge, repo, ada, files, branch="main", status=202):
        """Commits and delivers; the commit."""
        after = repo.repository.commit(files, branch=branch)
        delivery = forge.hooks.push(repo, f"refs/heads/{branch}", None, after, ada)
        self.assertEqual(delivery.send(f"http://127.0.0.1:{house_.port}/webhook/github/ship")[0], status)
        return after

    def test_the_newest_counts(self):
        """A delivery that is refused, or waits, is not hidden by an older job that succeeded; and what it waits for is said at once."""
        jobs = [{"name": "test", "ci_file": "ci/job.yaml"}]
        good = {"ci/job.yaml": "image: bulkhead/busybox\nsteps: ['true']\n"}
        with House("--forge-addresses", "127.0.0.0/8") as house_, GitHub() as forge, Repository(good) as repository:
            repo, ada, patient = self.ship(house_, forge, repository, jobs)
            house_.bulkhead("secret", "set", "ship", "webhook-key", stdin=b"the key", check=0)
            self.push(house_, forge, repo, ada, good | {"README.md": "1"}, "main")
            eventually("it is green", lambda: patient.doctor()["green"]["state"] == "ok")

            gone = self.push(house_, forge, repo, ada, {"ci/job.yaml": None, "README.md": "2"}, "main")
            found = eventually("it is refused", lambda: (f := patient.doctor())["green"]["state"] == "missing" and f)
            text = found["green"]["text"]
            self.assertIn(f"harbour/ship has no file 'ci/job.yaml' at commit {gone}", text)
            self.assertRegex(text, r"; before it job 1 'test' succeeded$")
            self.assertEqual(found["green"]["mend"], "git push")

            self.push(house_, forge, repo, ada, {"ci/job.yaml": "imaeg: x\nsteps: []\ntimeuot: 1m\n"}, "main")
            text = eventually("the mistakes", lambda: "imaeg" in (t := patient.doctor()["green"]["text"]) and t)
            self.assertRegex(text, r"1:1: imaeg: .*; 3:1: timeuot: .*\(ci/job.yaml\)")

            forge.stop()
            self.push(house_, forge, repo, ada, good | {"README.md": "3"}, "main")
            green = patient.doctor()["green"]
            self.assertEqual(green["state"], "unknown")
            self.assertRegex(green["text"], "^push to main waits: .*; before it job 1 'test' succeeded$")
            shown = eventually("the reason", lambda: "onnect" in (t := house_.bulkhead("deliveries", check=0).stderr.decode()) and t)
            self.assertIn("waits: ", shown)
            self.assertIn("onnect", patient.doctor()["green"]["text"])

            slip = house_.bulkhead("deliveries", "--project", "shpi", check=64).stderr.decode()
            self.assertIn("there is no project 'shpi', or you have no role in it; did you mean 'ship'?", slip)

    def test_a_webhook_that_sends_forms(self):
        """GitHub's default: of the first ping its page and the doctor tell the mend."""
        jobs = [{"name": "test", "image": "bulkhead/busybox", "checkout": False, "steps": ["true"]}]
        with House("--forge-addresses", "127.0.0.0/8") as house_, GitHub() as forge, Repository({"a": "a"}) as repository:
            repo, ada, patient = self.ship(house_, forge, repository, jobs)
            house_.bulkhead("secret", "set", "ship", "webhook-key", stdin=b"the key", check=0)
            address = f"http://127.0.0.1:{house_.port}/webhook/github/ship"
            sha = repository.resolve("main")
            for delivery in (forge.hooks.ping(), forge.hooks.push(repo, "refs/heads/main", None, sha, ada)):
                status, body = form(delivery, "the key").send(address)
                self.assertEqual(status, 400)
                self.assertIn(b"set the content type to application/json in the webhook's settings", body)
                found = eventually("the log has it", lambda: (f := patient.doctor())["refused"]["state"] == "missing" and f)
                self.assertIn("content type to application/json", found["refused"]["text"])
                self.assertEqual(found["refused"]["mend"], f"{forge.url}/harbour/ship/settings/hooks")
            # With another key it is a stranger's, who is told nothing; its log says both.
            status, body = form(forge.hooks.ping(), "another").send(address)
            self.assertEqual((status, b"content type" in body), (401, False))
            text = eventually("the log has it", lambda: "ignature" in (t := patient.doctor()["refused"]["text"]) and t)
            self.assertIn("content type to application/json", text)
            self.assertEqual(forge.hooks.ping().send(address)[0], 202)
            self.fine(patient.doctor(), "refused")

    def test_who_polls_needs_no_webhook(self):
        jobs = [{"name": "test", "image": "bulkhead/busybox", "checkout": False, "steps": ["true"]}]
        with House("--forge-addresses", "127.0.0.0/8", "--poll-seconds", "1") as house_, Repository({"a": "a"}) as repository, \
                GitHub() as forge:
            repo, ada, patient = self.ship(house_, forge, repository, jobs, polling=True)
            found = patient.doctor()
            self.assertNotIn("webhook-key", found)
            self.assertNotIn("refused", found)
            self.fine(found, "webhook")
            self.assertEqual(self.missing(found, "green")["mend"], "git push")

            # What was there at the first question is no news.
            def is_found():
                repository.commit({"a": os.urandom(4).hex()}, branch="main")
                return house_.api("GET", "/deliveries")[1]["deliveries"]
            eventually("a push is found", is_found, 60)
            found = eventually("it is green", lambda: (f := patient.doctor())["green"]["state"] == "ok" and f, 60)
            self.assertNotIn("missing", {finding["state"] for finding in found.values()}, found)

    def test_anothers_storm_hides_nothing(self):
        with House("--forge-addresses", "127.0.0.0/8") as house_, GitHub() as forge, Repository({"a": "a"}) as repository:
            jobs = [{"name": "test", "image": "bulkhead/busybox", "checkout": False, "steps": ["true"]}]
            repo, ada, patient = self.ship(house_, forge, repository, jobs)
            other = {"name": "other", "forge": {"kind": "github", "url": forge.url}, "repository": {"id": 99}, "jobs": jobs}
            pathlib.Path(self.folder, "other.yaml").write_text(json.dumps({"projects": [other]}))
            house_.bulkhead("project", "apply", f"{self.folder}/other.yaml", check=0)
            for name in ("ship", "other"):
                house_.bulkhead("secret", "set", name, "webhook-key", stdin=b"the key", check=0)
            forge.hooks.secret = "another"
            for name in ("other",) * 5 + ("ship",) + ("other",) * 5:
                address = f"http://127.0.0.1:{house_.port}/webhook/github/{name}"
                self.assertEqual(forge.hooks.ping().send(address)[0], 401)
            text = eventually("its own", lambda: (f := patient.doctor("ship"))["refused"]["state"] == "missing" and f["refused"]["text"])
            self.assertIn("project 'ship'", text)

    def test_daemons_drain_and_engine(self):
        with Relay(self.folder) as relay:
            other, house.ENGINE = house.ENGINE, str(relay.path)
            self.addCleanup(setattr, house, "ENGINE", other)
            with House() as house_:
                house.ENGINE = other
                patient = Patient(self.folder, BULKHEAD_URL=f"http://127.0.0.1:{house_.port}", BULKHEAD_TOKEN=house_.token)
                found = eventually("its daemons have met", lambda: (f := patient.doctor())["daemons"]["state"] == "ok" and f)
                for check in ("engine", "userns"):
                    self.fine(found, check)
                self.assertNotIn("drain", found)

                house_.bulkhead("drain", check=0)
                patient.run(self.missing(patient.doctor(), "drain")["mend"])
                self.assertNotIn("drain", patient.doctor())

                relay.denies = True
                self.missing(patient.doctor("--engine", str(relay.path)), "userns")
                relay.denies = False
                self.fine(patient.doctor("--engine", str(relay.path)), "userns")

                relay.close()
                found = eventually("the engine is away", lambda: (f := patient.doctor())["engine"]["state"] == "missing" and f)
                self.assertIn("mend", found["engine"])
                relay.listen()
                eventually("it is back", lambda: patient.doctor()["engine"]["state"] == "ok")

                brokerd = house_.kill("bulkhead-brokerd", signal.SIGSTOP)
                try:
                    found = eventually("brokerd is silent", lambda: (f := patient.doctor())["daemons"]["state"] == "missing" and f, 60)
                    self.assertIn("brokerd", found["daemons"]["text"])
                finally:
                    os.kill(brokerd, signal.SIGCONT)
                eventually("it speaks again", lambda: patient.doctor()["daemons"]["state"] == "ok", 60)


if __name__ == "__main__":
    unittest.main(verbosity=2)
