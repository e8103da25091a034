"""R8: and R17: the kernel's surface from inside strict and build containers, against the golden verdicts; the controls are the same
program under the engine's own filter, under none, and under none with every capability. Then, what the filter must not break: the work
of real builds."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

from spawnerd import RUNTIMES, Spawnerd, engine, needs_engine

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE / "golden"
SHAPES = {"strict": {}, "strict-untrusted-steps": {"untrusted_steps": True}, "build": {"profile": "build"}}

# What a job may reach: all else in the probe is denied, missing or killed.
ALLOWED = {"socket-unix", "socket-tcp", "socket-udp6", "socket-netlink-route", "personality-asked", "ioctl-FIONREAD", "ioctl-TCGETS",
           "ioctl-TIOCGWINSZ",
           "prlimit-self", "prlimit-own-process", "affinity-self", "priority-self", "sigqueue-own-process", "pidfd-signal", "mknod-pipe",
           "mknod-socket", "mknod-file"}
BUILD_ONLY = {"sync", "syncfs"}
KILLED = {"i386-entry", "i386-ptrace", "x32-getpid", "x32-ptrace"}
MISSING = {"clone3"}
# Refused by the kernel itself in a user namespace, or not in every kernel: no control can reach them.
OUT_OF_REACH = {"acct", "clock_settime", "fanotify_init", "mknod-block", "mknod-character", "mknodat-character", "settimeofday", "swapon",
                "syslog", "vhangup", "delete_module", "finit_module", "init_module", "ioperm", "iopl", "kexec_load", "lookup_dcookie",
                "uselib", "x32-getpid", "x32-ptrace"}
# uretprobe and uprobe: the kernel has every filter let them by, and they do nothing but where it has put them itself.
PASSED_BY = {335, 336} if os.uname().machine == "x86_64" else set()


def verdicts(output):
    """(verdict of each act, verdict of each number)"""
    found = dict(line.rsplit(" ", 1) for line in output.splitlines() if line)
    return ({what: verdict for what, verdict in found.items() if not what.startswith("number-")},
            {int(what[7:]): verdict for what, verdict in found.items() if what.startswith("number-")})


def compile_probe(directory):
    subprocess.run(["gcc", "-O1", "-static", "-w", "-o", directory / "probe", HERE / "probe.c"], check=True)
    (directory / "probe").chmod(0o755)


def uncontained(directory, *command, user="1000:1000", **settings):
    """The probe in a container of the engine's own making: its status, and what it wrote."""
    made = engine("POST", "/containers/create", {
        "Image": "bulkhead/busybox", "Cmd": list(command), "User": user, "HostConfig": {
            "NetworkMode": "none", "LogConfig": {"Type": "json-file"}, "Binds": [f"{directory}/probe:/probe:ro"],
            "Tmpfs": {"/job": "rw,mode=1777"}, "CapDrop": ["ALL"], **settings}})[1]["Id"]
    try:
        engine("POST", f"/containers/{made}/start")
        status = engine("POST", f"/containers/{made}/wait")[1]["StatusCode"]
        logs = engine("GET", f"/containers/{made}/logs?stdout=1&stderr=1")[1]
    finally:
        engine("DELETE", f"/containers/{made}?force=true")
    content = b""
    while len(logs) >= 8:
        length = int.from_bytes(logs[4:8], "big")
        content, logs = content + logs[8:8 + length], logs[8 + length:]
    return status, content.decode()


def call_names():
    """{number: name} of this machine's system calls."""
    text = subprocess.check_output(["gcc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"], text=True)
    # The same on every architecture; C libraries may be older.
    newer = {452: "fchmodat2", 453: "map_shadow_stack", 454: "futex_wake", 455: "futex_wait", 456: "futex_requeue", 462: "mseal"}
    return newer | {int(number): name for name, number in re.findall(r"#define __NR_(\w+) (\d+)$", text, re.MULTILINE)}


