// JwtKeys: the keys of one issuer and its metadata, and what each shard remembers of tokens that
// they verified. Lives on over config generations. The control thread fetches keys and puts them
// here; shards read them and, when a token names a key that is not there, ask for them to be
// fetched anew (once for all that wait) and let the request wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hangu/config/identity.h"
#include "hangu/filter/authenticator.h"
#include "hangu/filter/stream_handle.h"
#include "hangu/identity/issuer.h"
#include "hangu/identity/jwk_set.h"
#include "hangu/identity/token_cache.h"

namespace hangu::filter {

/// Who has a request wait for keys. On the stream's shard.
class KeyAsker {
 public:
  /// They are there now, or will not come.
  virtual void on_keys(Stream& stream, const AuthAsker& asker) const noexcept = 0;

 protected:
  ~KeyAsker() = default;
};

class JwtKeys {
 public:
  /// What the keys are fetched with when a shard asks for it. Any thread; must not block.
  class Fetcher {
   public:
    virtual void want_keys(const std::string& authenticator) noexcept = 0;

   protected:
    ~Fetcher() = default;
  };

  /// A request that waits for keys.
  struct Waiter {
    StreamHandle stream;
    const KeyAsker* who = nullptr;     // outlives the stream
    const AuthAsker* asker = nullptr;  // the same
  };

  /// What one shard keeps; once requests come, that shard alone touches it.
  struct alignas(64) ShardSide {
    std::shared_ptr<const identity::JwkSet> keys;                // nullptr: there are none
    std::shared_ptr<const identity::ProviderMetadata> provider;  // nullptr: not known, or of no use
    std::unique_ptr<identity::TokenCache> cache;  // of tokens that these have verified
    std::vector<Waiter> waiters;
  };

  /// Requests that wait for keys on one shard; beyond it a token is judged by the keys there are.
  static constexpr size_t kWaitersMax = 4096;

  JwtKeys(std::string name, uint32_t shards, uint64_t seed, Fetcher* fetcher);

  const std::string& name() const { return name_; }

  ShardSide& shard(uint32_t number) { return shards_[number]; }

  uint64_t seed() const { return seed_; }

  /// Before any shard knows of it.
  void begin_with(const std::shared_ptr<const identity::JwkSet>& keys);

  /// True: keys have been asked for, and an answer will come. False: too soon after the last time.
  bool want(const config::JwtAuth& config, int64_t now_ns) noexcept;

  /// Control thread: what was wanted has come, or will not.
  void fetched() noexcept { fetching_.store(false, std::memory_order_release); }

  /// On the shard, after fetched(). Without keys: they are too old to be used any longer.
  void take(uint32_t shard, identity::Issuer issuer) noexcept;
  /// The same, when there are new keys or none could be had.
  void answer_waiters(uint32_t shard, StreamHandles& streams) noexcept;

 private:
  static constexpr int64_t kNever = INT64_MIN / 2;

  std::string name_;
  uint64_t seed_;
  Fetcher* fetcher_;
  uint32_t count_;
  std::unique_ptr<ShardSide[]> shards_;
  std::atomic<int64_t> wanted_ns_{kNever};  // when they were last asked for
  std::atomic<bool> fetching_{false};
};

}  // namespace hangu::filter
