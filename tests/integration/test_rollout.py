"""Rollouts: a push reaches some gateways first, and all only if these do well. With a real etcd and
three gateways, of which any may drive it."""

import json
import pathlib
import re
import signal
import tempfile
import threading
import unittest

from support.etcd import Etcd
from support.gateway import Gateway, make_config, run_hangu
from support.origin import Origin
from support.wait import eventually

FAST = {"stages": ["canary=yes", "100%"], "every": "500ms", "ready_within": "20s", "ready": "60",
        "guard": {"requests_min": 100_000}}  # the answers to the tests' own questions say nothing
GUARD = {"requests_min": 20, "p99_delta": "100"}


def route(path, text, status=200):
    return {"match": {"path": {"prefix": path}}, "respond": {"status": status, "body": text}}


class Load:
    """Requests to all gateways, one after the other, until it is stopped."""
    def __init__(self, gateways, path):
        self.gateways, self.path = gateways, path
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        clients = [each.client() for each in self.gateways]
        while not self.stopped.wait(0.003):
            for client in clients:
                client.request("GET", self.path)

    def stop(self):
        self.stopped.set()
        self.thread.join()


class RolloutCase(unittest.TestCase):
    """One etcd and three gateways a class, a route a test; a test that ends gateways starts those
    it wants itself. The first one started leads; `b` is the canary. What a rollout does is said by
    the file of who pushes it."""
    shared = True
    session = "15s"  # a node that stalls is still there

    @classmethod
    def setUpClass(cls):
        cls.etcd = Etcd()
        cls.addClassCleanup(cls.etcd.stop)
        cls.fleets = {}

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.name = self.id().rsplit(".", 1)[-1]
        self.path = f"/{self.name}"
        self.prefix = "/shared/" if self.shared else f"/{self.name}/"
        self.number = None
        if self.shared and "gateways" not in self.fleets:
            self.fleets["gateways"] = self.start_all(self.addClassCleanup)
        self.gateways = dict(self.fleets.get("gateways", {}))
        self.plan()

    def config(self, name, **center):
        labels = ["zone=east"] + (["canary=yes"] if name == "b" else [])
        return make_config(
            state_dir="@FOLDER@/state", node=name, workers=1,
            config_center={"endpoints": self.etcd.urls, "timeout": "10s", "prefix": self.prefix,
                           "session_timeout": self.session, "labels": labels, **center})

    def plan(self, **plan):
        """From now on rollouts are made this way."""
        config = self.config("pusher", rollout={**FAST, **plan})
        config["state_dir"] = self.folder.name
        path = pathlib.Path(self.folder.name, "hangu.yaml")
        path.write_text(json.dumps(config), "utf-8")

    def start(self, name, cleanup=None, **center):
        gateway = Gateway(self.config(name, **center))
        (cleanup or self.addCleanup)(self.end, gateway)
        return gateway

    @staticmethod
    def end(gateway):
        if gateway.folder.exists():
            gateway.stop()

    def start_all(self, cleanup=None, **center):
        gateways = {"a": self.start("a", cleanup, **center)}
        eventually(lambda: self.fleet("a", gateways)["leads"], "a leads")
        for name in "bc":
            gateways[name] = self.start(name, cleanup, **center)
        eventually(lambda: all(self.fleet(name, gateways)["joined"] for name in gateways),
                   "all have joined")
        return gateways

    def fleet(self, name, gateways=None):
        return (gateways or self.gateways)[name].status()["config_center"]["fleet"]

    def hangu(self, *arguments, code=0):
        done = run_hangu(*arguments, "--config", f"{self.folder.name}/hangu.yaml")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def push(self, *arguments, code=0, **elements):
        path = pathlib.Path(self.folder.name, "push.yaml")
        path.write_text(json.dumps(elements), "utf-8")
        said = self.hangu("config", "push", path, "-a", "li", *arguments, code=code)
        found = re.search(r"rollout (\S+): `", said)
        self.number = found[1] if found else self.number
        return said

    def push_route(self, *arguments, code=0, name=None, **options):
        name = name or self.name
        return self.push(*arguments, code=code,
                         routes=[{"name": name, **route(f"/{name}", **options)}])

    def seen(self):
        return json.loads(self.hangu("rollout", "status", "--json"))

    def is_over(self, state):
        seen = self.seen()
        known = seen["rollout"]
        return known["id"] == self.number and known["state"] == state and seen

    def wait_for(self, state):
        return eventually(lambda: self.is_over(state), f"the rollout is {state}")

    def answers(self, path):
        return {name: each.client().request("GET", path).body.decode()
                for name, each in self.gateways.items()}

    def says(self, path=None, **expected):
        path = path or self.path
        eventually(lambda: self.answers(path) == expected, f"{path}: {expected}")

    def everybody_says(self, text, path=None):
        self.says(path, **{name: text for name in self.gateways})

    def begin(self, *arguments, **options):
        """A route that everybody has is to change."""
        self.push_route(text="old")
        self.everybody_says("old")
        self.push_route("--rollout", "-m", "try it", *arguments, **{"text": "new", **options})

    def canary_says_new(self):
        self.says(a="old", b="new", c="old")


