#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fuzz.sh [SECONDS [SEED]] - build every fuzz target and run each for that long, two at a time, starting from
# tests/fuzz/corpus. New inputs are kept in build/fuzz/corpus; a crash is kept in build/fuzz/crashes. With a SEED the same
# inputs are tried each time, as the tests want; without one, others each time, which is how new faults are found.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
seed=${2:-0}
cmake --preset fuzz -Wno-dev --log-level=WARNING
cmake --build --preset fuzz --parallel "${JOBS:-2}"

one() {
    local target=$1 seconds=$2 seed=$3 name log
    name=$(basename "$target")
    name=${name#fuzz_}
    log=build/fuzz/$name.log
    mkdir -p "build/fuzz/corpus/$name" build/fuzz/crashes
    local seeds=("tests/fuzz/corpus/$name")
    [ ! -d "tests/fuzz/regression/$name" ] || seeds+=("tests/fuzz/regression/$name")
    if "$target" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/crashes/$name-" "build/fuzz/corpus/$name" "${seeds[@]}" >"$log" 2>&1; then
        echo "ok   fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs"
    else
        echo "FAIL fuzz_$name:"
        tail -n 40 "$log"
        echo "Keep the input in tests/fuzz/regression/$name/ once it is mended."
        return 1
    fi
}
export -f one

targets=$(find build/fuzz/tests/fuzz -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x | sort)
if [ -z "$targets" ]; then
    echo "no fuzz targets"
    exit 1
fi
# shellcheck disable=SC2016 # the inner shell expands these
echo "$targets" | xargs -P "${JOBS:-2}" -I{} bash -c 'one "$0" "$1" "$2"' {} "$seconds" "$seed"
