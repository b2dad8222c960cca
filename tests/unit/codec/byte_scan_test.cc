#include "codec/byte_scan.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace hangu::codec {
namespace {

/// In memory that ends where the text does, for the sanitizers to see that no more is read.
template <class Wanted>
void finds_the_first(const std::string& text, Wanted wanted) {
  const auto copy = std::make_unique<char[]>(text.size());
  std::copy(text.begin(), text.end(), copy.get());
  const char* const end = copy.get() + text.size();
  const char* const expected = std::find_if(static_cast<const char*>(copy.get()), end,
                                            [&](char c) { return wanted.byte(c); });
  ASSERT_EQ(find_byte(copy.get(), end, wanted) - copy.get(), expected - copy.get()) << text;
}

TEST(FindByte, FindsOneAnywhereInTextsOfAnyLength) {
  for (size_t size = 0; size <= 70; ++size) {
    finds_the_first(std::string(size, 'a'), IsByte<':'>{});
    for (size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text[at] = ':';
      finds_the_first(text, IsByte<':'>{});
      text[size - 1] = ':';
      finds_the_first(text, IsByte<':'>{});
    }
  }
}

TEST(FindByte, AgreesWithTheWayByteByByte) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 80, '\0');
    // Mostly what nobody looks for.
    std::generate(text.begin(), text.end(), [&random] {
      return static_cast<char>(random() % 30 == 0 ? random() : 'a' + random() % 26);
    });
    finds_the_first(text, EndsValue{});
    finds_the_first(text, EndsTarget{});
    finds_the_first(text, IsByte<'\r'>{});
  }
}

}  // namespace
}  // namespace hangu::codec
