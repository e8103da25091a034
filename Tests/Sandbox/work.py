#!/usr/bin/env python3
"""A house at work: every kind of thing that daemons do, each once or a few times, and their deaths. test_profiles.py has it traced."""

import concurrent.futures
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests"), str(ROOT / "Tests/Security")]
from Forges.authority import Authority  # noqa: E402
from Forges.gitlab import MAINTAINER, GitLab  # noqa: E402
from Forges.gitlab_jobs import Job  # noqa: E402
from Forges.names import Names  # noqa: E402
from Forges.repositories import Repository  # noqa: E402
from house import House, eventually  # noqa: E402
from wire import User, peer  # noqa: E402

JOB = """\
image: bulkhead/busybox
resources: {cpus: 1, memory: 64MiB, disk: 32MiB}
steps:
  - run: test -f job.yaml
    untrusted: true
  - run: test ${#VALUE} -gt 9 && test -s "$FILE" && test -n "$TOKEN" && echo "$VALUE"
    secrets:
      VALUE: small
      FILE: {secret: large, as: file}
      TOKEN: bulkhead-job-token
"""
HELD = "echo up; while [ ! -e /tmp/never ]; do echo line; sleep 0.2; done"


def succeeded(house, job):
    ended = house.wait(job, 120)
    assert ended["state"] == "SUCCEEDED", (ended, house.log(job)[-2000:])


def jobs_of_all_kinds(house):
    house.set_secret("small", b"a small secret")
    house.set_secret("large", b"a large secret's line\n" * 300)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "job.yaml")
        file.write_text(JOB)
        pathlib.Path(folder, "ballast").write_bytes(bytes(2_000_000))
        house.bulkhead("submit", file, "--source", folder, "--follow", check=0)
    # More at once than there are runners, with more to say than fits into a pipe.
    many = [house.submit("seq 1 50000; seq 1 50000 >&2") for _ in range(6)]
    for job in many:
        succeeded(house, job)
        assert house.bulkhead("log", job, check=0).stdout
    assert house.api("GET", "/jobs/999999")[0] == 404
    assert house.bulkhead("secret", "ls", "default", check=0).stdout.count(b"\n") >= 2
    house.bulkhead("secret", "rm", "default", "large", check=0)


