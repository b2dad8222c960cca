#include "hangu/http/method.h"

#include <string_view>

#include <gtest/gtest.h>

namespace hangu::http {
namespace {

TEST(MethodTest, KnowsEachByItsExactName) {
  const struct {
    std::string_view text;
    Method method;
    bool safe;
    bool idempotent;
  } cases[] = {
      {"GET", Method::kGet, true, true},         {"HEAD", Method::kHead, true, true},
      {"POST", Method::kPost, false, false},     {"PUT", Method::kPut, false, true},
      {"DELETE", Method::kDelete, false, true},  {"CONNECT", Method::kConnect, false, false},
      {"OPTIONS", Method::kOptions, true, true}, {"TRACE", Method::kTrace, true, true},
      {"PATCH", Method::kPatch, false, false},   {"OTHER", Method::kOther, false, false},
  };

  for (const auto& [text, method, safe, idempotent] : cases) {
    EXPECT_EQ(method_from(text), method) << text;
    EXPECT_EQ(to_string(method), text);
    EXPECT_EQ(is_safe(method), safe) << text;
    EXPECT_EQ(is_idempotent(method), idempotent) << text;
  }
}

TEST(MethodTest, TakesEveryOtherTextForAnother) {
  for (const std::string_view text :
       {"", "get", "Get", "GE", "GETS", " GET", "PURGE", "MKCOL", "POSTS", "PUSH", "LOCK", "BREW",
        "DELETS", "OPTIONZ", "CONNECTS"}) {
    EXPECT_EQ(method_from(text), Method::kOther) << text;
  }
}

}  // namespace
}  // namespace hangu::http
