#!/usr/bin/env python3
"""Runs modules of integration tests against the binary that HANGU_BINARY names.

  run.py [--backend io_uring|epoll] [MODULE[.CLASS[.TEST]]...]

Without --backend, each module runs once for each that HANGU_TEST_BACKENDS lists (both). A backend
that this machine does not allow, or the list does not have, is skipped, with exit code 77 if
nothing else was to run.
"""

import argparse
import os
import pathlib
import sys
import unittest

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
KNOWN = ("io_uring", "epoll")


def listed_backends():
    names = os.environ.get("HANGU_TEST_BACKENDS", " ".join(KNOWN)).replace(",", " ").split()
    if unknown := [name for name in names if name not in KNOWN]:
        sys.exit(f"run.py: HANGU_TEST_BACKENDS: no such event loop: {unknown[0]}")
    return names


def why_not(backend):
    """Why a backend cannot be tested here; empty when it can."""
    from support.gateway import version
    if backend not in listed_backends():
        return "HANGU_TEST_BACKENDS does not list it"
    state = version()["event_loops"][backend]
    return "" if state == "available" else state


def run_once(backend, modules):
    from support import gateway
    gateway.BACKEND = backend
    os.environ["HANGU_TEST_BACKEND"] = backend
    suite = unittest.defaultTestLoader.loadTestsFromNames(modules)
    result = unittest.TextTestRunner(verbosity=2 if len(modules) == 1 else 1).run(suite)
    if suite.countTestCases() == 0:
        print("run.py: no tests", file=sys.stderr)
        return False
    return result.wasSuccessful()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", choices=KNOWN)
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    from support.gateway import Unusable
    modules = [name.removesuffix(".py") for name in options.modules] or \
        sorted(path.stem for path in HERE.glob("test_*.py"))
    results = []
    try:
        for backend in [options.backend] if options.backend else listed_backends():
            if reason := why_not(backend):
                print(f"SKIPPED: {backend}: {reason}", flush=True)
                continue
            print(f"--- {backend}: {' '.join(modules)}", flush=True)
            results.append(run_once(backend, modules))
    except Unusable as error:
        sys.exit(f"run.py: {error}")
    return SKIPPED if not results else 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
