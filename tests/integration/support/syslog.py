"""SyslogServer: a syslog server for tests: octet-counted messages (RFC 6587) over TCP or TLS."""

import json
import re
import socket
import ssl
import threading

from support.origin import kept_port

MESSAGE = re.compile(r"<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) - (.*)", re.DOTALL)


class SyslogServer:
    def __init__(self, pair=None, port=0):
        self.context = None
        if pair:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(pair.cert, pair.key)
        self.messages = []
        self.connections = []
        self.socket = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.port = self.socket.getsockname()[1]
        self.kept = None
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.connections.append(connection)
            stream = connection.makefile("rb")
            while size := self.read_size(stream):
                body = stream.read(size)
                if len(body) < size:
                    return
                self.messages.append(body.decode("utf-8"))
        except (OSError, ValueError):
            return
        finally:
            connection.close()

    @staticmethod
    def read_size(stream):
        digits = b""
        while (byte := stream.read(1)) not in (b"", b" "):
            digits += byte
        return int(digits) if digits else 0

    def parsed(self):
        """(priority, time, host, app, pid, id, record) of each message."""
        out = []
        for message in list(self.messages):
            found = MESSAGE.fullmatch(message)
            if not found:
                raise AssertionError(f"no RFC 5424 message: {message!r}")
            out.append((int(found[1]), *found.groups()[1:6], json.loads(found[7])))
        return out

    def records(self):
        return [each[-1] for each in self.parsed()]

    def stop(self):
        for part in (self.socket, *self.connections):
            try:
                part.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            part.close()
        self.thread.join()
        if self.kept is None:
            self.kept = kept_port("127.0.0.1", self.port)
