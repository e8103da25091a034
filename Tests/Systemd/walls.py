"""What each directive of the units must do, in words of probe.c.

Three runs per directive: a program without walls can do it; with this directive alone it cannot; inside the whole unit it cannot.
So a directive that this system ignores, and one that is missing in a unit, are both noticed.
"""

import re

# Directive (with the value that it has in the units), what probe.c says with it alone, and what else both runs need, before it.
WALLS = [
    ("User", "bulkhead-api", {"uid": r"[1-9]\d*"}, []),
    ("NoNewPrivileges", "yes", {"NoNewPrivs": "1"}, []),
    ("CapabilityBoundingSet", "", {"CapBnd": "0+", "CapEff": "0+", "CapPrm": "0+"}, []),
    ("AmbientCapabilities", "", {"CapAmb": "0+", "CapEff": "0+"}, ["User=nobody", "AmbientCapabilities=CAP_NET_RAW"]),
    ("KeyringMode", "private", {"session_keyring": "_ses"}, ["KeyringMode=inherit"]),
    ("RestrictSUIDSGID", "yes", {"suid_file": "EPERM"}, []),
    ("RootDirectory", "/run/bulkhead/root", {"host_etc": "ENOENT"}, ["BindReadOnlyPaths=/usr/lib /lib -/lib64 /usr/local/libexec"]),
    ("BindReadOnlyPaths", "/usr/lib /lib -/lib64 /usr/local/lib/bulkhead", {"write_lib": "EROFS"}, []),
    ("ProtectSystem", "strict", {"write_root": "EROFS", "write_lib": "EROFS"}, []),
    ("ProtectHome", "yes", {"home": "ENOENT|EACCES"}, []),
    ("PrivateTmp", "yes", {"host_tmp": "ENOENT"}, []),
    ("PrivateDevices", "yes", {"host_device": "ENOENT"}, []),
    ("DevicePolicy", "closed", {"host_device": "EPERM"}, []),
    ("PrivateMounts", "yes", {"ns_mnt": "other"}, []),
    ("PrivateIPC", "yes", {"ns_ipc": "other"}, []),
    ("PrivateNetwork", "yes", {"ns_net": "other"}, []),
    ("PrivateUsers", "yes", {"ns_user": "other"}, []),
    ("NoExecPaths", "+/", {"execute": "EACCES"}, ["ExecPaths=+/usr/lib +/lib -+/lib64 +/usr/local/libexec"]),
    ("MemoryDenyWriteExecute", "yes", {"write_execute_map": "EPERM", "write_then_execute": "EPERM"}, []),
    ("RestrictAddressFamilies", "AF_UNIX",
     {f"socket_{name}": "EAFNOSUPPORT" for name in ("inet", "inet6", "netlink", "packet")}, []),
    ("IPAddressDeny", "any", {"packet": "EPERM"}, []),
    ("ProtectClock", "yes", {"clock": "EPERM"}, []),
    ("ProtectControlGroups", "yes", {"control_groups": "EROFS"}, []),
    ("ProtectHostname", "yes", {"ns_uts": "other", "host_name": "EPERM"}, []),
    ("ProtectKernelLogs", "yes", {"kernel_log": "EPERM"}, []),
    ("ProtectKernelModules", "yes", {"modules": "ENOENT|EACCES", "module": "EPERM"}, []),
    ("ProtectKernelTunables", "yes", {"tunable": "EROFS"}, []),
    ("ProtectProc", "invisible", {"other_processes": "ENOENT"}, ["User=nobody"]),
    ("ProcSubset", "pid", {"proc_files": "ENOENT"}, []),
    ("LockPersonality", "yes", {"personality": "EPERM"}, []),
    ("RestrictNamespaces", "yes", {"new_user_namespace": "EPERM", "new_network_namespace": "EPERM"}, []),
    ("RestrictRealtime", "yes", {"real_time": "EPERM"}, []),
    ("SystemCallArchitectures", "native", {"call_i386": "EFAULT"}, []),
    ("SystemCallFilter", None, {name: "EPERM" for name in ("chroot", "mount", "ptrace", "keyring", "io_uring", "module", "clock")},
     ["SystemCallErrorNumber=EPERM"]),
    ("UMask", "0077", {"umask": "077"}, []),
    ("LimitCORE", "0", {"limit_core": "0"}, []),
    ("LimitNPROC", "128", {"limit_processes": "128"}, []),
    ("LimitNOFILE", "4096", {"limit_files": "4096"}, []),
]

