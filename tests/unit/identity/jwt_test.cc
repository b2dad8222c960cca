#include "hangu/identity/jwt.h"

#include <gtest/gtest.h>

#include "tests/unit/identity/signer.h"

namespace hangu::identity {
namespace {

constexpr int64_t kNow = 1'800'000'000;
constexpr std::string_view kPayload =
    R"({"iss":"https://id","aud":["other","api"],"sub":"app","exp":1800000100,"scope":"read"})";

JwtRules rules() {
  JwtRules made;
  made.issuer = "https://id";
  made.audiences = {"api"};
  made.algorithms = {JwtAlgorithm::kRs256, JwtAlgorithm::kPs256, JwtAlgorithm::kEs256,
                     JwtAlgorithm::kEs384, JwtAlgorithm::kEs512, JwtAlgorithm::kEdDsa};
  return made;
}

JwkSet set_of(const std::string& key) {
  auto set = JwkSet::parse("{\"keys\":[" + key + "]}");
  EXPECT_TRUE(set) << (set ? "" : set.error());
  return set ? std::move(*set) : JwkSet();
}

struct Es256 {
  TestKey key = make_ec("P-256");
  JwkSet keys = set_of(ec_jwk(key, "k1", "P-256", 32));

  JwtFault fault(std::string_view payload,
                 std::string_view header = R"({"alg":"ES256","kid":"k1"})",
                 const JwtRules& by = rules()) const {
    return verify_jwt(es256_token(key, header, payload), by, keys, kNow).fault;
  }
};

TEST(JwtTest, TakesSignaturesOfEveryKind) {
  const TestKey rsa = make_rsa();
  const JwkSet rsa_keys = set_of(rsa_jwk(rsa, "r"));
  const std::string rs = signing_text(R"({"alg":"RS256","kid":"r"})", kPayload);
  const std::string ps = signing_text(R"({"alg":"PS256","kid":"r"})", kPayload);
  EXPECT_EQ(verify_jwt(rs + "." + encode_base64url(sign_raw(rsa, EVP_sha256(), false, rs)), rules(),
                       rsa_keys, kNow)
                .fault,
            JwtFault::kNone);
  EXPECT_EQ(verify_jwt(ps + "." + encode_base64url(sign_raw(rsa, EVP_sha256(), true, ps)), rules(),
                       rsa_keys, kNow)
                .fault,
            JwtFault::kNone);
  EXPECT_EQ(Es256().fault(kPayload), JwtFault::kNone);
  const TestKey p384 = make_ec("P-384");
  const std::string es384 = signing_text(R"({"alg":"ES384"})", kPayload);
  EXPECT_EQ(
      verify_jwt(
          es384 + "." + encode_base64url(pair_of(sign_raw(p384, EVP_sha384(), false, es384), 48)),
          rules(), set_of(ec_jwk(p384, "", "P-384", 48)), kNow)
          .fault,
      JwtFault::kNone);
  const TestKey p521 = make_ec("P-521");
  const std::string es512 = signing_text(R"({"alg":"ES512"})", kPayload);
  EXPECT_EQ(
      verify_jwt(
          es512 + "." + encode_base64url(pair_of(sign_raw(p521, EVP_sha512(), false, es512), 66)),
          rules(), set_of(ec_jwk(p521, "", "P-521", 66)), kNow)
          .fault,
      JwtFault::kNone);
  const TestKey ed = make_ed25519();
  const std::string eddsa = signing_text(R"({"alg":"EdDSA","kid":"e"})", kPayload);
  EXPECT_EQ(verify_jwt(eddsa + "." + encode_base64url(sign_raw(ed, nullptr, false, eddsa)), rules(),
                       set_of(ed25519_jwk(ed, "e")), kNow)
                .fault,
            JwtFault::kNone);
}

TEST(JwtTest, TakesSecretsOnlyAsConfigured) {
  const std::string secret(32, 's');
  JwtRules by = rules();
  by.algorithms = {JwtAlgorithm::kHs256, JwtAlgorithm::kHs512};
  const JwkSet keys = JwkSet::of_secret(secret);
  const auto fault = [&](const std::string& token) {
    return verify_jwt(token, by, keys, kNow).fault;
  };
  EXPECT_EQ(fault(hmac_token(secret, EVP_sha256(), R"({"alg":"HS256"})", kPayload)),
            JwtFault::kNone);
  EXPECT_EQ(fault(hmac_token(secret, EVP_sha512(), R"({"alg":"HS512"})", kPayload)),
            JwtFault::kNone);
  EXPECT_EQ(fault(hmac_token("other", EVP_sha256(), R"({"alg":"HS256"})", kPayload)),
            JwtFault::kSignature);
  EXPECT_EQ(fault(hmac_token(secret, EVP_sha384(), R"({"alg":"HS384"})", kPayload)),
            JwtFault::kAlgorithm);
}

TEST(JwtTest, NeverLetsTheTokenChooseHowItIsVerified) {
  const Es256 issuer;
  const std::string unsigned_text = signing_text(R"({"alg":"none"})", kPayload);
  EXPECT_EQ(verify_jwt(unsigned_text + ".", rules(), issuer.keys, kNow).fault,
            JwtFault::kAlgorithm);
  // The public key as a shared secret: the old attack.
  JwtRules both = rules();
  both.algorithms.push_back(JwtAlgorithm::kHs256);
  const std::string forged = hmac_token(ec_jwk(issuer.key, "k1", "P-256", 32), EVP_sha256(),
                                        R"({"alg":"HS256","kid":"k1"})", kPayload);
  EXPECT_EQ(verify_jwt(forged, both, issuer.keys, kNow).fault, JwtFault::kUnknownKey);
  EXPECT_EQ(issuer.fault(kPayload, R"({"alg":"RS256","kid":"k1"})"), JwtFault::kUnknownKey);
  EXPECT_EQ(issuer.fault(kPayload, R"({"alg":"ES256","kid":"k1","crit":["exp"]})"),
            JwtFault::kCritical);
  EXPECT_EQ(issuer.fault(kPayload, R"({"alg":"ES256","alg":"none"})"), JwtFault::kMalformed);
}

TEST(JwtTest, FindsTheKeyByItsName) {
  const Es256 issuer;
  EXPECT_EQ(issuer.fault(kPayload, R"({"alg":"ES256","kid":"k2"})"), JwtFault::kUnknownKey);
  EXPECT_EQ(issuer.fault(kPayload, R"({"alg":"ES256"})"), JwtFault::kNone);
  const Es256 other;
  const std::string token = es256_token(other.key, R"({"alg":"ES256","kid":"k1"})", kPayload);
  EXPECT_EQ(verify_jwt(token, rules(), issuer.keys, kNow).fault, JwtFault::kSignature);
}

TEST(JwtTest, RefusesEveryChangedByte) {
  const Es256 issuer;
  const std::string token = es256_token(issuer.key, R"({"alg":"ES256","kid":"k1"})", kPayload);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(verify_jwt(changed, rules(), issuer.keys, kNow).fault, JwtFault::kNone) << i;
  }
  EXPECT_EQ(verify_jwt(token + ".", rules(), issuer.keys, kNow).fault, JwtFault::kMalformed);
  EXPECT_EQ(verify_jwt(token + std::string(kJwtBytesMax, 'A'), rules(), issuer.keys, kNow).fault,
            JwtFault::kMalformed);
}

TEST(JwtTest, HoldsTheClaimsToTheRules) {
  const Es256 issuer;
  EXPECT_EQ(issuer.fault(R"({"iss":"x","aud":"api"})"), JwtFault::kIssuer);
  EXPECT_EQ(issuer.fault(R"({"aud":"api"})"), JwtFault::kIssuer);
  EXPECT_EQ(issuer.fault(R"({"iss":"https://id","aud":"x"})"), JwtFault::kAudience);
  EXPECT_EQ(issuer.fault(R"({"iss":"https://id"})"), JwtFault::kAudience);
  EXPECT_EQ(issuer.fault(R"({"iss":"https://id","aud":"api"})"), JwtFault::kNone);
  EXPECT_EQ(issuer.fault(R"({"iss":"https://id","aud":"api","exp":"1800000100"})"),
            JwtFault::kMalformed);
  JwtRules scoped = rules();
  scoped.required_scopes = {"read", "write"};
  EXPECT_EQ(issuer.fault(kPayload, R"({"alg":"ES256"})", scoped), JwtFault::kScope);
  scoped.required_scopes = {"read"};
  EXPECT_EQ(issuer.fault(kPayload, R"({"alg":"ES256"})", scoped), JwtFault::kNone);
  JwtRules typed = rules();
  typed.type = "at+jwt";
  EXPECT_EQ(issuer.fault(kPayload, R"({"alg":"ES256"})", typed), JwtFault::kType);
  EXPECT_EQ(issuer.fault(kPayload, R"({"alg":"ES256","typ":"application/AT+JWT"})", typed),
            JwtFault::kNone);
}

TEST(JwtTest, AllowsForClocksThatDiffer) {
  const Es256 issuer;
  const auto fault = [&](int64_t expires, int64_t not_before) {
    return issuer.fault(fmt::format(R"({{"iss":"https://id","aud":"api","exp":{},"nbf":{}}})",
                                    expires, not_before));
  };
  EXPECT_EQ(fault(kNow - 59, kNow), JwtFault::kNone);
  EXPECT_EQ(fault(kNow - 60, kNow), JwtFault::kExpired);
  EXPECT_EQ(fault(kNow + 100, kNow + 60), JwtFault::kNone);
  EXPECT_EQ(fault(kNow + 100, kNow + 61), JwtFault::kNotYetValid);
}

TEST(JwkSetTest, LeavesOutKeysThatAreOfNoUse) {
  const TestKey weak = make_rsa(1024);
  const TestKey good = make_ec("P-256");
  std::vector<std::string> notes;
  const auto set = JwkSet::parse("{\"keys\":[" + rsa_jwk(weak, "weak") +
                                     R"(,{"kty":"oct","kid":"s","k":"c2VjcmV0"},)" +
                                     rsa_jwk(make_rsa(), "enc", R"(,"use":"enc")") + "," +
                                     ec_jwk(good, "good", "P-256", 32) + "]}",
                                 &notes);
  ASSERT_TRUE(set);
  EXPECT_EQ(set->keys().size(), 1U);
  EXPECT_TRUE(set->knows("good"));
  EXPECT_EQ(notes.size(), 3U);
}

TEST(JwkSetTest, RefusesWhatIsNoKeySet) {
  for (const char* text : {"", "{}", "[]", R"({"keys":1})", R"({"keys":[]})", "<html>"}) {
    EXPECT_FALSE(JwkSet::parse(text)) << text;
  }
  EXPECT_FALSE(JwkSet::parse(std::string(JwkSet::kBytesMax + 1, ' ')));
}

}  // namespace
}  // namespace hangu::identity
