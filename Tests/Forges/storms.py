"""A storm: a project's forge, or whoever has its key, sends many times what is taken. In a process of its own, so that it takes no
time from the one that looks."""

import collections
import hashlib
import json
import multiprocessing
import random
import selectors
import socket
import time

from .deliveries import signature


class Numbered:
    """Signed pushes that differ, without the work of making each anew: the commit is a number."""

    def __init__(self, push, key):
        self.key = key
        document = json.loads(push.body)
        document["after"] = document["head_commit"]["id"] = self.place = "c" * 40
        self.body = json.dumps(document)
        self.headers = [pair for pair in push.headers if not pair[0].lower().startswith("x-hub-signature")]

    def make(self, number, path):
        """The body, and the whole request."""
        body = self.body.replace(self.place, f"{number:040x}").encode()
        lines = [f"POST {path} HTTP/1.1", "Host: storm", f"Content-Length: {len(body)}",
                 f"X-Hub-Signature: sha1={signature(self.key, body, hashlib.sha1)}",
                 f"X-Hub-Signature-256: sha256={signature(self.key, body)}", *(f"{name}: {value}" for name, value in self.headers)]
        return body, ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Storm:
    """As many connections, each with the next delivery as soon as the last is answered; who is told to come again comes after `pause`
    and not after Retry-After. `with Storm(...) as storm: ...; storm.end()`: then `taken` has the hashes of the bodies that were
    acknowledged, `statuses` how often each was said, `without_retry` how often 429 or 503 said nothing of when."""

    def __init__(self, port, path, numbered, connections, pause=0.1, first=1):
        self.result, theirs = multiprocessing.Pipe()
        self.over = multiprocessing.Event()
        arguments = (theirs, self.over, port, path, numbered, connections, pause, first)
        self.process = multiprocessing.Process(target=_run, args=arguments, daemon=True)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.process.join(30)
        if self.process.is_alive():
            self.process.kill()

    def end(self):
        self.over.set()
        assert self.result.poll(60), "the storm does not end"
        self.statuses, self.taken, self.without_retry, self.seconds = self.result.recv()


def _run(result, over, port, path, numbered, connections, pause, first):
    selector = selectors.DefaultSelector()
    statuses, taken, without_retry = collections.Counter(), [], 0
    later = collections.deque()
    number = first
    begin = ended = time.monotonic()

    def connect():
        connection = _Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection

    def send(connection):
        nonlocal number
        connection.body, request = numbered.make(number, path)
        number += 1
        if not connection.send(request):
            close(connection)

    def close(connection):
        selector.unregister(connection.socket)
        connection.socket.close()
        later.append((time.monotonic() + pause * random.uniform(0.5, 1.5), None))

    for _ in range(connections):
        send(connect())
    # What is under way when it is over is still answered.
    while not over.is_set() or (any(key.data.body for key in selector.get_map().values()) and time.monotonic() < ended + 20):
        ended = time.monotonic() if not over.is_set() else ended
        while later and later[0][0] <= time.monotonic() and not over.is_set():
            send(later.popleft()[1] or connect())
        for key, _ in selector.select(0.05):
            connection = key.data
            answer = connection.read()
            if answer is None:
                continue
            if answer is False:
                if connection.body:
                    statuses["closed"] += 1
                close(connection)
                continue
            status, says_when, stays = answer
            statuses[status] += 1
            if status == 202:
                taken.append(hashlib.sha256(connection.body).digest())
            without_retry += status in (429, 503) and not says_when
            connection.body = None
            if not stays:
                close(connection)
            elif status == 202 and not over.is_set():
                send(connection)
            else:
                later.append((time.monotonic() + pause, connection))
    result.send((dict(statuses), taken, without_retry, time.monotonic() - begin))


class _Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.read_so_far = b""
        self.body = None

    def send(self, request):
        try:
            self.socket.sendall(request)
            return True
        except OSError:
            return False

    def read(self):
        """None: not whole yet; False: it is closed; else the status, whether it says when to come again, whether it stays open."""
        try:
            piece = self.socket.recv(65536)
        except OSError:
            return False
        if not piece:
            return False
        self.read_so_far += piece
        head, found, rest = self.read_so_far.partition(b"\r\n\r\n")
        if not found:
            return None
        head = head.lower()
        length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return None
        self.read_so_far = b""
        return int(head.split(b" ", 2)[1]), b"retry-after:" in head, b"connection: close" not in head
