#!/usr/bin/env bash
# make bench: builds what it compares with, measures side by side, prints a table and writes .build/bench/results.json.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=.build/bench
mkdir -p "$out"

say() { printf 'bench: %s\n' "$*" >&2; }

say "C peers"
gcc -O2 -o "$out/pingpong" Tests/Bench/peers/pingpong.c
gcc -O2 -shared -fPIC -o "$out/countmalloc.so" Tests/Bench/peers/countmalloc.c -ldl

say "grpc-swift-2 (some minutes, the first time)"
swift build -c release --package-path Tests/Bench/Grpc --scratch-path .build/grpc-bench >"$out/grpc.log" 2>&1 ||
    { tail -n 20 "$out/grpc.log" >&2; exit 1; }
cp .build/grpc-bench/release/grpc-bench "$out/"

if [[ ! -x $out/venv/bin/buildbot ]]; then
    say "Buildbot, in an environment of its own"
    python3 -m venv "$out/venv"
    "$out/venv/bin/pip" install --quiet 'buildbot==4.3.*' setuptools
fi

BULKHEAD_ENGINE=$(Tests/Engine/engine.sh find)
export BULKHEAD_ENGINE
exec python3 Tests/Bench/bench.py "$out"
