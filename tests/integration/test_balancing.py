"""Which endpoint of an upstream a request goes to, and those that are left out."""

import collections
import threading
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually, run_threads


class BalancingCase(GatewayCase):
    def begin(self, count=3, upstream=None, workers=1, route=None):
        self.origins = [self.start_origin(name=f"o{i}") for i in range(count)]
        self.config_ = make_config(self.origins[0], workers=workers, route=route, upstream={
            "endpoints": [origin.endpoint for origin in self.origins], **(upstream or {})})
        return self.start(self.config_)

    def hits(self):
        return [len(origin.requests) for origin in self.origins]


class Policies(BalancingCase):
    def ask(self, gateway, count, headers=None):
        client = gateway.client()
        for _ in range(count):
            self.assertEqual(client.request("GET", "/", headers or {}).status, 200)

    def test_in_turn(self):
        self.ask(self.begin(), 9)
        self.assertEqual(self.hits(), [3, 3, 3])

    def test_fewer_requests(self):
        """One endpoint keeps what it gets; the others get the rest."""
        gateway = self.begin(upstream={"load_balancing": {"policy": "least_requests"}})
        release = threading.Event()
        self.addCleanup(release.set)
        self.origins[0].on("/", lambda exchange: (release.wait(20), exchange.reply(200)))
        clients = []
        for _ in range(60):
            clients.append(gateway.client())
            clients[-1].send(clients[-1].head("GET", "/"))
            expected = len(clients)
            eventually(lambda: sum(self.hits()) == expected, "it arrives")
        self.assertLessEqual(self.hits()[0], 12)
        release.set()

    def test_sooner_answers(self):
        gateway = self.begin(upstream={"load_balancing": {"policy": "peak_ewma"}})
        slow = threading.Event()
        self.origins[0].on("/", lambda exchange: (slow.wait(0.1), exchange.reply(200)))
        self.ask(gateway, 100)
        self.assertLessEqual(self.hits()[0], 15)
        self.assertGreaterEqual(min(self.hits()[1:]), 20)

    def test_by_key(self):
        upstream = {"load_balancing": {"policy": "hash", "key": ["cookie:sid"]}}
        gateway = self.begin(upstream=upstream, workers=2)
        homes = {}
        for session in range(40):
            before = self.hits()
            for _ in range(3):
                self.ask(gateway, 1, {"Cookie": f"sid={session}"})
            gained = [now - then for now, then in zip(self.hits(), before)]
            self.assertEqual(sorted(gained), [0, 0, 3])
            homes[session] = gained.index(3)
        self.assertEqual(len(set(homes.values())), 3)
        # Another instance agrees; so does one that has lost an endpoint, for most.
        self.config_["upstreams"][0]["endpoints"].pop()
        other = self.start(self.config_)
        moved = 0
        for session, home in homes.items():
            if home == 2:
                continue
            before = self.hits()
            self.ask(other, 1, {"Cookie": f"sid={session}"})
            moved += [now - then for now, then in zip(self.hits(), before)].index(1) != home
        self.assertLessEqual(moved, 4)
        before = self.hits()
        self.ask(other, 10)
        self.assertEqual([now - then for now, then in zip(self.hits(), before)], [5, 5, 0])


class Ejecting(BalancingCase):
    upstream = {"ejection": {"failures": 3, "time": "3s", "time_max": "3s"},
                "retry": {"attempts": 0}}

    def statuses(self, gateway, count):
        client = gateway.client()
        return collections.Counter(client.request("GET", "/").status for _ in range(count))

    def ejected(self, gateway):
        return [endpoint["address"] for endpoint in gateway.status()["upstreams"][0]["endpoints"]
                if "ejected_for_ms" in endpoint]

    def test_who_fails_is_left_out(self):
        gateway = self.begin(upstream=self.upstream)
        self.origins[1].on("/", lambda exchange: exchange.reply(502))
        self.assertEqual(self.statuses(gateway, 9), {200: 6, 502: 3})
        self.assertEqual(self.ejected(gateway), [self.origins[1].endpoint])
        self.assertEqual(self.statuses(gateway, 30), {200: 30})
        self.assertEqual(gateway.metrics()['hangu_upstream_ejections_total{upstream="origin"}'], 1)
        self.origins[1].on("/", lambda exchange: exchange.reply(200))
        before = len(self.origins[1].requests)
        eventually(lambda: self.statuses(gateway, 3) and
                   len(self.origins[1].requests) > before, "it gets requests again")

    def test_who_is_gone_is_left_out(self):
        gateway = self.begin(upstream=self.upstream)
        self.origins[2].stop()
        self.assertEqual(self.statuses(gateway, 9), {200: 6, 503: 3})
        self.assertEqual(self.statuses(gateway, 30), {200: 30})

    def test_all_workers_know(self):
        gateway = self.begin(upstream={**self.upstream, "ejection": {"failures": 3}}, workers=2)
        self.origins[1].on("/", lambda exchange: exchange.reply(503))
        for _ in range(30):
            gateway.client().request("GET", "/")
        self.assertEqual(self.ejected(gateway), [self.origins[1].endpoint])
        statuses = []
        run_threads(20, lambda _: statuses.append(gateway.client().request("GET", "/").status))
        self.assertEqual(statuses, [200] * 20)

    def test_never_the_last_and_no_more_than_half(self):
        gateway = self.begin(2, upstream={**self.upstream, "ejection": {"failures": 2}})
        for origin in self.origins:
            origin.on("/", lambda exchange: exchange.reply(500))
        self.assertEqual(self.statuses(gateway, 20), {500: 20})
        self.assertEqual(len(self.ejected(gateway)), 1)

    def test_a_success_in_between(self):
        gateway = self.begin(2, upstream=self.upstream)
        turn = iter(range(1000))
        self.origins[0].on("/", lambda exchange:
                           exchange.reply(200 if next(turn) % 3 == 2 else 500))
        self.statuses(gateway, 40)
        self.assertEqual(self.ejected(gateway), [])

    def test_shadow(self):
        gateway = self.begin(2, upstream={**self.upstream,
                                          "ejection": {"failures": 2, "mode": "shadow"}})
        self.origins[0].on("/", lambda exchange: exchange.reply(500))
        self.assertEqual(self.statuses(gateway, 8), {200: 4, 500: 4})
        name = 'hangu_upstream_shadow_ejections_total{upstream="origin"}'
        self.assertEqual(gateway.metrics()[name], 2)


if __name__ == "__main__":
    unittest.main()
