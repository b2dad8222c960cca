"""Rate limits: what is counted, what is refused, and how that is said."""

import base64
import hashlib
import json
import tempfile
import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.http2 import Http2Client
from support.wait import eventually, run_threads
from support.websocket import WebSocket, echo_script


class RateLimitCase(GatewayCase):
    def begin(self, *limits, route=None, workers=1, listener=None):
        names = [limit["name"] for limit in limits]
        return self.start(make_config(
            self.origin, workers=workers, listener=listener, rate_limits=list(limits),
            route={"rate_limits": names, **(route or {})}))

    def statuses(self, gateway, count, path="/", headers=None):
        client = gateway.client()
        return [client.request("GET", path, headers or {}).status for _ in range(count)]


def limit(name="slow", rate="1/h", **keys):
    return {"name": name, "rate": rate, **keys}


class Counting(RateLimitCase):
    def test_a_burst_and_no_more(self):
        gateway = self.begin(limit(burst=3))
        before = len(self.origin.requests)
        self.assertEqual(self.statuses(gateway, 5), [200] * 3 + [429] * 2)
        self.assertEqual(len(self.origin.requests) - before, 3)
        metrics = gateway.metrics()
        for decision, count in (("allowed", 3), ("rejected", 2), ("shadow_rejected", 0)):
            name = f'hangu_rate_limit_requests_total{{rate_limit="slow",decision="{decision}"}}'
            self.assertEqual(metrics[name], count)

    def test_the_bucket_fills_again(self):
        gateway = self.begin(limit(rate="30/m", burst=1))
        self.assertEqual(self.statuses(gateway, 2), [200, 429])
        eventually(lambda: self.statuses(gateway, 1) == [200], "2 s are over")

    def test_the_burst_of_a_second_by_default(self):
        gateway = self.begin(limit(rate="120/m"))
        began = time.monotonic()
        passed = self.statuses(gateway, 3).count(200)
        self.assertGreaterEqual(passed, 2)
        self.assertLessEqual(passed, 2 + 2 * (time.monotonic() - began))

    def test_by_parts_of_the_request(self):
        for key, one, other in (
                ("header:X-Tenant", {"headers": {"x-tenant": "a"}}, {"headers": {"X-Tenant": "b"}}),
                ("cookie:sid", {"headers": {"Cookie": "x=1; sid=a"}},
                 {"headers": {"Cookie": "x=1; sid=b"}}),
                ("query:id", {"path": "/?id=1&x=2"}, {"path": "/?x=2&id=2"}),
                ("path", {"path": "/a/../b"}, {"path": "/c"}),
                ("host", {"headers": {"Host": "a.example"}}, {"headers": {"Host": "b.example"}})):
            with self.subTest(key):
                gateway = self.begin(limit(burst=1, key=[key]))
                for _ in range(2):
                    expected = [200] if _ == 0 else [429]
                    self.assertEqual(self.statuses(gateway, 1, **one), expected)
                    self.assertEqual(self.statuses(gateway, 1, **other), expected)

    def test_by_several_parts_at_once(self):
        gateway = self.begin(limit(burst=1, key=["header:a", "header:b"]))
        for headers in ({"a": "1", "b": "2"}, {"a": "12"}, {"b": "12"}, {"a": "", "b": "12"}):
            self.assertEqual(self.statuses(gateway, 2, headers=headers), [200, 429], headers)

    def test_by_method(self):
        gateway = self.begin(limit(burst=1, key=["method"]))
        client = gateway.client()
        for method, status in (("GET", 200), ("GET", 429), ("POST", 200), ("POST", 429),
                               ("PURGE", 200), ("PURGE", 429), ("HEAD", 200), ("GET", 429)):
            self.assertEqual(client.request(method, "/").status, status, method)

    def test_by_client(self):
        gateway = self.begin(limit(burst=1, exempt=["192.0.2.0/24"]),
                             listener={"trusted_proxies": ["127.0.0.0/8"]})

        def ask(address):
            return self.statuses(gateway, 1, headers={"X-Forwarded-For": address})[0]

        for address, status in (("198.51.100.1", 200), ("198.51.100.1", 429),
                                ("198.51.100.2", 200), ("192.0.2.7", 200), ("192.0.2.7", 200),
                                ("2001:db8:1:2::1", 200), ("2001:db8:1:2:ffff::9", 429),
                                ("2001:db8:1:3::1", 200)):
            self.assertEqual(ask(address), status, address)

    def test_networks_of_clients(self):
        gateway = self.begin(limit(burst=1, ipv4_prefix=20, ipv6_prefix=48),
                             listener={"trusted_proxies": ["127.0.0.0/8"]})

        def ask(address):
            return self.statuses(gateway, 1, headers={"X-Forwarded-For": address})[0]

        for address, status in (("198.51.100.1", 200), ("198.51.111.255", 429),
                                ("198.51.112.1", 200), ("2001:db8:1:2::1", 200),
                                ("2001:db8:1:3::1", 429), ("2001:db8:2::", 200)):
            self.assertEqual(ask(address), status, address)

    def test_missing_keys(self):
        for policy, expected in (("share", [200, 429]), ("skip", [200, 200]),
                                 ("deny", [429, 429])):
            with self.subTest(policy):
                gateway = self.begin(limit(burst=1, key=["header:x"], on_missing_key=policy))
                self.assertEqual(self.statuses(gateway, 2), expected)
                self.assertEqual(self.statuses(gateway, 1, headers={"x": ""}), [200])

    def test_one_that_is_refused_counts_in_none(self):
        gateway = self.begin(limit("wide", burst=3, key=["route"]),
                             limit("narrow", burst=1, key=["header:x"]))
        self.assertEqual(self.statuses(gateway, 9, headers={"x": "1"}), [200] + [429] * 8)
        self.assertEqual(self.statuses(gateway, 1, headers={"x": "2"}), [200])
        self.assertEqual(self.statuses(gateway, 1, headers={"x": "3"}), [200])
        self.assertEqual(self.statuses(gateway, 1, headers={"x": "4"}), [429])
        metrics = gateway.metrics()
        name = 'hangu_rate_limit_requests_total{{rate_limit="{}",decision="{}"}}'
        self.assertEqual(metrics[name.format("wide", "allowed")], 3)
        self.assertEqual(metrics[name.format("narrow", "rejected")], 8)
        self.assertEqual(metrics[name.format("wide", "rejected")], 1)

    def test_all_workers_count_together(self):
        gateway = self.begin(limit(burst=50, key=["route"]), workers=2)
        statuses = []
        run_threads(12, lambda _: statuses.extend(self.statuses(gateway, 10)))
        self.assertEqual(statuses.count(200), 50)
        self.assertEqual(statuses.count(429), 70)

    def test_many_keys_share_what_is_left(self):
        gateway = self.begin(limit(burst=1, key=["query:k"], keys_max=1000))
        client = gateway.client()
        for i in range(4000):
            client.request("GET", f"/?k={i}")
        metrics = gateway.metrics()
        self.assertGreaterEqual(metrics['hangu_rate_limit_shared_keys_total{rate_limit="slow"}'],
                                1000)
        self.assertEqual(self.statuses(gateway, 1, path="/?k=0"), [429])

    def test_modes(self):
        gateway = self.begin(limit(burst=1, mode="shadow"))
        self.assertEqual(self.statuses(gateway, 3), [200] * 3)
        name = 'hangu_rate_limit_requests_total{rate_limit="slow",decision="shadow_rejected"}'
        self.assertEqual(gateway.metrics()[name], 2)
        gateway = self.begin(limit(burst=1, mode="off"))
        self.assertEqual(self.statuses(gateway, 3), [200] * 3)

    def test_a_reload_forgets_nothing(self):
        config = make_config(self.origin, rate_limits=[limit(burst=2), limit("other", burst=9)],
                             route={"rate_limits": ["slow"]})
        gateway = self.start(config)
        self.assertEqual(self.statuses(gateway, 2), [200, 200])
        config["rate_limits"].reverse()
        config["rate_limits"][1]["headers"] = "legacy"
        gateway.reload(config)
        self.assertEqual(self.statuses(gateway, 1), [429])
        config["rate_limits"][1]["key"] = ["route"]
        gateway.reload(config)
        self.assertEqual(self.statuses(gateway, 3), [200, 200, 429])


    def test_a_reload_that_changes_the_rate_keeps_what_was_taken(self):
        for scope in ("node", "shard"):
            with self.subTest(scope):
                config = make_config(self.origin, workers=1,
                                     rate_limits=[limit(burst=5, scope=scope)],
                                     route={"rate_limits": ["slow"]})
                gateway = self.start(config)
                self.assertEqual(self.statuses(gateway, 4), [200] * 4)
                config["rate_limits"][0]["rate"] = "1/m"
                self.assertEqual(gateway.reload(config).returncode, 0)
                client = gateway.client()
                self.assertEqual(client.request("GET", "/").status, 200)
                response = client.request("GET", "/")
                self.assertEqual(response.status, 429)
                self.assertLessEqual(int(response.header("retry-after")), 60)
                config["rate_limits"][0]["rate"] = "1000/s"
                self.assertEqual(gateway.reload(config).returncode, 0)
                eventually(lambda: self.statuses(gateway, 1) == [200], "milliseconds are over")


