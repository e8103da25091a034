#!/usr/bin/env bash
# make test: the whole suite, on a real engine. Every part is run, also after one has failed; the last lines say how each went.
set -uo pipefail
cd "$(dirname "$0")/.."
export SWIFT_BACKTRACE=enable=no

results=() failed=0 passed=0
part() { # part "what" command...
    local what=$1 begin=$SECONDS status
    shift
    printf '\n=== %s\n' "$what"
    "$@"
    status=$?
    if ((status == 0)); then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    results+=("$(printf '%-44s %-8s %4d s' "$what" "$( ((status == 0)) && echo ok || echo "FAILED($status)")" $((SECONDS - begin)))")
    return "$status"
}

finish() {
    printf '\n=== result\n'
    printf '%s\n' "${results[@]}"
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}

engine_was=$(Tests/Engine/engine.sh find 2>/dev/null || true)
stop_engine() { [[ -n $engine_was ]] || Tests/Engine/engine.sh stop; }
trap stop_engine EXIT

no_warning() { # the build's own output is the witness
    swift build -c release 2>&1 | tee .build/build.log
    local status=${PIPESTATUS[0]}
    # Only what our sources say counts; packages of others may warn about themselves.
    if grep -E "^$PWD/(Sources|Tests)/.*warning:" .build/build.log; then return 1; fi
    return "$status"
}

mkdir -p .build
part "build, without a warning" no_warning || finish
part "engine" Tests/Engine/engine.sh start || finish
part "images" Tests/Engine/images.sh || finish
BULKHEAD_ENGINE=$(Tests/Engine/engine.sh find) || finish
export BULKHEAD_ENGINE

# A process for each target: several tests count the descriptors and the children of their own process.
part "tests are built" swift test -c release --disable-testable-imports --filter NothingIsRunHere
for target in Tests/*Tests; do
    name=$(basename "$target")
    part "unit tests: $name" swift test -c release --disable-testable-imports --skip-build --filter "^$name\\."
done
part "check" Tests/Check/check.sh
part "trusted computing base" Tests/Layers/tcb.py
part "fuzzing, a short run" Tests/Fuzz/fuzz.sh short
part "simulation, 1,500 seeds" Tests/Simulation/simulate.sh --seeds 1500
part "chaos, eight rounds" Tests/Chaos/chaos.sh short
part "doubles of the forges" Tests/Forges/forges.sh
for scenario in Tests/{Integration,Sandbox,Security,Security/engine,Systemd}/test_*.py; do
    part "${scenario#Tests/}" python3 "$scenario"
done
finish
