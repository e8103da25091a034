"""A speaker of Bulkhead's framed protocol for attacks, on proto-spec/decode.py, which reads the .wire files: it shares nothing with the
Swift code. And what a taken-over daemon has: its user and groups, its listening sockets, its place in the house."""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import re
import signal
import socket
import struct
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "proto-spec")]
import decode  # noqa: E402
from house import eventually  # noqa: E402
from schema import EDGES, SHARED  # noqa: E402
from seal import seal_order  # noqa: E402

CODES = {int(number): name for name, number in re.findall(r"^(\w+) = (\d+)", (ROOT / "proto-spec/errors.wire").read_text(), re.M)}
ROLES = {edge: (file.edge["client"], file.edge["server"]) for edge, file in EDGES.items()}
MAGIC = b"BULKHEAD-WIRE-1\n".hex()
SYNC = b"BULKHEAD-SYNC-1\n"
PIDFD_GETFD = 438


class Refused(Exception):
    """An error frame, or a goodbye; `code` is its name."""

    def __init__(self, code, place, text):
        super().__init__(f"{code} ({place}): {text}")
        self.code, self.place, self.text = code, place, text


class Gone(Exception):
    """The other side has closed without a word."""


def encoded(name, value):
    """The canonical bytes of a struct of types.wire."""
    return b"".join(data for _, data in decode.encode_fields(SHARED[name][2], value, SHARED))


def decoded(name, data):
    reader = decode.Reader(data)
    value = decode.decode_fields(SHARED[name][2], reader, SHARED)
    assert reader.at == len(data), f"bytes behind a {name}"
    return value


def digest_of(definition):
    return hashlib.sha256(encoded("JobDefinition", definition)).hexdigest()


class Demultiplexed:
    """An attach stream of the engine, as relayd sees it: raw on the way in, in frames on the way out."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, b""

    def recv(self, size):
        while len(self.buffer) < 8 or len(self.buffer) < 8 + struct.unpack(">4xL", self.buffer[:8])[0]:
            piece = self.sock.recv(65536)
            if not piece:
                return b""
            self.buffer += piece
        end = 8 + struct.unpack(">4xL", self.buffer[:8])[0]
        kind, data, self.buffer = self.buffer[0], self.buffer[8:end], self.buffer[end:]
        return data if kind == 1 else self.recv(size)

    def sendall(self, data):
        self.sock.sendall(data)

    def close(self):
        self.sock.close()


class Peer:
    """One end of a connection. Bodies are the dictionaries of decode.py: bytes as hex, unions as {case: value}."""

    def __init__(self, edge, sock, side="client"):
        self.edge, self.sock, self.side = edge, sock, side
        self.other = "server" if side == "client" else "client"
        self.next, self.buffer, self.fds, self.waiting = 1, b"", [], []
        self.has_fds = isinstance(sock, socket.socket) and edge != "runner"

    # Frames

    def send_raw(self, data, fds=()):
        if fds:
            socket.send_fds(self.sock, [data], list(fds))
        else:
            self.sock.sendall(data)

    def send(self, kind, message, number, body, fds=(), deadline=0):
        frame = {"kind": kind, "message": message, "id": number, "deadline_ms": deadline, "body": body}
        self.send_raw(b"".join(data for _, data in decode.encode_frame(self.edge, frame)), fds)

    def fill(self, size):
        while len(self.buffer) < size:
            if self.has_fds:
                data, fds, _, _ = socket.recv_fds(self.sock, 65536, 4)
                self.fds += fds
            else:
                data = self.sock.recv(65536)
            if not data:
                raise Gone(f"{self.edge}: closed")
            self.buffer += data

    def receive(self):
        """(frame, descriptors)"""
        self.fill(20)
        size, count = 4 + struct.unpack(">L", self.buffer[:4])[0], self.buffer[7]
        self.fill(size)
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        frame = decode.decode_frame(self.edge, self.other, data, count)
        fds, self.fds = self.fds[:count], self.fds[count:]
        if frame["message"] == "Goodbye":
            raise Refused(CODES.get(frame["body"]["code"]), "goodbye", frame["body"]["text"])
        return frame, fds

    # Both sides

    def hello(self, role=None, **other):
        own = ROLES[self.edge][self.side == "server"]
        self.send("control", "Hello", 0, {"magic": MAGIC, "major": 1, "minor_lowest": 0, "minor_highest": 0, "role": role or own,
                                          "frame_limit": int(EDGES[self.edge].edge["limit"]), "window": 64, **other})

    def greet(self, role=None):
        """Hello and its answer, from the client's side."""
        with contextlib.suppress(BrokenPipeError):  # then its word lies here already
            self.hello(role)
        assert self.receive()[0]["message"] == "Hello"
        return self

    # The client's side

    def request(self, message, fds=(), **body):
        number, self.next = self.next, self.next + 1
        self.send("request", message, number, body, fds)
        return number

    def await_frame(self, number):
        """The next frame for this request; others wait."""
        for index, (frame, fds) in enumerate(self.waiting):
            if frame["id"] == number:
                return self.waiting.pop(index)
        while True:
            frame, fds = self.receive()
            if frame["kind"] in ("reply", "error", "item", "end") and frame["id"] == number:
                return frame, fds
            self.waiting.append((frame, fds))

    def answer(self, number):
        frame, fds = self.await_frame(number)
        if frame["kind"] == "error":
            raise Refused(CODES[frame["body"]["code"]], frame["body"]["place"], frame["body"]["text"])
        return frame["body"], fds

    def call(self, message, fds=(), **body):
        return self.answer(self.request(message, fds, **body))[0]

    def code(self, message, **body):
        """`ok`, or the name of the error that answers."""
        try:
            self.call(message, **body)
            return "ok"
        except Refused as refused:
            return refused.code

    def close(self):
        self.sock.close()

    # The server's side

    def serve(self, handlers):
        """Answers until the other side goes. `handlers`: message -> function(body, fds, reply) or a body; reply(body, kind, fds)."""
        with contextlib.suppress(Gone, Refused, OSError, decode.Bad):
            while True:
                frame, fds = self.receive()
                if frame["message"] == "Hello":
                    self.hello()
                elif frame["kind"] == "request":
                    self.handle(frame, fds, handlers.get(frame["message"]))

    def handle(self, frame, fds, handler):
        def reply(body, kind="reply", fds=()):
            self.send(kind, frame["message"], frame["id"], body, fds)
        if handler is None:
            reply({"code": 26, "place": "", "text": "not today"}, "error")
        elif callable(handler):
            handler(frame["body"], fds, reply)
        else:
            reply(handler)