class Consumers(RateLimitCase):
    """By who the client has proved to be, whatever it shows."""

    BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"  # of "U*U"

    def begin_with_consumers(self, *limits, **route):
        def keys(*names):
            return [{"id": name, "hash": "sha256:" + hashlib.sha256(name.encode()).hexdigest()}
                    for name in names]

        return self.start(make_config(
            self.origin, rate_limits=list(limits),
            authenticators=[{"name": "keys", "api_key": "on"},
                            {"name": "people", "basic": "on"}],
            consumers=[{"name": "ada", "api_keys": keys("ada-1", "ada-2"),
                        "passwords": [{"user": "ada", "hash": self.BCRYPT}]},
                       {"name": "bob", "api_keys": keys("bob-1")}],
            route={"rate_limits": [each["name"] for each in limits],
                   "authentication": {"any": ["keys", "people"], **route}}))

    def ask(self, gateway, *keys):
        client = gateway.client()
        return [client.request("GET", "/", {"X-Api-Key": key} if key else {}).status
                for key in keys]

    def test_each_has_a_bucket_for_all_credentials(self):
        gateway = self.begin_with_consumers(limit(burst=3, key=["consumer"]))
        self.assertEqual(self.ask(gateway, "ada-1", "ada-2"), [200, 200])
        token = base64.b64encode(b"ada:U*U").decode()
        basic = {"Authorization": f"Basic {token}"}
        self.assertEqual(self.statuses(gateway, 2, headers=basic), [200, 429])
        self.assertEqual(self.ask(gateway, "ada-1", "ada-2"), [429, 429])
        self.assertEqual(self.ask(gateway, "bob-1", "bob-1", "bob-1", "bob-1"),
                         [200, 200, 200, 429])

    def test_who_is_nobody_takes_from_none(self):
        gateway = self.begin_with_consumers(limit(burst=1, key=["consumer"]))
        self.assertEqual(self.ask(gateway, "wrong", None, "wrong", None), [401] * 4)
        self.assertEqual(self.ask(gateway, "ada-1", "bob-1", "ada-1"), [200, 200, 429])

    def test_those_without_a_name(self):
        for policy, expected in (("share", [200, 429]), ("skip", [200, 200]),
                                 ("deny", [429, 429])):
            with self.subTest(policy):
                gateway = self.begin_with_consumers(
                    limit(burst=1, key=["consumer"], on_missing_key=policy), optional=True)
                self.assertEqual(self.ask(gateway, None, None), expected)
                self.assertEqual(self.ask(gateway, "ada-1", "ada-1"), [200, 429])


