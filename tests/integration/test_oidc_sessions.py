"""Sessions of people who have logged in, in the cookies of their browsers."""

import base64

from support.http2 import Http2Client
from support.json_log import records_of
from support.oidc_case import OTHER_SECRET, SECRET, OidcCase
from support.provider import Browser, query_of
from support.wait import eventually


class Sessions(OidcCase):
    def test_what_it_holds_can_be_asked_for(self):
        gateway = self.begin(route={"authorization": {"allow": [
            {"id": "staff", "groups": ["staff"], "scopes": ["openid"],
             "claims": [{"claim": "tenant", "values": ["a"]}]}]}})
        self.provider.claims_more = {"tenant": "a"}
        browser = self.logged_in(gateway)
        self.logged(gateway, "/", allowed_by="staff")
        cached = 'hangu_auth_cache_hits_total{authenticator="web"}'
        before = gateway.metrics().get(cached, 0)
        for _ in range(3):
            self.assertEqual(browser.request("/").status, 200)
        self.assertGreater(gateway.metrics().get(cached, 0), before)
        self.provider.claims_more = {"tenant": "b"}
        other = self.browser(gateway)
        other.log_in(self.provider)
        self.assert_problem(other.request("/"), 403, "authz.denied")
        self.provider.claims_more = {"tenant": "a"}
        self.provider.answer_more = {"scope": "email"}
        other = self.browser(gateway)
        other.log_in(self.provider)
        self.assert_problem(other.request("/"), 403, "authz.denied")

    def test_the_audit_log_has_logins_and_who_they_were(self):
        gateway = self.begin(audit={"path": "@FOLDER@/audit.log", "requests": "all"}, workers=1)
        browser = self.logged_in(gateway)
        browser.request("/oauth2/logout")
        self.browser(gateway).request("/oauth2/callback?code=x&state=y")
        path = gateway.folder / "audit.log"

        def records():
            found = [each for each in records_of(path) if "status" in each]
            return len(found) >= 5 and found
        found = eventually(records, "five records")
        users = [one.get("user") for one in found]
        self.assertEqual(users, [None, "ann", "ann", "ann", None])
        self.assertEqual((found[4]["event"], found[4]["reason"]), ("auth.fail", "state"))

    def test_the_cipher_can_be_changed_while_sessions_live(self):
        gateway = self.begin(workers=1)
        before = self.logged_in(gateway)
        gateway.reload(self.config_with({"cipher": "sm4-ctr-hmac-sm3"}, workers=1))
        meanwhile = self.logged_in(gateway)
        for browser, cipher in ((before, 1), (meanwhile, 2)):
            sealed = browser.cookies["hangu-web"].removeprefix("1.")
            self.assertEqual(base64.urlsafe_b64decode(sealed[:4])[0], cipher)
        self.assertEqual(before.request("/").status, 200)
        gateway.reload(self.config_with(workers=1))
        self.assertEqual(meanwhile.request("/").status, 200)

    def test_a_cookie_that_was_tampered_with_is_none(self):
        gateway = self.begin()
        browser = self.logged_in(gateway)
        value = browser.cookies["hangu-web"]
        for bad in (value[:-1], value + "A", value[:20] + ("A" if value[20] != "A" else "B") +
                    value[21:], "2" + value[1:], value[2:], "1.", "", "1." + "A" * 200):
            browser.cookies["hangu-web"] = bad
            self.assertEqual(browser.request("/").status, 302, bad[:30])
        browser.cookies = {"hangu-web": value}
        self.assertEqual(browser.request("/").status, 200)
        # A login's cookie is sealed, too, but it is no session.
        other = self.browser(gateway)
        other.request("/")
        login = next(iter(other.cookies.values()))
        other.cookies = {"hangu-web": f"1.{login}"}
        self.assertEqual(other.request("/").status, 302)

    def test_its_cookies_stay_here_on_every_route(self):
        gateway = self.begin(routes=[{"name": "open", "upstream": "origin",
                                      "match": {"path": {"prefix": "/open"}}}])
        browser = self.logged_in(gateway)
        browser.request("/begun")  # nothing: it has a session
        browser.cookies["hangu-web.login.abc"] = "x"
        browser.cookies["hangu-web.1"] = "y"
        browser.cookies["__Host-hangu-web"] = "z"
        browser.cookies["hangu-webshop"] = "kept"
        self.assertEqual(browser.request("/open/a").status, 200)
        self.assertEqual(self.origin.requests[-1].headers("cookie"), ["hangu-webshop=kept"])

    def test_over_http2_each_cookie_has_a_field_of_its_own(self):
        gateway = self.begin()
        self.provider.claims_more = {"roles": ["r" * 100] * 30}
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        with Http2Client(gateway.listener()) as client:
            crumbs = [("cookie", f"{name}={value}") for name, value in
                      [("a", "1"), *browser.cookies.items(), ("b", "2")]]
            self.assertEqual(client.request("GET", "/", crumbs).status, 200)
            response = client.request("GET", "/", [("accept", "text/html")])
            self.assertEqual(response.status, 302)
        self.assertEqual(self.origin.requests[-1].headers("cookie"), ["a=1; b=2"])

    def test_secrets_are_changed_one_by_one(self):
        gateway = self.begin()
        browser = self.logged_in(gateway)
        self.assertEqual(gateway.reload(self.config_with(
            {"secrets": [OTHER_SECRET, SECRET]})).returncode, 0)
        self.assertEqual(browser.request("/").status, 200)
        newer = self.logged_in(gateway)
        self.assertEqual(gateway.reload(self.config_with(
            {"secrets": [OTHER_SECRET]})).returncode, 0)
        self.assertEqual(newer.request("/").status, 200)
        self.assertEqual(browser.request("/").status, 302)

    def test_a_session_goes_on_at_another_node(self):
        first, second = self.begin(), self.begin()
        browser = self.logged_in(first)
        browser.connect = lambda: second.client()
        self.assertEqual(browser.request("/").status, 200)

    def test_large_sessions_take_several_cookies(self):
        gateway = self.begin({"claim_headers": [{"claim": "email", "header": "x-email"}]})
        self.provider.claims_more = {"roles": ["r" * 100] * 30, "email": "a@b"}
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        self.assertEqual(list(browser.cookies), ["hangu-web", "hangu-web.1"])
        for field in browser.set_cookies:
            self.assertLess(len(field), 4096)
        self.assertEqual(browser.request("/").status, 200)
        self.assertEqual(self.origin.requests[-1].header("x-email"), "a@b")
        self.assertIsNone(self.origin.requests[-1].header("cookie"))
        kept = browser.cookies.pop("hangu-web.1")
        self.assertEqual(browser.request("/").status, 302)
        browser.cookies = {"hangu-web": browser.cookies["hangu-web"], "hangu-web.1": kept}
        self.provider.claims_more = {}
        browser.request("/oauth2/logout")
        self.assertEqual(browser.cookies, {})
        # What no four cookies hold.
        self.provider.answer_more = {"refresh_token": "r" * 12000}
        browser = self.browser(gateway)
        response = browser.request(browser.authorize(self.provider, browser.request("/")))
        self.assert_problem(response, 502, "auth.session")

    def test_it_ends_when_nobody_uses_it(self):
        gateway = self.begin({"idle_timeout": "5s"})
        browser = self.logged_in(gateway)
        first = browser.cookies["hangu-web"]

        def renewed():
            self.assertEqual(browser.request("/").status, 200)
            return browser.cookies["hangu-web"] != first
        eventually(renewed, "a cookie that was written anew")
        self.logged(gateway, "/", status=200)
        client = gateway.client()
        kept = {**Browser.PAGE, "Cookie": f"hangu-web={first}"}
        eventually(lambda: client.request("GET", "/", kept).status == 302, "the end of the first")
        self.logged(gateway, "/", code="auth.login")

    def test_a_renewed_cookie_comes_with_any_answer_and_is_not_cached(self):
        gateway = self.begin({"idle_timeout": "5s"}, route={"authorization": {"allow": [
            {"id": "few", "consumers": ["bob"]}]}})
        browser = self.browser(gateway)
        browser.log_in(self.provider)

        def renewed():
            response = browser.request("/")
            self.assert_problem(response, 403, "authz.denied")
            return response.headers("set-cookie") and response
        response = eventually(renewed, "a cookie that was written anew")
        self.assertEqual(response.header("cache-control"), "no-store")

    def test_it_ends_in_any_case(self):
        gateway = self.begin({"idle_timeout": "4s", "lifetime": "4s"})
        browser = self.logged_in(gateway)
        eventually(lambda: browser.request("/").status == 302, "the end of the session")

    def test_logging_out(self):
        gateway = self.begin({"post_logout_redirect_uri": "https://www.example/bye"})
        browser = self.logged_in(gateway)
        cookie = dict(browser.cookies)
        response = browser.request("/oauth2/logout", "POST", {})
        self.assertEqual(response.status, 303)
        location = response.header("location")
        self.assertTrue(location.startswith(f"{self.provider.url}/logout?"), location)
        asked = query_of(location)
        self.assertEqual((asked["client_id"], asked["post_logout_redirect_uri"],
                          asked["id_token_hint"].count(".")),
                         ("gate:way", "https://www.example/bye", 2))
        self.assertEqual(browser.cookies, {})
        self.assertNotIn(cookie["hangu-web"], browser.set_cookies[-1])
        self.logged(gateway, "/oauth2/logout", user="ann")
        self.assertEqual(browser.request("/").status, 302)
        self.assertEqual(browser.request("/oauth2/logout").status, 303)  # again

    def test_logging_out_where_the_provider_knows_no_such_thing(self):
        url = self.provider.url
        by_hand = {"authorization_endpoint": f"{url}/authorize", "token_path": "/token",
                   "jwks_uri": f"{url}/keys", "logout_path": "/bye"}
        browser = self.logged_in(self.begin(by_hand))
        response = browser.request("/bye")
        self.assertEqual((response.status, response.body), (200, b"You are logged out.\n"))
        self.assertEqual(browser.cookies, {})
        gateway = self.begin({**by_hand, "post_logout_redirect_uri": "https://www.example/bye"})
        self.assertEqual(self.browser(gateway).request("/bye").header("location"),
                         "https://www.example/bye")

    def test_beside_other_ways_and_optional(self):
        gateway = self.begin(
            route={"authentication": {"any": ["keys", "web"]}},
            authenticators=[{"name": "keys", "jwt": {
                "issuer": "https://id.example", "audiences": ["api"],
                "jwks_uri": f"{self.provider.url}/keys"}}])
        client = gateway.client()
        token = self.provider.keys[0].sign(self.provider.claims())
        self.assertEqual(client.request("GET", "/", {
            "Authorization": f"Bearer {token}"}).status, 200)
        response = client.request("GET", "/", {**Browser.PAGE, "Authorization": "Bearer x"})
        self.assert_problem(response, 401, "auth.invalid")  # a program: no login
        browser = self.logged_in(gateway)
        self.assertEqual(self.origin.requests[-1].header("x-consumer-auth"), "oidc")
        gateway = self.begin(route={"authentication": {"any": ["web"], "optional": "on"}})
        browser = self.browser(gateway)
        self.assertEqual(browser.request("/").status, 200)
        browser.cookies["hangu-web"] = "1.old"
        self.assertEqual(browser.request("/").status, 200)
        self.assertIsNone(self.origin.requests[-1].header("x-consumer-name"))

    def test_shadow_sends_nobody_away(self):
        gateway = self.begin(route={"authentication": {"any": ["web"], "mode": "shadow"}})
        browser = self.browser(gateway)
        self.assertEqual(browser.request("/").status, 200)
        self.logged(gateway, "/", shadow="auth")
        browser.cookies["hangu-web"] = "1.x"
        self.assertEqual(browser.request("/").status, 200)
        self.assertIsNone(self.origin.requests[-1].header("cookie"))
