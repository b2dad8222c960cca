"""Which upstream a request goes to, and what is said when none is meant."""

import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu


def route(name, hosts=(), exact=None, prefix=None, methods=()):
    match = {}
    if hosts:
        match["hosts"] = list(hosts)
    if exact or prefix:
        match["path"] = {"exact": exact} if exact else {"prefix": prefix}
    if methods:
        match["methods"] = list(methods)
    return {"name": name, "match": match, "upstream": "origin",
            "request_headers": {"set": {"x-route": name}}}


class Routing(GatewayCase):
    unknown_host = "404"
    routes = [
        route("host", ["api.example"]),
        route("host-path", ["api.example"], prefix="/v1"),
        route("wild", ["*.example"]),
        route("wild-deep", ["*.deep.example"]),
        route("exact", ["api.example"], exact="/v1/exact"),
        route("longer", ["api.example"], prefix="/v1/users"),
        route("get", ["m.test"], prefix="/m", methods=["GET", "HEAD"]),
        route("post", ["m.test"], prefix="/m", methods=["POST"]),
        route("put-exact", ["m.test"], exact="/m/x", methods=["PUT"]),
        route("ip", ["192.0.2.1"]),
        route("only", ["only.test"], prefix="/here"),
    ]

    @classmethod
    def config(cls, origin):
        return make_config(origin, {"unknown_host": cls.unknown_host}, routes=cls.routes)

    def get(self, host, target="/", method="GET"):
        return self.ask(method, target, {"Host": host})

    def taken_by(self, host, target="/", method="GET"):
        response = self.get(host, target, method)
        self.assertEqual(response.status, 200, response.body)
        return self.origin.requests[-1].header("x-route")

    def test_choice(self):
        for host, target, expected in (
                ("api.example", "/", "host"), ("API.Example", "/", "host"),
                ("api.example:8080", "/", "host"), ("api.example.", "/", "host"),
                ("api.example", "/v1", "host-path"), ("api.example", "/v1/", "host-path"),
                ("api.example", "/v1/a", "host-path"), ("api.example", "/v10", "host"),
                ("api.example", "/v1/exact", "exact"), ("api.example", "/v1/exact/", "host-path"),
                ("api.example", "/v1/exact?q", "exact"), ("api.example", "/v1/users/1", "longer"),
                ("api.example", "/v1/usersx", "host-path"), ("api.example", "/V1", "host"),
                ("other.example", "/", "wild"), ("a.b.example", "/v1", "wild"),
                ("a.deep.example", "/", "wild-deep"), ("deep.example", "/", "wild"),
                ("192.0.2.1", "/", "ip")):
            with self.subTest(f"{host}{target}"):
                self.assertEqual(self.taken_by(host, target), expected)

    def test_choice_by_the_normalised_path(self):
        """Another spelling of a path is no way around its route."""
        for target in ("/v1/./exact", "/x/../v1/exact", "//v1//exact", "/%76%31/exact"):
            with self.subTest(target):
                self.assertEqual(self.taken_by("api.example", target), "exact")

    def test_methods(self):
        self.assertEqual(self.taken_by("m.test", "/m/a"), "get")
        self.assertEqual(self.taken_by("m.test", "/m/a", "POST"), "post")
        self.assertEqual(self.taken_by("m.test", "/m/x", "PUT"), "put-exact")
        self.assertEqual(self.taken_by("m.test", "/m/x"), "get")

    def test_method_not_allowed(self):
        response = self.get("m.test", "/m/a", "DELETE")
        self.assert_problem(response, 405, "route.method")
        allowed = {method.strip() for method in response.header("allow").split(",")}
        self.assertEqual(allowed, {"GET", "HEAD", "POST"})
        self.assertFalse(response.closes)

    def test_methods_are_case_sensitive(self):
        self.assert_problem(self.get("m.test", "/m/a", "get"), 405, "route.method")

    def test_no_route(self):
        client = self.client()
        response = client.request("GET", "/elsewhere", {"Host": "only.test"})
        self.assert_problem(response, 404, "route.none")
        self.assertFalse(response.closes)
        self.assertEqual(client.request("GET", "/here", {"Host": "only.test"}).status, 200)

    def test_head_gets_no_body(self):
        client = self.client()
        response = client.request("HEAD", "/elsewhere", {"Host": "only.test"})
        self.assertEqual((response.status, response.body), (404, b""))
        self.assertEqual(client.request("GET", "/here", {"Host": "only.test"}).status, 200)

    def test_unread_body_of_a_refused_request(self):
        client = self.client()
        response = client.request("POST", "/elsewhere", {"Host": "only.test"}, b"x" * 1000)
        self.assert_problem(response, 404, "route.none")
        self.assertEqual(client.request("GET", "/here", {"Host": "only.test"}).status, 200)

    def test_unknown_host(self):
        for host in ("unknown.test", "example", "xexample", "192.0.2.2"):
            with self.subTest(host):
                self.assert_problem(self.get(host), 404, "route.none")


class Misdirected(Routing):
    unknown_host = "421"

    def test_unknown_host(self):
        self.assert_problem(self.get("unknown.test"), 421, "host.misdirected")

    def test_known_host_unknown_path(self):
        self.assert_problem(self.get("only.test", "/elsewhere"), 404, "route.none")


class Nothing(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(None)

    def test_no_routes(self):
        self.assert_problem(self.ask("GET", "/"), 404, "route.none")


class Endpoints(GatewayCase):
    def test_all_are_used(self):
        origins = [self.start_origin(name=f"o{number}") for number in range(3)]
        gateway = self.start(make_config(self.origin, upstream={
            "endpoints": [origin.endpoint for origin in origins]}))
        for _ in range(30):
            gateway.client().request("GET", "/", {"Connection": "close"})
        self.assertTrue(all(origin.requests for origin in origins))


class Fields(GatewayCase):
    """Routes that ask for header fields, parameters, cookies or clients."""

    @classmethod
    def config(cls, origin):
        def one(name, **match):
            return {"name": name, "match": match, "upstream": "origin",
                    "request_headers": {"set": {"x-route": name}}}
        return make_config(origin, {"trusted_proxies": ["127.0.0.0/8"]}, routes=[
            one("rest"), one("canary", headers={"X-Canary": "1"}), one("any", headers={"x-a": "*"}),
            one("two", headers={"x-canary": "1", "x-a": "*"}), one("query", query={"v": "2"}),
            one("cookie", cookies={"beta": "yes"}), one("near", clients=["10.0.0.0/8"])])

    def test_choice(self):
        for target, headers, expected in (
                ("/", {}, "rest"), ("/", {"x-canary": "1"}, "canary"), ("/", {"X-A": ""}, "any"),
                ("/", {"x-canary": "1", "x-a": "b"}, "two"), ("/?v=2", {}, "query"),
                ("/?v=2", {"x-a": "1"}, "any"), ("/", {"Cookie": "beta=yes"}, "cookie"),
                ("/", {"Cookie": "beta=no"}, "rest"),
                ("/", {"X-Forwarded-For": "10.1.2.3"}, "near")):
            with self.subTest(target + str(headers)):
                self.assertEqual(self.ask("GET", target, headers).status, 200)
                self.assertEqual(self.origin.requests[-1].header("x-route"), expected)

    def test_explained(self):
        done = run_hangu("explain", "--config", self.gateway.config_path, "-H", "x-canary: 1",
                         "GET", "http://h/")
        self.assertRegex(done.stdout, r"> canary")
        self.assertIn("it asks for cookie beta: yes", done.stdout)


if __name__ == "__main__":
    unittest.main()
