#include "hangu/identity/password_hash.h"

#include <gtest/gtest.h>

namespace hangu::identity {
namespace {

TEST(PasswordHashTest, TakesTheRightPasswordOnly) {
  const std::string hash = hash_password("correct horse");
  EXPECT_EQ(hash.substr(0, 31), "$argon2id$v=19$m=19456,t=2,p=1$");
  EXPECT_TRUE(verify_password(hash, "correct horse"));
  EXPECT_FALSE(verify_password(hash, "correct horsf"));
  EXPECT_FALSE(verify_password(hash, ""));
  EXPECT_NE(hash, hash_password("correct horse"));
}

TEST(PasswordHashTest, KnowsBcrypt) {
  // Of John the Ripper's and OpenWall's test vectors.
  const std::string hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
  EXPECT_TRUE(verify_password(hash, "U*U"));
  EXPECT_FALSE(verify_password(hash, "U*V"));
  EXPECT_FALSE(verify_password(hash, std::string_view("U*U\0x", 5)));
}

TEST(PasswordHashTest, RefusesWhatIsNoHash) {
  for (const char* hash : {"", "secret", "$1$abc$def", "$2b$", "$argon2id$", "$6$salt$hash"}) {
    EXPECT_FALSE(verify_password(hash, "secret")) << hash;
  }
}

}  // namespace
}  // namespace hangu::identity
