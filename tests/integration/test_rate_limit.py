"""Rate limits: what is counted, what is refused, and how that is said."""

import json
import tempfile
import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.http2 import Http2Client
from support.wait import eventually, run_threads


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
        gateway = self.begin(limit(rate="20/s", burst=1))
        self.assertEqual(self.statuses(gateway, 2), [200, 429])
        eventually(lambda: self.statuses(gateway, 1) == [200], "50 ms are over")

    def test_the_burst_of_a_second_by_default(self):
        gateway = self.begin(limit(rate="120/m"))
        self.assertEqual(self.statuses(gateway, 3), [200, 200, 429])

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


class Answers(RateLimitCase):
    def test_refused(self):
        gateway = self.begin(limit("per-client", rate="60/m", burst=1))
        self.statuses(gateway, 1)
        response = gateway.client().request("GET", "/")
        self.assertEqual(response.status, 429)
        self.assertEqual(response.header("ratelimit-policy"), '"per-client";q=60;w=60')
        self.assertEqual(response.header("ratelimit"), '"per-client";r=0;t=1')
        self.assertEqual(response.header("retry-after"), "1")
        self.assertIsNone(response.header("x-ratelimit-limit"))
        problem = response.json()
        self.assertEqual(problem["type"],
                         "https://iana.org/assignments/http-problem-types#quota-exceeded")
        self.assertEqual(problem["code"], "rate_limit.exceeded")
        self.assertEqual(problem["violated-policies"], ["per-client"])
        self.assertEqual(problem["retry_after"], 1)

    def test_long_waits_are_rounded_up(self):
        gateway = self.begin(limit(rate="1/h", burst=1))
        self.statuses(gateway, 1)
        response = gateway.client().request("GET", "/")
        self.assertEqual(response.header("retry-after"), "3600")

    def test_on_every_response(self):
        gateway = self.begin(limit("a", rate="10/s", burst=100, headers="both", headers_on="all"),
                             limit("b", rate="10/s", burst=50, headers="both", headers_on="all"))
        response = gateway.client().request("GET", "/")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.header("ratelimit-policy"), '"b";q=10;w=1')
        self.assertEqual(response.header("ratelimit"), '"b";r=49;t=1')
        self.assertEqual(response.header("x-ratelimit-limit"), "50")
        self.assertEqual(response.header("x-ratelimit-remaining"), "49")
        self.assertEqual(response.header("x-ratelimit-reset"), "1")

    def test_status_and_no_fields(self):
        gateway = self.begin(limit(burst=1, status=503, headers="off"))
        self.statuses(gateway, 1)
        response = gateway.client().request("GET", "/")
        self.assertEqual(response.status, 503)
        self.assertIsNone(response.header("ratelimit"))
        self.assertEqual(response.header("retry-after"), "3600")

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


if __name__ == "__main__":
    unittest.main()
