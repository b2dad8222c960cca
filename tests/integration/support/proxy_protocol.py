"""Headers of the PROXY protocol, after haproxy's proxy-protocol.txt."""

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LOCAL, PROXY = 0, 1
STREAM, DATAGRAM = 1, 2


def v1(source, destination="127.0.0.1", source_port=40000, destination_port=80):
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {destination} {source_port} {destination_port}\r\n".encode()


def v1_unknown():
    return b"PROXY UNKNOWN\r\n"


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def v2(source=None, destination=None, source_port=40000, destination_port=80, **options):
    """`options`: command, transport, tlvs, version, length (to lie about it)."""
    command, version = options.get("command", PROXY), options.get("version", 2)
    family, addresses = 0, b""
    if source is not None:
        address = ipaddress.ip_address(source)
        local = "::1" if address.version == 6 else "127.0.0.1"
        target = ipaddress.ip_address(destination or local)
        family = 2 if address.version == 6 else 1
        ports = struct.pack("!HH", source_port, destination_port)
        addresses = address.packed + target.packed + ports
    transport = options.get("transport", STREAM if family else 0)
    rest = addresses + options.get("tlvs", b"")
    length = options.get("length", len(rest))
    fixed = struct.pack("!BBH", version << 4 | command, family << 4 | transport, length)
    return SIGNATURE + fixed + rest
