"""Http2Client: frames by hand over a socket, with Debian's python3-hpack for the heads. It sends
whatever it is told to, right or wrong, and sorts what comes by stream."""

import dataclasses
import socket
import struct
import sys
import time

from support.wait import DEADLINE

sys.path.append("/usr/lib/python3/dist-packages")  # where Debian's packages are, for any python3
import hpack  # noqa: E402

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
PRIORITY_UPDATE = 0x10
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY_FLAG = 0x20

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, \
    FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, \
    ENHANCE_YOUR_CALM = range(12)

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, \
    MAX_HEADER_LIST_SIZE = range(1, 7)
ENABLE_CONNECT_PROTOCOL = 8


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def settings_frame(values=(), ack=False):
    pairs = values.items() if isinstance(values, dict) else values
    payload = b"".join(struct.pack("!HI", key, value) for key, value in pairs)
    return frame(SETTINGS, ACK if ack else 0, 0, payload)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", increment))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack("!I", code))


@dataclasses.dataclass
class Response:
    """What has come on one stream."""
    head: list = None
    informational: list = dataclasses.field(default_factory=list)
    body: bytearray = dataclasses.field(default_factory=bytearray)
    body_bytes: int = 0
    trailers: list = None
    ended: bool = False
    reset: int = None  # the error code of RST_STREAM
    frames: list = dataclasses.field(default_factory=list)  # sizes of DATA frames

    @property
    def status(self):
        return int(self.header(":status"))

    def header(self, name):
        for key, value in self.head or ():
            if key == name:
                return value
        return None

    @property
    def over(self):
        return self.ended or self.reset is not None


class Ended(AssertionError):
    """The connection ended before what was waited for."""


class Http2Client:
    def __init__(self, address, settings=(), preface=True, window=1 << 20, sock=None):
        """`window`: what the connection's window is raised by; bodies are not acknowledged."""
        self.socket = sock or socket.create_connection(address, DEADLINE)
        self.socket.settimeout(DEADLINE)
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.buffer = bytearray()
        self.block = b""
        self.streams = {}
        self.settings = {}
        self.settings_acked = 0
        self.pings = []
        self.goaways = []  # (last stream, code)
        self.windows = {}  # stream: sum of WINDOW_UPDATE
        self.order = []  # streams of DATA frames as they came
        self.next_stream = 1
        self.end = None
        self.auto_window = True
        if preface:
            self.send(PREFACE + settings_frame(settings))
            if window:
                self.send(window_update(0, window))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    # Requests.

    def fields(self, method="GET", path="/", fields=(), authority="test.example", scheme="http"):
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        return [(":method", method), (":scheme", scheme), (":authority", authority),
                (":path", path)] + [(name.lower(), str(value)) for name, value in pairs]

    def headers(self, fields, end=True, stream=None, flags=END_HEADERS):
        """The frame of a head; the next stream's unless one is given."""
        if stream is None:
            stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.streams.setdefault(stream, Response())
        return stream, frame(HEADERS, flags | (END_STREAM if end else 0), stream,
                             self.encoder.encode(fields))

    def start(self, method="GET", path="/", fields=(), end=True, **others):
        """Sends a head; the number of its stream."""
        stream, data = self.headers(self.fields(method, path, fields, **others), end)
        self.send(data)
        return stream

    def connect_websocket(self, path="/ws"):
        """RFC 8441; the number of its stream."""
        stream, data = self.headers(
            [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
             (":authority", "test.example"), (":path", path), ("sec-websocket-version", "13")],
            end=False)
        self.send(data)
        return stream

    def send_data(self, stream, data=b"", end=False, piece=16384):
        out = bytearray()
        while len(data) > piece:
            out += frame(DATA, 0, stream, data[:piece])
            data = data[piece:]
        self.send(bytes(out) + frame(DATA, END_STREAM if end else 0, stream, data))

    def request(self, method="GET", path="/", fields=(), body=None, **others):
        stream = self.start(method, path, fields, end=body is None, **others)
        if body is not None:
            self.send_data(stream, body, end=True)
        return self.response(stream)

    # What comes.

    def response(self, stream):
        """The whole response, or one cut off by RST_STREAM."""
        response = self.streams[stream]
        self.wait(lambda: response.over, f"the end of stream {stream}")
        return response

    def head(self, stream):
        response = self.streams[stream]
        self.wait(lambda: response.head or response.over, f"a head on stream {stream}")
        return response

    def wait(self, condition, what, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while not condition():
            if self.end:
                raise Ended(f"{self.end} in place of {what}; GOAWAY: {self.goaways}")
            if not self.receive(max(end - time.monotonic(), 0.001)):
                raise AssertionError(f"did not come within {deadline} s: {what}")

    def wait_for_end(self):
        """Reads until the peer closes; the last GOAWAY, None without one."""
        while not self.end:
            if not self.receive(DEADLINE):
                raise AssertionError("the connection was not closed")
        return self.goaways[-1] if self.goaways else None

    def receive(self, timeout):
        """Some more bytes, with the frames in them; False when none came in time."""
        self.socket.settimeout(timeout)
        try:
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            return False
        except OSError:
            self.end = "reset"
            return True
        finally:
            self.socket.settimeout(DEADLINE)
        if not data:
            self.end = "eof"
            return True
        self.buffer += data
        while len(self.buffer) >= 9:
            size = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + size:
                break
            kind, flags, stream = struct.unpack("!BBI", self.buffer[3:9])
            payload = bytes(self.buffer[9:9 + size])
            del self.buffer[:9 + size]
            self.take(kind, flags, stream & 0x7fffffff, payload)
        return True

    def take(self, kind, flags, stream, payload):
        response = self.streams.setdefault(stream, Response()) if stream else None
        if kind == DATA:
            response.body += payload
            response.body_bytes += len(payload)
            response.frames.append(len(payload))
            response.ended = response.ended or bool(flags & END_STREAM)
            self.order.append(stream)
            if self.auto_window and payload:
                self.send(window_update(0, len(payload)))
                if not response.ended:
                    self.send(window_update(stream, len(payload)))
        elif kind in (HEADERS, CONTINUATION):
            self.block += payload
            if kind == HEADERS:
                self.block_ends = bool(flags & END_STREAM)
            if flags & END_HEADERS:
                self.take_section(response, self.decoder.decode(self.block))
                self.block = b""
        elif kind == RST_STREAM:
            response.reset = struct.unpack("!I", payload)[0]
        elif kind == SETTINGS:
            if flags & ACK:
                self.settings_acked += 1
            else:
                for at in range(0, len(payload), 6):
                    key, value = struct.unpack("!HI", payload[at:at + 6])
                    self.settings[key] = value
                self.try_send(settings_frame(ack=True))
        elif kind == PING:
            self.pings.append((bool(flags & ACK), payload))
            if not flags & ACK:
                self.try_send(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.goaways.append((struct.unpack("!I", payload[:4])[0] & 0x7fffffff,
                                 struct.unpack("!I", payload[4:8])[0]))
        elif kind == WINDOW_UPDATE:
            self.windows[stream] = self.windows.get(stream, 0) + struct.unpack("!I", payload)[0]

    def try_send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def take_section(self, response, fields):
        fields = [(str(name), str(value)) for name, value in fields]
        if response.head is None and fields and fields[0] == (":status", "101"):
            raise AssertionError("101 in HTTP/2")
        if response.head is None and fields[0][1].startswith("1"):
            response.informational.append(fields)
        elif response.head is None:
            response.head = fields
        else:
            response.trailers = fields
        response.ended = response.ended or self.block_ends
