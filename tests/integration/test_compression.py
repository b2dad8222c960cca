"""Compression of responses: for whom, what, and that nothing is kept back or lost on the way."""

import json
import subprocess
import threading
import unittest
import zlib

from support.case import GatewayCase
from support.gateway import make_config
from support.http2 import Http2Client
from support.http2_origin import Http2Origin
from support.wait import eventually, run_threads, settled
from support.wire import format_chunk, format_last_chunk

ALL = "gzip, deflate, br, zstd"
ROWS = json.dumps([{"id": number, "name": f"user-{number % 97}", "active": number % 3 == 0}
                   for number in range(3000)]).encode()
JSON = {"Content-Type": "application/json"}


def decode(coding, data):
    """By a program that is not ours."""
    if coding == "gzip":
        return zlib.decompress(data, 16 + zlib.MAX_WBITS)
    command = {"br": ["brotli", "-dc"], "zstd": ["zstd", "-dc"]}[coding]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout


class CompressionCase(GatewayCase):
    def begin(self, compression=True, origin=None, upstream=None, **others):
        return self.start(make_config(origin or self.origin, workers=1, upstream=upstream,
                                      route={"compression": compression}, **others))

    def assert_compressed(self, response, coding, body=ROWS):
        self.assertEqual(response.status, 200)
        self.assertEqual(response.header("content-encoding"), coding)
        self.assertIn("Accept-Encoding", response.header("vary"))
        self.assertIsNone(response.header("content-length"))
        self.assertEqual(decode(coding, bytes(response.body)), body)
        if len(body) > 1000:
            self.assertLess(len(response.body), len(body) / 3)

    def assert_plain(self, response, body=ROWS):
        self.assertEqual(response.status, 200)
        self.assertIsNone(response.header("content-encoding"))
        self.assertEqual(response.body, body)


