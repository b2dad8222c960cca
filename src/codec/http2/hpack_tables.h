// The tables of HPACK (RFC 7541 §2.3): the static one, and the dynamic one that each direction of a
// connection has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace hangu::codec::http2 {

struct TableField {
  std::string_view name;
  std::string_view value;
};

inline constexpr uint32_t kStaticFields = 61;

/// `index` from 1 to kStaticFields.
TableField static_field(uint32_t index) noexcept;

/// The index of the first field with that name, which is in lower case; 0: there is none.
uint32_t find_static_name(std::string_view name) noexcept;
/// The index of the field with that name and value; `name_index` is what find_static_name() said.
/// 0: there is none.
uint32_t find_static_field(uint32_t name_index, std::string_view value) noexcept;

class DynamicTable {
 public:
  explicit DynamicTable(uint32_t bytes_max) noexcept
      : bytes_max_(bytes_max) {}

  /// As §4.1 counts them.
  uint32_t bytes() const { return bytes_; }

  uint32_t bytes_max() const { return bytes_max_; }

  uint32_t size() const { return count_; }

  /// `index` 0 is the newest.
  TableField field(uint32_t index) const noexcept;

  /// Evicts what is too much.
  void resize(uint32_t bytes_max) noexcept;
  /// Evicts what has to go; a field that is too large leaves the table empty. Neither text may lie
  /// in the table.
  void add(std::string_view name, std::string_view value) noexcept;

  /// How many fields down it is; size(): it is not there.
  uint32_t find(std::string_view name, std::string_view value) const noexcept;
  uint32_t find_name(std::string_view name) const noexcept;

 private:
  struct Entry {
    uint32_t at;  // in text_, the name; the value follows it
    uint32_t name_size;
    uint32_t value_size;
  };

  // Of the text of a name and of a value. Apart from the entries: a search reads nothing else.
  struct Hashes {
    uint32_t name;
    uint32_t both;
  };

  uint32_t slot(uint32_t index) const { return (next_ - 1 - index) & (slots_ - 1); }

  void evict_until(uint32_t bytes_max) noexcept;
  void make_slot();
  void make_room(uint32_t bytes);

  // Fields in a ring of slots, a power of two; their text behind one another, moved to the front
  // when its end is reached.
  std::unique_ptr<Entry[]> entries_;
  std::unique_ptr<Hashes[]> hashes_;
  std::unique_ptr<char[]> text_;
  uint32_t slots_ = 0;
  uint32_t next_ = 0;  // the slot behind the newest
  uint32_t count_ = 0;
  uint32_t text_capacity_ = 0;
  uint32_t text_begin_ = 0;
  uint32_t text_end_ = 0;
  uint32_t bytes_ = 0;
  uint32_t bytes_max_;
};

}  // namespace hangu::codec::http2
