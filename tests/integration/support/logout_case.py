"""LogoutCase: gateways whose sessions the provider can end (OpenID Connect Back-Channel Logout)."""

import pathlib
import shutil
import tempfile
import urllib.parse

from support.gateway import Gateway
from support.oidc_case import OidcCase
from support.wait import eventually

PATH = "/oauth2/backchannel-logout"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
RECORD_BYTES = 96  # of the journal


def form_of(token):
    return urllib.parse.urlencode({"logout_token": token}).encode()


class LogoutCase(OidcCase):
    def setUp(self):
        super().setUp()
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="hangu-logouts-"))
        self.addCleanup(shutil.rmtree, self.state)
        self.journal = self.state / "logouts"

    def config_with(self, oidc=None, **options):
        options.setdefault("state_dir", str(self.state))
        return super().config_with({"backchannel_logout_path": PATH, **(oidc or {})}, **options)

    def launch(self, config):
        """A gateway that the test may kill."""
        gateway = Gateway(config)
        self.addCleanup(self.end_gateway, gateway)
        return gateway

    @staticmethod
    def end_gateway(gateway):
        if gateway.folder.exists():
            gateway.stop()

    def post(self, gateway, token, form=None):
        body = form_of(token) if form is None else urllib.parse.urlencode(form).encode()
        response = gateway.client().request("POST", PATH, FORM, body)
        self.assertEqual(response.header("cache-control"), "no-store")
        return response

    def log_out(self, gateway, **claims):
        """Returns the token, which is used up now."""
        token = self.provider.logout_token(**claims)
        response = self.post(gateway, token)
        self.assertEqual(response.status, 200, response.body)
        return token

    def refused(self, gateway, token):
        """Why."""
        response = self.post(gateway, token)
        self.assertEqual(response.status, 400, response.body)
        return response.json()["error_description"].removeprefix("logout token: ")

    def logged_in_as(self, gateway, sid, sub="ann"):
        self.provider.claims_more = {"sid": sid, "sub": sub}
        return self.logged_in(gateway)

    def statuses(self, browsers, gateway=None):
        if gateway is not None:
            for browser in browsers:
                browser.connect = gateway.client
        return [browser.request("/").status for browser in browsers]

    def wait_for_records(self, count):
        eventually(lambda: self.journal.exists() and
                   self.journal.stat().st_size >= count * RECORD_BYTES, "the journal is written")

    @staticmethod
    def remembered(gateway):
        return gateway.status()["logouts"]["remembered"]