class Forge:
    """A forge with a name and a certificate, and a project at it. The name is asked of a name server of our own."""

    def __init__(self, stack):
        self.authority = stack.enter_context(Authority("DNS:forge.example"))
        self.authority.folder.chmod(0o755)
        self.names = stack.enter_context(Names({"forge.example": "127.0.0.1"}))
        self.double = stack.enter_context(GitLab(tls=self.authority))
        self.double.authority = f"forge.example:{self.double.server.server_port}"
        # More than one piece of the network's.
        self.repository = stack.enter_context(Repository({"ci.yaml": "image: bulkhead/busybox\nsteps: [make]\n", "x": "x" * 200_000}))
        self.ada = self.double.person("ada")
        self.project = self.double.project("harbour/ship", self.repository, ada=MAINTAINER)
        self.token = self.double.token(self.ada, "api", "create_runner")
        resolver = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()), "resolv.conf")
        resolver.write_text(f"nameserver {self.names.address}\n")
        # The house sees another resolv.conf than this machine, and the engine sees what the house mounts: its state lies where mounts
        # are shared with whoever is outside.
        shared = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()), "shared")
        shared.mkdir(mode=0o755)
        shared.parent.chmod(0o755)
        subprocess.run(["mount", "--bind", shared, shared], check=True)
        stack.callback(subprocess.run, ["umount", "--lazy", shared], check=True)
        subprocess.run(["mount", "--make-shared", shared], check=True)
        tempfile.tempdir = str(shared)
        stack.callback(setattr, tempfile, "tempdir", None)
        self.before = ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c",
                       "mount --make-private /; mount --make-private /etc/resolv.conf 2>/dev/null; "
                       f'mount --bind {resolver} /etc/resolv.conf && exec "$@"', "sh"]
        self.options = ["--forge-addresses", "127.0.0.0/8", "--forge-ca", str(self.authority.certificate)]

    def errands(self, house):
        """What schedulerd has courierd do, by hand."""
        file = house.state / "forge.yaml"
        where = {"id": self.project.id, "path": "harbour/ship"}
        file.write_text(json.dumps({"projects": [{
            "name": "ship", "forge": {"kind": "gitlab", "url": f"https://{self.double.authority}"}, "repository": where,
            "gitlab_runner": {"tags": ["bulkhead"], "image": "bulkhead/busybox"},
            "jobs": [{"name": "test", "image": "bulkhead/busybox", "steps": ["true"]}]}]}))
        house.bulkhead("project", "apply", file, check=0)
        house.set_secret("forge-token", self.token.encode(), project="ship")
        courier = peer(house, "courier", User.of(house.pid("bulkhead-schedulerd")))
        place, sha = {"project": "ship", "repository": where}, self.repository.resolve("main")
        numbers = [courier.request("AskBranch", place=place, branch="main") for _ in range(12)]
        for number in numbers:
            assert courier.answer(number)[0]["commit"] == sha
        courier.call("PostStatus", place=place, commit=sha, reference=None, context="test", state="running", text="", url="",
                     job=1, number=0, branch="")
        rule = {"path": "ci.yaml", "timeout_seconds": None, "priority": None, "retries": None, "env": []}
        courier.call("ReadJobFile", place=place, commit=sha, branch="", job="test", rule=rule)
        _, fds = courier.answer(courier.request("FetchSource", place=place, commit=sha))
        with open(fds[0], "rb") as archive:
            assert len(archive.read()) > 200_000
        courier.close()

    def webhooks(self, house):
        """A genuine one makes a job with its source, and the forge is told of it; another makes nothing."""
        house.set_secret("webhook-key", b"key", project="ship")
        sha, address = self.repository.resolve("main"), f"http://127.0.0.1:{house.port}/webhook/gitlab/ship"
        for self.double.hooks.token, status in (("key", 202), ("another", 401)):
            assert self.double.hooks.push(self.project, "refs/heads/main", None, sha, self.ada).send(address)[0] == status
        found = eventually("its job", lambda: house.api("GET", "/deliveries")[1]["deliveries"][0]["jobs"], 90)
        succeeded(house, found[0])
        eventually("the forge knows", lambda: any(one["status"] == "success" for one in self.project.statuses), 90)


    def pipelines(self, house):
        """Two jobs of GitLab's, the second with what the first has left."""
        make = Job("make", ["seq 1 20000 >made; seq 1 20000"], stage="build", tags=["bulkhead"], artifacts=["made"])
        use = Job("use", ["tail -n 1 made"], stage="test", tags=["bulkhead"])
        self.double.pipeline(self.project, "main", [make, use], self.ada).wait_over(120)
        assert (make.status, use.status) == ("success", "success"), (make.trace[-300:], use.trace[-300:])


def many_clients(house):
    with concurrent.futures.ThreadPoolExecutor(24) as clients:
        for status, _ in clients.map(lambda _: house.api("GET", "/jobs"), range(96)):
            assert status == 200


def deaths(house):
    """Each daemon dies while a job runs, and comes back to what was on disk."""
    job = house.submit(HELD)
    eventually("the job runs", lambda: b"line" in house.log(job))
    for daemon in ["bulkhead-relayd", "bulkhead-brokerd", "bulkhead-courierd", "bulkhead-spawnerd", "bulkhead-schedulerd",
                   "bulkhead-apid"]:
        before = house.kill(daemon)
        eventually(f"{daemon} is back", lambda: house.pid(daemon) not in (None, before))
        eventually("the API answers", house.healthy)
        length = len(eventually("the log can be read", lambda: house.log(job)))
        eventually("the log goes on", lambda: len(house.log(job)) > length)
    house.bulkhead("cancel", job, "--grace", "1", check=0)
    assert house.wait(job)["state"] == "CANCELLED"


def main():
    with contextlib.ExitStack() as stack:
        forge = Forge(stack)
        house = House("--max-runners", "2", *forge.options)
        house.before = forge.before
        stack.enter_context(house)
        jobs_of_all_kinds(house)
        forge.errands(house)
        forge.webhooks(house)
        forge.pipelines(house)
        many_clients(house)
        deaths(house)
        # With nothing under way, so that all is closed in order.
        eventually("every runner is gone", lambda: not house.containers())
        house.stop()
        house.start()
        house.bulkhead("secret", "rotate-master", "--state", house.state, check=0)
        succeeded(house, house.submit("echo after all that"))


if __name__ == "__main__":
    main()
