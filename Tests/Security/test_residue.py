"""What a job leaves behind for the next one, and what it can reach: nothing."""

import contextlib
import os
import pathlib
import socket
import subprocess
import unittest

from jobs import Attack, Plain, execute, submit, tried, verdicts
from house import House, eventually

TRACES = {"files", "sysv-memory", "sysv-messages", "sysv-semaphores", "message-queue", "keyring", "abstract-socket", "loopback", "process"}


def host_processes(word):
    """Who on the whole machine has this word in its command line."""
    found = []
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and int(entry.name) != os.getpid() and word in pathlib.Path(entry, "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


@unittest.skipUnless(os.geteuid() == 0, "starts containers of its own, and looks at everybody's processes")
class Residue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.attack = cls.enterClassContext(Attack())
        cls.house = cls.enterClassContext(House("--max-runners", "4", "--allow-build-profile"))
        cls.binds = {"Binds": [f"{cls.attack.directory}:/a:ro"]}

    def submit(self, *steps, **more):
        # Each time anew: a source is kept as long as a job needs it.
        return submit(self.house, *steps, source=self.attack.upload(self.house), **more)

    def test_nothing_outlives_its_step(self):
        """R5: deaf, stopped, of another session, or forking without an end: gone before the next step, and from the machine."""
        shapes = {"strict": [{}, {}], "untrusted": [{"untrusted": True}, {}], "build": [{}, {"untrusted": True}]}
        jobs = {}
        for shape, (first, second) in shapes.items():
            mark = f"stay-{shape}-{os.getpid()}"
            jobs[shape] = mark, self.submit(
                {"run": f"/job/src/attack stay {mark}; ps -o args | grep -c '^/job/src/attack stay'", **first},
                {"run": "ps -o args | grep -c '^/job/src/attack stay' || true; ls /proc >/tmp/all; grep -c '^[0-9]' /tmp/all", **second},
                timeout=60, profile="build" if shape == "build" else "strict")
        for shape, (mark, job) in jobs.items():
            with tried(shape, self.house, job):
                self.assertEqual(self.house.wait(job, 90)["state"], "SUCCEEDED")
                left, there, still, everybody = self.house.log(job).decode().split()
                self.assertEqual((left, still), ("left", "0"))
                self.assertGreaterEqual(int(there), 2, "the control: in the step itself they are seen")
                self.assertEqual(everybody, "3", "the runner, the shell and ls")
                self.assertEqual(host_processes(mark.encode()), [])
        # The control: without a runner as the first process they live on beside the next "step".
        mark = f"stay-control-{os.getpid()}"
        with Plain(["sleep", "600"], PidsLimit=64, **self.binds) as plain:
            execute(plain.id, ["/a/attack", "stay", mark], "1000:1000", detach=True)
            eventually("they are there", lambda: len(host_processes(mark.encode())) >= 2)
            # What forks without an end sometimes leaves the engine no process to look with.
            eventually("the next step sees them", lambda: mark in plain.run("ps", "-o", "args"))
        eventually("the control is gone", lambda: not host_processes(mark.encode()))

    def test_the_next_job_sees_none_of_it(self):
        """R6: files, shared memory, queues, sockets, keyrings and processes, for a neighbour and for the next job."""
        word = f"trace-{os.getpid()}"
        for profile in ["strict", "build"]:
            first = self.submit(f"./attack plant {word}; ./attack find {word}; echo; touch /tmp/ready; while [ ! -e /tmp/go ]; do "
                                "sleep 0.1; done", profile=profile)
            with tried(profile, self.house, first):
                eventually("the job has planted and found", lambda: b"process " in self.house.log(first))
                planted = self.house.log(first).decode()
                found = {what for what, verdict in verdicts(planted).items() if verdict == "found"}
                # The control: the search finds what is there. The keyring is not: the filter does not know that call.
                self.assertEqual(found, TRACES - {"keyring"})
                writable = {line.split()[1] for line in planted.splitlines() if line.startswith("planted /") and line.endswith("yes")}
                self.assertLessEqual({"/tmp", "/dev/shm", "/job/src"}, writable)
                self.assertFalse({"/", "/etc", "/root", "/run/bulkhead", "/.bulkhead"} & writable if profile == "strict" else
                                 {"/run/bulkhead"} & writable)
            neighbour = self.submit(f"./attack find {word}", profile=profile)
            self.assert_none(neighbour)
            self.house.bulkhead("cancel", first, "--grace", "0", check=0)
            self.house.wait(first)
            # Of the same shape, so that it would take the same runner if runners were taken twice.
            self.assert_none(self.submit(f"./attack find {word}", profile=profile))

    def assert_none(self, job):
        self.house.wait(job)
        with tried("finds", self.house, job):
            self.assertEqual(verdicts(self.house.log(job).decode()), dict.fromkeys(TRACES, "none"))

    def test_in_one_container_all_of_it_is_found(self):
        """R6, the control: two "jobs" in one container and without the filter, as a runner that is used again would be."""
        word = f"trace-control-{os.getpid()}"
        with Plain(["sleep", "600"], SecurityOpt=["seccomp=unconfined"], Tmpfs={"/tmp": "mode=1777"}, **self.binds) as plain:
            execute(plain.id, ["/a/attack", "plant", word], "1000:1000", detach=True)
            found = eventually("all of it is planted", lambda: (
                v := verdicts(plain.run("/a/attack", "find", word)))["process"] == "found" and v["loopback"] == "found" and v)
            self.assertEqual({what for what, verdict in found.items() if verdict == "found"}, TRACES)

    def test_no_network_but_its_own(self):
        """R7: metadata, the machine, neighbours, names, raw sockets."""
        with contextlib.ExitStack() as stack:
            tcp = stack.enter_context(socket.create_server(("0.0.0.0", 0)))
            hidden = stack.enter_context(socket.socket(socket.AF_UNIX))
            name = f"bulkhead-r7-{os.getpid()}"
            hidden.bind("\0" + name)
            hidden.listen()
            neighbour = self.submit(f"./attack plant {name}-job; sleep 600")
            eventually("the neighbour listens", lambda: b"planted all" in self.house.log(neighbour))
            port = str(tcp.getsockname()[1])
            addresses = subprocess.check_output(["hostname", "-I"], text=True).split()
            targets = [("169.254.169.254", "80"), ("127.0.0.1", port), ("127.0.0.1", str(self.house.port)), ("127.0.0.1", "27700"),
                       *((address, port) for address in addresses), ("172.17.0.1", "2375"), ("8.8.8.8", "53"), ("127.0.0.11", "53"),
                       ("fe80::1", "80"), ("ff02::1", "5353"), ("255.255.255.255", "67"), ("@" + name, "0"),
                       (f"@{name}-job", "0")]
            command = "./attack reach " + " ".join(f"{host} {port}" for host, port in targets)
            shapes = {"strict": {}, "build": {"profile": "build"}}
            jobs = {shape: self.submit(command + "; nslookup example.org 2>&1 | grep -c Name: || true; ls /sys/class/net; "
                                  "cat /proc/net/route", **more) for shape, more in shapes.items()}
            for shape, job in jobs.items():
                self.house.wait(job)
                with tried(shape, self.house, job):
                    log = self.house.log(job).decode()
                    found = verdicts(log)
                    self.assertGreater(len(found), 2 * len(targets))
                    reached = {what for what, verdict in found.items() if verdict == "reached"}
                    # A datagram to one's own loopback goes into the void; nobody but the job could listen there.
                    self.assertEqual({what for what in reached if not what.startswith("udp/127.")}, set())
                    self.assertEqual([line for line in log.splitlines() if line.startswith("interface")], ["interface lo"])
                    self.assertEqual(log.splitlines()[-3:-1], ["0", "lo"])
                    for what in ["raw-icmp", "raw-icmp6", "ping", "packet", "vsock"]:
                        self.assertEqual(found[what], "denied EPERM", what)
            self.assertEqual(self.house.job(neighbour)["state"], "RUNNING")
            # The controls. On the machine's network the same program reaches the same sockets of ours.
            with Plain(["/a/attack", *command.split()[1:]], NetworkMode="host", UsernsMode="host", **self.binds) as plain:
                found = verdicts(plain.wait())
                for what in [f"tcp/127.0.0.1:{port}", f"tcp/127.0.0.1:{self.house.port}", f"@{name}"]:
                    self.assertEqual(found[what], "reached", what)
            self.house.bulkhead("cancel", neighbour, "--grace", "0", check=0)
            self.house.wait(neighbour)

    def test_a_metadata_service_next_door_would_be_reached(self):
        """R7, the control: in one network with it, metadata and raw sockets are there for the same program."""
        serve = "ip addr add 169.254.169.254/32 dev lo && ip link set lo up && httpd -f -h /tmp -p 80"
        with Plain(["sh", "-c", serve], user="0:0", CapAdd=["NET_ADMIN"], Tmpfs={"/tmp": "mode=1777"}) as service:
            def reached():
                with Plain(["/a/attack", "reach", "169.254.169.254", "80"], user="0:0", NetworkMode=f"container:{service.id}",
                           CapAdd=["NET_RAW"], **self.binds) as plain:
                    found = verdicts(plain.wait())
                return found if found["tcp/169.254.169.254:80"] == "reached" else None
            found = eventually("the service answers", reached)
            self.assertEqual({found["raw-icmp"], found["packet"]}, {"reached"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
