// Every address of a small space, so that nothing between two networks can go wrong unseen; and
// what a table of many costs, however they lie.
#include "hangu/policy/network_table.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

/// Numbers that are the same in every run.
class Numbers {
 public:
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  uint64_t state_ = 20'261'127;
};

template <class Address>
struct Networks {
  std::vector<Address> begins;
  std::vector<uint8_t> bits;

  NetworkTable<Address> table() const { return {begins, bits}; }

  void add(Address begin, unsigned length) {
    begins.push_back(begin);
    bits.push_back(static_cast<uint8_t>(length));
  }
};

using Small = uint16_t;
constexpr size_t kAll = 65'536;

/// The space cut in two again and again; a part becomes a network, goes on, or stays empty. In the
/// lower half of a part this is `skew` times as likely to go on.
void cut(Numbers& numbers, size_t begin, unsigned length, unsigned skew, Networks<Small>& out) {
  const uint64_t dice = numbers.next() % 100;
  if (length == 16 || (length > 2 && dice < 12)) {
    if (dice < 50) {
      out.add(static_cast<Small>(begin), length);
    }
    return;
  }
  const size_t half = (kAll >> length) / 2;
  if (dice < 97) {
    cut(numbers, begin, length + 1, skew, out);
  }
  if (dice < 97 / skew) {
    cut(numbers, begin + half, length + 1, skew, out);
  }
}

/// Which network each address is in.
std::vector<size_t> expected(const Networks<Small>& networks) {
  std::vector<size_t> owners(kAll, NetworkTable<Small>::kNone);
  for (size_t i = 0; i < networks.begins.size(); ++i) {
    const size_t begin = networks.begins[i];
    std::fill_n(owners.begin() + static_cast<ptrdiff_t>(begin), kAll >> networks.bits[i], i);
  }
  return owners;
}

/// The first address that the table is wrong about; kAll: none.
size_t first_wrong(const Networks<Small>& networks) {
  const NetworkTable<Small> table = networks.table();
  const std::vector<size_t> owners = expected(networks);
  for (size_t address = 0; address < kAll; ++address) {
    if (table.find(static_cast<Small>(address)) != owners[address]) {
      return address;
    }
  }
  return kAll;
}

TEST(NetworkTable, AgreesOnEveryAddressWithATableOfThemAll) {
  Numbers numbers;
  size_t most = 0;
  for (unsigned round = 0; round < 60; ++round) {
    Networks<Small> networks;
    cut(numbers, 0, 0, 1 + round % 3, networks);
    most = std::max(most, networks.begins.size());
    ASSERT_EQ(first_wrong(networks), kAll) << "round " << round;
  }
  EXPECT_GT(most, 1'000U);
}

TEST(NetworkTable, EdgesOfTheSpace) {
  EXPECT_EQ(first_wrong({}), kAll);
  EXPECT_EQ(first_wrong({{0}, {0}}), kAll);
  EXPECT_EQ(first_wrong({{0}, {16}}), kAll);
  EXPECT_EQ(first_wrong({{0xffff}, {16}}), kAll);
  EXPECT_EQ(first_wrong({{0, 0x8000}, {1, 1}}), kAll);
  Networks<Small> singles;  // every other address, all of them deep down
  for (size_t address = 1; address < kAll; address += 2) {
    singles.add(static_cast<Small>(address), 16);
  }
  EXPECT_EQ(first_wrong(singles), kAll);
  Networks<Small> last;  // in the last few addresses, with a large one before
  last.add(0, 1);
  for (size_t address = kAll - 40; address < kAll; ++address) {
    last.add(static_cast<Small>(address), 16);
  }
  EXPECT_EQ(first_wrong(last), kAll);
}

TEST(NetworkTable, LengthsBeyondTheWidthAreSingleAddressesAndAreTold) {
  const NetworkTable<Small> table({7, 8}, {17, 16});
  EXPECT_EQ(table.find(7), 0U);
  EXPECT_EQ(table.find(8), 1U);
  EXPECT_FALSE(table.contains(6));
  EXPECT_EQ(table.bits_of(0), 17U);
}

/// Bytes for each network.
template <class Address>
double cost(const Networks<Address>& networks) {
  const NetworkTable<Address> table = networks.table();
  for (size_t i = 0; i < networks.begins.size(); i += 97) {
    EXPECT_EQ(table.find(networks.begins[i]), i);
  }
  return static_cast<double>(table.bytes()) / static_cast<double>(networks.begins.size());
}

TEST(NetworkTable, MemoryIsBoundedHoweverTheNetworksLie) {
  constexpr uint64_t kCount = 40'000;
  Networks<uint32_t> even;
  Networks<uint32_t> together;
  Networks<uint64_t> alike;
  Networks<uint64_t> apart;
  for (uint64_t i = 0; i < kCount; ++i) {
    even.add(static_cast<uint32_t>(i * 107'374), 32);
    together.add(static_cast<uint32_t>(0x0a00'0000 + i), 32);
    alike.add(0x2001'0db8'0000'0000 + (i << 16), 48);
  }
  // The worst: at each depth a few that keep the others from having anything in common.
  for (unsigned depth = 0; depth < 63; ++depth) {
    const uint64_t count = uint64_t{1} << std::min(depth, 9U);
    const uint64_t begin = depth == 0 ? 0 : ~uint64_t{0} << (64 - depth);
    for (uint64_t i = 0; i < std::min(count, uint64_t{1} << std::min(62 - depth, 9U)); ++i) {
      apart.add(begin + (i << 1), 63);
    }
  }
  EXPECT_LT(cost(even), 5 + 2);
  EXPECT_LT(cost(together), 5 + 2);
  EXPECT_LT(cost(alike), 9 + 2);
  EXPECT_LT(cost(apart), 9 + 32);
}

}  // namespace
}  // namespace hangu::policy
