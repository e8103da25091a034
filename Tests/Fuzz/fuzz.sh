#!/usr/bin/env bash
# Fuzzing of the frame and message decoders, and of what reads the forges' deliveries, answers and archives and what GitLab
# says to runners, with address sanitizer.
#   fuzz.sh short   about 20 seconds, part of `make test`
#   fuzz.sh long    ten million inputs (the default; FUZZ_RUNS says otherwise)
#   fuzz.sh build   only builds
# FUZZ_TARGET=N gives all inputs to one target of Targets.swift. FUZZ_VARIANTS=N: each input of libFuzzer's stands for so many made
# from it, too, without a look at what they reach. FUZZ_SANITIZE=fuzzer: without address sanitizer.
# A finding is kept under .build/fuzz/findings, its input is printed, and the exit status is not 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=${1:-long}
sanitize=${FUZZ_SANITIZE:-address,fuzzer}
variants=${FUZZ_VARIANTS:-0}
out=.build/fuzz
[[ $sanitize == address,fuzzer ]] || out=.build/fuzz-$sanitize
export SWIFT_BACKTRACE=enable=no
mkdir -p "$out/corpus" "$out/findings" "$out/clinux"

common=(-swift-version 6 -O -wmo -parse-as-library -package-name bulkhead -sanitize="$sanitize"
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
    -enable-upcoming-feature InternalImportsByDefault -I "$out" -I Sources/Base/CZlib)

# module NAME FOLDER [WHICH...]: one module of the package, instrumented, when its sources are newer than what is there. WHICH of
# them is said as find wants it.
rebuilt=
module() {
    local name=$1
    shift
    if [[ -z $rebuilt && -f $out/$name.o && -z $(find "$@" -name '*.swift' -newer "$out/$name.o") ]]; then return; fi
    rebuilt=1
    find "$@" -name '*.swift' -print0 | sort -z | xargs -0 swiftc "${common[@]}" -module-name "$name" \
        -emit-module -emit-module-path "$out/$name.swiftmodule" -c -o "$out/$name.o"
}

printf 'module CLinux { umbrella "%s"\n export * }\n' "$PWD/Sources/Base/CLinux/include" >"$out/module.modulemap"
objects=()
address=
[[ $sanitize != *address* ]] || address=1
for source in Sources/Base/CLinux/*.c; do
    object=$out/clinux/$(basename "$source" .c).o
    clang -O1 -g ${address:+-fsanitize=address} -I Sources/Base/CLinux/include -c "$source" -o "$object"
    objects+=("$object")
done
module Wire Sources/Wire/Wire
module Posix Sources/Base/Posix
module Files Sources/Base/Files
module Link Sources/Wire/Link
module Documents Sources/Jobs/Documents
module ForgeModel Sources/Forges/ForgeModel
module Deliveries Sources/Forges/Deliveries
for forge in GitHub GitLab Gitea; do module $forge Sources/Forges/$forge; done
module Tar Sources/Jobs/Tar
module Exchange Sources/Courier/Exchange
module ForgeCalls Sources/Courier/Forge
for forge in GitHub GitLab Gitea; do module ${forge}Calls Sources/Courier/$forge; done
module GitLabRunner Sources/Courier/GitLabRunner
# Without what takes the SHA-256 of an archive, and with it a package of others.
module SourceArchive Sources/Courier/Archive ! -name ArchiveSink.swift ! -name SourceOverlay.swift
swiftc "${common[@]}" -module-name Fuzz Tests/Fuzz/*.swift Tests/WireTests/CatalogueEntry.swift \
    Tests/WireTests/Generated/Catalogue.swift "$out"/{Wire,Posix,Files,Link}.o \
    "$out"/{Documents,ForgeModel,Deliveries,GitHub,GitLab,Gitea}.o \
    "$out"/{Tar,Exchange,ForgeCalls,GitHubCalls,GitLabCalls,GiteaCalls}.o \
    "$out"/{GitLabRunner,SourceArchive}.o "${objects[@]}" -use-ld=lld -o "$out/fuzz"
[[ $mode == build ]] && exit 0

# No input is longer than the largest frame and its prefix; nothing it makes us allocate at once is above 1 MiB.
flags=(-max_len=66000 -len_control=20 -malloc_limit_mb=1 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 -verbosity=1
    -artifact_prefix="$out/findings/")
case $mode in
short) flags+=(-max_total_time=20) ;;
long)
    runs=${FUZZ_RUNS:-10000000}
    flags+=(-runs=$(((runs + variants) / (variants + 1))) -max_total_time=0)
    echo "fuzz: $runs inputs, $((variants + 1)) for each of libFuzzer's"
    ;;
*)
    echo "usage: fuzz.sh short|long|build" >&2
    exit 64
    ;;
esac
"$out/fuzz" "${flags[@]}" "$out/corpus" Tests/Fuzz/corpus 2>&1 | grep -v 'REDUCE\|NEW \|# Uses' | tail -40
