#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check_generated.sh [COVARA] - generated files that are committed must be what their generator writes today.
# With a covara executable, the files that it generates are compared too.
set -euo pipefail
cd "$(dirname "$0")/.."

stale=0
same() { # FILE, and what the generator wrote on standard input
    if diff -u "$1" - >/dev/null; then
        echo "$1 is current"
    else
        echo "$1 is stale: generate it again ($2)"
        stale=1
    fi
}

# The table follows the Unicode version of the Python that wrote it; another version cannot be compared.
table=src/base/unicode_lower.inc
version=$(sed -n 's/.*from Unicode \([0-9.]*\);.*/\1/p' "$table")
for python in /usr/bin/python3 python3; do
    [ "$("$python" -c 'import unicodedata; print(unicodedata.unidata_version)')" = "$version" ] || continue
    same "$table" "scripts/gen_unicode_lower.py > $table" < <("$python" scripts/gen_unicode_lower.py)
    checked=yes
    break
done
[ -n "${checked:-}" ] || echo "$table: not compared, this machine has no Python with Unicode $version"

same docs/errors.md "scripts/gen_errors.py > docs/errors.md" < <(python3 scripts/gen_errors.py)
if [ -n "${1:-}" ]; then
    same share/covara.schema.json "$1 schema > share/covara.schema.json" < <("$1" schema)
    same docs/configuration.md "$1 schema --markdown > docs/configuration.md" < <("$1" schema --markdown)
fi
exit "$stale"
