"""Tunnels: the upgrade itself, bytes both ways, ends, idle timeout."""

import os
import ssl
import subprocess
import threading
import unittest

from support.case import GatewayCase
from support.certificates import Authority
from support.gateway import make_config
from support.json_log import records_of
from support.origin import Origin
from support.wait import eventually, run_threads
from support.websocket import (BINARY, CLOSE, PING, PONG, TEXT, WebSocket, accept_upgrade,
                               echo_script, format_frame)


# A client that others wrote (Debian's python3-websockets): text, binary, a large message, a ping.
REAL_CLIENT = """
import asyncio, sys, websockets

async def main(url):
    async with websockets.connect(url, max_size=None) as socket:
        for message in ("hello", b"\\x00\\xff", "x" * 300_000):
            await socket.send(message)
            assert await socket.recv() == message
        await (await socket.ping())
    print("closed", socket.close_code)

asyncio.run(main(sys.argv[1]))
"""


class Tunnels(GatewayCase):
    @classmethod
    def config(cls, origin):
        config = make_config(origin, route={"tunnel_idle_timeout": "30s", "timeout": "1s",
                                            "stream_idle_timeout": "1s"})
        config["routes"].append({"name": "plain", "match": {"path": {"exact": "/plain"}},
                                 "upstream": "origin", "upgrades": False})
        config["routes"].append({"name": "idle", "match": {"path": {"prefix": "/idle"}},
                                 "upstream": "origin", "tunnel_idle_timeout": "300ms"})
        config["routes"].append({"name": "moving", "match": {"path": {"exact": "/moving"}},
                                 "upstream": "origin", "tunnel_idle_timeout": "2s"})
        config["access_log"] = {"path": "@FOLDER@/access.log"}
        return config

    def setUp(self):
        super().setUp()
        for path in ("/ws", "/idle", "/moving"):
            self.origin.on(path, echo_script)

    def open(self, target="/ws", fields=()):
        websocket = WebSocket(self.client())
        self.opened = websocket.open(target, fields)
        self.assertEqual(self.opened.status, 101)
        return websocket

    def record(self, target):
        """The access log's line of a target that only one test uses."""
        path = self.gateway.folder / "access.log"

        def found():
            return [each for each in records_of(path) if each["path"] == target]
        records = eventually(found, "the tunnel is logged")
        self.assertEqual(len(records), 1, records)
        return records[0]

    def sum_of(self, *prefixes):
        return sum(value for name, value in self.gateway.metrics().items()
                   if name.startswith(prefixes))

    def test_echo(self):
        websocket = self.open()
        for payload in (b"", b"a", b"x" * 126, b"y" * 70_000, os.urandom(1_000_000)):
            self.assertEqual(websocket.echo(payload), payload)
        self.assertEqual(websocket.echo("grüß".encode(), TEXT), "grüß".encode())

    def test_real_client(self):
        url = f"ws://127.0.0.1:{self.gateway.listener()[1]}/ws"
        done = subprocess.run(["/usr/bin/python3", "-c", REAL_CLIENT, url], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.stdout, "closed 1000\n", done.stderr)

    def test_ping_and_close(self):
        websocket = self.open()
        websocket.send(b"p", PING)
        pong = websocket.receive()
        self.assertEqual((pong.opcode, pong.payload), (PONG, b"p"))
        websocket.send(b"\x03\xe8", CLOSE)
        self.assertEqual(websocket.receive().opcode, CLOSE)
        websocket.client.expect_end()

    def test_upgrade_fields(self):
        response = WebSocket(self.client()).open()
        self.assertEqual(response.header("upgrade"), "websocket")
        self.assertEqual(response.header("connection").lower(), "upgrade")
        request = self.origin.requests[0]
        self.assertEqual(request.header("upgrade"), "websocket")
        self.assertEqual(request.header("connection").lower(), "upgrade")

    def test_first_frames_come_with_the_head(self):
        """Bytes right behind the request belong to the tunnel."""
        websocket = WebSocket(self.client())
        websocket.client.send(websocket.request_head() + format_frame(BINARY, b"early", b"mask"))
        self.assertEqual(websocket.client.read_response().status, 101)
        self.assertEqual(websocket.receive().payload, b"early")

    def test_longer_than_other_timeouts(self):
        websocket = self.open()
        threading.Event().wait(1.5)  # the route's other timeouts are 1 s
        self.assertEqual(websocket.echo(b"still"), b"still")

    def test_idle_timeout(self):
        websocket = self.open("/idle")
        self.assertEqual(websocket.echo(b"x"), b"x")
        websocket.client.expect_end()

    def test_traffic_keeps_it_open(self):
        websocket = self.open("/moving")
        pause = threading.Event()
        for _ in range(6):
            pause.wait(0.4)
            self.assertEqual(websocket.echo(b"x"), b"x")

    def test_refused_by_the_upstream(self):
        self.origin.on("/ws", lambda exchange: exchange.reply(403, body=b"no"))
        client = self.client()
        self.assertEqual(WebSocket(client).open().status, 403)
        client.expect_alive()

    def test_route_without_upgrades(self):
        response = WebSocket(self.client()).open("/plain")
        self.assertEqual(response.status, 200)
        self.assertIsNone(self.origin.requests[0].header("upgrade"))

    def test_other_protocols_are_no_upgrades(self):
        """h2c would lead past everything the gateway checks."""
        for protocol in ("h2c", "TLS/1.3", "HTTP/2.0", "h2c, websocket"):
            with self.subTest(protocol):
                response = self.ask("GET", "/no", {"Connection": "Upgrade", "Upgrade": protocol})
                self.assertEqual(response.status, 200)
                self.assertIsNone(self.origin.requests[-1].header("upgrade"))

    def test_half_close_of_the_client(self):
        """What is still on its way from the server arrives after the client's FIN."""
        def script(exchange):
            accept_upgrade(exchange)
            rest = exchange.wire.until_end()
            exchange.send(b"got " + rest)
        self.origin.on("/ws", script)
        websocket = self.open()
        websocket.wire.send(b"all of it")
        websocket.wire.shutdown_write()
        self.assertEqual(websocket.client.end(), ("eof", b"got all of it"))

    def test_half_close_of_the_server(self):
        taken = []

        def script(exchange):
            accept_upgrade(exchange)
            exchange.send(b"bye")
            exchange.wire.shutdown_write()
            taken.append(exchange.wire.until_end())
        self.origin.on("/ws", script)
        for number in range(20):  # the last bytes and the FIN behind them may arrive together
            websocket = self.open()
            self.assertEqual(websocket.client.end(), ("eof", b"bye"))
            websocket.wire.send(b"late")
            websocket.client.close()
            eventually(lambda: len(taken) > number, "the server sees the end")
            self.assertEqual(taken[number], b"late", number)

    def test_client_that_dies(self):
        ended = threading.Event()

        def script(exchange):
            accept_upgrade(exchange)
            exchange.wait_for_end()
            ended.set()
        self.origin.on("/ws", script)
        self.open().wire.reset()
        self.assertTrue(ended.wait(20))

    def test_many_at_once(self):
        def work(index):
            websocket = self.open()
            for number in range(20):
                payload = b"%d-%d" % (index, number) * 50
                self.assertEqual(websocket.echo(payload), payload)
        connections = "hangu_upstream_connections{"
        before = self.sum_of(connections)
        run_threads(20, work)

        gauges = ("hangu_upgrades_active", "hangu_requests_active",
                  "hangu_upstream_requests_active")
        for gauge in (*gauges, connections):
            self.assertGreaterEqual(self.sum_of(gauge), 20, gauge)
        self.gateway.close_clients()
        eventually(lambda: self.sum_of(*gauges) == 0, "no tunnel is left")
        eventually(lambda: self.sum_of(connections) <= before, "no connection is left")

    # What is said of a tunnel at its end, when all but the bytes has long been gone.

    def test_record_of_a_tunnel(self):
        self.origin.on("/said", echo_script)
        websocket = self.open("/said", [("User-Agent", "test/1")])
        before = self.sum_of("hangu_upstream_received_bytes")
        self.assertEqual(websocket.echo(b"x" * 100), b"x" * 100)
        self.assertEqual(self.sum_of("hangu_upstream_received_bytes") - before, 102)
        websocket.send(b"\x03\xe8", CLOSE)
        websocket.receive()
        websocket.client.expect_end()
        websocket.client.close()
        record = self.record("/said")
        for key, value in (("method", "GET"), ("host", "test.example"), ("protocol", "HTTP/1.1"),
                           ("status", 101), ("upgraded", 1), ("user_agent", "test/1"),
                           ("client_ip", "127.0.0.1"), ("client_ip_source", "peer"),
                           ("request_bytes", 106 + 8), ("response_bytes", 102 + 4),
                           ("route", "all"), ("upstream", "origin"), ("listener", "web"),
                           ("upstream_address", self.origin.endpoint), ("attempts", 1),
                           ("request_id", self.opened.header("x-request-id"))):
            self.assertEqual(record.get(key), value, key)
        self.assertGreaterEqual(record["duration_ms"], record["ttfb_ms"])
        self.assertRegex(record["trace_id"], "^[0-9a-f]{32}$")
        for key in ("failure", "code", "error"):
            self.assertNotIn(key, record)

    def test_record_of_a_client_that_dies(self):
        self.origin.on("/died", echo_script)
        websocket = self.open("/died")
        self.assertEqual(websocket.echo(b"x"), b"x")
        websocket.wire.reset()
        record = self.record("/died")
        self.assertEqual((record["status"], record["failure"], record["code"]),
                         (101, "client_closed", "client.closed"))

    def test_record_of_an_upstream_that_dies(self):
        def script(exchange):
            accept_upgrade(exchange)
            exchange.wire.exactly(3, "the client's bytes")
            exchange.wire.reset()
        self.origin.on("/broke", script)
        before = self.sum_of("hangu_upstream_failures")
        websocket = self.open("/broke")
        websocket.wire.send(b"abc")
        websocket.client.expect_end()
        record = self.record("/broke")
        self.assertEqual((record["status"], record["failure"], record["error"]),
                         (101, "upstream", "reset"))
        self.assertEqual(record["request_bytes"], 3)
        self.assertEqual(self.sum_of("hangu_upstream_failures") - before, 1)

    def test_record_of_an_idle_tunnel(self):
        self.origin.on("/idle/long", echo_script)
        before = self.sum_of("hangu_upstream_timeouts")
        self.open("/idle/long").client.expect_end()
        record = self.record("/idle/long")
        self.assertEqual((record["status"], record["failure"], record["error"]),
                         (101, "timeout", "timeout"))
        self.assertEqual(self.sum_of("hangu_upstream_timeouts") - before, 1)

    def test_slow_client(self):
        """An upstream that sends more than the client takes waits for it."""
        sent = []

        def script(exchange):
            accept_upgrade(exchange)
            for _ in range(64):
                exchange.send(bytes(1024 * 1024))
                sent.append(1)
            exchange.wire.shutdown_write()
        self.origin.on("/ws", script)
        websocket = WebSocket(self.client(receive_buffer=16384))
        self.assertEqual(websocket.open().status, 101)
        threading.Event().wait(0.5)
        self.assertLess(len(sent), 64)
        kind, rest = websocket.client.end()
        self.assertEqual((kind, len(rest)), ("eof", 64 * 1024 * 1024))

    def test_large_stream(self):
        def script(exchange):
            accept_upgrade(exchange)
            for _ in range(64):
                exchange.send(bytes(1024 * 1024))
            exchange.wire.shutdown_write()
        self.origin.on("/ws", script)
        websocket = self.open()
        size = len(websocket.wire.take(len(websocket.wire.buffer)))
        while websocket.wire.fill():
            size += len(websocket.wire.take(len(websocket.wire.buffer)))
        self.assertEqual(size, 64 * 1024 * 1024)


