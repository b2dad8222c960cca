// What is sealed opens again, and nothing else does.
#include "hangu/identity/sealer.h"

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "hangu/base/base64.h"
#include "hangu/base/hex.h"
#include "hangu/identity/key_derivation.h"

namespace hangu::identity {
namespace {

const std::vector<std::string> kOld = {"the old secret, 32 bytes or more"};
const std::vector<std::string> kBoth = {"the new secret, 32 bytes or more",
                                        "the old secret, 32 bytes or more"};
const std::vector<std::string> kNew = {"the new secret, 32 bytes or more"};

class SealerTest : public testing::TestWithParam<SealCipher> {};

INSTANTIATE_TEST_SUITE_P(Ciphers, SealerTest,
                         testing::Values(SealCipher::kAes256Gcm, SealCipher::kSm4CtrHmacSm3));

TEST_P(SealerTest, OpensWhatItHasSealed) {
  const Sealer sealer(kOld, "session", GetParam());
  for (const size_t size : {0U, 1U, 15U, 16U, 17U, 4096U, 10'000U}) {
    const std::string text(size, 'x');
    const std::string sealed = sealer.seal(text);
    EXPECT_EQ(decode_base64url(sealed)->size(), size + Sealer::overhead_bytes(GetParam()));
    EXPECT_EQ(sealer.open(sealed), text);
  }
}

TEST_P(SealerTest, NeverSealsTheSameWayTwice) {
  const Sealer sealer(kOld, "session", GetParam());
  EXPECT_NE(sealer.seal("text"), sealer.seal("text"));
  EXPECT_EQ(sealer.seal("a secret text").find("secret"), std::string::npos);
}

TEST_P(SealerTest, EveryChangedBitIsSeen) {
  const Sealer sealer(kOld, "session", GetParam());
  const std::string raw = *decode_base64url(sealer.seal("who I am"));
  for (size_t bit = 0; bit < raw.size() * 8; ++bit) {
    std::string changed = raw;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(sealer.open(encode_base64url(changed))) << bit;
  }
}

TEST_P(SealerTest, NothingIsMissingOrTooMuch) {
  const Sealer sealer(kOld, "session", GetParam());
  const std::string raw = *decode_base64url(sealer.seal("who I am"));
  for (size_t size = 0; size < raw.size(); ++size) {
    EXPECT_FALSE(sealer.open(encode_base64url(raw.substr(0, size)))) << size;
  }
  EXPECT_FALSE(sealer.open(encode_base64url(raw + 'x')));
  EXPECT_FALSE(sealer.open("not base64!"));
  EXPECT_FALSE(sealer.open(""));
}

TEST_P(SealerTest, AnotherSecretOrPurposeDoesNotOpenIt) {
  const Sealer sealer(kOld, "session", GetParam());
  const std::string sealed = sealer.seal("text");
  EXPECT_FALSE(Sealer(kNew, "session", GetParam()).open(sealed));
  EXPECT_FALSE(Sealer(kOld, "login", GetParam()).open(sealed));
  EXPECT_FALSE(Sealer({}, "session", GetParam()).open(sealed));
  EXPECT_EQ(Sealer({}, "session", GetParam()).seal("text"), "");
  EXPECT_EQ(Sealer(kOld, "session", GetParam()).open(sealed), "text");
}

TEST_P(SealerTest, SecretsChangeOneByOne) {
  const Sealer before(kOld, "session", GetParam());
  const Sealer meanwhile(kBoth, "session", GetParam());
  const Sealer after(kNew, "session", GetParam());
  EXPECT_EQ(meanwhile.open(before.seal("text")), "text");
  const std::string sealed = meanwhile.seal("text");  // by the first
  EXPECT_EQ(after.open(sealed), "text");
  EXPECT_FALSE(before.open(sealed));
}

TEST_P(SealerTest, NoiseDoesNotOpen) {
  const Sealer sealer(kBoth, "session", GetParam());
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string noise(random() % 200, '\0');
    for (char& c : noise) {
      c = static_cast<char>(random());
    }
    if (!noise.empty()) {
      noise[0] = static_cast<char>(1 + i % 2);  // of either cipher
    }
    EXPECT_FALSE(sealer.open(encode_base64url(noise)));
  }
}

TEST(SealerCipherTest, EitherOpensWhatTheOtherHasSealed) {
  const Sealer aes(kOld, "session", SealCipher::kAes256Gcm);
  const Sealer sm4(kOld, "session", SealCipher::kSm4CtrHmacSm3);
  EXPECT_EQ(sm4.open(aes.seal("text")), "text");
  EXPECT_EQ(aes.open(sm4.seal("text")), "text");
  // Which it was cannot be changed: it is authenticated, and the keys are others.
  for (const Sealer* const sealer : {&aes, &sm4}) {
    std::string raw = *decode_base64url(sealer->seal(std::string(100, 'x')));
    raw[0] = static_cast<char>(3 - raw[0]);
    EXPECT_FALSE(sealer->open(encode_base64url(raw)));
  }
}

/// Made with Python's hmac and `openssl enc -sm4-ctr`: HKDF-SM3, SM4-CTR, HMAC-SM3.
TEST(SealerCipherTest, Sm4IsAsOthersComputeIt) {
  const Sealer sealer(kOld, "session", SealCipher::kSm4CtrHmacSm3);
  EXPECT_EQ(sealer.open("AgEjRWeJq83v_ty6mHZUMhAGWYJyovFdtK0fpmlu5N04HYMpc7jf5RSEN6R4ujf5Jn1b3ux"
                        "HUJCpu"
                        "oQdCD1-kp72KEdWdK90n3LZCA"),
            "who I am, and whether I may");
}

/// GB/T 32907-2016 A.1, as the key stream of a counter block that is the example's text, and GB/T
/// 32905-2016 A.1.
TEST(SealerCipherTest, OpenSslHasTheAlgorithmsOfTheStandards) {
  const std::string key = *decode_base64url("ASNFZ4mrze_-3LqYdlQyEA");
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::array<unsigned char, 16> out{};
  const std::array<unsigned char, 16> zeros{};
  const auto* const bytes = reinterpret_cast<const unsigned char*>(key.data());
  int size = 0;
  ASSERT_EQ(EVP_EncryptInit_ex2(context.get(), EVP_sm4_ctr(), bytes, bytes, nullptr), 1);
  ASSERT_EQ(EVP_EncryptUpdate(context.get(), out.data(), &size, zeros.data(), 16), 1);
  EXPECT_EQ(to_hex(out), "681edf34d206965e86b3e94f536e4246");
  std::array<unsigned char, 32> digest{};
  ASSERT_EQ(EVP_Digest("abc", 3, digest.data(), nullptr, EVP_sm3(), nullptr), 1);
  EXPECT_EQ(to_hex(digest), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

TEST(RandomTextTest, IsAsLongAsAskedAndNeverTheSame) {
  EXPECT_EQ(random_text(16).size(), 22U);
  EXPECT_EQ(random_text(32).size(), 43U);
  EXPECT_NE(random_text(16), random_text(16));
  EXPECT_EQ(random_digits(6).size(), 12U);
  EXPECT_EQ(random_digits(64).find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(random_digits(16), random_digits(16));
}

TEST(KeyDerivationTest, AsInRfc5869) {
  const std::string secret(22, '\x0b');  // its third test case
  std::array<uint8_t, 42> key{};
  ASSERT_TRUE(derive_key(secret, "", key));
  EXPECT_EQ(to_hex(key),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  std::array<uint8_t, 42> other{};
  ASSERT_TRUE(derive_key(secret, "x", other));
  EXPECT_NE(key, other);
}

}  // namespace
}  // namespace hangu::identity
