"""Leaving: what is under way ends well, nothing new begins, and the process is gone in time."""

import signal
import time
import unittest

from support.case import GatewayCase
from support.client import Client
from support.gateway import make_config
from support.load import Load
from support.wait import eventually
from support.websocket import WebSocket, echo_script


class Drain(GatewayCase):
    def begin(self, **shutdown):
        self.own = self.start(make_config(self.origin, shutdown={
            "lb_delay": 0, "drain_timeout": "20s", **shutdown}))
        return self.own

    def wait_until_closed(self, address):
        def refused():
            try:
                Client(address).close()
                return False
            except ConnectionResetError:
                return False  # between the last accept and the close
            except ConnectionRefusedError:
                return True
        eventually(refused, "no new connection is taken")

    def test_idle_process_ends_at_once(self):
        gateway = self.begin()
        begin = time.monotonic()
        gateway.send_signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)
        self.assertLess(time.monotonic() - begin, 10)

    def test_request_under_way(self):
        go = self.held_back()
        gateway = self.begin()
        client = gateway.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        address = gateway.listener()
        gateway.send_signal(signal.SIGTERM)
        self.wait_until_closed(address)
        self.assertEqual(gateway.admin("GET", "/ready").status, 503)
        self.assertEqual(gateway.admin("GET", "/health").status, 200)
        self.assertEqual(gateway.status()["state"], "draining")
        go.set()
        response = client.read_response()
        self.assertEqual((response.status, response.body, response.closes), (200, b"held", True))
        client.expect_end()
        self.assertEqual(gateway.wait(), 0)

    def test_under_load(self):
        """Every request that was sent is answered; connections end only where that was said."""
        for number in range(3):
            with self.subTest(number):
                gateway = self.begin()
                load = Load(gateway.listener(), threads=8, may_end=True)
                load.wait_for_more(100)
                gateway.send_signal(signal.SIGTERM)
                self.assertEqual(gateway.wait(), 0)
                load.join()
                self.assertEqual(load.failures, [])
                self.assertLessEqual(load.never_accepted, 1)

    def test_requests_that_waited_while_the_process_was_held_up(self):
        """A machine that pauses for longer than an idle connection is kept loses no request."""
        gateway = self.begin()
        clients = [gateway.client() for _ in range(64)]
        for client in clients:
            client.expect_alive()
        gateway.send_signal(signal.SIGTERM)
        eventually(lambda: gateway.status()["state"] == "draining", "it drains")
        gateway.send_signal(signal.SIGSTOP)
        for client in clients:
            client.send_request("GET", "/")
        time.sleep(1.5)
        gateway.send_signal(signal.SIGCONT)
        for client in clients:
            response = client.read_response()
            self.assertEqual((response.status, response.closes), (200, True))
        self.assertEqual(gateway.wait(), 0)

    def test_large_download(self):
        self.origin.on("/big", lambda exchange: exchange.reply_bytes(32 * 1024 * 1024))
        gateway = self.begin()
        client = gateway.client()
        client.send_request("GET", "/big")
        response = client.read_head()
        gateway.send_signal(signal.SIGTERM)
        client.read_body(response, sink=lambda piece: None)
        self.assertEqual(response.body_bytes, 32 * 1024 * 1024)
        self.assertEqual(gateway.wait(), 0)

    def test_lb_delay(self):
        """Not ready, but still serving, new connections too; a second signal cuts it short."""
        gateway = self.begin(lb_delay="1h")
        gateway.send_signal(signal.SIGTERM)
        eventually(lambda: gateway.admin("GET", "/ready").status == 503, "not ready")
        self.assertEqual(gateway.status()["state"], "leaving")
        gateway.client().expect_alive()
        gateway.close_clients()
        gateway.send_signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)

    def test_drain_timeout(self):
        """What does not end in time is closed."""
        self.held_back()
        gateway = self.begin(drain_timeout="300ms")
        client = gateway.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        gateway.send_signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)
        client.end()

    def test_second_signal_ends_the_drain(self):
        self.held_back()
        gateway = self.begin()
        client = gateway.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        gateway.send_signal(signal.SIGTERM)
        eventually(lambda: gateway.status()["state"] == "draining", "it drains")
        gateway.send_signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)

    def test_quit(self):
        self.held_back()
        gateway = self.begin()
        client = gateway.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        gateway.send_signal(signal.SIGQUIT)
        self.assertEqual(gateway.wait(), 0)

    def test_tunnel_lives_until_the_timeout(self):
        self.origin.on("/ws", echo_script)
        gateway = self.begin(drain_timeout="1s")
        websocket = WebSocket(gateway.client())
        websocket.open()
        gateway.send_signal(signal.SIGTERM)
        eventually(lambda: gateway.status()["state"] == "draining", "it drains")
        self.assertEqual(websocket.echo(b"still"), b"still")
        self.assertEqual(gateway.wait(), 0)

    def test_no_reload_while_draining(self):
        self.held_back()
        gateway = self.begin()
        client = gateway.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        gateway.send_signal(signal.SIGTERM)
        eventually(lambda: gateway.status()["state"] == "draining", "it drains")
        self.assertEqual(gateway.reload().returncode, 4)
        gateway.send_signal(signal.SIGQUIT)
        self.assertEqual(gateway.wait(), 0)


if __name__ == "__main__":
    unittest.main()
