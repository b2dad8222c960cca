"""The config of a fleet in a real etcd: changes live at once, whatever becomes of the store."""

import json
import pathlib
import tempfile
import threading
import time

from support.case import GatewayCase
from support.certificates import Authority
from support.etcd import Etcd, encoded, tls_context
from support.gateway import Gateway, make_config, run_hangu, sanitized
from support.json_log import records_of
from support.wait import eventually, run_threads
from support.wire import Ended

PREFIX = "/hangu/config/"


def route(path, text, **more):
    return {"match": {"path": {"prefix": path}}, "respond": {"body": text}, **more}


def config(etcd, **center):
    return make_config(state_dir="@FOLDER@/state",
                       config_center={"endpoints": etcd.urls, "timeout": "10s", **center})


class CenterCase(GatewayCase):
    """One etcd a class; each test has keys of its own."""
    @classmethod
    def setUpClass(cls):
        cls.etcd = Etcd()
        cls.addClassCleanup(cls.etcd.stop)
        cls.gateway = Gateway(config(cls.etcd))
        cls.addClassCleanup(cls.gateway.stop)

    def setUp(self):
        if self.gateway:
            self.addCleanup(self.gateway.close_clients)

    def center(self, gateway=None):
        return (gateway or self.gateway).status()["config_center"]

    def says(self, path, text, gateway=None):
        """Waits until this is the answer."""
        client = (gateway or self.gateway).client()
        eventually(lambda: client.request("GET", path).body == text.encode(), f"{path}: {text}")

    def is_refused(self, key, gateway=None):
        return eventually(lambda: next((each["reason"] for each in self.center(gateway)["refused"]
                                        if each["key"] == key), None), f"{key} is refused")


class Changes(CenterCase):
    def test_put_and_removal_are_live_at_once(self):
        self.etcd.put(PREFIX + "routes/stays", route("/stays", "here"))
        self.says("/stays", "here")
        client = self.client()
        times = []
        for number in range(10):
            begin = time.monotonic()
            self.etcd.put(PREFIX + "routes/live", route("/live", f"v{number}"))
            eventually(lambda n=number: client.request("GET", "/live").body == b"v%d" % n, "live")
            times.append(time.monotonic() - begin)
        if not sanitized():
            self.assertLess(sorted(times)[5], 0.5, times)
        self.etcd.delete(PREFIX + "routes/live")
        eventually(lambda: client.request("GET", "/live").status == 404, "it is gone")

    def test_elements_refer_to_each_other_in_any_order(self):
        origin = self.start_origin()
        self.etcd.put(PREFIX + "routes/users", {"match": {"path": {"prefix": "/users"}},
                                                "upstream": "users"})
        self.assertIn("users", self.is_refused("routes/users"))
        self.etcd.put(PREFIX + "upstreams/users", {"endpoints": [origin.endpoint]})
        eventually(lambda: self.ask("GET", "/users").status == 200, "the upstream has come")
        self.etcd.delete(PREFIX + "upstreams/users")
        self.assertIn("routes/users", self.is_refused("upstreams/users"))
        self.assertEqual(self.ask("GET", "/users").status, 200)
        self.etcd.delete(PREFIX + "routes/users")
        eventually(lambda: "users" not in json.dumps(self.gateway.status()["upstreams"]),
                   "both have gone")

    def test_bad_document_changes_nothing_and_is_reported(self):
        self.etcd.put(PREFIX + "routes/bad", route("/bad", "good"))
        self.says("/bad", "good")
        self.etcd.put(PREFIX + "routes/bad", {"match": 5, "respond": {"body": "x"}})
        self.assertIn("E0110", self.is_refused("routes/bad"))
        self.assertEqual(self.ask("GET", "/bad").body, b"good")
        self.assertEqual(self.gateway.metrics()["hangu_config_center_refused_documents"], 1)
        shown = run_hangu("status", "--socket", self.gateway.socket).stdout
        self.assertIn("refused routes/bad: E0110", shown)
        self.etcd.put(PREFIX + "routes/bad", route("/bad", "better"))
        self.says("/bad", "better")
        self.assertNotIn("routes/bad", json.dumps(self.center()["refused"]))

    def test_keys_that_are_none(self):
        self.etcd.put(PREFIX + "listeners/web", {"bind": "127.0.0.1:0"})
        self.assertIn("lists are", self.is_refused("listeners/web"))
        self.etcd.delete(PREFIX + "listeners/web")
        eventually(lambda: "listeners/web" not in json.dumps(self.center()["refused"]), "forgotten")

    def test_many_at_once_are_few_reloads(self):
        before = self.gateway.status()["generation"]
        for number in range(200):
            self.etcd.put(f"{PREFIX}routes/many{number}", route(f"/many{number}", str(number)))
        self.says("/many199", "199")
        self.assertLessEqual(self.gateway.status()["generation"] - before, 200)
        self.assertGreaterEqual(self.center()["documents"], 200)

    def test_reload_of_the_file_keeps_documents(self):
        self.etcd.put(PREFIX + "routes/kept", route("/kept", "yes"))
        self.says("/kept", "yes")
        self.assertEqual(self.gateway.reload().returncode, 0)
        self.assertEqual(self.ask("GET", "/kept").body, b"yes")

    def test_history_that_is_compacted(self):
        self.etcd.put(PREFIX + "routes/compacted", route("/compacted", "1"))
        self.says("/compacted", "1")
        member = self.etcd.members[0]
        member.kill()
        eventually(lambda: not self.center()["connected"], "the store is missed")
        self.assertEqual(self.ask("GET", "/compacted").body, b"1")
        member.start()
        eventually(self.etcd.answers, "etcd is back")
        self.etcd.put(PREFIX + "routes/compacted", route("/compacted", "2"))
        self.etcd.compact()
        self.says("/compacted", "2")


