// What is sealed opens again, and nothing else does.
#include "hangu/identity/sealer.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/base/base64.h"
#include "hangu/base/hex.h"
#include "hangu/identity/key_derivation.h"

namespace hangu::identity {
namespace {

const std::vector<std::string> kOld = {"the old secret, 32 bytes or more"};
const std::vector<std::string> kBoth = {"the new secret, 32 bytes or more",
                                        "the old secret, 32 bytes or more"};
const std::vector<std::string> kNew = {"the new secret, 32 bytes or more"};

TEST(SealerTest, OpensWhatItHasSealed) {
  const Sealer sealer(kOld, "session");
  for (const size_t size : {0U, 1U, 15U, 16U, 17U, 4096U, 10'000U}) {
    const std::string text(size, 'x');
    const std::string sealed = sealer.seal(text);
    EXPECT_EQ(decode_base64url(sealed)->size(), size + Sealer::kOverheadBytes);
    EXPECT_EQ(sealer.open(sealed), text);
  }
}

TEST(SealerTest, NeverSealsTheSameWayTwice) {
  const Sealer sealer(kOld, "session");
  EXPECT_NE(sealer.seal("text"), sealer.seal("text"));
  EXPECT_EQ(sealer.seal("a secret text").find("secret"), std::string::npos);
}

TEST(SealerTest, EveryChangedBitIsSeen) {
  const Sealer sealer(kOld, "session");
  const std::string raw = *decode_base64url(sealer.seal("who I am"));
  for (size_t bit = 0; bit < raw.size() * 8; ++bit) {
    std::string changed = raw;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(sealer.open(encode_base64url(changed))) << bit;
  }
}

TEST(SealerTest, NothingIsMissingOrTooMuch) {
  const Sealer sealer(kOld, "session");
  const std::string raw = *decode_base64url(sealer.seal("who I am"));
  for (size_t size = 0; size < raw.size(); ++size) {
    EXPECT_FALSE(sealer.open(encode_base64url(raw.substr(0, size)))) << size;
  }
  EXPECT_FALSE(sealer.open(encode_base64url(raw + 'x')));
  EXPECT_FALSE(sealer.open("not base64!"));
  EXPECT_FALSE(sealer.open(""));
}

TEST(SealerTest, AnotherSecretOrPurposeDoesNotOpenIt) {
  const Sealer sealer(kOld, "session");
  const std::string sealed = sealer.seal("text");
  EXPECT_FALSE(Sealer(kNew, "session").open(sealed));
  EXPECT_FALSE(Sealer(kOld, "login").open(sealed));
  EXPECT_FALSE(Sealer({}, "session").open(sealed));
  EXPECT_EQ(Sealer({}, "session").seal("text"), "");
  EXPECT_EQ(Sealer(kOld, "session").open(sealed), "text");
}

TEST(SealerTest, SecretsChangeOneByOne) {
  const Sealer before(kOld, "session");
  const Sealer meanwhile(kBoth, "session");
  const Sealer after(kNew, "session");
  EXPECT_EQ(meanwhile.open(before.seal("text")), "text");
  const std::string sealed = meanwhile.seal("text");  // by the first
  EXPECT_EQ(after.open(sealed), "text");
  EXPECT_FALSE(before.open(sealed));
}

TEST(SealerTest, NoiseDoesNotOpen) {
  const Sealer sealer(kBoth, "session");
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string noise(random() % 200, '\0');
    for (char& c : noise) {
      c = static_cast<char>(random());
    }
    if (!noise.empty()) {
      noise[0] = 1;  // the version
    }
    EXPECT_FALSE(sealer.open(encode_base64url(noise)));
  }
}

TEST(RandomTextTest, IsAsLongAsAskedAndNeverTheSame) {
  EXPECT_EQ(random_text(16).size(), 22U);
  EXPECT_EQ(random_text(32).size(), 43U);
  EXPECT_NE(random_text(16), random_text(16));
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
