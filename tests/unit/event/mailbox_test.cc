#include "hangu/event/mailbox.h"

#include <poll.h>

#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::event {
namespace {

bool readable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) == 1;
}

TEST(Task, MovesWhatItHolds) {
  auto number = std::make_unique<int>(7);
  int result = 0;
  Task task([held = std::move(number), &result] { result = *held; });
  Task moved = std::move(task);
  EXPECT_FALSE(task);  // NOLINT(bugprone-use-after-move)
  moved();
  EXPECT_EQ(result, 7);
}

TEST(Mailbox, RunsInOrderAndOnce) {
  Mailbox mailbox;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) {
    mailbox.post([&order, i] { order.push_back(i); });
  }
  EXPECT_TRUE(readable(mailbox.wake_fd()));
  mailbox.run_all();
  mailbox.run_all();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Mailbox, ATaskMayPost) {
  Mailbox mailbox;
  int runs = 0;
  mailbox.post([&] {
    ++runs;
    mailbox.post([&] { ++runs; });
  });
  mailbox.run_all();
  EXPECT_EQ(runs, 1);
  mailbox.run_all();
  EXPECT_EQ(runs, 2);
}

TEST(Mailbox, TakesFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 2000;
  Mailbox mailbox;
  std::vector<int> next(kThreads, 0);
  int total = 0;
  bool ordered = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        mailbox.post([&, t, i] {
          ordered = ordered && next[static_cast<size_t>(t)]++ == i;
          ++total;
        });
      }
    });
  }
  while (total < kThreads * kTasks) {
    pollfd entry{.fd = mailbox.wake_fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&entry, 1, 10'000), 1);
    mailbox.run_all();
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(ordered);
}

TEST(Mailbox, DropsWhatNobodyRan) {
  auto alive = std::make_unique<int>(1);
  Mailbox mailbox;
  mailbox.post([held = std::move(alive)] {});
}

}  // namespace
}  // namespace hangu::event
