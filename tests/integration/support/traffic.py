"""Traffic: what a gateway has to carry while something is done to it: clients that make a
connection for each request, clients that keep theirs and pause in between, and WebSockets that talk
now and then. Whatever a client would call a failure is one."""

import os
import selectors
import socket
import threading
import time

from support.client import Client
from support.wait import DEADLINE, eventually
from support.websocket import CLOSE, WebSocket, format_frame, read_frame
from support.wire import ProtocolError


class Traffic:
    """`kept_pauses`: of the clients that keep their connections, seconds between two requests."""

    def __init__(self, address, new=2, kept_pauses=(0, 0, 0.02, 0.1, 0.3), target="/load"):
        self.address, self.target = address, target
        self.stopping = threading.Event()
        self.failures = []
        self.requests = 0
        self.connects = 0
        self.closes_told = 0  # connections that an answer said would end
        self.lock = threading.Lock()
        works = [lambda: self.connect_each_time() for _ in range(new)] + \
            [lambda pause=pause: self.keep(pause) for pause in kept_pauses]
        self.threads = [threading.Thread(target=self.run, args=(work,), daemon=True)
                        for work in works]
        for thread in self.threads:
            thread.start()

    def run(self, work):
        while not self.stopping.is_set():
            try:
                work()
            except (OSError, ProtocolError, AssertionError) as error:
                with self.lock:
                    self.failures.append(repr(error))

    def connect(self):
        client = Client(self.address)
        with self.lock:
            self.connects += 1
        return client

    def ask(self, client, fields=()):
        response = client.request("GET", self.target, fields)
        if response.status != 200:
            raise AssertionError(f"status {response.status}: {response.body[:200]}")
        with self.lock:
            self.requests += 1
        return response

    def connect_each_time(self):
        with self.connect() as client:
            self.ask(client, {"Connection": "close"})

    def keep(self, pause):
        with self.connect() as client:
            while not self.stopping.is_set():
                if self.ask(client).closes:
                    with self.lock:
                        self.closes_told += 1
                    client.expect_end()
                    return
                self.stopping.wait(pause)

    def wait_for_more(self, more):
        target = self.requests + more
        eventually(lambda: self.requests >= target or self.failures, f"{more} more requests")

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(DEADLINE)
            if thread.is_alive():
                self.failures.append("a client thread did not end")
        return self.failures


class Sockets:
    """WebSockets through a gateway to echo_script, from one thread."""

    def __init__(self):
        self.sockets = []

    def open(self, address, count, target="/ws"):
        for _ in range(count):
            websocket = WebSocket(Client(address))
            status = websocket.open(target).status
            if status != 101:
                raise AssertionError(f"no upgrade: {status}")
            self.sockets.append(websocket)

    def check(self):
        """One message on each, and its echo: how many are not alive any more."""
        dead = 0
        for number, websocket in enumerate(self.sockets):
            payload = f"message {number} {time.monotonic()}".encode()
            try:
                dead += websocket.echo(payload) != payload
            except (OSError, ProtocolError, AssertionError):
                dead += 1
        return dead

    def watch(self, until):
        """Answers Close frames as a client must; [(seconds from now, code)] of those that came,
        code None for an end without one, until all have or `until` seconds have passed."""
        begin = time.monotonic()
        selector = selectors.DefaultSelector()
        ends = []
        for websocket in self.sockets:
            selector.register(websocket.wire.socket, selectors.EVENT_READ, websocket)
        while selector.get_map() and time.monotonic() - begin < until:
            for key, _ in selector.select(0.05):
                code = self.take_close(key.data)
                if code is not False:
                    ends.append((time.monotonic() - begin, code))
                    selector.unregister(key.fileobj)
        return ends

    @staticmethod
    def take_close(websocket):
        try:
            frame = read_frame(websocket.wire)
        except (OSError, ProtocolError):
            return None
        if frame.opcode != CLOSE:
            return False
        websocket.send(frame.payload, CLOSE)
        return int.from_bytes(frame.payload[:2], "big")

    def close(self):
        for websocket in self.sockets:
            websocket.client.close()
        self.sockets = []
