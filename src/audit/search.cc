#include "hangu/audit/search.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "hangu/audit/chain.h"
#include "hangu/audit/json_line.h"
#include "hangu/audit/record.h"
#include "hangu/base/parse.h"

namespace hangu::audit {
namespace {

constexpr std::string_view kTimeShape = "0000-00-00T00:00:00";
constexpr std::string_view kTsMember = ",\"ts\":\"";
constexpr size_t kTsBytes = 27;
constexpr size_t kNone = std::string_view::npos;

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

/// As the log writes it.
std::string log_time(WallTime time) {
  std::array<char, 64> buffer;
  JsonLine line(buffer);
  line.add_time("t", time.time_since_epoch().count(), 6);
  return std::string(member(line.begun(), "t"));
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

bool is_number_key(std::string_view key) {
  static constexpr std::array<std::string_view, 4> kOwn = {"seq", "v", "shard", "gen"};
  bool found = std::find(kOwn.begin(), kOwn.end(), key) != kOwn.end();
  for (size_t i = 0; i < kNumbers; ++i) {
    found = found || key_of(static_cast<Number>(i)) == key;
  }
  return found;
}

bool is_text_key(std::string_view key) {
  static constexpr std::array<std::string_view, 6> kOwn = {"ts",     "node", "event",
                                                           "result", "prev", "hash"};
  bool found = std::find(kOwn.begin(), kOwn.end(), key) != kOwn.end();
  for (size_t i = 0; i < kTexts; ++i) {
    found = found || key_of(static_cast<Text>(i)) == key;
  }
  return found;
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

/// Of the line that has that byte, which may be its line feed.
size_t begin_of_line(std::string_view lines, size_t at) {
  const void* const before = ::memrchr(lines.data(), '\n', at);
  return before == nullptr
             ? 0
             : static_cast<size_t>(static_cast<const char*>(before) - lines.data()) + 1;
}

/// Behind the line that goes on there, with its line feed.
size_t end_of_line(std::string_view lines, size_t at) {
  const size_t end = lines.find('\n', at);
  return end == kNone ? lines.size() : end + 1;
}

/// How a line that has it has it: `"path":"/a"`. Of a member of another release its value only.
std::string member_text(std::string_view key, const std::string& value, bool open) {
  const bool numeric = is_number_key(key);
  if (!numeric && !is_text_key(key)) {
    return value;
  }
  std::string text = "\"";
  text.append(key).append(numeric ? "\":" : "\":\"").append(value);
  if (!open && !numeric) {
    text += '"';
  }
  return text;
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
    return log_time(now - std::chrono::seconds(*ago));
  }
  if (text.ends_with('Z')) {
    text.remove_suffix(1);
  }
  return is_beginning_of_time(text) ? std::optional(std::string(text)) : std::nullopt;
}

Result<Search, std::string> Search::create(SearchOptions options) {
  Search search(std::move(options));
  const std::string& expression = search.options_.pattern;
  if (!expression.empty()) {
    auto compiled = Pattern::compile(expression);
    if (!compiled) {
      return Failure<std::string>{compiled.error()};
    }
    search.pattern_ = std::move(*compiled);
    search.add_needle(text_of_all_matches(expression));
    if (search.needles_.empty()) {
      search.lines_pattern_ = LinesPattern::compile(expression);
    }
  }
  return search;
}

Search::Search(SearchOptions options)
    : options_(std::move(options)) {
  for (auto& [key, value] : options_.members) {
    const bool open = value.ends_with('*');
    value = escaped(open ? std::string_view(value).substr(0, value.size() - 1) : value);
    add_needle(member_text(key, value, open));
    value += open ? "*" : "";
  }
  for (const std::string& text : options_.texts) {
    add_needle(text);
  }
}

/// Shorter ones are in every other line, and would only cost time.
void Search::add_needle(std::string text) {
  constexpr size_t kBytesMin = 4;
  if (text.size() >= kBytesMin) {
    needles_.push_back(std::move(text));
  }
}

bool Search::is_worth_reading(const ArchivedFile& file) const {
  constexpr Duration kSlack = std::chrono::hours(1);  // clocks are set
  return options_.since.empty() || log_time(file.modified + kSlack) >= options_.since;
}

bool Search::is_in_time(std::string_view line) const {
  const std::string_view ts = ts_of(line);
  return ts >= options_.since && (options_.until.empty() || ts < options_.until);
}

bool Search::fits(std::string_view line) const {
  const auto holds = [line](const std::string& text) { return find_text(line, text, 0) != kNone; };
  if (!std::all_of(options_.texts.begin(), options_.texts.end(), holds)) {
    return false;
  }
  const auto has = [line](const auto& wanted) { return has_value(line, wanted); };
  if (!std::all_of(options_.members.begin(), options_.members.end(), has)) {
    return false;
  }
  return !pattern_ || pattern_->find(line, {});
}

bool Search::matches(std::string_view line) const {
  const bool any_time = options_.since.empty() && options_.until.empty();
  return (any_time || is_in_time(line)) && fits(line);
}

/// By time first: where few lines are of it, little is left to search, and where all are, they are
/// searched as one.
template <class Take>
void Search::for_each_match(std::string_view piece, const Take& take) const {
  if (options_.since.empty() && options_.until.empty()) {
    search_within(piece, take);
    return;
  }
  size_t run = 0;  // of lines of that time: where it began
  size_t at = 0;
  while (at < piece.size()) {
    const size_t next = end_of_line(piece, at);
    if (!is_in_time(piece.substr(at, next - at))) {
      search_within(piece.substr(run, at - run), take);
      run = next;
    }
    at = next;
  }
  search_within(piece.substr(run), take);
}

template <class Take>
void Search::search_within(std::string_view lines, const Take& take) const {
  if (options_.texts.empty() && options_.members.empty() && !pattern_) {
    take(lines);
    return;
  }
  for (size_t at = next_candidate(lines, 0); at < lines.size();) {
    const size_t begin = begin_of_line(lines, at);
    const size_t end = end_of_line(lines, at);
    const std::string_view line = lines.substr(begin, end - begin);
    if (fits(line.substr(0, line.size() - (line.ends_with('\n') ? 1 : 0)))) {
      take(line);
    }
    at = next_candidate(lines, end);
  }
}

/// Somewhere in the next line that may match. The rarest text sets the pace: where it is not found
/// for long, the others are not looked for either.
size_t Search::next_candidate(std::string_view lines, size_t from) const {
  if (from >= lines.size()) {
    return kNone;
  }
  if (lines_pattern_) {
    return lines_pattern_->find(lines, from);
  }
  size_t begin = from;  // of a line
  for (size_t i = 0, agreed = 0; agreed < needles_.size(); i = (i + 1) % needles_.size()) {
    const size_t at = find_text(lines, needles_[i], begin);
    if (at == kNone) {
      return kNone;
    }
    const size_t of_line = begin_of_line(lines, at);
    agreed = of_line > begin ? 1 : agreed + 1;
    begin = std::max(begin, of_line);
  }
  return begin;
}

std::string Search::select(std::string_view piece) const {
  std::string out;
  for_each_match(piece, [&out](std::string_view lines) {
    out.append(lines);
    if (!lines.empty() && !lines.ends_with('\n')) {
      out.push_back('\n');
    }
  });
  return out;
}

uint64_t Search::count(std::string_view piece) const {
  uint64_t count = 0;
  for_each_match(piece, [&count](std::string_view lines) {
    for (size_t at = 0; at < lines.size(); at = end_of_line(lines, at)) {
      ++count;
    }
  });
  return count;
}

}  // namespace hangu::audit
