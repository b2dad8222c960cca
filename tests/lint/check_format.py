#!/usr/bin/env python3
"""Whether clang-format 14 would change a C++ file; with --fix, it does.

The version is pinned because versions differ in what they make of one .clang-format. Without that
version the check is skipped (exit code 77).
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

import tree

VERSION = "14"
SKIPPED = 77
FILES_PER_RUN = 16


def find_tool():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path and re.search(rf"version {VERSION}\.",
                              subprocess.run([path, "--version"], capture_output=True, text=True,
                                             check=True).stdout):
            return path
    return None


def run(tool, mode, files):
    done = subprocess.run([tool, *mode, *map(str, files)], cwd=tree.ROOT, capture_output=True,
                          text=True, check=False)
    return done.stderr


def wrong_files(messages):
    """The files of clang-format's messages, each with its first line that would change."""
    first = {}
    for match in re.finditer(r"^(.+?):(\d+):\d+: error: code should be", messages, re.MULTILINE):
        first.setdefault(match[1], match[2])
    return [f"{name}:{line}: not as clang-format {VERSION} has it: `make fmt`"
            for name, line in sorted(first.items())]


def main(arguments):
    tool = find_tool()
    if tool is None:
        print(f"format: skipped: no clang-format {VERSION} here (scripts/setup build)")
        return SKIPPED
    fix = "--fix" in arguments
    given = [pathlib.Path(name).resolve() for name in arguments if name != "--fix"]
    files = [path.relative_to(tree.ROOT) for path in given or tree.cpp_files()]
    mode = ["-i"] if fix else ["--dry-run", "--Werror"]
    batches = [files[at:at + FILES_PER_RUN] for at in range(0, len(files), FILES_PER_RUN)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        messages = "".join(pool.map(lambda batch: run(tool, mode, batch), batches))
    return tree.report("format", wrong_files(messages))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
