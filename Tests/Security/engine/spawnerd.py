"""bulkhead-spawnerd alone on a real engine: a test plays schedulerd, relayd and brokerd, and a shell script the runner.

What the tests look at is what the engine says of the containers that spawnerd made, and what the script finds inside.
"""

import contextlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "Tests/Security"), str(ROOT / "Tests/Integration")]
from house import BINARIES, ENGINE, eventually  # noqa: E402, F401
from wire import Peer, Refused  # noqa: E402, F401

UID = 7702
PLATFORM = {"x86_64": "linux_amd64", "aarch64": "linux_arm64", "riscv64": "linux_riscv64"}[os.uname().machine]

needs_engine = unittest.skipUnless(ENGINE and os.geteuid() == 0, "needs BULKHEAD_ENGINE, and root to be several users")


class EngineConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120)
        self.sock.connect(ENGINE)


def engine(method, path, body=None, kind="application/json"):
    """What only a test does: asks the engine past spawnerd."""
    connection = EngineConnection("engine")
    if body is not None and kind == "application/json":
        body = json.dumps(body)
    connection.request(method, path, body, {"Content-Type": kind} if body is not None else {})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    try:
        return answer.status, json.loads(data)
    except ValueError:
        return answer.status, data


RUNTIMES = engine("GET", "/info")[1]["Runtimes"] if ENGINE else {}


class Runner:
    def __init__(self, house, identifier):
        self.house, self.hex = house, identifier.hex()
        self.name = f"bulkhead-{house.instance}-{self.hex}"

    def inspect(self):
        return engine("GET", f"/containers/{self.name}/json")[1]

    def output(self):
        """Everything that the script writes, until it ends."""
        eventually("its stream", lambda: self.hex in self.house.streams)
        stream = socket.socket(fileno=self.house.streams.pop(self.hex))
        stream.setblocking(True)
        stream.settimeout(300)
        data = b""
        while piece := stream.recv(65536):
            data += piece
        stream.close()
        content = b""
        while len(data) >= 8:
            length = int.from_bytes(data[4:8], "big")
            content, data = content + data[8:8 + length], data[8 + length:]
        return content.decode(errors="replace")

    def remove(self):
        self.house.scheduler.call("RemoveRunner", runner=self.hex)


class Spawnerd:
    """`script`: what runs in the place of the runner."""

    def __init__(self, script="while read -r line; do [ $line = stop ] && exit 0; done", *options):
        self.script, self.options = script, options

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bh-sec-"))
        self.directory.chmod(0o755)
        self.instance = "s" + secrets.token_hex(6)
        self.grants = self.directory / "grants"
        self.grants.mkdir(mode=0o700)
        self.runner = self.directory / "runner"
        self.runner.write_text(f"#!/bin/sh\n{self.script}\n")
        self.runner.chmod(0o755)
        self.streams = {}
        self.relay = self.listen("stream")
        threading.Thread(target=self.play_relayd, daemon=True).start()
        self.log = open(self.directory / "log", "wb+")
        self.start()
        return self

    def start(self):
        listener = self.listen("spawner")
        arguments = [BINARIES / "bulkhead-spawnerd", "--engine-socket", ENGINE, "--stream-socket", self.directory / "stream",
                     "--schedulerd-uid", "0", "--instance", self.instance, "--runner-path", self.runner, "--grants",
                     self.grants, "--allow-build-profile", "true", *self.options]
        descriptor = os.dup(listener.fileno())
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", f'exec 3<&{descriptor}; LISTEN_PID=$$ exec "$@"', "sh", *map(str, arguments)],
            env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "spawner", "SWIFT_BACKTRACE": "enable=no"}, pass_fds=[descriptor],
            stdin=subprocess.DEVNULL, stderr=self.log, user=UID, group=UID, extra_groups=[os.stat(ENGINE).st_gid])
        os.close(descriptor)
        listener.close()
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(120)
        connection.connect(str(self.directory / "spawner"))
        self.scheduler = Peer("spawner", connection).greet()

    def restart(self):
        """Another one, that knows of this one what the engine tells."""
        self.scheduler.close()
        self.process.terminate()
        self.process.wait(30)
        (self.directory / "spawner").unlink()
        self.start()

    def __exit__(self, kind, *_):
        if kind is not None:
            self.log.seek(0)
            print(self.log.read().decode(errors="replace"))
        self.process.terminate()
        self.process.wait(30)
        for container in self.containers():
            engine("DELETE", f"/containers/{container['Id']}?force=true&v=true")
        self.scheduler.close()
        self.relay.close()
        for stream in self.streams.values():
            os.close(stream)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def open_to_containers(self):
        """Lets root of the containers pass through the grants: what `bulkhead up --grants-group` does for gVisor."""
        os.chown(self.grants, -1, int(engine("GET", "/info")[1]["DockerRootDir"].rpartition(".")[2]))
        self.grants.chmod(0o710)

    def listen(self, name):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.directory / name))
        os.chown(self.directory / name, UID, UID)
        listener.listen(8)
        return listener

    def play_relayd(self):
        with contextlib.suppress(OSError):
            while True:
                with self.relay.accept()[0] as connection:
                    Peer("stream", connection, "server").serve({"TakeStream": self.take_stream})

    def take_stream(self, body, fds, reply):
        self.streams[body["runner"]] = fds[0]
        reply({})

    def create(self, image="bulkhead/busybox", profile="strict", untrusted_steps=False, trust="trusted", memory=64 << 20,
               disk=16 << 20, pids=64, grant=None, platform=PLATFORM, devices=()):
        runner, grant = Runner(self, secrets.token_bytes(16)), grant or secrets.token_bytes(16)
        runner.grant = self.grants / grant.hex()
        runner.grant.mkdir(mode=0o755, exist_ok=True)
        (runner.grant / "key").write_bytes(b"key of the grant")
        self.scheduler.call("CreateRunner", runner=runner.hex, epoch=7, trust=trust, grant=grant.hex(), devices=list(devices), shape={
            "image": image, "platform": platform, "profile": profile, "untrusted_steps": untrusted_steps,
            "resources": {"cpu_millis": 1500, "memory_bytes": memory, "pids": pids, "disk_bytes": disk},
            "gpus": {"count": len(devices), "vendor": None} if devices else None})
        return runner

    def run(self, **shape):
        """One life: what the script wrote."""
        runner = self.create(**shape)
        try:
            return runner.output()
        finally:
            runner.remove()

    def describe(self):
        """The host's platforms, as (name, native), and the ids of its devices."""
        host = self.scheduler.call("DescribeHost")
        return [(one["platform"], one["native"]) for one in host["platforms"]], [device["id"] for device in host["devices"]]

    def containers(self):
        label = f"%7B%22label%22%3A%5B%22bulkhead.instance%3D{self.instance}%22%5D%7D"
        return engine("GET", f"/containers/json?all=1&filters={label}")[1]