class WhatIsCompressed(CompressionCase):
    def test_each_coding(self):
        self.origin.on("/", lambda exchange: exchange.reply(200, JSON, ROWS))
        gateway = self.begin()
        client = gateway.client()
        for accept, coding in ((ALL, "zstd"), ("gzip, br", "br"), ("gzip", "gzip"),
                               ("br;q=0.1, gzip;q=0.9", "gzip"), ("*", "zstd")):
            with self.subTest(accept):
                self.assert_compressed(client.request("GET", "/", {"Accept-Encoding": accept}),
                                       coding)
        for accept in (None, "deflate", "identity, gzip;q=0"):
            response = client.request("GET", "/", {"Accept-Encoding": accept} if accept else {})
            self.assert_plain(response)
            self.assertEqual(response.header("vary"), "Accept-Encoding")
        metrics = gateway.metrics()
        self.assertEqual(metrics['hangu_route_compressed_total{route="all",coding="gzip"}'], 2)
        came = metrics['hangu_route_compression_bytes_total{route="all",side="in"}']
        left = metrics['hangu_route_compression_bytes_total{route="all",side="out"}']
        self.assertEqual(came, 5 * len(ROWS))
        self.assertLess(left, came / 3)

    def test_our_order(self):
        self.origin.on("/", lambda exchange: exchange.reply(200, JSON, ROWS))
        for codings, expected in ((["gzip", "zstd"], "gzip"), (["br", "gzip"], "br")):
            client = self.begin({"codings": codings, "levels": {"gzip": 9, "br": 6}}).client()
            self.assert_compressed(client.request("GET", "/", {"Accept-Encoding": ALL}), expected)

    def test_what_is_left_alone(self):
        text = [("Content-Type", "text/plain")]
        body = b"x" * 5000
        answers = {
            "/encoded": (200, text + [("Content-Encoding", "identity")]),
            "/image": (200, [("Content-Type", "image/png")]),
            "/untyped": (200, []),
            "/no-transform": (200, text + [("Cache-Control", "max-age=9, No-Transform")]),
            "/part": (206, text + [("Content-Range", "bytes 0-4999/9999")]),
            "/digest": (200, text + [("Content-Digest", "sha-256=:abc=:")]),
            "/cookie": (200, text + [("Set-Cookie", "a=b")]),
            "/small": (200, text),
        }
        for path, (status, fields) in answers.items():
            sent = body[:1023] if path == "/small" else body
            self.origin.on(path, lambda exchange, answer=(status, fields, sent):
                           exchange.reply(*answer))
        client = self.begin().client()
        for path, (status, _) in answers.items():
            with self.subTest(path):
                response = client.request("GET", path, {"Accept-Encoding": ALL})
                self.assertEqual(response.status, status)
                self.assertIn(response.header("content-encoding"), (None, "identity"))
                self.assertEqual(response.body, body[:1023] if path == "/small" else body)
        self.origin.on("/gone", lambda exchange: exchange.reply(404, text, body))
        response = client.request("GET", "/gone", {"Accept-Encoding": "gzip"})
        self.assertEqual((response.status, response.header("content-encoding")), (404, "gzip"))

    def test_heads_alone(self):
        def answer(exchange):
            status = int(exchange.request.path[1:])
            if status == 200:
                exchange.reply(200, JSON, ROWS)
            else:
                exchange.head(status, [("Content-Type", "text/plain"), ("ETag", '"a"')])
        for status in (200, 204, 304):
            self.origin.on(f"/{status}", answer)
        client = self.begin().client()
        response = client.request("HEAD", "/200", {"Accept-Encoding": ALL})
        self.assertEqual(response.header("content-length"), str(len(ROWS)))
        self.assertIsNone(response.header("content-encoding"))
        for status in (204, 304):
            response = client.request("GET", f"/{status}", {"Accept-Encoding": ALL})
            self.assertEqual((response.status, response.header("etag")), (status, '"a"'))
        client.expect_alive("/alive")

    def test_credentials(self):
        self.origin.on("/", lambda exchange: exchange.reply(200, JSON, ROWS))
        self.origin.on("/cookie", lambda exchange: exchange.reply(
            200, {**JSON, "Set-Cookie": "a=b"}, ROWS))
        secrets = ({"Cookie": "sid=1"}, {"Authorization": "Basic YTpi"})
        client = self.begin().client()
        for fields in secrets:
            self.assert_plain(client.request("GET", "/", {"Accept-Encoding": ALL, **fields}))
        self.assert_compressed(client.request("GET", "/", {
            "Accept-Encoding": ALL, "Authorization": "Bearer abc"}), "zstd")
        client = self.begin({"with_credentials": True}).client()
        for fields in secrets:
            self.assert_compressed(client.request("GET", "/", {"Accept-Encoding": ALL, **fields}),
                                   "zstd")
        self.assert_compressed(client.request("GET", "/cookie", {"Accept-Encoding": ALL}), "zstd")

    def test_fields(self):
        fields = [("Content-Type", "text/html; charset=utf-8"), ("ETag", '"abc"'),
                  ("Accept-Ranges", "bytes"), ("Vary", "Origin")]
        self.origin.on("/", lambda exchange: exchange.reply(200, fields, ROWS))
        response = self.begin().client().request("GET", "/", {"Accept-Encoding": "gzip"})
        self.assertEqual(response.header("etag"), 'W/"abc"')
        self.assertIsNone(response.header("accept-ranges"))
        self.assertEqual(", ".join(response.headers("vary")), "Origin, Accept-Encoding")
        self.assertEqual(response.header("content-type"), "text/html; charset=utf-8")

    def test_http10(self):
        self.origin.on("/", lambda exchange: exchange.reply(200, JSON, ROWS))
        self.assert_plain(self.begin().client().request(
            "GET", "/", {"Accept-Encoding": ALL}, version="1.0"))

    def test_memory_is_bounded(self):
        self.origin.on("/", lambda exchange: exchange.reply(200, JSON, ROWS))
        gateway = self.begin(buffers={"compression_max": "300KiB"})
        client = gateway.client()
        self.assert_plain(client.request("GET", "/", {"Accept-Encoding": "zstd"}))
        for _ in range(3):
            self.assert_compressed(client.request("GET", "/", {"Accept-Encoding": "gzip"}), "gzip")
        self.assertEqual(
            gateway.metrics()['hangu_route_compressed_total{route="all",coding="none"}'], 1)


