"""Grey releases: an upstream of a split gets more and more of the requests, under a guard."""

import json
import re
import tempfile
import threading

from support.audit import AuditLog
from support.case import GatewayCase
from support.gateway import Gateway, make_config, run_hangu
from support.load import Load
from support.wait import eventually

# Steps that a test can wait for; latencies are compared in one test alone, since machines are slow.
RAMP = {"to": "v2", "from": 10, "step": 30, "every": "300ms"}
GUARD = {"requests_min": 20, "window": "2s", "p99_floor": "10m"}


class Users(Load):
    """Each request is another user's; notes which version the users got, in order."""

    def __init__(self, address, users=40, **options):
        self.users = users
        self.seen = {user: [] for user in range(users)}
        super().__init__(address, **options)

    def use(self, client, index):
        users = range(index, self.users, len(self.threads))
        while not self.stopping.is_set():
            for user in users:
                response = client.request("GET", "/", {"x-user": str(user)})
                self.seen[user].append(response.header("x-version"))
                self.done[index] += 1
                if response.closes or self.stopping.is_set():
                    return

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


class ReleaseCase(GatewayCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.log = AuditLog(self.folder.name)
        self.status, self.delay = 200, 0
        self.origins = {name: self.start_origin(name=name) for name in ("v1", "v2")}
        self.origins["v1"].on("/", lambda exchange: exchange.reply(200, {"x-version": "v1"}))
        self.origins["v2"].on("/", self.answer)

    def answer(self, exchange):
        if self.delay:
            threading.Event().wait(self.delay)
        exchange.reply(self.status, {"x-version": "v2"})

    def config_of(self, ramp=None, guard=None, rules=None, **split):
        parts = [{"upstream": "v1", "weight": 1, "version": "1.0"},
                 {"upstream": "v2", "weight": 0, "version": "2.0", **({"rules": rules} if rules
                                                                       else {})}]
        config = make_config(
            self.origins["v1"], access_log={"path": "-"}, state_dir=self.folder.name + "/state",
            audit={"path": str(self.log.path), "requests": "off"},
            upstreams=[{"name": name, "endpoints": [origin.endpoint]}
                       for name, origin in self.origins.items()])
        config["routes"] = [{"name": "orders", "split": {
            "key": ["header:x-user"], "upstreams": parts, "ramp": {**RAMP, **(ramp or {})},
            "guard": {**GUARD, **(guard or {})}, **split}}]
        return config

    def use(self, gateway, **options):
        load = Users(gateway.listener(), **options)
        self.addCleanup(load.stop)
        return load

    def release(self, gateway):
        return gateway.admin("GET", "/releases").json()["releases"][0]

    def until(self, gateway, state):
        eventually(lambda: self.release(gateway)["state"] == state, f"the release is {state}")
        return self.release(gateway)

    def until_share(self, gateway, percent):
        eventually(lambda: self.release(gateway)["share_percent"] >= percent, "its share grows")
        return self.release(gateway)

    def changes(self, decision=None):
        return [each for each in self.log.records("release.change")
                if decision in (None, each["object"])]

    def order(self, gateway, order, code=0):
        done = run_hangu("release", order, "orders", "--socket", gateway.socket)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def version_of(self, gateway, headers):
        return gateway.client().request("GET", "/", headers).header("x-version")


class GoodReleases(ReleaseCase):
    def test_goes_all_the_way_and_nobody_goes_back(self):
        gateway = self.start(self.config_of())
        load = self.use(gateway)
        release = self.until(gateway, "complete")
        self.assertEqual((release["share"], release["upstream"], release["version"]),
                         ("100%", "v2", "2.0"))
        eventually(lambda: all(seen[-1:] == ["v2"] for seen in load.seen.values()),
                   "everybody has the new version")
        load.stop()
        self.assertEqual(load.failures, [])
        came_early = 0
        for user, seen in load.seen.items():
            first = seen.index("v2")
            self.assertEqual(set(seen[first:]), {"v2"}, f"user {user}: {seen}")
            came_early += first < len(seen) / 2
        self.assertGreater(came_early, 0)
        labels = 'route="orders",upstream="v2"'
        wanted = {f"hangu_release_share{{{labels}}}": 1,
                  f'hangu_release_state{{{labels},state="complete"}}': 1,
                  f'hangu_release_state{{{labels},state="ramping"}}': 0,
                  f'hangu_release_decisions_total{{{labels},decision="step"}}': 3}
        eventually(lambda: wanted.items() <= gateway.metrics().items(), "the metrics say so")
        parts = [f'hangu_split_requests_total{{route="orders",upstream="{upstream}",'
                 f'version="{version}"}}' for upstream, version in (("v1", "1.0"), ("v2", "2.0"))]

        def counted():
            metrics = gateway.metrics()
            return sum(metrics[part] for part in parts)

        eventually(lambda: counted() == load.count(), "all requests are counted")
        eventually(lambda: self.changes("complete"), "it is in the audit log")
        shares = [(each["before"], each["after"]) for each in self.changes("step")]
        self.assertEqual(shares, [("10%", "40%"), ("40%", "70%"), ("70%", "100%")])
        self.assertIn("errors 0.00% of", self.changes("step")[0]["detail"])
        self.assertEqual(self.changes("complete")[0]["actor"], "ramp")
        eventually(lambda: gateway.stdout.count("\n") >= load.count(), "the access log has all")
        logged = [json.loads(line) for line in gateway.stdout.splitlines()]
        self.assertEqual({(each["upstream"], each["version"]) for each in logged},
                         {("v1", "1.0"), ("v2", "2.0")})
        shown = run_hangu("status", "--socket", gateway.socket).stdout
        self.assertRegex(shown, r"orders +v2 2\.0 +complete +100%")

    def test_takes_no_step_without_requests(self):
        gateway = self.start(self.config_of())
        release = self.until(gateway, "waiting")
        self.assertEqual(release["share"], "10%")
        self.assertEqual(release["numbers"], "0 of 20 requests")
        self.use(gateway)
        self.until_share(gateway, 40)

    def test_ends_where_it_is_told_to(self):
        gateway = self.start(self.config_of({"until": 50, "step": 40}, {"mode": "off"}))
        self.assertEqual(self.until(gateway, "complete")["share"], "50%")


class BadReleases(ReleaseCase):
    def test_errors_take_it_back(self):
        gateway = self.start(self.config_of({"from": 30, "every": "10m"}))
        load = self.use(gateway)
        eventually(lambda: self.release(gateway)["others"]["requests"] > 50, "there is a baseline")
        self.status = 500
        release = self.until(gateway, "rolled_back")
        self.assertEqual((release["share"], release["cause"], release["actor"]),
                         ("0%", "error_ratio", "guard"))
        self.assertRegex(release["numbers"], r"errors [\d.]+% of \d+ requests; the others 0.00%")
        load.stop()
        self.assertEqual(self.version_of(gateway, {"x-user": "anybody"}), "v1")
        change = eventually(lambda: self.changes("rollback"), "it is in the audit log")[0]
        self.assertEqual((change["before"], change["after"], change["route"], change["reason"]),
                         ("30%", "0%", "orders", "error_ratio"))
        self.assertIn("decision=rollback", gateway.stderr)
        # Nothing but another config or an operator brings it back.
        config = self.config_of({"from": 30, "every": "10m"})
        config["routes"][0]["timeout"] = "9s"
        gateway.reload(config)
        self.assertEqual(self.release(gateway)["state"], "rolled_back")
        self.status = 200
        self.order(gateway, "resume")
        self.assertEqual(self.release(gateway)["share"], "30%")
        resumed = eventually(lambda: self.changes("resume"), "so is this")
        self.assertEqual(resumed[0]["after"], "30%")

    def test_slowness_takes_it_back(self):
        gateway = self.start(self.config_of({"from": 50, "every": "10m"},
                                            {"p99_floor": "100ms", "p99_delta": 50, "window": "5s",
                                             "requests_min": 10}))
        self.delay = 0.5
        self.use(gateway, threads=8)
        release = self.until(gateway, "rolled_back")
        self.assertEqual(release["cause"], "p99")
        self.assertRegex(release["numbers"], r"p99 \d+\.\d ms; the others")

    def test_or_hold_it(self):
        self.status = 503
        gateway = self.start(self.config_of({"from": 30}, {"action": "hold"}))
        load = self.use(gateway)
        release = self.until(gateway, "held")
        self.assertEqual((release["share"], release["cause"]), ("30%", "error_ratio"))
        self.status = 200
        done = load.count()
        eventually(lambda: load.count() > done + 2 * load.users, "it has been mended")
        self.order(gateway, "resume")
        self.until(gateway, "complete")

    def test_in_shadow_they_are_only_told(self):
        self.status = 500
        gateway = self.start(self.config_of({"from": 30, "every": "1s"}, {"mode": "shadow"}))
        self.use(gateway)
        self.until(gateway, "complete")
        told = eventually(lambda: self.changes("shadow"), "it is in the audit log")
        self.assertEqual(told[0]["reason"], "error_ratio")

    def test_what_a_client_does_is_no_error(self):
        self.status = 404
        gateway = self.start(self.config_of())
        self.use(gateway)
        self.until(gateway, "complete")

    def test_another_guard_judges_anew(self):
        self.status = 500
        gateway = self.start(self.config_of({"from": 30}))
        self.use(gateway)
        self.until(gateway, "rolled_back")
        gateway.reload(self.config_of({"from": 30}, {"error_ratio_delta": 100}))
        self.until(gateway, "complete")


class Operators(ReleaseCase):
    def test_orders(self):
        gateway = self.start(self.config_of({"every": "2s"}, {"mode": "off"}))
        self.assertRegex(self.order(gateway, "pause").stdout, r"orders +v2 2\.0 +paused +\d+%")
        paused = self.release(gateway)
        self.assertEqual(paused["cause"], "operator")
        self.assertNotIn(paused["actor"], ("", "ramp"))
        self.order(gateway, "pause", code=4)
        self.order(gateway, "resume")
        self.until_share(gateway, paused["share_percent"] + 1)
        self.order(gateway, "promote")
        self.assertEqual((self.release(gateway)["state"], self.release(gateway)["share"]),
                         ("complete", "100%"))
        self.assertEqual(self.version_of(gateway, {"x-user": "anybody"}), "v2")
        self.order(gateway, "abort")
        self.assertEqual(self.release(gateway)["state"], "rolled_back")
        self.assertEqual(self.version_of(gateway, {"x-user": "anybody"}), "v1")
        eventually(lambda: self.changes("abort"), "it is in the audit log")
        orders = [each for each in self.changes() if each["reason"] == "operator"]
        self.assertEqual([each["object"] for each in orders],
                         ["pause", "resume", "promote", "abort"])
        self.assertEqual((orders[3]["before"], orders[3]["after"]), ("100%", "0%"))
        self.assertEqual({each["actor"].partition(" ")[0] for each in orders},
                         {paused["actor"].partition(" ")[0]})

    def test_commands_say_what_is_wrong(self):
        gateway = self.start(self.config_of())
        done = run_hangu("release", "pause", "order", "--socket", gateway.socket)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('route "order" has no release', done.stderr)
        self.assertEqual(run_hangu("release", "status", "orders", "--json", "--socket",
                                   gateway.socket).returncode, 0)
        self.assert_code(gateway, "/release?route=orders&order=stop", 400)
        self.assert_code(gateway, "/release?route=none&order=pause", 404)
        gateway.reload(make_config(self.origins["v1"]))
        self.assertIn("no route has a release",
                      run_hangu("release", "list", "--socket", gateway.socket).stdout)

    def assert_code(self, gateway, target, status):
        self.assertEqual(gateway.admin("POST", target).status, status)


class Rules(ReleaseCase):
    def test_whatever_the_share(self):
        rules = [{"headers": {"x-canary": {"prefix": "y"}}, "cookies": {"beta": "*"}},
                 {"cookies": {"tester": "1"}}, {"clients": ["127.9.0.0/16"]}]
        config = self.config_of(rules=rules)
        config["listeners"][0]["trusted_proxies"] = ["127.0.0.1/32"]
        gateway = self.start(config)
        self.order(gateway, "abort")
        for headers, version in (
                ({}, "v1"), ({"x-canary": "yes"}, "v1"), ({"Cookie": "beta=1"}, "v1"),
                ({"x-canary": "yes", "Cookie": "beta=1"}, "v2"),
                ({"Cookie": "tester=1"}, "v2"), ({"Cookie": "tester=2"}, "v1"),
                ({"x-forwarded-for": "127.9.1.1"}, "v2"),
                ({"x-forwarded-for": "127.8.1.1"}, "v1")):
            with self.subTest(str(headers)):
                self.assertEqual(self.version_of(gateway, headers), version)

    def test_explained(self):
        gateway = self.start(self.config_of(rules=[{"headers": {"x-canary": "1"}}]))
        self.order(gateway, "pause")
        share = self.release(gateway)["share"]

        def explain(*fields):
            done = run_hangu("explain", "--socket", gateway.socket, "http://h/",
                             *(each for field in fields for each in ("-H", field)))
            return done.stdout

        text = explain("x-canary: 1")
        self.assertRegex(text, r"goes to +v2 \(2\.0\): one of its rules takes the request")
        self.assertRegex(text, rf"release +v2 gets {share}, paused")
        versions = set()
        for user in range(30):
            told = re.search(r"goes to +(v\d) ", explain(f"x-user: {user}"))[1]
            self.assertEqual(self.version_of(gateway, {"x-user": str(user)}), told)
            versions.add(told)
        self.assertEqual(versions, {"v1", "v2"})


class Persistence(ReleaseCase):
    def test_a_reload_leaves_it_where_it_is(self):
        gateway = self.start(self.config_of({"every": "1s", "step": 20}, {"mode": "off"}))
        before = self.until_share(gateway, 30)
        config = self.config_of({"every": "1s", "step": 20}, {"mode": "off"})
        config["routes"][0]["timeout"] = "9s"
        config["upstreams"].insert(0, {"name": "other", "endpoints": ["127.0.0.1:1"]})
        gateway.reload(config)
        after = self.release(gateway)
        self.assertGreaterEqual(after["share_percent"], before["share_percent"])
        self.until(gateway, "complete")
        # Another version is another release.
        config["routes"][0]["split"]["upstreams"][1]["version"] = "2.1"
        config["routes"][0]["split"]["ramp"]["every"] = "1h"
        gateway.reload(config)
        release = self.release(gateway)
        self.assertEqual((release["state"], release["share"], release["version"]),
                         ("ramping", "10%", "2.1"))

    def begin(self, config):
        """One that the test itself stops."""
        gateway = Gateway(config)
        self.addCleanup(gateway.kill)
        return gateway

    def test_a_restart_too(self):
        config = self.config_of({"every": "1h"}, {"mode": "off"})
        gateway = self.begin(config)
        self.assertEqual(self.release(gateway)["share"], "10%")
        self.order(gateway, "abort")
        gateway.stop()
        gateway = self.begin(config)
        release = self.release(gateway)
        self.assertEqual((release["state"], release["share"], release["cause"]),
                         ("rolled_back", "0%", "operator"))
        self.order(gateway, "promote")
        gateway.stop()
        gateway = self.begin(config)
        self.assertEqual(self.release(gateway)["state"], "complete")
        self.assertEqual(self.version_of(gateway, {"x-user": "anybody"}), "v2")
        self.assertEqual([each["object"] for each in self.changes()],
                         ["begin", "abort", "promote"])

    def test_a_damaged_file_is_put_aside(self):
        config = self.config_of({"every": "1h"})
        gateway = self.begin(config)
        self.order(gateway, "abort")
        gateway.stop()
        path = self.folder.name + "/state/releases"
        with open(path, "w", encoding="utf-8") as file:
            file.write("{")
        gateway = self.start(config)
        self.assertEqual(self.release(gateway)["state"], "ramping")
        self.assertIn("event=releases_damaged", gateway.stderr)
        with open(path + ".bad", encoding="utf-8") as file:
            self.assertEqual(file.read(), "{")


class Configs(ReleaseCase):
    def check(self, config):
        path = self.folder.name + "/checked.yaml"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        return run_hangu("check", "--config", path)

    def test_what_makes_no_sense(self):
        split = {"upstreams": [{"upstream": "v1"}]}
        for change, expected in (
                ({"ramp": "off"}, "`guard` has nothing to guard"),
                ({"guard": "off"}, "there is no `guard`"),
                ({"key": []}, "clients will change between versions"),
                (split, 'is not among the split\'s `upstreams`'),
                ({"ramp": {**RAMP, "to": "v3"}}, "v3"),
                ({"ramp": {**RAMP, "from": 50, "until": 10}}, "`from` is more than `until`"),
                ({"ramp": {**RAMP, "step": 0}}, "a `step` of 0 gets nowhere"),
                ({"ramp": {**RAMP, "from": "0.001"}}, "more than two decimals"),
                ({"ramp": {**RAMP, "to": "v1"}}, "only the upstream that `ramp` releases")):
            with self.subTest(expected):
                done = self.check(self.changed(change))
                self.assertIn(expected, done.stdout + done.stderr)

    def changed(self, change):
        config = self.config_of()
        config["routes"][0]["split"].update(change)
        return config
