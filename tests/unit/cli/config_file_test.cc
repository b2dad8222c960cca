#include "cli/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::cli {
namespace {

using config::EventLoopKind;
using testing::HasSubstr;

TEST(ConfigFileTest, WhatIsGivenIsTakenUnseen) {
  EXPECT_EQ(*find_config("/no/such/file.yaml"), "/no/such/file.yaml");
}

TEST(OverridesTest, EmptyTextsChangeNothing) {
  config::Config config;
  config.workers = 3;
  config.event_loop = EventLoopKind::kEpoll;
  ASSERT_TRUE(apply_overrides(config, "", ""));
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.event_loop, EventLoopKind::kEpoll);
}

TEST(OverridesTest, TheEventLoop) {
  config::Config config;
  ASSERT_TRUE(apply_overrides(config, "io_uring", ""));
  EXPECT_EQ(config.event_loop, EventLoopKind::kIoUring);
  ASSERT_TRUE(apply_overrides(config, "epoll", ""));
  EXPECT_EQ(config.event_loop, EventLoopKind::kEpoll);
  ASSERT_TRUE(apply_overrides(config, "auto", ""));
  EXPECT_EQ(config.event_loop, EventLoopKind::kAuto);
  EXPECT_THAT(apply_overrides(config, "kqueue", "").error(), HasSubstr("\"kqueue\""));
}

TEST(OverridesTest, TheWorkers) {
  config::Config config;
  ASSERT_TRUE(apply_overrides(config, "", "1024"));
  EXPECT_EQ(config.workers, 1024U);
  ASSERT_TRUE(apply_overrides(config, "", "auto"));
  EXPECT_EQ(config.workers, 0U);
  for (const char* wrong : {"0", "-1", "1025", "2 ", "x", "99999999999999999999"}) {
    EXPECT_FALSE(apply_overrides(config, "", wrong)) << wrong;
    EXPECT_EQ(config.workers, 0U) << wrong;
  }
}

}  // namespace
}  // namespace hangu::cli
