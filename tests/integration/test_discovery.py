"""Endpoints that come and go while the gateway runs: from a file, from SRV records, from a real
etcd. What a source does not say any more stays in use until it says something else."""

import json
import unittest

from support.discovery_case import PREFIX, DiscoveryCase, RegistryCase, SharedRegistryCase, config
from support.dns import Dns
from support.etcd import Etcd
from support.gateway import Gateway, make_config, run_hangu
from support.load import Load
from support.wait import eventually

class Users(Load):
    """Each request is another user's."""

    def use(self, client, index):
        while not self.stopping.is_set():
            response = client.request("GET", "/", {"x-user": str(self.done[index] % 40)})
            if response.status != 200:
                raise AssertionError(f"status {response.status}: {response.body[:200]}")
            self.done[index] += 1
            if response.closes:
                return


class File(DiscoveryCase):
    def write(self, text):
        """As an editor, or a deployment, replaces a file."""
        path = self.folder / "orders.yaml"
        draft = self.folder / ".orders.yaml.new"
        draft.write_text(text if isinstance(text, str) else json.dumps(text), "utf-8")
        draft.rename(path)
        return str(path)

    def test_changes_are_live_and_bad_content_changes_nothing(self):
        one, two = self.origins("one", "two")
        path = self.write([one.endpoint])
        gateway = self.start({"file": path})
        self.has(gateway, one)
        self.serves(gateway, "one")
        self.write([one.endpoint, {"address": two.endpoint, "weight": 3}])
        self.assertEqual(self.has(gateway, one, two)[two.endpoint]["weight"], 3)
        self.serves(gateway, "one", "two")
        self.write(f'- "{one.endpoint}"\n- nonsense\n')
        stale = self.becomes(gateway, "stale")
        self.assertIn(f"{path}:2:3: ", stale["error"])
        self.assertEqual(stale["instances"], 2)
        self.assertEqual(self.metric(gateway, "stale"), 1)
        self.serves(gateway, "one", "two")
        self.assertIn(f"{path}:2:3: ", run_hangu("status", "--socket", gateway.socket).stdout)
        self.write("[]")
        eventually(lambda: "no instance" in self.discovery(gateway)["error"], "it is empty")
        self.assertEqual(gateway.stderr.count("discovery_stale"), 1)
        self.write([two.endpoint])
        self.has(gateway, two)
        self.assertEqual(self.discovery(gateway)["state"], "fresh")
        self.assertIn("discovery_recovered", gateway.stderr)
        self.assertEqual(self.metric(gateway, "stale"), 0)
        self.assertEqual(self.metric(gateway, "failures_total"), 1)

    def test_file_that_comes_later_and_link_that_moves(self):
        one, two = self.origins("one", "two")
        releases = [self.folder / "a.yaml", self.folder / "b.yaml"]
        for path, origin in zip(releases, (one, two)):
            path.write_text(json.dumps([origin.endpoint]))
        link = self.folder / "current.yaml"
        gateway = self.start({"file": str(link)})
        self.assert_problem(gateway.client().request("GET", "/"), 503, "upstream.none")
        self.assertIn("cannot read", self.becomes(gateway, "stale")["error"])
        link.symlink_to(releases[0])
        self.has(gateway, one)
        draft = self.folder / "next"
        draft.symlink_to(releases[1])
        draft.rename(link)
        self.has(gateway, two)

    def test_labels_choose_among_the_entries(self):
        one, two = self.origins("one", "two")
        path = self.write([{"address": one.endpoint, "labels": {"version": "1.0", "zone": "a"}},
                           {"address": two.endpoint, "labels": {"version": "2.0"}}])
        gateway = self.start({"file": path, "labels": {"version": "1.0"}})
        self.has(gateway, one)
        self.write([{"address": two.endpoint, "labels": {"version": "1.0"}}, one.endpoint])
        self.has(gateway, two)
        self.write(f'- address: "{one.endpoint}"\n  labels: {{version: [1]}}\n')
        self.assertIn(f"{path}:2:21: ", self.becomes(gateway, "stale")["error"])
        self.serves(gateway, "two")

    def test_own_endpoints_stay_beside_those_that_are_found(self):
        own, found = self.origins("own", "found")
        path = self.write([found.endpoint, own.endpoint])
        gateway = self.start({"file": path}, {"endpoints": [
            {"address": own.endpoint, "priority": 1}]})
        self.assertEqual(self.has(gateway, own, found)[own.endpoint]["priority"], 1)
        self.serves(gateway, "found")

    def test_orders_health_and_reload_go_on(self):
        """What is known of an endpoint outlives that others come and go."""
        one, two = self.origins("one", "two")
        path = self.write([one.endpoint, two.endpoint])
        check = {"health_check": {"path": "/healthz", "interval": "100ms"}}
        gateway = self.start({"file": path}, check)
        self.has(gateway, one, two)
        run_hangu("upstream", "maint", "orders", one.endpoint, "--socket", gateway.socket)
        self.serves(gateway, "two")
        three, = self.origins("three")
        self.write([three.endpoint, one.endpoint])
        endpoints = self.has(gateway, one, three)
        self.assertEqual(endpoints[one.endpoint]["order"], "maint")
        self.serves(gateway, "three")
        checked = eventually(lambda: [each for each in three.requests if each.target == "/healthz"],
                             "the new one is checked")
        self.assertTrue(checked)
        done = gateway.reload(config({"file": path}, {**check, "timeouts": {"connect": "3s"}},
                                     state_dir=str(self.folder / "state")))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.has(gateway, one, three)[one.endpoint]["order"], "maint")

    def test_many_come_and_go_under_load(self):
        origins = self.origins(*(f"o{number}" for number in range(20)))
        path = self.write([origins[0].endpoint])
        gateway = self.start({"file": path}, {"load_balancing": {"policy": "least_requests"}})
        self.has(gateway, origins[0])
        load = Load(gateway.listener(), threads=4)
        self.addCleanup(load.stop)
        for count in (2, 20, 7, 20, 3, 1):
            self.write([each.endpoint for each in origins[-count:]])
            self.has(gateway, *origins[-count:])
            load.wait_for_more(100)
        self.assertEqual(load.stop(), [])
        self.serves(gateway, "o19")


