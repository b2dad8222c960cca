"""How breakers, ejection and hedging go together, and what of a gRPC call counts as a failure."""

import threading
import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.http2 import Http2Client
from support.http2_origin import Http2Origin
from support.wait import eventually

CALL = (("content-type", "application/grpc"), ("te", "trailers"))


class HalfOpen(GatewayCase):
    def test_the_only_request_is_not_hedged(self):
        """A half-open breaker lets one request through, and that asks one endpoint."""
        release, asked = threading.Event(), []
        self.addCleanup(release.set)
        origins = [self.start_origin(name=f"o{i}") for i in range(2)]
        for origin in origins:
            origin.on("/", lambda exchange: exchange.reply(503))
        gateway = self.start(make_config(
            origins[0], workers=1, upstream={
                "endpoints": [origin.endpoint for origin in origins],
                "circuit_breaker": {"requests_min": 5, "open_time": "1s", "open_time_max": "1s"},
                "ejection": {"mode": "off"}, "retry": {"attempts": 0},
                "hedge": {"after": "20ms", "percent_max": 100}}))

        def get():
            return gateway.client().request("GET", "/").status

        def state():
            return gateway.status()["upstreams"][0]["circuit_breaker"]["state"]

        for _ in range(6):
            get()
        self.assertEqual(state(), "open")
        for origin in origins:
            origin.on("/", lambda exchange: (asked.append(exchange), release.wait(60),
                                             exchange.reply(200)))
        statuses = []

        def probe():
            while not asked:
                statuses.append(get())

        thread = threading.Thread(target=probe)
        thread.start()
        eventually(lambda: asked, "the probe is under way")
        threading.Event().wait(0.5)  # much longer than it takes to hedge
        self.assertEqual(len(asked), 1)
        self.assertEqual(get(), 503)
        release.set()
        thread.join(60)
        self.assertEqual(statuses[-1], 200)
        # Later requests are hedged again once it is closed.
        for _ in range(6):
            self.assertEqual(get(), 200)
        self.assertEqual(state(), "closed")
        release.clear()
        asked.clear()
        threads = [threading.Thread(target=get)]
        threads[0].start()
        eventually(lambda: len(asked) == 2, "both are asked")
        release.set()
        threads[0].join(60)


class LastInService(GatewayCase):
    def test_is_not_ejected(self):
        """Of two one is in maintenance: the other is the last, however badly it does."""
        origins = [self.start_origin(name=f"o{i}") for i in range(2)]
        gateway = self.start(make_config(origins[0], workers=1, upstream={
            "endpoints": [origin.endpoint for origin in origins],
            "ejection": {"failures": 2, "time": "1h", "time_max": "1h"},
            "load_balancing": {"panic_percent": 0}, "retry": {"attempts": 0}}))
        for order in ("maint", "drain"):
            done = run_hangu("upstream", order, "origin", origins[0].endpoint, "--socket",
                             gateway.socket)
            self.assertEqual(done.returncode, 0, done.stderr)
            origins[1].on("/", lambda exchange: exchange.reply(500))
            for _ in range(10):
                self.assertEqual(gateway.client().request("GET", "/").status, 500)
            origins[1].on("/", lambda exchange: exchange.reply(200))
            self.assertEqual(gateway.client().request("GET", "/").status, 200)
        ready = run_hangu("upstream", "ready", "origin", origins[0].endpoint, "--socket",
                          gateway.socket)
        self.assertEqual(ready.returncode, 0, ready.stderr)
        origins[1].on("/", lambda exchange: exchange.reply(500))
        for _ in range(10):
            gateway.client().request("GET", "/")
        self.assertEqual({gateway.client().request("GET", "/").status for _ in range(6)}, {200})


