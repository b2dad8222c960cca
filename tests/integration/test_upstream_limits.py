"""What an upstream is asked at once, by all workers together, and who waits for its turn."""

import threading
import unittest

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.wait import eventually, run_threads


class LimitCase(GatewayCase):
    def setUp(self):
        self.origin = self.start_origin()
        self.release = threading.Event()
        self.addCleanup(self.release.set)
        self.lock = threading.Lock()
        self.inside = self.most = 0
        self.order = []

    def hold(self, exchange):
        """Answers once it is let go; notes how many are there at once."""
        with self.lock:
            self.order.append(exchange.request.target)
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.release.wait(20)
        with self.lock:
            self.inside -= 1
        exchange.reply(200)

    def begin(self, limits, queue=None, workers=1, route=None, **others):
        for path in ("/hold", "/low", "/high"):
            self.origin.on(path, self.hold)
        upstream = {"limits": limits, "retry": {"attempts": 0}}
        if queue:
            upstream["queue"] = queue
        return self.start(make_config(self.origin, workers=workers, upstream=upstream, route=route,
                                      access_log={"path": "@FOLDER@/access.log"}, **others))

    def send(self, gateway, path="/hold"):
        client = gateway.client()
        client.send_request("GET", path)
        return client

    def remaining(self, gateway, resource="requests"):
        name = f'hangu_upstream_limit_remaining{{upstream="origin",resource="{resource}"}}'
        return gateway.metrics()[name]

    def overflows(self, gateway, resource="requests"):
        name = f'hangu_upstream_overflows_total{{upstream="origin",resource="{resource}"}}'
        return gateway.metrics()[name]

    def wait_queued(self, gateway, count):
        eventually(lambda: gateway.metrics()['hangu_upstream_queue{upstream="origin"}'] == count,
                   f"{count} requests wait")


class Requests(LimitCase):
    def test_no_more_than_so_many_of_all_workers(self):
        gateway = self.begin({"requests_max": 3}, workers=4)
        self.assertEqual(self.remaining(gateway), 3)
        held = [self.send(gateway) for _ in range(3)]
        eventually(lambda: self.inside == 3, "three are under way")
        for _ in range(8):  # whichever worker they meet
            self.assert_problem(gateway.client().request("GET", "/"), 503, "upstream.overflow")
        self.assertEqual(self.remaining(gateway), 0)
        self.assertEqual(self.overflows(gateway), 8)
        self.assertEqual(gateway.status()["upstreams"][0]["limits"],
                         {"requests": {"used": 3, "max": 3}})
        self.assertIn("requests 3 of 3", run_hangu("status", "--socket", gateway.socket).stdout)
        self.release.set()
        self.assertEqual([client.read_response().status for client in held], [200] * 3)
        eventually(lambda: self.remaining(gateway) == 3, "all are given back")
        self.assertEqual(gateway.client().request("GET", "/").status, 200)

    def test_those_that_fail_give_theirs_back(self):
        self.origin.on("/reset", lambda exchange: exchange.reset())
        gateway = self.begin({"requests_max": 1})
        for _ in range(5):
            self.assertEqual(gateway.client().request("GET", "/reset").status, 502)
        client = self.send(gateway)
        self.origin.wait_for_requests(6)
        client.close()
        eventually(lambda: self.remaining(gateway) == 1, "a client that left gives it back")
        self.assertEqual(gateway.client().request("GET", "/").status, 200)

    def test_shadow(self):
        gateway = self.begin({"requests_max": 1, "mode": "shadow"})
        held = self.send(gateway)
        eventually(lambda: self.inside == 1, "one is under way")
        self.assertEqual(gateway.client().request("GET", "/other").status, 200)
        self.release.set()
        self.assertEqual(held.read_response().status, 200)
        name = 'hangu_upstream_shadow_overflows_total{upstream="origin"}'
        self.assertEqual(gateway.metrics()[name], 1)
        self.assertEqual(gateway.access_log(2)["/other"]["shadow"], "upstream_limits")


