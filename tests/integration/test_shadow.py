"""`mode: shadow`: nothing changes for clients; the access log names what would have refused, and
only then."""

import socket
import threading
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually

LOG = {"path": "@FOLDER@/access.log"}
OTHER = "https://evil.example"


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


class Modes(GatewayCase):
    def shadow(self, gateway, count=1, target="/"):
        return gateway.access_log(count)[target].get("shadow")

    def refused(self, gateway, policy):
        return gateway.metrics().get(
            f'hangu_route_shadow_refused_total{{route="all",policy="{policy}"}}', 0)

    def test_clients(self):
        for mode, status, shadow in (("enforce", 403, None), ("shadow", 200, "clients"),
                                     ("off", 200, None)):
            gateway = self.start(make_config(
                self.origin, access_log=LOG,
                route={"clients": {"deny": ["127.0.0.0/8"], "mode": mode}}))
            self.assertEqual(gateway.client().request("GET", "/").status, status)
            self.assertEqual(self.shadow(gateway), shadow)
            self.assertEqual(self.refused(gateway, "clients"), 1 if shadow else 0)

    def test_cors(self):
        for mode, statuses, shadow in (("enforce", [403, 403], None),
                                       ("shadow", [200, 200], "cors"), ("off", [200, 200], None)):
            gateway = self.start(make_config(
                self.origin, access_log=LOG, workers=1,
                route={"cors": {"origins": ["https://app.example"], "refuse_others": True,
                                "mode": mode}}))
            client = gateway.client()
            answers = [client.request("GET", "/", {"Origin": OTHER}),
                       client.request("OPTIONS", "/", {"Origin": OTHER,
                                                       "Access-Control-Request-Method": "PUT"})]
            self.assertEqual([answer.status for answer in answers], statuses)
            self.assertEqual(self.shadow(gateway, 2), shadow)
            self.assertEqual(self.refused(gateway, "cors"), 2 if shadow else 0)
            # Of a page that may read it, too: it is not marked unless that is in force.
            marked = client.request("GET", "/", {"Origin": "https://app.example"})
            self.assertEqual(marked.header("access-control-allow-origin") is not None,
                             mode == "enforce")

    def test_bandwidth(self):
        self.origin.on("/large", lambda exchange: exchange.reply(200, body=b"x" * 300_000))
        gateway = self.start(make_config(
            self.origin, access_log=LOG, workers=1,
            bandwidth_limits=[{"name": "pace", "key": ["route"], "burst": 65536,
                               "response": "64KiB", "mode": "shadow"}],
            route={"bandwidth_limits": ["pace"]}))
        self.assertEqual(gateway.client().request("GET", "/large").status, 200)
        self.assertEqual(self.shadow(gateway, target="/large"), "pace")

    def test_several_of_one_request(self):
        limits = [{"name": name, "rate": "1/h", "burst": 1, "key": ["route"], "mode": "shadow"}
                  for name in ("first", "second")]
        gateway = self.start(make_config(
            self.origin, access_log=LOG, workers=1, rate_limits=limits,
            route={"rate_limits": ["first", "second"],
                   "clients": {"allow": ["192.0.2.1"], "mode": "shadow"}}))
        client = gateway.client()
        self.assertEqual(client.request("GET", "/one").status, 200)
        self.assertEqual(client.request("GET", "/two").status, 200)
        self.assertEqual(self.shadow(gateway, 2, "/one"), "clients")
        self.assertEqual(self.shadow(gateway, 2, "/two"), "clients,first,second")


class UpstreamLimits(GatewayCase):
    def overflows(self, gateway):
        return gateway.metrics()['hangu_upstream_shadow_overflows_total{upstream="origin"}']

    def test_connections(self):
        release, arrived = threading.Event(), threading.Semaphore(0)
        self.addCleanup(release.set)
        origin = self.start_origin()
        for path in ("/one", "/two"):
            origin.on(path, lambda exchange: (arrived.release(), release.wait(60),
                                              exchange.reply(200)))
        gateway = self.start(make_config(
            origin, access_log=LOG, workers=1,
            upstream={"limits": {"connections_max": 1, "mode": "shadow"}}))
        threads = []
        for path in ("/one", "/two"):
            threads.append(threading.Thread(target=gateway.client().request, args=("GET", path)))
            threads[-1].start()
            self.assertTrue(arrived.acquire(timeout=60))
        release.set()
        for thread in threads:
            thread.join(60)
        log = gateway.access_log(2)
        self.assertIsNone(log["/one"].get("shadow"))
        self.assertEqual(log["/two"]["shadow"], "upstream_limits")
        self.assertEqual(self.overflows(gateway), 1)

    def test_those_who_wait_for_a_connection(self):
        silent = socket.create_server(("127.0.0.1", 0))  # no handshake ever ends
        self.addCleanup(silent.close)
        gateway = self.start(make_config(
            self.origin, access_log=LOG, workers=1,
            upstream={"endpoints": [f"127.0.0.1:{silent.getsockname()[1]}"], "tls": {},
                      "timeouts": {"connect": "2s"}, "retry": {"attempts": 0},
                      "limits": {"pending_max": 1, "mode": "shadow"}}))
        silent.settimeout(60)
        first, second = gateway.client(), gateway.client()
        first.send_request("GET", "/one")
        self.addCleanup(silent.accept()[0].close)  # the first waits
        second.send_request("GET", "/two")
        eventually(lambda: self.overflows(gateway) == 1, "it is counted")
        self.assertIn(first.read_response().status, (502, 503))
        self.assertIn(second.read_response().status, (502, 503))
        log = gateway.access_log(2)
        self.assertIsNone(log["/one"].get("shadow"))
        self.assertEqual(log["/two"]["shadow"], "upstream_limits")


if __name__ == "__main__":
    unittest.main()
