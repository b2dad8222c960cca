"""A second endpoint is asked while the first has not answered; the first answer wins."""

import threading
import time
import unittest

from support import http2
from support.case import GatewayCase
from support.gateway import make_config
from support.http2_origin import Http2Origin
from support.wait import eventually


class HedgeCase(GatewayCase):
    def begin(self, upstream=None, origins=None, **hedge):
        self.release = threading.Event()
        self.addCleanup(self.release.set)
        self.origins = origins or [self.start_origin(name=f"o{i}") for i in range(2)]
        hedge = {"after": "50ms", "percent_max": 100, **hedge}
        return self.start(make_config(
            self.origins[0], workers=1, access_log={"path": "@FOLDER@/access.log"}, upstream={
                "endpoints": [origin.endpoint for origin in self.origins], "hedge": hedge,
                **(upstream or {})}))

    def metric(self, gateway, name):
        return gateway.metrics()[f'hangu_upstream_{name}_total{{upstream="origin"}}']

    def stall(self, exchange):
        """Does not answer until the test ends; notes how the gateway left."""
        self.left.append(exchange.wait_for_end())


class Http1(HedgeCase):
    def setUp(self):
        self.left = []

    def test_the_second_answers(self):
        gateway = self.begin()
        self.origins[0].on("/", self.stall)
        for _ in range(4):
            self.assertEqual(gateway.client().request("GET", "/").json()["origin"], "o1")
        asked = len(self.origins[0].requests)
        self.assertGreaterEqual(asked, 1)
        eventually(lambda: len(self.left) == asked, "the others were given up")
        self.assertEqual(self.metric(gateway, "hedges"), asked)
        self.assertEqual(self.metric(gateway, "hedges_won"), asked)
        self.assertEqual(gateway.access_log(4)["/"]["hedge"], "won")

    def test_the_first_still_may(self):
        gateway = self.begin()
        arrived = threading.Semaphore(0)
        self.origins[1].on("/", lambda exchange: (arrived.release(), self.stall(exchange)))

        def wait_for_the_second(exchange):
            arrived.acquire()  # of this request or the one before: the second try is under way
            exchange.reply(200, body=b"first")

        self.origins[0].on("/", wait_for_the_second)
        self.assertEqual(gateway.client().request("GET", "/").body, b"first")
        eventually(lambda: len(self.left) == 1, "the second was given up")
        self.assertEqual(gateway.access_log(1)["/"]["hedge"], "lost")
        self.assertEqual(gateway.access_log(1)["/"]["attempts"], 2)
        self.assertEqual(self.metric(gateway, "hedges_won"), 0)

    def test_large_answers_come_whole(self):
        gateway = self.begin()
        self.origins[0].on("/length", self.stall)
        self.origins[0].on("/chunks", self.stall)
        self.origins[1].on("/length", lambda exchange: exchange.reply_bytes(3_000_000))
        self.origins[1].on("/chunks", lambda exchange: exchange.reply_chunked(
            [b"x" * 50_000] * 20, trailers=[("x-end", "1")]))
        for path, size in (("/length", 3_000_000), ("/chunks", 1_000_000)):
            for _ in range(2):
                response = gateway.client().request("GET", path)
                self.assertEqual((response.status, response.body_bytes), (200, size))

    def test_head(self):
        gateway = self.begin()
        self.origins[0].on("/", self.stall)
        client = gateway.client()
        self.assertEqual([client.request("HEAD", "/").status for _ in range(4)], [200] * 4)

    def test_the_first_fails_while_the_second_is_under_way(self):
        gateway = self.begin(upstream={"retry": {"attempts": 0}})
        both = threading.Barrier(2)

        def fail(exchange):
            both.wait(20)
            exchange.reset()

        def answer(exchange):
            both.wait(20)
            self.release.wait(0.2)
            exchange.reply(200, body=b"second")

        self.origins[0].on("/", fail)
        self.origins[1].on("/", answer)
        self.assertEqual(gateway.client().request("GET", "/").body, b"second")

    def test_both_fail(self):
        gateway = self.begin(upstream={"retry": {"attempts": 0}})
        both = threading.Barrier(2)
        for origin in self.origins:
            origin.on("/", lambda exchange: (both.wait(20), exchange.reset()))
        self.assert_problem(gateway.client().request("GET", "/"), 502, "upstream.reset")

    def test_the_second_fails(self):
        gateway = self.begin()
        failed = threading.Event()
        self.origins[1].on("/", lambda exchange: (exchange.reset(), failed.set()))
        self.origins[0].on("/", lambda exchange: (failed.wait(20), exchange.reply(200)))
        self.assertEqual(gateway.client().request("GET", "/").status, 200)

    def test_an_answer_to_be_bettered_does_not_win(self):
        gateway = self.begin(upstream={"retry": {"statuses": [503]}})
        refused = threading.Event()
        self.origins[1].on("/", lambda exchange: (exchange.reply(503, body=b"no"), refused.set()))
        self.origins[0].on("/", lambda exchange: (refused.wait(20), self.release.wait(0.1),
                                                  exchange.reply(200)))
        self.assertEqual(gateway.client().request("GET", "/").status, 200)

    def test_a_client_that_leaves_ends_both(self):
        gateway = self.begin()
        for origin in self.origins:
            origin.on("/", self.stall)
        client = gateway.client()
        client.send_request("GET", "/")
        for origin in self.origins:
            origin.wait_for_requests(1)
        client.close()
        eventually(lambda: len(self.left) == 2, "both were given up")
        self.assertEqual(gateway.access_log(1)["/"]["status"], 499)

    def test_not_what_changes_something(self):
        gateway = self.begin()
        self.origins[0].on("/", lambda exchange: (self.release.wait(0.3), exchange.reply(200)))
        for _ in range(2):
            self.assertEqual(gateway.client().request("POST", "/", {}, b"x").status, 200)
        self.assertEqual(self.metric(gateway, "hedges"), 0)
        self.assertEqual(sum(len(origin.requests) for origin in self.origins), 2)

    def test_not_more_than_a_share(self):
        gateway = self.begin(after="1s", percent_max=1)
        self.origins[0].on("/", lambda exchange: (self.release.wait(1.5), exchange.reply(200)))
        for _ in range(2):
            self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertEqual(self.metric(gateway, "hedges"), 0)
        self.assertEqual(self.metric(gateway, "hedge_overflows"), 1)

    def test_after_what_most_answers_take(self):
        gateway = self.begin(after="p90")
        client = gateway.client()
        end = time.monotonic() + 0.3  # the percentile is found anew every 100 ms
        count = 0
        while count < 120 or time.monotonic() < end:
            self.assertEqual(client.request("GET", "/quick").status, 200)
            count += 1
        before = self.metric(gateway, "hedges")
        self.origins[0].on("/", self.stall)
        for _ in range(2):
            self.assertEqual(gateway.client().request("GET", "/").json()["origin"], "o1")
        self.assertGreaterEqual(self.metric(gateway, "hedges") - before, 1)

    def test_within_the_limits_of_the_upstream(self):
        gateway = self.begin(upstream={"limits": {"requests_max": 1}})
        self.origins[0].on("/", lambda exchange: (self.release.wait(0.3), exchange.reply(200)))
        for _ in range(2):
            self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertEqual(self.metric(gateway, "hedges"), 0)
        name = 'hangu_upstream_limit_remaining{upstream="origin",resource="requests"}'
        self.assertEqual(gateway.metrics()[name], 1)

    def test_shadow(self):
        gateway = self.begin(after="1s", mode="shadow")
        self.origins[0].on("/", lambda exchange: (self.release.wait(1.5), exchange.reply(200)))
        for _ in range(2):
            self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertEqual(self.metric(gateway, "hedges"), 0)
        self.assertEqual(self.metric(gateway, "shadow_hedges"), 1)


class Http2(HedgeCase):
    def test_the_loser_is_reset(self):
        origins = [Http2Origin(), Http2Origin()]
        for origin in origins:
            self.addCleanup(origin.stop)
        gateway = self.begin({"protocol": "h2"}, origins)
        origins[0].on("/", lambda exchange: None)
        origins[1].on("/", lambda exchange: exchange.reply(200, body=b"second"))
        for _ in range(2):
            self.assertEqual(gateway.client().request("GET", "/").body, b"second")
        asked = origins[0].requests
        self.assertGreaterEqual(len(asked), 1)
        for request in asked:
            eventually(lambda: request.reset == http2.CANCEL, "RST_STREAM(CANCEL)")
        self.assertEqual(self.metric(gateway, "hedges_won"), len(asked))


if __name__ == "__main__":
    unittest.main()
