"""What the lint checks share: which files the project has, and C++ text without its comments."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP_SUFFIXES = (".cc", ".h")
SKIPPED_FOLDERS = {".git", ".cache", "build", "node_modules", "__pycache__"}

# Raw strings first, so that quotes and slashes inside them mean nothing.
TOKEN = re.compile(
    r'R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"'
    r'|//[^\n]*|/\*.*?\*/'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def project_files(root=ROOT):
    """Every file that is, or with the next `git add` would be, part of the project."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, capture_output=True, check=True).stdout.decode()
        found = [root / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # no git here, or a tree of another user's
        found = [path for path in root.rglob("*")
                 if not SKIPPED_FOLDERS & set(path.relative_to(root).parts)
                 and not path.relative_to(root).parts[0].startswith("build-")]
    return sorted(path for path in found if path.is_file() or path.is_symlink())


def cpp_files(root=ROOT):
    return [path for path in project_files(root) if path.suffix in CPP_SUFFIXES]


def blank(text):
    """The text as spaces: every offset and line number stays."""
    return re.sub(r"[^\n]", " ", text)


def code_only(text, keep_strings=False):
    """C++ text with its comments blanked out, and its literals too unless they are wanted."""

    def replace(match):
        token = match[0]
        if token.startswith("/"):
            return blank(token)
        return token if keep_strings else token[0] + blank(token[1:-1]) + token[-1]

    return TOKEN.sub(replace, text)


def report(name, errors):
    """Prints what is wrong; the answer is the exit code."""
    for error in errors:
        print(error)
    print(f"{name}: {'ok' if not errors else f'{len(errors)} problem(s)'}",
          file=sys.stderr if errors else sys.stdout)
    return 1 if errors else 0
