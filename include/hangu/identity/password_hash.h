// Password hashes as configs store them: argon2id ("$argon2id$v=19$m=19456,t=2,p=1$…") and bcrypt
// ("$2b$12$…"). Slow on purpose, so not for a shard's thread. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace hangu::identity {

/// Constant in time for one hash, apart from what the length of the password tells.
bool verify_password(const std::string& hash, std::string_view password) noexcept;

/// With argon2id. Empty: there was no memory or no randomness for it.
std::string hash_password(std::string_view password);

/// Overwrites a secret that has done its duty; the compiler does not leave that out.
void wipe(std::string& secret) noexcept;

}  // namespace hangu::identity
