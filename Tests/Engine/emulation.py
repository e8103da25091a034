"""Emulators for other processors, registered with the kernel while a test runs, and only those that the host does not have yet."""

import contextlib
import pathlib
import subprocess

PLACE = pathlib.Path("/proc/sys/fs/binfmt_misc")
RECIPES = pathlib.Path("/usr/lib/binfmt.d")


@contextlib.contextmanager
def emulators(*names):
    """`qemu-aarch64`, ...: as the package's own lines have them. The file system is mounted if it is not; in the end all is as it was."""
    mounted = not (PLACE / "register").exists()
    if mounted:
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", PLACE], check=True)
    added = []
    try:
        for name in names:
            if not (PLACE / name).exists():
                (PLACE / "register").write_text((RECIPES / f"{name}.conf").read_text().strip())
                added.append(name)
        yield
    finally:
        for name in added:
            (PLACE / name).write_text("-1")
        if mounted:
            subprocess.run(["umount", PLACE], check=True)
