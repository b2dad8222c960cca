#!/usr/bin/env python3
"""Where a gateway's time goes in one scenario: its system calls, or its hot functions.

  profile.py syscalls [--gateway nginx] [--scenario get-128-c64]    calls for each request (strace)
  profile.py functions ...                                          hot functions (perf record)

No figure of speed from here counts: strace slows what it watches.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import loads
import measure
import peers
import report
import scenarios

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.
                                     RawDescriptionHelpFormatter)
    build = ROOT / "build" / "release" / "bin"
    parser.add_argument("what", choices=["syscalls", "functions"])
    parser.add_argument("--gateway", default="hangu-io_uring",
                        choices=[*report.PEERS, "hangu-io_uring", "hangu-epoll"])
    parser.add_argument("--scenario", default="get-128-c64",
                        choices=[each.name for each in scenarios.SCENARIOS])
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--hangu", default=str(build / "hangu"))
    parser.add_argument("--origin", default=str(build / "hangu_bench_origin"))
    return parser.parse_args()


def watch(what, gateway, directory):
    """Starts the tool on every process of the gateway; it ends with SIGINT."""
    out = directory / "profile"
    if what == "syscalls":
        pids = [word for pid in gateway.pids() for word in ("-p", str(pid))]
        command = ["strace", "-f", "-c", "-o", str(out), *pids]
    else:
        command = ["perf", "record", "-q", "-g", "-o", str(out), "-p",
                   ",".join(map(str, gateway.pids()))]
    if shutil.which(command[0]) is None:
        raise SystemExit(f"profile.py: no {command[0]}")
    tool = subprocess.Popen(["taskset", "-c", str(peers.LOAD_CPU), *command],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)  # it says nothing once it is attached
    if tool.poll() is not None:
        raise SystemExit(f"profile.py: {command[0]}: {tool.stderr.read().strip()}")
    return tool, out


def show_syscalls(out, requests):
    """strace's own table, with calls for each request in place of seconds."""
    print(f"{'calls/request':>14}  {'calls':>9}  {'errors':>7}  call")
    for line in out.read_text().splitlines():
        row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(\d*)\s*(\w+)$", line)
        if row and row.group(3) != "total":
            calls = int(row.group(1))
            print(f"{calls / requests:14.3f}  {calls:9}  {row.group(2) or 0:>7}  {row.group(3)}")


def show_functions(out):
    done = subprocess.run(["perf", "report", "--stdio", "--no-children", "-g", "none",
                           "--percent-limit", "0.7", "-i", str(out)],
                          capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.strip() and line[0] != "#"]
    print("\n".join(lines) or f"perf found nothing: {done.stderr.strip()}")


def run(options, directory):
    scenario = next(each for each in scenarios.SCENARIOS if each.name == options.scenario)
    if scenario.templates:
        gateways = peers.make_special_gateways(options.hangu, directory, options.origin,
                                               scenario.templates)
    else:
        gateways = peers.make_gateways(options.hangu, directory, options.origin, bare=False)
    gateway = next(each for each in gateways if each.name == options.gateway)
    tool = None
    try:
        gateway.start()
        loads.run(gateway, scenario, 1)
        tool, out = watch(options.what, gateway, directory)
        requests = max(loads.run(gateway, scenario, options.seconds).requests, 1)
        tool.send_signal(signal.SIGINT)
        tool.wait(20)
    finally:
        if tool is not None and tool.poll() is None:
            tool.kill()
            tool.wait()
        gateway.stop()
    print(f"{gateway.name}, {scenario.title}: {requests:,} requests")
    if options.what == "syscalls":
        show_syscalls(out, requests)
    else:
        show_functions(out)


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measure.raise_descriptor_limit(11_000)
    os.sched_setaffinity(0, {peers.LOAD_CPU})
    directory = pathlib.Path(tempfile.mkdtemp(prefix="hangu-profile-"))
    directory.chmod(0o755)
    try:
        run(options, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
