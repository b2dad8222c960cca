#include "hangu/http/traceparent.h"

#include <algorithm>

#include "hangu/base/hex.h"
#include "hangu/base/parse.h"

namespace hangu::http {
namespace {

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

char* write_text(char* to, std::string_view text) {
  return std::copy(text.begin(), text.end(), to);
}

}  // namespace

std::optional<Traceparent> parse_traceparent(std::string_view value) noexcept {
  // 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
  if (value.size() < kTraceparentChars || value[2] != '-' || value[35] != '-' || value[52] != '-') {
    return std::nullopt;
  }
  const std::string_view version = value.substr(0, 2);
  const std::string_view flags = value.substr(53, 2);
  const bool longer = value.size() > kTraceparentChars;
  if (!is_lower_hex(version) || version == "ff" || !is_lower_hex(flags) ||
      (longer && (version == "00" || value[kTraceparentChars] != '-'))) {
    return std::nullopt;
  }
  const Traceparent parsed{.trace_id = value.substr(3, 32),
                           .parent_id = value.substr(36, 16),
                           .flags = static_cast<uint8_t>(parse_hex(flags).value_or(0))};
  if (!is_id(parsed.trace_id) || !is_id(parsed.parent_id)) {
    return std::nullopt;
  }
  return parsed;
}

void write_traceparent(std::span<const uint8_t, 16> trace_id, std::span<const uint8_t, 8> parent_id,
                       bool sampled, std::span<char, kTraceparentChars> out) noexcept {
  char* to = write_text(out.data(), "00-");
  to = put_hex(to, trace_id);
  to = write_text(to, "-");
  to = put_hex(to, parent_id);
  write_text(to, sampled ? "-01" : "-00");
}

void write_traceparent(const Traceparent& from, std::span<const uint8_t, 8> parent_id,
                       std::span<char, kTraceparentChars> out) noexcept {
  char* to = write_text(out.data(), "00-");
  to = write_text(to, from.trace_id);
  to = write_text(to, "-");
  to = put_hex(to, parent_id);
  write_text(to, from.sampled() ? "-01" : "-00");
}

}  // namespace hangu::http