class Tries(RateLimitCase):
    """A request counts once, however often the upstream is asked."""

    ALLOWED = 'hangu_rate_limit_requests_total{rate_limit="slow",decision="allowed"}'

    def begin_with_tries(self, origins, **upstream):
        return self.start(make_config(
            self.origin, workers=1, rate_limits=[limit(burst=2)],
            route={"rate_limits": ["slow"]},
            upstream={"endpoints": [origin.endpoint for origin in origins], **upstream}))

    def ask(self, gateway, status):
        self.assertEqual(self.statuses(gateway, 3), [status, status, 429])
        self.assertEqual(gateway.metrics()[self.ALLOWED], 2)

    def test_retries_are_free(self):
        for script, status in ((lambda exchange: exchange.reply(503), 503),
                               (lambda exchange: exchange.reset(), 502)):
            with self.subTest(status):
                self.origin.clear()
                self.origin.on("/", script)
                gateway = self.begin_with_tries([self.origin], retry={
                    "attempts": 3, "statuses": [503], "on": ["reset"], "backoff": "1ms"})
                self.ask(gateway, status)
                self.assertEqual(len(self.origin.requests), 8)

    def test_hedges_are_free(self):
        slow = self.start_origin()
        gateway = self.begin_with_tries([slow, self.origin], retry={"attempts": 0},
                                        hedge={"after": "50ms", "percent_max": 100})
        slow.on("/", lambda exchange: exchange.wait_for_end())
        # It is the first endpoint of one of the two, at least: they are asked in turn.
        self.ask(gateway, 200)
        hedges = gateway.metrics()['hangu_upstream_hedges_total{upstream="origin"}']
        self.assertGreaterEqual(hedges, 1)
        self.assertEqual(len(slow.requests), hedges)


