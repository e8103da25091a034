"""A daemon whose system calls fail, by strace from outside: what the kernel would say of a full or a broken disk, or of a machine
without descriptors or memory; and one that really has no descriptor left. In both, strace is the witness that it happened."""

import os
import pathlib
import re
import signal
import subprocess

from house import eventually

# Calls that make a descriptor, or bring one along.
MAKERS = "accept4,socket,openat,open,eventfd2,epoll_create1,timerfd_create,signalfd4,pipe2,dup,fcntl,recvmsg"


class Traced:
    """A daemon under strace while the block lasts; it goes on afterwards, if it still lives."""

    def __init__(self, house, daemon, options, sign):
        self.house, self.daemon, self.options, self.sign = house, daemon, options, re.compile(sign)
        self.pid, self.hits = None, 0

    def __enter__(self):
        self.pid = eventually(f"{self.daemon} runs", lambda: self.house.pid(self.daemon))
        self.record = self.house.state / f"injected-{self.pid}"
        self.strace = subprocess.Popen(["strace", "-f", "-qq", "-o", self.record, "-p", str(self.pid), *self.options],
                                       stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        status = pathlib.Path(f"/proc/{self.pid}/status")
        eventually(f"{self.daemon} is traced",
                   lambda: self.strace.poll() is not None or f"TracerPid:\t{self.strace.pid}\n" in status.read_text())
        assert self.strace.poll() is None, self.strace.stderr.read()
        return self

    def so_far(self):
        """How often it has happened."""
        return len(self.sign.findall(self.record.read_text(errors="replace"))) if self.record.exists() else 0

    def __exit__(self, *_):
        if self.strace.poll() is None:
            os.kill(self.strace.pid, signal.SIGINT)
        self.strace.communicate(timeout=20)
        self.hits = self.so_far()
        self.record.unlink()


class Injection(Traced):
    """`calls` of the daemon fail with `error`: the `when`-th of them, or all from there on ("1+"). Of calls on `path` alone, if one
    is named."""

    def __init__(self, house, daemon, calls, error, when="1+", path=None):
        # The kernel asks the daemon's own filter about the call that is made instead. It has to be one that every profile permits.
        inject = f"inject={calls}:error={error}:syscall=getpid:when={when}"
        super().__init__(house, daemon, ["-e", f"trace={calls}", "-e", inject, *(["-P", path] if path else [])], r"\(INJECTED\)")


class Shortage(Traced):
    """The daemon keeps the descriptors that it has and gets no other, not even in place of one that it closes, as if others took them
    all: whatever makes one fails, and whoever is sent one does not get it (MSG_CTRUNC)."""

    def __init__(self, house, daemon):
        super().__init__(house, daemon, ["-e", f"trace={MAKERS}"], r"EMFILE|MSG_CTRUNC")

    def __enter__(self):
        super().__enter__()
        self.had = re.search(r"^Max open files +(\d+)", pathlib.Path(f"/proc/{self.pid}/limits").read_text(), re.MULTILINE)[1]
        self.limit(3)
        return self

    def limit(self, soft):
        # As the daemon's own user: a root without CAP_SYS_RESOURCE may not.
        status = os.stat(f"/proc/{self.pid}")
        owner = {"user": status.st_uid, "group": status.st_gid, "extra_groups": []}
        subprocess.run(["prlimit", f"--pid={self.pid}", f"--nofile={soft}:"], check=True, **owner)

    def __exit__(self, *_):
        try:
            if self.house.pid(self.daemon) == self.pid:
                self.limit(self.had)
        finally:
            super().__exit__()
