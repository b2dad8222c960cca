"""HTTP/2 towards upstreams (h2c with prior knowledge), from clients of both versions."""

import json
import socket
import threading
import unittest

from support import http2
from support.gateway import make_config
from support.http2_origin import Http2Origin
from support.wait import eventually, run_threads
from support.websocket import WebSocket, format_frame
from test_http2 import Http2Case


class UpstreamCase(Http2Case):
    upstream = {}

    @classmethod
    def make_origin(cls):
        return Http2Origin()

    @classmethod
    def config(cls, origin):
        return make_config(origin, workers=1, upstream={"protocol": "h2", **cls.upstream},
                           route={"timeout": "10s", "body_max": "1GiB"})

    def begin(self, origin, **upstream):
        return self.start(make_config(origin, workers=1, upstream={"protocol": "h2", **upstream}))

    def http2_origin(self, **options):
        origin = Http2Origin(**options)
        self.addCleanup(origin.stop)
        return origin


class Messages(UpstreamCase):
    def test_from_http1(self):
        response = self.ask("POST", "/a?b", {"X-One": "1", "Connection": "X-Two", "X-Two": "2"},
                            b"body")
        seen = response.json()
        fields = dict(seen["fields"])
        self.assertEqual([fields[name] for name in (":method", ":path", ":authority", ":scheme")],
                         ["POST", "/a?b", "test.example", "http"])
        self.assertEqual((fields["x-one"], fields["content-length"]), ("1", "4"))
        self.assertEqual(seen["body"], "body")
        for name in ("x-two", "connection", "host", "transfer-encoding"):
            self.assertNotIn(name, fields)

    def test_from_http2(self):
        response = self.h2().request("POST", "/x", (), b"body")
        seen = json.loads(response.body)
        self.assertEqual((seen["body"], dict(seen["fields"])[":path"]), ("body", "/x"))

    def test_many_share_a_connection(self):
        go = threading.Event()
        self.addCleanup(go.set)
        self.origin.on("/held", lambda exchange: (go.wait(20), exchange.reply(200)))
        self.ask("GET", "/")
        client = self.h2()
        streams = [client.start("GET", "/held") for _ in range(50)]
        self.origin.wait_for_requests(51)
        self.assertEqual(len({request.connection for request in self.origin.requests[1:]}), 1)
        go.set()
        for stream in streams:
            self.assertEqual(client.response(stream).status, 200)

    def test_trailers(self):
        def script(exchange):
            exchange.head(200)
            exchange.data(b"x")
            exchange.trailers([("x-sum", "1")])
        self.origin.on("/trailers", script)
        response = self.ask("GET", "/trailers", {"TE": "trailers"})
        self.assertEqual((response.body, [(n.lower(), v) for n, v in response.trailers]),
                         (b"x", [("x-sum", "1")]))
        client = self.h2()
        stream = client.start("POST", "/echo", end=False)
        client.send_data(stream, b"hello")
        client.send(client.headers([("x-check", "5")], stream=stream)[1])
        response = client.response(stream)
        self.assertEqual(response.status, 200, bytes(response.body))
        seen = json.loads(response.body)
        self.assertEqual(seen["trailers"], [["x-check", "5"]])

    def test_informational_and_head(self):
        def script(exchange):
            exchange.head(103, [("link", "</x>")])
            exchange.reply(200, body=b"x")
        self.origin.on("/hints", script)
        self.origin.on("/head", lambda exchange: exchange.head(
            200, [("content-length", "100")], end=True))
        response = self.ask("GET", "/hints")
        self.assertEqual([r.status for r in response.informational], [103])
        response = self.ask("HEAD", "/head")
        self.assertEqual((response.status, response.header("content-length")), (200, "100"))

    def test_early_response(self):
        """The answer before the request's end: the rest is not sent any more."""
        self.origin.on("/early", lambda exchange: exchange.reply(403, body=b"no"), at_once=True)
        client = self.h2()
        stream = client.start("POST", "/early", end=False)
        self.assertEqual(bytes(client.response(stream).body), b"no")
        eventually(lambda: self.origin.requests[0].reset is not None, "the stream is reset")

    def test_slow_upstream_holds_back(self):
        origin = self.http2_origin()
        origin.hold_credit = True
        origin.on("/slow", lambda exchange: None, at_once=True)
        client = self.start(make_config(origin, upstream={"protocol": "h2"},
                                        route={"body_max": "1GiB"})).client()
        client.send(client.head("POST", "/slow", {"Content-Length": "40000000"}))
        client.wire.socket.settimeout(1)
        sent = 0
        try:
            while sent < 40_000_000:
                sent += client.wire.socket.send(bytes(65536))
        except TimeoutError:
            pass
        self.assertLess(sent, 40_000_000)
        self.assertLessEqual(len(origin.requests[0].body), 65535)

    def test_malformed_responses(self):
        def bad(*fields):
            return lambda exchange: exchange.server.send_block(exchange.request.stream, fields,
                                                               True)
        self.origin.on("/none", bad(("x", "1")))
        self.origin.on("/status", bad((":status", "abc")))
        self.origin.on("/101", bad((":status", "101")))
        self.origin.on("/upper", bad((":status", "200"), ("X-Upper", "1")))
        self.origin.on("/split", bad((":status", "200"), ("x", "a\r\nb: c")))
        self.origin.on("/connection", bad((":status", "200"), ("connection", "close")))
        self.origin.on("/length", bad((":status", "200"), ("content-length", "5")))
        for path in ("/none", "/status", "/101", "/upper", "/split", "/connection", "/length"):
            with self.subTest(path):
                self.assert_problem(self.ask("GET", path), 502, "upstream.protocol")
        self.assertEqual(self.ask("GET", "/").status, 200)

    def test_reset_in_the_middle(self):
        def script(exchange):
            exchange.head(200, [("content-length", "10")])
            exchange.data(b"part")
            exchange.reset(http2.INTERNAL_ERROR)
        self.origin.on("/part", script)
        self.assertEqual(self.h2().request("GET", "/part").reset, http2.INTERNAL_ERROR)
        self.origin.on("/at-once", lambda exchange: exchange.reset(http2.INTERNAL_ERROR))
        self.assert_problem(self.ask("GET", "/at-once"), 502, "upstream.reset")

    def test_client_gone(self):
        self.origin.on("/wait", lambda exchange: None)
        client = self.client()
        client.send_request("GET", "/wait")
        request = self.origin.wait_for_requests(1)[0]
        client.close()
        eventually(lambda: request.reset == http2.CANCEL, "RST_STREAM(CANCEL)")
        self.assertEqual(self.ask("GET", "/").status, 200)


