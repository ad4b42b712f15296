#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every header compiles on its own: the public ones as C11 and as C++17, the private ones as C11.
set -euo pipefail
cd "$(dirname "$0")/.."

warnings=(-Wall -Wextra -Wpedantic -Werror)
count=0 failed=0
compile() { # LANGUAGE STANDARD FILE [OPTION...]; included twice, so that a missing guard shows
    count=$((count + 1))
    if ! printf '#include "%s"\n#include "%s"\nextern int header_check;\n' "$3" "$3" |
        clang -x "$1" -std="$2" "${warnings[@]}" -fsyntax-only -I. -Iinclude -Isrc \
            -isystem .deps/yyjson -isystem /usr/share/include/llhttp "${@:4}" -; then
        echo "$3 does not compile on its own as $2"
        failed=$((failed + 1))
    fi
}

while read -r header; do
    compile c c11 "$header"
    compile c++ c++17 "$header"
done < <(find include -name '*.h' | sort)
while read -r header; do
    case $header in
        src/host/* | src/driver/* | src/cli/*) compile c c11 "$header" -D_GNU_SOURCE ;; # as their sources do
        *) compile c c11 "$header" ;;
    esac
done < <(find src -name '*.h' | sort)

echo "$count headers compiled on their own, $failed failed"
[ "$count" -gt 0 ] && [ "$failed" = 0 ]
