"""Faults made on purpose: delays and errors, how often, and whom they leave alone."""

import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.http2 import Http2Client
from support.wait import eventually


class Faults(GatewayCase):
    def begin(self, fault, upstream=None, **others):
        return self.start(make_config(self.origin, workers=1, route={"fault": fault},
                                      upstream=upstream, access_log={"path": "-"}, **others))

    def faults(self, gateway, kind):
        return gateway.metrics().get(f'hangu_route_faults_total{{route="all",fault="{kind}"}}', 0)

    def test_abort(self):
        gateway = self.begin({"abort": {"status": 503}})
        client = gateway.client()
        for body in (None, b"x" * 100_000):
            self.assert_problem_of_fault(client.request("POST", "/", {}, body))
        self.assertEqual(self.origin.requests, [])
        self.assertEqual(self.faults(gateway, "abort"), 2)
        eventually(lambda: gateway.stdout.count('"code":"fault.abort","filter":"fault"') == 2,
                   "the log says why")

    def assert_problem_of_fault(self, response):
        self.assertEqual((response.status, response.json()["code"]), (503, "fault.abort"))

    def test_share(self):
        gateway = self.begin({"abort": {"status": 500, "percent": 20}})
        client = gateway.client()
        failed = sum(client.request("GET", "/").status == 500 for _ in range(1000))
        self.assertAlmostEqual(failed, 200, delta=64)  # five standard deviations
        self.assertEqual(self.faults(gateway, "abort"), failed)

    def test_delay(self):
        gateway = self.begin({"delay": {"time": "300ms"}})
        client = gateway.client()
        for body in (None, b"x" * 300_000):
            begun = time.monotonic()
            response = client.request("POST", "/", {}, body)
            self.assertGreaterEqual(time.monotonic() - begun, 0.3)
            self.assertEqual(response.status, 200)
            self.assertEqual(response.json()["body_bytes"], len(body or b""))
        self.assertEqual(self.faults(gateway, "delay"), 2)

    def test_delay_and_then_abort(self):
        gateway = self.begin({"delay": {"time": "200ms"}, "abort": {"status": 503}})
        begun = time.monotonic()
        client = gateway.client()
        self.assert_problem_of_fault(client.request("GET", "/"))
        self.assertGreaterEqual(time.monotonic() - begun, 0.2)
        self.assertEqual(self.origin.requests, [])

    def test_so_many_wait_and_no_more(self):
        gateway = self.begin({"delay": {"time": "10m"}, "delayed_max": 2})
        waiting = [gateway.client() for _ in range(2)]
        for client in waiting:
            client.send_request("GET", "/waits")
        eventually(lambda: self.faults(gateway, "delay") == 2, "both wait")
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertEqual(self.faults(gateway, "skipped"), 1)
        waiting[0].close()  # makes room
        eventually(lambda: gateway.active_requests() == 1, "one is gone")
        with Http2Client(gateway.listener()) as client:
            client.start("GET", "/waits")
            eventually(lambda: self.faults(gateway, "delay") == 3, "another one waits")
        eventually(lambda: gateway.active_requests() == 1, "that one left, too")
        self.assertEqual(self.origin.targets(), ["/"])

    def test_shadow_and_off(self):
        for mode, count in (("shadow", 3), ("off", 0)):
            gateway = self.begin({"abort": {"status": 503}, "mode": mode})
            client = gateway.client()
            for _ in range(3):
                self.assertEqual(client.request("GET", "/").status, 200)
            self.assertEqual(self.faults(gateway, "shadow"), count)
            eventually(lambda: gateway.stdout.count("\n") == 3, "it is logged")
            self.assertEqual(gateway.stdout.count('"shadow":"fault"'), count)

    def test_upstreams_are_not_blamed(self):
        gateway = self.begin({"abort": {"status": 503}},
                             {"circuit_breaker": {"own_failures": 1, "requests_min": 1},
                              "ejection": {"failures": 1}})
        client = gateway.client()
        for _ in range(20):
            self.assertEqual(client.request("GET", "/").status, 503)
        upstream = gateway.status()["upstreams"][0]
        self.assertEqual(upstream["circuit_breaker"]["state"], "closed")
        self.assertEqual(gateway.metrics()['hangu_upstream_requests_total{upstream="origin"}'], 0)

    def test_grpc(self):
        gateway = self.begin({"abort": {"status": 503, "grpc_status": 8}})
        with Http2Client(gateway.listener()) as client:
            response = client.request("POST", "/a.B/C", {"content-type": "application/grpc",
                                                         "te": "trailers"}, b"\0\0\0\0\0")
            self.assertEqual(response.status, 200)
            self.assertEqual(response.header("grpc-status"), "8")
            self.assertEqual(client.request("GET", "/").status, 503)


if __name__ == "__main__":
    unittest.main()
