"""Turns samples into medians, ratios, bars and Markdown."""

import datetime
import os
import platform
import re
import statistics
import subprocess

import scenarios

PEERS = ("nginx", "haproxy")


def median(samples, field):
    return statistics.median(getattr(sample, field) for sample in samples)


class Report:
    def __init__(self, options):
        self.options = options
        self.results = {}   # scenario name → gateway name → samples
        self.bars = []      # (what, value, bar, passed)
        self.idle = {}      # gateway name → bytes
        self.starts = {}    # gateway name → milliseconds

    def add(self, scenario, gateway, sample):
        self.results.setdefault(scenario.name, {}).setdefault(gateway.name, []).append(sample)

    def better_peer(self, name, field, best):
        peers = [median(self.results[name][peer], field) for peer in PEERS
                 if peer in self.results[name]]
        return best(peers) if peers else None

    def rows(self, scenario):
        best_cpu = self.better_peer(scenario.name, "cpu", min)
        best_rps = self.better_peer(scenario.name, "rps", max)
        for gateway, samples in self.results[scenario.name].items():
            cpu, rps = median(samples, "cpu"), median(samples, "rps")
            yield [gateway, f"{rps:,.0f}", f"{rps / best_rps:.2f}" if best_rps else "",
                   f"{cpu:.2f}", f"{cpu / best_cpu:.2f}" if best_cpu else "",
                   *(f"{median(samples, field) / 1000:.2f}" for field in ("p50", "p99", "p999")),
                   f"{median(samples, 'rss'):.1f}", f"{median(samples, 'busy') * 100:.0f} %",
                   str(sum(sample.errors for sample in samples))]

    HEAD = ["gateway", "requests/s", "ratio", "CPU µs/request", "ratio", "p50 ms", "p99 ms",
            "p99.9 ms", "peak RSS MiB", "core", "errors"]

    def scenario_text(self, scenario):
        return "\n".join([f"### {scenario.title}", "", table(self.HEAD, list(self.rows(scenario)))])

    def judge(self):
        for scenario in scenarios.SCENARIOS:
            by_gateway = self.results.get(scenario.name, {})
            peer = self.better_peer(scenario.name, "cpu", min) if by_gateway else None
            for gateway, samples in by_gateway.items():
                if gateway.startswith("hangu") and peer and scenario.cpu_bar:
                    ratio = median(samples, "cpu") / peer
                    self.bar(f"{scenario.title}, {gateway}: CPU of the better peer", ratio,
                             scenario.cpu_bar, ratio <= scenario.cpu_bar)
        self.judge_many()
        for gateway, value in self.idle.items():
            if gateway.startswith("hangu"):
                self.bar(f"bytes for an idle connection, {gateway}", value, scenarios.IDLE_BAR,
                         value <= scenarios.IDLE_BAR)
        for gateway, value in self.starts.items():
            if gateway.startswith("hangu"):
                self.bar(f"ms from start to the first answer, {gateway}", value,
                         scenarios.START_BAR, value <= scenarios.START_BAR)

    def judge_many(self):
        many = self.results.get(scenarios.MANY, {})
        for gateway, samples in many.items():
            if not gateway.startswith("hangu"):
                continue
            rss = median(samples, "rss")
            self.bar(f"5,000 connections, {gateway}: peak RSS in MiB", rss, scenarios.MANY_RSS_BAR,
                     rss < scenarios.MANY_RSS_BAR)
            if "nginx" in many:
                ratio = median(samples, "rps") / median(many["nginx"], "rps")
                self.bar(f"5,000 connections, {gateway}: requests/s of nginx", ratio,
                         scenarios.MANY_RPS_BAR, ratio >= scenarios.MANY_RPS_BAR)

    def bar(self, what, value, bar, passed):
        self.bars.append((what, value, bar, passed))

    def bars_text(self):
        rows = [[what, f"{value:.2f}", f"{bar}", "yes" if passed else "**no**"]
                for what, value, bar, passed in self.bars]
        return table(["what", "measured", "bar", "met"], rows)

    def markdown(self):
        parts = [f"# Load run of {datetime.datetime.now():%Y-%m-%d %H:%M}", "",
                 *environment(self.options), "", "## Scenarios", ""]
        for scenario in scenarios.SCENARIOS:
            if scenario.name in self.results:
                parts += [self.scenario_text(scenario), ""]
        if self.idle or self.starts:
            parts += ["## Memory and start", "", self.costs_text(), ""]
        parts += ["## Bars", "", self.bars_text(), ""]
        return "\n".join(parts)

    def costs_text(self):
        rows = [[name, f"{self.idle[name]:,.0f}" if name in self.idle else "",
                 f"{self.starts[name]:.1f}" if name in self.starts else ""]
                for name in dict.fromkeys([*self.idle, *self.starts])]
        head = ["gateway", "bytes for an idle connection", "ms from start to the first answer"]
        return table(head, rows)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()[0].strip()


def environment(options):
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    peers = "nothing but forwarding" if options.bare_peers else \
        "the same edge work as hangu: forwarding headers and a request id"
    return [f"- {model.group(1) if model else platform.machine()}, {os.cpu_count()} CPUs, "
            f"Linux {platform.release()}; gateway on one, origin and wrk on the other",
            f"- {first_line('/usr/sbin/nginx', '-v')}; {first_line('/usr/sbin/haproxy', '-v')}; "
            f"{first_line(options.hangu, '--version')}",
            f"- {options.rounds} rounds of {options.seconds} s, order shuffled with seed "
            f"{options.seed}; medians; ratios are to the better peer",
            f"- the peers do {peers}"]
