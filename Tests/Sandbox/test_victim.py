"""Each rule of the daemons' sandboxes, tried by a program that confines itself like a daemon and then does what it must not. For each act
the same is done without the sandbox: where the act does not succeed even then, the kernel itself refused it, and not by SIGSYS."""

import contextlib
import errno
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VICTIM = pathlib.Path(os.environ.get("BULKHEAD_BINARIES", ROOT / ".build/release")) / "sandbox-victim"
PROFILES = ["apid", "brokerd", "courierd", "relayd", "schedulerd", "spawnerd"]
THREADED = {"apid", "courierd"}
# The one that has a network, and what it may do that no other may.
OUT = "courierd"
OF_OUT = {"socket-inet", "socket-inet6", "socket-netlink"}
# Told no, where the others are killed: a library tries, and can do without.
TOLD_NO = {"schedulerd", "courierd"}
USER = 7799  # no daemon's; only root can take it
X86 = os.uname().machine == "x86_64"
SIGSYS = -signal.SIGSYS

# Acts that no profile permits, whatever they are done to. The value is what the kernel may say without the sandbox.
EVERYWHERE = {
    "bpf": {"done", errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.EFAULT},
    "chroot": {"done", errno.EPERM},
    "clone-process": {"done"},
    "dumpable": {"done"},
    "execve": {"exit"},
    "fork": {"done"},
    "io-uring": {"done", errno.EPERM, errno.ENOSYS},
    "keyctl": {"done", errno.ENOSYS},
    "kill": {"done", errno.EPERM},
    "landlock": {"done", errno.ENOSYS, errno.EOPNOTSUPP},
    "memfd": {"done"},
    "mount": {errno.EPERM},
    "mprotect-exec": {"done"},
    "perf": {"done", errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOENT},
    "personality": {"done"},
    "pidfd": {"done"},
    "process-vm-readv": {"done"},
    "ptrace": {"done"},
    "seccomp": {"done"},
    "setuid": {"done"},
    "socket-alg": {"done", errno.EAFNOSUPPORT},
    "socket-inet": {"done"},
    "socket-inet6": {"done", errno.EAFNOSUPPORT},
    "socket-netlink": {"done"},
    "socket-packet": {errno.EPERM},
    "symlink": {"done"},
    "fifo": {"done"},
    "tgkill": {"done", errno.EPERM},
    "unshare": {"done", errno.EPERM, errno.ENOSPC},
    "userfaultfd": {"done", errno.EPERM, errno.ENOSYS},
    "vfork": {"done"},
}
if X86:
    EVERYWHERE |= {"i386": {"done", errno.ENOSYS, "killed"}, "x32": {"done", errno.ENOSYS}}


class Outcome:
    def __init__(self, done):
        self.status = done.returncode
        self.lines = done.stdout.decode().splitlines()
        self.errors = done.stderr.decode()
        self.begun = "begun" in self.lines
        last = self.lines[-1] if self.lines else ""
        self.errno = int(last.split()[1]) if last.startswith("failed ") else None
        self.done = last == "done"

    def __repr__(self):
        name = errno.errorcode.get(self.errno, self.errno)
        return f"status {self.status}, {self.lines}, {name}, {self.errors.strip()}"


def victim(profile, act, place="/", layers="both", *more, reads=(), writes=(), passed=None):
    arguments = [VICTIM, "--profile", profile, "--act", act, "--place", str(place), "--layers", layers, *more]
    for name, paths in (("--reads", reads), ("--writes", writes)):
        if paths:
            arguments += [name, ",".join(map(str, paths))]
    user = {"user": USER, "group": USER, "extra_groups": []} if os.getuid() == 0 else {}
    with open(os.devnull) as null:
        given = os.dup(passed if passed is not None else null.fileno())
        try:
            # The victim expects it at 3; whatever lay there of ours is put back.
            script = f'exec "$@" 3<&{given}' if given != 3 else 'exec "$@"'
            done = subprocess.run(["/bin/bash", "-c", script, "bash", *map(str, arguments)], capture_output=True, pass_fds=[given],
                                  timeout=60, stdin=subprocess.DEVNULL, **user)
        finally:
            os.close(given)
    return Outcome(done)


