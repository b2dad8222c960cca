"""The circuit breaker of an upstream: when it opens, what clients get, how it closes."""

import re
import threading
import time
import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.wait import eventually, run_threads

# For those who see it close again; the others have time while it is open.
SOON = {"open_time": "1s", "open_time_max": "1s"}


class BreakerCase(GatewayCase):
    def setUp(self):
        self.failing = self.start_origin()
        self.status = 503
        self.failing.on("/", lambda exchange: exchange.reply(self.status))

    def begin(self, origin=None, route=None, workers=1, upstream=None, **breaker):
        breaker = {"requests_min": 5, "open_time": "1m", "open_time_max": "1m", **breaker}
        return self.start(make_config(
            origin or self.failing, workers=workers, route=route,
            upstream={"circuit_breaker": breaker, "retry": {"attempts": 0}, **(upstream or {})}))

    def get(self, gateway, path="/"):
        return gateway.client().request("GET", path)

    def state(self, gateway):
        return gateway.status()["upstreams"][0]["circuit_breaker"]

    def open(self, gateway):
        for _ in range(6):
            self.get(gateway)
        eventually(lambda: self.state(gateway)["state"] == "open", "it is open")


class Opening(BreakerCase):
    def test_answers_that_are_failures(self):
        gateway = self.begin()
        began = time.monotonic()
        for _ in range(5):
            self.assertEqual(self.get(gateway).header("retry-after"), None)
        self.assertEqual(self.state(gateway)["state"], "open")
        seen = len(self.failing.requests)
        response = self.get(gateway)
        self.assert_problem(response, 503, "upstream.circuit_open")
        wait = int(response.header("retry-after"))
        self.assertLessEqual(wait, 60)
        self.assertGreaterEqual(wait, 60 - (time.monotonic() - began))
        self.assertEqual(len(self.failing.requests), seen)
        state = self.state(gateway)
        self.assertEqual(state["cause"], "failure_ratio")
        self.assertLessEqual(state["next_probe_ms"], 60_000)
        self.assertGreater(state["next_probe_ms"], 60_000 - 1000 * (time.monotonic() - began) - 1)
        metrics = gateway.metrics()
        self.assertEqual(metrics['hangu_upstream_circuit_state{upstream="origin"}'], 1)
        self.assertEqual(metrics['hangu_upstream_circuit_opened_total{upstream="origin"}'], 1)
        self.assertEqual(metrics['hangu_upstream_circuit_rejected_total{upstream="origin"}'], 1)

    def test_other_answers_are_not(self):
        gateway = self.begin()
        for status in (200, 404, 429, 501, 505):
            self.status = status
            for _ in range(6):
                self.assertEqual(self.get(gateway).status, status)
        self.assertEqual(self.state(gateway)["state"], "closed")

    def test_statuses_by_choice(self):
        gateway = self.begin(statuses=[418])
        for _ in range(6):
            self.assertEqual(self.get(gateway).header("retry-after"), None)
        self.status = 418
        for _ in range(20):
            self.get(gateway)
        self.assertEqual(self.state(gateway)["state"], "open")

    def test_sixty_percent_are_not_more_than_sixty(self):
        gateway = self.begin(requests_min=10)
        for status in [200] * 4 + [500] * 6:
            self.status = status
            self.get(gateway)
        self.assertEqual(self.state(gateway)["state"], "closed")
        self.get(gateway)
        self.assertEqual(self.state(gateway)["state"], "open")

    def test_no_connection_three_times(self):
        gateway = self.begin()
        self.failing.stop()
        codes = [self.get(gateway).json()["code"] for _ in range(4)]
        self.assertEqual(codes, ["upstream.connect"] * 3 + ["upstream.circuit_open"])
        self.assertEqual(self.state(gateway)["cause"], "own_failures")

    def test_resets_and_timeouts(self):
        self.failing.on("/reset", lambda exchange: exchange.reset())
        release = threading.Event()
        self.addCleanup(release.set)
        self.failing.on("/stall", lambda exchange: release.wait(20))
        gateway = self.begin(route={"timeout": "2s"})
        codes = [self.get(gateway, path).json()["code"]
                 for path in ("/reset", "/stall", "/reset", "/reset")]
        self.assertEqual(codes, ["upstream.reset", "upstream.timeout", "upstream.reset",
                                 "upstream.circuit_open"])

    def test_clients_that_leave_do_not_count(self):
        release = threading.Event()
        self.addCleanup(release.set)
        self.failing.on("/stall", lambda exchange: release.wait(5))
        gateway = self.begin(requests_min=1)
        for _ in range(6):
            client = gateway.client()
            client.send(client.head("GET", "/stall"))
            seen = len(self.failing.requests)
            eventually(lambda: gateway.metrics()["hangu_requests_active{shard=\"0\"}"] > 0,
                       f"the request is there ({seen})")
            client.close()
        eventually(lambda: gateway.metrics()["hangu_requests_active{shard=\"0\"}"] == 0, "gone")
        self.assertEqual(self.state(gateway)["state"], "closed")

    def test_shadow(self):
        gateway = self.begin(mode="shadow")
        self.open(gateway)
        self.assertIsNone(self.get(gateway).header("retry-after"))
        name = 'hangu_upstream_circuit_shadow_rejected_total{upstream="origin"}'
        self.assertGreaterEqual(gateway.metrics()[name], 1)

    def test_slow_answers(self):
        gateway = self.begin(slow={"over": "20ms", "percent": 50})
        pause = threading.Event()
        self.failing.on("/slow", lambda exchange: (pause.wait(0.05), exchange.reply(200)))
        codes = [self.get(gateway, "/slow").status for _ in range(6)]
        self.assertEqual(codes, [200] * 5 + [503])
        self.assertEqual(self.state(gateway)["cause"], "slow")

    def test_off_by_default(self):
        gateway = self.start(make_config(self.failing, workers=1))
        for _ in range(40):
            self.assertIsNone(self.get(gateway).header("retry-after"))
        self.assertNotIn("circuit_breaker", gateway.status()["upstreams"][0])


