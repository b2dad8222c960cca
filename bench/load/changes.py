"""What running traffic notices of changes: single routes of many that change fifty times a second
in the config centre, a real etcd on the core of the load. Against the same load without any, and
while as many are put where no gateway looks: etcd's work takes from the load's core either way."""

import base64
import dataclasses
import http.client
import json
import random
import re
import statistics
import threading
import time

import loads
import measure
import peers
import scenarios

LOAD = scenarios.Scenario("changes", "GET 128 B, 8 connections", 8)
PREFIX = "/bench/"
ELSEWHERE = "/elsewhere/"
INTERVAL = 0.02
DOCUMENTS_AT_ONCE = 100  # etcd takes 128 operations in a transaction


@dataclasses.dataclass
class Changes:
    routes: int
    quiet_p99: float    # microseconds
    elsewhere_p99: float
    changing_p99: float
    changes: int
    compile_ms: float   # the longest: from the config in memory to shards that use it
    errors: int


def encoded(text):
    return base64.b64encode(text.encode()).decode()


class Etcd:
    def __init__(self, directory):
        self.port, peer = peers.free_port(), f"http://127.0.0.1:{peers.free_port()}"
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = peers.Process(
            "etcd", [peers.find("etcd"), "--data-dir", str(directory / f"etcd-{self.port}"),
                     "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                     "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                     "--initial-cluster", f"default={peer}"],
            directory, self.port, peers.LOAD_CPU)
        self.process.start()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        deadline = time.monotonic() + peers.START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"etcd does not answer: {self.process.said()}")
            time.sleep(0.1)

    def answers(self):
        try:
            return "header" in self.ask("kv/range", {"key": encoded("x")})
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return False

    def ask(self, what, message):
        self.connection.request("POST", f"/v3/{what}", json.dumps(message))
        return json.loads(self.connection.getresponse().read())

    def put(self, documents, prefix=PREFIX):
        """(name, text) of routes, as one transaction."""
        puts = [{"request_put": {"key": encoded(f"{prefix}config/routes/{name}"),
                                 "value": encoded(text)}} for name, text in documents]
        return self.ask("kv/txn", {"success": puts}).get("succeeded", False)

    def stop(self):
        self.connection.close()
        self.process.stop()


def route(number, version=0):
    return (f"r{number}", f"{{match: {{hosts: [h{number % 1000}.example.org], path: "
                          f"{{prefix: /p{number}}}}}, respond: {{body: \"{version}\"}}}}")


class Changer(threading.Thread):
    """Puts another version of one route after the other, until it is told to stop."""

    def __init__(self, etcd, routes, prefix):
        super().__init__()
        self.etcd, self.routes, self.prefix = etcd, routes, prefix
        self.stopping = threading.Event()
        self.changes = self.errors = 0

    def run(self):
        following = time.monotonic()
        while not self.stopping.wait(max(0, following - time.monotonic())):
            following += INTERVAL
            self.changes += 1
            number = self.changes * 7919 % self.routes
            self.errors += not self.etcd.put([route(number, self.changes)], self.prefix)

    def stop(self):
        self.stopping.set()
        self.join()


def in_force(gateway):
    found = re.findall(r"config_reloaded generation=(\d+)", gateway.said_all())
    return int(found[-1]) if found else 0


def start(gateway, etcd, routes):
    """Anew, with these routes from the store."""
    config = next(gateway.log.parent.glob(f"{gateway.name}-hangu.yaml"))
    before = config.read_text()
    config.write_text(before + f"config_center: {{endpoints: [\"{etcd.url}\"], prefix: {PREFIX}, "
                               "cache: off}\nlog: {level: info}\n")
    gateway.stop()
    gateway.log.write_text("")
    gateway.start()
    config.write_text(before)
    deadline = time.monotonic() + 300
    while not re.search(rf"config_center_read .*keys={routes}\b", gateway.said_all()) or \
            not in_force(gateway):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the routes were not taken: {gateway.said()}")
        time.sleep(0.2)
    gateway.log.write_text("")


def run(gateway, rounds, seconds, routes):
    """`gateway`: a hangu that has been started; it is left with the many routes."""
    etcd = Etcd(gateway.log.parent)
    try:
        for first in range(0, routes, DOCUMENTS_AT_ONCE):
            if not etcd.put([route(first + i) for i in range(DOCUMENTS_AT_ONCE)]):
                raise RuntimeError("etcd does not take the routes")
        start(gateway, etcd, routes)
        return measure_changes(gateway, etcd, rounds, seconds, routes)
    finally:
        etcd.stop()


def measure_changes(gateway, etcd, rounds, seconds, routes):
    p99 = {None: [], ELSEWHERE: [], PREFIX: []}
    changes, errors = 0, 0
    loads.run(gateway, LOAD, 1)
    for _ in range(rounds):
        for prefix, found in random.sample(list(p99.items()), len(p99)):
            measure.settle(gateway)
            changer = Changer(etcd, routes, prefix) if prefix else None
            if changer:
                changer.start()
                time.sleep(0.2)
            load = loads.run(gateway, LOAD, seconds)
            if changer:
                changer.stop()
                errors += changer.errors
                changes += changer.changes if prefix == PREFIX else 0
            found.append(load.p99)
            errors += load.errors
    compiled = [int(found) for found in re.findall(r"compile_us=(\d+)", gateway.said_all())]
    return Changes(routes, *map(statistics.median, p99.values()), changes, max(compiled) / 1000,
                   errors)
