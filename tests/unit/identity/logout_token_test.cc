#include "hangu/identity/logout_token.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/identity/signer.h"

namespace hangu::identity {
namespace {

constexpr int64_t kNow = 1'800'000'000;

class LogoutTokenTest : public testing::Test {
 protected:
  LogoutTokenTest()
      : key_(make_ec("P-256")),
        keys_(*JwkSet::parse(fmt::format(R"({{"keys":[{}]}})", ec_jwk(key_, "k1", "P-256", 32)))) {
    rules_.issuer = "https://id";
    rules_.audiences = {"gateway"};
  }

  LogoutToken verified(const std::string& claims, std::string_view head = R"("alg":"ES256")") {
    return verify_logout_token(
        es256_token(key_, fmt::format(R"({{{},"kid":"k1"}})", head), "{" + claims + "}"), rules_,
        keys_, kNow);
  }

  /// All that one needs, but for what is taken out of it.
  static std::string claims(std::string_view without = "", const std::string& more = "") {
    std::string out = more;
    for (const auto& [name, value] :
         {std::pair("iss", std::string("\"https://id\"")),
          {"aud", "\"gateway\""},
          {"sub", "\"ann\""},
          {"sid", "\"s1\""},
          {"jti", "\"t1\""},
          {"iat", std::to_string(kNow)},
          {"exp", std::to_string(kNow + 120)},
          {"events", R"({"http://schemas.openid.net/event/backchannel-logout":{}})"}}) {
      if (name != without) {
        out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", name, value);
      }
    }
    return out;
  }

  TestKey key_;
  JwkSet keys_;
  JwtRules rules_;
};

TEST_F(LogoutTokenTest, SaysWhoseSessionsEnd) {
  const LogoutToken token = verified(claims(), R"("alg":"ES256","typ":"logout+jwt")");
  ASSERT_TRUE(token.good()) << token.reason();
  EXPECT_EQ(token.subject, "ann");
  EXPECT_EQ(token.session, "s1");
  EXPECT_EQ(token.number, "t1");
  EXPECT_EQ(token.expires_s, kNow + 120 + rules_.clock_skew_s);
  EXPECT_TRUE(verified(claims("sid")).good());
  EXPECT_TRUE(verified(claims("sub")).good());
}

TEST_F(LogoutTokenTest, HasAllThatTheStandardAsksFor) {
  for (const std::string_view name : {"iss", "aud", "jti", "iat", "exp", "events"}) {
    EXPECT_FALSE(verified(claims(name)).good()) << name;
  }
  EXPECT_EQ(verified(claims("jti")).reason(), "jti");
  EXPECT_EQ(verified(claims("iat")).reason(), "times");
  EXPECT_EQ(verified(claims("exp")).reason(), "times");
  EXPECT_EQ(verified(claims("events")).reason(), "event");
  EXPECT_EQ(verified(claims("", R"("nonce":"n")")).reason(), "nonce");
  EXPECT_EQ(verified(claims("iat", fmt::format("\"iat\":{}", kNow + 600))).reason(), "times");
  EXPECT_EQ(verified(claims("exp", fmt::format("\"exp\":{}", kNow - 61))).reason(), "expired");
  EXPECT_EQ(verified(claims("iss", R"("iss":"https://evil")")).reason(), "issuer");
  EXPECT_EQ(verified(claims("aud", R"("aud":["other"])")).reason(), "audience");
}

TEST_F(LogoutTokenTest, IsAboutTheEndOfSessionsOfSomebody) {
  for (const std::string_view events :
       {R"({"http://schemas.openid.net/event/other":{}})", "{}", "[]",
        R"("http://schemas.openid.net/event/backchannel-logout")",
        R"({"http://schemas.openid.net/event/backchannel-logout":true})"}) {
    EXPECT_EQ(verified(claims("events", fmt::format("\"events\":{}", events))).reason(), "event")
        << events;
  }
  std::string nobody = claims("sub");
  nobody.replace(nobody.find("\"sid\""), 5, "\"sit\"");
  EXPECT_EQ(verified(nobody).reason(), "subject");
}

TEST_F(LogoutTokenTest, IsSignedByTheProviderWithAnAlgorithmThatIsAllowed) {
  const TestKey other = make_ec("P-256");
  const std::string text =
      es256_token(other, R"({"alg":"ES256","kid":"k1"})", "{" + claims() + "}");
  const LogoutToken forged = verify_logout_token(text, rules_, keys_, kNow);
  EXPECT_EQ(forged.reason(), "signature");
  EXPECT_TRUE(forged.wants_keys());
  rules_.algorithms = {JwtAlgorithm::kRs256};
  EXPECT_EQ(verified(claims()).reason(), "algorithm");
  EXPECT_FALSE(verified(claims()).wants_keys());
  EXPECT_FALSE(verify_logout_token("", rules_, keys_, kNow).good());
}

}  // namespace
}  // namespace hangu::identity
