#include "hangu/filter/rate_limit_filter.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

constexpr std::string_view kProblemType =
    "https://iana.org/assignments/http-problem-types#quota-exceeded";
constexpr std::string_view kDetail = "too many requests";
constexpr int64_t kSecondNs = 1'000'000'000;

int64_t nanoseconds(TimePoint time) {
  return time.time_since_epoch().count();
}

uint64_t seconds_up(int64_t ns) {
  return static_cast<uint64_t>((std::max<int64_t>(ns, 0) + kSecondNs - 1) / kSecondNs);
}

uint64_t burst_of(const config::RateLimit& config) {
  if (config.burst != 0) {
    return config.burst;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(config.rate.per).count();
  return std::max<uint64_t>(config.rate.count / static_cast<uint64_t>(seconds), 1);
}

bool sends(config::RateHeaders wanted, config::RateHeaders form) {
  return wanted == form || wanted == config::RateHeaders::kBoth;
}

/// Text in the stream's arena.
class ArenaText {
 public:
  ArenaText(buffer::Arena& arena, size_t bytes_max)
      : begin_(arena.allocate(bytes_max, 1)),
        to_(begin_),
        end_(begin_ + bytes_max) {}

  ArenaText& add(std::string_view text) {
    to_ = std::copy_n(text.data(), text.size(), to_);
    return *this;
  }

  ArenaText& add(uint64_t number) {
    to_ = std::to_chars(to_, end_, number).ptr;
    return *this;
  }

  std::string_view text() const { return {begin_, static_cast<size_t>(to_ - begin_)}; }

 private:
  char* begin_;
  char* to_;
  char* end_;
};

constexpr size_t kNumberBytes = 20;

std::string_view number_text(uint64_t number, buffer::Arena& arena) {
  return ArenaText(arena, kNumberBytes).add(number).text();
}

/// `"per-client";r=5;t=3`.
std::string_view state_text(std::string_view name, uint64_t remaining, uint64_t reset_s,
                            buffer::Arena& arena) {
  return ArenaText(arena, name.size() + 2 * kNumberBytes + 8)
      .add("\"")
      .add(name)
      .add("\";r=")
      .add(remaining)
      .add(";t=")
      .add(reset_s)
      .text();
}

struct Fields {
  std::array<http::ReplyField, 5> fields;
  size_t count = 0;

  void add(std::string_view name, std::string_view value) { fields[count++] = {name, value}; }
};

Fields fields_of(const RateLimit& limit, uint64_t remaining, uint64_t reset_s,
                 buffer::Arena& arena) {
  const config::RateHeaders wanted = limit.config().headers;
  Fields out;
  if (sends(wanted, config::RateHeaders::kDraft)) {
    out.add("ratelimit-policy", limit.policy_text());
    out.add("ratelimit", state_text(limit.config().name, remaining, reset_s, arena));
  }
  if (sends(wanted, config::RateHeaders::kLegacy)) {
    out.add("x-ratelimit-limit", limit.burst_text());
    out.add("x-ratelimit-remaining", number_text(remaining, arena));
    out.add("x-ratelimit-reset", number_text(reset_s, arena));
  }
  return out;
}

}  // namespace

// --- one limit --------------------------------------------------------------------------------

RateLimit::RateLimit(const config::RateLimit& config, std::shared_ptr<RateLimitCounts> counts)
    : config_(config),
      counts_(std::move(counts)),
      rate_(config.rate.count, config.rate.per.count(), burst_of(config)),
      exempt_(config.exempt),
      key_(config.key, {config.ipv4_prefix, config.ipv6_prefix}, counts_->seed),
      burst_text_(std::to_string(burst_of(config))) {
  const auto window = std::chrono::duration_cast<std::chrono::seconds>(config.rate.per).count();
  policy_text_ = fmt::format("\"{}\";q={};w={}", config.name, config.rate.count, window);
}

bool RateLimit::exempts(const Stream& stream) const noexcept {
  return !exempt_.empty() && exempt_.contains(stream.info.client_ip);
}

// --- the limits of a route --------------------------------------------------------------------

RateLimitFilter::RateLimitFilter(std::vector<std::shared_ptr<const RateLimit>> limits)
    : limits_(std::move(limits)) {
  on_all_ = std::any_of(limits_.begin(), limits_.end(), [](const auto& limit) {
    return limit->config().headers_on == config::RateHeadersOn::kAll;
  });
}