class Stages(RolloutCase):
    def test_good_release(self):
        self.plan(every="1h")
        self.begin()
        self.canary_says_new()
        shown = self.hangu("rollout", "status")
        self.assertIn(f"rollout {self.number} by li", shown)
        self.assertIn("stage 1/2, canary=yes", shown)
        self.assertIn(f"routes/{self.name}", shown)
        self.assertEqual(self.fleet("b")["rollout"]["in_force"], True)
        self.assertEqual(self.gateways["b"].metrics()["hangu_rollout_in_force"], 1)
        self.hangu("rollout", "abort")
        self.everybody_says("old")
        self.plan(every="3s")
        self.push_route("--rollout", "-m", "try it", text="new")
        lines = self.hangu("rollout", "status", "--follow").splitlines()
        self.assertRegex(lines[0], r"running \(stage [12]/2, ")
        self.assertIn("complete", lines[-1])
        self.everybody_says("new")
        eventually(lambda: not self.fleet("b")["rollout"]["in_force"], "it is everybody's")
        self.assertIn("try it", self.hangu("config", "history"))
        self.assertIn('"new"', self.hangu("config", "get", f"routes/{self.name}"))
        self.push_route(text="newer")
        self.everybody_says("newer")

    def test_new_and_removed_documents(self):
        self.push_route(name="goes", text="there")
        self.everybody_says("there", "/goes")
        self.push_route("--rollout", "--remove", "routes/goes", text="here")
        self.wait_for("complete")
        self.everybody_says("here")
        for each in self.gateways.values():
            self.assertEqual(each.client().request("GET", "/goes").status, 404)

    def test_one_at_a_time(self):
        self.plan(every="1h")
        self.begin()
        self.canary_says_new()
        self.assertIn(self.number, self.push_route("--rollout", name="x", text="x", code=1))
        self.assertIn("in the hands", self.push_route(text="x", code=1))
        self.push_route(name="x", text="x")  # what it does not hold is free
        self.everybody_says("x", "/x")
        self.assertIn("aborted", self.hangu("rollout", "abort"))
        self.everybody_says("old")
        self.assertIn("no rollout under way", self.hangu("rollout", "pause", code=1))

    def test_document_that_is_written_in_between(self):
        self.plan(every="3s")
        self.begin()
        self.canary_says_new()
        self.hangu("rollout", "pause")
        self.etcd.put(f"{self.prefix}config/routes/{self.name}", route(self.path, "mine"))
        self.says(a="mine", b="new", c="mine")
        self.hangu("rollout", "resume")
        seen = self.wait_for("rolled_back")
        self.assertIn(f"routes/{self.name} was changed", seen["rollout"]["cause"])
        self.everybody_says("mine")

    def test_label_of_nobody(self):
        self.plan(stages=["zone=west", "100%"])
        self.begin()
        self.assertIn("zone=west", self.wait_for("held")["rollout"]["cause"])
        self.everybody_says("old")
        self.hangu("rollout", "resume")
        self.wait_for("complete")


