"""forward_auth: an authorization service that is asked before a request goes on; slow, dead,
talkative and malformed ones among them."""

import hashlib
import json
import threading
import time

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.json_log import records_of
from support.wait import eventually, run_threads


class ForwardAuthCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.make_origin()
        cls.service.name = "service"
        cls.addClassCleanup(cls.service.stop)

    def setUp(self):
        super().setUp()
        self.service.clear()

    def begin(self, service=None, route=None, policy_upstream=None, **options):
        """`service`: keys of the one of `forward_auths`; None takes one out."""
        keys = {"name": "policy", "upstream": "policy", "path": "/verify", "timeout": "5s",
                **(service or {})}
        config = make_config(
            self.origin, route={"forward_auth": "policy", **(route or {})},
            forward_auths=[{key: value for key, value in keys.items() if value is not None}],
            access_log={"path": "@FOLDER@/access.log"}, **options)
        config["upstreams"].append({"name": "policy", "endpoints": [self.service.endpoint],
                                    **(policy_upstream or {})})
        return self.start(config)

    def answer(self, status=200, fields=(), body=b""):
        """What the service says from now on."""
        self.service.on("/verify", lambda exchange: exchange.reply(status, fields, body))

    def asked(self):
        return [request for request in self.service.requests if request.path == "/verify"]

    def asked_body(self, number):
        """The service may have answered before it has read it."""
        eventually(lambda: self.asked()[number].complete, "the body was read")
        return self.asked()[number].body

    def logged(self, gateway, count=1):
        path = gateway.folder / "access.log"
        eventually(lambda: len(records_of(path)) >= count, "a record")
        return records_of(path)[-1]

    def metric(self, gateway, name, **labels):
        text = "".join(f',{key}="{value}"' for key, value in labels.items())
        return gateway.metrics()[f'hangu_forward_auth_{name}{{forward_auth="policy"{text}}}']


class Questions(ForwardAuthCase):
    def test_the_service_sees_who_asks_for_what(self):
        self.answer()
        gateway = self.begin({"request_headers": ["authorization", "cookie"]})
        response = gateway.client().request(
            "POST", "/a/../b?c=d", {"Authorization": "Bearer t", "Cookie": "s=1", "X-Other": "1",
                                    "Host": "shop.example:81", "X-Forwarded-Uri": "/forged",
                                    "X-Forwarded-Method": "GET"}, b"hello")
        self.assertEqual(response.status, 200)
        question, = self.asked()
        self.assertEqual((question.method, question.target), ("GET", "/verify"))
        for name, value in {"authorization": "Bearer t", "cookie": "s=1", "x-other": None,
                            "x-forwarded-method": "POST", "x-forwarded-uri": "/b?c=d",
                            "x-forwarded-host": "shop.example:81", "x-forwarded-proto": "http",
                            "x-forwarded-for": "127.0.0.1", "x-hangu-callout": "1",
                            "host": self.service.endpoint, "content-length": None}.items():
            self.assertEqual(question.headers(name), [] if value is None else [value], name)
        self.assertEqual(question.header("x-request-id"), response.header("x-request-id"))
        request, = self.origin.requests
        self.assertEqual((request.method, request.body), ("POST", b"hello"))
        self.assertIsNone(request.header("x-hangu-callout"))

    def test_by_default_it_gets_the_credential_and_no_cookie(self):
        self.answer()
        gateway = self.begin()
        gateway.client().request("GET", "/", {"Authorization": "Basic x", "Cookie": "s=1"})
        self.assertEqual(self.asked()[0].header("authorization"), "Basic x")
        self.assertIsNone(self.asked()[0].header("cookie"))

    def test_a_prefix_is_put_before_the_path(self):
        self.service.on("/check/a/b", lambda exchange: exchange.reply(200))
        gateway = self.begin({"path": None, "path_prefix": "/check/"})
        self.assertEqual(gateway.client().request("GET", "/a/b?c=d").status, 200)
        self.assertEqual([request.target for request in self.service.requests],
                         ["/check/a/b?c=d"])

    def test_one_connection_serves_many_questions(self):
        self.answer()
        gateway = self.begin(workers=1)
        client = gateway.client()
        for _ in range(5):
            self.assertEqual(client.request("GET", "/").status, 200)
        self.assertEqual({question.connection for question in self.asked()},
                         {self.asked()[0].connection})

    def test_a_question_that_comes_back_is_not_asked_again(self):
        gateway = self.begin()
        for depth, status in (("3", 508), ("9", 508), ("x", 508)):
            response = gateway.client().request("GET", "/", {"X-Hangu-Callout": depth})
            self.assert_problem(response, status, "authz.loop")
        self.answer()
        response = gateway.client().request("GET", "/", {"X-Hangu-Callout": "1"})
        self.assertEqual(response.status, 200)
        self.assertEqual(self.asked()[0].header("x-hangu-callout"), "2")
        self.assertEqual(self.metric(gateway, "errors_total", reason="loop"), 3)


