#!/usr/bin/env bash
# Prints the path of promtool, Prometheus' own checker of metrics. Where there is none it is taken out of Debian's package, into
# .build/tools: nothing is installed, so there is no service that could start. Safe to repeat.
set -euo pipefail
cd "$(dirname "$0")/../.."

promtool=$PWD/.build/tools/promtool
if [[ ! -x $promtool ]] && command -v promtool; then exit 0; fi
if [[ ! -x $promtool ]]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 755 "$work"
    get() { (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download prometheus); }
    as_root=()
    if ((EUID != 0)); then as_root=(sudo); fi
    # The package lists may be absent or too old to be true.
    get 2>/dev/null || { "${as_root[@]}" apt-get -qq update >&2 && get >&2; }
    dpkg-deb --extract "$work"/prometheus_*.deb "$work/tree"
    install -D -m 755 "$work/tree/usr/bin/promtool" "$promtool"
fi
echo "$promtool"