# Users

class User:
    """A user and its groups: a daemon's, as the kernel has them."""

    def __init__(self, uid, gid, groups):
        self.uid, self.gid, self.groups = uid, gid, groups

    @classmethod
    def of(cls, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        uid, gid = (int(status.split(f"\n{k}:\t")[1].split()[0]) for k in ("Uid", "Gid"))
        return cls(uid, gid, [int(g) for g in status.split("\nGroups:\t")[1].split("\n")[0].split()])

    def perform(self, body):
        """`body(channel)` in a child that is this user; what it sends on the channel (a socket) is read here."""
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                ours.close()
                os.setgroups(self.groups)
                os.setresgid(self.gid, self.gid, self.gid)
                os.setresuid(self.uid, self.uid, self.uid)
                try:
                    body(theirs)
                except OSError as error:
                    theirs.sendall(struct.pack(">i", error.errno or 5))
            os._exit(0)
        theirs.close()
        data, fds, _, _ = socket.recv_fds(ours, 65536, 4)
        while piece := ours.recv(65536):
            data += piece
        os.waitpid(child, 0)
        ours.close()
        return data, fds

    def connect(self, path):
        """A socket that this user has connected: the kernel says so at the other end, whoever holds it. OSError as it was."""
        def body(channel):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(path))
                socket.send_fds(channel, [struct.pack(">i", 0)], [sock.fileno()])
        data, fds = self.perform(body)
        number = struct.unpack(">i", data[:4])[0]
        if number:
            raise OSError(number, os.strerror(number), str(path))
        sock = socket.socket(fileno=fds[0])
        sock.settimeout(60)
        return sock

    def errno(self, what, path):
        """0, or why this user may not: `connect`, `list` or `read`."""
        def body(channel):
            if what == "connect":
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.connect(str(path))
            elif what == "list":
                os.listdir(path)
            else:
                with open(path, "rb") as file:
                    file.read(1)
            channel.sendall(struct.pack(">i", 0))
        return struct.unpack(">i", self.perform(body)[0])[0]

    def read(self, path):
        """What this user reads there; the errno of a refusal is an OSError."""
        def body(channel):
            with open(path, "rb") as file:
                channel.sendall(struct.pack(">i", 0) + file.read())
        data, _ = self.perform(body)
        number = struct.unpack(">i", data[:4])[0]
        if number:
            raise OSError(number, os.strerror(number), str(path))
        return data[4:]


