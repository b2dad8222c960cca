"""Paths with captures and regular expressions: which route wins, what its captures are good for,
what `hangu check` and `hangu explain` say of them."""

import copy
import json
import pathlib
import tempfile
import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.load import Load


def route(name, path=None, **others):
    match = {"path": path} if path else {}
    match.update(others.pop("match", {}))
    return {"name": name, "match": match, "upstream": "origin",
            "request_headers": {"set": {"x-route": name}}, **others}


class Patterns(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(
            origin, workers=1,
            rate_limits=[{"name": "per-user", "rate": "1/h", "burst": 2, "key": ["path:{id}"]}],
            routes=[
                route("exact", {"exact": "/users/me"}),
                route("user", {"template": "/users/{id}"}),
                route("order", {"template": "/users/{id}/orders/{order}"},
                      rewrite={"path": "/v2/{order}/of/{id}"}),
                route("users", {"prefix": "/users"}),
                route("files", {"template": "/files/{rest*}"}, rewrite={"path": "/{rest}"}),
                route("version", {"regex": "/v(?P<major>[0-9]+)/(.+)"},
                      rewrite={"path": "/by-version/{major}/{2}"}),
                route("limited", {"template": "/limited/{id}"}, rate_limits=["per-user"]),
                {"name": "moved", "match": {"path": {"template": "/old/{id}"}},
                 "redirect": {"path": "/users/{id}", "status": 301}},
                route("header", {"exact": "/h"},
                      match={"headers": {"x-v": {"regex": "2\\.[0-9]+"}}}),
                route("begins", {"exact": "/h"}, match={"headers": {"x-v": {"prefix": "1."}}}),
                route("query", {"exact": "/h"}, match={"query": {"q": {"regex": "[0-9]+"}}}),
                route("rest")])

    def taken_by(self, target, headers=None):
        response = self.ask("GET", target, headers or {})
        self.assertEqual(response.status, 200, response.body)
        return self.origin.requests[-1].header("x-route")

    def test_precedence(self):
        for target, expected in (
                ("/users/me", "exact"), ("/users/42", "user"), ("/users/42?a=b", "user"),
                ("/users", "users"), ("/users/", "users"), ("/users/42/", "users"),
                ("/users/42/orders", "users"), ("/users/42/orders/7", "order"),
                ("/files/a", "files"), ("/files/a/b/c", "files"), ("/files", "rest"),
                ("/v1/x", "version"), ("/v1/", "rest"), ("/v/x", "rest"), ("/x/v1/x", "rest"),
                ("/users/%6De", "exact"), ("/users/x/../42", "user")):
            with self.subTest(target):
                self.assertEqual(self.taken_by(target), expected)

    def test_rewrite_from_captures(self):
        for target, expected in (
                ("/users/42/orders/7", "/v2/7/of/42"),
                ("/users/42/orders/7?page=2", "/v2/7/of/42?page=2"),
                ("/users/a%2Bb/orders/%E4%BD%A0", "/v2/%E4%BD%A0/of/a%2Bb"),
                ("/files/a/b/c", "/a/b/c"), ("/files/a/", "/a/"),
                ("/v12/users/7", "/by-version/12/users/7")):
            with self.subTest(target):
                self.assertEqual(self.ask("GET", target).status, 200)
                self.assertEqual(self.origin.requests[-1].target, expected)

    def test_redirect_from_captures(self):
        response = self.ask("GET", "/old/42?a=b", {"Host": "a.example"})
        self.assertEqual(response.status, 301)
        self.assertEqual(response.header("location"), "http://a.example/users/42?a=b")

    def test_rate_limit_by_capture(self):
        asked = [self.ask("GET", f"/limited/{user}").status for user in ("a", "a", "b", "a", "b")]
        self.assertEqual(asked, [200, 200, 200, 429, 200])

    def test_values_of_fields(self):
        for headers, target, expected in (
                ({"x-v": "2.17"}, "/h", "header"), ({"x-v": "2.17b"}, "/h", "rest"),
                ({"x-v": "1.x"}, "/h", "begins"), ({}, "/h?q=17", "query"), ({}, "/h?q=", "rest")):
            with self.subTest(f"{target} {headers}"):
                self.assertEqual(self.taken_by(target, headers), expected)

    def test_many_matches_at_once_and_long_paths(self):
        """The time of a match goes by the length of the text, whatever the expression."""
        for target in ("/v1" + "/a" * 3000, "/users" + "/u" * 3000, "/files" + "/f" * 3000):
            self.assertEqual(self.ask("GET", target).status, 200)

    def explain(self, *words):
        done = run_hangu("explain", "--config", self.gateway.config_path, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_explained(self):
        text = self.explain("GET", "http://h/users/42/orders/7")
        self.assertRegex(text, r"> order")
        self.assertRegex(text, r"captured +id = 42\ncaptured +order = 7\n")
        self.assertIn("forwarded    path /v2/7/of/42", text)
        self.assertIn('path "/users/42/orders/7" is not of the form /users/{id}\n', text)
        self.assertIn("does not match /v(?P<major>[0-9]+)/(.+)", text)
        self.assertIn("it asks for header x-v that begins with 1.", self.explain("http://h/h"))


class Checks(unittest.TestCase):
    def check(self, routes, rate_limits=(), upstreams=("origin", "other")):
        config = make_config(
            None, upstreams=[{"name": name, "endpoints": ["127.0.0.1:1"]} for name in upstreams],
            rate_limits=list(rate_limits), routes=routes)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "hangu.yaml"
            path.write_text(json.dumps(config, indent=1), "utf-8")
            done = run_hangu("check", "--json", path)
        found = json.loads(done.stdout)["diagnostics"]
        return [(each["code"], each["message"]) for each in found if each["code"] != "W0150"]

    def test_what_never_matches(self):
        winner = route("winner", {"prefix": "/a"})
        for loser, first in (
                (route("loser", {"prefix": "/a/"}), winner),
                (route("loser", {"regex": "/a/[0-9]+"}), winner),
                (route("loser", {"regex": "/a/b/c?"}), winner),
                (route("loser", {"regex": r"/a/(b|c)[]|\]]"}), winner),
                (route("loser", {"template": "/u/{x}"}), route("winner", {"template": "/u/{y}"})),
                (route("loser", {"prefix": "/u/v"}), route("winner", {"template": "/u/{rest*}"})),
                (route("loser"), route("winner", {"regex": ".*"}))):
            with self.subTest(str(loser["match"])):
                (code, message), = self.check([first, loser])
                self.assertEqual(code, "W0151")
                self.assertIn('route "loser" never matches', message)
                self.assertIn('"winner"', message)

    def test_what_is_only_told_apart_by_order(self):
        for one, other in (({"methods": ["GET", "PUT"]}, {"methods": ["PUT", "POST"]}),
                           ({"headers": {"a": "1"}}, {"headers": {"b": "1"}}),
                           ({"headers": {"a": {"prefix": "1"}}}, {"headers": {"a": "12"}})):
            with self.subTest(str(one)):
                (code, message), = self.check([route("first", {"prefix": "/a"}, match=one),
                                               route("second", {"prefix": "/a"}, match=other)])
                self.assertEqual(code, "W0155")
                self.assertRegex(message, 'both routes "first" and "second" .* go to "first"')

    def test_different_regular_expressions(self):
        for one, other, path in (
                ("/v[0-9]+/.*", "/v1/(users|orders)", "/v1/users"),
                ("/v1/(?:users|orders)", "/v[0-9]+/.*", "/v1/users"),
                ("/a/x|/b/y", "/b/[a-z]", "/b/y"), ("/a/(x|y)?z", "/a/yz+", "/a/yz"),
                ("/u/[^/]+/p{2}", r"/u/\w+/pp", "/u/a/pp"),
                ("/a.b/[0-9]{3}", "/a.b/0+", "/aab/000"),
                (".*", "/z[0-9]", "/z0")):
            with self.subTest(one, other=other):
                (code, message), = self.check([route("first", {"regex": one}, match={}),
                                               route("second", {"regex": other}, match={})])
                if one == ".*":
                    self.assertEqual(code, "W0151")
                    continue
                self.assertEqual(code, "W0155")
                self.assertIn('both routes "first" and "second" take, such as '
                              f'{path}, go to "first"', message)

    def test_regular_expressions_that_do_not_meet(self):
        ranked = [route("any", {"regex": "/v[0-9]+/.*"}),
                  route("get", {"regex": "/v1/x"}, match={"methods": ["GET"]})]
        for routes in (
                [route("a", {"regex": "/a/[0-9]+"}), route("b", {"regex": "/a/[a-z]+"})],
                [route("a", {"regex": "/a/.*"}, match={"methods": ["GET"]}),
                 route("b", {"regex": "/a/b"}, match={"methods": ["PUT"]})],
                [route("a", {"regex": "/a/.*"}, match={"hosts": ["a.org"]}),
                 route("b", {"regex": "/a/b"}, match={"hosts": ["b.org"]})],
                ranked, ranked[::-1]):
            with self.subTest(str(routes)):
                self.assertEqual(self.check(routes), [])

    def test_networks_in_networks(self):
        def found(first, second):
            return [code for code, _ in self.check([
                route("first", {"prefix": "/a"}, match={"clients": first}),
                route("second", {"prefix": "/a"}, match={"clients": second})])]

        for first, second, codes in (
                (["10.0.0.0/8"], ["10.1.0.0/16"], ["W0151"]),
                (["10.0.0.0/8", "192.0.2.0/24"], ["192.0.2.1", "10.9.9.9"], ["W0151"]),
                (["10.1.0.0/16"], ["10.0.0.0/8"], ["W0155"]),
                (["10.0.0.0/8"], ["10.1.0.0/16", "192.0.2.0/24"], ["W0155"]),
                (["10.0.0.0/9"], ["10.128.0.0/9"], []), (["10.0.0.0/8"], ["11.0.0.0/8"], []),
                (["::/0"], ["10.0.0.0/8"], []), (["0.0.0.0/0"], ["10.0.0.0/8"], ["W0151"]),
                (["2001:db8::/32"], ["2001:db8:1::/48"], ["W0151"]),
                (["2001:db8:8000::/33"], ["2001:db8::/33"], [])):
            with self.subTest(first=first, second=second):
                self.assertEqual(found(first, second), codes)

    def test_all_of_many_are_compared_or_it_says_so(self):
        def tenants(count):
            return [route(f"r{i}", {"prefix": "/a"}, match={"headers": {"x-tenant": str(i)}})
                    for i in range(count)]

        again = route("again", {"prefix": "/a"}, match={"headers": {"x-tenant": "150"}})
        (code, message), = self.check([*tenants(200), again])
        self.assertEqual(code, "W0151")
        self.assertIn('"r150"', message)
        (code, message), = self.check(tenants(5000))
        self.assertEqual(code, "W0155")
        self.assertIn("not all of them were compared", message)

    def test_what_is_fine(self):
        self.assertEqual(self.check([
            route("get", {"prefix": "/a"}, match={"methods": ["GET"]}),
            route("put", {"prefix": "/a"}, match={"methods": ["PUT"]}),
            route("one", {"prefix": "/a"}, match={"headers": {"v": "1"}}),
            route("two", {"prefix": "/a"}, match={"headers": {"v": "2"}}),
            route("all", {"prefix": "/a"}),
            route("id", {"template": "/a/{id}"}), route("x", {"template": "/a/{id}/x"}),
            route("below", {"prefix": "/a/b"}),
            route("regex", {"regex": "/ab[0-9]*"}), route("either", {"regex": "/a/x|/z"}),
            route("class", {"regex": "/a/1[](]|/y"}), route("quoted", {"regex": r"/a/2\Q(\E|/t"}),
            route("named", {"regex": "/a/3[[:alpha:](]|/s"}),
            route("rest")]), [])

    def test_missing_captures(self):
        limits = [{"name": "l", "rate": "1/s", "key": ["path:{id}"]}]
        (code, message), = self.check(
            [route("r", {"template": "/u/{user}"}, rate_limits=["l"])], limits)
        self.assertEqual(code, "W0156")
        self.assertIn('captures no "id", which the key of rate limit "l" wants', message)

    def test_many_routes_are_checked_quickly(self):
        routes = [route(f"r{number}", {"prefix": f"/a{number // 2}"},
                        match={"headers": {"v": str(number)}}) for number in range(2000)]
        self.assertEqual(self.check(routes), [])


class ManyRoutes(GatewayCase):
    """Some thousands of routes, one changed at a time, under traffic."""

    def test_reloaded_under_load(self):
        routes = [route(f"r{number}", {"prefix": f"/service-{number}"}) for number in range(2000)]
        settings = make_config(self.origin, routes=routes)
        gateway = self.start(settings)
        loads = [Load(gateway.listener(), threads=1, target=f"/service-{number}/x")
                 for number in (0, 1000, 1999)]
        for load in loads:
            self.addCleanup(load.stop)
        client = gateway.client()
        for number in range(4):
            settings = copy.deepcopy(settings)
            changed = settings["routes"][100 + number]
            before = changed["match"]["path"]["prefix"]
            changed["match"]["path"]["prefix"] = f"/changed-{number}"
            if number % 2:  # and one more, one less, around it
                settings["routes"].insert(50, route(f"new{number}", {"exact": f"/new-{number}"}))
                del settings["routes"][200]
            for load in loads:
                load.wait_for_more(5)
            done = gateway.reload(settings)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(client.request("GET", f"/changed-{number}").status, 200)
            seen = [request.header("x-route") for request in self.origin.requests
                    if request.target == f"/changed-{number}"]
            self.assertEqual(seen, [changed["name"]])
            self.assertEqual(client.request("GET", before).status, 404)
        for load in loads:
            load.wait_for_more(5)
            self.assertEqual(load.stop(), [])
        metrics = gateway.metrics()
        self.assertGreater(metrics['hangu_route_requests_total{route="r0",status="2xx"}'], 0)

    def test_counters_go_on_where_a_route_stays(self):
        settings = make_config(self.origin,
                               routes=[route("stays"), route("goes", {"prefix": "/g"})])
        gateway = self.start(settings)
        client = gateway.client()
        for target in ("/", "/g", "/"):
            client.request("GET", target)
        settings["routes"][1]["name"] = "new"
        self.assertEqual(gateway.reload(settings).returncode, 0)
        client.request("GET", "/")
        metrics = gateway.metrics()
        self.assertEqual(metrics['hangu_route_requests_total{route="stays",status="2xx"}'], 3)
        self.assertFalse([name for name in metrics if '"goes"' in name])


if __name__ == "__main__":
    unittest.main()
