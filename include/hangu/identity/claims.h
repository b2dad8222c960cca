// Claims: the members of a token's JSON object, flattened: {"a":{"b":["x","y"]}} is "a.b" = "x" and
// "a.b" = "y". Kept are strings, numbers and truth values, as text. Parsing is strict: one object,
// no member twice, bounded in depth and number. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hangu::identity {

struct Claim {
  std::string name;
  std::string value;
  bool is_string = false;
  bool in_list = false;
};

class Claims {
 public:
  static constexpr size_t kDepthMax = 8;
  static constexpr size_t kCountMax = 512;

  /// nullopt: no JSON object, a name that occurs twice, or too much of it.
  static std::optional<Claims> parse(std::string_view json);

  const std::vector<Claim>& all() const { return claims_; }

  /// The first value of that name; nullptr: there is none.
  const Claim* find(std::string_view name) const;

  /// A string that stands alone; empty if it is something else or not there.
  std::string_view text(std::string_view name) const;

  /// A whole number of seconds; fractions are cut off. nullopt: not there, or no number.
  std::optional<int64_t> seconds(std::string_view name) const;

  bool contains(std::string_view name) const { return find(name) != nullptr; }

  /// Whether one of its values is `value`.
  bool has(std::string_view name, std::string_view value) const;

  /// Whether one of its values is one of these.
  bool has_any(std::string_view name, std::span<const std::string> values) const;

  /// Whether all of these are among its words().
  bool has_words(std::string_view name, std::span<const std::string> wanted) const;

  /// The values of a list, or the words of a text ("read write").
  std::vector<std::string_view> words(std::string_view name) const;

 private:
  std::vector<Claim> claims_;
};

}  // namespace hangu::identity
