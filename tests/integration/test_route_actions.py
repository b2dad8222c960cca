"""What a route does: redirects, answers of its own, rewrites, and whom it lets in."""

import pathlib
import re
import shutil
import tempfile
import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu, sanitized
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

    def test_regular_expressions(self):
        redirect = {"regex": "^/u/([0-9]+)/(.*)$", "substitution": "/users?id=\\1&p=\\2",
                    "status": 301}
        for path, expected in (("/u/7/a/b", "/users?id=7&p=a/b"),
                               ("/u/7/a?x=1", "/users?id=7&p=a&x=1"), ("/u/x/a?q", "/u/x/a?q")):
            self.assertEqual(self.location(redirect, path), "http://a.example" + expected)

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

    def test_a_file(self):
        page = b"<p>closed</p>\r\n" + b"x" * 200_000
        path = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-")) / "closed.html"
        self.addCleanup(shutil.rmtree, path.parent)
        path.write_bytes(page)
        respond = {"file": str(path), "status": 503, "content_type": "text/html"}
        config = make_config(self.origin, workers=1)
        config["routes"] = [{"name": "all", "respond": respond}]
        gateway = self.start(config)
        client = gateway.client()
        for _ in range(3):
            response = client.request("GET", "/")
            self.assertEqual((response.status, response.body), (503, page))
            self.assertEqual(response.header("content-type"), "text/html")
        path.write_bytes(b"new")
        self.assertEqual(gateway.reload().returncode, 0)
        self.assertEqual(client.request("GET", "/").body, b"new")
        for contents in (None, b"x" * (256 * 1024 + 1)):  # a bad reload keeps what there is
            path.unlink() if contents is None else path.write_bytes(contents)
            refused = gateway.reload()
            self.assertEqual(refused.returncode, 4, refused.stdout)
            self.assertIn("E0135", refused.stdout + refused.stderr)
            self.assertEqual(client.request("GET", "/").body, b"new")

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

    def test_regular_expressions(self):
        for regex, substitution, path, expected in (
                ("^/v([0-9]+)/(.*)$", "/\\2/\\1", "/v12/a/b?q", "/a/b/12?q"),
                ("^/users/([^/]+)$", "/user?id=\\1", "/users/7?q=%20", "/user?id=7&q=%20"),
                ("^/users/([^/]+)$", "/user?id=\\1", "/users/7/8?q", "/users/7/8?q"),
                ("^/strip/", "", "/strip/a", "/a"),
                ("/old/", "/new/", "/a/old/old/b", "/a/new/old/b")):
            with self.subTest(regex + " " + path):
                rewrite = {"regex": regex, "substitution": substitution}
                self.assertEqual(self.seen(rewrite, path)[0], expected)

    def test_hosts_with_variables(self):
        gateway = self.begin({"rewrite": {"host": "{header.x-tenant}.internal"}})
        client = gateway.client()
        self.assertEqual(client.request("GET", "/", {"X-Tenant": "t1"}).status, 200)
        self.assertEqual(self.origin.requests[-1].header("host"), "t1.internal")
        for tenant in ("a b", "a/b", "a@b", "a,b"):
            self.assert_problem(client.request("GET", "/", {"X-Tenant": tenant}), 400,
                                "rewrite.host")
        self.assertEqual(len(self.origin.requests), 1)

    def test_host(self):
        self.assertEqual(self.seen({"host": "b.example"}, "/a"), ("/a", "b.example"))

    def test_forwarding_the_original_path(self):
        listener = {"path": {"forward": "original"}}
        self.assertEqual(self.seen({"prefix": "/v2"}, "/x/../a", listener=listener)[0], "/v2/a")
        self.assertEqual(self.seen({"host": "b.example"}, "/x/../a", listener=listener),
                         ("/x/../a", "b.example"))


