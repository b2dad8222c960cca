// What is known of an edit before anything is written. The loader's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/control/config_editor.h"

namespace hangu::control {

/// How digests are shown and compared: 128 bits of them.
std::string tag_of(std::string_view digest);
std::string tag_of(std::string_view key, std::string_view text);

/// The last version of a document, where the writer would replace it.
using CurrentText = std::function<std::optional<std::string>(const std::string& key)>;

/// What the edit changes; nullopt: it cannot be, `outcome` says why. Fills in the documents.
std::optional<std::vector<config::Document>> changes_of(const ConfigEdit& edit,
                                                        const ConfigSource& source,
                                                        const CurrentText& current,
                                                        EditOutcome& outcome);

/// All errors, and warnings about what was written; what stands elsewhere is not shown with them.
std::vector<config::Diagnostic> diagnostics_of(const ConfigEdit& edit,
                                               std::vector<config::Diagnostic> found);

/// Whether the config could be with these changes; else `outcome` says why not.
bool can_be(const ConfigEdit& edit, ConfigSource& source,
            const std::vector<config::Document>& changes, EditOutcome& outcome);

/// For the audit log: "routes/users", "routes/users and 2 more".
std::string object_of(const std::vector<config::Document>& changes);

}  // namespace hangu::control
