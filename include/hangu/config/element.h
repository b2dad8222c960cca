// Elements of the config's lists as somebody may see them: as they were written, of the file or of
// a document, without their secrets. Plain values and pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/diagnostic.h"

namespace hangu::config {

/// What stands for a secret.
inline constexpr std::string_view kMask = "***";

struct ElementSummary {
  std::string key;       // "routes/users"
  bool in_file = false;  // else it is a document
  bool in_force = true;
  std::string refusal;  // why its last version is not
  std::string digest;   // of a document, secrets and all
};

struct Element {
  ElementSummary summary;
  std::string yaml;  // without its name; secrets masked
  std::string json;
};

/// Where a document has masks in place of secrets, which it must not be written with.
std::vector<Diagnostic> masked_places(std::string_view key, std::string_view text);

/// The keys at the top of a document that make files, or variables of the process, part of what is
/// sent: `respond.file`, fields that refer to such, and `file:` anywhere but in a secret.
std::vector<std::string> disclosing_keys(const std::optional<std::string>& text);

/// The keys at the top of a document that are not the same in another version of it; none: no
/// such version.
std::vector<std::string> differing_keys(const std::optional<std::string>& before,
                                        const std::optional<std::string>& after);

}  // namespace hangu::config