@needs_engine
class Probe(unittest.TestCase):
    """The program itself stands in the place of the runner."""

    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(Spawnerd())
        compile_probe(cls.house.directory)
        cls.house.runner.unlink()
        shutil.copy(cls.house.directory / "probe", cls.house.runner)
        cls.found, cls.numbers = {}, {}
        for name, shape in SHAPES.items():
            cls.found[name], cls.numbers[name] = verdicts(cls.house.run(pids=128, **shape))
        cls.controls = [cls.control(SecurityOpt=["no-new-privileges"]),
                        cls.control(SecurityOpt=["no-new-privileges", "seccomp=unconfined"]),
                        cls.control(SecurityOpt=["seccomp=unconfined"], CapAdd=["ALL"], user="0:0")]

    @classmethod
    def control(cls, **settings):
        status, output = uncontained(cls.house.directory, "/probe", **settings)
        assert status == 0, output
        return verdicts(output)

    def test_every_denied_act(self):
        """R8: in strict, in strict with untrusted steps, and in build."""
        for name, found in self.found.items():
            self.assertGreater(len(found), 130)
            for what, verdict in found.items():
                expected = ("reached" if what in ALLOWED or (what in BUILD_ONLY and name == "build") else
                            "killed" if what in KILLED else "missing" if what in MISSING else "denied")
                self.assertEqual(verdict, expected, f"{name}: {what}")
            text = "".join(f"{what} {verdict}\n" for what, verdict in sorted(found.items()))
            if os.uname().machine == "x86_64":
                file = GOLDEN / f"probe-{name}.txt"
                if os.environ.get("BULKHEAD_WRITE_GOLDEN"):
                    file.write_text(text)
                self.assertEqual(text, file.read_text(), name)

    def test_without_the_filter_they_are_reached(self):
        """R8: the controls: what the engine's own filter leaves open, what no filter does, and what capabilities add."""
        closed = {what for what, verdict in self.found["strict"].items() if verdict != "reached"}
        default, none, powerful = ({what for what in closed if found[what] == "reached"} for found, _ in self.controls)
        # Not the same in all versions of engines; these have been open in all of them.
        self.assertLessEqual({"ptrace-traceme", "socket-sctp", "socket-netlink-9"} | (KILLED & {"i386-entry"} & closed), default)
        self.assertLessEqual({"clone-user", "unshare-user", "ptrace-traceme", "keyctl", "vmsplice"}, none)
        self.assertLessEqual({"mount", "chroot", "sethostname", "socket-family-17", "unshare-net"}, powerful)
        self.assertEqual(closed - default - none - powerful - OUT_OF_REACH, set())

    def test_every_number(self):
        """R8: whatever the golden filter does not name is refused, also what nobody has thought of."""
        names = call_names()
        self.assertGreater(len(names), 280)
        for shape, found in self.numbers.items():
            file = GOLDEN / f"seccomp-{'build' if shape == 'build' else 'strict'}.txt"
            named = {line.split()[0] for line in file.read_text().splitlines()}
            refused = [number for number in range(512) if names.get(number) not in named and number not in PASSED_BY]
            self.assertGreater(len(refused), 150)
            for number in refused:
                # What is newer than the engine's tables is missing instead.
                expected = {"denied"} if number in names and number < 450 else {"denied", "missing"}
                self.assertIn(found.get(number), expected, f"{shape}: {number} {names.get(number)}")
            reached = [names.get(number) for number in refused if self.controls[2][1].get(number) == "reached"]
            self.assertGreater(len(reached), 60, f"the control: {reached}")

    def test_the_probe_refuses_to_run_elsewhere(self):
        """Its acts would change the machine: not without a user namespace, and not by hand."""
        for command, settings in [(["/probe"], {"UsernsMode": "host"}), (["sh", "-c", "/probe; exit $?"], {})]:
            status, output = uncontained(self.house.directory, *command, **settings)
            self.assertEqual((status, output.startswith("probe: only as the first process")), (2, True), output)

    def test_no_device_but_the_usual(self):
        """R17: /dev holds what every container has, and the control group lets no other be opened."""
        with Spawnerd("cd /dev; for f in * */*; do [ ! -L $f ] && [ -c $f -o -b $f ] && echo $f $(stat -c %t:%T $f); done | sort") as house:
            for profile in ["strict", "build"]:
                self.assertEqual(house.run(profile=profile).split("\n"), [
                    "full 1:7", "null 1:3", "pts/ptmx 5:2", "random 1:8", "tty 5:0", "urandom 1:9", "zero 1:5", ""])


@unittest.skipUnless("runsc" in RUNTIMES and os.uname().machine == "x86_64", "the engine has no runtime runsc, or no golden verdicts of it")
class Gvisor(unittest.TestCase):
    """The same program under gVisor, as a stranger's job where the site says so. All of it ends in gVisor's own kernel."""

    def test_every_act(self):
        """R8: a kernel of its own, and our filter in it: what is refused under runc is refused here."""
        with Spawnerd("", "--runtime-untrusted", "runsc") as house:
            compile_probe(house.directory)
            house.runner.unlink()
            shutil.copy(house.directory / "probe", house.runner)
            house.open_to_containers()
            found, numbers = verdicts(house.run(trust="untrusted", pids=128))
            control, _ = verdicts(uncontained(house.directory, "/probe", Runtime="runsc", SecurityOpt=["seccomp=unconfined"])[1])
        text = "".join(f"{what} {verdict}\n" for what, verdict in sorted(found.items()))
        file = GOLDEN / "probe-runsc.txt"
        if os.environ.get("BULKHEAD_WRITE_GOLDEN"):
            file.write_text(text)
        self.assertEqual(text, file.read_text())
        # 32-bit entries reach a kernel that is nobody's but the job's.
        reached = {what for what, verdict in found.items() if verdict == "reached"}
        self.assertEqual(reached, ALLOWED - {"pidfd-signal"} | {"i386-entry", "i386-ptrace"})
        self.assertLessEqual({"ptrace-traceme", "unshare-user", "keyctl", "syslog", "mknod-pipe"},
                             {what for what, verdict in control.items() if verdict == "reached"}, "control: without our filter")
        self.assertGreater(len(numbers), 500)


