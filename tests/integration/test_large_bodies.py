"""Bodies so large that they pass without being copied: intact, counted, held back by a slow peer,
and cut off cleanly when one side leaves."""

import hashlib
import os
import socket
import threading
import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config, sanitized
from support.json_log import records_of
from support.origin import echo
from support.wait import eventually, settled
from support.wire import Truncated, format_chunk, format_last_chunk

MIB = 1024 * 1024
LARGE = int(os.environ.get("HANGU_TEST_LARGE_MIB", "100")) * MIB
RSS_MAX = 64 * MIB


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


class LargeBodies(GatewayCase):
    @classmethod
    def config(cls, origin):
        config = make_config(origin, route={"body_max": 0, "timeout": "2m"}, workers=1)
        config["access_log"] = {"path": "@FOLDER@/access.log"}
        return config

    def record_of(self, path):
        """The access log's record of the only request for `path`."""
        def find():
            return [each for each in records_of(self.gateway.folder / "access.log")
                    if each["path"] == path]
        records = eventually(find, "the request is logged")
        self.assertEqual(len(records), 1)
        return records[0]

    def check_memory(self):
        if not sanitized():
            self.assertLess(self.gateway.memory("VmHWM"), RSS_MAX)

    def test_download(self):
        self.origin.on("/download", lambda exchange: exchange.reply_bytes(LARGE))
        digest = hashlib.sha256()
        response = self.ask("GET", "/download", sink=digest.update)
        self.assertEqual(response.body_bytes, LARGE)
        expected = hashlib.sha256(bytes(range(256)) * (LARGE // 256))
        self.assertEqual(digest.hexdigest(), expected.hexdigest())
        self.assertEqual(self.record_of("/download")["response_bytes"], LARGE)
        self.check_memory()

    def test_upload(self):
        block = os.urandom(MIB)
        digest = hashlib.sha256()
        client = self.client()
        client.send(client.head("PUT", "/upload", {"Content-Length": str(LARGE)}))
        for _ in range(LARGE // len(block)):
            digest.update(block)
            client.send(block)
        seen = client.read_response().json()
        self.assertEqual((seen["body_bytes"], seen["digest"]), (LARGE, digest.hexdigest()))
        self.assertEqual(self.record_of("/upload")["request_bytes"], LARGE)
        self.check_memory()

    def test_every_size_on_one_connection(self):
        """Around each border between copying and splicing, up and down, responses told apart."""
        client = self.client()
        data = os.urandom(2 * MIB)
        for size in (1, 16_383, 16_385, 32_767, 32_768, 49_152, 65_536, 65_537, 262_144, 262_145,
                     300_001, 2 * MIB):
            with self.subTest(size):
                body = data[:size]
                self.origin.on(f"/{size}", lambda exchange: exchange.reply(
                    200, {"X-Digest": digest_of(body)}, exchange.read_body()))
                self.origin.on(f"/d{size}", lambda exchange: exchange.reply(200, body=body))
                for _ in range(3):
                    seen = client.request("PUT", f"/u{size}", body=body).json()
                    self.assertEqual(seen["digest"], digest_of(body))
                    response = client.request("GET", f"/d{size}")
                    self.assertEqual(digest_of(response.body), digest_of(body))
        client.expect_alive()

    def test_pipelined(self):
        """What follows a spliced body on its connection is the next message."""
        body = os.urandom(300_000)
        self.origin.on("/d", lambda exchange: exchange.reply(200, body=body))
        client = self.client()
        put = client.head("PUT", "/u", {"Content-Length": str(len(body))}) + body
        get = client.head("GET", "/d")
        thread = threading.Thread(target=client.send, args=[(put + get) * 4])
        thread.start()
        for _ in range(4):
            self.assertEqual(client.read_response().json()["digest"], digest_of(body))
            self.assertEqual(digest_of(client.read_response().body), digest_of(body))
        thread.join()

    def test_many_at_once(self):
        """More slow readers than there are pipes: those without one are copied for."""
        body = bytes(range(256)) * 16_384
        self.origin.on("/d", lambda exchange: exchange.reply(200, body=body))
        clients = [self.client(receive_buffer=16384) for _ in range(150)]
        for client in clients:
            client.send_request("GET", "/d")
        self.origin.wait_for_requests(150, complete=False)
        self.assertEqual(self.ask("GET", "/d").body, body)
        for client in clients:
            digest = hashlib.sha256()
            client.read_response(sink=digest.update)
            self.assertEqual(digest.hexdigest(), digest_of(body))
        self.check_memory()

    def test_chunked_upload(self):
        piece = format_chunk(b"q" * 99_999)
        client = self.client()
        client.send(client.head("PUT", "/c", {"Transfer-Encoding": "chunked"}))
        for _ in range(200):
            client.send(piece)
        client.send(format_last_chunk())
        self.assertEqual(client.read_response().json()["body_bytes"], 200 * 99_999)

    def test_slow_reader_holds_the_upstream_back(self):
        """What the client does not take stays with the origin, not in the gateway's memory."""
        # A gateway of its own: the kernel lets the receive buffers of busy connections grow.
        gateway = self.start(self.config(self.origin))
        sent = []
        self.origin.on("/s", lambda exchange: (
            sent.append(exchange), exchange.reply_bytes(64 * MIB)))
        client = gateway.client(receive_buffer=65536)
        client.send_request("GET", "/s")
        eventually(lambda: sent and sent[0].sent_bytes > 0, "the response began")
        stuck_at = settled(lambda: sent[0].sent_bytes, quiet=1)
        self.assertLess(stuck_at, 32 * MIB)
        response = client.read_response(sink=lambda piece: None)
        self.assertEqual(response.body_bytes, 64 * MIB)

    def test_slow_upstream_holds_the_client_back(self):
        go_on = threading.Event()
        self.origin.on("/s", lambda exchange: (go_on.wait(20), echo(exchange)))
        client = self.start(self.config(self.origin)).client()
        client.send(client.head("PUT", "/s", {"Content-Length": str(64 * MIB)}))
        sent = 0
        client.wire.socket.settimeout(1)
        try:
            while sent < 64 * MIB:
                sent += client.wire.socket.send(b"u" * 65536)
        except socket.timeout:
            pass
        self.assertLess(sent, 32 * MIB)
        client.wire.socket.settimeout(20)
        go_on.set()
        client.send(b"u" * (64 * MIB - sent))
        self.assertEqual(client.read_response().json()["digest"], digest_of(b"u" * (64 * MIB)))

    def test_slow_upstream_is_not_the_clients_fault(self):
        """`body_idle` is for clients that send nothing, not for those that may not."""
        self.origin.on("/idle", lambda exchange: (time.sleep(3), echo(exchange)))
        gateway = self.start(make_config(self.origin, {"timeouts": {"body_idle": "1s"}},
                                         route={"body_max": 0}))
        client = gateway.client()
        client.send(client.head("PUT", "/idle", {"Content-Length": str(32 * MIB)}))
        sender = threading.Thread(target=client.send, args=[b"u" * (32 * MIB)])
        sender.start()
        response = client.read_response()
        sender.join()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.json()["digest"], digest_of(b"u" * (32 * MIB)))

    def test_upstream_that_dies_in_the_body(self):
        def script(exchange):
            exchange.head(200, [("Content-Length", str(8 * MIB))])
            exchange.send(b"x" * MIB)
            exchange.close()
        self.origin.on("/cut", script)
        client = self.client()
        client.send_request("GET", "/cut")
        with self.assertRaises(Truncated):
            client.read_response(sink=lambda piece: None)
        record = self.record_of("/cut")
        self.assertEqual((record["status"], record["failure"]), (200, "upstream"))
        self.assertEqual(record["response_bytes"], MIB)

    def test_client_that_leaves_in_the_upload(self):
        ended = threading.Event()

        def script(exchange):
            try:
                exchange.read_body()
            finally:
                ended.set()
        self.origin.on("/left", script)
        client = self.client()
        client.send(client.head("PUT", "/left", {"Content-Length": str(8 * MIB)}) + b"x" * MIB)
        self.origin.wait_for_requests(1, complete=False)
        client.close()
        self.assertTrue(ended.wait(20), "the upstream connection was not closed")
        self.assertEqual(self.record_of("/left")["request_bytes"], MIB)

    def test_client_that_leaves_in_the_download(self):
        ended = threading.Event()

        def script(exchange):
            try:
                exchange.reply_bytes(1024 * MIB)
            except OSError:
                ended.set()
                raise
        self.origin.on("/gone", script)
        client = self.client()
        client.send_request("GET", "/gone")
        client.read_head()
        client.close()
        self.assertTrue(ended.wait(20), "the upstream connection was not closed")
        eventually(lambda: self.gateway.active_requests() == 0, "no request is active")

    def test_early_response_in_the_upload(self):
        """The upstream has seen enough: its answer arrives although the body went on."""
        def script(exchange):
            exchange.wire.take(100_000)
            exchange.reply(413, {"Connection": "close"}, b"enough")
            exchange.wait_for_end()
        self.origin.on("/early", script)
        client = self.client()
        client.send(client.head("PUT", "/early", {"Content-Length": str(64 * MIB)}))
        client.send_all_or_end(b"x" * (2 * MIB))
        response = client.read_response()
        self.assertEqual((response.status, response.body), (413, b"enough"))
        self.assertTrue(response.closes)

    def test_body_limit_holds(self):
        gateway = self.start(make_config(self.origin, route={"body_max": "1MiB"}))
        client = gateway.client()
        self.assertEqual(client.request("PUT", "/", body=b"x" * MIB).status, 200)
        client.send(client.head("PUT", "/", {"Content-Length": str(MIB + 1)}))
        self.assert_problem(client.read_response(), 413, "limit.body")


if __name__ == "__main__":
    unittest.main()
