#!/usr/bin/env bash
# Whether the signature checks tell anything by their time, and what the largest delivery costs. Not part of `make test`: a machine
# that is busy makes any two times differ.
set -euo pipefail
cd "$(dirname "$0")/../.."
swift build -c release --product forge-bench
.build/release/forge-bench --control
.build/release/forge-bench
