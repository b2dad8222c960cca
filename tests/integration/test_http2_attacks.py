"""Floods of HTTP/2: 100,000 units of each must end early, cost little, and disturb nobody."""

import os
import socket
import threading
import time
import unittest

from support import http2
from support.gateway import make_config, sanitized
from support.http2 import frame
from support.wait import eventually
from test_http2 import Http2Case

UNITS = 100_000
ACCEPTED_MAX = 1000
RSS_GROWTH_MAX = 16 * 1024 * 1024
CPU_SECONDS_MAX = 2.0


class Floods(Http2Case):
    @classmethod
    def config(cls, origin):
        return make_config(origin, workers=1, route={"body_max": "1GiB"})

    def setUp(self):
        super().setUp()
        self.limits = not sanitized()
        self.origin.on("/big", lambda exchange: exchange.reply_bytes(1 << 20))

    def rss(self):
        return self.gateway.memory()

    def cpu(self):
        with open(f"/proc/{self.gateway.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def prepare(client):
        """From here on nothing is sent for what comes in: another thread sends, and a frame in
        the midst of its frames would be a fault of ours."""
        client.wait(lambda: client.settings_acked, "settings")
        client.auto_window = False

    def flood(self, data, client=None, code=http2.ENHANCE_YOUR_CALM, reason=None):
        """Sends what may be sent of `data` while another client is served as ever; the flooding
        client, whose connection is over."""
        client = client or self.h2()
        self.prepare(client)
        beside = self.h2()
        self.assertEqual(beside.request("GET", "/").status, 200)
        before = self.rss(), self.cpu()

        def send():
            view = memoryview(data)
            try:
                while view:
                    view = view[client.socket.send(view[:65536]):]
            except OSError:
                pass
        sender = threading.Thread(target=send, daemon=True)
        # From the beginning: a GOAWAY behind answers that nobody reads may come too late.
        goaways = []
        reader = threading.Thread(target=lambda: goaways.append(client.wait_for_end()), daemon=True)
        sender.start()
        reader.start()
        for _ in range(20):
            self.assertEqual(beside.request("GET", "/").status, 200)
        sender.join(20)
        reader.join(20)
        self.assertFalse(sender.is_alive() or reader.is_alive())
        goaway = goaways[0]
        self.assertEqual(beside.request("GET", "/").status, 200)
        self.assertIsNotNone(goaway, "the connection was closed without a word")
        self.assertEqual(goaway[1], code)
        if self.limits:
            self.assertLess(self.rss() - before[0], RSS_GROWTH_MAX)
            self.assertLess(self.cpu() - before[1], CPU_SECONDS_MAX)
        if reason:
            metrics = self.gateway.admin("GET", "/metrics").body.decode()
            self.assertRegex(metrics, rf'hangu_http2_closed_total\{{[^}}]*reason="{reason}"\}} \d')
        return client

    def requests(self, client, each):
        """UNITS requests on streams of their own, each followed by each(stream)."""
        block = client.encoder.encode(client.fields())  # fills the table: the rest is short
        block = client.encoder.encode(client.fields())
        out = [frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, 1,
                     http2.hpack.Encoder().encode(client.fields()))]
        for stream in range(3, 2 * UNITS, 2):
            out.append(frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, stream, block))
            out.append(each(stream))
        return b"".join(out)

    def open_requests(self, client, each):
        """The same with requests whose bodies are still to come."""
        first = http2.hpack.Encoder()
        out = []
        for stream in range(1, 2 * UNITS, 2):
            out.append(frame(http2.HEADERS, http2.END_HEADERS, stream,
                             first.encode(client.fields("POST"))))
            out.append(each(stream))
        return b"".join(out)

    def test_rapid_reset(self):
        client = self.h2()
        self.flood(self.requests(client, http2.rst_stream), client, reason="too many streams reset")
        self.assertLess(len(self.origin.targets()), ACCEPTED_MAX)

    def test_made_you_reset(self):
        """The client breaks a rule so that we reset: the upstream's work is begun all the same."""
        for name, each in {
                "window update by 0": lambda stream: http2.window_update(stream, 0),
                "window overflow": lambda stream: http2.window_update(stream, 0x7fffffff),
                "DATA behind the end": lambda stream: frame(http2.DATA, 0, stream, b"x"),
                "HEADERS behind the end": lambda stream: frame(
                    http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, stream, b""),
                "PRIORITY of 4 bytes": lambda stream: frame(http2.PRIORITY, 0, stream, b"1234"),
        }.items():
            with self.subTest(name):
                self.origin.clear()
                client = self.h2()
                self.flood(self.requests(client, each), client,
                           code=http2.ENHANCE_YOUR_CALM)
                self.assertLess(len(self.origin.targets()), ACCEPTED_MAX)

    def test_wrong_content_length(self):
        client = self.h2()
        encoder = http2.hpack.Encoder()
        data = b"".join(
            frame(http2.HEADERS, http2.END_HEADERS, stream,
                  encoder.encode(client.fields("POST", "/", {"content-length": "5"}))) +
            frame(http2.DATA, http2.END_STREAM, stream, b"123")
            for stream in range(1, 2 * UNITS, 2))
        self.flood(data, client, reason="too many streams in error")
        self.assertLess(len(self.origin.targets()), ACCEPTED_MAX)

    def test_malformed_heads(self):
        client = self.h2()
        encoder = http2.hpack.Encoder()
        fields = client.fields() + [("connection", "close")]
        data = b"".join(frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, stream,
                              encoder.encode(fields)) for stream in range(1, 2 * UNITS, 2))
        self.flood(data, client, reason="too many malformed heads")

    def test_pings(self):
        client = self.flood(frame(http2.PING, 0, 0, bytes(8)) * UNITS,
                            reason="too many PING frames")
        self.assertLess(len(client.pings), ACCEPTED_MAX)

    def test_settings(self):
        client = self.flood(http2.settings_frame() * UNITS, reason="too many SETTINGS frames")
        self.assertLess(client.settings_acked, ACCEPTED_MAX)

    def test_settings_of_many(self):
        self.flood(http2.settings_frame([(99, 1)] * 2000) * (UNITS // 2000),
                   reason="too many settings")

    def test_window_toggling(self):
        client = self.h2()
        for _ in range(50):
            client.start("GET", "/big")
        self.flood((http2.settings_frame({4: 0}) + http2.settings_frame({4: 1})) * UNITS, client)

    def test_idle_frames(self):
        for name, unit in {
                "priority": frame(http2.PRIORITY, 0, 1, bytes(4) + b"\x10"),
                "priority update": frame(http2.PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=1"),
                "unknown": frame(0x42, 0, 0, b"x"),
                "window update": http2.window_update(0, 1)}.items():
            with self.subTest(name):
                self.flood(unit * UNITS)

    def test_empty_data(self):
        client = self.h2()
        stream = client.start("POST", "/", end=False)
        self.flood(frame(http2.DATA, 0, stream) * UNITS, client,
                   reason="too many empty DATA frames")

    def test_padding(self):
        client = self.h2()
        stream = client.start("POST", "/", end=False)
        self.flood(frame(http2.DATA, http2.PADDED, stream, b"\0") * UNITS, client,
                   reason="too many DATA frames of padding")

    def test_continuations(self):
        client = self.h2()
        _, head = client.headers(client.fields(), flags=0)
        self.flood(head + frame(http2.CONTINUATION, 0, 1) * UNITS, client,
                   reason="too many CONTINUATION frames")

    def test_streams_beyond_the_limit(self):
        self.origin.on("/", lambda exchange: exchange.wait_for_end())
        client = self.h2()
        self.addCleanup(self.origin.clear)
        encoder = http2.hpack.Encoder()
        data = b"".join(frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, stream,
                              encoder.encode(client.fields())) for stream in range(1, 2 * UNITS, 2))
        beside = self.cpu()
        self.prepare(client)
        sender = threading.Thread(target=lambda: client.try_send(data), daemon=True)
        sender.start()
        self.assertEqual(client.wait_for_end()[1], http2.ENHANCE_YOUR_CALM)
        sender.join(20)
        if self.limits:
            self.assertLess(self.cpu() - beside, CPU_SECONDS_MAX)
        self.assertLess(len(self.origin.targets()), ACCEPTED_MAX)

    def test_hpack_bomb(self):
        """Small blocks that refer again and again to a large entry of the table."""
        client = self.h2()
        encoder = http2.hpack.Encoder()
        large = frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, 1,
                      encoder.encode(client.fields() + [("x-large", "v" * 4000)]))
        bomb = encoder.encode(client.fields()) + b"\xbe" * 15000
        data = large + b"".join(frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, stream,
                                      bomb) for stream in range(3, 2003, 2))
        self.prepare(client)
        before = self.rss(), self.cpu()
        sender = threading.Thread(target=lambda: client.try_send(data), daemon=True)
        sender.start()
        client.wait(lambda: 201 in client.streams, "the first answers")
        statuses = [client.response(stream).status for stream in range(3, 203, 2)]
        self.assertEqual(set(statuses), {431})
        client.close()
        sender.join(20)
        if self.limits:
            self.assertLess(self.rss() - before[0], RSS_GROWTH_MAX)
            self.assertLess(self.cpu() - before[1], CPU_SECONDS_MAX)

    def test_slow_read(self):
        """Many large answers, none of them taken: memory must stay bounded."""
        before = self.rss()
        clients = []
        for _ in range(8):
            client = self.h2(settings={http2.INITIAL_WINDOW_SIZE: 0})
            client.auto_window = False
            client.wait(lambda client=client: client.settings_acked, "settings")
            for _ in range(100):
                client.start("GET", "/big")
            clients.append(client)
        for client in clients:
            client.wait(lambda client=client: all(r.head for r in client.streams.values()),
                        "all heads")
        if self.limits:
            # A watermark and a receive block each: see buffers.write_high.
            self.assertLess(self.rss() - before, 800 * 450 * 1024)


