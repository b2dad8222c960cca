"""Mirrored requests: what is copied, that nobody notices, and how many at once."""

import threading
import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.http2 import Http2Client
from support.http2_origin import Http2Origin
from support.wait import eventually


class MirrorCase(GatewayCase):
    def begin(self, mirror=None, next_origin=None, next_upstream=None, **route):
        self.next = next_origin or self.start_origin(name="next")
        config = make_config(self.origin, workers=1, route={
            "mirror": {"upstream": "next", **(mirror or {})}, **route})
        config["upstreams"].append({"name": "next", "endpoints": [self.next.endpoint],
                                    **(next_upstream or {})})
        return self.start(config)

    def mirrored(self, gateway, outcome):
        name = f'hangu_upstream_mirrored_{outcome}_total{{upstream="next"}}' \
            if outcome in ("answered", "failed") else \
            f'hangu_route_mirrored_total{{route="all",outcome="{outcome}"}}'
        return gateway.metrics().get(name, 0)

    def wait_for(self, gateway, outcome, count):
        eventually(lambda: self.mirrored(gateway, outcome) == count, f"{count} {outcome}")


class WhatIsCopied(MirrorCase):
    def test_head_and_body(self):
        gateway = self.begin({"body_max": "100KiB"}, request_headers={"set": {"x-set": "here"}},
                             rewrite={"prefix": "/v2"}, match={"path": {"prefix": "/v1"}})
        client = gateway.client()
        for body in (None, b"hello", b"x" * 90_000):
            response = client.request("POST", "/v1/a?b=c", {"X-Own": "1", "Host": "a.example:81"},
                                      body)
            self.assertEqual(response.status, 200)
        self.wait_for(gateway, "answered", 3)
        # Copies go their own ways: a later one may be there first.
        copies = sorted(self.next.wait_for_requests(3), key=lambda copy: copy.body_bytes)
        for request, copy in zip(self.origin.wait_for_requests(3), copies):
            self.assertEqual((copy.method, copy.target), ("POST", "/v2/a?b=c"))
            self.assertEqual((copy.body_bytes, copy.digest), (request.body_bytes, request.digest))
            for name in ("x-own", "x-set", "host", "x-request-id", "x-forwarded-for"):
                self.assertEqual(copy.header(name), request.header(name), name)
            self.assertEqual((copy.header("x-hangu-mirror"), request.header("x-hangu-mirror")),
                             ("1", None))

    def test_chunks_and_trailers(self):
        gateway = self.begin()
        client = gateway.client()
        head = client.head("POST", "/", {"Transfer-Encoding": "chunked"})
        client.send(head + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        self.assertEqual(client.read_response().status, 200)
        self.wait_for(gateway, "answered", 1)  # before the other copy goes its own way
        client.send(head + b"5\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n")
        self.assertEqual(client.read_response().status, 200)
        self.wait_for(gateway, "answered", 2)
        self.assertEqual([(copy.body, copy.header("content-length"))
                          for copy in self.next.wait_for_requests(2)],
                         [(b"hello world", "11"), (b"hello", "5")])

    def test_large_bodies_are_not(self):
        gateway = self.begin({"body_max": "1KiB"})
        client = gateway.client()
        self.assertEqual(client.request("POST", "/", {}, b"x" * 1025).status, 200)
        client.send(client.head("POST", "/", {"Transfer-Encoding": "chunked"}) +
                    b"400\r\n" + b"x" * 0x400 + b"\r\n1\r\nx\r\n0\r\n\r\n")
        self.assertEqual(client.read_response().json()["body_bytes"], 1025)
        self.assertEqual(client.request("POST", "/", {}, b"x" * 1024).status, 200)
        self.wait_for(gateway, "answered", 1)
        self.assertEqual(self.mirrored(gateway, "skipped_body"), 2)
        self.assertEqual([copy.body_bytes for copy in self.next.requests], [1024])

    def test_share(self):
        gateway = self.begin({"percent": 30, "requests_max": 1000})
        client = gateway.client()
        for _ in range(600):
            client.request("GET", "/")
        copies = self.mirrored(gateway, "sent")
        self.assertAlmostEqual(copies, 180, delta=57)  # five standard deviations
        self.wait_for(gateway, "answered", copies)

    def test_hosts(self):
        for mirror, expected in (({"host": "next.internal"}, "next.internal"),
                                 ({"host_suffix": "-next"}, "a.example-next:81")):
            gateway = self.begin(mirror)
            gateway.client().request("GET", "/", {"Host": "a.example:81"})
            self.wait_for(gateway, "answered", 1)
            self.assertEqual(self.next.requests[0].header("host"), expected)

    def test_refused_requests_are_not(self):
        gateway = self.begin(clients={"deny": ["127.0.0.0/8"]})
        self.assertEqual(gateway.client().request("GET", "/").status, 403)
        self.assertEqual(self.mirrored(gateway, "sent"), 0)

    def test_http2(self):
        origin = Http2Origin()
        self.addCleanup(origin.stop)
        gateway = self.begin(next_origin=origin, next_upstream={"protocol": "h2"})
        with Http2Client(gateway.listener()) as client:
            for count, body in enumerate((None, b"hello"), 1):
                self.assertEqual(client.request("POST", "/x", {}, body).status, 200)
                self.wait_for(gateway, "answered", count)
        self.assertEqual([(copy.header(":method"), bytes(copy.body)) for copy in origin.requests],
                         [("POST", b""), ("POST", b"hello")])


class NobodyNotices(MirrorCase):
    def test_an_upstream_that_hangs(self):
        gateway = self.begin({"requests_max": 3, "timeout": "400ms"})
        hang = threading.Event()
        self.addCleanup(hang.set)
        self.next.on("/", lambda exchange: (hang.wait(60), exchange.close()))
        client = gateway.client()
        begun = time.monotonic()
        for _ in range(20):
            self.assertEqual(client.request("GET", "/").json()["origin"], "origin")
        self.assertLess(time.monotonic() - begun, 10)
        self.assertGreaterEqual(self.mirrored(gateway, "sent"), 3)
        self.assertGreaterEqual(self.mirrored(gateway, "skipped_busy"), 1)
        eventually(lambda: self.mirrored(gateway, "failed") == self.mirrored(gateway, "sent"),
                   "they time out")

    def test_upstreams_that_fail(self):
        gateway = self.begin()
        client = gateway.client()
        for script in (lambda exchange: exchange.reset(),
                       lambda exchange: exchange.send(b"nonsense\r\n\r\n") or exchange.close()):
            self.next.on("/", script)
            failed = self.mirrored(gateway, "failed")
            self.assertEqual(client.request("POST", "/", {}, b"x").status, 200)
            self.wait_for(gateway, "failed", failed + 1)
        self.next.stop()
        self.assertEqual(client.request("POST", "/", {}, b"x").status, 200)
        self.wait_for(gateway, "failed", 3)

    def test_answers_of_any_kind_are_dropped(self):
        gateway = self.begin()
        client = gateway.client()
        self.next.on("/large", lambda exchange: exchange.reply_bytes(64 << 20))
        self.next.on("/error", lambda exchange: exchange.reply(500, {}, b"no"))
        self.next.on("/chunks", lambda exchange: exchange.reply_chunked(
            [b"x" * 1000] * 5, trailers=[("x-a", "b")]))
        for count, path in enumerate(("/large", "/error", "/chunks"), 1):
            self.assertEqual(client.request("GET", path).json()["origin"], "origin")
            self.wait_for(gateway, "answered", count)

    def test_connections_are_used_again(self):
        gateway = self.begin()
        client = gateway.client()
        for count in range(1, 6):
            client.request("GET", "/")
            self.wait_for(gateway, "answered", count)
        self.assertEqual(self.next.accepted, 1)
        self.next.close_connections()  # and a new one is made in its place
        client.request("GET", "/")
        self.wait_for(gateway, "answered", 6)

    def test_clients_that_leave(self):
        gateway = self.begin()
        client = gateway.client()
        client.send(client.head("POST", "/", {"Content-Length": "10"}) + b"12345")
        eventually(lambda: gateway.active_requests() == 1, "it is there")
        client.close()
        eventually(lambda: gateway.active_requests() == 0, "it is gone")
        self.assertEqual(self.mirrored(gateway, "sent"), 0)
        self.assertEqual(self.next.requests, [])

    def test_circuit_is_respected_and_left_alone(self):
        gateway = self.begin(next_upstream={"circuit_breaker": {"own_failures": 1}})
        self.next.on("/", lambda exchange: exchange.reset())
        client = gateway.client()
        for count in range(1, 6):
            client.request("GET", "/")
            self.wait_for(gateway, "failed", count)
        states = {each["name"]: each.get("circuit_breaker", {}).get("state")
                  for each in gateway.status()["upstreams"]}
        self.assertEqual(states["next"], "closed")

    def test_reload_and_end_with_copies_under_way(self):
        gateway = self.begin({"timeout": "1m"})
        hang = threading.Event()
        self.addCleanup(hang.set)
        self.next.on("/", lambda exchange: (hang.wait(60), exchange.close()))
        gateway.client().request("GET", "/")
        self.next.wait_for_requests(1)
        config = make_config(self.origin, workers=1)  # neither mirror nor its upstream
        self.assertEqual(gateway.reload(config).returncode, 0)
        self.assertEqual(gateway.client().request("GET", "/").status, 200)


if __name__ == "__main__":
    unittest.main()