class Scopes(RateLimitCase):
    def test_a_shard_has_its_part(self):
        gateway = self.begin(limit(burst=40, key=["route"], scope="shard"), workers=4)
        statuses = []
        run_threads(32, lambda _: statuses.extend(self.statuses(gateway, 12)))
        # Each of the four has ten; how the kernel spreads connections says how many are met.
        self.assertLessEqual(statuses.count(200), 40)
        self.assertGreaterEqual(statuses.count(200), 10)
        self.assertEqual(statuses.count(200) % 10, 0)

    def test_leases_are_near_the_limit(self):
        gateway = self.begin(limit(rate="6000/s", burst=600, key=["route"], accuracy="lease"),
                             workers=2)
        begin = time.monotonic()
        statuses = []
        run_threads(8, lambda _: statuses.extend(self.statuses(gateway, 200)))
        passed = statuses.count(200)
        # burst + rate·t + shards·(batch - 1)
        self.assertLessEqual(passed, 600 + 6000 * (time.monotonic() - begin) + 2 * 59)
        self.assertGreaterEqual(passed, 600 - 2 * 59)

    def test_a_lease_of_a_slow_rate_is_exact(self):
        gateway = self.begin(limit(burst=50, key=["route"], accuracy="lease"), workers=2)
        statuses = []
        run_threads(8, lambda _: statuses.extend(self.statuses(gateway, 10)))
        self.assertEqual(statuses.count(200), 50)


class Costs(RateLimitCase):
    def test_a_fixed_cost(self):
        gateway = self.begin(limit(burst=10, cost=3))
        self.assertEqual(self.statuses(gateway, 5), [200] * 3 + [429] * 2)

    def test_bytes(self):
        self.origin.on("/big", lambda exchange: (exchange.read_body(),
                                                 exchange.reply(200, {}, b"x" * 4000)))
        for cost, first in (("response_bytes", b""), ("request_bytes", b"x" * 4000),
                            ("bytes", b"x" * 100)):
            with self.subTest(cost):
                gateway = self.begin(limit(rate="10KiB/h", burst=3000, cost=cost))

                def ask():
                    return gateway.client().request("POST", "/big", {}, first)

                self.assertEqual(ask().status, 200)
                response = eventually(lambda: (r := ask()).status == 429 and r, "it was counted")
                # 1000 bytes of debt, and one more, at 10 KiB an hour.
                self.assertAlmostEqual(int(response.header("retry-after")), 1001 / 10240 * 3600,
                                       delta=60)
                self.assertIn(';qu="content-bytes"', response.header("ratelimit-policy"))

    def test_bytes_of_a_tunnel_count_when_it_ends(self):
        self.origin.on("/ws", echo_script)
        gateway = self.begin(limit(rate="1KiB/h", burst=3000, cost="request_bytes"))
        websocket = WebSocket(gateway.client())
        self.assertEqual(websocket.open().status, 101)
        self.assertEqual(websocket.echo(b"x" * 4000), b"x" * 4000)
        self.assertEqual(self.statuses(gateway, 1), [200])
        websocket.client.close()
        eventually(lambda: self.statuses(gateway, 1) == [429], "4000 bytes were counted")

    def test_what_the_upstream_says(self):
        self.origin.on("/dear", lambda exchange: exchange.reply(200, {"X-Cost": "7"}, b""))
        self.origin.on("/free", lambda exchange: exchange.reply(200, {"X-Cost": "0"}, b""))
        self.origin.on("/odd", lambda exchange: exchange.reply(200, {"X-Cost": "-1"}, b""))
        gateway = self.begin(limit(burst=10, cost="response_header:X-Cost"))
        client = gateway.client()
        for path, expected in (("/free", 200), ("/free", 200), ("/odd", 200), ("/dear", 200),
                               ("/", 200), ("/dear", 200), ("/free", 429)):
            response = client.request("GET", path)
            self.assertEqual(response.status, expected, path)
            self.assertIsNone(response.header("x-cost"))

    def test_without_an_answer_it_costs_one(self):
        self.origin.on("/gone", lambda exchange: exchange.reset())
        gateway = self.begin(limit(burst=2, cost="response_header:x-cost"))
        self.assertEqual(self.statuses(gateway, 3, "/gone"), [502, 502, 429])


