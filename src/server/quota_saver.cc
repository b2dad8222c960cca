#include "server/quota_saver.h"

#include <pthread.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <system_error>

#include <fmt/format.h>

#include "hangu/base/file_bytes.h"
#include "hangu/base/log.h"
#include "hangu/base/replace_file.h"
#include "hangu/base/signal_mask.h"
#include "hangu/policy/calendar.h"

#include "server/late_quotas.h"

namespace hangu::server {
namespace {

constexpr auto kSaveInterval = std::chrono::seconds(2);

/// By what a quota counts.
std::string identity_of(const config::RateLimit& limit) {
  std::string identity =
      fmt::format("{} {} {} {}/{}", static_cast<int>(limit.quota.per), limit.quota.offset_minutes,
                  static_cast<int>(limit.cost.kind), limit.ipv4_prefix, limit.ipv6_prefix);
  for (const config::KeyPart& part : limit.key) {
    identity += fmt::format(" {}:{}", static_cast<int>(part.kind), part.name);
  }
  return identity;
}

std::vector<SavedQuota> counted(const QuotaSaver::Limits& limits) {
  std::vector<SavedQuota> quotas;
  for (const auto& limit : limits) {
    const config::RateLimit& config = limit->config();
    const policy::CalendarWindow window = policy::calendar_window(config.quota, std::time(nullptr));
    SavedQuota& quota = quotas.emplace_back(SavedQuota{.name = config.name,
                                                       .identity = identity_of(config),
                                                       .seed = limit->counts().seed,
                                                       .window = window.number,
                                                       .used = {}});
    limit->counts().quota->for_each(window.number, [&quota](uint64_t key, uint64_t used) {
      quota.used.emplace_back(key, used);
    });
  }
  return quotas;
}

void add(const SavedQuota& late, const filter::RateLimit& limit) {
  const config::RateLimit& config = limit.config();
  if (late.name == config.name && late.identity == identity_of(config) &&
      late.seed == limit.counts().seed &&
      late.window == policy::calendar_window(config.quota, std::time(nullptr)).number) {
    for (const auto& [key, used] : late.used) {
      limit.counts().quota->charge(key, late.window, used);
    }
  }
}

std::error_code write_file(const std::string& directory, const std::string& path,
                           std::string_view bytes) {
  if (::mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST) {
    return {errno, std::generic_category()};
  }
  return replace_file(path, bytes, 0640);
}

}  // namespace

void QuotaSaver::load() {
  loaded_ = true;
  const Result<std::string, std::error_code> bytes = read_whole_file(path());
  if (!bytes && bytes.error() == std::errc::no_such_file_or_directory) {
    return;
  }
  auto quotas = bytes ? decode_quotas(*bytes) : std::nullopt;
  if (!quotas) {
    const std::string aside = path() + ".bad";
    std::rename(path().c_str(), aside.c_str());
    log::error("event=quotas_damaged file={} moved_to={} effect=\"quotas begin at zero\"", path(),
               aside);
    return;
  }
  for (SavedQuota& quota : *quotas) {
    std::string name = quota.name;
    saved_.emplace(std::move(name), std::move(quota));
  }
  log::info("event=quotas_restored file={} quotas={}", path(), saved_.size());
}

void QuotaSaver::restore(const config::RateLimit& limit, filter::RateLimitCounts& counts) {
  if (waiting_) {
    return;
  }
  if (!loaded_) {
    load();
  }
  const auto found = saved_.find(limit.name);
  if (found == saved_.end() || found->second.identity != identity_of(limit)) {
    return;
  }
  counts.seed = found->second.seed;
  for (const auto& [key, used] : found->second.used) {
    counts.quota->charge(key, found->second.window, used);
  }
  saved_.erase(found);
}

void QuotaSaver::track(const Limits& limits) {
  Limits quotas;
  for (const auto& limit : limits) {
    if (limit->config().quota.limit != 0) {
      quotas.push_back(limit);
    }
  }
  if (quotas.empty() && !thread_.joinable()) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    limits_ = std::move(quotas);
  }
  start();
}

void QuotaSaver::start() {
  if (!thread_.joinable() && (!waiting_ || leaving_) && !limits_.empty()) {
    stopping_ = false;
    thread_ = std::thread([this] { run(); });
  }
}

void QuotaSaver::take_over() {
  waiting_ = false;
  leaving_ = false;
}

void QuotaSaver::take_back() {
  take_over();
  start();
}

void QuotaSaver::hand_over() {
  waiting_ = true;
  stop();
  handed_ = decode_quotas(last_written_).value_or(std::vector<SavedQuota>());
}

void QuotaSaver::leave_late_counts() {
  if (waiting_) {
    leaving_ = true;
    start();
  }
}

void QuotaSaver::run() {
  pthread_setname_np(pthread_self(), "hangu-quotas");
  block_asynchronous_signals();
  bool stopping = false;
  while (!stopping) {
    Limits limits;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kSaveInterval, [this] { return stopping_; });
      limits = limits_;
      stopping = stopping_;
    }
    if (leaving_) {
      leave_late(limits);
    } else {
      save(limits);
    }
  }
}

void QuotaSaver::save(const Limits& limits) {
  for (const SavedQuota& late : take_late_quotas(directory_)) {
    for (const auto& limit : limits) {
      add(late, *limit);
    }
  }
  std::string bytes = encode_quotas(counted(limits));
  if (bytes == last_written_) {
    return;
  }
  if (const std::error_code error = write_file(directory_, path(), bytes)) {
    if (!std::exchange(failing_, true)) {
      log::error("event=quotas_not_saved file={} error=\"{}\"", path(), error.message());
    }
    return;
  }
  if (std::exchange(failing_, false)) {
    log::info("event=quotas_saved file={}", path());
  }
  last_written_ = std::move(bytes);
}

void QuotaSaver::leave_late(const Limits& limits) {
  std::vector<SavedQuota> now = counted(limits);
  const std::vector<SavedQuota> late = counted_since(handed_, now);
  if (late.empty()) {
    return;
  }
  if (const std::error_code error = leave_late_quotas(directory_, late_files_++, late)) {
    log::error("event=late_quotas_not_left directory={} error=\"{}\"", directory_, error.message());
    return;
  }
  handed_ = std::move(now);
}

void QuotaSaver::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace hangu::server
