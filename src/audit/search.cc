#include "hangu/audit/search.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "hangu/audit/chain.h"
#include "hangu/audit/json_line.h"
#include "hangu/audit/parallel_pieces.h"
#include "hangu/base/parse.h"

namespace hangu::audit {
namespace {

constexpr std::string_view kTimeShape = "0000-00-00T00:00:00";
constexpr std::string_view kTsMember = ",\"ts\":\"";
constexpr size_t kTsBytes = 27;

/// "90s" → seconds.
std::optional<uint64_t> parse_ago(std::string_view text) {
  if (text.empty()) {
    return std::nullopt;
  }
  const auto number = parse_decimal(text.substr(0, text.size() - 1));
  if (!number) {
    return std::nullopt;
  }
  constexpr uint64_t kMinute = 60;
  switch (text.back()) {
    case 's': return *number;
    case 'm': return *number * kMinute;
    case 'h': return *number * kMinute * 60;
    case 'd': return *number * kMinute * 60 * 24;
    default: return std::nullopt;
  }
}

bool is_beginning_of_time(std::string_view text) {
  const size_t dot = std::min(text.find('.'), text.size());
  const std::string_view fraction = text.substr(std::min(dot + 1, text.size()));
  if (dot < std::string_view("0000-00-00").size() || dot > kTimeShape.size() ||
      (dot < text.size() && (dot != kTimeShape.size() || fraction.size() > 6))) {
    return false;
  }
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t i = 0; i < dot; ++i) {
    if (kTimeShape[i] == '0' ? !digit(text[i]) : text[i] != kTimeShape[i]) {
      return false;
    }
  }
  return digit(text[dot - 1]) && std::all_of(fraction.begin(), fraction.end(), digit);
}

/// As the log writes it, without the quotes.
std::string escaped(std::string_view value) {
  std::string buffer(value.size() * 6 + 128, '\0');
  JsonLine line(buffer);
  line.add("v", value, value.size() * 6);
  const std::string_view text = line.begun();
  return std::string(text.substr(6, text.size() - 7));
}

std::string_view ts_of(std::string_view line) {
  const size_t at = line.find(kTsMember);
  return at == std::string_view::npos ? std::string_view()
                                      : line.substr(at + kTsMember.size(), kTsBytes);
}

/// As find(), several times as fast on long texts.
size_t find_text(std::string_view all, std::string_view text, size_t from) {
  const void* found = ::memmem(all.data() + from, all.size() - from, text.data(), text.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<size_t>(static_cast<const char*>(found) - all.data());
}

bool has_value(std::string_view line, const std::pair<std::string, std::string>& wanted) {
  const std::string_view value = member(line, wanted.first);
  return wanted.second.ends_with('*')
             ? value.starts_with(
                   std::string_view(wanted.second).substr(0, wanted.second.size() - 1))
             : value == wanted.second && value.data() != nullptr;
}

}  // namespace

std::optional<std::string> parse_log_time(std::string_view text, WallTime now) {
  if (const auto ago = parse_ago(text)) {
    std::array<char, 64> buffer;
    JsonLine line(buffer);
    line.add_time("t", (now - std::chrono::seconds(*ago)).time_since_epoch().count(), 6);
    return std::string(member(line.begun(), "t"));
  }
  if (text.ends_with('Z')) {
    text.remove_suffix(1);
  }
  return is_beginning_of_time(text) ? std::optional(std::string(text)) : std::nullopt;
}

Result<Search, std::string> Search::create(SearchOptions options) {
  std::optional<Pattern> pattern;
  if (!options.pattern.empty()) {
    auto compiled = Pattern::compile(options.pattern);
    if (!compiled) {
      return Failure<std::string>{compiled.error()};
    }
    pattern = std::move(*compiled);
  }
  return Search(std::move(options), std::move(pattern));
}

Search::Search(SearchOptions options, std::optional<Pattern> pattern)
    : options_(std::move(options)),
      pattern_(std::move(pattern)) {
  for (auto& [key, value] : options_.members) {
    const bool open = value.ends_with('*');
    value = escaped(open ? std::string_view(value).substr(0, value.size() - 1) : value);
    if (value.size() > needle_.size()) {
      needle_ = value;
    }
    value += open ? "*" : "";
  }
  for (const std::string& text : options_.texts) {
    needle_ = text.size() > needle_.size() ? text : needle_;
  }
}

bool Search::matches(std::string_view line) const {
  if (!options_.since.empty() || !options_.until.empty()) {
    const std::string_view ts = ts_of(line);
    if (ts < options_.since || (!options_.until.empty() && ts >= options_.until)) {
      return false;
    }
  }
  const auto holds = [line](const std::string& text) {
    return line.find(text) != std::string_view::npos;
  };
  if (!std::all_of(options_.texts.begin(), options_.texts.end(), holds)) {
    return false;
  }
  const auto fits = [line](const auto& wanted) { return has_value(line, wanted); };
  if (!std::all_of(options_.members.begin(), options_.members.end(), fits)) {
    return false;
  }
  std::array<std::string_view, 1> parts;
  return !pattern_ || pattern_->find(line, parts);
}

std::string Search::select(const std::string& piece) const {
  std::string out;
  const std::string_view all = piece;
  if (needle_.empty()) {
    for_each_line(all, [&](std::string_view line) {
      if (matches(line)) {
        out.append(line).push_back('\n');
      }
    });
    return out;
  }
  for (size_t at = find_text(all, needle_, 0); at != std::string_view::npos;
       at = find_text(all, needle_, at)) {
    const size_t before = all.rfind('\n', at);
    const size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const size_t end = std::min(all.find('\n', at), all.size());
    const std::string_view line = all.substr(begin, end - begin);
    if (matches(line)) {
      out.append(line).push_back('\n');
    }
    at = end;
  }
  return out;
}

}  // namespace hangu::audit
