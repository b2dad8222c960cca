"""Signed requests that several gateways let pass once, through a store, and without it."""

import itertools

from support.redis import Redis
from support.signature_case import SignatureCase, content_digest
from support.wait import eventually, run_threads


class Cluster(SignatureCase):
    def setUp(self):
        super().setUp()
        self.redis = Redis()
        self.addCleanup(self.redis.stop)

    def begin_pair(self, signature=None, store=None):
        # Slow machines are no errors here.
        store = {"name": "shared", "url": self.redis.url, "timeout": "5s", **(store or {})}
        pair = [self.begin({"replay_store": "shared", **(signature or {})}, stores=[store],
                           workers=2) for _ in range(2)]
        for gateway in pair:
            self.wait_for(gateway, True)
        return pair

    def wait_for(self, gateway, up):
        eventually(lambda: gateway.status()["stores"][0]["up"] == up, f"the store is up: {up}")

    def ask(self, gateway, fields, method="GET", body=None):
        return gateway.client().request(method, "/a?b=c", fields, body)

    def test_what_came_to_one_does_not_pass_at_the_other(self):
        one, other = self.begin_pair()
        fields = self.signed()
        self.assertEqual(self.ask(one, fields).status, 200)
        self.refused(self.ask(other, fields), "replayed")
        self.refused(self.ask(one, fields), "replayed")
        self.assertEqual(self.ask(other, self.signed(more=';nonce="2"')).status, 200)
        self.assertEqual(len(self.origin.requests), 2)
        self.assertIn(b"hangu:once:", self.redis.command("KEYS", "*"))

    def test_of_many_at_once_one_passes(self):
        pair = self.begin_pair({"replay": "nonce"})
        for turn in range(3):
            fields = self.signed(more=f';nonce="n{turn}"')
            statuses = []
            run_threads(8, lambda i, fields=fields: statuses.append(
                self.ask(pair[i % 2], fields).status))
            self.assertEqual(sorted(statuses), [200] + [401] * 7)

    def test_bodies_wait_too(self):
        one, other = self.begin_pair({"body_digest": True})
        body = b"x" * 100_000
        fields = self.signed("POST", fields={"Content-Digest": content_digest(body)},
                             covered=["@method", "@target-uri", "content-digest"])
        response = self.ask(one, fields, "POST", body)
        self.assertEqual((response.status, response.json()["body_bytes"]), (200, len(body)))
        self.refused(self.ask(other, fields, "POST", body), "replayed")
        # One that is not what was signed is still seen, after the store has answered.
        fields = self.signed("POST", fields={"Content-Digest": content_digest(b"y")},
                             covered=["@method", "@target-uri", "content-digest"])
        self.assert_problem(self.ask(other, fields, "POST", body), 401, "auth.digest")

    def test_without_the_store_each_node_knows_what_came_to_it(self):
        one, other = self.begin_pair()
        fields = self.signed()
        self.assertEqual(self.ask(one, fields).status, 200)
        self.redis.kill()
        for gateway in (one, other):
            self.wait_for(gateway, False)
        self.refused(self.ask(one, fields), "replayed")
        self.assertEqual(self.ask(other, fields).status, 200)
        self.redis.start()
        for gateway in (one, other):
            self.wait_for(gateway, True)
        fields = self.signed(more=';nonce="later"')
        self.assertEqual(self.ask(other, fields).status, 200)
        self.refused(self.ask(one, fields), "replayed")

    def test_without_the_store_nobody_passes_if_that_is_wanted(self):
        one, _ = self.begin_pair({"replay_on_store_error": "deny"}, {"timeout": "20ms"})
        self.redis.pause()  # it does not answer, and nobody knows yet
        response = self.ask(one, self.signed())
        self.assert_problem(response, 503, "auth.unavailable")
        self.wait_for(one, False)
        self.assert_problem(self.ask(one, self.signed(more=';nonce="2"')), 503, "auth.unavailable")
        self.redis.go_on()
        self.wait_for(one, True)
        nonces = itertools.count(3)  # 20 ms may be short on a slow machine
        eventually(lambda: self.ask(one, self.signed(
            more=f';nonce="{next(nonces)}"')).status == 200, "it answers in time")
        name = 'hangu_auth_requests_total{authenticator="signed",outcome="replay_store"}'
        self.assertGreaterEqual(one.metrics()[name], 2)
