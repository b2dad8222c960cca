"""Sending a request again: when, how often, where to."""

import threading
import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import run_threads
from support.wire import format_chunk, format_last_chunk


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
        large = b"x" * 100_000  # more than is kept
        for method, path, body in (("POST", "/", b""), ("PUT", "/", large), ("GET", "/500", b"")):
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


class Reasons(RetryCase):
    def test_resets_only_when_asked(self):
        gateway = self.begin(statuses=[503])
        for origin in self.origins:
            origin.on("/reset", lambda exchange: exchange.reset())
        self.assert_problem(gateway.client().request("GET", "/reset"), 502, "upstream.reset")
        self.assertEqual(sum(self.hits()), 1)

    def reset_first(self, **retry):
        """Of two origins, one resets."""
        gateway = self.begin(on=["connect_failure", "reset"], **retry)
        self.origins[0].on("/", lambda exchange: (exchange.read_body(), exchange.reset()))
        self.origins[1].on("/", lambda exchange: exchange.reply(200, body=exchange.read_body()))
        return gateway

    def statuses(self, gateway, method, fields=()):
        return [gateway.client().request(method, "/", fields, b"body").status for _ in range(4)]

    def test_resets(self):
        self.assertEqual(self.statuses(self.reset_first(), "PUT"), [200] * 4)

    def test_requests_that_may_not_arrive_twice(self):
        self.assertEqual(sorted(self.statuses(self.reset_first(), "POST")), [200, 200, 502, 502])

    def test_with_an_idempotency_key_they_may(self):
        statuses = self.statuses(self.reset_first(), "POST", {"Idempotency-Key": "1"})
        self.assertEqual(statuses, [200] * 4)

    def test_when_the_owner_says_so_they_may(self):
        self.assertEqual(self.statuses(self.reset_first(non_idempotent=True), "POST"), [200] * 4)

    def test_none(self):
        gateway = self.begin(on=[])
        self.origins[0].stop()
        statuses = [gateway.client().request("GET", "/").status for _ in range(4)]
        self.assertEqual(sorted(statuses), [200, 200, 503, 503])

    def test_every_endpoint_once(self):
        gateway = self.begin(4, statuses=[503], attempts=3, budget_min=10)
        for origin in self.origins[:3]:
            origin.on("/", lambda exchange: exchange.reply(503))
        for _ in range(4):
            before = self.hits()
            self.assertEqual(gateway.client().request("GET", "/").status, 200)
            self.assertLessEqual(max(now - then for now, then in zip(self.hits(), before)), 1)

    def test_a_try_has_a_share_of_the_time(self):
        gateway = self.begin(1, on=["timeout"], backoff=0, route={"timeout": "2s"})
        release = threading.Event()
        self.addCleanup(release.set)
        answers = iter([lambda exchange: release.wait(10), lambda exchange: exchange.reply(200)])
        self.origins[0].on("/", lambda exchange: next(answers)(exchange))
        began = time.monotonic()
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertGreaterEqual(time.monotonic() - began, 0.95)


