"""bulkhead-spawnerd alone on a real engine: a test plays schedulerd, relayd and brokerd, and a shell script the runner.

What the tests look at is what the engine says of the containers that spawnerd made, and what the script finds inside.
"""

import array
import contextlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARIES = pathlib.Path(os.environ.get("BULKHEAD_BINARIES", ROOT / ".build/release"))
ENGINE = os.environ.get("BULKHEAD_ENGINE", "").removeprefix("unix://")
UID = 7702
ROLE = {"schedulerd": 2, "relayd": 5}
PLATFORM = {"x86_64": 1, "aarch64": 2, "riscv64": 3}[os.uname().machine]
CODES = {23: "conflict", 40: "denied_by_policy", 41: "image_missing", 42: "image_refused", 44: "engine_refused",
         45: "engine_mismatch", 47: "runner_gone", 22: "invalid"}

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


def eventually(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)
    return answer


# MARK: - The wire, after proto-spec/README.md

def frame(number, kind, request, body, fds=0):
    return struct.pack(">IHBBQI", 16 + len(body), number, kind, fds, request, 0) + body


def hello(role):
    return frame(1, 6, 0, b"BULKHEAD-WIRE-1\n" + struct.pack(">HHHBIH", 1, 0, 0, ROLE[role], 4096, 16))


def text(value):
    return struct.pack(">H", len(value.encode())) + value.encode()


class Peer:
    """One end of an edge."""

    def __init__(self, connection):
        self.connection = connection
        self.bytes, self.fds = b"", []

    def receive(self):
        """(type, kind, request, body), or None at the end."""
        while len(self.bytes) < 4 or len(self.bytes) < 4 + struct.unpack(">I", self.bytes[:4])[0]:
            data, ancillary, _, _ = self.connection.recvmsg(65536, socket.CMSG_SPACE(16))
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    self.fds += array.array("i", content)
            if not data:
                return None
            self.bytes += data
        length, number, kind, _, request, _ = struct.unpack(">IHBBQI", self.bytes[:20])
        body, self.bytes = self.bytes[20:4 + length], self.bytes[4 + length:]
        return number, kind, request, body


class Refused(Exception):
    def __init__(self, body):
        code, length = struct.unpack(">HH", body[:4])
        self.code, self.place = CODES.get(code, code), body[4:4 + length].decode()
        super().__init__(f"{self.code} {self.place}: {body[6 + length:].decode()}")


class Runner:
    def __init__(self, house, identifier):
        self.house, self.hex = house, identifier.hex()
        self.identifier, self.name = identifier, f"bulkhead-{house.instance}-{identifier.hex()}"

    def inspect(self):
        return engine("GET", f"/containers/{self.name}/json")[1]

    def output(self):
        """Everything that the script writes, until it ends."""
        stream = socket.socket(fileno=self.house.streams.pop(self.hex))
        stream.setblocking(True)
        stream.settimeout(300)
        data = b""
        while piece := stream.recv(65536):
            data += piece
        stream.close()
        content = b""
        while len(data) >= 8:
            length = struct.unpack(">I", data[4:8])[0]
            content, data = content + data[8:8 + length], data[8 + length:]
        return content.decode(errors="replace")

    def remove(self):
        self.house.call(4, self.identifier)


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
        self.streams, self.request = {}, 0
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
        connection.sendall(hello("schedulerd"))
        self.scheduler = Peer(connection)
        assert self.scheduler.receive()[:2] == (1, 6), "no hello"

    def restart(self):
        """Another one, that knows of this one what the engine tells."""
        self.scheduler.connection.close()
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
        self.scheduler.connection.close()
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
                    self.take_streams(connection)

    def take_streams(self, connection):
        peer = Peer(connection)
        while message := peer.receive():
            number, kind, request, body = message
            if kind == 6:
                connection.sendall(hello("relayd"))
            if kind == 1 and number == 1:
                self.streams[body[:16].hex()] = peer.fds.pop(0)
                connection.sendall(frame(1, 2, request, b""))

    # What schedulerd asks

    def call(self, number, body):
        self.request += 1
        self.scheduler.connection.sendall(frame(number, 1, self.request, body))
        answer = self.scheduler.receive()
        assert answer and answer[2] == self.request, answer
        if answer[1] == 3:
            raise Refused(answer[3])
        return answer[3]

    def create(self, image="bulkhead/busybox", profile="strict", untrusted_steps=False, trust="trusted", memory=64 << 20,
               disk=16 << 20, pids=64, grant=None, platform=PLATFORM, devices=()):
        runner, grant = Runner(self, secrets.token_bytes(16)), grant or secrets.token_bytes(16)
        runner.grant = self.grants / grant.hex()
        runner.grant.mkdir(mode=0o755, exist_ok=True)
        (runner.grant / "key").write_bytes(b"key of the grant")
        shape = (text(image) + bytes([platform, {"strict": 1, "build": 2}[profile]])
                 + struct.pack(">IQIQ", 1500, memory, pids, disk) + bytes([untrusted_steps])
                 + (bytes([1, len(devices), 0]) if devices else bytes([0])))
        leases = struct.pack(">H", len(devices)) + b"".join(map(text, devices))
        self.call(1, runner.identifier + struct.pack(">Q", 7) + shape
                  + bytes([{"trusted": 1, "approved": 2, "untrusted": 3}[trust]]) + grant + leases)
        return runner

    def run(self, **shape):
        """One life: what the script wrote."""
        runner = self.create(**shape)
        try:
            return runner.output()
        finally:
            runner.remove()

    def describe(self):
        """The host's platforms, as (number, native), and the ids of its devices."""
        body = self.call(6, b"")
        for _ in range(2):  # engine, engine_version
            body = body[2 + struct.unpack(">H", body[:2])[0]:]
        count, body = struct.unpack(">H", body[13:15])[0], body[15:]  # behind user_namespaces, cpus, memory_bytes
        platforms, body = [tuple(body[2 * i:2 * i + 2]) for i in range(count)], body[2 * count:]
        devices, body = [], body[2:]
        while body:
            length = struct.unpack(">H", body[:2])[0]
            devices.append(body[2:2 + length].decode())
            name = struct.unpack(">H", body[3 + length:5 + length])[0]
            body = body[5 + length + name + 8:]
        return platforms, devices

    def stop(self, runner, grace):
        self.call(3, runner.identifier + struct.pack(">I", grace))

    def containers(self):
        label = f"%7B%22label%22%3A%5B%22bulkhead.instance%3D{self.instance}%22%5D%7D"
        return engine("GET", f"/containers/json?all=1&filters={label}")[1]
