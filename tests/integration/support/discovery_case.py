"""DiscoveryCase: gateways whose endpoints come and go. RegistryCase: from an etcd;
SharedRegistryCase: from one that all tests of the class have."""

import json
import pathlib
import shutil
import tempfile

from support.case import GatewayCase
from support.etcd import Etcd, encoded
from support.gateway import Gateway, make_config
from support.wait import eventually

PREFIX = "/services/orders/"


def config(discovery, upstream=None, **others):
    """Without endpoints of its own."""
    return make_config(upstreams=[{"name": "orders", "discovery": discovery, **(upstream or {})}],
                       routes=[{"name": "all", "upstream": "orders"}], **others)


class DiscoveryCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        """Gateways are of one test each."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-discovery-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, discovery, upstream=None, **others):
        others.setdefault("state_dir", str(self.folder / "state"))
        gateway = Gateway(config(discovery, upstream, **others))
        self.addCleanup(lambda: gateway.code is None and gateway.stop())
        return gateway

    def origins(self, *names):
        return [self.start_origin(name=name) for name in names]

    def upstream(self, gateway, name="orders"):
        return next(each for each in gateway.status()["upstreams"] if each["name"] == name)

    def discovery(self, gateway, name="orders"):
        return self.upstream(gateway, name)["discovery"]

    def endpoints(self, gateway, name="orders"):
        return {each["address"]: each for each in self.upstream(gateway, name)["endpoints"]}

    def has(self, gateway, *origins, name="orders"):
        """Waits until exactly these are the endpoints."""
        wanted = {each.endpoint for each in origins}
        return eventually(lambda: set(self.endpoints(gateway, name)) == wanted and
                          self.endpoints(gateway, name), f"{sorted(wanted)} are those of {name}")

    def becomes(self, gateway, state, name="orders"):
        return eventually(lambda: self.discovery(gateway, name)["state"] == state and
                          self.discovery(gateway, name), f"the state is {state}")

    def serves(self, gateway, *names):
        """All of these answer, and nobody else."""
        client = gateway.client()
        seen = set()

        def all_seen():
            response = client.request("GET", "/")
            self.assertEqual(response.status, 200, response.body)
            seen.add(response.json()["origin"])
            return seen == set(names)
        eventually(all_seen, f"{names} have answered, so far {seen}")

    def metric(self, gateway, name):
        return gateway.metrics()[f'hangu_discovery_{name}{{upstream="orders"}}']


class RegistryCase(DiscoveryCase):
    TIMEOUT = "10s"  # how long a gateway waits for a member that is silent
    etcd = None

    def lease(self, ttl=60):
        return self.etcd.ask("lease/grant", {"TTL": ttl})["ID"]

    def revoke(self, lease):
        self.etcd.ask("lease/revoke", {"ID": lease})

    def register(self, origin, lease=None, prefix=PREFIX, **more):
        """As a service does it."""
        value = json.dumps({"address": origin.endpoint, "version": "1.2", **more})
        self.etcd.ask("kv/put", {"key": encoded(prefix + origin.name), "value": encoded(value),
                                 **({"lease": lease} if lease else {})})

    def start_registry(self, upstream=None, **others):
        return self.start({"etcd": {"prefix": PREFIX, "endpoints": self.etcd.urls,
                                    "timeout": self.TIMEOUT}}, upstream, **others)


class SharedRegistryCase(RegistryCase):
    MEMBERS = 1

    @classmethod
    def setUpClass(cls):
        cls.etcd = Etcd(members=cls.MEMBERS)
        cls.addClassCleanup(cls.etcd.stop)

    def setUp(self):
        super().setUp()
        self.etcd.delete("/services/", prefix=True)
