// Files of elements as documents, and their text.
#include "hangu/config/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> split(std::string_view text) {
  std::vector<Diagnostic> problems;
  std::vector<std::string> out;
  for (const Document& each : split_documents(text, "push.yaml", problems)) {
    out.push_back(each.key + ": " + each.text.value_or("gone"));
  }
  for (const Diagnostic& each : problems) {
    out.push_back(fmt::format("{} {} {}", each.line, each.code, each.message));
  }
  return out;
}

TEST(Documents, ElementsWithoutTheirNames) {
  EXPECT_THAT(split(R"(version: 1
upstreams:
  - name: users
    endpoints: ["127.0.0.1:9000"]  # the first
consumers: [{name: app-1}]
)"),
              ElementsAre("upstreams/users: endpoints:\n  - \"127.0.0.1:9000\"\n",
                          "consumers/app-1: {}\n"));
}

TEST(Documents, TextMeansTheSame) {
  const std::string_view text = R"(routes:
  - name: a
    n: -5
    s: "-5"
    dash: "- x"
    empty: ""
    none: ~
    colon: "a: b"
    hash: "a #b"
    lines: |
      one
      two
    escaped: "PING\x00\r\n\ttab \"quoted\" \\"
    unicode: 你好
    "null": key
    "odd: key": 1
    nested: [[1, [2, {a: [3]}]], {}, []]
    folded: >
      a
      b
)";
  std::vector<Diagnostic> problems;
  const auto once = split_documents(text, "f", problems);
  ASSERT_THAT(problems, IsEmpty());
  ASSERT_THAT(once, SizeIs(1));
  std::string again = "routes:\n  -\n    name: a\n";
  std::string_view rest = *once[0].text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    again += "    " + std::string(rest.substr(0, end + 1));
    rest.remove_prefix(end + 1);
  }
  const auto twice = split_documents(again, "f", problems);
  ASSERT_THAT(problems, IsEmpty()) << again;
  EXPECT_EQ(*once[0].text, *twice[0].text);
  EXPECT_THAT(*once[0].text, HasSubstr("n: -5\n"));
  EXPECT_THAT(*once[0].text, HasSubstr("s: \"-5\"\n"));
  EXPECT_THAT(*once[0].text, HasSubstr("\"PING\\x00\\r\\n\\ttab \\\"quoted\\\" \\\\\""));
}

TEST(Documents, WhatIsNone) {
  EXPECT_THAT(split("listeners: []\n"), ElementsAre(HasSubstr("each gateway's own")));
  EXPECT_THAT(split("routes: {a: {}}\n"), ElementsAre(HasSubstr("1 E0110")));
  EXPECT_THAT(split("routes: [{upstream: a}]\n"), ElementsAre(HasSubstr("without a `name`")));
  EXPECT_THAT(split("routes: [{name: a b}]\n"), SizeIs(1));
  EXPECT_THAT(split("routes: [{name: a}, {name: a}]\n"),
              ElementsAre("routes/a: {}\n", HasSubstr("stands twice")));
  EXPECT_THAT(split(""), SizeIs(1));
  EXPECT_THAT(split("[1]"), SizeIs(1));
}

}  // namespace
}  // namespace hangu::config