class Grpc(GatewayCase):
    def begin(self, status, upstream, count=1):
        self.origins = []
        for _ in range(count):
            origin = Http2Origin()
            self.addCleanup(origin.stop)
            self.origins.append(origin)
        self.origins[0].on("/s/m", lambda exchange: exchange.head(
            200, [("content-type", "application/grpc"), ("grpc-status", str(status))], end=True))
        for origin in self.origins[1:]:
            origin.on("/s/m", lambda exchange: exchange.head(
                200, [("content-type", "application/grpc"), ("grpc-status", "0")], end=True))
        gateway = self.start(make_config(self.origin, workers=1, upstream={
            "endpoints": [origin.endpoint for origin in self.origins], "protocol": "h2",
            "retry": {"attempts": 0}, **upstream}))
        client = Http2Client(gateway.listener())
        self.addCleanup(client.close)
        return gateway, client

    def statuses(self, client, count):
        return [client.request("POST", "/s/m", CALL).header("grpc-status")
                for _ in range(count)]

    def test_breaker(self):
        # UNKNOWN, INTERNAL, UNAVAILABLE, DATA_LOSS; what the caller did wrong or wanted too soon.
        for status, opens in ((2, True), (13, True), (14, True), (15, True), (4, False), (3, False),
                              (5, False), (7, False), (8, False), (12, False), (16, False)):
            with self.subTest(status=status):
                gateway, client = self.begin(status, {
                    "circuit_breaker": {"requests_min": 5}, "ejection": {"mode": "off"}})
                self.assertEqual(self.statuses(client, 5), [str(status)] * 5)
                state = gateway.status()["upstreams"][0]["circuit_breaker"]["state"]
                self.assertEqual(state, "open" if opens else "closed")
                if opens:  # which is UNAVAILABLE, with the time to come back
                    refused = client.request("POST", "/s/m", CALL)
                    self.assertEqual(refused.header("grpc-status"), "14")
                    self.assertEqual(refused.header("x-hangu-code"), "upstream.circuit_open")
                    self.assertGreater(int(refused.header("grpc-retry-pushback-ms")), 20_000)

    def test_ejection(self):
        gateway, client = self.begin(14, {"ejection": {"failures": 3, "time": "1h",
                                                       "time_max": "1h"}}, count=2)
        statuses = self.statuses(client, 20)
        self.assertEqual(statuses.count("14"), 3)
        self.assertEqual(statuses[-10:], ["0"] * 10)
        self.assertEqual(gateway.metrics()['hangu_upstream_ejections_total{upstream="origin"}'], 1)


class Pages(GatewayCase):
    def test_problems_are_pages_for_browsers_only(self):
        gateway = self.start(make_config(self.origin, route={
            "match": {"path": {"prefix": "/known"}}, "clients": {"deny": ["127.0.0.1"]}}))
        client = gateway.client()
        browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        page = client.request("GET", "/<b>", browser)
        self.assertEqual(page.status, 404)
        self.assertEqual(page.header("content-type"), "text/html; charset=utf-8")
        self.assertIn(b"<h1>404 Not Found</h1>", page.body)
        self.assertIn(page.header("x-request-id").encode(), page.body)
        self.assertIn(b"route.none", page.body)
        denied = client.request("GET", "/known", browser)
        self.assertEqual((denied.status, b"client.denied" in denied.body), (403, True))
        for accept in ("*/*", "application/json", "application/json, text/html", "text/html"):
            self.assert_problem(client.request("GET", "/x", {"Accept": accept}), 404, "route.none")


class Grpc429(GatewayCase):
    def test_says_when_to_come_back(self):
        gateway = self.start(make_config(
            self.origin, workers=1, route={"rate_limits": ["calls"]},
            rate_limits=[{"name": "calls", "rate": "1/m", "burst": 1, "key": ["route"]}]))
        client = Http2Client(gateway.listener())
        self.addCleanup(client.close)
        client.request("GET", "/")
        response = client.request("POST", "/s/m", CALL)
        self.assertEqual((response.status, response.header("grpc-status")), (200, "8"))
        pushback = int(response.header("grpc-retry-pushback-ms"))
        self.assertLessEqual(pushback, 60_000)
        self.assertGreater(pushback, 30_000)
        self.assertEqual(response.header("ratelimit-policy"), '"calls";q=1;w=60')
        self.assertTrue(response.header("ratelimit").startswith('"calls";r=0;t='))


if __name__ == "__main__":
    unittest.main()
