"""HTTP/2 towards clients (h2c with prior knowledge): messages, limits, flow control, ends."""

import hashlib
import json
import signal
import socket
import subprocess
import threading
import time
import unittest

from support import http2
from support.case import GatewayCase
from support.client import Client
from support.gateway import make_config
from support.http2 import Http2Client
from support.wait import eventually
from support.websocket import accept_upgrade, echo_script, format_frame


class Http2Case(GatewayCase):
    def h2(self, gateway=None, listener="web", **options):
        client = Http2Client((gateway or self.gateway).listener(listener), **options)
        self.addCleanup(client.close)
        return client

    def assert_h2_problem(self, response, status, code):
        self.assertEqual(response.status, status, bytes(response.body))
        self.assertEqual(response.header("content-type"), "application/problem+json")
        problem = json.loads(response.body)
        self.assertEqual((problem["code"], problem["status"]), (code, status))
        self.assertEqual(problem["request_id"], response.header("x-request-id"))


class Messages(Http2Case):
    def seen(self, response):
        self.assertEqual((response.status, response.ended), (200, True))
        return json.loads(response.body)

    def test_get(self):
        seen = self.seen(self.h2().request("GET", "/a?b=c", {"X-One": "1"}))
        self.assertEqual((seen["method"], seen["target"], seen["version"]),
                         ("GET", "/a?b=c", "HTTP/1.1"))
        fields = {name.lower(): value for name, value in seen["fields"]}
        self.assertEqual((fields["host"], fields["x-one"]), ("test.example", "1"))
        self.assertNotIn(":path", fields)
        self.assertNotIn("transfer-encoding", fields)
        self.assertEqual(fields["x-forwarded-proto"], "http")

    def test_settings_first(self):
        client = self.h2()
        client.wait(lambda: client.settings and client.settings_acked, "settings and their ack")
        self.assertEqual(client.settings[http2.MAX_CONCURRENT_STREAMS], 128)
        self.assertEqual(client.settings[http2.ENABLE_CONNECT_PROTOCOL], 1)

    def test_bodies(self):
        client = self.h2()
        for size in (0, 1, 16384, 16385, 100_000):
            body = bytes(size)
            seen = self.seen(client.request("POST", "/", {"content-length": size}, body))
            self.assertEqual((seen["body_bytes"], seen["framing"]), (size, size))
            seen = self.seen(client.request("POST", "/", (), body))
            self.assertEqual((seen["body_bytes"], seen["framing"]), (size, "chunked"))

    def test_many_at_once(self):
        client = self.h2()
        streams = [client.start("GET", f"/{i}") for i in range(100)]
        for i, stream in enumerate(streams):
            self.assertEqual(self.seen(client.response(stream))["target"], f"/{i}")

    def test_head_and_no_body(self):
        self.origin.on("/204", lambda exchange: exchange.head(204))
        self.origin.on("/304", lambda exchange: exchange.head(304, {"ETag": '"x"'}))
        client = self.h2()
        response = client.request("HEAD", "/")
        self.assertEqual((response.status, response.body_bytes), (200, 0))
        self.assertGreater(int(response.header("content-length")), 0)
        for status in (204, 304):
            response = client.request("GET", f"/{status}")
            self.assertEqual((response.status, response.body_bytes), (status, 0))
            self.assertIsNone(response.header("content-length"))

    def test_trailers_both_ways(self):
        def script(exchange):
            exchange.read_body()
            exchange.reply_chunked([b"a", b"b"], trailers=[("X-Sum", "2")])
        self.origin.on("/trailers", script)
        client = self.h2()
        stream = client.start("POST", "/trailers", {"te": "trailers"}, end=False)
        client.send_data(stream, b"hello")
        _, trailers = client.headers([("x-check", "5")], stream=stream)
        client.send(trailers)
        response = client.response(stream)
        self.assertEqual((bytes(response.body), response.trailers), (b"ab", [("x-sum", "2")]))
        request = self.origin.wait_for_requests(1)[0]
        self.assertEqual([(n.lower(), v) for n, v in request.trailers], [("x-check", "5")])

    def test_informational(self):
        def script(exchange):
            exchange.head(103, {"Link": "</x>"})
            exchange.head(100)
            exchange.read_body()
            exchange.reply(200, body=b"done")
        self.origin.on("/hints", script)
        client = self.h2()
        stream = client.start("POST", "/hints", {"expect": "100-continue"}, end=False)
        client.wait(lambda: len(client.streams[stream].informational) == 2, "both 1xx")
        client.send_data(stream, b"body", end=True)
        response = client.response(stream)
        self.assertEqual([head[0][1] for head in response.informational], ["103", "100"])
        self.assertEqual(bytes(response.body), b"done")

    def test_cookie_crumbs(self):
        seen = self.seen(self.h2().request("GET", "/", [("cookie", "a=1"), ("cookie", "b=2")]))
        cookies = [value for name, value in seen["fields"] if name.lower() == "cookie"]
        self.assertEqual(cookies, ["a=1; b=2"])

    def test_large_both_ways(self):
        size = 8 * 1024 * 1024
        self.origin.on("/big", lambda exchange: exchange.reply_bytes(size))
        response = self.h2().request("GET", "/big")
        self.assertEqual(response.body_bytes, size)
        self.assertEqual(bytes(response.body), (bytes(range(256)) * 1024) * (size >> 18))
        done = subprocess.run(
            ["curl", "-sS", "--http2-prior-knowledge", "-T", "-", "--max-time", "60",
             f"http://127.0.0.1:{self.gateway.listener()[1]}/up"],
            input=b"u" * size, capture_output=True, check=True, timeout=90)
        self.assertEqual(json.loads(done.stdout)["digest"], hashlib.sha256(b"u" * size).hexdigest())

    def test_early_response(self):
        self.origin.on("/early", lambda exchange: (exchange.reply(403, body=b"no"),
                                                   exchange.close()))
        client = self.h2()
        stream = client.start("POST", "/early", end=False)
        client.send_data(stream, b"x" * 1000)
        client.wait(lambda: client.streams[stream].reset is not None, "RST_STREAM")
        response = client.streams[stream]
        self.assertEqual((response.status, bytes(response.body), response.ended, response.reset),
                         (403, b"no", True, http2.NO_ERROR))
        self.assertEqual(client.request("GET", "/").status, 200)

    def test_content_length_mismatch(self):
        """The origin must never take half a body, or one and a half, for the whole."""
        client = self.h2()
        for body in (b"123", b"1234567890"):
            stream = client.start("POST", "/cl", {"content-length": 5}, end=False)
            client.send_data(stream, body, end=True)
            self.assertEqual(client.response(stream).reset, http2.PROTOCOL_ERROR)
        stream = client.start("POST", "/cl", {"content-length": 5}, end=True)
        self.assertEqual(client.response(stream).status, 400)
        self.assertEqual([r for r in self.origin.requests if r.complete], [])

    def test_upstream_dies_in_the_middle(self):
        def script(exchange):
            exchange.head(200, {"Content-Length": "1000"})
            exchange.send(b"part")
            exchange.close()
        self.origin.on("/part", script)
        client = self.h2()
        response = client.request("GET", "/part")
        self.assertEqual((response.ended, response.reset), (False, http2.INTERNAL_ERROR))
        self.assertEqual(client.request("GET", "/").status, 200)

    def test_client_reset_cancels(self):
        gone = threading.Event()

        def script(exchange):
            exchange.wait_for_end()
            gone.set()
        self.origin.on("/wait", script)
        client = self.h2()
        stream = client.start("GET", "/wait")
        self.origin.wait_for_requests(1)
        client.send(http2.rst_stream(stream))
        self.assertTrue(gone.wait(20), "the upstream request was not cancelled")
        self.assertEqual(client.request("GET", "/").status, 200)

    def test_preface_byte_by_byte(self):
        client = self.h2(preface=False)
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _, head = client.headers(client.fields())
        for byte in http2.PREFACE + http2.settings_frame() + head:
            client.send(bytes([byte]))
        self.assertEqual(client.response(1).status, 200)

    def test_upgrade_h2c_is_ignored(self):
        response = self.client().request("GET", "/", [
            ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__")])
        self.assertEqual(response.status, 200)


class Refused(Http2Case):
    @classmethod
    def config(cls, origin):
        config = make_config(origin, listener={"limits": {"headers": "8KiB", "header_line": "4KiB",
                                                          "request_line": "1KiB"}},
                             route={"match": {"path": {"prefix": "/"}, "methods": ["GET", "POST"],
                                              "hosts": ["test.example"]}, "body_max": "1KiB"})
        config["listeners"] += [
            {"name": "h1", "bind": "127.0.0.1:0", "protocols": ["http/1.1"]},
            {"name": "h2", "bind": "127.0.0.1:0", "protocols": ["h2"]}]
        return config

    def test_local_replies(self):
        client = self.h2()
        big = [(f"x-{i}", "v" * 1000) for i in range(10)]
        for arguments, status, code in (
                (("GET", "/", {"x-long": "v" * 5000}), 431, "limit.headers"),
                (("GET", "/", big), 431, "limit.headers"),
                (("GET", "/" + "p" * 2000), 414, "limit.uri"),
                (("GET", "/a%zz"), 400, "bad_request.path"),
                (("DELETE", "/"), 405, "route.method"),
                (("POST", "/", {"content-length": 5000}), 413, "limit.body"),
                (("GET", "/", {"expect": "x"}), 417, "bad_request.expectation"),
                (("GET", "/", {"host": "other.example"}), 400, "bad_request.host"),
                (("GET", "/", {"x_y": "1"}), 400, "bad_request.header")):
            with self.subTest(code):
                stream = client.start(*arguments, end=arguments[0] != "POST")
                self.assert_h2_problem(client.response(stream), status, code)
        self.assert_h2_problem(client.request(authority="other.example"), 404, "route.none")
        self.assert_h2_problem(client.request(authority="user@test.example"), 400,
                               "bad_request.host")
        self.assertEqual(client.request("GET", "/").status, 200)

    def test_body_over_the_limit(self):
        client = self.h2()
        stream = client.start("POST", "/", end=False)
        client.send_data(stream, b"x" * 2000)
        self.assert_h2_problem(client.response(stream), 413, "limit.body")

    def test_malformed(self):
        """RFC 9113 §8: what HTTP/1.1 could not carry, or would read as another message."""
        good = [(":method", "GET"), (":scheme", "http"), (":authority", "test.example"),
                (":path", "/")]
        for name, fields in {
                "upper case": good + [("X-Upper", "1")],
                "connection": good + [("connection", "keep-alive")],
                "transfer-encoding": good + [("transfer-encoding", "chunked")],
                "upgrade": good + [("upgrade", "websocket")],
                "te": good + [("te", "gzip")],
                "line feed": good + [("x", "a\nb: c")],
                "carriage return": good + [("x", "a\r\nb: c")],
                "NUL": good + [("x", "a\0b")],
                "space in a name": good + [("x y", "1")],
                "colon in a name": good + [("x:y", "1")],
                "empty name": good + [("", "1")],
                "leading space": good + [("x", " a")],
                "pseudo behind regular": [("x", "1")] + good,
                "unknown pseudo": good + [(":x", "1")],
                "two paths": good + [(":path", "/b")],
                "status": good + [(":status", "200")],
                "no method": good[1:],
                "no scheme": good[:1] + good[2:],
                "no path": good[:3],
                "no authority": good[:2] + good[3:],
                "empty path": good[:3] + [(":path", "")],
                "path with a space": good[:3] + [(":path", "/a b")],
                "path with a line feed": good[:3] + [(":path", "/a\r\nx: y")],
                "absolute path": good[:3] + [(":path", "http://test.example/")],
                "fragment": good[:3] + [(":path", "/#x")],
                "method": [(":method", "G ET")] + good[1:],
                "protocol": good + [(":protocol", "websocket")],
                "connect": [(":method", "CONNECT"), (":authority", "test.example:443"),
                            (":path", "/")],
                "two lengths": good + [("content-length", "0"), ("content-length", "0")],
                "signed length": good + [("content-length", "+0")]}.items():
            with self.subTest(name):
                client = self.h2()
                stream, data = client.headers(fields)
                client.send(data)
                response = client.response(stream)
                self.assertIn(response.status, (400, 501))
                self.assertEqual(client.request("GET", "/").status, 200)
                client.close()
        self.assertEqual({request.target for request in self.origin.requests}, {"/"})

    def test_connect(self):
        client = self.h2()
        stream, data = client.headers([(":method", "CONNECT"), (":authority", "test.example:443")])
        client.send(data)
        self.assert_h2_problem(client.response(stream), 501, "not_implemented")

    def test_protocols(self):
        client = self.h2(listener="h1")
        client.wait(lambda: client.end or client.buffer, "an answer")
        self.assertIn(b"HTTP/1.1 505", bytes(client.buffer))
        self.assertEqual(self.h2(listener="h2").request("GET", "/").status, 200)
        client = Client(self.gateway.listener("h2"))
        self.addCleanup(client.close)
        client.send_request("GET", "/")
        client.wire.until_end()

    def test_too_many_streams(self):
        held = threading.Event()
        self.addCleanup(held.set)

        def script(exchange):
            held.wait(20)
            exchange.reply(200)
        self.origin.on("/held", script)
        client = self.h2()
        streams = [client.start("GET", "/held") for _ in range(130)]
        refused = [client.response(stream).reset for stream in streams[128:]]
        self.assertEqual(refused, [http2.REFUSED_STREAM] * 2)
        held.set()
        for stream in streams[:128]:
            self.assertEqual(client.response(stream).status, 200)


class FlowControl(Http2Case):
    @classmethod
    def config(cls, origin):
        return make_config(origin, route={"body_max": "1GiB"})

    def test_tiny_window(self):
        self.origin.on("/ten", lambda exchange: exchange.reply(200, body=b"0123456789"))
        client = self.h2(settings={http2.INITIAL_WINDOW_SIZE: 1})
        client.auto_window = False
        stream = client.start("GET", "/ten")
        response = client.head(stream)
        for size in range(1, 10):
            client.wait(lambda size=size: response.body_bytes == size, f"{size} bytes")
            client.send(http2.window_update(stream, 1))
        self.assertEqual(bytes(client.response(stream).body), b"0123456789")
        self.assertEqual(set(response.frames), {1})

    def test_window_opened_by_settings(self):
        self.origin.on("/ten", lambda exchange: exchange.reply(200, body=b"0123456789"))
        client = self.h2(settings={http2.INITIAL_WINDOW_SIZE: 0})
        client.auto_window = False
        stream = client.start("GET", "/ten")
        client.head(stream)
        self.assertEqual(client.request("HEAD", "/").status, 200)
        self.assertEqual(client.streams[stream].body_bytes, 0)
        client.send(http2.settings_frame({http2.INITIAL_WINDOW_SIZE: 100}))
        self.assertEqual(bytes(client.response(stream).body), b"0123456789")

    def test_upload_waits_for_the_upstream(self):
        """Credit comes back only when the origin takes the bytes; then all of them arrive."""
        go = threading.Event()
        self.addCleanup(go.set)

        def script(exchange):
            go.wait(20)
            exchange.read_body()
            exchange.reply(200, body=str(exchange.request.body_bytes).encode())
        self.origin.on("/slow", script)
        client = self.h2()
        stream = client.start("POST", "/slow", end=False)
        self.origin.wait_for_requests(1, complete=False)
        size, sent = 24 * 1024 * 1024, 0

        def credit():
            return min(65535 + client.windows.get(0, 0),
                       client.settings.get(http2.INITIAL_WINDOW_SIZE, 65535) +
                       client.windows.get(stream, 0)) - sent
        client.wait(lambda: client.settings, "settings")
        quiet = 0
        while quiet < 3:
            if credit() > 0:
                piece = min(credit(), 16384, size - sent)
                client.send_data(stream, bytes(piece))
                sent += piece
                quiet = 0
            elif not client.receive(0.3):
                quiet += 1
        self.assertLess(sent, size, "the gateway took it all though nobody reads")
        go.set()
        while sent < size:
            client.wait(lambda: credit() > 0, "credit")
            piece = min(credit(), 16384, size - sent)
            client.send_data(stream, bytes(piece))
            sent += piece
        client.send_data(stream, b"", end=True)
        self.assertEqual(bytes(client.response(stream).body), str(size).encode())

    def received(self):
        return self.gateway.metrics()['hangu_upstream_received_bytes_total{upstream="origin"}']

    def test_priorities(self):
        """RFC 9218: by urgency, and in turn where that is asked for."""
        self.origin.on("/body", lambda exchange: exchange.reply_bytes(64 * 1024))
        before = self.received()
        client = self.h2(settings={http2.INITIAL_WINDOW_SIZE: 0})
        client.auto_window = False
        streams = {}
        for name, priority in (("low", "u=6"), ("in turn 1", "u=4, i"), ("in turn 2", "u=4, i"),
                               ("high", "u=1"), ("changed", "u=7")):
            streams[client.start("GET", "/body", {"priority": priority})] = name
        for stream in streams:
            client.head(stream)
        changed = [stream for stream, name in streams.items() if name == "changed"][0]
        client.send(http2.frame(http2.PRIORITY_UPDATE, 0, 0,
                                changed.to_bytes(4, "big") + b"u=0"))
        eventually(lambda: self.received() >= before + len(streams) * 64 * 1024,
                   "all bodies wait for their windows")
        client.send(http2.settings_frame({http2.INITIAL_WINDOW_SIZE: 1 << 20}))
        for stream in streams:
            client.response(stream)
        order = [streams[stream] for stream in client.order if client.streams[stream].body_bytes]
        first = list(dict.fromkeys(order))
        self.assertEqual((first[0], first[1], first[-1]), ("changed", "high", "low"))
        between = [name for name in order if name.startswith("in turn")]
        self.assertGreater(sum(a != b for a, b in zip(between, between[1:])), 3, between)


class Ends(Http2Case):
    def begin(self, **listener):
        return self.start(make_config(self.origin, listener=listener, route={"timeout": "20s"},
                                      shutdown={"lb_delay": 0, "drain_timeout": "10s"}))

    def test_drain(self):
        go = self.held_back()
        gateway = self.begin()
        client = self.h2(gateway)
        held = client.start("GET", "/held")
        self.origin.wait_for_requests(1)
        gateway.send_signal(signal.SIGTERM)
        client.wait(lambda: client.goaways, "GOAWAY")
        self.assertEqual(client.goaways[0], (2**31 - 1, http2.NO_ERROR))
        client.wait(lambda: len(client.goaways) == 2, "the second GOAWAY")
        self.assertEqual(client.goaways[1], (held, http2.NO_ERROR))
        go.set()
        self.assertEqual(bytes(client.response(held).body), b"held")
        client.wait_for_end()
        self.assertEqual(gateway.wait(), 0)

    def test_drain_takes_what_crossed(self):
        gateway = self.begin()
        client = self.h2(gateway)
        self.assertEqual(client.request("GET", "/").status, 200)
        gateway.send_signal(signal.SIGTERM)
        eventually(lambda: gateway.status()["state"] == "draining", "it drains")
        stream = client.start("GET", "/crossed")
        self.assertEqual(client.response(stream).status, 200)
        client.wait_for_end()
        self.assertEqual(gateway.wait(), 0)

    def test_requests_per_connection(self):
        gateway = self.begin(limits={"requests_per_connection": 3})
        client = self.h2(gateway)
        for _ in range(3):
            self.assertEqual(client.request("GET", "/").status, 200)
        self.assertEqual(client.wait_for_end(), (5, http2.NO_ERROR))

    def test_idle(self):
        gateway = self.begin(http2={"idle_timeout": "300ms"})
        client = self.h2(gateway)
        self.assertEqual(client.request("GET", "/").status, 200)
        self.assertEqual(client.wait_for_end(), (1, http2.NO_ERROR))

    def test_no_preface_in_time(self):
        gateway = self.begin(timeouts={"header": "300ms"})
        client = self.h2(gateway, preface=False)
        client.send(http2.PREFACE)
        self.assertEqual(client.wait_for_end(), (0, http2.PROTOCOL_ERROR))

    def test_head_not_in_time(self):
        gateway = self.begin(timeouts={"header": "300ms"})
        client = self.h2(gateway)
        client.wait(lambda: client.settings and client.settings_acked, "settings and their ack")
        _, data = client.headers(client.fields(), flags=0)
        client.send(data)
        self.assertEqual(client.wait_for_end(), (1, http2.ENHANCE_YOUR_CALM))

    def test_body_not_in_time(self):
        gateway = self.begin(timeouts={"body_idle": "300ms"})
        client = self.h2(gateway)
        stream = client.start("POST", "/", end=False)
        client.send_data(stream, b"part")
        self.assert_h2_problem(client.response(stream), 408, "client.timeout")
        self.assertEqual(client.request("GET", "/").status, 200)

    def test_client_takes_nothing(self):
        self.origin.on("/big", lambda exchange: exchange.reply_bytes(1 << 20))
        gateway = self.begin(timeouts={"write_idle": "400ms"})
        client = self.h2(gateway, settings={http2.INITIAL_WINDOW_SIZE: 10})
        client.auto_window = False
        self.assertEqual(client.response(client.start("GET", "/big")).reset, http2.CANCEL)

    def test_reload_under_load(self):
        gateway = self.begin()
        load = subprocess.Popen(
            ["h2load", "-D", "3", "-c", "4", "-m", "8",
             f"http://127.0.0.1:{gateway.listener()[1]}/"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(load.kill)
        for _ in range(4):
            time.sleep(0.5)
            gateway.reload()
        out = load.communicate(timeout=60)[0]
        self.assertRegex(out, r" 0 failed, 0 errored, 0 timeout", out)
        self.assertNotRegex(out, r"requests: 0 total", out)


class WebSockets(Http2Case):
    """RFC 8441."""

    def test_echo(self):
        self.origin.on("/ws", echo_script)
        client = self.h2()
        stream = client.connect_websocket()
        response = client.head(stream)
        self.assertEqual(response.status, 200)
        self.assertIsNone(response.header("upgrade"))
        self.assertIsNone(response.header("sec-websocket-accept"))
        payload = bytes(range(256)) * 400
        sent = format_frame(2, payload, mask=b"\1\2\3\4")
        client.send_data(stream, sent)
        client.wait(lambda: response.body_bytes >= len(payload), "the echo")
        self.assertIn(payload, bytes(response.body))
        client.send_data(stream, b"", end=True)
        client.response(stream)
        request = self.origin.requests[0]
        self.assertEqual((request.method, request.header("upgrade")), ("GET", "websocket"))
        self.assertEqual(len(request.header("sec-websocket-key")), 24)

    def test_not_switched(self):
        self.origin.on("/no", lambda exchange: exchange.reply(404, body=b"none"))
        self.origin.on("/ok", lambda exchange: exchange.reply(200, body=b"plain"))
        client = self.h2()
        self.assertEqual(client.response(client.connect_websocket("/no")).status, 404)
        self.assertEqual(client.response(client.connect_websocket("/ok")).status, 501)


class RealClients(Http2Case):
    def url(self, path="/"):
        return f"http://127.0.0.1:{self.gateway.listener()[1]}{path}"

    def run_tool(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_curl(self):
        for option, version in (("--http1.1", "1.1"), ("--http2-prior-knowledge", "2"),
                                ("--http2", "1.1")):
            out = self.run_tool("curl", "-sS", option, "-o", "/dev/null", "-w",
                                "%{http_code} %{http_version}", self.url())
            self.assertEqual(out, f"200 {version}")

    def test_nghttp(self):
        self.assertIn('"method": "GET"', self.run_tool("nghttp", self.url()))

    def test_h2load(self):
        out = self.run_tool("h2load", "-n", "2000", "-c", "4", "-m", "32", self.url())
        self.assertIn("2000 succeeded, 0 failed", out)

    def test_log_and_metrics(self):
        self.run_tool("nghttp", self.url())
        metrics = self.gateway.admin("GET", "/metrics").body.decode()
        self.assertRegex(metrics, r'hangu_http2_connections_total\{shard="\d"\} [1-9]')


if __name__ == "__main__":
    unittest.main()
