// The files that `hangu plugin new` writes, built into the program so that they fit its version.
#pragma once

#include <span>
#include <string_view>

namespace hangu::cli {

struct SkeletonFile {
  std::string_view path;  // @NAME@ stands for the plugin's name, in the text as well
  std::string_view text;
};

std::span<const SkeletonFile> plugin_skeleton();

}  // namespace hangu::cli