class Guard(RolloutCase):
    def fail(self, **plan):
        """The new version answers with errors, under load."""
        self.plan(**plan)
        self.push_route(text="old")
        self.everybody_says("old")
        load = Load(list(self.gateways.values()), self.path)
        self.addCleanup(load.stop)
        self.push_route("--rollout", text="new", status=503)

    def test_errors_take_it_back(self):
        self.fail(every="1h", guard=GUARD)
        self.assertRegex(self.wait_for("rolled_back")["rollout"]["cause"],
                         r"^\d+\.\d\d % of \d+ requests fail, 0\.00 % without it$")
        self.everybody_says("old")
        self.assertIn("rolled_back", self.hangu("rollout", "status", "--follow", code=1))

    def test_hold_and_overrule(self):
        self.fail(guard={**GUARD, "action": "hold"}, every="2s")
        self.wait_for("held")
        self.canary_says_new()
        self.hangu("rollout", "resume")
        self.wait_for("complete")
        self.everybody_says("new")

    def test_node_that_refuses(self):
        self.plan(every="1h")
        self.begin()
        self.canary_says_new()
        record = json.loads(self.etcd.get(self.prefix + "config/@rollout"))
        self.hangu("rollout", "abort")
        self.everybody_says("old")
        self.number = "bad"
        key = f"routes/{self.name}"
        record.update(id="bad", state="running", stage=0, begun=False, nodes=[], everyone=False)
        record["documents"] = [
            {"key": key, "before": self.etcd.get(f"{self.prefix}config/{key}"),
             "after": json.dumps(route(self.path, "new"))},
            {"key": "routes/s", "before": None, "after": '{"upstream": "nobody"}'}]
        self.etcd.put(self.prefix + "config/@rollout", record)
        seen = self.wait_for("rolled_back")
        self.assertIn("1 of 1 nodes refuse it; b: routes/s", seen["rollout"]["cause"])
        self.everybody_says("old")


class Losses(RolloutCase):
    shared = False
    session = "3s"

    def kill(self, name):
        self.gateways.pop(name).kill()

    def test_driver_that_is_killed_and_canary_that_starts_again(self):
        self.gateways = self.start_all()
        self.plan(every="6s")
        self.begin()
        self.canary_says_new()
        self.hangu("rollout", "pause")
        self.assertIn("it is paused", self.hangu("rollout", "pause", code=1))
        self.kill("b")
        self.gateways["b"] = self.start("b")
        self.canary_says_new()
        self.kill("a")
        leader = eventually(lambda: next((name for name in self.gateways
                                          if self.fleet(name)["leads"]), None), "another leads")
        self.assertEqual(self.gateways[leader].metrics()["hangu_fleet_leads"], 1)
        self.assertTrue(self.is_over("paused"))
        self.hangu("rollout", "resume")
        self.wait_for("complete")
        self.everybody_says("new")
        self.assertIn('"new"', self.hangu("config", "get", f"routes/{self.name}"))

    def test_driver_that_was_asleep_does_no_harm(self):
        self.gateways = self.start_all()
        self.plan(every="6s")
        self.begin()
        self.canary_says_new()
        sleeper = self.gateways.pop("a")
        sleeper.process.send_signal(signal.SIGSTOP)
        try:
            self.wait_for("complete")
        finally:
            sleeper.process.send_signal(signal.SIGCONT)
        self.gateways["a"] = sleeper
        self.everybody_says("new")
        leads = lambda: [name for name in self.gateways if self.fleet(name)["leads"]]
        eventually(lambda: len(leads()) == 1 and leads() != ["a"], "one leads")

    def test_canary_that_dies_and_node_that_leaves(self):
        self.gateways = self.start_all(session_timeout="8s")
        self.plan(every="1h", ready_within="5s")
        self.begin()
        self.canary_says_new()
        eventually(lambda: self.seen()["rollout"]["ready"], "it is known to be ready")
        self.kill("b")
        seen = self.wait_for("rolled_back")
        self.assertIn("0 of 1 nodes are ready", seen["rollout"]["cause"])
        self.everybody_says("old")
        self.gateways.pop("a").stop()
        eventually(lambda: [each["node"] for each in self.seen()["nodes"]] == ["c"],
                   "it is gone before its lease is", deadline=4)
        eventually(lambda: self.fleet("c")["leads"], "another leads")

    def test_store_that_goes_away(self):
        self.gateways = self.start_all()
        self.plan(every="1h")
        self.begin()
        self.canary_says_new()
        member = self.etcd.members[0]
        member.kill()
        eventually(lambda: self.fleet("a")["error"], "the store is missed")
        self.canary_says_new()
        member.start()
        eventually(self.etcd.answers, "etcd is back")
        eventually(lambda: all(self.fleet(name)["joined"] for name in "abc"), "all are back")
        self.hangu("rollout", "abort")
        self.everybody_says("old")

    def test_node_that_only_reads(self):
        self.gateways = {"a": self.start("a", member="off")}
        self.push_route(text="old")
        self.everybody_says("old")
        self.assertNotIn("fleet", self.gateways["a"].status()["config_center"])
        self.assertEqual(self.seen()["nodes"], [])