class SecureTunnels(GatewayCase):
    """TLS towards the client and towards the upstream."""

    @classmethod
    def setUpClass(cls):
        cls.ca = Authority()
        cls.addClassCleanup(cls.ca.remove)
        cls.pair = cls.ca.issue(["DNS:test.example", "IP:127.0.0.1"])
        super().setUpClass()

    @classmethod
    def make_origin(cls):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cls.pair.cert, cls.pair.key)
        return Origin(tls=context)

    @classmethod
    def config(cls, origin):
        config = make_config(origin, listener={"tls": {"certificates": [cls.pair.files]}},
                             upstream={"tls": {"ca": cls.ca.cert}})
        config["access_log"] = {"path": "@FOLDER@/access.log"}
        return config

    def test_echo(self):
        self.origin.on("/ws", echo_script)
        context = ssl.create_default_context(cafile=self.ca.cert)
        websocket = WebSocket(self.client(tls=context, server_name="test.example"))
        self.assertEqual(websocket.open().status, 101)
        for payload in (b"a", b"y" * 70_000, os.urandom(300_000)):
            self.assertEqual(websocket.echo(payload), payload)
        websocket.send(b"\x03\xe8", CLOSE)
        self.assertEqual(websocket.receive().opcode, CLOSE)
        websocket.client.expect_end()
        websocket.client.close()
        record = self.gateway.access_log(1)["/ws"]
        self.assertEqual((record["status"], record["upgraded"], record["tls_server_name"]),
                         (101, 1, "test.example"))
        self.assertGreater(record["request_bytes"], 370_001)
        self.assertGreater(record["response_bytes"], 370_001)


if __name__ == "__main__":
    unittest.main()
