// PasswordWorker: the thread that verifies passwords, one after the other, so that a burst of
// guesses costs one core at most and lockouts are exact. What one shard asks while the queue is
// full is not taken. Starts with the first question.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "hangu/filter/password_checker.h"
#include "hangu/policy/lockout_table.h"

namespace hangu::server {

class PasswordWorker final : public filter::PasswordChecker {
 public:
  /// Called on the worker's thread; must take the answer to the question's shard.
  using Sink = std::function<void(filter::PasswordAnswer answer)>;

  explicit PasswordWorker(Sink sink);
  ~PasswordWorker();

  PasswordWorker(const PasswordWorker&) = delete;
  PasswordWorker& operator=(const PasswordWorker&) = delete;

  Receipt check(filter::PasswordQuestion&& question) noexcept override;

  std::string_view secret() const noexcept override { return {secret_.data(), secret_.size()}; }

  /// Control thread, before those who hear answers are gone. What waits is dropped.
  void stop();

 private:
  static constexpr size_t kQueueMax = 1024;
  static constexpr size_t kLockoutsMax = 65'536;
  static constexpr size_t kRecentMax = 64;
  static constexpr Duration kRecentFor = std::chrono::seconds(10);

  /// A password that was right just now: of many requests that come at once with the same one, the
  /// others need not take as long.
  struct Recent {
    identity::Digest digest{};
    TimePoint until{};
  };

  void run();
  void judge(filter::PasswordQuestion question);
  bool is_right(const filter::PasswordQuestion& question, TimePoint now);

  Sink sink_;
  std::array<char, 32> secret_{};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<filter::PasswordQuestion> queue_;
  policy::LockoutTable lockouts_{kLockoutsMax};
  bool stopped_ = false;
  std::thread thread_;
  // The thread's own.
  std::array<Recent, kRecentMax> recent_;
  size_t next_recent_ = 0;
};

}  // namespace hangu::server
