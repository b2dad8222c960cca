"""`mode: shadow`: nothing changes for clients, and what would have been decided is logged and
counted. What each policy has of it beside others is in the test of the policy."""

import socket
import threading
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually

LOG = {"path": "@FOLDER@/access.log"}
OTHER = "https://evil.example"


class Shadow(GatewayCase):
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


class Upstream(GatewayCase):
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