class Loss(CenterCase):
    def test_wiped_store_takes_nothing_away(self):
        self.etcd.put(PREFIX + "routes/first", route("/first", "1"))
        self.says("/first", "1")
        self.etcd.wipe()
        eventually(lambda: self.center()["lost_store"], "the loss is seen")
        self.assertEqual(self.ask("GET", "/first").body, b"1")
        self.assertEqual(self.center()["documents"], 1)
        self.etcd.put(PREFIX + "routes/second", route("/second", "2"))
        self.says("/second", "2")
        eventually(lambda: not self.center()["lost_store"], "the store is a store again")
        self.assertEqual(self.ask("GET", "/first").body, b"1")

    def test_empty_is_confirmed(self):
        etcd = Etcd()
        self.addCleanup(etcd.stop)
        gateway = self.start(config(etcd, confirm_empty=True))
        etcd.put(PREFIX + "routes/a", route("/a", "1"))
        self.says("/a", "1", gateway)
        etcd.delete(PREFIX, prefix=True)
        client = gateway.client()
        eventually(lambda: client.request("GET", "/a").status == 404, "it is empty")


class Cache(CenterCase):
    def start_again(self, etcd, secret):
        folder = tempfile.TemporaryDirectory(prefix="hangu-test-")
        self.addCleanup(folder.cleanup)
        made = config(etcd, cache_key=secret) if secret else config(etcd)
        made["state_dir"] = folder.name
        return made

    def test_start_without_store(self):
        for secret in ("", "a secret of some length"):
            etcd = Etcd()
            self.addCleanup(etcd.stop)
            etcd.put(PREFIX + "routes/a", route("/a", "cached"))
            etcd.put(PREFIX + "routes/b", route("/b", "good"))
            made = self.start_again(etcd, secret)
            first = Gateway(made)
            self.says("/a", "cached", first)
            etcd.put(PREFIX + "routes/b", {"match": 5})
            self.is_refused("routes/b", first)
            first.close_clients()
            first.stop()
            text = pathlib.Path(made["state_dir"], "config-cache").read_text("utf-8")
            self.assertEqual("cached" in text, not secret)
            etcd.members[0].kill()
            second = self.start(made)
            self.assertEqual(second.client().request("GET", "/a").body, b"cached")
            self.assertEqual(second.client().request("GET", "/b").body, b"good")
            self.assertTrue(self.center(second)["from_cache"])
            etcd.members[0].start()
            eventually(etcd.answers, "etcd is back")
            etcd.put(PREFIX + "routes/a", route("/a", "fresh"))
            self.says("/a", "fresh", second)
            self.assertFalse(self.center(second)["from_cache"])

    def test_not_ready_without_store_and_cache(self):
        etcd = Etcd()
        self.addCleanup(etcd.stop)
        etcd.put(PREFIX + "routes/a", route("/a", "late"))
        etcd.members[0].kill()
        made = threading.Thread(target=self.start_late, args=(etcd,))
        made.start()
        self.assertFalse(made.join(1.5), "it waits")
        self.assertTrue(made.is_alive())
        etcd.members[0].start()
        made.join(60)
        self.assertEqual(self.late, b"late")

    def start_late(self, etcd):
        gateway = self.start(config(etcd))
        self.late = gateway.client().request("GET", "/a").body


