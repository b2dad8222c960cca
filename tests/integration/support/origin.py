"""Origin: a scriptable HTTP server that records every request it sees. A script is a function of an
Exchange, set for one path by `origin.on("/path", script)`; other paths echo the request as JSON."""

import dataclasses
import hashlib
import json
import os
import select
import socket
import threading

from support.wait import DEADLINE, eventually
from support.wire import (Ended, ProtocolError, Truncated, Wire, body_framing, format_chunk,
                          format_fields, format_last_chunk, tokens_of, value_of, values_of)

BODY_KEPT_MAX = 1024 * 1024
BLOCK = bytes(range(256)) * 1024  # 256 KiB


@dataclasses.dataclass
class Request:
    method: str
    target: str
    version: str
    fields: list
    connection: int  # number of the connection, from 0
    index: int  # number of the request on it, from 0
    body: bytes = b""  # up to BODY_KEPT_MAX
    body_bytes: int = 0
    digest: str = ""
    framing: object = None
    trailers: list = dataclasses.field(default_factory=list)
    complete: bool = False

    @property
    def path(self):
        return self.target.partition("?")[0]

    def header(self, name):
        return value_of(self.fields, name)

    def headers(self, name):
        return values_of(self.fields, name)


class Exchange:
    """One request on its way through a script."""

    def __init__(self, origin, wire, request):
        self.origin = origin
        self.wire = wire
        self.request = request
        self.keep = "close" not in tokens_of(request.fields, "connection") and \
            request.version == "HTTP/1.1"
        self.ended = False  # the connection is closed, or no HTTP any more
        self.sent_bytes = 0

    def read_body(self, sink=None):
        request = self.request
        if request.complete:
            return request.body
        framing = request.framing
        pieces = self.wire.chunks() if framing == "chunked" else self.wire.pieces(framing or 0)
        digest = hashlib.sha256()
        kept = bytearray()
        for piece in pieces:
            request.body_bytes += len(piece)
            digest.update(piece)
            if len(kept) < BODY_KEPT_MAX:
                kept += piece
            if sink:
                sink(piece)
        request.body, request.digest = bytes(kept[:BODY_KEPT_MAX]), digest.hexdigest()
        request.trailers = self.wire.trailers if framing == "chunked" else []
        request.complete = True
        self.origin.changed()
        return request.body

    def send(self, data):
        self.wire.send(data)
        self.sent_bytes += len(data)

    def head(self, status=200, fields=(), reason="Because"):
        self.send(f"HTTP/1.1 {status} {reason}\r\n".encode() + format_fields(fields) + b"\r\n")

    def reply(self, status=200, fields=(), body=b""):
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        pairs.append(("Content-Length", str(len(body))))
        payload = b"" if self.request.method == "HEAD" else body
        line = f"HTTP/1.1 {status} Because\r\n".encode()
        self.send(line + format_fields(pairs) + b"\r\n" + payload)

    def reply_chunked(self, pieces, fields=(), trailers=()):
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        self.head(200, pairs + [("Transfer-Encoding", "chunked")])
        for piece in pieces:
            self.send(format_chunk(piece))
        self.send(format_last_chunk(trailers))

    def reply_bytes(self, count, fields=()):
        """A body of `count` patterned bytes, sent as it is taken."""
        self.head(200, list(fields) + [("Content-Length", str(count))])
        while count > 0:
            piece = BLOCK[:min(count, len(BLOCK))]
            self.send(piece)
            count -= len(piece)

    def close(self):
        self.ended = True
        self.wire.close()

    def reset(self):
        self.ended = True
        self.wire.reset()

    def wait_for_end(self, deadline=DEADLINE):
        """Waits until the peer closes or resets; what it sends before is dropped."""
        self.wire.socket.settimeout(deadline)
        self.wire.until_end()
        self.ended = True
        return self.wire.end

    def peer_gone(self):
        """Whether the peer has closed by now."""
        if not self.wire.end and select.select([self.wire.socket], [], [], 0)[0]:
            self.wire.fill()
        return self.wire.end is not None


def echo(exchange):
    """What the origin saw, as JSON."""
    request = exchange.request
    exchange.read_body()
    seen = {"origin": exchange.origin.name, "method": request.method, "target": request.target,
            "version": request.version, "fields": request.fields, "framing": request.framing,
            "body": request.body[:65536].decode("latin-1"), "body_bytes": request.body_bytes,
            "digest": request.digest, "trailers": request.trailers,
            "connection": request.connection}
    exchange.reply(200, {"Content-Type": "application/json"}, json.dumps(seen).encode())