WORK = r"""
set -e
cd /job
cat >main.c <<'C'
#include <stdio.h>
#include <pthread.h>
static void *say(void *word) { puts(word); return 0; }
int main(void) { pthread_t t; pthread_create(&t, 0, say, "threads"); pthread_join(t, 0); return 0; }
C
printf 'all: a b\na b: main.c\n\tgcc -O1 -pipe -pthread -o $@ main.c\n' >Makefile
make -s -j4 && ./a
ar rc lib.a main.c && ranlib lib.a 2>/dev/null || true
mkdir tree && mkfifo tree/pipe && ln -s a tree/link && cp -a Makefile tree/ && ln Makefile tree/hard
tar cf t.tar tree && rm -rf tree && tar xpf t.tar && test -p tree/pipe && test -L tree/link && echo tar
gzip -k t.tar && xz -k t.tar 2>/dev/null || true
sha256sum t.tar >/dev/null && sed -i s/all/every/ Makefile && grep -q every Makefile && echo text
perl -e 'use Socket; socketpair(A,B,AF_UNIX,SOCK_STREAM,0) or die; socket(S,AF_INET,SOCK_STREAM,0) or die;
    bind(S,pack_sockaddr_in(0,inet_aton("127.0.0.1"))) or die; listen(S,1) or die; my ($port)=unpack_sockaddr_in(getsockname(S));
    if (!fork) { socket(C,AF_INET,SOCK_STREAM,0); connect(C,pack_sockaddr_in($port,inet_aton("127.0.0.1"))) or die;
        print C "network\n"; exit }
    accept(D,S) or die; print <D>; wait'
(sleep 5 & p=$!; kill $p; wait $p 2>/dev/null) || true
nice true && timeout 5 true && echo processes
for tool in git python3; do
    command -v $tool >/dev/null || continue
    case $tool in
    git) git init -q g && (cd g && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git gc -q && git clone -q . ../h) ;;
    python3) python3 -c 'import subprocess, multiprocessing; subprocess.check_output(["true"]); multiprocessing.Pool(2).map(abs, [1])' ;;
    esac
done
echo done
"""

PACKAGES = WORK.replace("echo done\n", r"""
mkdir -p p/DEBIAN p/usr/share/p p/var/lib/p
printf 'Package: p\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: p\n' >p/DEBIAN/control
printf '#!/bin/sh\nset -e\nchown 33:33 /var/lib/p\nchmod 2750 /var/lib/p\nsync\n' >p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst
echo x >p/usr/share/p/file; chmod 4755 p/usr/share/p/file
dpkg-deb -b p p.deb >/dev/null && dpkg -i p.deb >/dev/null && dpkg -s p | grep -q 'ok installed' && echo installed
# The set-group-id bit takes CAP_FSETID, which no profile has.
[ "$(stat -c %u:%a /var/lib/p)" = 33:750 ] && echo owned
perl -e '$( = 33; $) = "33 33"; $< = 33; $> = 33; print "user $< $>\n"; exit(open(F, ">/etc/x") ? 1 : 0)'
dpkg -r p >/dev/null && echo removed
echo done
""")


@needs_engine
class Work(unittest.TestCase):
    def test_a_job_compiles_packs_and_talks_to_itself(self):
        """R8: the filter is no hindrance: compilers, make, archives, threads, sockets, interpreters."""
        with Spawnerd(WORK) as house:
            output = house.run(image="bulkhead/debian", memory=512 << 20, disk=128 << 20, pids=256)
            self.assertEqual(output.split(), ["threads", "tar", "text", "network", "processes", "done"], output)

    def test_a_build_job_installs_packages(self):
        """R8: profile build: dpkg, owners, other users."""
        with Spawnerd(PACKAGES) as house:
            output = house.run(image="bulkhead/debian", profile="build", memory=512 << 20, disk=128 << 20, pids=256)
            self.assertEqual(output.splitlines(), ["threads", "tar", "text", "network", "processes", "installed", "owned", "user 33 33",
                                                   "removed", "done"], output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