class Srv(DiscoveryCase):
    NAME = "_http._tcp.orders.test"

    def setUp(self):
        super().setUp()
        self.dns = Dns()
        self.addCleanup(self.dns.stop)
        self.dns.a("host-1.test", "127.0.0.1")
        self.dns.a("host-2.test", "127.0.0.1")

    def start_srv(self):
        return self.start({"srv": self.NAME}, {"dns": {"servers": [self.dns.address],
                                                       "ttl_min": "100ms", "ttl_max": "200ms"}})

    def test_records_are_endpoints_and_an_empty_answer_keeps_them(self):
        one, two = self.origins("one", "two")
        self.dns.srv(self.NAME, (10, 5, one.port, "host-1.test"), (20, 0, two.port, "host-2.test"))
        gateway = self.start_srv()
        endpoints = self.has(gateway, one, two)
        self.assertEqual((endpoints[one.endpoint]["weight"], endpoints[one.endpoint]["priority"]),
                         (5, 0))
        self.assertEqual((endpoints[two.endpoint]["weight"], endpoints[two.endpoint]["priority"]),
                         (1, 1))
        self.assertEqual(endpoints[one.endpoint]["host"], f"host-1.test:{one.port}")
        self.serves(gateway, "one")
        self.dns.srv(self.NAME, (10, 5, two.port, "host-2.test"))
        self.has(gateway, two)
        self.dns.srv(self.NAME)
        self.assertTrue(self.becomes(gateway, "stale")["error"])
        self.dns.remove(self.NAME)
        self.serves(gateway, "two")
        self.dns.srv(self.NAME, (0, 0, one.port, "host-1.test"))
        self.has(gateway, one)
        self.assertEqual(self.becomes(gateway, "fresh")["instances"], 1)

    def test_name_that_is_not_known_yet_does_not_take_the_others_away(self):
        one, two = self.origins("one", "two")
        self.dns.srv(self.NAME, (0, 1, one.port, "host-1.test"))
        gateway = self.start_srv()
        self.has(gateway, one)
        self.dns.srv(self.NAME, (0, 1, two.port, "nobody.test"), (0, 1, one.port, "host-1.test"))
        eventually(lambda: any(each["name"] == "nobody.test" and each["error"]
                               for each in self.upstream(gateway)["names"]), "it is asked for")
        self.has(gateway, one)
        self.dns.a("nobody.test", "127.0.0.1")
        self.has(gateway, one, two)


