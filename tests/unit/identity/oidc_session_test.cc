// What browsers keep: read as it was written or not at all, and over as many cookies as it needs.
#include "hangu/identity/oidc_session.h"

#include <string>

#include <gtest/gtest.h>

namespace hangu::identity {
namespace {

OidcSession session() {
  return {.created_s = 1'800'000'000,
          .used_s = 1'800'000'100,
          .expires_s = 0,
          .id_token = "a.b.c",
          .access_token = std::string("\0binary\xff", 8),
          .refresh_token = "",
          .scopes = "openid email"};
}

OidcLogin login() {
  return {.created_s = 1'800'000'000,
          .state = "state",
          .nonce = "nonce",
          .verifier = "verifier",
          .redirect_uri = "https://www.example.org/oauth2/callback",
          .return_to = "/a?b=c"};
}

TEST(OidcSessionTest, IsReadAsItWasWritten) {
  EXPECT_EQ(read_session(to_bytes(session())), session());
  EXPECT_EQ(read_session(to_bytes(OidcSession{})), OidcSession{});
  OidcSession with_sid = session();
  with_sid.sid = "s1";
  EXPECT_EQ(read_session(to_bytes(with_sid)), with_sid);
  EXPECT_EQ(read_login(to_bytes(login())), login());
}

TEST(OidcSessionTest, APieceOfOneIsNone) {
  const std::string whole = to_bytes(session());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_session(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(read_session(whole + 'x'));
  const std::string begun = to_bytes(login());
  for (size_t size = 0; size < begun.size(); ++size) {
    EXPECT_FALSE(read_login(begun.substr(0, size))) << size;
  }
}

TEST(OidcSessionTest, ALoginIsNoSession) {
  EXPECT_FALSE(read_session(to_bytes(login())));
  EXPECT_FALSE(read_login(to_bytes(session())));
}

TEST(OidcSessionTest, LengthsThatLieAreSeen) {
  const std::string whole = to_bytes(session());
  for (size_t at = 1; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = '\x7f';
    const auto read = read_session(changed);  // must end, whatever it says
    EXPECT_TRUE(!read || to_bytes(*read) == changed);
  }
}

TEST(LocalTargetTest, StaysOnTheHost) {
  for (const std::string_view good : {"/", "/a", "/a//b?c=//d", "/?x", "/a%2Fb"}) {
    EXPECT_TRUE(is_local_target(good)) << good;
  }
  for (const std::string_view bad :
       {"", "a", "//evil.example", "/\\evil.example", "https://evil.example/", "/a b", "/a\r\nb",
        "/\t/evil.example", "/\x80"}) {
    EXPECT_FALSE(is_local_target(bad)) << bad;
  }
}

std::string join(const std::vector<std::string>& cookies) {
  const auto first = read_first_cookie(cookies.at(0));
  EXPECT_TRUE(first);
  EXPECT_EQ(first->count, cookies.size());
  std::string all(first->piece);
  for (size_t i = 1; i < cookies.size(); ++i) {
    all += cookies[i];
  }
  return all;
}

TEST(SplitCookiesTest, AsFewAsNeeded) {
  for (const size_t size : {size_t{0}, size_t{1}, kCookieBytesMax - 1, kCookieBytesMax,
                            kCookieBytesMax + 1, kCookieBytesMax * kCookiesMax}) {
    const std::string text(size, 'x');
    const auto cookies = split_over_cookies(text);
    EXPECT_EQ(join(cookies), text);
    EXPECT_EQ(cookies.size(), std::max<size_t>((size + kCookieBytesMax - 1) / kCookieBytesMax, 1));
    for (const std::string& cookie : cookies) {
      EXPECT_LE(cookie.size(), kCookieBytesMax + 2);
    }
  }
  EXPECT_TRUE(split_over_cookies(std::string(kCookieBytesMax * kCookiesMax + 1, 'x')).empty());
}

TEST(SplitCookiesTest, TheFirstSaysHowMany) {
  EXPECT_EQ(read_first_cookie("4.abc")->count, 4U);
  EXPECT_EQ(read_first_cookie("1.")->piece, "");
  for (const std::string_view bad : {"", ".", "0.a", "5.a", "-1.a", "12.a", "a.b", "1", "1a"}) {
    EXPECT_FALSE(read_first_cookie(bad)) << bad;
  }
}

}  // namespace
}  // namespace hangu::identity
