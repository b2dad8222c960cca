"""Concurrency limits: who holds a place, for how long, and what those get who find none."""

import json
import tempfile
import threading
import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.http2 import Http2Client
from support.wait import eventually, run_threads
from support.websocket import WebSocket, echo_script

ACTIVE = 'hangu_concurrency_limit_active{concurrency_limit="places"}'
DECISIONS = 'hangu_concurrency_limit_requests_total{{concurrency_limit="places",decision="{}"}}'


class ConcurrencyCase(GatewayCase):
    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)
        self.origin.on("/wait", self.wait)

    def wait(self, exchange):
        """Answers when the gate is opened."""
        self.gate.wait()
        exchange.read_body()
        exchange.reply(200)

    def begin(self, workers=1, route=None, upstream=None, others=None, listener=None, **limit):
        return self.start(make_config(
            self.origin, workers=workers, listener=listener, upstream=upstream,
            concurrency_limits=[{"name": "places", "key": ["route"], **limit}],
            route={"concurrency_limits": ["places"], **(route or {})}, **(others or {})))

    def hold(self, gateway, count=1, fields=()):
        """So many requests under way."""
        before = len(self.origin.requests)
        clients = [gateway.client() for _ in range(count)]
        for client in clients:
            client.send_request("GET", "/wait", fields)
        self.origin.wait_for_requests(before + count, complete=False)
        return clients

    def free(self, gateway):
        eventually(lambda: gateway.metrics()[ACTIVE] == 0, "all places are free")
        self.assertEqual(gateway.client().request("GET", "/").status, 200)


class Counting(ConcurrencyCase):
    def test_so_many_at_once(self):
        gateway = self.begin(max=2)
        clients = self.hold(gateway, 2)
        response = gateway.client().request("GET", "/")
        self.assert_problem(response, 429, "concurrency_limit.exceeded")
        self.assertEqual(response.header("ratelimit-policy"),
                         '"places";q=2;qu="concurrent-requests"')
        self.assertEqual(response.header("ratelimit"), '"places";r=0')
        self.assertEqual(response.header("retry-after"), "1")
        self.assertEqual(response.json()["violated-policies"], ["places"])
        self.assertEqual(gateway.metrics()[ACTIVE], 2)
        self.gate.set()
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
        self.free(gateway)
        metrics = gateway.metrics()
        for decision, count in (("allowed", 3), ("rejected", 1), ("shadow_rejected", 0)):
            self.assertEqual(metrics[DECISIONS.format(decision)], count)

    def test_by_key(self):
        gateway = self.begin(max=1, key=["header:x-tenant"])
        self.hold(gateway, 1, {"X-Tenant": "a"})
        for tenant, status in (("a", 429), ("b", 200), ("c", 200)):
            response = gateway.client().request("GET", "/", {"X-Tenant": tenant})
            self.assertEqual(response.status, status, tenant)

    def test_all_workers_count_together(self):
        gateway = self.begin(max=10, workers=2)
        # Workers that meet a key's very first request at once may give it two places.
        self.hold(gateway, 1)
        self.hold(gateway, 9)
        statuses = []
        run_threads(8, lambda _: statuses.append(gateway.client().request("GET", "/").status))
        self.assertEqual(statuses, [429] * 8)

    def test_missing_keys(self):
        for policy, expected in (("share", [200, 429]), ("skip", [200, 200]),
                                 ("deny", [429, 429])):
            with self.subTest(policy):
                self.gate.clear()
                gateway = self.begin(max=1, key=["header:x"], on_missing_key=policy)
                self.assertEqual(gateway.client().request("GET", "/").status, expected[0])
                if expected[0] == 200:
                    self.hold(gateway)
                self.assertEqual(gateway.client().request("GET", "/").status, expected[1])
                self.gate.set()

    def test_exempt(self):
        gateway = self.begin(max=1, exempt=["192.0.2.0/24"],
                             listener={"trusted_proxies": ["127.0.0.0/8"]})
        self.hold(gateway)
        for address, status in (("192.0.2.9", 200), ("198.51.100.1", 429)):
            response = gateway.client().request("GET", "/", {"X-Forwarded-For": address})
            self.assertEqual(response.status, status, address)

    def test_who_is_refused_counts_in_none(self):
        """Neither in other concurrency limits nor in the rate limits of the route."""
        gateway = self.start(make_config(
            self.origin, workers=1,
            concurrency_limits=[{"name": "wide", "key": ["route"], "max": 2},
                                {"name": "places", "key": ["header:x"], "max": 1}],
            rate_limits=[{"name": "slow", "rate": "1/h", "burst": 3, "key": ["route"]}],
            route={"concurrency_limits": ["wide", "places"], "rate_limits": ["slow"]}))
        self.hold(gateway, 1, {"x": "1"})
        for _ in range(5):
            response = gateway.client().request("GET", "/", {"x": "1"})
            self.assertEqual(response.json()["violated-policies"], ["places"])
        # A place in `wide` and two of the rate limit are left.
        for _ in range(2):
            self.assertEqual(gateway.client().request("GET", "/", {"x": "2"}).status, 200)
        # Refused by the rate limit: its place is free again.
        for _ in range(3):
            response = gateway.client().request("GET", "/", {"x": "2"})
            self.assertEqual(response.json()["violated-policies"], ["slow"])
        self.assertEqual(gateway.metrics()[ACTIVE], 1)

    def test_modes(self):
        for mode, shadow in (("shadow", 2), ("off", 0)):
            with self.subTest(mode):
                self.gate.clear()
                gateway = self.begin(max=1, mode=mode)
                self.hold(gateway, 3)
                metrics = gateway.metrics()
                name = DECISIONS.format("shadow_rejected")
                self.assertEqual(metrics.get(name, 0), shadow)
                self.gate.set()

    def test_a_reload_forgets_nothing(self):
        config = make_config(self.origin, workers=2,
                             concurrency_limits=[{"name": "places", "key": ["route"], "max": 2}],
                             route={"concurrency_limits": ["places"]})
        gateway = self.start(config)
        # One by one: workers that meet a key's very first request at once may give it two places.
        clients = self.hold(gateway, 1)
        clients += self.hold(gateway, 1)
        config["concurrency_limits"][0]["max"] = 3
        self.assertEqual(gateway.reload(config).returncode, 0)
        clients += self.hold(gateway, 1)
        self.assertEqual(gateway.client().request("GET", "/").status, 429)
        self.gate.set()
        for client in clients:
            client.read_response()
        self.free(gateway)


