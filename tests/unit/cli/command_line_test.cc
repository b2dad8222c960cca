// Arguments, help and "did you mean".
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/cli_fixture.h"
#include "tests/unit/config/golden.h"

namespace hangu::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class CommandLineTest : public CliFixture {};

constexpr const char* kVerbs[] = {"run",     "check",  "reload", "status",
                                  "explain", "schema", "demo",   "version"};

TEST_F(CommandLineTest, HelpListsVerbsAndExitCodes) {
  EXPECT_EQ(hangu({"--help"}), kOk);
  test::expect_golden(test::source_root() / "tests/golden/cli/help.txt", out_);
  for (const char* code : {"0  ok", "1  failure", "2  wrong", "3  invalid", "4  reload", "5  an"}) {
    EXPECT_THAT(out_, HasSubstr(code));
  }
  EXPECT_THAT(err_, IsEmpty());
}

TEST_F(CommandLineTest, EveryVerbHasHelp) {
  for (const char* verb : kVerbs) {
    EXPECT_EQ(hangu({verb, "--help"}), kOk) << verb;
    EXPECT_THAT(out_, HasSubstr(verb));
    EXPECT_THAT(err_, IsEmpty()) << verb;
  }
}

TEST_F(CommandLineTest, WhatPrintsDataPrintsJson) {
  for (const char* verb : {"check", "reload", "status", "explain", "version"}) {
    hangu({verb, "--help"});
    EXPECT_THAT(out_, HasSubstr("--json")) << verb;
  }
}

TEST_F(CommandLineTest, NothingToDoIsWrongUsage) {
  EXPECT_EQ(hangu({}), kUsage);
  EXPECT_THAT(out_, IsEmpty());
  EXPECT_THAT(err_, HasSubstr("Verbs"));
}

TEST_F(CommandLineTest, NearWordsAreSuggested) {
  EXPECT_EQ(hangu({"relod"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("unknown verb \"relod\""));
  EXPECT_THAT(err_, HasSubstr("did you mean \"reload\"?"));
  EXPECT_EQ(hangu({"--verson"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("did you mean \"--version\"?"));
  EXPECT_EQ(hangu({"run", "--confg=x"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("unknown option of `hangu run` \"--confg=x\""));
  EXPECT_THAT(err_, HasSubstr("did you mean \"--config\"?"));
  EXPECT_THAT(out_, IsEmpty());
}

TEST_F(CommandLineTest, FarWordsAreNotSuggested) {
  EXPECT_EQ(hangu({"frobnicate"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("`hangu --help` lists them"));
  EXPECT_EQ(hangu({"run", "--frobnicate"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("`hangu run --help` lists them"));
}

TEST_F(CommandLineTest, BadUsageOfAVerbIsTwo) {
  const std::vector<std::vector<std::string>> wrong = {
      {"explain"},
      {"explain", "GET", "http://a/", "more"},
      {"explain", "GET", "http://a/", "-H"},
      {"schema", "--format", "xml"},
      {"status", "--config", "a", "--socket", "b"},
      {"demo", "--port", "x"},
      {"demo", "--port", "70000"},
      {"demo", "--event-loop", "kqueue"},
      {"run", "--config"},
      {"run", "extra"},
      {"version", "run"},
  };
  for (const auto& arguments : wrong) {
    EXPECT_EQ(hangu(arguments), kUsage) << testing::PrintToString(arguments);
    EXPECT_THAT(err_, HasSubstr("error")) << testing::PrintToString(arguments);
    EXPECT_THAT(out_, IsEmpty());
  }
}

TEST_F(CommandLineTest, VersionIsAVerbAndAnOption) {
  EXPECT_EQ(hangu({"version"}), kOk);
  const std::string plain = out_;
  EXPECT_THAT(plain, StartsWith("hangu " HANGU_VERSION "\n"));
  EXPECT_EQ(hangu({"--version"}), kOk);
  EXPECT_EQ(out_, plain);
  EXPECT_EQ(hangu({"-V"}), kOk);
  EXPECT_EQ(hangu({"version", "--json"}), kOk);
  EXPECT_EQ(boost::json::parse(out_).at("event_loops").at("epoll"), "available");
}

TEST_F(CommandLineTest, SchemaComesInThreeForms) {
  EXPECT_EQ(hangu({"schema"}), kOk);
  EXPECT_TRUE(boost::json::parse(out_).as_object().contains("properties"));
  for (const char* format : {"markdown", "yaml"}) {
    EXPECT_EQ(hangu({"schema", "--format", format}), kOk);
    EXPECT_THAT(out_, HasSubstr("listeners"));
    EXPECT_TRUE(out_.ends_with('\n'));
  }
}

}  // namespace
}  // namespace hangu::cli
