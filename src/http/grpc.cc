#include "hangu/http/grpc.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "hangu/base/parse.h"
#include "hangu/buffer/decimal_text.h"
#include "hangu/http/text.h"

namespace hangu::http {
namespace {

constexpr std::string_view kType = "application/grpc";
constexpr size_t kTimeoutDigitsMax = 8;

constexpr std::array<const char*, kGrpcStatuses> kNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

/// The message as the protocol wants it: %-encoded outside printable ASCII.
std::string_view encoded_message(std::string_view text, buffer::Arena& arena) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  char* const out = arena.allocate(text.size() * 3, 1);
  char* to = out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      *to++ = c;
    } else {
      *to++ = '%';
      *to++ = kDigits[byte >> 4];
      *to++ = kDigits[byte & 0x0f];
    }
  }
  return {out, static_cast<size_t>(to - out)};
}

}  // namespace

const char* to_string(GrpcStatus status) noexcept {
  const auto number = static_cast<size_t>(status);
  return number < kNames.size() ? kNames[number] : "UNKNOWN";
}

bool is_grpc(const HeaderBlock& headers) noexcept {
  const std::string_view type = headers.value(HeaderName::kContentType);
  if (!equals_ignore_case(type.substr(0, kType.size()), kType)) {
    return false;
  }
  const std::string_view rest = type.substr(kType.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';' || rest.front() == ' ';
}

std::optional<Duration> parse_grpc_timeout(std::string_view text) noexcept {
  using std::chrono::hours;
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  if (text.size() < 2 || text.size() > kTimeoutDigitsMax + 1) {
    return std::nullopt;
  }
  const auto number = parse_decimal(text.substr(0, text.size() - 1));
  if (!number) {
    return std::nullopt;
  }
  const auto count = static_cast<int64_t>(*number);
  switch (text.back()) {
    // The longest that is told apart: Duration counts nanoseconds.
    case 'H': return std::min<int64_t>(count, 24 * 365) * Duration(hours(1));
    case 'M': return std::min<int64_t>(count, 24 * 365 * 60) * Duration(minutes(1));
    case 'S': return count * Duration(seconds(1));
    case 'm': return count * Duration(milliseconds(1));
    case 'u': return count * Duration(microseconds(1));
    case 'n': return count * Duration(nanoseconds(1));
    default: return std::nullopt;
  }
}

size_t write_grpc_timeout(Duration timeout, char* out) noexcept {
  struct Unit {
    Duration length;
    char letter;
  };

  constexpr Unit kUnits[] = {{std::chrono::microseconds(1), 'u'},
                             {std::chrono::milliseconds(1), 'm'},
                             {std::chrono::seconds(1), 'S'},
                             {std::chrono::hours(1), 'H'}};
  constexpr int64_t kMost = 99'999'999;  // kTimeoutDigitsMax of them
  for (const Unit& unit : kUnits) {
    const int64_t count = std::max<int64_t>(timeout / unit.length, 1);
    if (count <= kMost) {
      char* const end = std::to_chars(out, out + kTimeoutDigitsMax, count).ptr;
      *end = unit.letter;
      return static_cast<size_t>(end - out) + 1;
    }
  }
  return 0;  // no Duration is so long
}

std::optional<GrpcStatus> grpc_status_of(const HeaderBlock& headers) noexcept {
  const Header* field = headers.find("grpc-status");
  if (field == nullptr) {
    return std::nullopt;
  }
  const auto number = parse_decimal(field->value(), kGrpcStatuses - 1);
  return number ? static_cast<GrpcStatus>(*number) : GrpcStatus::kUnknown;
}

bool is_server_error(GrpcStatus status) noexcept {
  return status == GrpcStatus::kUnknown || status == GrpcStatus::kInternal ||
         status == GrpcStatus::kUnavailable || status == GrpcStatus::kDataLoss;
}

GrpcStatus grpc_status_for(int http_status) noexcept {
  switch (http_status) {
    case 400: return GrpcStatus::kInternal;
    case 401: return GrpcStatus::kUnauthenticated;
    case 403: return GrpcStatus::kPermissionDenied;
    case 404:
    case 405: return GrpcStatus::kUnimplemented;
    case 413:
    case 414:
    case 429:
    case 431: return GrpcStatus::kResourceExhausted;
    case 422: return GrpcStatus::kInvalidArgument;
    case 500: return GrpcStatus::kInternal;
    case 501: return GrpcStatus::kUnimplemented;
    case 502:
    case 503: return GrpcStatus::kUnavailable;
    case 408:
    case 504: return GrpcStatus::kDeadlineExceeded;
    default: return GrpcStatus::kUnknown;
  }
}

void make_grpc_response(const LocalReply& reply, buffer::Arena& arena,
                        ResponseHead& response) noexcept {
  constexpr std::array<std::string_view, kGrpcStatuses> kNumbers = {
      "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"};
  response.reset(arena);
  response.status = 200;
  response.reason = reason_phrase(200);
  response.framing = BodyFraming::kNone;
  const auto status = reply.grpc_status < 0 ? static_cast<size_t>(grpc_status_for(reply.status))
                                            : static_cast<size_t>(reply.grpc_status);
  const std::string_view message = reply.detail.empty() ? reply.code : reply.detail;
  static_cast<void>(response.headers.add(HeaderName::kContentType, kType));
  static_cast<void>(response.headers.add("grpc-status", kNumbers[status]));
  static_cast<void>(response.headers.add("grpc-message", encoded_message(message, arena)));
  static_cast<void>(response.headers.add("x-hangu-code", reply.code));
  if (reply.retry_after_s != 0) {
    constexpr uint64_t kMost = INT32_MAX;  // clients take no more
    const uint64_t pushback_ms = std::min(uint64_t{reply.retry_after_s} * 1000, kMost);
    static_cast<void>(
        response.headers.add("grpc-retry-pushback-ms", buffer::decimal_text(pushback_ms, arena)));
  }
  for (const ReplyField& field : reply.fields) {
    if (!field.name.starts_with("grpc-") && field.name != "content-type") {
      static_cast<void>(response.headers.add(field.name, field.value));
    }
  }
}

}  // namespace hangu::http
