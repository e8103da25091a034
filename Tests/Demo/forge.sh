#!/usr/bin/env bash
# make demo-forge: what a team sees. A forge (a double of GitHub on loopback) sends what happens in a repository, and is told what came of
# it. The story itself is in forge.py; this gives it an engine, and leaves nothing running that was not running before.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd -P)
# Another installation's token, address or key is to have no say.
unset BULKHEAD_URL BULKHEAD_TOKEN BULKHEAD_KEY
engine_is_ours=''

stop_engine() { [[ -z $engine_is_ours ]] || "$here/../Engine/engine.sh" stop; }
trap stop_engine EXIT
trap 'exit 130' INT TERM

printf '\ndemo: an engine and an image\n'
before=$("$here/../Engine/engine.sh" find 2>/dev/null || true)
BULKHEAD_ENGINE=$("$here/../Engine/engine.sh" start)
export BULKHEAD_ENGINE
[[ -n $before ]] || engine_is_ours=yes
"$here/../Engine/images.sh" busybox
python3 "$here/forge.py"
