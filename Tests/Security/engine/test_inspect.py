"""What the engine itself says of a strict runner, of one with untrusted steps, and of a build runner: equal to the golden files,
to section 5 of the CIS Docker Benchmark, and (strict) to Kubernetes' "restricted" rules.

BULKHEAD_WRITE_GOLDEN=1 writes the golden files anew; the difference is then for a person to read.
"""

import json
import os
import pathlib
import re
import unittest

from spawnerd import ENGINE, Spawnerd, engine, needs_engine

GOLDEN = pathlib.Path(__file__).with_name("golden")
PAGE = pathlib.Path(__file__).parents[3] / "docs/containers.md"
SHAPES = {"strict": {}, "strict-untrusted-steps": {"untrusted_steps": True, "trust": "untrusted"}, "build": {"profile": "build"}}

# Another one in every container, or a matter of the engine's own house-keeping.
VOLATILE = {"Id", "Created", "State", "ResolvConfPath", "HostnamePath", "HostsPath", "LogPath", "GraphDriver", "Driver", "Platform",
            "RestartCount", "NetworkSettings", "ImageManifestDescriptor", "Storage", "Image"}


def normalised(seen, house, runner):
    """The account, less what is volatile, with names in the place of numbers; the filters stand in files of their own."""
    account = {key: value for key, value in seen.items() if key not in VOLATILE}
    text = json.dumps(account)
    for value, name in [(runner.grant.name, "GRANT"), (str(house.grants), "/GRANTS"), (str(house.runner), "/RUNNER"),
                        (runner.hex, "RUNNER"), (house.instance, "INSTANCE"), (seen["Image"], "IMAGE")]:
        text = text.replace(value, name)
    account = json.loads(text)
    account["HostConfig"]["SecurityOpt"] = [
        "seccomp=FILTER" if option.startswith("seccomp=") else option for option in account["HostConfig"]["SecurityOpt"]]
    account["Mounts"].sort(key=lambda mount: mount["Destination"])
    networks = seen["NetworkSettings"]
    account["Networks"], account["Ports"] = sorted(networks["Networks"]), networks["Ports"]
    return account


def neutral(value):
    return value in (None, False, 0, "", [], {})


def differences(golden, seen, path=""):
    """Where they differ. What one version of the engine leaves out and another calls null, false or empty is the same."""
    if neutral(golden) and neutral(seen):
        return []
    if isinstance(golden, dict) and isinstance(seen, dict):
        return [d for key in sorted(golden.keys() | seen.keys())
                for d in differences(golden.get(key), seen.get(key), f"{path}.{key}")]
    return [] if golden == seen else [f"{path}: {golden!r} -> {seen!r}"]


def seccomp_of(seen):
    options = seen["HostConfig"]["SecurityOpt"] or []
    return next((option.removeprefix("seccomp=") for option in options if option.startswith("seccomp=")), None)


def readable(filter):
    """A filter as text: a line for each call."""
    lines = [f"otherwise {filter['defaultAction']} {filter['defaultErrnoRet']}"]
    for rule in filter["syscalls"]:
        conditions = [f"arg{a['index']} {a['op'][9:]} {a['value']:#x}" + (f" {a['valueTwo']:#x}" if "valueTwo" in a else "")
                      for a in rule.get("args", [])]
        lines += [" ".join([name, rule["action"][9:], str(rule.get("errnoRet", "")), *conditions]).rstrip() for name in rule["names"]]
    return "\n".join(lines) + "\n"


# MARK: - CIS Docker Benchmark, section 5

# What differs on purpose, and why: docs/containers.md says the same.
DEVIATIONS = {
    "5.2": "the plan names no AppArmor profile; where the kernel has AppArmor the engine adds its own",
    "5.3": "no SELinux label is set; where the kernel has SELinux the engine adds its own",
    "5.15": "never restarted, instead of at most five times: a job must not begin twice",
    "5.27": "no health check: it would be a program of the image's choice, beside the job",
    "5.28": "Bulkhead never pulls; a container is made from the image's content, and which image that is, is the site's affair",
}
UNTRUSTED_STEPS_DEVIATIONS = {"5.4": "three capabilities inside the user namespace, for steps of two users"}
# Shown in test_devices.py.
GPU_DEVIATIONS = {"5.18": "the leased ones, `rw` and never `m`; their paths come from spawnerd's inventory, never from a request"}
BUILD_DEVIATIONS = {
    "5.4": "six capabilities inside the user namespace, for installing packages",
    "5.13": "the root file system can be written, for installing packages",
}


