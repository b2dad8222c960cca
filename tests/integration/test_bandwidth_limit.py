"""Bandwidth limits: how fast bodies pass, in both directions and protocols, and who shares a
rate."""

import hashlib
import json
import threading
import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config, sanitized
from support.http2 import Http2Client
from support.http2_origin import Http2Origin
from support.origin import BLOCK
from support.wait import eventually, run_threads
from support.websocket import WebSocket, echo_script

MIB = 1024 * 1024
BURST = 64 * 1024
# A transfer may end a tenth early. How late it ends is the machine's as well: on two busy cores
# a rate of half of what is set must still be told from one that is met. That one is late each
# time, the machine is not.
EARLY = 0.1
LATE = 0.5
TRIES = 3


class BandwidthCase(GatewayCase):
    def setUp(self):
        super().setUp()
        self.origin.on("/large", lambda exchange: exchange.reply_bytes(self.size))
        self.size = 2 * MIB

    def begin(self, workers=1, route=None, listener=None, **limit):
        limit = {"name": "pace", "key": ["route"], "burst": BURST, **limit}
        return self.start(make_config(
            self.origin, workers=workers, listener=listener, bandwidth_limits=[limit],
            route={"bandwidth_limits": ["pace"], "body_max": 0, **(route or {})}))

    def timed(self, work):
        began = time.monotonic()
        work()
        return time.monotonic() - began

    def assert_takes(self, work, size, rate):
        """It moves so many bytes at that rate; a try that is only late is repeated. Returns how
        many there were."""
        expected = (size - BURST) / rate
        latest = expected * (1 + (1 if sanitized() else 0) + LATE) + 0.2
        for tries in range(1, TRIES + 1):
            seconds = self.timed(work)
            self.assertGreater(seconds, expected * (1 - EARLY))
            if seconds < latest:
                return tries
            threading.Event().wait(BURST / rate)  # until the bucket is full again
        self.fail(f"{seconds} s, the last of {TRIES} times; at the latest it is {latest}")

    def download(self, gateway, target="/large"):
        digest = hashlib.sha256()
        response = gateway.client().request("GET", target, sink=digest.update)
        self.assertEqual(response.status, 200)
        self.assertEqual(response.body_bytes, self.size)
        expected = hashlib.sha256((BLOCK * (self.size // len(BLOCK) + 1))[:self.size])
        self.assertEqual(digest.hexdigest(), expected.hexdigest())


class Pace(BandwidthCase):
    def test_responses(self):
        gateway = self.begin(response="2MiB")
        tries = self.assert_takes(lambda: self.download(gateway), self.size, 2 * MIB)
        metrics = gateway.metrics()
        name = 'hangu_bandwidth_limit_{}_total{{bandwidth_limit="pace",direction="response"}}'
        self.assertEqual(metrics[name.format("bytes")], self.size * tries)
        self.assertGreater(metrics[name.format("pauses")], 10 * tries)
        # A timer for each turn, no busy loop.
        self.assertLess(metrics[name.format("pauses")], 400 * tries)

    def test_requests(self):
        gateway = self.begin(request="2MiB")
        body = (BLOCK * 8)[:self.size]
        for framing in ("length", "chunked"):
            with self.subTest(framing):
                client = gateway.client()
                before = len(self.origin.requests)
                if framing == "length":
                    self.assert_takes(lambda: self.assertEqual(
                        client.request("POST", "/", {}, body).status, 200), self.size, 2 * MIB)
                else:
                    client.send(client.head("POST", "/", {"Transfer-Encoding": "chunked"}))
                    client.send(b"".join(b"%x\r\n%s\r\n" % (50_000, body[:50_000])
                                         for _ in range(10)) + b"0\r\nx-end: 1\r\n\r\n")
                    self.assertEqual(client.read_response().json()["body_bytes"], 500_000)
                seen = self.origin.requests[before]
                if framing == "length":
                    self.assertEqual(seen.digest, hashlib.sha256(body).hexdigest())
                else:
                    self.assertEqual(seen.trailers, [("x-end", "1")])

    def test_a_chunked_response_with_trailers(self):
        self.origin.on("/chunked", lambda exchange: exchange.reply_chunked(
            [BLOCK] * 3, trailers=[("x-end", "1")]))
        gateway = self.begin(response="1MiB")
        self.assert_takes(lambda: self.check_chunked(gateway), 3 * len(BLOCK), MIB)

    def check_chunked(self, gateway):
        response = gateway.client().request("GET", "/chunked")
        self.assertEqual(response.body, BLOCK * 3)
        self.assertEqual(response.trailers, [("x-end", "1")])

    def test_http2(self):
        gateway = self.begin(response="2MiB", request="2MiB")
        client = Http2Client(gateway.listener(), window=8 * MIB)
        self.addCleanup(client.close)
        responses = []
        self.assert_takes(lambda: responses.append(client.request("GET", "/large")),
                          self.size, 2 * MIB)
        self.assertEqual({len(response.body) for response in responses}, {self.size})

    def test_http2_requests(self):
        gateway = self.begin(request="160KiB")
        client = Http2Client(gateway.listener())
        self.addCleanup(client.close)
        body = BLOCK[:224 * 1024]  # within the stream's window
        responses = []
        self.assert_takes(lambda: responses.append(client.request("POST", "/", body=body)),
                          len(body), 160 * 1024)
        self.assertEqual({json.loads(response.body)["digest"] for response in responses},
                         {hashlib.sha256(body).hexdigest()})

    def test_http2_upstream(self):
        """A body and its trailers, in order, although all of it is there at once."""
        origin = Http2Origin()
        self.addCleanup(origin.stop)

        def script(exchange):
            exchange.head(200, [("te", "trailers")])
            for _ in range(12):
                exchange.data(BLOCK[:16384])
            exchange.trailers([("x-end", "1")])

        origin.on("/trailers", script)
        gateway = self.start(make_config(
            origin, workers=1, upstream={"protocol": "h2"},
            bandwidth_limits=[{"name": "pace", "key": ["route"], "response": "160KiB",
                               "burst": BURST}], route={"bandwidth_limits": ["pace"]}))
        responses = []
        self.assert_takes(lambda: responses.append(
            gateway.client().request("GET", "/trailers", {"TE": "trailers"})),
            12 * 16384, 160 * 1024)
        for response in responses:
            self.assertEqual(response.body, BLOCK[:16384] * 12)
            self.assertEqual(response.trailers, [("x-end", "1")])

    def test_tunnels(self):
        self.origin.on("/ws", echo_script)
        gateway = self.begin(response="1MiB")
        websocket = WebSocket(gateway.client())
        self.assertEqual(websocket.open("/ws").status, 101)
        payload = BLOCK * 3
        self.assert_takes(lambda: self.assertEqual(websocket.echo(payload), payload),
                          len(payload), MIB)


class Sharing(BandwidthCase):
    def test_a_key_shares_a_rate_on_all_workers(self):
        self.size = MIB // 2
        gateway = self.begin(response="2MiB", workers=2)
        self.assert_takes(lambda: run_threads(6, lambda _: self.download(gateway)),
                          6 * self.size, 2 * MIB)

    def test_keys_do_not_share(self):
        self.size = MIB
        gateway = self.begin(response="1MiB", key=["header:x"], workers=2)

        def fetch(index):
            response = gateway.client().request("GET", "/large", {"x": str(index)})
            self.assertEqual(response.body_bytes, self.size)

        self.assert_takes(lambda: run_threads(3, fetch), self.size, MIB)

    def test_streams_do_not_share(self):
        self.size = MIB
        gateway = self.begin(response="1MiB", scope="stream", workers=2)
        self.assert_takes(lambda: run_threads(3, lambda _: self.download(gateway)),
                          self.size, MIB)

    def test_the_slowest_limit_decides(self):
        self.size = MIB
        gateway = self.start(make_config(
            self.origin, workers=1,
            bandwidth_limits=[{"name": "fast", "key": ["route"], "response": "50MiB"},
                              {"name": "pace", "scope": "stream", "response": "1MiB",
                               "burst": BURST}],
            route={"bandwidth_limits": ["fast", "pace"]}))
        self.assert_takes(lambda: self.download(gateway), self.size, MIB)

    def test_exempt_and_modes(self):
        self.size = 8 * MIB
        for options in ({"exempt": ["127.0.0.0/8"]}, {"mode": "shadow"}, {"mode": "off"}):
            with self.subTest(options):
                gateway = self.begin(response="1MiB", **options)
                self.assertLess(self.timed(lambda: self.download(gateway)), 5)
                pauses = gateway.metrics().get(
                    'hangu_bandwidth_limit_shadow_pauses_total{bandwidth_limit="pace"}', 0)
                self.assertEqual(pauses > 0, options.get("mode") == "shadow")


class Ends(BandwidthCase):
    def test_a_client_that_leaves_meanwhile(self):
        gateway = self.begin(response="1MiB", request="1MiB")
        for method, target in (("GET", "/large"), ("POST", "/")):
            with self.subTest(method):
                client = gateway.client()
                if method == "GET":
                    client.send_request("GET", target)
                    client.read_head()
                else:
                    client.send(client.head("POST", target, {"Content-Length": str(4 * MIB)}))
                    client.send(BLOCK)
                    self.origin.wait_for_requests(2, complete=False)
                client.close()
                eventually(lambda: gateway.active_requests() == 0, "the stream has ended")
                self.assertEqual(gateway.client().request("GET", "/").status, 200)

    def test_an_upstream_that_breaks_off(self):
        def cut(exchange):
            exchange.head(200, [("Content-Length", str(2 * MIB))])
            exchange.send(BLOCK)
            exchange.reset()

        self.origin.on("/cut", cut)
        gateway = self.begin(response="1MiB")
        client = gateway.client()
        client.send_request("GET", "/cut")
        self.assertEqual(client.read_head().status, 200)
        client.end()
        eventually(lambda: gateway.active_requests() == 0, "the stream has ended")


if __name__ == "__main__":
    unittest.main()