uint8_t RateLimitFilter::hooks() const {
  return static_cast<uint8_t>(kRequestHeaders | (on_all_ ? kResponseHeaders : 0));
}

/// False: the request is refused. Fills in `verdict` unless the limit does not concern it.
bool RateLimitFilter::pass(Stream& stream, const RateLimit& limit,
                           Verdict& verdict) const noexcept {
  stats::RateLimitSlot& stats = limit.stats(stream.shard().shard());
  const int64_t now = nanoseconds(stream.now());
  if (limit.exempts(stream)) {
    return true;
  }
  const RequestKey::Hashed key = limit.key().of(stream);
  const config::MissingKey on_missing = limit.config().on_missing_key;
  if (!key.whole && on_missing == config::MissingKey::kSkip) {
    return true;
  }
  if (!key.whole && on_missing == config::MissingKey::kDeny) {
    verdict = {.limit = &limit, .decision = {.retry_in_ns = kSecondNs}};
  } else {
    const policy::RateTable::Taken taken = limit.table().take(key.hash, limit.rate(), 1, now);
    verdict = {.limit = &limit, .key = key.hash, .decision = taken.decision};
    if (taken.shared) {
      stats.shared_keys.add();
    }
  }
  if (verdict.decision.allowed) {
    return true;
  }
  if (limit.config().mode == config::Mode::kShadow) {
    stats.shadow_rejected.add();
    stream.info.shadow = limit.config().name;
    verdict.limit = nullptr;
    return true;
  }
  stats.rejected.add();
  return false;
}

FilterStatus RateLimitFilter::on_request_headers(Stream& stream) const noexcept {
  std::array<Verdict, config::kRateLimitsMax> passed;
  const int64_t now = nanoseconds(stream.now());
  size_t count = 0;
  for (const auto& limit : limits_) {
    Verdict& verdict = passed[count];
    if (!pass(stream, *limit, verdict)) {
      // One that is refused counts in none.
      for (size_t i = 0; i < count; ++i) {
        passed[i].limit->table().give_back(passed[i].key, passed[i].limit->rate(), 1, now);
      }
      reject(stream, verdict);
      return FilterStatus::kContinue;
    }
    if (verdict.limit == nullptr) {
      continue;
    }
    ++count;
    const uint64_t remaining = verdict.decision.remaining;
    if (limit->config().headers_on == config::RateHeadersOn::kAll &&
        (stream.info.rate_limit == nullptr || remaining < stream.info.rate_limit_remaining)) {
      stream.info.rate_limit = limit.get();
      stream.info.rate_limit_remaining = remaining;
      stream.info.rate_limit_reset_s = seconds_up(verdict.decision.full_at_ns - now);
    }
  }
  for (size_t i = 0; i < count; ++i) {
    passed[i].limit->stats(stream.shard().shard()).allowed.add();
  }
  return FilterStatus::kContinue;
}

void RateLimitFilter::reject(Stream& stream, const Verdict& verdict) const noexcept {
  const RateLimit& limit = *verdict.limit;
  const uint64_t retry_s = std::max<uint64_t>(seconds_up(verdict.decision.retry_in_ns), 1);
  const Fields fields = fields_of(limit, 0, retry_s, stream.arena());
  stream.info.rule = limit.config().name;
  stream.send_local_reply(
      {.status = static_cast<int>(limit.config().status),
       .code = "rate_limit.exceeded",
       .detail = kDetail,
       .retry_after_s = static_cast<uint32_t>(std::min<uint64_t>(retry_s, UINT32_MAX)),
       .type = kProblemType,
       .violated_policy = limit.config().name,
       .fields = {fields.fields.data(), fields.count}},
      name());
}

FilterStatus RateLimitFilter::on_response_headers(Stream& stream) const noexcept {
  const StreamInfo& info = stream.info;
  if (info.rate_limit != nullptr) {
    const Fields fields = fields_of(*info.rate_limit, info.rate_limit_remaining,
                                    info.rate_limit_reset_s, stream.arena());
    for (size_t i = 0; i < fields.count; ++i) {
      static_cast<void>(stream.response.headers.set(fields.fields[i].name, fields.fields[i].value));
    }
  }
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
