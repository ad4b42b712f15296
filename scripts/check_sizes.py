#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refuse files that have outgrown one idea. Generated files say so in their first lines and are exempt."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).parent.parent
LIMITS = [  # pattern, most lines
    ("include/covara/*.h", 300),
    ("src/cli/main.c", 200),
    ("src/**/*.h", 300),
    ("src/**/*.c", 1200),
    ("tests/**/*.c", 1200),
    ("bench/*.c", 1200),
]


def main():
    seen, problems = set(), 0
    for pattern, limit in LIMITS:
        for path in sorted(ROOT.glob(pattern)):
            if path in seen:
                continue
            seen.add(path)
            lines = path.read_text(encoding="utf-8").splitlines()
            if any("generated" in line.lower() for line in lines[:6]):
                continue
            if len(lines) > limit:
                print(f"{path.relative_to(ROOT)}: {len(lines)} lines, at most {limit}")
                problems += 1
    print(f"{len(seen)} files, {problems} too long")
    return 1 if problems or not seen else 0


sys.exit(main())