class Bodies(ForwardAuthCase):
    def test_the_service_sees_the_body_before_the_upstream(self):
        self.service.on("/verify", lambda exchange: exchange.reply(
            200 if exchange.read_body() == b'{"amount": 10}' else 403))
        gateway = self.begin({"body": {"max": "1KiB"}})
        client = gateway.client()
        json_type = {"Content-Type": "application/json"}
        self.assertEqual(client.request("PUT", "/", json_type, b'{"amount": 10}').status, 200)
        question, = self.asked()
        for name, value in {"content-type": "application/json", "x-forwarded-method": "PUT",
                            "x-forwarded-body": None}.items():
            self.assertEqual(question.header(name), value, name)
        self.assertEqual(question.method, "POST")
        request, = self.origin.requests
        self.assertEqual((request.method, request.body), ("PUT", b'{"amount": 10}'))
        self.assertEqual(client.request("PUT", "/", json_type, b'{"amount": 11}').status, 403)
        self.assertEqual(len(self.origin.requests), 1)

    def test_a_body_in_pieces_and_one_that_is_asked_for(self):
        self.answer()
        gateway = self.begin({"body": "on"})
        client = gateway.client()
        client.send(client.head("POST", "/", {"Transfer-Encoding": "chunked"}))
        for piece in (b"one ", b"two ", b"three"):
            client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.assertEqual(self.asked(), [])
        client.send(b"0\r\n\r\n")
        self.assertEqual(client.read_response("POST").status, 200)
        self.assertEqual(self.asked_body(0), b"one two three")
        self.assertEqual(self.origin.requests[0].body, b"one two three")
        client.send(client.head("POST", "/", {"Content-Length": "5",
                                              "Expect": "100-continue"}))
        self.assertEqual(client.read_head().status, 100)
        client.send(b"hello")
        self.assertEqual(client.read_response("POST").status, 200)
        self.assertEqual(self.asked_body(1), b"hello")
        self.assertEqual(self.origin.requests[1].body, b"hello")

    def test_requests_without_a_body_are_asked_about_as_ever(self):
        self.answer()
        gateway = self.begin({"body": "on"})
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertEqual(gateway.client().request("POST", "/", {}, b"").status, 200)
        for question in self.asked():
            self.assertEqual((question.method, question.body), ("GET", b""))

    def test_a_larger_one_is_refused(self):
        self.answer()
        gateway = self.begin({"body": {"max": 100}, "response_headers": ["x-user"]})
        self.assert_problem(gateway.client().request("POST", "/", {}, b"x" * 101), 413,
                            "limit.body")
        client = gateway.client()
        client.send(client.head("POST", "/", {"Transfer-Encoding": "chunked"}))
        client.send(b"65\r\n" + b"x" * 101)
        self.assert_problem(client.read_response("POST"), 413, "limit.body")
        self.assertEqual((self.asked(), self.origin.requests), ([], []))
        self.assertEqual(self.logged(gateway, 2)["rule"], "policy")
        gateway = self.begin({"body": {"max": 100}, "mode": "shadow",
                              "response_headers": ["x-user"]})
        body = b"x" * 50_000
        self.assertEqual(gateway.client().request("POST", "/", {"X-User": "forged"}, body).status,
                         200)
        self.assertEqual(self.origin.requests[0].body, body)
        self.assertIsNone(self.origin.requests[0].header("x-user"))
        self.assertEqual(self.logged(gateway)["shadow"], "forward_auth")

    def test_or_left_out_and_the_service_is_told(self):
        self.answer()
        gateway = self.begin({"body": {"max": 100, "on_large": "omit"}})
        body = bytes(range(256)) * 400
        for fields in ({}, {"Transfer-Encoding": "chunked"}):
            client = gateway.client()
            if fields:
                client.send(client.head("POST", "/", fields))
                for at in range(0, len(body), 5000):
                    piece = body[at:at + 5000]
                    client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                client.send(b"0\r\n\r\n")
                response = client.read_response("POST")
            else:
                response = client.request("POST", "/", {"X-Forwarded-Body": "forged"}, body)
            self.assertEqual(response.status, 200)
            self.assertEqual(self.asked()[-1].header("x-forwarded-body"), "omitted")
            self.assertEqual(self.asked()[-1].body, b"")
            self.assertEqual(self.origin.requests[-1].body_bytes, len(body))
            self.assertEqual(self.origin.requests[-1].digest, hashlib.sha256(body).hexdigest())

    def test_a_client_that_leaves_in_the_middle(self):
        self.answer()
        gateway = self.begin({"body": "on"})
        client = gateway.client()
        client.send(client.head("POST", "/", {"Content-Length": "100"}) + b"x" * 50)
        eventually(lambda: gateway.active_requests() == 1, "the request")
        client.close()
        eventually(lambda: gateway.active_requests() == 0, "its end")
        self.assertEqual(self.asked(), [])

    def test_decisions_about_bodies_are_not_kept(self):
        gateway = self.begin()
        gateway.write_config({**json.loads(gateway.config_path.read_text()), "forward_auths": [
            {"name": "policy", "upstream": "policy", "body": "on",
             "cache": {"key": ["header:authorization"]}}]})
        told = run_hangu("check", gateway.config_path)
        self.assertEqual(told.returncode, 3)
        self.assertIn("no key tells them apart", told.stdout + told.stderr)