class Closing(BreakerCase):
    def test_after_successes(self):
        gateway = self.begin(**SOON)
        self.open(gateway)
        self.status = 200
        eventually(lambda: self.get(gateway).status == 200, "the first try passes")
        self.assertEqual(self.state(gateway)["state"], "half_open")
        for _ in range(4):
            self.assertEqual(self.get(gateway).status, 200)
        self.assertEqual(self.state(gateway)["state"], "closed")
        self.assertEqual(gateway.metrics()['hangu_upstream_circuit_state{upstream="origin"}'], 0)

    def test_one_failure_opens_it_again(self):
        gateway = self.begin(**SOON)
        self.open(gateway)
        self.status = 200
        eventually(lambda: self.get(gateway).status == 200, "the first try passes")
        self.status = 500
        self.assertEqual(self.get(gateway).status, 500)
        self.assertEqual(self.state(gateway)["state"], "open")
        self.assertEqual(self.state(gateway)["cause"], "probe_failed")

    def test_one_at_a_time_on_the_whole_node(self):
        gateway = self.begin(workers=2, **SOON)
        self.open(gateway)
        release = threading.Event()
        self.addCleanup(release.set)
        self.failing.on("/", lambda exchange: (release.wait(10), exchange.reply(200)))
        eventually(lambda: self.state(gateway)["next_probe_ms"] == 0, "it may be tried")
        before = len(self.failing.requests)
        statuses = []

        def ask(index):
            statuses.append(self.get(gateway).status)
            if len(statuses) == 19:
                release.set()  # all but the probe have been answered

        run_threads(20, ask)
        self.assertEqual(sorted(statuses), [200] + [503] * 19)
        self.assertEqual(len(self.failing.requests) - before, 1)

    def test_a_reload_keeps_the_state(self):
        gateway = self.begin()
        self.open(gateway)
        gateway.reload()
        self.assert_problem(self.get(gateway), 503, "upstream.circuit_open")


