#!/usr/bin/env bash
# make bench: builds what it compares with, measures side by side, prints a table and writes .build/bench/results.json.
# bench.sh N1 N5: only these, and only what they need.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=.build/bench
mkdir -p "$out"

say() { printf 'bench: %s\n' "$*" >&2; }
wanted() { ((${#figures[@]} == 0)) || [[ " ${figures[*]} " == *" $1 "* ]]; }
figures=("$@")

say "C peers"
gcc -O2 -o "$out/pingpong" Tests/Bench/peers/pingpong.c
gcc -O2 -o "$out/sqlite_loop" Tests/Bench/peers/sqlite_loop.c -lsqlite3
gcc -O2 -D_GNU_SOURCE -o "$out/posts" Tests/Bench/peers/posts.c
gcc -O2 -shared -fPIC -o "$out/countmalloc.so" Tests/Bench/peers/countmalloc.c -ldl

if wanted N7; then
    say "grpc-swift-2 (some minutes, the first time)"
    swift build -c release --package-path Tests/Bench/Grpc --scratch-path .build/grpc-bench >"$out/grpc.log" 2>&1 ||
        { tail -n 20 "$out/grpc.log" >&2; exit 1; }
    cp .build/grpc-bench/release/grpc-bench "$out/"
fi

BULKHEAD_ENGINE=$(Tests/Engine/engine.sh find)
export BULKHEAD_ENGINE
if wanted N3 || wanted N6 || wanted N9; then Tests/Bench/buildbot.sh "$out"; fi
exec python3 Tests/Bench/bench.py "$@"
