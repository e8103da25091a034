#!/usr/bin/env bash
# The demo: a real job from a real git repository, through all the daemons, on a real engine. `make demo` has installed
# and built what it needs. It leaves nothing running that was not running before.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd -P)
bulkhead=$here/../../.build/release/bulkhead
# A place of its own: no token, address or state of another installation is to have a say.
unset BULKHEAD_URL BULKHEAD_TOKEN BULKHEAD_KEY
# Under /tmp and open to walk through: the daemons run as users of their own and must reach their sockets.
work=$(mktemp -d /tmp/bulkhead-demo.XXXXXX)
chmod 711 "$work"
state=$work/state
up_pid='' engine='' engine_is_ours=''

say() { printf '\ndemo: %s\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# Ids of the containers that this installation made; the instance's name is what tells them from others'.
our_containers() {
    [[ -n $engine && -s $state/instance ]] || return 0
    curl --silent --get --unix-socket "${engine#unix://}" http://engine/containers/json --data all=1 \
        --data-urlencode "filters={\"label\":[\"bulkhead.instance=$(<"$state/instance")\"]}" \
        | grep -o '"Id":"[0-9a-f]*"' | cut -d'"' -f4 || true
}

our_processes() {
    local dir
    for dir in /proc/[0-9]*; do
        if [[ $(readlink "$dir/exe") == */bulkhead* ]] \
            && grep --quiet --text --fixed-strings "$work" "$dir/cmdline"; then echo "${dir#/proc/}"; fi
    done 2>/dev/null
}

# within SECONDS COMMAND...: waits until the command holds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}
up_ended() { ! kill -0 "$up_pid" 2>/dev/null; }
healthy() { up_ended || curl --silent --fail --output /dev/null "$url/health"; }
no_containers() { [[ -z $(our_containers) ]]; }

stop_daemons() {
    [[ -n $up_pid ]] || return 0
    kill -TERM "$up_pid" 2>/dev/null || true
    within 20 up_ended || { kill -KILL "$up_pid"; echo "demo: \`bulkhead up\` did not stop within 20 s" >&2; }
    wait "$up_pid" 2>/dev/null || true
    up_pid=''
}

stop_engine() {
    [[ -z $engine_is_ours ]] || "$here/../Engine/engine.sh" stop
    engine_is_ours=''
}

# Whatever happened: say what the daemons said, then leave nothing behind.
clean_up() {
    local status=$? id pid log
    trap - EXIT INT TERM
    if ((status != 0)); then
        printf '\ndemo: failed. What the daemons said last:\n' >&2
        for log in "$work/up.log" "$state"/log/*; do
            if [[ -s $log ]]; then printf -- '--- %s\n' "$(basename "$log")"; tail -n 15 "$log"; fi
        done >&2
    fi
    stop_daemons
    for pid in $(our_processes); do kill -KILL "$pid" || true; done
    for id in $(our_containers); do
        curl --silent --request DELETE --unix-socket "${engine#unix://}" "http://engine/containers/$id?force=1&v=1" || true
    done
    stop_engine
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say "an engine and an image"
before=$("$here/../Engine/engine.sh" find 2>/dev/null || true)
engine=$("$here/../Engine/engine.sh" start)
[[ -n $before ]] || engine_is_ours=yes
"$here/../Engine/images.sh"

say "a git repository with a small C program"
cp -r "$here/program" "$work/program"
mv "$work/program/gitignore" "$work/program/.gitignore"
git -C "$work/program" -c init.defaultBranch=main init --quiet
git -C "$work/program" add .
git -C "$work/program" -c user.name=demo -c user.email=demo@localhost -c commit.gpgsign=false commit --quiet --message="A calculator"
git -C "$work/program" log --oneline --stat

say "the daemons"
url=http://127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# In a session of its own: Ctrl-C reaches this script, which then stops them in order.
setsid "$bulkhead" up --state "$state" --listen "${url#http://}" --engine "$engine" </dev/null >"$work/up.log" 2>&1 &
up_pid=$!
within 30 healthy || fail "the API did not answer within 30 s"
if up_ended; then fail "\`bulkhead up\` ended at once"; fi
cat "$work/up.log"

say "a secret"
# Random, and on no command line: printf is the shell's own, and the value goes in on standard input.
token=$(head -c 24 /dev/urandom | base64)
printf %s "$token" | "$bulkhead" secret set demo deploy-token --url "$url" --state "$state"
"$bulkhead" secret ls demo --url "$url" --state "$state"

say "the job"
cat "$here/job.yaml"
echo
"$bulkhead" submit "$here/job.yaml" --source "$work/program" --follow --url "$url" --state "$state" 2>&1 | tee "$work/output"
grep -q '11 of 11 tests passed' "$work/output" || fail "the log does not show the job's work"
grep -qF 'deploying with *** (32 characters)' "$work/output" || fail "the log does not show the secret masked"
if grep -qFf <(printf '%s\n' "$token") "$work/output" "$work/up.log"; then fail "the secret is in the output"; fi
grep -q '^job .* SUCCEEDED' "$work/output" || fail "the last line does not say SUCCEEDED"

say "the broker's own record of what it gave, and its chain of hashes"
sed -E 's/[0-9a-f]{40,}/(hash)/g' "$state/brokerd/audit.log"
"$bulkhead" audit verify "$state/brokerd/audit.log"

say "stopping, and looking for what is left"
stop_daemons
[[ -z $(our_processes) ]] || fail "processes left: $(our_processes)"
no_containers || fail "containers left: $(our_containers)"
! grep -F "$work" /proc/self/mounts || fail "mounts left"
stop_engine
say "SUCCEEDED; nothing is left running"
