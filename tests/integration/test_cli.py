"""The command line as operators and scripts meet it: exit codes, what is printed where, demo."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from support.case import GatewayCase
from support.client import Client
from support.gateway import BACKEND, BINARY, ROOT, make_config, run_hangu, socket_address
from support.wait import DEADLINE, eventually

OK, RUNTIME, USAGE, INVALID, REFUSED, CANNOT_BIND = range(6)
GOOD = """version: 1
listeners: [{name: web, bind: "127.0.0.1:0"}]
upstreams: [{name: app, endpoints: ["127.0.0.1:9"]}]
routes:
  - name: users
    match: {path: {prefix: /users}, methods: [GET]}
    upstream: app
    request_headers: {set: {authorization: "Bearer ${TEST_TOKEN}"}}
admin: {socket: /tmp/unused.sock}
"""


class CliCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def file(self, text, name="hangu.yaml"):
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def hangu(self, code, *arguments):
        """Runs it, expects the exit code, and returns (stdout, stderr)."""
        environment = {**os.environ, "TEST_TOKEN": "t0ps3cret", "NO_COLOR": "1"}
        done = run_hangu(*arguments, env=environment, cwd=self.folder)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout, done.stderr


class Check(CliCase):
    def test_good(self):
        out, errors = self.hangu(OK, "check", self.file(GOOD))
        self.assertIn("ok", out)
        self.assertEqual(errors, "")

    def test_sample_configs(self):
        for path in sorted((ROOT / "config").glob("*.yaml")):
            with self.subTest(path.name):
                self.hangu(OK, "check", "--no-files", path)

    def test_without_files(self):
        """A config whose files are on another machine."""
        path = self.file("""
version: 1
stores: [{name: s, url: "redis://127.0.0.1:1", password: "file:/no/such/password"}]
authenticators:
  - name: signed
    signature: {}
consumers:
  - name: c
    signing_keys: [{id: a, algorithm: ed25519, public_key: /no/such/key.pem},
                   {id: b, algorithm: hmac-sha256, secret: "file:/no/such/secret"}]
upstreams: [{name: app, endpoints: [{address: "127.0.0.1:1"}]}]
routes:
  - name: listed
    match: {path: {prefix: /listed}}
    upstream: app
    authentication: {any: [signed]}
    clients: {allow_file: /no/such/allowed}
    openapi: {file: /no/such/api.yaml}
    request_headers: {set: {x-token: "file:/no/such/token"}}
  - name: closed
    match: {path: {prefix: /closed}}
    respond: {status: 503, file: /no/such/page.html}
listeners:
  - {name: web, bind: "127.0.0.1:0", tls: {certificates: [{cert: /no/such/cert, key: /no/key}]}}
