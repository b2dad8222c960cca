// Masker: hides personal data and secrets in paths and queries before they are recorded: national
// id numbers, phone numbers, e-mail addresses, tokens, the values of parameters that are named like
// secrets, and what configured patterns match. It hides rather too much than too little. Pure but
// for its scratch memory; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/pattern.h"
#include "hangu/base/result.h"

namespace hangu::audit {

class Masker {
 public:
  static Result<Masker, std::string> create(const std::vector<std::string>& patterns);

  /// `text` itself when there is nothing to hide; else a view that the next call of the same
  /// function ends.
  std::string_view path(std::string_view text);
  std::string_view query(std::string_view text);

 private:
  std::string_view apply_patterns(std::string_view text, std::string& out);

  std::vector<Pattern> patterns_;
  std::string path_;
  std::string query_;
  std::string scratch_;
};

/// The steps. Each appends what `text` becomes to `out`; false: nothing was hidden.
bool mask_text(std::string_view text, std::string& out);
bool mask_query(std::string_view query, std::string& out);

}  // namespace hangu::audit
