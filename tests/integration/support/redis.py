"""Redis: a real redis-server in a process of its own, on a free port that it keeps when it is
killed and started again. It remembers nothing over that."""

import signal
import socket
import ssl
import subprocess

from support.origin import bound
from support.wait import eventually


def tls_redis(authority, pair, ours, client_certificates=False):
    """One that speaks TLS alone, with the certificate of `pair`; `ours`: for our own commands."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(ours.cert, ours.key)
    return Redis("--tls-cert-file", pair.cert, "--tls-key-file", pair.key, "--tls-ca-cert-file",
                 authority.cert, "--tls-auth-clients", "yes" if client_certificates else "no",
                 tls=context)


class Redis:
    def __init__(self, *options, tls=None):
        self.options = options
        self.tls = tls
        # Bound as long as this lives: nobody gets the port while no redis-server listens there.
        self.kept = bound("127.0.0.1", 0)
        self.port = self.kept.getsockname()[1]
        self.process = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--tls-port" if self.tls else "--port", str(self.port),
             *(("--port", "0") if self.tls else ()), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--daemonize", "no", *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self.answers, "redis-server answers")

    def answers(self):
        try:
            return self.command("PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        return self.tls.wrap_socket(plain) if self.tls else plain

    def command(self, *words):
        """The first bytes of the reply, as they are."""
        with self.connect() as connection:
            connection.sendall(b"".join(
                [b"*%d\r\n" % len(words)] +
                [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]))
            return connection.recv(65536)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        """It accepts connections, or rather the kernel does, and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process.poll() is None:
            self.kill()
        self.kept.close()
