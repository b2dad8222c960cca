"""Tests of check_format.py."""

import contextlib
import io
import pathlib
import tempfile
import unittest
import unittest.mock

import check_format

CONFIG = "BasedOnStyle: Google\n"


@unittest.skipIf(check_format.find_tool() is None, "no clang-format of the pinned version")
class CheckFormatTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        (self.root / ".clang-format").write_text(CONFIG)
        self.path = self.root / "x.cc"
        patch = unittest.mock.patch.object(check_format.tree, "ROOT", self.root)
        patch.start()
        self.addCleanup(patch.stop)

    def run_on(self, text, *arguments):
        self.path.write_text(text)
        self.output = io.StringIO()
        with contextlib.redirect_stdout(self.output), contextlib.redirect_stderr(self.output):
            return check_format.main([*arguments, str(self.path)])

    def test_accepts_a_formatted_file(self):
        self.assertEqual(0, self.run_on("int n;\n"))

    def test_finds_the_first_line_that_would_change(self):
        self.assertEqual(1, self.run_on("int n;\nint  m;\nint  o;\n"))
        self.assertIn("x.cc:2: not as clang-format", self.output.getvalue())
        self.assertNotIn("x.cc:3", self.output.getvalue())

    def test_fix_formats_the_file(self):
        self.assertEqual(0, self.run_on("int  n;\n", "--fix"))
        self.assertEqual("int n;\n", self.path.read_text())


class FindToolTest(unittest.TestCase):
    def test_another_version_does_not_count(self):
        with tempfile.TemporaryDirectory() as folder:
            tool = pathlib.Path(folder) / "clang-format"
            tool.write_text("#!/bin/sh\necho clang-format version 19.1.0\n")
            tool.chmod(0o755)
            with unittest.mock.patch.dict("os.environ", {"PATH": folder}):
                self.assertIsNone(check_format.find_tool())


if __name__ == "__main__":
    unittest.main()
