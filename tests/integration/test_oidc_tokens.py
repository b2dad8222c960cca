"""Access tokens of sessions: forwarded, over, refreshed once for all who wait."""

import threading
import time

from support.oidc_case import OidcCase
from support.provider import Browser
from support.wait import eventually


class Tokens(OidcCase):
    def refresh_forms(self):
        return self.provider.grants("refresh_token")

    def clients_on_all_workers(self, gateway):
        """Eight at least: where a connection goes is the kernel's matter."""
        gateway.close_clients()
        eventually(lambda: gateway.connections() == 0, "the end of earlier connections")
        clients = []
        while len(clients) < 8 or not all(shard["connections"]
                                          for shard in gateway.status()["shards"]):
            clients.append(gateway.client())
            eventually(lambda: gateway.connections() == len(clients), "the connection")
        return clients

    def test_the_upstream_may_get_the_access_token(self):
        gateway = self.begin({"forward_access_token": "on"})
        browser = self.logged_in(gateway)
        self.assertEqual(self.origin.requests[-1].headers("authorization"), ["Bearer access-1"])
        browser.request("/", fields={**Browser.PAGE, "Authorization": "Bearer forged"})
        self.assertEqual(self.origin.requests[-1].headers("authorization"), ["Bearer access-1"])

    def test_a_token_that_is_over_is_refreshed(self):
        gateway = self.begin({"forward_access_token": "on"})
        self.provider.expires_in = 1
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        first = browser.cookies["hangu-web"]
        self.provider.expires_in = 300
        eventually(lambda: browser.request("/").status == 200 and self.refresh_forms(),
                   "a refresh")
        self.assertEqual(self.origin.requests[-1].header("authorization"), "Bearer access-2")
        self.assertNotEqual(browser.cookies["hangu-web"], first)
        # A request that was on its way with the old cookie.
        late = self.browser(gateway)
        late.cookies = {"hangu-web": first}
        for _ in range(8):  # on both workers
            self.assertEqual(late.request("/", "POST", {}, b"x").status, 200)
            late.cookies = {"hangu-web": first}
        self.assertEqual(len(self.refresh_forms()), 1)

    def test_many_requests_refresh_once_whatever_worker_they_are_on(self):
        gateway = self.begin()
        self.provider.expires_in = 1
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        self.provider.expires_in = 300
        release = threading.Event()
        self.addCleanup(release.set)

        def slow(exchange, form):
            release.wait(20)
            self.provider.answer(exchange, form)
        time.sleep(1.1)  # the token is over
        self.provider.token_script = slow
        cookie = {"Cookie": f"hangu-web={browser.cookies['hangu-web']}"}
        clients = self.clients_on_all_workers(gateway)
        for client in clients:
            client.send_request("GET", "/", cookie)
        eventually(lambda: gateway.active_requests() == len(clients), "requests that wait")
        release.set()
        responses = [client.read_response() for client in clients]
        self.assertEqual({one.status for one in responses}, {200})
        self.assertTrue(all(one.headers("set-cookie") for one in responses))
        self.assertEqual(len(self.refresh_forms()), 1)

    def test_a_worker_asks_if_another_one_got_no_answer(self):
        gateway = self.begin({"timeout": "3s"})
        self.provider.expires_in = 1
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        self.provider.expires_in = 300
        time.sleep(1.1)  # the token is over
        first = threading.Event()

        def stalls_once(exchange, form):
            if first.is_set():
                self.provider.answer(exchange, form)
            else:
                first.set()
                exchange.wait_for_end()
        self.provider.token_script = stalls_once
        cookie = {"Cookie": f"hangu-web={browser.cookies['hangu-web']}"}
        clients = self.clients_on_all_workers(gateway)
        for client in clients:
            client.send_request("GET", "/", cookie)
        answers = [client.read_response() for client in clients]
        self.assertEqual({one.status for one in answers}, {200, 503})
        self.assertEqual(len(self.refresh_forms()), 2)

    def test_clients_that_leave_while_a_worker_asks(self):
        gateway = self.begin()
        self.provider.expires_in = 1
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        self.provider.expires_in = 300
        time.sleep(1.1)  # the token is over
        release = threading.Event()
        self.addCleanup(release.set)

        def slow(exchange, form):
            release.wait(20)
            self.provider.answer(exchange, form)
        self.provider.token_script = slow
        cookie = {"Cookie": f"hangu-web={browser.cookies['hangu-web']}"}
        clients = self.clients_on_all_workers(gateway)
        for client in clients:
            client.send_request("GET", "/", cookie)
        eventually(lambda: gateway.active_requests() == len(clients), "requests that wait")
        for client in clients:
            client.close()
        eventually(lambda: gateway.active_requests() == 0, "their end")
        release.set()
        self.provider.token_script = None
        self.logged_in(gateway)

    def test_a_refresh_that_the_provider_refuses_is_a_new_login(self):
        gateway = self.begin()
        self.provider.expires_in = 1
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        self.provider.refresh_tokens.clear()
        eventually(lambda: browser.request("/").status == 302, "the end of the session")
        response = browser.request("/", fields={"Accept": "application/json"})
        self.assert_problem(response, 401, "auth.missing")
        self.assertEqual(len(self.refresh_forms()), 1)  # it is not asked again and again

    def test_a_provider_that_is_gone_ends_no_session(self):
        gateway = self.begin()
        self.provider.expires_in = 1
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        self.provider.token_script = lambda exchange, form: exchange.reply(500)
        eventually(lambda: browser.request("/").status == 503, "a token that is over")
        self.assert_problem(browser.request("/"), 503, "auth.unavailable")
        for status, body in ((429, b""), (408, b""), (404, b"<html>"),
                             (429, b'{"error":"slow_down"}'),
                             (401, b'{"error":"invalid_client"}')):
            self.provider.token_script = (
                lambda exchange, form, status=status, body=body: exchange.reply(status, {}, body))
            self.assert_problem(browser.request("/"), 503, "auth.unavailable")
        self.provider.token_script = None
        self.provider.expires_in = 300
        self.assertEqual(browser.request("/").status, 200)

    def test_a_refreshed_id_token_is_verified_and_of_the_same_person(self):
        for claims, status in (({"sub": "bob"}, 302), ({"aud": "other"}, 302), ({}, 200)):
            self.provider.reset()
            gateway = self.begin()
            self.provider.expires_in = 1
            browser = self.browser(gateway)
            browser.log_in(self.provider)
            self.provider.expires_in = 300
            self.provider.claims_more = {**claims, "groups": ["board"]}
            time.sleep(1.1)  # the token is over
            self.assertEqual(browser.request("/").status, status, claims)
        self.assertEqual(self.origin.requests[-1].header("x-consumer-groups"), "board")

    def test_a_refresh_meets_a_new_key(self):
        gateway = self.begin()
        self.provider.expires_in = 1
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        self.provider.rotate("k9")
        self.provider.expires_in = 300
        time.sleep(1.1)  # the token is over
        self.assertEqual(browser.request("/").status, 200)
        self.assertEqual(len(self.refresh_forms()), 1)

    def test_without_a_refresh_token(self):
        self.provider.refreshes = False
        self.provider.expires_in = 1
        gateway = self.begin()
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        time.sleep(1.1)  # the token is over, the session is not
        self.assertEqual(browser.request("/").status, 200)
        gateway = self.begin({"forward_access_token": "on"})
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        eventually(lambda: browser.request("/").status == 302, "the end of the token")
