// Where the copy of a plugin's image lies that is mapped: a file that only its name, made of its
// digest, tells from others, so that a new version never touches the pages of one in use.
#pragma once

#include <string>

#include "hangu/base/result.h"
#include "hangu/plugin/image.h"

namespace hangu::plugin {

/// "<folder>/<name>-<sha256>.so"
std::string image_path(const std::string& folder, const std::string& name,
                       const std::string& sha256);

/// Writes the copy unless it is there; makes the folder, for its owner alone.
Result<void, std::string> write_image(const Image& image, const std::string& path);

/// A file without a name, which lives as long as the process.
Result<std::string, std::string> image_in_memory(const Image& image);

}  // namespace hangu::plugin
