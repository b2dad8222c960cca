"""Authentication and authorization: keys, tokens, certificates, and rules on who may do what."""

import base64
import hashlib
import json
import ssl
import subprocess
import time

from support.case import GatewayCase
from support.certificates import Authority
from support.gateway import BINARY, make_config, run_hangu
from support.issuer import Issuer, sign_with_secret
from support.json_log import records_of
from support.wait import eventually, run_threads

SECRET = "0123456789abcdef0123456789abcdef"


def digest(key):
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class AuthCase(GatewayCase):
    def begin(self, *authenticators, route=None, **options):
        route = {"authentication": {"any": [one["name"] for one in authenticators]},
                 **(route or {})}
        return self.start(make_config(self.origin, authenticators=list(authenticators),
                                      route=route, access_log={"path": "@FOLDER@/access.log"},
                                      **options))

    def seen(self):
        """The last request as the upstream got it."""
        return self.origin.requests[-1]

    def logged(self, gateway, count=1):
        path = gateway.folder / "access.log"
        eventually(lambda: len(records_of(path)) >= count, "a record")
        return records_of(path)[-1]


class ApiKeys(AuthCase):
    CONSUMERS = [{"name": "app-1", "groups": ["partners", "eu"], "scopes": ["read"],
                  "api_keys": [{"id": "old", "hash": digest("key-old")},
                               {"id": "new", "hash": digest("key-new"), "scopes": ["write"]},
                               {"id": "gone", "hash": digest("key-gone"),
                                "expires": "2020-01-01T00:00:00Z"}]},
                 {"name": "app-2", "api_keys": [{"id": "sm3", "hash": (
                     "sm3:" + hashlib.new("sm3", b"key-sm3").hexdigest()
                     if "sm3" in hashlib.algorithms_available else digest("key-sm3"))}]}]

    def begin_keys(self, keys=None, **options):
        return self.begin({"name": "partners", "api_key": keys or "on", **options.pop("auth", {})},
                          consumers=self.CONSUMERS, **options)

    def test_who_shows_a_key_passes_as_its_consumer(self):
        gateway = self.begin_keys()
        client = gateway.client()
        for key, consumer in (("key-old", "app-1"), ("key-new", "app-1"), ("key-sm3", "app-2")):
            response = client.request("GET", "/", {"X-Api-Key": key, "X-Consumer-Name": "root"})
            self.assertEqual(response.status, 200, key)
            self.assertEqual(self.seen().headers("x-consumer-name"), [consumer])
            self.assertEqual(self.seen().header("x-consumer-auth"), "api_key")
            self.assertIsNone(self.seen().header("x-api-key"))
        record = self.logged(gateway, 3)
        self.assertEqual(record["user"], "app-2")
        self.assertEqual(record["auth_method"], "api_key")
        self.assertNotIn("key-", json.dumps(record))

    def test_no_key_or_a_wrong_one_is_401_with_a_challenge(self):
        gateway = self.begin_keys()
        client = gateway.client()
        for fields, code in (({}, "auth.missing"), ({"X-Api-Key": "key-x"}, "auth.invalid"),
                             ({"X-Api-Key": ""}, "auth.invalid"),
                             ({"X-Api-Key": "key-gone"}, "auth.invalid"),
                             ({"X-Api-Key": "k" * 2000}, "auth.invalid")):
            response = client.request("GET", "/", fields)
            self.assert_problem(response, 401, code)
            self.assertEqual(response.header("www-authenticate"), 'ApiKey header="x-api-key"')
        record = self.logged(gateway, 5)
        self.assertEqual((record["filter"], record["rule"]), ("auth", "partners"))
        self.assertEqual(self.origin.requests, [])
        name = 'hangu_auth_requests_total{authenticator="partners",outcome="%s"}'
        metrics = gateway.metrics()
        self.assertEqual(metrics[name % "unknown_key"], 3)
        self.assertEqual(metrics[name % "expired"], 1)
        self.assertEqual(metrics[name % "absent"], 1)

    def test_other_places_for_a_key(self):
        gateway = self.begin_keys({"headers": ["authorization"], "query": ["key"],
                                   "cookies": ["key"]})
        client = gateway.client()
        ask = client.request
        self.assertEqual(ask("GET", "/", {"Authorization": "apikey key-new"}).status, 200)
        self.assertIsNone(self.seen().header("authorization"))
        self.assertEqual(ask("GET", "/a?x=1&key=key-new&y=2").status, 200)
        self.assertEqual(self.seen().target, "/a?x=1&y=2")
        self.assertEqual(ask("GET", "/", {"Cookie": "a=1; key=key-new; b=2"}).status, 200)
        self.assertEqual(self.seen().header("cookie"), "a=1; b=2")

    def test_a_key_goes_on_to_the_upstream_only_if_asked_for(self):
        gateway = self.begin_keys(auth={"forward": True})
        self.assertEqual(gateway.client().request("GET", "/", {"X-Api-Key": "key-new"}).status, 200)
        self.assertEqual(self.seen().header("x-api-key"), "key-new")

    def test_optional_lets_nobody_in_but_nobody_wrong(self):
        gateway = self.begin_keys(
            route={"authentication": {"any": ["partners"], "optional": True}})
        client = gateway.client()
        self.assertEqual(client.request("GET", "/", {"X-Consumer-Name": "root"}).status, 200)
        self.assertIsNone(self.seen().header("x-consumer-name"))
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "key-new"}).status, 200)
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "wrong"}).status, 401)

    def test_nobody_may_count_as_a_consumer_of_the_config(self):
        gateway = self.begin_keys(
            route={"authentication": {"any": ["partners"], "optional": True,
                                      "anonymous": "app-2"}})
        client = gateway.client()
        self.assertEqual(client.request("GET", "/").status, 200)
        self.assertEqual(self.seen().header("x-consumer-name"), "app-2")
        self.assertEqual(self.seen().header("x-consumer-auth"), "anonymous")
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "key-new"}).status, 200)
        self.assertEqual(self.seen().header("x-consumer-name"), "app-1")
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "wrong"}).status, 401)

    def test_shadow_only_says_so(self):
        gateway = self.begin_keys(
            route={"authentication": {"any": ["partners"], "mode": "shadow"}})
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertEqual(self.logged(gateway)["shadow"], "auth")

    def test_identity_fields_of_clients_never_pass_on_any_route(self):
        config = make_config(self.origin, authenticators=[{"name": "a", "api_key": "on"}])
        gateway = self.start(config)
        gateway.client().request("GET", "/", {"X-Consumer-Name": "root", "X-Consumer-Groups": "a"})
        self.assertIsNone(self.seen().header("x-consumer-name"))
        self.assertIsNone(self.seen().header("x-consumer-groups"))

    def test_a_reload_changes_keys_at_once(self):
        gateway = self.begin_keys()
        client = gateway.client()
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "key-new"}).status, 200)
        config = json.loads(gateway.config_path.read_text())
        config["consumers"][0]["api_keys"] = [{"id": "next", "hash": digest("key-next")}]
        self.assertEqual(gateway.reload(config).returncode, 0)
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "key-new"}).status, 401)
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "key-next"}).status, 200)


