#include "hangu/filter/rate_limit_filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "hangu/base/parse.h"
#include "hangu/base/unix_time.h"
#include "hangu/buffer/decimal_text.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

constexpr std::string_view kTooMany = "too many requests";
constexpr std::string_view kUsedUp = "the quota is used up";
constexpr std::string_view kNoStore = "requests cannot be counted now";
constexpr uint64_t kHeaderCostMax = 1'000'000;
constexpr int64_t kSecondNs = 1'000'000'000;

int64_t nanoseconds(TimePoint time) {
  return time.time_since_epoch().count();
}

uint64_t seconds_up(int64_t ns) {
  return static_cast<uint64_t>((std::max<int64_t>(ns, 0) + kSecondNs - 1) / kSecondNs);
}

RateTime time_of(const Stream& stream) {
  return {.mono_ns = nanoseconds(stream.now()),
          .unix_s = hangu::unix_seconds(stream.shard().wall_time())};
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
    out.add("x-ratelimit-remaining", buffer::decimal_text(remaining, arena));
    out.add("x-ratelimit-reset", buffer::decimal_text(reset_s, arena));
  }
  return out;
}

/// What a response has cost by its own account; 1 if it gives none.
uint64_t cost_told(const http::HeaderBlock& headers, const std::string& field) {
  const http::Header* const header = headers.find(field);
  const auto cost = header != nullptr ? parse_decimal(header->value()) : std::nullopt;
  return std::min(cost.value_or(1), kHeaderCostMax);
}

}  // namespace

/// What the limits say of a request, in their order.
class RateLimitFilter::Passed {
 public:
  Passed() = default;

  explicit Passed(std::span<const RateVerdict> verdicts)
      : count_(verdicts.size()) {
    std::uninitialized_copy(verdicts.begin(), verdicts.end(), data());
  }

  RateVerdict& add() { return *std::construct_at(data() + count_++); }

  /// Those from that one on say nothing.
  void end_at(const RateVerdict& verdict) { count_ = static_cast<size_t>(&verdict - data()); }

  std::span<RateVerdict> all() { return {data(), count_}; }

  std::span<const RateVerdict> all() const { return {data(), count_}; }

 private:
  RateVerdict* data() { return reinterpret_cast<RateVerdict*>(storage_.data()); }

  const RateVerdict* data() const { return reinterpret_cast<const RateVerdict*>(storage_.data()); }

  // Not an array of verdicts: few of them are ever made.
  alignas(RateVerdict) std::array<std::byte, config::kRateLimitsMax * sizeof(RateVerdict)> storage_;
  size_t count_ = 0;
};

RateLimitFilter::RateLimitFilter(std::vector<std::shared_ptr<const RateLimit>> limits)
    : limits_(std::move(limits)),
      quick_(limits_) {
  for (const auto& limit : limits_) {
    const config::RateLimit& config = limit->config();
    on_all_ = on_all_ || config.headers_on == config::RateHeadersOn::kAll;
    deferred_ = deferred_ || limit->deferred();
    by_header_ = by_header_ || config.cost.kind == config::RateCost::Kind::kResponseHeader;
    store_ = limit->strict() ? limit->store() : store_;
  }
}

uint8_t RateLimitFilter::hooks() const {
  const bool response = on_all_ || by_header_;
  return static_cast<uint8_t>(kRequestHeaders | (response ? kResponseHeaders : 0) |
                              (on_all_ ? kLocalReply : 0) |
                              (deferred_ || store_ != nullptr ? kStreamEnd : 0));
}

/// False: the request is refused.
bool RateLimitFilter::passes(Stream& stream, RateVerdict& verdict) const noexcept {
  if (verdict.allowed && !verdict.shared) {
    return true;
  }
  const RateLimit& limit = *verdict.limit;
  stats::RateLimitSlot& stats = limit.stats(stream.shard().shard());
  if (verdict.shared) {
    stats.shared_keys.add();
  }
  if (verdict.allowed) {
    return true;
  }
  if (limit.config().mode == config::Mode::kShadow) {
    stats.shadow_rejected.add();
    stream.note_shadow(limit.config().name);
    verdict.counted = false;
    return true;
  }
  stats.rejected.add();
  return false;
}

FilterStatus RateLimitFilter::on_request_headers(Stream& stream) const noexcept {
  // Who is to be told what is left has to be asked each time.
  const bool admitted = !on_all_ && quick_.admit(stream, nanoseconds(stream.now()));
  return admitted ? FilterStatus::kContinue : ask_each(stream);
}