class Registry(SharedRegistryCase):
    def test_instances_come_with_their_lease_and_go_with_it(self):
        one, two = self.origins("one", "two")
        self.register(one, weight=7)
        gateway = self.start_registry()
        self.assertEqual(self.has(gateway, one)[one.endpoint]["weight"], 7)
        lease = self.lease()
        self.register(two, lease)
        self.has(gateway, one, two)
        self.serves(gateway, "one", "two")
        self.revoke(lease)
        self.has(gateway, one)
        short = self.lease(ttl=5)  # nobody keeps it alive
        self.register(two, short)
        self.has(gateway, one, two)
        self.has(gateway, one)
        self.serves(gateway, "one")

    def test_empty_registry_keeps_the_last_good_and_raises_an_alarm(self):
        one, two = self.origins("one", "two")
        lease = self.lease()
        self.register(one, lease)
        self.register(two, lease)
        gateway = self.start_registry()
        self.has(gateway, one, two)
        self.revoke(lease)
        stale = self.becomes(gateway, "stale")
        self.assertIn("no instance", stale["error"])
        self.assertEqual(self.metric(gateway, "stale"), 1)
        self.serves(gateway, "one", "two")
        self.register(two)
        self.has(gateway, two)
        self.becomes(gateway, "fresh")

    def test_bad_value_is_left_out_and_named(self):
        one, two = self.origins("one", "two")
        self.register(one)
        gateway = self.start_registry()
        self.has(gateway, one)
        for number, value in enumerate(("nonsense", '{"address": 5}', "unix:/run/x.sock",
                                        '{"address": "10.0.0.1:80", "weight": 0}', "x" * 5000)):
            self.etcd.put(f"{PREFIX}bad{number}", value)
        self.etcd.put(PREFIX + "two", two.endpoint)
        self.has(gateway, one, two)
        refused = eventually(lambda: len(self.discovery(gateway)["refused"]) == 5 and
                             {each["key"]: each["reason"]
                              for each in self.discovery(gateway)["refused"]}, "five are named")
        self.assertIn("socket", refused[PREFIX + "bad2"])
        self.assertIn("weight", refused[PREFIX + "bad3"])
        self.assertIn(f"instance_refused upstream=orders key={PREFIX}bad0", gateway.stderr)
        self.assertEqual(self.metric(gateway, "refused"), 5)
        self.etcd.delete(PREFIX + "bad", prefix=True)
        eventually(lambda: not self.discovery(gateway)["refused"], "none is left")

    def test_one_watch_serves_all_upstreams_and_each_has_its_own(self):
        names = [f"u{number}" for number in range(20)]
        origins = self.origins(*names)
        registry = {"endpoints": self.etcd.urls}

        def upstreams(some):
            return make_config(
                upstreams=[{"name": name, "discovery": {"etcd": {
                    "prefix": f"/services/{name}", **registry}}} for name in some],
                routes=[{"name": name, "match": {"path": {"prefix": "/" + name}},
                         "upstream": name} for name in some],
                state_dir=str(self.folder / "state"))
        gateway = Gateway(upstreams(names[:10]))
        self.addCleanup(gateway.stop)
        for name, origin in zip(names, origins):
            self.register(origin, prefix=f"/services/{name}/")
        client = gateway.client()
        for name in names[:10]:
            eventually(lambda n=name: client.request("GET", "/" + n).status == 200, name)
        done = gateway.reload(upstreams(names))
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in names:
            eventually(lambda n=name: client.request("GET", "/" + n).status == 200, name)
            self.assertEqual(client.request("GET", "/" + name).json()["origin"], name)
        streams = "etcd_debugging_mvcc_watch_stream_total"
        eventually(lambda: self.etcd.metrics()[streams] == 1, "there is one watch")

    def test_many_come_and_go_under_load(self):
        origins = self.origins(*(f"o{number}" for number in range(12)))
        self.register(origins[0])
        gateway = self.start_registry()
        self.has(gateway, origins[0])
        load = Load(gateway.listener(), threads=4)
        self.addCleanup(load.stop)
        for origin in origins[1:]:
            self.register(origin)
        self.has(gateway, *origins)
        load.wait_for_more(200)
        for origin in origins[:-1]:
            self.etcd.delete(PREFIX + origin.name)
        self.has(gateway, origins[-1])
        load.wait_for_more(100)
        self.assertEqual(load.stop(), [])

    def test_config_center_is_the_registry_where_none_is_named(self):
        one, = self.origins("one")
        self.register(one)
        gateway = Gateway(make_config(
            upstreams=[], routes=[], state_dir=str(self.folder / "state"),
            config_center={"endpoints": self.etcd.urls, "prefix": "/gateways/"}))
        self.addCleanup(gateway.stop)
        self.etcd.put("/gateways/config/upstreams/orders",
                      {"discovery": {"etcd": {"prefix": PREFIX}}})
        self.etcd.put("/gateways/config/routes/orders", {"upstream": "orders"})
        eventually(lambda: gateway.client().request("GET", "/").status == 200, "it serves")
        self.has(gateway, one)
        self.etcd.delete("/gateways/", prefix=True)


