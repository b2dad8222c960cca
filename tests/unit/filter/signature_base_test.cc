// What signatures are made over: the examples of RFC 9421, and that of others.
#include "hangu/filter/signature_base.h"

#include <gtest/gtest.h>

#include "hangu/base/base64.h"
#include "hangu/identity/signature_key.h"

#include "tests/unit/filter/rfc9421_vectors.h"
#include "tests/unit/http/memory.h"

namespace hangu::filter {
namespace {

using config::SignatureProfile;
using identity::SignatureAlgorithm;
using identity::SignatureKey;

class SignatureBaseTest : public testing::Test {
 protected:
  SignatureBaseTest() {
    request_.reset(memory_.arena());
    request_.method = http::Method::kPost;
    request_.method_text = "POST";
    set_target("/foo?param=Value&Pet=dog");
    request_.authority = "example.com";
    add("host", "example.com");
    add("date", "Tue, 20 Apr 2021 02:07:55 GMT");
    add("content-type", "application/json");
    add("content-digest", rfc9421::kContentDigest);
    add("content-length", "18");
  }

  void add(std::string_view name, std::string_view value) {
    ASSERT_TRUE(request_.headers.add(name, value));
  }

  void set_target(std::string_view target) {
    request_.target = target;
    const size_t mark = target.find('?');
    request_.path = target.substr(0, mark);
    request_.has_query = mark != std::string_view::npos;
    request_.query = request_.has_query ? target.substr(mark + 1) : std::string_view{};
  }

  /// What a signature with that input is made over; "": nothing.
  std::string base(std::string_view input, bool secure = false) {
    const auto inputs = identity::parse_signature_inputs(input);
    std::string text;
    return inputs && write_signature_base(message(secure), inputs->list[0], text) ? text : "";
  }

  /// The value of one component.
  std::string value(const std::string& component, bool secure = false) {
    const std::string text = base("s=(" + component + ")", secure);
    const std::string begin = component + ": ";
    return text.starts_with(begin) ? text.substr(begin.size(), text.find('\n') - begin.size())
                                   : "nothing";
  }

  std::string draft(std::string_view credentials, SignatureProfile profile) {
    const auto parsed = identity::parse_signature_credentials(credentials);
    std::string text;
    return parsed && write_signing_string(message(false), *parsed, profile, text) ? text
                                                                                  : "nothing";
  }

  SignedMessage message(bool secure) const { return {.request = request_, .secure = secure}; }

