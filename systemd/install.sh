#!/usr/bin/env bash
# make install: programs, units, users and directories below PREFIX (default /usr/local), inside DESTDIR if one is given.
# BUILD names another folder of programs. Safe to repeat. Starts nothing: docs/howto/install.md says how to go on.
set -euo pipefail
cd "$(dirname "$0")/.."

destdir=${DESTDIR:-}
prefix=${PREFIX:-/usr/local}
build=${BUILD:-.build/release}
# systemd reads these places whatever the prefix is, /usr/local/lib among them.
if [[ $prefix == /usr ]]; then units=/usr/lib; else units=/etc; fi

[[ $prefix == /* && $prefix != *[[:space:]%]* ]] || { echo "install: PREFIX must be an absolute path without spaces" >&2; exit 1; }

programs=(apid schedulerd spawnerd brokerd relayd courierd runner)
libraries=$prefix/lib/bulkhead

# What the program $1 loads that is no library of the system's: Swift's own, from the toolchain that built it.
of_toolchain() { ldd "$1" 2>/dev/null | awk '/=>/ && $3 !~ "^/(usr/)?lib(64)?(/[^/]*-linux-[^/]*)?/[^/]*$" { print $3 }'; }

# place SOURCE TARGET ORIGIN: a program, told to look for Swift's libraries in ORIGIN and no more in the toolchain's folder: that may
# be another version's one day, or somebody's home, and this program is run by root. The name is replaced in place, hence the
# padding with slashes.
place() {
    local source=$1 target=$destdir$2 wanted=$3 was library
    install -D -m 755 --strip "$source" "$target"
    was=$(search_path "$target")
    [[ -n $was ]] || return 0
    for library in $(of_toolchain "$source"); do install -D -m 644 "$library" "$destdir$libraries/${library##*/}"; done
    while ((${#wanted} < ${#was})); do wanted+=/; done
    LC_ALL=C sed -i "s|$(printf '%s' "$was" | sed 's/[][\.*^$|]/\\&/g')\\x00|$wanted\\x00|" "$target"
    if [[ $(search_path "$target") != "$wanted" ]] || ldd "$target" | grep 'not found'; then
        echo "install: $source cannot be made to find its libraries by $wanted instead of $was" >&2
        exit 1
    fi
}

search_path() { readelf --dynamic "$1" | sed -n 's/.*(RUNPATH).*\[\(.*\)\]$/\1/p'; }

# put MODE SOURCE PATH: with the prefix written into what is a text of ours
put() {
    install -D -m "$1" "$2" "$destdir$3"
    [[ $2 == systemd/* ]] && sed -i "s|/usr/local/|$prefix/|g" "$destdir$3"
    return 0
}

install -d -m 755 "$destdir$libraries"
place "$build/bulkhead" "$prefix/bin/bulkhead" "\$ORIGIN/../lib/bulkhead"
for name in "${programs[@]}"; do
    place "$build/bulkhead-$name" "$prefix/libexec/bulkhead/bulkhead-$name" "\$ORIGIN/../../lib/bulkhead"
done
put 755 systemd/accounts.sh "$prefix/libexec/bulkhead/bulkhead-accounts"

for unit in systemd/*.{service,socket,mount,slice,target}; do put 644 "$unit" "$units/systemd/system/${unit##*/}"; done
put 644 systemd/bulkhead-.service.d/10-walls.conf "$units/systemd/system/bulkhead-.service.d/10-walls.conf"
put 644 systemd/bulkhead-courierd.service.d/20-way-out.conf "$units/systemd/system/bulkhead-courierd.service.d/20-way-out.conf"
put 644 systemd/sysusers.d/bulkhead.conf "$units/sysusers.d/bulkhead.conf"
put 644 systemd/tmpfiles.d/bulkhead.conf "$units/tmpfiles.d/bulkhead.conf"
if [[ ! -e $destdir/etc/bulkhead/site.env ]]; then put 644 systemd/site.env /etc/bulkhead/site.env; fi

# On this machine itself the users and directories are made at once; a package does it when it is installed.
if [[ -z $destdir && $EUID == 0 && -d /run/systemd/system ]]; then
    systemd-sysusers "$units/sysusers.d/bulkhead.conf"
    systemd-tmpfiles --create "$units/tmpfiles.d/bulkhead.conf"
    systemctl daemon-reload
fi
echo "installed below $destdir$prefix; the units are in $destdir$units/systemd/system"
