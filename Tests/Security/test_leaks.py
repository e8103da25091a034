"""S4: control: the search for a canary finds it wherever a program keeps it, also where nobody meant it to be, and not where it was wiped.
The program is a small one with the daemons' own types; that the daemons themselves are searched is shown by `make mutants`, which builds
them with such leaks and runs test_canary.py."""

import http.server
import os
import subprocess
import threading
import unittest

from test_canary import BINARIES, canary, memory_holds

# Each way of leak-fixture, and whether something is left.
WAYS = {"secret": True, "array": True, "text": True, "masks": True, "wiped secret": False, "freed array": False, "freed masks": False,
        "sent": False}
# The loader, where it looks a function up at its first call, lays the registers on the stack: with a value that was just copied. A
# daemon's next calls write over it; this program makes none.
AT_ONCE = {"LD_BIND_NOW": "1"}


class Forge(http.server.BaseHTTPRequestHandler):
    """Keeps the connection open, and what it was told."""
    protocol_version = "HTTP/1.1"
    told = []

    def do_GET(self):
        self.told.append(self.headers["Authorization"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@unittest.skipUnless(os.geteuid() == 0, "reads other processes' memory")
class Leaks(unittest.TestCase):
    def test_every_way(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forge)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        for way, is_left in WAYS.items():
            value, port = canary(), str(server.server_port)
            with self.subTest(way), subprocess.Popen([BINARIES / "leak-fixture", way, port], stdin=subprocess.PIPE,
                                                     stdout=subprocess.PIPE, env=AT_ONCE) as program:
                program.stdin.write(value)
                program.stdin.flush()
                self.assertEqual(program.stdout.readline(), b"kept\n")
                self.assertEqual(memory_holds(program.pid, [value, canary()]), {value} if is_left else set())
                if way == "sent":
                    self.assertEqual(Forge.told, [f"Bearer {value.decode()}"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