class Labels(SharedRegistryCase):
    """Upstreams that choose among the instances of one prefix."""

    def versions(self, urls=None, route=None, **versions):
        """An upstream for each version."""
        return make_config(
            upstreams=[{"name": name, "discovery": {
                "etcd": {"prefix": PREFIX, "endpoints": urls or self.etcd.urls},
                "labels": {"version": version}}} for name, version in versions.items()],
            routes=[route] if route else [
                {"name": name, "match": {"path": {"prefix": "/" + name}}, "upstream": name}
                for name in versions],
            state_dir=str(self.folder / "state"))

    def started(self, *arguments, **options):
        gateway = Gateway(self.versions(*arguments, **options))
        self.addCleanup(lambda: gateway.code is None and gateway.stop())
        return gateway

    def label(self, origin, version):
        self.register(origin, labels={"version": version, "zone": "a"})

    def test_each_has_its_own_and_a_relabelled_one_moves(self):
        one, two, three, plain = self.origins("one", "two", "three", "plain")
        for origin, version in ((one, "1.0"), (two, "2.0"), (three, "1.0")):
            self.label(origin, version)
        self.register(plain)
        gateway = self.started(v1="1.0", v2="2.0")
        self.has(gateway, one, three, name="v1")
        self.has(gateway, two, name="v2")
        found = self.discovery(gateway, "v2")
        self.assertEqual((found["labels"], found["others"], found["refused"]),
                         ({"version": "2.0"}, 3, []))
        self.label(three, "2.0")
        self.has(gateway, one, name="v1")
        self.has(gateway, two, three, name="v2")
        self.register(two, labels={"version": 2})
        self.has(gateway, three, name="v2")
        refused, = self.discovery(gateway, "v2")["refused"]
        self.assertEqual(refused["key"], PREFIX + "two")
        self.assertIn("labels", refused["reason"])

        # The last one of a version goes over: it stays where it was as well.
        self.label(two, "2.0")
        self.label(one, "2.0")
        self.has(gateway, one, two, three, name="v2")
        stale = self.becomes(gateway, "stale", "v1")
        self.assertEqual(stale["error"], "there are 4 instances, but none has the labels "
                                         "{version: 1.0}")
        self.assertIn(stale["error"], run_hangu("status", "--socket", gateway.socket).stdout)
        self.has(gateway, one, name="v1")
        self.assertEqual(gateway.client().request("GET", "/v1").json()["origin"], "one")

        # What is cached is of these labels.
        cache = self.folder / "state" / "discovery-cache"
        eventually(lambda: cache.exists() and three.endpoint in cache.read_text(), "it is cached")
        gateway.stop()
        nobody = ["http://127.0.0.1:1"]
        gateway = self.started(nobody, v1="1.0", v2="2.0")
        self.has(gateway, one, name="v1")
        self.has(gateway, one, two, three, name="v2")
        gateway.stop()
        gateway = self.started(nobody, v1="2.0", v2="2.0")
        self.has(gateway, one, two, three, name="v2")
        self.assertEqual(self.becomes(gateway, "stale", "v1")["instances"], 0)
        self.assertEqual(self.endpoints(gateway, "v1"), {})

    def test_release_goes_by_labels(self):
        one, two, three = self.origins("one", "two", "three")
        self.label(one, "1.0")
        self.label(two, "2.0")
        gateway = self.started(v1="1.0", v2="2.0", route={"name": "orders", "split": {
            "key": ["header:x-user"],
            "upstreams": [{"upstream": "v1", "weight": 1, "version": "1.0"},
                          {"upstream": "v2", "weight": 0, "version": "2.0"}],
            "ramp": {"to": "v2", "from": "10%", "step": "30%", "every": "300ms"},
            "guard": {"requests_min": 20, "window": "2s", "p99_floor": "10m"}}})
        self.has(gateway, one, name="v1")
        self.has(gateway, two, name="v2")
        load = Users(gateway.listener(), threads=4)
        self.addCleanup(load.stop)

        def release():
            return gateway.admin("GET", "/releases").json()["releases"][0]
        eventually(lambda: release()["share_percent"] > 10, "it grows")
        self.label(three, "2.0")
        self.has(gateway, two, three, name="v2")
        eventually(lambda: release()["state"] == "complete", "it is complete")
        load.wait_for_more(100)
        self.assertEqual(load.stop(), [])
        seen = {gateway.client().request("GET", "/", {"x-user": str(user)}).json()["origin"]
                for user in range(20)}
        self.assertEqual(seen, {"two", "three"})