class Answers(ForwardAuthCase):
    def test_what_it_says_of_an_allowed_request_goes_to_the_upstream(self):
        self.answer(204, [("X-User", "ann"), ("X-Roles", "a"), ("X-Roles", "b"),
                          ("X-Secret", "s"), ("Set-Cookie", "c=1")])
        gateway = self.begin({"response_headers": ["X-User", "x-roles", "authorization"]})
        response = gateway.client().request(
            "GET", "/", {"X-User": "root", "X-Roles": "admin", "Authorization": "Bearer t"})
        self.assertEqual(response.status, 200)
        self.assertIsNone(response.header("set-cookie"))
        request, = self.origin.requests
        self.assertEqual(request.headers("x-user"), ["ann"])
        self.assertEqual(request.headers("x-roles"), ["a", "b"])
        # It was among those that only the service may set, but the service got the client's.
        self.assertIsNone(request.header("authorization"))
        self.assertEqual(self.asked()[0].header("authorization"), "Bearer t")
        self.assertIsNone(request.header("x-secret"))
        self.assertEqual(self.metric(gateway, "requests_total", decision="allowed"), 1)
        self.assertEqual(self.metric(gateway, "duration_seconds_count"), 1)

    def test_a_refusal_reaches_the_client_as_the_service_says_it(self):
        self.answer(401, [("WWW-Authenticate", 'Bearer realm="x"'), ("Set-Cookie", "a=1"),
                          ("Set-Cookie", "b=2"), ("X-Inside", "1"),
                          ("Content-Type", "text/html")], b"<p>who are you")
        gateway = self.begin()
        response = gateway.client().request("GET", "/")
        self.assertEqual((response.status, response.body), (401, b"<p>who are you"))
        self.assertEqual(response.header("www-authenticate"), 'Bearer realm="x"')
        self.assertEqual(response.headers("set-cookie"), ["a=1", "b=2"])
        self.assertEqual(response.header("content-type"), "text/html")
        self.assertIsNone(response.header("x-inside"))
        self.assertEqual(self.origin.requests, [])
        record = self.logged(gateway)
        self.assertEqual((record["code"], record["filter"], record["rule"]),
                         ("authz.refused", "forward_auth", "policy"))
        self.assertEqual(self.metric(gateway, "requests_total", decision="refused"), 1)

    def test_a_refusal_without_words_is_a_problem(self):
        self.answer(403)
        gateway = self.begin()
        self.assert_problem(gateway.client().request("GET", "/"), 403, "authz.refused")

    def test_a_redirect_to_a_login(self):
        self.answer(302, {"Location": "https://login.example/?back=1"})
        gateway = self.begin()
        response = gateway.client().request("GET", "/")
        self.assertEqual((response.status, response.header("location")),
                         (302, "https://login.example/?back=1"))

    def test_the_audit_log_has_the_refusal(self):
        self.answer(403)
        gateway = self.begin(audit={"path": "@FOLDER@/audit.log", "requests": "security"})
        gateway.client().request("GET", "/")
        path = gateway.folder / "audit.log"

        def records():
            return [each for each in records_of(path) if "status" in each]
        record = eventually(records, "a record")[0]
        self.assertEqual((record["event"], record["rule"]), ("authz.deny", "policy"))

    def test_the_consumer_is_for_rules_logs_and_the_upstream(self):
        gateway = self.begin(
            {"consumer_header": "x-auth-user", "groups_header": "x-auth-groups"},
            {"authorization": {"allow": [{"id": "staff", "groups": ["staff"]},
                                         {"id": "scoped", "scopes": ["deep"]}]}},
            consumers=[{"name": "known", "scopes": ["deep"]}])
        client = gateway.client()
        self.answer(200, {"X-Auth-User": "ann", "X-Auth-Groups": "eu, staff"})
        self.assertEqual(client.request("GET", "/", {"X-Consumer-Name": "root"}).status, 200)
        request = self.origin.requests[-1]
        self.assertEqual(request.headers("x-consumer-name"), ["ann"])
        self.assertEqual(request.headers("x-consumer-groups"), ["eu,staff"])
        self.assertEqual(request.header("x-consumer-auth"), "forward_auth")
        record = self.logged(gateway)
        self.assertEqual((record["user"], record["auth_method"], record["allowed_by"]),
                         ("ann", "forward_auth", "staff"))
        self.answer(200, {"X-Auth-User": "known"})
        self.assertEqual(client.request("GET", "/").status, 200)
        self.answer(200, {"X-Auth-User": "eve"})
        self.assert_problem(client.request("GET", "/"), 403, "authz.denied")
        self.answer(200)
        self.assertEqual(client.request("GET", "/", {"X-Consumer-Name": "known"}).status, 403)

    def test_after_authentication_which_it_is_told_of(self):
        self.answer(200)
        key = "sha256:" + hashlib.sha256(b"k").hexdigest()
        gateway = self.begin(
            {}, {"authentication": {"any": ["keys"]}}, authenticators=[{"name": "keys",
                                                                        "api_key": "on"}],
            consumers=[{"name": "app", "api_keys": [{"id": "k", "hash": key}]}])
        client = gateway.client()
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "k"}).status, 200)
        self.assertEqual(self.asked()[0].header("x-consumer-name"), "app")
        self.assertEqual(client.request("GET", "/", {"X-Api-Key": "x"}).status, 401)
        self.assertEqual(len(self.asked()), 1)


