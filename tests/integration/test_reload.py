"""Reload: all or nothing, and nobody notices: no failed request, no closed connection."""

import copy
import json
import signal
import unittest

from support.case import GatewayCase
from support.client import Client
from support.gateway import make_config
from support.load import Load
from support.wait import eventually
from support.websocket import WebSocket, echo_script

REFUSED = 4


def with_header(config, value):
    """The config, its route adding x-generation to responses."""
    changed = copy.deepcopy(config)
    changed["routes"][0]["response_headers"] = {"set": {"x-generation": value}}
    return changed


class Reload(GatewayCase):
    def setUp(self):
        super().setUp()
        self.settings = make_config(self.origin)
        self.own = self.start(self.settings)

    def reload(self, config):
        done = self.own.reload(config)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertTrue(report["applied"])
        self.assertEqual(report["connections_closed"], 0)
        return report

    def test_change_takes_effect_on_open_connections(self):
        client = self.own.client()
        self.assertIsNone(client.request("GET", "/").header("x-generation"))
        report = self.reload(with_header(self.settings, "2"))
        self.assertEqual(report["generation"], 2)
        self.assertEqual(client.request("GET", "/").header("x-generation"), "2")

    def test_sighup(self):
        client = self.own.client()
        client.request("GET", "/")
        self.own.write_config(with_header(self.settings, "hup"))
        self.own.send_signal(signal.SIGHUP)
        eventually(lambda: client.request("GET", "/").header("x-generation") == "hup",
                   "the new config is used")

    def test_under_load(self):
        load = Load(self.own.listener())
        self.addCleanup(load.stop)
        for number in range(20):
            load.wait_for_more(20)
            self.reload(with_header(self.settings, str(number)))
        load.wait_for_more()
        self.assertEqual(load.stop(), [])

    def test_request_under_way_ends_as_it_began(self):
        self.origin.on("/slow", lambda exchange: (exchange.read_body(),
                                                  exchange.reply(200, body=b"whole")))
        client = self.own.client()
        client.send(client.head("POST", "/slow", {"Content-Length": "4"}) + b"ab")
        self.origin.wait_for_requests(1, complete=False)
        self.reload(with_header(self.settings, "2"))
        client.send(b"cd")
        response = client.read_response()
        self.assertEqual((response.body, response.header("x-generation")), (b"whole", None))
        self.assertEqual(client.request("GET", "/").header("x-generation"), "2")

    def test_tunnel_stays(self):
        self.origin.on("/ws", echo_script)
        websocket = WebSocket(self.own.client())
        self.assertEqual(websocket.open().status, 101)
        without = {**self.settings, "routes": [], "upstreams": []}
        report = self.reload(without)
        self.assertGreaterEqual(report["streams_on_old_generation"], 0)
        self.assertEqual(websocket.echo(b"still here"), b"still here")
        self.assertEqual(self.own.client().request("GET", "/").status, 404)

    def test_upstream_is_replaced(self):
        other = self.start_origin(name="other")
        client = self.own.client()
        self.assertEqual(client.request("GET", "/").json()["origin"], "origin")
        self.reload(make_config(other))
        self.assertEqual(client.request("GET", "/").json()["origin"], "other")

    def test_listener_added_and_removed(self):
        more = copy.deepcopy(self.settings)
        more["listeners"].append({"name": "second", "bind": "127.0.0.1:0"})
        first = self.own.client()
        first.expect_alive()
        report = self.reload(more)
        self.assertEqual(report["listeners_added"], ["second"])
        address = self.own.listener("second")
        second = self.own.client("second")
        second.expect_alive()
        report = self.reload(self.settings)
        self.assertEqual(report["listeners_removed"], ["second"])
        with self.assertRaises(ConnectionRefusedError):
            Client(address).close()
        first.expect_alive()

    def test_request_on_a_removed_listener_ends_well(self):
        more = copy.deepcopy(self.settings)
        more["listeners"].append({"name": "second", "bind": "127.0.0.1:0"})
        self.reload(more)
        client = self.own.client("second")
        client.send(client.head("POST", "/p", {"Content-Length": "4"}) + b"ab")
        self.origin.wait_for_requests(1, complete=False)
        self.reload(self.settings)
        client.send(b"cd")
        response = client.read_response()
        self.assertEqual((response.status, response.closes), (200, True))

    def test_bad_config_changes_nothing(self):
        load = Load(self.own.listener())
        self.addCleanup(load.stop)
        for bad in ("version: 1\nlisteners: [}\n", "", '{"version": 1, "nonsense": 1}',
                    json.dumps({**self.settings, "routes": [{"name": "r", "upstream": "none"}]})):
            with self.subTest(bad):
                done = self.own.reload(bad)
                self.assertEqual(done.returncode, REFUSED, done.stdout + done.stderr)
                load.wait_for_more(20)
                status = self.own.status()
                self.assertEqual((status["generation"], status["ready"]), (1, True))
                self.assertFalse(status["last_reload"]["applied"])
                self.assertTrue(status["last_reload"]["error"])
        self.assertEqual(load.stop(), [])
        self.reload(with_header(self.settings, "good again"))
        self.assertTrue(self.own.status()["last_reload"]["applied"])

    def test_address_in_use_changes_nothing(self):
        """A new listener that cannot be opened: the rest of that config is not used either."""
        with_taken = with_header(self.settings, "2")
        host, port = self.origin.address
        with_taken["listeners"].append({"name": "taken", "bind": f"{host}:{port}"})
        done = self.own.reload(with_taken)
        self.assertEqual(done.returncode, REFUSED, done.stdout + done.stderr)
        self.assertIsNone(self.own.client().request("GET", "/").header("x-generation"))
        self.assertEqual(self.own.status()["generation"], 1)

    def test_restart_required(self):
        report = self.reload({**self.settings, "workers": 1})
        self.assertIn("workers", report["restart_required"])
        self.own.client().expect_alive()


if __name__ == "__main__":
    unittest.main()