class Queue(LimitCase):
    def test_one_at_a_time_of_all_workers(self):
        gateway = self.begin({"requests_max": 1}, {"max": 100, "timeout": "20s"}, workers=4)
        self.release.set()
        run_threads(24, lambda _: self.assertEqual(
            gateway.client().request("GET", "/hold").status, 200))
        self.assertEqual(self.most, 1)
        self.assertEqual(len(self.order), 24)
        eventually(lambda: self.remaining(gateway) == 1, "all are given back")
        self.wait_queued(gateway, 0)

    def test_in_order_and_by_priority(self):
        config = {"routes": [
            {"name": "low", "match": {"path": {"prefix": "/low"}}, "upstream": "origin",
             "priority": "low"},
            {"name": "high", "match": {"path": {"prefix": "/high"}}, "upstream": "origin",
             "priority": "high"},
            {"name": "rest", "upstream": "origin"}]}
        gateway = self.begin({"requests_max": 1}, {"max": 10, "timeout": "20s"}, **config)
        clients = [self.send(gateway)]
        eventually(lambda: self.inside == 1, "one is under way")
        paths = ["/low?1", "/hold?1", "/low?2", "/high?1", "/hold?2", "/high?2"]
        for count, path in enumerate(paths, 1):
            clients.append(self.send(gateway, path))
            self.wait_queued(gateway, count)
        self.assertEqual(gateway.status()["upstreams"][0]["queued"], 6)
        self.release.set()
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.order, ["/hold", "/high?1", "/high?2", "/hold?1", "/hold?2", "/low?1",
                                      "/low?2"])

    def test_not_longer_than_so_long(self):
        gateway = self.begin({"requests_max": 1}, {"max": 10, "timeout": "100ms"})
        held = self.send(gateway)
        eventually(lambda: self.inside == 1, "one is under way")
        self.assert_problem(gateway.client().request("GET", "/late"), 503, "upstream.queue_timeout")
        self.release.set()
        self.assertEqual(held.read_response().status, 200)
        record = gateway.access_log(2)["/late"]
        self.assertGreaterEqual(record["queue_ms"], 99)
        self.assertEqual(record["error"], "queue_timeout")
        name = 'hangu_upstream_queue_timeouts_total{upstream="origin"}'
        self.assertEqual(gateway.metrics()[name], 1)

    def test_not_more_than_so_many(self):
        gateway = self.begin({"requests_max": 1}, {"max": 2, "timeout": "20s"}, workers=2)
        clients = [self.send(gateway) for _ in range(3)]
        self.wait_queued(gateway, 2)
        self.assert_problem(gateway.client().request("GET", "/"), 503, "upstream.overflow")
        self.release.set()
        self.assertEqual([client.read_response().status for client in clients], [200] * 3)

    def test_who_leaves_waits_no_more(self):
        gateway = self.begin({"requests_max": 1}, {"max": 10, "timeout": "20s"})
        held = self.send(gateway)
        eventually(lambda: self.inside == 1, "one is under way")
        waiting = self.send(gateway, "/left")
        self.wait_queued(gateway, 1)
        waiting.close()
        self.wait_queued(gateway, 0)
        self.release.set()
        self.assertEqual(held.read_response().status, 200)
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertNotIn("/left", self.origin.targets())
        self.assertEqual(gateway.access_log(3)["/left"]["status"], 499)

    def test_a_higher_limit_lets_them_in(self):
        gateway = self.begin({"requests_max": 1}, {"max": 10, "timeout": "20s"})
        clients = [self.send(gateway) for _ in range(3)]
        self.wait_queued(gateway, 2)
        config = make_config(self.origin, workers=1, upstream={
            "limits": {"requests_max": 3}, "queue": {"max": 10, "timeout": "20s"}})
        gateway.reload(config)
        eventually(lambda: self.inside == 3, "all are under way")
        self.release.set()
        self.assertEqual([client.read_response().status for client in clients], [200] * 3)

    def test_bodies_wait_too(self):
        gateway = self.begin({"requests_max": 1}, {"max": 10, "timeout": "20s"})
        held = self.send(gateway)
        eventually(lambda: self.inside == 1, "one is under way")
        client = gateway.client()
        body = bytes(range(256)) * 1000
        client.send_request("POST", "/echo", body=body)
        self.wait_queued(gateway, 1)
        self.release.set()
        self.assertEqual(held.read_response().status, 200)
        self.assertEqual(client.read_response("POST").json()["body_bytes"], len(body))


