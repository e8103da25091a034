"""A taken-over schedulerd: forged tickets, other definitions and images, other grants. None of it gets a secret of a
trusted job for code of its own choice, a container of another shape, another job's log, or the engine."""

import base64
import hashlib
import json
import os
import pathlib
import secrets
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests/Security")]
from house import engine  # noqa: E402
from seal import open_grant  # noqa: E402
from takeover import VALUE, PROOF, EVIL, JOB, JOB_FILE, altered, container, Takeover, opened, Scheduling  # noqa: E402
from wire import Refused, decoded, definition, digest_of, shape  # noqa: E402


class Schedulerd(Takeover, Scheduling):
    daemon = "bulkhead-schedulerd"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        caught = []
        cls.taken.serve("scheduler", {"SubmitJob": lambda body, _, reply: (caught.append(body), reply({"job": 1, "created": True}))})
        cls.house.submit_file("job", JOB_FILE)
        cls.caught = caught[0]

    def setUp(self):
        self.begin()

    def vouch(self, **other):
        """A ticket for the job that a person has sent; the ticket is for one job only, so each test asks for its own."""
        wish = {"token": self.caught["token"], "order": self.caught["order"], "request_id": self.caught["request_id"],
                "project": "default", "definition": digest_of(self.caught["definition"]), "secrets": ["alpha"]}
        return self.broker.call("Vouch", **(wish | other))["ticket"]

    def test_code_of_its_own_choice(self):
        """P4: a ticket that was given it, and another definition, another image, another job: the runner opens nothing. The control: the
        very same way with the definition that its holder sealed ends with the proof that the step had the secret."""
        ticket = self.vouch()
        result, log = self.run_job(ticket, self.caught["definition"])
        self.assertEqual((result["state"], log.split()[:1]), ("succeeded", [PROOF]), "the control")
        other_image = json.loads(json.dumps(self.caught["definition"]))
        other_image["spec"]["shape"]["image"] = "bulkhead/debian"
        for what, job, image, reason in [
                ("another command", altered(JOB, run=EVIL), "bulkhead/busybox", "the grant is for the definition"),
                ("another variable", altered(JOB, secrets=[{"name": "alpha", "form": "file", "variable": "A"}]), "bulkhead/busybox",
                 "the grant is for the definition"),
                ("another image under the same definition", self.caught["definition"], "bulkhead/debian", "the job is for the image"),
                ("another image, and it says so", other_image, "bulkhead/debian", "the grant is for the definition")]:
            with self.subTest(what):
                result, log = self.run_job(ticket, job, shape=shape(image))
                self.assertEqual(result["state"], "failed")
                self.assertIn(reason, result["reason"])
                self.assertEqual(log, b"")

    def test_key_in_another_container(self):
        """P4: a grant that was in one container, its key still there, and then in a second one, which reads it: what is sealed to the first
        runner is no use to the second, and the second gets no grant here. The control: the first, which does."""
        ticket, job = self.vouch(), self.caught["definition"]
        first, grant = self.runner(wipe=False)
        key = (self.house.state / "run/grants" / grant / "key").read_bytes()
        self.spawner.call("RemoveRunner", runner=first)
        second = os.urandom(16).hex()
        self.runners.append((second, grant))
        self.assertEqual(self.create(second, grant), "ok")
        self.events.wait("runner_ready", runner=second)
        self.broker.call("Wipe", grant=grant)
        attempt = self.attempt()
        self.assertEqual(self.grant(ticket, grant, second, attempt), "conflict", "prepared for the first")
        self.assertEqual(self.grant(ticket, grant, first, attempt), "ok")
        sealed = (self.house.state / "run/grants" / grant / "grant").read_bytes()
        self.assertIsNone(open_grant(key, bytes.fromhex(second), sealed))
        self.assertIsNotNone(open_grant(key, bytes.fromhex(first), sealed), "the control")
        self.relay.call("RunJob", runner=second, attempt=attempt, definition=job)
        result = self.events.wait("job_finished", attempt=attempt)["result"]
        self.assertIn("sealed for another runner", result["reason"])
        self.assertEqual(self.log(attempt), b"")

    def test_forged_tickets(self):
        """P4: every field of a ticket changed, a ticket for two jobs, orders of its own making: refused. The control: the ticket as it
        is."""
        runner, grant = self.prepare()
        plain = self.vouch(order=None, secrets=[])
        ticket = self.vouch()
        self.assertEqual((plain["trust"], ticket["trust"]), ("untrusted", "trusted"))
        flipped = lambda text: f"{int(text[:2], 16) ^ 1:02x}{text[2:]}"  # noqa: E731
        changes = [{"mac": flipped(ticket["mac"])}, {"mac": "00" * 32}, {"order": flipped(ticket["order"])}, {"subject": "somebody"},
                   {"project": "other"}, {"trust": "approved"}, {"commit": "c"}, {"definition": digest_of(altered(JOB, run=EVIL))},
                   {"secrets": []}, {"secrets": ["alpha", "beta"]}, {"own_values": True}, {"generation": ticket["generation"] + 1},
                   {"issued_ms": ticket["issued_ms"] + 1}]
        self.assertEqual(set().union(*changes), set(ticket), "every field")
        forged = [ticket | change for change in changes]
        forged += [plain | {"trust": "trusted"}, plain | {"trust": "trusted", "secrets": ["alpha"]}, plain | {"secrets": ["alpha"]},
                   plain | {"mac": ticket["mac"]}, ticket | {"mac": plain["mac"]}]
        for bad in forged:
            self.assertEqual(self.grant(bad, grant, runner, self.attempt(9)), "ticket_refused", bad)
        self.assertFalse((self.house.state / "run/grants" / grant / "grant").exists())
        stranger = os.urandom(32)
        evil = digest_of(altered(JOB, run=EVIL))
        own = {"project": "default", "request_id": "r", "trust": "trusted", "commit": "", "definition": evil, "secrets": ["alpha"]}
        for what, wish, code in [
                ("the order, another definition", {"definition": evil}, "order_refused"),
                ("the order, another project", {"project": "other"}, "order_refused"),
                ("the order, other secrets", {"secrets": ["alpha", "beta"]}, "order_refused"),
                ("the order, another request", {"request_id": "r"}, "order_refused"),
                ("no order, and secrets", {"order": None}, "invalid"),
                ("an order sealed with its own key", {"order": self.admin.order("submit", private=stranger, **own), "request_id": "r",
                                                      "definition": evil}, "order_refused"),
                ("the admin's key said, its own used", {"order": self.admin.order("submit", private=stranger, **own)
                                                        | {"key": self.caught["order"]["key"]}, "request_id": "r",
                                                        "definition": evil}, "order_refused"),
                ("nobody's token", {"token": "x"}, "unauthorized")]:
            with self.assertRaises(Refused, msg=what) as refused:
                self.vouch(**wish)
            self.assertEqual(refused.exception.code, code, what)
        self.assertEqual(self.broker.code("Execute", token=self.admin.token, order=self.caught["order"]), "order_refused")
        # As it is: once for a job, and for no other; in the grant of its runner, and of no other.
        other_runner, other_grant = self.prepare()
        self.assertEqual(self.grant(ticket, other_grant, runner, self.attempt(1)), "conflict", "another runner's grant")
        self.assertEqual(self.grant(ticket, grant, runner, self.attempt(1)), "ok", "the control")
        self.assertEqual(self.grant(ticket, other_grant, other_runner, self.attempt(2)), "conflict", "the ticket of another job")

    def test_users_and_tokens_of_its_own_making(self):
        """P4: a token for the admin, another admin, a role, all sealed with a key of its own, under the admin's name, or altered on the
        way; and an order sent twice. The control: the order as its holder sealed it."""
        wanted, stranger = "bh_" + secrets.token_hex(32), os.urandom(32)
        body = {"token": {"user": "admin", "name": "evil", "access": "admin", "projects": [], "expires_ms": 0},
                "hash": hashlib.sha256(wanted.encode()).hexdigest()}
        genuine = self.admin.order("set_token", **body)
        flipped = lambda text: f"{int(text[:2], 16) ^ 1:02x}{text[2:]}"  # noqa: E731
        forged = [genuine | {field: flipped(genuine[field])} for field in ("key", "encapsulated", "order")]
        for case, more in [("set_token", body), ("set_user", {"name": "evil", "key": stranger.hex(), "everywhere": "admin"}),
                           ("set_role", {"user": "admin", "project": "default", "access": "admin"}), ("remove_user", {"name": "admin"}),
                           ("remove_token", {"user": "admin", "name": "first"})]:
            own = self.admin.order(case, private=stranger, **more)
            forged += [own, own | {"key": genuine["key"]}]
        for order in forged:
            self.assertEqual(self.broker.code("Execute", token=self.admin.token, order=order), "order_refused", order)
        self.assertEqual(self.broker.code("Execute", token="bh_" + "0" * 64, order=genuine), "unauthorized")
        self.assertEqual(self.broker.code("VerifyToken", token=wanted), "unauthorized")
        self.assertEqual(self.broker.code("Execute", token=self.admin.token, order=genuine), "ok", "the control")
        self.assertEqual(self.broker.call("VerifyToken", token=wanted)["caller"]["operator"]["everywhere"], "admin")
        self.assertEqual(self.broker.code("Execute", token=self.admin.token, order=genuine), "conflict", "a replay")

    def test_code_beside_a_grant(self):
        """P4: and P5: code of its own choice, without secrets, in the container into which the grant of a trusted job is then put; and
        asked for while the runner's key still lies there. It begins when the key is gone, and what it reads later is sealed. The control:
        with the key, which only root can copy here, the very bytes that it read open."""
        runner, grant = self.runner(wipe=False)
        directory = self.house.state / "run/grants" / grant
        key = (directory / "key").read_bytes()
        spy = definition("echo at first: $(ls -A /run/bulkhead); until [ -e /run/bulkhead/grant ]; do sleep 0.05; done; "
                         "echo $(base64 /run/bulkhead/grant | tr -d '\\n'); ls -A /run/bulkhead; cat /proc/1/environ /proc/1/mem")
        attempt = self.attempt(2)
        self.relay.call("RunJob", runner=runner, attempt=attempt, definition=spy)
        self.events.wait("job_started", attempt=attempt)
        self.assertFalse([e for e in self.events.seen if "step_started" in e], "it waits for the wipe")
        self.broker.call("Wipe", grant=grant)
        self.events.wait("step_started", attempt=attempt)
        self.assertEqual(self.grant(self.vouch(), grant, runner, self.attempt(1)), "ok")
        result, log = self.finish(attempt, grant)
        first, sealed, *rest = log.splitlines()
        self.assertEqual((first, rest[0]), (b"at first:", b"grant"))
        self.assertNotIn(VALUE, log + base64.b64decode(sealed))
        body = decoded("GrantBody", open_grant(key, bytes.fromhex(runner), base64.b64decode(sealed)))
        self.assertEqual(body["secrets"], [{"name": "alpha", "value": VALUE.hex()}], "the control")

    def test_walls(self):
        """P4: its user at the engine, at the sockets of others, in the directories of others, above all the grants: EACCES. The control is
        each of these walls taken away."""
        self.assert_walled_in(may={"spawner", "relay", "broker", "courier"})
        runner, grant = self.prepare()
        key = self.house.state / "run/grants" / grant / "key"
        with self.assertRaises(PermissionError):
            self.user.read(key)
        with opened(key.parent.parent):
            self.assertEqual(self.user.read(key), key.read_bytes(), "the control: one mode, and the runner's key is read")


if __name__ == "__main__":
    unittest.main(verbosity=2)
