// The whole of what is sent for a runner, written by hand: a change of the template has to be made here as well.
// SECCOMP stands for the filter's text.

let goldenStrict = #"""
    {"Cmd": ["00112233445566778899aabbccddeeff"], "Domainname": "", "Entrypoint": ["/.bulkhead/runner"],
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/job", "LANG=C.UTF-8",
    "SWIFT_BACKTRACE=enable=no", "BULKHEAD_IMAGE=bulkhead/busybox", "LD_PRELOAD"], "Healthcheck": {"Test":
    ["NONE"]}, "HostConfig": {"AutoRemove": false, "Binds": [], "CapAdd": [], "CapDrop": ["ALL"],
    "CgroupParent": "", "CgroupnsMode": "private", "DeviceCgroupRules": [], "DeviceRequests": [], "Devices":
    [], "Dns": [], "DnsOptions": [], "DnsSearch": [], "ExtraHosts": [], "GroupAdd": [], "Init": false,
    "IpcMode": "private", "Links": [], "LogConfig": {"Config": {}, "Type": "none"}, "MaskedPaths":
    ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
    "/sys/devices/virtual/powercap", "/sys/firmware"], "Memory": 67108864, "MemorySwap": 67108864, "Mounts":
    [{"BindOptions": {"Propagation": "rprivate"}, "ReadOnly": true, "Source": "/opt/runner", "Target":
    "/.bulkhead/runner", "Type": "bind"}, {"BindOptions": {"Propagation": "rprivate"}, "ReadOnly": true,
    "Source": "/run/grants/8899aabbccddeeff0011223344556677", "Target": "/run/bulkhead", "Type": "bind"}],
    "NanoCpus": 1500000000, "NetworkMode": "none", "OomKillDisable": false, "OomScoreAdj": 500, "PidMode": "",
    "PidsLimit": 64, "PortBindings": {}, "Privileged": false, "PublishAllPorts": false, "ReadonlyPaths":
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"], "ReadonlyRootfs": true,
    "RestartPolicy": {"MaximumRetryCount": 0, "Name": "no"}, "Runtime": "runc", "SecurityOpt":
    ["no-new-privileges", "SECCOMP"], "ShmSize": 2097152, "StorageOpt": {}, "Sysctls": {}, "Tmpfs": {"/job":
    "rw,exec,nosuid,nodev,size=10485760,nr_inodes=2560,mode=755,uid=1000,gid=1000", "/tmp":
    "rw,exec,nosuid,nodev,size=4194304,nr_inodes=1024,mode=1777,uid=1000,gid=1000"}, "UTSMode": "", "Ulimits":
    [{"Hard": 0, "Name": "core", "Soft": 0}, {"Hard": 16777216, "Name": "fsize", "Soft": 16777216}, {"Hard":
    4096, "Name": "nofile", "Soft": 4096}], "UsernsMode": "", "VolumesFrom": []}, "Hostname": "runner",
    "Image": "sha256:abc", "Labels": {"bulkhead.devices": "", "bulkhead.epoch": "7", "bulkhead.grant":
    "8899aabbccddeeff0011223344556677", "bulkhead.instance": "test", "bulkhead.runner":
    "00112233445566778899aabbccddeeff", "bulkhead.trust": "trusted", "bulkhead.v": "3"}, "NetworkDisabled":
    false, "OpenStdin": true, "StdinOnce": false, "StopSignal": "SIGTERM", "Tty": false, "User": "1000:1000",
    "Volumes": {}, "WorkingDir": "/"}
    """#

let goldenBuild = #"""
    {"Cmd": ["00112233445566778899aabbccddeeff"], "Domainname": "", "Entrypoint": ["/.bulkhead/runner"],
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/job", "LANG=C.UTF-8",
    "SWIFT_BACKTRACE=enable=no", "BULKHEAD_IMAGE=bulkhead/busybox", "LD_PRELOAD"], "Healthcheck": {"Test":
    ["NONE"]}, "HostConfig": {"AutoRemove": false, "Binds": [], "CapAdd": ["CAP_CHOWN", "CAP_DAC_OVERRIDE",
    "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"], "CapDrop": ["ALL"], "CgroupParent": "",
    "CgroupnsMode": "private", "DeviceCgroupRules": [], "DeviceRequests": [], "Devices": [], "Dns": [],
    "DnsOptions": [], "DnsSearch": [], "ExtraHosts": [], "GroupAdd": [], "Init": false, "IpcMode": "private",
    "Links": [], "LogConfig": {"Config": {}, "Type": "none"}, "MaskedPaths": ["/proc/acpi", "/proc/asound",
    "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
    "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"], "Memory":
    67108864, "MemorySwap": 67108864, "Mounts": [{"BindOptions": {"Propagation": "rprivate"}, "ReadOnly":
    true, "Source": "/opt/runner", "Target": "/.bulkhead/runner", "Type": "bind"}, {"BindOptions":
    {"Propagation": "rprivate"}, "ReadOnly": true, "Source": "/run/grants/8899aabbccddeeff0011223344556677",
    "Target": "/run/bulkhead", "Type": "bind"}], "NanoCpus": 1500000000, "NetworkMode": "none",
    "OomKillDisable": false, "OomScoreAdj": 500, "PidMode": "", "PidsLimit": 64, "PortBindings": {},
    "Privileged": false, "PublishAllPorts": false, "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq",
    "/proc/sys", "/proc/sysrq-trigger"], "ReadonlyRootfs": false, "RestartPolicy": {"MaximumRetryCount": 0,
    "Name": "no"}, "Runtime": "runc", "SecurityOpt": ["no-new-privileges", "SECCOMP"], "ShmSize": 2097152,
    "StorageOpt": {}, "Sysctls": {}, "Tmpfs": {"/job":
    "rw,exec,nosuid,nodev,size=10485760,nr_inodes=2560,mode=755,uid=0,gid=0", "/tmp":
    "rw,exec,nosuid,nodev,size=4194304,nr_inodes=1024,mode=1777,uid=0,gid=0"}, "UTSMode": "", "Ulimits":
    [{"Hard": 0, "Name": "core", "Soft": 0}, {"Hard": 16777216, "Name": "fsize", "Soft": 16777216}, {"Hard":
    4096, "Name": "nofile", "Soft": 4096}], "UsernsMode": "", "VolumesFrom": []}, "Hostname": "runner",
    "Image": "sha256:abc", "Labels": {"bulkhead.devices": "", "bulkhead.epoch": "7", "bulkhead.grant":
    "8899aabbccddeeff0011223344556677", "bulkhead.instance": "test", "bulkhead.runner":
    "00112233445566778899aabbccddeeff", "bulkhead.trust": "trusted", "bulkhead.v": "3"}, "NetworkDisabled":
    false, "OpenStdin": true, "StdinOnce": false, "StopSignal": "SIGTERM", "Tty": false, "User": "0:0",
    "Volumes": {}, "WorkingDir": "/"}
    """#
