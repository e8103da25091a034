#!/usr/bin/env bash
# What N3 and N6 compare with: Buildbot in an environment of its own, and the image of its worker. Usage: buildbot.sh FOLDER
set -euo pipefail
out=$1
here=$(cd "$(dirname "$0")" && pwd -P)
version='4.3.*'
say() { printf 'bench: %s\n' "$*" >&2; }

if ! "$out/venv/bin/python3" -c 'import buildbot, buildbot_www, docker' 2>/dev/null; then
    say "Buildbot, in an environment of its own"
    python3 -m venv "$out/venv"
    "$out/venv/bin/pip" install --quiet "buildbot==$version" "buildbot-www==$version" docker setuptools
fi

# Debian's Python (3.11 in bookworm) and the worker beside it; the engine imports it like the images of the tests.
if [[ ! -s $out/worker.tar ]]; then
    say "the image of Buildbot's worker (a minute)"
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    mkdir "$tree/worker"
    cp "$here"/peers/worker.{run,tac} "$tree/worker/"
    "$out/venv/bin/pip" install --quiet --target "$tree/worker/lib" --python-version 3.11 --only-binary :all: \
        "buildbot-worker==$version"
    chmod -R a+rX "$tree"
    chmod 755 "$tree/worker/worker.run"
    mmdebstrap --variant=essential --include=usr-is-merged,python3-minimal,libpython3-stdlib \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --skip=output/dev --format=tar bookworm "$out/worker.tar.part" \
        >"$out/worker.log" 2>&1 || { tail -n 20 "$out/worker.log" >&2; exit 1; }
    tar --append --owner=0 --group=0 --directory="$tree" --file="$out/worker.tar.part" ./worker
    mv "$out/worker.tar.part" "$out/worker.tar"
fi
