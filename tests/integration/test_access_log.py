"""The access log: a JSON line a request, also of those that went wrong; rotated by SIGUSR1."""

import json
import signal
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually
from support.websocket import WebSocket, echo_script
from support.wire import Truncated


class AccessLog(GatewayCase):
    @classmethod
    def config(cls, origin):
        config = make_config(origin, route={"body_max": "1KiB"}, workers=1)
        config["listeners"].append({"name": "hasty", "bind": "127.0.0.1:0",
                                    "timeouts": {"header": "300ms"}})
        config["routes"][0]["match"] = {"path": {"prefix": "/"}, "methods": ["GET", "POST"]}
        config["routes"].append({"name": "hasty", "match": {"path": {"exact": "/hasty"}},
                                 "upstream": "origin", "timeout": "500ms"})
        config["access_log"] = {"path": "@FOLDER@/access.log"}
        return config

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = cls.gateway.folder / "access.log"

    def setUp(self):
        super().setUp()
        self.before = len(self.records())

    def records(self):
        try:
            return [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]
        except FileNotFoundError:
            return []
        except json.JSONDecodeError:
            # Half of a line may be there for a moment; a broken one stays and fails the test.
            return []

    def record(self):
        """The one new record."""
        new = eventually(lambda: self.records()[self.before:], "a record is written")
        self.assertEqual(len(new), 1, new)
        return new[0]

    def test_facts(self):
        response = self.ask("POST", "/a/b?secret=1", {"User-Agent": "test \"1\"\\"}, b"hello")
        record = self.record()
        for key, value in (("method", "POST"), ("path", "/a/b"), ("host", "test.example"),
                           ("protocol", "HTTP/1.1"), ("status", 200), ("request_bytes", 5),
                           ("response_bytes", len(response.body)), ("client_ip", "127.0.0.1"),
                           ("client_ip_source", "peer"), ("route", "all"), ("upstream", "origin"),
                           ("upstream_address", self.origin.endpoint), ("listener", "web"),
                           ("request_id", response.header("x-request-id")), ("attempts", 1),
                           ("user_agent", "test \"1\"\\")):
            self.assertEqual(record.get(key), value, key)
        self.assertRegex(record["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
        self.assertGreaterEqual(record["duration_ms"], record["ttfb_ms"])
        self.assertNotIn("code", record)

    def test_query_is_not_logged(self):
        self.ask("GET", "/q?token=secret")
        self.assertNotIn("secret", json.dumps(self.record()))

    def test_bytes_that_are_no_text(self):
        self.ask("GET", "/", {"User-Agent": "\x80\xff\t"})
        self.record()

    def test_local_reply(self):
        self.ask("DELETE", "/")
        record = self.record()
        self.assertEqual((record["status"], record["code"]), (405, "route.method"))
        self.assertNotIn("upstream_address", record)

    def test_malformed_request(self):
        client = self.client()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n")
        client.end()
        record = self.record()
        self.assertEqual((record["status"], record["code"]), (400, "bad_request.header"))

    def test_slow_client(self):
        client = self.client("hasty")
        client.send(b"GET / HT")
        client.end()
        self.assertEqual(self.record()["status"], 408)

    def test_failing_upstream(self):
        self.origin.on("/x", lambda exchange: exchange.close())
        self.ask("GET", "/x")
        record = self.record()
        self.assertEqual((record["status"], record["code"], record["failure"]),
                         (502, "upstream.reset", "upstream"))

    def test_slow_upstream(self):
        self.origin.on("/hasty", lambda exchange: exchange.wait_for_end())
        self.ask("GET", "/hasty")
        record = self.record()
        self.assertEqual((record["status"], record["failure"]), (504, "timeout"))

    def test_cut_off_response(self):
        self.origin.on("/x", lambda exchange: (exchange.head(200, {"Content-Length": "9"}),
                                               exchange.send(b"half"), exchange.close()))
        with self.assertRaises(Truncated):
            self.ask("GET", "/x")
        record = self.record()
        self.assertEqual((record["status"], record["failure"]), (200, "upstream"))

    def test_client_that_leaves(self):
        self.origin.on("/x", lambda exchange: exchange.wait_for_end())
        client = self.client()
        client.send_request("GET", "/x")
        self.origin.wait_for_requests(1)
        client.close()
        record = self.record()
        self.assertEqual((record["status"], record["code"]), (499, "client.closed"))

    def test_tunnel(self):
        self.origin.on("/ws", echo_script)
        websocket = WebSocket(self.client())
        websocket.open()
        websocket.echo(b"x")
        websocket.client.close()
        record = self.record()
        self.assertEqual((record["status"], record["upgraded"]), (101, 1))

    def test_rotation(self):
        client = self.client()
        for number in range(20):
            client.request("GET", f"/{number}")
        eventually(lambda: len(self.records()) == self.before + 20, "all are written")
        old = self.path.with_suffix(".log.1")
        self.path.rename(old)
        client.request("GET", "/between")
        self.gateway.send_signal(signal.SIGUSR1)
        eventually(self.path.exists, "a new file is open")
        client.request("GET", "/after")
        eventually(lambda: [record["path"] for record in self.records()][-1:] == ["/after"],
                   "the new file is written to")
        paths = [json.loads(line)["path"] for line in
                 old.read_text("utf-8").splitlines() + self.path.read_text("utf-8").splitlines()]
        self.assertEqual(paths[self.before:], [f"/{n}" for n in range(20)] + ["/between", "/after"])


class Output(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, access_log={"path": "-"})

    def test_standard_output(self):
        for number in range(100):
            self.ask("GET", f"/{number}")
        lines = eventually(lambda: (found := self.gateway.stdout.splitlines()) and
                           len(found) == 100 and found, "100 lines")
        self.assertEqual({json.loads(line)["path"] for line in lines},
                         {f"/{number}" for number in range(100)})

    def test_off_by_default(self):
        gateway = self.start(make_config(self.origin))
        gateway.client().request("GET", "/")
        gateway.close_clients()
        self.assertEqual(gateway.stdout, "")


if __name__ == "__main__":
    unittest.main()
