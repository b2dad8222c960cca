#include "hangu/audit/record.h"

#include <algorithm>

#include "hangu/base/assert.h"
#include "hangu/base/copy_short.h"

namespace hangu::audit {
namespace {

constexpr size_t kTextBytesMax = 256;
constexpr size_t kPathBytesMax = 1536;
constexpr size_t kQueryBytesMax = 768;

constexpr std::array<std::string_view, static_cast<size_t>(Event::kCount)> kEventNames = {
    "request",        "request.deny",    "request.fail",   "auth.fail",     "authz.deny",
    "ratelimit.deny", "schema.deny",     "process.start",  "process.drain", "process.stop",
    "config.apply",   "config.refuse",   "cert.change",    "plugin.change", "endpoint.order",
    "admin.login",    "admin.logout",    "admin.lockout",  "admin.deny",    "audit.read",
    "audit.export",   "audit.verify",    "log.open",       "log.delete",    "log.lost",
    "log.checkpoint", "process.upgrade", "rollout.change", "release.change"};

constexpr std::array<JsonKey, kTexts> kTextKeys = {"request_id",
                                                   "trace_id",
                                                   "user",
                                                   "auth_method",
                                                   "cert_subject",
                                                   "cert_fingerprint",
                                                   "actor",
                                                   "client_ip",
                                                   "client_ip_source",
                                                   "listener",
                                                   "method",
                                                   "host",
                                                   "path",
                                                   "query",
                                                   "route",
                                                   "upstream",
                                                   "upstream_address",
                                                   "code",
                                                   "filter",
                                                   "rule",
                                                   "shadow",
                                                   "failure",
                                                   "object",
                                                   "before",
                                                   "after",
                                                   "previous_file",
                                                   "chain",
                                                   "fsync",
                                                   "key",
                                                   "signature",
                                                   "reason",
                                                   "detail"};

constexpr std::array<JsonKey, kNumbers> kNumberKeys = {
    "client_port",   "status",      "request_bytes", "response_bytes",
    "count",         "first_seq",   "last_seq",      "torn_bytes",
    "of_shard",      "fsync_ms",    "batch_ms",      "checkpoint_records",
    "checkpoint_ms", "duration_ms", "ttfb_ms"};

/// What a packed record begins with; then the numbers that are there, the sizes of the texts that
/// are there, and those texts.
struct Head {
  uint32_t size;
  uint8_t event;
  uint8_t outcome;
  uint16_t reserved;
  uint32_t texts_set;
  uint32_t numbers_set;
  int64_t time_ns;
  uint64_t generation;
  uint64_t lost;
};

static_assert(sizeof(Head) <= 64 && kTexts <= 32 && kNumbers <= 32);

template <class T>
char* put(const T& value, char* to) noexcept {
  return std::copy_n(reinterpret_cast<const char*>(&value), sizeof value, to);
}

template <class T>
T take(std::string_view& from) noexcept {
  HANGU_ASSERT(from.size() >= sizeof(T));
  T value;
  std::copy_n(from.data(), sizeof value, reinterpret_cast<char*>(&value));
  from.remove_prefix(sizeof value);
  return value;
}

size_t bytes_max(Text text) noexcept {
  switch (text) {
    case Text::kPath: return kPathBytesMax;
    case Text::kQuery: return kQueryBytesMax;
    default: return kTextBytesMax;
  }
}

}  // namespace

std::string_view to_string(Event event) noexcept {
  return kEventNames[static_cast<size_t>(event)];
}

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::kOk: return "ok";
    case Outcome::kDenied: return "denied";
    case Outcome::kFailed: return "failed";
  }
  return "ok";
}

const JsonKey& json_key_of(Text text) noexcept {
  return kTextKeys[static_cast<size_t>(text)];
}

const JsonKey& json_key_of(Number number) noexcept {
  return kNumberKeys[static_cast<size_t>(number)];
}

std::string_view pack(const Record& record, std::span<char, kPackedBytesMax> buffer) noexcept {
  Head head{.size = 0,
            .event = static_cast<uint8_t>(record.event),
            .outcome = static_cast<uint8_t>(record.outcome),
            .reserved = 0,
            .texts_set = 0,
            .numbers_set = 0,
            .time_ns = record.time.time_since_epoch().count(),
            .generation = record.generation,
            .lost = record.lost};
  char* to = buffer.data() + sizeof head;
  record.for_each_number([&](Number key, uint64_t value) {
    head.numbers_set |= 1U << static_cast<unsigned>(key);
    to = put(value, to);
  });
  std::array<uint16_t, kTexts> sizes;
  size_t room = static_cast<size_t>(buffer.data() + buffer.size() - to) - sizeof sizes;
  record.for_each_text([&](Text key, std::string_view text) {
    const size_t size = std::min(text.size(), bytes_max(key));
    if (size <= room) {
      sizes[static_cast<size_t>(key)] = static_cast<uint16_t>(size);
      head.texts_set |= 1U << static_cast<unsigned>(key);
      to = put(static_cast<uint16_t>(size), to);
      room -= size;
    }
  });
  for (uint32_t left = head.texts_set; left != 0; left &= left - 1) {
    const auto i = static_cast<size_t>(std::countr_zero(left));
    to = copy_short(record.text(static_cast<Text>(i)).substr(0, sizes[i]), to);
  }
  head.size = static_cast<uint32_t>(to - buffer.data());
  put(head, buffer.data());
  return {buffer.data(), head.size};
}

uint32_t packed_size(std::string_view bytes) noexcept {
  return take<uint32_t>(bytes);
}

Record unpack(std::string_view bytes) noexcept {
  const auto head = take<Head>(bytes);
  Record record;
  record.event = static_cast<Event>(head.event);
  record.outcome = static_cast<Outcome>(head.outcome);
  record.time = WallTime(std::chrono::nanoseconds(head.time_ns));
  record.generation = head.generation;
  record.lost = head.lost;
  for (uint32_t left = head.numbers_set; left != 0; left &= left - 1) {
    record.set(static_cast<Number>(std::countr_zero(left)), take<uint64_t>(bytes));
  }
  std::string_view sizes = bytes;
  bytes.remove_prefix(static_cast<size_t>(std::popcount(head.texts_set)) * sizeof(uint16_t));
  for (uint32_t left = head.texts_set; left != 0; left &= left - 1) {
    const auto size = take<uint16_t>(sizes);
    HANGU_ASSERT(size <= bytes.size());
    record.set(static_cast<Text>(std::countr_zero(left)), bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return record;
}

}  // namespace hangu::audit