def bound(host, port):
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def kept_port(host, port):
    """Holds the port of a server that has stopped: who connects is refused, and no server of
    another test gets it. None: somebody was quicker, most likely the test itself."""
    try:
        return bound(host, port)
    except OSError:
        return None


class Origin:
    """Listens on a free port of `host`, or on the Unix socket `path`."""

    def __init__(self, host="127.0.0.1", path=None, name="origin", tls=None, port=0):
        """`tls`: an ssl.SSLContext to accept with."""
        self.name = name
        self.tls = tls
        self.path = path
        self.lock = threading.Condition()
        self.scripts = {}
        self.requests = []
        self.refused = []  # (connection, error): what it did not understand
        self.accepted = 0
        self.wires = {}  # open connections
        self.stopping = False
        if path:
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listener.bind(path)
        else:
            self.listener = bound(host, port)
            self.port = self.listener.getsockname()[1]
        self.kept = None
        self.host = host
        self.listener.listen(512)
        self.thread = threading.Thread(target=self.accept_all, daemon=True)
        self.thread.start()

    @property
    def endpoint(self):
        """As the gateway's config names it."""
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def address(self):
        return self.path or (self.host, self.port)

    def on(self, path, script):
        self.scripts[path] = script

    def clear(self):
        """Forgets what it saw and its scripts; connections stay."""
        with self.lock:
            self.requests.clear()
            self.refused.clear()
            self.scripts.clear()

    def stop(self):
        self.stopping = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.close_connections()
        self.thread.join(DEADLINE)
        if self.path and os.path.exists(self.path):
            os.unlink(self.path)
        elif not self.path and self.kept is None:
            self.kept = kept_port(self.host, self.port)

    def close_connections(self):
        """Closes all connections without a word, as a restarting server does."""
        with self.lock:
            wires = list(self.wires.values())
        for wire in wires:
            wire.close()

    def changed(self):
        with self.lock:
            self.lock.notify_all()

    def wait_for_requests(self, count, complete=True):
        """The first `count` requests, in order of arrival."""
        with self.lock:
            seen = lambda: [request for request in self.requests
                            if request.complete or not complete]
            if not self.lock.wait_for(lambda: len(seen()) >= count, DEADLINE):
                raise AssertionError(f"{len(seen())} of {count} requests came: {seen()}")
            return seen()[:count]

    def targets(self):
        with self.lock:
            return [request.target for request in self.requests]

    def open_connections(self):
        """Connections that the peer has not closed."""
        with self.lock:
            return len(self.wires)

    def wait_until_idle(self):
        eventually(lambda: self.open_connections() == 0, "all connections of the origin closed")

    # Threads.

    def accept_all(self):
        while not self.stopping:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                number = self.accepted
                self.accepted += 1
                wire = self.wires[number] = Wire(sock)
                self.lock.notify_all()
            threading.Thread(target=self.serve, args=(wire, number), daemon=True).start()

    def serve(self, wire, number):
        wire.socket.settimeout(None)  # a pooled connection may wait as long as the test lasts
        try:
            if self.tls:
                wire.socket = self.tls.wrap_socket(wire.socket, server_side=True)
            index = 0
            while self.serve_one(wire, number, index):
                index += 1
        except Ended:
            pass
        except (OSError, ValueError):  # the connection was closed in our hands
            pass
        except (ProtocolError, Truncated) as error:
            with self.lock:
                self.refused.append((number, str(error)))
        finally:
            wire.close()
            with self.lock:
                self.wires.pop(number, None)
                self.lock.notify_all()

    def serve_one(self, wire, number, index):
        line, fields = wire.head("a request head")
        parts = line.split(" ")
        if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
            raise ProtocolError(f"no request line: {line!r}")
        request = Request(*parts, fields, number, index)
        request.framing = body_framing(fields, "the request")
        with self.lock:
            self.requests.append(request)
            if not request.framing:
                request.complete = True
            self.lock.notify_all()
        exchange = Exchange(self, wire, request)
        self.scripts.get(request.path, echo)(exchange)
        if exchange.ended or not exchange.keep:
            return False
        exchange.read_body()
        return True
