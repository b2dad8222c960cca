"""Sending a request again: when, how often, where to."""

import threading
import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import run_threads


class RetryCase(GatewayCase):
    def begin(self, count=2, route=None, upstream=None, **retry):
        self.origins = [self.start_origin(name=f"o{i}") for i in range(count)]
        return self.start(make_config(self.origins[0], workers=1, route=route, upstream={
            "endpoints": [origin.endpoint for origin in self.origins], "retry": retry,
            **(upstream or {})}))

    def hits(self):
        return [len(origin.requests) for origin in self.origins]

    def metric(self, gateway, name):
        return gateway.metrics()[f'hangu_upstream_{name}_total{{upstream="origin"}}']


class Statuses(RetryCase):
    def test_another_endpoint_answers(self):
        gateway = self.begin(statuses=[503])
        self.origins[0].on("/", lambda exchange: exchange.reply(503, body=b"x" * 5000))
        client = gateway.client()
        self.assertEqual([client.request("GET", "/").status for _ in range(6)], [200] * 6)
        self.assertEqual(self.hits()[1], 6)
        self.assertGreaterEqual(self.hits()[0], 3)
        self.assertEqual(self.metric(gateway, "retries"), self.hits()[0])

    def test_answers_without_a_body(self):
        gateway = self.begin(statuses=[503])
        self.origins[0].on("/", lambda exchange: exchange.reply(503))
        client = gateway.client()
        self.assertEqual([client.request("HEAD", "/").status for _ in range(4)], [200] * 4)
        self.assertEqual([client.request("GET", "/").status for _ in range(4)], [200] * 4)

    def test_the_last_answer_counts(self):
        gateway = self.begin(statuses=[503], attempts=2, backoff=0)
        for origin in self.origins:
            origin.on("/", lambda exchange: exchange.reply(503, body=b"down"))
        response = gateway.client().request("GET", "/")
        self.assertEqual((response.status, response.body), (503, b"down"))
        self.assertEqual(sum(self.hits()), 3)

    def test_what_is_not_tried_again(self):
        gateway = self.begin(statuses=[503])
        for origin in self.origins:
            origin.on("/", lambda exchange: exchange.reply(503))
            origin.on("/500", lambda exchange: exchange.reply(500))
        client = gateway.client()
        for method, path, body in (("POST", "/", b""), ("PUT", "/", b"body"), ("GET", "/500", b"")):
            before = sum(self.hits())
            self.assertGreaterEqual(client.request(method, path, {}, body).status, 500)
            self.assertEqual(sum(self.hits()) - before, 1, (method, path))

    def test_by_default_none(self):
        gateway = self.begin()
        self.origins[0].on("/", lambda exchange: exchange.reply(503))
        client = gateway.client()
        self.assertEqual(sorted(client.request("GET", "/").status for _ in range(4)),
                         [200, 200, 503, 503])

    def test_from_http2_upstreams(self):
        from support.http2_origin import Http2Origin
        origin = Http2Origin()
        self.addCleanup(origin.stop)
        answers = iter([503, 200])
        origin.on("/", lambda exchange: exchange.reply(next(answers), body=b"x" * 100))
        gateway = self.start(make_config(origin, workers=1, upstream={
            "protocol": "h2", "retry": {"statuses": [503]}}))
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertEqual(len(origin.requests), 2)


class Times(RetryCase):
    def test_a_try_that_takes_too_long(self):
        gateway = self.begin(try_timeout="100ms")
        release = threading.Event()
        self.addCleanup(release.set)
        self.origins[0].on("/", lambda exchange: release.wait(10))
        client = gateway.client()
        for _ in range(4):
            began = time.monotonic()
            self.assertEqual(client.request("GET", "/").status, 200)
            self.assertLess(time.monotonic() - began, 3)
        self.assertEqual(self.hits()[1], 4)

    def test_the_last_try_has_what_is_left(self):
        gateway = self.begin(1, try_timeout="100ms", backoff=0, route={"timeout": "1s"})
        release = threading.Event()
        self.addCleanup(release.set)
        self.origins[0].on("/", lambda exchange: release.wait(10))
        began = time.monotonic()
        self.assert_problem(gateway.client().request("GET", "/"), 504, "upstream.timeout")
        self.assertGreaterEqual(time.monotonic() - began, 0.95)
        self.assertEqual(self.hits(), [2])

    def test_waits_before_the_next(self):
        gateway = self.begin(1, statuses=[503], attempts=3, backoff="1s", backoff_max="1s")
        self.origins[0].on("/", lambda exchange: exchange.reply(503))
        began = time.monotonic()
        self.assertEqual(gateway.client().request("GET", "/").status, 503)
        # Three waits, each at random up to a second: less than 30 ms together once in 200,000 runs.
        self.assertGreaterEqual(time.monotonic() - began, 0.03)
        self.assertEqual(self.hits(), [4])

    def test_a_client_that_leaves_while_it_waits(self):
        gateway = self.begin(1, statuses=[503], backoff="30s", backoff_max="30s")
        self.origins[0].on("/", lambda exchange: exchange.reply(503))
        client = gateway.client()
        client.send(client.head("GET", "/"))
        self.origins[0].wait_for_requests(1)
        client.close()
        self.assertEqual(gateway.client().request("GET", "/other").status, 200)


class Budget(RetryCase):
    def test_no_storm(self):
        gateway = self.begin(1, statuses=[503], attempts=1, backoff=0, budget_percent=0,
                             budget_min=2)
        arrived = threading.Semaphore(0)
        release = threading.Event()
        self.addCleanup(release.set)

        def script(exchange):
            arrived.release()
            release.wait(10)
            exchange.reply(503)

        self.origins[0].on("/", script)

        def ask(index):
            if index < 20:
                gateway.client().request("GET", "/")
            else:
                for _ in range(20):
                    arrived.acquire()
                release.set()

        run_threads(21, ask)
        self.assertGreaterEqual(self.metric(gateway, "retry_overflows"), 1)
        self.assertEqual(sum(self.hits()), 20 + self.metric(gateway, "retries"))

    def test_none_at_all(self):
        gateway = self.begin(1, statuses=[503], backoff=0, budget_percent=0, budget_min=0)
        self.origins[0].on("/", lambda exchange: exchange.reply(503))
        self.assertEqual(gateway.client().request("GET", "/").status, 503)
        self.assertEqual(self.hits(), [1])


if __name__ == "__main__":
    unittest.main()
