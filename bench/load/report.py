"""Turns samples into medians, ratios, bars and Markdown."""

import datetime
import math
import os
import pathlib
import platform
import re
import statistics
import subprocess

import measure
import peers
import scenarios

PEERS = ("nginx", "haproxy")
PLAIN = ", no policies"  # behind the name of a gateway
DIRECT = "origin"  # without a gateway: what core 1 can do at most
LOWER_IS_BETTER = ("cpu", "p50", "p99", "p999", "rss")


def median(samples, field):
    """None when the tool that put the load on does not say."""
    values = [getattr(sample, field) for sample in samples]
    return None if None in values else statistics.median(values)


def median_error(values):
    """The standard error of their median, if they are spread as chance spreads."""
    if len(values) < 2:
        return 0.0
    return math.sqrt(math.pi / 2 / len(values)) * statistics.stdev(values)


class Report:
    def __init__(self, options):
        self.options = options
        self.busy_before = 0.0  # of all CPUs
        self.results = {}   # scenario name → gateway name → samples
        self.bars = []      # (what, value, bar, passed)
        self.idle = {}      # what it speaks → gateway name → bytes
        self.tunnels = {}   # gateway name → idle.Tunnels of each round
        self.starts = {}    # gateway name → milliseconds of each start
        self.changes = {}   # gateway name → list of changes.Changes

    def add(self, scenario, name, sample):
        self.results.setdefault(scenario.name, {}).setdefault(name, []).append(sample)

    def failed(self):
        return any(each.errors for found in self.changes.values() for each in found) or \
            any(errors(samples) for by_gateway in self.results.values()
                for samples in by_gateway.values())

    def ratio(self, name, gateway, field, among=scenarios.ALL):
        """To the best of these peers; None without one."""
        by_gateway = self.results[name]
        peers_there = [peer for peer in among if peer in by_gateway]
        values = [median(by_gateway[peer], field) for peer in peers_there]
        if not values or None in values:
            return None
        best = (min if field in LOWER_IS_BETTER else max)(values)
        return median(by_gateway[gateway], field) / best if best else None

    HEAD = ["gateway", "requests/s", "CPU µs/request", "p50 ms", "p99 ms", "p99.9 ms",
            "peak RSS MiB", "core", "errors"]

    def row(self, name, gateway):
        samples = self.results[name][gateway]

        def cell(field, text):
            ratio = self.ratio(name, gateway, field) if gateway.startswith("hangu") else None
            return text if ratio is None else f"{text} ({ratio:.2f})"

        return [gateway, cell("rps", f"{median(samples, 'rps'):,.0f}"),
                cell("cpu", f"{median(samples, 'cpu'):.2f}"),
                *(cell(field, self.milliseconds(median(samples, field)))
                  for field in ("p50", "p99", "p999")),
                cell("rss", f"{median(samples, 'rss'):.1f}"),
                f"{median(samples, 'busy') * 100:.0f} %", str(errors(samples))]

    @staticmethod
    def milliseconds(microseconds):
        return "" if microseconds is None else f"{microseconds / 1000:.2f}"

    def scenario_text(self, scenario):
        rows = [self.row(scenario.name, gateway) for gateway in sorted(self.results[scenario.name])]
        return "\n".join([f"### {scenario.title}", "", table(self.HEAD, rows)])

    def judge(self):
        for scenario in scenarios.SCENARIOS:
            for gateway, samples in self.hangus(scenario.name):
                ratio = self.ratio(scenario.name, gateway, "cpu")
                if ratio is not None and scenario.cpu_bar:
                    self.bar(f"{scenario.title}, {gateway}: CPU µs/request to the better peer",
                             ratio, f"≤ {scenario.cpu_bar:.2f}",
                             ratio <= scenario.cpu_bar and not errors(samples))
                ratio = self.ratio(scenario.name, gateway, "cpu", ("nginx",))
                if ratio is not None and scenario.nginx_cpu_bar:
                    self.bar(f"{scenario.title}, {gateway}: CPU µs/request to nginx", ratio,
                             f"≤ {scenario.nginx_cpu_bar:.2f}",
                             ratio <= scenario.nginx_cpu_bar and not errors(samples))
                self.judge_policies(scenario, gateway, samples)
        self.judge_many()
        for kind, bar in scenarios.IDLE_BARS.items():
            for gateway, value in self.idle.get(kind, {}).items():
                if gateway.startswith("hangu"):
                    self.bar(f"Bytes for an idle connection, {kind}, {gateway}", value,
                             f"≤ {bar:,}", value <= bar)
        self.judge_tunnels()
        self.judge_changes()
        for gateway, values in self.starts.items():
            if gateway.startswith("hangu"):
                value = statistics.median(values)
                self.bar(f"ms from start to the first answer, {gateway}", value,
                         f"≤ {scenarios.START_BAR}", value <= scenarios.START_BAR)

    def judge_policies(self, scenario, gateway, samples):
        plain = self.results[scenario.name].get(gateway + PLAIN)
        if plain is None:
            return
        # Round by round: what else the machine does meets both of a round.
        rounds = [(one.cpu, other.cpu) for one, other in zip(samples, plain)]
        if scenario.extra_bar:
            differences = [one - other for one, other in rounds]
            extra = statistics.median(differences)
            self.bar(f"{scenario.title}, {gateway}: CPU µs/request of the policies, "
                     f"± {median_error(differences):.2f}", extra,
                     f"≤ {scenario.extra_bar:.2f}",
                     extra <= scenario.extra_bar and not errors(samples))
        if scenario.of_plain_bar:
            ratio = statistics.median(one / other for one, other in rounds)
            self.bar(f"{scenario.title}, {gateway}: CPU µs/request to one without policies",
                     ratio, f"≤ {scenario.of_plain_bar:.2f}",
                     ratio <= scenario.of_plain_bar and not errors(samples))

    def judge_tunnels(self):
        peers_cpu = [median(self.tunnels[peer], "cpu") for peer in PEERS if peer in self.tunnels]
        for gateway, samples in sorted(self.tunnels.items()):
            if not gateway.startswith("hangu"):
                continue
            value = median(samples, "bytes")
            self.bar(f"Bytes for a WebSocket tunnel, {gateway}", value,
                     f"≤ {scenarios.TUNNEL_BAR:,}", value <= scenarios.TUNNEL_BAR)
            if peers_cpu:
                ratio = median(samples, "cpu") / min(peers_cpu)
                self.bar(f"WebSocket, {gateway}: CPU µs/message to the better peer", ratio,
                         f"≤ {scenarios.TUNNEL_CPU_BAR:.2f}", ratio <= scenarios.TUNNEL_CPU_BAR)

    def judge_changes(self):
        for gateway, all_found in self.changes.items():
            for found in all_found:
                ratio = found.changing_p99 / found.elsewhere_p99
                self.bar(f"p99 during {found.changes} changes of one route of {found.routes:,}, "
                         f"{gateway}: to that while etcd takes as many that concern nobody "
                         f"({found.elsewhere_p99 / 1000:.2f} ms; without any "
                         f"{found.quiet_p99 / 1000:.2f})", ratio,
                         f"≤ {scenarios.CHANGE_P99_BAR:.2f}",
                         ratio <= scenarios.CHANGE_P99_BAR and not found.errors)
                self.bar(f"ms to compile such a change of {found.routes:,}, the longest, "
                         f"{gateway}", found.compile_ms, f"≤ {scenarios.CHANGE_MS_BAR}",
                         found.compile_ms <= scenarios.CHANGE_MS_BAR)

    def judge_many(self):
        many = self.results.get(scenarios.MANY, {})
        for gateway, samples in self.hangus(scenarios.MANY):
            rss = median(samples, "rss")
            self.bar(f"5,000 connections, {gateway}: peak RSS in MiB", rss,
                     f"< {scenarios.MANY_RSS_BAR}",
                     rss < scenarios.MANY_RSS_BAR and not errors(samples))
            if "nginx" in many and not errors(many["nginx"]):
                ratio = median(samples, "rps") / median(many["nginx"], "rps")
                self.bar(f"5,000 connections, {gateway}: requests/s to nginx", ratio,
                         f"≥ {scenarios.MANY_RPS_BAR:.2f}",
                         ratio >= scenarios.MANY_RPS_BAR and not errors(samples))

    def hangus(self, name):
        return sorted((gateway, samples) for gateway, samples in self.results.get(name, {}).items()
                      if gateway.startswith("hangu") and not gateway.endswith(PLAIN))

    def bar(self, what, value, bar, passed):
        self.bars.append((what, value, bar, passed))

    def bars_text(self):
        rows = [[what, f"{value:,.2f}", bar, "pass" if passed else "**miss**"]
                for what, value, bar, passed in self.bars]
        return table(["what", "measured", "bar", ""], rows)

    def summary(self):
        """What is said at the end, the scenarios having been printed as they went."""
        parts = [self.costs_text()] if self.idle or self.starts or self.tunnels else []
        parts += [self.bars_text()] if self.bars else []
        return "\n\n".join([*parts, *self.warnings()])

    def warnings(self):
        found = ["A request failed: see the column errors."] if self.failed() else []
        if "release" not in build_of(self.options.hangu):
            found.append(f"{self.options.hangu} is no release build: its figures mean nothing.")
        if self.busy_before > measure.BUSY_MAX:
            found.append(f"The machine was {self.busy_before * 100:.0f} % busy before the run: "
                         "requests/s and latencies are worth little, CPU µs/request a bit more.")
        return [f"**Warning:** {each}" for each in found]

    def markdown(self):
        parts = [f"# Load run of {datetime.datetime.now():%Y-%m-%d %H:%M}", "",
                 *environment(self.options), f"- before the run the machine was "
                 f"{self.busy_before * 100:.0f} % busy", "", *self.warnings(), "", READING, "",
                 "## Scenarios", ""]
        for scenario in scenarios.SCENARIOS:
            if scenario.name in self.results:
                parts += [self.scenario_text(scenario), ""]
        if self.idle or self.starts or self.tunnels:
            parts += ["## Memory and start", "", self.costs_text(), ""]
        parts += ["## Bars", "", self.bars_text(), ""]
        return "\n".join(parts)

    def costs_text(self):
        names = dict.fromkeys([*(name for each in self.idle.values() for name in each),
                               *self.starts, *self.tunnels])
        columns = [(f"bytes for an idle connection, {kind}",
                    {name: f"{value:,.0f}" for name, value in values.items()})
                   for kind, values in self.idle.items()]
        for field, title, form in (("bytes", "bytes for a WebSocket tunnel", "{:,.0f}"),
                                   ("cpu", "CPU µs for a message and its echo", "{:.2f}"),
                                   ("rate", "messages/s", "{:,.0f}")):
            if self.tunnels:
                columns.append((title, {name: form.format(median(samples, field))
                                        for name, samples in self.tunnels.items()}))
        if self.starts:
            columns.append(("ms from start to the first answer",
                            {name: f"{statistics.median(values):.1f}"
                             for name, values in self.starts.items()}))
        rows = [[name, *(values.get(name, "") for _, values in columns)] for name in names]
        return table(["gateway", *(title for title, _ in columns)], rows)


