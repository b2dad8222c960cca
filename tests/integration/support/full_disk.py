"""FullDisk: a disk that is full for one process. Its files may not grow beyond a size, by
RLIMIT_FSIZE: its writes fail as on a full disk, and nobody else's do."""

import pathlib
import resource
import subprocess
import sys
import tempfile


class FullDisk:
    def __init__(self, pid):
        self.pid = pid
        self.before = resource.prlimit(pid, resource.RLIMIT_FSIZE)

    def fill(self, size):
        """No file grows beyond `size` bytes. Only the soft limit changes: to raise a hard one takes
        a capability that root in a container does not have."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, self.before[1]))

    def empty(self):
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, self.before)


WRITER = """
import signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = open(sys.argv[1], "wb", buffering=0)
print("ready", flush=True)
sys.stdin.readline()
try:
    file.write(b"12")
    sys.exit(file.write(b"3"))
except OSError:
    sys.exit(0)
"""


def why_no_full_disk():
    """What keeps this machine from making a disk full for another process; None: nothing does."""
    with tempfile.TemporaryDirectory(prefix="hangu-disk-") as folder:
        path = pathlib.Path(folder) / "file"
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            writer.stdout.readline()
            FullDisk(writer.pid).fill(2)
            writer.communicate("\n", timeout=10)
            return "RLIMIT_FSIZE does not hold here" if writer.returncode else None
        except OSError as error:
            return f"limits of another process: {error}"
        finally:
            writer.kill()
            writer.communicate()
