#include "server/logout_keeper.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <system_error>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"

namespace hangu::server {
namespace {

using identity::LogoutEntry;

constexpr auto kRound = std::chrono::milliseconds(250);
constexpr int kForgetRounds = 40;
constexpr int kFailingRounds = 20;      // between attempts to write after one that failed
constexpr size_t kSpareRecords = 1024;  // in the journal, before it is worth writing anew
// Of what comes beyond, tables and other nodes know, and the journal until it is written anew.
constexpr size_t kEntriesMax = size_t{1} << 21;

bool is_of_sessions(const LogoutEntry& entry) {
  return entry.kind == LogoutEntry::Kind::kSessions;
}

}  // namespace

// --- shards -----------------------------------------------------------------------------------

/// The thread looks by itself: waking it would be a system call.
void LogoutKeeper::on_ended(std::span<const LogoutEntry> entries) noexcept {
  const std::lock_guard lock(shards_mutex_);
  shards_heard_.insert(shards_heard_.end(), entries.begin(), entries.end());
}

// --- the control thread -----------------------------------------------------------------------

void LogoutKeeper::adopt(const std::shared_ptr<filter::OidcLogouts>& logouts) {
  load();
  {
    const std::lock_guard lock(mutex_);
    in_use_ = true;
    absorb();
    tables_[logouts->scope()] = logouts;
    const int64_t now_s = std::time(nullptr);
    for (const auto& [digest, entry] : entries_) {
      if (entry.scope == logouts->scope() && !logouts->take(entry, now_s)) {
        ++without_room_;
      }
    }
  }
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
  }
}

size_t LogoutKeeper::known(const identity::Digest& scope) {
  load();
  const std::lock_guard lock(mutex_);
  absorb();
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&scope](const auto& each) { return each.second.scope == scope; }));
}

void LogoutKeeper::load() {
  if (std::exchange(loaded_, true)) {
    return;
  }
  const std::error_code error = journal_.begin(false);
  const Entries found = journal_.news();
  journal_.end();
  if (error && error != std::errc::no_such_file_or_directory) {
    log::error("event=logouts_not_read file={} error=\"{}\"", journal_.path(), error.message());
  }
  const std::lock_guard lock(mutex_);
  const int64_t now_s = std::time(nullptr);
  for (const LogoutEntry& entry : found) {
    remember(entry, now_s);
  }
  if (!found.empty()) {
    log::info("event=logouts_restored file={} entries={} damaged={}", journal_.path(),
              entries_.size(), journal_.damaged());
  }
  damage_told_ = journal_.damaged();
}

void LogoutKeeper::take(const Entries& entries) {
  const std::lock_guard lock(mutex_);
  const int64_t now_s = std::time(nullptr);
  for (const LogoutEntry& entry : entries) {
    if (remember(entry, now_s) == News::kKept) {
      unwritten_.push_back(entry);
    }
  }
}

bool LogoutKeeper::in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

LogoutKeeper::Entries LogoutKeeper::all() const {
  const std::lock_guard lock(mutex_);
  const int64_t now_s = std::time(nullptr);
  Entries all;
  all.reserve(entries_.size());
  for (const auto& [digest, entry] : entries_) {
    if (entry.until_s >= now_s) {
      all.push_back(entry);
    }
  }
  return all;
}

LogoutStatus LogoutKeeper::status() const {
  const std::lock_guard lock(mutex_);
  return {.enabled = in_use_,
          .remembered = sessions_,
          .without_room = without_room_,
          .failing = failing_};
}

void LogoutKeeper::take_over() {
  const std::lock_guard lock(mutex_);
  waiting_ = false;
}

void LogoutKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

// --- the thread -------------------------------------------------------------------------------

void LogoutKeeper::run() {
  pthread_setname_np(pthread_self(), "hangu-logouts");
  block_asynchronous_signals();
  bool stopping = false;
  while (!stopping) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kRound, [this] { return stopping_; });
      stopping = stopping_;
    }
    go_round();
  }
}

void LogoutKeeper::go_round() {
  ++rounds_;
  const Work work = collect();
  if (!work.heard.empty() && heard_hook_) {
    heard_hook_(work.heard);  // before the disk, which may be slow
  }
  if (work.rewrite || !work.append.empty() || journal_.has_news()) {
    write(work);
  }
}

