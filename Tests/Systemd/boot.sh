#!/usr/bin/env bash
# boot.sh ROOT NAME: boots the systemd of the root file system ROOT as PID 1 of namespaces of its own (process numbers, mounts,
# network, IPC, host name, control groups) and stays until it ends. NAME is the control group made for it in each hierarchy below
# our own; what is in ROOT/.bind (lines "SOURCE TARGET") is mounted too. Machine in machine.py calls this and cleans up.
set -euo pipefail
root=$1 name=$2

# The hierarchies of this machine: "MOUNTPOINT OPTIONS", cgroup v1 and v2.
hierarchies() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2, $3, $4 }' /proc/self/mounts; }

# Our own place in the hierarchy mounted at $1: found by its controllers, or as the unnamed one of v2.
own_place() {
    local point=$1 kind=$2 line key=${1##*/}
    while IFS=: read -r _ line path; do
        if [[ $kind == cgroup2 && -z $line ]] || [[ $kind == cgroup && ",${line#name=}," == *",$key,"* ]]; then
            echo "$point/${path#/}"
            return
        fi
    done </proc/self/cgroup
    echo "$point"
}

while read -r point kind _; do
    place=$(own_place "$point" "$kind")
    place=${place%/}/$name
    mkdir -p "$place"
    # A set of processors is empty when it is made, and then nothing can run in it.
    if [[ -e $place/cpuset.cpus && $kind == cgroup ]]; then
        for file in cpuset.cpus cpuset.mems; do cat "${place%/*}/$file" >"$place/$file"; done
        echo 1 >"$place/cgroup.clone_children"
    fi
    echo $$ >"$place/cgroup.procs"
done < <(hierarchies)

inside() {
    set -euo pipefail
    local root=$1 device point kind source target
    mount --bind "$root" "$root"
    mount -t tmpfs -o mode=755,nosuid,nodev run "$root/run"
    mount -t tmpfs -o mode=755,nosuid dev "$root/dev"
    # `probe` is the kernel's log by another name: what a unit with a /dev of its own does not see. `kfd` as well: AMD's node, here for
    # spawnerd to look at and not to open.
    for device in null:3 zero:5 full:7 random:8 urandom:9 probe:11 kfd:11; do
        mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
    done
    mknod -m 666 "$root/dev/tty" c 5 0
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
    mount -t tmpfs -o nosuid,nodev shm "$root/dev/shm"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    # In the new control group namespace each hierarchy shows what lies below the group made above.
    if [[ $2 == cgroup2 ]]; then
        mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    else
        mount -t tmpfs -o mode=755 cgroups "$root/sys/fs/cgroup"
        while read -r point kind _; do
            mkdir "$root/sys/fs/cgroup/${point##*/}"
            case ${point##*/}:$kind in
            *:cgroup2) mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/${point##*/}" ;;
            systemd:*) mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd" ;;
            *) mount -t cgroup -o "${point##*/}" cgroup "$root/sys/fs/cgroup/${point##*/}" ;;
            esac
        done < <(hierarchies)
    fi
    while read -r source target; do
        mkdir -p "$root$target"
        mount --rbind "$source" "$root$target"
    done <"$root/.bind"
    ip link set lo up
    mkdir -p "$root/.old"
    cd "$root"
    pivot_root . .old
    cd /
    umount --lazy /.old
    mount --make-rshared /
    exec env --ignore-environment container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /sbin/init --unit=basic.target </dev/null >/dev/null 2>&1
}
export -f inside hierarchies

first_kind=$(awk '$2 == "/sys/fs/cgroup" { print $3 }' /proc/self/mounts)
# Without exec: this shell's end is the machine's end, and --kill-child makes the machine's end this shell's.
exec unshare --pid --mount --uts --ipc --net --cgroup --fork --kill-child --propagation private \
    bash -c 'inside "$@"' boot "$root" "$first_kind"
