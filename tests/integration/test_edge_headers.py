"""What the upstream learns of the client, who is believed, and how paths and hosts arrive."""

import re
import unittest

from support.case import GatewayCase
from support.gateway import make_config

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FORGED = [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"),
          ("X-Forwarded-Host", "forged.example"), ("X-Forwarded-Port", "444"),
          ("X-Forwarded-Prefix", "/forged"), ("Forwarded", "for=203.0.113.9"),
          ("X-Real-IP", "203.0.113.9"), ("X-Request-Id", "forged"), ("Traceparent", TRACE),
          ("Tracestate", "forged=1")]


class EdgeCase(GatewayCase):
    def seen(self, fields=(), target="/"):
        """The request as it reached the origin."""
        response = self.ask("GET", target, fields)
        self.assertEqual(response.status, 200, response.body)
        self.response = response
        return self.origin.requests[-1]


class Untrusted(EdgeCase):
    """The default: nobody is believed."""

    def test_forwarding_fields(self):
        request = self.seen()
        self.assertEqual(request.header("x-forwarded-for"), "127.0.0.1")
        self.assertEqual(request.header("x-forwarded-proto"), "http")
        self.assertEqual(request.header("x-forwarded-host"), "test.example")
        self.assertEqual(request.header("x-real-ip"), "127.0.0.1")

    def test_forged_fields(self):
        request = self.seen(FORGED)
        self.assertEqual(request.header("x-forwarded-for"), "127.0.0.1")
        self.assertEqual(request.header("x-forwarded-proto"), "http")
        self.assertEqual(request.header("x-forwarded-host"), "test.example")
        self.assertEqual(request.header("x-real-ip"), "127.0.0.1")
        for name in ("forwarded", "x-forwarded-prefix", "x-forwarded-port", "tracestate"):
            self.assertIsNone(request.header(name), name)
        self.assertNotIn("forged", str(request.fields))
        self.assertNotIn("203.0.113.9", str(request.fields))

    def test_forged_more_than_once(self):
        request = self.seen([("X-Forwarded-For", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")])
        self.assertEqual(request.header("x-forwarded-for"), "127.0.0.1")

    def test_request_id(self):
        request = self.seen([("X-Request-Id", "forged")])
        self.assertRegex(request.header("x-request-id"), UUID7)
        self.assertEqual(self.response.header("x-request-id"), request.header("x-request-id"))
        self.assertNotEqual(self.seen().header("x-request-id"), request.header("x-request-id"))

    def test_request_id_of_the_upstream_does_not_count(self):
        self.origin.on("/i", lambda exchange: exchange.reply(200, {"X-Request-Id": "origins"}))
        request = self.seen(target="/i")
        self.assertEqual(self.response.header("x-request-id"), request.header("x-request-id"))

    def test_trace_begins_here(self):
        request = self.seen([("Traceparent", TRACE)])
        self.assertRegex(request.header("traceparent"), TRACEPARENT)
        self.assertNotIn("4bf92f3577b34da6", request.header("traceparent"))


class Trusted(EdgeCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, {"trusted_proxies": ["127.0.0.0/8", "10.0.0.0/8"]})

    def client_ip(self, *forwarded):
        return self.seen([("X-Forwarded-For", value) for value in forwarded]).header("x-real-ip")

    def test_list_is_extended(self):
        request = self.seen([("X-Forwarded-For", "203.0.113.9")])
        self.assertEqual(request.header("x-forwarded-for"), "203.0.113.9, 127.0.0.1")

    def test_client_is_the_first_untrusted_from_the_right(self):
        self.assertEqual(self.client_ip("203.0.113.9"), "203.0.113.9")
        self.assertEqual(self.client_ip("6.6.6.6, 203.0.113.9, 10.1.2.3"), "203.0.113.9")
        self.assertEqual(self.client_ip("6.6.6.6", "203.0.113.9, 10.1.2.3", "10.9.9.9"),
                         "203.0.113.9")

    def test_all_trusted(self):
        self.assertEqual(self.client_ip("10.0.0.1, 10.0.0.2"), "10.0.0.1")

    def test_garbage_ends_the_walk(self):
        self.assertEqual(self.client_ip("203.0.113.9, unknown, 10.0.0.2"), "10.0.0.2")
        self.assertEqual(self.client_ip("nonsense"), "127.0.0.1")

    def test_ports_and_ipv6(self):
        self.assertEqual(self.client_ip("203.0.113.9:4711"), "203.0.113.9")
        self.assertEqual(self.client_ip("[2001:db8::1]:80"), "2001:db8::1")
        self.assertEqual(self.client_ip("2001:db8::1"), "2001:db8::1")

    def test_claims_are_kept(self):
        request = self.seen([("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "a.example")])
        self.assertEqual(request.header("x-forwarded-proto"), "https")
        self.assertEqual(request.header("x-forwarded-host"), "a.example")

    def test_request_id(self):
        for given in ("abc-123", "a" * 128):
            self.assertEqual(self.seen([("X-Request-Id", given)]).header("x-request-id"), given)
            self.assertEqual(self.response.header("x-request-id"), given)
        for bad in ("a" * 129, "a b", 'a"b', "a<b", ""):
            self.assertRegex(self.seen([("X-Request-Id", bad)]).header("x-request-id"), UUID7)

    def test_request_id_in_an_error(self):
        response = self.ask("GET", "/%zz", {"X-Request-Id": "abc-123"})
        self.assertEqual(self.assert_problem(response, 400, "bad_request.path")["request_id"],
                         "abc-123")

    def test_trace_goes_on(self):
        request = self.seen([("Traceparent", TRACE), ("Tracestate", "a=1")])
        self.assertEqual(request.header("traceparent").split("-")[1], TRACE.split("-")[1])
        self.assertEqual(request.header("tracestate"), "a=1")

    def test_invalid_trace_begins_anew(self):
        for bad in ("", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", TRACE.upper(), TRACE + "-x",
                    "ff" + TRACE[2:], TRACE[:-1]):
            with self.subTest(bad):
                request = self.seen([("Traceparent", bad), ("Tracestate", "a=1")])
                self.assertRegex(request.header("traceparent"), TRACEPARENT)
                self.assertNotIn("4bf92f3577b34da6", request.header("traceparent"))
                self.assertIsNone(request.header("tracestate"))


class Paths(EdgeCase):
    def test_normalised(self):
        expected = {
            "/a/./b": "/a/b", "/a/../b": "/b", "/a//b": "/a/b", "//": "/", "/a/..": "/",
            "/a/b/../": "/a/", "/%2e/a": "/a", "/%61%2D%7e": "/a-~", "/a%20b": "/a%20b",
            "/%e4": "/%E4", "/a;p/b": "/a;p/b", "/a?x=/../%zz": "/a?x=/../%zz", "/a?": "/a?"}
        for given, arrives in expected.items():
            with self.subTest(given):
                self.assertEqual(self.seen(target=given).target, arrives)

    def test_other_rules(self):
        gateway = self.start(make_config(self.origin, {
            "path": {"merge_slashes": False, "encoded_slash": "keep", "forward": "original"}}))
        for given in ("/a//b", "/a%2Fb", "/a/./b"):
            with self.subTest(given):
                self.assertEqual(gateway.client().request("GET", given).json()["target"], given)


class Hosts(EdgeCase):
    def arrives(self, host):
        return self.seen([("Host", host)]).header("host")

    def test_host_is_forwarded(self):
        self.assertEqual(self.arrives("Test.Example"), "test.example")
        self.assertEqual(self.arrives("test.example:8080"), "test.example:8080")
        self.assertEqual(self.arrives("[::1]:8080"), "[::1]:8080")

    def test_endpoints_host(self):
        gateway = self.start(make_config(self.origin, route={"preserve_host": False}))
        seen = gateway.client().request("GET", "/").json()
        self.assertIn(["host", self.origin.endpoint], [[n.lower(), v] for n, v in seen["fields"]])
        self.assertIn(["x-forwarded-host", "test.example"],
                      [[n.lower(), v] for n, v in seen["fields"]])

    def test_underscores_on_request(self):
        gateway = self.start(make_config(self.origin, {"underscore_headers": "allow"}))
        seen = gateway.client().request("GET", "/", {"X_A": "1"}).json()
        self.assertIn(["X_A", "1"], seen["fields"])


class Edits(EdgeCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, route={
            "request_headers": {"set": {"x-set": "gateway"}, "add": {"x-add": ["1", "2"]},
                                "remove": ["x-remove"]},
            "response_headers": {"set": {"x-served-by": "hangu"}, "remove": ["server"]}})

    def test_request(self):
        request = self.seen([("X-Set", "client"), ("x-set", "again"), ("X-Add", "0"),
                             ("X-Remove", "1")])
        self.assertEqual(request.headers("x-set"), ["gateway"])
        self.assertEqual(request.headers("x-add"), ["0", "1", "2"])
        self.assertIsNone(request.header("x-remove"))

    def test_response(self):
        self.origin.on("/r", lambda exchange: exchange.reply(
            200, [("Server", "Secret/1.0"), ("X-Served-By", "origin")]))
        self.seen(target="/r")
        self.assertIsNone(self.response.header("server"))
        self.assertEqual(self.response.headers("x-served-by"), ["hangu"])


if __name__ == "__main__":
    unittest.main()
