"""Http2Origin: a scriptable HTTP/2 server without TLS. A script is a function of an Http2Exchange,
set for one path; other paths echo the request as JSON."""

import dataclasses
import json
import socket
import struct
import threading

from support import http2
from support.http2 import frame, hpack, settings_frame
from support.origin import kept_port
from support.wait import DEADLINE, eventually


@dataclasses.dataclass
class Request:
    connection: int
    stream: int
    fields: list
    body: bytes = b""
    trailers: list = None
    complete: bool = False
    answered: bool = False
    reset: int = None

    def header(self, name):
        for key, value in self.fields:
            if key == name:
                return value
        return None


class Http2Exchange:
    def __init__(self, server, request):
        self.server = server
        self.request = request

    def head(self, status=200, fields=(), end=False):
        self.server.send_block(self.request.stream, [(":status", str(status)), *fields], end)

    def data(self, data, end=False):
        self.server.send(frame(http2.DATA, http2.END_STREAM if end else 0, self.request.stream,
                               data))

    def trailers(self, fields):
        self.server.send_block(self.request.stream, fields, True)

    def reply(self, status=200, fields=(), body=b""):
        self.head(status, [*fields, ("content-length", str(len(body)))], end=not body)
        if body:
            self.data(body, end=True)

    def reset(self, code):
        self.server.send(http2.rst_stream(self.request.stream, code))


class Connection:
    def __init__(self, origin, sock, number):
        self.origin, self.socket, self.number = origin, sock, number
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.lock = threading.Lock()
        self.requests = {}
        self.pings = 0
        self.goaways = []

    def send(self, data):
        with self.lock:
            try:
                self.socket.sendall(data)
            except OSError:
                pass

    def send_block(self, stream, fields, end):
        with self.lock:
            block = self.encoder.encode(fields)
            try:
                self.socket.sendall(frame(http2.HEADERS, http2.END_HEADERS |
                                          (http2.END_STREAM if end else 0), stream, block))
            except OSError:
                pass

    def goaway(self, last, code=http2.NO_ERROR):
        self.send(frame(http2.GOAWAY, 0, 0, struct.pack("!II", last, code)))

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def run(self):
        try:
            if self.read(24) != http2.PREFACE:
                raise AssertionError("no client preface")
            if self.origin.settings is not None:
                self.send(settings_frame(self.origin.settings))
            while True:
                head = self.read(9)
                kind, flags, stream = struct.unpack("!BBI", head[3:])
                self.take(kind, flags, stream, self.read(int.from_bytes(head[:3], "big")))
        except OSError:
            pass
        finally:
            self.socket.close()

    def take(self, kind, flags, stream, payload):
        request = self.requests.get(stream)
        if kind == http2.HEADERS:
            assert flags & http2.END_HEADERS, "the tests' heads fit one frame"
            fields = [(str(n), str(v)) for n, v in self.decoder.decode(payload)]
            if request:
                request.trailers = fields
            else:
                request = self.requests[stream] = Request(self.number, stream, fields)
                self.origin.add(request)
        elif kind == http2.DATA:
            request.body += payload
            if payload and not self.origin.hold_credit:
                self.send(http2.window_update(0, len(payload)) +
                          http2.window_update(stream, len(payload)))
        elif kind == http2.RST_STREAM:
            request.reset = struct.unpack("!I", payload)[0]
        elif kind == http2.SETTINGS and not flags & http2.ACK:
            self.send(settings_frame(ack=True))
        elif kind == http2.PING and not flags & http2.ACK:
            self.pings += 1
            if self.origin.answer_pings:
                self.send(frame(http2.PING, http2.ACK, 0, payload))
        elif kind == http2.GOAWAY:
            self.goaways.append(struct.unpack("!II", payload[:8]))
        ends = bool(flags & http2.END_STREAM)
        if kind in (http2.HEADERS, http2.DATA) and (ends or self.at_once(request)):
            request.complete = request.complete or ends
            if not request.answered:
                request.answered = True
                threading.Thread(target=self.answer, args=(request,), daemon=True).start()

    def at_once(self, request):
        return request.header(":path").partition("?")[0] in self.origin.at_once

    def answer(self, request):
        script = self.origin.scripts.get(request.header(":path").partition("?")[0], echo)
        script(Http2Exchange(self, request))


def echo(exchange):
    request = exchange.request
    exchange.reply(200, [("content-type", "application/json")], json.dumps(
        {"fields": request.fields, "body": request.body.decode("latin-1"),
         "trailers": request.trailers, "connection": request.connection}).encode())


class Http2Origin:
    def __init__(self, settings=(), answer_pings=True):
        """`settings` None: it never sends any."""
        self.settings, self.answer_pings = settings, answer_pings
        self.hold_credit = False
        self.scripts, self.at_once = {}, set()
        self.requests, self.connections = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.endpoint = f"127.0.0.1:{self.port}"
        self.kept = None
        threading.Thread(target=self.accept, daemon=True).start()

    def on(self, path, script, at_once=False):
        """`at_once`: run with the head, not when the request is complete."""
        self.scripts[path] = script
        if at_once:
            self.at_once.add(path)

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock, len(self.connections))
            self.connections.append(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def add(self, request):
        self.requests.append(request)

    def clear(self):
        self.requests.clear()
        self.scripts.clear()
        self.at_once.clear()

    def wait_for_requests(self, count):
        eventually(lambda: len(self.requests) >= count, f"{count} requests", DEADLINE)
        return self.requests[:count]

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which would keep it open
        except OSError:
            return
        self.listener.close()
        self.kept = kept_port("127.0.0.1", self.port)
        for connection in self.connections:
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
