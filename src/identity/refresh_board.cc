#include "hangu/identity/refresh_board.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <string_view>

namespace hangu::identity {
namespace {

constexpr int kStateBits = 2;
constexpr int kTimeBits = 30;  // 34 years of a machine's uptime
constexpr uint64_t kTimeMask = (uint64_t{1} << kTimeBits) - 1;
constexpr uint64_t kStateMask = (uint64_t{1} << kStateBits) - 1;

using WordBytes = std::array<char, sizeof(uint64_t)>;

/// Of up to eight bytes.
uint64_t word_of(std::string_view bytes) {
  WordBytes word{};
  std::copy(bytes.begin(), bytes.end(), word.begin());
  return std::bit_cast<uint64_t>(word);
}

uint64_t digest_word(const Digest& digest, size_t index) {
  return std::bit_cast<std::array<uint64_t, sizeof(Digest) / sizeof(uint64_t)>>(digest)[index];
}

}  // namespace

RefreshBoard::Head RefreshBoard::Head::of(uint64_t word) noexcept {
  return {.tag = static_cast<uint32_t>(word >> (kStateBits + kTimeBits)),
          .state = word >> kTimeBits & kStateMask,
          .until_s = static_cast<int64_t>(word & kTimeMask)};
}

uint64_t RefreshBoard::Head::word() const noexcept {
  return uint64_t{tag} << (kStateBits + kTimeBits) | state << kTimeBits |
         (static_cast<uint64_t>(until_s) & kTimeMask);
}

RefreshBoard::RefreshBoard()
    : places_(std::make_unique<std::array<Place, kPlaces>>()) {}

RefreshBoard::Place& RefreshBoard::place_of(const Digest& digest) noexcept {
  return (*places_)[digest_word(digest, 0) % kPlaces];
}

uint32_t RefreshBoard::tag_of(const Digest& digest) noexcept {
  return static_cast<uint32_t>(digest_word(digest, 1));
}

RefreshBoard::Found RefreshBoard::look(const Digest& digest, int64_t now_s, int64_t claim_s,
                                       std::string& text) noexcept {
  Place& place = place_of(digest);
  const uint64_t claim =
      Head{.tag = tag_of(digest), .state = kAsking, .until_s = now_s + claim_s}.word();
  uint64_t word = place.head.load(std::memory_order_acquire);
  for (;;) {
    const Head head = Head::of(word);
    if (head.state == kFree || now_s >= head.until_s) {
      if (place.head.compare_exchange_weak(word, claim, std::memory_order_acq_rel)) {
        return Found::kClaimed;
      }
      continue;
    }
    if (head.tag != tag_of(digest)) {
      return Found::kNoPlace;
    }
    if (head.state == kAsking) {
      return Found::kAsked;
    }
    if (head.state == kNo) {
      return Found::kRefused;
    }
    return read(place, digest, word, text) ? Found::kText : Found::kNoPlace;
  }
}

/// False: it is another one's, or was overwritten meanwhile. A writer begins with a change of the
/// head, so who has seen any of its words sees that, too.
bool RefreshBoard::read(const Place& place, const Digest& digest, uint64_t head,
                        std::string& text) noexcept {
  const size_t size = place.size.load(std::memory_order_acquire);
  if (size > kTextBytesMax) {
    return false;
  }
  text.resize(size);
  for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
    const uint64_t word = place.text[at / sizeof(uint64_t)].load(std::memory_order_acquire);
    std::copy_n(std::bit_cast<WordBytes>(word).begin(), std::min(sizeof word, size - at),
                text.begin() + static_cast<std::ptrdiff_t>(at));
  }
  bool same = true;
  for (size_t i = 0; i < place.digest.size(); ++i) {
    same = place.digest[i].load(std::memory_order_acquire) == digest_word(digest, i) && same;
  }
  return same && place.head.load(std::memory_order_acquire) == head;
}

void RefreshBoard::tell(const Digest& digest, std::string_view text, int64_t until_s) noexcept {
  Place& place = place_of(digest);
  uint64_t word = place.head.load(std::memory_order_acquire);
  const Head head = Head::of(word);
  if (head.tag != tag_of(digest) || head.state != kAsking || text.size() > kTextBytesMax) {
    return;  // the claim was over, and somebody else has the place
  }
  // The claim goes on as another word: nobody else takes it while the text is written.
  const uint64_t writing =
      Head{.tag = head.tag, .state = kAsking, .until_s = std::max(head.until_s, until_s) + 1}
          .word();
  if (!place.head.compare_exchange_strong(word, writing, std::memory_order_acq_rel)) {
    return;
  }
  place.size.store(text.size(), std::memory_order_release);
  for (size_t i = 0; i < place.digest.size(); ++i) {
    place.digest[i].store(digest_word(digest, i), std::memory_order_release);
  }
  for (size_t at = 0; at < text.size(); at += sizeof(uint64_t)) {
    place.text[at / sizeof(uint64_t)].store(word_of(text.substr(at, sizeof(uint64_t))),
                                            std::memory_order_release);
  }
  place.head.store(
      Head{.tag = head.tag, .state = text.empty() ? kNo : kTextThere, .until_s = until_s}.word(),
      std::memory_order_release);
}

void RefreshBoard::give_back(const Digest& digest) noexcept {
  Place& place = place_of(digest);
  uint64_t word = place.head.load(std::memory_order_acquire);
  const Head head = Head::of(word);
  if (head.tag == tag_of(digest) && head.state == kAsking) {
    place.head.compare_exchange_strong(word, 0, std::memory_order_acq_rel);
  }
}

}  // namespace hangu::identity
