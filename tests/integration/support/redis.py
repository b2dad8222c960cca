"""Redis: a real redis-server in a process of its own, on a free port that it keeps when it is
killed and started again. It remembers nothing over that."""

import signal
import socket
import subprocess

from support.wait import eventually


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Redis:
    def __init__(self, *options):
        self.options = options
        self.port = free_port()
        self.process = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--daemonize", "no", *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self.answers, "redis-server answers")

    def answers(self):
        try:
            return self.command("PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def command(self, *words):
        """The first bytes of the reply, as they are."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
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