// All keys first: what the tables have of them comes from memory meanwhile.
FilterStatus RateLimitFilter::ask_each(Stream& stream) const noexcept {
  const RateTime now = time_of(stream);
  const uint32_t shard = stream.shard().shard();
  Passed passed;
  for (const auto& limit : limits_) {
    limit->look(stream, passed.add());
  }
  bool asks = false;
  for (RateVerdict& verdict : passed.all()) {
    if (verdict.open) {
      verdict.limit->take(shard, now, verdict);
    }
    if (!passes(stream, verdict)) {
      passed.end_at(verdict);
      undo(stream, passed, now);
      reject(stream, verdict);
      return FilterStatus::kContinue;
    }
    asks = asks || verdict.ask;
  }
  if (asks && ask(stream, passed)) {
    return FilterStatus::kPause;
  }
  if (!asks || decide_without_store(stream, passed)) {
    commit(stream, passed);
  }
  return FilterStatus::kContinue;
}

/// One that is refused counts in none.
void RateLimitFilter::undo(Stream& stream, Passed& passed, const RateTime& now) const noexcept {
  stream.info.rate_limit_round = nullptr;  // nothing is to be counted at the end
  for (const RateVerdict& verdict : passed.all()) {
    verdict.limit->give_back(stream.shard().shard(), verdict, now);
  }
}

void RateLimitFilter::commit(Stream& stream, const Passed& passed) const noexcept {
  const uint32_t shard = stream.shard().shard();
  bool deferred = false;
  for (const RateVerdict& verdict : passed.all()) {
    if (!verdict.counted) {
      continue;
    }
    verdict.limit->stats(shard).allowed.add();
    verdict.limit->commit(shard, verdict);
    deferred = deferred || verdict.limit->deferred();
    if (on_all_) {
      show(stream, verdict);
    }
  }
  if (deferred) {
    remember(stream, passed);
  }
}

/// On the response, unless another limit is nearer to its end.
void RateLimitFilter::show(Stream& stream, const RateVerdict& verdict) const noexcept {
  if (verdict.limit->config().headers_on != config::RateHeadersOn::kAll) {
    return;
  }
  const uint64_t remaining = verdict.limit->remaining(verdict);
  if (stream.info.rate_limit == nullptr || remaining < stream.info.rate_limit_remaining) {
    stream.info.rate_limit = verdict.limit;
    stream.info.rate_limit_remaining = remaining;
    stream.info.rate_limit_reset_s = seconds_up(verdict.reset_in_ns);
  }
}

void RateLimitFilter::remember(Stream& stream, const Passed& passed) const noexcept {
  buffer::Arena& arena = stream.arena();
  RateLimitRound*& round = stream.info.rate_limit_round;
  if (round == nullptr) {
    const size_t count = passed.all().size();
    auto* const kept = reinterpret_cast<RateVerdict*>(
        arena.allocate(sizeof(RateVerdict) * count, alignof(RateVerdict)));
    auto* const place = reinterpret_cast<RateLimitRound*>(
        arena.allocate(sizeof(RateLimitRound), alignof(RateLimitRound)));
    round = std::construct_at(place, RateLimitRound{.verdicts = {kept, count}});
  }
  std::uninitialized_copy(passed.all().begin(), passed.all().end(), round->verdicts.data());
}

// --- with a store -----------------------------------------------------------------------------

/// False: nobody will answer.
bool RateLimitFilter::ask(Stream& stream, const Passed& passed) const noexcept {
  std::array<RateStore::Item, config::kRateLimitsMax> items;
  size_t count = 0;
  for (const RateVerdict& verdict : passed.all()) {
    if (verdict.ask) {
      items[count++] = verdict.limit->item(verdict);
    }
  }
  if (!store_->ask(stream, *this, {items.data(), count})) {
    return false;
  }
  remember(stream, passed);
  stream.info.rate_limit_round->waiting = true;
  return true;
}

void RateLimitFilter::on_rate_answer(Stream& stream,
                                     const RateStore::Answer& answer) const noexcept {
  RateLimitRound* const round = stream.info.rate_limit_round;
  if (round == nullptr || !std::exchange(round->waiting, false)) {
    return;
  }
  Passed passed(round->verdicts);
  if (answer.known ? hear(stream, passed, answer) : decide_without_store(stream, passed)) {
    commit(stream, passed);
    stream.resume_request();
  }
}

/// False: the request was refused.
bool RateLimitFilter::hear(Stream& stream, Passed& passed,
                           const RateStore::Answer& answer) const noexcept {
  const RateTime now = time_of(stream);
  size_t item = 0;
  const RateVerdict* refusing = nullptr;
  for (RateVerdict& verdict : passed.all()) {
    if (!verdict.ask) {
      continue;
    }
    verdict.allowed = (answer.refused >> item & 1) == 0;
    verdict.limit->hear(verdict, answer.full_in_ns[item], now);
    ++item;
    if (!passes(stream, verdict) && refusing == nullptr) {
      refusing = &verdict;
    }
  }
  if (refusing == nullptr) {
    return true;
  }
  undo(stream, passed, now);
  reject(stream, *refusing);
  return false;
}

