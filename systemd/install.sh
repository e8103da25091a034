#!/usr/bin/env bash
# make install: the programs below PREFIX (default /usr/local), inside DESTDIR if one is given. `bulkhead up` finds the daemons in
# libexec/bulkhead. The units of systemd come with the hardened set-up.
set -euo pipefail
cd "$(dirname "$0")/.."

root=${DESTDIR:-}${PREFIX:-/usr/local}
build=.build/release

install -d -m 755 "$root/bin" "$root/libexec/bulkhead"
install -m 755 "$build/bulkhead" "$root/bin/bulkhead"
for program in apid schedulerd spawnerd relayd runner; do
    install -m 755 --strip "$build/bulkhead-$program" "$root/libexec/bulkhead/bulkhead-$program"
done
echo "installed below $root: run $root/bin/bulkhead up"
