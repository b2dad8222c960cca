"""Tunnels whose process leaves: WebSockets are told one after the other, between two frames."""

import copy
import signal
import threading
import time
import unittest

from support.http2 import Http2Client
from support.traffic import Sockets
from support.upgrade_case import UpgradeCase
from support.websocket import BINARY as BINARY_FRAME
from support.websocket import (CLOSE, WebSocket, accept_upgrade, echo_script, format_frame,
                               read_frame)


class Tunnels(UpgradeCase):
    def open(self, count, **config):
        self.origin.on("/ws", echo_script)
        self.begin(**config)
        self.sockets = Sockets()
        self.addCleanup(self.sockets.close)
        self.sockets.open(self.own.listener(), count)

    def half_a_frame(self):
        """The origin sends half a frame to /half, the rest and one more after the first event, and
        sets the second one when it hears Close."""
        go_on, closed = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def script(exchange):
            accept_upgrade(exchange)
            frame = format_frame(BINARY_FRAME, b"x" * 300)
            exchange.send(frame[:150])
            go_on.wait(20)
            exchange.send(frame[150:] + format_frame(BINARY_FRAME, b"too late"))
            if read_frame(exchange.wire).opcode == CLOSE:
                closed.set()

        self.origin.on("/half", script)
        return go_on, closed

    def test_paced_close(self):
        """Not before the window, one after the other in it, in the words of the protocol."""
        self.open(20, upgrade={"drain_timeout": "12s", "ws_spread": "6s"})
        begin = time.monotonic()
        self.upgrade_to_another()
        self.assertEqual(self.sockets.check(), 0)
        late = time.monotonic() - begin
        ends = self.sockets.watch(30)
        self.assertEqual([code for _, code in ends], [1012] * 20)
        times = sorted(at + late for at, _ in ends)
        self.assertGreater(times[0], 5.9)
        self.assertGreater(times[-1] - times[0], 1)
        self.assertLess(times[len(times) // 2] - times[0], times[-1] - times[0])
        self.wait_until_alone()

    def test_close_at_shutdown(self):
        self.open(4, shutdown={"lb_delay": 0, "drain_timeout": "3s", "ws_spread": "2s"})
        self.own.send_signal(signal.SIGTERM)
        ends = self.sockets.watch(20)
        self.assertEqual([code for _, code in ends], [1001] * 4)
        self.assertGreater(ends[0][0], 0.9)
        self.assertEqual(self.own.wait(), 0)

    def test_close_over_http2(self):
        """Each tunnel of a connection hears of the end, between two frames."""
        go_on, closed = self.half_a_frame()
        self.origin.on("/ws", echo_script)
        self.begin(shutdown={"lb_delay": 0, "drain_timeout": "10s", "ws_spread": "10s"})
        client = Http2Client(self.own.listener())
        self.addCleanup(client.close)
        streams = [client.connect_websocket(), client.connect_websocket("/half")]
        echo, half = (client.head(stream) for stream in streams)
        client.wait(lambda: len(half.body) == 150, "half a frame")
        self.own.send_signal(signal.SIGTERM)
        close = format_frame(CLOSE, (1001).to_bytes(2, "big"))
        client.wait(lambda: bytes(echo.body) == close, "the Close frame")
        self.assertEqual(len(half.body), 150)
        go_on.set()
        whole = format_frame(BINARY_FRAME, b"x" * 300) + close
        client.wait(lambda: bytes(half.body) == whole, "the rest of the frame, and Close")
        for stream in streams:
            client.send_data(stream, format_frame(CLOSE, close[2:], mask=b"abcd"), end=True)
        self.assertTrue(closed.wait(20), "the upstream hears of the close, too")
        for stream in streams:
            client.response(stream)
        self.assertEqual((bytes(echo.body), bytes(half.body)), (close, whole))
        self.assertEqual(self.own.wait(), 0)

    def test_close_in_the_middle_of_a_frame(self):
        """It waits for the end of the frame, and nothing comes after it."""
        go_on, closed = self.half_a_frame()
        self.origin.on("/ws", echo_script)
        self.begin(workers=1, upgrade={"drain_timeout": "4s", "ws_spread": "4s"})
        address = self.own.listener()
        half = WebSocket(self.own.client())
        half.open("/half")
        others = Sockets()
        self.addCleanup(others.close)
        others.open(address, 9)  # they come after it, evenly spread
        self.upgrade_to_another()
        self.assertEqual(others.sockets[0].receive().opcode, CLOSE)
        go_on.set()
        self.assertEqual(half.receive().payload, b"x" * 300)
        frame = half.receive()
        self.assertEqual((frame.opcode, frame.payload), (CLOSE, (1012).to_bytes(2, "big")))
        half.send(frame.payload, CLOSE)
        self.assertEqual(half.client.end(), ("eof", b""))
        self.assertTrue(closed.wait(20), "the upstream hears of the close, too")

    def test_removed_listener(self):
        """`reload.drain_timeout`: a window of its own."""
        self.origin.on("/ws", echo_script)
        gateway = self.begin(reload={"drain_timeout": "2s", "ws_spread": "1s"})
        more = copy.deepcopy(self.settings)
        more["listeners"].append({"name": "second", "bind": "127.0.0.1:0"})
        self.assertEqual(gateway.reload(more).returncode, 0)
        sockets = Sockets()
        self.addCleanup(sockets.close)
        sockets.open(gateway.listener("second"), 4)
        stays = WebSocket(gateway.client())
        stays.open()
        begin = time.monotonic()
        self.assertEqual(gateway.reload(self.settings).returncode, 0)
        late = time.monotonic() - begin
        ends = sockets.watch(20)
        self.assertEqual([code for _, code in ends], [1012] * 4)
        self.assertGreater(ends[0][0] + late, 0.9)
        self.assertEqual(stays.echo(b"still"), b"still")


if __name__ == "__main__":
    unittest.main()