class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-victim-"))
        cls.folder.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.state, cls.outside = cls.folder / "state", cls.folder / "outside"
        for place in (cls.state, cls.state / "sub", cls.outside, cls.outside / "sub"):
            place.mkdir()
            place.chmod(0o777)
        for place in (cls.state / "file", cls.outside / "file"):
            place.write_text("content")
            place.chmod(0o666)
        # Of the victim's user, so that only the sandbox is between the two.
        cls.other = subprocess.Popen(["sleep", "600"], **({"user": USER} if os.getuid() == 0 else {}))
        cls.addClassCleanup(cls.end_other)

    @classmethod
    def end_other(cls):
        cls.other.kill()
        cls.other.wait()

    def killed(self, outcome):
        self.assertTrue(outcome.begun, outcome)
        self.assertEqual(outcome.status, SIGSYS, outcome)

    def refused(self, outcome, *errors):
        """Killed for the call, or refused by Landlock: which of the two, the caller says with `errors`."""
        self.assertTrue(outcome.begun, outcome)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn(outcome.errno, errors, outcome)

    def succeeded(self, outcome):
        self.assertTrue(outcome.begun and outcome.done and outcome.status == 0, outcome)

    def place(self, act):
        if act in ("kill", "tgkill", "pidfd", "fcntl-owner", "setpriority-other"):
            return self.other.pid
        if act in ("symlink", "fifo"):
            return self.state / f"new-{act}"
        return "/"

    def test_calls_that_no_profile_permits(self):
        for act, control in EVERYWHERE.items():
            for profile in PROFILES:
                if profile == OUT and act in OF_OUT:
                    continue
                with self.subTest(act=act, profile=profile):
                    self.killed(victim(profile, act, self.place(act), writes=[self.state]))
            with self.subTest(act=act, control="without the sandbox"):
                free = victim("apid", act, self.place(act), "none")
                with contextlib.suppress(FileNotFoundError):
                    (self.state / f"new-{act}").unlink()
                self.assertTrue(free.begun, free)
                found = "killed" if free.status < 0 else free.errno or ("done" if free.done else "exit")
                self.assertIn(found, control, free)

    def test_every_call_that_a_profile_lacks_kills(self):
        for profile in PROFILES:
            with self.subTest(profile=profile):
                outcome = victim(profile, "every-call")
                self.assertEqual(outcome.status, 0, outcome)
                found = {}
                for line in outcome.lines:
                    _, name, *what = line.split()
                    found.setdefault(" ".join(what), []).append(name)
                # With every flag set, clone would make a thread, which is permitted; the kernel refuses such flags by itself.
                self.assertEqual(found.pop("made", []), ["clone"] if profile in THREADED else [])
                self.assertEqual(found.pop("refused ENOSYS", []), ["clone3"] if profile in THREADED else [])
                self.assertEqual(found.pop("refused EACCES", []), ["mmap"] if profile in TOLD_NO else [])
                self.assertEqual(set(found), {"killed", "skipped"}, found)
                self.assertGreater(len(found["killed"]), 250)
                self.assertLessEqual(len(found["skipped"]), 65)

    def test_memory_cannot_be_run(self):
        for profile in PROFILES:
            with self.subTest(profile=profile):
                outcome = victim(profile, "mmap-exec")
                if profile in TOLD_NO:
                    self.refused(outcome, errno.EACCES)  # the C library may try, and is told no
                else:
                    self.killed(outcome)
        self.succeeded(victim("apid", "mmap-exec", layers="none"))

    def test_threads_but_no_processes(self):
        for profile in PROFILES:
            with self.subTest(profile=profile):
                outcome = victim(profile, "thread")
                if profile in THREADED:
                    self.succeeded(outcome)
                    self.refused(victim(profile, "clone3-process"), errno.ENOSYS)
                else:
                    self.killed(outcome)
                    self.killed(victim(profile, "clone3-process"))
        self.succeeded(victim("relayd", "thread", layers="none"))
        self.succeeded(victim("relayd", "clone3-process", layers="none"))

    def test_arguments_are_looked_at(self):
        """Calls that a profile permits, but not with these arguments."""
        for act, profiles in {"fcntl-owner": PROFILES, "setpriority-other": PROFILES}.items():
            for profile in profiles:
                with self.subTest(profile=profile):
                    self.killed(victim(profile, act, self.place(act)))
            self.succeeded(victim("apid", act, self.place(act), "none"))

    def test_a_crash_is_a_crash(self):
        """What ends a daemon must be seen in its status: abort is permitted on the way, and no backtracer comes between."""
        for profile in PROFILES:
            with self.subTest(profile=profile):
                outcome = victim(profile, "abort")
                self.assertEqual((outcome.begun, outcome.status), (True, -signal.SIGABRT), outcome)

    def test_a_trap_names_the_call(self):
        for profile in PROFILES:
            with self.subTest(profile=profile):
                outcome = victim(profile, "socket-packet", "/", "both", "--sandbox", "trap")
                self.assertEqual(outcome.status, 128 + signal.SIGSYS, outcome)
                self.assertIn(f"bulkhead-{profile}: the profile does not permit socket(0x11, 0x3,", outcome.errors)
                self.assertFalse(outcome.done, "the call was made")

    def test_only_the_unix_family(self):
        for profile in PROFILES:
            with self.subTest(profile=profile):
                self.succeeded(victim(profile, "socket-unix"))
        # The others are killed for these: test_calls_that_no_profile_permits.
        for act in ("socket-inet", "socket-inet6"):
            self.succeeded(victim(OUT, act))
        self.refused(victim(OUT, "socket-netlink"), errno.EPERM)

    # Paths. spawnerd lacks the calls altogether; for the others it is Landlock that says no.

    def test_nothing_outside_is_opened(self):
        # Where a profile lacks the call, the kernel kills before Landlock is asked; then Landlock is tried by itself.
        for act, file in {"read": "file", "write": "file", "list": "", "unlink": "file"}.items():
            for profile in PROFILES:
                with self.subTest(act=act, profile=profile):
                    outcome = victim(profile, act, self.outside / file, reads=[self.state], writes=[self.state / "sub"])
                    if outcome.status != SIGSYS:
                        self.refused(outcome, errno.EACCES)
                    self.refused(victim(profile, act, self.outside / file, "paths", reads=[self.state]), errno.EACCES)
            with self.subTest(act=act, control="without the sandbox"):
                self.succeeded(victim("relayd", act, self.outside / file, "none"))
            (self.outside / "file").write_text("content")
            (self.outside / "file").chmod(0o666)
        self.killed(victim("spawnerd", "read", self.outside / "file"))

    def test_the_house_is_not_opened(self):
        """What a daemon that is taken over looks for first."""
        for path in ("/etc/passwd", "/proc/self/mem", "/proc/self/environ", "/dev/null"):
            for profile in ["brokerd", "courierd", "relayd", "schedulerd"]:
                with self.subTest(profile=profile):
                    self.refused(victim(profile, "read", path, writes=[self.state]), errno.EACCES)
        self.succeeded(victim("relayd", "read", "/etc/passwd", "none"))

    def test_reading_is_not_writing(self):
        for profile in ["brokerd", "courierd", "relayd", "schedulerd"]:
            with self.subTest(profile=profile):
                self.succeeded(victim(profile, "read", self.state / "file", reads=[self.state]))
                self.refused(victim(profile, "write", self.state / "file", reads=[self.state]), errno.EACCES)
                self.refused(victim(profile, "write", self.state / "new", reads=[self.state]), errno.EACCES)
                self.succeeded(victim(profile, "write", self.state / "file", writes=[self.state]))

    def test_what_a_daemon_does_with_its_files_works(self):
        for name in ("published", "sub/moved"):
            (self.state / name).unlink(missing_ok=True)
        self.succeeded(victim("relayd", "publish", self.state, writes=[self.state]))
        self.assertEqual((self.state / "sub/moved").read_text(), "x")
        (self.state / "sub/moved").unlink()
        outcome = victim("relayd", "publish", self.outside, writes=[self.state])
        self.refused(outcome, errno.EACCES)
        self.succeeded(victim("relayd", "publish", self.outside, "none"))
        (self.outside / "sub/moved").unlink()

    def test_no_special_files(self):
        """Landlock by itself, in a directory that may be written: profiles lack the calls besides."""
        for act in ("symlink", "fifo"):
            place = self.state / f"special-{act}"
            self.refused(victim("relayd", act, place, "paths", writes=[self.state]), errno.EACCES)
            self.succeeded(victim("relayd", act, place, "none"))
            place.unlink()

    def test_nothing_is_run(self):
        """Landlock by itself: not even what may be read can be run."""
        self.refused(victim("relayd", "execve", "/", "paths", reads=["/"]), errno.EACCES)
        free = victim("relayd", "execve", "/", "none")
        self.assertEqual((free.begun, free.status, free.errno), (True, 0, None))

    # The network, by way of sockets that the daemon has already: profiles permit no new one.

    def test_the_way_out_takes_no_connection(self):
        """courierd connects, which is what it is for; it has no address of its own to be reached at."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            with socket.socket() as passed:
                self.succeeded(victim(OUT, "connect-tcp", port, passed=passed.fileno()))
            with socket.socket() as passed:
                self.killed(victim(OUT, "bind-tcp", port, passed=passed.fileno()))
            with socket.socket() as passed:
                self.refused(victim(OUT, "bind-tcp", port, "paths", passed=passed.fileno()), errno.EACCES)

    def test_no_tcp_connection_is_made(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            for profile in set(PROFILES) - {OUT}:
                with self.subTest(profile=profile):
                    for act in ("connect-tcp", "bind-tcp"):
                        with socket.socket() as passed:
                            outcome = victim(profile, act, port, passed=passed.fileno())
                            if outcome.status != SIGSYS:
                                self.refused(outcome, errno.EACCES)
                        with socket.socket() as passed:
                            self.refused(victim(profile, act, port, "paths", passed=passed.fileno()), errno.EACCES)
            for act in ("connect-tcp", "bind-tcp"):
                with socket.socket() as passed:
                    self.succeeded(victim("apid", act, port, "none", passed=passed.fileno()))

    def test_siblings_are_reached_and_abstract_sockets_are_not(self):
        with socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as abstract:
            path, name = self.folder / "socket", f"bulkhead-victim-{os.getpid()}"
            named.bind(str(path))
            path.chmod(0o666)
            abstract.bind("\0" + name)
            named.listen(64)
            abstract.listen(64)
            for profile in ["apid", "courierd", "relayd", "schedulerd", "spawnerd"]:
                with self.subTest(profile=profile):
                    self.succeeded(victim(profile, "connect-unix", path))
                    self.refused(victim(profile, "connect-abstract", name), errno.EPERM)
            self.killed(victim("brokerd", "connect-unix", path))
            self.succeeded(victim("brokerd", "connect-unix", path, "none"))
            self.succeeded(victim("apid", "connect-abstract", name, "none"))

    def test_nobody_else_is_signalled(self):
        """Landlock by itself: another process of the same user."""
        for profile in PROFILES:
            with self.subTest(profile=profile):
                self.refused(victim(profile, "kill", self.other.pid, "paths"), errno.EPERM)
        self.succeeded(victim("apid", "kill", self.other.pid, "none"))


if __name__ == "__main__":
    if not VICTIM.exists():
        sys.exit(f"{VICTIM} is missing: build it first")
    unittest.main()
