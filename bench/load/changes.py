"""What running traffic notices of changes: reloads that change one route of many, one after the
other, against the same load without any."""

import dataclasses
import re
import subprocess
import threading
import time

import loads
import measure
import scenarios

ROUTES = 100_000
LOAD = scenarios.Scenario("changes", "GET 128 B, 8 connections", 8)


@dataclasses.dataclass
class Changes:
    quiet_p99: float    # microseconds
    changing_p99: float
    reloads: int
    compile_ms: float   # the longest: from the config in memory to shards that use it
    errors: int


def config_of(base, changed):
    """`base` with many more routes, one of them of this change's own."""
    head, routes = base.split("routes:\n")
    many = "".join(f"  - {{name: r{i}, match: {{hosts: [h{i % 1000}.example.org], path: "
                   f"{{prefix: /p{i}}}}}, upstream: origin}}\n" for i in range(ROUTES))
    one = (f"  - {{name: one, match: {{path: {{prefix: /one}}}}, "
           f"respond: {{body: \"{changed}\"}}}}\n")
    return head + "routes:\n" + many + one + routes


class Changer(threading.Thread):
    """Reloads with another route each time, until it is told to stop."""

    def __init__(self, hangu, config, base):
        super().__init__()
        self.hangu, self.config, self.base = hangu, config, base
        self.stopping = threading.Event()
        self.reloads = self.errors = 0
        self.texts = [config_of(base, number) for number in range(2)]

    def run(self):
        while not self.stopping.wait(0.1):
            self.reloads += 1
            self.config.write_text(self.texts[self.reloads % 2])
            done = subprocess.run([self.hangu, "reload", "--config", str(self.config)],
                                  capture_output=True, text=True, timeout=120, check=False)
            self.errors += done.returncode != 0

    def stop(self):
        self.stopping.set()
        self.join()


def run(gateway, hangu, rounds, seconds):
    """`gateway`: a hangu that has been started; it is left with the many routes."""
    config = next(gateway.log.parent.glob(f"{gateway.name}-hangu.yaml"))
    base = config.read_text()
    config.write_text(config_of(base, "first"))
    subprocess.run([hangu, "reload", "--config", str(config)], check=True, capture_output=True)
    quiet, changing, reloads, errors = [], [], 0, 0
    for _ in range(rounds):
        measure.settle(gateway)
        load = loads.run(gateway, LOAD, seconds)
        quiet.append(load.p99)
        errors += load.errors
        changer = Changer(hangu, config, base)
        changer.start()
        time.sleep(0.2)
        load = loads.run(gateway, LOAD, seconds)
        changer.stop()
        changing.append(load.p99)
        errors += load.errors + changer.errors
        reloads += changer.reloads
    compiled = [int(found) for found in re.findall(r"compile_us=(\d+)", gateway.said_all())]
    middle = len(quiet) // 2
    return Changes(sorted(quiet)[middle], sorted(changing)[middle], reloads,
                   max(compiled[1:]) / 1000, errors)
