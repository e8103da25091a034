"""The walls on the running house: who runs as whom, who holds the engine's socket, what crosses spawnerd, who may call."""

import os
import pathlib
import socket
import stat
import struct
import subprocess
import unittest

from house import DAEMONS, ENGINE, House, engine, eventually


def io(pid):
    """rchar and wchar of a process: every byte it read or wrote by a system call."""
    fields = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(fields["rchar"]) + int(fields["wchar"])


def sockets_of(pid):
    """Inodes of the sockets that a process holds."""
    links = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def peers_of(path):
    """Inodes of the sockets at the other end of connections to `path`: ss(8) knows the pairs."""
    pairs = subprocess.check_output(["ss", "--unix", "--all", "--no-header"], text=True).splitlines()
    rows = [line.split() for line in pairs]
    # netid state recv-q send-q local-address local-inode peer-address peer-inode
    return {row[7] for row in rows if row[4] == str(path)} - {"0"}


@unittest.skipUnless(os.geteuid() == 0, "seven users need root")
class Walls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "2"))

    def test_every_process_is_another_user(self):
        job = self.house.submit("echo up; sleep 30")
        eventually("the job runs", lambda: self.house.log(job) == b"up\n")
        users = {}
        for daemon in DAEMONS:
            status = pathlib.Path(f"/proc/{self.house.pid(daemon)}/status").read_text()
            users[daemon] = status.split("\nUid:\t")[1].split()[0]
            self.assertIn("\nNoNewPrivs:\t1\n", status)
            self.assertIn("\nCapEff:\t0000000000000000\n", status)
            self.assertIn("\nCapBnd:\t0000000000000000\n", status)
        container = self.house.containers()[0]["Id"]
        runner = engine("GET", f"/containers/{container}/json")[1]["State"]["Pid"]
        # The job's filter closes calls that name process 1, and knows of no other thread of it.
        self.assertEqual(os.listdir(f"/proc/{runner}/task"), [str(runner)])
        self.assertGreater(len(os.listdir(f"/proc/{self.house.pid('bulkhead-apid')}/task")), 1, "the control")
        users["bulkhead-runner"] = pathlib.Path(f"/proc/{runner}/status").read_text().split("\nUid:\t")[1].split()[0]
        self.assertEqual(len(set(users.values())), len(DAEMONS) + 1, users)
        self.assertNotIn("0", users.values(), users)
        self.house.bulkhead("cancel", job, "--grace", "0", check=0)
        self.house.wait(job)

    def test_only_spawnerd_can_open_the_engine(self):
        group = os.stat(ENGINE).st_gid
        for daemon in DAEMONS:
            status = pathlib.Path(f"/proc/{self.house.pid(daemon)}/status").read_text()
            groups = status.split("\nGroups:\t")[1].split("\n")[0].split() + status.split("\nGid:\t")[1].split()[:1]
            self.assertEqual(str(group) in groups, daemon == "bulkhead-spawnerd", daemon)

    def test_only_spawnerd_has_the_engine_open(self):
        job = self.house.submit("echo up; sleep 30")
        eventually("the job runs", lambda: self.house.log(job) == b"up\n")
        peers = peers_of(ENGINE)
        held = {daemon: len(sockets_of(self.house.pid(daemon)) & peers) for daemon in DAEMONS}
        # relayd holds the attached stream, which speaks to one container and to nothing else of the engine.
        self.assertGreater(held["bulkhead-spawnerd"], 0, "the positive control: spawnerd waits for the container's end")
        self.assertEqual(held["bulkhead-relayd"], 1, "one stream of one runner")
        others = set(DAEMONS) - {"bulkhead-spawnerd", "bulkhead-relayd"}
        self.assertEqual({held[daemon] for daemon in others}, {0})
        self.house.bulkhead("cancel", job, "--grace", "0", check=0)
        self.house.wait(job)

    def test_job_bytes_never_pass_spawnerd(self):
        size = 50_000_000
        job = self.house.submit(f"while [ ! -e /job/go ]; do [ -e /job/src/go ] || true; sleep 0.2; echo; break; done; "
                                f"sleep 1; head -c {size} /dev/zero")
        eventually("the job runs", lambda: self.house.log(job) == b"\n")
        spawner, relay = self.house.pid("bulkhead-spawnerd"), self.house.pid("bulkhead-relayd")
        before, relay_before = io(spawner), io(relay)
        eventually("the log is whole", lambda: len(self.house.log(job)) >= size, 120)
        grown, relay_grown = io(spawner) - before, io(relay) - relay_before
        self.house.wait(job)
        self.assertGreater(relay_grown, size, "the positive control: relayd's counters do see the bytes")
        # The end of the container costs a few engine answers; the log would cost fifty million bytes.
        self.assertLess(grown, 200_000)

    def sockets(self):
        return {edge: self.house.state / "run" / edge / "socket" for edge in EDGES}

    def test_other_users_cannot_reach_a_socket(self):
        for edge, path in self.sockets().items():
            for daemon in DAEMONS:
                allowed = EDGES[edge][0] == daemon
                self.assertEqual(self.connect_as(daemon, path), allowed, f"{daemon} -> {edge}")

    def test_no_server_can_replace_its_socket(self):
        """Root chowns and removes what is there at the next start: a link of the server's in its place would lead root elsewhere."""
        for edge, path in self.sockets().items():
            place, file = path.parent.stat(), path.stat()
            self.assertEqual((place.st_uid, stat.S_IMODE(place.st_mode), place.st_gid), (0, 0o710, file.st_gid), edge)
            self.assertEqual(stat.S_IMODE(file.st_mode), 0o660, edge)
            trial = path.parent / "trial"
            self.assertFalse(self.makes_as(file.st_uid, trial), f"{edge}: its server cannot make {trial}")
            os.chown(path.parent, file.st_uid, -1)
            try:
                self.assertTrue(self.makes_as(file.st_uid, trial), "the control: in a directory of its own it can")
            finally:
                os.chown(path.parent, 0, -1)
                trial.unlink(missing_ok=True)

    def makes_as(self, uid, link):
        """Whether this user can make a symbolic link."""
        command = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "ln", "-s", "/etc", link]
        return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0

    def connect_as(self, daemon, path):
        """Whether a process with the user and groups of `daemon` is greeted with a Hello at this socket."""
        answer = self.converse_as(daemon, path, [(hello_frame(path.parent.name), [])])
        return kind_of(answer) == "hello"

    def converse_as(self, daemon, path, messages):
        """What the server says, to the end or for a second, to a process with the user and groups of `daemon`."""
        status = pathlib.Path(f"/proc/{self.house.pid(daemon)}/status").read_text()
        uid, gid = (int(status.split(f"\n{k}:\t")[1].split()[0]) for k in ["Uid", "Gid"])
        groups = [int(g) for g in status.split("\nGroups:\t")[1].split("\n")[0].split()]
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups(groups)
                os.setresgid(gid, gid, gid)
                os.setresuid(uid, uid, uid)
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(1)
                    s.connect(str(path))
                    for data, descriptors in messages:
                        socket.send_fds(s, [data], descriptors)
                    while piece := s.recv(4096):
                        os.write(writer, piece)
            except OSError:
                pass
            os._exit(0)
        os.close(writer)
        answer = b""
        while piece := os.read(reader, 4096):
            answer += piece
        os.close(reader)
        os.waitpid(child, 0)
        return answer

    def test_the_right_user_with_wrong_words(self):
        with open("/dev/null", "rb") as file, socket.socket(socket.AF_UNIX) as peer:
            take_stream = bytes(16) + b"\2" + b"\0\0"  # runner, framing docker_multiplexed, pending
            for edge, path in self.sockets().items():
                daemon = EDGES[edge][0]
                hello = (hello_frame(edge), [])
                good, bad = [hello], {
                    "a request before the hello": ([(frame(1, 1, 1, b""), [])], 5),
                    "a message that nobody knows": ([hello, (frame(999, 1, 1, b""), [])], 5),
                    "an answer to no request": ([hello, (frame(1, 2, 1, b""), [])], 5),
                    "a descriptor that is not permitted": ([hello, (frame(999, 1, 1, b"", fds=1), [file.fileno()])], 5),
                    "a length beyond the limit": ([hello, (b"\0\x20\0\0" + bytes(16), [])], 7),
                    "another magic": ([(hello_frame(edge).replace(b"BULKHEAD", b"OTHERHED"), [])], 1),
                }
                if edge == "stream":
                    bad["a file where a socket is due"] = ([hello, (frame(1, 1, 1, take_stream, fds=1), [file.fileno()])], 8)
                    bad["no descriptor where one is due"] = ([hello, (frame(1, 1, 1, take_stream), [])], 8)
                self.assertEqual(kind_of(self.converse_as(daemon, path, good)), "hello", f"the positive control: {edge}")
                for what, (messages, code) in bad.items():
                    answer = self.converse_as(daemon, path, messages)
                    self.assertEqual(kind_of(answer), f"goodbye {code}", f"{edge}: {what}: {answer!r}")
        job = self.house.submit("echo alive")
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED", "the servers are alive")

    def test_wrong_messages_end_the_connection_not_the_server(self):
        # Root is not the expected peer either: the server says goodbye before it reads a word.
        for edge, path in self.sockets().items():
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5)
                s.connect(str(path))
                frame = s.recv(4096)
                self.assertEqual(frame[4:7], b"\0\2\6", f"{edge}: a Goodbye control frame")
                self.assertEqual(struct.unpack(">H", frame[20:22])[0], 3, f"{edge}: peer_refused")
                self.assertEqual(s.recv(1), b"", f"{edge}: closed")
        job = self.house.submit("echo alive")
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")

    def test_container_is_as_planned(self):
        job = self.house.submit("echo up; sleep 30", resources={"memory": "64MiB", "disk": "16MiB", "pids": 50, "cpus": 0.5})
        eventually("the job runs", lambda: self.house.log(job) == b"up\n")
        seen = engine("GET", f"/containers/{self.house.containers()[0]['Id']}/json")[1]
        host = seen["HostConfig"]
        self.assertEqual(host["NetworkMode"], "none")
        self.assertFalse(host["Privileged"])
        self.assertTrue(host["ReadonlyRootfs"])
        self.assertEqual(host["CapDrop"], ["ALL"])
        self.assertFalse(host["CapAdd"])
        self.assertEqual((host["Memory"], host["MemorySwap"]), (64 << 20, 64 << 20))
        self.assertEqual(host["PidsLimit"], 50)
        self.assertEqual(host["NanoCpus"], 500_000_000)
        self.assertEqual(host["LogConfig"]["Type"], "none")
        self.assertTrue(any(o.startswith("no-new-privileges") for o in host["SecurityOpt"]))
        self.assertTrue(any(o.startswith("seccomp={") for o in host["SecurityOpt"]))
        self.assertTrue(host["MaskedPaths"])
        self.assertFalse([m for m in seen["Mounts"] if "docker.sock" in str(m)])
        self.assertNotIn(self.house.token, str(seen))
        self.house.bulkhead("cancel", job, "--grace", "0", check=0)
        self.house.wait(job)

    def test_no_secret_in_argv_environment_or_logs(self):
        token = self.house.token.encode()
        self.house.bulkhead("jobs", check=0)
        for daemon in DAEMONS:
            pid = self.house.pid(daemon)
            for file in ["cmdline", "environ"]:
                self.assertNotIn(token, pathlib.Path(f"/proc/{pid}/{file}").read_bytes(), daemon)
        files = [f for f in self.house.state.rglob("*") if f.is_file() and f.name != "admin-token"]
        self.assertTrue(any(f.name.endswith(".log") for f in files), "the positive control: the logs are searched")
        for file in files:
            self.assertNotIn(token, file.read_bytes(), file)


