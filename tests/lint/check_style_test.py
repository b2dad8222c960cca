"""Tests of check_style.py: a tiny bad input, and a good one beside it, for each rule."""

import pathlib
import tempfile
import unittest

import check_style

# Rule, where the file is, what must be found, what must not.
CASES = [
    ("clock", "src/http/x.cc", "auto t = std::chrono::steady_clock::now();",
     "std::chrono::steady_clock::time_point t;"),
    ("clock", "src/base/log.cc", "system_clock::now()", "// system_clock::now()"),
    ("threads", "src/codec/x.cc", "std::mutex m;", 'const char* s = "std::mutex";'),
    ("threads", "src/filter/x.cc", "std::atomic<int> n;", "std::vector<int> n;"),
    ("new-delete", "src/http/x.cc", "auto* p = new Thing();", "auto p = make_unique<Thing>();"),
    ("new-delete", "src/http/x.cc", "delete p;", "Thing(const Thing&) = delete;"),
    ("new-delete", "src/http/x.cc", "T* p = ::new (slot) T;",
     "std::unique_ptr<T> p(new T()); return std::unique_ptr<T>(new T);"),
    ("std-function", "src/filter/x.cc", "std::function<void()> f;", "Task f;"),
    ("shared-ptr", "src/codec/x.cc", "std::shared_ptr<Log> c;", "std::shared_ptr<const Log> c;"),
    ("throw", "src/codec/x.cc", "throw 1;", "return fail(error);  // never throw"),
    ("regex", "src/cli/x.cc", "#include <regex>", "#include <string>"),
    ("number-parsing", "src/config/x.cc", "int n = std::stoi(text);", "parse_decimal(text, 9);"),
    ("number-parsing", "src/cli/x.cc", "atoi (text);", "int atoi_like = 0;"),
    ("memcpy", "src/proxy/x.cc", "std::memcpy(a, b, 4);", "copy(a, b, 4);"),
    ("print", "src/proxy/x.cc", 'printf("%d", 1);', 'log::info("printf(1)");'),
    ("print", "src/server/x.cc", "std::cout << 1;", "out << 1;"),
    ("catch-all", "src/control/x.cc", "} catch (...) {", "} catch (const YAML::Exception&) {"),
    ("using-namespace", "include/hangu/http/x.h", "using namespace std;", "using std::string;"),
    ("sleep", "tests/unit/http/x_test.cc", "std::this_thread::sleep_for(1s);", "run_until(done);"),
    ("sleep", "src/server/x.cc", "::sleep(1);", "timer.sleep(1);"),
    ("fixed-port", "tests/component/x_test.cc", 'listen_on(address("127.0.0.1:8080"));',
     'listen_on(address("127.0.0.1:0"));'),
    ("fixed-port", "tests/component/x_test.cc", "a.sin_port = htons(8080);", "htons(port)"),
    ("fixed-port-python", "tests/integration/x.py", 'server.bind(("127.0.0.1", 8080))',
     'server.bind(("127.0.0.1", 0))'),
]

# Path, text, a part of the one error that it must give.
FILES = [
    ("src/http/x.cc", "int n;\n" * 801, "801 lines"),
    ("src/http/x.cc", "//" + "x" * 99 + "\n", "101 columns"),
    ("src/http/x.cc", "\tint n;\n", "a tab"),
    ("src/http/x.cc", "int n; \n", "spaces at the end"),
    ("src/http/x.cc", "int n;", "no line feed"),
    ("src/http/x.cc", "// FIXME: soon\n", "FIXME"),
    ("tests/x.py", "# TODO: later\n", "TODO without an issue"),
    ("src/http/x.h", "// What it is.\n", "#pragma once"),
    ("include/hangu/http/x.h", "#pragma once\n", "opens with what it is"),
]


class CheckStyleTest(unittest.TestCase):
    def check(self, name, content, mode=0o644):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            path = root / name
            path.parent.mkdir(parents=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            path.chmod(mode)
            return check_style.check(root, [path])

    def assert_one(self, problem, errors):
        self.assertEqual(1, len(errors), errors)
        self.assertIn(problem, errors[0])

    @staticmethod
    def dress(name, line):
        """The line as a whole file that breaks no other rule."""
        return ("// What it is.\n#pragma once\n" if name.endswith(".h") else "") + line + "\n"

    def test_each_ban_finds_its_bad_line_and_no_good_one(self):
        for rule, name, bad, good in CASES:
            with self.subTest(rule=rule, line=bad):
                self.assert_one(f": {rule}: ", self.check(name, self.dress(name, bad)))
                self.assertEqual([], self.check(name, self.dress(name, good)))

    def test_every_ban_has_a_case(self):
        self.assertEqual({rule.name for rule in check_style.RULES}, {case[0] for case in CASES})

    def test_bans_stop_at_the_layers_they_name(self):
        self.assertEqual([], self.check("src/event/x.cc", "std::mutex m; steady_clock::now();\n"))
        self.assertEqual([], self.check("src/control/x.cc", "std::function<void()> f;\n"))
        self.assertEqual([], self.check("src/http/x.cc", "memcpy(a, b, 4);\n"))

    def test_errors_name_the_line_and_the_replacement(self):
        errors = self.check("src/proxy/x.cc", '/* one\n two */ auto s = R"(\n)";\nstd::mutex m;\n')
        self.assert_one("src/proxy/x.cc:4: threads: 'std::mutex'", errors)
        self.assertIn("Mailbox", errors[0])

    def test_each_file_rule_finds_its_bad_file(self):
        for name, text, problem in FILES:
            with self.subTest(problem=problem):
                self.assert_one(problem, self.check(name, text))

    def test_a_todo_with_its_issue_is_fine(self):
        self.assertEqual([], self.check("src/http/x.cc", "// TODO(#12): trailers.\n"))

    def test_lines_are_counted_in_characters(self):
        self.assertEqual([], self.check("src/http/x.cc", "//" + "é" * 98 + "\n"))

    def test_finds_odd_modes(self):
        self.assert_one("executable but no script", self.check("src/http/x.cc", "int n;\n", 0o755))
        self.assert_one("is not executable", self.check("scripts/x", "#!/bin/sh\n", 0o644))
        self.assert_one("odd file mode", self.check("src/http/x.cc", "int n;\n", 0o646))

    def test_finds_big_blobs(self):
        self.assert_one("1 MiB is the limit", self.check("docs/x.png", b"\0" * (1024 * 1024 + 1)))

    def test_leaves_test_data_alone(self):
        self.assertEqual([], self.check("tests/golden/x/y.in", "\tFIXME \n"))

    def test_an_allowance_that_nothing_needs_is_an_error(self):
        errors = check_style.unused_allowances(check_style.tree.ROOT, set())
        self.assertEqual(sum(len(rule.allow) for rule in check_style.RULES), len(errors))


if __name__ == "__main__":
    unittest.main()
