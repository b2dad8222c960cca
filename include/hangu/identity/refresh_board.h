// RefreshBoard: where shards tell each other what has become of sessions whose tokens were over, so
// that each is refreshed once, whichever shards its browser's connections are on: many providers
// take a refresh token once only. Shared by all shards, atomics alone; what is found too late or
// has no room is asked for once more. Whoever claims a place tells the outcome or gives it back.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hangu/identity/digest.h"
#include "hangu/identity/oidc_session.h"

namespace hangu::identity {

class RefreshBoard {
 public:
  static constexpr size_t kPlaces = 64;
  static constexpr size_t kTextBytesMax = kCookieBytesMax * kCookiesMax;

  enum class Found : uint8_t {
    kClaimed,  // nobody has asked: the caller does
    kAsked,    // somebody does: look again soon
    kText,     // this has come of it
    kRefused,
    kNoPlace,  // the caller asks, and nobody hears of it
  };

  RefreshBoard();

  /// A claim lasts for `claim_s`. `now_s`: of a clock that never goes back. `text`: with kText.
  Found look(const Digest& digest, int64_t now_s, int64_t claim_s, std::string& text) noexcept;

  /// For who has claimed it. `text`: empty: the provider has refused. Others hear of it until then.
  void tell(const Digest& digest, std::string_view text, int64_t until_s) noexcept;

  /// For who has claimed it: nothing came of it, the next one may ask.
  void give_back(const Digest& digest) noexcept;

 private:
  enum State : uint64_t { kFree, kAsking, kTextThere, kNo };

  /// What the head of a place says: whose it is, what has become of it, until when.
  struct Head {
    uint32_t tag = 0;
    uint64_t state = kFree;
    int64_t until_s = 0;

    static Head of(uint64_t word) noexcept;
    uint64_t word() const noexcept;
  };

  static constexpr size_t kWords = (kTextBytesMax + 7) / 8;

  struct Place {
    std::atomic<uint64_t> head{0};
    std::atomic<uint64_t> size{0};
    std::array<std::atomic<uint64_t>, 4> digest{};
    std::array<std::atomic<uint64_t>, kWords> text{};
  };

  Place& place_of(const Digest& digest) noexcept;
  static uint32_t tag_of(const Digest& digest) noexcept;
  static bool read(const Place& place, const Digest& digest, uint64_t head,
                   std::string& text) noexcept;

  std::unique_ptr<std::array<Place, kPlaces>> places_;
};

}  // namespace hangu::identity
