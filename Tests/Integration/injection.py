"""A daemon whose system calls fail, by strace from outside: what the kernel would say of a full or a broken disk, or of a machine
without descriptors or memory."""

import os
import pathlib
import signal
import subprocess

from house import eventually


class Injection:
    """`calls` of the daemon fail with `error`: the `when`-th of them, or all from there on ("1+"). Of calls on `path` alone, if one
    is named. Ends with the block; the daemon goes on, if it still lives."""

    def __init__(self, house, daemon, calls, error, when="1+", path=None):
        self.house, self.daemon = house, daemon
        # The kernel asks the daemon's own filter about the call that is made instead. It has to be one that every profile permits.
        inject = f"inject={calls}:error={error}:syscall=getpid:when={when}"
        self.options = ["-e", f"trace={calls}", "-e", inject, *(["-P", path] if path else [])]
        self.hits = 0

    def __enter__(self):
        pid = eventually(f"{self.daemon} runs", lambda: self.house.pid(self.daemon))
        self.record = self.house.state / f"injected-{pid}"
        self.strace = subprocess.Popen(["strace", "-f", "-qq", "-o", self.record, "-p", str(pid), *self.options],
                                       stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        status = pathlib.Path(f"/proc/{pid}/status")
        eventually(f"{self.daemon} is traced",
                   lambda: self.strace.poll() is not None or f"TracerPid:\t{self.strace.pid}\n" in status.read_text())
        assert self.strace.poll() is None, self.strace.stderr.read()
        return self

    def __exit__(self, *_):
        if self.strace.poll() is None:
            os.kill(self.strace.pid, signal.SIGINT)
        self.strace.communicate(timeout=20)
        self.hits = self.record.read_text(errors="replace").count("(INJECTED)")
        self.record.unlink()
