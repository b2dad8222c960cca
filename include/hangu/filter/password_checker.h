// PasswordChecker: verifies passwords off the shards, since their hashes are slow on purpose, and
// locks out who guesses. PasswordMemory: what one authenticator remembers of passwords that were
// right, per shard; lives on over config generations. Made by server/; here is what filters need.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hangu/filter/authenticator.h"
#include "hangu/filter/stream_handle.h"
#include "hangu/identity/digest.h"
#include "hangu/policy/lockout_table.h"

namespace hangu::filter {

class BasicAuthenticator;

class PasswordMemory {
 public:
  static constexpr size_t kKnownMax = 4096;  // per shard

  explicit PasswordMemory(uint32_t shards)
      : shards_(std::make_unique<ShardSide[]>(shards)) {}

  /// One shard's; that shard alone touches it.
  class alignas(64) ShardSide {
   public:
    bool knows(const identity::Digest& digest, int64_t now_s) const noexcept;
    void add(const identity::Digest& digest, int64_t until_s) noexcept;

    uint32_t pending = 0;  // passwords that are being verified

   private:
    struct Known {
      identity::Digest digest{};
      int64_t until_s = 0;
    };

    static size_t place_of(const identity::Digest& digest) noexcept;

    std::vector<Known> known_;  // none until the first
  };

  ShardSide& shard(uint32_t number) { return shards_[number]; }

 private:
  std::unique_ptr<ShardSide[]> shards_;
};

/// A password to be verified, and who asks.
struct PasswordQuestion {
  std::shared_ptr<PasswordMemory> memory;
  std::string hash;
  std::string password;
  identity::Digest digest{};  // of both, keyed with a secret of the process
  bool known = false;         // false: there is no such user, it only takes as long
  uint64_t lock_key = 0;      // whose guesses count together
  policy::LockoutTable::Rules lockout;
  int64_t until_s = 0;  // how long it may be remembered
  uint32_t shard = 0;
  StreamHandle stream;
  const BasicAuthenticator* authenticator = nullptr;  // outlives the stream
  const AuthAsker* asker = nullptr;                   // the same
};

struct PasswordAnswer {
  enum class Verdict : uint8_t { kRight, kWrong, kLocked };

  PasswordQuestion question;
  Verdict verdict = Verdict::kWrong;
  Duration locked_for{};
};

class PasswordChecker {
 public:
  enum class Taken : uint8_t { kYes, kBusy, kLocked };

  struct Receipt {
    Taken taken = Taken::kYes;
    Duration locked_for{};
  };

  /// Any shard; does not wait for more than another thread's look at the queue.
  virtual Receipt check(PasswordQuestion&& question) noexcept = 0;

  /// A secret of the process, of 32 bytes.
  virtual std::string_view secret() const noexcept = 0;

 protected:
  ~PasswordChecker() = default;
};

/// On the shard that asked.
void take_password_answer(const PasswordAnswer& answer, StreamHandles& streams) noexcept;

}  // namespace hangu::filter
