#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The core's only needs from outside are yyjson and the C library functions in cmake/wasm-allowed-symbols.txt.
# Run after the wasm preset was built.
set -euo pipefail
cd "$(dirname "$0")/.."

core=build/wasm/libcovara_core.a
yyjson=build/wasm/libyyjson.a
nm=$(command -v llvm-nm || command -v llvm-nm-14) || { echo "llvm-nm is missing (package llvm)" >&2; exit 1; }

# nm prints one "member:" headline for each object; symbols have no colon. The linker makes __stack_pointer
# and its kind.
symbols() { "$nm" --format=just-symbols "$@" | grep -v ':$' | grep -vE '^$|^__(stack_pointer|linear_memory|indirect_function_table)$' | sort -u; }

from_outside=$(comm -23 <(symbols --undefined-only "$core") <(symbols --defined-only "$core"))
# yyjson reads and writes files too; those functions fall away at the link as long as the core calls none.
from_yyjson=$(symbols --defined-only --extern-only "$yyjson" | grep -vE '_(file|fp)$')
allowed=$(sed 's/#.*//' cmake/wasm-allowed-symbols.txt | tr -s ' ' '\n' | grep . | sort -u)

from_libc=$(comm -23 <(echo "$from_outside") <(echo "$from_yyjson"))
unexpected=$(comm -23 <(echo "$from_libc") <(echo "$allowed"))
if [ -n "$unexpected" ]; then
    echo "The core needs symbols that a host without an operating system does not have:"
    for symbol in $unexpected; do
        echo "  $symbol, used by $("$nm" --undefined-only --print-file-name "$core" |
            awk -v s="$symbol" '$NF == s { n = split($1, part, ":"); print part[n - 1] }' | sort -u | tr '\n' ' ')"
    done
    echo "Go through the cov_host table; or, for a function that only computes, add it to cmake/wasm-allowed-symbols.txt."
    exit 1
fi
[ -n "$from_libc" ]
echo "$(echo "$from_libc" | wc -l) C library symbols, all allowed: $(echo "$from_libc" | tr '\n' ' ')"
unused=$(comm -13 <(echo "$from_libc") <(echo "$allowed") | tr '\n' ' ')
[ -z "$unused" ] || echo "allowed and not used: $unused"
