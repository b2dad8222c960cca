// The text of a config file by lines, for snippets and columns; it does not own the text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/yaml_tree.h"

namespace hangu::config {

class SourceText {
 public:
  explicit SourceText(std::string_view text);

  /// The line without its end, secrets in it masked; empty beyond the text.
  std::string snippet(size_t line) const;

  /// The column of the mark in characters, from 1.
  uint32_t column(Mark mark) const;

 private:
  std::string_view line(size_t number) const;

  std::string_view text_;
  std::vector<size_t> begins_;
};

/// Whether a field or key of this name usually carries a credential: authorization, cookie,
/// *-token...
bool looks_secret(std::string_view name);

}  // namespace hangu::config
