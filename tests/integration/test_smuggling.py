"""What two programs could read in two ways: each is refused with the right status and code, the
connection ends, and nothing of it reaches the origin."""

import dataclasses
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually, settled

HOST = b"Host: test.example\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
# What an attacker would like the origin to take for a request.
HIDDEN = b"GET /hidden HTTP/1.1\r\n" + HOST + b"\r\n"


@dataclasses.dataclass
class Attack:
    name: str
    data: bytes
    code: str
    status: int = 400
    starts: bool = False  # the head is fine: the upstream may have seen that much


def head(name, data, code="bad_request.header", status=400):
    return Attack(name, data, code, status)


def framing(name, fields, code="bad_request.framing", status=400):
    return Attack(name, POST + fields + b"\r\n" + b"0\r\n\r\n" + HIDDEN, code, status)


def chunk(name, body, code="bad_request.chunk", status=400):
    return Attack(name, CHUNKED + body + HIDDEN, code, status, starts=True)


LENGTH = "bad_request.framing"
LINE = "bad_request.request_line"
ATTACKS = [
    # Two framings, or one that is in doubt.
    framing("CL.TE", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    framing("TE.CL", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
    framing("CL 0 and TE", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
    framing("two lengths", b"Content-Length: 5\r\nContent-Length: 6\r\n"),
    framing("the same length twice", b"Content-Length: 5\r\nContent-Length: 5\r\n"),
    framing("list of lengths", b"Content-Length: 5, 5\r\n"),
    framing("length with a sign", b"Content-Length: +5\r\n"),
    framing("negative length", b"Content-Length: -5\r\n"),
    framing("hexadecimal length", b"Content-Length: 0x5\r\n"),
    framing("length with a blank", b"Content-Length: 5 5\r\n"),
    framing("length with an underscore", b"Content-Length: 1_0\r\n"),
    framing("fractional length", b"Content-Length: 5.0\r\n"),
    framing("empty length", b"Content-Length:\r\n"),
    framing("length over 2^64", b"Content-Length: 18446744073709551621\r\n"),
    framing("length over 2^63", b"Content-Length: 9223372036854775808\r\n"),
    framing("TE twice", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    framing("TE list of chunked", b"Transfer-Encoding: chunked, chunked\r\n"),
    framing("TE chunked is not last", b"Transfer-Encoding: chunked, gzip\r\n"),
    framing("TE empty", b"Transfer-Encoding:\r\n"),
    framing("TE with a leading comma", b"Transfer-Encoding: , chunked\r\n"),
    framing("TE with a parameter", b"Transfer-Encoding: chunked;q=1\r\n"),
    framing("TE in quotes", b'Transfer-Encoding: "chunked"\r\n'),
    framing("TE with a vertical tab", b"Transfer-Encoding: \x0bchunked\r\n", "bad_request.header"),
    framing("TE unknown", b"Transfer-Encoding: xchunked\r\n", "not_implemented", 501),
    framing("TE identity", b"Transfer-Encoding: identity\r\n", "not_implemented", 501),
    framing("TE gzip, chunked", b"Transfer-Encoding: gzip, chunked\r\n", "not_implemented", 501),
    Attack("TE in HTTP/1.0", b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
           b"0\r\n\r\n" + HIDDEN, LENGTH),
    # Field lines.
    framing("blank before the colon", b"Transfer-Encoding : chunked\r\n", "bad_request.header"),
    framing("tab before the colon", b"Content-Length\t: 5\r\n", "bad_request.header"),
    framing("folded line", b"Transfer-Encoding:\r\n chunked\r\n", "bad_request.header"),
    framing("folded first line", b"X: a\r\n\tTransfer-Encoding: chunked\r\n", "bad_request.header"),
    framing("NUL in a value", b"X: a\x00b\r\n", "bad_request.header"),
    framing("NUL in a name", b"X\x00: a\r\n", "bad_request.header"),
    framing("DEL in a value", b"X: a\x7fb\r\n", "bad_request.header"),
    framing("bare CR in a value", b"X: a\rTransfer-Encoding: chunked\r\n", "bad_request.header"),
    framing("bare LF ends a field", b"X: a\nTransfer-Encoding: chunked\r\n", "bad_request.header"),
    framing("no colon", b"Transfer-Encoding chunked\r\n", "bad_request.header"),
    framing("no name", b": chunked\r\n", "bad_request.header"),
    framing("byte above 0x7f in a name", b"Transfer-Enc\xf6ding: chunked\r\n",
            "bad_request.header"),
    framing("underscore in a name", b"Content_Length: 5\r\n", "bad_request.header"),
    framing("bracket in a name", b"X[]: 5\r\n", "bad_request.header"),
    head("bare LF ends the head", GET + b"X: a\r\n\n" + HIDDEN),
    head("white space before the first field", b"GET / HTTP/1.1\r\n " + HOST + b"\r\n"),
    framing("Connection names Content-Length",
            b"Connection: content-length\r\nContent-Length: 5\r\n",
            "bad_request.header"),
    framing("Connection names Host", b"Connection: host\r\n", "bad_request.header"),
    framing("Connection names X-Forwarded-For", b"Connection: x-forwarded-for\r\n",
            "bad_request.header"),
    # The request line.
    head("LF ends the request line", b"GET / HTTP/1.1\n" + HOST + b"\r\n", LINE),
    head("bare CR in the request line", b"GET /\r HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("two blanks", b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("tab in place of a blank", b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("blank in the target", b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("blank behind the version", b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n", LINE),
    head("NUL in the target", b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("no version", b"GET /\r\n" + HOST + b"\r\n", LINE),
    head("HTTP/0.9", b"GET /\r\n\r\n", LINE),
    head("method that is no token", b"G@T / HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("blank before the method", b" GET / HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("two empty lines before", b"\r\n\r\n" + GET + b"\r\n", LINE),
    head("relative target", b"GET admin HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("other scheme", b"GET ftp://test.example/ HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("asterisk with GET", b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("version in lower case", b"GET / http/1.1\r\n" + HOST + b"\r\n",
         "bad_request.version", 505),
    head("HTTP/1.2", b"GET / HTTP/1.2\r\n" + HOST + b"\r\n", "bad_request.version", 505),
    head("HTTP/01.1", b"GET / HTTP/01.1\r\n" + HOST + b"\r\n", "bad_request.version", 505),
    head("HTTP/2.0", b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", "bad_request.version", 505),
    head("almost the HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n",
         "bad_request.version", 505),
    head("TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, LINE),
    head("CONNECT", b"CONNECT test.example:443 HTTP/1.1\r\nHost: test.example:443\r\n\r\n",
         "not_implemented", 501),
    # Host.
    head("no Host", b"GET / HTTP/1.1\r\n\r\n", "bad_request.host"),
    head("two Hosts", GET + b"Host: other.example\r\n\r\n", "bad_request.host"),
    head("the same Host twice", GET + HOST + b"\r\n", "bad_request.host"),
    head("empty Host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", "bad_request.host"),
    head("list of Hosts", b"GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n",
         "bad_request.host"),
    head("user in Host", b"GET / HTTP/1.1\r\nHost: a@test.example\r\n\r\n", "bad_request.host"),
    head("path in Host", b"GET / HTTP/1.1\r\nHost: test.example/x\r\n\r\n", "bad_request.host"),
    head("bad port in Host", b"GET / HTTP/1.1\r\nHost: test.example:80x\r\n\r\n",
         "bad_request.host"),
    head("Host is not the target's",
         b"GET http://other.example/ HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.host"),
    # The path.
    head("bad escape", b"GET /%zz HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.path"),
    head("cut escape", b"GET /a%2 HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.path"),
    head("escaped NUL", b"GET /%00 HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.path"),
    head("escaped CRLF", b"GET /a%0d%0aX:y HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.path"),
    head("escaped slash", b"GET /a%2fb HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.path"),
    head("escaped backslash", b"GET /a%5Cb HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.path"),
    head("backslash", b"GET /a\\..\\b HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.path"),
    head("fragment", b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n", LINE),
    head("above the root", b"GET /a/../../b HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.path"),
    head("above the root, escaped", b"GET /%2e%2e/b HTTP/1.1\r\n" + HOST + b"\r\n",
         "bad_request.path"),
    head("dots with parameters", b"GET /a/..;/b HTTP/1.1\r\n" + HOST + b"\r\n", "bad_request.path"),
    # Chunked bodies.
    chunk("no chunk size", b"\r\n"),
    chunk("chunk size is no number", b"zz\r\n"),
    chunk("chunk size with 0x", b"0x3\r\nabc\r\n0\r\n\r\n"),
    chunk("negative chunk size", b"-1\r\n"),
    chunk("chunk size with a sign", b"+3\r\nabc\r\n0\r\n\r\n"),
    chunk("blank before the chunk size", b" 3\r\nabc\r\n0\r\n\r\n"),
    chunk("chunk size over 2^64", b"10000000000000003\r\nabc\r\n0\r\n\r\n"),
    chunk("chunk size ends in a bare LF", b"3\nabc\r\n0\r\n\r\n"),
    chunk("chunk size ends in a bare CR", b"3\rabc\r\n0\r\n\r\n"),
    chunk("chunk is longer than it says", b"3\r\nabcd\r\n0\r\n\r\n"),
    chunk("chunk ends in a bare LF", b"3\r\nabc\n0\r\n\r\n"),
    chunk("bare LF in an extension", b"3;a\nb\r\nabc\r\n0\r\n\r\n"),
    chunk("bare CR in an extension", b"3;a\rb\r\nabc\r\n0\r\n\r\n"),
    chunk("NUL in an extension", b"3;a\x00b\r\nabc\r\n0\r\n\r\n"),
    chunk("last chunk ends in a bare LF", b"0\n\r\n"),
]


class Attacks(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, route={"timeout": "10s"})

    def refused(self, attack, pieces):
        client = self.client()
        for piece in pieces:
            if not client.send_all_or_end(piece):
                break
        response = client.read_response()
        self.assert_problem(response, attack.status, attack.code)
        self.assertTrue(response.closes, "the connection must not go on")
        how, rest = client.end()
        self.assertEqual(rest, b"", "one reply and no more")
        client.close()
        return how

    def check_origin(self, attack):
        seen = [request for request in self.origin.requests if request.complete]
        self.assertEqual(seen, [], "a request reached the origin")
        self.assertNotIn("/hidden", self.origin.targets())
        if not attack.starts:
            self.assertEqual(self.origin.requests, [])

    def test_at_once(self):
        for attack in ATTACKS:
            with self.subTest(attack.name):
                self.origin.clear()
                self.refused(attack, [attack.data])
                self.check_origin(attack)

    def test_in_two_pieces(self):
        """The verdict must not hang on where the network cuts."""
        for attack in ATTACKS:
            with self.subTest(attack.name):
                self.origin.clear()
                middle = len(attack.data) // 2
                self.refused(attack, [attack.data[:middle], attack.data[middle:]])
                self.check_origin(attack)

    def test_behind_a_good_request(self):
        """Pipelined: the good one is answered, then comes the refusal."""
        for attack in ATTACKS:
            with self.subTest(attack.name):
                self.origin.clear()
                client = self.client()
                client.send_all_or_end(client.head("GET", "/good") + attack.data)
                self.assertEqual(client.read_response().status, 200)
                self.assert_problem(client.read_response(), attack.status, attack.code)
                self.assertEqual(client.end()[1], b"")
                client.close()
                self.assertEqual([request.target for request in self.origin.requests
                                  if request.complete], ["/good"])

    def test_origin_sees_nothing_late(self):
        """Also after all connections have ended nothing comes through."""
        for attack in ATTACKS:
            client = self.client()
            client.send_all_or_end(attack.data)
            client.end()
            client.close()
        settled(lambda: len(self.origin.requests))
        self.assertNotIn("/hidden", self.origin.targets())
        self.assertFalse([request for request in self.origin.requests if request.complete])


class Harmless(GatewayCase):
    """Neighbours of the attacks that are good HTTP."""

    def served(self, data):
        client = self.client()
        client.send(data)
        response = client.read_response()
        self.assertEqual(response.status, 200, response.body)
        client.expect_alive()
        return response.json()

    def test_one_empty_line_before(self):
        self.served(b"\r\n" + GET + b"\r\n")

    def test_white_space_around_a_value(self):
        seen = self.served(POST + b"Content-Length: \t 2 \t\r\n\r\nab")
        self.assertEqual(seen["body"], "ab")

    def test_chunked_in_capitals(self):
        seen = self.served(POST + b"TRANSFER-ENCODING: Chunked\r\n\r\n"
                           b"2;x=\"y\"\r\nab\r\n000\r\n\r\n")
        self.assertEqual(seen["body"], "ab")

    def test_absolute_form(self):
        seen = self.served(b"GET http://test.example/a?b HTTP/1.1\r\n" + HOST + b"\r\n")
        self.assertEqual(seen["target"], "/a?b")

    def test_options_asterisk(self):
        seen = self.served(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n")
        self.assertEqual(seen["target"], "*")

    def test_body_that_looks_like_a_request(self):
        body = HIDDEN * 3
        client = self.client()
        self.assertEqual(client.request("POST", "/b", body=body).status, 200)
        client.expect_alive()
        self.assertEqual(self.origin.targets(), ["/b", "/alive"])

    def test_client_that_ends_within_a_body(self):
        """A body that never became complete is not passed on as complete."""
        bodies = (b"Content-Length: 100\r\n\r\nhalf",
                  b"Transfer-Encoding: chunked\r\n\r\n64\r\nhalf")
        for number, body in enumerate(bodies, 1):
            client = self.client()
            client.send(POST + body)
            self.origin.wait_for_requests(number, complete=False)
            client.close()
        eventually(lambda: len(self.origin.refused) == 2, "the origin saw both cut off")
        self.assertFalse([request for request in self.origin.requests if request.complete])


if __name__ == "__main__":
    unittest.main()
