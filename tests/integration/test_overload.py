"""Overload: memory, descriptors and delay beyond their thresholds, what is refused then and in
which order, and how all comes back."""

import resource
import subprocess
import threading
import time
import unittest

from support.case import GatewayCase
from support.client import Client
from support.gateway import make_config, run_hangu, sanitized
from support.http2 import Http2Client
from support.wait import eventually, run_threads

NEVER = {"shed_low": 100, "shed_normal": 100, "stop": 100}
FAST = {"interval": "20ms", "recovery": "200ms", "delay": {
    "shed_low": "30s", "shed_normal": "40s", "stop": "1m"}, "descriptors_percent": NEVER,
    "memory_percent": NEVER}
STEPS = {"none": 0, "shed_low": 1, "shed_normal": 2, "stop": 3}


class OverloadCase(GatewayCase):
    def routes(self):
        return [{"name": name, "match": {"path": {"prefix": f"/{name}"}}, "upstream": "origin",
                 "priority": name} for name in ("low", "normal", "high")] + \
            [{"name": "health", "match": {"path": {"exact": "/health"}}, "priority": "high",
              "respond": {"status": 200, "body": "well\n"}}]

    def make(self, workers=1, **overload):
        return make_config(self.origin, workers=workers, routes=self.routes(),
                           overload={**FAST, **overload})

    def begin(self, **options):
        return self.start(self.make(**options))

    def step(self, gateway):
        return gateway.status()["overload"]["shards"][0]["step"]

    def wait_for_step(self, gateway, step):
        eventually(lambda: self.step(gateway) == step, f"step {step}")

    def statuses(self, client):
        return [client.request("GET", path).status
                for path in ("/low", "/normal", "/high", "/health")]


class Memory(OverloadCase):
    """By thresholds that a process of that size has passed or not."""

    def setUp(self):
        super().setUp()
        if sanitized():
            self.skipTest("the memory of a sanitizer build is not its own")

    def at(self, step, **others):
        """Memory is at 50 % and more of what it may be."""
        percent = {"shed_low": 1 if step >= 1 else 100, "shed_normal": 1 if step >= 2 else 100,
                   "stop": 1 if step >= 3 else 100}
        return {"memory_max": "1024GiB" if step == 0 else "32MiB", "memory_percent": percent,
                **others}

    def test_in_steps(self):
        gateway = self.begin(**self.at(0))
        client = gateway.client()
        self.assertEqual(self.statuses(client), [200] * 4)
        for step, expected in ((1, [503, 200, 200, 200]), (2, [503, 503, 200, 200]),
                               (3, [503, 503, 503, 200]), (0, [200] * 4)):
            gateway.reload(self.make(**self.at(step)))
            self.wait_for_step(gateway, list(STEPS)[step])
            with self.subTest(step):
                if step != 3:
                    client = gateway.client()  # idle ones are closed meanwhile
                self.assertEqual(self.statuses(client), expected)

    def test_refused(self):
        gateway = self.begin(**self.at(1), retry_after="10s")
        self.wait_for_step(gateway, "shed_low")
        waits = set()
        for _ in range(20):
            # On a connection of its own: idle ones are closed again and again in this step.
            response = gateway.client().request("GET", "/low")
            self.assert_problem(response, 503, "overload.shed")
            self.assertEqual(response.json()["type"], "https://iana.org/assignments/"
                             "http-problem-types#temporary-reduced-capacity")
            waits.add(int(response.header("retry-after")))
        self.assertGreater(len(waits), 1)
        self.assertGreaterEqual(min(waits), 10)
        self.assertLessEqual(max(waits), 15)
        metrics = gateway.metrics()
        self.assertEqual(metrics['hangu_overload_shed_total{priority="low"}'], 20)
        self.assertEqual(metrics['hangu_overload_shed_total{priority="normal"}'], 0)
        self.assertEqual(metrics['hangu_overload_step{trigger="memory"}'], 1)
        memory = gateway.status()["overload"]["memory"]
        self.assertEqual(memory["max"], 32 << 20)
        self.assertGreater(memory["value"], 1 << 20)
        self.assertIn("trigger=memory step=shed_low before=none", gateway.stderr)
        text = run_hangu("status", "--socket", gateway.socket).stdout
        self.assertIn("overload: memory", text)

    def test_idle_connections_are_closed(self):
        gateway = self.begin(**self.at(0))
        first, second = gateway.client(), gateway.client()
        http2 = Http2Client(gateway.listener())
        self.addCleanup(http2.close)
        for client in (first, second, http2):
            self.assertEqual(client.request("GET", "/high").status, 200)
        gateway.reload(self.make(**self.at(1)))
        self.assertEqual(first.expect_end(), "eof")
        self.assertEqual(second.expect_end(), "eof")
        http2.wait_for_end()
        self.assertEqual(gateway.client().request("GET", "/high").status, 200)

    def test_the_last_step_accepts_no_connection(self):
        gateway = self.begin(**self.at(3))
        self.wait_for_step(gateway, "stop")
        address = gateway.listener()
        waiting = Client(address)  # the kernel has it
        self.addCleanup(waiting.close)
        waiting.send_request("GET", "/high")
        before = gateway.connections()
        pause = threading.Event()
        pause.wait(0.3)
        self.assertEqual(gateway.connections(), before)
        gateway.reload(self.make(**self.at(0)))
        self.assertEqual(waiting.read_response().status, 200)
        self.assertIn("step=none before=stop", gateway.stderr)

    def test_modes(self):
        for mode in ("shadow", "off"):
            with self.subTest(mode):
                gateway = self.begin(mode=mode, **self.at(3))
                if mode == "shadow":
                    self.wait_for_step(gateway, "stop")
                    self.assertEqual(gateway.status()["overload"]["mode"], "shadow")
                client = gateway.client()
                self.assertEqual(self.statuses(client), [200] * 4)
                shadow = gateway.metrics().get("hangu_overload_shadow_shed_total{}", 0)
                self.assertEqual(shadow, 3 if mode == "shadow" else 0)


