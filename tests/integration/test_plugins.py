"""Plugins: what they do to requests and responses, what becomes of their failures and crashes, and
swaps under load. The plugins are those of tests/plugins, built beside the binary."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from support.case import GatewayCase
from support.gateway import BINARY, make_config, run_hangu, sanitized
from support.load import Load
from support.wait import eventually

BUILT = pathlib.Path(BINARY).resolve().parents[1] / "lib/plugins"
# HANGU_TEST_SWAP_SECONDS=60 for the long run.
SWAP_SECONDS = float(os.environ.get("HANGU_TEST_SWAP_SECONDS", "5"))
SECRET = "correct horse"


def fnv(*texts):
    """What the signature plugin signs with."""
    value = 14695981039346656037
    for text in texts:
        for byte in text.encode():
            value = (value ^ byte) * 1099511628211 % 2**64
        value = (value ^ 0xff) * 1099511628211 % 2**64
    return f"{value:x}"


class PluginCase(GatewayCase):
    def begin(self, built, config=None, plugin=None, use=None, **others):
        """A gateway with one plugin in its route; `plugin` and `use` are added to theirs."""
        self.folder = pathlib.Path(self.make_folder())
        self.install(built)
        return self.start(self.plugin_config(config, plugin, use, **others))

    def make_folder(self):
        folder = tempfile.mkdtemp(prefix="hangu-plugins-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def plugin_config(self, config=None, plugin=None, use=None, **others):
        route = {"plugins": [{"use": "mine", **({"config": config} if config else {}),
                              **(use or {})}]}
        return make_config(
            self.origin, state_dir="@FOLDER@/state", route=route,
            plugins=[{"name": "mine", "path": str(self.folder / "mine.so"), **(plugin or {})}],
            **others)

    def install(self, built):
        """Replaces the file, as a deployment does."""
        draft = self.folder / "mine.new"
        shutil.copy(BUILT / f"{built}.so", draft)
        draft.rename(self.folder / "mine.so")

    def plugin(self, gateway):
        return gateway.admin("GET", "/plugins").json()["plugins"][0]

    def change(self, gateway, change):
        return run_hangu("plugin", change, "mine", "--json", "--socket", gateway.socket)


class Calls(PluginCase):
    def test_signs_requests_and_responses(self):
        gateway = self.begin("signature", {"secret": SECRET})
        response = gateway.client().request("GET", "/a")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.header("x-signed-by"), "1.0.0")
        self.assertEqual(self.origin.requests[0].header("x-signature"), fnv(SECRET, "GET", "/a"))
        counts = self.plugin(gateway)["counts"]
        self.assertEqual(counts["calls"], 2)
        self.assertGreater(counts["time_ns"], 0)
        self.assertEqual(gateway.metrics()['hangu_plugin_calls_total{plugin="mine"}'], 2)
        listed = run_hangu("plugin", "list", "--socket", gateway.socket)
        self.assertRegex(listed.stdout, r"mine +1\.0\.0 ")

    def test_refuses_what_is_not_signed(self):
        gateway = self.begin("signature", {"secret": SECRET, "verify": True},
                             access_log={"path": "@FOLDER@/access.log"})
        response = gateway.client().request("GET", "/a")
        self.assert_problem(response, 401, "signature.invalid")
        signed = gateway.client().request("GET", "/b",
                                          {"X-Signature": fnv(SECRET, "GET", "/b")})
        self.assertEqual(signed.status, 200)
        self.assertEqual(self.origin.targets(), ["/b"])
        record = gateway.access_log(2)["/a"]
        self.assertEqual((record["filter"], record["rule"]), ("plugin", "mine"), record)
        self.assertEqual(self.plugin(gateway)["counts"]["replies"], 1)

    def test_shadow_refuses_and_changes_nothing(self):
        gateway = self.begin("signature", {"secret": SECRET, "verify": True},
                             use={"mode": "shadow"}, access_log={"path": "@FOLDER@/access.log"})
        response = gateway.client().request("GET", "/a")
        self.assertEqual(response.status, 200)
        self.assertIsNone(response.header("x-signed-by"))
        self.assertIsNone(self.origin.requests[0].header("x-signature"))
        self.assertEqual(gateway.access_log(1)["/a"]["shadow"], "mine")
        self.assertEqual(self.plugin(gateway)["counts"]["shadow_replies"], 1)

    def test_off_is_not_called(self):
        gateway = self.begin("signature", {"secret": SECRET}, use={"mode": "off"})
        self.assertIsNone(gateway.client().request("GET", "/a").header("x-signed-by"))
        self.assertEqual(self.plugin(gateway)["counts"]["calls"], 0)

    def test_inspects_bodies_wherever_they_are_cut(self):
        gateway = self.begin("words", {"words": ["forbidden"]})
        self.assertEqual(gateway.client().request("POST", "/", {}, b"allowed").status, 200)
        response = gateway.client().request("POST", "/", {}, b"a forbidden word")
        self.assert_problem(response, 422, "words.found")
        for trailers in (b"", b"x-end: 1\r\n"):
            for pieces in ((b"a forb", b"idden word"), (b"a ", b"f", b"orbidde", b"n")):
                with self.subTest(pieces=pieces, trailers=trailers):
                    client = gateway.client()
                    client.send(client.head("POST", "/", {"Transfer-Encoding": "chunked"}))
                    for piece in pieces:
                        client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                    client.send(b"0\r\n" + trailers + b"\r\n")
                    self.assert_problem(client.read_response(), 422, "words.found")

    def test_sees_the_end_of_a_body_even_before_trailers(self):
        gateway = self.begin("words", {"ending": "."})
        for trailers in (b"", b"x-end: 1\r\n"):
            for body, status in ((b"all of it.", 200), (b"a part of", 422)):
                with self.subTest(body=body, trailers=trailers):
                    client = gateway.client()
                    client.send(client.head("POST", "/", {"Transfer-Encoding": "chunked"}) +
                                b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, trailers))
                    self.assertEqual(client.read_response().status, status)

    def test_masks_responses(self):
        self.origin.on("/secret", lambda exchange: exchange.reply(body=b"the secret is out"))
        gateway = self.begin("words", {"mask": "secret"})
        response = gateway.client().request("GET", "/secret")
        self.assertEqual(response.body, b"the ****** is out")
        self.assertEqual(response.header("x-masked"), "1")


class Failures(PluginCase):
    def test_an_error_is_refused_or_passes(self):
        for policy, status in (("refuse", 500), ("pass", 200)):
            with self.subTest(policy):
                gateway = self.begin("odd", plugin={"on_error": policy})
                for path in ("/error", "/liar"):
                    response = gateway.client().request("GET", path)
                    self.assertEqual(response.status, status)
                    if status == 500:
                        self.assert_problem(response, 500, "filter.error:mine")
                self.assertEqual(self.plugin(gateway)["counts"]["errors"], 2)
                self.assertEqual(gateway.client().request("GET", "/fine").status, 200)

    def test_a_blown_budget_is_logged_by_name(self):
        gateway = self.begin("odd", plugin={"budget": "1ms"})
        for _ in range(3):
            self.assertEqual(gateway.client().request("GET", "/slow").status, 200)
        self.assertEqual(self.plugin(gateway)["counts"]["overruns"], 3)
        self.assertIn("event=plugin_overrun plugin=mine", gateway.stderr)

    def test_a_crash_is_blamed_by_name(self):
        for path, name in (("/segfault", "SIGSEGV"), ("/abort", "SIGABRT")):
            with self.subTest(name):
                gateway = self.begin("odd")
                client = gateway.client()
                client.send(client.head("GET", path, {}))
                self.assertNotEqual(gateway.wait(), 0)
                gateway.check_end = lambda: None  # it was to crash
                self.assertRegex(gateway.stderr, f'hangu: {name} in plugin "mine" version 0.1 '
                                 "sha256 [0-9a-f]{64} phase request_head route all")
                if not sanitized():
                    self.assertEqual(gateway.code, -getattr(signal, name))


class Check(PluginCase):
    def check(self, built, text):
        self.folder = pathlib.Path(self.make_folder())
        self.install(built)
        path = self.folder / "hangu.yaml"
        path.write_text(text.replace("@SO@", str(self.folder / "mine.so")))
        return run_hangu("check", path)

    TEXT = """version: 1
