// The fields of signed requests: what is read, and what is refused.
#include "hangu/identity/signature_fields.h"

#include <gtest/gtest.h>

#include "hangu/base/base64.h"
#include "hangu/identity/body_digest.h"
#include "hangu/identity/signature_key.h"

namespace hangu::identity {
namespace {

TEST(SignatureInputTest, ReadsWhatASignatureSaysOfItself) {
  const auto inputs = parse_signature_inputs(
      R"(sig1=("@method" "x-a" "@query-param";name="Pet");created=1618884473;expires=1618884773;)"
      R"(keyid="k 1";alg="ed25519";nonce="n";tag="t", sig2=();created=1)");
  ASSERT_TRUE(inputs);
  ASSERT_EQ(inputs->count, 2U);
  const SignatureInput& first = inputs->list[0];
  EXPECT_EQ(first.label, "sig1");
  ASSERT_EQ(first.count, 3U);
  EXPECT_EQ(first.list[0].name, "@method");
  EXPECT_EQ(first.list[2].parameters, ";name=\"Pet\"");
  EXPECT_EQ(first.list[2].parameter, "Pet");
  EXPECT_EQ(first.created, 1618884473);
  EXPECT_EQ(first.expires, 1618884773);
  EXPECT_EQ(first.key_id, "k 1");
  EXPECT_EQ(first.algorithm, "ed25519");
  EXPECT_EQ(first.nonce, "n");
  EXPECT_EQ(first.tag, "t");
  EXPECT_TRUE(first.text.starts_with("(\"@method\"") && first.text.ends_with("tag=\"t\""));
  EXPECT_EQ(inputs->list[1].count, 0U);
  EXPECT_EQ(inputs->list[1].text, "();created=1");
}

TEST(SignatureInputTest, RefusesWhatCouldBeReadInTwoWays) {
  for (const char* const text : {"",
                                 "sig1",
                                 "sig1=",
                                 "sig1=(",
                                 "sig1=(\"a\"",
                                 "Sig1=()",
                                 "sig1=(a)",
                                 "sig1=(\"a\"\"b\")",
                                 "sig1=(\"a\"  \"b\")",
                                 "sig1=( \"a\")",
                                 "sig1=(\"a\" )",
                                 "sig1=(\"a\" \"a\")",
                                 "sig1=(\"A\")",
                                 "sig1=(\"\")",
                                 "sig1=(\"@nothing\")",
                                 "sig1=(\"@status\")",
                                 "sig1=(\"a\";bs)",
                                 "sig1=(\"a\";sf)",
                                 "sig1=(\"a\";req)",
                                 "sig1=(\"@query-param\")",
                                 "sig1=(\"@method\";name=\"x\")",
                                 "sig1=();created=-1",
                                 "sig1=();created=1.5",
                                 "sig1=();created=\"1\"",
                                 "sig1=();created=1;created=2",
                                 "sig1=(); created=1",
                                 "sig1=();created",
                                 "sig1=();keyid=k",
                                 "sig1=();keyid=\"\"",
                                 "sig1=();keyid=\"a\\\"b\"",
                                 "sig1=();unknown=1",
                                 "sig1=();created=1,",
                                 "sig1=(),sig1=()",
                                 "sig1=();created=1 x",
                                 "sig1=();created=9999999999999999",
                                 "a=(),b=(),c=(),d=(),e=()",
                                 "sig1=();keyid=\"\x7f\""}) {
    EXPECT_FALSE(parse_signature_inputs(text)) << text;
  }
  std::string many = "s=(";
  for (size_t i = 0; i <= SignatureInput::kComponentsMax; ++i) {
    many += (i == 0 ? "\"h" : " \"h") + std::to_string(i) + "\"";
  }
  EXPECT_FALSE(parse_signature_inputs(many + ")"));
  EXPECT_FALSE(parse_signature_inputs("s=();keyid=\"" + std::string(9000, 'k') + "\""));
}

TEST(SignatureFieldTest, FindsTheBytesOfALabel) {
  EXPECT_EQ(find_bytes("a=:YQ==:, b=:Yg==:", "b"), "Yg==");
  EXPECT_EQ(find_bytes("a=:YQ==:,\tb=::", "b"), "");
  for (const char* const text : {"", "a", "a=YQ==", "a=:YQ==", "a=:YQ==:;x",
                                 "a=:YQ==:, a=:Yg==:", "b=:YQ==:", "a=:YQ==: b=:Yg==:"}) {
    EXPECT_FALSE(find_bytes(text, "a")) << text;
  }
}

TEST(SignatureCredentialsTest, AreReadInAnyOrder) {
  const auto found = parse_signature_credentials(
      R"(signature="c2ln", keyId="app-1",headers="date host",algorithm="hmac-sha256",created=5)");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key_id, "app-1");
  EXPECT_EQ(found->algorithm, "hmac-sha256");
  EXPECT_EQ(found->headers, "date host");
  EXPECT_EQ(found->signature, "c2ln");
  EXPECT_EQ(found->created, 5);
  EXPECT_EQ(parse_signature_credentials(R"(username="u",signature="a")")->key_id, "u");
  for (const char* const text :
       {"", "keyId=\"a\"", "signature=\"a\"", "keyId=a,signature=\"a\"",
        "keyId=\"a\",signature=\"a\",", "keyId=\"a\",keyId=\"b\",signature=\"a\"",
        "keyId=\"a\",username=\"b\",signature=\"a\"", "keyId=\"a\",signature=\"a\",other=\"x\"",
        "keyId=\"a\" signature=\"a\"", "keyId=\"a\\\"\",signature=\"a\"",
        "keyId=\"a\",signature=\"a\",created=x", "keyid=\"a\",signature=\"a\""}) {
    EXPECT_FALSE(parse_signature_credentials(text)) << text;
  }
}

constexpr std::string_view kHello = R"({"hello": "world"})";
constexpr std::string_view kHelloSha256 = "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=";
constexpr std::string_view kHelloSha512 =
    "WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==";

bool is_of_hello(const std::optional<BodyDigest>& digest) {
  if (!digest) {
    return false;
  }
  BodyHasher whole(digest->kind);
  whole.add(kHello);
  BodyHasher pieces(digest->kind);
  for (const char& c : kHello) {
    pieces.add({&c, 1});
  }
  BodyHasher other(digest->kind);
  other.add(kHello.substr(1));
  EXPECT_FALSE(other.matches(*digest));
  return whole.matches(*digest) && pieces.matches(*digest);
}

TEST(BodyDigestTest, IsReadInAllItsForms) {
  const std::string sha256 = fmt::format("sha-256=:{}:", kHelloSha256);
  const std::string sha512 = fmt::format("sha-512=:{}:", kHelloSha512);
  EXPECT_TRUE(is_of_hello(parse_content_digest(sha256)));
  EXPECT_TRUE(is_of_hello(parse_content_digest(sha512)));
  EXPECT_EQ(parse_content_digest(sha256 + ", " + sha512)->kind, BodyDigestKind::kSha512);
  EXPECT_TRUE(is_of_hello(parse_legacy_digest(fmt::format("SHA-256={}", kHelloSha256))));
  EXPECT_TRUE(is_of_hello(parse_legacy_digest(
      fmt::format("md5=x, sha-512={},sha-256={}", kHelloSha512, kHelloSha256))));
  EXPECT_TRUE(is_of_hello(parse_bare_digest(BodyDigestKind::kSha256, kHelloSha256)));
  EXPECT_TRUE(is_of_hello(
      parse_bare_digest(BodyDigestKind::kSha256,
                        "5F8F04F6A3A892AAABBDDB6CF273894493773960D4A325B105FEE46EEF4304F1")));
}

TEST(BodyDigestTest, IsRefusedInOthers) {
  for (const char* const text : {"", "sha-256", "sha-256=:AAAA:", "md5=:AAAA:", "sha-256=AAAA"}) {
    EXPECT_FALSE(parse_content_digest(text)) << text;
  }
  EXPECT_FALSE(parse_legacy_digest("SHA-256"));
  EXPECT_FALSE(parse_legacy_digest("SHA-256=AAAA"));
  EXPECT_FALSE(parse_legacy_digest("md5=AAAA"));
  EXPECT_FALSE(parse_bare_digest(BodyDigestKind::kSha256, std::string(64, 'g')));
  EXPECT_FALSE(parse_bare_digest(BodyDigestKind::kSha256, "abc"));
}

TEST(SignatureKeyTest, VerifiesMacs) {
  const std::string secret = "0123456789abcdef0123456789abcdef";
  const SignatureKey sm3 = SignatureKey::of_secret(SignatureAlgorithm::kHmacSm3, secret);
  const SignatureKey sha512 = SignatureKey::of_secret(SignatureAlgorithm::kHmacSha512, secret);
  const auto mac = decode_base64("o2Yngp7Ud/pvfNI3c6Or3gjmyq/xz43Fw5vEqiKZVH0=");
  const auto mac512 = decode_base64(
      "5SMqkEasGKvEwD8Rhtz6Y1mGA7p491a2Ri/c0TbGUNUbfhH31XCtqXyVud0StEeeEt6Y2udAvU9JKm4QT1256A==");
  ASSERT_TRUE(mac && mac512);
  EXPECT_TRUE(sm3.verify("text", *mac));
  EXPECT_FALSE(sm3.verify("texu", *mac));
  EXPECT_TRUE(sha512.verify("text", *mac512));
  EXPECT_FALSE(sha512.verify("text", mac512->substr(0, 63)));
}

}  // namespace
}  // namespace hangu::identity