def cis(seen, info):
    """The recommendations (of version 1.7) that do not hold."""
    host, config = seen["HostConfig"], seen["Config"]
    mounts = seen["Mounts"]
    sources = [mount.get("Source", "") for mount in mounts]
    sensitive = {"/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr", "/var", "/run", "/home", "/root"}
    seccomp = seccomp_of(seen)
    limits = {limit["Name"] for limit in host["Ulimits"] or []}
    ports = [port for bound in (host["PortBindings"] or {}).values() for port in bound or [{}]]
    checks = {
        "5.1": info["Swarm"]["LocalNodeState"] == "inactive",  # swarm mode is off
        "5.2": seen["AppArmorProfile"] not in ("", "unconfined"),  # an AppArmor profile
        "5.3": any(o.startswith("label=") and o != "label=disable" for o in host["SecurityOpt"] or []),  # SELinux options
        "5.4": not host["CapAdd"] and host["CapDrop"] == ["ALL"],  # capabilities
        "5.5": not host["Privileged"],  # not privileged
        "5.6": not sensitive & set(sources) and all(not mount["RW"] for mount in mounts),  # no directory of the host's
        "5.7": not any("sshd" in word for word in [seen["Path"], *seen["Args"]]),  # no sshd
        "5.8": not any(int(port.get("HostPort") or 1) < 1024 for port in ports),  # no privileged port
        "5.9": not ports and not config.get("ExposedPorts"),  # no port that is not needed
        "5.10": host["NetworkMode"] == "none",  # not the host's network
        "5.11": host["Memory"] > 0 and host["MemorySwap"] == host["Memory"] and not host["OomKillDisable"],  # memory
        "5.12": host["NanoCpus"] > 0 or host["CpuShares"] > 0,  # processors
        "5.13": host["ReadonlyRootfs"],  # a root that is read only
        "5.14": not host["PublishAllPorts"] and all(port.get("HostIp") for port in ports),  # ports of one interface
        "5.15": host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 5},  # restarts
        "5.16": host["PidMode"] == "",  # not the host's processes
        "5.17": host["IpcMode"] in ("private", "none"),  # not the host's IPC
        "5.18": not host["Devices"] and not host.get("DeviceRequests") and not host.get("DeviceCgroupRules"),  # devices
        "5.19": {"core", "fsize", "nofile"} <= limits,  # ulimits
        "5.20": all(mount["Propagation"] in ("rprivate", "private") for mount in mounts),  # no shared mount
        "5.21": host["UTSMode"] == "",  # not the host's names
        "5.22": seccomp not in (None, "unconfined") and json.loads(seccomp)["defaultAction"] == "SCMP_ACT_ERRNO",  # seccomp
        "5.23": not seen["ExecIDs"],  # no privileged exec
        "5.24": not seen["ExecIDs"],  # no exec as root
        "5.25": host["CgroupParent"] == "",  # the control group
        "5.26": "no-new-privileges" in (host["SecurityOpt"] or []),  # no new privileges
        "5.27": config.get("Healthcheck", {}).get("Test") not in (None, ["NONE"]),  # health
        "5.28": False,  # the latest version of the image: no inspection can say
        "5.29": (host["PidsLimit"] or 0) > 0,  # processes
        "5.30": "bridge" not in seen["NetworkSettings"]["Networks"],  # not docker0
        "5.31": host["UsernsMode"] == "" and any("name=userns" in o or "name=rootless" in o for o in info["SecurityOptions"]),
        "5.32": not any(source.endswith("docker.sock") for source in sources),  # the engine's socket
    }
    assert list(checks) == [f"5.{n}" for n in range(1, 33)]
    return {number for number, holds in checks.items() if not holds}


# MARK: - Kubernetes' pod security standard, level "restricted"

def pod(seen):
    """What such a container is in the words of a pod."""
    host, config = seen["HostConfig"], seen["Config"]
    user, _, group = config["User"].partition(":")
    return {
        "privileged": host["Privileged"], "hostNetwork": host["NetworkMode"] == "host", "hostPID": host["PidMode"] == "host",
        "hostIPC": host["IpcMode"] == "host", "hostUsers": host["UsernsMode"] == "host",
        "hostPorts": sorted(host["PortBindings"] or {}), "sysctls": sorted(host.get("Sysctls") or {}),
        "capabilities": {"drop": host["CapDrop"] or [], "add": host["CapAdd"] or []},
        "volumes": sorted({mount["Type"] for mount in seen["Mounts"]} | ({"emptyDir"} if host.get("Tmpfs") else set())),
        "procMount": "Default" if host["MaskedPaths"] and host["ReadonlyPaths"] else "Unmasked",
        "seccomp": "Localhost" if seccomp_of(seen) not in (None, "unconfined") else "Unconfined",
        "appArmor": seen["AppArmorProfile"], "seLinux": [o for o in host["SecurityOpt"] or [] if o.startswith("label")],
        "allowPrivilegeEscalation": "no-new-privileges" not in (host["SecurityOpt"] or []),
        "runAsUser": int(user) if user.isdigit() else 0, "runAsGroup": int(group) if group.isdigit() else 0,
    }


