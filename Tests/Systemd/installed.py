"""Bulkhead as `make install` leaves it, on a machine of its own, with an engine: what the booted tests start from."""

import glob
import json
import os
import re
import subprocess
import sys

from machine import ROOT, Failed, Machine, check

sys.path.insert(0, ROOT + "/Tests/Integration")
from house import eventually

BINARIES = os.environ.get("BULKHEAD_BINARIES", ROOT + "/.build/release")
DAEMONS = ["apid", "schedulerd", "spawnerd", "brokerd", "relayd", "courierd"]
UNITS = "/etc/systemd/system"
WALLS = f"{UNITS}/bulkhead-.service.d/10-walls.conf"
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "LOST"}

# Docker's engine as a service: an engine outside would not see the grants' tmpfs, which is mounted in here.
ENGINE = """[Unit]
Description=Container engine
[Service]
Type=notify
ExecStart=/usr/sbin/dockerd --data-root /var/lib/engine --exec-root /run/engine -H unix:///run/docker.sock --group docker \
    --pidfile /run/engine.pid --userns-remap=default --bridge=none --iptables=false --ip6tables=false --live-restore
Delegate=yes
KillMode=process
"""


class Installed(Machine):
    """A machine with Bulkhead installed and its first secrets made; nothing is started yet."""

    def __init__(self):
        super().__init__()
        loaded = subprocess.run(["ldd", f"{BINARIES}/bulkhead"], capture_output=True, text=True, check=True).stdout
        self.toolchain = sorted(set(re.findall(r"=> (\S+)/libswift\w+\.so", loaded)))
        self.visible += [BINARIES, *self.toolchain]

    def __enter__(self):
        super().__enter__()
        try:
            self.prepare()
        except BaseException:
            print(self.journal(60))
            self.__exit__()
            raise
        return self

    def prepare(self):
        self.follow("Install")

    def follow(self, heading):
        """Runs the commands that docs/howto/install.md has below this heading; what each printed."""
        with open(ROOT + "/docs/howto/install.md") as page:
            section = page.read().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        commands = [line for block in re.findall(r"```sh\n(.*?)```", section, re.S) for line in block.splitlines()]
        check(f"install.md has commands below {heading}", commands)
        return {line: self.install() if line == "make install" else self.run("bash", "-o", "pipefail", "-ec", line) for line in commands}

    def install(self):
        """`make install` with what is built already. What is installed must not need the Swift that built it: behind this there is
        none on this machine."""
        for folder in self.toolchain:
            self.run("umount", "--quiet", folder, check=False)
        done = self.run("make", "--no-print-directory", "--assume-old=build", "install", f"BUILD={BINARIES}", f"--directory={ROOT}")
        for folder in self.toolchain:
            self.run("mount", "-t", "tmpfs", "-o", "ro", "nothing", folder)
        check("control: what was built does not run any more", self.run(f"{BINARIES}/bulkhead", "--help", check=False).returncode == 127)
        return done

    def start_engine(self):
        packed = sorted(glob.glob(ROOT + "/.build/images/busybox-????????????????.tar"))
        if not packed:
            raise Failed("the image bulkhead/busybox is not packed: make images")
        self.write(f"{UNITS}/engine.service", ENGINE)
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "start", "engine.service")
        self.run("curl", "--silent", "--show-error", "--fail", "--unix-socket", "/run/docker.sock", "--request", "POST", "--upload-file",
                 packed[-1], "--header", "Content-Type: application/x-tar",
                 "http://engine/images/create?fromSrc=-&repo=bulkhead/busybox&tag=latest")

    def start(self):
        self.follow("Start")
        self.wait_ready()

    def wait_ready(self):
        eventually("the engine is reached", lambda: (self.api("GET", "/status") or {}).get("engine"))

    def engine(self, path):
        """What the engine itself says."""
        return json.loads(self.run("curl", "--silent", "--fail", "--unix-socket", "/run/docker.sock", f"http://engine{path}").stdout)

    # Units

    def state_of(self, unit):
        return self.show(unit, "ActiveState")["ActiveState"]

    def pid_of(self, daemon):
        return self.show(f"bulkhead-{daemon}.service", "MainPID")["MainPID"]

    def wait_active(self, unit):
        eventually(f"{unit} is active", lambda: self.state_of(unit) == "active")

    # Jobs

    @property
    def token(self):
        return self.read("/etc/bulkhead/admin-token").strip()

    def http(self, method, path, body=None):
        """The body of the answer; nothing if there is none."""
        # The token goes by a file that only curl's user can open: a command line is everybody's.
        data = ["--data-binary", json.dumps(body), "--header", "Content-Type: application/json"] if body is not None else []
        return self.run("curl", "--silent", "--max-time", "20", "--request", method, "--config", "-", *data, f"http://127.0.0.1:7700{path}",
                        input=f'header = "Authorization: Bearer {self.token}"\n', check=False).stdout

    def api(self, method, path, body=None):
        text = self.http(method, path, body)
        return json.loads(text) if text else None

    def submit_file(self, text):
        """Submits a job file as a person does, sealed with the admin's key; the job's id."""
        self.write("/root/job.yaml", text)
        return json.loads(self.run("bulkhead", "submit", "/root/job.yaml", "--json").stdout)["id"]

    def set_secret(self, project, name, value):
        self.run("bulkhead", "secret", "set", project, name, input=value)

    def log(self, job):
        return self.http("GET", f"/jobs/{job}/log")

    def wait(self, job):
        """The job once it has ended."""
        return eventually(f"job {job} ends", lambda: (j := self.api("GET", f"/jobs/{job}") or {}).get("state") in FINAL and j, 60)