class Cluster(CenterCase):
    def test_members_that_die_and_hang(self):
        etcd = Etcd(members=3)
        self.addCleanup(etcd.stop)
        gateway = self.start(config(etcd, timeout="2s"))
        etcd.put(PREFIX + "routes/a", route("/a", "0"))
        self.says("/a", "0", gateway)
        stopping = threading.Event()
        failures = []

        def ask_on():
            with_client = gateway.client()
            while not stopping.is_set():
                try:
                    if with_client.request("GET", "/a").status != 200:
                        failures.append("status")
                except (OSError, Ended) as error:
                    failures.append(error)
                    return

        asking = threading.Thread(target=ask_on)
        asking.start()
        self.addCleanup(stopping.set)
        for number, member in enumerate(etcd.members):
            member.kill()
            eventually(etcd.answers, "two of three answer")
            etcd.put(PREFIX + "routes/a", route("/a", f"k{number}"))
            self.says("/a", f"k{number}", gateway)
            member.start()
        eventually(etcd.answers, "all are back")
        endpoint = self.center(gateway)["endpoint"]
        watched = next(each for each in etcd.members if each.url == endpoint)
        watched.pause()
        self.addCleanup(watched.go_on)
        eventually(etcd.answers, "the others agree")
        etcd.put(PREFIX + "routes/a", route("/a", "hung"))
        self.says("/a", "hung", gateway)
        watched.go_on()
        stopping.set()
        asking.join(30)
        self.assertEqual(failures, [])


