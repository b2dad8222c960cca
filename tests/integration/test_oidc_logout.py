"""Sessions that the provider ends (OpenID Connect Back-Channel Logout)."""

from support.gateway import Gateway
from support.json_log import records_of
from support.logout_case import FORM, PATH, LogoutCase, form_of
from support.upgrade_case import UpgradeCase
from support.wait import eventually


class BackChannelLogout(LogoutCase):
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
        for more in ({"idle_timeout": "20m"}, {"logouts_max": 131_072}, {"logouts_max": 1024}):
            gateway.reload(self.config_with(more, workers=2))
            for _ in range(4):
                self.assertEqual(self.statuses(browsers), [302, 302, 302, 200], more)

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
            found = [each for each in records_of(path) if each.get("path") == PATH]
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
        config = self.config_with()
        del config["authenticators"][0]["oidc"]["backchannel_logout_path"]
        gateway = self.start(config)
        browser = self.logged_in(gateway)
        response = gateway.client().request("POST", PATH, FORM, b"logout_token=x")
        self.assertEqual(response.status, 401)
        self.assertEqual(browser.request("/").status, 200)


class Kept(LogoutCase):
    """What was ended outlives the process."""

    def test_a_process_that_is_killed(self):
        gateway = self.launch(self.config_with(workers=2))
        browsers = [self.logged_in_as(gateway, sid) for sid in ("s1", "s2", "s3")]
        browsers.append(self.logged_in_as(gateway, "s4", "bob"))
        token = self.log_out(gateway, sid="s2")
        self.log_out(gateway, sub="bob")
        self.wait_for_records(5)  # with one for each token
        self.assertEqual(self.remembered(gateway), 3)
        self.assertEqual(gateway.metrics()["hangu_logouts_remembered"], 3)
        gateway.kill()
        self.assertEqual(self.journal.stat().st_mode & 0o777, 0o600)
        for text in (b"ann", b"bob", b"s2"):
            self.assertNotIn(text, self.journal.read_bytes())

        gateway = self.launch(self.config_with(workers=2))
        for _ in range(4):
            self.assertEqual(self.statuses(browsers, gateway), [200, 302, 200, 302])
        self.assertEqual(self.remembered(gateway), 3)
        self.assertEqual(self.refused(gateway, token), "replayed")

    def test_a_process_that_ends(self):
        """It writes what it heard last."""
        gateway = self.launch(self.config_with(workers=1))
        browsers = [self.logged_in_as(gateway, sid) for sid in ("s1", "s2")]
        self.log_out(gateway, sid="s1")
        gateway.stop()
        gateway = self.launch(self.config_with(workers=1))
        self.assertEqual(self.statuses(browsers, gateway), [302, 200])

    def test_a_disk_that_cannot_be_written(self):
        """It is said, and what was ended is ended."""
        self.state.joinpath("file").write_text("in the way of a directory")
        config = self.config_with(workers=1, state_dir=str(self.state / "file"))
        gateway = self.launch(config)
        browsers = [self.logged_in_as(gateway, sid) for sid in ("s1", "s2")]
        self.log_out(gateway, sid="s1")
        self.assertEqual(self.statuses(browsers), [302, 200])
        eventually(lambda: gateway.status()["logouts"]["failing"], "it fails")
        self.state.joinpath("file").unlink()
        eventually(lambda: not gateway.status()["logouts"]["failing"], "it is written")
        gateway.kill()
        gateway = self.launch(config)
        self.assertEqual(self.statuses(browsers, gateway), [302, 200])


class Upgraded(LogoutCase, UpgradeCase):
    def test_processes_of_one_node_know_the_same(self):
        self.own = Gateway(self.config_with(workers=1, upgrade={"drain_timeout": "60s"}))
        self.addCleanup(self.end)
        browsers = [self.logged_in_as(self.own, sid) for sid in ("s1", "s2", "s3")]
        self.log_out(self.own, sid="s1")
        # A call that is under way: the old process hears the end of it.
        body = form_of(self.provider.logout_token(sid="s2"))
        late = self.own.client()
        late.send(late.head("POST", PATH, {**FORM, "Content-Length": str(len(body))}) + body[:9])
        eventually(lambda: self.own.active_requests() == 1, "it is there")
        self.wait_for_records(3)
        self.upgrade_to_another()
        self.assertEqual(self.statuses(browsers), [302, 200, 200])
        late.send(body[9:])
        self.assertEqual(late.read_response("POST").status, 200)
        eventually(lambda: self.statuses(browsers) == [302, 302, 200], "the new one knows it")
        self.wait_until_alone()
        self.log_out(self.own, sid="s3")
        self.assertEqual(self.statuses(browsers), [302, 302, 302])
