"""Wire: strict HTTP/1.1 reading over a socket, for both the test's client and its origin. What a
sender may not send is an error here: the peers of the tests must not forgive what real ones would
not."""

import re
import socket
import struct

from support.wait import DEADLINE

RECEIVE_BYTES = 256 * 1024
HEAD_BYTES_MAX = 1024 * 1024
FIELD_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FIELD_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class ProtocolError(AssertionError):
    """The peer sent what it may not send."""


class Truncated(ProtocolError):
    """The connection ended within a message."""


class Ended(Truncated):
    """The connection ended before the first byte of a message."""


class Reset(Ended):
    """The same, by a TCP reset."""


class Wire:
    def __init__(self, sock):
        self.socket = sock
        self.buffer = bytearray()
        self.end = None  # "eof" or "reset" once it came
        self.trailers = []
        self.chunk_sizes = []
        sock.settimeout(DEADLINE)

    # Sending and ending.

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        try:
            # shutdown() first: it wakes a thread that waits in recv() on the same socket.
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def reset(self):
        """Ends the connection by a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def shutdown_write(self):
        self.socket.shutdown(socket.SHUT_WR)

    # Bytes.

    def fill(self):
        """Receives some more; False at the end of the stream."""
        if self.end:
            return False
        try:
            data = self.socket.recv(RECEIVE_BYTES)
        except ConnectionResetError:
            self.end = "reset"
            return False
        except TimeoutError:
            raise AssertionError(
                f"nothing came within {DEADLINE} s; before: {bytes(self.buffer[:200])!r}") from None
        if not data:
            self.end = "eof"
            return False
        self.buffer += data
        return True

    def take(self, count):
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def need(self, what):
        if not self.fill():
            raise Truncated(f"{self.end} within {what}; last bytes: {bytes(self.buffer[-200:])!r}")

    def exactly(self, count, what="a fixed number of bytes"):
        while len(self.buffer) < count:
            self.need(what)
        return self.take(count)

    def pieces(self, count, what="a body of known length"):
        """Yields `count` bytes as they come."""
        while count > 0:
            if not self.buffer:
                self.need(what)
            piece = self.take(min(count, len(self.buffer)))
            count -= len(piece)
            yield piece

    def until_end(self):
        """Everything up to the end of the stream."""
        while self.fill():
            pass
        return self.take(len(self.buffer))

    # HTTP.

    def line(self, what):
        """One line without its CRLF."""
        start = 0
        while (at := self.buffer.find(b"\n", start)) < 0:
            start = len(self.buffer)
            if start > HEAD_BYTES_MAX:
                raise ProtocolError(f"no end of line in {what}")
            self.need(what)
        line = self.take(at + 1)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise ProtocolError(f"a bare CR or LF in {what}: {line!r}")
        return line[:-2]

    def fields(self, what):
        """The field lines through the empty line: [(name, value)] as written."""
        fields = []
        while line := self.line(what):
            name, colon, value = line.partition(b":")
            if not colon or not FIELD_NAME.fullmatch(name):
                raise ProtocolError(f"no field line in {what}: {line!r}")
            value = value.strip(b" \t")
            if not FIELD_VALUE.fullmatch(value):
                raise ProtocolError(f"control bytes in a field of {what}: {line!r}")
            fields.append((name.decode("latin-1"), value.decode("latin-1")))
        return fields

    def head(self, what):
        """(first line, fields) of a message."""
        if not self.buffer and not self.fill():
            ended = Reset if self.end == "reset" else Ended
            raise ended(f"{self.end} in place of {what}")
        first = self.line(what).decode("latin-1")
        return first, self.fields(what)

    def chunks(self):
        """Yields the data of a chunked body; then `trailers` and `chunk_sizes` hold the rest."""
        self.trailers, self.chunk_sizes = [], []
        while True:
            size = self.line("a chunk size").split(b";")[0].rstrip(b" \t")
            if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", size):
                raise ProtocolError(f"no chunk size: {size!r}")
            count = int(size, 16)
            self.chunk_sizes.append(count)
            if count == 0:
                self.trailers = self.fields("trailers")
                return
            yield from self.pieces(count, "a chunk")
            if self.exactly(2, "the end of a chunk") != b"\r\n":
                raise ProtocolError("a chunk does not end in CRLF")


def values_of(fields, name):
    return [value for field, value in fields if field.lower() == name.lower()]


def value_of(fields, name):
    """The only value of a field; None when it is not there."""
    values = values_of(fields, name)
    if len(values) > 1:
        raise ProtocolError(f"{name} came {len(values)} times: {values}")
    return values[0] if values else None


def tokens_of(fields, name):
    joined = ",".join(values_of(fields, name))
    return [token.strip().lower() for token in joined.split(",") if token.strip()]


def body_framing(fields, what):
    """"chunked", a length, or None; both at once and doubtful ones are errors."""
    lengths = values_of(fields, "content-length")
    codings = tokens_of(fields, "transfer-encoding")
    if lengths and codings:
        raise ProtocolError(f"{what} has both Content-Length and Transfer-Encoding")
    if codings:
        if codings != ["chunked"]:
            raise ProtocolError(f"{what} has the transfer codings {codings}")
        return "chunked"
    if not lengths:
        return None
    if len(lengths) > 1 or not re.fullmatch(r"[0-9]{1,18}", lengths[0]):
        raise ProtocolError(f"{what} has the lengths {lengths}")
    return int(lengths[0])


def format_fields(fields):
    """Field lines from a dict or from pairs."""
    pairs = fields.items() if isinstance(fields, dict) else fields
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in pairs)


def format_chunk(data, extension=b""):
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def format_last_chunk(trailers=()):
    return b"0\r\n" + format_fields(trailers) + b"\r\n"