def peer(house, edge, user):
    """Connected and greeted as this user."""
    return Peer(edge, user.connect(house.state / "run" / edge / "socket")).greet()


# A daemon's place

def borrowed(pid, number):
    """A copy of another process's descriptor."""
    handle = os.pidfd_open(pid)
    try:
        fd = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, handle, number, 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        return fd
    finally:
        os.close(handle)


def state_of(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class TakenOver:
    """In the place of a daemon: `user` and `listeners` are its own. The house is not told, and starts it again only behind us."""

    def __init__(self, house, daemon):
        self.house, self.daemon = house, daemon
        self.listeners, self.threads, self.open = {}, [], []

    def __enter__(self):
        pid = self.house.pid(self.daemon)
        self.user = User.of(pid)
        for number in map(int, os.listdir(f"/proc/{pid}/fd")):
            try:
                if not os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:"):
                    continue
            except FileNotFoundError:
                continue  # it was closed since they were listed; one that is listened on is not
            sock = socket.socket(fileno=borrowed(pid, number))
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                name = sock.getsockname()
                self.listeners[pathlib.Path(name).parent.name if isinstance(name, str) else "http"] = sock
            else:
                sock.close()
        os.kill(self.house.up.pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        eventually(f"{self.daemon} has ended", lambda: state_of(pid) in "ZX")
        return self

    def __exit__(self, *_):
        for sock in [*self.open, *self.listeners.values()]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR) if sock in self.open else None
                sock.close()
        os.kill(self.house.up.pid, signal.SIGCONT)
        for thread in self.threads:
            thread.join(10)

    def peer(self, edge):
        """A connection of this daemon's to one that it may call."""
        found = peer(self.house, edge, self.user)
        self.open.append(found.sock)
        return found

    def serve(self, edge, handlers):
        """Serves this edge in the daemon's place, until the end."""
        listener = self.listeners[edge]
        listener.settimeout(0.1)

        def accept():
            while listener.fileno() >= 0:
                try:
                    sock, _ = listener.accept()
                except (TimeoutError, BlockingIOError):
                    continue
                except OSError:
                    return
                sock.settimeout(None)
                self.open.append(sock)
                self.thread(Peer(edge, sock, "server").serve, handlers)
        self.thread(accept)

    def thread(self, body, *arguments):
        thread = threading.Thread(target=body, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()


# People

class Person:
    """An operator of the house: what `admin-key` and `admin-token` hold."""

    def __init__(self, house):
        lines = dict(line.split(" ", 1) for line in (house.state / "admin-key").read_text().splitlines()[1:])
        self.private, self.broker = bytes.fromhex(lines["private"]), bytes.fromhex(lines["broker"])
        self.token = house.token

    def order(self, case, value=b"", private=None, age_ms=0, **body):
        """A sealed order; `private`: of another key than one's own."""
        order = {"id": os.urandom(16).hex(), "issued_ms": int(time.time() * 1000) - age_ms, "body": {case: body}}
        parts = seal_order(private or self.private, self.broker, encoded("Order", order), value)
        return dict(zip(("key", "encapsulated", "order", "value"), (part.hex() for part in parts)))


def shape(image="bulkhead/busybox", profile="strict", untrusted_steps=False, **resources):
    return {"image": image, "platform": "linux_amd64", "profile": profile, "untrusted_steps": untrusted_steps, "gpus": None,
            "resources": {"cpu_millis": 500, "memory_bytes": 64 << 20, "pids": 64, "disk_bytes": 16 << 20, **resources}}


def definition(*steps, project="default", **secrets):
    """A job as it travels: `steps` are commands; `secrets`: VARIABLE=name, which each step is given."""
    uses = [{"name": name, "form": "variable", "variable": variable} for variable, name in secrets.items()]
    schedule = {"priority": 50, "group": None, "needs": [], "condition": "all_success", "queue_timeout_seconds": 0, "retries": 0,
                "tags": []}
    return {"project": project, "source": None, "schedule": schedule, "spec": {
        "name": "attack", "shape": shape(), "timeout_seconds": 600, "silence_seconds": 0, "env": [],
        "steps": [{"name": f"step {n + 1}", "run": run, "timeout_seconds": 0, "continue_on_error": False, "untrusted": False,
                   "when": "on_success", "secrets": uses} for n, run in enumerate(steps)], "artifacts": []}}
