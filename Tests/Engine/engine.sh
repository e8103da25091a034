#!/usr/bin/env bash
# The container engine for the demo and the tests.
#
#   engine.sh find     prints the URL of a usable engine: BULKHEAD_ENGINE, else DOCKER_HOST, else the system's, else ours
#   engine.sh start    prints the same, and starts a private engine when no other is usable
#   engine.sh private  starts a private engine whatever else there is, for a test that stops it
#   engine.sh stop     stops the private engine; leaves no process, mount or file but its cached data
#   engine.sh status   says what there is
#   engine.sh clean    stop, and the cached data too
#
# Usable means: it answers, and containers run in a user namespace. The private engine is Docker's, as root, with nothing
# on the host's network: no bridge, no firewall rule. Everything is safe to repeat, also after `kill -9` of any part.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd -P)
run_dir=$(realpath --canonicalize-missing "${BULKHEAD_RUN_DIR:-$root/.build/engine}")
# One name per run folder, so that checkouts do not meet.
name=bulkhead-engine-$(printf '%s' "$run_dir" | sha256sum | cut -c1-8)
# The socket's path must fit into 108 bytes however deep the checkout lies; only root writes in /run, so nobody squats there.
short_dir=/run/$name
socket=$short_dir/docker.sock
pid_file=$short_dir/dockerd.pid
log_file=$run_dir/dockerd.log

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf 'engine: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

