// PathTree: which path of a description a request's is. A segment without variables goes before one
// with; of these the one with more text does.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/openapi/document.h"

namespace hangu::openapi {

class PathTree {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  using Captures = std::array<std::string_view, Document::kCapturesMax>;

  /// `names`: gets those of the variables. The error is in words.
  Result<void, std::string> add(std::string_view path, uint32_t item,
                                std::vector<std::string>& names);

  /// kNone: no path. Captures are as they were sent.
  uint32_t find(std::string_view path, Captures& captures) const noexcept;

 private:
  /// A segment with a variable: "{id}", "{name}.json".
  struct Variable {
    std::string prefix;
    std::string suffix;
    uint32_t node = 0;
  };

  struct Node {
    std::map<std::string, uint32_t, std::less<>> literals;
    std::vector<Variable> variables;
    uint32_t item = kNone;
  };

  Result<uint32_t, std::string> step(uint32_t node, std::string_view segment,
                                     std::vector<std::string>& names);
  uint32_t find_from(uint32_t node, std::string_view rest, Captures& captures,
                     size_t captured) const noexcept;

  std::vector<Node> nodes_ = std::vector<Node>(1);
};

}  // namespace hangu::openapi
