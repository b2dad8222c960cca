"""Tests of check_layers.py: each case is a tiny tree with one fault."""

import pathlib
import tempfile
import unittest

import check_layers

LAYERS = """
base:                  # the bottom
http: base
codec: base http
config: base
control: base config
"""


class CheckLayersTest(unittest.TestCase):
    def check(self, files, layers=LAYERS):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"src/layers.txt": layers, **files}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return check_layers.check(root)

    def assert_one(self, problem, errors):
        self.assertEqual(1, len(errors), errors)
        self.assertIn(problem, errors[0])

    def test_accepts_what_the_row_lists(self):
        self.assertEqual([], self.check({
            "include/hangu/base/x.h": "#include <string>\n",
            "include/hangu/http/x.h": '#include "hangu/base/x.h"\n#include "hangu/http/y.h"\n',
            "src/codec/http1/x.cc": '#include "hangu/http/x.h"\n#include "codec/http1/x.h"\n'}))

    def test_refuses_a_layer_that_the_row_does_not_list(self):
        self.assert_one("src/http/x.cc:2: http may not include hangu/codec/x.h",
                        self.check({"src/http/x.cc": '\n#include "hangu/codec/x.h"\n'}))

    def test_refuses_a_layer_above_itself_in_layers_txt(self):
        self.assert_one("base names http before it is declared",
                        self.check({}, layers="base: http\nhttp: base\n"))

    def test_refuses_an_undeclared_layer(self):
        self.assert_one("the layer extra is not declared", self.check({"src/extra/x.cc": ""}))

    def test_refuses_a_private_header_of_another_layer(self):
        self.assert_one("codec may not include http/x.h",
                        self.check({"src/codec/x.cc": '#include "http/x.h"\n'}))

    def test_refuses_a_relative_include(self):
        self.assert_one("http may not include x.h", self.check({"src/http/x.cc": '#include "x.h"'}))
        self.assert_one("may not include ../base/x.h",
                        self.check({"src/http/x.cc": '#include "../base/x.h"'}))

    def test_refuses_a_private_header_in_a_public_one(self):
        self.assert_one("may not include the private http/x.h",
                        self.check({"include/hangu/http/y.h": '#include "http/x.h"\n'}))

    def test_refuses_own_headers_in_angle_brackets(self):
        self.assert_one('write "hangu/base/x.h"',
                        self.check({"src/http/x.cc": "#include <hangu/base/x.h>\n"}))

    def test_refuses_a_library_outside_its_layers(self):
        self.assert_one("only admin, cli, control, etcd, fleet may include <boost/asio.hpp>",
                        self.check({"src/http/x.cc": "#  include <boost/asio.hpp>\n"}))
        self.assertEqual([], self.check({"src/control/x.cc": "#include <boost/asio.hpp>\n"}))
        self.assertEqual([], self.check({"src/filter/x.cc": "#include <boost/pfr/core.hpp>\n"},
                                        LAYERS + "filter: base\n"))

    def test_refuses_a_library_that_leaks_through_a_public_header(self):
        self.assertEqual([], self.check({"src/config/x.cc": "#include <yaml-cpp/parser.h>\n"}))
        self.assert_one("must not leak",
                        self.check({"include/hangu/config/x.h": "#include <yaml-cpp/parser.h>\n"}))


if __name__ == "__main__":
    unittest.main()