class Trouble(ForwardAuthCase):
    def fails(self, gateway, reason, status=403, count=1):
        self.assert_problem(gateway.client().request("GET", "/"), status, "authz.unavailable")
        self.assertEqual(self.metric(gateway, "errors_total", reason=reason), count)
        self.assertEqual(self.origin.requests, [])
        record = self.logged(gateway, count)
        self.assertEqual((record["rule"], record["auth_reason"]), ("policy", reason))

    def test_one_that_is_slow_is_not_waited_for(self):
        self.service.on("/verify", lambda exchange: exchange.wait_for_end())
        gateway = self.begin({"timeout": "100ms"})
        self.fails(gateway, "timeout")

    def test_one_whose_answer_trickles(self):
        def trickle(exchange):
            exchange.head(403, [("Content-Length", "1000")])
            while not exchange.peer_gone():
                exchange.send(b"x")
                time.sleep(0.02)
            exchange.close()
        self.service.on("/verify", trickle)
        gateway = self.begin({"timeout": "200ms"})
        self.fails(gateway, "timeout")

    def test_one_that_breaks_off(self):
        def half(exchange):
            exchange.head(200, [("Content-Length", "100")])
            exchange.reset()
        self.service.on("/verify", half)
        self.fails(self.begin(), "broken")

    def test_one_that_talks_nonsense(self):
        def nonsense(exchange):
            exchange.send(b"\x00\x01 not HTTP at all\r\n\r\n")
            exchange.close()
        self.service.on("/verify", nonsense)
        self.fails(self.begin(), "broken")

    def test_one_that_is_dead(self):
        gone = self.start_origin()
        gone.stop()
        gateway = self.begin({"status_on_error": 503},
                             policy_upstream={"endpoints": [gone.endpoint]})
        self.fails(gateway, "unreachable", 503)

    def test_one_that_has_errors(self):
        self.answer(500)
        self.fails(self.begin(), "status")

    def test_one_with_a_huge_refusal(self):
        def flood(exchange):
            exchange.head(403, [("Content-Length", str(100_000_000))])
            try:
                while True:
                    exchange.send(b"x" * 65536)
            except OSError:
                exchange.ended = True
        self.service.on("/verify", flood)
        gateway = self.begin()
        self.assert_problem(gateway.client().request("GET", "/"), 403, "authz.refused")

    def test_allow_on_error_lets_them_pass_and_says_so(self):
        self.answer(503)
        gateway = self.begin({"on_error": "allow", "response_headers": ["x-user"]})
        response = gateway.client().request("GET", "/", {"X-User": "root"})
        self.assertEqual(response.status, 200)
        self.assertIsNone(self.origin.requests[0].header("x-user"))
        self.assertEqual(self.metric(gateway, "requests_total", decision="errors_allowed"), 1)
        record = self.logged(gateway)
        self.assertEqual((record["status"], record["auth_reason"]), (200, "status"))

    def test_a_kept_connection_that_it_has_closed_costs_nobody_a_request(self):
        self.answer()
        gateway = self.begin(workers=1)
        client = gateway.client()
        for _ in range(3):
            self.assertEqual(client.request("GET", "/").status, 200)
            self.service.close_connections()

    def test_its_circuit_breaker_spares_it(self):
        self.answer(500)
        gateway = self.begin(workers=1, policy_upstream={
            "circuit_breaker": {"failure_percent": 50, "requests_min": 3, "open_time": "1m",
                                "open_time_max": "1m"}})
        client = gateway.client()
        for _ in range(8):
            self.assert_problem(client.request("GET", "/"), 403, "authz.unavailable")
        self.assertEqual(len(self.asked()), 3)
        self.assertEqual(self.metric(gateway, "errors_total", reason="unreachable"), 5)

    def test_no_more_wait_than_may(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def wait(exchange):
            release.wait(20)
            exchange.reply(200)
        self.service.on("/verify", wait)
        gateway = self.begin({"requests_max": 2}, workers=1)
        waiting = [gateway.client() for _ in range(2)]
        for client in waiting:
            client.send(client.head("GET", "/"))
        eventually(lambda: len(self.asked()) == 2, "two questions")
        self.assertEqual(self.metric(gateway, "active"), 2)
        self.assert_problem(gateway.client().request("GET", "/"), 403, "authz.unavailable")
        self.assertEqual(self.metric(gateway, "errors_total", reason="busy"), 1)
        release.set()
        for client in waiting:
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.metric(gateway, "active"), 0)

    def test_a_client_that_leaves_takes_the_question_along(self):
        ended = threading.Event()

        def wait(exchange):
            exchange.wait_for_end()
            ended.set()
        self.service.on("/verify", wait)
        gateway = self.begin({"timeout": "50s"})
        client = gateway.client()
        client.send(client.head("GET", "/"))
        eventually(lambda: self.asked(), "a question")
        client.close()
        self.assertTrue(ended.wait(20))
        eventually(lambda: self.metric(gateway, "active") == 0, "nobody waits")
        self.answer()
        self.assertEqual(gateway.client().request("GET", "/").status, 200)

    def test_a_reload_while_requests_wait(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def wait(exchange):
            release.wait(20)
            exchange.reply(200, {"X-User": "ann"})
        self.service.on("/verify", wait)
        gateway = self.begin({"response_headers": ["x-user"], "timeout": "20s"})
        client = gateway.client()
        client.send(client.head("GET", "/"))
        eventually(lambda: self.asked(), "a question")
        config = json.loads(gateway.config_path.read_text())
        del config["routes"][0]["forward_auth"], config["forward_auths"]
        self.assertEqual(gateway.reload(config).returncode, 0)
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        release.set()
        self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.origin.requests[-1].header("x-user"), "ann")


