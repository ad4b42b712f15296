#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# format.sh [--check] - lay out every C file with clang-format 14, or say which ones differ.
#
# The version is pinned because every release of clang-format lays out some lines differently.
set -euo pipefail
cd "$(dirname "$0")/.."

formatter=
for name in clang-format-14 clang-format; do
    if "$name" --version 2>/dev/null | grep -q 'version 14\.'; then
        formatter=$name
        break
    fi
done
if [ -z "$formatter" ]; then
    echo "clang-format 14 is needed (package clang-format-14), not $(clang-format --version 2>/dev/null || echo none)" >&2
    exit 1
fi

# Generated tables keep the layout of their generator.
mapfile -t files < <(find include src tests bench examples -name '*.[ch]' -print0 | sort -z |
    xargs -0 grep -LiE '^/\* *(this file is )?generated|clang-format: skip file')
echo "${#files[@]} files"
[ ${#files[@]} -gt 0 ]
if [ "${1:-}" != --check ]; then
    "$formatter" -i "${files[@]}"
    exit
fi
differ=0
for file in "${files[@]}"; do
    "$formatter" --dry-run -Werror "$file" 2>/dev/null && continue
    differ=$((differ + 1))
    echo "$file: make format would change it:"
    "$formatter" "$file" | diff "$file" - | sed -n '1,4s/^/    /p' || true
done
[ $differ = 0 ] || { echo "$differ files are not laid out by clang-format 14; run make format"; exit 1; }
