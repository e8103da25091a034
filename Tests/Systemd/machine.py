"""A machine for tests: this system's files under a throw-away layer, its systemd booted as PID 1 of namespaces of its own.

Nothing of it is left when the test ends, however it ends: its processes die with PID 1, its mounts with their namespace; the layer,
the control groups and the scratch directory are removed here.
"""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Services of this system that the test must neither use nor disturb.
MASKED = ["docker.service", "docker.socket", "containerd.service", "podman.service", "podman.socket", "ssh.service", "cron.service",
          "networking.service", "systemd-networkd.service", "systemd-timesyncd.service", "systemd-udevd.service",
          "systemd-udev-trigger.service", "systemd-sysctl.service", "systemd-binfmt.service", "systemd-modules-load.service",
          "systemd-remount-fs.service", "systemd-random-seed.service", "apt-daily.timer", "apt-daily-upgrade.timer"]


class Failed(Exception):
    """A check that did not hold."""


def check(what, holds, detail=""):
    """Says that `what` holds, or ends the test."""
    if not holds:
        raise Failed(f"{what}{': ' + str(detail) if detail else ''}")
    print(f"  ok: {what}", flush=True)


class Machine:
    """`with Machine() as machine:` is a booted one."""

    def __init__(self):
        self._name(os.getpid())
        self.child = None
        self.pid1 = None
        self.visible = [ROOT]

    def _name(self, number):
        """What a machine made by process `number` is called. On a real disk, since an engine's own layers cannot lie on this one, and
        where root of a container's namespace may walk."""
        self.name = f"bulkhead-boot-{number}"
        self.scratch = f"/var/tmp/{self.name}"
        self.layer = self.scratch + "/layer"
        self.root = self.layer + "/root"

    def __enter__(self):
        # Told to stop, a test must still take its machine away (unittest itself would not); killed, it leaves that to the next one.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._interrupted)
        for left in glob.glob("/var/tmp/bulkhead-boot-*") + glob.glob("/sys/fs/cgroup/**/bulkhead-boot-*", recursive=True):
            number = left.rpartition("-")[2]
            if number.isdigit() and not os.path.exists(f"/proc/{number}"):
                self._name(int(number))
                self._clean()
        self._name(os.getpid())
        try:
            self._mount()
            self._boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        self._stop()
        self._clean()

    def _interrupted(self, number, _):
        self.__exit__()
        os._exit(128 + number)

    def _clean(self):
        for path in (self.root, self.layer):
            if os.path.ismount(path):
                subprocess.run(["umount", path], check=True)
        self._remove_groups()
        if os.path.exists(self.scratch):
            shutil.rmtree(self.scratch)

    # Inside

    def run(self, *command, input=None, check=True, timeout=120, env=None):
        """Runs a command inside, as root, in the namespaces of its PID 1; its result with `stdout` and `stderr` as text."""
        enter = ["nsenter", f"--target={self.pid1}", "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--wd=/"]
        plain = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
        done = subprocess.run(enter + list(command), input=input, capture_output=True, text=True, timeout=timeout,
                              env=plain | (env or {}))
        if check and done.returncode:
            raise Failed(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def write(self, path, text, mode=0o644):
        """Writes a file inside."""
        self.run("install", "-D", "-m", f"{mode:o}", "/dev/stdin", path, input=text)

    def read(self, path):
        return self.run("cat", path).stdout

    def show(self, unit, *properties):
        """Properties of a unit, as systemd has them."""
        lines = self.run("systemctl", "show", unit, *[f"--property={name}" for name in properties]).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def journal(self, lines=40, unit=None):
        return self.run("journalctl", "--no-pager", f"--lines={lines}", *(["--unit", unit] if unit else []), check=False).stdout

    def processes(self):
        """The machine's own processes, without those of containers: numbers outside, and names."""
        own, found = os.readlink(f"/proc/{self.pid1}/ns/pid"), {}
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if entry.isdigit() and os.readlink(f"/proc/{entry}/ns/pid") == own:
                    with open(f"/proc/{entry}/comm") as name:
                        found[int(entry)] = name.read().strip()
        return found

    def assert_gone(self):
        """Nothing is left of a machine that was taken away."""
        with open("/proc/self/mounts") as mounts:
            check("no mount is left", self.name not in mounts.read())
        check("no file is left", not os.path.exists(self.scratch))
        check("no control group is left", not glob.glob(f"/sys/fs/cgroup/**/{self.name}", recursive=True))
        check("no process is left", not os.path.exists(f"/proc/{self.pid1}"))

    # Up and down

    def _mount(self):
        os.makedirs(self.layer, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "layer", self.layer], check=True)
        for part in ("upper", "work", "root"):
            os.mkdir(f"{self.layer}/{part}")
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir=/,upperdir={self.layer}/upper,workdir={self.layer}/work", self.root], check=True)
        os.makedirs(self.root + "/etc/systemd/system", exist_ok=True)
        for unit in MASKED:
            path = f"{self.root}/etc/systemd/system/{unit}"
            if os.path.lexists(path):
                os.remove(path)
            os.symlink("/dev/null", path)
        os.mkdir(self.scratch + "/engine", 0o755)
        with open(self.root + "/.bind", "w") as bind:
            bind.write(f"{self.scratch}/engine /var/lib/engine\n")
            # The layer shows one file system; what we need of another comes beside it.
            for path in self.visible:
                if os.stat(path).st_dev != os.stat("/").st_dev:
                    bind.write(f"{path} {path}\n")

    def _boot(self):
        # In a session of its own: an interrupted test stops it here and not halfway.
        self.child = subprocess.Popen(["setpriv", "--pdeathsig=KILL", HERE + "/boot.sh", self.root, self.name], start_new_session=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise Failed(f"boot.sh ended with status {self.child.returncode}")
            self.pid1 = self.pid1 or self._find_pid1()
            if self.pid1:
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded"):
                    return
            time.sleep(0.05)
        raise Failed("systemd did not come up in a minute")

    def _find_pid1(self):
        """unshare's one child, once it has become systemd."""
        try:
            with open(f"/proc/{self.child.pid}/task/{self.child.pid}/children") as children:
                pids = children.read().split()
            return pids[0] if pids and os.readlink(f"/proc/{pids[0]}/exe").endswith("systemd/systemd") else None
        except OSError:
            return None

    def _stop(self):
        if not self.child:
            return
        # --kill-child: PID 1 of the namespaces dies with unshare, and everything in them with it.
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        while self.pid1 and os.path.exists(f"/proc/{self.pid1}"):
            time.sleep(0.02)

    def _remove_groups(self):
        groups = glob.glob(f"/sys/fs/cgroup/**/{self.name}", recursive=True)
        for _ in range(100):
            for top in groups:
                for path, _, _ in os.walk(top, topdown=False):
                    try:
                        os.rmdir(path)
                    except OSError:
                        pass  # a process in it is not quite gone yet; looked at again
            groups = [top for top in groups if os.path.exists(top)]
            if not groups:
                return
            time.sleep(0.05)
        raise Failed(f"control groups are left: {groups}")
