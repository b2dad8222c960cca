"""What running traffic notices of changes: reloads that change one route of many, one after the
other, against the same load without any."""

import dataclasses
import re
import socket
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


def reload(config):
    """Whether it was applied. Asks the admin socket itself: `hangu reload` reads the file, too, to
    know where that is, which would be measured with the rest."""
    path = re.search(r"socket: \"?([^\",}\s]+)", config.read_text()).group(1)
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(120)
        admin.connect(path)
        admin.sendall(b"POST /reload HTTP/1.1\r\nHost: hangu\r\nConnection: close\r\n"
                      b"Content-Length: 0\r\n\r\n")
        return admin.makefile("rb").readline().split()[1] == b"200"


class Changer(threading.Thread):
    """Reloads with another route each time, until it is told to stop."""

    def __init__(self, config, base):
        super().__init__()
        self.config = config
        self.stopping = threading.Event()
        self.reloads = self.errors = 0
        self.texts = [config_of(base, number) for number in range(2)]

    def run(self):
        while not self.stopping.wait(0.1):
            self.reloads += 1
            self.config.write_text(self.texts[self.reloads % 2])
            self.errors += not reload(self.config)

    def stop(self):
        self.stopping.set()
        self.join()


def run(gateway, rounds, seconds):
    """`gateway`: a hangu that has been started; it is left with the many routes."""
    config = next(gateway.log.parent.glob(f"{gateway.name}-hangu.yaml"))
    base = config.read_text()
    config.write_text(config_of(base, "first"))
    if not reload(config):
        raise RuntimeError("the many routes were not taken")
    quiet, changing, reloads, errors = [], [], 0, 0
    for _ in range(rounds):
        measure.settle(gateway)
        load = loads.run(gateway, LOAD, seconds)
        quiet.append(load.p99)
        errors += load.errors
        changer = Changer(config, base)
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