READING = """\
Medians; in brackets hangu's ratio to the better peer of that column. `origin` is the load without a
gateway, its CPU that of the origin. `core` is how much of its core a gateway used: far below 100 %,
core 1 was the limit. How it was measured: [bench/load/README.md](../load/README.md)."""


def errors(samples):
    return sum(sample.errors for sample in samples)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()[0].strip()


def wrk_version():
    return re.sub(r"^wrk *", "", first_line("wrk", "-v")).split(" ")[0]


def build_of(binary):
    """The line `build:` of `hangu --version`."""
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"^build: *(.*)", done.stdout, re.M)
    return found.group(1) if found else "unknown build"


def congestion_control():
    return pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text("ascii").strip()


def environment(options):
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    work = "nothing but forwarding" if options.bare_peers else \
        "the same edge work as hangu: forwarding headers and a request id"
    return [f"- {model.group(1) if model else platform.machine()}, {os.cpu_count()} CPUs, "
            f"Linux {platform.release()}, TCP congestion control {congestion_control()}; "
            "gateway on one, origin and wrk on the other",
            f"- {first_line(options.hangu, '--version')}, {build_of(options.hangu)}; "
            f"{first_line(peers.find('nginx'), '-v')}; {first_line(peers.find('haproxy'), '-v')}; "
            f"wrk {wrk_version()}",
            f"- {options.rounds} rounds of {options.seconds} s, order shuffled with seed "
            f"{options.seed}",
            f"- the peers do {work}"]