class Descriptors(OverloadCase):
    def test_connections_use_them_up(self):
        gateway = self.begin(descriptors_percent={"shed_low": 50, "shed_normal": 100, "stop": 100})
        limit = 256
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (limit, limit))
        keeper = gateway.client()
        self.assertEqual(self.statuses(keeper), [200] * 4)
        self.assertEqual(self.step(gateway), "none")
        # Under way, so that they are not closed for being idle.
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.origin.on("/normal/wait", lambda exchange: (gate.wait(), exchange.reply(200)))
        clients = [gateway.client() for _ in range(60)]
        for client in clients:
            client.send_request("GET", "/normal/wait")
        self.wait_for_step(gateway, "shed_low")
        descriptors = gateway.status()["overload"]["descriptors"]
        self.assertEqual(descriptors["max"], limit)
        self.assertGreaterEqual(descriptors["value"], limit // 2)
        client = gateway.client()
        self.assertEqual(self.statuses(client), [503, 200, 200, 200])
        gate.set()
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
            client.close()
        self.wait_for_step(gateway, "none")
        self.assertEqual(gateway.client().request("GET", "/low").status, 200)


class Delay(OverloadCase):
    def test_a_loop_that_is_late_sheds_and_recovers(self):
        """The process is stopped again and again: its loops come late to their turns."""
        gateway = self.begin(delay={"shed_low": "10ms", "shed_normal": "30s", "stop": "1m"},
                             recovery="1s")
        stop = threading.Event()

        def hinder():
            while not stop.is_set():
                subprocess.run(["kill", "-STOP", str(gateway.pid)], check=True)
                stop.wait(0.05)
                subprocess.run(["kill", "-CONT", str(gateway.pid)], check=True)
                stop.wait(0.002)

        hinderer = threading.Thread(target=hinder, daemon=True)
        hinderer.start()
        try:
            self.wait_for_step(gateway, "shed_low")
            client = gateway.client()
            self.assertEqual(self.statuses(client), [503, 200, 200, 200])
            eventually(lambda: gateway.status()["overload"]["shards"][0]["delay_us"] >= 9_000,
                       "the delay is shown")
        finally:
            stop.set()
            hinderer.join()
        self.wait_for_step(gateway, "none")
        self.assertEqual(gateway.client().request("GET", "/low").status, 200)
        self.assertIn("trigger=delay shard=0 step=shed_low before=none", gateway.stderr)
        self.assertIn("trigger=delay shard=0 step=none before=shed_low", gateway.stderr)


class AcceptQueue(OverloadCase):
    """Connections that nobody accepts: here because memory is short at first."""

    BACKLOG = 16

    def make_with_backlog(self, **overload):
        config = self.make(**overload)
        config["listeners"][0]["backlog"] = self.BACKLOG
        return config

    def test_a_queue_that_stands_sheds_until_it_is_gone(self):
        full = {"shed_low": 1, "shed_normal": 1, "stop": 1}
        steps = {"shed_low": 50, "shed_normal": 100}
        gateway = self.start(self.make_with_backlog(memory_max="1MiB", memory_percent=full,
                                                    accept_queue_percent=steps))
        self.wait_for_step(gateway, "stop")
        name = 'hangu_overload_step{trigger="accept_queue",shard="0"}'
        self.assertEqual(gateway.metrics()[name], 0)
        waiting = [gateway.client() for _ in range(self.BACKLOG * 3 // 4)]
        eventually(lambda: gateway.metrics()[name] == STEPS["shed_low"], "the queue is seen")
        shard = gateway.status()["overload"]["shards"][0]
        self.assertGreaterEqual(shard["accept_queue"], self.BACKLOG // 2)
        self.assertLessEqual(shard["accept_queue"], len(waiting))
        self.assertEqual(shard["accept_queue_max"], self.BACKLOG)
        self.assertEqual(gateway.metrics()['hangu_overload_accept_queue{shard="0"}'],
                         shard["accept_queue"])
        self.assertIn("trigger=accept_queue shard=0 step=shed_low before=none", gateway.stderr)
        waiting += [gateway.client() for _ in range(self.BACKLOG + 1 - len(waiting))]
        eventually(lambda: gateway.metrics()[name] == STEPS["shed_normal"], "the queue is full")
        gateway.reload(self.make_with_backlog(accept_queue_percent=steps))
        self.wait_for_step(gateway, "none")
        self.assertEqual(gateway.metrics()[name], 0)
        self.assertEqual(gateway.client().request("GET", "/low").status, 200)
        self.assertIn("trigger=accept_queue shard=0 step=none", gateway.stderr)


class Off(OverloadCase):
    def test_nothing_is_measured(self):
        gateway = self.start(make_config(self.origin, routes=self.routes()))
        self.assertNotIn("overload", gateway.status())
        self.assertEqual(self.statuses(gateway.client()), [200] * 4)
        self.assertFalse(any(name.startswith("hangu_overload") for name in gateway.metrics()))


class AdaptiveConcurrency(OverloadCase):
    """A slow origin under a flood: who is refused is so at once, and who matters is served."""

    PLACES = 4
    SERVICE = 0.05  # much more than this process takes for a request of so many threads
    CLIENTS = 24

    def setUp(self):
        super().setUp()
        self.places = threading.Semaphore(self.PLACES)
        for path in ("/low", "/normal", "/high"):
            self.origin.on(path, self.serve)

    def serve(self, exchange):
        """As many at once as it has places; the others queue."""
        exchange.read_body()
        with self.places:
            time.sleep(self.SERVICE)  # what it takes is what this test is about
        exchange.reply(200)

    def begin_adaptive(self, **adaptive):
        return self.start(make_config(
            self.origin, workers=2, routes=self.routes(),
            upstreams=[{"name": "origin", "endpoints": [self.origin.endpoint],
                        "adaptive_concurrency": {"baseline_requests": 20, **adaptive}}]))

    def flood(self, gateway, seconds=2.5):
        """Many clients of low priority and one of high priority, each with one request at least:
        the statuses of both, and the high one's latencies."""
        address = gateway.listener()
        low, high, latencies = [], [], []
        end = time.monotonic() + seconds

        def ask(index):
            with Client(address) as client:
                began = 0
                while began < end:
                    began = time.monotonic()
                    path = "/high" if index == 0 else "/low"
                    status = client.request("GET", path).status
                    (high if index == 0 else low).append(status)
                    if index == 0 and status == 200:
                        latencies.append(time.monotonic() - began)
                    elif status == 503:
                        threading.Event().wait(0.05)

        run_threads(self.CLIENTS, ask)
        return low, high, sorted(latencies)

    def unmet(self, gateway, slow):
        """What a flood shows that is not as it should be, with what was seen."""
        low, high, fast = self.flood(gateway)
        adaptive = gateway.status()["upstreams"][0]["adaptive_concurrency"]
        # 24 clients queue for 4 places: some 300 ms without a limit.
        ratio = slow[len(slow) // 2] / fast[len(fast) // 2] if fast else 0
        seen = {
            "low ones are refused": (low.count(503) > 50, low.count(503)),
            "low ones are served": (low.count(200) > 50, low.count(200)),
            "high ones are fast": (ratio > 1.5, ratio),
            "high ones are served": (high.count(200) > 0.9 * len(high), high),
            "it has measured": (not adaptive["measuring"], adaptive),
            "there is a limit": (adaptive["limit"] < self.CLIENTS, adaptive),
            "the latency at rest is the origin's": (
                adaptive["baseline_us"] >= self.SERVICE * 1e6 * 0.9, adaptive)}
        return {words: value for words, (met, value) in seen.items() if not met}

    def test_high_priority_stays_fast_under_a_flood_of_low(self):
        without = self.start(make_config(self.origin, workers=2, routes=self.routes()))
        _, _, slow = self.flood(without, 1.5)
        gateway = self.begin_adaptive()
        self.flood(gateway, 1.0)  # until it knows the latency at rest
        # All in one flood; clients and origin are one process, which may be late itself.
        for _ in range(3):
            unmet = self.unmet(gateway, slow)
            if not unmet:
                break
        self.assertEqual(unmet, {})
        eventually(lambda: gateway.status()["upstreams"][0]["adaptive_concurrency"]["under_way"]
                   == 0, "no place is kept")
        self.assertGreater(
            gateway.metrics()['hangu_upstream_adaptive_rejected_total{upstream="origin"}'], 50)

    def test_refused(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.origin.on("/normal/wait", lambda exchange: (gate.wait(), exchange.reply(200)))
        gateway = self.begin_adaptive()
        clients = [gateway.client() for _ in range(3)]
        for client in clients:
            client.send_request("GET", "/normal/wait")
        self.origin.wait_for_requests(3, complete=False)
        response = gateway.client().request("GET", "/normal")
        self.assert_problem(response, 503, "overload.concurrency")
        self.assertEqual(response.json()["type"], "https://iana.org/assignments/"
                         "http-problem-types#temporary-reduced-capacity")
        # Those who leave and those who get no answer give their places back.
        clients[0].close()
        eventually(lambda: gateway.client().request("GET", "/normal").status == 200,
                   "a place is free")
        gate.set()
        for client in clients[1:]:
            self.assertEqual(client.read_response().status, 200)
        eventually(lambda: gateway.status()["upstreams"][0]["adaptive_concurrency"]["under_way"]
                   == 0, "all places are free")

    def test_shadow(self):
        gateway = self.begin_adaptive(mode="shadow")
        low, high, _ = self.flood(gateway, 1)
        self.assertEqual({*low, *high}, {200})
        name = 'hangu_upstream_adaptive_shadow_rejected_total{upstream="origin"}'
        self.assertGreater(gateway.metrics()[name], 0)


class Admission(OverloadCase):
    def begin_admission(self, **admission):
        return self.start(make_config(
            self.origin, workers=1, routes=self.routes(),
            upstreams=[{"name": "origin", "endpoints": [self.origin.endpoint],
                        "retry": {"attempts": 0},
                        "admission": {"window": "1s", "reject_percent_max": 90, **admission}}]))

    def test_in_proportion_to_failures(self):
        status = [500]
        self.origin.on("/low", lambda exchange: exchange.reply(status[0]))
        self.origin.on("/high", lambda exchange: exchange.reply(status[0]))
        gateway = self.begin_admission()
        client = gateway.client()
        refused = None
        for _ in range(200):
            response = client.request("GET", "/low")
            refused = response if response.status == 503 else refused
        self.assert_problem(refused, 503, "overload.admission")
        asked = sum(target == "/low" for target in self.origin.targets())
        self.assertLess(asked, 120)  # ten and then about one in ten
        self.assertGreaterEqual(asked, 10)
        self.assertEqual({client.request("GET", "/high").status for _ in range(20)}, {500})
        self.assertEqual(
            gateway.metrics()['hangu_upstream_admission_rejected_total{upstream="origin"}'],
            200 - asked)
        status[0] = 200
        eventually(lambda: {client.request("GET", "/low").status for _ in range(20)} == {200},
                   "it has recovered")

    def test_shadow_and_answers_that_are_no_failures(self):
        self.origin.on("/low", lambda exchange: exchange.reply(404))
        self.origin.on("/normal", lambda exchange: exchange.reply(500))
        gateway = self.begin_admission(mode="shadow")
        name = 'hangu_upstream_admission_shadow_rejected_total{upstream="origin"}'
        client = gateway.client()
        self.assertEqual({client.request("GET", "/low").status for _ in range(50)}, {404})
        self.assertEqual(gateway.metrics()[name], 0)
        self.assertEqual({client.request("GET", "/normal").status for _ in range(100)}, {500})
        self.assertGreater(gateway.metrics()[name], 0)


if __name__ == "__main__":
    unittest.main()
