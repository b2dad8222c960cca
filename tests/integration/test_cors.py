"""CORS: preflights answered by the gateway, marks on responses, its own included."""

import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.http2 import Http2Client

APP = "https://app.example.org"
OTHER = "https://evil.example"


def preflight(origin=APP, method="PUT", headers=None, **more):
    fields = {"Origin": origin, "Access-Control-Request-Method": method, **more}
    if headers:
        fields["Access-Control-Request-Headers"] = headers
    return fields


class Cors(GatewayCase):
    def begin(self, cors=None, listener=None, **route):
        cors = {"origins": [APP, "https://*.example.com"], **(cors or {})}
        return self.start(make_config(self.origin, workers=1, listener=listener,
                                      route={"cors": cors, **route}))

    def assert_marked(self, response, origin=APP):
        self.assertEqual(response.headers("access-control-allow-origin"),
                         [origin] if origin else [])
        self.assertIn("Origin", ", ".join(response.headers("vary")))

    def test_preflight(self):
        gateway = self.begin({"credentials": True, "max_age": "2h", "expose": ["x-total"]},
                             match={"methods": ["GET", "PUT"], "path": {"prefix": "/a"}})
        client = gateway.client()
        for _ in range(2):
            response = client.request("OPTIONS", "/a/b", preflight(headers="content-type"))
            self.assertEqual((response.status, response.body), (204, b""))
            self.assert_marked(response)
            self.assertEqual(response.header("access-control-allow-credentials"), "true")
            self.assertEqual(response.header("access-control-allow-methods"),
                             "GET, HEAD, POST, PUT, PATCH, DELETE")
            self.assertEqual(response.header("access-control-allow-headers"),
                             "authorization, content-type")
            self.assertEqual(response.header("access-control-max-age"), "7200")
            self.assertIsNone(response.header("access-control-allow-private-network"))
        self.assertEqual(self.origin.requests, [])
        self.assertEqual(gateway.metrics()['hangu_route_preflights_total{route="all"}'], 2)
        # Not a preflight, and not the route of the method asked for: as ever.
        self.assert_problem(client.request("OPTIONS", "/a", {"Origin": APP}), 405, "route.method")
        self.assert_problem(client.request("OPTIONS", "/a", preflight(method="DELETE")), 405,
                            "route.method")
        self.assert_problem(client.request("OPTIONS", "/b", preflight()), 404, "route.none")

    def test_preflights_refused(self):
        client = self.begin().client()
        for fields, code, marked in (
                (preflight(OTHER), "cors.origin", None),
                (preflight("null"), "cors.origin", None),
                (preflight(method="PURGE"), "cors.method", APP),
                (preflight(headers="content-type, x-other"), "cors.headers", APP)):
            response = client.request("OPTIONS", "/", fields)
            self.assert_problem(response, 403, code)
            self.assert_marked(response, marked)

    def test_before_limits(self):
        config = make_config(self.origin, workers=1, route={
            "cors": {"origins": [APP]}, "rate_limits": ["one"]})
        config["rate_limits"] = [{"name": "one", "rate": "1/h", "burst": 1}]
        client = self.start(config).client()
        for _ in range(5):
            self.assertEqual(client.request("OPTIONS", "/", preflight()).status, 204)
        self.assertEqual(client.request("GET", "/", {"Origin": APP}).status, 200)
        refused = client.request("GET", "/", {"Origin": APP})
        self.assert_problem(refused, 429, "rate_limit.exceeded")
        self.assert_marked(refused)

    def test_responses(self):
        def answer(exchange):
            exchange.reply(200, [("Access-Control-Allow-Origin", "*"), ("Vary", "Accept"),
                                 ("ACCESS-CONTROL-EXPOSE-HEADERS", "x-secret")], b"hello")
        self.origin.on("/", answer)
        client = self.begin({"expose": ["x-total", "x-page"]}).client()
        for origin in (APP, "https://a.b.example.com"):
            response = client.request("GET", "/", {"Origin": origin})
            self.assertEqual(response.body, b"hello")
            self.assert_marked(response, origin)
            self.assertEqual(response.headers("access-control-expose-headers"),
                             ["x-total, x-page"])
            self.assertIsNone(response.header("access-control-allow-credentials"))
        for fields in ({"Origin": OTHER}, {}):
            response = client.request("GET", "/", fields)
            self.assertEqual(response.status, 200)
            self.assert_marked(response, None)
            self.assertEqual(response.headers("access-control-expose-headers"), [])

    def test_any_origin(self):
        client = self.begin({"origins": ["*"], "methods": ["*"], "headers": ["*"]}).client()
        response = client.request("GET", "/", {"Origin": OTHER})
        self.assertEqual(response.header("access-control-allow-origin"), "*")
        self.assertIsNone(response.header("vary"))
        response = client.request("OPTIONS", "/", preflight(OTHER, "PURGE", "x-a, authorization"))
        self.assertEqual(response.status, 204)
        self.assertEqual(response.header("access-control-allow-methods"), "PURGE")
        self.assertEqual(response.header("access-control-allow-headers"), "x-a, authorization")

    def test_origins_by_regular_expression(self):
        client = self.begin({"origins": [], "origins_regex": ["https://pr-[0-9]+[.]ci"]}).client()
        self.assert_marked(client.request("GET", "/", {"Origin": "https://pr-7.ci"}),
                           "https://pr-7.ci")
        self.assert_marked(client.request("GET", "/", {"Origin": "https://pr-7.ci.evil"}), None)

    def test_private_network(self):
        asked = preflight(**{"Access-Control-Request-Private-Network": "true"})
        for allowed, expected in ((True, "true"), (False, None)):
            response = self.begin({"private_network": allowed}).client().request(
                "OPTIONS", "/", asked)
            self.assertEqual(response.header("access-control-allow-private-network"), expected)

    def test_refusing_others(self):
        client = self.begin({"refuse_others": True}).client()
        self.assert_problem(client.request("POST", "/", {"Origin": OTHER}, b"x"), 403,
                            "cors.origin")
        for origin, host in ((APP, "api.example"), ("http://api.example:80", "api.example:80"),
                             (None, "api.example")):
            fields = {"Host": host, **({"Origin": origin} if origin else {})}
            self.assertEqual(client.request("POST", "/", fields, b"x").status, 200, origin)

    def test_errors_of_the_gateway_can_be_read(self):
        self.origin.on("/", lambda exchange: exchange.reset())
        response = self.begin().client().request("POST", "/", {"Origin": APP}, b"x")
        self.assert_problem(response, 502, "upstream.reset")
        self.assert_marked(response)

    def test_http2(self):
        gateway = self.begin()
        client = Http2Client(gateway.listener())
        self.addCleanup(client.close)
        fields = [(name.lower(), value) for name, value in preflight().items()]
        response = client.request("OPTIONS", "/", fields)
        self.assertEqual(response.status, 204)
        self.assertEqual(response.header("access-control-allow-origin"), APP)
        response = client.request("GET", "/", [("origin", APP)])
        self.assertEqual(response.status, 200)
        self.assertEqual(response.header("access-control-allow-origin"), APP)


if __name__ == "__main__":
    unittest.main()
