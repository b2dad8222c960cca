#include "hangu/fleet/key_keeper.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace hangu::fleet {
namespace {

constexpr Duration kGap = std::chrono::seconds(3);  // between two looks, with some patience

std::vector<std::string> texts_of(const std::vector<config::Secret>& secrets) {
  std::vector<std::string> texts;
  for (const config::Secret& each : secrets) {
    texts.push_back(each.text);
  }
  return texts;
}

}  // namespace

std::string ring_purpose(std::string_view fleet) {
  return std::string(kRingPurpose).append(" ").append(fleet);
}

bool is_behind(uint64_t generation, const std::vector<uint64_t>& peers) {
  return std::any_of(peers.begin(), peers.end(),
                     [generation](uint64_t theirs) { return theirs > generation; });
}

KeyKeeper::KeyKeeper(config::SharedKeys plan, std::string_view fleet, Duration settles)
    : plan_(std::move(plan)),
      first_(std::array{plan_.secrets.front().text}, ring_purpose(fleet)),
      all_(texts_of(plan_.secrets), ring_purpose(fleet)),
      settles_(settles) {}

void KeyKeeper::begin_with(std::string_view text) {
  saw_ring_ = !text.empty();
  if (auto ring = open_ring(text, all_)) {
    ring_ = std::move(*ring);
    text_ = text;
  }
}

bool KeyKeeper::take(std::optional<std::string_view> text) {
  if (!text) {
    stored_ = Stored::kNothing;
    seen_.clear();
    error_.clear();
    return false;
  }
  if (seen_ == *text) {
    return false;
  }
  seen_ = *text;
  saw_ring_ = true;
  auto ring = open_ring(*text, all_);
  if (!ring) {
    stored_ = Stored::kUnreadable;
    error_ =
        "none of `config_center.keys.secrets` opens the keys in the store: they were encrypted "
        "with another one, or changed";
    return false;
  }
  if (ring->generation < ring_.generation) {
    stored_ = Stored::kOlder;
    error_ = fmt::format("the keys in the store are older (generation {}) than those in force ({})",
                         ring->generation, ring_.generation);
    return false;
  }
  stored_ = first_.open(*text) ? Stored::kGood : Stored::kOldSecret;
  error_.clear();
  text_ = *text;
  const bool others = ring->secrets() != ring_.secrets();
  ring_ = std::move(*ring);
  return others;
}

void KeyKeeper::stand_back() {
  unreadable_since_.reset();
  nothing_since_.reset();
}

uint64_t KeyKeeper::generation() const {
  return stored_ == Stored::kUnreadable ? 0 : ring_.generation;
}

std::optional<std::string> KeyKeeper::to_write(const std::vector<uint64_t>& peers, WallTime wall,
                                               TimePoint now) {
  if (stored_ != Stored::kUnreadable) {
    unreadable_since_.reset();
  }
  if (stored_ != Stored::kNothing) {
    nothing_since_.reset();
  } else if (ring_.entries.empty() && !may_make_the_first(peers, now)) {
    return std::nullopt;
  }
  auto next = advance(ring_, plan_, wall);
  switch (stored_) {
    case Stored::kUnknown: return std::nullopt;
    case Stored::kGood: return sealed(next);
    case Stored::kNothing:  // the store has lost them
    case Stored::kOldSecret:
    case Stored::kOlder: return sealed(next ? next : ring_);
    case Stored::kUnreadable: break;
  }
  if (is_behind(generation(), peers) || !unreadable_since_) {
    unreadable_since_ = now;
  }
  return now - *unreadable_since_ >= plan_.rotation ? sealed(next ? next : ring_) : std::nullopt;
}

bool KeyKeeper::may_make_the_first(const std::vector<uint64_t>& peers, TimePoint now) {
  if (is_behind(generation(), peers)) {
    nothing_since_.reset();
    return false;
  }
  // What was not looked at for a while does not count as empty.
  const Duration gap_max = std::max<Duration>(settles_ / 2, kGap);
  if (!nothing_since_ || now - looked_ > gap_max) {
    nothing_since_ = now;
  }
  looked_ = now;
  return !saw_ring_ || now - *nothing_since_ >= settles_;
}

std::optional<std::string> KeyKeeper::sealed(const std::optional<KeyRing>& ring) const {
  if (!ring || ring->entries.empty()) {
    return std::nullopt;
  }
  std::string text = seal(*ring, first_);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace hangu::fleet
