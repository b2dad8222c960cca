"""Manager: the little of systemd that hangu speaks to: a notification socket, sockets that are
passed to the process (sd_listen_fds), and a store of descriptors (FDSTORE)."""

import os
import pathlib
import shutil
import socket
import tempfile
import threading

from support.gateway import Gateway
from support.wait import eventually

FIRST_DESCRIPTOR = 3  # SD_LISTEN_FDS_START
LAUNCHER = ("/bin/sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"')


class Manager:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-"))
        self.path = str(self.folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.messages = []  # (pid, {key: value})
        self.store = []  # (name, descriptor)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            text, ancillary, _, _ = self.socket.recvmsg(4096, 1024)
            if text == b"stop":
                return
            self.take(text.decode(), ancillary)

    def take(self, text, ancillary):
        fields = dict(line.split("=", 1) for line in text.splitlines())
        pid, descriptors = 0, []
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                pid = int.from_bytes(data[:4], "little")
            elif level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors += [int.from_bytes(data[i:i + 4], "little")
                                for i in range(0, len(data), 4)]
        if "FDSTORE" in fields:
            self.store += [(fields["FDNAME"], fd) for fd in descriptors]
        if "FDSTOREREMOVE" in fields:
            for name, fd in [each for each in self.store if each[0] == fields["FDNAME"]]:
                self.store.remove((name, fd))
                os.close(fd)
        self.messages.append((pid, fields))

    def start(self, config, passed=None):
        """`passed`: [(name, descriptor)]; what is in the store if there is none."""
        passed = self.store if passed is None else passed
        names, descriptors = [name for name, _ in passed], [fd for _, fd in passed]
        targets = range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + len(descriptors))

        def place():
            # Out of the way of each other first.
            high = [os.dup2(fd, 200 + number, inheritable=False)
                    for number, fd in enumerate(descriptors)]
            for fd, target in zip(high, targets):
                os.dup2(fd, target)

        environment = {**os.environ, "NOTIFY_SOCKET": self.path}
        if passed:
            environment.update(LISTEN_FDS=str(len(passed)), LISTEN_FDNAMES=":".join(names))
        return Gateway(config, launcher=LAUNCHER, env=environment, preexec_fn=place,
                       close_fds=False)

    def wait_for(self, key, pid=None, value=None):
        """The first message with that key."""
        def found():
            return next((each for each in self.messages
                         if key in each[1] and pid in (None, each[0]) and
                         value in (None, each[1][key])), None)
        return eventually(found, f"{key} is told")

    def stop(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"stop", self.path)
        self.thread.join()
        self.socket.close()
        for _, fd in self.store:
            os.close(fd)
        shutil.rmtree(self.folder)
