#!/usr/bin/env python3
"""Holds every #include against src/layers.txt, and every third-party library against its owners.

A layer names only layers above it in the file, so the graph cannot be cyclic. Another layer is
included by its public headers alone ("hangu/<layer>/x.h"), one's own also as "<layer>/x.h".
"""

import pathlib
import re
import sys

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')

# Which layers may include a library. Everything else sees those layers' own types.
THIRD_PARTY = {
    "boost/pfr": {"filter"},  # reflection, in one file
    # Tokens, API descriptions and etcd's API are JSON.
    "boost/json": {"etcd", "fleet", "identity", "openapi", "admin", "cli", "control"},
    "boost/": {"etcd", "fleet", "control", "admin", "cli"},  # the data plane never sees Asio
    "ares.h": {"control", "cli"},
    "yaml-cpp/": {"config"},
    "CLI/": {"cli"},
    "spdlog/": {"base", "cli"},
    "liburing": {"event", "cli"},
    "openssl/": {"tls", "identity"},
    "nghttp2/": set(),  # what the tests hold our HPACK against
}
# Not even in those layers' public headers.
PRIVATE_ONLY = ("boost/pfr", "yaml-cpp/", "CLI/", "spdlog/", "liburing", "openssl/", "nghttp2/",
                "ares.h")


def read_layers(text):
    allowed, errors = {}, []
    for line in text.splitlines():
        row = line.split("#")[0].strip()
        if not row:
            continue
        name, _, dependencies = row.partition(":")
        dependencies = set(dependencies.split())
        errors += [f"src/layers.txt: {name} names {each} before it is declared"
                   for each in sorted(dependencies - allowed.keys())]
        allowed[name.strip()] = dependencies
    return allowed, errors


def library_problem(layer, header, in_public):
    for prefix, owners in THIRD_PARTY.items():  # the first that fits decides
        if header.startswith(prefix):
            if layer not in owners:
                return f"only {', '.join(sorted(owners))} may include <{header}>"
            if in_public and prefix in PRIVATE_ONLY:
                return f"<{header}> must not leak through a public header: forward-declare"
            return None
    return None


def include_problem(layer, allowed, quote, header, in_public):
    """Why `layer` may not include `header`, or None."""
    if quote == "<":
        if header.startswith("hangu/"):
            return f'write "{header}", not <{header}>'
        return library_problem(layer, header, in_public)
    parts = header.split("/")
    public = parts[0] == "hangu"
    # "hangu/plugin.h", which plugins include, belongs to the layer of its name.
    target = pathlib.PurePath(parts[1]).stem if public else parts[0]
    if not public and in_public:
        return f"a public header may not include the private {header}"
    if target == layer:
        return None
    if not public:
        return f'{layer} may not include {header}: write "hangu/<layer>/x.h" or "{layer}/x.h"'
    if target not in allowed[layer]:
        return f"{layer} may not include {header}: src/layers.txt does not list {target}"
    return None


def check(root):
    allowed, errors = read_layers((root / "src/layers.txt").read_text())
    for top in ("include/hangu", "src"):
        for path in sorted((root / top).glob("*/**/*")):
            if path.suffix not in tree.CPP_SUFFIXES:
                continue
            layer = path.relative_to(root / top).parts[0]
            where = path.relative_to(root)
            if layer not in allowed:
                errors.append(f"{where}: the layer {layer} is not declared in src/layers.txt")
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                problem = match and include_problem(layer, allowed, match[1], match[2],
                                                    top == "include/hangu")
                if problem:
                    errors.append(f"{where}:{number}: {problem}")
    return errors


if __name__ == "__main__":
    sys.exit(tree.report("layers", check(pathlib.Path(sys.argv[1]) if sys.argv[1:] else tree.ROOT)))
