"""Attacks on what brokerd vouches for, on the brokerd of a running house, through its own sockets, with the users that may enter them."""

import itertools
import os
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Integration"), str(ROOT / "Tests/Security")]
from granted import ALPHA, BETA, TELLS_TOKEN, Granted, attempt, audit  # noqa: E402
from house import DAEMONS, House, eventually  # noqa: E402
from wire import CODES, Gone, Peer, Person, Refused, ROLES, User, decode, definition, digest_of, peer  # noqa: E402

# Calls whose requests, with the numbers of the vectors, change nothing and are answered at once.
HARMLESS = {"list_jobs", "get_job", "list_runners", "describe_host", "verify_token", "watch_masks", "open_log", "drop_runner",
            "ask_branch", "read_token"}


@unittest.skipUnless(os.geteuid() == 0, "becomes other users")
class Broker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "4"))
        cls.house.set_secret("alpha", ALPHA)
        cls.house.set_secret("beta", BETA, project="other")
        cls.scheduler = User.of(cls.house.pid("bulkhead-schedulerd"))
        cls.jobs = itertools.count(1_000_000)

    def setUp(self):
        self.broker = peer(self.house, "broker", self.scheduler)
        self.addCleanup(self.broker.close)
        self.admin = Person(self.house)

    def vouch(self, order=None, token=None, request="r", project="default", digest=None, names=()):
        return self.broker.call("Vouch", token=token or self.admin.token, order=order, request_id=request, project=project,
                                definition=digest, secrets=list(names))["ticket"]

    def test_truth_table(self):
        """S1: order x trust x project x definition x secret x token: every row, against the running brokerd. A secret is released where all
        of it was sealed by the holder's key, and nowhere else. The control is the rows in which it is: the grant opens, and holds the
        value."""
        stranger = os.urandom(32)
        good, other = digest_of(definition("true", A="alpha")), digest_of(definition("false", A="alpha"))
        orders = ["none", "own key", "a stranger's key", "eleven minutes old", "one bit changed", "another kind of order"]
        projects = [("default", "default"), ("default", "other"), ("other", "other")]
        names = [((), ()), (("alpha",), ("alpha",)), (("beta",), ("beta",)), (("gone",), ("gone",)), ((), ("alpha",)),
                 (("alpha",), ("beta",)), (("alpha",), ()), (("bulkhead-job-token",), ("bulkhead-job-token",))]
        rows = itertools.product(orders, ["trusted", "approved", "untrusted"], projects, [good, other], names, ["admin", "nobody"])
        holds = {("default", ("alpha",)): ("alpha", ALPHA), ("other", ("beta",)): ("beta", BETA)}
        counted = {"rows": 0, "tickets": 0, "released": 0}
        for row in rows:
            kind, trust, (sealed_project, project), asked, (sealed_names, wanted), who = row
            agree = sealed_project == project and asked == good and sealed_names == wanted
            exist = not wanted or (project, wanted) in holds
            with_order = kind == "own key" and agree and exist and (trust != "untrusted" or not wanted)
            expected = who == "admin" and (with_order or kind == "none" and not wanted)
            order = None
            if kind != "none":
                case = {"project": sealed_project, "request_id": "r", "trust": trust, "commit": "", "definition": good,
                        "secrets": list(sealed_names)}
                order = self.admin.order("submit", private=stranger if kind == orders[2] else None,
                                         age_ms=660_000 if kind == orders[3] else 0, **case)
                if kind == "one bit changed":
                    order["order"] = order["order"][:-2] + f"{int(order['order'][-2:], 16) ^ 1:02x}"
                if kind == "another kind of order":
                    order = self.admin.order("remove_secret", project=sealed_project, name="nothing")
            counted["rows"] += 1
            try:
                ticket = self.vouch(order, self.admin.token if who == "admin" else "no such token", "r", project, asked, wanted)
            except Refused as refused:
                self.assertFalse(expected, f"{row}: {refused}")
                continue
            self.assertTrue(expected, f"{row}: a ticket")
            counted["tickets"] += 1
            granted = Granted(self.house, self.broker)
            self.assertEqual(granted.ask(ticket, attempt(next(self.jobs))), "ok", row)
            body = granted.body()
            released = {s["name"]: bytes.fromhex(s["value"]) for s in body["secrets"]}
            self.assertEqual(body["definition"], asked, row)
            self.assertEqual(released, dict([holds[project, wanted]]) if wanted else {}, row)
            if released:
                self.assertTrue(kind == "own key" and trust != "untrusted" and asked == good, row)
                counted["released"] += 1
            granted.discard()
        self.assertEqual(counted["rows"], 6 * 3 * 3 * 2 * 8 * 2)
        # Trusted and approved, in the two projects, each with its own secret: and no row more.
        self.assertEqual(counted["released"], 4, counted)
        self.assertGreater(counted["tickets"], 4, "the control: jobs without secrets have tickets, too")

    def test_out_of_order(self):
        """P5: every sequence of four of what schedulerd and relayd may ask about a grant, against a model of a few lines: nothing is
        released before it is prepared, to a second attempt, after it was discarded. The control is the rows that the model says are
        granted."""
        masks = peer(self.house, "mask", User.of(self.house.pid("bulkhead-relayd")))
        self.addCleanup(masks.close)
        digest = digest_of(definition("true"))
        grants = self.house.state / "run/grants"
        seen = set()
        for sequence in itertools.product("PGgWDM", repeat=4):
            if sequence.count("P") > 2:
                continue
            job, ticket = next(self.jobs), self.vouch(digest=digest)
            attempts = {"G": attempt(job), "g": attempt(job, 2)}
            grant, made, used, live = os.urandom(16).hex(), set(), {}, {}
            runner = os.urandom(16).hex()
            for step, word in enumerate(sequence):
                where = f"{''.join(sequence)} at {step}"
                if word == "P":
                    grant = self.broker.call("Prepare", runner=runner)["grant"]
                    made.add(grant)
                elif word in "Gg":
                    got = self.broker.code("Grant", ticket=ticket, grant=grant, runner=runner, attempt=attempts[word], taken=False,
                                           values=None)
                    want = "ok"
                    if used.get(grant, word) != word or live.get(word, grant) != grant:
                        want = "conflict"
                    elif grant not in made:
                        want = "grant_gone"
                    self.assertEqual(got, want, where)
                    if want == "ok":
                        used[grant], live[word] = word, grant
                    self.assertEqual((grants / grant / "grant").exists(), want == "ok" or (grant, "file") in used, where)
                    if want == "ok":
                        used[grant, "file"] = True
                    seen.add(want)
                elif word == "W":
                    self.assertEqual(self.broker.code("Wipe", grant=grant), "ok" if grant in made else "grant_gone", where)
                    used.pop((grant, "file"), None)
                    self.assertEqual(list((grants / grant).glob("*")), [], where)
                elif word == "D":
                    self.assertEqual(self.broker.code("Discard", grant=grant), "ok", where)
                    made.discard(grant)
                    used.pop(grant, None)
                    used.pop((grant, "file"), None)
                    live = {w: g for w, g in live.items() if g != grant}
                    self.assertFalse((grants / grant).exists(), where)
                else:
                    number = masks.request("WatchMasks", attempt=attempts["G"])
                    frame, fds = masks.await_frame(number)
                    for fd in fds:
                        os.close(fd)
                    self.assertEqual(frame["kind"], "item" if "G" in live else "error", where)
                    if frame["kind"] == "item":
                        masks.send("control", "Abandon", 0, {"request_id": number})
                        while masks.await_frame(number)[0]["kind"] == "item":
                            pass
            for left in made:
                self.broker.call("Discard", grant=left)
        self.assertEqual(seen, {"ok", "conflict", "grant_gone"}, "the control: every answer was met")

    def test_tokens_of_jobs(self):
        """S5: a job's token for another job, for what people do, after its end: unauthorized, and in the audit log. The control: while it
        lives it opens its own job and its own log."""
        first, token = self.running_with_token("first")
        second, _ = self.running_with_token("second")
        as_job = {"Authorization": f"Bearer {token}"}
        self.assertEqual(self.house.http("GET", f"/jobs/{first}", headers=as_job)[0], 200, "the control")
        self.assertEqual(self.house.http("GET", f"/jobs/{first}/log", headers=as_job)[0], 200, "the control")
        for method, path in [("GET", f"/jobs/{second}"), ("GET", f"/jobs/{second}/log"), ("GET", "/jobs"), ("GET", "/status"),
                             ("DELETE", f"/jobs/{first}"), ("DELETE", f"/jobs/{second}"), ("GET", "/runners"),
                             ("GET", "/projects/default/secrets")]:
            status, answer = self.house.http(method, path, headers=as_job)
            self.assertEqual(status, 401, f"{method} {path}: {answer}")
        forged = token.replace(f"bj1.{first}.", f"bj1.{second}.")
        self.assertEqual(self.broker.code("VerifyToken", token=forged), "unauthorized", "the other job's number under this one's MAC")
        self.assertEqual(self.broker.code("VerifyToken", token=token), "ok", "the control")
        self.assertFalse([line for line in audit(self.house) if "event=token_denied" in line and f"job={first} " in line])
        for job in (first, second):
            self.house.bulkhead("cancel", job, "--grace", "0", check=0)
            self.house.wait(job)
        eventually("the token is dead", lambda: self.broker.code("VerifyToken", token=token) == "unauthorized")
        self.assertEqual(self.house.http("GET", f"/jobs/{first}/log", headers=as_job)[0], 401)
        self.assertTrue([line for line in audit(self.house) if "event=token_denied" in line and f"job={first} " in line])

    def running_with_token(self, name):
        job = self.house.submit_file(name, TELLS_TOKEN)
        self.addCleanup(self.house.bulkhead, "cancel", job, "--grace", "0")
        line = eventually("the token is told", lambda: re.match(rb"(.+)\n", self.house.log(job)))
        return job, line[1][::-1].decode()

    def test_every_message_from_every_user(self):
        """P1: with every socket open to everybody (the control: then all of them can connect, and the right user is greeted), each message
        of each edge from each other user is answered by peer_refused, whatever role it gives itself: only the kernel's word counts."""
        users = {name: User.of(self.house.pid(name)) for name in DAEMONS} | {"root": User(0, 0, []), "nobody": User(65534, 65534, [])}
        count = 0
        for edge, (client, _) in ROLES.items():
            if edge == "runner":
                continue
            place = self.house.state / "run" / edge
            right = "bulkhead-" + client
            modes = place.stat().st_mode, (place / "socket").stat().st_mode
            os.chmod(place, 0o755), os.chmod(place / "socket", 0o666)
            try:
                for name, user in users.items():
                    if name == right:
                        peer(self.house, edge, user).close()
                        continue
                    for vector in sorted((ROOT / "proto-spec/vectors" / edge).glob("accept_*_request*.hex")):
                        self.refuse(edge, user.connect(place / "socket"), vector, f"{name} -> {edge}: {vector.stem}")
                        count += 1
            finally:
                os.chmod(place, modes[0]), os.chmod(place / "socket", modes[1])
            for role in set(itertools.chain(*ROLES.values())) - {client}:
                with self.assertRaises(Refused, msg=f"{right} as {role}") as refused:
                    Peer(edge, users[right].connect(place / "socket")).greet(role)
                self.assertEqual(refused.exception.code, "role_refused", f"{right} as {role}")
        self.assertGreater(count, 6 * 41, "every message, six other users")

    def refuse(self, edge, sock, vector, what):
        other = Peer(edge, sock)
        _, _, fds, frame = decode.read_vector(vector)
        with open("/dev/null", "rb") as file:
            try:
                other.hello()
                other.send_raw(frame, [file.fileno()] * fds)
            except BrokenPipeError:
                pass  # it has said its word already
        with self.assertRaises(Refused, msg=what) as refused:
            other.receive()
        self.assertEqual(refused.exception.code, "peer_refused", what)
        with self.assertRaises((Gone, ConnectionResetError), msg=what):
            other.receive()
        other.close()

    def test_frames(self):
        """P2: every wrong frame of the vectors, and right ones cut in header and body, at the running daemons: a goodbye with a code or the
        end of the connection, and the daemon lives with as many descriptors as before. The control: the right frames are answered."""
        for edge, (client, server) in ROLES.items():
            if edge == "runner":
                continue
            user, pid = User.of(self.house.pid("bulkhead-" + client)), self.house.pid("bulkhead-" + server)
            path = self.house.state / "run" / edge / "socket"
            before = len(os.listdir(f"/proc/{pid}/fd"))
            refused, answered = 0, 0
            for vector in sorted((ROOT / "proto-spec/vectors" / edge).glob("*.hex")):
                comments, side, fds, data = decode.read_vector(vector)
                if side != "client" or fds or "hello" in vector.stem or "goodbye" in vector.stem:
                    continue
                if vector.stem.startswith("reject_") and "truncated" not in "".join(comments):
                    self.assertIn(self.say(edge, user.connect(path), data), CODES.values(), vector)
                    refused += 1
                elif vector.stem.endswith("_request") and vector.stem.startswith("accept_"):
                    if vector.stem[7:-8] in HARMLESS:
                        answered += self.say(edge, user.connect(path), data) == "answered"
                    for cut in {1, 4, 7, 19, 20, len(data) // 2, len(data) - 1} - {len(data)}:
                        sock = user.connect(path)
                        Peer(edge, sock).greet().send_raw(data[:cut])
                        sock.close()
            self.assertGreater(refused, 0, edge)
            self.assertTrue(answered or edge == "stream", f"the control: {edge}")
            self.assertEqual(self.house.pid("bulkhead-" + server), pid, edge)
            eventually(f"{server} has closed all of it", lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before + 2)

    @staticmethod
    def say(edge, sock, data):
        """`answered`, or the code of the goodbye."""
        other = Peer(edge, sock).greet()
        try:
            other.send_raw(data)
            other.receive()
            return "answered"
        except Refused as refused:
            return refused.code
        finally:
            other.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
