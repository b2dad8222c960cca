"""The PROXY protocol: demanded of the listed peers, refused from all others."""

import unittest

from support import proxy_protocol
from support.case import GatewayCase
from support.gateway import make_config
from support.proxy_protocol import v1, v1_unknown, v2


class FromListed(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, {"proxy_protocol": {"from": ["127.0.0.1"]},
                                    "timeouts": {"header": "500ms"}})

    def real_ip(self, header, pieces=1):
        client = self.client()
        data = header + client.head("GET", "/")
        size = -(-len(data) // pieces)
        for begin in range(0, len(data), size):
            client.send(data[begin:begin + size])
        response = client.read_response()
        self.assertEqual(response.status, 200)
        client.expect_alive()  # it comes once a connection
        client.close()
        return self.origin.requests[0].header("x-real-ip")

    def test_addresses(self):
        for name, header, expected in (
                ("v1 IPv4", v1("203.0.113.9"), "203.0.113.9"),
                ("v1 IPv6", v1("2001:db8::9", "2001:db8::1"), "2001:db8::9"),
                ("v1 UNKNOWN", v1_unknown(), "127.0.0.1"),
                ("v2 IPv4", v2("203.0.113.9"), "203.0.113.9"),
                ("v2 IPv6", v2("2001:db8::9"), "2001:db8::9"),
                ("v2 LOCAL", v2(command=proxy_protocol.LOCAL), "127.0.0.1"),
                ("v2 LOCAL with addresses", v2("203.0.113.9", command=proxy_protocol.LOCAL),
                 "127.0.0.1"),
                ("v2 with TLVs", v2("203.0.113.9", tlvs=proxy_protocol.tlv(0x02, b"a.example") +
                                    proxy_protocol.tlv(0xE0, b"x" * 1000)), "203.0.113.9")):
            for pieces in (1, 2, len(header)):
                with self.subTest(name, pieces=pieces):
                    self.origin.clear()
                    self.assertEqual(self.real_ip(header, pieces), expected)

    def test_refused(self):
        request = b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n"
        for name, header in (
                ("none", b""),
                ("v1 without addresses", b"PROXY TCP4\r\n"),
                ("v1 of a wrong family", b"PROXY TCP4 2001:db8::9 ::1 1 2\r\n"),
                ("v1 bad port", b"PROXY TCP4 1.2.3.4 1.2.3.4 70000 80\r\n"),
                ("v1 bare LF", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 80\n"),
                ("v1 too long", b"PROXY TCP4 " + b"1" * 200 + b"\r\n"),
                ("v2 other version", v2("1.2.3.4", version=1)),
                ("v2 unknown command", v2("1.2.3.4", command=7)),
                ("v2 too short", v2("1.2.3.4", length=4)),
                ("signature cut", proxy_protocol.SIGNATURE[:11] + b"X"),
                ("twice", v1("1.2.3.4") + v1("5.6.7.8"))):
            with self.subTest(name):
                client = self.client()
                client.send_all_or_end(header + request)
                _, rest = client.end()
                self.assertNotIn(b" 200 ", rest)
                client.close()
        self.assertEqual(self.origin.requests, [])

    def test_silence(self):
        """A connection that never says who it is does not stay."""
        client = self.client()
        client.send(b"PROXY TCP4 1.2")
        client.expect_end()


class FromOthers(GatewayCase):
    def test_v1(self):
        client = self.client()
        client.send(v1("203.0.113.9") + client.head("GET", "/"))
        self.assert_problem(client.read_response(), 400, "bad_request.request_line")
        self.assertEqual(self.origin.requests, [])

    def test_v2(self):
        client = self.client()
        client.send(v2("203.0.113.9") + client.head("GET", "/"))
        self.assert_problem(client.read_response(), 400, "bad_request.request_line")
        self.assertEqual(self.origin.requests, [])


class BehindATrustedProxy(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, {"proxy_protocol": {"from": ["127.0.0.0/8"]},
                                    "trusted_proxies": ["10.0.0.0/8"]})

    def real_ip(self, source):
        client = self.client()
        client.send(v2(source) + client.head("GET", "/", {"X-Forwarded-For": "203.0.113.9"}))
        self.assertEqual(client.read_response().status, 200)
        return self.origin.requests[-1].header("x-real-ip")

    def test_trust_is_that_of_the_address_told(self):
        self.assertEqual(self.real_ip("10.1.2.3"), "203.0.113.9")
        self.assertEqual(self.real_ip("198.51.100.7"), "198.51.100.7")


if __name__ == "__main__":
    unittest.main()
