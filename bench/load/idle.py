"""What many connections cost that do little: idle ones, and WebSocket tunnels."""

import dataclasses
import select
import socket
import ssl
import time

from measure import settle, user_memory

REQUEST = b"GET /bytes/128 HTTP/1.1\r\nHost: localhost\r\n\r\n"
# The preface, empty SETTINGS, the acknowledgement of the peer's, and a GET on stream 1.
HTTP2_REQUEST = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + \
    b"\0\0\0\4\1\0\0\0\0" + \
    b"\0\0\x19\1\5\0\0\0\1" + b"\x82\x87\1\x09localhost\4\x0a/bytes/128"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
MESSAGE = b"\x82\xba\0\0\0\0" + b"m" * 58  # 64 bytes, a frame
KINDS = ("http", "https", "h2")


@dataclasses.dataclass
class Tunnels:
    bytes: float  # of user memory each
    cpu: float    # microseconds of the gateway for a message and its echo
    rate: float   # messages a second


def client_context(protocol):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


def connect(gateway, kind, context):
    port = gateway.port if kind == "http" else gateway.tls_port
    connection = socket.create_connection(("127.0.0.1", port), 10)
    return connection if kind == "http" else context.wrap_socket(connection)


def ask(connection, kind, gateway):
    connection.sendall(HTTP2_REQUEST if kind == "h2" else REQUEST)
    got = b""
    while got.count(b"x" * 128) == 0:
        piece = connection.recv(4096)
        if not piece:
            raise RuntimeError(f"{gateway.name}: no answer ({kind}): {got!r}")
        got += piece


def bytes_per_connection(gateway, kind, count):
    """User memory that an idle connection costs, after one request on each."""
    context = client_context("h2" if kind == "h2" else "http/1.1")
    with connect(gateway, kind, context) as first:
        ask(first, kind, gateway)
    settle(gateway)
    before = user_memory(gateway)
    sockets = []
    try:
        for _ in range(count):
            sockets.append(connect(gateway, kind, context))
            ask(sockets[-1], kind, gateway)
        settle(gateway)
        return (user_memory(gateway) - before) / count
    finally:
        for connection in sockets:
            connection.close()


def open_tunnel(gateway):
    connection = socket.create_connection(("127.0.0.1", gateway.port), 10)
    connection.sendall(UPGRADE)
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        got += connection.recv(4096) or b"\r\n\r\n"
    if not got.startswith(b"HTTP/1.1 101"):
        raise RuntimeError(f"{gateway.name}: no tunnel: {got!r}")
    connection.setblocking(False)
    return connection


def echo_once(sockets, poll, by_fd):
    """A message on each, until all came back."""
    for connection in sockets:
        connection.send(MESSAGE)
    missing = len(sockets) * len(MESSAGE)
    while missing:
        ready = poll.poll(10)
        if not ready:
            raise RuntimeError(f"{missing} bytes did not come back")
        for fd, _ in ready:
            piece = by_fd[fd].recv(4096)
            if not piece:
                raise RuntimeError("a tunnel was closed")
            missing -= len(piece)


def tunnels(gateway, count, seconds):
    before = user_memory(gateway)
    sockets = []
    try:
        for _ in range(count):
            sockets.append(open_tunnel(gateway))
        by_fd = {connection.fileno(): connection for connection in sockets}
        with select.epoll() as poll:
            for fd in by_fd:
                poll.register(fd, select.EPOLLIN)
            echo_once(sockets, poll, by_fd)
            settle(gateway)
            memory = (user_memory(gateway) - before) / count
            messages, begin, cpu = 0, time.monotonic(), gateway.cpu_ns()
            while time.monotonic() < begin + seconds:
                echo_once(sockets, poll, by_fd)
                messages += count
            elapsed = time.monotonic() - begin
            return Tunnels(bytes=memory, cpu=(gateway.cpu_ns() - cpu) / 1000 / messages,
                           rate=messages / elapsed)
    finally:
        for connection in sockets:
            connection.close()
