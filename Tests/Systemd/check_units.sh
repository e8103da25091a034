#!/usr/bin/env bash
# Reads all units as systemd would, on a copy installed into an empty directory: `verify` finds what it would ignore or miss,
# `security` must give every service an exposure of 0.3 or less (1.2 for the one with a network). Needs no root and starts nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
# What a unit names must exist for `verify`; what the programs do is no matter here.
mkdir -p "$tree/build" "$tree/root/usr/bin" "$tree/root/usr/lib/systemd"
printf 'int main(void) { return 0; }\n' | cc -x c -static -o "$tree/build/bulkhead" -
for name in apid schedulerd spawnerd brokerd relayd courierd runner; do cp "$tree/build/bulkhead" "$tree/build/bulkhead-$name"; done
for program in find shred; do cp "$tree/build/bulkhead" "$tree/root/usr/bin/$program"; done
BUILD=$tree/build DESTDIR=$tree/root systemd/install.sh >/dev/null
cp -a /usr/lib/systemd/system "$tree/root/usr/lib/systemd/"

units=("$tree"/root/etc/systemd/system/bulkhead*.{service,socket,slice,target} "$tree"/root/etc/systemd/system/*.mount)
failed=0

# Without a word is the only pass: an ignored line is a warning, and a wall that is missing.
said=$(systemd-analyze verify --man=no --root="$tree/root" "${units[@]##*/}" 2>&1 | grep -i -E 'bulkhead|grants' || true)
if [[ -n $said ]]; then printf 'verify:\n%s\n' "$said" >&2; failed=1; fi

shown=0
for unit in "${units[@]##*/}"; do
    [[ $unit == *.service ]] || continue
    # What courierd is for is what systemd counts: a network.
    most=3
    [[ $unit != bulkhead-courierd.service ]] || most=12
    level=$(systemd-analyze security --offline=true --threshold="$most" --no-pager --root="$tree/root" "$unit" | tail -n 1) || failed=1
    printf '%s\n' "$level"
    shown=$((shown + 1))
done
((shown == 7)) || { echo "seven services were to be looked at, not $shown" >&2; failed=1; }

# What a daemon's own profile keeps must pass the unit's filter first. setpriority: see 10-walls.conf.
allowed() {
    local word
    for word in $(sed -n 's/^SystemCallFilter=//p' systemd/bulkhead-.service.d/10-walls.conf); do expand_set "$word"; done | sort -u
}
expand_set() {
    local member
    if [[ $1 != @* ]]; then echo "$1"; return; fi
    for member in $(systemd-analyze syscall-filter "$1" | sed -n 's/^ *\([@a-z][a-z0-9_-]*\)$/\1/p'); do
        [[ $member == "$1" ]] || expand_set "$member"
    done
}
allowed=$(allowed)
for profile in Sources/Base/Sandbox/Profiles/*.profile; do
    missing=$(comm -13 <(echo "$allowed") <(sed -n 's/^\([a-z][a-z0-9_]*\).*/\1/p' "$profile" | grep -vx setpriority | sort -u))
    if [[ -n $missing ]]; then printf '%s: the unit denies %s\n' "$profile" "${missing//$'\n'/ }" >&2; failed=1; fi
done
exit "$failed"
