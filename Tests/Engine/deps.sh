#!/usr/bin/env bash
# Installs what building and testing Bulkhead needs and this machine lacks. Called by `make deps`; safe to repeat, and
# silent about apt when nothing is missing: apt is asked only then. `deps.sh bench`: what `make bench` compares with, too.
set -euo pipefail

# One line each: what proves that it is there, then the package that brings it. A command may come from anywhere (an
# engine from its vendor's packages, say, which docker.io would conflict with); `-` means: ask dpkg for the package.
needed='
dockerd     docker.io
iptables    iptables
newuidmap   uidmap
-           busybox-static
mmdebstrap  mmdebstrap
qemu-aarch64-static qemu-user-static
-           libsqlite3-dev
-           libcurl4-openssl-dev
-           libseccomp-dev
-           zlib1g-dev
-           nettle-dev
strace      strace
gcc         gcc
-           libc6-dev
-           ca-certificates
pkg-config  pkg-config
ss          iproute2
python3     python3
-           python3-venv
curl        curl
openssl     openssl
git         git
openssl     openssl
make        make
systemctl   systemd
'
if [[ ${1-} == bench ]]; then
    needed+='
rg          ripgrep
'
fi

installed() { [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# A user's PATH may lack the folders where daemons lie.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=()
while read -r proof package; do
    [[ -n $proof ]] || continue
    if [[ $proof == - ]]; then installed "$package"; else command -v "$proof" >/dev/null; fi || missing+=("$package")
done <<<"$needed"

# gVisor, where apt has it; elsewhere its tests are skipped.
with_gvisor() { if ! command -v runsc >/dev/null && apt-cache show runsc &>/dev/null; then missing+=(runsc); fi; }
with_gvisor

if ! command -v swift >/dev/null; then
    echo "deps: there is no Swift toolchain here: install Swift 6.3 or newer and put its usr/bin on the PATH" >&2
    exit 1
fi
# One test alone wants it, and says so if it is not there.
if [[ ${1-} != bench ]]; then
    "$(dirname "$0")/promtool.sh" >/dev/null || echo "deps: promtool cannot be fetched; the test of metrics wants it" >&2
fi

if ((${#missing[@]} == 0)); then
    echo "deps: nothing is missing"
    exit 0
fi

as_root=()
if ((EUID != 0)); then as_root=(sudo); fi
if ! command -v apt-get >/dev/null || { ((EUID != 0)) && ! command -v sudo >/dev/null; }; then
    echo "deps: please install (Debian's names): ${missing[*]}" >&2
    exit 1
fi

# qemu-user-static registers its emulators with the kernel where systemd runs; elsewhere tests do, for as long as they run.
# A freshly installed engine must not start as a system service: ours is private, and a test machine stays as it was.
# Debian asks this script before it starts any service; one that is there already is left to its owner.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"; }
install() { apt install --no-install-recommends --yes "${missing[@]}" >/dev/null; }

echo "deps: installing ${missing[*]}"
# The lists may be absent or too old to be true: only a failed first try asks for new ones.
if ! install 2>/dev/null; then
    echo "deps: fetching apt's package lists first"
    apt update
    with_gvisor
    install
fi
echo "deps: done"
