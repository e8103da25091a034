#!/usr/bin/env bash
# Makes the images that the demo and the tests use, from Debian's packages; `images.sh NAME...` makes only those.
#
#   busybox          one static program; the smallest root that has a shell
#   debian           Debian with a C compiler and make; what building and testing a small program takes
#   busybox-arm64    the first for other processors; only if asked for
#   busybox-riscv64
#
# Cached twice. An image whose comment holds this recipe's hash is left alone; a root that was packed before is imported
# again in seconds, for an engine that starts with nothing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd -P)
cache=$here/../../.build/images
suite=bookworm
recipe="recipe-$(cat "$0" "$here/foreign_image.py" | sha256sum | cut -c1-16)"

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
say() { printf 'images: %s\n' "$*"; }

engine=$("$here/engine.sh" find)
api() { curl --silent --show-error --unix-socket "${engine#unix://}" "$@"; }

present() { [[ $(api "http://engine/images/bulkhead/$1:latest/json") == *"\"$recipe\""* ]]; }

pack_busybox() { pack_root "$(dpkg --listfiles busybox-static | grep '/bin/busybox$')" "$1"; }

pack_busybox-arm64() { pack_foreign arm64 qemu-aarch64-static "$1"; }
pack_busybox-riscv64() { pack_foreign riscv64 qemu-riscv64-static "$1"; }

pack_root() { # busybox, tarball, how it is run if it is not of this processor
    local tree applet
    tree=$(mktemp -d)
    chmod 755 "$tree"
    mkdir -p "$tree"/{bin,dev,etc,proc,root,run,sys,tmp}
    chmod 1777 "$tree/tmp"
    cp "$1" "$tree/bin/busybox"
    for applet in $(${3-} "$tree/bin/busybox" --list); do [[ $applet == busybox ]] || ln -s busybox "$tree/bin/$applet"; done
    echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
    echo 'root:x:0:' >"$tree/etc/group"
    tar --create --sort=name --owner=0 --group=0 --numeric-owner --directory="$tree" --file="$2" .
    rm -rf "$tree"
}

# From trixie: bookworm is not made for all of them. Nothing of apt's own state is touched.
pack_foreign() { # architecture, emulator, tarball
    local folder options
    folder=$(mktemp -d)
    mkdir -p "$folder"/{lists,cache}/partial
    echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' >"$folder/list"
    options=(-qq -o APT::Sandbox::User=root -o Acquire::Languages=none -o "APT::Architecture=$1" -o "APT::Architectures=$1"
        -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o "Dir::Etc::SourceList=$folder/list"
        -o Dir::Etc::SourceParts=/dev/null)
    apt-get "${options[@]}" update
    (cd "$folder" && apt-get "${options[@]}" download busybox-static)
    dpkg-deb --extract "$folder"/*.deb "$folder/root"
    pack_root "$folder/root/usr/bin/busybox" "$folder/layer.tar" "$2"
    python3 "$here/foreign_image.py" "$1" "bulkhead/busybox-$1:latest" "$recipe" "$folder/layer.tar" "$3"
    rm -rf "$folder"
}

# No apt, no Perl, no documentation: half the size and half the time.
pack_debian() {
    local sources=() file log=$1.log
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
        if grep -qsE "^(deb|Suites:).* $suite( |\$)" "$file" && grep -q ' main' "$file"; then sources+=("$file"); fi
    done
    # Without any (another distribution, another release) mmdebstrap knows Debian's own.
    if ! mmdebstrap --variant=essential --include=usr-is-merged,gcc,libc6-dev,make \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/bin/*-lto-dump-*' \
        --skip=output/dev --format=tar "$suite" "$1" "${sources[@]}" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        say "mmdebstrap failed; the end of its log is above" >&2
        return 1
    fi
    rm -f "$log"
}

# The tarball gets its name when it is complete, so that what an interrupted run leaves is never taken for one.
make_image() {
    local image=$1 tarball start=$SECONDS old
    if present "$image"; then say "bulkhead/$image is there"; return; fi
    tarball=$cache/$image-${recipe#recipe-}.tar
    if [[ ! -s $tarball ]]; then
        say "packing bulkhead/$image (Debian's takes up to a minute)"
        mkdir -p "$cache"
        rm -f "$cache/$image"-????????????????.tar*
        "pack_$image" "$tarball.part"
        mv "$tarball.part" "$tarball"
    fi
    old=$(api "http://engine/images/bulkhead/$image:latest/json" | grep -o '"Id":"sha256:[0-9a-f]*"' | cut -d'"' -f4 || true)
    local call="images/create?fromSrc=-&repo=bulkhead/$image&tag=latest&message=$recipe"
    # An import is of this processor, whatever is asked for: those of others are whole images, which say themselves what they are.
    if [[ $image == busybox-* ]]; then call="images/load?quiet=1"; fi
    api --request POST --upload-file "$tarball" --header 'Content-Type: application/x-tar' --output /dev/null "http://engine/$call"
    if ! present "$image"; then say "the engine did not take bulkhead/$image from $tarball" >&2; return 1; fi
    # The tag has moved: what it named before is garbage, unless a container still holds it.
    if [[ -n $old ]]; then api --request DELETE --output /dev/null "http://engine/images/$old"; fi
    say "bulkhead/$image is made ($((SECONDS - start))s)"
}

if (($# == 0)); then set -- busybox debian; fi
for image; do make_image "$image"; done