class OpenTime(BreakerCase):
    """How long it is open, each time."""

    def lengths(self, gateway):
        """As the operators' log has them, in milliseconds."""
        return [int(length) for length in
                re.findall(r"event=circuit_opened .*for_ms=(\d+)", gateway.stderr)]

    def test_doubles_with_each_failed_try_up_to_the_most(self):
        expected = [200, 400, 700, 700]
        gateway = self.begin(open_time="200ms", open_time_max="700ms", own_failures=0)
        came, answered = [], []

        def fail(exchange):
            came.append(time.monotonic())
            answered.append(time.monotonic())  # before the gateway can know
            exchange.reply(self.status)

        self.failing.on("/", fail)
        eventually(lambda: self.get(gateway) and len(self.lengths(gateway)) == 4,
                   "three tries failed")
        self.assertEqual(self.lengths(gateway), expected)
        # Five that opened it, and then one each time that it was over, no sooner.
        self.assertEqual(len(came), 8)
        for i, length in zip((5, 6, 7), expected):
            self.assertGreaterEqual(came[i] - answered[i - 1], length / 1000 - 0.02)
        self.assertEqual(self.state(gateway)["cause"], "probe_failed")

    def test_short_again_once_it_was_closed(self):
        gateway = self.begin(open_time="100ms", open_time_max="1h", successes=1)
        eventually(lambda: self.get(gateway) and len(self.lengths(gateway)) == 2,
                   "a try failed")
        self.status = 200
        eventually(lambda: self.get(gateway).status == 200, "the next one passes")
        self.assertEqual(self.state(gateway)["state"], "closed")
        self.status = 500
        eventually(lambda: self.get(gateway) and len(self.lengths(gateway)) == 3,
                   "it opens again")
        self.assertEqual(self.lengths(gateway), [100, 200, 100])


class Defaults(BreakerCase):
    """What stands in the docs holds for an empty mapping."""

    def begin_with(self, breaker):
        return self.start(make_config(self.failing, workers=1, upstream={
            "circuit_breaker": breaker, "retry": {"attempts": 0}}))

    def ask(self, gateway, *statuses):
        for self.status in statuses:
            self.assertEqual(self.get(gateway).status, self.status)
        return self.state(gateway)["state"]

    def test_twenty_requests(self):
        gateway = self.begin_with({})
        self.assertEqual(self.ask(gateway, *[500] * 19), "closed")
        self.assertEqual(self.ask(gateway, 500), "open")

    def test_more_than_sixty_percent_and_open_for_half_a_minute(self):
        for breaker in ({}, "on"):
            with self.subTest(breaker):
                gateway = self.begin_with(breaker)
                self.assertEqual(self.ask(gateway, *[200] * 8, *[500] * 12), "closed")
                self.assertEqual(self.ask(gateway, 500), "open")
                state = self.state(gateway)
                self.assertEqual(state["cause"], "failure_ratio")
                self.assertGreater(state["next_probe_ms"], 0)
                self.assertLessEqual(state["next_probe_ms"], 30_000)
                self.assertRegex(run_hangu("status", "--socket", gateway.socket).stdout,
                                 r"circuit breaker open: failure_ratio, next try in \d+\.\d s")
                self.assertIn("event=circuit_opened upstream=origin cause=failure_ratio "
                              "requests=21 failures=13 for_ms=30000", gateway.stderr)
                refused = self.get(gateway)
                self.assert_problem(refused, 503, "upstream.circuit_open")
                self.assertLessEqual(int(refused.header("retry-after")), 30)
                self.assertEqual(len(self.failing.requests), 21)
                self.failing.clear()
                self.failing.on("/", lambda exchange: exchange.reply(self.status))

    def test_three_without_an_answer(self):
        gateway = self.begin_with({})
        self.failing.on("/", lambda exchange: exchange.reset())
        codes = [self.get(gateway).json()["code"] for _ in range(4)]
        self.assertEqual(codes, ["upstream.reset"] * 3 + ["upstream.circuit_open"])

    def test_five_successes_close_it(self):
        gateway = self.begin_with({"open_time": "100ms"})
        self.assertEqual(self.ask(gateway, *[500] * 20), "open")
        self.status = 200
        eventually(lambda: self.get(gateway).status == 200, "the first success")
        self.assertEqual(self.ask(gateway, *[200] * 3), "half_open")
        self.assertEqual(self.state(gateway)["probes_succeeded"], 4)
        self.assertEqual(self.ask(gateway, 200), "closed")


