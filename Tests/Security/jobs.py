"""What the tests of hostile jobs share: the attacking program, archives made by hand, and containers without our walls as controls."""

import base64
import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Integration"))
from house import engine  # noqa: E402

SMALL = {"cpus": 1, "memory": "64MiB", "disk": "16MiB", "pids": 64}


class Attack:
    """probes/attack.c, compiled: as a source archive for a job, and in a folder for a container of the tests' own."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bulkhead-attack-")
        pathlib.Path(self.folder.name).chmod(0o755)
        self.directory = pathlib.Path(self.folder.name, "src")
        self.directory.mkdir()
        subprocess.run(["gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o", self.directory / "attack",
                        pathlib.Path(__file__).with_name("probes") / "attack.c"], check=True)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def upload(self, house):
        """What a job says as its `source`."""
        return upload(house, archive(("attack", (self.directory / "attack").read_bytes(), {"mode": 0o755})))


def archive(*members):
    """(name, content, fields of its header)..."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, fields in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for field, value in fields.items():
                setattr(member, field, value)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def upload(house, data):
    status, answer = house.http("POST", "/sources", data, {
        "Authorization": f"Bearer {house.token}", "Content-Type": "application/x-tar"})
    assert status == 201, answer
    return json.loads(answer)


def submit(house, *steps, image="bulkhead/busybox", **more):
    """Texts, or whole steps."""
    steps = [{"run": step} if isinstance(step, str) else step for step in steps]
    status, answer = house.api("POST", "/jobs", {"image": image, "steps": steps, "resources": SMALL, **more})
    assert status == 201, answer
    return answer["id"]


def as_step(data):
    """A step's way to the same bytes, whatever they are."""
    return f"echo {base64.b64encode(data).decode()} | base64 -d"


def verdicts(text):
    """`WHAT VERDICT...` a line, as a dictionary."""
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)


def content_of(stream):
    """What was written, of the engine's multiplexed stream."""
    content = b""
    while len(stream) >= 8:
        length = int.from_bytes(stream[4:8], "big")
        content, stream = content + stream[8:8 + length], stream[8 + length:]
    return content.decode(errors="replace")


class Plain:
    """A container of the engine's own making, without a wall of ours: what succeeds here and not in a job was stopped by us."""

    def __init__(self, command, user="1000:1000", environment=(), image="bulkhead/busybox", **host):
        limits = {"NetworkMode": "none", "LogConfig": {"Type": "json-file"}, "Memory": 256 << 20, "PidsLimit": 512}
        self.body = {"Image": image, "Cmd": command, "User": user, "Env": list(environment),
                     "Labels": {"bulkhead-control": str(os.getpid())}, "HostConfig": {**limits, **host}}

    def __enter__(self):
        status, answer = engine("POST", "/containers/create", self.body)
        assert status == 201, answer
        self.id = answer["Id"]
        status, answer = engine("POST", f"/containers/{self.id}/start")
        if status != 204:
            self.__exit__()
            raise AssertionError(answer)
        return self

    def __exit__(self, *_):
        engine("DELETE", f"/containers/{self.id}?force=true&v=true")

    def wait(self):
        """What it said, when it has ended."""
        engine("POST", f"/containers/{self.id}/wait")
        return content_of(engine("GET", f"/containers/{self.id}/logs?stdout=1&stderr=1")[1])

    def inspect(self):
        return engine("GET", f"/containers/{self.id}/json")[1]

    def run(self, *command, user="1000:1000"):
        return execute(self.id, command, user)


def execute(container, command, user, environment=(), detach=False):
    """Another process in a container, past all that Bulkhead would say: in tests only."""
    made = engine("POST", f"/containers/{container}/exec", {
        "Cmd": list(command), "User": user, "Env": list(environment), "AttachStdout": not detach, "AttachStderr": not detach})
    assert made[0] == 201, made
    answer = engine("POST", f"/exec/{made[1]['Id']}/start", {"Detach": detach, "Tty": False})
    return None if detach else content_of(answer[1])


@contextlib.contextmanager
def tried(case, house, job):
    """Shows the log of a job whose test fails."""
    try:
        yield
    except AssertionError:
        seen = house.job(job)
        print(f"--- {case}: {seen['state']}: {seen.get('reason')}\n" + house.log(job)[-4000:].decode(errors="replace"))
        raise
