// What is said to an OpenID Connect provider, and what of its answers is believed.
#include "hangu/identity/oidc.h"

#include <string>

#include <gtest/gtest.h>

#include "hangu/identity/form.h"
#include "hangu/identity/issuer.h"

#include "tests/unit/identity/signer.h"

namespace hangu::identity {
namespace {

constexpr int64_t kNow = 1'800'000'000;

OidcClient client() {
  return {.id = "gate way", .secret = "s&t", .in_form = false, .scopes = "openid email"};
}

OidcLogin login() {
  return {.created_s = kNow,
          .state = "st",
          .nonce = "no",
          .verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",  // RFC 7636, appendix B
          .redirect_uri = "https://www.example.org/cb",
          .return_to = "/"};
}

TEST(FormTest, EncodesWhatADecoderReads) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  EXPECT_EQ(decode_form(encode_form(all)), all);
  EXPECT_EQ(encode_form("a b&c=d+e~"), "a%20b%26c%3Dd%2Be~");
  EXPECT_EQ(decode_form("a+b%2fc%2F"), "a b/c/");
  for (const std::string_view bad : {"%", "%1", "a%", "%zz", "%1g"}) {
    EXPECT_FALSE(decode_form(bad)) << bad;
  }
}

TEST(LoginTest, IsRandomEachTime) {
  const auto first = begin_login("https://a/cb", "/x", kNow);
  const auto second = begin_login("https://a/cb", "/x", kNow);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->state, second->state);
  EXPECT_NE(first->nonce, second->nonce);
  EXPECT_NE(first->verifier, second->verifier);
  EXPECT_EQ(first->verifier.size(), 43U);  // RFC 7636 §4.1: 43 at least
  EXPECT_EQ(first->return_to, "/x");
}

TEST(LoginTest, LeadsNobodyElsewhere) {
  for (const std::string_view target : {"//evil.example", "/\\evil.example", "https://evil", ""}) {
    EXPECT_EQ(begin_login("https://a/cb", target, kNow)->return_to, "/") << target;
  }
}

TEST(LoginTest, TheAddressSaysAll) {
  EXPECT_EQ(authorization_address("https://id/authorize", client(), login()),
            "https://id/authorize?response_type=code&client_id=gate%20way"
            "&redirect_uri=https%3A%2F%2Fwww.example.org%2Fcb&scope=openid%20email&state=st"
            "&nonce=no&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
            "&code_challenge_method=S256");
  EXPECT_TRUE(authorization_address("https://id/a?tenant=1", client(), login())
                  .starts_with("https://id/a?tenant=1&response_type=code&"));
}

TEST(LogoutTest, TheAddressSaysWhatIsKnown) {
  EXPECT_EQ(end_session_address("https://id/out", client(), "", ""),
            "https://id/out?client_id=gate%20way");
  EXPECT_EQ(end_session_address("https://id/out?a", client(), "x.y.z", "https://b/bye"),
            "https://id/out?a&client_id=gate%20way&id_token_hint=x.y.z"
            "&post_logout_redirect_uri=https%3A%2F%2Fb%2Fbye");
}

TEST(TokenQuestionTest, HasTheSecretWhereItBelongs) {
  OidcClient who = client();
  EXPECT_EQ(code_form(who, "c%2Fd", login()),
            "grant_type=authorization_code&code=c%2Fd"
            "&redirect_uri=https%3A%2F%2Fwww.example.org%2Fcb"
            "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  EXPECT_EQ(who.authorization(), "Basic Z2F0ZSUyMHdheTpzJTI2dA==");  // gate%20way:s%26t
  EXPECT_EQ(refresh_form(who, "r/1"), "grant_type=refresh_token&refresh_token=r%2F1");
  who.in_form = true;
  EXPECT_EQ(refresh_form(who, "r"),
            "grant_type=refresh_token&refresh_token=r&client_id=gate%20way&client_secret=s%26t");
  EXPECT_EQ(who.authorization(), "");
  who.secret.clear();
  EXPECT_EQ(refresh_form(who, "r"),
            "grant_type=refresh_token&refresh_token=r&client_id=gate%20way");
  EXPECT_EQ(who.authorization(), "");
}

TEST(TokenAnswerTest, IsTokensOrAnError) {
  const auto good = read_token_response(
      R"({"access_token":"a","token_type":"Bearer","expires_in":300,"id_token":"i","scope":"s"})",
      false);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->access_token, "a");
  EXPECT_EQ(good->id_token, "i");
  EXPECT_EQ(good->scope, "s");
  EXPECT_EQ(good->expires_in, 300);
  EXPECT_EQ(read_token_response(R"({"access_token":"a","expires_in":"60"})", false)->expires_in,
            60);
  for (const std::string_view odd : {"-1", "1e99", "\"soon\"", "null", "[5]", "99999999999999"}) {
    const auto read = read_token_response(
        "{\"access_token\":\"a\",\"expires_in\":" + std::string(odd) + "}", false);
    EXPECT_TRUE(!read || read->expires_in == 0 || odd == "[5]") << odd;
  }
  EXPECT_EQ(read_token_response(R"({"error":"invalid_grant"})", true)->error, "invalid_grant");
  for (const std::string_view bad : {"", "{}", "[]", "<html>", R"({"access_token":1})"}) {
    EXPECT_FALSE(read_token_response(bad, false)) << bad;
  }
  EXPECT_FALSE(read_token_response(R"({"access_token":"a"})", true));
  for (const std::string_view odd : {R"(a\r\nHost: b)", R"(a b)", R"(a\u0000)", "\xc3\xa9"}) {
    const std::string text = R"({"access_token":")" + std::string(odd) + "\"}";
    EXPECT_FALSE(read_token_response(text, false)) << odd;  // it would go into a field
  }
}

