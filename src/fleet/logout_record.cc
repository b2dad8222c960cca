#include "hangu/fleet/logout_record.h"

#include <cstdint>

#include <fmt/format.h>

#include "hangu/base/hex.h"
#include "hangu/base/parse.h"

namespace hangu::fleet {
namespace {

using identity::LogoutEntry;

constexpr std::string_view kSessions = "sessions";
constexpr std::string_view kToken = "token";

/// What is before the separator, which is gone then, too.
std::string_view take(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

bool read_time(std::string_view text, int64_t& out) {
  const auto seconds = parse_decimal(text, INT64_MAX);
  out = static_cast<int64_t>(seconds.value_or(0));
  return seconds.has_value();
}

}  // namespace

std::string logout_name(const LogoutEntry& entry) {
  return fmt::format("{}/{}", to_hex(entry.digest), entry.at_s);
}

std::string logout_value(const LogoutEntry& entry) {
  return fmt::format("{} {} {}", entry.kind == LogoutEntry::Kind::kToken ? kToken : kSessions,
                     to_hex(entry.scope), entry.until_s);
}

std::optional<LogoutEntry> read_logout(std::string_view name, std::string_view value) {
  LogoutEntry entry;
  const std::string_view kind = take(value, ' ');
  if (kind != kToken && kind != kSessions) {
    return std::nullopt;
  }
  entry.kind = kind == kToken ? LogoutEntry::Kind::kToken : LogoutEntry::Kind::kSessions;
  const bool good = read_hex(take(value, ' '), entry.scope) && read_time(value, entry.until_s) &&
                    read_hex(take(name, '/'), entry.digest) && read_time(name, entry.at_s);
  return good ? std::optional(entry) : std::nullopt;
}

}  // namespace hangu::fleet
