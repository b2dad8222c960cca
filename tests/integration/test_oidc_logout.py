"""Sessions that the provider ends (OpenID Connect Back-Channel Logout)."""

import json
import urllib.parse

from support.oidc_case import OidcCase
from support.wait import eventually

PATH = "/oauth2/backchannel-logout"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class BackChannelLogout(OidcCase):
    def begin(self, oidc=None, **options):
        return super().begin({"backchannel_logout_path": PATH, **(oidc or {})}, **options)

    def post(self, gateway, token, form=None):
        body = urllib.parse.urlencode({"logout_token": token} if form is None else form)
        response = gateway.client().request("POST", PATH, FORM, body.encode())
        self.assertEqual(response.header("cache-control"), "no-store")
        return response

    def log_out(self, gateway, **claims):
        response = self.post(gateway, self.provider.logout_token(**claims))
        self.assertEqual(response.status, 200, response.body)

    def logged_in_as(self, gateway, sid, sub="ann"):
        self.provider.claims_more = {"sid": sid, "sub": sub}
        return self.logged_in(gateway)

    def statuses(self, browsers):
        return [browser.request("/").status for browser in browsers]

    def test_one_session_or_all_of_somebody(self):
        gateway = self.begin(workers=2)
        browsers = [self.logged_in_as(gateway, sid) for sid in ("s1", "s2", "s3")]
        browsers.append(self.logged_in_as(gateway, "s4", "bob"))
        self.log_out(gateway, sid="s2")
        # Whichever worker is asked: a client is another connection each time.
        for _ in range(4):
            self.assertEqual(self.statuses(browsers), [200, 302, 200, 200])
        self.log_out(gateway)
        for _ in range(4):
            self.assertEqual(self.statuses(browsers), [302, 302, 302, 200])
        self.assertEqual(browsers[0].request("/", fields={}).status, 401)
        self.logged(gateway, "/", auth_reason="logged_out")
        # A reload forgets nothing.
        gateway.reload(self.config_with({"backchannel_logout_path": PATH, "idle_timeout": "20m"}))
        self.assertEqual(self.statuses(browsers), [302, 302, 302, 200])

        def again():
            self.provider.claims_more = {"sid": "s5"}
            browser = self.browser(gateway)
            browser.log_in(self.provider)
            return browser.request("/").status == 200
        eventually(again, "who logs in later is in")

    def test_a_refreshed_id_token_without_a_sid_is_of_the_same_session(self):
        gateway = self.begin({"forward_access_token": "on"}, workers=1)
        self.provider.expires_in = 1
        browsers = [self.logged_in_as(gateway, sid) for sid in ("s1", "s2")]
        self.provider.claims_more = {"sub": "ann", "sid": None}
        self.provider.expires_in = 300
        for browser in browsers:
            before = len(self.provider.grants("refresh_token"))
            eventually(lambda: browser.request("/").status == 200 and
                       len(self.provider.grants("refresh_token")) > before, "a refresh")
        self.log_out(gateway, sid="s2")
        self.assertEqual(self.statuses(browsers), [200, 302])

    def test_it_is_recorded(self):
        gateway = self.begin(audit={"path": "@FOLDER@/audit.log"}, workers=1)
        self.log_out(gateway, sid="s1")
        self.assertEqual(self.post(gateway, "no.such.token").status, 400)
        path = gateway.folder / "audit.log"

        def records():
            lines = path.read_text().splitlines() if path.exists() else []
            found = [json.loads(line) for line in lines if PATH in line]
            return len(found) == 2 and found
        done, refused = eventually(records, "two records")
        self.assertEqual((done["event"], done["result"], done["code"], done["user"], done["rule"]),
                         ("request", "ok", "auth.sessions_ended", "ann", "web"))
        self.assertEqual((refused["event"], refused["code"], refused["reason"]),
                         ("auth.fail", "auth.logout_token", "malformed"))
        metrics = gateway.metrics()
        self.assertEqual(
            metrics['hangu_auth_requests_total{authenticator="web",outcome="logout_token"}'], 1)

    def test_what_is_wrong_ends_nothing(self):
        gateway = self.begin(workers=1)
        browser = self.logged_in_as(gateway, "s1")
        token = self.provider.logout_token
        wrong = {
            "malformed": "x", "event": token(without=["events"]), "nonce": token(nonce="n"),
            "jti": token(without=["jti"]), "times": token(without=["iat"]),
            "subject": token(without=["sub"]), "audience": token(aud="somebody else"),
            "issuer": token(iss="https://evil.example"), "expired": token(exp=1_000_000_000),
            "algorithm": token(header={"alg": "none"}),
        }
        wrong["signature"] = wrong["event"].rsplit(".", 1)[0] + "." + token().rsplit(".", 1)[1]
        for reason, text in wrong.items():
            response = self.post(gateway, text)
            self.assertEqual(response.status, 400, reason)
            self.assertEqual(response.json(), {"error": "invalid_request", "error_description":
                                               f"logout token: {reason}"})
        self.assertEqual(self.post(gateway, "", {"other": "x"}).status, 400)
        self.assertEqual(self.post(gateway, "", {"logout_token": "x" * 20_000}).status, 413)
        self.assertEqual(browser.request("/").status, 200)
        # An ID token is no logout token, and a logout token is good once.
        self.assertEqual(self.post(gateway, self.provider.id_token()).status, 400)
        self.assertEqual(browser.request("/").status, 200)
        once = token()
        self.assertEqual([self.post(gateway, once).status for _ in range(2)], [200, 400])
        self.assertEqual(browser.request("/").status, 302)

    def test_a_key_that_is_new_is_fetched(self):
        gateway = self.begin(workers=1)
        browser = self.logged_in_as(gateway, "s1")
        before = self.provider.keys
        self.addCleanup(setattr, self.provider, "keys", before)
        self.provider.rotate("k2")
        # Not too soon after the keys were fetched last.
        eventually(lambda: self.post(gateway, self.provider.logout_token()).status == 200,
                   "the new key is known")
        self.assertEqual(browser.request("/").status, 302)

    def test_without_the_path_it_is_for_those_who_are_logged_in(self):
        gateway = super().begin()
        browser = self.logged_in(gateway)
        response = gateway.client().request("POST", PATH, FORM, b"logout_token=x")
        self.assertEqual(response.status, 401)
        self.assertEqual(browser.request("/").status, 200)
