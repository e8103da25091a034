"""The ground of all doubles: a threaded HTTP/1.1 server on loopback which reads strictly, writes a journal and follows a plan of faults."""

import http.server
import socket
import ssl
import sys
import threading
import traceback

from .clock import Clock
from .faults import Faults
from .fields import Wrong
from .journal import Journal
from .request import Answer, Refused, read

MAX_BODY = 256 << 20


def route(method, pattern):
    """Marks a handler: `:name` stands for one segment of the path, which may hold `%2F`; `*name` for all up to what follows it."""
    def mark(handler):
        handler.routes = [*getattr(handler, "routes", []), (method, pattern.split("/"))]
        return handler
    return mark


def matched(pattern, segments):
    """The arguments, still as they were sent; None if the path is another one."""
    arguments = {}
    for place, name in enumerate(pattern):
        if name.startswith("*"):
            after = len(pattern) - place - 1
            middle = segments[place:len(segments) - after]
            arguments[name[1:]] = "/".join(middle)
            return arguments if any(middle) and segments[len(segments) - after:] == pattern[place + 1:] else None
        if place >= len(segments) or not (name.startswith(":") and segments[place] or name == segments[place]):
            return None
        if name.startswith(":"):
            arguments[name[1:]] = segments[place]
    return arguments if len(pattern) == len(segments) else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def setup(self):
        super().setup()
        self.server.double.connections.add(self.connection)
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()

    def finish(self):
        self.server.double.connections.discard(self.connection)
        super().finish()

    def exchange(self):
        double = self.server.double
        try:
            request = read(self, double.authority, MAX_BODY)
        except Refused as refused:
            double.malformed.append(f"{self.requestline}: {refused.message}")
            self.close_connection = True
            self.send(double.refusal(refused))
            return
        entry = double.journal.arrived(request)
        fault = double.faults.take(request)

        def answer():
            return double.answer(request, entry)

        if not fault:
            self.send(answer())
            return
        self.sent = 0
        fault(self, request, answer)
        if entry.status is None:
            # Nobody has asked the forge; 0 where nothing was said at all.
            double.journal.answered(entry, self.sent)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = exchange

    def send(self, answer, body=None):
        """`body`: what is sent instead of the answer's own, by faults; its length stays the one that was promised."""
        self.sent = answer.status
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304) and "Transfer-Encoding" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(answer.body if body is None else body)

    def version_string(self):
        return "double"

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, double, tls, port=0):
        self.double, self.tls = double, tls
        super().__init__(("127.0.0.1", port), Handler)

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            # The handshake is the handler's: one slow client must not stop the others.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, *_):
        # A client that goes away is no mistake of ours, and neither is one that distrusts our certificate.
        if not isinstance(sys.exception(), OSError):
            self.double.mistakes.append(traceback.format_exc())


class Double:
    """A server from the `with` to its end. Handlers run one at a time, under `changed`; who waits for it lets the others in."""

    # What an existing path answers to a method that it has not.
    wrong_method = 405

    def __init__(self, tls=None):
        self.clock = Clock()
        self.faults = Faults()
        self.journal = Journal()
        self.changed = threading.Condition()
        self.stopping = False
        # What was no request that there is one reading of; it is not in the journal.
        self.malformed = []
        # Tracebacks of the double itself: nobody may take its own mistake for an answer of a forge.
        self.mistakes = []
        self.connections = set()
        self.ticks = 0
        self.routes = [(method, pattern, getattr(self, name)) for name in dir(type(self))
                       for method, pattern in getattr(getattr(type(self), name), "routes", [])]
        # Words before wildcards: `runners/managers` is no runner's name.
        self.routes.sort(key=lambda route: [segment[:1] in (":", "*") for segment in route[1]])
        self.tls = tls.context if tls else None
        self.server = Server(self, self.tls)
        self.authority = f"127.0.0.1:{self.server.server_port}"
        self.url = f"{'https' if tls else 'http'}://{self.authority}"

    def __enter__(self):
        self.serve()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if self.mistakes and kind is None:
            raise AssertionError("the double itself broke:\n" + "\n".join(self.mistakes))

    def later(self, ahead=0):
        """A time later than any before: what happens in a test happens one after the other."""
        self.ticks += 1
        return self.clock.text(ahead + self.ticks)

    def serve(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        """Also in the middle of a test: the forge is gone, and every connection to it. Requests that wait are answered into nothing."""
        with self.changed:
            if self.stopping:
                return
            self.stopping = True
            self.changed.notify_all()
        self.faults.release()
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def come_back(self):
        """At the same address, with all that it knew: an outage is over."""
        self.stopping = False
        self.faults.stopped.clear()
        self.server = Server(self, self.tls, self.server.server_port)
        self.serve()

    def wait(self, condition, seconds):
        """For a handler: until the condition holds, the time is over or the server stops; says whether it holds."""
        return self.changed.wait_for(lambda: self.stopping or condition(), seconds) and bool(condition())

    def answer(self, request, entry=None):
        """What the forge would say, with the effects that it would have."""
        with self.changed:
            try:
                answer = self.dress(request, self.dispatch(request))
            except Refused as refused:
                answer = self.dress(request, self.refusal(refused))
            except Wrong as wrong:
                answer = self.dress(request, self.refusal(self.wrong(wrong)))
            except Exception:  # noqa: BLE001 - kept, and raised where the test ends
                self.mistakes.append(f"{request.method} {request.target}\n{traceback.format_exc()}")
                answer = Answer.of({"message": "the double broke"}, 500)
            self.changed.notify_all()
        if entry:
            self.journal.answered(entry, answer.status)
        return answer

    def dispatch(self, request):
        segments, others = request.path.split("/"), False
        for method, pattern, handler in self.routes:
            arguments = matched(pattern, segments)
            if arguments is None:
                continue
            if method == request.method or (method, request.method) == ("GET", "HEAD"):
                request.arguments = request.decoded(arguments)
                self.admit(request)
                return handler(request)
            others = True
        if others and self.wrong_method == 405:
            raise Refused(405, "Method Not Allowed")
        raise Refused(404, "Not Found")

    # What a forge puts in place of these.

    def admit(self, request):
        """Before any handler: who is it, and is there still room for him? Raises Refused."""

    def dress(self, request, answer):
        """The headers that every answer has."""
        return answer

    def refusal(self, refused):
        """A refusal in the forge's own form."""
        return Answer.of({"message": refused.message}, refused.status, **refused.headers)

    def wrong(self, wrong):
        """A field that is not what it has to be, as the forge says it."""
        return Refused(400, str(wrong))
