"""Administrators of the admin API: roles, sessions, lockouts, and their traces in the audit log."""

import base64
import os
import pwd
import subprocess

from support.case import GatewayCase
from support.gateway import BINARY, make_config
from support.json_log import records_of
from support.wait import eventually


def hash_of(password):
    done = subprocess.run([BINARY, "hash-password"], input=password + "\n", capture_output=True,
                          text=True, check=True, timeout=60)
    return done.stdout.strip()


def basic(name, password):
    return ("Authorization",
            "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())


class Administrators(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hashes = {name: hash_of(name + "-pw") for name in ("sys", "sec", "aud")}

    def begin(self, **admin):
        people = [{"name": "sys", "role": "sysadmin", "hash": self.hashes["sys"]},
                  {"name": "sec", "role": "secadmin", "hash": self.hashes["sec"]},
                  {"name": "aud", "role": "auditor", "hash": self.hashes["aud"]}]
        self.admin = {"administrators": people, "attempts": 3, **admin}
        return self.start(self.with_administrators())

    def with_administrators(self):
        return make_config(self.origin, audit={"path": "@FOLDER@/audit.log"},
                           admin={"socket": "@FOLDER@/admin.sock", **self.admin})

    def assert_refused(self, reply, status, code):
        self.assertEqual((reply.status, reply.json()["code"]), (status, code), reply.body)

    def token(self, gateway, name):
        reply = gateway.admin("POST", "/login", [basic(name, name + "-pw")])
        self.assertEqual(reply.status, 200, reply.body)
        return ("Authorization", "Bearer " + reply.json()["token"])

    def audited(self, gateway, event):
        def records():
            return [record for record in records_of(gateway.folder / "audit.log")
                    if record["event"] == event]

        return eventually(records, event)

    def test_nobody_in_particular_sees_only_whether_it_lives(self):
        gateway = self.begin()
        for path in ("/health", "/ready", "/metrics", "/"):
            self.assertEqual(gateway.admin("GET", path).status, 200, path)
        for method, path in (("GET", "/status"), ("GET", "/config"), ("POST", "/reload"),
                             ("POST", "/audit/reading?kind=read"), ("POST", "/plugin")):
            reply = gateway.admin(method, path)
            self.assert_refused(reply, 401, "admin.unknown")
            self.assertEqual(reply.header("www-authenticate"), 'Bearer realm="hangu"')
        denied = self.audited(gateway, "admin.deny")
        self.assertIn("GET /status", [record["object"] for record in denied])
        self.assertTrue(denied[0]["actor"].startswith("uid="))

    def test_roles_exclude_each_other(self):
        gateway = self.begin()
        tokens = {name: self.token(gateway, name) for name in ("sys", "sec", "aud")}
        order = f"/endpoint?upstream=origin&endpoint={self.origin.endpoint}&order=drain"
        for method, target, allowed in (
                ("GET", "/status", ("sys", "sec", "aud")),
                ("GET", "/config", ("sys", "sec", "aud")),
                ("POST", order, ("sys",)), ("POST", "/reload", ("sys", "sec")),
                ("POST", "/audit/reading?kind=read&what=x", ("aud",))):
            for name, token in tokens.items():
                with self.subTest(target=target, name=name):
                    reply = gateway.admin(method, target, [token])
                    if name in allowed:
                        self.assertEqual(reply.status, 200, reply.body)
                    else:
                        self.assert_refused(reply, 403, "admin.forbidden")
        self.assertEqual(gateway.admin("GET", "/session", [tokens["aud"]]).json()["role"],
                         "auditor")
        ordered = self.audited(gateway, "endpoint.order")[0]
        self.assertTrue(ordered["actor"].startswith("sys uid="), ordered)
        self.assertEqual(ordered["detail"], "drain")
        eventually(lambda: any(record["actor"].startswith("sec ")
                               for record in self.audited(gateway, "config.apply")),
                   "who reloaded is recorded")
        self.assertNotIn("-pw", (gateway.folder / "audit.log").read_text())

    def test_wrong_passwords_lock_out(self):
        gateway = self.begin()
        for status, code in ((401, "admin.bad_login"), (401, "admin.bad_login"),
                             (429, "admin.locked"), (429, "admin.locked")):
            reply = gateway.admin("POST", "/login", [basic("sec", "guess")])
            self.assert_refused(reply, status, code)
        self.assertGreater(int(reply.header("retry-after")), 1000)
        self.assert_refused(gateway.admin("POST", "/login", [basic("sec", "sec-pw")]), 429,
                            "admin.locked")
        self.token(gateway, "aud")
        self.assertEqual(self.audited(gateway, "admin.lockout")[0]["object"], "sec")
        eventually(lambda: {record["result"] for record in self.audited(gateway, "admin.login")} ==
                   {"denied", "ok"}, "both outcomes are recorded")

    def test_idle_sessions_end_by_themselves(self):
        gateway = self.begin(idle_timeout="10s")
        token = self.token(gateway, "sys")
        self.assertEqual(gateway.admin("GET", "/status", [token]).status, 200)
        ended = self.audited(gateway, "admin.logout")  # without a request
        self.assertEqual((ended[0]["object"], ended[0]["reason"]), ("sys", "idle"))
        self.assert_refused(gateway.admin("GET", "/status", [token]), 401, "admin.unknown")

    def test_a_reload_that_takes_an_administrator_ends_the_session(self):
        gateway = self.begin()
        gone, stays = self.token(gateway, "sec"), self.token(gateway, "sys")
        self.admin["administrators"] = self.admin["administrators"][:1]
        gateway.write_config(self.with_administrators())
        self.assertEqual(gateway.admin("POST", "/reload", [stays]).status, 200)
        self.assert_refused(gateway.admin("GET", "/status", [gone]), 401, "admin.unknown")
        self.assertEqual(gateway.admin("GET", "/status", [stays]).status, 200)

    def test_an_account_of_this_machine_needs_no_login(self):
        account = pwd.getpwuid(os.getuid()).pw_name
        gateway = self.begin(administrators=[{"name": "me", "role": "auditor", "account": account}])
        self.assertEqual(gateway.admin("GET", "/session").json()["name"], "me")
        self.assertEqual(gateway.admin("GET", "/status").status, 200)
        self.assert_refused(gateway.admin("POST", "/reload"), 403, "admin.forbidden")

    def test_the_command_line_logs_in_and_out(self):
        gateway = self.begin()
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(gateway.folder / "run")}
        socket = ["--socket", gateway.socket]

        def hangu(*arguments, text=None):
            return subprocess.run([BINARY, *map(str, arguments), *socket], input=text or "",
                                  capture_output=True, text=True, env=environment, timeout=60,
                                  check=False)

        before = hangu("status")
        self.assertEqual(before.returncode, 1)
        self.assertIn("hangu login", before.stderr)
        self.assertIn("not that password", hangu("login", "aud", text="x\n").stderr)
        done = hangu("login", "aud", text="aud-pw\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("aud (auditor)", done.stdout)
        kept = list((gateway.folder / "run" / "hangu").iterdir())
        self.assertEqual([path.stat().st_mode & 0o777 for path in kept], [0o600])
        self.assertEqual(hangu("status").returncode, 0)
        self.assertIn("not with that role", hangu("reload").stderr)
        self.assertEqual(hangu("audit", "grep", "--log", gateway.folder / "audit.log").returncode,
                         0)
        self.assertEqual(hangu("logout").returncode, 0)
        self.assertEqual(hangu("status").returncode, 1)
        refused = hangu("audit", "grep", "--log", gateway.folder / "audit.log")
        self.assertEqual(refused.returncode, 1)
        self.assertEqual(refused.stdout, "")