class Matching(RateLimitCase):
    def test_methods_and_paths(self):
        gateway = self.begin(limit(burst=1, match={"methods": ["POST"],
                                                   "path": {"prefix": "/upload"}}))
        client = gateway.client()
        for method, path, expected in (
                ("GET", "/upload", 200), ("GET", "/upload", 200), ("POST", "/uploads", 200),
                ("POST", "/", 200), ("POST", "/upload/a", 200), ("POST", "/upload", 429),
                ("GET", "/upload", 200)):
            self.assertEqual(client.request(method, path).status, expected, (method, path))

    def test_an_exact_path(self):
        gateway = self.begin(limit(burst=1, match={"path": {"exact": "/login"}}))
        self.assertEqual(self.statuses(gateway, 2, "/login/x"), [200, 200])
        self.assertEqual(self.statuses(gateway, 2, "/login"), [200, 429])

    def test_preflights_are_passed_over(self):
        gateway = self.begin(limit(burst=1, match={"skip_preflight": True}))
        client = gateway.client()
        preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
        for _ in range(3):
            self.assertEqual(client.request("OPTIONS", "/", preflight).status, 200)
        self.assertEqual(client.request("OPTIONS", "/", {"Origin": "https://a.example"}).status,
                         200)
        self.assertEqual(client.request("OPTIONS", "/").status, 429)


class Answers(RateLimitCase):
    def assert_retry_after(self, response, seconds, began):
        """So many seconds, less what has passed since, rounded up: exact within the first second.
        Returns what it says."""
        wait = int(response.header("retry-after"))
        self.assertLessEqual(wait, seconds)
        self.assertGreaterEqual(wait, seconds - (time.monotonic() - began))
        return wait

    def test_the_upstreams_own_words_are_left_alone(self):
        self.origin.on("/busy", lambda exchange: exchange.reply(429, {"Retry-After": "77"}, b""))
        gateway = self.begin(limit(burst=9, headers_on="all"))
        response = gateway.client().request("GET", "/busy")
        self.assertEqual((response.status, response.header("retry-after")), (429, "77"))

    def test_refused(self):
        gateway = self.begin(limit("per-client", rate="2/m", burst=1))
        began = time.monotonic()
        self.statuses(gateway, 1)
        response = gateway.client().request("GET", "/")
        self.assertEqual(response.status, 429)
        self.assertEqual(response.header("ratelimit-policy"), '"per-client";q=2;w=60')
        wait = self.assert_retry_after(response, 30, began)
        self.assertEqual(response.header("ratelimit"), f'"per-client";r=0;t={wait}')
        self.assertIsNone(response.header("x-ratelimit-limit"))
        problem = response.json()
        self.assertEqual(problem["type"],
                         "https://iana.org/assignments/http-problem-types#quota-exceeded")
        self.assertEqual(problem["code"], "rate_limit.exceeded")
        self.assertEqual(problem["violated-policies"], ["per-client"])
        self.assertEqual(problem["retry_after"], wait)

    def test_long_waits_are_rounded_up(self):
        gateway = self.begin(limit(rate="1/h", burst=1))
        began = time.monotonic()
        self.statuses(gateway, 1)
        self.assert_retry_after(gateway.client().request("GET", "/"), 3600, began)

    def test_on_every_response(self):
        gateway = self.begin(limit("a", rate="10/s", burst=100, headers="both", headers_on="all"),
                             limit("b", rate="10/s", burst=50, headers="both", headers_on="all"))
        response = gateway.client().request("GET", "/")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.header("ratelimit-policy"), '"b";q=50;w=5')
        self.assertEqual(response.header("ratelimit"), '"b";r=49;t=1')
        self.assertEqual(response.header("x-ratelimit-limit"), "50")
        self.assertEqual(response.header("x-ratelimit-remaining"), "49")
        self.assertEqual(response.header("x-ratelimit-reset"), "1")

    def test_on_the_gateways_own_answers(self):
        self.origin.on("/broken", lambda exchange: exchange.reset())
        gateway = self.begin(limit("a", rate="10/s", burst=10, headers_on="all"))
        response = gateway.client().request("GET", "/broken")
        self.assertEqual(response.status, 502)
        self.assertEqual(response.header("ratelimit"), '"a";r=9;t=1')

    def test_status_and_no_fields(self):
        gateway = self.begin(limit(burst=1, status=503, headers="off"))
        began = time.monotonic()
        self.statuses(gateway, 1)
        response = gateway.client().request("GET", "/")
        self.assertEqual(response.status, 503)
        self.assertIsNone(response.header("ratelimit"))
        self.assert_retry_after(response, 3600, began)

    def test_http2_and_grpc(self):
        gateway = self.begin(limit(burst=1, key=["header:k"]))
        client = Http2Client(gateway.listener())
        self.addCleanup(client.close)
        self.assertEqual(client.request("GET", "/", (("k", "1"),)).status, 200)
        response = client.request("GET", "/", (("k", "1"),))
        self.assertEqual(response.status, 429)
        self.assertEqual(json.loads(response.body)["code"], "rate_limit.exceeded")
        call = (("k", "1"), ("content-type", "application/grpc"), ("te", "trailers"))
        response = client.request("POST", "/s/m", call)
        self.assertEqual((response.status, response.header("grpc-status")), (200, "8"))

    def test_a_body_that_nobody_reads(self):
        gateway = self.begin(limit(burst=1))
        client = gateway.client()
        self.assertEqual(client.request("POST", "/", {}, b"x" * 100_000).status, 200)
        self.assertEqual(client.request("POST", "/", {}, b"x" * 100_000).status, 429)
        self.assertEqual(client.request("GET", "/").status, 429)


