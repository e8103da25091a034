#!/usr/bin/env python3
"""Bulkhead under a real systemd: installed and used as docs/howto/install.md says, walled off as its units say, and not to be stopped by
restarts; and its secrets are found nowhere else.

Needs root. Boots a machine of its own (machine.py) with an engine of its own, and leaves nothing behind.
"""

import os
import re
import shutil
import subprocess
import time
import unittest

import residue
import walls
from house import eventually
from installed import BINARIES, DAEMONS, UNITS, WALLS, Installed
from machine import HERE

PROBE = "/usr/local/libexec/bulkhead/probe"
USERS = {"apid": "bulkhead-api", "schedulerd": "bulkhead-sched", "spawnerd": "bulkhead-spawn", "brokerd": "bulkhead-broker",
         "relayd": "bulkhead-relay", "courierd": "bulkhead-courier"}
# Speaks before and after the word is given to go on; what happens to the daemons happens in between.
JOB = """\
image: bulkhead/busybox
project: web
resources: {cpus: 0.25, memory: 64MiB, disk: 16MiB}
steps:
  - run: |
      echo "first $TOKEN"
      while [ ! -e /tmp/go ]; do sleep 0.05; done
      echo "then $TOKEN"
      cat "$TOKEN_FILE"; echo
      echo ${#TOKEN} bytes
    secrets:
      TOKEN: deploy-token
      TOKEN_FILE: {secret: deploy-token, as: file}
  - run: echo "${TOKEN:-nothing}"
"""
# The same, but what it was given stays with it.
QUIET = """\
image: bulkhead/busybox
project: web
steps:
  - run: |
      test ${#TOKEN} -eq 32 && test "$(cat "$TOKEN_FILE")" = "$TOKEN" && echo begun
      while [ ! -e /tmp/go ]; do sleep 0.05; done
    secrets:
      TOKEN: deploy-token
      TOKEN_FILE: {secret: deploy-token, as: file}
"""
# What a job prints comes to relayd, which masks it, through the engine: these hold it for a while, as it is.
CARRIERS = {"dockerd", "containerd", "containerd-shim"}
LOG = "first ***\nthen ***\n***\n32 bytes\nnothing\n"
GROUPS = {edge: f"bulkhead-{edge}" + ("-edge" if edge in ("relay", "broker", "courier") else "") for edge in walls.EDGES}