class Modes(ForwardAuthCase):
    def test_shadow_says_what_it_would_have_done(self):
        self.answer(403)
        gateway = self.begin({"mode": "shadow"})
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertEqual(self.logged(gateway)["shadow"], "forward_auth")
        self.answer(500)
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        self.assertEqual(self.metric(gateway, "requests_total", decision="shadow_refused"), 2)
        self.assertEqual(self.metric(gateway, "requests_total", decision="refused"), 0)

    def test_off_asks_nobody_and_still_takes_what_only_it_may_say(self):
        gateway = self.begin({"mode": "off", "response_headers": ["x-user"]})
        self.assertEqual(gateway.client().request("GET", "/", {"X-User": "root"}).status, 200)
        self.assertIsNone(self.origin.requests[0].header("x-user"))
        self.assertEqual(self.asked(), [])


class Caching(ForwardAuthCase):
    KEY = ["header:authorization", "method", "path"]

    def begin_cache(self, **cache):
        return self.begin({"cache": {"key": self.KEY, "ttl": "10s", "deny_ttl": "10s", **cache},
                           "response_headers": ["x-user"], "consumer_header": "x-user"},
                          workers=1)

    def test_requests_that_are_alike_share_a_decision(self):
        self.service.on("/verify", lambda exchange: exchange.reply(
            200, {"X-User": exchange.request.header("authorization") or "nobody"}))
        gateway = self.begin_cache()
        client = gateway.client()
        for token, path in (("a", "/"), ("a", "/"), ("b", "/"), ("a", "/x"), ("b", "/"),
                            (None, "/"), ("", "/")):
            fields = {} if token is None else {"Authorization": token}
            self.assertEqual(client.request("GET", path, fields).status, 200)
            self.assertEqual(self.origin.requests[-1].header("x-user"), token or "nobody")
            self.assertEqual(self.origin.requests[-1].header("x-consumer-name"), token or "nobody")
        self.assertEqual(client.request("POST", "/", {"Authorization": "a"}).status, 200)
        self.assertEqual(len(self.asked()), 6)
        self.assertEqual(self.metric(gateway, "cache_hits_total"), 2)

    def test_refusals_too_with_all_that_was_said(self):
        self.answer(401, {"WWW-Authenticate": "Custom", "Content-Type": "text/plain"}, b"no")
        gateway = self.begin_cache()
        for _ in range(3):
            response = gateway.client().request("GET", "/", {"Authorization": "a"})
            self.assertEqual((response.status, response.body), (401, b"no"))
            self.assertEqual(response.header("www-authenticate"), "Custom")
            self.assertEqual(response.header("content-type"), "text/plain")
        self.assertEqual(len(self.asked()), 1)

    def test_a_decision_ends(self):
        self.answer(200)
        gateway = self.begin_cache(ttl="50ms")
        client = gateway.client()
        self.assertEqual(client.request("GET", "/").status, 200)
        self.answer(403)
        eventually(lambda: client.request("GET", "/").status == 403, "the decision has ended")

    def test_not_what_sets_cookies_is_not_to_be_stored_or_failed(self):
        gateway = self.begin_cache()
        client = gateway.client()
        for fields, status in (({"Set-Cookie": "s=1"}, 200),
                               ({"Cache-Control": "private, no-store"}, 403), ({}, 500)):
            self.service.clear()
            self.answer(status, fields)
            for _ in range(2):
                client.request("GET", "/", {"Authorization": str(fields)})
            self.assertEqual(len(self.asked()), 2, fields)

    def test_a_change_of_the_service_forgets_what_it_said(self):
        self.answer(200)
        gateway = self.begin_cache()
        self.assertEqual(gateway.client().request("GET", "/").status, 200)
        config = json.loads(gateway.config_path.read_text())
        config["forward_auths"][0]["path"] = "/other"
        self.service.on("/other", lambda exchange: exchange.reply(403))
        self.assertEqual(gateway.reload(config).returncode, 0)
        self.assertEqual(gateway.client().request("GET", "/").status, 403)

    def test_many_clients_at_once(self):
        self.answer(200)
        gateway = self.begin_cache()

        def ask(number):
            client = gateway.client()
            for turn in range(20):
                response = client.request("GET", f"/{turn % 4}", {"Authorization": str(number)})
                self.assertEqual(response.status, 200)
        run_threads(4, ask)


