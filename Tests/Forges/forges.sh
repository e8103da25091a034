#!/usr/bin/env bash
# The doubles of the forges, driven by the clients that people use (from PyPI, in an environment of their own) and by hand.
# Usage: forges.sh [NAME...]: with names, only these tests, as `python3 -m unittest` takes them.
set -euo pipefail
cd "$(dirname "$0")/../.."
place=.build/forges/venv
wanted=$(sha256sum <Tests/Forges/requirements.txt)

if [[ $(cat "$place/made-from" 2>/dev/null) != "$wanted" ]]; then
    echo "forges: python-gitlab and PyGithub, in an environment of their own"
    mkdir -p "${place%/*}"
    rm -rf "$place"
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet --requirement Tests/Forges/requirements.txt
    printf '%s\n' "$wanted" >"$place/made-from"
fi
python=$PWD/$place/bin/python3
cd Tests
if (($# == 0)); then set -- $(printf 'Forges.%s\n' $(basename -s .py Forges/test_*.py)); fi
exec "$python" -W error::ResourceWarning -m unittest "$@"