class Booted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        machine = Installed()
        cls.addClassCleanup(machine.assert_gone)
        cls.machine = cls.enterClassContext(machine)
        try:
            cls.machine.start_engine()
            cls.machine.start()
        except BaseException:
            print(cls.machine.journal(60))
            raise

    def setUp(self):
        self.began = len(self._outcome.result.failures) + len(self._outcome.result.errors)

    def tearDown(self):
        if len(self._outcome.result.failures) + len(self._outcome.result.errors) > self.began:
            print(self.machine.journal(40, "bulkhead-*"))

    # The page

    def test_use_as_the_page_says(self):
        said = self.machine.follow("Use")
        submitted = said["bulkhead submit --image bulkhead/busybox --follow -- echo hello"]
        self.assertEqual(submitted.stdout, "hello\n")
        self.assertIn("SUCCEEDED", submitted.stderr)
        self.assertIn("deploy-token", said["bulkhead secret ls web"].stdout)

    def test_look_after_it_as_the_page_says(self):
        old = self.machine.token
        self.machine.follow("Look after it")
        # The new master key is what brokerd is given from now on, and the old token is dead.
        self.machine.run("systemctl", "restart", "bulkhead-brokerd.service")
        self.assertNotEqual(self.machine.token, old)
        self.run_job(residue.canary())
        self.machine.write("/root/old-token", old, 0o600)
        refused = self.machine.run("bash", "-c", "BULKHEAD_TOKEN=$(cat /root/old-token) bulkhead jobs", check=False)
        self.assertEqual(refused.returncode, 77, refused)

    def test_upgrade_as_the_page_says(self):
        before = self.machine.pid_of("schedulerd")
        self.machine.follow("Upgrade")
        self.machine.wait_ready()
        self.assertNotEqual(self.machine.pid_of("schedulerd"), before)

    def test_zy_nobody_has_left_its_profile(self):
        """Through all of the above no daemon made a system call that its profile does not have."""
        lines = self.machine.run("journalctl", "--no-pager", "--output=cat").stdout.splitlines()
        self.assertEqual([line for line in lines if "status=31/SYS" in line], [])

    def test_zz_remove_as_the_page_says(self):
        self.machine.follow("Remove")
        left = self.machine.run("find", "/usr/local", "/etc", "-name", "*bulkhead*").stdout.split()
        self.assertEqual(left, ["/etc/bulkhead"])
        self.assertEqual(self.machine.engine("/containers/json?all=1"), [])
        active = self.machine.run("systemctl", "list-units", "--plain", "--no-legend", "--type=service,socket,mount", "--state=active")
        self.assertNotIn("bulkhead", active.stdout)

    # The units

    def test_all_units_are_up(self):
        wanted = self.machine.show("bulkhead.target", "Wants")["Wants"].split()
        self.assertGreaterEqual(len(wanted), 16)
        for unit in wanted:
            self.machine.wait_active(unit)
        self.assertEqual(self.machine.run("systemctl", "--failed", "--no-legend", "--plain").stdout, "")

    def test_no_toolchain_is_used(self):
        """Every library that a daemon has loaded is the system's or was installed with it; Installed has hidden the toolchain."""
        for daemon in DAEMONS:
            with open(f"/proc/{self.host_pid(daemon)}/maps") as maps:
                loaded = {line.split(None, 5)[5].strip() for line in maps if ".so" in line}
            self.assertTrue(any(path.startswith("/usr/local/lib/bulkhead/libswiftCore") for path in loaded), loaded)
            self.assertFalse([path for path in loaded if not path.startswith(("/usr/local/lib/bulkhead/", "/usr/lib/", "/lib"))])

    def test_kernel_has_the_amounts(self):
        """What a unit says about memory, tasks and its place is what the kernel enforces for the running daemon."""
        version_2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        for daemon in DAEMONS:
            unit = f"bulkhead-{daemon}.service"
            said = dict(walls.directives(self.machine.read(f"{UNITS}/{unit}")))
            folder = lambda controller: "/sys/fs/cgroup/" + ("" if version_2 else controller + "/") + f"bulkhead.slice/{unit}/"
            size = int(said["MemoryMax"][:-1]) << {"M": 20, "G": 30}[said["MemoryMax"][-1]]
            memory = folder("memory") + ("memory.max" if version_2 else "memory.limit_in_bytes")
            self.assertEqual(int(self.machine.read(memory)), size, unit)
            self.assertEqual(self.machine.read(folder("pids") + "pids.max").strip(), said["TasksMax"], unit)
            self.assertIn(self.machine.pid_of(daemon), self.machine.read(folder("systemd") + "cgroup.procs").split(), unit)
            if not version_2:
                devices = self.machine.read(folder("devices") + "devices.list")
                self.assertNotIn("a *:* rwm", devices, unit)
            if "MemorySwapMax" in said:
                # Version 1 has no such limit; there it is only what systemd has been told.
                swap = self.machine.read(folder("memory") + "memory.swap.max").strip() if version_2 else (
                    self.machine.show(unit, "MemorySwapMax")["MemorySwapMax"])
                self.assertEqual(swap, "0", unit)
            if "StateDirectory" in said:
                state = self.machine.run("stat", "--format=%a %U", "/var/lib/" + said["StateDirectory"]).stdout
                self.assertEqual(state, f"700 {USERS[daemon]}\n")
        mount = self.machine.run("findmnt", "--noheadings", "--output=FSTYPE,OPTIONS", "/run/bulkhead/grants").stdout
        for option in ("tmpfs", "noswap", "nosuid", "nodev", "noexec", "mode=700", "size=16384k", "nr_inodes=8192"):
            self.assertIn(option, mount)

    # The walls

    def probe(self, *properties, arguments=()):
        said = self.machine.run("systemd-run", "--quiet", "--wait", "--pipe", "--collect",
                                *[f"--property={line}" for line in properties], PROBE, *arguments)
        return walls.parse(said.stdout)

    def prepare_probe(self):
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", self.machine.scratch + "/probe", HERE + "/probe.c"], check=True)
        self.machine.run("install", "-m755", self.machine.scratch + "/probe", PROBE)
        for folder in ("/tmp", "/etc", "/home", "/usr/lib/modules"):
            self.machine.write(folder + "/probe-marker", "here\n")

    def test_each_directive_alone(self):
        """Every directive changes what a program may do on this system; without it (the control) the program may."""
        self.prepare_probe()
        free = self.probe()
        common = walls.directives(self.machine.read(WALLS))
        for name, value, wanted, more in walls.WALLS:
            lines = [f"{name}={value}"] if value is not None else [f"{n}={v}" for n, v in common if n == name]
            self.assertTrue(lines, name)
            without = self.probe(*more) if more else free
            held = self.probe(*more, *lines)
            for what, pattern in wanted.items():
                with self.subTest(directive=lines[0], tried=what):
                    if pattern == "other":
                        self.assertNotEqual(held[what], free[what])
                    else:
                        self.assertRegex(held[what], f"^({pattern})$")
                        self.assertNotRegex(without[what], f"^({pattern})$", "the control")

    def test_shared_memory_is_removed_with_its_user(self):
        """RemoveIPC. Within the whole unit PrivateIPC leaves nothing to remove."""
        self.prepare_probe()
        for remove, left in (("no", 0), ("yes", 1)):
            self.machine.run("rm", "--force", "/dev/shm/probe-left")
            self.probe("User=nobody", f"RemoveIPC={remove}", arguments=["leave"])
            self.assertEqual(self.machine.run("test", "-e", "/dev/shm/probe-left", check=False).returncode, left)

    def test_each_unit_as_a_whole(self):
        """A program in the place of each daemon: what is denied, what is allowed, and no directive without a check."""
        self.prepare_probe()
        free = self.probe()
        common = self.machine.read(WALLS)
        for daemon in [*DAEMONS, "accounts"]:
            text = self.machine.read(f"{UNITS}/bulkhead-{daemon}.service")
            found = walls.directives(common, text)
            self.assertEqual(walls.unknown(found), set(), "directives that no check knows")
            for name, value, _, _ in walls.WALLS:
                if name not in ("User", "PrivateUsers", "LimitNOFILE") and value is not None:
                    self.assertIn((name, value), [(n, v.split()[0] if n == "NoExecPaths" else v) for n, v in found], daemon)
            # The same unit, but for what makes it a daemon with sockets and peers.
            copy = re.sub(r"^(Sockets|ExecStopPost|Requires|Type|RemainAfterExit|Restart|StandardOutput)=.*\n", "", text, flags=re.M)
            copy = copy.replace(f"bulkhead/bulkhead-{daemon}", "bulkhead/probe")
            copy = copy.replace("[Service]", "[Service]\nType=oneshot\nStandardOutput=truncate:/run/probe.out")
            self.machine.write(f"{UNITS}/bulkhead-probe-{daemon}.service", copy)
            self.machine.run("bash", "-c", f"! test -d {UNITS}/bulkhead-{daemon}.service.d || "
                             f"cp -a {UNITS}/bulkhead-{daemon}.service.d {UNITS}/bulkhead-probe-{daemon}.service.d")
            self.machine.run("systemctl", "daemon-reload")
            self.machine.run("systemctl", "start", f"bulkhead-probe-{daemon}.service")
            said = walls.parse(self.machine.read("/run/probe.out"))
            for what, holds, shown in walls.per_unit(daemon, said, free, found):
                with self.subTest(unit=daemon, what=what):
                    self.assertTrue(holds, shown)
            probe = f"{UNITS}/bulkhead-probe-{daemon}.service"
            self.machine.run("rm", "-r", "--force", probe, f"{probe}.d")

    # Who may call whom

    def connect(self, user, edge, *groups):
        """What this user, with all its groups or with these, comes to at the edge's socket: `open`, the name of an error, or what the
        server said before it closed."""
        script = ("import errno, socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.settimeout(float(sys.argv[2]))\n"
                  "try:\n s.connect(sys.argv[1])\n print(s.recv(200).decode(errors='replace'))\nexcept TimeoutError: print('open')\n"
                  "except OSError as e: print(errno.errorcode[e.errno])")
        chosen = [f"--groups={','.join(groups)}"] if groups else ["--clear-groups" if user.isdigit() else "--init-groups"]
        # A server that has nothing to say says nothing however long one waits; one that refuses is waited for.
        return self.machine.run("setpriv", f"--reuid={user}", f"--regid={user}", *chosen, "--", "python3", "-c", script,
                                f"/run/bulkhead/{edge}/socket", "20" if groups else "0.05").stdout.strip()

    def test_only_the_client_reaches_a_socket(self):
        """P3: a process with apid's user gets EACCES at spawnerd's and brokerd's sockets; and so everybody at each socket that is not
        his. Controls: the client of each edge gets in, and so does apid's user once it has the group."""
        for edge in walls.EDGES:
            for daemon, user in USERS.items():
                wanted = "open" if edge in walls.CALLS[daemon] else "EACCES"
                self.assertEqual(self.connect(user, edge), wanted, f"{user} at {edge}")
            self.assertEqual(self.connect("65534", edge), "EACCES")

    def test_a_stolen_group_is_not_enough(self):
        """P1: who has got through the door by the edge's group is still asked for its user by the kernel, and refused."""
        for edge, group in GROUPS.items():
            user = "bulkhead-api" if edge != "scheduler" else "bulkhead-relay"
            self.assertIn(f"this user may not use {edge}", self.connect(user, edge, group))

    def test_engine_socket_is_spawnerds_alone(self):
        for user, wanted in (("bulkhead-spawn", 0), ("bulkhead-sched", 1), ("bulkhead-relay", 1), ("bulkhead-api", 1),
                             ("bulkhead-broker", 1), ("bulkhead-courier", 1)):
            done = self.machine.run("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--", "test", "-w",
                                    "/run/docker.sock", check=False)
            self.assertEqual(done.returncode, wanted, user)

    # Jobs with secrets

    def host_pid(self, daemon):
        """The daemon's process as it is numbered outside."""
        [pid] = [pid for pid, name in self.machine.processes().items() if name == f"bulkhead-{daemon}"[:15]]
        return pid

    def begin(self, value, text=JOB, first="first ***"):
        """A job that has said its first word; and the process of its step."""
        self.machine.set_secret("web", "deploy-token", value)
        job = self.machine.submit_file(text)
        # A job that nobody sees through must not keep the machine from the next.
        self.addCleanup(self.machine.run, "bulkhead", "cancel", str(job), "--grace", "0", check=False)
        eventually("the step runs", lambda: first + "\n" in self.machine.log(job))
        return job, residue.step(self.machine, value)

    def finish(self, job, step, log=LOG):
        subprocess.run(["nsenter", f"--target={step}", "--user", "--mount", "--root", "--wd", "/bin/touch", "/tmp/go"], check=True)
        ended = self.machine.wait(job)
        self.assertEqual((ended["state"], self.machine.log(job)), ("SUCCEEDED", log))

    def run_job(self, value):
        self.finish(*self.begin(value))

    def test_secret_is_nowhere_else(self):
        """S2: and S4: while the job runs its secret is in the step's environment, in brokerd and in relayd; a second after it,
        nowhere: not in the memory of any process of the machine, no file of it or of its engine, not in the journal."""
        self.search(residue.canary(), QUIET, "begun", "begun\n", set())

    def test_printed_secret_is_nowhere_else(self):
        """S2: and S4: a job that prints its secret. Its engine's own memory is not ours to wipe; its files and its inspect are clean."""
        self.search(residue.canary(), JOB, "first ***", LOG, CARRIERS)

    def search(self, value, text, first, log, carriers):
        job, step = self.begin(value, text, first)
        found = residue.in_memory(self.machine, value) - carriers
        self.assertIn("bulkhead-relayd", found, "the control: the pattern")
        self.assertLessEqual(found, {"bulkhead-relayd", "bulkhead-broker"})
        self.assertEqual(residue.on_disk(self.machine, value), [])
        inspected = [self.machine.engine(f"/containers/{c['Id']}/json") for c in self.machine.engine("/containers/json")]
        self.assertTrue(inspected)
        self.assertNotIn(value, str(inspected))
        self.finish(job, step, log)
        time.sleep(1)  # the promise: one second after the job
        self.assertEqual(residue.in_memory(self.machine, value) - carriers, set())
        self.assertEqual(residue.on_disk(self.machine, value), [])

    def test_leak_is_found(self):
        """control: a value that goes the wrong way, as a plain variable, is found by the same searches."""
        value = residue.canary()
        job = self.machine.submit_file(f"image: bulkhead/busybox\nenv: {{LEAK: {value}}}\nsteps:\n  - run: echo $LEAK\n")
        self.machine.wait(job)
        self.machine.run("systemd-run", "--quiet", "--wait", "echo", value)
        self.assertIn("bulkhead-schedu", residue.in_memory(self.machine, value))
        found = " ".join(residue.on_disk(self.machine, value))
        for place in ("schedulerd", "relayd", "journal"):
            self.assertIn(place, found)

    # Restarts

    def test_restart_and_kill_of_each_service_in_the_middle_of_a_job(self):
        """The job has a secret, and prints it again after the restart: it is masked, by a relayd that had to ask a brokerd anew."""
        for daemon in DAEMONS:
            with self.subTest(daemon=daemon):
                job, step = self.begin(residue.canary())
                before = {other: self.machine.pid_of(other) for other in DAEMONS}
                self.machine.run("systemctl", "restart", f"bulkhead-{daemon}.service")
                after = {other: self.machine.pid_of(other) for other in DAEMONS}
                self.assertEqual({other for other in DAEMONS if before[other] != after[other]}, {daemon})
                self.machine.run("kill", "-KILL", after[daemon])
                eventually(f"{daemon} is back", lambda: self.machine.pid_of(daemon) not in ("0", after[daemon]))
                self.finish(job, step)

    def test_socket_outlives_a_stopped_server(self):
        self.machine.run("systemctl", "stop", "bulkhead-schedulerd.service")
        self.assertEqual(self.machine.state_of("bulkhead-scheduler.socket"), "active")
        # A caller starts it: apid, which waits for it.
        self.machine.wait_ready()
        self.run_job(residue.canary())

    def test_killed_broker_leaves_no_grant(self):
        """S9: brokerd is killed, and does not come back: its unit wipes what it had granted. The control: a unit without that line."""
        left = "/run/bulkhead/grants/0123456789abcdef0123456789abcdef"
        drop_in = f"{UNITS}/bulkhead-brokerd.service.d/90-test.conf"
        for lines, wanted in (("ExecStopPost=\n", f"{left}/grant\n"), ("", "")):
            self.machine.write(drop_in, f"[Service]\nRestartSec=1h\n{lines}")
            self.machine.run("systemctl", "daemon-reload")
            self.machine.run("install", "-d", "-o", "bulkhead-broker", "-m755", left)
            self.machine.run("install", "-o", "bulkhead-broker", "-m444", "/etc/hostname", left + "/grant")
            self.machine.run("kill", "-KILL", self.machine.pid_of("brokerd"))
            eventually("brokerd has ended and waits", lambda: self.machine.show(
                "bulkhead-brokerd.service", "SubState")["SubState"] == "auto-restart")
            found = self.machine.run("find", left, "-type", "f").stdout
            self.machine.run("rm", drop_in)
            self.machine.run("systemctl", "daemon-reload")
            self.machine.run("systemctl", "restart", "bulkhead-brokerd.service")
            self.assertEqual(found, wanted)

    def test_stop_and_start_of_everything(self):
        self.machine.run("systemctl", "stop", "bulkhead.target")
        for daemon in DAEMONS:
            eventually(f"{daemon} has stopped", lambda: self.machine.state_of(f"bulkhead-{daemon}.service") == "inactive")
        eventually("no socket is left", lambda: not self.machine.run("find", "/run/bulkhead", "-type", "s").stdout)
        self.machine.start()
        self.run_job(residue.canary())


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("test_booted: needs root, to boot a machine")
    if shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin") is None:
        raise SystemExit("test_booted: needs dockerd: make deps")
    unittest.main(verbosity=2)