# edge: its client, and the number of that role in proto-spec/link.wire
EDGES = {"scheduler": ("bulkhead-apid", 1), "spawner": ("bulkhead-schedulerd", 2), "stream": ("bulkhead-spawnerd", 3),
         "relay": ("bulkhead-schedulerd", 2), "broker": ("bulkhead-schedulerd", 2), "mask": ("bulkhead-relayd", 5),
         "courier": ("bulkhead-schedulerd", 2), "forge": ("bulkhead-courierd", 6)}


def frame(number, kind, request, body, fds=0):
    return struct.pack(">IHBBQI", 16 + len(body), number, kind, fds, request, 0) + body


def hello_frame(edge):
    """A Hello by hand, after proto-spec/README.md."""
    return frame(1, 6, 0, b"BULKHEAD-WIRE-1\n" + struct.pack(">HHHBIH", 1, 0, 0, EDGES[edge][1], 65536, 64))


def kind_of(answer):
    """`hello`, `goodbye CODE` for the last frame that came, or `nothing`."""
    last = "nothing"
    while len(answer) >= 20:
        length, number = struct.unpack(">IH", answer[:6])
        last = "hello" if number == 1 and answer[6] == 6 else f"goodbye {struct.unpack('>H', answer[20:22])[0]}"
        answer = answer[4 + length:]
    return last


if __name__ == "__main__":
    unittest.main(verbosity=2)
