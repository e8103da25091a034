"""Where on a booted machine some bytes lie. Memory is searched as Tests/Security/test_canary.py does it."""

import contextlib
import errno
import os
import pathlib
import stat
import sys

from machine import ROOT, Failed

sys.path.insert(0, ROOT + "/Tests/Security")
import test_canary


def canary():
    return test_canary.canary().decode()


def in_memory(machine, value):
    """Names of the machine's processes, systemd and the engine among them, that hold the value. What runs in containers is the job's."""
    found = set()
    for pid, name in machine.processes().items():
        with contextlib.suppress(OSError):  # it has just ended
            if test_canary.memory_holds(pid, [value.encode()]):
                found.add(name)
    return found


def files(root):
    return [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]


def content(path):
    try:
        if stat.S_ISREG(os.lstat(path).st_mode):
            return pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        pass  # it has just been removed
    except OSError as error:
        if error.errno != errno.EINVAL:  # a namespace with a name
            raise
    return b""


def on_disk(machine, value):
    """Files that hold the value: all that was written on this machine since it was booted, on disks and in memory, and the journal."""
    inside = f"/proc/{machine.pid1}/root"
    found = []
    for root in (machine.layer + "/upper", machine.scratch + "/engine", inside + "/run", inside + "/dev/shm"):
        if not pathlib.Path(root).is_dir():
            raise Failed(f"{root} cannot be searched")
        found += [path for path in files(root) if value.encode() in content(path)]
    # What is in it may be compressed.
    if value in machine.run("journalctl", "--all", "--no-pager", "--output=export").stdout:
        found.append("the journal")
    return found


def step(machine, value):
    """The process of the step that has the value in its environment; outside of the machine's own."""
    own = machine.processes()
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in own:
            with contextlib.suppress(OSError):
                if value.encode() in entry.joinpath("environ").read_bytes():
                    return int(entry.name)
    raise Failed("no step has the value in its environment: the control")