listeners: [{name: web, bind: "127.0.0.1:0"}]
plugins:
  - {name: mine, path: @SO@}
routes:
  - name: all
    respond: {status: 204}
    plugins:
      - use: mine
        config:
          words: [a, 5]
          statsu: 400
"""

    def test_complaints_have_line_and_column(self):
        done = self.check("words", self.TEXT)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("hangu.yaml:11:22: error[E0175]", done.stderr)
        self.assertIn('plugin "mine": /words/1: must be a text', done.stderr)
        self.assertIn("hangu.yaml:12:19: error[E0175]", done.stderr)
        self.assertIn("statsu: 400", done.stderr)  # the snippet

    def test_what_is_no_plugin(self):
        done = self.check("odd_newer_major", self.TEXT)
        self.assertEqual(done.returncode, 3)
        self.assertIn("hangu.yaml:4:24: error[E0176]", done.stderr)
        self.assertIn("interface 2.0", done.stderr)

    def test_run_refuses_it_too(self):
        self.folder = pathlib.Path(self.make_folder())
        self.install("words")
        with self.assertRaisesRegex(AssertionError, "must be a text"):
            self.start(self.plugin_config({"words": [5]}))


class New(PluginCase):
    def test_the_skeleton_builds_tests_and_serves(self):
        self.folder = pathlib.Path(self.make_folder())
        source, build = self.folder / "greet", self.folder / "build"
        made = run_hangu("plugin", "new", "greet", "--folder", source)
        self.assertEqual(made.returncode, 0, made.stderr)
        for command in (["cmake", "-S", source, "-B", build], ["cmake", "--build", build],
                        ["ctest", "--test-dir", build, "--output-on-failure"]):
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  timeout=240)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (build / "greet.so").rename(self.folder / "mine.so")
        gateway = self.start(self.plugin_config({"value": "open"}))
        self.assert_problem(gateway.client().request("GET", "/"), 403, "greet.refused")
        response = gateway.client().request("GET", "/", {"X-Token": "open"})
        self.assertEqual(response.status, 200)
        self.assertEqual(self.origin.requests[0].header("x-admitted-by"), "greet")
        again = run_hangu("plugin", "new", "greet", "--folder", source)
        self.assertEqual(again.returncode, 1)
        self.assertIn("not empty", again.stderr)

    def test_bad_names(self):
        for name in ("../up", "Upper", "a b", ""):
            self.assertEqual(run_hangu("plugin", "new", name).returncode, 2, name)


class Swaps(PluginCase):
    def test_swap_and_rollback(self):
        gateway = self.begin("signature", {"secret": SECRET})
        client = gateway.client()
        self.assertEqual(client.request("GET", "/").header("x-signed-by"), "1.0.0")
        self.install("signature_next")
        self.assertEqual(self.change(gateway, "swap").returncode, 0)
        self.assertEqual(client.request("GET", "/").header("x-signed-by"), "1.1.0")
        self.assertEqual(self.plugin(gateway)["previous_version"], "1.0.0")
        self.assertEqual(self.change(gateway, "rollback").returncode, 0)
        self.assertEqual(client.request("GET", "/").header("x-signed-by"), "1.0.0")
        # A reload does not take what an operator has gone back from.
        self.assertEqual(gateway.reload().returncode, 0)
        self.assertEqual(client.request("GET", "/").header("x-signed-by"), "1.0.0")
        self.assertIn('"changed": true',
                      self.change(gateway, "swap").stdout)
        self.assertEqual(client.request("GET", "/").header("x-signed-by"), "1.1.0")

    def test_a_bad_version_is_refused(self):
        gateway = self.begin("signature", {"secret": SECRET})
        for bad in ("odd_newer_major", "words"):
            self.install(bad)
            done = self.change(gateway, "swap")
            self.assertEqual(done.returncode, 4, done.stdout)
            self.assertIn('plugin "mine"', done.stderr)
            self.assertEqual(gateway.client().request("GET", "/").header("x-signed-by"), "1.0.0")
            self.assertIn('plugin "mine"', self.plugin(gateway)["error"])

    def test_a_stream_keeps_the_version_it_began_with(self):
        def slowly(exchange):
            exchange.read_body()
            exchange.reply()
        self.origin.on("/slow", slowly)
        gateway = self.begin("signature", {"secret": SECRET})
        client = gateway.client()
        client.send(client.head("POST", "/slow", {"Content-Length": "2"}) + b"a")
        self.origin.wait_for_requests(1, complete=False)
        self.install("signature_next")
        self.assertEqual(self.change(gateway, "swap").returncode, 0)
        self.assertEqual(gateway.client().request("GET", "/").header("x-signed-by"), "1.1.0")
        self.assertEqual(self.plugin(gateway)["instances"], 2)
        client.send(b"b")
        self.assertEqual(client.read_response().header("x-signed-by"), "1.0.0")
        eventually(lambda: self.plugin(gateway)["instances"] == 1, "the old one is released")

    def test_watch(self):
        gateway = self.begin("signature", {"secret": SECRET}, plugin={"watch": True})
        self.install("signature_next")
        eventually(lambda: gateway.client().request("GET", "/").header("x-signed-by") == "1.1.0",
                   "the new file is in force")

    def test_signatures(self):
        self.folder = pathlib.Path(self.make_folder())
        key, public = self.folder / "key", self.folder / "key.pub"
        self.assertEqual(run_hangu("audit", "keygen", key, "--public", public).returncode, 0)

        def sign():
            # As OpenSSL does it, so that no tool of ours is needed.
            subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in",
                            self.folder / "mine.so", "-out", self.folder / "mine.so.sig"],
                           check=True)

        self.install("signature")
        signed = run_hangu("plugin", "sign", self.folder / "mine.so", "--key", key)
        self.assertEqual(signed.returncode, 0, signed.stderr)
        gateway = self.start(self.plugin_config({"secret": SECRET},
                                                {"trusted_keys": [str(public)]}))
        self.assertEqual(len(self.plugin(gateway)["signed_by"]), 16)
        self.install("signature_next")
        self.assertIn("no signature of a trusted key", self.change(gateway, "swap").stderr)
        sign()
        self.assertEqual(self.change(gateway, "swap").returncode, 0)
        self.assertEqual(gateway.client().request("GET", "/").header("x-signed-by"), "1.1.0")

    def test_swaps_under_load(self):
        gateway = self.begin("signature", {"secret": SECRET})
        load = Load(gateway.listener())
        load.wait_for_more()
        swaps, files, memory = 0, ("signature_next", "signature"), None
        next_at = time.monotonic()
        end = next_at + SWAP_SECONDS
        while time.monotonic() < end or swaps < 10:
            self.install(files[swaps % 2])
            reply = gateway.admin("POST", "/plugin?name=mine&change=swap")
            self.assertEqual((reply.status, reply.json()["changed"]), (200, True), reply.body)
            swaps += 1
            if swaps == 10:
                memory = gateway.memory()
            next_at += 0.1
            eventually(lambda: time.monotonic() >= next_at, "the next turn")
        self.assertEqual(load.stop(), [])
        status = self.plugin(gateway)
        self.assertEqual(status["counts"]["errors"], 0)
        self.assertEqual(status["versions_loaded"], 2)
        self.assertEqual(status["counts"]["swaps"], swaps)
        eventually(lambda: self.plugin(gateway)["instances"] == 1, "old instances are released")
        if not sanitized():
            self.assertLess(gateway.memory() - memory, 8 * 2**20)


if __name__ == "__main__":
    unittest.main()
