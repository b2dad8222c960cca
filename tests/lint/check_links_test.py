"""Tests of check_links.py."""

import pathlib
import tempfile
import unittest

import check_links


class CheckLinksTest(unittest.TestCase):
    def check(self, text, **others):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            for name, content in {"README.md": text, **others}.items():
                (root / name).write_text(content)
            return check_links.check(root, [root / "README.md"])

    def assert_one(self, problem, errors):
        self.assertEqual(1, len(errors), errors)
        self.assertIn(problem, errors[0])

    def test_accepts_files_folders_anchors_and_the_web(self):
        self.assertEqual([], self.check("# A b!\n[x](b.md) [y](./) [z](#a-b) [w](https://x.test/)\n"
                                        "![i](b.md \"t\") [v](b.md#c-d)\n[u]: b.md\n",
                                        **{"b.md": "## `C` D\n"}))

    def test_finds_a_missing_file(self):
        self.assert_one("README.md:2: gone.md does not exist", self.check("\n[x](gone.md)\n"))
        self.assert_one("gone.png does not exist", self.check("![x](gone.png)\n"))
        self.assert_one("gone.md does not exist", self.check("[x]: gone.md\n"))

    def test_finds_a_missing_heading(self):
        self.assert_one("b.md has no heading #x", self.check("[x](b.md#x)\n", **{"b.md": "# y\n"}))
        self.assert_one("README.md has no heading #x", self.check("# y\n[x](#x)\n"))

    def test_finds_a_link_out_of_the_project(self):
        self.assert_one("is outside the project", self.check("[x](..)\n"))

    def test_code_holds_no_links(self):
        self.assertEqual([], self.check("`[x](gone.md)`\n```sh\n[x](gone.md)\n```\n"))


if __name__ == "__main__":
    unittest.main()