class Secured(CenterCase):
    def test_user_and_expired_token(self):
        etcd = Etcd()
        self.addCleanup(etcd.stop)
        for name in ("root", "gateway"):
            etcd.ask("auth/user/add", {"name": name, "password": name + "-secret"})
        etcd.ask("auth/user/grant", {"user": "root", "role": "root"})
        etcd.ask("auth/role/add", {"name": "reader"})
        etcd.ask("auth/role/grant", {"name": "reader", "perm": {
            "permType": "READ", "key": encoded("/hangu/"), "range_end": encoded("/hangu0")}})
        etcd.ask("auth/user/grant", {"user": "gateway", "role": "reader"})
        etcd.ask("auth/enable", {})
        etcd.login("root", "root-secret")
        gateway = self.start(config(etcd, username="gateway", password="gateway-secret"))
        etcd.put(PREFIX + "routes/a", route("/a", "1"))
        self.says("/a", "1", gateway)
        # Simple tokens live in the member's memory: all are gone with it.
        etcd.members[0].kill()
        etcd.members[0].start()
        eventually(lambda: self.login_again(etcd), "etcd is back")
        etcd.put(PREFIX + "routes/a", route("/a", "2"))
        self.says("/a", "2", gateway)

    @staticmethod
    def login_again(etcd):
        try:
            etcd.token = None
            etcd.login("root", "root-secret")
            return True
        except OSError:
            return False

    def test_tls_with_client_certificates(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        server = authority.issue(["IP:127.0.0.1"])
        ours = authority.issue(["DNS:gateway"])
        context = tls_context()
        context.load_cert_chain(ours.cert, ours.key)
        etcd = Etcd(options=["--cert-file", str(server.cert), "--key-file", str(server.key),
                             "--trusted-ca-file", str(authority.cert), "--client-cert-auth"],
                    tls=context)
        self.addCleanup(etcd.stop)
        tls = {"ca": str(authority.cert), "cert": str(ours.cert), "key": str(ours.key)}
        gateway = self.start(config(etcd, tls=tls))
        etcd.put(PREFIX + "routes/a", route("/a", "private"))
        self.says("/a", "private", gateway)


class Verbs(CenterCase):
    """`hangu config`, as operators use it."""
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="hangu-test-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.etcd = Etcd()
        cls.addClassCleanup(cls.etcd.stop)
        cls.keys = {}
        for name in ("li", "wang", "eve", "zhao", "chen"):
            cls.keys[name] = f"{cls.folder.name}/{name}.key"
            done = run_hangu("audit", "keygen", cls.keys[name], "--public",
                             f"{cls.folder.name}/{name}.pub")
            assert done.returncode == 0, done.stderr

    def gateway_with(self, prefix, **center):
        gateway = self.start(config(self.etcd, prefix=prefix, **center))
        return gateway

    def trusted(self, *names):
        return [f"{self.folder.name}/{name}.pub" for name in names]

    def write(self, text):
        path = pathlib.Path(self.folder.name, "push.yaml")
        path.write_text(text if isinstance(text, str) else json.dumps(text), "utf-8")
        return str(path)

    def hangu(self, gateway, *words, code=0):
        done = run_hangu("config", words[0], "--config", gateway.config_path, *words[1:])
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_push_diff_history_rollback(self):
        gateway = self.gateway_with("/verbs/")
        first = self.write("routes:\n"
                           "- name: a  # comments go\n"
                           "  match: {path: {prefix: /a}}\n"
                           "  respond: {body: \"first: 1\"}\n"
                           "- name: b\n"
                           "  match: {path: {prefix: /b}}\n"
                           "  respond:\n"
                           "    body: |\n"
                           "      two\n"
                           "      lines\n")
        shown = self.hangu(gateway, "push", "--dry-run", first)
        self.assertIn("+ routes/a", shown)
        self.assertIn("2 documents would change, generation 0", shown)
        said = self.hangu(gateway, "push", first, "-m", "begin", "-a", "li.wei")
        self.assertIn("generation 1", said)
        self.says("/a", "first: 1", gateway)
        self.says("/b", "two\nlines\n", gateway)
        self.assertIn("0 documents change", self.hangu(gateway, "push", first))
        self.assertIn(f"sequence={int(time.time()) // 100000}",
                      self.hangu(gateway, "get", "routes/a"))
        self.hangu(gateway, "push", "--prune", code=2)
        second = self.write({"routes": [{"name": "a", **route("/a", "second")}]})
        self.hangu(gateway, "push", second, "--if-generation", "0", code=1)
        said = self.hangu(gateway, "push", second, "--prune", "-m", "only a", "--if-generation",
                          "1")
        self.assertIn("- routes/b", said)
        self.says("/a", "second", gateway)
        self.assertIn("li.wei", self.hangu(gateway, "history"))
        self.assertIn("only a", self.hangu(gateway, "history", "2"))
        self.assertIn("routes/a", self.hangu(gateway, "get"))
        self.assertIn("second", self.hangu(gateway, "get", "routes/a"))
        self.hangu(gateway, "rollback", "1")
        self.says("/a", "first: 1", gateway)
        self.says("/b", "two\nlines\n", gateway)
        self.assertIn("rollback to generation 1", self.hangu(gateway, "history"))

    def test_what_gateways_would_refuse_is_not_written(self):
        gateway = self.gateway_with("/checked/")
        bad = self.write({"routes": [{"name": "a", "upstream": "none", "match": {}},
                                     {"name": "b", **route("/b", "b"), "timeout": "soon"}]})
        said = self.hangu(gateway, "push", bad, code=3)
        self.assertIn("routes/a", said)
        self.assertIn("routes/b", said)
        self.assertIn("nothing was written", said)
        said = self.hangu(gateway, "push", self.write("listeners: []\n"), code=3)
        self.assertIn("each gateway's own", said)
        self.assertIsNone(self.etcd.get("/checked/generation"))

    def test_push_of_many(self):
        gateway = self.gateway_with("/many/")
        many = self.write({"routes": [{"name": f"r{n}", **route(f"/r{n}", str(n))}
                                      for n in range(250)]})
        self.assertIn("generation 3", self.hangu(gateway, "push", many))
        self.says("/r249", "249", gateway)
        eventually(lambda: self.center(gateway)["documents"] == 250, "all are there")

    def test_signed_documents_alone_are_believed(self):
        gateway = self.gateway_with("/signed/", trusted_keys=self.trusted("li"))
        pushed = self.write({"routes": [{"name": "a", **route("/a", "1")}]})
        self.assertIn("not signed", self.hangu(gateway, "push", pushed, code=2))
        self.assertIn("not trusted",
                      self.hangu(gateway, "push", pushed, "--key", self.keys["eve"], code=2))
        self.hangu(gateway, "push", pushed, "--key", self.keys["li"])
        self.says("/a", "1", gateway)
        old = self.etcd.get("/signed/config/routes/a")
        self.etcd.put("/signed/config/routes/a", old.replace('"1"', '"2"'))
        self.assertIn("not of this text", self.is_refused("routes/a", gateway))
        self.etcd.put("/signed/config/routes/b", old)
        self.assertIn("not of this text", self.is_refused("routes/b", gateway))
        self.etcd.put("/signed/config/routes/a", old)
        pushed = self.write({"routes": [{"name": "a", **route("/a", "3")}]})
        self.hangu(gateway, "push", pushed, "--key", self.keys["li"])
        self.says("/a", "3", gateway)
        self.etcd.put("/signed/config/routes/a", old)
        self.assertIn("not after", self.is_refused("routes/a", gateway))
        self.etcd.delete("/signed/config/routes/a")
        self.assertEqual(gateway.client().request("GET", "/a").body, b"3")

    def test_two_people(self):
        gateway = self.gateway_with("/two/", trusted_keys=self.trusted("li", "wang"), approvals=2)
        pushed = self.write({"routes": [{"name": "a", **route("/a", "agreed")}]})
        said = self.hangu(gateway, "push", pushed, "--key", self.keys["li"], "-m", "please")
        proposal = said.split("proposal ")[1].split(":")[0]
        self.assertIn("please", self.hangu(gateway, "approve"))
        self.assertIn("+ routes/a", self.hangu(gateway, "approve", proposal))
        self.assertIn("1 of 2", self.hangu(gateway, "approve", proposal, "--key", self.keys["li"]))
        self.assertEqual(gateway.client().request("GET", "/a").status, 404)
        self.hangu(gateway, "approve", proposal, "--key", self.keys["wang"])
        self.says("/a", "agreed", gateway)
        self.assertEqual(self.hangu(gateway, "approve"), "")

    def test_people_who_sign_at_once_do_not_lose_a_signature(self):
        names = ("li", "wang", "zhao", "chen")
        gateway = self.gateway_with("/four/", trusted_keys=self.trusted(*names), approvals=4)
        pushed = self.write({"routes": [{"name": "a", **route("/a", "agreed")}]})
        said = self.hangu(gateway, "push", pushed, "--key", self.keys["li"])
        proposal = said.split("proposal ")[1].split(":")[0]

        def sign(index):
            def signed():
                done = run_hangu("config", "approve", "--config", gateway.config_path, proposal,
                                 "--key", self.keys[names[index + 1]])
                if done.returncode != 0:
                    self.assertIn("in the meantime", done.stderr)
                return done.returncode == 0

            eventually(signed, "it is signed, with what others have signed")

        run_threads(3, sign)
        self.says("/a", "agreed", gateway)


class Upgrades(CenterCase):
    def test_new_process_has_the_documents_and_follows(self):
        for cache in (True, False):
            etcd = Etcd()
            self.addCleanup(etcd.stop)
            etcd.put(PREFIX + "routes/a", route("/a", "old"))
            gateway = self.start(config(etcd, cache=cache))
            self.says("/a", "old", gateway)
            done = run_hangu("upgrade", "--socket", gateway.socket)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(gateway.client().request("GET", "/a").body, b"old")
            etcd.put(PREFIX + "routes/a", route("/a", "new"))
            self.says("/a", "new", gateway)

    def test_what_the_new_process_refuses_is_in_the_audit_log(self):
        etcd = Etcd()
        self.addCleanup(etcd.stop)
        etcd.put(PREFIX + "routes/a", route("/a", "good"))
        etcd.put(PREFIX + "routes/bad", {"match": 7})
        settings = config(etcd)
        gateway = self.start({**settings, "audit": {"path": "@FOLDER@/audit.log"}})

        def refused():
            return [each["object"] for each in records_of(gateway.folder / "audit.log")
                    if each["event"] == "config.refuse"]

        eventually(lambda: refused() == ["routes/bad"], "it is in the audit log")
        done = run_hangu("upgrade", "--socket", gateway.socket)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        eventually(lambda: refused() == ["routes/bad"] * 2, "the next process refuses it as well")
