#include "hangu/config/endpoint_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::config {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(EndpointFileTest, HasTheFormOfEndpoints) {
  const EndpointFile file = read_endpoint_file(
      "# made by deploy\n- 10.0.0.1:80\n- {address: \"app.test:8080\", weight: 3, priority: 1}\n"
      "- unix:/run/app.sock\n",
      "x.yaml");
  EXPECT_THAT(file.problems, IsEmpty());
  ASSERT_THAT(file.endpoints, SizeIs(3));
  EXPECT_EQ(file.endpoints[1].host, "app.test");
  EXPECT_EQ(file.endpoints[1].weight, 3U);
  EXPECT_EQ(file.endpoints[2].unix_path, "/run/app.sock");
}

TEST(EndpointFileTest, NothingIsNoProblem) {
  for (const char* text : {"", "[]", "# nobody is there\n"}) {
    const EndpointFile file = read_endpoint_file(text, "x.yaml");
    EXPECT_THAT(file.problems, IsEmpty()) << text;
    EXPECT_THAT(file.endpoints, IsEmpty()) << text;
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

TEST(EndpointFileTest, AFileThatIsNotThereIsAProblem) {
  const EndpointFile file = load_endpoint_file("/nowhere/x.yaml");
  ASSERT_THAT(file.problems, SizeIs(1));
  EXPECT_EQ(file.problems[0].line, 0U);
}

}  // namespace
}  // namespace hangu::config