# 0: usable; otherwise prints why not. "name=" in the security options is the same in Docker's and Podman's answer.
why_unusable() {
    local url=$1 info
    [[ $url == unix://* ]] || { echo "$url is not a Unix socket"; return 1; }
    [[ ! -e ${url#unix://} || -w ${url#unix://} ]] || { echo "$url is not open to $(id -un)"; return 1; }
    info=$(curl --silent --max-time 10 --unix-socket "${url#unix://}" http://engine/info) || { echo "$url does not answer"; return 1; }
    [[ $info == *'"name=userns"'* || $info == *'"name=rootless"'* ]] || { echo "$url has no user namespaces"; return 1; }
}

find_engine() {
    local url reason
    # What was asked for by name is used or refused, never silently replaced.
    if [[ -n ${BULKHEAD_ENGINE:-} ]]; then
        reason=$(why_unusable "$BULKHEAD_ENGINE") || fail "BULKHEAD_ENGINE: $reason"
        echo "$BULKHEAD_ENGINE"
        return
    fi
    for url in "${DOCKER_HOST:-}" unix:///var/run/docker.sock "unix://$socket"; do
        [[ -n $url ]] || continue
        if reason=$(why_unusable "$url"); then echo "$url"; return; fi
        if [[ $url == "${DOCKER_HOST:-}" || -S ${url#unix://} ]]; then say "$reason; looking further"; fi
    done
    return 1
}

# The pid of our engine, if it is alive and is ours: after a crash the number in the file may belong to anybody.
engine_pid() {
    local pid
    pid=$(cat "$pid_file" 2>/dev/null) && [[ $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]] \
        && grep --quiet --text --fixed-strings "$short_dir" "/proc/$pid/cmdline" && echo "$pid"
}

# The engine's data. The root of the containers' user namespace must be able to walk there, which a home folder
# or a `mktemp -d` forbids.
data_dir() {
    local dir=$run_dir
    while [[ $dir != / && $(stat --format=%A "$dir") == *[xt] ]]; do dir=$(dirname "$dir"); done
    if [[ $dir == / ]]; then echo "$run_dir/data"; else echo "/var/lib/$name"; fi
}

container_processes() { find /sys/fs/cgroup -path "*/$name/*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u || true; }

# Pids of all that belongs to our engine: daemons and shims name our folder, containers sit in our control group.
our_processes() {
    local dir pid
    for dir in /proc/[0-9]*; do
        pid=${dir#/proc/}
        if [[ $(readlink "$dir/exe") == */@(dockerd|containerd|containerd-shim*|docker-init) ]] \
            && grep --quiet --text --fixed-strings "$short_dir" "$dir/cmdline"; then echo "$pid"; fi
    done 2>/dev/null
    container_processes
}

our_mounts() { awk -v a="$short_dir/" -v b="$run_dir/" -v c="/var/lib/$name/" \
    'index($2, a) == 1 || index($2, b) == 1 || index($2, c) == 1 { print $2 }' /proc/self/mounts | sort --reverse; }

# Removes whatever an engine leaves that was killed (and, little as it is, one that was not).
sweep() {
    local pids mount
    for _ in 1 2 3 4 5; do
        mapfile -t pids < <(our_processes)
        ((${#pids[@]})) || break
        say "killing what the engine left: ${pids[*]}"
        kill -KILL "${pids[@]}" 2>/dev/null || true
        sleep 0.2
    done
    while read -r mount; do umount --lazy "$(printf '%b' "$mount")" || true; done < <(our_mounts)
    find /sys/fs/cgroup -depth -type d \( -name "$name" -o -path "*/$name/*" \) -exec rmdir {} + 2>/dev/null || true
    rm -rf "$short_dir"
}

# wait_for SECONDS WHAT COMMAND...: says so every five seconds.
wait_for() {
    local limit=$1 what=$2 start=$SECONDS spoken=0
    shift 2
    until "$@"; do
        local waited=$((SECONDS - start))
        ((waited < limit)) || return 1
        if ((waited >= spoken + 5)); then spoken=$waited; say "still waiting for $what (${waited}s of ${limit}s)"; fi
        sleep 0.1
    done
}

# With BULKHEAD_LIVE_RESTORE, containers outlive the engine. Runtimes beside runc: gVisor where it is installed, on the platform that
# works in a virtual machine too, and with our filter in it.
configuration() {
    local runsc
    echo '{"live-restore": '"$([[ -n ${BULKHEAD_LIVE_RESTORE:-} ]] && echo true || echo false)"
    if runsc=$(command -v runsc); then
        echo ', "runtimes": {"runsc": {"path": "'"$runsc"'",'
        echo '    "runtimeArgs": ["--platform=ptrace", "--network=none", "--oci-seccomp"]}}'
    fi
    echo '}'
}

start_engine() {
    local url
    if url=$(find_engine); then say "using $url"; echo "$url"; return; fi
    [[ -z ${BULKHEAD_ENGINE:-} ]] || exit 1
    private_engine
}

private_engine() {
    local data
    if engine_pid >/dev/null && why_unusable "unix://$socket" >/dev/null; then echo "unix://$socket"; return; fi
    ((EUID == 0)) || fail "no usable engine, and starting one takes root: run as root, or point BULKHEAD_ENGINE at one (rootless will do)"
    command -v dockerd >/dev/null || fail "no usable engine, and no dockerd to start one: make deps"

    # An engine that leaves its containers alive finds them again, if nobody has removed them meanwhile.
    [[ -n ${BULKHEAD_LIVE_RESTORE:-} ]] || sweep
    mkdir -p "$short_dir"
    chmod 711 "$short_dir"
    data=$(data_dir)
    # `default` makes the user dockremap with its ranges of ids; it does so only where these files exist.
    touch /etc/subuid /etc/subgid
    configuration >"$run_dir/daemon.json"
    say "starting a private engine (data in $data, log in $log_file)"
    # In its own session, out of reach of the terminal's Ctrl-C; without our lock, which would outlive us.
    setsid dockerd --config-file "$run_dir/daemon.json" \
        --data-root "$data" --exec-root "$short_dir/exec" --pidfile "$pid_file" -H "unix://$socket" \
        --userns-remap=default --bridge=none --iptables=false --ip6tables=false --ip-forward=false \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent="/$name" --shutdown-timeout=5 \
        </dev/null >"$log_file" 2>&1 9>&- &
    if ! wait_for 60 "the engine's first answer" answers_or_died $! || ! why_unusable "unix://$socket"; then
        tail -n 20 "$log_file" >&2
        sweep
        fail "the private engine did not start; the end of its log is above"
    fi
    say "the private engine is up"
    echo "unix://$socket"
}

answers_or_died() { ! kill -0 "$1" 2>/dev/null || why_unusable "unix://$socket" >/dev/null; }

stop_engine() {
    local pid
    if pid=$(engine_pid); then
        say "stopping the private engine, pid $pid"
        kill -TERM "$pid"
        # Nobody who stops the engine waits for the containers: the engine would give each ten seconds.
        container_processes | xargs --no-run-if-empty kill -KILL 2>/dev/null || true
        wait_for 30 "the engine to stop" eval "! kill -0 $pid 2>/dev/null" || say "it does not stop by itself"
    else
        say "no private engine is running"
    fi
    sweep
    rm -f "$log_file"
}

clean_engine() {
    stop_engine
    rm -rf "$run_dir/data" "/var/lib/$name"
}

status() {
    local url pid
    if url=$(find_engine); then echo "usable:  $url"; else echo "usable:  none"; fi
    if pid=$(engine_pid); then echo "private: running, pid $pid, socket $socket, log $log_file"; else echo "private: not running"; fi
}

# Two starts at once would sweep each other away.
locked() {
    mkdir -p "$run_dir"
    exec 9<"$run_dir"
    flock --timeout 120 9 || fail "another start or stop has been at work on $run_dir for two minutes"
    "$@"
}

case ${1:-} in
find) find_engine || fail "no usable engine: make engine" ;;
start) locked start_engine ;;
private) locked private_engine ;;
stop) locked stop_engine ;;
clean) locked clean_engine ;;
status) status ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