class Replays(UpstreamCase):
    def test_refused_stream(self):
        """Not processed, whatever the method: sent again."""
        seen = []

        def script(exchange):
            seen.append(1)
            if len(seen) == 1:
                exchange.reset(http2.REFUSED_STREAM)
            else:
                exchange.reply(200, body=b"second")
        self.origin.on("/refused", script)
        self.assertEqual(self.ask("POST", "/refused").body, b"second")

    def test_goaway(self):
        """Streams above the last one are sent again on another connection; those below end."""
        held = threading.Event()
        self.addCleanup(held.set)
        first = []

        def script(exchange):
            first.append(exchange)
            if len(first) == 2:
                exchange.server.goaway(first[0].request.stream)
            elif len(first) == 1:
                held.wait(20)
                exchange.reply(200, body=b"first")
            else:
                exchange.reply(200, body=b"again")
        self.origin.on("/goaway", script)
        self.ask("GET", "/")
        client = self.h2()
        one = client.start("POST", "/goaway", {"content-length": "0"})
        eventually(lambda: len(first) == 1, "the first request")
        two = client.start("POST", "/goaway", {"content-length": "0"})
        self.assertEqual(bytes(client.response(two).body), b"again")
        held.set()
        self.assertEqual(bytes(client.response(one).body), b"first")
        self.assertNotEqual(first[2].request.connection, first[0].request.connection)

    def test_connection_lost(self):
        """An idempotent request goes out again, another does not."""
        self.ask("GET", "/")
        lost = []

        def script(exchange):
            lost.append(1)
            if len(lost) == 1:
                exchange.server.socket.shutdown(socket.SHUT_RDWR)
            else:
                exchange.reply(200, body=b"again")
        self.origin.on("/lost", script)
        self.assertEqual(self.ask("GET", "/lost").body, b"again")
        lost.clear()
        self.assertEqual(self.ask("GET", "/").status, 200)
        self.assert_problem(self.ask("POST", "/lost"), 502, "upstream.reset")