class Explained(LimitCase):
    def test_what_protects_a_request(self):
        gateway = self.begin({"requests_max": 7}, {"max": 9, "timeout": "3s"},
                             route={"priority": "high", "circuit_breaker": {"open_time": "9s"}})
        said = run_hangu("explain", "--config", gateway.config_path, "GET", "http://a/b").stdout
        for words in ("at most 7 requests at once", "9 more wait up to 3s", "priority     high",
                      "breaker      of this route: 503 for 9s to 30s after"):
            self.assertIn(words, said)


class Connections(LimitCase):
    def test_no_more_than_so_many_of_all_workers(self):
        gateway = self.begin({"connections_max": 2}, workers=2)
        self.release.set()
        opened = []

        def ask(_):
            for _ in range(5):
                self.assertEqual(gateway.client().request("GET", "/hold").status, 200)
                opened.append(self.origin.open_connections())

        run_threads(8, ask)
        self.assertEqual(len(self.order), 40)
        self.assertLessEqual(self.most, 2)

    def test_who_waits_for_one(self):
        gateway = self.begin({"connections_max": 1, "pending_max": 1})
        first = self.send(gateway)
        eventually(lambda: self.inside == 1, "one is under way")
        second = self.send(gateway)
        eventually(lambda: self.remaining(gateway, "pending") == 0, "one waits")
        self.assert_problem(gateway.client().request("GET", "/"), 503, "upstream.overflow")
        self.assertEqual(self.overflows(gateway, "pending"), 1)
        self.assertEqual(self.remaining(gateway, "connections"), 0)
        self.release.set()
        self.assertEqual(first.read_response().status, 200)
        self.assertEqual(second.read_response().status, 200)
        self.assertEqual(self.origin.accepted, 1)

    def test_unused_ones_go_to_who_needs_one(self):
        # One connection for two workers and two endpoints: it changes hands.
        other = self.start_origin()
        gateway = self.start(make_config(self.origin, workers=2, upstream={
            "endpoints": [self.origin.endpoint, other.endpoint],
            "limits": {"connections_max": 1}}))
        for _ in range(12):
            self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertGreater(len(self.origin.requests), 0)
        self.assertGreater(len(other.requests), 0)

    def test_of_each_endpoint(self):
        other = self.start_origin()
        other.on("/hold", self.hold)
        self.origin.on("/hold", self.hold)
        gateway = self.start(make_config(self.origin, workers=2, upstream={
            "endpoints": [self.origin.endpoint, other.endpoint],
            "limits": {"per_endpoint_connections_max": 1}}))
        clients = [self.send(gateway) for _ in range(6)]
        eventually(lambda: self.inside == 2, "each has one")
        self.release.set()
        self.assertEqual([client.read_response().status for client in clients], [200] * 6)
        self.assertEqual(self.most, 2)

    def test_a_wait_counts_as_time_for_the_answer(self):
        gateway = self.begin({"connections_max": 1}, route={"timeout": "2s"})
        self.origin.on("/body", lambda exchange: (
            exchange.head(200, [("Content-Length", "1")]), self.release.wait(20),
            exchange.send(b"x")))
        client = self.send(gateway, "/body")
        client.read_head()
        self.assert_problem(gateway.client().request("GET", "/"), 504, "upstream.timeout")

    def test_shadow(self):
        gateway = self.begin({"connections_max": 1, "mode": "shadow"})
        clients = [self.send(gateway) for _ in range(3)]
        eventually(lambda: self.inside == 3, "all are under way")
        self.release.set()
        self.assertEqual([client.read_response().status for client in clients], [200] * 3)
        name = 'hangu_upstream_shadow_overflows_total{upstream="origin"}'
        self.assertEqual(gateway.metrics()[name], 2)


if __name__ == "__main__":
    unittest.main()
