#include "server/password_worker.h"

#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "hangu/base/assert.h"
#include "hangu/base/signal_mask.h"
#include "hangu/identity/password_hash.h"

namespace hangu::server {

using Verdict = filter::PasswordAnswer::Verdict;

namespace {

TimePoint now() {
  return TimePoint(std::chrono::steady_clock::now());
}

}  // namespace

PasswordWorker::PasswordWorker(Sink sink)
    : sink_(std::move(sink)) {
  const auto filled = getrandom(secret_.data(), secret_.size(), 0);
  HANGU_ASSERT(filled == static_cast<ssize_t>(secret_.size()));
}

PasswordWorker::~PasswordWorker() {
  stop();
}

filter::PasswordChecker::Receipt PasswordWorker::check(
    filter::PasswordQuestion&& question) noexcept {
  const std::lock_guard lock(mutex_);
  const Duration locked = lockouts_.locked_for(question.lock_key, question.lockout, now());
  if (locked != Duration::zero()) {
    return {.taken = Taken::kLocked, .locked_for = locked};
  }
  if (stopped_ || queue_.size() >= kQueueMax) {
    return {.taken = Taken::kBusy};
  }
  queue_.push_back(std::move(question));
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
  }
  wake_.notify_one();
  return {};
}

void PasswordWorker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    queue_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void PasswordWorker::run() {
  block_asynchronous_signals();
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
    if (stopped_) {
      return;
    }
    filter::PasswordQuestion question = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    judge(std::move(question));
    lock.lock();
  }
}

void PasswordWorker::judge(filter::PasswordQuestion question) {
  filter::PasswordAnswer answer;
  {
    // It may have been locked since it was asked.
    const std::lock_guard lock(mutex_);
    answer.locked_for = lockouts_.locked_for(question.lock_key, question.lockout, now());
  }
  if (answer.locked_for != Duration::zero()) {
    answer.verdict = Verdict::kLocked;
  } else {
    const bool right = is_right(question, now());
    answer.verdict = right ? Verdict::kRight : Verdict::kWrong;
    const std::lock_guard lock(mutex_);
    if (right) {
      lockouts_.succeed(question.lock_key);
    } else {
      lockouts_.fail(question.lock_key, question.lockout, now());
    }
  }
  identity::wipe(question.password);
  answer.question = std::move(question);
  sink_(std::move(answer));
}

bool PasswordWorker::is_right(const filter::PasswordQuestion& question, TimePoint at) {
  const bool recent = std::any_of(recent_.begin(), recent_.end(), [&](const Recent& one) {
    return at < one.until && one.digest == question.digest;
  });
  const bool right =
      recent || (identity::verify_password(question.hash, question.password) && question.known);
  if (right && !recent) {
    recent_[next_recent_++ % kRecentMax] = {.digest = question.digest, .until = at + kRecentFor};
  }
  return right;
}

}  // namespace hangu::server