class Connections(UpstreamCase):
    def test_peer_limit(self):
        """MAX_CONCURRENT_STREAMS is kept; more requests get more connections."""
        origin = self.http2_origin(settings={http2.MAX_CONCURRENT_STREAMS: 2})
        go = threading.Event()
        self.addCleanup(go.set)
        origin.on("/held", lambda exchange: (go.wait(20), exchange.reply(200)))
        client = self.h2(self.begin(origin))
        streams = [client.start("GET", "/held") for _ in range(7)]
        origin.wait_for_requests(7)
        loads = [request.connection for request in origin.requests]
        self.assertLessEqual(max(loads.count(number) for number in loads), 2)
        go.set()
        for stream in streams:
            self.assertEqual(client.response(stream).status, 200)

    def test_no_settings(self):
        gateway = self.begin(self.http2_origin(settings=None), timeouts={"connect": "300ms"})
        self.assert_h2_problem(self.h2(gateway).request("GET", "/"), 503, "upstream.connect")

    def test_not_http2(self):
        origin = self.start_origin()
        gateway = self.begin(origin, timeouts={"connect": "1s"})
        self.assert_h2_problem(self.h2(gateway).request("GET", "/"), 503, "upstream.connect")

    def test_nobody_listens(self):
        origin = self.http2_origin()
        gateway = self.begin(origin)
        origin.stop()
        self.assert_h2_problem(self.h2(gateway).request("GET", "/"), 503, "upstream.connect")

    def test_idle_and_age(self):
        origin = self.http2_origin()
        gateway = self.begin(origin, timeouts={"idle": "300ms"})
        client = self.h2(gateway)
        self.assertEqual(client.request("GET", "/").status, 200)
        eventually(lambda: origin.connections[0].goaways, "GOAWAY when idle")
        self.assertEqual(client.request("GET", "/").status, 200)
        self.assertEqual(len(origin.connections), 2)
        origin = self.http2_origin()
        client = self.h2(self.begin(origin, pool={"requests_per_connection": 2}))
        for _ in range(5):
            self.assertEqual(client.request("GET", "/").status, 200)
        self.assertEqual([r.connection for r in origin.requests], [0, 0, 1, 1, 2])

    def test_ping(self):
        origin = self.http2_origin(answer_pings=False)
        origin.on("/wait", lambda exchange: None)
        gateway = self.begin(origin, http2={"ping_interval": "200ms", "ping_timeout": "200ms"})
        response = self.h2(gateway).request("GET", "/wait")
        self.assert_h2_problem(response, 502, "upstream.reset")
        self.assertGreater(origin.connections[0].pings, 0)

    def test_burst_at_the_start(self):
        origin = self.http2_origin(settings={http2.MAX_CONCURRENT_STREAMS: 100})
        gateway = self.begin(origin)

        def work(_):
            with gateway.client() as client:
                for _ in range(20):
                    self.assertEqual(client.request("GET", "/").status, 200)
        run_threads(16, work)
        self.assertLessEqual(len(origin.connections), 2)


class WebSockets(UpstreamCase):
    """RFC 8441 towards the upstream, from both kinds of client."""

    @classmethod
    def make_origin(cls):
        return Http2Origin(settings={http2.ENABLE_CONNECT_PROTOCOL: 1})

    def setUp(self):
        super().setUp()

        def script(exchange):
            exchange.head(200)
            request = exchange.request
            sent = 0
            while not request.complete:
                eventually(lambda: len(request.body) > sent or request.complete or
                           request.reset is not None, "bytes of the tunnel")
                if request.reset is not None:
                    return
                piece, sent = request.body[sent:], len(request.body)
                if piece:
                    exchange.data(piece)
            exchange.data(b"", end=True)
        self.origin.on("/ws", script, at_once=True)

    def test_from_http1(self):
        websocket = WebSocket(self.client())
        self.assertEqual(websocket.open("/ws").status, 101)
        frame = format_frame(2, b"hello", mask=b"\1\2\3\4")
        websocket.client.send(frame)
        self.assertEqual(self.take(websocket.client.wire, len(frame)), frame)
        fields = dict(self.origin.requests[0].fields)
        self.assertEqual((fields[":method"], fields[":protocol"]), ("CONNECT", "websocket"))

    def take(self, wire, count):
        while len(wire.buffer) < count:
            self.assertTrue(wire.fill(), "the tunnel ended")
        return wire.take(count)

    def test_from_http2(self):
        client = self.h2()
        stream, data = client.headers(
            [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
             (":authority", "test.example"), (":path", "/ws")], end=False)
        client.send(data)
        response = client.head(stream)
        self.assertEqual(response.status, 200)
        client.send_data(stream, b"hello")
        client.wait(lambda: bytes(response.body) == b"hello", "the echo")
        client.send_data(stream, b"", end=True)
        self.assertTrue(client.response(stream).ended)

    def test_not_offered(self):
        gateway = self.begin(self.http2_origin())
        websocket = WebSocket(gateway.client())
        self.assertEqual(websocket.open("/ws").status, 502)


if __name__ == "__main__":
    unittest.main()
