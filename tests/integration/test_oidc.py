"""Logins at an OpenID Connect provider: from a page to it and back, by those who may, and what
becomes of a provider that rotates its keys, refuses, stalls or lies."""

import ssl
import threading
import time
import urllib.parse

from support.certificates import Authority
from support.gateway import ROOT, run_hangu
from support.oidc_case import SECRET, OidcCase
from support.provider import Browser, query_of
from support.wait import eventually


class Logins(OidcCase):
    def test_from_a_page_to_the_provider_and_back(self):
        gateway = self.begin({"claim_headers": [{"claim": "email", "header": "x-email"}],
                              "scopes": ["openid", "email"]})
        self.provider.claims_more = {"email": "ann@example.org"}
        browser = self.browser(gateway)
        response = browser.request("/reports?year=2026&q=a%2Fb")
        self.assertEqual(response.status, 302)
        self.assertEqual(response.header("cache-control"), "no-store")
        asked = query_of(response.header("location"))
        for name, value in {"response_type": "code", "client_id": "gate:way",
                            "scope": "openid email", "code_challenge_method": "S256",
                            "redirect_uri": "http://test.example/oauth2/callback"}.items():
            self.assertEqual(asked[name], value)
        login, = browser.set_cookies
        self.assertTrue(login.startswith(f"hangu-web.login.{asked['state']}="), login)
        self.assertEqual(login.split("; ")[1:],
                         ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=600"])
        response = browser.request(browser.authorize(self.provider, response))
        self.assertEqual((response.status, response.header("location")),
                         (302, "/reports?year=2026&q=a%2Fb"))
        self.assertEqual(list(browser.cookies), ["hangu-web"])
        self.assertEqual(self.origin.requests, [])
        session = [one for one in browser.set_cookies if one.startswith("hangu-web=")]
        self.assertEqual(session[0].split("; ")[1:], ["Path=/", "HttpOnly", "SameSite=Lax"])
        browser.cookies["theme"] = "dark"
        response = browser.request(response.header("location"),
                                   fields={**Browser.PAGE, "X-Email": "forged"})
        self.assertEqual(response.status, 200)
        request, = self.origin.requests
        for name, value in {"x-consumer-name": "ann", "x-consumer-groups": "staff",
                            "x-consumer-auth": "oidc", "x-email": "ann@example.org",
                            "cookie": "theme=dark"}.items():
            self.assertEqual(request.headers(name), [value], name)
        self.assertIsNone(request.header("authorization"))
        self.logged(gateway, "/reports", user="ann", auth_method="oidc", credential="s1")
        self.logged(gateway, "/oauth2/callback", user="ann", code="auth.session_begun")
        form, = self.provider.asked
        self.assertEqual(form["grant_type"], "authorization_code")
        self.assertNotIn("client_secret", form)

    def test_secrets_are_in_no_dump_and_no_log(self):
        gateway = self.begin()
        self.logged_in(gateway)
        told = gateway.admin("GET", "/config").body.decode() + gateway.stderr + \
            (gateway.folder / "access.log").read_text() + \
            run_hangu("check", "--print", gateway.config_path).stdout
        for secret in (SECRET, self.provider.client_secret, "refresh-1", "access-1"):
            self.assertNotIn(secret, told)

    def test_only_browsers_that_ask_for_a_page_are_sent_away(self):
        gateway = self.begin()
        browser = self.browser(gateway)
        json_only = {"Accept": "application/json"}
        for method, fields in (("POST", Browser.PAGE), ("DELETE", Browser.PAGE),
                               ("GET", json_only), ("GET", {}), ("GET", {"Accept": "*/*"}),
                               ("GET", {**Browser.PAGE, "X-Requested-With": "XMLHttpRequest"}),
                               ("GET", {**Browser.PAGE, "Sec-Fetch-Mode": "cors"})):
            response = browser.request("/", method, fields)
            self.assert_problem(response, 401, "auth.missing")
            self.assertEqual(response.header("www-authenticate"), 'Cookie realm="web"')
            self.assertEqual(response.headers("set-cookie"), [])
        navigates = {**Browser.PAGE, "Sec-Fetch-Mode": "navigate"}
        self.assertEqual(browser.request("/", "GET", navigates).status, 302)
        gateway = self.begin({"redirect": "gets"})
        self.assertEqual(self.browser(gateway).request("/", fields=json_only).status, 302)
        self.assertEqual(self.browser(gateway).request("/", "POST").status, 401)
        gateway = self.begin({"redirect": "never"})
        self.assertEqual(self.browser(gateway).request("/").status, 401)

    def test_several_tabs_log_in_at_once(self):
        gateway = self.begin()
        browser = self.browser(gateway)
        tabs = [(f"/tab/{number}", browser.request(f"/tab/{number}")) for number in range(4)]
        self.assertEqual(len(browser.cookies), 4)
        for target, response in reversed(tabs):
            back = browser.request(browser.authorize(self.provider, response))
            self.assertEqual(back.header("location"), target)
        self.assertEqual(list(browser.cookies), ["hangu-web"])

    def test_logins_that_nobody_ends_do_not_pile_up(self):
        gateway = self.begin()
        browser = self.browser(gateway)
        for number in range(12):
            last = browser.request(f"/{number}")
            self.assertLessEqual(len(browser.cookies), 8)
        browser.cookies["hangu-web.login.x"] = "garbage"
        response = browser.request("/more")
        self.assertNotIn("hangu-web.login.x", browser.cookies)
        for response in (last, response):
            self.assertEqual(browser.request(browser.authorize(self.provider, response)).status,
                             302)

    def test_nobody_comes_back_with_what_is_not_theirs(self):
        gateway = self.begin()
        browser, other = self.browser(gateway), self.browser(gateway)
        back = browser.authorize(self.provider, browser.request("/"))
        state = query_of(back)["state"]
        for target in ("/oauth2/callback", "/oauth2/callback?code=x",
                       "/oauth2/callback?code=x&state=", f"/oauth2/callback?state={state}",
                       f"/oauth2/callback?code=x&state={state[:-1]}",
                       "/oauth2/callback?code=x&state=" + "y" * 22):
            self.assert_problem(browser.request(target), 400, "auth.state")
        self.assert_problem(other.request(back), 400, "auth.state")  # another browser
        # Its own login under the name of another one.
        other.request("/")
        name, value = next(iter(other.cookies.items()))
        other.cookies = {f"hangu-web.login.{state}": value}
        self.assert_problem(other.request(back), 400, "auth.state")
        self.assertEqual(self.provider.asked, [])
        self.logged(gateway, "/oauth2/callback", auth_reason="state")
        self.assertEqual(browser.request(back).status, 302)
        self.assert_problem(browser.request(back), 400, "auth.state")  # once

    def test_nobody_is_led_to_another_host(self):
        gateway = self.begin()
        for target in ("//evil.example/x", "/%5Cevil.example", "/x/..//evil.example"):
            browser = self.browser(gateway)
            response = browser.request(target)
            if response.status != 302:
                self.assertEqual(response.status, 400)  # such a path is refused at once
                continue
            location = browser.request(browser.authorize(self.provider, response)) \
                .header("location")
            self.assertTrue(location.startswith("/") and location[1:2] not in ("/", "\\"),
                            location)
        browser = self.browser(gateway)
        browser.host = "other.example"
        asked = query_of(browser.request("/").header("location"))
        self.assertEqual(asked["redirect_uri"], "http://other.example/oauth2/callback")
        browser = self.browser(gateway)
        response = browser.request("/" + "x" * 5000)
        back = browser.request(browser.authorize(self.provider, response))
        self.assertEqual(back.header("location"), "/")  # too long to be kept

    def test_what_the_provider_refuses(self):
        gateway = self.begin()
        for error, status, code in (("access_denied", 403, "auth.denied"),
                                    ("server_error", 502, "auth.provider")):
            self.provider.authorize_error = error
            browser = self.browser(gateway)
            response = browser.request(browser.authorize(self.provider, browser.request("/")))
            self.assert_problem(response, status, code)
            self.assertEqual(browser.cookies, {})
        self.provider.authorize_error = None
        browser = self.browser(gateway)
        back = browser.authorize(self.provider, browser.request("/"))
        response = browser.request(back + "&iss=https%3A%2F%2Fevil.example")  # RFC 9207
        self.assert_problem(response, 502, "auth.provider")
        self.logged(gateway, "/oauth2/callback", auth_reason="issuer")
        self.assertEqual(self.provider.asked, [])
        browser = self.browser(gateway)
        back = browser.authorize(self.provider, browser.request("/"))
        good = urllib.parse.quote(self.provider.url, safe="")
        self.assertEqual(browser.request(back + f"&iss={good}").status, 302)

    def test_a_token_endpoint_that_is_of_no_use(self):
        gateway = self.begin({"timeout": "2s"})

        def answers(status, body):
            return lambda exchange, form: exchange.reply(status, {}, body)

        def stalls(exchange, form):
            exchange.wait_for_end()

        def leaves(exchange, form):
            exchange.close()

        scripts = {
            "status": (answers(500, b""), 503, "auth.unavailable"),
            "broken": (answers(200, b"<html>"), 503, "auth.unavailable"),
            "timeout": (stalls, 503, "auth.unavailable"),
            "grant": (answers(400, b'{"error":"invalid_grant"}'), 400, "auth.code"),
            "provider": (answers(401, b'{"error":"invalid_client"}'), 502, "auth.provider")}
        for reason, (script, status, code) in scripts.items():
            self.provider.token_script = script
            browser = self.browser(gateway)
            back = browser.authorize(self.provider, browser.request("/"))
            response = browser.request(back)
            self.assert_problem(response, status, code)
            self.logged(gateway, "/oauth2/callback", code=code, auth_reason=reason)
            self.provider.token_script = None
            if status == 503:  # it was not the login's fault: try again
                self.assertEqual(browser.request(back).status, 302)
        self.provider.token_script = leaves
        browser = self.browser(gateway)
        back = browser.authorize(self.provider, browser.request("/"))
        self.assert_problem(browser.request(back), 503, "auth.unavailable")
        self.provider.token_script = answers(200, b"x" * 100_000)
        self.assert_problem(browser.request(back), 503, "auth.unavailable")

    def test_id_tokens_that_cannot_be_believed(self):
        gateway = self.begin({"clock_skew": "0s"})
        now = int(time.time())
        for reason, claims in {"nonce": {"nonce": "other"}, "audience": {"aud": "other"},
                               "issuer": {"iss": "https://evil.example"},
                               "expired": {"exp": now - 10}, "subject": {"sub": None},
                               "not_yet_valid": {"nbf": now + 100},
                               "malformed": {"exp": None}}.items():
            self.provider.claims_more = claims
            browser = self.browser(gateway)
            response = browser.request(browser.authorize(self.provider, browser.request("/")))
            self.assert_problem(response, 502, "auth.id_token")
            self.assertEqual(browser.cookies, {})
            self.logged(gateway, "/oauth2/callback", auth_reason=reason)
        self.provider.claims_more = {}
        self.provider.answer_more = {"id_token": ""}
        browser = self.browser(gateway)
        response = browser.request(browser.authorize(self.provider, browser.request("/")))
        self.assert_problem(response, 502, "auth.provider")
        name = 'hangu_auth_requests_total{authenticator="web",outcome="nonce"}'
        self.assertEqual(gateway.metrics()[name], 1)

    def test_a_provider_with_new_keys(self):
        gateway = self.begin()
        self.logged_in(gateway)
        self.provider.rotate("k2")
        fetches = self.provider.fetches()
        self.logged_in(gateway)
        self.assertEqual(self.provider.fetches(), fetches + 1)
        self.provider.keys = [type(self.provider.keys[0])(self.provider.folder, "k3")]
        self.provider.broken = True  # keys that nobody can fetch
        self.addCleanup(setattr, self.provider, "broken", False)
        browser = self.browser(gateway)
        time.sleep(0.2)  # the cooldown is over
        response = browser.request(browser.authorize(self.provider, browser.request("/")))
        self.assert_problem(response, 502, "auth.id_token")
        self.logged(gateway, "/oauth2/callback", auth_reason="unknown_key")

    def test_a_browser_that_leaves_while_it_logs_in(self):
        gateway = self.begin()
        release = threading.Event()
        self.addCleanup(release.set)

        def slow(exchange, form):
            release.wait(20)
            self.provider.answer(exchange, form)
        self.provider.token_script = slow
        browser = self.browser(gateway)
        back = browser.authorize(self.provider, browser.request("/"))
        client = gateway.client()
        client.send_request("GET", back, {
            "Cookie": "; ".join("=".join(one) for one in browser.cookies.items())})
        eventually(lambda: self.provider.asked, "the question")
        client.close()
        eventually(lambda: gateway.active_requests() == 0, "the end of the request")
        release.set()
        self.provider.token_script = None
        self.logged_in(gateway)

    def test_endpoints_by_hand_and_the_secret_in_the_form(self):
        url = self.provider.url
        gateway = self.begin({
            "authorization_endpoint": f"{url}/authorize", "token_path": "/token",
            "jwks_uri": f"{url}/keys", "client_authentication": "post",
            "callback_path": "/back", "redirect": "gets"})
        self.assertEqual([request.path for request in self.provider.server.requests], ["/keys"])
        self.logged_in(gateway)
        form, = self.provider.asked
        self.assertEqual((form["client_id"], form["client_secret"]),
                         (self.provider.client_id, self.provider.client_secret))
        question = [one for one in self.provider.server.requests if one.path == "/token"][0]
        self.assertIsNone(question.header("authorization"))

    def test_a_public_client_is_held_by_pkce(self):
        self.provider.is_client = lambda exchange, form: form["client_id"] == "gate:way"
        self.addCleanup(delattr, self.provider, "is_client")
        config = self.config_with()
        del config["authenticators"][0]["oidc"]["client_secret"]
        gateway = self.start(config)
        self.logged_in(gateway)
        browser = self.browser(gateway)
        back = browser.authorize(self.provider, browser.request("/"))
        code = query_of(back)["code"]
        self.provider.codes[code] = {**self.provider.codes[code], "code_challenge": "x" * 43}
        self.assert_problem(browser.request(back), 400, "auth.code")

    def test_before_the_metadata_are_known_nobody_can_log_in(self):
        self.provider.server.on("/.well-known/openid-configuration",
                                lambda exchange: exchange.reply(500))
        gateway = self.begin()
        self.assert_problem(self.browser(gateway).request("/"), 503, "auth.unavailable")
        self.provider.start_scripts()
        eventually(lambda: self.browser(gateway).request("/").status == 302, "metadata")
        self.logged_in(gateway)

    def test_over_https_cookies_are_of_one_host_only(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        server = authority.issue(["DNS:localhost"])
        gateway = self.begin(listener={"tls": {"certificates": [server.files]}})
        context = ssl.create_default_context(cafile=authority.cert)
        browser = Browser(lambda: gateway.client(tls=context, server_name="localhost"),
                          host="localhost", scheme="https")
        browser.log_in(self.provider)
        self.assertEqual(list(browser.cookies), ["__Host-hangu-web"])
        for field in browser.set_cookies:
            self.assertTrue(field.startswith("__Host-hangu-web"), field)
            self.assertIn("Secure", field.split("; "))
        self.assertEqual(browser.request("/").status, 200)
        self.assertIsNone(self.origin.requests[-1].header("cookie"))
        browser.cookies = {"hangu-web": browser.cookies["__Host-hangu-web"]}
        self.assertEqual(browser.request("/").status, 302)  # anybody could have set it

    def test_behind_a_trusted_proxy_the_client_s_address_counts(self):
        gateway = self.begin(listener={"trusted_proxies": ["127.0.0.0/8"]})
        response = gateway.client().request("GET", "/", {
            **Browser.PAGE, "Host": "inside", "X-Forwarded-Host": "www.example",
            "X-Forwarded-Proto": "https"})
        self.assertEqual(query_of(response.header("location"))["redirect_uri"],
                         "https://www.example/oauth2/callback")
        self.assertTrue(response.header("set-cookie").startswith("__Host-hangu-web.login."))
        gateway = self.begin({"redirect_uri": "https://www.example/cb"})
        response = gateway.client().request("GET", "/", {
            **Browser.PAGE, "X-Forwarded-Host": "evil.example"})
        self.assertEqual(query_of(response.header("location"))["redirect_uri"],
                         "https://www.example/cb")


class Config(OidcCase):
    def test_check_tells_of_a_callback_that_no_route_has(self):
        gateway = self.begin(route={"match": {"path": {"prefix": "/app"}}})
        told = run_hangu("check", gateway.config_path)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("W0157", told.stdout + told.stderr)
        gateway = self.begin({"callback_path": "/app/back"},
                             route={"match": {"path": {"prefix": "/app"}}})
        told = run_hangu("check", gateway.config_path)
        self.assertNotIn("W0157", told.stdout + told.stderr)

    def test_explain_tells_what_is_asked_for(self):
        gateway = self.begin()
        told = run_hangu("explain", "--socket", gateway.socket, "http://a/").stdout
        self.assertRegex(told, r"identity +by web \(login at http://127")

    def test_the_example_of_the_guide_is_right(self):
        guide = (ROOT / "docs/security.md").read_text()
        example = guide.partition("### People who log in")[2].partition("```yaml\n")[2]
        authority = Authority()
        self.addCleanup(authority.remove)
        server = authority.issue(["DNS:www.example.org"])
        text = "version: 1\n" + example.partition("```")[0]
        for written, real in (("/etc/hangu/www.pem", str(server.cert)),
                              ("/etc/hangu/www.key", str(server.key)),
                              ("file:/run/secrets/oidc", SECRET),
                              ("file:/run/secrets/session", SECRET)):
            self.assertIn(written, text)
            text = text.replace(written, real)
        path = authority.folder / "guide.yaml"
        path.write_text(text)
        told = run_hangu("check", path)
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        self.assertNotIn("W0157", told.stdout + told.stderr)
