"""Dns: a name server on loopback UDP that says what a test tells it to: A and SRV records with a
TTL, or that there is no such name."""

import socket
import struct
import threading

A, SRV = 1, 33


def encoded(name):
    labels = name.rstrip(".").split(".") if name.strip(".") else []
    return b"".join(bytes([len(each)]) + each.encode() for each in labels) + b"\0"


class Dns:
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.zones = {}  # {(name, type): (ttl, [data])}
        self.questions = []
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def a(self, name, *addresses, ttl=1):
        self.zones[name, A] = ttl, [socket.inet_aton(each) for each in addresses]

    def srv(self, name, *records, ttl=1):
        """Records are (priority, weight, port, target)."""
        self.zones[name, SRV] = ttl, [struct.pack("!HHH", *record[:3]) + encoded(record[3])
                                      for record in records]

    def remove(self, name):
        self.zones = {key: zone for key, zone in self.zones.items() if key[0] != name}

    def serve(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            self.socket.sendto(self.answer(question), peer)

    def answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode().lower())
            at += question[at] + 1
        kind, _ = struct.unpack_from("!HH", question, at + 1)
        name = ".".join(labels)
        self.questions.append((name, kind))
        exists = any(key[0] == name for key in self.zones)
        ttl, records = self.zones.get((name, kind), (0, []))
        flags = 0x8180 if exists else 0x8183
        head = question[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data
                        for data in records)
        return head + question[12:at + 5] + body

    def stop(self):
        self.socket.close()
