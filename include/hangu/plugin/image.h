// Image: the bytes of a plugin's file, read once, and whether they may be run: the digest that the
// config names, a signature of a trusted key. What is mapped later is a copy of these very bytes,
// so that nobody can exchange the file in between. Reads files; control thread.
#pragma once

#include <string>

#include "hangu/base/result.h"
#include "hangu/config/plugins.h"

namespace hangu::plugin {

struct Image {
  std::string bytes;
  std::string sha256;     // of them, 64 digits
  std::string signed_by;  // id of the key; empty: nobody asked
};

inline constexpr size_t kImageBytesMax = 64 * 1024 * 1024;

/// The file of a plugin, if it may be used. The error begins with the file's name.
Result<Image, std::string> read_image(const config::Plugin& plugin);

/// Where the signature of a plugin is.
std::string signature_path(const config::Plugin& plugin);

}  // namespace hangu::plugin
