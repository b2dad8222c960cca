#include "hangu/http/header_name.h"

#include <cctype>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace hangu::http {
namespace {

using namespace std::string_view_literals;

constexpr int kCount = static_cast<int>(HeaderName::kCount);

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return upper;
}

TEST(HeaderNameTest, FindsEveryNameInAnyCase) {
  std::set<std::string_view> names;
  for (int i = 1; i < kCount; ++i) {
    const auto name = static_cast<HeaderName>(i);
    const std::string_view text = to_string(name);
    EXPECT_TRUE(names.insert(text).second) << text;
    EXPECT_EQ(header_name_from(text), name) << text;
    EXPECT_EQ(header_name_from(upper_case(text)), name) << text;
    std::string title(text);
    for (size_t at = 0; at < title.size(); at += 3) {
      title[at] = upper_case(title.substr(at, 1))[0];
    }
    EXPECT_EQ(header_name_from(title), name) << title;
  }
}

// Names that share their hash with a known one must not be taken for it: every byte counts.
TEST(HeaderNameTest, LooksAtEveryByte) {
  for (int i = 1; i < kCount; ++i) {
    const std::string known(to_string(static_cast<HeaderName>(i)));
    for (size_t at = 0; at < known.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string name = known;
        name[at] = static_cast<char>(byte);
        const bool same = upper_case(name) == upper_case(known);
        const HeaderName found = header_name_from(name);
        if (same) {
          EXPECT_EQ(found, static_cast<HeaderName>(i)) << name;
        } else if (found != HeaderName::kOther) {
          // "if-match" is one byte from no other name, but "te" is from "td".
          EXPECT_EQ(to_string(found).size(), name.size()) << name;
          EXPECT_EQ(upper_case(to_string(found)), upper_case(name)) << name;
        }
      }
    }
    EXPECT_EQ(header_name_from(known + "x"), HeaderName::kOther);
    EXPECT_NE(header_name_from(known.substr(1)), static_cast<HeaderName>(i));
  }
}

TEST(HeaderNameTest, KnowsNothingElse) {
  for (const std::string_view name : std::initializer_list<std::string_view>{
           "", "a", "h", "te ", " te", "ho\0t"sv, "content_length", "content-length ",
           "content\rlength", "x-forwarded-", "transfer-encodin", "transfer-encodings",
           "x-request-id2", "grpc-status", "a-name-that-is-longer-than-all-the-known-ones"}) {
    EXPECT_EQ(header_name_from(name), HeaderName::kOther) << name;
  }
  EXPECT_EQ(to_string(HeaderName::kOther), "");
}

TEST(HeaderNameTest, NamesTheImportantOnes) {
  const struct {
    std::string_view text;
    HeaderName name;
  } cases[] = {
      {"Host", HeaderName::kHost},
      {"Content-Length", HeaderName::kContentLength},
      {"Transfer-Encoding", HeaderName::kTransferEncoding},
      {"Connection", HeaderName::kConnection},
      {"TE", HeaderName::kTe},
      {"Proxy-Authorization", HeaderName::kProxyAuthorization},
      {"X-Forwarded-For", HeaderName::kXForwardedFor},
      {"X-Request-ID", HeaderName::kXRequestId},
      {"Via", HeaderName::kVia},
      {"WWW-Authenticate", HeaderName::kWwwAuthenticate},
      {"X-Forwarded-Prefix", HeaderName::kXForwardedPrefix},
  };

  for (const auto& [text, name] : cases) {
    EXPECT_EQ(header_name_from(text), name) << text;
  }
}

TEST(HeaderNameTest, PutsNamesIntoSets) {
  constexpr HeaderNameSet set = header_name_set(HeaderName::kHost, HeaderName::kXForwardedPrefix);
  static_assert((set & bit_of(HeaderName::kHost)) != 0);
  static_assert((set & bit_of(HeaderName::kXForwardedPrefix)) != 0);
  static_assert((set & bit_of(HeaderName::kVia)) == 0);
  static_assert(header_name_set() == 0);
}

}  // namespace
}  // namespace hangu::http