class Configs(RateLimitCase):
    def test_what_is_wrong_is_said(self):
        config = make_config(
            self.origin, rate_limits=[limit("a", rate="5"), limit("b", key=["ip"]),
                                      limit("c", key=["header"]), limit("d", key=[])],
            route={"rate_limits": ["a", "nope"]})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(config, file)
            file.flush()
            done = run_hangu("check", file.name)
        self.assertEqual(done.returncode, 3)
        for code in ("E0138", "E0139", "E0137", "E0131"):
            self.assertIn(code, done.stderr + done.stdout)

    def test_what_does_not_fit_together_is_said(self):
        for wrong, code, words in (
                ({"quota": {"limit": 5}}, "E0124", "not both"),
                ({"rate": None, "quota": {"limit": 5}, "scope": "shard"}, "E0136", "for the node"),
                ({"rate": None}, "E0121", "or else `quota`"),
                ({"cost": 9, "burst": 5}, "E0136", "a request costs 9"),
                ({"scope": "cluster"}, "E0136", "needs a store"),
                ({"cluster": {"store": "s"}}, "E0136", "is for `scope: cluster`"),
                ({"scope": "shard", "accuracy": "lease"}, "E0136", "can be leased"),
                ({"match": {"path": {"exact": "/a", "prefix": "/b"}}}, "E0124", "not both"),
                ({"rate": None, "quota": {"limit": 5, "offset": "8"}}, "E0170", "+08:00")):
            with self.subTest(wrong):
                merged = {key: value for key, value in {**limit("a"), **wrong}.items()
                          if value is not None}
                config = make_config(self.origin, rate_limits=[merged],
                                     stores=[{"name": "s", "url": "redis://127.0.0.1"}])
                with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                    json.dump(config, file)
                    file.flush()
                    done = run_hangu("check", file.name)
                self.assertEqual(done.returncode, 3)
                self.assertIn(code, done.stderr + done.stdout)
                self.assertIn(words, done.stderr + done.stdout)

    def test_a_store_is_no_place_for_a_password(self):
        config = make_config(self.origin,
                             stores=[{"name": "s", "url": "redis://:secret@127.0.0.1:6379"}])
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(config, file)
            file.flush()
            done = run_hangu("check", file.name)
        self.assertIn("E0171", done.stderr + done.stdout)

    def test_explain_lists_them(self):
        config = make_config(self.origin, rate_limits=[
            limit("a", rate="5/s", key=["header:x", "route"]),
            {"name": "b", "quota": {"limit": 9, "per": "month"}}],
            route={"rate_limits": ["a", "b"]})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(config, file)
            file.flush()
            done = run_hangu("explain", "GET", "http://a.example/", "-c", file.name)
        self.assertIn("a: 5/s by header:x, route, node scope", done.stdout)
        self.assertIn("b: 9/month by client_ip, node scope", done.stdout)


if __name__ == "__main__":
    unittest.main()
