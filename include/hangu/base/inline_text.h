// InlineText: an immutable text that is kept within the object when it has at most N bytes, so that
// who has the object at hand reads it without another cache miss. Views of it last as long as the
// object stays where it is.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace hangu {

template <size_t N>
class InlineText {
 public:
  InlineText() = default;

  explicit InlineText(std::string_view text)
      : size_(static_cast<uint32_t>(text.size())) {
    char* to = inside_.data();
    if (text.size() > N) {
      outside_ = std::make_unique<char[]>(text.size());
      to = outside_.get();
    }
    std::copy(text.begin(), text.end(), to);
  }

  InlineText(const InlineText& other)
      : InlineText(other.view()) {}

  InlineText(InlineText&& other) noexcept = default;

  InlineText& operator=(const InlineText& other) { return *this = InlineText(other); }

  InlineText& operator=(InlineText&& other) noexcept = default;
  ~InlineText() = default;

  std::string_view view() const noexcept {
    return {size_ <= N ? inside_.data() : outside_.get(), size_};
  }

 private:
  uint32_t size_ = 0;
  std::array<char, N> inside_{};
  std::unique_ptr<char[]> outside_;
};

}  // namespace hangu
