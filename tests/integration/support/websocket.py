"""The least of RFC 6455 that tests need: a client, and an echo script for the origin."""

import base64
import dataclasses
import hashlib
import os
import struct

ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclasses.dataclass
class Frame:
    opcode: int
    payload: bytes
    masked: bool


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode() + ACCEPT_GUID).digest()).decode()


def apply_mask(payload, mask):
    repeated = mask * (len(payload) // 4 + 1)
    size = len(payload)
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated[:size], "big")) \
        .to_bytes(size, "big")


def format_frame(opcode, payload, mask=None):
    size = len(payload)
    bit = 0x80 if mask else 0
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, bit | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, bit | 127, size)
    return head + (mask + apply_mask(payload, mask) if mask else payload)


def read_frame(wire):
    first, second = wire.exactly(2, "a frame head")
    if not first & 0x80:
        raise AssertionError("fragmented frames are not for these tests")
    size = second & 0x7F
    if size == 126:
        size, = struct.unpack("!H", wire.exactly(2, "a frame size"))
    elif size == 127:
        size, = struct.unpack("!Q", wire.exactly(8, "a frame size"))
    mask = wire.exactly(4, "a frame mask") if second & 0x80 else None
    payload = wire.exactly(size, "a frame payload")
    return Frame(first & 0x0F, apply_mask(payload, mask) if mask else payload, bool(mask))


class WebSocket:
    """A client on the connection of a support.client.Client."""

    def __init__(self, client):
        self.client = client
        self.wire = client.wire
        self.key = base64.b64encode(os.urandom(16)).decode()

    def request_head(self, target="/ws", fields=()):
        return self.client.head("GET", target, [
            ("Host", self.client.host), ("Connection", "Upgrade"), ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", self.key), *fields])

    def open(self, target="/ws", fields=()):
        self.client.send(self.request_head(target, fields))
        response = self.client.read_response()
        if response.status == 101 and \
                response.header("sec-websocket-accept") != accept_key(self.key):
            raise AssertionError("wrong Sec-WebSocket-Accept")
        return response

    def send(self, payload, opcode=BINARY):
        self.wire.send(format_frame(opcode, payload, os.urandom(4)))

    def receive(self):
        return read_frame(self.wire)

    def echo(self, payload, opcode=BINARY):
        self.send(payload, opcode)
        return self.receive().payload


def accept_upgrade(exchange):
    key = exchange.request.header("sec-websocket-key")
    if key is None:
        exchange.reply(426, {"Upgrade": "websocket"}, b"websocket only")
        return False
    exchange.head(101, [("Connection", "Upgrade"), ("Upgrade", "websocket"),
                        ("Sec-WebSocket-Accept", accept_key(key))], "Switching Protocols")
    exchange.ended = True
    return True


def echo_script(exchange):
    """Origin script: accepts the upgrade, echoes frames, answers pings and close."""
    if not accept_upgrade(exchange):
        return
    while True:
        frame = read_frame(exchange.wire)
        if not frame.masked:
            raise AssertionError("a client's frame without a mask")
        opcode = PONG if frame.opcode == PING else frame.opcode
        exchange.send(format_frame(opcode, frame.payload))
        if frame.opcode == CLOSE:
            return
