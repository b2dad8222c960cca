#!/usr/bin/env python3
"""Puts load on hangu, nginx and HAProxy in turns, on this machine, and compares what it costs them.

The rounds of all gateways are interleaved in random order on the same core, so that whatever else
the machine does hits all of them. Writes Markdown into bench/results. Exit code 1: a request
failed; a bar that is missed is reported, no more.
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import changes
import idle
import loads
import measure
import peers
import report
import scenarios

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Where a process's memory comes to lie costs or saves some tenths of a microsecond a request for
# as long as it lives: a difference of that size takes several processes to see.
ROUNDS_OF_A_PROCESS = 5


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    build = ROOT / "build" / "release" / "bin"
    parser.add_argument("--hangu", default=str(build / "hangu"), help="the binary [%(default)s]")
    parser.add_argument("--origin", default=str(build / "hangu_bench_origin"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each run [%(default)s]")
    parser.add_argument("--only", type=names(*(each.name for each in scenarios.SCENARIOS),
                                             *scenarios.APART),
                        help="some of: %(metavar)s", metavar=", ".join(
                            [*(each.name for each in scenarios.SCENARIOS), *scenarios.APART]))
    gateways = [*scenarios.ALL, "hangu-io_uring", "hangu-epoll", report.DIRECT]
    parser.add_argument("--gateways", type=names(*gateways), metavar=", ".join(gateways),
                        help="some of: %(metavar)s")
    parser.add_argument("--quick", action="store_true", help="one short round, for a first look")
    parser.add_argument("--bare-peers", action="store_true", help="peers add no headers")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--idle-connections", type=int, default=5000)
    parser.add_argument("--tunnels", type=int, default=7900,
                        help="HAProxy fits no more into 20,000 descriptors [%(default)s]")
    parser.add_argument("--no-save", action="store_true",
                        help="print only, as with --quick, --only and --gateways")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1
    return options


def names(*known):
    def parse(text):
        chosen = [name.strip() for name in text.split(",")]
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no '{name}'; there are {', '.join(known)}")
        return chosen
    return parse


class Run:
    """The processes of one run, started anew for each scenario."""

    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.special = []  # gateways of one scenario
        self.shuffle = random.Random(options.seed)
        self.results = report.Report(options)
        self.direct = peers.make_origin(options.origin, directory, report.DIRECT)
        self.gateways = peers.make_gateways(options.hangu, directory, options.origin,
                                            options.bare_peers)
        if options.gateways:
            self.gateways = [each for each in self.gateways if each.name in options.gateways]

    def wants(self, name):
        return not self.options.only or name in self.options.only

    def all(self):
        try:
            if self.wants("start"):
                self.starts()
            if self.wants("idle"):
                self.fresh()
                for kind in idle.KINDS:
                    for gateway in self.plain_gateways():
                        self.results.idle.setdefault(kind, {})[gateway.name] = \
                            idle.bytes_per_connection(gateway, kind, self.options.idle_connections)
            if self.wants("tunnels"):
                self.tunnels()
            for scenario in scenarios.SCENARIOS:
                if self.wants(scenario.name):
                    self.scenario(scenario)
            if self.wants("changes"):
                self.changes()
        finally:
            self.stop()

    def tunnels(self):
        for _ in range(self.options.rounds):
            self.fresh()
            for gateway in self.shuffled(self.plain_gateways()):
                self.results.tunnels.setdefault(gateway.name, []).append(
                    idle.tunnels(gateway, self.options.tunnels, self.options.seconds))

    def changes(self):
        self.fresh()
        for gateway in self.plain_gateways():
            if gateway.name.startswith("hangu"):
                self.results.changes[gateway.name] = [
                    changes.run(gateway, self.options.rounds, self.options.seconds, routes)
                    for routes in scenarios.CHANGED_ROUTES]

    def starts(self):
        for _ in range(max(self.options.rounds, 5)):
            for gateway in self.shuffled(self.plain_gateways()):
                self.results.starts.setdefault(gateway.name, []).append(
                    measure.time_to_first_response(gateway))

    def scenario(self, scenario):
        seconds = self.options.seconds * scenario.longer
        groups = []
        for number in range(self.options.rounds):
            if number % (ROUNDS_OF_A_PROCESS if self.compares(scenario) else sys.maxsize) == 0:
                groups = self.started(scenario)
            for group in self.shuffled(groups):
                for name, target, what in self.shuffled(group):
                    self.results.add(scenario, name, measure.measure(target, what, seconds))
            print(f"{scenario.name}: round {number + 1} of {self.options.rounds}",
                  file=sys.stderr, flush=True)
        print(self.results.scenario_text(scenario), "\n", flush=True)

    @staticmethod
    def compares(scenario):
        """Whether hangu is measured with and without something, and the difference counts."""
        return bool(scenario.policies or scenario.templates)

    def started(self, scenario):
        """What is to be measured in each round, in groups: fresh processes, warmed up."""
        self.fresh(scenario)
        targets = [each for each in self.special or self.gateways
                   if each.name in scenario.peers or each.name.startswith("hangu")]
        # The origin keeps every connection: without a gateway nothing would be new.
        if scenario.name != "new" and scenario.tool == "wrk" and not scenario.tls and \
                report.DIRECT in (self.options.gateways or [report.DIRECT]):
            targets.append(self.direct)
        # What is compared by its difference runs one right after the other: a virtual machine's
        # speed drifts by more than that within a round.
        groups = [[(each.name, each, scenario)] for each in targets]
        if self.compares(scenario):
            plain = {each.name: (each.name + report.PLAIN, each, scenario.plain())
                     for each in self.gateways if each.name.startswith("hangu")}
            named = {name: group for group in groups for name, _, _ in group}
            for name, run in plain.items():
                named[name].append(run)
        for _, target, what in sum(groups, []):  # pools and caches are filled before it counts
            loads.run(target, what, 1)
        return groups

    def plain_gateways(self):
        return [each for each in self.gateways if each.name not in scenarios.ALL[2:]]

    def fresh(self, scenario=None):
        """No scenario inherits memory or connections from the one before."""
        self.stop()
        wanted = scenario.peers if scenario else report.PEERS
        if scenario and scenario.templates:
            special = peers.make_special_gateways(self.options.hangu, self.directory,
                                                  self.options.origin, scenario.templates)
            self.special = [each for each in special
                            if each.name in (self.options.gateways or [each.name])]
            wanted = ()
        for process in [self.direct, *self.gateways, *self.special]:
            if process in self.special or process.name in wanted or \
                    process.name not in scenarios.ALL:
                process.start()

    def stop(self):
        for process in [self.direct, *self.gateways, *self.special]:
            process.stop()
        self.special = []

    def shuffled(self, items):
        return self.shuffle.sample(items, len(items))


def save(options, results):
    target = ROOT / "bench" / "results"
    target.mkdir(exist_ok=True)
    path = target / f"{time.strftime('%Y-%m-%d')}{'-bare' if options.bare_peers else ''}.md"
    path.write_text(results.markdown())
    print(f"\nwritten to {path.relative_to(ROOT)}")


def main():
    options = parse_arguments()
    for program in (options.hangu, options.origin):
        if not os.access(program, os.X_OK):
            raise SystemExit(f"run.py: no {program}: `make bench` builds it")
    if not {peers.GATEWAY_CPU, peers.LOAD_CPU} <= os.sched_getaffinity(0):
        raise SystemExit("run.py: needs CPUs 0 and 1")
    os.sched_setaffinity(0, {peers.LOAD_CPU})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    measure.raise_descriptor_limit(2 * max(options.idle_connections, options.tunnels) + 1000)
    print(f"seed {options.seed}", file=sys.stderr)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="hangu-bench-"))
    directory.chmod(0o755)  # nginx's worker is another user
    try:
        run = Run(options, directory)
        run.results.busy_before = measure.wait_until_quiet()
        run.all()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    run.results.judge()
    print(run.results.summary())
    if not (options.no_save or options.quick or options.only or options.gateways):
        save(options, run.results)
    return 1 if run.results.failed() else 0


if __name__ == "__main__":
    sys.exit(main())
