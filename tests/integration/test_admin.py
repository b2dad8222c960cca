"""The admin API over its Unix socket and over TCP."""

import os
import stat
import unittest

from support.case import GatewayCase
from support.client import Client
from support.gateway import BACKEND, make_config
from support.wait import eventually
from support.wire import format_chunk


class Admin(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, route={
            "request_headers": {"set": {"authorization": "Bearer s3"}}})

    def get(self, target, method="GET"):
        return self.gateway.admin(method, target)

    def problem(self, response, status, code):
        self.assertEqual((response.status, response.json()["code"]), (status, code))

    def total(self, name, metrics=None):
        """The sum of a metric's samples over its labels."""
        samples = metrics or self.gateway.metrics()
        found = [value for sample, value in samples.items() if sample.partition("{")[0] == name]
        self.assertTrue(found, f"no metric {name}")
        return sum(found)

    def test_health_and_ready(self):
        for target, body in (("/health", b"alive\n"), ("/ready", b"ready\n")):
            response = self.get(target)
            self.assertEqual((response.status, response.body), (200, body))

    def test_head(self):
        response = self.get("/health", "HEAD")
        self.assertEqual((response.status, response.body), (200, b""))

    def test_index(self):
        listed = {(each["method"], each["path"]) for each in self.get("/").json()["routes"]}
        self.assertIn(("POST", "/reload"), listed)
        # There is no plugin here to change, no release, and nobody to log in.
        for method, path in listed - {("POST", "/reload"), ("POST", "/plugin"), ("POST", "/login"),
                                      ("POST", "/upgrade"), ("POST", "/release")}:
            if path == "/config/changes" or "{name}" in path:
                continue  # test_admin_write.py
            with self.subTest(path):
                query = {
                    "/explain": "?method=GET&url=http%3A%2F%2Fa%2F",
                    "/audit/reading": "?kind=read",
                    "/endpoint": f"?upstream=origin&endpoint={self.origin.endpoint}&order=ready",
                }.get(path, "")
                self.assertEqual(self.get(path + query, method).status, 200)

    def test_status(self):
        status = self.gateway.status()
        self.assertEqual((status["pid"], status["generation"]), (self.gateway.pid, 1))
        self.assertEqual((status["ready"], status["state"]), (True, "serving"))
        self.assertEqual(status["event_loop"], BACKEND)
        self.assertEqual([each["name"] for each in status["listeners"]], ["web"])
        self.assertEqual(status["upstreams"][0]["endpoints"][0]["address"], self.origin.endpoint)
        self.assertEqual(len(status["shards"]), 2)
        self.assertIsNone(status["last_reload"])

    def test_status_counts(self):
        before = sum(shard["requests_total"] for shard in self.gateway.status()["shards"])
        client = self.client()
        for _ in range(5):
            client.request("GET", "/")
        shards = self.gateway.status()["shards"]
        self.assertEqual(sum(shard["requests_total"] for shard in shards), before + 5)
        self.assertEqual(sum(shard["connections"] for shard in shards), 1)
        client.close()
        eventually(lambda: self.gateway.connections() == 0, "it is not counted any more")

    def test_metrics(self):
        before = self.gateway.metrics()
        client = self.client()
        for _ in range(10):
            client.request("GET", "/")
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        client.end()
        after = self.gateway.metrics()
        for name, more in (("hangu_requests_total", 11), ("hangu_connections_accepted_total", 1)):
            self.assertEqual(self.total(name, after) - self.total(name, before), more, name)
        errors = [value for sample, value in after.items()
                  if sample.startswith("hangu_request_errors_total") and "bad_host" in sample]
        self.assertEqual(sum(errors), 1)

    def test_active_requests(self):
        client = self.client()
        client.send(client.head("POST", "/", {"Transfer-Encoding": "chunked"}) + format_chunk(b"x"))
        self.origin.wait_for_requests(1, complete=False)
        self.assertEqual(self.total("hangu_requests_active"), 1)
        client.close()
        eventually(lambda: self.total("hangu_requests_active") == 0, "none is active")

    def test_metrics_format(self):
        response = self.get("/metrics")
        self.assertTrue(response.header("content-type").startswith("text/plain; version=0.0.4"))
        types = {}
        for line in response.body.decode().splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split(" ")[2:]
                self.assertNotIn(name, types)
                types[name] = kind
            elif not line.startswith("#"):
                self.assertRegex(line, r'^[a-z0-9_]+(\{([a-z_]+="[^"]*",?)*\})? [0-9.e+-]+$')
                family = line.partition("{")[0].partition(" ")[0]
                for suffix in ("_bucket", "_sum", "_count"):
                    if types.get(family.removesuffix(suffix)) == "histogram":
                        family = family.removesuffix(suffix)
                self.assertIn(family, types)

    def test_histograms_grow(self):
        self.ask("GET", "/")
        metrics = self.gateway.metrics()
        counts = {name: value for name, value in metrics.items() if "_count" in name}
        self.assertTrue(any(value > 0 for value in counts.values()), counts)

    def test_config(self):
        text = self.get("/config").body.decode()
        self.assertIn("drain_timeout: 10s", text)
        self.assertNotIn("Bearer s3", text)

    def test_explain(self):
        reply = self.get("/explain?method=GET&url=http%3A%2F%2Fa%2Fb").json()
        self.assertEqual((reply["outcome"], reply["route"]), ("matched", "all"))
        self.problem(self.get("/explain?nonsense=1"), 400, "admin.bad_query")
        self.problem(self.get("/explain?url=%zz"), 400, "admin.bad_query")

    def test_errors(self):
        self.problem(self.get("/none"), 404, "admin.not_found")
        response = self.get("/reload")
        self.problem(response, 405, "admin.method")
        self.assertEqual(response.header("allow"), "POST")

    def test_socket_mode(self):
        mode = stat.S_IMODE(os.stat(self.gateway.socket).st_mode)
        self.assertEqual(mode & 0o007, 0, oct(mode))

    def test_many_clients(self):
        clients = [Client(self.gateway.socket) for _ in range(20)]
        for client in clients:
            self.addCleanup(client.close)
        for client in clients:
            self.assertEqual(client.request("GET", "/health").status, 200)

    def test_rubbish_does_no_harm(self):
        for data in (b"\x00" * 1000, b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 100_000, b"GET"):
            with Client(self.gateway.socket) as client:
                client.send_all_or_end(data)
        self.assertEqual(self.get("/health").status, 200)

    def test_reload_over_http(self):
        gateway = self.start(make_config(self.origin))
        self.assertEqual(gateway.admin("POST", "/reload").status, 200)
        gateway.write_config("version: 1\nnonsense: 1\n")
        response = gateway.admin("POST", "/reload")
        self.problem(response, 422, "reload.invalid_config")
        self.assertTrue(response.json()["diagnostics"])

    def test_not_on_public_listeners(self):
        self.ask("GET", "/status")
        self.assertEqual(self.origin.targets(), ["/status"])

    def test_socket_is_gone_after_the_end(self):
        gateway = self.start(make_config(self.origin))
        gateway.send_signal(15)
        gateway.wait()
        self.assertFalse(os.path.exists(gateway.socket))


if __name__ == "__main__":
    unittest.main()
