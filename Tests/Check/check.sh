#!/usr/bin/env bash
# make check: format and lint, floors, generated code, vectors. `make check` and `make test` have built before.
set -euo pipefail
cd "$(dirname "$0")/../.."

failed=0
beat() { # beat "what" command...: runs it, says how it went, goes on
    local what=$1
    shift
    if "$@"; then echo "check: $what: ok"; else echo "check: $what: FAILED" >&2; failed=1; fi
}

lint() {
    find Sources Tests Package.swift -name '*.swift' -not -path 'Tests/Check/BadStyle.swift' -not -path 'Tests/Bench/.build*' -print0 |
        xargs -0 swift format lint --strict --parallel
}

# A linter that cannot fail is worse than none.
lint_rejects_bad_file() {
    if swift format lint --strict Tests/Check/BadStyle.swift 2>/dev/null; then
        echo "the linter accepted Tests/Check/BadStyle.swift" >&2
        return 1
    fi
}

shell_scripts() {
    local script
    while IFS= read -r -d '' script; do bash -n "$script" || return 1; done < <(git ls-files -z '*.sh' .ci/run)
}

beat "format and lint" lint
beat "the linter rejects a bad file" lint_rejects_bad_file
beat "no line is too long" python3 Tests/Check/lines.py
beat "a line that is too long is noticed" python3 Tests/Check/lines.py --self-test
beat "shell syntax" shell_scripts
beat "floors" python3 Tests/Layers/floors.py
beat "the floors reject a bad tree" python3 Tests/Layers/floors.py --self-test
beat "generated code and released versions" .build/release/wiregen check
beat "a changed schema is noticed" python3 Tests/Check/schema_change.py
beat "every attack has its test, and the table is true" python3 Tests/Security/table.py check
beat "units" Tests/Systemd/check_units.sh
beat "vectors, read independently" python3 proto-spec/decode.py check
exit "$failed"