# A pod has the grant as a Secret volume and the runner in its image; on one machine both are read-only binds of spawnerd's own.
ALLOWED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
PLANNED_BINDS = {"/.bulkhead/runner", "/run/bulkhead"}


def restricted(seen):
    """Which of the rules (https://kubernetes.io/docs/concepts/security/pod-security-standards/) do not hold."""
    pod_, broken = pod(seen), set()
    for rule in ["privileged", "hostNetwork", "hostPID", "hostIPC", "hostUsers", "hostPorts", "sysctls", "seLinux",
                 "allowPrivilegeEscalation"]:
        if pod_[rule]:
            broken.add(rule)
    if pod_["procMount"] != "Default":
        broken.add("procMount")
    if pod_["seccomp"] not in ("RuntimeDefault", "Localhost"):
        broken.add("seccomp")
    if pod_["appArmor"] == "unconfined":
        broken.add("appArmor")
    if pod_["runAsUser"] == 0:
        broken.add("runAsNonRoot")
    if "ALL" not in pod_["capabilities"]["drop"] or set(pod_["capabilities"]["add"]) - {"NET_BIND_SERVICE"}:
        broken.add("capabilities")
    binds = {mount["Destination"] for mount in seen["Mounts"] if mount["Type"] == "bind" and not mount["RW"]}
    if set(pod_["volumes"]) - ALLOWED_VOLUMES - {"bind"} or not binds <= PLANNED_BINDS or len(binds) != len(seen["Mounts"]):
        broken.add("volumes")
    return broken


