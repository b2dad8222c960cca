// Record: one event of the audit log as plain data, and its packed form, in which it waits in a
// shard's ring: cheap to make, without allocation; the writer's thread turns it into text. Pure.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hangu/audit/json_line.h"
#include "hangu/base/clock.h"

namespace hangu::audit {

enum class Event : uint8_t {
  kRequest,
  kRequestDenied,
  kRequestFailed,
  kAuthenticationFailed,
  kAuthorizationDenied,
  kRateLimited,
  kSchemaDenied,
  kProcessStarted,
  kProcessDraining,
  kProcessStopped,
  kConfigApplied,
  kConfigRefused,
  kCertificateChanged,
  kPluginChanged,
  kEndpointOrdered,
  kAdminLogin,
  kAdminLogout,
  kAdminLocked,
  kAdminDenied,
  kAuditRead,
  kAuditExported,
  kAuditVerified,
  kLogOpened,
  kLogDeleted,
  kLogLost,
  kCheckpoint,
  kProcessUpgraded,
  kRolloutChanged,
  kReleaseChanged,
  kCount
};

/// "request.deny"
std::string_view to_string(Event event) noexcept;

enum class Outcome : uint8_t { kOk, kDenied, kFailed };

std::string_view to_string(Outcome outcome) noexcept;

/// What may be known of an event, in the order in which the log has it.
enum class Text : uint8_t {
  kRequestId,
  kTraceId,
  kUser,
  kAuthMethod,
  kCertificate,
  kCertificateFingerprint,
  kActor,
  kClientIp,
  kClientIpSource,
  kListener,
  kMethod,
  kHost,
  kPath,
  kQuery,
  kRoute,
  kUpstream,
  kUpstreamAddress,
  kCode,
  kFilter,
  kRule,
  kShadow,
  kFailure,
  kObject,
  kBefore,
  kAfter,
  kPreviousFile,
  kChain,
  kFsync,
  kKey,
  kSignature,
  kReason,
  kDetail,
  kCount
};

enum class Number : uint8_t {
  kClientPort,
  kStatus,
  kRequestBytes,
  kResponseBytes,
  kAmount,  // how many, of what is counted
  kFirstSeq,
  kLastSeq,
  kTornBytes,
  kShard,  // that it is about
  kFsyncMs,
  kBatchMs,
  kCheckpointRecords,
  kCheckpointMs,
  kDuration,  // the last two in nanoseconds, written as milliseconds
  kFirstByte,
  kCount
};

const JsonKey& json_key_of(Text text) noexcept;
const JsonKey& json_key_of(Number number) noexcept;

inline std::string_view key_of(Text text) noexcept {
  return json_key_of(text).name();
}

inline std::string_view key_of(Number number) noexcept {
  return json_key_of(number).name();
}

inline constexpr size_t kTexts = static_cast<size_t>(Text::kCount);
inline constexpr size_t kNumbers = static_cast<size_t>(Number::kCount);

class Record {
 public:
  Event event = Event::kRequest;
  Outcome outcome = Outcome::kOk;
  WallTime time{};
  uint64_t generation = 0;
  uint64_t lost = 0;  // of its ring, ever, when it went in; set by the log

  void set(Text key, std::string_view value) {
    const uint32_t bit = 1U << static_cast<unsigned>(key);
    texts_[static_cast<size_t>(key)] = value;
    texts_set_ = value.empty() ? texts_set_ & ~bit : texts_set_ | bit;
  }

  /// A text that would be gone before it is written.
  template <std::same_as<std::string> T>
  void set(Text key, T&& value) = delete;

  void set(Number key, uint64_t value) {
    numbers_[static_cast<size_t>(key)] = value;
    numbers_set_ |= 1U << static_cast<unsigned>(key);
  }

  std::string_view text(Text key) const { return texts_[static_cast<size_t>(key)]; }

  bool has(Number key) const { return (numbers_set_ >> static_cast<unsigned>(key) & 1U) != 0; }

  uint64_t number(Number key) const { return numbers_[static_cast<size_t>(key)]; }

  /// Calls visit(Text, std::string_view) for each text that is not empty, in their order.
  template <class Visit>
  void for_each_text(Visit visit) const {
    for (uint32_t left = texts_set_; left != 0; left &= left - 1) {
      const auto key = static_cast<Text>(std::countr_zero(left));
      visit(key, text(key));
    }
  }

  /// Calls visit(Number, uint64_t) for each number that is set, in their order.
  template <class Visit>
  void for_each_number(Visit visit) const {
    for (uint32_t left = numbers_set_; left != 0; left &= left - 1) {
      const auto key = static_cast<Number>(std::countr_zero(left));
      visit(key, number(key));
    }
  }

 private:
  std::array<std::string_view, kTexts> texts_{};
  std::array<uint64_t, kNumbers> numbers_{};
  uint32_t texts_set_ = 0;
  uint32_t numbers_set_ = 0;
};

inline constexpr size_t kPackedBytesMax = 4096;

/// Texts that are too long are cut, those that find no room are left out. The view is of `buffer`.
std::string_view pack(const Record& record, std::span<char, kPackedBytesMax> buffer) noexcept;

/// At most what pack() makes of a record with texts of so many bytes in all.
constexpr size_t packed_bytes(size_t text_bytes) noexcept {
  constexpr size_t kHead = 64 + kTexts * sizeof(uint16_t) + kNumbers * sizeof(uint64_t);
  const size_t bytes = kHead + text_bytes;
  return bytes < kPackedBytesMax ? bytes : kPackedBytesMax;
}

/// The size of the packed record that `bytes` begins with, of which at least kPackedSizeBytes are
/// there.
inline constexpr size_t kPackedSizeBytes = 4;
uint32_t packed_size(std::string_view bytes) noexcept;

/// What pack() made; the texts are views of `bytes`.
Record unpack(std::string_view bytes) noexcept;

}  // namespace hangu::audit