""")
        _, errors = self.hangu(INVALID, "check", path)
        for name in ("password", "key.pem", "secret", "allowed", "api.yaml", "token", "page.html"):
            self.assertIn(f"/no/such/{name}", errors)
        out, errors = self.hangu(OK, "check", "--no-files", "--strict", "--print", path)
        self.assertEqual(errors, "")
        for name in ("key.pem", "allowed", "api.yaml", "page.html"):
            self.assertIn(f"/no/such/{name}", out)
        self.assertNotIn("not-read", out)

    def test_search_path(self):
        self.file(GOOD)
        self.hangu(OK, "check")

    def test_errors_say_where_and_what(self):
        path = self.file(GOOD.replace("upstream: app", "upstream: ap").replace("methods", "metods"))
        out, errors = self.hangu(INVALID, "check", path)
        self.assertEqual(out, "")
        self.assertRegex(errors, rf"{re.escape(str(path))}:6:\d+.*E0123")
        self.assertIn('"methods"', errors)
        self.assertRegex(errors, rf"{re.escape(str(path))}:7:\d+.*E0131")
        self.assertIn("^", errors)

    def test_json(self):
        out, _ = self.hangu(INVALID, "check", "--json", self.file(GOOD + "nonsense: 1\n"))
        result = json.loads(out)
        self.assertEqual((result["ok"], result["errors"]), (False, 1))
        self.assertEqual(result["diagnostics"][0]["code"], "E0123")
        out, _ = self.hangu(OK, "check", "--json", self.file(GOOD))
        self.assertTrue(json.loads(out)["ok"])

    def test_missing_file(self):
        _, errors = self.hangu(INVALID, "check", self.folder / "none.yaml")
        self.assertIn("none.yaml", errors)

    def test_print_masks_secrets(self):
        out, _ = self.hangu(OK, "check", "--print", self.file(GOOD))
        self.assertIn("***", out)
        self.assertNotIn("t0ps3cret", out)
        again = self.file(out, "again.yaml")
        self.assertEqual(self.hangu(OK, "check", "--print", again)[0], out)

    def test_strict(self):
        text = GOOD.replace("}]\nroutes:",
                            "}, {name: unused, endpoints: [\"127.0.0.1:9\"]}]\nroutes:")
        self.assertIn("unused", text)
        path = self.file(text)
        _, errors = self.hangu(OK, "check", path)
        self.assertIn("warning", errors)
        self.hangu(INVALID, "check", "--strict", path)


class Explain(CliCase):
    def test_route(self):
        out, _ = self.hangu(OK, "explain", "GET", "http://a.example/users/1", "-c", self.file(GOOD))
        self.assertIn("users", out)
        self.assertNotIn("t0ps3cret", out)

    def test_json(self):
        path = self.file(GOOD)
        for method, url, outcome in (("GET", "http://a/users/1", "matched"),
                                     ("PUT", "http://a/users/1", "method_not_allowed"),
                                     ("GET", "http://a/other", "no_route"),
                                     ("GET", "http://a/%zz", "rejected")):
            with self.subTest(url, method=method):
                out, _ = self.hangu(OK, "explain", method, url, "--json", "-c", path)
                self.assertEqual(json.loads(out)["outcome"], outcome)

    def test_error_codes(self):
        out, _ = self.hangu(OK, "explain", "E0123")
        self.assertIn("unknown key", out)
        self.hangu(RUNTIME, "explain", "E9999")

    def test_bad_url(self):
        self.hangu(RUNTIME, "explain", "GET", "ftp://a/", "-c", self.file(GOOD))


class Other(CliCase):
    def test_usage(self):
        self.assertEqual(self.hangu(USAGE)[0], "")
        for arguments in (["relod"], ["run", "--confg", "x"], ["explain"],
                          ["schema", "--format", "x"],
                          ["status", "--config", "a", "--socket", "b"]):
            with self.subTest(arguments):
                out, errors = self.hangu(USAGE, *arguments)
                self.assertEqual(out, "")
                self.assertIn("error", errors)
        self.assertIn('"reload"', self.hangu(USAGE, "relod")[1])
        self.assertIn('"--config"', self.hangu(USAGE, "run", "--confg", "x")[1])

    def test_help(self):
        out, errors = self.hangu(OK, "--help")
        for verb in ("run", "check", "reload", "status", "upstream", "certs", "explain",
                     "schema", "demo", "version"):
            self.assertRegex(out, rf"(?m)^ *{verb}\b")
            self.assertIn(verb, self.hangu(OK, verb, "--help")[0])
        self.assertEqual(errors, "")

    def test_version(self):
        plain = self.hangu(OK, "version")[0]
        self.assertRegex(plain, r"^hangu \d+\.\d+\.\d+\n")
        self.assertEqual(self.hangu(OK, "--version")[0], plain)
        facts = json.loads(self.hangu(OK, "version", "--json")[0])
        self.assertEqual(facts["event_loops"]["epoll"], "available")

    def test_schema(self):
        schema = json.loads(self.hangu(OK, "schema")[0])
        self.assertIn("2020-12", schema["$schema"])
        self.assertIn("listeners", schema["properties"])
        self.assertIn("listeners", self.hangu(OK, "schema", "--format", "markdown")[0])
        example = self.hangu(OK, "schema", "--format", "yaml")[0]
        self.hangu(OK, "check", "--no-files", self.file(example))

    def test_nothing_runs(self):
        socket_path = self.folder / "none.sock"
        for verb in (["status"], ["status", "--ready"], ["reload"]):
            with self.subTest(verb):
                _, errors = self.hangu(RUNTIME, *verb, "--socket", socket_path)
                self.assertIn("error", errors)

    def test_run_with_a_bad_config(self):
        _, errors = self.hangu(INVALID, "run", "--config", self.file("version: 2\n"))
        self.assertIn("nothing was started", errors)
        self.hangu(INVALID, "run", "--config", self.folder / "none.yaml")

    def test_run_with_bad_options(self):
        path = self.file(GOOD)
        self.hangu(USAGE, "run", "--config", path, "--event-loop", "kqueue")
        self.hangu(USAGE, "run", "--config", path, "--workers", "0")

    def test_run_on_a_taken_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            text = GOOD.replace("127.0.0.1:0", f"127.0.0.1:{port}") \
                .replace("/tmp/unused.sock", f"{self.folder}/a.sock")
            _, errors = self.hangu(CANNOT_BIND, "run", "--config", self.file(text),
                                   "--event-loop", BACKEND)
            self.assertIn(str(port), errors)


class Running(GatewayCase):
    def test_status(self):
        done = run_hangu("status", "--socket", self.gateway.socket)
        self.assertEqual(done.returncode, OK, done.stderr)
        for text in (str(self.gateway.pid), "web", self.origin.endpoint, "ready"):
            self.assertIn(text, done.stdout)
        done = run_hangu("status", "--json", "--config", self.gateway.config_path)
        self.assertEqual(json.loads(done.stdout)["pid"], self.gateway.pid)

    def test_ready(self):
        done = run_hangu("status", "--ready", "--socket", self.gateway.socket)
        self.assertEqual((done.returncode, done.stdout), (OK, "ready\n"))

    def test_backend(self):
        self.assertEqual(self.gateway.status()["event_loop"], BACKEND)

    def test_live_explain(self):
        done = run_hangu("explain", "GET", "http://a/b", "--json", "--socket", self.gateway.socket)
        self.assertEqual(json.loads(done.stdout)["route"], "all")

    def test_same_config_twice(self):
        """The admin socket tells: SO_REUSEPORT alone would let both serve."""
        done = run_hangu("run", "--config", self.gateway.config_path, "--event-loop", BACKEND)
        self.assertEqual(done.returncode, CANNOT_BIND, done.stderr)
        self.ask("GET", "/still")

    def test_stale_admin_socket_is_replaced(self):
        gateway = self.start(make_config(self.origin))
        gateway.process.kill()
        gateway.process.wait()
        self.assertTrue(os.path.exists(gateway.socket))
        again = subprocess.Popen([BINARY, "run", "--config", gateway.config_path, "--event-loop",
                                  BACKEND], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        gateway.process = again
        eventually(gateway.is_ready, "the second one is ready")
        gateway.client().expect_alive()


class Demo(CliCase):
    def test_demo(self):
        out_path = self.folder / "out"
        socket_path = str(self.folder / "demo.sock")
        with open(out_path, "wb") as out:
            process = subprocess.Popen(
                [BINARY, "demo", "--port", "0", "--origin-port", "0", "--admin-socket", socket_path,
                 "--event-loop", BACKEND], stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, cwd=self.folder)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        text = eventually(lambda: "http://" in out_path.read_text() and out_path.read_text(),
                          "the demo says where it is")
        address = socket_address(re.search(r"http://([^\s/]+)", text)[1])
        with Client(address) as client:
            self.assertEqual(client.request("GET", "/").status, 200)
            response = client.request("GET", "/bytes/1000000", sink=lambda piece: None)
            self.assertEqual(response.body_bytes, 1_000_000)
            self.assertEqual(response.header("x-gateway"), None)
            self.assertEqual(client.request("POST", "/echo", body=b"hello").status, 200)
            self.assertEqual(client.request("PUT", "/upload", body=b"x" * 100_000).status, 200)
        self.hangu(OK, "status", "--socket", socket_path)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(DEADLINE), 0)


if __name__ == "__main__":
    unittest.main()
