#include "hangu/audit/json_line.h"

#include <array>
#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace hangu::audit {
namespace {

template <class Fill>
std::string line_of(Fill fill, size_t bytes = 4096) {
  std::string buffer(bytes + 16, '#');  // what is behind the buffer must stay
  JsonLine line(std::span<char>(buffer.data(), bytes));
  fill(line);
  const std::string text(line.finish());
  EXPECT_LE(text.size(), bytes);
  EXPECT_EQ(buffer.substr(bytes), std::string(16, '#'));
  return text;
}

std::string string_of(std::string_view value, size_t max = 1024) {
  const std::string line = line_of([&](JsonLine& out) { out.add("k", value, max); });
  EXPECT_TRUE(line.starts_with("{\"k\":\"") && line.ends_with("\"}\n")) << line;
  return line.substr(6, line.size() - 9);
}

/// A reader of just what JsonLine writes: an object of strings and numbers, and a line feed.
bool is_json_line(std::string_view text) {
  const auto take = [&](std::string_view expected) {
    const bool there = text.starts_with(expected);
    text.remove_prefix(there ? expected.size() : 0);
    return there;
  };
  const auto take_string = [&] {
    if (!take("\"")) {
      return false;
    }
    while (!text.empty() && text[0] != '"') {
      const auto byte = static_cast<unsigned char>(text[0]);
      size_t size = 1;
      if (byte == '\\') {
        const std::string_view escape = text.substr(1, 1);
        const bool is_hex = escape == "u" && text.size() > 6 &&
                            text.substr(2, 4).find_first_not_of("0123456789abcdef") == text.npos;
        if (escape != "\"" && escape != "\\" && !is_hex) {
          return false;
        }
        size = is_hex ? 6 : 2;
      } else if (byte >= 0x80) {
        size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        for (size_t i = 1; i < size; ++i) {
          if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {
            return false;
          }
        }
      } else if (byte < 0x20) {
        return false;
      }
      text.remove_prefix(size);
    }
    return take("\"");
  };
  const auto take_number = [&] {
    const size_t end = text.find_first_not_of("0123456789.");
    text.remove_prefix(end);
    return end > 0;
  };
  if (!take("{")) {
    return false;
  }
  if (take("}\n")) {
    return text.empty();
  }
  do {
    if (!take_string() || !take(":") || !(text.starts_with('"') ? take_string() : take_number())) {
      return false;
    }
  } while (take(","));
  return take("}\n") && text.empty();
}

TEST(JsonLine, Empty) {
  EXPECT_EQ(line_of([](JsonLine&) {}), "{}\n");
}

TEST(JsonLine, MembersOfEveryKind) {
  const std::string line = line_of([](JsonLine& out) {
    out.add_time("time", 1'795'467'425'123'999'999);
    out.add("path", "/a");
    out.add("empty", "");
    out.add("status", uint64_t{200});
    out.add("most", UINT64_MAX);
    out.add_milliseconds("duration_ms", 1'234'567);
  });
  EXPECT_EQ(line,
            "{\"time\":\"2026-11-23T20:57:05.123Z\",\"path\":\"/a\",\"empty\":\"\",\"status\":200,"
            "\"most\":18446744073709551615,\"duration_ms\":1.234}\n");
  EXPECT_TRUE(is_json_line(line));
}

TEST(JsonLine, Milliseconds) {
  const auto text = [](int64_t ns) {
    return line_of([&](JsonLine& out) { out.add_milliseconds("d", ns); });
  };
  EXPECT_EQ(text(0), "{\"d\":0.000}\n");
  EXPECT_EQ(text(7'000), "{\"d\":0.007}\n");
  EXPECT_EQ(text(60'000'000'000), "{\"d\":60000.000}\n");
  EXPECT_EQ(text(-5'000'000), "{\"d\":0.000}\n");
  EXPECT_EQ(text(INT64_MAX), "{\"d\":9223372036854.775}\n");
}

TEST(JsonLine, Times) {
  const auto text = [](int64_t ns) {
    return line_of([&](JsonLine& out) { out.add_time("t", ns); });
  };
  EXPECT_EQ(text(0), "{\"t\":\"1970-01-01T00:00:00.000Z\"}\n");
  EXPECT_EQ(text(999'000'000), "{\"t\":\"1970-01-01T00:00:00.999Z\"}\n");  // the same second
  EXPECT_EQ(text(1'709'164'799'999'000'000), "{\"t\":\"2024-02-28T23:59:59.999Z\"}\n");
  EXPECT_EQ(text(1'709'164'800'000'000'000), "{\"t\":\"2024-02-29T00:00:00.000Z\"}\n");
  EXPECT_EQ(text(-1), "{\"t\":\"1969-12-31T23:59:59.999Z\"}\n");
}

TEST(JsonLine, Escapes) {
  EXPECT_EQ(string_of("say \"hi\" \\ there"), "say \\\"hi\\\" \\\\ there");
  EXPECT_EQ(string_of("a\r\nb\tc"), "a\\u000d\\u000ab\\u0009c");
  EXPECT_EQ(string_of(std::string_view("\0\x1f\x7f", 3)), "\\u0000\\u001f\\u007f");
}

/// Eight bytes are looked at in one step: each byte at each place of texts of each length.
TEST(JsonLine, FindsWhatToEscapeAtEveryPlace) {
  const auto expected_of = [](unsigned byte) {
    if (byte == '"' || byte == '\\') {
      return std::string("\\") + static_cast<char>(byte);
    }
    if (byte < 0x20 || byte == 0x7f) {
      constexpr char kHex[] = "0123456789abcdef";
      return std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 0x0f];
    }
    return byte < 0x80 ? std::string(1, static_cast<char>(byte)) : std::string("\\ufffd");
  };
  for (size_t size = 1; size <= 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string text(size, '!');  // next to the quote, and to what a borrow may take for one
        text[at] = static_cast<char>(byte);
        std::string expected = text;
        expected.replace(at, 1, expected_of(byte));
        ASSERT_EQ(string_of(text), expected) << size << " " << at << " " << byte;
      }
    }
  }
}

TEST(JsonLine, KeepsUtf8) {
  const std::string_view text = "\xc3\xa9 \xe5\x87\xbd\xe8\xb0\xb7 \xf0\x9f\x9a\x80";
  EXPECT_EQ(string_of(text), text);
}

TEST(JsonLine, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(string_of("a\xff"
                      "b"),
            "a\\ufffdb");
  EXPECT_EQ(string_of("\x80"), "\\ufffd");                                   // only a continuation
  EXPECT_EQ(string_of("\xc0\xaf"), "\\ufffd\\ufffd");                        // overlong
  EXPECT_EQ(string_of("\xe0\x80\xaf"), "\\ufffd\\ufffd\\ufffd");             // overlong
  EXPECT_EQ(string_of("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd");             // a surrogate
  EXPECT_EQ(string_of("\xf4\x90\x80\x80"), "\\ufffd\\ufffd\\ufffd\\ufffd");  // beyond U+10FFFF
  EXPECT_EQ(string_of("x\xe5\x87"), "x\\ufffd\\ufffd");                      // cut off at the end
  EXPECT_EQ(string_of("\xc3\""), "\\ufffd\\\"");
}

TEST(JsonLine, CutsLongValuesBetweenCharacters) {
  EXPECT_EQ(string_of("abcdef", 4), "abcd");
  EXPECT_EQ(string_of("abc\"", 4), "abc");            // the escape takes two
  EXPECT_EQ(string_of("abc\xe5\x87\xbd", 5), "abc");  // the character takes three
  EXPECT_EQ(string_of("abc\xe5\x87\xbd", 6), "abc\xe5\x87\xbd");
  EXPECT_EQ(string_of("\x01\x01", 11), "\\u0001");
  EXPECT_EQ(string_of("abc", 0), "");
}

TEST(JsonLine, LeavesOutWhatDoesNotFit) {
  const std::string line = line_of(
      [](JsonLine& out) {
        out.add("a", std::string(40, 'x'));
        out.add("number", uint64_t{1});  // 20 digits might not fit
        out.add_time("time", 0);
        out.add_milliseconds("ms", 0);
        out.add("b", "cut here");
      },
      64);
  EXPECT_EQ(line, "{\"a\":\"" + std::string(40, 'x') + "\",\"b\":\"cut here\"}\n");
}

/// Every kind of member in every size of buffer: never more than fits, always JSON.
TEST(JsonLine, IsJsonInEveryBuffer) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>((i * 37 + 5) & 0xff);
  }
  bytes += "\xe5\x87\xbd\"\\\xf0\x9f\x9a\x80";
  for (size_t size = 64; size < 700; ++size) {
    const std::string line = line_of(
        [&](JsonLine& out) {
          out.add_time("t", 1);
          out.add("v", std::string_view(bytes).substr(size % 250), size);
          out.add("n", UINT64_MAX);
          out.add_milliseconds("m", INT64_MAX);
          out.add("w", std::string_view(bytes).substr(200));
          out.add("z", uint64_t{7});
        },
        size);
    ASSERT_TRUE(is_json_line(line)) << size << ": " << line;
  }
}

TEST(JsonLine, TheReaderOfThisTestRefusesWhatIsNoJson) {
  for (const char* bad : {"", "{}", "{\"a\":1,}\n", "{\"a\":\"\n\"}\n", "{\"a\":\"\\x\"}\n",
                          "{\"a\":}\n", "{\"a\":1}\n\n", "{\"a\":\"\xe5\"}\n"}) {
    EXPECT_FALSE(is_json_line(bad)) << bad;
  }
}

}  // namespace
}  // namespace hangu::audit