class OfRoutes(BreakerCase):
    """Two routes to one upstream; one of them fails."""

    def begin_routes(self, workers=1, **breaker):
        breaker = {"requests_min": 5, "open_time": "1m", "open_time_max": "1m", **breaker}
        self.failing.on("/failing", lambda exchange: exchange.reply(self.status))
        config = make_config(self.failing, workers=workers)
        config["routes"] = [
            {"name": "failing", "match": {"path": {"prefix": "/failing"}}, "upstream": "origin",
             "circuit_breaker": breaker},
            {"name": "well", "upstream": "origin"}]
        return self.start(config)

    def state(self, gateway):
        routes = gateway.status()["routes"]
        self.assertEqual([route["route"] for route in routes], ["failing"])
        return routes[0]["circuit_breaker"]

    def test_others_go_on(self):
        gateway = self.begin_routes()
        for _ in range(5):
            self.assertIsNone(self.get(gateway, "/failing").header("retry-after"))
        refused = self.get(gateway, "/failing")
        self.assert_problem(refused, 503, "route.circuit_open")
        self.assertEqual(self.get(gateway, "/well").status, 200)
        self.assertEqual(self.state(gateway)["state"], "open")
        self.assertEqual(self.state(gateway)["cause"], "failure_ratio")
        metrics = gateway.metrics()
        self.assertEqual(metrics['hangu_route_circuit_state{route="failing"}'], 1)
        self.assertEqual(metrics['hangu_route_circuit_opened_total{route="failing"}'], 1)
        self.assertEqual(metrics['hangu_route_circuit_rejected_total{route="failing"}'], 1)
        self.assertEqual(metrics['hangu_route_circuit_rejected_total{route="well"}'], 0)

    def test_closes_after_successes_and_keeps_its_state_over_a_reload(self):
        gateway = self.begin_routes(**SOON)
        for _ in range(6):
            self.get(gateway, "/failing")
        gateway.reload()
        self.assertEqual(self.state(gateway)["state"], "open")
        self.status = 200
        eventually(lambda: self.get(gateway, "/failing").status == 200, "the first try passes")
        self.assertEqual(self.state(gateway)["state"], "half_open")
        for _ in range(4):
            self.assertEqual(self.get(gateway, "/failing").status, 200)
        self.assertEqual(self.state(gateway)["state"], "closed")

    def test_own_failures(self):
        gateway = self.begin_routes()
        self.failing.stop()
        codes = [self.get(gateway, "/failing").json()["code"] for _ in range(4)]
        self.assertEqual(codes, ["upstream.connect"] * 3 + ["route.circuit_open"])
        self.assertEqual(self.get(gateway, "/well").json()["code"], "upstream.connect")

    def test_shadow(self):
        gateway = self.begin_routes(mode="shadow")
        for _ in range(8):
            self.assertIsNone(self.get(gateway, "/failing").header("retry-after"))
        name = 'hangu_route_circuit_shadow_rejected_total{route="failing"}'
        self.assertGreaterEqual(gateway.metrics()[name], 1)


if __name__ == "__main__":
    unittest.main()
