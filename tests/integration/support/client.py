"""Client: sends exactly the bytes it is given and reads responses strictly."""

import dataclasses
import json
import re
import socket

from support.wait import DEADLINE
from support.wire import (Ended, ProtocolError, Wire, body_framing, format_fields, tokens_of,
                          value_of, values_of)

STATUS_LINE = re.compile(r"HTTP/(1\.[01]) ([1-9][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)")


@dataclasses.dataclass
class Response:
    version: str
    status: int
    reason: str
    fields: list
    body: bytes = b""
    body_bytes: int = 0  # also when the body went into a sink
    framing: object = None  # "chunked", a length, "until close", or None: no body
    trailers: list = dataclasses.field(default_factory=list)
    chunk_sizes: list = dataclasses.field(default_factory=list)
    informational: list = dataclasses.field(default_factory=list)

    def header(self, name):
        return value_of(self.fields, name)

    def headers(self, name):
        return values_of(self.fields, name)

    def json(self):
        return json.loads(self.body)

    @property
    def closes(self):
        return "close" in tokens_of(self.fields, "connection")


class Client:
    """One connection to `address`: (host, port) or the path of a Unix socket."""

    def __init__(self, address, receive_buffer=None, tls=None, server_name=None, session=None):
        """`tls`: an ssl.SSLContext to connect with."""
        family = socket.AF_UNIX if isinstance(address, str) else \
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(DEADLINE)
        sock.connect(address)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            sock = tls.wrap_socket(sock, server_hostname=server_name, session=session)
        self.wire = Wire(sock)
        self.host = "test.example"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.wire.close()

    def send(self, data):
        self.wire.send(data)

    def send_all_or_end(self, data):
        """Sends what the peer takes; True when it took everything. A peer may end the connection
        at any time: what it had to say is then to be read."""
        try:
            self.wire.send(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def head(self, method, target, fields=(), version="1.1"):
        """The head of a request, with a Host unless one is given."""
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        if not any(name.lower() == "host" for name, _ in pairs):
            pairs.insert(0, ("Host", self.host))
        return f"{method} {target} HTTP/{version}\r\n".encode("latin-1") + format_fields(pairs) + \
            b"\r\n"

    def send_request(self, method="GET", target="/", fields=(), body=None, version="1.1"):
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        if body is not None:
            pairs.append(("Content-Length", str(len(body))))
        self.send(self.head(method, target, pairs, version) + (body or b""))

    def request(self, method="GET", target="/", fields=(), body=None, version="1.1", sink=None):
        self.send_request(method, target, fields, body, version)
        return self.read_response(method, sink=sink)

    def read_head(self):
        """The next head, final or informational, without its body."""
        line, fields = self.wire.head("a response head")
        match = STATUS_LINE.fullmatch(line)
        if not match:
            raise ProtocolError(f"no status line: {line!r}")
        return Response(match[1], int(match[2]), match[3], fields)

    def read_response(self, method="GET", sink=None):
        """The final response; `sink(piece)` gets the body instead of `body`."""
        informational = []
        while (response := self.read_head()).status < 200 and response.status != 101:
            informational.append(response)
        response.informational = informational
        if response.status != 101:
            self.read_body(response, method, sink)
        return response

    def read_body(self, response, method="GET", sink=None):
        framing = body_framing(response.fields, "the response")
        if method == "HEAD" or response.status in (204, 304):
            if response.status == 204 and framing is not None:
                raise ProtocolError("a 204 response with a framing field")
            return
        response.framing = "until close" if framing is None else framing
        if framing == "chunked":
            if response.version == "1.0":
                raise ProtocolError("a chunked HTTP/1.0 response")
            pieces = self.wire.chunks()
        elif framing is None:
            pieces = iter([self.wire.until_end()])
        else:
            pieces = self.wire.pieces(framing, "the response body")
        self.consume(response, pieces, sink)
        if framing == "chunked":
            response.trailers = self.wire.trailers
            response.chunk_sizes = self.wire.chunk_sizes

    @staticmethod
    def consume(response, pieces, sink):
        kept = []
        for piece in pieces:
            response.body_bytes += len(piece)
            (sink or kept.append)(piece)
        response.body = b"".join(kept)

    def end(self):
        """How the connection ends, "eof" or "reset", and what comes before that."""
        rest = self.wire.until_end()
        return self.wire.end, rest

    def expect_end(self):
        """The peer closes the connection and sends nothing more."""
        how, rest = self.end()
        if rest:
            raise AssertionError(f"{how} expected at once, but first came {rest[:200]!r}")
        return how

    def expect_alive(self, target="/alive"):
        """The connection takes one more request."""
        try:
            response = self.request("GET", target)
        except Ended as error:
            raise AssertionError("the connection was closed") from error
        if response.status != 200:
            raise AssertionError(f"status {response.status} on the kept-alive connection")
        return response
