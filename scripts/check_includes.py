#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that includes point one way, and that the core includes no operating-system or library header.

base <- schema, kv, mail <- rsql <- resource <- live <- app <- host <- cli. auth, guard, task, search, files and
billing sit beside live and see neither it nor each other. A driver sees the public headers, base and its own
folder; an SQL function file (functions.c) may also share the text operations of the filter language.

  check_includes.py [ROOT]     prints file:line: for each violation and exits 1 when there is one
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)

BESIDE_LIVE = ["live", "auth", "guard", "task", "search", "files", "billing"]
ORDER = [["base"], ["schema", "kv", "mail"], ["rsql"], ["resource"], BESIDE_LIVE, ["app"], ["driver"], ["host"], ["cli"]]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}

# What freestanding-minded C11 offers, on wasm32 too. Neither time.h nor signal.h, threads.h, setjmp.h or
# locale.h: those reach the outside, which is the host table's business.
CORE_MAY_INCLUDE = {
    "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h", "stdarg.h",
    "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "stdnoreturn.h", "string.h",
    "yyjson.h",
}
NOT_CORE = {"driver", "host", "cli"}
DRIVER_EXCEPTIONS = {"functions.c": {"rsql/text_ops.h"}}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def resolve(source, name):
    """The path of an include below src/ or include/, or None for a header that is not ours."""
    for base in (source.parent, ROOT / "src", ROOT / "include"):
        path = base / name
        if path.is_file():
            return path.resolve().relative_to(ROOT.resolve())
    return None


def allowed(source, target):
    """source and target are relative to ROOT. Returns None, or why the include is wrong."""
    if target.parts[0] == "include":
        return None
    if source.parts[0] == "include":
        return "a public header includes a private one"
    here, there = source.parts[1], target.parts[1]
    if here == "driver":
        own = source.parts[:-1]
        if target.parts[:len(own)] == own or there == "base":
            return None
        if "/".join(target.parts[1:]) in DRIVER_EXCEPTIONS.get(source.name, ()):
            return None
        return "a driver sees include/covara, base and its own folder"
    if here == there:
        return None
    if LEVEL[there] < LEVEL[here] and (there != "driver" or here in ("host", "cli")):
        return None
    return f"src/{here} may not include src/{there}"


def check(path):
    source = path.relative_to(ROOT)
    in_core = source.parts[0] == "include" or source.parts[1] not in NOT_CORE
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        name = match.group(1) or match.group(2)
        target = resolve(path, name)
        if target is not None:
            why = allowed(source, target)
        elif match.group(1):
            why = "no such file"
        elif in_core and name not in CORE_MAY_INCLUDE:
            why = "not a header the core may include (it belongs to src/host or src/driver)"
        else:
            why = None
        if why:
            yield f"{source}:{number}: {name}: {why}"


def main():
    files = sorted(p for top in ("src", "include") for p in (ROOT / top).rglob("*.[ch]"))
    unknown = sorted({p.parent.relative_to(ROOT / "src").parts[0] for p in files
                      if p.is_relative_to(ROOT / "src") and p.parent != ROOT / "src"} - set(LEVEL))
    problems = [f"src/{name}: no place in the order of layers; add it to {__file__}" for name in unknown]
    problems += [problem for path in files if not (set(path.relative_to(ROOT).parts) & set(unknown))
                 for problem in check(path)]
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems or not files else 0


sys.exit(main())
