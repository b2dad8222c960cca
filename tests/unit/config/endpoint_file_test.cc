#include "hangu/config/endpoint_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(EndpointFileTest, HasTheFormOfEndpoints) {
  const EndpointFile file = read_endpoint_file(
      "# made by deploy\n- 10.0.0.1:80\n- {address: \"app.test:8080\", weight: 3, priority: 1}\n"
      "- unix:/run/app.sock\n",
      "x.yaml");
  EXPECT_THAT(file.problems, IsEmpty());
  ASSERT_THAT(file.instances, SizeIs(3));
  EXPECT_EQ(file.instances[1].endpoint.host, "app.test");
  EXPECT_EQ(file.instances[1].endpoint.weight, 3U);
  EXPECT_EQ(file.instances[2].endpoint.unix_path, "/run/app.sock");
}

TEST(EndpointFileTest, NothingIsNoProblem) {
  for (const char* text : {"", "[]", "# nobody is there\n"}) {
    const EndpointFile file = read_endpoint_file(text, "x.yaml");
    EXPECT_THAT(file.problems, IsEmpty()) << text;
    EXPECT_THAT(file.instances, IsEmpty()) << text;
  }
}

TEST(EndpointFileTest, ProblemsHaveTheirPlace) {
  const EndpointFile file =
      read_endpoint_file("- 10.0.0.1:80\n- {address: \"10.0.0.2:80\", wait: 3}\n- 7\n", "x.yaml");
  ASSERT_THAT(file.problems, SizeIs(2));
  EXPECT_EQ(file.problems[0].file, "x.yaml");
  EXPECT_EQ(file.problems[0].line, 2U);
  EXPECT_EQ(file.problems[0].column, 28U);
  EXPECT_EQ(file.problems[1].line, 3U);
  EXPECT_THAT(read_endpoint_file("{a: b}", "x.yaml").problems, SizeIs(1));
  EXPECT_THAT(read_endpoint_file("[", "x.yaml").problems, SizeIs(1));
}

TEST(EndpointFileTest, EntriesMayHaveLabels) {
  const EndpointFile file = read_endpoint_file(
      "- 10.0.0.1:80\n- {address: \"10.0.0.2:80\", labels: {version: 2.0, app.org/zone: \"\"}}\n",
      "x.yaml");
  EXPECT_THAT(file.problems, IsEmpty());
  ASSERT_THAT(file.instances, SizeIs(2));
  EXPECT_THAT(file.instances[0].labels, IsEmpty());
  EXPECT_EQ(file.instances[1].labels, (InstanceLabels{{"version", "2.0"}, {"app.org/zone", ""}}));
}

TEST(EndpointFileTest, BadLabelsHaveTheirPlace) {
  const auto why_not = [](const std::string& labels) {
    const EndpointFile file =
        read_endpoint_file("- address: 10.0.0.1:80\n  labels: " + labels + "\n", "x.yaml");
    return file.problems.size() == 1 && file.problems[0].line >= 2 ? file.problems[0].message
                                                                   : "not one problem";
  };
  EXPECT_THAT(why_not("[version]"), HasSubstr("a mapping of labels"));
  EXPECT_THAT(why_not("{version: [2]}"), HasSubstr("a text"));
  EXPECT_THAT(why_not("{version: }"), HasSubstr("a text"));
  EXPECT_THAT(why_not("{the version: 2}"), HasSubstr("no name of a label"));
  EXPECT_THAT(why_not("{\"\": 2}"), HasSubstr("no name of a label"));
  EXPECT_THAT(why_not("{" + std::string(64, 'a') + ": 2}"), HasSubstr("no name of a label"));
  EXPECT_THAT(why_not("{version: \"a\\tb\"}"), HasSubstr("no value of a label"));
  EXPECT_THAT(why_not("{version: " + std::string(129, 'a') + "}"),
              HasSubstr("no value of a label"));
  std::string many;
  for (size_t i = 0; i <= kInstanceLabelsMax; ++i) {
    many += (many.empty() ? "a" : ", a") + std::to_string(i) + ": b";
  }
  EXPECT_THAT(why_not("{" + many + "}"), HasSubstr("33 labels are more than 32"));
}

TEST(InstanceLabelsTest, AllThatAreWantedHaveToBeThere) {
  const InstanceLabels labels{{"version", "2.0"}, {"zone", "a"}};
  EXPECT_TRUE(has_labels(labels, {}));
  EXPECT_TRUE(has_labels(labels, {{"zone", "a"}}));
  EXPECT_TRUE(has_labels(labels, labels));
  EXPECT_FALSE(has_labels(labels, {{"zone", "b"}}));
  EXPECT_FALSE(has_labels({{"zone", "a"}}, labels));
  EXPECT_FALSE(has_labels({}, {{"zone", ""}}));
  EXPECT_EQ(format_labels(labels), "{version: 2.0, zone: a}");
  EXPECT_EQ(format_labels({{"a", "1, b: 2"}}), "{a: \"1, b: 2\"}");
}

TEST(EndpointFileTest, AFileThatIsNotThereIsAProblem) {
  const EndpointFile file = load_endpoint_file("/nowhere/x.yaml");
  ASSERT_THAT(file.problems, SizeIs(1));
  EXPECT_EQ(file.problems[0].line, 0U);
}

}  // namespace
}  // namespace hangu::config