class Services(RolloutCase):
    """Releases of services: the elected node takes their steps, by what all have seen."""

    def push_release(self, **ramp):
        origins = {}
        for version, status in (("v1", 200), ("v2", self.status)):
            origin = Origin()
            self.addCleanup(origin.stop)
            origin.on(self.path, lambda exchange, version=version, status=status: exchange.reply(
                status, {"x-version": version}))
            origins[f"{self.name}-{version}"] = origin
        self.push(
            upstreams=[{"name": name, "endpoints": [origin.endpoint]}
                       for name, origin in origins.items()],
            routes=[{"name": self.name, "match": {"path": {"prefix": self.path}}, "split": {
                "upstreams": [{"upstream": f"{self.name}-v1"},
                              {"upstream": f"{self.name}-v2", "weight": 0}],
                "ramp": {"to": f"{self.name}-v2", "from": 10, "step": 45, "every": "2s", **ramp},
                "guard": {"requests_min": 20, "window": "10s", "p99_floor": "10m"}}}])
        eventually(lambda: all(self.release(name) for name in self.gateways), "all know of it")
        load = Load(list(self.gateways.values()), self.path)
        self.addCleanup(load.stop)

    def release(self, name):
        releases = self.gateways[name].admin("GET", "/releases").json()["releases"]
        return next((each for each in releases if each["route"] == self.name), None)

    def all_are(self, state):
        eventually(lambda: all(self.release(name)["state"] == state for name in self.gateways),
                   f"the release is {state} everywhere")

    def test_good_release_on_all_nodes(self):
        self.status = 200
        self.push_release()
        self.all_are("complete")
        revisions = {self.release(name)["revision"] for name in self.gateways}
        self.assertEqual(len(revisions), 1)
        self.assertIn(self.name, self.etcd.get(self.prefix + "releases"))
        steps = 'hangu_release_decisions_total{{route="{0}",upstream="{0}-v2",decision="step"}}'
        took = [name for name, each in self.gateways.items()
                if each.metrics().get(steps.format(self.name), 0)]
        self.assertEqual(took, [name for name in self.gateways if self.fleet(name)["leads"]])
        for each in self.gateways.values():
            self.assertEqual(each.client().request("GET", self.path).header("x-version"), "v2")

    def test_bad_release_and_order_to_a_node_that_follows(self):
        self.status = 500
        self.push_release(every="1h", **{"from": 30})
        self.all_are("rolled_back")
        self.assertIn("error_ratio", self.release("c")["cause"])
        done = run_hangu("release", "promote", self.name, "--socket", self.gateways["c"].socket)
        self.assertEqual(done.returncode, 0, done.stderr)
        eventually(lambda: all(self.release(name)["actor"] != "guard" for name in self.gateways),
                   "all have heard of the order")


class Signed(RolloutCase):
    shared = False

    def plan(self, **plan):
        super().plan(**plan)
        path = pathlib.Path(self.folder.name, "hangu.yaml")
        config = json.loads(path.read_text("utf-8"))
        config["config_center"]["trusted_keys"] = [self.key("li") + ".pub"]
        path.write_text(json.dumps(config), "utf-8")

    def key(self, name):
        path = pathlib.Path(self.folder.name, f"{name}.key")
        if not path.exists():
            run_hangu("audit", "keygen", path, "--public", f"{path}.pub")
        return str(path)

    def test_signatures(self):
        li, eve = self.key("li"), self.key("eve")
        self.gateways = self.start_all(trusted_keys=[li + ".pub"])
        self.push_route("--key", li, text="1")
        self.everybody_says("1")
        self.assertIn("not trusted", self.push_route("--rollout", "--key", eve, text="2", code=2))
        self.push_route("--rollout", "--key", li, text="2")
        self.wait_for("complete")
        self.everybody_says("2")
        record = json.loads(self.etcd.get(self.prefix + "config/@rollout"))
        self.number = "forged"
        record.update(id="forged", state="running", stage=0, begun=False, nodes=[], everyone=False)
        record["documents"] = [{"key": f"routes/{self.name}", "before": None,
                                "after": json.dumps(route(self.path, "forged"))}]
        self.etcd.put(self.prefix + "config/@rollout", record)
        self.assertIn("not signed", self.wait_for("rolled_back")["rollout"]["cause"])
        self.everybody_says("2")
        # Taken back, an older version is in force again.
        self.push_route("--rollout", "--key", li, text="3")
        self.says(a="2", b="3", c="2")
        self.hangu("rollout", "abort")
        self.everybody_says("2")
        self.push_route("--key", li, text="4")
        self.everybody_says("4")


if __name__ == "__main__":
    unittest.main()