LogoutKeeper::Work LogoutKeeper::collect() {
  const std::lock_guard lock(mutex_);
  absorb();
  if (rounds_ % kForgetRounds == 0) {
    forget_old(std::time(nullptr));
  }
  Work work;
  work.heard = std::exchange(untold_, {});
  work.writes = !waiting_;
  if (work.writes) {
    work.append = std::exchange(unwritten_, {});
    const bool wanted = rewrite_ || journal_.records() > 2 * entries_.size() + kSpareRecords;
    const bool may_be = stopping_ || !(failing_ || rewrite_) || rounds_ % kFailingRounds == 0;
    work.rewrite = wanted && may_be;
  }
  return work;
}

void LogoutKeeper::write(const Work& work) {
  const bool makes = work.writes && (work.rewrite || !work.append.empty());
  const std::error_code error = journal_.begin(makes);
  if (error == std::errc::no_such_file_or_directory && !makes) {
    const std::lock_guard lock(mutex_);
    rewrite_ = rewrite_ || work.writes;  // it has been taken away
    return;
  }
  if (error) {
    note(error);
    return;
  }
  note(write_locked(work));
  journal_.end();
}

std::error_code LogoutKeeper::write_locked(const Work& work) {
  take_news(journal_.news());
  if (work.rewrite || is_all_lost(work)) {
    Entries all;
    {
      const std::lock_guard lock(mutex_);
      forget_old(std::time(nullptr));
      for (const auto& [digest, entry] : entries_) {
        all.push_back(entry);
      }
      rewrite_ = false;
    }
    return journal_.replace(all);
  }
  return work.append.empty() ? std::error_code() : journal_.append(work.append);
}

/// The journal is new, or somebody has taken it away: what is added would be all that is in it.
bool LogoutKeeper::is_all_lost(const Work& work) {
  const std::lock_guard lock(mutex_);
  return work.writes && journal_.records() == 0 && !entries_.empty();
}

/// With the mutex held: what shards have heard, in the tables that are in force now, too.
void LogoutKeeper::absorb() {
  Entries heard;
  {
    const std::lock_guard lock(shards_mutex_);
    heard.swap(shards_heard_);
  }
  const int64_t now_s = std::time(nullptr);
  for (const LogoutEntry& entry : heard) {
    if (remember(entry, now_s) != News::kNone) {
      unwritten_.push_back(entry);
      untold_.push_back(entry);
    }
  }
}

/// With the mutex held.
LogoutKeeper::News LogoutKeeper::remember(const LogoutEntry& entry, int64_t now_s) {
  if (entry.until_s < now_s) {
    return News::kNone;
  }
  News news = News::kKept;
  const auto found = entries_.find(entry.digest);
  if (found != entries_.end()) {
    LogoutEntry& known = found->second;
    if (known.at_s >= entry.at_s && known.until_s >= entry.until_s) {
      return News::kNone;
    }
    known.at_s = std::max(known.at_s, entry.at_s);
    known.until_s = std::max(known.until_s, entry.until_s);
  } else if (entries_.size() < kEntriesMax) {
    entries_.emplace(entry.digest, entry);
    sessions_ += is_of_sessions(entry) ? 1 : 0;
  } else {
    news = News::kInTable;
  }
  const auto table = tables_.find(entry.scope);
  const auto logouts = table != tables_.end() ? table->second.lock() : nullptr;
  if (logouts != nullptr && !logouts->take(entry, now_s)) {
    ++without_room_;
  }
  return news;
}

/// Of another process.
void LogoutKeeper::take_news(const Entries& news) {
  const std::lock_guard lock(mutex_);
  const int64_t now_s = std::time(nullptr);
  for (const LogoutEntry& entry : news) {
    if (remember(entry, now_s) == News::kKept) {
      untold_.push_back(entry);
    }
  }
}

void LogoutKeeper::forget_old(int64_t now_s) {
  std::erase_if(entries_, [this, now_s](const auto& each) {
    const bool over = each.second.until_s < now_s;
    sessions_ -= over && is_of_sessions(each.second) ? 1 : 0;
    return over;
  });
}

/// Whatever could not be added is written with all the rest, later.
void LogoutKeeper::note(std::error_code error) {
  const std::lock_guard lock(mutex_);
  if (error && !waiting_) {
    rewrite_ = true;
  }
  if (error && !std::exchange(failing_, true)) {
    log::error("event=logouts_not_saved file={} error=\"{}\"", journal_.path(), error.message());
  } else if (!error && !rewrite_ && std::exchange(failing_, false)) {
    log::info("event=logouts_saved file={}", journal_.path());
  }
  if (journal_.damaged() != damage_told_) {
    damage_told_ = journal_.damaged();
    log::error("event=logouts_damaged file={} records={}", journal_.path(), damage_told_);
  }
}

}  // namespace hangu::server