class AwayRegistry(RegistryCase):
    """A registry that dies. Each test has one of its own."""
    def setUp(self):
        self.etcd = Etcd()
        self.addCleanup(self.etcd.stop)
        super().setUp()

    def test_killed_and_started_again(self):
        one, two = self.origins("one", "two")
        self.register(one)
        gateway = self.start_registry()
        self.has(gateway, one)
        self.etcd.members[0].kill()
        self.assertTrue(self.becomes(gateway, "stale")["error"])
        self.serves(gateway, "one")
        self.etcd.members[0].start()
        eventually(self.etcd.answers, "etcd answers")
        self.register(two)
        self.has(gateway, one, two)
        self.becomes(gateway, "fresh")
        self.etcd.compact()
        self.etcd.wipe()
        self.assertIn("no instance", eventually(
            lambda: "no instance" in self.discovery(gateway)["error"] and self.discovery(gateway),
            "the store is empty")["error"])
        self.serves(gateway, "one", "two")

    def test_gateway_that_starts_without_it_knows_the_last_good(self):
        one, two = self.origins("one", "two")
        self.register(one)
        self.register(two, priority=1)
        gateway = self.start_registry()
        self.has(gateway, one, two)
        cache = self.folder / "state" / "discovery-cache"
        eventually(lambda: cache.exists() and two.endpoint in cache.read_text(), "it is cached")
        gateway.stop()
        self.etcd.members[0].kill()
        gateway = self.start_registry()
        endpoints = self.has(gateway, one, two)
        self.assertEqual(endpoints[two.endpoint]["priority"], 1)
        self.serves(gateway, "one")
        self.assertTrue(self.becomes(gateway, "stale")["from_cache"])
        self.etcd.members[0].start()
        fresh = self.becomes(gateway, "fresh")
        self.assertFalse(fresh["from_cache"])
        gateway.stop()
        cache.write_text("nonsense")
        gateway = self.start_registry()
        self.has(gateway, one, two)
        self.assertIn("discovery_cache_unusable", gateway.stderr)


if __name__ == "__main__":
    unittest.main()
