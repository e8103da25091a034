"""A whole house for a test: `bulkhead up` on a state directory of its own, on a real engine, and what a test asks of it."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("BULKHEAD_BINARIES", ROOT / ".build/release"))
ENGINE = os.environ.get("BULKHEAD_ENGINE", "").removeprefix("unix://")
DAEMONS = ["bulkhead-apid", "bulkhead-schedulerd", "bulkhead-spawnerd", "bulkhead-brokerd", "bulkhead-relayd",
           "bulkhead-courierd"]


def eventually(what, condition, seconds=30):
    """Asks until the answer is true; the answer is returned. A machine may be slow, so this bounds, it does not measure."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class House:
    def __init__(self, *options):
        # What waits in advance is a leftover to most tests; those about it say how many they want.
        self.before = []  # a program that starts ours, with its arguments
        self.options = ["--max-idle-runners", "0", *options] if "--max-idle-runners" not in options else list(options)

    def __enter__(self):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-test-"))
        self.state.chmod(0o755)
        self.port = free_port()
        try:
            self.start()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def start(self):
        self.errors = open(self.state / "up.stderr", "ab")
        self.up = subprocess.Popen(
            [*self.before, BINARIES / "bulkhead", "up", "--state", self.state, "--listen", f"127.0.0.1:{self.port}", "--engine", ENGINE,
             *self.options], stderr=self.errors, stdin=subprocess.DEVNULL)
        eventually("the API answers", self.healthy)
        eventually("the engine is reached", lambda: self.api("GET", "/status")[1].get("engine"))

    def healthy(self):
        assert self.up.poll() is None, f"bulkhead up ended: {(self.state / 'up.stderr').read_text()}"
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.http("GET", "/health")[0] == 200
        return False

    def stop(self):
        self.up.send_signal(signal.SIGTERM)
        assert self.up.wait(30) == 0, "bulkhead up did not end cleanly"
        self.errors.close()

    def __exit__(self, kind, *_):
        try:
            if kind is not None:
                self.show_logs()
            if kind is None and self.up.poll() is None:
                # What is torn down just now is no leftover; what is left when the house is closed would be.
                eventually("every runner is gone", lambda: not self.containers(), 30)
            if self.up.poll() is None:
                self.stop()
            if kind is None:
                self.assert_nothing_left()
        finally:
            # A test that failed may have left a job that runs on; the house must not.
            if self.up.poll() is None:
                with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                    self.stop()
            for container in self.containers():
                engine("DELETE", f"/containers/{container['Id']}?force=true&v=true")
            shutil.rmtree(self.state, ignore_errors=True)

    def show_logs(self):
        for log in [self.state / "up.stderr", *sorted((self.state / "log").glob("*.log"))]:
            print(f"--- {log.name}\n" + "".join(log.read_text(errors="replace").splitlines(True)[-30:]))

    # What a person does

    @property
    def token(self):
        return (self.state / "admin-token").read_text().strip()

    def bulkhead(self, *arguments, stdin=None, check=None, timeout=120):
        """The command line as a person uses it."""
        environment = {"PATH": os.environ["PATH"], "BULKHEAD_URL": f"http://127.0.0.1:{self.port}", "BULKHEAD_TOKEN": self.token,
                       "BULKHEAD_KEY": str(self.state / "admin-key"), "HOME": str(self.state)}
        done = subprocess.run([BINARIES / "bulkhead", *map(str, arguments)], env=environment, capture_output=True, input=stdin,
                              timeout=timeout)
        if check is not None:
            assert done.returncode == check, f"{arguments}: status {done.returncode}, not {check}: {done.stderr.decode()}"
        return done

    def http(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def api(self, method, path, body=None, **headers):
        headers = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        data = json.dumps(body) if body is not None else None
        if data is not None:
            headers["Content-Type"] = "application/json"
        status, answer = self.http(method, path, data, headers)
        return status, json.loads(answer) if answer else None

    def submit(self, *steps, image="bulkhead/busybox", **more):
        status, answer = self.api("POST", "/jobs", {"image": image, "steps": [{"run": s} for s in steps], **more})
        assert status == 201, answer
        return answer["id"]

    def submit_file(self, name, text, *options):
        """Submits a job file with the admin's key, as a person does; the job's id."""
        file = self.state / f"{name}.yaml"
        file.write_text(text)
        return json.loads(self.bulkhead("submit", file, "--json", *options, check=0).stdout)["id"]

    def set_secret(self, name, value, project="default"):
        self.bulkhead("secret", "set", project, name, stdin=value, check=0)

    def job(self, job):
        return self.api("GET", f"/jobs/{job}")[1]

    def wait(self, job, seconds=60):
        final = {"SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "LOST"}
        return eventually(f"job {job} ends", lambda: (j := self.job(job)).get("state") in final and j, seconds)

    def wait_state(self, job, state, seconds=30):
        return eventually(f"job {job} is {state}", lambda: self.job(job)["state"] == state, seconds)

    def log(self, job):
        return self.http("GET", f"/jobs/{job}/log", headers={"Authorization": f"Bearer {self.token}"})[1]

    # What the machine says

    def pid(self, daemon):
        """The running process of a daemon of this house."""
        for child in children(self.up.pid):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{child}/exe").endswith("/" + daemon):
                    return child
        return None

    def kill(self, daemon, number=signal.SIGKILL):
        pid = eventually(f"{daemon} runs", lambda: self.pid(daemon))
        os.kill(pid, number)
        return pid

    def instance(self):
        return (self.state / "instance").read_text().strip()

    def containers(self):
        with contextlib.suppress(OSError):
            label = json.dumps({"label": [f"bulkhead.instance={self.instance()}"]})
            return engine("GET", "/containers/json?all=1&filters=" + http_quote(label))[1]
        return []

    def assert_nothing_left(self):
        eventually("no container is left", lambda: not self.containers(), 20)
        mounts = pathlib.Path("/proc/self/mounts").read_text()
        assert str(self.state) not in mounts, f"a mount is left: {mounts}"
        assert not children(self.up.pid), "a process is left"


def http_quote(text):
    from urllib.parse import quote
    return quote(text, safe="")


def children(pid):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                if entry.joinpath("stat").read_text().rpartition(")")[2].split()[1] == str(pid):
                    found.append(int(entry.name))
    return found


class EngineConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(ENGINE)


def engine(method, path, body=None):
    """What the engine itself says: the tests' own witness."""
    connection = EngineConnection("engine")
    connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, json.loads(data) if data.strip().startswith((b"{", b"[")) else data
