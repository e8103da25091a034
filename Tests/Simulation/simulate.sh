#!/usr/bin/env bash
# simulate.sh [--seeds N | --seconds N] [--first SEED]: the simulation on all processors
set -euo pipefail
cd "$(dirname "$0")/../.."
seeds='' seconds='' first=1
while (($#)); do
    case $1 in
    --seeds) seeds=$2 ;;
    --seconds) seconds=$2 ;;
    --first) first=$2 ;;
    *) sed -n '2s/^# //p' "$0" >&2; exit 64 ;;
    esac
    shift 2
done
[[ -n $seeds || -n $seconds ]] || { sed -n '2s/^# //p' "$0" >&2; exit 64; }

# A process for each few hundred: every simulated life of schedulerd leaves its loop's descriptors behind in its process.
share=400
worker() { # worker FIRST COUNT: COUNT seeds, or until the time is over if it is 0
    local from=$1 left=$2
    while ((left > 0)) || { ((left == 0)) && ((SECONDS < ${seconds:-0})); }; do
        local now=$((left > 0 && left < share ? left : share))
        .build/release/simulate --seeds "$now" --first "$from" || return 1
        from=$((from + now))
        if ((left > 0)); then
            left=$((left - now))
            if ((left == 0)); then return 0; fi
        fi
    done
}

workers=$(nproc) pids=() failed=0
for ((number = 0; number < workers; number++)); do
    # Ranges that do not meet.
    if [[ -n $seconds ]]; then
        worker $((first + number * 1000000)) 0 &
    else
        count=$((seeds / workers + (number < seeds % workers)))
        if ((count > 0)); then worker "$first" "$count" & else continue; fi
        first=$((first + count))
    fi
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit "$failed"