class MemoryShort(Http2Case):
    """Clients that take nothing of large answers, with little memory: whoever takes is served."""

    @classmethod
    def config(cls, origin):
        return make_config(origin, workers=1, buffers={"receive_max": "16MiB"})

    def setUp(self):
        super().setUp()
        self.origin.on("/big", lambda exchange: exchange.reply_bytes(1 << 20))
        self.addCleanup(self.origin.clear)

    def assert_served(self, path="/", size=None):
        begin = time.monotonic()
        response = self.gateway.client().request("GET", path)
        self.assertEqual(response.status, 200)
        if size:
            self.assertEqual(len(response.body), size)
        self.assertLess(time.monotonic() - begin, 10)  # the time-outs are 15 s

    def assert_others_served(self):
        for _ in range(5):
            self.assert_served()
            self.assert_served("/big", 1 << 20)

    def test_streams_of_http2(self):
        for _ in range(4):
            client = self.h2(settings={http2.INITIAL_WINDOW_SIZE: 0})
            client.auto_window = False
            client.wait(lambda client=client: client.settings_acked, "settings")
            for _ in range(100):
                client.start("GET", "/big")
        self.assert_others_served()
        eventually(lambda: sum(value for name, value in self.gateway.metrics().items()
                               if name.startswith("hangu_connections_shed_total")),
                   "some are closed")

    def test_connections_of_http1(self):
        for _ in range(400):
            sock = socket.socket()
            self.addCleanup(sock.close)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(self.gateway.listener())
            sock.sendall(b"GET /big HTTP/1.1\r\nhost: test.example\r\n\r\n")
        self.assert_others_served()


if __name__ == "__main__":
    unittest.main()
