"""Sessions that the provider ends at one node of a fleet are over at all of them. With a real
etcd."""

import base64
import signal
import time

from support.etcd import Etcd, encoded
from support.logout_case import LogoutCase
from support.wait import eventually


class FleetLogouts(LogoutCase):
    def setUp(self):
        super().setUp()
        self.etcd = Etcd()
        self.addCleanup(self.etcd.stop)

    def node(self, name):
        return self.launch(self.config_with(
            node=name, workers=1, state_dir=str(self.state / name),
            config_center={"endpoints": self.etcd.urls, "timeout": "10s", "prefix": "/fleet/",
                           "session_timeout": "2s"}))

    @staticmethod
    def sharing(gateway):
        return gateway.status()["logouts"]["fleet"]

    def joined(self, name):
        gateway = self.node(name)
        eventually(lambda: self.sharing(gateway)["connected"], "it hears what others hear")
        return gateway

    def stored(self):
        found = self.etcd.ask("kv/range", {"key": encoded("/fleet/logouts/"),
                                           "range_end": encoded("/fleet/logouts0")})
        return found.get("kvs", [])

    def test_told_to_one_it_holds_at_all(self):
        a, b = self.joined("a"), self.joined("b")
        browsers = [self.logged_in_as(a, sid) for sid in ("s1", "s2")]
        browsers.append(self.logged_in_as(a, "s3", "bob"))
        self.assertEqual(self.statuses(browsers, b), [200, 200, 200])
        token = self.log_out(a, sid="s1")
        self.assertEqual(self.statuses(browsers, a), [302, 200, 200])
        eventually(lambda: self.statuses(browsers, b) == [302, 200, 200], "b knows it")
        self.log_out(b, sub="bob")
        self.assertEqual(self.statuses(browsers, b), [302, 200, 302])
        eventually(lambda: self.statuses(browsers, a) == [302, 200, 302], "a knows it")

        # Nobody's name is in the store, and everything there ends by itself.
        eventually(lambda: len(self.stored()) == 5, "all is in the store")
        for each in self.stored():
            text = base64.b64decode(each["key"]) + b" " + base64.b64decode(each["value"])
            for name in (b"ann", b"bob", b"s1"):
                self.assertNotIn(name, text.removeprefix(b"/fleet/logouts/"))
            self.assertGreater(int(each["lease"]), 0)
        self.assertEqual(a.metrics()["hangu_fleet_logouts_waiting"], 0)
        self.assertEqual(a.metrics()["hangu_fleet_logouts_shared_total"], 3)

        # A node that comes later knows it before it is told anything, and the tokens as well.
        c = self.joined("c")
        self.assertEqual(self.statuses(browsers, c), [302, 200, 302])
        self.assertEqual(self.refused(c, token), "replayed")

    def test_the_store_is_away(self):
        a, b = self.joined("a"), self.joined("b")
        browsers = [self.logged_in_as(a, sid) for sid in ("s1", "s2")]
        self.etcd.members[0].kill()
        eventually(lambda: not self.sharing(a)["connected"], "a has lost the store")
        self.log_out(a, sid="s1")
        self.assertEqual(self.statuses(browsers, a), [302, 200])
        eventually(lambda: self.sharing(a)["waiting"] == 3 and self.sharing(a)["error"], "it waits")
        self.assertEqual(self.statuses(browsers, b), [200, 200])
        self.etcd.members[0].start()
        eventually(lambda: self.statuses(browsers, b) == [302, 200], "b knows it")
        eventually(lambda: self.sharing(a)["waiting"] == 0, "nothing waits")
        self.assertEqual(self.statuses(browsers, a), [302, 200])

    def test_a_process_that_could_not_tell_it(self):
        self.etcd.put("/fleet/config/routes/kept", {
            "match": {"path": {"prefix": "/kept"}}, "respond": {"status": 200}})
        a, b = self.joined("a"), self.joined("b")
        browsers = [self.logged_in_as(a, sid) for sid in ("s1", "s2")]
        eventually((self.state / "a" / "config-cache").exists, "a can start without the store")
        self.etcd.members[0].kill()
        self.log_out(a, sid="s1")
        self.journal = self.state / "a" / "logouts"
        self.wait_for_records(3)
        a.kill()
        a = self.node("a")
        self.assertEqual(self.statuses(browsers, a), [302, 200])
        self.assertEqual(self.statuses(browsers, b), [200, 200])
        self.etcd.members[0].start()
        eventually(lambda: self.statuses(browsers, b) == [302, 200], "b knows it")

    def test_a_process_that_is_told_last_of_all(self):
        """It ends for good, and tells the others before it does."""
        b = self.joined("b")
        for attempt in range(1, 4):
            a = self.joined(f"a{attempt}")
            browsers = [self.logged_in_as(a, f"s{attempt}"), self.logged_in_as(a, "stays")]
            self.assertEqual(self.statuses(browsers, b), [200, 200])
            self.log_out(a, sid=f"s{attempt}")
            a.send_signal(signal.SIGQUIT)
            self.assertEqual(a.wait(), 0)
            if "event=fleet_logouts_left" not in a.stderr:  # the store was quick enough
                break
        self.assertEqual(len(self.stored()), 3)
        eventually(lambda: self.statuses(browsers, b) == [302, 200], "b knows it")

    def test_a_store_that_is_away_keeps_nobody_from_ending(self):
        a = self.joined("a")
        browsers = [self.logged_in_as(a, "s1")]
        self.etcd.members[0].kill()
        self.log_out(a, sid="s1")
        self.assertEqual(self.statuses(browsers, a), [302])
        a.send_signal(signal.SIGTERM)
        began = time.monotonic()
        self.assertEqual(a.wait(), 0)
        self.assertLess(time.monotonic() - began, 15)
        self.assertIn("event=fleet_logouts_left waiting=3", a.stderr)
