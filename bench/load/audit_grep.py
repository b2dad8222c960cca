#!/usr/bin/env python3
"""How fast `hangu audit grep` reads: gigabytes of the log's text a second.

  audit_grep.py [--gib 2] [--rounds 5] [--folder /tmp] [--hangu build/release/bin/hangu]

A gateway with an audit log of every request writes real records, which are repeated until the log
is large enough; the same text once more in eight files that a gateway has packed, as rotation
leaves them.
Everything is in the page cache before it counts. GNU grep, on one core as it is, reads along.
Medians over the rounds, which are interleaved; all files are deleted in the end.
"""

import argparse
import json
import os
import pathlib
import random
import re
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUESTS = 50_000
BATCH = 500
PACKED_FILES = 8
GIB = 1 << 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def config_of(port, folder, log):
    return {"version": 1, "workers": 1, "admin": {"socket": str(folder / "admin.sock")},
            "state_dir": str(folder), "audit": {"path": str(log), "requests": "all"},
            "listeners": [{"name": "web", "bind": f"127.0.0.1:{port}"}],
            "routes": [{"name": "users", "match": {"path": {"prefix": "/"}},
                        "respond": {"status": 200, "body": "ok"}}]}


def requests(count):
    """As different as those of users are."""
    source = random.Random(1)
    for _ in range(count):
        user, order = source.randrange(100_000), source.randrange(10_000_000)
        method = source.choice(["GET", "GET", "GET", "POST", "DELETE"])
        yield (f"{method} /v1/users/{user}/orders/{order}?page={source.randrange(50)}&size=50 "
               f"HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 0\r\n\r\n").encode()


def start(hangu, folder, log):
    """A gateway, and a connection to it."""
    config, port = folder / "hangu.yaml", free_port()
    config.write_text(json.dumps(config_of(port, folder, log)))
    gateway = subprocess.Popen([hangu, "run", "--config", str(config)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for _ in range(200):
        try:
            return gateway, socket.create_connection(("127.0.0.1", port), 10)
        except OSError:
            if gateway.poll() is not None:
                raise SystemExit(f"audit_grep.py: {gateway.stderr.read()}") from None
            time.sleep(0.05)
    stop(gateway)
    raise SystemExit("audit_grep.py: the gateway does not answer")


def stop(gateway):
    gateway.terminate()
    gateway.communicate()


def write_records(hangu, folder):
    """The lines of a log that a gateway has written; of requests only."""
    log = folder / "written.log"
    gateway, connection = start(hangu, folder, log)
    try:
        all_requests = list(requests(REQUESTS))
        for begin in range(0, REQUESTS, BATCH):
            connection.sendall(b"".join(all_requests[begin:begin + BATCH]))
            answers = b""
            while answers.count(b"HTTP/1.1 200") < BATCH or not answers.endswith(b"ok"):
                answers += connection.recv(1 << 20)
    finally:
        stop(gateway)
    lines = [line for line in log.read_bytes().splitlines(keepends=True) if b'"/v1/users/' in line]
    if len(lines) != REQUESTS:
        raise SystemExit(f"audit_grep.py: {len(lines)} records of {REQUESTS} requests")
    return lines


def write_logs(hangu, lines, size, folder):
    """plain/audit.log and packed/audit.log.N.zst, as large in the clear; a gateway packs them."""
    block = b"".join(lines)
    repeats = -(-size // len(block))
    plain, packed = folder / "plain", folder / "packed"
    plain.mkdir()
    packed.mkdir()
    with open(plain / "audit.log", "wb") as file:
        for _ in range(repeats):
            file.write(block)
    for number in range(PACKED_FILES):
        part = repeats // PACKED_FILES + (number < repeats % PACKED_FILES)
        with open(packed / f"audit.log.{number + 1:016}", "wb") as file:
            for _ in range(part):
                file.write(block)
    gateway, connection = start(hangu, packed, packed / "audit.log")
    try:
        while any(not path.name.endswith(".zst") for path in packed.glob("audit.log.0*")):
            if gateway.poll() is not None:
                raise SystemExit(f"audit_grep.py: {gateway.stderr.read()}")
            time.sleep(0.2)
    finally:
        connection.close()
        stop(gateway)
    (packed / "audit.log").unlink()
    return len(block) * repeats, repeats


def searches(lines):
    """Name, options of grep, and how many of the lines it has to find."""
    records = [json.loads(line) for line in lines]
    some = records[len(records) // 3]
    times = sorted(record["ts"] for record in records)
    since, until = times[len(times) // 2], times[len(times) // 2 + len(times) // 100]

    def count(test):
        return sum(1 for record in records if test(record))

    yield "a field: path=…", ["--where", f"path={some['path']}"], \
        count(lambda record: record["path"] == some["path"])
    yield "a field of every record, and a text", ["--where", "event=request", "no-such-text"], 0
    yield "a time, 1 % of the records", ["--since", since, "--until", until], \
        count(lambda record: since <= record["ts"] < until)
    yield "a regular expression with a text in it", \
        ["--regex", r'users/77\d\d/orders/[0-9]*7"'], \
        count(lambda record: re.fullmatch(r"/v1/users/77\d\d/orders/\d*7", record["path"]))
    yield "one without", ["--regex", r'/(orders|bills)/12[5-9]+"'], \
        count(lambda record: re.search(r"/orders/12[5-9]+$", record["path"]))
    yield "everything, counted", [], len(records)


def run(command, wanted):
    begin = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "LC_ALL": "C"}, check=False)
    seconds = time.monotonic() - begin
    if done.stdout.strip() != str(wanted):
        raise SystemExit(f"audit_grep.py: {' '.join(command)}: {done.stdout.strip()!r} in place of "
                         f"{wanted}; {done.stderr.strip()}")
    return seconds


def measure(hangu, lines, size, repeats, folder, rounds):
    rows = []
    for name, options, wanted in searches(lines):
        for kind in ("plain", "packed"):
            log = str(folder / kind / "audit.log")
            rows.append((name, kind, [hangu, "audit", "grep", "--log", log, "--count", *options],
                         wanted * repeats))
    text = json.loads(lines[len(lines) // 3])["path"]
    found = sum(1 for line in lines if text.encode() in line) * repeats
    rows.append(("GNU grep -F, for comparison", "plain",
                 ["grep", "-c", "-F", text, str(folder / "plain" / "audit.log")], found))
    seconds = [[] for _ in rows]
    for number in range(rounds + 1):
        for row, times in zip(rows, seconds):
            took = run(row[2], row[3])
            if number:
                times.append(took)
    print("| what is looked for | log | GB/s | spread |\n|---|---|---|---|")
    for (name, kind, _, _), times in zip(rows, seconds):
        rates = sorted(size / 1e9 / took for took in times)
        print(f"| {name} | {kind} | {statistics.median(rates):.2f} | "
              f"{rates[0]:.2f}-{rates[-1]:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--hangu", default=str(ROOT / "build" / "release" / "bin" / "hangu"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hangu-grep-", dir=options.folder) as name:
        folder = pathlib.Path(name)
        lines = write_records(options.hangu, folder)
        size, repeats = write_logs(options.hangu, lines, int(options.gib * GIB), folder)
        print(f"{size / 1e9:.2f} GB, {len(lines) * repeats:,} records of "
              f"{size // (len(lines) * repeats)} bytes, {os.cpu_count()} cores\n")
        measure(options.hangu, lines, size, repeats, folder, options.rounds)


if __name__ == "__main__":
    main()
