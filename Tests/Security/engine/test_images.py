"""R4: and R10: and R11: images whose author wants more than a root file system. Each is overridden, or refused before anything of it
runs."""

import os
import pathlib
import time
import unittest

import images
from images import folder, link, plain
from spawnerd import Refused, Spawnerd, engine, needs_engine

LOOK = r"""
echo "ours $(id -u):$(id -g) $(pwd)"; tr '\0' '\n' </proc/self/environ | sort
grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
echo "proc $(stat -f -c %T /proc) grant $(cat /run/bulkhead/key)"
awk '$3 !~ /^0:/ || $5 == "/" { print "mount", $4, $6 }' /proc/self/mountinfo
touch /run/bulkhead/x 2>/dev/null && echo "wrote into the grant"
for path in /run/bulkhead/key /.bulkhead/runner /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids/cgroup.procs \
    /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/kernel/uevent_helper /proc/sys/kernel/core_pattern /proc/sysrq-trigger; do
    [ -e $path ] && (echo 1 >>$path) 2>/dev/null && echo "wrote $path"
done
files=$(cat /proc/kcore /proc/keys /proc/timer_list /proc/latency_stats 2>/dev/null | wc -c)
echo "masked $files $(ls -A /sys/firmware /proc/acpi 2>/dev/null | grep -c ^[a-z])"
exit 0
"""

UP = "/.." * 12

# What an image's configuration can say; all of it is set by the plan.
OVERRIDDEN = {
    "LD_PRELOAD": {"Env": ["LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/evil", "LD_AUDIT=/evil.so"]},
    "PATH": {"Env": ["PATH=/evil", "HOME=/evil", "LANG=evil"]},
    "shell variables": {"Env": ["BASH_ENV=/evil", "ENV=/evil", "IFS=evil", "PS4=$(evil)", "SHELLOPTS=xtrace"]},
    "DOCKER_HOST": {"Env": ["DOCKER_HOST=tcp://evil", "GIT_SSH_COMMAND=evil", "SWIFT_BACKTRACE=enable=yes,color=evil"]},
    "BULKHEAD_IMAGE": {"Env": ["BULKHEAD_IMAGE=evil"]},
    "a variable without a value": {"Env": ["LD_PRELOAD", "PATH="]},
    "names that are JSON": {"Env": ['A","Privileged":true,"B":"=evil', 'A"]},"HostConfig":{"Privileged":true},"b":{"B":["=evil',
                                    "A\\u0000=evil"]},
    "names in other case": {"Env": ["path=evil", "Path=evil", "ld_preload=evil", "bulkhead_image=evil"]},
    "the most and longest names": {"Env": [f"{n:03}".ljust(128, '"') + "=evil" for n in range(128)]},
    "a value of many lines": {"Env": ["A=1\nLD_PRELOAD=/evil.so\nB=" + "x" * 100_000]},
    "ENTRYPOINT": {"Entrypoint": ["/bin/false"], "Cmd": ["evil"]},
    "USER 0": {"User": "0"},
    "USER nobody knows": {"User": "evil:evil"},
    "WORKDIR /proc/self/fd/8": {"WorkingDir": "/proc/self/fd/8"},
    "WORKDIR relative": {"WorkingDir": "../../../evil"},
    "HEALTHCHECK": {"Healthcheck": {"Test": ["CMD-SHELL", "touch /job/evil"], "Interval": 1_000_000}},
    "STOPSIGNAL": {"StopSignal": "SIGCONT"},
    "STOPSIGNAL unknown": {"StopSignal": "SIGEVIL"},
    "ONBUILD": {"OnBuild": ["RUN evil"]},
    "SHELL": {"Shell": ["/bin/evil", "-c"]},
    "EXPOSE": {"ExposedPorts": {"80/tcp": {}}},
    "Tty, OpenStdin, AttachStdin": {"Tty": True, "OpenStdin": False, "StdinOnce": True, "AttachStdin": True},
    "Hostname": {"Hostname": "evil", "Domainname": "evil", "MacAddress": "00:11:22:33:44:55"},
    "ArgsEscaped": {"ArgsEscaped": True, "Cmd": ["evil evil"]},
    "labels of others": {"Labels": {"maintainer": "evil", "com.docker.compose.project": "evil"}},
}

REFUSED = {
    "VOLUME /proc": {"Volumes": {"/proc": {}}},
    "VOLUME /run/bulkhead": {"Volumes": {"/run/bulkhead": {}}},
    "VOLUME /data": {"Volumes": {"/data": {}}},
    "LABEL bulkhead.runner": {"Labels": {"bulkhead.runner": "0" * 32}},
    "LABEL bulkhead.instance": {"Labels": {"bulkhead.instance": "evil"}},
    "LABEL bulkhead.grant": {"Labels": {"bulkhead.grant": "0" * 32}},
    "a name of 129 bytes": {"Env": ["A" * 129 + "=1"]},
    "129 variables": {"Env": [f"A{n}=" for n in range(129)]},
    "a variable with a blank": {"Env": ["A B=1"]},
    "a variable without a name": {"Env": ["=evil"]},
}


