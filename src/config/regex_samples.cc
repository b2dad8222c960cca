#include "config/regex_samples.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace hangu::config {
namespace {

using Texts = std::vector<std::string>;

/// What stands for a character of a class, the first that is in it.
constexpr std::string_view kLikely = "a0A-_.~/ ";

constexpr size_t kDepthMax = 16;
constexpr size_t kTextBytesMax = 256;

/// Each of `left` with each of `right` behind it, as far as there is room.
Texts product(const Texts& left, const Texts& right) {
  Texts all;
  for (const std::string& before : left) {
    for (const std::string& after : right) {
      if (all.size() < kRegexSamplesMax && before.size() + after.size() <= kTextBytesMax) {
        all.push_back(before + after);
      }
    }
  }
  return all;
}

void append(Texts& all, const Texts& more) {
  for (const std::string& text : more) {
    if (all.size() < kRegexSamplesMax) {
      all.push_back(text);
    }
  }
}

/// Whether \d, \w, \s or its opposite has the character; nullopt: it is none of these.
std::optional<bool> in_perl_class(char name, char c) {
  const bool digit = c >= '0' && c <= '9';
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  switch (name) {
    case 'd': return digit;
    case 'D': return !digit;
    case 'w': return digit || letter || c == '_';
    case 'W': return !(digit || letter || c == '_');
    case 's': return c == ' ';
    case 'S': return c != ' ';
    default: return std::nullopt;
  }
}

bool is_punctuation(char c) {
  return !*in_perl_class('w', c) && static_cast<unsigned char>(c) < 0x80;
}

/// Reads an expression once. What it does not know sets bad().
class SampleReader {
 public:
  explicit SampleReader(std::string_view expression)
      : rest_(expression) {}

  Texts read() {
    Texts all = alternatives(0);
    return bad_ || !rest_.empty() ? Texts() : all;
  }

 private:
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }

  char take() {
    if (rest_.empty()) {
      bad_ = true;
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  bool skip(std::string_view text) {
    const bool found = rest_.starts_with(text);
    rest_.remove_prefix(found ? text.size() : 0);
    return found;
  }

  Texts alternatives(size_t depth) {
    Texts all;
    bad_ = bad_ || depth > kDepthMax;
    do {
      append(all, sequence(depth));
    } while (!bad_ && skip("|"));
    return all;
  }

  Texts sequence(size_t depth) {
    Texts all{""};
    while (!bad_ && !rest_.empty() && !next_is('|') && !next_is(')')) {
      if (skip("^") || skip("$")) {
        continue;
      }
      const Texts one = item(depth);
      all = product(all, repeated(one));
    }
    return all;
  }

  Texts item(size_t depth) {
    const char c = take();
    switch (c) {
      case '(': return group(depth);
      case '[': return character_class();
      case '.': return {"a"};
      case '\\': return escaped();
      case '*':
      case '+':
      case '?':
      case '{':
      case ')': bad_ = true; return {};
      default: return {std::string(1, c)};
    }
  }

  Texts group(size_t depth) {
    if (skip("?:")) {
      // No group of its own.
    } else if (skip("?P<") || skip("?<")) {
      while (!rest_.empty() && take() != '>') {
      }
    } else if (next_is('?')) {
      bad_ = true;
    }
    Texts all = alternatives(depth + 1);
    bad_ = bad_ || take() != ')';
    return all;
  }

  Texts escaped() {
    const char c = take();
    for (const char likely : kLikely) {
      if (in_perl_class(c, likely).value_or(false)) {
        return {std::string(1, likely)};
      }
    }
    bad_ = bad_ || !is_punctuation(c);
    return {std::string(1, c)};
  }

  /// After "[". Knows its characters by trying them.
  Texts character_class() {
    const bool negated = skip("^");
    std::array<bool, 128> has{};
    bool first = true;
    while (!bad_ && (first || !next_is(']'))) {
      first = false;
      class_item(has);
    }
    take();
    const auto taken = [&](char c) {
      const auto at = static_cast<unsigned char>(c);
      return at < has.size() && has[at] != negated;
    };
    for (const char likely : kLikely) {
      if (taken(likely)) {
        return {std::string(1, likely)};
      }
    }
    for (char c = '!'; c < '\x7f'; ++c) {
      if (taken(c)) {
        return {std::string(1, c)};
      }
    }
    bad_ = true;
    return {};
  }

  void class_item(std::array<bool, 128>& has) {
    const char from = take();
    if (from == '[') {  // [:alpha:]
      bad_ = true;
      return;
    }
    if (from == '\\') {
      const char name = take();
      if (in_perl_class(name, 'a')) {
        for (char c = ' '; c < '\x7f'; ++c) {
          has[static_cast<unsigned char>(c)] |= *in_perl_class(name, c);
        }
        return;
      }
      bad_ = bad_ || !is_punctuation(name);
      add_range(name, has);
      return;
    }
    add_range(from, has);
  }

  void add_range(char from, std::array<bool, 128>& has) {
    char to = from;
    if (next_is('-') && rest_.size() > 1 && rest_[1] != ']') {
      take();
      to = take();
      bad_ = bad_ || to == '\\' || to == '[';
    }
    if (static_cast<unsigned char>(from) >= has.size() ||
        static_cast<unsigned char>(to) >= has.size()) {
      bad_ = true;
      return;
    }
    for (size_t c = static_cast<unsigned char>(from); c <= static_cast<unsigned char>(to); ++c) {
      has[c] = true;
    }
  }

  /// By the quantifier that follows, if one does.
  Texts repeated(const Texts& one) {
    size_t least = 1;
    bool optional = false;
    if (skip("*") || skip("?")) {
      optional = true;
    } else if (skip("{")) {
      const char* const end = rest_.data() + rest_.size();
      const auto read = std::from_chars(rest_.data(), end, least);
      constexpr size_t kLeastMax = 64;
      bad_ = bad_ || read.ec != std::errc() || least > kLeastMax;
      while (!bad_ && take() != '}') {
      }
      optional = least == 0;
      least = std::max<size_t>(least, 1);
    } else {
      static_cast<void>(skip("+"));
    }
    static_cast<void>(skip("?"));  // the shortest match: the same texts
    Texts all = one;
    for (size_t i = 1; i < least; ++i) {
      all = product(all, {one.empty() ? std::string() : one.front()});
    }
    if (optional) {
      all.insert(all.begin(), "");
      all.resize(std::min(all.size(), kRegexSamplesMax));
    }
    return all;
  }

  std::string_view rest_;
  bool bad_ = false;
};

}  // namespace

std::vector<std::string> regex_samples(std::string_view expression) {
  return SampleReader(expression).read();
}

}  // namespace hangu::config
