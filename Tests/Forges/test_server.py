"""The ground of the doubles: what it refuses, what it writes down, and how it goes wrong on purpose."""

import contextlib
import http.client
import socket
import ssl
import threading
import unittest

from . import faults
from .authority import Authority
from .client import call
from .fields import Wrong, address, flag, listed, mapped, number, read, text
from .request import Answer
from .server import Double, route


class Harbour(Double):
    """A double of nothing: it repeats what it is told."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.told = []

    @route("POST", "/told/:name")
    def tell(self, request):
        self.told.append(request.arguments["name"])
        return Answer.of({"name": request.arguments["name"], "said": request.json()}, 201)

    @route("GET", "/told/last")
    def last(self, request):
        return Answer.of({"last": True})

    @route("GET", "/told/:name")
    def ask(self, request):
        return Answer.of({"name": request.arguments["name"], **request.asked("a", "b[]")})

    @route("GET", "/tree/*path")
    def tree(self, request):
        return Answer.of({"path": request.arguments["path"]})

    @route("GET", "/broken")
    def broken(self, request):
        raise KeyError("a mistake of the double")


class Strictness(unittest.TestCase):
    def setUp(self):
        self.double = self.enterContext(Harbour())

    def raw(self, text):
        with socket.create_connection(("127.0.0.1", self.double.server.server_port), timeout=30) as s, contextlib.suppress(OSError):
            s.sendall(text.replace(b"HOST", self.double.authority.encode()))
            s.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := s.recv(65536):
                answer += piece
        return answer.split(b"\r\n")[0]

    def test_routes(self):
        self.assertEqual(call(self.double, "GET", "/told/a%2Fb").document, {"name": "a/b"})
        self.assertEqual(call(self.double, "GET", "/told/last").document, {"last": True})
        self.assertEqual(call(self.double, "GET", "/tree/a/b%20c").document, {"path": "a/b c"})
        for path in ("/told", "/told/", "/told/a/b", "//told/a", "/told/a/", "/tree", "/tree/", "/nothing"):
            self.assertEqual(call(self.double, "GET", path).status, 404, path)
        self.assertEqual(call(self.double, "DELETE", "/told/a").status, 405)
        self.assertEqual(call(self.double, "GET", "/told/%ff").status, 400)
        self.assertEqual(call(self.double, "GET", "/told/%00").status, 400)

    def test_query_is_closed(self):
        self.assertEqual(call(self.double, "GET", "/told/x?a=1&b[]=2&b[]=3").document, {"name": "x", "a": "1", "b[]": ["2", "3"]})
        for query in ("c=1", "a=1&a=2", "a", "a=%ff", "a=%0a"):
            self.assertEqual(call(self.double, "GET", f"/told/x?{query}").status, 400, query)

    def test_body_is_one_json_object(self):
        self.assertEqual(call(self.double, "POST", "/told/x", {"a": 1}).status, 201)
        self.assertEqual(call(self.double, "POST", "/told/x", body=b"{}", Content_Type="application/json; charset=utf-8").status, 201)
        for body in (b"", b"[]", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":"\xff"}', b"1", b"[" * 100000):
            reply = call(self.double, "POST", "/told/x", body=body, Content_Type="application/json")
            self.assertEqual(reply.status, 400, body[:20])
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "", None):
            reply = call(self.double, "POST", "/told/x", body=b"{}", Content_Type=kind)
            self.assertEqual(reply.status, 415, kind)
        zipped = call(self.double, "POST", "/told/x", {}, Content_Encoding="gzip")
        self.assertEqual(zipped.status, 415)

    def test_two_readings_are_refused(self):
        good = b"GET /told/x HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n"
        self.assertIn(b" 200 ", self.raw(good + b"\r\n"))
        for bad in (b"Host: HOST\r\n", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
                    b"Content-Length: 0\r\nContent-Length: 0\r\n", b"Content-Length: -1\r\n",
                    b"Content-Length: +0\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
                    b"X: a\r\n b\r\n"):
            self.assertIn(b" 400 ", self.raw(good + bad + b"\r\n"), bad)
        self.assertIn(b" 400 ", self.raw(b"GET /told/x HTTP/1.1\r\n\r\n"))
        self.assertIn(b" 400 ", self.raw(b"GET /told/x HTTP/1.1\r\nHost: elsewhere\r\n\r\n"))
        self.assertIn(b" 400 ", self.raw(b"GET http://HOST/told/x HTTP/1.1\r\nHost: HOST\r\n\r\n"))
        self.assertEqual(len(self.double.journal.calls()), 1)
        self.assertEqual(len(self.double.malformed), 10)
        self.assertIn(b" 505 ", self.raw(b"GET /told/x HTTP/1.0\r\nHost: HOST\r\n\r\n"))

    def test_chunks(self):
        head = (b"POST /told/x HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n")
        self.assertIn(b" 201 ", self.raw(head + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"))
        self.assertIn(b" 400 ", self.raw(head.replace(b"Content-Type", b"Content-Type: text/plain\r\nContent-Type") + b"0\r\n\r\n"))
        self.assertIn(b" 400 ", self.raw(head + b"zz\r\n{}\r\n0\r\n\r\n"))
        self.assertIn(b" 400 ", self.raw(head + b"1\r\n{}\r\n0\r\n\r\n"))

    def test_connections_are_kept(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.double.server.server_port, timeout=30)
        self.addCleanup(connection.close)
        for _ in range(3):
            connection.request("GET", "/told/x", headers={"User-Agent": "x"})
            self.assertEqual(connection.getresponse().read(), b'{"name":"x"}')
            held = connection.sock
        self.assertIs(connection.sock, held)

    def test_fields(self):
        shape = {"a": text(3), "b?": number(1, 5), "c?": listed(flag, 2), "d?": mapped(e_=address())}
        read({"a": "abc", "b": 5, "c": [True], "d": {"e": "https://x/y"}}, shape)
        for document, field, kind in (({}, "a", "missing"), ({"a": "abcd"}, "a", "long"), ({"a": 1}, "a", "type"),
                                      ({"a": None}, "a", "type"),
                                      ({"a": "", "b": True}, "b", "type"), ({"a": "", "b": 6}, "b", "value"),
                                      ({"a": "", "c": [1]}, "c[0]", "type"), ({"a": "", "c": [True] * 3}, "c", "long"),
                                      ({"a": "", "d": {"f": 1}}, "d.f", "unknown"), ({"a": "", "d": {"e": "file:///x"}}, "d.e", "value"),
                                      ({"a": "", "A": ""}, "A", "unknown")):
            with self.assertRaises(Wrong) as raised:
                read(document, shape)
            self.assertEqual((raised.exception.field, raised.exception.kind), (field, kind), document)


class Plans(unittest.TestCase):
    def setUp(self):
        self.double = self.enterContext(Harbour())

    def ask(self, timeout=30):
        return call(self.double, "GET", "/told/x", timeout=timeout)

    def plan(self, fault, times=1):
        self.double.faults.next("GET", "/told/*", fault, times)

    def test_statuses_and_afterwards(self):
        self.plan(faults.status(500), 2)
        self.plan(faults.status(429, Retry_After="7"))
        self.assertEqual(self.double.faults.left, 3)
        self.assertEqual([self.ask().status for _ in range(2)], [500, 500])
        limited = self.ask()
        self.assertEqual((limited.status, limited.headers["Retry-After"]), (429, "7"))
        self.assertEqual((self.ask().status, self.double.faults.left), (200, 0))
        self.plan(faults.redirect("http://127.0.0.1:9/"))
        self.assertEqual(call(self.double, "POST", "/told/x", {}).status, 201, "another method is not meant")
        self.assertEqual(self.ask().headers["Location"], "http://127.0.0.1:9/")
        self.plan(faults.page())
        self.assertIn(b"<html>", self.ask().body)
        self.plan(faults.changed(name="y"))
        self.assertEqual(self.ask().document, {"name": "y"})

    def test_lost_answer_leaves_its_effect(self):
        self.double.faults.next("POST", "*", faults.lost())
        with self.assertRaises(http.client.RemoteDisconnected):
            call(self.double, "POST", "/told/once", {})
        self.assertEqual(self.double.told, ["once"])
        self.assertEqual([one.status for one in self.double.journal.calls()], [201])

    def test_reset_leaves_none(self):
        self.double.faults.next("POST", "*", faults.reset())
        with self.assertRaises(ConnectionResetError):
            call(self.double, "POST", "/told/never", {})
        self.assertEqual(self.double.told, [])
        self.assertEqual(self.double.journal.wait("POST")[0].status, 0)

    def test_broken_bodies(self):
        self.plan(faults.cut(3))
        with self.assertRaises(http.client.IncompleteRead) as raised:
            self.ask()
        self.assertEqual(raised.exception.partial, b'{"n')
        self.plan(faults.length(+5))
        with self.assertRaises(http.client.IncompleteRead):
            self.ask()
        self.plan(faults.length(-5))
        self.assertEqual(self.ask().body, b'{"name"')
        self.plan(faults.raw(b"SSH-2.0-OpenSSH\r\n"))
        with self.assertRaises(http.client.BadStatusLine):
            self.ask()
        self.plan(faults.endless(b"x" * 1000, 10_000))
        self.assertEqual(len(self.ask().body), 10_000)
        self.plan(faults.drip(0, 2))
        self.assertEqual(self.ask().document, {"name": "x"})

    def test_held_until_the_test_says_so(self):
        event, replies = threading.Event(), []
        self.plan(faults.held(event))
        asking = threading.Thread(target=lambda: replies.append(self.ask().status))
        asking.start()
        self.double.journal.wait("GET", answered=False)
        self.assertEqual(call(self.double, "GET", "/tree/x").status, 200, "the others are served")
        with self.assertRaises(AssertionError):
            self.double.journal.wait("GET", "/told/*", seconds=0)
        self.assertEqual(replies, [])
        event.set()
        asking.join(30)
        self.assertEqual(replies, [200])

    def test_slow_answer_outlasts_a_client(self):
        self.plan(faults.slow(60))
        with self.assertRaises(TimeoutError):
            self.ask(timeout=0.2)

    def test_a_mistake_of_the_double_is_none_of_a_forge(self):
        with self.assertRaisesRegex(AssertionError, "the double itself broke"), Harbour() as double:
            self.assertEqual(call(double, "GET", "/broken").status, 500)

    def test_journal(self):
        call(self.double, "POST", "/told/x", {"secret": "hunter2"}, Job_Token="t")
        self.ask()
        entry = self.double.journal.wait("POST", "/told/*", 201)[0]
        self.assertEqual((entry.document, entry.headers["job-token"]), ({"secret": "hunter2"}, "t"))
        self.assertEqual(self.double.journal.holds("hunter2"), [entry])
        self.assertEqual(self.double.journal.holds("hunter3"), [])
        with self.assertRaisesRegex(AssertionError, "in vain"):
            self.double.journal.wait("PUT", seconds=0)

    def test_stopped_in_the_middle(self):
        self.plan(faults.slow(60))
        asking = threading.Thread(target=self.swallow)
        asking.start()
        self.double.journal.wait("GET", answered=False)
        self.double.stop()
        asking.join(30)
        self.assertFalse(asking.is_alive())
        with self.assertRaises(ConnectionRefusedError):
            self.ask()
        self.double.come_back()
        self.assertEqual(self.ask().document, {"name": "x"})

    def swallow(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.ask()


class Secure(unittest.TestCase):
    def test_only_our_authority_is_trusted(self):
        with Authority() as ours, Authority() as another, Harbour(ours) as double:
            context = ssl.create_default_context(cafile=ours.certificate)
            self.assertEqual(call(double, "GET", "/told/x", context=context).document, {"name": "x"})
            with self.assertRaises(ssl.SSLCertVerificationError):
                call(double, "GET", "/told/x", context=ssl.create_default_context(cafile=another.certificate))

    def test_certificate_for_another_name(self):
        with Authority("DNS:elsewhere.test") as authority, Harbour(authority) as double:
            with self.assertRaises(ssl.SSLCertVerificationError):
                call(double, "GET", "/told/x", context=ssl.create_default_context(cafile=authority.certificate))


if __name__ == "__main__":
    unittest.main()
