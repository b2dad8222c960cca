"""Header edits: variables of the request in values, fields set only where there are none, and which
answers they apply to."""

import os
import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu


class HeaderEdits(GatewayCase):
    def begin(self, route, **others):
        return self.start(make_config(self.origin, workers=1, route=route, **others))

    def seen(self, fields, target="/", headers=()):
        """The values that the origin gets."""
        gateway = self.begin({"request_headers": {"set": {f"x-{number}": value for number, value
                                                          in enumerate(fields)}}}, node="gw-7")
        self.assertEqual(gateway.client().request("GET", target, headers).status, 200)
        request = self.origin.requests[-1]
        return [request.header(f"x-{number}") for number in range(len(fields))]

    def test_variables(self):
        headers = {"Host": "A.example:81", "X-Tenant": "t1", "Cookie": "a=1; sid=s2"}
        cases = {
            "{client_ip}": "127.0.0.1", "{method}": "GET", "{scheme}": "http",
            "{host}": "a.example", "{path}": "/p/x", "{query}": "q=1&r=2", "{protocol}": "HTTP/1.1",
            "{route}": "all", "{listener}": "web", "{upstream}": "origin", "{node}": "gw-7",
            "{tls_protocol}": "", "{header.X-Tenant}": "t1", "{cookie.sid}": "s2", "{query.r}": "2",
            "{header.x-none}": "", "a{method}b{route}": "aGETball", "{{method}}": "{method}",
            '{"group":"a","n":{"b":1}}': '{"group":"a","n":{"b":1}}', "{}": "{}", "{ x }": "{ x }",
            "{": "{"}
        self.assertEqual(self.seen(list(cases), "/p/./x?q=1&r=2", headers), list(cases.values()))
        request = self.origin.requests[-1]
        gateway = self.begin({"response_headers": {"set": {
            "x-id": "{request_id}", "x-to": "{upstream_address}", "x-port": "{client_port}"}}})
        client = gateway.client()
        response = client.request("GET", "/")
        self.assertEqual(response.header("x-id"), response.header("x-request-id"))
        self.assertEqual(response.header("x-to"), self.origin.endpoint)
        self.assertEqual(int(response.header("x-port")), client.wire.socket.getsockname()[1])
        self.assertTrue(request.header("x-request-id"))

    def test_where_there_is_none(self):
        self.origin.on("/has", lambda exchange: exchange.reply(200, {"Cache-Control": "public"}))
        self.origin.on("/has-not", lambda exchange: exchange.reply(200))
        client = self.begin({
            "response_headers": {"set_if_absent": {"cache-control": "no-store"}},
            "request_headers": {"set_if_absent": {"accept-language": "en"}}}).client()
        for path, expected in (("/has", ["public"]), ("/has-not", ["no-store"])):
            self.assertEqual(client.request("GET", path).headers("cache-control"), expected)
        client.request("GET", "/has", {"Accept-Language": "zh"})
        self.assertEqual([request.headers("accept-language") for request in self.origin.requests],
                         [["en"], ["en"], ["zh"]])

    def test_answers_of_the_route_but_no_refusals(self):
        edits = {"response_headers": {"set": {"strict-transport-security": "max-age=9",
                                              "cache-control": "public"}}}
        config = make_config(self.origin, workers=1)
        config["routes"] = [
            {"name": "moved", "match": {"path": {"prefix": "/moved"}},
             "redirect": {"path": "/new"}, **edits},
            {"name": "said", "match": {"path": {"prefix": "/said"}},
             "respond": {"body": "hello"}, **edits},
            {"name": "closed", "match": {"path": {"prefix": "/closed"}}, "upstream": "origin",
             "clients": {"deny": ["127.0.0.0/8"]}, **edits}]
        client = self.start(config).client()
        for path, status, expected in (("/moved", 302, "public"), ("/said", 200, "public"),
                                       ("/closed", 403, "no-store")):
            response = client.request("GET", path)
            self.assertEqual((response.status, response.header("cache-control")),
                             (status, expected))
            self.assertEqual(response.header("strict-transport-security"),
                             None if status == 403 else "max-age=9")

    def test_values_of_the_environment_are_taken_as_they_are(self):
        os.environ["HANGU_TEST_VALUE"] = "{method}"
        self.addCleanup(os.environ.pop, "HANGU_TEST_VALUE")
        self.assertEqual(self.seen(["${HANGU_TEST_VALUE}"]), ["{method}"])

    def test_unknown_variables_are_errors(self):
        gateway = self.begin({})
        config = make_config(self.origin, route={"request_headers": {"set": {"x-a": "{clientip}"}}})
        gateway.write_config(config)
        checked = run_hangu("check", gateway.config_path)
        self.assertEqual(checked.returncode, 3, checked.stderr)
        self.assertIn("E0163", checked.stdout + checked.stderr)
        self.assertIn("did you mean {client_ip}?", checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