class Operators(ForwardAuthCase):
    def test_status_and_explain(self):
        self.answer(403)
        gateway = self.begin()
        gateway.client().request("GET", "/")
        told = run_hangu("status", "--socket", gateway.socket).stdout
        self.assertRegex(told, r"FORWARD AUTH.*\npolicy +0 +1 +- +0 +0 +0")
        service, = gateway.status()["forward_auths"]
        self.assertEqual((service["name"], service["refused"]), ("policy", 1))
        told = run_hangu("explain", "--socket", gateway.socket, "http://a/").stdout
        self.assertRegex(told, r"forward_auth +policy asks policy for /verify within 5s; without "
                               r"an answer 403")

    def test_check_names_what_is_wrong(self):
        config = make_config(
            self.origin, route={"forward_auth": "polcy"},
            forward_auths=[{"name": "policy", "upstream": "orgin", "path": "/a",
                            "path_prefix": "/b", "cache": {"key": ["path"]}}])
        path = self.gateway.folder / "wrong.yaml"
        path.write_text(json.dumps(config))
        told = run_hangu("check", str(path))
        self.assertNotEqual(told.returncode, 0)
        text = told.stdout + told.stderr
        self.assertRegex(text, 'did you mean "origin"')
        self.assertRegex(text, 'did you mean "policy"')
        self.assertRegex(text, "E0124")
        self.assertRegex(text, 'the service sees "authorization"')
