"""What reaches a webhook's address before anybody knows who sends it: slow, endless, ambiguous and crooked requests. Each carries a
delivery that is genuine, so that whatever is taken by mistake would make a job."""

import contextlib
import os
import pathlib
import resource
import selectors
import socket
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Integration"))
from hooked import HookedHouse  # noqa: E402
from house import eventually  # noqa: E402

PATH = "/webhook/github/shop"


class Edges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
        cls.house = cls.enterClassContext(HookedHouse("shop", options=("--max-runners", "2")))
        cls.number = 0

    @classmethod
    def tearDownClass(cls):
        cls.house.bulkhead("drain", check=0)

    def delivery(self, path=PATH):
        """Head and body of a genuine one that nobody has sent yet."""
        type(self).number += 1
        head, _, body = self.house.pushes["shop"].make(self.number, path)[1].partition(b"\r\n\r\n")
        return head, body

    def count(self):
        return self.house.select("SELECT count(*) FROM deliveries")[0][0]

    def nothing_came(self, of):
        before = self.count()
        of()
        self.assertEqual(self.count(), before)

    def whole(self, path=PATH):
        head, body = self.delivery(path)
        return head + b"\r\n\r\n" + body

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.house.port), timeout=60)

    # W9: senders that never come to an end

    def test_w9_slow_senders_are_closed_and_in_nobodys_way(self):
        """W9: 900 that send a byte a second, in the head or in the body, and a good one beside them."""
        selector, slow = selectors.DefaultSelector(), []
        with contextlib.ExitStack() as stack:
            for number in range(900):
                connection = stack.enter_context(self.connect())
                head, body = self.delivery()
                request = head if number % 2 else head + b"\r\n\r\n" + body
                connection.sendall(request[:len(head) - 20] if number % 2 else request[:-200])
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_READ)
                slow.append(connection)
            before = self.count()
            # Longer than the head's ten seconds and the body's thirty; a busy machine may need more.
            closed, answered, good, end = 0, b"", 0, time.monotonic() + 120
            while closed < len(slow) and time.monotonic() < end:
                if good < 20:
                    good += 1
                    self.assertEqual(self.house.say(self.whole()), 202)
                for connection in slow:
                    with contextlib.suppress(OSError):
                        connection.send(b"x")
                for key, _ in selector.select(1):
                    said = b""
                    with contextlib.suppress(OSError):
                        said = key.fileobj.recv(4096)
                    answered += said
                    if not said:
                        selector.unregister(key.fileobj)
                        closed += 1
        self.assertEqual(closed, len(slow))
        self.assertNotIn(b" 202 ", answered)
        self.assertEqual(self.count(), before + good)

    def test_w9_the_control_one_that_is_slow_and_in_time(self):
        """W9: in pieces, two seconds long: it is taken."""
        request = self.whole()
        with self.connect() as connection:
            for start in range(0, len(request), len(request) // 8):
                connection.sendall(request[start:start + len(request) // 8])
                time.sleep(0.2)
            self.assertIn(b" 202 ", connection.recv(4096))

    # W10: heads without a bound

    def test_w10_large_heads(self):
        """W10: one line of 17 KiB, 101 lines, and one that does not end; up to the limits it is taken."""
        def with_lines(*lines):
            head, body = self.delivery()
            return b"\r\n".join([head, *lines]) + b"\r\n\r\n" + body

        def refused():
            self.assertEqual(self.house.say(with_lines(b"X: " + b"x" * 17_000)), 431)
            self.assertEqual(self.house.say(with_lines(*(b"X-%d: 1" % number for number in range(101)))), 431)
            with self.connect() as connection, self.assertRaises(OSError):
                connection.sendall(self.delivery()[0] + b"\r\nX: ")
                for _ in range(10_000):
                    connection.sendall(b"x" * 10_000)
        self.nothing_came(refused)
        self.assertEqual(self.house.say(with_lines(b"X: " + b"x" * 14_000)), 202)
        self.assertEqual(self.house.say(with_lines(*(b"X-%d: 1" % number for number in range(80)))), 202)

    # W11: requests that two readers read as two things

    def test_w11_a_request_in_another(self):
        """W11: a genuine delivery in the body of what a proxy might read otherwise is nobody's delivery."""
        chunked, length = b"Transfer-Encoding: chunked", b"Content-Length: 4"
        post = b"POST " + PATH.encode() + b" HTTP/1.1\r\n"
        lines = {
            "length, then chunks": [b"Host: a", length, chunked], "chunks, then length": [b"Host: a", chunked, length],
            "two lengths": [b"Host: a", length, b"Content-Length: 0"], "twice a length": [b"Host: a", length, length],
            "a list of lengths": [b"Host: a", b"Content-Length: 4, 4"], "a signed length": [b"Host: a", b"Content-Length: +4"],
            "chunks twice": [b"Host: a", chunked, chunked], "other chunks": [b"Host: a", b"Transfer-Encoding: xchunked"],
            "a folded line": [b"Host: a", b"X: a", b" Content-Length: 4"], "a space before the colon": [b"Host: a", b"Content-Length : 4"],
            "no host": [length], "two hosts": [b"Host: a", b"Host: b", length], "an expectation": [b"Host: a", b"Expect: x", length],
        }

        def refused():
            for what, more in lines.items():
                with self.subTest(what):
                    status = self.house.say(post + b"\r\n".join(more) + b"\r\n\r\n0\r\n\r\n" + self.whole())
                    self.assertTrue(status is None or 400 <= status < 600, status)
            for target in (b"http://a" + PATH.encode(), b"*"):
                with self.subTest(target):
                    head, body = self.delivery()
                    request = head.replace(PATH.encode(), target, 1) + b"\r\n\r\n" + body
                    self.assertEqual(self.house.say(request + self.whole()), 400)
        self.nothing_came(refused)

    def test_w11_many_in_one_go(self):
        """W11: 10,000 of the same behind each other are one; the control: two that differ, behind each other, are two."""
        one, before = self.whole(), self.count()
        with self.connect() as connection:
            connection.settimeout(5)
            with contextlib.suppress(OSError):
                connection.sendall(one * 200)
                while connection.recv(65536):
                    pass
        with self.connect() as connection:
            connection.setblocking(False)
            left, end = memoryview(one * 10_000), time.monotonic() + 10
            while left and time.monotonic() < end:
                try:
                    left = left[connection.send(left[:1 << 16]):]
                except BlockingIOError:
                    with contextlib.suppress(BlockingIOError):
                        connection.recv(1 << 16)
                except OSError:
                    break
        eventually("it is there", lambda: self.count() == before + 1)
        with self.connect() as connection:
            connection.sendall(self.whole() + self.whole())
            eventually("both are there", lambda: self.count() == before + 3)

    # W12: every connection that there is

    def ticks(self):
        fields = pathlib.Path(f"/proc/{self.house.pid('bulkhead-apid')}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def test_w12_more_connections_than_there_are(self):
        """W12: 1,300 that say nothing: apid waits with the rest and does nothing meanwhile; when they are closed all is as it was."""
        second = os.sysconf("SC_CLK_TCK")
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(socket.socket()) for _ in range(1300)]
            for connection in held:
                connection.setblocking(False)
                connection.connect_ex(("127.0.0.1", self.house.port))
            time.sleep(2)
            before = self.ticks()
            time.sleep(4)
            self.assertLess(self.ticks() - before, 2 * second, "it spins")
            # The others do their work without it.
            self.assertIsNotNone(self.house.pid("bulkhead-schedulerd"))
            # Ten seconds later they are closed, and whoever waited is served.
            self.assertEqual(self.house.say(self.whole(), timeout=90), 202)
        # The control: what is counted is seen to grow.
        before = self.ticks()
        eventually("apid has worked", lambda: [self.house.say(self.whole()) for _ in range(50)] and self.ticks() > before)

    # W19: addresses and words that mean more than they say

    def test_w19_crooked_addresses(self):
        """W19: an address is normalised by nobody: what is not the address itself is no address."""
        crooked = [
            "/webhook/github/..;/shop", "/webhook/x/../github/shop", "/webhook/./github/shop", "/webhook/%2e%2e/webhook/github/shop",
            "/webhook/github/shop;x=.css", "/webhook/github;a=b/shop", "/webhook/github/%2573hop", "/webhook%2Fgithub%2Fshop",
            "/WEBHOOK/github/shop", "/webhook/GitHub/shop", "/webhook/github/shop%00", "/webhook/github/shop%20", "/webhook/github/shop/x",
            "/webhook/github/@/etc/passwd", "/webhook/github/@shop", "\\webhook\\github\\shop",
        ]

        def refused():
            for path in crooked:
                with self.subTest(path):
                    self.assertIn(self.house.say(self.whole(path)), (400, 401, 404))
        self.nothing_came(refused)
        self.assertEqual(self.house.say(self.whole()), 202)

    def test_w19_no_way_around_the_token(self):
        """W19: what asks for a token asks for it whatever its address looks like; the control has one."""
        for path in ("/jobs", "/jobs;x=.css", "/jobs/..;/jobs", "//jobs", "/./jobs", "/%6aobs", "/jobs%2f", "/health/../jobs",
                     "/health/%2e%2e/jobs", "/jobs/?x=.css", "/jobs/1/log;.js", "/openapi.json/../jobs"):
            with self.subTest(path):
                self.assertIn(self.house.say(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()), (400, 401, 404))
        self.assertEqual(self.house.api("GET", "/jobs")[0], 200)

    def test_w19_a_word_with_an_at_is_a_word(self):
        """W19: `@file` opens no file, at the command line and in a job."""
        done = self.house.bulkhead("project", "export", "@/etc/passwd")
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn(b"root:", done.stdout + done.stderr)
        job = self.house.submit("echo \"$WORD\"", name="@/etc/passwd", env={"WORD": "@/etc/passwd"})
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(job), b"@/etc/passwd\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
