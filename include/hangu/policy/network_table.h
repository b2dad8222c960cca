// NetworkTable: networks that do not overlap, and which of them an address is in: a few or
// millions. Built once, then immutable, any thread.
//
// A trie whose nodes are as wide as the networks below them are many (2^1 to 2^17 slots, six
// networks to a slot on the average), so that a lookup among a million that are spread evenly takes
// one step, and a step skips the bits that all networks below have in common, as IPv6 lists do. Up
// to 16 networks are no node but a stretch of the sorted list, gone through without a branch. So an
// address costs about two lines of the cache that are not in it: a slot, and that stretch.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "hangu/base/assert.h"

namespace hangu::policy {

template <class Address>
class NetworkTable {
 public:
  static constexpr size_t kNone = SIZE_MAX;
  static constexpr size_t kNetworksMax = size_t{1} << 26;  // 512 MiB of text hold no more

  NetworkTable() = default;

  /// In order: where each begins, and its prefix length; all beyond the width of an address is a
  /// single one. As many of both.
  NetworkTable(std::vector<Address> begins, std::vector<uint8_t> bits)
      : begins_(std::move(begins)),
        bits_(std::move(bits)) {
    HANGU_ASSERT(begins_.size() == bits_.size() && begins_.size() <= kNetworksMax);
    begins_.shrink_to_fit();
    bits_.shrink_to_fit();
    root_ = build(0, begins_.size(), 0);
    slots_.shrink_to_fit();
    nodes_.shrink_to_fit();
  }

  /// The place in the list of the network that has this address; kNone: none has.
  size_t find(Address address) const noexcept {
    Slot slot = root_;
    while (slot.kind() == Kind::kNode) {
      const Node& node = nodes_[slot.value()];
      // What lies before the node's part of the space wraps around, and so lies behind it.
      const auto at =
          static_cast<Address>(static_cast<Address>(address - node.begin) >> node.shift);
      if (at >= node.slots) {
        return kNone;
      }
      slot = slots_[node.first + static_cast<size_t>(at)];
    }
    return slot.kind() == Kind::kStretch  ? find_in(slot.first(), slot.count(), address)
           : slot.kind() == Kind::kInside ? slot.value()
                                          : kNone;
  }

  bool contains(Address address) const noexcept { return find(address) != kNone; }

  size_t size() const { return begins_.size(); }

  /// As it was given.
  uint8_t bits_of(size_t place) const { return bits_[place]; }

  size_t bytes() const {
    return begins_.capacity() * sizeof(Address) + bits_.capacity() +
           slots_.capacity() * sizeof(Slot) + nodes_.capacity() * sizeof(Node);
  }

  static bool same_bits(Address a, Address b, unsigned bits) noexcept {
    return bits == 0 || (a ^ b) >> (kWidth - std::min(bits, kWidth)) == 0;
  }

 private:
  static constexpr unsigned kWidth = 8 * sizeof(Address);
  static constexpr size_t kStretchMax = 16;
  static constexpr size_t kNetworksPerSlot = 6;
  static constexpr unsigned kStrideMax = 17;

  enum class Kind : uint32_t {
    kEmpty,
    kInside,   // one network has all of it; the value: its place
    kStretch,  // of the list; the value: where it begins and how long it is
    kNode,     // the value: its number
  };

  /// What is known of a part of the space of addresses.
  class Slot {
   public:
    Slot() = default;

    Slot(Kind kind, size_t value)
        : word_(static_cast<uint32_t>(kind) << kValueBits | static_cast<uint32_t>(value)) {}

    static Slot stretch(size_t first, size_t count) {
      return {Kind::kStretch, first << kCountBits | (count - 1)};
    }

    Kind kind() const { return static_cast<Kind>(word_ >> kValueBits); }

    size_t value() const { return word_ & ((1U << kValueBits) - 1); }

    size_t first() const { return value() >> kCountBits; }

    size_t count() const { return (value() & (kStretchMax - 1)) + 1; }

   private:
    static constexpr unsigned kValueBits = 30;
    static constexpr unsigned kCountBits = 4;
    static_assert(kStretchMax == size_t{1} << kCountBits);
    static_assert(kNetworksMax == size_t{1} << (kValueBits - kCountBits));

    uint32_t word_ = 0;  // kEmpty
  };

  /// A part of the space from `begin` on, in `slots` parts of 2^shift addresses each.
  struct Node {
    Address begin = 0;
    uint32_t first = 0;  // of slots_
    uint32_t slots = 0;
    uint32_t shift = 0;
  };

  unsigned length(size_t place) const { return std::min<unsigned>(bits_[place], kWidth); }

  /// Of a stretch of the list whose networks all lie within a part of the space, or are that part:
  /// one of so many bits.
  Slot build(size_t first, size_t end, unsigned part_bits) {
    const size_t count = end - first;
    if (count == 0) {
      return {};
    }
    if (count == 1 && length(first) <= part_bits) {
      return {Kind::kInside, first};
    }
    return count <= kStretchMax ? Slot::stretch(first, count) : build_node(first, end);
  }

  /// The slot of a node that this address lies in.
  static size_t slot_of(Address address, Address begin, unsigned shift) {
    return static_cast<size_t>(static_cast<Address>(address - begin) >> shift);
  }

  Slot build_node(size_t first, size_t end) {
    const auto differ = static_cast<Address>(begins_[first] ^ begins_[end - 1]);
    const auto common = static_cast<unsigned>(std::countl_zero(differ));
    const auto wanted = static_cast<unsigned>(std::bit_width((end - first) / kNetworksPerSlot)) - 1;
    const unsigned stride = std::clamp(wanted, 1U, std::min(kStrideMax, kWidth - common));
    const unsigned shift = kWidth - common - stride;
    const auto low_bits = static_cast<Address>(static_cast<Address>(~Address{0}) >> common);
    const auto begin = static_cast<Address>(begins_[first] & ~low_bits);
    const size_t base = slots_.size();
    const size_t number = nodes_.size();
    nodes_.push_back({.begin = begin,
                      .first = static_cast<uint32_t>(base),
                      .slots = uint32_t{1} << stride,
                      .shift = shift});
    slots_.resize(base + (size_t{1} << stride));
    for (size_t at = first; at < end;) {
      const size_t slot = slot_of(begins_[at], begin, shift);
      if (length(at) <= common + stride) {  // it has all of one slot, or of several
        std::fill_n(slots_.begin() + static_cast<ptrdiff_t>(base + slot),
                    size_t{1} << (common + stride - length(at)), Slot(Kind::kInside, at));
        ++at;
        continue;
      }
      size_t behind = at + 1;
      while (behind < end && slot_of(begins_[behind], begin, shift) == slot) {
        ++behind;
      }
      const Slot built = build(at, behind, common + stride);  // may move slots_
      slots_[base + slot] = built;
      at = behind;
    }
    return {Kind::kNode, number};
  }

  /// The last that begins at or before the address, if it has it.
  size_t find_in(size_t first, size_t count, Address address) const noexcept {
    __builtin_prefetch(&bits_[first]);
    size_t behind = first;
    for (size_t at = first; at < first + count; ++at) {
      behind += begins_[at] <= address ? 1U : 0U;
    }
    return behind != first && same_bits(address, begins_[behind - 1], bits_[behind - 1])
               ? behind - 1
               : kNone;
  }

  std::vector<Address> begins_;
  std::vector<uint8_t> bits_;
  std::vector<Slot> slots_;  // of all nodes, one after the other
  std::vector<Node> nodes_;
  Slot root_;
};

}  // namespace hangu::policy
