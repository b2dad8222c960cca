"""Names of upstreams. Only what needs no name server of our own: localhost, and names that never
resolve (RFC 6761). TTLs, changes and failing servers: tests/unit/control."""

import socket
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually


def resolves(name):
    try:
        return bool(socket.getaddrinfo(name, 80, socket.AF_INET))
    except OSError:
        return False


class Names(GatewayCase):
    def endpoint(self, name):
        return {"endpoints": [f"{name}:{self.origin.port}"], "timeouts": {"connect": "1s"}}

    @unittest.skipUnless(resolves("localhost"), "localhost does not resolve here")
    def test_localhost(self):
        gateway = self.start(make_config(self.origin, upstream=self.endpoint("localhost")))

        def served():
            response = gateway.client().request("GET", "/")
            return response.status == 200 and response
        response = eventually(served, "the name is resolved")
        self.assertEqual(response.json()["origin"], "origin")
        upstream = gateway.status()["upstreams"][0]
        self.assertIn(self.origin.endpoint, [each["address"] for each in upstream["endpoints"]])

    @unittest.skipIf(resolves("nothing.invalid"), "this network resolves names that do not exist")
    def test_name_that_does_not_resolve(self):
        """The gateway starts all the same, says so, and serves the rest."""
        config = make_config(self.origin, upstream=self.endpoint("nothing.invalid"))
        config["upstreams"].append({"name": "good", "endpoints": [self.origin.endpoint]})
        config["routes"].append({"name": "good", "match": {"path": {"prefix": "/good"}},
                                 "upstream": "good"})
        gateway = self.start(config)
        self.assert_problem(gateway.client().request("GET", "/"), 503, "upstream.none")
        self.assertEqual(gateway.client().request("GET", "/good").status, 200)
        names = eventually(lambda: [name for name in gateway.status()["upstreams"][0]["names"]
                                    if name["error"]], "the failure shows in the status")
        self.assertIn("nothing.invalid", names[0]["name"])


if __name__ == "__main__":
    unittest.main()
