#include "hangu/http/header_name.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace hangu::http {
namespace {

constexpr size_t kCount = static_cast<size_t>(HeaderName::kCount);

// In the order of the enumerators.
constexpr std::array<std::string_view, kCount> kNames = {
    "",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "expect",
    "te",
    "trailer",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "date",
    "server",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "forwarded",
    "x-real-ip",
    "x-request-id",
    "traceparent",
    "tracestate",
    "user-agent",
    "referer",
    "authorization",
    "cookie",
    "set-cookie",
    "content-type",
    "content-encoding",
    "content-language",
    "content-location",
    "content-range",
    "content-disposition",
    "accept",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "cache-control",
    "etag",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "range",
    "retry-after",
    "vary",
    "via",
    "www-authenticate",
    "x-forwarded-prefix",
    "early-data",
};

constexpr size_t kSizeMin = 2;
constexpr size_t kSizeMax = 19;

// A name in two words a byte: its lower-case text, and 0x20 where there is a letter. A byte equals
// a lower-case letter without regard to case when it does with that bit set; other bytes must be
// equal.
struct Pattern {
  std::array<char, 24> text{};
  std::array<char, 24> mask{};
};

constexpr std::array<Pattern, kCount> make_patterns() {
  std::array<Pattern, kCount> patterns{};
  for (size_t name = 1; name < kCount; ++name) {
    for (size_t i = 0; i < kNames[name].size(); ++i) {
      const char c = kNames[name][i];
      patterns[name].text[i] = c;
      patterns[name].mask[i] = c >= 'a' && c <= 'z' ? 0x20 : 0;
    }
  }
  return patterns;
}

constexpr std::array<Pattern, kCount> kPatterns = make_patterns();

// A perfect hash of the size and three characters; the multiplier is found while compiling.
constexpr unsigned kTableBits = 9;

constexpr uint32_t key_of(const char* name, size_t size) {
  const size_t near_end = size >= 4 ? size - 4 : 0;
  const uint32_t characters = static_cast<unsigned char>(name[0]) |
                              uint32_t{static_cast<unsigned char>(name[size - 1])} << 8 |
                              uint32_t{static_cast<unsigned char>(name[near_end])} << 16;
  return (characters | 0x202020) + (static_cast<uint32_t>(size) << 24);
}

constexpr uint32_t slot_of(uint32_t key, uint32_t multiplier) {
  return (key * multiplier) >> (32 - kTableBits);
}

struct Table {
  uint32_t multiplier = 0;
  std::array<uint8_t, 1 << kTableBits> names{};
};

constexpr bool fill(Table& table, uint32_t multiplier) {
  table = Table{.multiplier = multiplier};
  for (size_t name = 1; name < kCount; ++name) {
    uint8_t& slot =
        table.names[slot_of(key_of(kNames[name].data(), kNames[name].size()), multiplier)];
    if (slot != 0) {
      return false;
    }
    slot = static_cast<uint8_t>(name);
  }
  return true;
}

constexpr Table make_table() {
  Table table;
  uint32_t multiplier = 0x9e3779b1;
  for (int i = 0; i < 3000; ++i) {
    if (fill(table, multiplier)) {
      return table;
    }
    multiplier = multiplier * 1664525U + 1013904222U;
    multiplier |= 1U;
  }
  return Table{};
}

constexpr Table kTable = make_table();
static_assert(kTable.multiplier != 0, "no perfect hash: change key_of or kTableBits");

constexpr bool sizes_fit() {
  for (size_t name = 1; name < kCount; ++name) {
    if (kNames[name].size() < kSizeMin || kNames[name].size() > kSizeMax) {
      return false;
    }
  }
  return true;
}

static_assert(sizes_fit());

template <class Word>
bool word_matches(const char* name, const Pattern& pattern, size_t offset) {
  Word given;
  Word text;
  Word mask;
  std::memcpy(&given, name + offset, sizeof(Word));
  std::memcpy(&text, pattern.text.data() + offset, sizeof(Word));
  std::memcpy(&mask, pattern.mask.data() + offset, sizeof(Word));
  return (given | mask) == text;
}

bool matches(const char* name, size_t size, const Pattern& pattern) {
  if (size >= 8) {
    return word_matches<uint64_t>(name, pattern, 0) &&
           (size <= 16 || word_matches<uint64_t>(name, pattern, 8)) &&
           word_matches<uint64_t>(name, pattern, size - 8);
  }
  if (size >= 4) {
    return word_matches<uint32_t>(name, pattern, 0) &&
           word_matches<uint32_t>(name, pattern, size - 4);
  }
  for (size_t i = 0; i < size; ++i) {
    if (static_cast<char>(name[i] | pattern.mask[i]) != pattern.text[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

HeaderName header_name_from(std::string_view name) noexcept {
  if (name.size() < kSizeMin || name.size() > kSizeMax) {
    return HeaderName::kOther;
  }
  const uint8_t candidate =
      kTable.names[slot_of(key_of(name.data(), name.size()), kTable.multiplier)];
  return kNames[candidate].size() == name.size() &&
                 matches(name.data(), name.size(), kPatterns[candidate])
             ? HeaderName{candidate}
             : HeaderName::kOther;
}

std::string_view to_string(HeaderName name) noexcept {
  return kNames[static_cast<size_t>(name)];
}

}  // namespace hangu::http
