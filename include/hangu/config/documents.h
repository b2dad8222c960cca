// From a file in the shape of a config to the documents of a config centre. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "hangu/config/assembly.h"
#include "hangu/config/diagnostic.h"

namespace hangu::config {

/// Each element of the file's lists as a document of its own. What is not of such a list, or has no
/// name, is a problem; the values themselves are not looked at.
std::vector<Document> split_documents(std::string_view text, std::string_view file,
                                      std::vector<Diagnostic>& problems);

}  // namespace hangu::config
