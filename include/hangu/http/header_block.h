// HeaderBlock: the fields of one message in order, as views. Every name and value lies in the
// message's arena, in the config snapshot or in static memory; the array itself grows in the arena.
// "Absent" is known without a search. One owner, one thread; validates nothing: names and values
// come checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/buffer/arena.h"
#include "hangu/http/header_name.h"

namespace hangu::http {

struct Header {
  static constexpr uint8_t kRemoved = 1;
  /// The bytes "name: value\r\n" stand in memory exactly so, starting at `name`.
  static constexpr uint8_t kLine = 2;

  const char* name_data;
  const char* value_data;
  uint32_t value_size;
  uint16_t name_size;
  HeaderName token;
  uint8_t flags;

  std::string_view name() const { return {name_data, name_size}; }

  std::string_view value() const { return {value_data, value_size}; }

  bool removed() const { return (flags & kRemoved) != 0; }

  /// Of "name: value\r\n".
  size_t line_bytes() const { return size_t{name_size} + value_size + 4; }
};

static_assert(sizeof(void*) != 8 || sizeof(Header) == 24);

class HeaderBlock {
 public:
  /// No more fields than this, removed ones included: add() then refuses.
  static constexpr uint32_t kFieldsMax = 4096;

  /// Unusable until reset().
  HeaderBlock() = default;

  explicit HeaderBlock(buffer::Arena& arena)
      : arena_(&arena) {}

  // A copy would share the array.
  HeaderBlock(const HeaderBlock&) = delete;
  HeaderBlock& operator=(const HeaderBlock&) = delete;

  /// Empties the block and lets it grow in `arena` from now on.
  void reset(buffer::Arena& arena) {
    *this = HeaderBlock();
    arena_ = &arena;
  }

  /// Appends a field; `name` and `value` outlive the block. False when it holds too many or a size
  /// is out of range.
  bool add(HeaderName token, std::string_view name, std::string_view value);

  bool add(std::string_view name, std::string_view value) {
    return add(header_name_from(name), name, value);
  }

  bool add(HeaderName token, std::string_view value) { return add(token, to_string(token), value); }

  /// The same, with copies of `name` and `value` in the arena.
  bool add_copy(std::string_view name, std::string_view value);

  /// Replaces the first field of that name, removes the others, or appends one.
  bool set(HeaderName token, std::string_view name, std::string_view value);

  bool set(std::string_view name, std::string_view value) {
    return set(header_name_from(name), name, value);
  }

  bool set(HeaderName token, std::string_view value) { return set(token, to_string(token), value); }

  /// The same with a field that is known to be in range, in its spelling.
  bool set(const Header& header);

  bool contains(HeaderName token) const { return (present_ & bit_of(token)) != 0; }

  /// Whether any of `names` is there.
  bool contains_any(HeaderNameSet names) const { return (present_ & names) != 0; }

  /// The first field of that name, nullptr if there is none. Not for kOther.
  const Header* find(HeaderName token) const {
    return contains(token) ? find_present(token) : nullptr;
  }

  /// Without regard to case.
  const Header* find(std::string_view name) const { return find(header_name_from(name), name); }

  const Header* find(HeaderName token, std::string_view name) const;

  /// The value of the first field of that name, empty if there is none.
  std::string_view value(HeaderName token) const {
    const Header* header = find(token);
    return header != nullptr ? header->value() : std::string_view{};
  }

  /// Removes every field of that name. Not for kOther.
  void remove(HeaderName token) {
    if (contains(token)) {
      remove_all({token, {}});
    }
  }

  void remove(std::string_view name) { remove(header_name_from(name), name); }

  void remove(HeaderName token, std::string_view name) {
    if (contains(token)) {
      remove_all({token, name});
    }
  }

  /// Removes every field whose name is in the set. Not for kOther.
  void remove_any(HeaderNameSet names);

  class Iterator {
   public:
    Iterator(const Header* at, const Header* end)
        : at_(at),
          end_(end) {
      skip();
    }

    const Header& operator*() const { return *at_; }

    const Header* operator->() const { return at_; }

    Iterator& operator++() {
      ++at_;
      skip();
      return *this;
    }

    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    void skip() {
      while (at_ != end_ && at_->removed()) {
        ++at_;
      }
    }

    const Header* at_;
    const Header* end_;
  };

  Iterator begin() const { return {fields_, fields_ + count_}; }

  Iterator end() const { return {fields_ + count_, fields_ + count_}; }

  /// Fields that are not removed.
  size_t size() const { return live_; }

  bool empty() const { return live_ == 0; }

  /// The total of "name: value\r\n" over the fields.
  size_t bytes() const { return bytes_; }

  /// Appends a field that is known to be in range.
  bool append(const Header& header) {
    if (count_ == capacity_ && !grow()) [[unlikely]] {
      return false;
    }
    fields_[count_++] = header;
    ++live_;
    bytes_ += header.line_bytes();
    present_ |= bit_of(header.token);
    return true;
  }

 private:
  struct Key {
    HeaderName token;
    std::string_view name;  // looked at for kOther only
  };

  HeaderBlock& operator=(HeaderBlock&&) = default;

  static bool matches(const Header& header, const Key& key);
  Header* keep_one(const Key& key);
  const Header* find_present(HeaderName token) const;
  void remove_all(const Key& key);
  void remove_at(Header& header);
  bool grow();

  buffer::Arena* arena_ = nullptr;
  Header* fields_ = nullptr;
  uint32_t count_ = 0;
  uint32_t capacity_ = 0;
  uint32_t live_ = 0;
  HeaderNameSet present_ = 0;
  size_t bytes_ = 0;
};

}  // namespace hangu::http
