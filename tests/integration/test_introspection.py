"""Token introspection (RFC 7662): an issuer that is asked what a token is worth, and that answers
slowly, wrongly, too much or not at all."""

import base64
import json
import threading
import time
import urllib.parse

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.wait import eventually, run_threads


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class IntrospectionCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.issuer = cls.make_origin()
        cls.addClassCleanup(cls.issuer.stop)

    def setUp(self):
        super().setUp()
        self.issuer.clear()
        self.tokens = {}
        self.issuer.on("/introspect", self.introspect)

    def introspect(self, exchange):
        """What an issuer does: it knows the tokens of `self.tokens`."""
        form = urllib.parse.parse_qs(exchange.read_body().decode())
        known = self.tokens.get(form["token"][0])
        self.reply(exchange, {"active": False} if known is None else {"active": True, **known})

    def reply(self, exchange, answer):
        exchange.reply(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def hold_answers(self):
        """The issuer answers once the event is set."""
        release = threading.Event()
        self.addCleanup(release.set)

        def slow(exchange):
            release.wait(20)
            self.introspect(exchange)
        self.issuer.on("/introspect", slow)
        return release

    def begin(self, introspection=None, route=None, issuer_upstream=None, **options):
        config = make_config(
            self.origin, route={"authentication": {"any": ["tokens"]}, **(route or {})},
            authenticators=[{"name": "tokens", "introspection": {
                "upstream": "issuer", "timeout": "5s", "client_id": "gate:way",
                "client_secret": "s e", **(introspection or {})}}],
            access_log={"path": "@FOLDER@/access.log"}, **options)
        config["upstreams"].append({"name": "issuer", "endpoints": [self.issuer.endpoint],
                                    **(issuer_upstream or {})})
        return self.start(config)

    def asked(self):
        return [request for request in self.issuer.requests if request.path == "/introspect"]

    def outcome(self, gateway, outcome):
        name = f'hangu_auth_requests_total{{authenticator="tokens",outcome="{outcome}"}}'
        return gateway.metrics().get(name, 0)

    def logged(self, gateway, count=1):
        path = gateway.folder / "access.log"
        eventually(lambda: path.exists() and path.read_text().count("\n") >= count, "a record")
        return json.loads(path.read_text().splitlines()[-1])


class Answers(IntrospectionCase):
    def test_an_active_token_proves_its_consumer(self):
        token = "t/1+a&b=="
        self.tokens[token] = {"sub": "app", "scope": "read write", "groups": ["staff"],
                              "tenant": {"id": "t1"}, "jti": "j1"}
        gateway = self.begin(
            {"claim_headers": [{"claim": "tenant.id", "header": "x-tenant"}]},
            {"authorization": {"allow": [{"id": "staff", "groups": ["staff"],
                                          "scopes": ["write"]}]}})
        response = gateway.client().request(
            "GET", "/", {**bearer(token), "X-Tenant": "forged", "X-Consumer-Name": "root"})
        self.assertEqual(response.status, 200)
        request, = self.origin.requests
        for name, value in {"x-consumer-name": "app", "x-consumer-groups": "staff",
                            "x-consumer-auth": "introspection", "x-tenant": "t1"}.items():
            self.assertEqual(request.headers(name), [value], name)
        self.assertIsNone(request.header("authorization"))
        question, = self.asked()
        self.assertEqual((question.method, question.header("content-type")),
                         ("POST", "application/x-www-form-urlencoded"))
        self.assertEqual(urllib.parse.parse_qs(question.body.decode()),
                         {"token": [token], "token_type_hint": ["access_token"]})
        self.assertEqual(base64.b64decode(question.header("authorization").split()[1]),
                         b"gate%3Away:s%20e")
        self.assertEqual(question.header("x-request-id"), response.header("x-request-id"))
        record = self.logged(gateway)
        self.assertEqual((record["user"], record["auth_method"], record["credential"],
                          record["allowed_by"]), ("app", "introspection", "j1", "staff"))
        self.assertNotIn(token, json.dumps(record))

    def test_who_shows_nothing_is_asked_about_nowhere(self):
        gateway = self.begin()
        response = gateway.client().request("GET", "/")
        self.assert_problem(response, 401, "auth.missing")
        self.assertEqual(response.header("www-authenticate"), "Bearer")
        self.assert_problem(gateway.client().request("GET", "/", bearer("x" * 9000)), 401,
                            "auth.invalid")
        self.assertEqual(self.asked(), [])

    def test_one_that_is_not_active_is_invalid(self):
        gateway = self.begin()
        response = gateway.client().request("GET", "/", bearer("old"))
        self.assert_problem(response, 401, "auth.invalid")
        self.assertEqual(response.header("www-authenticate"), 'Bearer error="invalid_token"')
        self.assertEqual(self.logged(gateway)["auth_reason"], "inactive")
        self.assertEqual(self.outcome(gateway, "inactive"), 1)
        self.assertEqual(self.origin.requests, [])

    def test_rules_on_what_is_said(self):
        self.tokens.update({
            "good": {"iss": "https://id", "aud": ["x", "api"], "scope": "read"},
            "scope": {"iss": "https://id", "aud": "api", "scope": "write"},
            "issuer": {"iss": "https://other", "aud": "api", "scope": "read"},
            "audience": {"iss": "https://id", "aud": "x", "scope": "read"},
            "expired": {"iss": "https://id", "aud": "api", "scope": "read",
                        "exp": int(time.time()) - 1000}})
        gateway = self.begin({"issuer": "https://id", "audiences": ["api"],
                              "required_scopes": ["read"]})
        client = gateway.client()
        for token in self.tokens:
            response = client.request("GET", "/", bearer(token))
            self.assertEqual(response.status, {"good": 200, "scope": 403}.get(token, 401), token)
            self.assertEqual(self.outcome(gateway, "proved" if token == "good" else token), 1)
        self.assert_problem(client.request("GET", "/", bearer("scope")), 403, "auth.insufficient")


class Remembered(IntrospectionCase):
    def test_answers_are_good_and_bad(self):
        self.tokens["good"] = {"sub": "app"}
        gateway = self.begin({"negative_cache": "1m"}, workers=1)
        client = gateway.client()
        for token, status in (("good", 200), ("bad", 401)) * 4:
            self.assertEqual(client.request("GET", "/", bearer(token)).status, status)
        self.assertEqual(len(self.asked()), 2)
        self.assertEqual(
            gateway.metrics()['hangu_auth_cache_hits_total{authenticator="tokens"}'], 3)

    def test_for_no_longer_than_is_said(self):
        self.tokens["good"] = {"sub": "app"}
        gateway = self.begin({"cache": "50ms"}, workers=1)
        client = gateway.client()
        self.assertEqual(client.request("GET", "/", bearer("good")).status, 200)
        self.tokens.clear()
        eventually(lambda: client.request("GET", "/", bearer("good")).status == 401, "revoked")

    def test_for_no_longer_than_the_token_is_good(self):
        self.tokens["good"] = {"sub": "app", "exp": int(time.time()) - 10}  # within the skew
        gateway = self.begin(workers=1)
        client = gateway.client()
        for _ in range(3):
            self.assertEqual(client.request("GET", "/", bearer("good")).status, 200)
        self.assertEqual(len(self.asked()), 3)

    def test_a_reload_that_asks_otherwise_forgets(self):
        self.tokens["good"] = {"sub": "app"}
        gateway = self.begin(workers=1)
        client = gateway.client()
        self.assertEqual(client.request("GET", "/", bearer("good")).status, 200)
        config = json.loads(gateway.config_path.read_text())
        config["authenticators"][0]["introspection"]["audiences"] = ["api"]
        self.assertEqual(gateway.reload(config).returncode, 0)
        self.assertEqual(client.request("GET", "/", bearer("good")).status, 401)

    def test_equal_tokens_wait_for_one_answer(self):
        release = self.hold_answers()
        self.tokens["good"] = {"sub": "app"}
        gateway = self.begin(workers=1)
        clients = [gateway.client() for _ in range(6)]
        for client in clients:
            client.send(client.head("GET", "/", bearer("good")))
        gone = gateway.client()
        gone.send(gone.head("GET", "/", bearer("good")))
        eventually(lambda: gateway.status()["shards"][0]["requests_active"] == 7, "seven wait")
        gone.close()
        eventually(lambda: gateway.status()["shards"][0]["requests_active"] == 6, "one has left")
        release.set()
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(len(self.asked()), 1)

    def test_who_asked_first_may_leave(self):
        release = self.hold_answers()
        self.tokens["good"] = {"sub": "app"}
        gateway = self.begin(workers=1)
        first, second = gateway.client(), gateway.client()
        first.send(first.head("GET", "/", bearer("good")))
        eventually(self.asked, "a question")
        second.send(second.head("GET", "/", bearer("good")))
        eventually(lambda: gateway.status()["shards"][0]["requests_active"] == 2, "two wait")
        first.close()
        eventually(lambda: gateway.status()["shards"][0]["requests_active"] == 1, "one has left")
        release.set()
        self.assertEqual(second.read_response().status, 200)
        self.assertEqual(len(self.asked()), 1)

    def test_many_clients_and_tokens(self):
        self.tokens.update({f"t{number}": {"sub": f"app-{number}"} for number in range(8)})
        gateway = self.begin()

        def ask(number):
            client = gateway.client()
            for turn in range(24):
                name = (number + turn) % 8
                response = client.request("GET", "/", bearer(f"t{name}"))
                self.assertEqual(response.status, 200)
                seen = dict((key.lower(), value) for key, value in response.json()["fields"])
                self.assertEqual(seen["x-consumer-name"], f"app-{name}")
        run_threads(4, ask)


class Trouble(IntrospectionCase):
    def fails(self, gateway, reason, status=503):
        response = gateway.client().request("GET", "/", bearer("good"))
        self.assert_problem(response, status, "auth.unavailable")
        self.assertEqual(self.outcome(gateway, reason), 1)
        self.assertEqual(self.logged(gateway)["auth_reason"], reason)
        self.assertEqual(self.origin.requests, [])
        # Nothing of it is remembered.
        self.issuer.on("/introspect", self.introspect)
        self.tokens["good"] = {"sub": "app"}

    def recovers(self, gateway):
        eventually(lambda: gateway.client().request("GET", "/", bearer("good")).status == 200,
                   "it is well again")

    def test_slow(self):
        self.issuer.on("/introspect", lambda exchange: exchange.wait_for_end())
        gateway = self.begin({"timeout": "100ms"})
        self.fails(gateway, "timeout")
        eventually(lambda: gateway.reload(self.patient(gateway)).returncode == 0, "a reload")
        self.recovers(gateway)

    def patient(self, gateway):
        config = json.loads(gateway.config_path.read_text())
        config["authenticators"][0]["introspection"]["timeout"] = "5s"
        return config

    def test_dead_with_a_status_of_choice(self):
        gone = self.start_origin()
        gone.stop()
        gateway = self.begin({"status_on_error": 403},
                             issuer_upstream={"endpoints": [gone.endpoint]})
        self.fails(gateway, "unreachable", 403)

    def test_an_error(self):
        self.issuer.on("/introspect", lambda exchange: (exchange.read_body(),
                                                        exchange.reply(401)))
        gateway = self.begin()
        self.fails(gateway, "status")
        self.recovers(gateway)

    def test_no_json(self):
        self.issuer.on("/introspect", lambda exchange: (exchange.read_body(),
                                                        exchange.reply(200, {}, b"<html>")))
        gateway = self.begin()
        self.fails(gateway, "broken")
        self.recovers(gateway)

    def test_active_in_words_is_no_answer(self):
        self.issuer.on("/introspect", lambda exchange: (
            exchange.read_body(), self.reply(exchange, {"active": "true", "sub": "app"})))
        self.fails(self.begin(), "broken")

    def test_too_much(self):
        self.issuer.on("/introspect", lambda exchange: (
            exchange.read_body(),
            self.reply(exchange, {"active": True, "sub": "app", "x": "y" * 70_000})))
        gateway = self.begin()
        self.fails(gateway, "broken")
        self.recovers(gateway)

    def test_it_dies_in_the_middle(self):
        def half(exchange):
            exchange.read_body()
            exchange.head(200, [("Content-Length", "100")])
            exchange.send(b'{"active":true')
            exchange.reset()
        self.issuer.on("/introspect", half)
        gateway = self.begin()
        self.fails(gateway, "broken")
        self.recovers(gateway)

    def test_a_kept_connection_that_it_has_closed_costs_nobody_a_request(self):
        gateway = self.begin({"cache": "0"}, workers=1)
        self.tokens["good"] = {"sub": "app"}
        client = gateway.client()
        for _ in range(3):
            self.assertEqual(client.request("GET", "/", bearer("good")).status, 200)
            self.issuer.close_connections()

    def test_no_more_tokens_at_once_than_may_be(self):
        release = self.hold_answers()
        self.tokens["a"] = {"sub": "app"}
        gateway = self.begin({"requests_max": 1}, workers=1)
        client = gateway.client()
        client.send(client.head("GET", "/", bearer("a")))
        eventually(self.asked, "a question")
        self.assert_problem(gateway.client().request("GET", "/", bearer("b")), 503,
                            "auth.unavailable")
        self.assertEqual(self.outcome(gateway, "busy"), 1)
        release.set()
        self.assertEqual(client.read_response().status, 200)

    def test_a_reload_while_requests_wait(self):
        release = self.hold_answers()
        self.tokens["good"] = {"sub": "app"}
        gateway = self.begin({"timeout": "20s"})
        client = gateway.client()
        client.send(client.head("GET", "/", bearer("good")))
        eventually(self.asked, "a question")
        config = json.loads(gateway.config_path.read_text())
        del config["routes"][0]["authentication"], config["authenticators"]
        self.assertEqual(gateway.reload(config).returncode, 0)
        release.set()
        self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.origin.requests[-1].header("x-consumer-name"), "app")


class Operators(IntrospectionCase):
    def test_check_names_what_is_wrong(self):
        path = self.gateway.folder / "wrong.yaml"
        path.write_text(json.dumps(make_config(self.origin, authenticators=[
            {"name": "a", "introspection": {"upstream": "orgin", "client_id": "x"}},
            {"name": "b", "introspection": {"upstream": "origin"}, "api_key": "on"}])))
        told = run_hangu("check", str(path))
        self.assertNotEqual(told.returncode, 0)
        text = told.stdout + told.stderr
        for words in ('did you mean "origin"', "`client_id` and `client_secret` go together",
                      "has exactly one of"):
            self.assertIn(words, text)

    def test_the_secret_is_not_shown(self):
        gateway = self.begin({"client_secret": "file:" + __file__})
        told = run_hangu("explain", "--socket", gateway.socket, "http://a/").stdout
        self.assertRegex(told, r"identity +by tokens\n")
        self.assertNotIn("Trouble", gateway.admin("GET", "/config").body.decode())
