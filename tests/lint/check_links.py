#!/usr/bin/env python3
"""Every relative link of every Markdown file leads to a file, and every #anchor to a heading."""

import pathlib
import re
import sys
import urllib.parse

import tree

LINK = re.compile(r"(?<!\\)!?\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)"
                  r"|^\[[^\]\n]+\]:\s+(\S+)", re.MULTILINE)
FENCE = re.compile(r"^( {0,3})(```+|~~~+).*?^ {0,3}\2[ \t]*$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def anchors(text):
    """The anchors of the headings, made as GitHub makes them."""
    found = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = base = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = 0
        while slug in found:
            count += 1
            slug = f"{base}-{count}"
        found.add(slug)
    return found


def link_problem(path, root, target):
    """Why `target`, as written in `path`, leads nowhere; or None."""
    address, _, anchor = urllib.parse.unquote(target).partition("#")
    linked = (root / address.lstrip("/") if address.startswith("/") else
              path.parent / address).resolve() if address else path
    if not linked.exists():
        return f"{address} does not exist"
    if not linked.is_relative_to(root):
        return f"{address} is outside the project"
    if anchor and linked.suffix == ".md" and anchor not in anchors(linked.read_text()):
        return f"{linked.relative_to(root)} has no heading #{anchor}"
    return None


def check(root, files=None):
    errors = []
    for path in tree.project_files(root) if files is None else files:
        if path.suffix != ".md":
            continue
        text = path.read_text()
        prose = INLINE_CODE.sub(lambda match: tree.blank(match[0]),
                                FENCE.sub(lambda match: tree.blank(match[0]), text))
        for match in LINK.finditer(prose):
            target = match[1] or match[2]
            if ELSEWHERE.match(target):
                continue
            problem = link_problem(path, root, target)
            if problem:
                line = text.count("\n", 0, match.start()) + 1
                errors.append(f"{path.relative_to(root)}:{line}: {problem}")
    return errors


if __name__ == "__main__":
    sys.exit(tree.report("links", check(pathlib.Path(sys.argv[1]).resolve() if sys.argv[1:]
                                        else tree.ROOT)))
