#!/usr/bin/env python3
"""Bans, each with its replacement and a short allow-list, and the rules on files and lines.

To allow one place, add its path and the reason to the `allow` of the rule. An entry that allows
nothing any more is an error, so the lists only shrink.
"""

import dataclasses
import pathlib
import re
import stat
import sys

import tree

FILE_LINES_MAX = 800
LINE_COLUMNS_MAX = 100
BLOB_BYTES_MAX = 1024 * 1024

# Layers of one request's path: one shard, no locks, no allocation.
DATA_PATH = ("codec", "filter", "http", "downstream", "proxy", "upstream")


@dataclasses.dataclass
class Rule:
    """`pattern` is an error in the files below `where`, but for `layers` and the `allow` list."""

    name: str
    pattern: str
    instead: str
    where: tuple = ("src", "include")
    only_layers: tuple = ()
    except_layers: tuple = ()
    suffixes: tuple = tree.CPP_SUFFIXES
    strings: bool = False  # whether the pattern looks at literals too
    allow: dict = dataclasses.field(default_factory=dict)


RULES = [
    Rule("clock", r"\b(steady|system|high_resolution)_clock::now\b",
         "take the time as an argument, or Loop::now()",
         except_layers=("event", "control", "admin", "cli", "server"),
         allow={"src/audit/log_writer.cc": "own thread, no loop; bounds the shutdown",
                "src/audit/audit_log.cc": "own thread, no loop; times of its own records",
                "src/audit/file_writer.cc": "own thread, no loop; fsync by the clock",
                "src/audit/archiver.cc": "own thread, no loop; the age of files",
                "src/audit/syslog_sink.cc": "own thread, no loop; pauses between attempts"}),
    Rule("threads", r"\bstd::(jthread|thread|(\w+_)?mutex|condition_variable\w*|atomic\w*|"
         r"lock_guard|unique_lock|scoped_lock|shared_lock|promise|future|async)\b|\bpthread_\w+",
         "stay on one shard; cross to another by event::Mailbox",
         except_layers=("event", "server", "audit", "stats", "control", "base"),
         allow={"include/hangu/policy/key_table.h": "what shards share by name (design)",
                "include/hangu/policy/place_sets.h": "what shards share by name (design)",
                "include/hangu/policy/logout_table.h": "what shards share by name (design)",
                "include/hangu/policy/in_flight_table.h": "what shards share by name (design)",
                "include/hangu/policy/adaptive_limit.h": "what shards share by name (design)",
                "src/policy/adaptive_limit.cc": "what shards share by name (design)",
                "include/hangu/policy/circuit_breaker.h": "what shards share by name (design)",
                "src/policy/circuit_breaker.cc": "what shards share by name (design)",
                "include/hangu/policy/endpoint_health.h": "what shards share by name (design)",
                "include/hangu/policy/release_share.h": "what shards share by name (design)",
                "include/hangu/policy/shared_slots.h": "what shards share by name (design)",
                "src/policy/shared_slots.cc": "what shards share by name (design)",
                "include/hangu/policy/connection_budget.h": "what shards share by name (design)",
                "include/hangu/identity/refresh_board.h": "what shards share by name (design)",
                "include/hangu/filter/jwt_keys.h": "what shards share by name (design)"}),
    Rule("new-delete", r"(?<!operator )\bnew\b(?!>)|(?<!operator )(?<!= )\bdelete\b",
         "std::make_unique, a value, or buffer::ObjectPool",
         allow={"include/hangu/buffer/object_pool.h": "is the pool",
                "include/hangu/filter/snapshot.h": "one intrusively counted holder a generation",
                "src/net/connection.cc": "lives until the kernel is done with it: on_closed()"}),
    Rule("std-function", r"\bstd::function\b",
         "a template parameter, a virtual interface or event::Task: std::function may allocate",
         only_layers=DATA_PATH),
    Rule("shared-ptr", r"\bstd::(shared_ptr<(?!const\b)|make_shared\b|enable_shared_from_this\b)",
         "one owner: std::unique_ptr, a value or a reference; shared is only what is const",
         only_layers=("buffer", "event", "net", "http", "codec", "downstream", "proxy")),
    Rule("throw", r"\bthrow\b", "Result<T> and fail(...)",
         except_layers=("config", "control", "admin", "cli")),
    Rule("regex", r"\bstd::(basic_)?regex\w*\b|#\s*include\s*<regex>",
         "a hand-written scan: std::regex backtracks and recurses"),
    Rule("number-parsing", r"\b(strto(l|ul|ll|ull|d|f|ld|imax|umax)|ato(i|l|ll|f)|"
         r"sto(i|l|ll|ul|ull|f|d|ld)|sscanf)\s*\(",
         "hangu::parse_decimal and its kin: strict, overflow is an error"),
    Rule("memcpy", r"\bmem(cpy|move)\s*\(", "std::copy, assignment, or a helper in base or buffer",
         except_layers=("base", "buffer", "http", "codec"),
         allow={"src/net/address.cc": "sockaddr and its variants: the socket interface is made so",
                "src/event/io_uring_backend.cc": "a sockaddr that must outlive the call"}),
    Rule("print", r"\b(v|f|s|d|vf|vs|sn|vsn)?printf\s*\(|\bstd::(cout|cerr|clog)\b|"
         r"\bfmt::print(ln)?\s*\(|\bf?puts\s*\(",
         "hangu::log for operators, stats for counts, audit for requests",
         except_layers=("cli",),
         allow={"src/base/assert.cc": "aborts right after: no logger any more"}),
    Rule("catch-all", r"\bcatch\s*\(\s*\.\.\.\s*\)", "catch what the called library documents"),
    Rule("using-namespace", r"\busing\s+namespace\b", "a namespace alias, or a using-declaration",
         where=("src", "include", "bench")),
    Rule("sleep", r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(|(?<![\w:.])(::)?sleep\s*\(",
         "a fake clock in tests, a Timer elsewhere; wait for the event, not for time",
         where=("src", "include", "tests"),
         allow={"tests/unit/audit/log_writer_test.cc":
                "polls a file with a deadline; plays a slow reader"}),
    Rule("fixed-port", r'\bhtons\(\s*\d{3,}\s*\)|(listen_on|bind|listen)\w*\([^;\n]*'
         r'"[^"\n]*:[1-9]\d{2,4}"',
         "port 0, and ask the listener which one it got", where=("tests",), strings=True),
    Rule("fixed-port-python", r"\.bind\(\(\s*[\"'][^\"']*[\"']\s*,\s*[1-9]|"
         r"(HTTPServer|TCPServer)\(\(\s*[\"'][^\"']*[\"']\s*,\s*[1-9]",
         "port 0, and ask the listener which one it got", where=("tests",), suffixes=(".py",),
         strings=True),
]

# `unique_ptr<T>(new T(...))`: the way to call a private constructor.
OWNED_AT_ONCE = re.compile(r"_ptr<[\w:]+>\s*\w*\(\s*new\b")

CODE_SUFFIXES = (".cc", ".h", ".py", ".sh", ".cmake")
NO_TABS = CODE_SUFFIXES + (".yaml", ".yml", ".json", ".md")
# Input files of tests may be as odd as the test needs them.
DATA_FOLDERS = ("tests/golden", "tests/fuzz/corpus")
# This check and its test name what they forbid.
SELF = ("tests/lint/check_style.py", "tests/lint/check_style_test.py")


def layer_of(name):
    parts = name.split("/")
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return parts[2] if parts[:2] == ["include", "hangu"] and len(parts) > 3 else None


def applies(rule, name):
    layer = layer_of(name)
    return (name.endswith(rule.suffixes) and name not in SELF
            and name.split("/")[0] in rule.where
            and (not rule.only_layers or layer in rule.only_layers)
            and layer not in rule.except_layers)


def check_rules(name, text, used):
    """`used` gathers the (rule, path) pairs of the allow-lists that were needed."""
    errors = []
    rules = [rule for rule in RULES if applies(rule, name)]
    if not rules:
        return errors
    cpp = name.endswith(tree.CPP_SUFFIXES)
    bare = tree.code_only(text) if cpp else text
    bare = OWNED_AT_ONCE.sub(lambda match: tree.blank(match[0]), bare)
    full = tree.code_only(text, keep_strings=True) if cpp else text
    for rule in rules:
        for match in re.finditer(rule.pattern, full if rule.strings else bare):
            if name in rule.allow:
                used.add((rule.name, name))
                continue
            line = text.count("\n", 0, match.start()) + 1
            errors.append(f"{name}:{line}: {rule.name}: {match[0].strip()!r} is not for here; "
                          f"instead: {rule.instead}")
    return errors


def check_header(name, text):
    errors = []
    if not re.search(r"^#pragma once$", text, re.MULTILINE):
        errors.append(f"{name}:1: a header begins with #pragma once")
    if name.startswith("include/") and not text.startswith("//"):
        errors.append(f"{name}:1: a public header opens with what it is, who owns it, which thread "
                      "uses it and what it does not do")
    return errors


def check_lines(name, text):
    errors = []
    lines = text.splitlines()
    code = name.endswith(CODE_SUFFIXES) or name.endswith("CMakeLists.txt") or text.startswith("#!")
    if code and len(lines) > FILE_LINES_MAX:
        errors.append(f"{name}: {len(lines)} lines: split it, {FILE_LINES_MAX} is the limit")
    for number, line in enumerate(lines, 1):
        where = f"{name}:{number}"
        if code and len(line) > LINE_COLUMNS_MAX:
            errors.append(f"{where}: {len(line)} columns: {LINE_COLUMNS_MAX} is the limit")
        if "\t" in line and name.endswith(NO_TABS):
            errors.append(f"{where}: a tab: use spaces")
        if code and line != line.rstrip():
            errors.append(f"{where}: spaces at the end of the line")
        if code and name not in SELF:
            errors += [f"{where}: {problem}" for problem in marker_problems(line)]
    if text and not text.endswith("\n") and (code or name.endswith(".md")):
        errors.append(f"{name}:{len(lines)}: no line feed at the end of the file")
    return errors


def marker_problems(line):
    if re.search(r"\bFIXME\b|\bXXX\b", line):
        yield "FIXME: fix it, or file an issue and write TODO(#n)"
    if re.search(r"\bTODO\b(?!\(#\d+\))", line):
        yield "TODO without an issue: write TODO(#n)"


def check_mode(name, path):
    if path.is_symlink():
        return [f"{name}: a symbolic link: not every checkout can have one"]
    info = path.stat()
    script = path.read_bytes()[:2] == b"#!"
    executable = bool(info.st_mode & stat.S_IXUSR)
    if info.st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX | stat.S_IWOTH):
        return [f"{name}: odd file mode {stat.filemode(info.st_mode)}: chmod 644 or 755"]
    if script != executable:
        return [f"{name}: " + ("begins with #! but is not executable: chmod 755" if script
                               else "executable but no script: chmod 644")]
    return []


def check_size(name, path):
    size = path.stat().st_size
    return [f"{name}: {size} bytes: make it from something smaller, 1 MiB is the limit"] \
        if size > BLOB_BYTES_MAX else []


def check_file(root, path, used):
    name = path.relative_to(root).as_posix()
    errors = check_mode(name, path)
    if path.is_symlink():
        return errors
    errors += check_size(name, path)
    data = path.read_bytes()
    if name.startswith(DATA_FOLDERS) or b"\0" in data:
        return errors
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return errors + [f"{name}: is not UTF-8"]
    if name.endswith(".h"):
        errors += check_header(name, text)
    return errors + check_lines(name, text) + check_rules(name, text, used)


def unused_allowances(root, used):
    return [f"tests/lint/check_style.py: {rule.name} allows {name}, which does not need it"
            for rule in RULES for name in rule.allow
            if (rule.name, name) not in used and root == tree.ROOT]


def check(root, files=None):
    used, errors = set(), []
    for path in tree.project_files(root) if files is None else files:
        errors += check_file(root, path, used)
    return errors + (unused_allowances(root, used) if files is None else [])


if __name__ == "__main__":
    given = [pathlib.Path(name).resolve() for name in sys.argv[1:]]
    sys.exit(tree.report("style", check(tree.ROOT, given or None)))
