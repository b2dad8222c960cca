"""Instances from an etcd of several members that die, hang and come back, and from one that lets
nobody read: what is known serves on, and nothing needs a restart."""

import re

from support.discovery_case import PREFIX, RegistryCase, SharedRegistryCase
from support.etcd import Etcd, encoded
from support.load import Load
from support.wait import eventually


class Cluster(SharedRegistryCase):
    MEMBERS = 3
    TIMEOUT = "2s"

    def loaded(self, origin):
        """A gateway that watches and has this origin, under load."""
        self.register(origin)
        gateway = self.start_registry()
        self.has(gateway, origin)
        eventually(lambda: "etcd_registry_connected" in gateway.stderr, "it watches")
        load = Load(gateway.listener(), threads=2)
        self.addCleanup(load.stop)
        return gateway, load

    def watched(self, gateway):
        """The member that the gateway has asked last."""
        url = re.findall(r"etcd_registry_\w+ endpoint=(\S+)", gateway.stderr)[-1]
        return next(each for each in self.etcd.members if each.url == url)

    def test_member_that_is_asked_dies(self):
        one, two, three = self.origins("one", "two", "three")
        gateway, load = self.loaded(one)
        first = self.watched(gateway)
        first.kill()
        eventually(self.etcd.answers, "two of three answer")
        self.register(two)
        self.has(gateway, one, two)
        eventually(lambda: self.watched(gateway) is not first, "it watches another one")
        first.start()
        self.register(three)
        self.etcd.delete(PREFIX + "one")
        self.has(gateway, two, three)
        self.becomes(gateway, "fresh")
        load.wait_for_more()
        self.assertEqual(load.stop(), [])
        self.serves(gateway, "two", "three")

    def test_all_of_them_are_away_for_a_while(self):
        one, two, three = self.origins("one", "two", "three")
        gateway, load = self.loaded(one)
        for member in self.etcd.members:
            self.addCleanup(member.go_on)
            member.pause()
        self.assertTrue(self.becomes(gateway, "stale")["error"])
        self.assertEqual(self.metric(gateway, "stale"), 1)
        load.wait_for_more()
        self.has(gateway, one)
        for member in self.etcd.members:
            member.go_on()
        eventually(self.etcd.answers, "they answer again")
        self.register(two)
        self.has(gateway, one, two)
        self.becomes(gateway, "fresh")

        for member in self.etcd.members:
            member.kill()
        self.assertTrue(self.becomes(gateway, "stale")["error"])
        load.wait_for_more()
        self.has(gateway, one, two)
        for member in self.etcd.members:
            member.start()
        eventually(self.etcd.answers, "they are back")
        self.register(three)
        self.has(gateway, one, two, three)
        self.becomes(gateway, "fresh")
        self.assertEqual(self.metric(gateway, "stale"), 0)
        self.assertEqual(load.stop(), [])


class Denied(RegistryCase):
    def setUp(self):
        super().setUp()
        self.etcd = Etcd()
        self.addCleanup(self.etcd.stop)
        for name in ("root", "gateway"):
            self.etcd.ask("auth/user/add", {"name": name, "password": name + "-secret"})
        self.etcd.ask("auth/user/grant", {"user": "root", "role": "root"})
        self.etcd.ask("auth/role/add", {"name": "reader"})
        self.etcd.ask("auth/user/grant", {"user": "gateway", "role": "reader"})
        self.etcd.ask("auth/enable", {})
        self.login()

    def login(self):
        self.etcd.token = None
        try:
            self.etcd.login("root", "root-secret")
            return True
        except OSError:
            return False

    def permit(self):
        self.etcd.ask("auth/role/grant", {"name": "reader", "perm": {
            "permType": "READ", "key": encoded(PREFIX), "range_end": encoded(PREFIX[:-1] + "0")}})

    def forbid(self):
        self.etcd.ask("auth/role/revoke", {
            "role": "reader", "key": encoded(PREFIX), "range_end": encoded(PREFIX[:-1] + "0")})

    def test_user_who_may_not_read_the_prefix(self):
        own, one, two = self.origins("own", "one", "two")
        self.register(one)
        gateway = self.start(
            {"etcd": {"prefix": PREFIX, "endpoints": self.etcd.urls, "timeout": self.TIMEOUT,
                      "username": "gateway", "password": "gateway-secret"}},
            {"endpoints": [own.endpoint]})
        self.becomes(gateway, "stale")
        eventually(lambda: "permission denied" in self.discovery(gateway)["error"], "it is told")
        self.assertIn("discovery_stale upstream=orders", gateway.stderr)
        self.has(gateway, own)
        self.serves(gateway, "own")
        self.permit()
        self.has(gateway, own, one)
        self.becomes(gateway, "fresh")

        # Later on it may no more: what it knows serves.
        self.forbid()
        self.etcd.members[0].kill()
        self.etcd.members[0].start()
        eventually(self.login, "etcd is back")
        self.register(two)
        eventually(lambda: "permission denied" in self.discovery(gateway)["error"], "it is told")
        self.has(gateway, own, one)
        self.serves(gateway, "own", "one")
        self.permit()
        self.has(gateway, own, one, two)
        self.becomes(gateway, "fresh")
