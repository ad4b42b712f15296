#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run_example.sh NAME PORT - serve examples/NAME: with build/release/covara, or with the executable
# that its own app.c was built into. A seed.sql fills a new database.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1 port=$2
folder=examples/$name
if [ ! -f "$folder/covara.jsonc" ]; then
    echo "There is no example \"$name\". There are:$(for f in examples/*/covara.jsonc; do printf ' %s' "$(basename "$(dirname "$f")")"; done)" >&2
    exit 1
fi
options=(--port "$port")
if [ -f "$folder/seed.sql" ]; then
    options+=(--seed "$folder/seed.sql")
fi
binary=build/release/covara
if [ -f "$folder/app.c" ]; then
    binary=build/release/examples/$name
fi
exec "$binary" serve "$folder" "${options[@]}"
