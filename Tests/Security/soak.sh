#!/usr/bin/env bash
# make soak: a thousand jobs with secrets, and a search for what is left of them. Some ten minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
was=$(Tests/Engine/engine.sh find 2>/dev/null || true)
trap '[[ -n $was ]] || Tests/Engine/engine.sh stop' EXIT
Tests/Engine/engine.sh start
BULKHEAD_ENGINE=$(Tests/Engine/engine.sh find)
export BULKHEAD_ENGINE BULKHEAD_CANARY_JOBS=1000
python3 Tests/Security/test_canary.py