struct IdTokens {
  TestKey key = make_ec("P-256");
  JwkSet keys;
  JwtRules rules{.issuer = "https://id", .audiences = {"gate"}};

  IdTokens() {
    auto set = JwkSet::parse("{\"keys\":[" + ec_jwk(key, "k", "P-256", 32) + "]}");
    EXPECT_TRUE(set);
    keys = std::move(*set);
  }

  IdTokenResult verify(std::string_view more, const IdTokenWants& wants) const {
    const std::string payload = R"({"iss":"https://id")" + std::string(more) + "}";
    return verify_id_token(es256_token(key, R"({"alg":"ES256","kid":"k"})", payload), rules, keys,
                           wants, kNow);
  }

  std::string_view reason(std::string_view more,
                          const IdTokenWants& wants = {.client_id = "gate", .nonce = "n"}) const {
    return verify(more, wants).reason();
  }
};

TEST(IdTokenTest, IsForThisClientAndThisLogin) {
  const IdTokens id;
  EXPECT_EQ(id.reason(R"(,"aud":"gate","sub":"ann","nonce":"n","exp":1800000100)"), "none");
  EXPECT_EQ(id.reason(R"(,"aud":"gate","sub":"ann","nonce":"m","exp":1800000100)"), "nonce");
  EXPECT_EQ(id.reason(R"(,"aud":"gate","sub":"ann","exp":1800000100)"), "nonce");
  EXPECT_EQ(id.reason(R"(,"aud":"else","sub":"ann","nonce":"n","exp":1800000100)"), "audience");
  EXPECT_EQ(id.reason(R"(,"aud":"gate","nonce":"n","exp":1800000100)"), "subject");
  EXPECT_EQ(id.reason(R"(,"aud":"gate","sub":"ann","nonce":"n")"), "malformed");
  EXPECT_EQ(id.reason(R"(,"aud":"gate","sub":"ann","nonce":"n","exp":1799990000)"), "expired");
}

TEST(IdTokenTest, OfSeveralAudiencesOneIsAuthorised) {
  const IdTokens id;
  constexpr std::string_view kRest = R"(,"sub":"ann","nonce":"n","exp":1800000100)";
  const auto with = [&](std::string_view more) { return std::string(more) + std::string(kRest); };
  EXPECT_EQ(id.reason(with(R"(,"aud":["gate","api"])")), "audience");
  EXPECT_EQ(id.reason(with(R"(,"aud":["gate","api"],"azp":"gate")")), "none");
  EXPECT_EQ(id.reason(with(R"(,"aud":["gate","api"],"azp":"api")")), "audience");
  EXPECT_EQ(id.reason(with(R"(,"aud":"gate","azp":"api")")), "audience");
  EXPECT_EQ(id.reason(with(R"(,"aud":["gate"])")), "none");
}

TEST(IdTokenTest, ARefreshedOneIsOfTheSamePerson) {
  const IdTokens id;
  constexpr std::string_view kAnn = R"(,"aud":"gate","sub":"ann","exp":1800000100)";
  EXPECT_EQ(id.reason(kAnn, {.client_id = "gate", .subject = "ann"}), "none");
  EXPECT_EQ(id.reason(kAnn, {.client_id = "gate", .subject = "bob"}), "subject");
}

TEST(IdTokenTest, AnotherKeyMayDo) {
  const IdTokens id;
  const IdTokens other;
  const std::string token = es256_token(other.key, R"({"alg":"ES256","kid":"new"})",
                                        R"({"iss":"https://id","aud":"gate","sub":"a"})");
  const auto result = verify_id_token(token, id.rules, id.keys, {.client_id = "gate"}, kNow);
  EXPECT_EQ(result.reason(), "unknown_key");
  EXPECT_TRUE(result.wants_keys());
  EXPECT_FALSE(id.verify(R"(,"aud":"else")", {.client_id = "gate"}).wants_keys());
}

TEST(IdTokenTest, ItsClaimsAreReadAgainWithoutItsKey) {
  const IdTokens id;
  const auto claims = claims_of_jwt(
      es256_token(id.key, R"({"alg":"ES256"})", R"({"sub":"ann","groups":["staff"]})"));
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->text("sub"), "ann");
  EXPECT_TRUE(claims->has("groups", "staff"));
  EXPECT_FALSE(claims_of_jwt("a.b"));
  EXPECT_FALSE(claims_of_jwt(""));
}

TEST(ProviderMetadataTest, AreOfTheIssuerThatIsMeant) {
  const auto good = parse_provider_metadata(
      R"({"issuer":"https://id","jwks_uri":"https://id/k","token_endpoint":"https://id/t",
          "authorization_endpoint":"https://id/a","grant_types_supported":["x"],"n":null})",
      "https://id");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->jwks_uri, "https://id/k");
  EXPECT_EQ(good->token_endpoint, "https://id/t");
  EXPECT_EQ(good->authorization_endpoint, "https://id/a");
  EXPECT_EQ(good->end_session_endpoint, "");
  const auto odd = parse_provider_metadata(
      R"({"issuer":"https://id","jwks_uri":"file:///etc/passwd",
          "authorization_endpoint":"https://id/a\r\nSet-Cookie: b","token_endpoint":7,
          "end_session_endpoint":"javascript:alert"})",
      "https://id");
  ASSERT_TRUE(odd);
  EXPECT_EQ(*odd, ProviderMetadata{});
  EXPECT_FALSE(parse_provider_metadata(R"({"issuer":"https://id/"})", "https://id"));
  EXPECT_FALSE(parse_provider_metadata("[]", "https://id"));
  EXPECT_FALSE(parse_provider_metadata("<html>", "https://id"));
}

}  // namespace
}  // namespace hangu::identity