class Releasing(ConcurrencyCase):
    def test_client_leaves(self):
        gateway = self.begin(max=1)
        self.hold(gateway)[0].close()
        self.free(gateway)

    def test_client_leaves_with_http2(self):
        gateway = self.begin(max=2)
        client = Http2Client(gateway.listener())
        self.addCleanup(client.close)
        client.start("GET", "/wait")
        client.start("GET", "/wait")
        self.origin.wait_for_requests(2, complete=False)
        self.assertEqual(client.request("GET", "/").status, 429)
        client.close()
        self.free(gateway)

    def test_upstream_fails(self):
        gateway = self.begin(max=1, upstream={"retry": {"attempts": 2, "statuses": [503]}})
        self.origin.on("/reset", lambda exchange: exchange.reset())
        self.origin.on("/busy", lambda exchange: exchange.reply(503))
        self.assertEqual(gateway.client().request("POST", "/reset", body=b"x").status, 502)
        self.free(gateway)
        self.assertEqual(gateway.client().request("GET", "/busy").status, 503)
        self.assertGreater(
            gateway.metrics()['hangu_upstream_retries_total{upstream="origin"}'], 0)
        self.free(gateway)

    def test_no_answer_in_time(self):
        gateway = self.begin(max=1, route={"timeout": "2s"})
        self.assertEqual(gateway.client().request("GET", "/wait").status, 504)
        self.free(gateway)

    def test_a_tunnel_holds_its_place(self):
        self.origin.on("/ws", echo_script)
        gateway = self.begin(max=1)
        websocket = WebSocket(gateway.client())
        self.assertEqual(websocket.open("/ws").status, 101)
        self.assertEqual(websocket.echo(b"still here"), b"still here")
        self.assertEqual(gateway.client().request("GET", "/").status, 429)
        gateway.close_clients()
        self.free(gateway)

    def test_a_body_that_nobody_reads(self):
        gateway = self.begin(max=1)
        self.hold(gateway)
        client = gateway.client()
        self.assertEqual(client.request("POST", "/", {}, b"x" * 100_000).status, 429)
        self.gate.set()
        eventually(lambda: gateway.metrics()[ACTIVE] == 0, "the place is free")
        self.assertEqual(client.request("GET", "/").status, 200)


class Configs(ConcurrencyCase):
    def test_what_is_wrong_is_said(self):
        config = make_config(
            self.origin, concurrency_limits=[{"name": "a", "max": 0}, {"name": "b"},
                                             {"name": "c", "max": 1, "key": []}],
            route={"concurrency_limits": ["c", "c", "nope"]})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(config, file)
            file.flush()
            done = run_hangu("check", file.name)
        self.assertEqual(done.returncode, 3)
        for code in ("E0115", "E0121", "E0129", "E0131", "E0137"):
            self.assertIn(code, done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