  http::test::Memory memory_;
  http::RequestHead request_;
};

bool verifies(const SignatureKey& key, std::string_view text, std::string_view base64) {
  const auto signature = decode_base64(base64);
  if (!signature || !key.verify(text, *signature)) {
    return false;
  }
  // What verifies has to fail when a bit of it is another one.
  std::string other(text);
  other.back() = static_cast<char>(other.back() ^ 1);
  std::string wrong = *signature;
  wrong[5] = static_cast<char>(wrong[5] ^ 4);
  EXPECT_FALSE(key.verify(other, *signature));
  EXPECT_FALSE(key.verify(text, wrong));
  EXPECT_FALSE(key.verify(text, signature->substr(1)));
  EXPECT_FALSE(key.verify(text, ""));
  return true;
}

SignatureKey public_key(SignatureAlgorithm algorithm, std::string_view pem) {
  auto key = SignatureKey::of_pem(algorithm, pem);
  EXPECT_TRUE(key) << (key ? "" : key.error());
  return std::move(*key);
}

TEST_F(SignatureBaseTest, VerifiesTheSignaturesOfTheRfc) {
  const SignatureKey pss = public_key(SignatureAlgorithm::kRsaPssSha512, rfc9421::kRsaPssKey);
  EXPECT_TRUE(verifies(pss, base(rfc9421::kB22Input), rfc9421::kB22Signature));
  EXPECT_TRUE(verifies(pss, base(rfc9421::kB23Input), rfc9421::kB23Signature));
  const SignatureKey ed25519 = public_key(SignatureAlgorithm::kEd25519, rfc9421::kEd25519Key);
  EXPECT_TRUE(verifies(ed25519, base(rfc9421::kB26Input), rfc9421::kB26Signature));
  const SignatureKey p256 = public_key(SignatureAlgorithm::kEcdsaP256Sha256, rfc9421::kP256Key);
  EXPECT_TRUE(verifies(p256, rfc9421::kB24Base, rfc9421::kB24Signature));
  const SignatureKey secret =
      SignatureKey::of_secret(SignatureAlgorithm::kHmacSha256, *decode_base64(rfc9421::kSecret));
  EXPECT_TRUE(verifies(secret, base(rfc9421::kB25Input), rfc9421::kB25Signature));
}

TEST_F(SignatureBaseTest, VerifiesTheSignatureOfAProxy) {
  request_.headers.remove("host");
  request_.authority = "origin.host.internal.example";
  add("forwarded", "for=192.0.2.123;host=example.com;proto=https");
  const SignatureKey key = public_key(SignatureAlgorithm::kRsaV15Sha256, rfc9421::kRsaKey);
  EXPECT_TRUE(verifies(key, base(rfc9421::kProxyInput), rfc9421::kProxySignature));
}

TEST_F(SignatureBaseTest, DerivesComponentsFromTheRequest) {
  EXPECT_EQ(value("\"@method\""), "POST");
  EXPECT_EQ(value("\"@path\""), "/foo");
  EXPECT_EQ(value("\"@query\""), "?param=Value&Pet=dog");
  EXPECT_EQ(value("\"@request-target\""), "/foo?param=Value&Pet=dog");
  EXPECT_EQ(value("\"@scheme\"", true), "https");
  EXPECT_EQ(value("\"@scheme\""), "http");
  EXPECT_EQ(value("\"@authority\""), "example.com");
  EXPECT_EQ(value("\"@target-uri\"", true), "https://example.com/foo?param=Value&Pet=dog");
  set_target("/a%2Fb/..%20");
  EXPECT_EQ(value("\"@path\""), "/a%2Fb/..%20");
  EXPECT_EQ(value("\"@query\""), "?");
  EXPECT_EQ(value("\"@target-uri\""), "http://example.com/a%2Fb/..%20");
  set_target("http://example.com?x");
  EXPECT_EQ(value("\"@path\""), "/");
  EXPECT_EQ(value("\"@request-target\""), "http://example.com?x");
}

TEST_F(SignatureBaseTest, LeavesOutThePortThatTheSchemeHasAnyway) {
  request_.authority = "example.com:443";
  EXPECT_EQ(value("\"@authority\"", true), "example.com");
  EXPECT_EQ(value("\"@authority\"", false), "example.com:443");
  request_.authority = "example.com:80";
  EXPECT_EQ(value("\"@authority\"", false), "example.com");
  request_.authority = "[::1]:8080";
  EXPECT_EQ(value("\"@authority\"", false), "[::1]:8080");
}

TEST_F(SignatureBaseTest, WritesParametersOfTheQueryInOneForm) {
  set_target(
      "/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&"
      "fa%C3%A7ade%22%3A%20=something&qux=&twice=1&twice=2&bad=%zz");
  const auto parameter = [&](const std::string& name) {
    return value("\"@query-param\";name=\"" + name + "\"");
  };
  EXPECT_EQ(parameter("var"), "this%20is%20a%20big%0Amultiline%20value");
  EXPECT_EQ(parameter("bar"), "with%20plus%20whitespace");
  EXPECT_EQ(parameter("fa%C3%A7ade%22%3A%20"), "something");
  EXPECT_EQ(parameter("qux"), "");
  EXPECT_EQ(parameter("twice"), "nothing");
  EXPECT_EQ(parameter("absent"), "nothing");
  EXPECT_EQ(parameter("bad"), "nothing");
}

TEST_F(SignatureBaseTest, JoinsFieldsOfOneName) {
  add("x-list", "a, b");
  add("x-other", "1");
  add("X-List", "  c ");
  add("x-empty", "");
  EXPECT_EQ(value("\"x-list\""), "a, b, c");
  EXPECT_EQ(value("\"x-empty\""), "");
  EXPECT_EQ(value("\"x-absent\""), "nothing");
}

TEST_F(SignatureBaseTest, TakesNoHostThatTheRequestIsNotFor) {
  EXPECT_EQ(value("\"host\""), "example.com");
  request_.authority = "other.example";
  EXPECT_EQ(value("\"host\""), "nothing");
}

TEST_F(SignatureBaseTest, WritesWhatTheOlderDraftSigns) {
  add("digest", "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=");
  EXPECT_EQ(draft(R"(keyId="k",algorithm="hmac-sha256",)"
                  R"-(headers="(request-target) host date digest",signature="AA==")-",
                  SignatureProfile::kHmac),
            "(request-target): post /foo?param=Value&Pet=dog\n"
            "host: example.com\n"
            "date: Tue, 20 Apr 2021 02:07:55 GMT\n"
            "digest: SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=");
  EXPECT_EQ(draft(R"-(keyId="k",headers="request-line (created)",signature="AA==",created=5)-",
                  SignatureProfile::kHmac),
            "POST /foo?param=Value&Pet=dog HTTP/1.1\n(created): 5");
  EXPECT_EQ(draft(R"(keyId="k",headers="@request-target date",signature="AA==")",
                  SignatureProfile::kApisix),
            "k\nPOST /foo?param=Value&Pet=dog\ndate: Tue, 20 Apr 2021 02:07:55 GMT\n");
  for (const char* const headers : {"", "x-absent", "date  host", "(created)"}) {
    EXPECT_EQ(draft(fmt::format(R"(keyId="k",headers="{}",signature="AA==")", headers),
                    SignatureProfile::kHmac),
              "nothing")
        << headers;
  }
}

TEST_F(SignatureBaseTest, FillsInATemplate) {
  const auto canonical = config::SigningTemplate::parse(
      "{method}\n{path}\n{query}\n{query.sorted}\n{host}\n{header.Content-Type}\n{header.x-none}|"
      "{key_id} {timestamp} {nonce} {body_digest}\n");
  ASSERT_TRUE(canonical);
  std::string text;
  ASSERT_TRUE(write_canonical(message(false), *canonical,
                              {.key_id = "k", .timestamp = "17", .nonce = "n", .body_digest = "d"},
                              text));
  EXPECT_EQ(text,
            "POST\n/foo\nparam=Value&Pet=dog\nPet=dog&param=Value\nexample.com\napplication/json\n|"
            "k 17 n d\n");
}

TEST(CoverageTest, FollowsFromWhatIsCovered) {
  const auto covered = [](std::vector<std::string_view> names, std::string_view wanted) {
    return covers(names, wanted);
  };
  EXPECT_TRUE(covered({"@target-uri"}, "@path"));
  EXPECT_TRUE(covered({"@target-uri"}, "@authority"));
  EXPECT_TRUE(covered({"@path", "@query"}, "@request-target"));
  EXPECT_TRUE(covered({"host"}, "@authority"));
  EXPECT_TRUE(covered({"(request-target)"}, "@method"));
  EXPECT_TRUE(covered({"x-a"}, "x-a"));
  EXPECT_FALSE(covered({"@target-uri"}, "@method"));
  EXPECT_FALSE(covered({"@path"}, "@query"));
  EXPECT_FALSE(covered({"@query-param"}, "@query"));
  EXPECT_FALSE(covered({"@request-target"}, "@authority"));
  EXPECT_FALSE(covered({"x-ab"}, "x-a"));
  EXPECT_FALSE(covered({}, "@method"));
}

TEST(SignatureKeyTest, TakesKeysOfTheRightKindOnly) {
  const auto takes = [](SignatureAlgorithm algorithm, std::string_view pem) {
    return SignatureKey::of_pem(algorithm, pem).has_value();
  };
  EXPECT_TRUE(takes(SignatureAlgorithm::kRsaV15Sha256, rfc9421::kRsaPssKey));
  EXPECT_FALSE(takes(SignatureAlgorithm::kEd25519, rfc9421::kRsaKey));
  EXPECT_FALSE(takes(SignatureAlgorithm::kEcdsaP256Sha256, rfc9421::kEd25519Key));
  EXPECT_FALSE(takes(SignatureAlgorithm::kRsaPssSha512, rfc9421::kP256Key));
  EXPECT_FALSE(takes(SignatureAlgorithm::kHmacSha256, rfc9421::kRsaKey));
  EXPECT_FALSE(takes(SignatureAlgorithm::kEd25519, "no key"));
}

}  // namespace
}  // namespace hangu::filter
