"""Upstreams that fail or lie: the client gets 502, 503 or 504 with the right code, or a body that
is visibly cut off; never the upstream's confusion, and never another request's response."""

import socket
import threading
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually
from support.wire import Truncated, format_chunk

PROTOCOL = "upstream.protocol"
RESET = "upstream.reset"
OK = b"HTTP/1.1 200 OK\r\n"
# What a lying upstream would like the next client to take for its response.
SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Smuggled: 1\r\n\r\nbooty!"

# (name, the whole answer, code): the connection stays open after it.
LIES = [
    ("CL and TE", OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     PROTOCOL),
    ("two lengths", OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", PROTOCOL),
    ("the same length twice", OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", PROTOCOL),
    ("list of lengths", OK + b"Content-Length: 3, 3\r\n\r\nabc", PROTOCOL),
    ("signed length", OK + b"Content-Length: +3\r\n\r\nabc", PROTOCOL),
    ("unknown coding", OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", PROTOCOL),
    ("chunked is not last", OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", PROTOCOL),
    ("chunked in HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     PROTOCOL),
    ("bare LF", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", PROTOCOL),
    ("bare LF in a field", OK + b"X: a\nSet-Cookie: stolen=1\r\nContent-Length: 0\r\n\r\n",
     PROTOCOL),
    ("bare CR in a field", OK + b"X: a\rSet-Cookie: stolen=1\r\nContent-Length: 0\r\n\r\n",
     PROTOCOL),
    ("NUL in a field", OK + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n", PROTOCOL),
    ("folded field", OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", PROTOCOL),
    ("blank before the colon", OK + b"Content-Length : 0\r\n\r\n", PROTOCOL),
    ("no colon", OK + b"nonsense\r\n\r\n", PROTOCOL),
    ("no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n", PROTOCOL),
    ("HTTP/2", b"HTTP/2.0 200 OK\r\n\r\n", PROTOCOL),
    ("status of two digits", b"HTTP/1.1 20 OK\r\n\r\n", PROTOCOL),
    ("status of four digits", b"HTTP/1.1 2000 OK\r\n\r\n", PROTOCOL),
    ("status 099", b"HTTP/1.1 099 OK\r\n\r\n", PROTOCOL),
    ("status 600", b"HTTP/1.1 600 OK\r\n\r\n", PROTOCOL),
    ("control byte in the reason", b"HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n", PROTOCOL),
    ("101 that nobody asked for", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
     b"Upgrade: websocket\r\n\r\n", PROTOCOL),
    ("length in a 1xx", b"HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\nabc", PROTOCOL),
    ("head without end", OK + b"X: " + b"a" * 70000, PROTOCOL),
    ("too many fields", OK + b"".join(b"X-%d: a\r\n" % n for n in range(101)) + b"\r\n", PROTOCOL),
]


def answering(data, then_close=False):
    """A script that answers with exactly these bytes."""
    def script(exchange):
        exchange.read_body()
        exchange.send(data)
        if then_close:
            exchange.close()
        else:
            exchange.wait_for_end()
    return script


class Lies(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, route={"timeout": "10s"}, workers=1)

    def test_refused(self):
        for name, data, code in LIES:
            with self.subTest(name):
                self.origin.on("/lie", answering(data))
                client = self.client()
                response = client.request("GET", "/lie")
                self.assert_problem(response, 502, code)
                self.assertNotIn(b"stolen", response.body)
                client.expect_alive()  # it is not the client's fault
                client.close()

    def test_response_behind_the_response(self):
        """Response splitting: the second must not become the answer to anybody's next request."""
        first = OK + b"Content-Length: 2\r\n\r\nok"
        answers = (
            ("at once", first + SMUGGLED),
            ("behind 204", b"HTTP/1.1 204 No\r\n\r\n" + SMUGGLED),
            ("behind 304", b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n" + SMUGGLED))
        for name, data in answers:
            with self.subTest(name):
                self.origin.on("/split", answering(data))
                client = self.client()
                response = client.request("GET", "/split")
                self.assertIn(response.status, (200, 204, 304))
                for number in range(5):
                    after = client.request("GET", f"/after{number}")
                    self.assertEqual(after.json()["target"], f"/after{number}")
                client.close()

    def test_response_to_no_request(self):
        """Bytes on an idle upstream connection: it is closed, not used."""
        self.ask("GET", "/one")
        connection = self.origin.requests[-1].connection
        self.origin.wires[connection].send(SMUGGLED)
        eventually(lambda: connection not in self.origin.wires, "the connection is closed")
        for _ in range(3):
            self.assertEqual(self.ask("GET", "/two").json()["target"], "/two")

    def test_body_behind_a_head_response(self):
        self.origin.on("/h", answering(OK + b"Content-Length: 6\r\n\r\nbooty!"))
        client = self.client()
        self.assertEqual(client.request("HEAD", "/h").status, 200)
        self.assertEqual(client.request("GET", "/next").json()["target"], "/next")

    def test_bad_chunk(self):
        """The head has gone already: the client must see that the body is cut off."""
        self.origin.on("/c", answering(OK + b"Transfer-Encoding: chunked\r\n\r\n" +
                                       format_chunk(b"good") + b"zz\r\n"))
        client = self.client()
        with self.assertRaises(Truncated):
            client.request("GET", "/c")

    def test_fields_cannot_forge_the_connection(self):
        """Connection: keep-alive of a closing upstream is not the client's connection."""
        self.origin.on("/k", lambda exchange: exchange.reply(
            200, [("Connection", "close, X-Secret"), ("X-Secret", "1")], b"x"))
        response = self.ask("GET", "/k")
        self.assertIsNone(response.header("x-secret"))
        self.assertFalse(response.closes)


class Ends(GatewayCase):
    @classmethod
    def config(cls, origin):
        config = make_config(origin, upstream={"retry": {"attempts": 0}}, workers=1)
        for name, timeout in (("silent", "1s"), ("moving", "2s")):
            config["routes"].append({"name": name, "match": {"path": {"exact": f"/{name}"}},
                                     "upstream": "origin", "timeout": timeout,
                                     "stream_idle_timeout": timeout})
        return config

    def test_closes_before_its_response(self):
        self.origin.on("/x", lambda exchange: exchange.close())
        self.assert_problem(self.ask("GET", "/x"), 502, RESET)

    def test_resets_before_its_response(self):
        self.origin.on("/x", lambda exchange: exchange.reset())
        self.assert_problem(self.ask("GET", "/x"), 502, RESET)

    def test_ends_within_its_head(self):
        self.origin.on("/x", answering(OK + b"X: a", then_close=True))
        self.assert_problem(self.ask("GET", "/x"), 502, RESET)

    def test_ends_within_a_body_of_known_length(self):
        self.origin.on("/x", answering(OK + b"Content-Length: 10\r\n\r\nfive!", then_close=True))
        with self.assertRaises(Truncated):
            self.ask("GET", "/x")

    def test_ends_within_a_chunked_body(self):
        self.origin.on("/x", answering(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nfive!\r\n",
                                       then_close=True))
        with self.assertRaises(Truncated):
            self.ask("GET", "/x")

    def test_cut_off_is_visible_in_http10(self):
        """No framing is left to tell it: only a reset does."""
        self.origin.on("/x", answering(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nfive!\r\n",
                                       then_close=True))
        client = self.client()
        client.send_request("GET", "/x", version="1.0")
        self.assertEqual(client.end()[0], "reset")

    def test_silent(self):
        self.origin.on("/silent", lambda exchange: exchange.wait_for_end())
        client = self.client()
        self.assert_problem(client.request("GET", "/silent"), 504, "upstream.timeout")
        client.expect_alive()

    def test_silent_within_its_head(self):
        self.origin.on("/silent", answering(OK + b"X: a"))
        self.assert_problem(self.ask("GET", "/silent"), 504, "upstream.timeout")

    def test_silent_within_its_body(self):
        self.origin.on("/silent", answering(OK + b"Content-Length: 10\r\n\r\nfive!"))
        with self.assertRaises(Truncated):
            self.ask("GET", "/silent")

    def test_slow_but_moving(self):
        """A body may take longer than the timeouts as long as it moves."""
        def script(exchange):
            exchange.head(200, {"Content-Length": "6"})
            for _ in range(6):
                pause.wait(0.4)
                exchange.send(b"x")
        pause = threading.Event()
        self.origin.on("/moving", script)
        self.assertEqual(self.ask("GET", "/moving").body, b"x" * 6)


class Connects(GatewayCase):
    def test_refused(self):
        """Nothing listens there."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
            gateway = self.start(make_config(self.origin, upstream={"endpoints": [endpoint]}))
            response = gateway.client().request("POST", "/", body=b"x")
            self.assert_problem(response, 503, "upstream.connect")

    def test_next_endpoint(self):
        """A refused connect is tried at another endpoint, whatever the method."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            endpoints = [f"127.0.0.1:{taken.getsockname()[1]}", self.origin.endpoint]
            gateway = self.start(make_config(self.origin, upstream={"endpoints": endpoints}))
            for _ in range(10):
                response = gateway.client().request("POST", "/", {"Connection": "close"}, b"x")
                self.assertEqual(response.status, 200, response.body)

    def test_timeout(self):
        """A full backlog takes no connection: the handshake hangs."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            fillers = []
            self.addCleanup(lambda: [filler.close() for filler in fillers])
            for _ in range(4):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
                fillers.append(filler)
            endpoint = f"127.0.0.1:{listener.getsockname()[1]}"
            gateway = self.start(make_config(self.origin, upstream={
                "endpoints": [endpoint], "timeouts": {"connect": "200ms"},
                "retry": {"attempts": 0}}))
            response = gateway.client().request("GET", "/")
            self.assert_problem(response, 503, "upstream.connect")


class Replay(GatewayCase):
    """A pooled connection that its peer closes just when the next request goes out on it."""

    def setUp(self):
        super().setUp()
        # A pool of its own: what another test left in it would be a second request already.
        self.own = self.start(make_config(self.origin, workers=1))

    def client(self, *_, **options):
        return self.own.client(**options)

    def on_second_request(self, action):
        """A script: each connection serves one request well, the next one gets `action`."""
        def script(exchange):
            if exchange.request.index:
                exchange.read_body()
                action(exchange)
            else:
                exchange.reply(200, body=str(exchange.request.connection).encode())
        self.origin.on("/r", script)

    def test_idempotent_is_replayed(self):
        self.on_second_request(lambda exchange: exchange.close())
        client = self.client()
        for _ in range(5):
            self.assertEqual(client.request("GET", "/r").status, 200)

    def test_after_a_reset_too(self):
        self.on_second_request(lambda exchange: exchange.reset())
        client = self.client()
        for _ in range(5):
            self.assertEqual(client.request("GET", "/r").status, 200)

    def test_post_is_not(self):
        self.on_second_request(lambda exchange: exchange.close())
        client = self.client()
        self.assertEqual(client.request("POST", "/r", body=b"").status, 200)
        self.assert_problem(client.request("POST", "/r", body=b"x"), 502, RESET)

    def test_not_after_a_part_of_the_response(self):
        self.on_second_request(lambda exchange: (exchange.send(OK + b"X: a"), exchange.close()))
        client = self.client()
        self.assertEqual(client.request("GET", "/r").status, 200)
        self.assert_problem(client.request("GET", "/r"), 502, RESET)

    def test_server_that_closes_idle_connections(self):
        for _ in range(5):
            self.assertEqual(self.ask("GET", "/").status, 200)
            self.origin.close_connections()


if __name__ == "__main__":
    unittest.main()
