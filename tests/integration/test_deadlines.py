"""How long a request may take is told from hop to hop, and who leaves ends the upstream's work."""

import threading
import time
import unittest

from support import http2
from support.case import GatewayCase
from support.gateway import make_config
from support.http2 import Http2Client
from support.http2_origin import Http2Origin
from support.wait import eventually

FIELD = "x-request-timeout-ms"


class Fields(GatewayCase):
    def begin(self, deadline=None, trusted=True, **route):
        self.release = threading.Event()
        self.addCleanup(self.release.set)
        self.origin = self.start_origin()
        self.origin.on("/stall", lambda exchange: self.release.wait(20))
        if deadline:
            route["deadline"] = deadline
        listener = {"trusted_proxies": ["127.0.0.0/8"]} if trusted else None
        return self.start(make_config(self.origin, workers=1, route=route, listener=listener))

    def seen(self, gateway, value=None):
        """What the origin sees of the field."""
        fields = {FIELD: value} if value else {}
        gateway.client().request("GET", "/seen", fields)
        return self.origin.requests[-1].header(FIELD)

    def test_nothing_by_default(self):
        gateway = self.begin()
        self.assertEqual(self.seen(gateway, "1234"), "1234")
        self.assertIsNone(self.seen(gateway))

    def test_what_is_left_goes_on(self):
        gateway = self.begin({"accept": True, "forward": True})
        self.assertLessEqual(int(self.seen(gateway, "5000")), 5000)
        self.assertGreater(int(self.seen(gateway, "5000")), 1000)

    def test_never_more_than_the_route_has(self):
        gateway = self.begin({"accept": True, "forward": True}, timeout="2s")
        for value in ("60000", None, "soon", "-5", "99999999999999999999"):
            self.assertLessEqual(int(self.seen(gateway, value)), 2000)

    def test_nobody_else_is_believed(self):
        gateway = self.begin({"accept": True, "forward": True}, trusted=False)
        self.assertGreater(int(self.seen(gateway, "50")), 10_000)
        gateway = self.begin({"accept": True}, trusted=False)
        self.assertIsNone(self.seen(gateway, "50"))

    def test_it_is_kept(self):
        gateway = self.begin({"accept": True})
        began = time.monotonic()
        response = gateway.client().request("GET", "/stall", {FIELD: "200"})
        self.assert_problem(response, 504, "upstream.timeout")
        self.assertGreaterEqual(time.monotonic() - began, 0.19)
        self.assertLess(time.monotonic() - began, 10)

    def test_each_try_has_less(self):
        gateway = self.begin({"forward": True})
        self.origin.stop()
        values = []

        def answer(exchange):
            values.append(int(exchange.request.header(FIELD)))
            if len(values) == 1:
                self.release.wait(0.1)
            exchange.reply(503 if len(values) == 1 else 200)

        origin = self.start_origin()
        origin.on("/", answer)
        gateway = self.start(make_config(origin, workers=1, route={"deadline": {"forward": True}},
                                         upstream={"retry": {"statuses": [503], "backoff": 0}}))
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertLessEqual(values[1], values[0] - 90)


class Grpc(GatewayCase):
    def test_what_is_left_goes_on(self):
        origin = Http2Origin()
        self.addCleanup(origin.stop)
        gateway = self.start(make_config(origin, workers=1, upstream={"protocol": "h2"}))
        fields = {"content-type": "application/grpc", "te": "trailers", "grpc-timeout": "7S"}
        with Http2Client(gateway.listener()) as client:
            client.request("POST", "/call", fields, b"")
        value = origin.requests[0].header("grpc-timeout")
        self.assertEqual(value[-1], "u")
        self.assertLess(int(value[:-1]), 7_000_000)
        self.assertGreater(int(value[:-1]), 1_000_000)


class Leaving(GatewayCase):
    """A client that leaves, of each protocol, on each way to the upstream."""

    def begin(self, origin, **upstream):
        self.addCleanup(origin.stop)
        return self.start(make_config(origin, workers=1, upstream=upstream,
                                      access_log={"path": "@FOLDER@/access.log"}))

    def leave(self, gateway, http2_client, arrived):
        if http2_client:
            with Http2Client(gateway.listener()) as client:
                stream = client.start("GET", "/stall")
                arrived()
                client.send(http2.rst_stream(stream))
                record = gateway.access_log(1)["/stall"]
        else:
            client = gateway.client()
            client.send_request("GET", "/stall")
            arrived()
            client.close()
            record = gateway.access_log(1)["/stall"]
        self.assertEqual((record["status"], record["code"]), (499, "client.closed"))
        self.assertEqual(record["failure"], "client_closed")

    def to_http1(self, http2_client):
        origin = self.start_origin()
        ended = []
        origin.on("/stall", lambda exchange: ended.append(exchange.wait_for_end()))
        gateway = self.begin(origin)
        self.leave(gateway, http2_client, lambda: origin.wait_for_requests(1))
        eventually(lambda: ended, "the connection to the upstream is closed")

    def to_http2(self, http2_client):
        origin = Http2Origin()
        origin.on("/stall", lambda exchange: None)
        gateway = self.begin(origin, protocol="h2")
        self.leave(gateway, http2_client, lambda: origin.wait_for_requests(1))
        eventually(lambda: origin.requests[0].reset == http2.CANCEL, "RST_STREAM(CANCEL)")

    def test_http1_to_http1(self):
        self.to_http1(False)

    def test_http2_to_http1(self):
        self.to_http1(True)

    def test_http1_to_http2(self):
        self.to_http2(False)

    def test_http2_to_http2(self):
        self.to_http2(True)


if __name__ == "__main__":
    unittest.main()
