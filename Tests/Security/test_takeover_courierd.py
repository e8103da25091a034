"""P6: a taken-over courierd: its user, its listening socket and its connections; and the real house around it. What it gets: the address
and the forge token of one project after the other. What it does not get, each with a control. That it can
listen nowhere and start nothing is shown in Tests/Sandbox/test_victim.py."""

import errno
import json
import os
import unittest

from takeover import VALUE, Takeover
from wire import Refused, User, definition, peer

TOKEN = b"the-token-of-the-forge"
SHA = "a" * 40
REPOSITORY = {"id": 1, "path": "harbour/ship"}
PUSH = {"push": {"repository": REPOSITORY, "reference": {"tag": False, "name": "main"}, "before": "", "after": SHA,
                 "sender": {"id": 2, "name": "ada"}}}
SIDE = {"repository": REPOSITORY, "branch": "main", "commit": SHA}
CHANGE = {"change": {"repository": REPOSITORY, "number": 1, "action": "opened", "head": SIDE, "base": SIDE,
                     "author": {"id": 3, "name": "eve"}, "sender": {"id": 3, "name": "eve"}, "draft": False}}


class Courierd(Takeover):
    daemon = "bulkhead-courierd"

    @classmethod
    def before(cls):
        file = cls.house.state / "projects.yaml"
        file.write_text(json.dumps({"projects": [{
            "name": "ship", "forge": {"kind": "github"}, "repository": REPOSITORY, "secrets": {"alpha": {}},
            "jobs": [{"name": "test", "image": "bulkhead/busybox", "steps": ["true"]}]}]}))
        cls.house.bulkhead("project", "apply", file, check=0)
        cls.house.set_secret("forge-token", TOKEN, project="ship")
        cls.house.set_secret("webhook-key", VALUE, project="ship")
        cls.house.set_secret("alpha", VALUE, project="ship")

    def setUp(self):
        self.forge = self.taken.peer("forge")

    def test_it_gets_forge_tokens_and_no_other_secret(self):
        """Whatever it says: the forge's token, in a file that it can only read; never a job's secret or the key of a webhook."""
        body, fds = self.forge.answer(self.forge.request("ReadToken", project="ship", rule=None))
        with open(fds[0], "rb") as file:
            self.assertEqual(file.read(), TOKEN)
            with self.assertRaises(OSError) as refused:
                os.write(file.fileno(), b"x")
            self.assertEqual(refused.exception.errno, errno.EBADF)
        self.assertEqual((body["url"], body["repository_id"]), ("https://github.com", 1))
        for name in ("none", "default", "ship/alpha", "../ship", "ship\n"):
            self.assertEqual(self.forge.code("ReadToken", project=name, rule=None), "not_found", name)

    def test_it_speaks_its_edge_and_no_other(self):
        """What schedulerd may ask of brokerd has no place on this socket."""
        for kind, message, body in (("control", 9, b""), ("request", 77, b"")):
            with self.subTest(message=message):
                forge = self.taken.peer("forge")
                frame = (16 + len(body)).to_bytes(4, "big") + message.to_bytes(2, "big") + (b"\6" if kind == "control" else b"\1") + b"\0"
                forge.send_raw(frame + (0 if kind == "control" else 1).to_bytes(8, "big") + bytes(4) + body)
                with self.assertRaises(Refused) as refused:
                    forge.receive()
                self.assertEqual(refused.exception.code, "unpermitted")

    def test_it_cannot_approve_or_speak_for_another_repository(self):
        self.assertEqual(self.forge.code("StateEvent", project="ship", event=PUSH), "ok", "the control")
        approval = {"approval": {"repository": REPOSITORY, "number": 1, "head": SHA, "branch": "main", "by": {"id": 2, "name": "ada"}}}
        self.assertEqual(self.forge.code("StateEvent", project="ship", event=approval), "invalid")
        other = json.loads(json.dumps(PUSH))
        other["push"]["repository"]["id"] = 2
        self.assertEqual(self.forge.code("StateEvent", project="ship", event=other), "invalid")
        self.assertEqual(self.forge.code("StateEvent", project="none", event=PUSH), "not_found")

    def test_its_words_are_of_their_own_kind(self):
        """A word on a job file makes no delivery, and one on a permission no approval: brokerd looks, at schedulerd's socket."""
        delivery = self.forge.call("StateEvent", project="ship", event=PUSH)["delivery"]
        made = definition("true", project="ship")
        word = self.forge.call("StateFile", project="ship", job="test", commit=SHA, branch="", rule="0" * 64, definition="0" * 64)["word"]
        broker = peer(self.house, "broker", User.of(self.house.pid("bulkhead-schedulerd")))
        self.addCleanup(broker.close)

        def vouch(**changed):
            return broker.code("VouchEvent", delivery=delivery | changed, approval=None, file=None, source=None, base=None, job="test",
                               definition=made)
        self.assertEqual(vouch(), "invalid", "the control: the word is taken, and the job is another one")
        self.assertEqual(vouch(mac=word["mac"]), "ticket_refused")
        # A word on a change is neither a delivery nor somebody's wish to have it approved.
        base = self.forge.call("StateBase", project="ship", number=1, head=SHA, branch="main", commit=SHA)["word"]
        self.assertEqual(vouch(mac=base["mac"]), "ticket_refused")
        may = self.forge.call("StatePermission", project="ship", account={"id": 2, "name": "ada"}, permission="admin")["word"]
        change = self.forge.call("StateEvent", project="ship", event=CHANGE)["delivery"]
        for asks, code in ((None, "invalid"), (delivery, "invalid"), (delivery | {"mac": base["mac"]}, "ticket_refused")):
            self.assertEqual(broker.code("Approve", token="", order=None, asks=asks, may=may, change=change, base=base), code)

    def test_it_is_walled_in(self):
        """No other socket, no engine, no database, no grants, and nothing of the operator's."""
        self.assert_walled_in(may={"forge"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