def trees(victim):
    """Links and files where mounts will be. What is mounted stays inside the container, or nothing starts."""
    return {
        "/dev is a link to /tmp": [link("dev", "/tmp")],
        "/dev is a link to /proc": [link("dev", "/proc")],
        "/dev is a link out": [link("dev", UP + "/dev")],
        "/dev/shm is a link": [folder("dev"), link("dev/shm", "/etc")],
        "/proc is a link to /tmp": [link("proc", "/tmp")],
        "/proc is a link to /sys": [link("proc", "/sys")],
        "/proc is a file": [plain("proc")],
        "/sys is a link": [link("sys", "/etc")],
        "/run/bulkhead is a link to /etc": [link("run/bulkhead", "/etc")],
        "/run/bulkhead is a link to descriptors": [link("run/bulkhead", "/proc/self/fd")],
        "/run/bulkhead is a link out": [link("run/bulkhead", UP + str(victim.parent))],
        "/run is a link to /job": [link("run", "/job")],
        "/run is a link out": [link("run", UP)],
        "/run/bulkhead is a file": [plain("run/bulkhead")],
        "/job is a file": [plain("job")],
        "/job is a link out": [link("job", UP + "/etc")],
        "/job is a link to /proc": [link("job", "/proc")],
        "/tmp is a link to /": [link("tmp", "/")],
        "the runner is a link to a shell": [folder(".bulkhead"), link(".bulkhead/runner", "/bin/busybox")],
        "the runner is a link to its opener": [folder(".bulkhead"), link(".bulkhead/runner", "/proc/self/exe")],
        "the runner is a link out": [folder(".bulkhead"), link(".bulkhead/runner", UP + str(victim))],
        "the runner is a folder": [folder(".bulkhead"), folder(".bulkhead/runner")],
        "/.bulkhead is a link to /job": [link(".bulkhead", "/job")],
        "/etc/resolv.conf is a link out": [link("etc/resolv.conf", UP + str(victim))],
    }


def host_mounts():
    """The test's own mounts, less what the engine keeps for containers, and other houses for their grants."""
    return {line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()
            if not any(word in line for word in ("overlay", "/netns/", "/containers/", "/shm ", "/bulkhead-boot-"))
            and not line.startswith("bulkhead-grants ")}


