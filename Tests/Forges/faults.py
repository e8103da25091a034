"""The plan of faults: what goes wrong with the next requests to a path. A fault takes the place of one exchange; those that let the
handler run first (`lost`, `cut`, ...) leave its effect behind, as a network does that breaks on the way back."""

import fnmatch
import json
import socket
import struct
import threading

from .request import Answer


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.planned = []
        self.stopped = threading.Event()

    def next(self, method, path, fault, times=1):
        """The next `times` requests with this method and path (both as patterns of a shell) meet the fault; then all is as before."""
        with self.lock:
            self.planned.append([method, path, fault, times])
        return self

    def take(self, request):
        with self.lock:
            for plan in self.planned:
                method, path, fault, times = plan
                if times and fnmatch.fnmatchcase(request.method, method) and fnmatch.fnmatchcase(request.path, path):
                    plan[3] -= 1
                    return lambda *exchange: fault(self, *exchange)
        return None

    @property
    def left(self):
        """How many were planned and have not happened: a test that ends with some has not tested what it says."""
        with self.lock:
            return sum(plan[3] for plan in self.planned)

    def clear(self):
        with self.lock:
            self.planned.clear()

    def release(self):
        self.stopped.set()


# Each is called with the plan, the connection's handler, the request, and what makes the true answer.

def status(code, body=b"", content_type="text/plain", **headers):
    """This status, without any effect. `status(429, Retry_After="1")`."""
    def fault(_, handler, request, answer):
        handler.send(Answer(code, body, content_type, **headers))
    return fault


def page(code=200):
    """A page for people where JSON was expected, as proxies and sign-in walls send them."""
    return status(code, b"<!DOCTYPE html><html><body>Sign in</body></html>", "text/html; charset=utf-8")


def redirect(address, code=302):
    """To another place, most often another host: credentials must not go there."""
    return status(code, Location=address)


def slow(seconds):
    """The true answer, later. A server that is stopped waits no longer."""
    def fault(plan, handler, request, answer):
        plan.stopped.wait(seconds)
        handler.send(answer())
    return fault


def held(event):
    """The true answer, when the test sets the event: slowness without a clock."""
    def fault(plan, handler, request, answer):
        while not event.wait(0.02) and not plan.stopped.is_set():
            pass
        handler.send(answer())
    return fault


def drip(seconds, size=1):
    """The true answer with its body in small pieces, this long apart: each one resets an idle timer, and the whole takes ages."""
    def fault(plan, handler, request, answer):
        true = answer()
        handler.send(true, b"")
        for start in range(0, len(true.body), size):
            handler.wfile.write(true.body[start:start + size])
            if plan.stopped.wait(seconds):
                return
    return fault


def cut(after=1):
    """The true answer with its true length, of which only the first bytes come."""
    def fault(_, handler, request, answer):
        true = answer()
        handler.close_connection = True
        handler.send(true, true.body[:after])
    return fault


def lost():
    """All is done, and the answer never comes: the connection ends. Whoever tries again must not do it twice."""
    def fault(_, handler, request, answer):
        answer()
        handler.close_connection = True
    return fault


def reset():
    """Nothing is done, and the connection is reset."""
    def fault(_, handler, request, answer):
        handler.close_connection = True
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The reader's file holds the socket open.
        handler.rfile.close()
        handler.connection.close()
    return fault


def length(difference):
    """The true answer with a Content-Length that is wrong by so many bytes; then the connection ends."""
    def fault(_, handler, request, answer):
        true = answer()
        handler.close_connection = True
        said = Answer(true.status, b"\0" * max(0, len(true.body) + difference))
        said.headers = true.headers
        handler.send(said, true.body)
    return fault


def raw(text):
    """These bytes instead of HTTP."""
    def fault(_, handler, request, answer):
        handler.close_connection = True
        handler.wfile.write(text)
    return fault


def endless(piece=b" " * 65536, most=1 << 30):
    """A body without an end, in chunks: who has no bound of his own goes on until `most`."""
    def fault(plan, handler, request, answer):
        handler.close_connection = True
        handler.send(Answer(200, b"", Transfer_Encoding="chunked"))
        for _ in range(most // len(piece)):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if plan.stopped.is_set():
                return
        handler.wfile.write(b"0\r\n\r\n")
    return fault


def changed(**fields):
    """The true answer with other values in its JSON object: what a hostile forge would say."""
    def fault(_, handler, request, answer):
        true = answer()
        handler.send(Answer.of(json.loads(true.body) | fields, true.status))
    return fault