/// False: the request was refused.
bool RateLimitFilter::decide_without_store(Stream& stream, Passed& passed) const noexcept {
  const RateTime now = time_of(stream);
  for (RateVerdict& verdict : passed.all()) {
    if (!verdict.ask) {
      continue;
    }
    verdict.limit->take_without_store(stream.shard().shard(), now, verdict);
    if (!passes(stream, verdict)) {
      undo(stream, passed, now);
      reject(stream, verdict);
      return false;
    }
  }
  return true;
}

// --- answers ----------------------------------------------------------------------------------

void RateLimitFilter::reject(Stream& stream, const RateVerdict& verdict) const noexcept {
  const RateLimit& limit = *verdict.limit;
  const uint64_t retry_s = std::max<uint64_t>(seconds_up(verdict.retry_in_ns), 1);
  const auto retry_after_s = static_cast<uint32_t>(std::min<uint64_t>(retry_s, UINT32_MAX));
  stream.info.rule = limit.config().name;
  if (verdict.unavailable) {
    stream.send_local_reply({.status = 503,
                             .code = "rate_limit.store",
                             .detail = kNoStore,
                             .retry_after_s = retry_after_s,
                             .type = http::kReducedCapacity},
                            name());
    return;
  }
  const bool quota = limit.config().quota.limit != 0;
  const Fields fields = fields_of(limit, 0, retry_s, stream.arena());
  stream.send_local_reply({.status = static_cast<int>(limit.config().status),
                           .code = quota ? "quota.exceeded" : "rate_limit.exceeded",
                           .detail = quota ? kUsedUp : kTooMany,
                           .retry_after_s = retry_after_s,
                           .type = http::kQuotaExceeded,
                           .violated_policy = limit.config().name,
                           .fields = {fields.fields.data(), fields.count}},
                          name());
}

/// What the response has cost by its own account is for us, not for the client.
void RateLimitFilter::hear_costs(Stream& stream) const noexcept {
  using Kind = config::RateCost::Kind;
  if (stream.info.rate_limit_round != nullptr) {
    for (RateVerdict& verdict : stream.info.rate_limit_round->verdicts) {
      const config::RateCost& cost = verdict.limit->config().cost;
      if (cost.kind == Kind::kResponseHeader) {
        verdict.cost_told = cost_told(stream.response.headers, cost.header);
      }
    }
  }
  for (const auto& limit : limits_) {
    if (limit->config().cost.kind == Kind::kResponseHeader) {
      stream.response.headers.remove(limit->config().cost.header);
    }
  }
}

FilterStatus RateLimitFilter::on_response_headers(Stream& stream) const noexcept {
  if (by_header_) {
    hear_costs(stream);
  }
  tell_left(stream);
  return FilterStatus::kContinue;
}

/// Of requests that passed here and got their answer of the gateway all the same.
void RateLimitFilter::on_local_reply(Stream& stream) const noexcept {
  tell_left(stream);
}

/// To the client, if a limit says so to all.
void RateLimitFilter::tell_left(Stream& stream) noexcept {
  const StreamInfo& info = stream.info;
  if (info.rate_limit == nullptr) {
    return;
  }
  const Fields fields = fields_of(*info.rate_limit, info.rate_limit_remaining,
                                  info.rate_limit_reset_s, stream.arena());
  for (size_t i = 0; i < fields.count; ++i) {
    static_cast<void>(stream.response.headers.set(fields.fields[i].name, fields.fields[i].value));
  }
}

void RateLimitFilter::on_stream_end(Stream& stream) const noexcept {
  RateLimitRound* const round = stream.info.rate_limit_round;
  if (round == nullptr || round->waiting) {
    return;  // nothing was asked of an upstream
  }
  using Kind = config::RateCost::Kind;
  const RateTime now = time_of(stream);
  for (const RateVerdict& verdict : round->verdicts) {
    if (!verdict.counted || !verdict.limit->deferred()) {
      continue;
    }
    uint64_t cost = 0;
    switch (verdict.limit->config().cost.kind) {
      case Kind::kFixed: break;
      case Kind::kRequestBytes: cost = stream.info.request_body_bytes; break;
      case Kind::kResponseBytes: cost = stream.info.response_body_bytes; break;
      case Kind::kBytes:
        cost = stream.info.request_body_bytes + stream.info.response_body_bytes;
        break;
      case Kind::kResponseHeader: cost = verdict.cost_told; break;
    }
    verdict.limit->charge(stream.shard().shard(), verdict.key, cost, now);
  }
}

}  // namespace hangu::filter
