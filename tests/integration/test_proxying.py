"""Messages on their way through: both ways, every framing, keep-alive, pipelining."""

import threading
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually
from support.wire import format_chunk, format_last_chunk


class Proxying(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, route={"body_max": 0}, workers=1)

    def test_get(self):
        seen = self.ask("GET", "/a/b?x=1&y=%20", {"X-Custom": "v", "Accept": "*/*"}).json()
        self.assertEqual((seen["method"], seen["target"], seen["version"]),
                         ("GET", "/a/b?x=1&y=%20", "HTTP/1.1"))
        fields = {name.lower(): value for name, value in seen["fields"]}
        self.assertEqual(fields["x-custom"], "v")
        self.assertEqual(fields["host"], "test.example")
        self.assertIsNone(seen["framing"])

    def test_methods(self):
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
            with self.subTest(method):
                self.assertEqual(self.ask(method, "/m").json()["method"], method)

    def test_post_with_length(self):
        response = self.ask("POST", "/p", body=b"hello")
        seen = response.json()
        self.assertEqual((seen["body"], seen["framing"]), ("hello", 5))

    def test_post_without_body(self):
        seen = self.ask("POST", "/p", body=b"").json()
        self.assertEqual((seen["body"], seen["framing"]), ("", 0))

    def test_body_in_single_bytes(self):
        client = self.client()
        message = client.head("POST", "/slow", {"Content-Length": "4"}) + b"abcd"
        for byte in message:
            client.send(bytes([byte]))
        self.assertEqual(client.read_response().json()["body"], "abcd")

    def test_head(self):
        self.origin.on("/h", lambda exchange: exchange.reply(200, {"X-A": "b"}, b"x" * 1234))
        client = self.client()
        response = client.request("HEAD", "/h")
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertEqual(response.header("content-length"), "1234")
        client.expect_alive()

    def test_bodiless_statuses(self):
        client = self.client()
        self.origin.on("/204", lambda exchange: exchange.head(204))
        self.origin.on("/304", lambda exchange: exchange.head(304, {"Content-Length": "77",
                                                                    "ETag": '"e"'}))
        self.assertEqual(client.request("GET", "/204").status, 204)
        self.assertEqual(client.request("GET", "/304").header("etag"), '"e"')
        client.expect_alive()

    def test_chunked_request(self):
        client = self.client()
        client.send(client.head("POST", "/c", {"Transfer-Encoding": "chunked"}))
        for piece in (b"one", b"two" * 1000, b"3"):
            client.send(format_chunk(piece, b";ext=1"))
        client.send(format_last_chunk())
        seen = client.read_response().json()
        self.assertEqual(seen["framing"], "chunked")
        self.assertEqual(seen["body"], "one" + "two" * 1000 + "3")
        client.expect_alive()

    def test_request_trailers(self):
        client = self.client()
        client.send(client.head("POST", "/t", {"Transfer-Encoding": "chunked",
                                               "Trailer": "X-Sum"}))
        client.send(format_chunk(b"data") + format_last_chunk([("X-Sum", "abc")]))
        self.assertEqual(client.read_response().json()["trailers"], [["X-Sum", "abc"]])

    def test_chunked_response_with_trailers(self):
        self.origin.on("/c", lambda exchange: exchange.reply_chunked(
            [b"a", b"b" * 70000, b"c"], trailers=[("X-Sum", "1")]))
        client = self.client()
        response = client.request("GET", "/c", {"TE": "trailers, deflate;q=0.5"})
        request = self.origin.requests[0]
        self.assertEqual((request.header("te"), request.header("connection")), ("trailers", "TE"))
        self.assertEqual(response.framing, "chunked")
        self.assertEqual(response.body, b"a" + b"b" * 70000 + b"c")
        self.assertEqual(response.trailers, [("X-Sum", "1")])
        client.expect_alive()

    def test_response_until_close_becomes_chunked(self):
        def script(exchange):
            exchange.head(200, {"Content-Type": "text/plain"})
            exchange.send(b"until the end")
            exchange.close()
        self.origin.on("/u", script)
        client = self.client()
        response = client.request("GET", "/u")
        self.assertEqual((response.framing, response.body), ("chunked", b"until the end"))
        client.expect_alive()

    def test_response_streams(self):
        """A piece arrives before the next is made."""
        taken = threading.Event()

        def script(exchange):
            exchange.head(200, {"Transfer-Encoding": "chunked"})
            exchange.send(format_chunk(b"first"))
            if taken.wait(20):
                exchange.send(format_chunk(b"second") + format_last_chunk())
        self.origin.on("/s", script)
        pieces = []

        def sink(piece):
            pieces.append(piece)
            taken.set()
        self.ask("GET", "/s", sink=sink)
        self.assertEqual(b"".join(pieces), b"firstsecond")

    def test_request_streams(self):
        """A piece of the request arrives before the client sends the next."""
        arrived = threading.Event()
        self.origin.on("/s", lambda exchange: exchange.reply(
            200, body=exchange.read_body(lambda piece: arrived.set())))
        client = self.client()
        client.send(client.head("POST", "/s", {"Content-Length": "8"}) + b"half")
        self.assertTrue(arrived.wait(20))
        client.send(b"rest")
        self.assertEqual(client.read_response().body, b"halfrest")

    def test_fields_pass_unchanged(self):
        fields = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Empty", ""),
                  ("X-Bytes", "caf\xe9"), ("x-lower", "l")]
        self.origin.on("/f", lambda exchange: exchange.reply(200, fields))
        response = self.ask("GET", "/f")
        self.assertEqual([pair for pair in response.fields if pair in fields], fields)
        self.assertEqual(response.reason, "Because")

    def test_hop_by_hop_fields_end_here(self):
        drop = [("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                ("Proxy-Connection", "keep-alive")]
        self.origin.on("/r", lambda exchange: exchange.reply(200, drop))
        response = self.ask("GET", "/r", drop)
        for name in ("x-hop", "keep-alive", "proxy-connection"):
            self.assertIsNone(response.header(name))
            self.assertIsNone(self.origin.requests[0].header(name))


class Informational(GatewayCase):
    def test_expect_continue(self):
        def script(exchange):
            exchange.head(100, reason="Continue")
            exchange.reply(200, body=exchange.read_body())
        self.origin.on("/e", script)
        client = self.client()
        client.send(client.head("POST", "/e", {"Expect": "100-continue", "Content-Length": "2"}))
        self.assertEqual(client.read_head().status, 100)
        client.send(b"ok")
        self.assertEqual(client.read_response().body, b"ok")

    def test_expect_continue_refused_by_the_upstream(self):
        self.origin.on("/e", lambda exchange: exchange.reply(403, {"Connection": "close"}, b"no"))
        client = self.client()
        client.send(client.head("POST", "/e", {"Expect": "100-continue", "Content-Length": "9"}))
        response = client.read_response()
        self.assertEqual((response.status, response.informational), (403, []))
        self.assertTrue(response.closes)

    def test_other_expectation(self):
        self.assert_problem(self.ask("POST", "/", {"Expect": "tea"}, b"x"), 417,
                            "bad_request.expectation")

    def test_early_hints(self):
        def script(exchange):
            exchange.head(103, {"Link": "</s.css>; rel=preload"})
            exchange.reply(200, body=b"page")
        self.origin.on("/h", script)
        response = self.ask("GET", "/h")
        self.assertEqual([head.status for head in response.informational], [103])
        self.assertEqual(response.informational[0].header("link"), "</s.css>; rel=preload")
        self.assertEqual(response.body, b"page")

    def test_informational_is_not_for_http10(self):
        def script(exchange):
            exchange.head(103, {"Link": "</s.css>"})
            exchange.reply(200, body=b"page")
        self.origin.on("/h", script)
        response = self.ask("GET", "/h", version="1.0")
        self.assertEqual((response.informational, response.body), ([], b"page"))


class Http10(GatewayCase):
    def test_closes_by_default(self):
        client = self.client()
        response = client.request("GET", "/", version="1.0")
        self.assertEqual(response.status, 200)
        client.expect_end()

    def test_keep_alive_on_request(self):
        client = self.client()
        response = client.request("GET", "/", {"Connection": "keep-alive"}, version="1.0")
        self.assertEqual(response.header("connection").lower(), "keep-alive")
        client.expect_alive()

    def test_never_chunked(self):
        self.origin.on("/c", lambda exchange: exchange.reply_chunked([b"a", b"b"]))
        client = self.client()
        response = client.request("GET", "/c", {"Connection": "keep-alive"}, version="1.0")
        self.assertEqual((response.framing, response.body), ("until close", b"ab"))

    def test_without_host(self):
        client = self.client()
        client.send(b"GET /n HTTP/1.0\r\n\r\n")
        self.assertEqual(client.read_response().status, 200)
        self.assertIsNotNone(self.origin.requests[0].header("host"))


class Connections(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, workers=1)

    def test_pipelined_responses_come_in_order(self):
        """Also when the first is the slowest."""
        second = threading.Event()

        def slow(exchange):
            second.wait(0.3)
            exchange.reply(200, body=b"0")
        self.origin.on("/0", slow)
        for number in range(1, 20):
            self.origin.on(f"/{number}", lambda exchange, body=str(number).encode(): (
                second.set(), exchange.reply(200, body=body)))
        client = self.client()
        client.send(b"".join(client.head("GET", f"/{number}") for number in range(20)))
        bodies = [client.read_response().body for _ in range(20)]
        self.assertEqual(bodies, [str(number).encode() for number in range(20)])

    def test_pipelined_bodies(self):
        client = self.client()
        client.send(b"".join(client.head("POST", f"/{n}", {"Content-Length": "3"}) + b"%03d" % n
                             for n in range(10)))
        self.assertEqual([client.read_response().json()["body"] for _ in range(10)],
                         [f"{n:03d}" for n in range(10)])

    def test_client_connection_is_reused(self):
        client = self.client()
        for number in range(50):
            self.assertEqual(client.request("GET", f"/{number}").status, 200)

    def test_upstream_connection_is_reused(self):
        seen = {self.ask("GET", "/").json()["connection"] for _ in range(20)}
        self.assertEqual(len(seen), 1)

    def test_connection_close(self):
        client = self.client()
        response = client.request("GET", "/", {"Connection": "close"})
        self.assertTrue(response.closes)
        client.expect_end()

    def test_upstream_close_is_not_the_clients(self):
        self.origin.on("/x", lambda exchange: (
            exchange.reply(200, {"Connection": "close"}, b"x"), exchange.close()))
        client = self.client()
        response = client.request("GET", "/x")
        self.assertFalse(response.closes)
        client.expect_alive()

    def test_early_response_small_rest(self):
        """The response comes before the body is sent: the rest is read, the connection goes on."""
        self.origin.on("/e", lambda exchange: exchange.reply(200, body=b"early"))
        client = self.client()
        client.send(client.head("POST", "/e", {"Content-Length": "1000"}) + b"x" * 10)
        self.assertEqual(client.read_response().body, b"early")
        client.send(b"x" * 990)
        client.expect_alive()

    def test_early_response_large_rest(self):
        """So much is left that the connection ends, and yet the response arrives whole."""
        def script(exchange):
            exchange.reply(413, {"Connection": "close"}, b"too much" * 1000)
            exchange.wait_for_end()
        self.origin.on("/e", script)
        client = self.client()
        client.send(client.head("POST", "/e", {"Content-Length": "8000000"}))
        client.send_all_or_end(b"x" * 1_000_000)
        response = client.read_response()
        self.assertEqual((response.status, response.body), (413, b"too much" * 1000))
        self.assertTrue(response.closes)

    def test_client_that_leaves_cancels_the_upstream(self):
        ended = threading.Event()
        self.origin.on("/w", lambda exchange: exchange.wait_for_end() and ended.set())
        client = self.client()
        client.send_request("GET", "/w")
        self.origin.wait_for_requests(1)
        client.close()
        self.assertTrue(ended.wait(20), "the upstream connection was not closed")
        eventually(lambda: self.gateway.active_requests() == 0, "no request is active")

    def test_unix_socket_both_sides(self):
        origin = self.start_origin(path=str(self.gateway.folder / "origin.sock"))
        gateway = self.start(make_config(origin, {"bind": "unix:@FOLDER@/web.sock"}))
        self.assertEqual(gateway.client().request("GET", "/u").json()["target"], "/u")


if __name__ == "__main__":
    unittest.main()
