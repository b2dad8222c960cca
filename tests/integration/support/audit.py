"""The audit log of a gateway, as an auditor sees it: its files, its chain computed anew, and
`hangu audit`."""

import hashlib
import json
import pathlib

from support.gateway import run_hangu
from support.json_log import records_of

HEX = 64


class AuditLog:
    def __init__(self, folder, name="audit.log"):
        self.path = pathlib.Path(folder) / name
        self.key = pathlib.Path(folder) / "audit.key"
        self.public_key = pathlib.Path(folder) / "audit.key.pub"
        self.checkpoints = pathlib.Path(f"{self.path}.checkpoints")

    def lines(self):
        """Whole lines of the current file."""
        try:
            return self.path.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return []

    def records(self, event=None):
        return [each for each in records_of(self.path) if event in (None, each["event"])]

    def archived(self):
        return sorted(path for path in self.path.parent.glob(self.path.name + ".[0-9]*")
                      if not path.name.endswith(".tmp"))

    def verify(self, *arguments, key=False, shipped=False):
        """(exit code, result)"""
        if key:
            arguments += ("--public-key", self.public_key)
        if shipped:
            arguments += ("--checkpoints", self.checkpoints)
        done = run_hangu("audit", "verify", "--log", self.path, "--json", *arguments)
        if not done.stdout:
            raise AssertionError(done.stderr)
        return done.returncode, json.loads(done.stdout)

    def first_finding(self, **options):
        """(kind, file, line, seq) of the first thing that is wrong; None: all is well."""
        code, result = self.verify(**options)
        if code == 0:
            return None
        first = result["findings"][0]
        return first["kind"], first["file"], first["line"], first["seq"]


def hash_of(line):
    """What a line's hash must be, by the words of the documents."""
    return hashlib.sha256(line[:line.index(b',"hash":"')]).hexdigest()


def relink(lines):
    """The lines with every link of the chain made anew, as a forger would."""
    out = []
    for line in lines:
        if out:
            previous = out[-1].rstrip(b"\n")[-HEX - 2:-2]
            at = line.rindex(b',"prev":"') + len(b',"prev":"')
            line = line[:at] + previous + line[at + HEX:]
        at = line.rindex(b',"hash":"') + len(b',"hash":"')
        out.append(line[:at] + hash_of(line).encode() + line[at + HEX:])
    return out


def make_key(folder):
    done = run_hangu("audit", "keygen", pathlib.Path(folder) / "audit.key")
    if done.returncode != 0:
        raise AssertionError(done.stderr)
