#!/usr/bin/env bash
# make chaos: real daemons and a real engine, killed and stopped under load.
#   chaos.sh          ROUNDS rounds (20 if it is not said), of SEED (a new one if it is not said)
#   chaos.sh short    eight rounds, about a minute
set -euo pipefail
cd "$(dirname "$0")/../.."
was=$(Tests/Engine/engine.sh find 2>/dev/null || true)
trap '[[ -n $was ]] || Tests/Engine/engine.sh stop' EXIT
Tests/Engine/engine.sh start
BULKHEAD_ENGINE=$(Tests/Engine/engine.sh find)
export BULKHEAD_ENGINE
rounds=${ROUNDS:-20}
[[ ${1:-} != short ]] || rounds=${ROUNDS:-8}
python3 Tests/Chaos/chaos.py --rounds "$rounds" ${SEED:+--seed "$SEED"}