class Bodies(RetryCase):
    def put(self, body, chunked=False, count=2, **retry):
        """What the second of two origins saw of a PUT that the first refused."""
        gateway = self.begin(count, statuses=[503], **retry)
        refused = []

        def refuse_once(exchange):
            exchange.read_body()
            if refused:
                exchange.reply(200, body=exchange.request.digest.encode())
            else:
                refused.append(exchange.request.digest)
                exchange.reply(503)

        for origin in self.origins:
            origin.on("/", refuse_once)
        client = gateway.client()
        if chunked:
            client.send(client.head("PUT", "/", {"Transfer-Encoding": "chunked"}))
            for at in range(0, len(body), 5000):
                client.send(format_chunk(body[at:at + 5000]))
            client.send(format_last_chunk())
            return client.read_response("PUT"), refused
        return client.request("PUT", "/", {}, body), refused

    def test_are_sent_again(self):
        body = bytes(range(256)) * 160  # 40 KiB
        for chunked in (False, True):
            response, refused = self.put(body, chunked)
            self.assertEqual((response.status, response.body.decode()), (200, refused[0]))

    def test_empty_ones(self):
        response, _ = self.put(b"", chunked=True)
        self.assertEqual(response.status, 200)

    def test_larger_ones_are_not(self):
        self.assertEqual(self.put(b"x" * 65537)[0].status, 503)
        self.assertEqual(self.put(b"x" * 70000, chunked=True)[0].status, 503)

    def test_of_the_size_configured(self):
        self.assertEqual(self.put(b"x" * 300_000, buffer="512KiB")[0].status, 200)
        self.assertEqual(self.put(b"x", buffer=0)[0].status, 503)

    def http2(self, script):
        """A POST with a body, of which the upstream says that it did not look at it."""
        from support.http2_origin import Http2Origin
        origin = Http2Origin()
        self.addCleanup(origin.stop)
        origin.on("/", script)
        gateway = self.start(make_config(origin, workers=1, upstream={"protocol": "h2"}))
        body = bytes(range(256)) * 160
        response = gateway.client().request("POST", "/", {}, body)
        self.assertEqual((response.status, response.body), (200, b"second"))
        self.assertEqual(origin.requests[1].body, body)

    def test_of_a_refused_stream(self):
        from support import http2
        answers = iter([lambda exchange: exchange.reset(http2.REFUSED_STREAM),
                        lambda exchange: exchange.reply(200, body=b"second")])
        self.http2(lambda exchange: next(answers)(exchange))

    def test_of_a_stream_above_goaway(self):
        answers = iter([lambda exchange: exchange.server.goaway(0),
                        lambda exchange: exchange.reply(200, body=b"second")])
        self.http2(lambda exchange: next(answers)(exchange))


class RetryAfter(RetryCase):
    def after(self, seconds):
        gateway = self.begin(statuses=[503])
        answers = iter([lambda exchange: exchange.reply(503, {"Retry-After": seconds}),
                        lambda exchange: exchange.reply(200)])
        for origin in self.origins:
            origin.on("/", lambda exchange: next(answers)(exchange))
        began = time.monotonic()
        return gateway.client().request("GET", "/"), time.monotonic() - began

    def test_a_second_is_waited_for(self):
        response, took = self.after("1")
        self.assertEqual(response.status, 200)
        self.assertGreaterEqual(took, 0.99)

    def test_more_is_left_to_the_client(self):
        response, _ = self.after("2")
        self.assertEqual((response.status, response.header("retry-after")), (503, "2"))
        self.assertEqual(sum(self.hits()), 1)


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
        gateway = self.begin(1, statuses=[503], attempts=4, backoff="1s", backoff_max="1s")
        self.origins[0].on("/", lambda exchange: exchange.reply(503))
        began = time.monotonic()
        self.assertEqual(gateway.client().request("GET", "/").status, 503)
        # Four waits, each at random up to a second: less than 30 ms together once in 30 million
        # runs.
        self.assertGreaterEqual(time.monotonic() - began, 0.03)
        self.assertEqual(self.hits(), [5])

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

    def test_the_log_tells_why(self):
        self.origins = [self.start_origin()]
        gateway = self.start(make_config(
            self.origins[0], workers=1, access_log={"path": "@FOLDER@/access.log"},
            upstream={"retry": {"statuses": [503], "backoff": 0, "budget_percent": 0,
                                "budget_min": 1, "attempts": 2}}))
        answers = iter([503, 200])
        self.origins[0].on("/one", lambda exchange: exchange.reply(next(answers)))
        waiting, release = threading.Event(), threading.Event()
        self.addCleanup(release.set)
        statuses = iter([503, 200])

        def hold(exchange):
            status = next(statuses)
            if status == 200:
                waiting.set()
                release.wait(10)
            exchange.reply(status)

        self.origins[0].on("/held", hold)
        self.origins[0].on("/over", lambda exchange: exchange.reply(503))
        self.assertEqual(gateway.client().request("GET", "/one").status, 200)
        held = gateway.client()
        held.send_request("GET", "/held")
        waiting.wait(10)
        self.assertEqual(gateway.client().request("GET", "/over").status, 503)
        release.set()
        self.assertEqual(held.read_response().status, 200)
        records = gateway.access_log(3)
        self.assertEqual(records["/one"]["retry"], "status")
        self.assertEqual(records["/one"]["attempts"], 2)
        self.assertNotIn("retry_overflow", records["/one"])
        self.assertIs(records["/over"]["retry_overflow"], True)
        self.assertNotIn("retry", records["/over"])


if __name__ == "__main__":
    unittest.main()