class HowItFlows(CompressionCase):
    def test_large_bodies_in_parallel(self):
        body = ROWS * 40  # 5 MB
        self.origin.on("/length", lambda exchange: exchange.reply(200, JSON, body))
        self.origin.on("/chunks", lambda exchange: exchange.reply_chunked(
            [body[at:at + 5000] for at in range(0, len(body), 5000)], JSON))
        gateway = self.begin()

        def ask(index):
            coding = ("gzip", "br", "zstd")[index % 3]
            path = ("/length", "/chunks")[index % 2]
            response = gateway.client().request("GET", path, {"Accept-Encoding": coding})
            self.assert_compressed(response, coding, body)
        run_threads(6, ask)

    def test_noise_and_empty_bodies(self):
        noise = b"".join(zlib.compress(str(number).encode() * 3) for number in range(40_000))
        typed = {"Content-Type": "text/plain"}
        self.origin.on("/noise", lambda exchange: exchange.reply(200, typed, noise))
        self.origin.on("/empty", lambda exchange: exchange.reply_chunked([], typed))
        client = self.begin({"bytes_min": 0}).client()
        for coding in ("gzip", "br", "zstd"):
            response = client.request("GET", "/noise", {"Accept-Encoding": coding})
            self.assertEqual(decode(coding, response.body), noise)
            response = client.request("GET", "/empty", {"Accept-Encoding": coding})
            self.assert_compressed(response, coding, b"")

    def test_events_leave_at_once(self):
        """Each event is there before the next one is sent, on both protocols."""
        next_one = threading.Semaphore(0)

        def events(exchange):
            exchange.head(200, [("Content-Type", "text/event-stream"),
                                ("Transfer-Encoding", "chunked")])
            for number in range(4):
                for part in (f"id: {number}\n", "data: hello\n\n"):
                    exchange.send(format_chunk(part.encode()))
                next_one.acquire()
            exchange.send(format_last_chunk())
        self.origin.on("/", events)
        gateway = self.begin()
        client = gateway.client()
        client.send_request("GET", "/", {"Accept-Encoding": "gzip"})
        self.assertEqual(client.read_head().header("content-encoding"), "gzip")
        decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
        chunks = client.wire.chunks()
        for number in range(4):
            text = b""
            while not text.endswith(b"hello\n\n"):
                text += decoder.decompress(next(chunks))
            self.assertIn(f"id: {number}\n".encode(), text)
            next_one.release()
        self.assertEqual(decoder.decompress(b"".join(chunks)), b"")
        self.assertTrue(decoder.eof)

        with Http2Client(gateway.listener()) as client:
            stream = client.start("GET", "/", {"accept-encoding": "gzip"})
            decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
            response = client.streams[stream]
            taken, text = 0, b""
            for number in range(4):
                while text.count(b"hello\n\n") <= number:
                    client.wait(lambda: len(response.body) > taken, "an event")
                    text += decoder.decompress(bytes(response.body[taken:]))
                    taken = len(response.body)
                next_one.release()
            client.response(stream)

    def test_trailers_come_behind_the_end(self):
        self.origin.on("/", lambda exchange: exchange.reply_chunked(
            [ROWS[:2000], ROWS[2000:]], JSON, [("x-checksum", "abc")]))
        gateway = self.begin()
        for coding in ("gzip", "br", "zstd"):
            response = gateway.client().request("GET", "/", {"Accept-Encoding": coding})
            self.assert_compressed(response, coding)
            self.assertEqual(response.trailers, [("x-checksum", "abc")])

    def test_clients_that_leave_give_their_memory_back(self):
        holding = threading.Event()
        self.addCleanup(holding.set)

        def endless(exchange):
            exchange.head(200, [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")])
            while not holding.is_set() and not exchange.peer_gone():
                exchange.send(format_chunk(ROWS))
        self.origin.on("/endless", endless)
        self.origin.on("/", lambda exchange: exchange.reply(200, JSON, ROWS))
        gateway = self.begin(buffers={"compression_max": "600KiB"})  # two of gzip
        for _ in range(3):
            for _ in range(2):
                client = gateway.client()
                client.send_request("GET", "/endless", {"Accept-Encoding": "gzip"})
                self.assertEqual(client.read_head().header("content-encoding"), "gzip")
            self.assert_plain(gateway.client().request("GET", "/", {"Accept-Encoding": "gzip"}))
            gateway.close_clients()
            eventually(lambda: gateway.active_requests() == 0, "the streams end")
        response = gateway.client().request("GET", "/", {"Accept-Encoding": "gzip"})
        self.assert_compressed(response, "gzip")

    def test_slow_clients_hold_the_upstream_back(self):
        sent = []

        def much(exchange):
            exchange.head(200, [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")])
            noise = zlib.compress(ROWS, 9) * 8  # hardly compressible
            for _ in range(2000):
                exchange.send(format_chunk(noise))
                sent.append(len(noise))
            exchange.send(format_last_chunk())
        self.origin.on("/", much)
        gateway = self.begin({"codings": ["gzip"], "levels": {"gzip": 1}})
        before = gateway.memory()
        client = gateway.client(receive_buffer=16384)
        client.send_request("GET", "/", {"Accept-Encoding": "gzip"})
        self.assertEqual(client.read_head().header("content-encoding"), "gzip")
        eventually(lambda: len(sent) > 3, "something was sent")
        settled(lambda: len(sent), quiet=1.0)
        self.assertLess(len(sent), 1900)
        self.assertLess(gateway.memory() - before, 48 * 1024 * 1024)

    def test_large_bodies_that_are_left_alone_are_not_looked_at(self):
        self.origin.on("/", lambda exchange: exchange.reply_bytes(
            8 << 20, [("Content-Type", "video/mp4")]))
        response = self.begin().client().request("GET", "/", {"Accept-Encoding": ALL})
        self.assertEqual(response.body_bytes, 8 << 20)

    def test_upstream_that_breaks_off(self):
        def half(exchange):
            exchange.head(200, [*JSON.items(), ("Content-Length", str(len(ROWS)))])
            exchange.send(ROWS[:50_000])
            exchange.reset()
        self.origin.on("/", half)
        gateway = self.begin()
        for _ in range(3):
            client = gateway.client()
            client.send_request("GET", "/", {"Accept-Encoding": "gzip"})
            client.read_head()
            rest = client.wire.until_end()
            self.assertFalse(rest.endswith(b"0\r\n\r\n"), "it must not look complete")


class RealClients(CompressionCase):
    def test_curl(self):
        self.origin.on("/", lambda exchange: exchange.reply(200, JSON, ROWS * 10))
        host, port = self.begin().listener()
        for option in ("--http1.1", "--http2-prior-knowledge"):
            out = subprocess.run(
                ["curl", "-sS", option, "--compressed", "--max-time", "60", "-D", "/dev/stderr",
                 f"http://{host}:{port}/"], capture_output=True, check=True, timeout=90)
            self.assertEqual(out.stdout, ROWS * 10)
            self.assertIn(b"content-encoding: zstd", out.stderr.lower())

    def test_http2_client_and_upstream(self):
        origin = Http2Origin()
        self.addCleanup(origin.stop)

        def answer(exchange):
            exchange.head(200, [("content-type", "text/css")])
            for at in range(0, len(ROWS), 16000):
                exchange.data(ROWS[at:at + 16000], end=at + 16000 >= len(ROWS))
        origin.on("/", answer)
        gateway = self.begin(origin=origin, upstream={"protocol": "h2"})
        with Http2Client(gateway.listener()) as client:
            for coding in ("gzip", "br", "zstd"):
                response = client.request("GET", "/", {"accept-encoding": coding})
                self.assert_compressed(response, coding)


if __name__ == "__main__":
    unittest.main()
