#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tidy.sh [--sizes] - clang-tidy over src/ with the compile commands of build/dev; --sizes looks only for
# functions of more than 100 lines, which is quick enough for every test run.
set -euo pipefail
cd "$(dirname "$0")/.."

# Compiler warnings are the builds' business, and gcc's flags are not all clang's.
options=(--quiet -p build/dev --extra-arg=-w)
if [ "${1:-}" = --sizes ]; then
    options+=('--checks=-*,readability-function-size')
fi
mapfile -t files < <(find src -name '*.c' | sort)
[ ${#files[@]} -gt 0 ]
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "${JOBS:-2}" clang-tidy "${options[@]}" >"$log" 2>&1; then
    echo "${#files[@]} files"
else
    grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header' "$log" || true
    exit 1
fi
