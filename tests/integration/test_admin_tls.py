"""The admin API over TLS: with a certificate that is renewed, for callers who have one or none."""

import json
import shutil
import ssl

from support.case import GatewayCase
from support.certificates import Authority
from support.client import Client
from support.gateway import make_config, run_hangu
from support.origin import bound
from support.wait import eventually
from support.wire import Ended


class Tls(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = Authority()
        cls.addClassCleanup(shutil.rmtree, cls.authority.folder, True)
        cls.server = cls.authority.issue(["DNS:admin.example"])
        cls.operator = cls.authority.issue(["DNS:li.example"], subject="li-wei")

    def begin(self, **tls):
        kept = bound("127.0.0.1", 0)  # the gateway listens beside it
        self.addCleanup(kept.close)
        self.port = kept.getsockname()[1]
        return self.start(make_config(
            self.origin, audit={"path": "@FOLDER@/audit.log"},
            admin={"socket": "@FOLDER@/admin.sock", "tcp": f"127.0.0.1:{self.port}",
                   "tls": {**self.server.files, **tls}}))

    def context(self, pair=None):
        context = ssl.create_default_context(cafile=self.authority.cert)
        if pair:
            context.load_cert_chain(pair.cert, pair.key)
        return context

    def ask(self, method, target, pair=None, context=None):
        with Client(("127.0.0.1", self.port), tls=context or self.context(pair),
                    server_name="admin.example") as client:
            return client.request(method, target)

    def test_it_is_encrypted_and_nothing_else(self):
        gateway = self.begin()
        self.assertEqual(self.ask("GET", "/ready").status, 200)
        with Client(("127.0.0.1", self.port), tls=self.context(),
                    server_name="admin.example") as client:
            for _ in range(3):  # on one connection
                self.assertEqual(client.request("GET", "/status").json()["pid"], gateway.pid)
        with Client(("127.0.0.1", self.port)) as client:
            with self.assertRaises((Ended, OSError)):
                client.request("GET", "/ready")
        self.assertEqual(gateway.admin("GET", "/ready").status, 200)  # the socket as ever
        with self.assertRaises(ssl.SSLError):
            with Client(("127.0.0.1", self.port), tls=self.context(),
                        server_name="other.example"):
                pass

    def test_callers_show_a_certificate(self):
        gateway = self.begin(client_ca=self.authority.cert)
        self.assertEqual(self.ask("POST", "/reload", self.operator).status, 200)
        with self.assertRaises((Ended, OSError)):
            self.ask("GET", "/ready")
        other = Authority("another one")
        self.addCleanup(shutil.rmtree, other.folder, True)
        with self.assertRaises((Ended, OSError)):
            self.ask("GET", "/ready", other.issue(["DNS:li.example"]))
        eventually(lambda: "cert=/CN=li-wei" in (gateway.folder / "audit.log").read_text(),
                   "who reloaded is recorded")

    def test_a_certificate_is_renewed_without_a_reload(self):
        folder = self.authority.folder
        for name in ("cert", "key"):
            shutil.copy(getattr(self.server, name), folder / f"admin.{name}")
        gateway = self.begin(cert=str(folder / "admin.cert"), key=str(folder / "admin.key"))

        def serial():
            with Client(("127.0.0.1", self.port), tls=self.context(),
                        server_name="admin.example") as client:
                return client.wire.socket.getpeercert()["serialNumber"]

        before = serial()
        (folder / "admin.cert").write_text("not one", "ascii")
        self.assertEqual(serial(), before)
        self.assertIn("admin_certificate_unusable", gateway.stderr)
        renewed = self.authority.issue(["DNS:admin.example"])
        shutil.copy(renewed.key, folder / "admin.key")
        shutil.copy(renewed.cert, folder / "admin.cert")
        self.assertNotEqual(serial(), before)

    def hangu(self, *arguments, code=0):
        done = run_hangu(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def test_commands_over_the_network(self):
        self.begin(client_ca=self.authority.cert)
        remote = ("--socket", f"https://localhost:{self.port}")
        mine = ("--cert", self.operator.cert, "--cert-key", self.operator.key)
        said = self.hangu("status", *remote, "--ca", self.authority.cert, *mine, code=1)
        self.assertIn("TLS: ", said)  # a certificate, but not for that name
        served = self.authority.issue(["DNS:localhost"])
        gateway = self.begin(client_ca=self.authority.cert, **served.files)
        remote = ("--socket", f"https://localhost:{self.port}", "--ca", self.authority.cert)
        status = json.loads(self.hangu("status", "--json", *remote, *mine))
        self.assertEqual(status["pid"], gateway.pid)
        self.assertIn("live", self.hangu("reload", *remote, *mine))
        self.hangu("status", *remote, code=1)  # shows none
        self.hangu("status", *remote[:2], *mine, code=1)  # an authority that nobody knows
        self.assertIn("go together", self.hangu("status", *remote, *mine[:2], code=1))
        self.assertIn("has none", self.hangu("status", "--socket", gateway.socket, "--ca",
                                            self.authority.cert, code=1))
        self.assertIn("/nowhere.pem", self.hangu(
            "status", *remote, "--cert", "/nowhere.pem", "--cert-key", self.operator.key, code=1))

    def test_files_that_are_none_stop_the_start(self):
        with self.assertRaisesRegex(AssertionError, "admin.tls: .*/none.pem"):
            self.begin(cert="/nowhere/none.pem")