class Authorization(AuthCase):
    def begin_rules(self, *rules, top=None, **options):
        consumers = [{"name": "reader", "scopes": ["read"],
                      "api_keys": [{"id": "r", "hash": digest("r")}]},
                     {"name": "writer", "groups": ["staff"], "scopes": ["read", "write"],
                      "api_keys": [{"id": "w", "hash": digest("w")}]}]
        return self.begin({"name": "keys", "api_key": "on"}, consumers=consumers,
                          route={"authorization": {"allow": list(rules), **options}},
                          **(top or {}))

    def ask_as(self, client, key, method="GET"):
        return client.request(method, "/", {"X-Api-Key": key})

    def test_the_first_rule_that_holds(self):
        gateway = self.begin_rules({"id": "reading", "scopes": ["read"], "methods": ["GET"]},
                                   {"id": "staff", "groups": ["staff"]})
        client = gateway.client()
        self.assertEqual(self.ask_as(client, "r").status, 200)
        self.assert_problem(self.ask_as(client, "r", "DELETE"), 403, "authz.denied")
        self.assertEqual(self.ask_as(client, "w", "DELETE").status, 200)
        self.assertEqual(self.logged(gateway, 3)["allowed_by"], "staff")

    def test_by_consumer_and_address(self):
        gateway = self.begin_rules({"id": "a", "consumers": ["writer"], "clients": ["127.0.0.1"]},
                                   {"id": "b", "consumers": ["reader"], "clients": ["192.0.2.1"]})
        client = gateway.client()
        self.assertEqual(self.ask_as(client, "w").status, 200)
        self.assertEqual(self.ask_as(client, "r").status, 403)

    def test_the_audit_log_has_who_how_and_by_which_rule(self):
        gateway = self.begin_rules({"id": "reading", "scopes": ["read"], "methods": ["GET"]},
                                   top={"audit": {"path": "@FOLDER@/audit.log",
                                                  "requests": "all"}})
        client = gateway.client()
        self.assertEqual(self.ask_as(client, "r").status, 200)
        self.assertEqual(self.ask_as(client, "r", "DELETE").status, 403)
        self.assertEqual(self.ask_as(client, "x").status, 401)
        path = gateway.folder / "audit.log"

        def records():
            found = [each for each in records_of(path) if "status" in each]
            return len(found) >= 3 and found
        allowed, denied, failed = eventually(records, "three records")[:3]
        self.assertEqual((allowed["user"], allowed["auth_method"], allowed["rule"]),
                         ("reader", "api_key", "reading"))
        self.assertEqual((denied["event"], denied["user"]), ("authz.deny", "reader"))
        self.assertEqual((failed["event"], failed["rule"], failed["reason"]),
                         ("auth.fail", "keys", "unknown_key"))
        self.assertNotIn("user", failed)

    def test_explain_says_what_is_asked_for(self):
        gateway = self.begin_rules({"id": "reading", "scopes": ["read"]})
        told = run_hangu("explain", "--socket", gateway.socket, "http://a/").stdout
        self.assertRegex(told, r"identity +by keys\n")
        self.assertRegex(told, r"allowed +if a rule allows it: reading; else 403\n")

    def test_shadow(self):
        gateway = self.begin_rules({"id": "a", "consumers": ["writer"]}, mode="shadow")
        self.assertEqual(self.ask_as(gateway.client(), "r").status, 200)
        self.assertEqual(self.logged(gateway)["shadow"], "authorization")


