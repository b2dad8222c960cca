"""`mode: shadow`: the access log names what would have refused, and only then."""

import threading
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually


class ShadowCase(GatewayCase):
    def setUp(self):
        super().setUp()
        self.release = threading.Event()
        self.addCleanup(self.release.set)

    def begin(self, **options):
        return self.start(make_config(self.origin, workers=1,
                                      access_log={"path": "@FOLDER@/access.log"}, **options))

    def hold(self, gateway, *paths):
        """Requests that stay under way until they are released."""
        for path in paths:
            self.origin.on(path, lambda exchange: (self.release.wait(20), exchange.reply(200)))
            gateway.client().send_request("GET", path)
            eventually(lambda: path in self.origin.targets(), "it is under way")

    def ask(self, gateway, *paths, status=200):
        for path in paths:
            self.origin.on(path, lambda exchange: exchange.reply(status))
            self.assertEqual(gateway.client().request("GET", path).status, status)

    def shadows(self, gateway, count):
        """What would have refused each of so many requests, by their paths."""
        self.release.set()
        records = gateway.access_log(count)
        self.assertEqual(len(records), count)
        return {path: record.get("shadow") for path, record in records.items()}


class Limits(ShadowCase):
    def test_rate_limit(self):
        gateway = self.begin(
            route={"rate_limits": ["slow"]},
            rate_limits=[{"name": "slow", "rate": "1/h", "burst": 2, "mode": "shadow"}])
        self.ask(gateway, "/1", "/2", "/3", "/4")
        self.assertEqual(self.shadows(gateway, 4),
                         {"/1": None, "/2": None, "/3": "slow", "/4": "slow"})

    def test_quota(self):
        gateway = self.begin(
            route={"rate_limits": ["plan"]}, state_dir="@FOLDER@",
            rate_limits=[{"name": "plan", "quota": {"limit": 1, "per": "month"},
                          "mode": "shadow"}])
        self.ask(gateway, "/1", "/2")
        self.assertEqual(self.shadows(gateway, 2), {"/1": None, "/2": "plan"})

    def test_concurrency_limit(self):
        gateway = self.begin(
            route={"concurrency_limits": ["places"]},
            concurrency_limits=[{"name": "places", "key": ["route"], "max": 1,
                                 "mode": "shadow"}])
        self.hold(gateway, "/held", "/held-too")
        self.ask(gateway, "/over")
        self.assertEqual(self.shadows(gateway, 3),
                         {"/held": None, "/held-too": "places", "/over": "places"})

    def test_adaptive_concurrency(self):
        gateway = self.begin(upstream={"adaptive_concurrency": {
            "mode": "shadow", "baseline_requests": 20}})
        # Three are what it lets in while it learns how long answers take at rest.
        self.hold(gateway, "/held-1", "/held-2", "/held-3")
        self.ask(gateway, "/over")
        self.assertEqual(self.shadows(gateway, 4), {
            "/held-1": None, "/held-2": None, "/held-3": None, "/over": "adaptive_concurrency"})


class Failures(ShadowCase):
    BREAKER = {"mode": "shadow", "requests_min": 5, "open_time": "1h", "open_time_max": "1h"}

    def assert_breaker(self, gateway):
        paths = [f"/{i}" for i in range(5)]
        self.ask(gateway, *paths, status=503)
        self.ask(gateway, "/refused", status=503)
        self.ask(gateway, "/refused-too")
        self.assertEqual(self.shadows(gateway, 7), {
            **dict.fromkeys(paths), "/refused": "circuit_breaker",
            "/refused-too": "circuit_breaker"})

    def test_circuit_breaker_of_an_upstream(self):
        self.assert_breaker(self.begin(upstream={"circuit_breaker": self.BREAKER,
                                                 "retry": {"attempts": 0}}))

    def test_circuit_breaker_of_a_route(self):
        self.assert_breaker(self.begin(route={"circuit_breaker": self.BREAKER},
                                       upstream={"retry": {"attempts": 0}}))

    def test_admission(self):
        gateway = self.begin(upstream={"retry": {"attempts": 0}, "admission": {
            "mode": "shadow", "window": "1h", "requests_min": 10, "reject_percent_max": 90}})
        self.ask(gateway, *(f"/{i}" for i in range(100)), status=500)
        found = self.shadows(gateway, 100)
        self.assertEqual({found[f"/{i}"] for i in range(10)}, {None})
        name = 'hangu_upstream_admission_shadow_rejected_total{upstream="origin"}'
        counted = gateway.metrics()[name]
        self.assertGreater(counted, 30)  # of 90, of which it would refuse nine in ten
        self.assertEqual(list(found.values()).count("admission"), counted)
        self.assertEqual(list(found.values()).count(None), 100 - counted)

    def test_hedging(self):
        other = self.start_origin()
        gateway = self.begin(upstream={
            "endpoints": [self.origin.endpoint, other.endpoint],
            "hedge": {"mode": "shadow", "after": "50ms", "percent_max": 100}})
        for origin in (self.origin, other):
            origin.on("/slow", lambda exchange: (self.release.wait(20), exchange.reply(200)))
        slow = gateway.client()
        slow.send_request("GET", "/slow")
        name = 'hangu_upstream_shadow_hedges_total{upstream="origin"}'
        eventually(lambda: gateway.metrics()[name] == 1, "another one would have been asked")
        self.release.set()
        self.assertEqual(slow.read_response().status, 200)
        self.assertEqual(len(self.origin.requests) + len(other.requests), 1)
        self.assertEqual(self.shadows(gateway, 1), {"/slow": "hedge"})
        self.assertNotIn("hedge", gateway.access_log(1)["/slow"])


class Overload(ShadowCase):
    def test_memory(self):
        """More than it may have, whatever it has."""
        gateway = self.begin(
            overload={"mode": "shadow", "memory_max": "32MiB", "interval": "20ms",
                      "memory_percent": {"shed_low": 1, "shed_normal": 1, "stop": 1}},
            routes=[{"name": "app", "upstream": "origin"},
                    {"name": "health", "match": {"path": {"exact": "/health"}},
                     "priority": "high", "respond": {"status": 200}}])
        eventually(lambda: gateway.status()["overload"]["shards"][0]["step"] == "stop",
                   "it would stop")
        self.ask(gateway, "/shed", "/health")
        self.assertEqual(self.shadows(gateway, 2), {"/shed": "overload", "/health": None})


if __name__ == "__main__":
    unittest.main()
