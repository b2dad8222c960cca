#!/usr/bin/env python3
"""Puts load on hangu, nginx and HAProxy in turns, on this machine, and compares what it costs them.

The rounds of all gateways are interleaved in random order on the same core, so that whatever else
the machine does hits all of them. Writes Markdown into bench/results. Exit code 1: a request
failed.
"""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time

import measure
import peers
import report
import scenarios

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    build = ROOT / "build" / "release" / "bin"
    parser.add_argument("--hangu", default=str(build / "hangu"), help="the binary [%(default)s]")
    parser.add_argument("--origin", default=str(build / "hangu_bench_origin"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each run [%(default)s]")
    parser.add_argument("--only", help="scenarios, separated by commas: " +
                        ", ".join(each.name for each in scenarios.SCENARIOS) + ", idle, start")
    parser.add_argument("--gateways",
                        help="separated by commas: nginx, haproxy, hangu-io_uring, hangu-epoll")
    parser.add_argument("--quick", action="store_true", help="one short round, for a first look")
    parser.add_argument("--bare-peers", action="store_true", help="peers add no headers")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--idle-connections", type=int, default=5000)
    parser.add_argument("--no-save", action="store_true", help="print only")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1
    return options


def wanted(options, name):
    return options.only is None or name in options.only.split(",")


def run_scenarios(options, gateways, results):
    shuffle = random.Random(options.seed)
    for scenario in scenarios.SCENARIOS:
        if not wanted(options, scenario.name):
            continue
        for number in range(options.rounds):
            order = list(gateways)
            shuffle.shuffle(order)
            for gateway in order:
                results.add(scenario, gateway, measure.measure(gateway, scenario, options.seconds))
            print(f"{scenario.name}: round {number + 1} of {options.rounds}", file=sys.stderr,
                  flush=True)
        print(results.scenario_text(scenario), "\n", flush=True)


def run(options, directory):
    results = report.Report(options)
    origin = peers.make_origin(options.origin)
    gateways = peers.make_gateways(options.hangu, directory, origin.port, options.bare_peers)
    if options.gateways:
        gateways = [each for each in gateways if each.name in options.gateways.split(",")]
    try:
        origin.start()
        if wanted(options, "start"):
            for gateway in gateways:
                results.starts[gateway.name] = min(
                    peers.time_to_first_response(gateway) for _ in range(max(options.rounds, 3)))
        for gateway in gateways:
            gateway.start()
        if wanted(options, "idle"):
            for gateway in gateways:
                results.idle[gateway.name] = measure.idle_bytes_per_connection(
                    gateway, options.idle_connections)
        run_scenarios(options, gateways, results)
    finally:
        for process in [*gateways, origin]:
            process.stop()
    results.judge()
    print(results.bars_text())
    return results


def main():
    options = parse_arguments()
    measure.raise_descriptor_limit()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="hangu-bench-"))
    directory.chmod(0o755)  # nginx's worker is another user
    try:
        results = run(options, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if not options.no_save:
        target = ROOT / "bench" / "results"
        target.mkdir(exist_ok=True)
        path = target / f"{time.strftime('%Y-%m-%d')}{'-bare' if options.bare_peers else ''}.md"
        path.write_text(results.markdown())
        print(f"\nwritten to {path.relative_to(ROOT)}")
    failed = sum(sample.errors for by_gateway in results.results.values()
                 for samples in by_gateway.values() for sample in samples)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
