#include "config/source_text.h"

#include <algorithm>
#include <array>

#include "hangu/base/letter_case.h"

#include "config/text.h"

namespace hangu::config {

namespace {

constexpr size_t kSnippetBytesMax = 400;

bool is_quote(char c) {
  return c == '"' || c == '\'';
}

bool is_key_byte(char c) {
  return is_alnum(c) || c == '-' || c == '_' || is_quote(c);
}

/// Where the scalar whose quote is at `begin` ends, behind its closing quote: not at one that is
/// escaped or doubled.
size_t quoted_end(std::string_view line, size_t begin) {
  const char quote = line[begin];
  size_t at = begin + 1;
  while (at < line.size() && line[at] != quote) {
    at += quote == '"' && line[at] == '\\' ? 2 : 1;
  }
  const size_t end = std::min(at + 1, line.size());
  const bool doubled = quote == '\'' && end < line.size() && line[end] == quote;
  return doubled ? quoted_end(line, end) : end;
}

/// Where the scalar that begins at `begin` ends: at its quote, at the next flow sign, or with the
/// line.
size_t value_end(std::string_view line, size_t begin, bool in_list) {
  if (is_quote(line[begin])) {
    return quoted_end(line, begin);
  }
  const bool in_flow = in_list || line.substr(0, begin).find('{') != std::string_view::npos;
  const char* const signs = in_list ? ",]}" : ",}";
  return in_flow ? std::min(line.find_first_of(signs, begin), line.size()) : line.size();
}

bool is_reference(std::string_view value) {
  return value.find("${") != std::string_view::npos ||
         value.substr(!value.empty() && is_quote(value[0]) ? 1 : 0, 5) == "file:";
}

/// Whether values of a key of the config are not for everybody's eyes.
bool is_masked(std::string_view key) {
  while (!key.empty() && is_quote(key.front())) {
    key.remove_prefix(1);
  }
  while (!key.empty() && is_quote(key.back())) {
    key.remove_suffix(1);
  }
  return looks_secret(key) || key == "hash" || key == "cache_key";
}

/// The scalar at `at`, or those of the list there, unless they are references.
void mask_value(std::string_view line, size_t at, std::string& out) {
  const bool in_list = line[at] == '[';
  while (at < line.size()) {
    at = line.find_first_not_of(in_list ? " \t,[" : " \t", at);
    if (at == std::string_view::npos || line[at] == '{' || (in_list && line[at] == ']')) {
      return;
    }
    const size_t end = value_end(line, at, in_list);
    if (!is_reference(line.substr(at, end - at))) {
      std::fill(out.begin() + static_cast<ptrdiff_t>(at), out.begin() + static_cast<ptrdiff_t>(end),
                '*');
    }
    if (!in_list || end == at) {
      return;
    }
    at = end;
  }
}

/// Masks the values of credential-like keys. Right behind its colon a value stands only where the
/// key is quoted, as in JSON: else it is a text with a colon in it.
std::string masked(std::string_view line) {
  std::string out(line);
  for (size_t colon = line.find(':'); colon != std::string_view::npos;
       colon = line.find(':', colon + 1)) {
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    size_t key = colon;
    while (key > 0 && (line[key - 1] == ' ' || line[key - 1] == '\t')) {
      --key;
    }
    const size_t key_end = key;
    while (key > 0 && is_key_byte(line[key - 1])) {
      --key;
    }
    const bool quoted = key_end > 0 && is_quote(line[key_end - 1]);
    if (begin != std::string_view::npos && (quoted || begin > colon + 1) &&
        is_masked(line.substr(key, key_end - key))) {
      mask_value(line, begin, out);
    }
  }
  return out;
}

/// Makes the line harmless to print: bad bytes and control characters become U+FFFD.
std::string printable(std::string_view line) {
  std::string out;
  for (size_t at = 0; at < line.size();) {
    const size_t length = utf8_length(line, at);
    const bool is_bad = length == 0 || (is_control(line[at]) && line[at] != '\t');
    out += is_bad ? std::string_view("\xEF\xBF\xBD") : line.substr(at, length);
    at += std::max<size_t>(length, 1);
  }
  return out;
}

}  // namespace

bool looks_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kWords = {
      "authorization", "cookie", "token", "secret", "password", "passwd", "api-key", "apikey"};
  std::string small = lower_case(name);
  std::replace(small.begin(), small.end(), '_', '-');
  return std::any_of(kWords.begin(), kWords.end(), [&small](std::string_view word) {
    return small.find(word) != std::string::npos;
  });
}

SourceText::SourceText(std::string_view text)
    : text_(text) {
  begins_.push_back(text_.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0);
  for (size_t at = text_.find('\n'); at != std::string_view::npos; at = text_.find('\n', at + 1)) {
    begins_.push_back(at + 1);
  }
}

std::string_view SourceText::line(size_t number) const {
  if (number == 0 || number > begins_.size()) {
    return {};
  }
  const size_t begin = begins_[number - 1];
  const size_t end = std::min(text_.find('\n', begin), text_.size());
  std::string_view found = text_.substr(begin, end - begin);
  if (!found.empty() && found.back() == '\r') {
    found.remove_suffix(1);
  }
  return found;
}

std::string SourceText::snippet(size_t number) const {
  const std::string_view whole = line(number);
  return whole.size() > kSnippetBytesMax ? std::string() : printable(masked(whole));
}

uint32_t SourceText::column(Mark mark) const {
  if (mark.column == 0) {
    return 0;
  }
  return static_cast<uint32_t>(utf8_count(line(mark.line).substr(0, mark.column - 1)) + 1);
}

}  // namespace hangu::config