@needs_engine
class Images(unittest.TestCase):
    count = 0

    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(Spawnerd(LOOK))
        cls.victim = cls.house.directory / "victim"
        cls.victim.write_text("the host's")
        cls.victim.chmod(0o644)
        cls.plain = cls.look("plain")
        assert cls.plain.startswith("ours 1000:1000 /\n"), cls.plain

    @classmethod
    def look(cls, what, members=None, profile="strict", **config):
        # A name of its own for each: spawnerd remembers an image's facts for some seconds.
        Images.count += 1
        name = f"bulkhead-test/image-{os.getpid()}-{Images.count}"
        images.load(name, members, **config)
        try:
            return cls.house.run(image=name, profile=profile).replace(name, "NAME")
        finally:
            images.remove(name)

    def assert_only_planned_mounts(self, what, output):
        """Of the host's disk a container sees the runner, its grant, and three files of the engine's."""
        roots = [line.split() for line in output.splitlines() if line.startswith("mount ")]
        planned = {"runner", "resolv.conf", "hostname", "hosts"}
        for _, root, options in roots:
            path = pathlib.Path(root)
            self.assertTrue(root == "/" or path.name in planned or path.parent == self.house.grants
                            or path.parent.name == "grants", f"{what}: {root} is mounted")
        self.assertGreaterEqual(len(roots), 5, "the positive control: the binds are seen")

    def test_configuration_is_overridden(self):
        """R4: and R10: the container of every such image is that of an image that says nothing; R2: whatever its variables are called."""
        for what, config in OVERRIDDEN.items():
            with self.subTest(f"R10: {what}"):
                output = self.look(what, **config)
                self.assertNotIn("evil", output)
                self.assertEqual(self.without_mounts(output), self.without_mounts(self.plain))
        # All of it at once, in the other profile.
        together = {}
        for config in OVERRIDDEN.values():
            together.update(config)
        together["Env"] = [variable for config in OVERRIDDEN.values() for variable in config.get("Env", []) if '"' not in variable]
        self.assertNotIn("evil", self.look("all", profile="build", **together))

    def without_mounts(self, output):
        return [line for line in output.splitlines() if not line.startswith("mount ")]

    def test_the_same_configuration_works_without_the_plan(self):
        """R4: and R10: the positive control: the engine does take these settings from an image."""
        name = "bulkhead-test/image-control"
        images.load(name, Env=["LD_PRELOAD=/evil.so"], User="0", WorkingDir="/etc", Volumes={"/data": {}}, StopSignal="SIGCONT",
                    Entrypoint=["/bin/sh", "-c", "id -u; pwd"], Labels={"bulkhead.runner": "x"},
                    Healthcheck={"Test": ["CMD", "evil"]})
        made = engine("POST", "/containers/create", {"Image": name, "HostConfig": {"NetworkMode": "none"}})[1]["Id"]
        try:
            seen = engine("GET", f"/containers/{made}/json")[1]
        finally:
            engine("DELETE", f"/containers/{made}?force=true&v=true")
            images.remove(name)
        config = seen["Config"]
        self.assertIn("LD_PRELOAD=/evil.so", config["Env"])
        self.assertEqual((config["User"], config["WorkingDir"], config["StopSignal"]), ("0", "/etc", "SIGCONT"))
        self.assertEqual((seen["Path"], config["Labels"]["bulkhead.runner"]), ("/bin/sh", "x"))
        self.assertEqual([mount["Type"] for mount in seen["Mounts"]], ["volume"])
        self.assertEqual(config["Healthcheck"]["Test"], ["CMD", "evil"])

    def test_what_cannot_be_overridden_is_refused(self):
        """R10: refused before a container is made."""
        for what, config in REFUSED.items():
            with self.subTest(f"R10: {what}"):
                with self.assertRaises(Refused) as refused:
                    self.look(what, **config)
                self.assertEqual(refused.exception.code, "image_refused")
                self.assertEqual(self.house.containers(), [])

    def test_nothing_of_an_image_leads_out(self):
        """R10: what stands in the place of mounts."""
        before, verdicts = host_mounts(), {}
        for what, extra in trees(self.victim).items():
            with self.subTest(f"R10: {what}"):
                names = {info.name for info, _ in extra}
                tree = [member for member in images.TREE() if member[0].name.strip("/") not in names] + extra
                try:
                    output = self.look(what, tree)
                    if "ours" in output:
                        verdicts[what] = "inside"
                        self.assert_only_planned_mounts(what, output)
                        self.assertIn("proc proc grant key of the grant", output)
                        self.assertNotIn("wrote", output)
                    else:
                        verdicts[what] = "nothing ran"
                        self.assertIn("too many levels", output)
                except Refused as refused:
                    verdicts[what] = "refused"
                    self.assertIn(refused.code, {"engine_refused", "invalid"})
                self.assertEqual(self.house.containers(), [], "nothing is left")
                self.assertEqual(self.victim.read_text(), "the host's")
                self.assertEqual(host_mounts(), before)
        # Both happen: the table is no accident of one way to fail.
        self.assertTrue({"inside", "refused"} <= set(verdicts.values()), verdicts)

    def test_process_and_system_files_are_masked(self):
        """R11: in both profiles, and not without them (the control)."""
        for profile in ["strict", "build"]:
            output = self.look("plain", profile=profile)
            self.assertIn("masked 0 0\n", output)
            self.assertNotIn("wrote", output)
            self.assert_only_planned_mounts(profile, output)
        name = f"bulkhead-control-{os.getpid()}"
        engine("POST", f"/containers/create?name={name}", {
            "Image": "bulkhead/busybox", "Cmd": ["sh", "-c", "cat /proc/timer_list /proc/keys | wc -c; ls /sys/firmware"],
            "HostConfig": {"NetworkMode": "none", "MaskedPaths": [], "ReadonlyPaths": [], "LogConfig": {"Type": "json-file"},
                           "UsernsMode": "host"}})
        try:
            engine("POST", f"/containers/{name}/start")
            engine("POST", f"/containers/{name}/wait")
            logs = engine("GET", f"/containers/{name}/logs?stdout=1")[1]
        finally:
            engine("DELETE", f"/containers/{name}?force=true")
        self.assertNotIn(b"\n0\n", b"\n" + logs[8:] + b"\n", "unmasked, they say something")

    def test_who_ignores_the_signal_is_removed(self):
        """R12: by the image's stop signal or by its own will."""
        name = f"bulkhead-test/stop-{os.getpid()}"
        images.load(name, StopSignal="SIGCONT")
        with Spawnerd("trap '' TERM CONT HUP INT; echo ready; while :; do sleep 1; done") as house:
            runner = house.create(image=name)
            engine("POST", f"/containers/{runner.name}/kill?signal=TERM")
            time.sleep(1)
            self.assertTrue(runner.inspect()["State"]["Running"], "the control: it is deaf")
            runner.remove()
            self.assertEqual(house.containers(), [])
        images.remove(name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
