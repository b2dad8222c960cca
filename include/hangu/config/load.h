// The loader: YAML text → Config, or every reason why not. `hangu check`, `run` and `reload` all
// come through here, so that what is checked is what runs. Thread-safe (no shared state); not for
// shard threads: it reads files and allocates. It does not touch the network, bind addresses or
// resolve names.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/config/diagnostic.h"

namespace hangu::config {

struct LoadOptions {
  /// Looks a `${NAME}` up; empty function: the process environment.
  std::function<std::optional<std::string>(std::string_view name)> environment;
  /// Reads a `file:/path` secret; the error is its reason. Empty function: the file system.
  std::function<Result<std::string, std::string>(const std::string& path)> read_file;
  /// Files that the config names are taken for granted and not read: it is one of another machine.
  /// The Config is to be looked at, not to be used.
  bool without_files = false;
  /// Config::node when the file does not say; empty: this machine's host name.
  std::string host_name;
};

struct LoadResult {
  std::optional<Config> config;         // without a value when there is any error
  std::vector<Diagnostic> diagnostics;  // errors and warnings, in the order of the text
  std::string digest;                   // of what was read, where the loader makes one

  /// A config is there; `strict`: and there is no warning either.
  bool ok(bool strict = false) const { return config && (!strict || diagnostics.empty()); }

  size_t error_count() const;
  size_t warning_count() const;
};

/// Loads a file of at most kFileBytesMax. An unreadable file is a diagnostic (E0100), too.
LoadResult load_file(const std::string& path, const LoadOptions& options = {});

/// `name` stands for the file in diagnostics and becomes Config::source_path.
LoadResult load_text(std::string_view text, std::string_view name, const LoadOptions& options = {});

/// For problems that others have found in a config that was loaded: the snippets, and columns in
/// characters in place of bytes. Reads the file again.
void add_snippets(std::vector<Diagnostic>& diagnostics);

constexpr size_t kFileBytesMax = 128 * 1024 * 1024;
constexpr size_t kYamlNodesMax = 10'000'000;  // with aliases expanded
constexpr size_t kYamlDepthMax = 32;
constexpr size_t kSecretBytesMax = 64 * 1024;
constexpr size_t kDiagnosticsMax = 500;

}  // namespace hangu::config