@needs_engine
class Inspect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        house = cls.enterClassContext(Spawnerd())
        cls.info = engine("GET", "/info")[1]
        cls.seen, cls.normal = {}, {}
        for name, shape in SHAPES.items():
            runner = house.create(**shape)
            cls.seen[name] = runner.inspect()
            cls.normal[name] = normalised(cls.seen[name], house, runner)
        # The controls of all of it: containers such as one is warned of. They are made, and never started.
        cls.bad = [cls.inspected({
            "Privileged": True, "NetworkMode": "host", "PidMode": "host", "IpcMode": "host", "UTSMode": "host", "UsernsMode": "host",
            "Binds": ["/etc:/etc:shared", f"{ENGINE}:/docker.sock"], "CapAdd": ["SYS_ADMIN"], "OomKillDisable": True, "CgroupParent": "/x",
            "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/sda", "CgroupPermissions": "rwm"}],
            "RestartPolicy": {"Name": "always"}}),
            cls.inspected({
                "PublishAllPorts": True, "PortBindings": {"80/tcp": [{"HostPort": "80"}]}, "Sysctls": {"net.ipv4.ip_forward": "1"},
                "SecurityOpt": ["label=disable", "apparmor=unconfined", "seccomp=unconfined"], "MaskedPaths": [], "ReadonlyPaths": []},
                Cmd=["/usr/sbin/sshd"])]

    @staticmethod
    def inspected(host, **config):
        status, made = engine("POST", "/containers/create", {"Image": "bulkhead/busybox", "Cmd": ["true"], **config, "HostConfig": host})
        assert status == 201, made
        try:
            return engine("GET", f"/containers/{made['Id']}/json")[1]
        finally:
            engine("DELETE", f"/containers/{made['Id']}?force=true")

    def test_equal_to_the_golden_files(self):
        """R1: the engine's account of each kind of runner."""
        for name, normal in self.normal.items():
            file = GOLDEN / f"{name}.json"
            if os.environ.get("BULKHEAD_WRITE_GOLDEN"):
                file.write_text(json.dumps(normal, indent=1, sort_keys=True) + "\n")
            self.assertEqual(differences(json.loads(file.read_text()), normal), [], name)
        self.assertNotEqual(differences(self.normal["strict"], self.normal["build"]), [], "the control: they do differ")
        changed = json.loads(json.dumps(self.normal["strict"]))
        changed["HostConfig"]["SomethingNew"] = True
        self.assertEqual(len(differences(self.normal["strict"], changed)), 1, "the control: an addition is seen")

    def test_filters_equal_to_the_golden_files(self):
        """R8: each profile's filter, a line for each call."""
        for name in ["strict", "build"]:
            text, file = readable(json.loads(seccomp_of(self.seen[name]))), GOLDEN / f"seccomp-{name}.txt"
            if os.environ.get("BULKHEAD_WRITE_GOLDEN"):
                file.write_text(text)
            self.assertEqual(text, file.read_text())
        self.assertEqual(seccomp_of(self.seen["strict"]), seccomp_of(self.seen["strict-untrusted-steps"]))
        self.assertNotEqual(seccomp_of(self.seen["strict"]), seccomp_of(self.seen["build"]))

    def test_cis_section_5(self):
        """R1: and R17: all of section 5, but for the deviations that are written down."""
        self.assertEqual(cis(self.seen["strict"], self.info), set(DEVIATIONS))
        self.assertEqual(cis(self.seen["strict-untrusted-steps"], self.info), set(DEVIATIONS | UNTRUSTED_STEPS_DEVIATIONS))
        self.assertEqual(cis(self.seen["build"], self.info), set(DEVIATIONS | BUILD_DEVIATIONS))
        # The controls. Swarm mode and a program that is started inside are only claimed: nobody tries them on this engine.
        swarm = {**self.info, "Swarm": {"LocalNodeState": "active"}}
        entered = {**self.bad[0], "ExecIDs": ["x"]}
        failed = cis(entered, swarm) | cis(self.bad[1], swarm)
        self.assertEqual(failed, {f"5.{n}" for n in range(1, 33)}, "the control: each can fail")

    def test_the_deviations_are_documented(self):
        page = PAGE.read_text()
        kinds = [("all", DEVIATIONS), ("untrusted steps", UNTRUSTED_STEPS_DEVIATIONS), ("build", BUILD_DEVIATIONS),
                 ("with GPUs", GPU_DEVIATIONS)]
        for shape, deviations in kinds:
            for number, reason in deviations.items():
                self.assertIn(f"| {number} | {shape} | {reason} |\n", page)
        rows = re.findall(r"^\| 5\.\d+ \|", page, re.MULTILINE)
        self.assertEqual(len(rows), sum(len(deviations) for _, deviations in kinds), "and no others")

    def test_kubernetes_restricted(self):
        """R1: the rules hold for strict; what the other two need is named."""
        self.assertEqual(restricted(self.seen["strict"]), set())
        self.assertEqual(restricted(self.seen["strict-untrusted-steps"]), {"capabilities", "runAsNonRoot"})
        self.assertEqual(restricted(self.seen["build"]), {"capabilities", "runAsNonRoot"})
        self.assertEqual(restricted(self.bad[0]) | restricted(self.bad[1]), {
            "privileged", "hostNetwork", "hostPID", "hostIPC", "hostUsers", "hostPorts", "sysctls", "seLinux", "allowPrivilegeEscalation",
            "procMount", "seccomp", "appArmor", "runAsNonRoot", "capabilities", "volumes"}, "the control: each can fail")


@needs_engine
class Language(unittest.TestCase):
    def test_the_driver_knows_nine_calls(self):
        """R13: no other path of the engine's API stands in the driver's source, and no program is started."""
        source = pathlib.Path(__file__).parents[3] / "Sources/Spawner"
        text = "\n".join(file.read_text() for file in sorted(source.rglob("*.swift")))
        code = re.sub(r"//.*", "", text)
        said = set(re.findall(r'"(?:GET|POST|PUT|DELETE|HEAD|PATCH)",\s*"(/[^"?]*)', code))
        self.assertEqual(said, {
            "/info", r"/images/\(name)/json", "/containers/create", r"/containers/\(name)/json", r"/containers/\(name)/attach",
            r"/containers/\(name)/wait", r"/containers/\(name)/start", r"/containers/\(name)", "/containers/json"})
        for word in ["/exec", "/archive", "/commit", "/build", "/update", "/rename", "/copy", "/volumes", "/networks", "/plugins",
                     "/swarm", "/secrets", "/session", "/grpc", "posix_spawn", "execve(", "Process("]:
            self.assertNotIn(word, code)
        # The control: the search does see a call that is written like the others.
        self.assertTrue(re.findall(r'"(?:POST)",\s*"(/[^"?]*)', 'case .exec(let name): ("POST", "/containers/x/exec")'))


if __name__ == "__main__":
    unittest.main(verbosity=2)
