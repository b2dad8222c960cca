"""What the elected node sees to for the whole fleet: keys of TLS session tickets and of login
sessions that all nodes have in common, and alarms about certificates. With a real etcd."""

import pathlib
import shutil
import signal
import ssl
import tempfile

from support.certificates import Authority
from support.etcd import Etcd
from support.gateway import Gateway, run_hangu
from support.json_log import records_of
from support.oidc_case import OidcCase
from support.wait import eventually

SECRET = "the secret that the whole fleet has"
OTHER = "a secret that the fleet does not have"


class FleetCase(OidcCase):
    """One etcd a class, a prefix a test. The first node started leads."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.etcd = Etcd()
        cls.addClassCleanup(cls.etcd.stop)
        cls.ca = Authority()
        cls.addClassCleanup(cls.ca.remove)
        cls.pair = cls.ca.issue(["DNS:test.example"])

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-fleet-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.prefix = f"/{self.id().rsplit('.', 1)[-1]}/"

    def node(self, name, secret=SECRET, pair=None, fleet=True, session="15s", **keys):
        config = self.config_with(
            {"secrets": [], "idle_timeout": "18s"}, node=name, workers=1,
            state_dir=str(self.folder / name), audit={"path": "@FOLDER@/audit.log"})
        config["listeners"].append(
            {"name": "secure", "bind": "127.0.0.1:0",
             "tls": {"certificates": [(pair or self.pair).files]}})
        if fleet:
            config["config_center"] = {
                "endpoints": self.etcd.urls, "timeout": "10s", "prefix": self.prefix,
                "session_timeout": session, "keys": {"secrets": [secret], **keys}}
        gateway = Gateway(config)
        self.addCleanup(self.end, gateway)
        return gateway

    @staticmethod
    def end(gateway):
        if gateway.folder.exists():
            gateway.stop()

    @staticmethod
    def fleet(gateway):
        return gateway.status()["config_center"]["fleet"]

    def keys(self, gateway):
        return self.fleet(gateway)["shared_keys"]

    def wait_for_keys(self, *gateways):
        """All have the same ones."""
        def same():
            seen = [self.keys(each) for each in gateways]
            return all(each["generation"] and each == seen[0] for each in seen) and seen[0]
        return eventually(same, "all have the same keys")

    @staticmethod
    def leads(gateway):
        return FleetCase.fleet(gateway)["leads"]

    def context(self, version=ssl.TLSVersion.TLSv1_2):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca.cert)
        context.minimum_version = context.maximum_version = version
        return context

    def tls(self, gateway, context, session=None):
        """The session of a new connection, and whether it goes on with the one given."""
        client = gateway.client("secure", tls=context, server_name="test.example", session=session)
        client.request("GET", "/")
        return client.wire.socket.session, client.wire.socket.session_reused


class Keys(FleetCase):
    @staticmethod
    def audited(gateway):
        """Records of what was refused."""
        return [each for each in records_of(gateway.folder / "audit.log")
                if each["event"] == "config.refuse"]

    def resumes(self, gateway, context, session):
        return self.tls(gateway, context, session)[1]

    def goes_on(self, browser, gateway):
        browser.connect = lambda: gateway.client()
        return browser.request("/").status == 200

    def test_a_client_goes_on_at_any_node(self):
        short = {"session": "2s", "rotation": "3s", "lead": "1s", "keep": "18s"}
        a, b = self.node("a", **short), self.node("b", **short)
        self.wait_for_keys(a, b)
        sessions = []
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context(version)
            sessions.append((context, self.tls(a, context)[0]))
        browser = self.logged_in(a)
        for context, session in sessions:
            self.assertTrue(self.resumes(b, context, session))
        self.assertTrue(self.goes_on(browser, b))

        # Another key seals: what the one before has sealed is good, open connections stay.
        kept = b.client("secure", tls=self.context(), server_name="test.example")
        kept.request("GET", "/")
        sealing = self.keys(a)["sealing"]
        eventually(lambda: sealing not in (self.keys(a)["sealing"], self.keys(b)["sealing"]),
                   "another key seals")
        for context, session in sessions:
            self.assertTrue(self.resumes(a, context, session))
            self.assertTrue(self.resumes(b, context, session))
        self.assertTrue(self.goes_on(browser, a))
        kept.request("GET", "/")

        # Whoever led is killed: the other one goes on.
        a.kill()
        eventually(lambda: self.leads(b), "the other one leads")
        sealing, generation = self.keys(b)["sealing"], self.keys(b)["generation"]
        eventually(lambda: self.keys(b)["sealing"] != sealing, "it makes keys, too")
        self.assertGreater(self.keys(b)["generation"], generation)
        self.assertIn("shared keys: generation", run_hangu(
            "status", "--config", b.config_path).stdout)

    def test_keys_outlive_processes_and_an_absent_store(self):
        self.etcd.put(self.prefix + "config/routes/kept", {
            "match": {"path": {"prefix": "/kept"}}, "respond": {"status": 200}})
        a = self.node("a")
        self.wait_for_keys(a)
        context = self.context()
        session, _ = self.tls(a, context)
        browser = self.logged_in(a)
        path = self.folder / "a" / "fleet-keys"
        text = eventually(lambda: path.exists() and path.read_text(), "they are on the disk")
        eventually((self.folder / "a" / "config-cache").exists, "so are the documents")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(text, self.etcd.get(self.prefix + "keys"))
        a.kill()
        self.etcd.members[0].kill()
        try:
            a = self.node("a")
            self.assertTrue(self.resumes(a, context, session))
            self.assertTrue(self.goes_on(browser, a))
        finally:
            self.etcd.members[0].start()
            eventually(self.etcd.answers, "etcd is back")

    def test_a_wrong_secret_is_told_and_does_no_damage(self):
        a = self.node("a", session="2s")
        self.wait_for_keys(a)
        keys = self.etcd.get(self.prefix + "keys")
        wrong = self.node("wrong", secret=OTHER, session="2s")
        eventually(lambda: self.keys(wrong)["error"], "it cannot read them")
        self.assertEqual(wrong.metrics()["hangu_shared_keys_refused"], 1)
        self.assertEqual(wrong.metrics()["hangu_shared_keys_generation"], 0)
        self.assertIn("shared_keys_refused", wrong.stderr)
        self.assertNotIn(OTHER, wrong.stderr)
        eventually(lambda: [one for one in self.audited(wrong) if one.get("object") == "keys"],
                   "it is in the audit log")
        context = self.context()
        session, _ = self.tls(wrong, context)
        self.assertTrue(self.resumes(wrong, context, session))  # with keys of its own
        self.assertFalse(self.resumes(a, context, session))
        # It leads when there is nobody else, leaves the keys alone, and makes room.
        a.kill()
        eventually(lambda: self.leads(wrong), "it leads")
        self.assertEqual(self.etcd.get(self.prefix + "keys"), keys)
        a = self.node("a", session="2s")
        eventually(lambda: self.leads(a), "it makes room for whoever can read them")
        self.assertEqual(self.etcd.get(self.prefix + "keys"), keys)
        self.assertEqual(self.keys(a)["error"], "")
        # Tampered with: what is in force stays, and nobody writes over it in a hurry.
        bad = keys[:30] + ("A" if keys[30] != "A" else "B") + keys[31:]
        self.etcd.put(self.prefix + "keys", bad)
        eventually(lambda: self.keys(a)["error"], "it is told")
        context = self.context()
        session, _ = self.tls(a, context)
        self.assertTrue(self.resumes(a, context, session))
        self.assertEqual(self.etcd.get(self.prefix + "keys"), bad)

    def test_a_refusal_is_in_the_audit_log_of_the_next_process_as_well(self):
        a = self.node("a")
        self.wait_for_keys(a)
        wrong = self.node("wrong", secret=OTHER)
        eventually(lambda: len(self.audited(wrong)) == 1, "it is in the audit log")
        done = run_hangu("upgrade", "--socket", wrong.socket)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        eventually(lambda: len(self.audited(wrong)) == 2, "the next process has the same secret")

    def test_a_wrong_secret_does_not_take_a_store_that_was_emptied(self):
        a = self.node("a")
        before = self.wait_for_keys(a)
        wrong = self.node("wrong", secret=OTHER)
        eventually(lambda: self.keys(wrong)["error"], "it cannot read them")
        a.send_signal(signal.SIGSTOP)
        self.addCleanup(a.send_signal, signal.SIGCONT)
        self.etcd.wipe()
        eventually(lambda: self.leads(wrong), "it is the first one that is back")
        a.send_signal(signal.SIGCONT)
        eventually(lambda: self.leads(a), "it makes room for whoever has the keys")
        eventually(lambda: self.keys(wrong)["error"], "they are in the store again")
        self.assertEqual(self.keys(a), before)
        self.assertEqual(a.stderr.count("shared_keys_refused"), 0)


class Certificates(FleetCase):
    def alarms(self, gateway):
        return gateway.status().get("certificate_alarms", [])

    def pair_that_ends(self, days):
        """As files that can be renewed."""
        issued = self.ca.issue(["DNS:test.example"], days=days)
        for name in ("cert", "key"):
            draft = self.folder / f"{name}.new"
            shutil.copy(getattr(issued, name), draft)
            draft.rename(self.folder / name)
        issued.cert, issued.key = str(self.folder / "cert"), str(self.folder / "key")
        return issued

    def test_one_alarm_for_the_whole_fleet(self):
        pair = self.pair_that_ends(3)
        a, b = self.node("a", pair=pair), self.node("b", pair=pair)
        for each in (a, b):
            found = eventually(lambda node=each: next(
                (one for one in self.alarms(node) if one["nodes"] == ["a", "b"]), None), "an alarm")
            self.assertIn(found["days_left"], (2, 3))
            self.assertEqual(len(self.alarms(each)), 1)
            metrics = each.metrics()
            self.assertEqual(metrics["hangu_certificate_alarms"], 1)
            self.assertLess(metrics["hangu_certificate_first_end_seconds"], 3 * 86400 + 1)
        self.assertEqual((a.stderr + b.stderr).count("certificate_alarm "), 1)
        self.assertIn("test.example", run_hangu("status", "--config", a.config_path).stdout)
        self.assertIn("certificate CN=test.example ends", run_hangu(
            "rollout", "status", "--config", a.config_path).stdout)
        self.pair_that_ends(90)
        for each in (a, b):
            eventually(lambda node=each: not self.alarms(node), "it is renewed")
            self.assertGreater(each.metrics()["hangu_certificate_first_end_seconds"], 80 * 86400)
        self.assertEqual((a.stderr + b.stderr).count("certificate_alarm_over"), 1)

    def test_a_node_alone_raises_its_own(self):
        alone = self.node("alone", pair=self.pair_that_ends(3), fleet=False)
        found, = eventually(lambda: self.alarms(alone), "an alarm")
        self.assertEqual(found["nodes"], ["alone"])
        self.pair_that_ends(90)
        eventually(lambda: not self.alarms(alone), "it is renewed")
        self.assertEqual(alone.stderr.count("certificate_alarm "), 1)
        self.assertIn("certificate_alarm_over", alone.stderr)
