"""OidcCase: a gateway whose clients log in at a Provider."""

import json

from support.case import GatewayCase
from support.gateway import make_config
from support.provider import Browser, Provider
from support.wait import eventually

SECRET = "0123456789abcdef0123456789abcdef"
OTHER_SECRET = "fedcba9876543210fedcba9876543210"


class OidcCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = Provider()
        cls.addClassCleanup(cls.provider.stop)

    def setUp(self):
        super().setUp()
        self.provider.server.clear()
        self.provider.start_scripts()
        self.provider.reset()

    def config_with(self, oidc=None, route=None, routes=(), authenticators=(), **options):
        config = make_config(
            self.origin, route={"authentication": {"any": ["web"]}, **(route or {})},
            authenticators=[{"name": "web", "oidc": {
                "issuer": self.provider.url, "upstream": "provider",
                "client_id": self.provider.client_id,
                "client_secret": self.provider.client_secret, "secrets": [SECRET],
                "timeout": "5s", "refetch_cooldown": "100ms", **(oidc or {})}}, *authenticators],
            access_log={"path": "@FOLDER@/access.log"}, **options)
        config["upstreams"].append({"name": "provider",
                                    "endpoints": [self.provider.server.endpoint]})
        config["routes"] = [*routes, *config["routes"]]
        return config

    def begin(self, *arguments, **options):
        return self.start(self.config_with(*arguments, **options))

    def browser(self, gateway, **options):
        return Browser(lambda: gateway.client(), **options)

    def logged_in(self, gateway):
        browser = self.browser(gateway)
        browser.log_in(self.provider)
        self.assertEqual(browser.request("/").status, 200)
        return browser

    def logged(self, gateway, path, **fields):
        """A record of a request for a path that has these members."""
        log = gateway.folder / "access.log"

        def record():
            text = log.read_text() if log.exists() else ""
            for line in text.splitlines() if text.endswith("\n") else ():
                one = json.loads(line)
                if one["path"].partition("?")[0] == path and \
                        all(one.get(name) == value for name, value in fields.items()):
                    return one
            return None
        return eventually(record, f"a record of {path} with {fields}")
