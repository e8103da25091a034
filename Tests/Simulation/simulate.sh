#!/usr/bin/env bash
# Simulates on all processors: simulate.sh --seeds N [--first N] | --seconds N [--first N]
set -uo pipefail
cd "$(dirname "$0")/../.."
seeds= seconds= first=1
while (($#)); do
    case $1 in
    --seeds) seeds=$2 ;;
    --seconds) seconds=$2 ;;
    --first) first=$2 ;;
    *) sed -n '2s/^# //p' "$0" >&2; exit 64 ;;
    esac
    shift 2
done
workers=$(nproc) pids=() failed=0
for ((worker = 0; worker < workers; worker++)); do
    if [[ -n $seconds ]]; then
        # Ranges that do not meet, whatever fits into the time.
        .build/release/simulate --seconds "$seconds" --first $((first + worker * 1000000)) &
    else
        share=$((seeds / workers + (worker < seeds % workers)))
        .build/release/simulate --seeds "$share" --first "$first" &
        first=$((first + share))
    fi
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit "$failed"
