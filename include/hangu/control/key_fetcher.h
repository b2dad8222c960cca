// KeyFetcher: keeps the public keys of token issuers fresh, and their metadata where these are
// needed: from files, by HTTP(S), or from where
// the issuer's own metadata says they are. Control thread. A failed fetch keeps the last good keys
// until they are too old, is logged once, and is tried again soon. Redirects are not followed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/identity/issuer.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

struct KeyStatus {
  std::string authenticator;
  size_t keys = 0;
  Duration age{};     // of these
  std::string error;  // of the last attempt; empty when it was good
  uint64_t fetches = 0;
  uint64_t failures = 0;
};

/// What there is to say of an issuer's keys.
struct KeyNews {
  enum class Fetch : uint8_t { kNone, kGood, kFailed };

  Fetch fetch = Fetch::kNone;  // what has led to it
  bool changed = false;        // else there is only an answer for those who wait
  identity::Issuer issuer;     // without keys when none may still be used
};

class KeyFetcher {
 public:
  using Sink = std::function<void(const std::string& authenticator, KeyNews news)>;

  KeyFetcher(boost::asio::io_context& context, Sink sink);
  ~KeyFetcher();

  KeyFetcher(const KeyFetcher&) = delete;
  KeyFetcher& operator=(const KeyFetcher&) = delete;

  /// From now on keeps the keys of these authenticators fresh, and no others.
  void apply(const config::Config& config);

  /// Calls `done` when all have been asked for once, or after `at_most`; perhaps at once.
  void prepare(Duration at_most, std::function<void()> done);

  /// A request has met a key that is not there. The sink is called in any case.
  void want(const std::string& authenticator);

  std::vector<KeyStatus> status() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hangu::control
