"""Memory stays small whatever passes through. HANGU_TEST_MEMORY_MIB (1024): size of a body."""

import os
import selectors
import socket
import threading
import unittest

from support.case import GatewayCase
from support.client import Client
from support.gateway import make_config, sanitized
from support.wait import eventually
from support.websocket import WebSocket
from support.wire import format_chunk, format_last_chunk

MIB = 1024 * 1024
SIZE = int(os.environ.get("HANGU_TEST_MEMORY_MIB", "1024")) * MIB
RSS_MAX = 64 * MIB
BLOCK = bytes(MIB)


def swallow(exchange):
    """Counts the body without keeping or hashing it."""
    framing = exchange.request.framing
    wire = exchange.wire
    pieces = wire.chunks() if framing == "chunked" else wire.pieces(framing)
    size = sum(len(piece) for piece in pieces)
    exchange.request.complete = True
    exchange.reply(200, body=str(size).encode())


class Memory(GatewayCase):
    @classmethod
    def setUpClass(cls):
        if sanitized():
            raise unittest.SkipTest("a sanitizer's memory is not the gateway's")
        super().setUpClass()

    @classmethod
    def config(cls, origin):
        return make_config(origin, route={"body_max": 0, "timeout": "2m",
                                          "match": {"methods": ["GET", "PUT", "POST"]}})

    def setUp(self):
        super().setUp()
        self.origin.on("/up", swallow)
        self.origin.on("/down", lambda exchange: exchange.reply_bytes(SIZE))

    def check(self):
        self.assertLess(self.gateway.memory("VmHWM"), RSS_MAX)

    def test_upload(self):
        client = self.client()
        client.send(client.head("PUT", "/up", {"Content-Length": str(SIZE)}))
        for _ in range(SIZE // MIB):
            client.send(BLOCK)
        self.assertEqual(int(client.read_response().body), SIZE)
        self.check()

    def test_pipelined_requests_whose_answers_nobody_takes(self):
        """The gateway stops reading: answers of its own do not pile up either."""
        client = self.client()
        client.wire.socket.settimeout(1)
        # The demand is refused by the gateway itself: no upstream slows it down.
        requests = client.head("HEAD", "/nobody") * 1000
        sent = 0
        with self.assertRaises(TimeoutError):
            while sent < 256 * MIB:
                sent += client.wire.socket.send(requests)
        self.check()

    def test_chunked_upload(self):
        client = self.client()
        client.send(client.head("PUT", "/up", {"Transfer-Encoding": "chunked"}))
        piece = format_chunk(BLOCK)
        for _ in range(SIZE // MIB // 4):
            client.send(piece)
        client.send(format_last_chunk())
        self.assertEqual(int(client.read_response().body), SIZE // MIB // 4 * MIB)
        self.check()

    def test_download(self):
        response = self.ask("GET", "/down", sink=lambda piece: None)
        self.assertEqual(response.body_bytes, SIZE)
        self.check()

    def test_slow_readers(self):
        """Twenty clients that take nothing: each costs no more than the watermark."""
        clients = [self.client(receive_buffer=16384) for _ in range(20)]
        for client in clients:
            client.send_request("GET", "/down")
        self.origin.wait_for_requests(20)
        for client in clients:
            client.read_head()
        self.check()
        self.gateway.close_clients()
        eventually(lambda: self.gateway.connections() == 0, "all are closed")

    def test_many_idle_connections(self):
        clients = [self.client() for _ in range(100)]
        for client in clients:
            client.expect_alive()
        before = self.gateway.memory()
        address = self.gateway.listener()
        idle = [Client(address) for _ in range(500)]
        for client in idle:
            self.addCleanup(client.close)
        eventually(lambda: self.gateway.connections() >= 600, "all are accepted")
        self.assertLess(self.gateway.memory() - before, 500 * 16 * 1024)


class EchoOrigin:
    """Switches protocols at once and sends everything back: a thread for all connections."""

    ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n" \
        b"Upgrade: websocket\r\n\r\n"

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.endpoint = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.heads = {}  # of connections that have not switched yet
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.stopping = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping:
            for key, _ in self.selector.select(0.1):
                if key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    self.heads[connection] = b""
                    self.selector.register(connection, selectors.EVENT_READ)
                else:
                    self.serve(key.fileobj)

    def serve(self, connection):
        try:
            data = connection.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.selector.unregister(connection)
            connection.close()
        elif connection not in self.heads:
            connection.sendall(data)
        else:
            self.heads[connection] += data
            if self.heads[connection].endswith(b"\r\n\r\n"):
                del self.heads[connection]
                connection.sendall(self.ANSWER)

    def stop(self):
        self.stopping = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


class TunnelMemory(GatewayCase):
    """What a tunnel costs that rests, with everything that the access log will say of it."""

    COUNT = 1000
    EACH_MAX = 2048

    @classmethod
    def setUpClass(cls):
        if sanitized():
            raise unittest.SkipTest("a sanitizer's memory is not the gateway's")
        super().setUpClass()

    @classmethod
    def make_origin(cls):
        return EchoOrigin()

    @classmethod
    def config(cls, origin):
        return make_config(origin, workers=1, access_log={"path": "@FOLDER@/access.log"})

    def setUp(self):
        self.addCleanup(self.gateway.close_clients)

    def open(self):
        websocket = WebSocket(self.gateway.client())
        websocket.client.send(websocket.request_head(fields=[("User-Agent", "test/1")]))
        self.assertEqual(websocket.client.read_response().status, 101)
        return websocket

    def test_bytes_of_a_tunnel(self):
        first = [self.open() for _ in range(self.COUNT // 2)]
        for websocket in first:
            self.assertEqual(websocket.echo(b"x" * 58), b"x" * 58)
        before = self.gateway.memory("RssAnon")
        address = self.gateway.listener()
        self.gateway.listener = lambda name="web": address  # not asked for a thousand times
        second = [self.open() for _ in range(self.COUNT)]
        for websocket in second + first:
            self.assertEqual(websocket.echo(b"x" * 58), b"x" * 58)
        each = (self.gateway.memory("RssAnon") - before) / self.COUNT
        self.assertLessEqual(each, self.EACH_MAX)


if __name__ == "__main__":
    unittest.main()
