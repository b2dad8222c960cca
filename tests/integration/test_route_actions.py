"""What a route does: redirects, answers of its own, rewrites, and whom it lets in."""

import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually


class ActionCase(GatewayCase):
    def begin(self, route=None, listener=None, action=None):
        config = make_config(self.origin, workers=1, listener=listener, route=route)
        if action:
            config["routes"][0].pop("upstream")
            config["routes"][0].update(action)
        return self.start(config)


class Redirects(ActionCase):
    def location(self, redirect, path="/", route=None, host="a.example"):
        gateway = self.begin(route, action={"redirect": redirect})
        response = gateway.client().request("GET", path, {"Host": host})
        self.assertEqual(response.status, redirect.get("status", 302))
        self.assertIsNone(response.header("cache-control"))
        self.assertEqual(response.json()["code"], "route.redirect")
        return response.header("location")

    def test_where_to(self):
        for redirect, path, host, expected in (
                ({"scheme": "https", "status": 308}, "/a?b=c", "a.example",
                 "https://a.example/a?b=c"),
                ({"scheme": "https"}, "/", "a.example:8080", "https://a.example/"),
                ({"scheme": "https", "port": 8443}, "/", "a.example:8080",
                 "https://a.example:8443/"),
                ({"scheme": "https", "port": 443}, "/", "a.example", "https://a.example/"),
                ({"host": "b.example"}, "/x", "a.example:8080", "http://b.example/x"),
                ({"path": "/new", "status": 301}, "/old?q", "a.example:8080",
                 "http://a.example:8080/new?q"),
                ({"path": "/new"}, "/a/../old", "[::1]:81", "http://[::1]:81/new")):
            with self.subTest(redirect):
                self.assertEqual(self.location(redirect, path, host=host), expected)

    def test_prefix(self):
        route = {"match": {"path": {"prefix": "/v1"}}}
        for path, expected in (("/v1", "/v2"), ("/v1/", "/v2/"), ("/v1/a/b?c", "/v2/a/b?c")):
            self.assertEqual(self.location({"prefix": "/v2"}, path, route),
                             "http://a.example" + expected)

    def test_methods_and_bodies(self):
        gateway = self.begin(action={"redirect": {"scheme": "https", "status": 307}})
        client = gateway.client()
        self.assertEqual(client.request("POST", "/", {}, b"x" * 1000).status, 307)
        self.assertEqual(client.request("HEAD", "/").status, 307)


class Answers(ActionCase):
    def test_body_and_fields(self):
        gateway = self.begin(action={"respond": {"status": 503, "body": "closed until six\n",
                                                 "retry_after": "1h"}})
        client = gateway.client()
        for _ in range(2):
            response = client.request("GET", "/")
            self.assertEqual((response.status, response.body), (503, b"closed until six\n"))
            self.assertEqual(response.header("content-type"), "text/plain; charset=utf-8")
            self.assertEqual(response.header("retry-after"), "3600")
        response = client.request("HEAD", "/")
        self.assertEqual((response.status, response.header("content-length")), (503, "17"))

    def test_nothing(self):
        gateway = self.begin(action={"respond": {"status": 204}})
        client = gateway.client()
        self.assertEqual(client.request("GET", "/").status, 204)
        self.assertEqual(client.request("GET", "/").status, 204)


class Rewrites(ActionCase):
    def seen(self, rewrite, path, match=None, listener=None, **route):
        gateway = self.begin({"match": match or {}, "rewrite": rewrite, **route}, listener)
        self.assertEqual(gateway.client().request("GET", path, {"Host": "a.example"}).status, 200)
        request = self.origin.requests[-1]
        return request.target, request.header("host")

    def test_prefix(self):
        match = {"path": {"prefix": "/api"}}
        for prefix, path, expected in (("/", "/api/a", "/a"), ("/", "/api", "/"),
                                       ("/", "/api/", "/"), ("/v2", "/api/a?b=%20", "/v2/a?b=%20"),
                                       ("/v2/", "/api/a", "/v2/a"), ("/v2", "/api", "/v2"),
                                       ("/v2", "/x/../api/a", "/v2/a")):
            with self.subTest(prefix + " " + path):
                self.assertEqual(self.seen({"prefix": prefix}, path, match)[0], expected)

    def test_without_a_match(self):
        self.assertEqual(self.seen({"prefix": "/v2"}, "/a")[0], "/v2/a")
        self.assertEqual(self.seen({"path": "/v2"}, "/a?b")[0], "/v2?b")

    def test_host(self):
        self.assertEqual(self.seen({"host": "b.example"}, "/a"), ("/a", "b.example"))

    def test_forwarding_the_original_path(self):
        listener = {"path": {"forward": "original"}}
        self.assertEqual(self.seen({"prefix": "/v2"}, "/x/../a", listener=listener)[0], "/v2/a")
        self.assertEqual(self.seen({"host": "b.example"}, "/x/../a", listener=listener),
                         ("/x/../a", "b.example"))