class Tokens(AuthCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.issuer = Issuer()
        cls.addClassCleanup(cls.issuer.stop)

    def jwt(self, **more):
        return {"name": "gov", "jwt": {"issuer": "https://id.example", "audiences": ["api"],
                                       **more}}

    def begin_file(self, issuer=None, **more):
        issuer = issuer or self.issuer
        path = issuer.folder / f"keys-{time.monotonic_ns()}.json"
        path.write_bytes(issuer.key_set())
        return self.begin(self.jwt(jwks_file=str(path), **more)), path

    def status(self, client, token, **fields):
        return client.request("GET", "/", {**bearer(token), **fields}).status

    def key_set(self, gateway):
        return gateway.status()["key_sets"][0]

    def test_a_right_token_passes_and_its_claims_with_it(self):
        gateway, _ = self.begin_file(claim_headers=[{"claim": "org.unit", "header": "x-unit"}])
        token = self.issuer.token(org={"unit": "tax"}, groups=["a", "b"], scope="read")
        client = gateway.client()
        for _ in range(3):  # the first is verified, the others are known
            self.assertEqual(self.status(client, token, **{"X-Unit": "forged"}), 200)
            self.assertEqual(self.seen().headers("x-unit"), ["tax"])
            self.assertEqual(self.seen().header("x-consumer-name"), "app-1")
            self.assertEqual(self.seen().header("x-consumer-groups"), "a,b")
            self.assertIsNone(self.seen().header("authorization"))

    def test_a_share_of_a_split_for_certain_clients(self):
        gateway, client = self.begin_split(
            {"groups": ["staff"], "claims": [{"claim": "org.unit", "values": ["tax", "law"]}]})
        staff = {"groups": ["staff", "all"]}
        for claims, origin in (({**staff, "org": {"unit": "law"}}, self.other),
                               ({**staff, "org": {"unit": "it"}}, self.origin),
                               (staff, self.origin),
                               ({"org": {"unit": "tax"}}, self.origin)):
            before = len(origin.requests)
            self.assertEqual(self.status(client, self.issuer.token(**claims)), 200)
            self.assertEqual(len(origin.requests), before + 1, claims)
        told = run_hangu("explain", "--socket", gateway.socket, "http://a/").stdout
        self.assertIn("some clients go to other: see its `for`", told)

    def begin_split(self, who):
        self.other = self.start_origin(name="other")
        path = self.issuer.folder / "keys-split.json"
        path.write_bytes(self.issuer.key_set())
        config = make_config(self.origin, authenticators=[self.jwt(jwks_file=str(path))])
        config["upstreams"].append({"name": "other", "endpoints": [self.other.endpoint]})
        config["routes"] = [{"name": "all", "authentication": {"any": ["gov"]}, "split": {
            "upstreams": [{"upstream": "origin"},
                          {"upstream": "other", "weight": 0, "for": who}]}}]
        gateway = self.start(config)
        return gateway, gateway.client()

    def test_wrong_tokens(self):
        gateway, _ = self.begin_file(required_scopes=["read"])
        client = gateway.client()
        token = self.issuer.token
        now = int(time.time())
        for wrong in (token(exp=now - 120), token(nbf=now + 300), token(iss="https://x"),
                      token(aud="other"), token(header={"kid": "other"}),
                      token(header={"alg": "none"}), "a.b.c", "x", token()[:-8] + "AAAAAAAA"):
            response = client.request("GET", "/", bearer(wrong))
            self.assert_problem(response, 401, "auth.invalid")
            self.assertEqual(response.header("www-authenticate"), 'Bearer error="invalid_token"')
        response = client.request("GET", "/", bearer(token(scope="write")))
        self.assert_problem(response, 403, "auth.insufficient")
        self.assertEqual(response.header("www-authenticate"), 'Bearer error="insufficient_scope"')
        self.assertEqual(self.status(client, token(scope="write read")), 200)
        self.assert_problem(client.request("GET", "/"), 401, "auth.missing")

    def test_a_shared_secret(self):
        gateway = self.begin(self.jwt(secret=SECRET, algorithms=["HS256"]))
        client = gateway.client()
        good = sign_with_secret(SECRET, self.issuer.claims())
        self.assertEqual(self.status(client, good), 200)
        self.assertEqual(self.status(client, sign_with_secret("x" * 32, self.issuer.claims())), 401)
        self.assertEqual(
            self.status(client, sign_with_secret(SECRET, self.issuer.claims(), "HS512")), 401)

    def test_a_file_of_keys_is_read_again_when_it_changes(self):
        issuer = Issuer("rsa")
        self.addCleanup(issuer.stop)
        gateway, path = self.begin_file(issuer)
        client = gateway.client()
        old = issuer.token()
        self.assertEqual(self.status(client, old), 200)
        issuer.rotate("k2")
        draft = path.with_suffix(".new")
        draft.write_bytes(issuer.key_set())
        draft.rename(path)
        fresh = issuer.token()
        eventually(lambda: self.status(client, fresh) == 200, "the new key is known")
        self.assertEqual(self.status(client, old), 401)

    def test_a_key_that_is_unknown_is_fetched_once_for_all(self):
        issuer = Issuer()
        self.addCleanup(issuer.stop)
        gateway = self.begin(self.jwt(jwks_uri=f"{issuer.url}/keys", refetch_cooldown="100ms"))
        self.assertEqual(self.status(gateway.client(), issuer.token()), 200)
        before = issuer.fetches()
        issuer.rotate("k2", keep=True)
        fresh = issuer.token()
        run_threads(8, lambda _: self.assertEqual(self.status(gateway.client(), fresh), 200))
        self.assertLessEqual(issuer.fetches() - before, 2)

    def test_unknown_keys_cause_no_flood_of_fetches(self):
        issuer = Issuer()
        self.addCleanup(issuer.stop)
        gateway = self.begin(self.jwt(jwks_uri=f"{issuer.url}/keys"))
        client = gateway.client()
        self.assertEqual(self.status(client, issuer.token()), 200)
        before = issuer.fetches()
        for number in range(20):
            self.assertEqual(self.status(client, issuer.token({"kid": f"x{number}"})), 401)
        self.assertLessEqual(issuer.fetches() - before, 2)

    def test_keys_go_on_serving_when_the_issuer_is_gone(self):
        issuer = Issuer()
        self.addCleanup(issuer.stop)
        gateway = self.begin(self.jwt(jwks_uri=f"{issuer.url}/keys", refresh="1s",
                                      refetch_cooldown="100ms"))
        client = gateway.client()
        token = issuer.token()
        self.assertEqual(self.status(client, token), 200)
        self.assertEqual((self.key_set(gateway)["keys"], self.key_set(gateway)["error"]), (1, ""))
        issuer.broken = True
        eventually(lambda: "keys_not_fetched" in gateway.stderr, "the failure is logged")
        self.assertRegex(self.key_set(gateway)["error"], "answered 500")
        self.assertGreaterEqual(
            gateway.metrics()['hangu_auth_key_fetches_total{authenticator="gov",result="failed"}'],
            1)
        self.assertEqual(self.status(client, issuer.token(jti="2")), 200)
        issuer.rotate("k2")
        fresh = issuer.token()
        self.assertEqual(self.status(client, fresh), 401)
        issuer.broken = False
        eventually(lambda: self.status(client, fresh) == 200, "the new key is fetched")

    def test_without_keys_it_is_503_until_they_come(self):
        issuer = Issuer()
        self.addCleanup(issuer.stop)
        issuer.broken = True
        gateway = self.begin(self.jwt(jwks_uri=f"{issuer.url}/keys", refetch_cooldown="100ms"))
        client = gateway.client()
        token = issuer.token()
        response = client.request("GET", "/", bearer(token))
        self.assert_problem(response, 503, "auth.unavailable")
        issuer.broken = False
        eventually(lambda: self.status(client, token) == 200, "the keys are there")

    def test_discovery(self):
        issuer = Issuer()
        self.addCleanup(issuer.stop)
        gateway = self.begin({"name": "gov", "jwt": {"issuer": issuer.url, "audiences": ["api"],
                                                     "discovery": True}})
        token = issuer.token(iss=issuer.url)
        self.assertEqual(self.status(gateway.client(), token), 200)
        self.assertEqual(self.status(gateway.client(), issuer.token()), 401)

    def test_a_client_that_leaves_while_keys_are_fetched(self):
        issuer = Issuer()
        self.addCleanup(issuer.stop)
        gateway = self.begin(self.jwt(jwks_uri=f"{issuer.url}/keys", refetch_cooldown="100ms"))
        self.assertEqual(self.status(gateway.client(), issuer.token()), 200)
        issuer.rotate("k2", keep=True)
        fresh = issuer.token()
        for _ in range(5):
            client = gateway.client()
            client.send_request("GET", "/", bearer(fresh))
            client.close()
        eventually(lambda: gateway.active_requests() == 0, "nothing is left of them")
        eventually(lambda: self.status(gateway.client(), fresh) == 200, "the key is there")

    def test_any_of_two_and_both(self):
        consumers = [{"name": "app-9", "api_keys": [{"id": "k", "hash": digest("key")}]}]
        keys = {"name": "keys", "api_key": "on"}
        secret = self.jwt(secret=SECRET, algorithms=["HS256"])
        good = bearer(sign_with_secret(SECRET, self.issuer.claims()))
        client = self.begin(keys, secret, consumers=consumers).client()
        self.assertEqual(client.request("GET", "/", good).status, 200)
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "key"}).status, 200)
        challenges = client.request("GET", "/").headers("www-authenticate")
        self.assertEqual(challenges, ['ApiKey header="x-api-key"', "Bearer"])
        client = self.begin(keys, secret, consumers=consumers,
                            route={"authentication": {"all": ["keys", "gov"]}}).client()
        self.assertEqual(client.request("GET", "/", good).status, 401)
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "key"}).status, 401)
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "key", **good}).status, 200)
        self.assertEqual(self.seen().header("x-consumer-name"), "app-9")

    def test_rules_and_limits_by_claims(self):
        gateway = self.begin(
            self.jwt(secret=SECRET, algorithms=["HS256"]),
            rate_limits=[{"name": "tenant", "rate": "1/h", "key": ["claim:tenant"]}],
            route={"authorization": {"allow": [
                {"id": "tenants", "claims": [{"claim": "tenant", "values": ["a", "b"]}]}]},
                "rate_limits": ["tenant"]})
        client = gateway.client()

        def ask(tenant):
            token = sign_with_secret(SECRET, self.issuer.claims(tenant=tenant))
            return self.status(client, token)
        self.assertEqual([ask("a"), ask("a"), ask("b"), ask("c")], [200, 429, 200, 403])


