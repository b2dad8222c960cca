// `hangu plugin new` and `hangu plugin sign`: for those who write plugins and those who vouch for
// them.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "hangu/base/file_bytes.h"
#include "hangu/tls/signature.h"

#include "cli/skeleton.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace fs = std::filesystem;

std::string with_name(std::string_view text, const std::string& name) {
  constexpr std::string_view kPlace = "@NAME@";
  std::string out;
  for (size_t at = text.find(kPlace); at != std::string_view::npos; at = text.find(kPlace)) {
    out += text.substr(0, at);
    out += name;
    text.remove_prefix(at + kPlace.size());
  }
  return out += text;
}

/// It becomes the name of files, of a target of CMake and of a code.
bool is_plugin_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

bool write_file(const fs::path& path, std::string_view text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return !file.fail();
}

}  // namespace

int plugin_new(const PluginNewOptions& options, const Environment& environment) {
  if (!is_plugin_name(options.name)) {
    print_error(environment,
                fmt::format("\"{}\" is no name for a plugin: lower-case letters, digits, `_`, `-`, "
                            "a letter first",
                            options.name));
    return kUsage;
  }
  const fs::path folder = options.folder.empty() ? options.name : options.folder;
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    print_error(environment, fmt::format("{} is there and not empty", folder.string()),
                "name another folder with --folder");
    return kRuntimeFailure;
  }
  for (const SkeletonFile& file : plugin_skeleton()) {
    const fs::path path = folder / with_name(file.path, options.name);
    if (!write_file(path, with_name(file.text, options.name))) {
      print_error(environment, fmt::format("cannot write {}", path.string()));
      return kRuntimeFailure;
    }
  }
  environment.out << fmt::format(
      "{0}: a plugin with its test. Build it:\n"
      "  cmake -S {0} -B {0}/build && cmake --build {0}/build && ctest --test-dir {0}/build\n"
      "and name {0}/build/{1}.so in `plugins` of the config.\n",
      folder.string(), options.name);
  return kOk;
}

int plugin_sign(const PluginSignOptions& options, const Environment& environment) {
  const auto key = tls::SigningKey::load(options.key);
  if (!key) {
    print_error(environment, key.error(), "`hangu audit keygen FILE` makes one");
    return kRuntimeFailure;
  }
  const auto bytes = read_whole_file(options.file);
  if (!bytes) {
    print_error(environment,
                fmt::format("cannot read {}: {}", options.file, bytes.error().message()));
    return kRuntimeFailure;
  }
  const std::string out = options.out.empty() ? options.file + ".sig" : options.out;
  const std::string draft = out + ".new";
  std::error_code error;
  if (!write_file(draft, key->sign(*bytes) + "\n") || (fs::rename(draft, out, error), error)) {
    print_error(environment, fmt::format("cannot write {}", out));
    return kRuntimeFailure;
  }
  environment.out << fmt::format("{}: signed by key {}\n", out, key->id());
  return kOk;
}

}  // namespace hangu::cli