class Splits(GatewayCase):
    def begin(self, split):
        self.origins = [self.start_origin(name=name) for name in ("v1", "v2")]
        config = make_config(self.origins[0], workers=2, access_log={"path": "-"})
        config["upstreams"] = [{"name": origin.name, "endpoints": [origin.endpoint]}
                               for origin in self.origins]
        config["routes"] = [{"name": "all", "split": split}]
        self.config_ = config
        return self.start(config)

    def ask(self, gateway, count, headers=None):
        before = [len(origin.requests) for origin in self.origins]
        client = gateway.client()
        for _ in range(count):
            self.assertEqual(client.request("GET", "/", headers or {}).status, 200)
        return [len(origin.requests) - then for origin, then in zip(self.origins, before)]

    def test_by_weight(self):
        gateway = self.begin({"upstreams": [{"upstream": "v1", "weight": 80},
                                            {"upstream": "v2", "weight": 20}]})
        first, second = self.ask(gateway, 1000)
        self.assertEqual(first + second, 1000)
        # Five standard deviations.
        self.assertAlmostEqual(second, 200, delta=64)

    def test_all_or_nothing(self):
        gateway = self.begin({"upstreams": [{"upstream": "v1", "weight": 0},
                                            {"upstream": "v2"}]})
        self.assertEqual(self.ask(gateway, 50), [0, 50])

    def test_who_has_the_new_one_keeps_it(self):
        shares = [{"upstream": "v1", "weight": 70}, {"upstream": "v2", "weight": 30}]
        gateway = self.begin({"key": ["cookie:sid"], "upstreams": shares})

        def versions():
            seen = {}
            for session in range(60):
                gained = self.ask(gateway, 2, {"Cookie": f"sid={session}"})
                self.assertIn(2, gained)
                seen[session] = gained.index(2)
            return seen

        before = versions()
        self.assertEqual(set(before.values()), {0, 1})
        shares[0]["weight"], shares[1]["weight"] = 40, 60
        gateway.reload(self.config_)
        after = versions()
        self.assertGreater(sum(after.values()), sum(before.values()))
        self.assertEqual([s for s in before if before[s] == 1 and after[s] == 0], [])

    def test_the_log_names_the_one(self):
        gateway = self.begin({"upstreams": [{"upstream": "v1", "weight": 0},
                                            {"upstream": "v2"}]})
        self.ask(gateway, 1)
        eventually(lambda: '"upstream":"v2"' in gateway.stdout_path.read_text(), "it is logged")


class Clients(ActionCase):
    def test_allow_and_deny(self):
        gateway = self.begin({"clients": {"allow": ["10.0.0.0/8", "2001:db8::/32"],
                                          "deny": ["10.6.0.0/16"]}},
                             {"trusted_proxies": ["127.0.0.0/8"]})
        for address, status in (("10.1.2.3", 200), ("10.6.1.1", 403), ("192.0.2.1", 403),
                                ("2001:db8::1", 200), ("2001:db9::1", 403)):
            response = gateway.client().request("GET", "/", {"X-Forwarded-For": address})
            self.assertEqual(response.status, status, address)
            if status == 403:
                self.assert_problem(response, 403, "client.denied")

    def test_deny_alone(self):
        gateway = self.begin({"clients": {"deny": ["192.0.2.0/24"]}},
                             {"trusted_proxies": ["127.0.0.0/8"]})
        for address, status in (("192.0.2.9", 403), ("10.1.2.3", 200)):
            response = gateway.client().request("GET", "/", {"X-Forwarded-For": address})
            self.assertEqual(response.status, status, address)


if __name__ == "__main__":
    unittest.main()