class Certificates(AuthCase):
    def test_a_certificate_proves_a_consumer(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        server = authority.issue(["DNS:localhost"])
        known = authority.issue(["DNS:app-1.example", "URI:spiffe://example/app-1"])
        other = authority.issue(["DNS:app-2.example"])
        gateway = self.begin(
            {"name": "mtls", "client_certificate": "on"},
            consumers=[{"name": "app-1", "certificates": ["URI:spiffe://example/app-1"]}],
            listener={"tls": {"certificates": [server.files], "client_auth": "request",
                              "client_ca": authority.cert}})
        for certificate, status in ((known, 200), (other, 401), (None, 401)):
            context = ssl.create_default_context(cafile=authority.cert)
            if certificate:
                context.load_cert_chain(certificate.cert, certificate.key)
            client = gateway.client(tls=context, server_name="localhost")
            client.host = "localhost"
            response = client.request("GET", "/")
            self.assertEqual(response.status, status)
        self.assertEqual(self.seen().header("x-consumer-name"), "app-1")


class Passwords(AuthCase):
    BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"  # of "U*U"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = subprocess.run([BINARY, "hash-password"], input=b"correct:horse\n",
                              capture_output=True, check=True, timeout=60)
        cls.argon2 = made.stdout.decode().strip()

    def begin_basic(self, basic=None, **options):
        consumers = [{"name": "ada", "groups": ["staff"],
                      "passwords": [{"user": "ada", "hash": self.argon2}]},
                     {"name": "bob", "passwords": [{"user": "bob", "hash": self.BCRYPT}]}]
        return self.begin({"name": "people", "basic": basic or "on"}, consumers=consumers,
                          **options)

    def ask(self, client, user, password):
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return client.request("GET", "/", {"Authorization": f"Basic {token}"})

    def test_right_passwords_pass_and_are_remembered(self):
        gateway = self.begin_basic()
        client = gateway.client()
        for user, password in (("ada", "correct:horse"), ("bob", "U*U"), ("ada", "correct:horse")):
            self.assertEqual(self.ask(client, user, password).status, 200)
            self.assertEqual(self.seen().header("x-consumer-name"), user)
            self.assertEqual(self.seen().header("x-consumer-auth"), "basic")
            self.assertIsNone(self.seen().header("authorization"))
        record = self.logged(gateway, 3)
        self.assertEqual((record["user"], record["credential"]), ("ada", "ada"))
        self.assertNotIn("horse", json.dumps(record) + gateway.stderr)
        name = 'hangu_auth_cache_hits_total{authenticator="people"}'
        eventually(lambda: gateway.metrics()[name] == 1, "the third was remembered")

    def test_wrong_ones_are_401(self):
        client = self.begin_basic().client()
        for user, password in (("ada", "wrong"), ("nobody", "correct:horse"), ("bob", "")):
            response = self.ask(client, user, password)
            self.assert_problem(response, 401, "auth.invalid")
            self.assertEqual(response.header("www-authenticate"),
                             'Basic realm="hangu", charset="UTF-8"')
        for field in ("Basic ", "Basic !!!", "Basic YWRh", "Bearer YWRhOmE="):
            response = client.request("GET", "/", {"Authorization": field})
            self.assertEqual(response.status, 401, field)
        self.assertEqual(self.origin.requests, [])

    def test_who_guesses_is_locked_out_and_others_are_not(self):
        gateway = self.begin_basic({"attempts": 2, "lockout": "1h"})
        client = gateway.client()
        statuses = [self.ask(client, "bob", f"guess-{i}").status for i in range(2)]
        self.assertEqual(statuses, [401, 401])
        response = self.ask(client, "bob", "U*U")
        self.assert_problem(response, 429, "auth.locked")
        self.assertGreater(int(response.header("retry-after")), 3000)
        self.assertEqual(self.ask(client, "ada", "correct:horse").status, 200)
        name = 'hangu_auth_requests_total{authenticator="people",outcome="%s"}'
        metrics = gateway.metrics()
        self.assertEqual((metrics[name % "password"], metrics[name % "locked"]), (2, 1))

    def test_a_lockout_ends(self):
        client = self.begin_basic({"attempts": 1, "lockout": "1s"}).client()
        self.assertEqual(self.ask(client, "bob", "guess").status, 401)
        eventually(lambda: self.ask(client, "bob", "U*U").status == 200, "heard again")

    def test_many_at_once(self):
        gateway = self.begin_basic()

        def ask(number):
            user, password = (("ada", "correct:horse"), ("bob", "guess"))[number % 2]
            return self.ask(gateway.client(), user, password).status
        statuses = {0: set(), 1: set()}
        run_threads(12, lambda number: statuses[number % 2].add(ask(number)))
        self.assertEqual(statuses[0], {200})
        self.assertLessEqual(statuses[1], {401, 429})

    def test_a_new_hash_forgets_what_was_remembered(self):
        gateway = self.begin_basic()
        client = gateway.client()
        self.assertEqual(self.ask(client, "ada", "correct:horse").status, 200)
        config = json.loads(gateway.config_path.read_text())
        config["consumers"][0]["passwords"][0]["hash"] = self.BCRYPT
        self.assertEqual(gateway.reload(config).returncode, 0)
        self.assertEqual(self.ask(client, "ada", "correct:horse").status, 401)
        self.assertEqual(self.ask(client, "ada", "U*U").status, 200)