# The other directives, and where it is seen that they hold.
ELSEWHERE = {
    "test_booted.py: what a user leaves in shared memory": "RemoveIPC",
    "`per_unit` below: what the daemon is given": "BindPaths BindReadOnlyPaths InaccessiblePaths StateDirectory StateDirectoryMode "
                                                  "LoadCredential LimitNOFILE LimitMEMLOCK",
    "test_booted.py: the kernel's own files": "Slice MemoryMax MemorySwapMax TasksMax",
    "with NoExecPaths and SystemCallFilter above": "ExecPaths SystemCallErrorNumber",
    "the daemons start, and are restarted": "Type Group Environment EnvironmentFile ExecStart ExecStopPost Sockets Restart RestartSec "
                                            "TimeoutStopSec OOMPolicy RemainAfterExit StandardOutput StandardError DynamicUser",
}

# Edges whose sockets a daemon may write to: those that it calls.
CALLS = {"accounts": set(), "apid": {"scheduler"}, "schedulerd": {"spawner", "relay", "broker", "courier"},
         "spawnerd": {"stream"}, "brokerd": set(),
         "relayd": {"mask"}, "courierd": {"forge"}}
EDGES = ["scheduler", "spawner", "stream", "relay", "broker", "mask", "courier", "forge"]
# What is open to one alone: looking users up takes what the host has configured for it; courierd is the way out.
OPEN = {"accounts": {"host_etc"}, "courierd": {"socket_inet", "socket_inet6", "packet"}}
# Lines of the probe that say nothing about walls, or that are looked at in `per_unit`.
GIVEN = re.compile(r"write_tmp|null_device|socket_unix|write_state|session_keyring|edge_.*|grants|credential.*|limit_.*|Cap.*|No.*|Seccomp|"
                   r"ns_.*|uid|umask|host_tree|host_node")
DENIED = {"EPERM", "EACCES", "ENOENT", "EROFS", "EAFNOSUPPORT", "EFAULT"}


def parse(text):
    """The lines of the probe, as a dictionary."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def directives(*texts):
    """`(name, value)` of the sections [Service] of unit files, in their order; continued lines are joined."""
    found = []
    for text in texts:
        section = ""
        for line in re.sub(r"\\\n\s*", "", text).splitlines():
            if line.startswith("["):
                section = line
            elif "=" in line and not line.startswith("#") and section == "[Service]":
                found.append(tuple(part.strip() for part in line.split("=", 1)))
    return found


def unknown(found):
    """Directives that no check above knows."""
    known = {wall[0] for wall in WALLS} | {name for names in ELSEWHERE.values() for name in names.split()}
    return {name for name, _ in found} - known


def per_unit(daemon, said, control, found):
    """What holds in the unit of this daemon: words, truth, and what to show if it does not. `control` is what is said without walls."""
    units = dict(found)
    allowed = {name for name, value in said.items() if not GIVEN.fullmatch(name) and (
        value not in DENIED or value == control.get(name))}
    yield "what is not its business is denied", allowed == OPEN.get(daemon, set()), allowed
    yield "what it needs is allowed", all(said[name] == "ok" for name in ("write_tmp", "null_device", "socket_unix")), said
    yield "no capability, no new privileges, a filter", (
        {said[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
        and said["NoNewPrivs"] == "1" and said["Seccomp"] == "2"), said
    shared = {name for name in ("net", "ipc", "uts", "mnt", "user") if said[f"ns_{name}"] == control[f"ns_{name}"]}
    yield "namespaces of its own", shared == (set() if "PrivateUsers" in units else {"user"}) | (
        {"net"} if daemon == "courierd" else set()), shared
    yield "a user of its own", said["uid"] != "0" and said["umask"] == "077", said
    reached = {edge for edge in EDGES if said[f"edge_{edge}"] == "ok"}
    yield "the sockets that it calls, and no other", reached == CALLS[daemon], reached
    yield "grants are brokerd's alone", (said["grants"] == "ok") == (daemon == "brokerd"), said["grants"]
    # The others share the empty root in which systemd made the names: to them the node is an empty file.
    yield "the host's devices are spawnerd's to look at, and not to open", (
        (said["host_tree"] == "ok", daemon != "spawnerd" or said["host_node"] == "EPERM") == (daemon == "spawnerd", True)), said
    yield "its state directory, if it has one", ("StateDirectory" in units) == (said.get("write_state") == "ok"), said
    yield "its credential, read-only, if it has one", (
        (said.get("credential"), said.get("credential_write") in DENIED) == (("ok", True) if daemon == "brokerd" else (None, False))), said
    yield "its limits", said["limit_core"] == "0" and said["limit_processes"] == "128" and (
        said["limit_files"] == units.get("LimitNOFILE", said["limit_files"])) and (
        "LimitMEMLOCK" not in units or said["limit_locked"] == str(8 << 20)), said
