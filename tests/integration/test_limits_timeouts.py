"""Limits in size and in time: status and code of each, at its edge; no upstream is bothered."""

import threading
import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually
from support.wire import format_chunk, format_last_chunk


class Sizes(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, {"limits": {"request_line": "1KiB", "header_line": "2KiB",
                                               "headers": "4KiB", "headers_count": 20}},
                           route={"body_max": "10KiB"})

    def refused(self, data, status, code):
        client = self.client()
        client.send_all_or_end(data)
        response = client.read_response()
        self.assert_problem(response, status, code)
        self.assertTrue(response.closes)
        self.assertEqual(client.end()[1], b"")
        client.close()
        self.assertNotIn("/over", self.origin.targets())

    def test_request_line(self):
        fixed = len("GET / HTTP/1.1")
        self.assertEqual(self.ask("GET", "/" + "a" * (1024 - fixed)).status, 200)
        self.refused(b"GET /over" + b"a" * 1024 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "limit.uri")

    def test_request_line_without_end(self):
        self.refused(b"GET /over" + b"a" * 100_000, 414, "limit.uri")

    def test_header_line(self):
        self.assertEqual(self.ask("GET", "/", {"X-A": "a" * (2048 - len("X-A: "))}).status, 200)
        self.refused(b"GET /over HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 2048 + b"\r\n\r\n", 431,
                     "limit.headers")

    def test_header_line_without_end(self):
        self.refused(b"GET /over HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 100_000, 431,
                     "limit.headers")

    def test_all_headers(self):
        lines = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 990) for number in range(5))
        self.refused(b"GET /over HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n", 431, "limit.headers")

    def test_headers_count(self):
        fields = [(f"X-{number}", "a") for number in range(19)]  # and Host
        self.assertEqual(self.ask("GET", "/", fields).status, 200)
        lines = b"".join(b"X-%d: a\r\n" % number for number in range(20))
        self.refused(b"GET /over HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n", 431, "limit.headers")

    def test_body_of_known_length(self):
        self.assertEqual(self.ask("POST", "/", body=b"x" * 10240).status, 200)
        self.refused(b"POST /over HTTP/1.1\r\nHost: a\r\nContent-Length: 10241\r\n\r\n" +
                     b"x" * 10241, 413, "limit.body")

    def test_body_is_refused_before_it_comes(self):
        self.refused(b"POST /over HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000\r\n\r\n", 413,
                     "limit.body")

    def test_chunked_body(self):
        client = self.client()
        client.send(client.head("POST", "/c", {"Transfer-Encoding": "chunked"}))
        for _ in range(10):
            client.send(format_chunk(b"x" * 1024))
        client.send(format_last_chunk())
        self.assertEqual(client.read_response().status, 200)
        self.origin.clear()
        client.send(client.head("POST", "/c", {"Transfer-Encoding": "chunked"}))
        client.send(format_chunk(b"x" * 1024))
        self.origin.wait_for_requests(1, complete=False)
        for _ in range(10):
            client.send_all_or_end(format_chunk(b"x" * 1024))
        self.assert_problem(client.read_response(), 413, "limit.body")
        client.end()
        eventually(lambda: self.origin.refused, "the origin saw the body cut off")
        self.assertFalse(self.origin.requests[0].complete)

    def test_trailers(self):
        client = self.client()
        client.send(client.head("POST", "/c", {"Transfer-Encoding": "chunked"}) + b"0\r\n")
        for number in range(200):
            if not client.send_all_or_end(b"X-%d: " % number + b"a" * 1000 + b"\r\n"):
                break
        self.assertIn(client.read_response().status, (400, 431))
        self.assertFalse([request for request in self.origin.requests if request.complete])


class Counts(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, {"limits": {"requests_per_connection": 3}, "connections_max": 4},
                           workers=1)

    def setUp(self):
        super().setUp()
        eventually(lambda: self.gateway.connections() == 0, "the last test's connections are gone")

    def test_requests_per_connection(self):
        client = self.client()
        closes = [client.request("GET", f"/{number}").closes for number in range(3)]
        self.assertEqual(closes, [False, False, True])
        client.expect_end()

    def test_connections(self):
        clients = [self.client() for _ in range(4)]
        for client in clients:
            client.expect_alive()
        over = self.client()
        over.send_all_or_end(over.head("GET", "/over"))
        self.assertEqual(over.end()[1], b"")
        clients[0].close()
        eventually(lambda: self.gateway.connections() < 4, "there is room again")
        self.client().expect_alive()


class ClientTimeouts(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, {"timeouts": {"header": "400ms", "body_idle": "400ms",
                                                 "idle": "400ms", "write_idle": "1s"}},
                           route={"stream_idle_timeout": "20s", "timeout": "20s", "body_max": 0})

    def test_head(self):
        client = self.client()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        response = client.read_response()
        self.assert_problem(response, 408, "client.timeout")
        self.assertTrue(response.closes)
        client.expect_end()

    def test_head_byte_by_byte(self):
        """Bytes that trickle do not extend the time for the head."""
        client = self.client()
        pause = threading.Event()
        begin = time.monotonic()
        for byte in client.head("GET", "/" + "a" * 500):
            if client.wire.end or not client.send_all_or_end(bytes([byte])):
                break
            pause.wait(0.02)
            if time.monotonic() - begin > 5:
                self.fail("the head may take longer than its time")
        self.assertNotIn(b" 200 ", client.end()[1])
        self.assertEqual(self.origin.requests, [])

    def test_body(self):
        client = self.client()
        client.send(client.head("POST", "/", {"Content-Length": "10"}) + b"half")
        self.assert_problem(client.read_response(), 408, "client.timeout")
        client.expect_end()
        eventually(lambda: self.origin.refused, "the origin saw the body cut off")

    def test_slow_body(self):
        """It may take long in all, as long as it moves."""
        gateway = self.start(make_config(self.origin, {"timeouts": {"body_idle": "2s"}}))
        client = gateway.client()
        client.send(client.head("POST", "/", {"Content-Length": "6"}))
        pause = threading.Event()
        for _ in range(6):
            pause.wait(0.4)
            client.send(b"x")
        self.assertEqual(client.read_response().json()["body"], "x" * 6)

    def test_idle(self):
        client = self.client()
        client.expect_alive()
        client.expect_end()

    def test_idle_from_the_first(self):
        self.client().expect_end()

    def test_slow_response_is_not_idle(self):
        def script(exchange):
            threading.Event().wait(1)
            exchange.reply(200, body=b"late")
        self.origin.on("/slow", script)
        self.assertEqual(self.ask("GET", "/slow").body, b"late")

    def test_client_that_takes_nothing(self):
        ended = threading.Event()

        def script(exchange):
            try:
                exchange.reply_bytes(256 * 1024 * 1024)
            finally:
                ended.set()
        self.origin.on("/big", script)
        client = self.client(receive_buffer=4096)
        client.send_request("GET", "/big")
        self.assertTrue(ended.wait(20), "the response was not given up")


class PoolTimeouts(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, workers=1, upstream={
            "timeouts": {"idle": "2s"}, "pool": {"requests_per_connection": 2}})

    def test_pooled_connections_end(self):
        self.ask("GET", "/")
        self.origin.wait_until_idle()

    def setUp(self):
        super().setUp()
        eventually(lambda: self.gateway.connections() == 0, "the last test's connections are gone")

    def test_requests_per_connection(self):
        client = self.client()
        seen = [client.request("GET", "/").json()["connection"] for _ in range(4)]
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[2], seen[3])
        self.assertNotEqual(seen[1], seen[2])


if __name__ == "__main__":
    unittest.main()