class Limits(ActionCase):
    def test_request_heads(self):
        gateway = self.begin({"headers_max": "2KiB"})
        client = gateway.client()
        self.assertEqual(client.request("GET", "/", {"X-A": "x" * 1000}).status, 200)
        response = client.request("GET", "/", {"X-A": "x" * 2048})
        self.assert_problem(response, 431, "limit.headers")
        self.assertEqual(len(self.origin.requests), 1)

    def test_response_bodies(self):
        self.origin.on("/length", lambda exchange: exchange.reply(200, {}, b"x" * 3000))
        self.origin.on("/chunks", lambda exchange: exchange.reply_chunked([b"x" * 100] * 30))
        self.origin.on("/large", lambda exchange: exchange.reply_bytes(4 << 20))
        for most, good in (("3000", True), ("2999", False)):
            gateway = self.begin({"response_body_max": most})
            response = gateway.client().request("GET", "/length")
            if good:
                self.assertEqual(response.body_bytes, 3000)
                self.assertEqual(gateway.client().request("GET", "/chunks").body_bytes, 3000)
            else:
                self.assert_problem(response, 502, "upstream.body_too_large")
                client = gateway.client()
                client.send_request("GET", "/chunks")
                self.assertEqual(client.read_head().status, 200)
                self.assertFalse(client.end()[1].endswith(b"0\r\n\r\n"))
            self.assert_problem(gateway.client().request("GET", "/large"), 502,
                                "upstream.body_too_large")


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

    def shares(self, first, second, **others):
        return {"upstreams": [{"upstream": "v1", "weight": first},
                              {"upstream": "v2", "weight": second}], **others}

    def test_a_request_may_name_its_upstream(self):
        gateway = self.begin(self.shares(100, 0, override={"header": "X-Canary",
                                                           "cookie": "canary"}))
        for headers, expected in (
                ({}, [5, 0]), ({"x-canary": "v2"}, [0, 5]), ({"Cookie": "canary=v2"}, [0, 5]),
                ({"x-canary": "v3"}, [5, 0]), ({"x-canary": ""}, [5, 0]),
                ({"x-canary": "v1", "Cookie": "canary=v2"}, [5, 0])):
            with self.subTest(str(headers)):
                self.assertEqual(self.ask(gateway, 5, headers), expected)

    def test_sticky_cookie(self):
        gateway = self.begin(self.shares(50, 50, key=["cookie:sid"], sticky_cookie="place",
                                         sticky_max_age="1h"))
        client = gateway.client()
        seen = set()
        for _ in range(20):
            response = client.request("GET", "/")
            cookie, _, attributes = response.header("set-cookie").partition("; ")
            self.assertEqual(attributes, "Path=/; HttpOnly; SameSite=Lax; Max-Age=3600")
            self.assertRegex(cookie, r"^place=\d{1,4}$")
            place = int(cookie[len("place="):])
            expected = [3, 0] if place < 5000 else [0, 3]
            self.assertEqual(self.ask(gateway, 3, {"Cookie": cookie}), expected)
            self.assertIsNone(client.request("GET", "/", {"Cookie": cookie}).header("set-cookie"))
            seen.add(place)
        self.assertGreater(len(seen), 10)
        # Who has the key needs no cookie; what is no place is not believed.
        self.assertIsNone(client.request("GET", "/", {"Cookie": "sid=1"}).header("set-cookie"))
        for bad in ("place=10000", "place=-1", "place="):
            self.assertIsNotNone(client.request("GET", "/", {"Cookie": bad}).header("set-cookie"))

    def test_all_gateways_agree(self):
        key = {"key": ["header:x-user"]}
        gateways = [self.begin(self.shares(50, 50, **key)), self.begin(self.shares(50, 50, **key))]

        def version(gateway, user):
            client = gateway.client()
            return [origin.name for origin in self.origins
                    if client.request("GET", "/", {"x-user": user}) and
                    origin.requests and origin.requests[-1].header("x-user") == user]

        explained = set()
        for user in map(str, range(12)):
            found = []
            for gateway in gateways:
                gateway.client().request("GET", "/", {"x-user": user})
                done = run_hangu("explain", "--socket", gateway.socket, "-H", f"x-user: {user}",
                                 "http://h/")
                found.append(re.search(r"goes to +(v[12]): its key is in bucket (\d+) of 10000",
                                       done.stdout).groups())
            self.assertEqual(found[0], found[1])
            # The last pair of origins is the second gateway's.
            self.assertEqual(version(gateways[1], user)[0], found[1][0])
            explained.add(found[0][0])
        self.assertEqual(explained, {"v1", "v2"})

    def test_explained(self):
        gateway = self.begin(self.shares(100, 0, override={"header": "x-canary"},
                                         sticky_cookie="place"))

        def explain(*headers):
            words = [word for header in headers for word in ("-H", header)]
            done = run_hangu("explain", "--socket", gateway.socket, *words, "http://h/")
            return re.search(r"goes to +(.*)", done.stdout)[1]

        self.assertEqual(explain("x-canary: v2"), "v2: header x-canary names it")
        self.assertEqual(explain("cookie: place=17"), "v1: cookie place says bucket 17 of 10000")
        self.assertEqual(explain(), "at random, and kept by cookie place: there is no key")

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

    def test_lists_in_files(self):
        with tempfile.TemporaryDirectory() as folder:
            allowed, denied = (pathlib.Path(folder) / name for name in ("allowed", "denied"))
            allowed.write_text("# partners\n10.0.0.0/8\n\n2001:db8::/32  # all of it\n192.0.2.7\n")
            denied.write_text("".join(f"10.{number >> 8 & 255}.{number & 255}.0/24\n"
                                      for number in range(0, 20000, 2)))
            route = {"clients": {"allow_file": str(allowed), "deny_file": str(denied)}}
            gateway = self.begin(route, {"trusted_proxies": ["127.0.0.0/8"]})

            def statuses(*addresses):
                client = gateway.client()
                return [client.request("GET", "/", {"X-Forwarded-For": address}).status
                        for address in addresses]

            self.assertEqual(statuses("10.0.1.2", "10.0.2.2", "10.78.31.1", "2001:db8::1",
                                      "192.0.2.7", "192.0.2.8"), [200, 403, 200, 200, 200, 403])
            denied.write_text("10.0.1.0/24\n")
            self.assertEqual(gateway.reload().returncode, 0)
            self.assertEqual(statuses("10.0.1.2", "10.0.2.2"), [403, 200])
            denied.write_text("10.0.1.0/24\n10.0.0.1/24\nnonsense\n")
            done = run_hangu("reload", "--socket", gateway.socket)
            self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
            output = done.stdout + done.stderr
            self.assertIn(f"{denied}:2:1: error[E0118]", output)
            self.assertIn("did you mean \"10.0.0.0/24\"?", output)
            self.assertIn(f"{denied}:3:1: error[E0118]", output)
            self.assertEqual(statuses("10.0.1.2", "10.0.2.2"), [403, 200])

    def test_a_million_networks(self):
        """Starting, refusing, and a reload with one of them changed, in bounds that leave room."""
        if sanitized():
            self.skipTest("too long and too large with a sanitizer built in")

        def ipv4(number):
            return f"{11 + (number >> 24)}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

        # Every other one: none can be joined with its neighbour.
        lines = [ipv4(number) for number in range(0, 1_400_000, 2)]
        lines += [f"2001:db8:{number >> 16:x}:{number & 0xffff:x}::/64"
                  for number in range(0, 600_000, 2)]
        self.assertEqual(len(lines), 1_000_000)
        plain = self.begin({}).memory()
        with tempfile.TemporaryDirectory() as folder:
            denied = pathlib.Path(folder) / "denied"
            denied.write_text("\n".join(lines) + "\n")
            begun = time.monotonic()
            gateway = self.begin({"clients": {"deny_file": str(denied)}},
                                 {"trusted_proxies": ["127.0.0.0/8"]})
            self.assertLess(time.monotonic() - begun, 20)

            def statuses(*addresses):
                client = gateway.client()
                return [client.request("GET", "/", {"X-Forwarded-For": address}).status
                        for address in addresses]

            first, last, changed = ipv4(0), ipv4(1_399_998), ipv4(700_000)
            self.assertEqual(statuses(first, changed, last, "2001:db8::1", "2001:db8:9:27be::2"),
                             [403] * 5)
            others = (ipv4(1), ipv4(700_001), "2001:db8:0:1::1", "2001:db8:9:27bf::2",
                      "2001:db9::1", "192.0.2.1")
            self.assertEqual(statuses(*others), [200] * 6)
            self.assertLess(gateway.memory() - plain, 150_000_000)
            lines[350_000] = ipv4(700_001)
            denied.write_text("\n".join(lines) + "\n")
            self.assertEqual(gateway.reload().returncode, 0)
            self.assertEqual(statuses(changed, ipv4(700_001), first, last, "2001:db8::1"),
                             [200] + [403] * 4)
            self.assertLess(gateway.memory() - plain, 300_000_000)

    def test_deny_alone(self):
        gateway = self.begin({"clients": {"deny": ["192.0.2.0/24"]}},
                             {"trusted_proxies": ["127.0.0.0/8"]})
        for address, status in (("192.0.2.9", 403), ("10.1.2.3", 200)):
            response = gateway.client().request("GET", "/", {"X-Forwarded-For": address})
            self.assertEqual(response.status, status, address)


if __name__ == "__main__":
    unittest.main()
