"""A taken-over apid: tokens and orders that pass through it, and the sockets that it has no business with. None of it gets a secret of a
trusted job for code of its own choice, a container of another shape, another job's log, or the engine."""

import base64
import http.server
import json
import os
import pathlib
import secrets
import socket
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests/Security")]
from house import engine, eventually  # noqa: E402
from takeover import PROOF, EVIL, JOB, JOB_FILE, altered, Takeover  # noqa: E402
from wire import Refused, decoded, definition, digest_of, encoded, shape  # noqa: E402


class Apid(Takeover):
    daemon = "bulkhead-apid"

    @classmethod
    def before(cls):
        cls.done = cls.house.submit("echo words of somebody")
        cls.house.wait(cls.done)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.caught = caught = []

        class API(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                caught.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                answer = json.dumps({"id": 1, "created": True, "done": True}).encode()
                self.send_response(201 if self.path == "/jobs" else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        # The listener of the real apid: what a person sends to this house comes here.
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), API, bind_and_activate=False)
        server.socket.close()
        server.socket = cls.taken.listeners["http"]
        cls.taken.thread(server.serve_forever, 0.05)
        cls.addClassCleanup(server.shutdown)
        cls.house.submit_file("job", JOB_FILE)
        cls.house.set_secret("gamma", b"a value that apid carries")

    def setUp(self):
        self.scheduler = self.taken.peer("scheduler")
        _, headers, body = next(c for c in self.caught if c[0] == "/jobs")
        self.token = headers["Authorization"].removeprefix("Bearer ")
        self.order = decoded("SealedOrder", base64.b64decode(headers["Bulkhead-Order"]))
        self.request = headers["Idempotency-Key"]
        self.assertEqual(self.token, self.house.token, "stolen on its way")

    def submit(self, **other):
        body = {"token": self.token, "request_id": self.request, "definition": JOB, "order": self.order}
        return self.scheduler.call("SubmitJob", **(body | other))

    def test_sealed_orders(self):
        """P3: the token and the sealed order of a person's job, with other code, other secrets, another request, changed bytes: refused.
        The token alone: a job without secrets. The control: as it was sealed it runs, and the proof is in its log; said again it is the
        same job."""
        evil = altered(JOB, run=EVIL)
        bits = [self.order | {field: f"{int(self.order[field][:2], 16) ^ 4:02x}{self.order[field][2:]}"}
                for field in ("key", "encapsulated", "order")]
        own = {"project": "default", "request_id": "own", "trust": "trusted", "commit": "", "definition": digest_of(evil),
               "secrets": ["alpha"]}
        for what, other in {
                "other code": {"definition": evil}, "other code, another request": {"definition": evil, "request_id": "own"},
                "another request": {"request_id": "own"}, "another image": {"definition": JOB | {"spec": JOB["spec"] | {
                    "shape": shape("bulkhead/debian")}}}, "another project": {"definition": JOB | {"project": "other"}},
                "no order": {"order": None}, "no order and other code": {"order": None, "definition": evil},
                "an order of its own": {"definition": evil, "request_id": "own",
                                        "order": self.admin.order("submit", private=os.urandom(32), **own)},
                **{f"changed bits {n}": {"order": order} for n, order in enumerate(bits)},
                "nobody's token": {"token": "x"}}.items():
            with self.assertRaises(Refused, msg=what) as refused:
                self.submit(**other)
            self.assertIn(refused.exception.code, {"order_refused", "invalid", "unauthorized"}, what)
        made = self.submit()
        self.assertTrue(made["created"], "the control")
        self.assertEqual(self.ended(made["job"])["state"], "succeeded")
        self.assertIn(PROOF, self.log(self.token, made["job"]))
        self.assertEqual(self.submit(), {"job": made["job"], "created": False}, "replayed")
        with self.assertRaises(Refused):
            self.submit(definition=evil)
        plain = definition(EVIL)
        job = self.submit(definition=plain, order=None, request_id="plain")["job"]
        self.assertEqual(self.ended(job)["trust"], "untrusted", "what a bearer token may do")
        self.assertNotIn(PROOF, self.log(self.token, job))

    def ended(self, job):
        def final():
            summary = self.scheduler.call("GetJob", token=self.token, job=job)["summary"]
            return summary["state"] in ("succeeded", "failed", "lost") and summary
        return eventually("the job ends", final)

    def log(self, token, job):
        _, fds = self.scheduler.answer(self.scheduler.request("OpenLog", token=token, job=job))
        with open(fds[0], "rb") as file:
            return file.read()

    def test_orders_that_change(self):
        """P3: and P5: a sealed secret that it carries: it cannot be read, changed, said twice, or set in another name. The control: carried
        as it is, once, it is set."""
        _, _, body = next(c for c in self.caught if c[0] == "/orders")
        self.assertNotIn(b"a value that apid carries", body)
        order = decoded("SealedOrder", body)
        self.assertEqual(encoded("SealedOrder", order), body)

        def send(order, token=None):
            return self.scheduler.code("SendOrder", token=token or self.token, order=order)
        for field in ("key", "encapsulated", "order", "value"):
            text = order[field]
            self.assertEqual(send(order | {field: text[:-2] + f"{int(text[-2:], 16) ^ 1:02x}"}), "order_refused", field)
        self.assertEqual(send(order | {"value": ""}), "invalid", "without its value")
        self.assertEqual(send(order | {"value": self.order["order"]}), "order_refused", "another's value")
        self.assertEqual(send(self.order), "order_refused", "the order of a job")
        mine = self.admin.order("set_secret", b"mine", private=os.urandom(32), project="default", name="alpha")
        self.assertEqual(send(mine), "order_refused", "its own key")
        self.assertEqual(send(order, "x"), "unauthorized", "no token")
        self.assertEqual(send(order), "ok", "the control")
        self.assertEqual(send(order), "conflict", "said again")
        known = self.scheduler.call("ListSecrets", token=self.token, project="default", after="")
        self.assertEqual({s["name"] for s in known["secrets"]}, {"alpha", "gamma"}, "names only")

    def test_walls_and_logs(self):
        """P3: its user at the spawner's, the broker's and every other socket but schedulerd's, at the engine, in the others' directories:
        EACCES; and no log without a token that opens it. The controls: each wall taken away; the log with the token of a person."""
        self.assert_walled_in(may={"scheduler"})
        for token in ("", "x", "bj1.1.1.1.1." + "0" * 64):
            with self.assertRaises(Refused) as refused:
                self.log(token, self.done)
            self.assertEqual(refused.exception.code, "unauthorized")
        self.assertEqual(self.log(self.token, self.done), b"words of somebody\n", "the control")


if __name__ == "__main__":
    unittest.main(verbosity=2)
